"""Keys of an account: from the environment, or from the keyring of the system.

A key is called as ccxt calls it. `apiKey` of the account `paper` is the variable
`RECON_PAPER_API_KEY`, and in a keyring the entry `apiKey` of the service `recon/paper`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from typing import Final

from recon_core.values.errors import ReconError
from recon_core.values.printable import quoted

_ACCOUNT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def credentials(
    fields: Iterable[str], account: str, environment: Mapping[str, str], *, keyring: bool = False
) -> dict[str, str]:
    """Return the keys of some fields, by ccxt's names; raises `ReconError`.

    With `keyring` the keyring of the system is asked for a key that the environment lacks.
    """
    if not _ACCOUNT.fullmatch(account):
        raise ReconError(f"account: {quoted(account)}; expected letters, digits, - or _")
    stored = _keyring() if keyring else None
    return {field: _key(field, account, environment, stored) for field in fields}


def variable_of(account: str, field: str) -> str:
    """Return the environment's name of a key: `RECON_PAPER_API_KEY` for `apiKey` of `paper`."""
    words = _HUMP.sub("_", field)
    return f"RECON_{account}_{words}".replace("-", "_").upper()


def service_of(account: str) -> str:
    """Return the keyring's name of an account: `recon/paper`."""
    return f"recon/{account}"


_Stored = Callable[[str, str], str | None]


def _key(field: str, account: str, environment: Mapping[str, str], stored: _Stored | None) -> str:
    variable, service = variable_of(account, field), service_of(account)
    found = environment.get(variable, "").strip()
    if not found and stored is not None:
        found = (stored(service, field) or "").strip()
    if found:
        return found
    elsewhere = "" if stored is None else f", nor is there {field} of {service} in the keyring"
    raise ReconError(
        f"{variable}: is not set{elsewhere}; expected the {field} of a read-only key of {account}"
    )


def _keyring() -> _Stored:
    """Return the reading of a key by service and name; raises `ReconError`."""
    if find_spec("keyring") is None:
        raise ReconError(
            "--keyring needs keyring, which is not installed; pip install 'pytest-recon[keyring]'"
        )
    import keyring  # noqa: PLC0415  # an extra

    def stored(service: str, field: str) -> str | None:
        try:
            found: str | None = keyring.get_password(service, field)
        except Exception as error:  # noqa: BLE001  # of a backend; its text may hold what it read
            kind = type(error).__name__
            raise ReconError(
                f"the keyring cannot be read: {kind}; expected one that is unlocked, or "
                f"{variable_of(service.partition('/')[2], field)} in the environment"
            ) from None
        return found

    return stored
