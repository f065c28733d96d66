"""Symbols and currencies that a policy names, and those that a run never compared.

A key that is misspelt changes no verdict and looks as if it held. It is said for the whole run,
as a policy of many sessions names what only some of them trade.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Final

from recon_core.model import ANY_ASSET, LedgerSide
from recon_core.policy.model import DEFAULT_CASH_ABSOLUTE, Policy
from recon_core.values.printable import printable
from recon_core.values.suggestions import suggestion

Names = Mapping[str, Iterable[str]]
"""Names that a session has, by the table of the policy that could name them."""

POSITIONS: Final = "position.absolute"
CASH: Final = "cash.absolute"
_MOST_KEYS: Final = 5
"""Keys that the line names; more are counted."""


def aliases_of(side: LedgerSide) -> str:
    """The table with the names of one side."""
    return f"aliases.{side}"


def keeps_of(side: LedgerSide) -> str:
    """The table with the views of one side."""
    return f"keeps.{side}"


def policy_keys(policy: Policy) -> dict[str, list[str]]:
    """Return the symbols and currencies that a policy adds, by table; a bare `*` names none."""
    tables: dict[str, Iterable[str]] = {
        POSITIONS: policy.position.absolute,
        CASH: [
            currency
            for currency, amount in policy.cash.absolute.items()
            if DEFAULT_CASH_ABSOLUTE.get(currency) != amount
        ],
    }
    for side in LedgerSide:
        tables[aliases_of(side)] = policy.aliases.of(side)
        tables[keeps_of(side)] = policy.keeps.get(side, {})
    named = {table: sorted(set(keys) - {ANY_ASSET}) for table, keys in tables.items()}
    return {table: keys for table, keys in named.items() if keys}


def unmatched_line(policy: Policy, sessions: Iterable[Names | None]) -> str | None:
    """Return the line on the keys that matched nothing in any session, `None` for no such key.

    `None` is a session that could not be read: its names are not known, so that nothing
    is said of the run.
    """
    keys = policy_keys(policy)
    known: dict[str, set[str]] = {table: set() for table in keys}
    for names in sessions if keys else ():
        if names is None:
            return None
        for table, found in names.items():
            known[table].update(found)
    unmatched = [
        (table, key)
        for table, named in keys.items()
        for key in named
        if not _matches(table, key, known[table])
    ]
    shown = [_shown(table, key, known[table]) for table, key in unmatched[:_MOST_KEYS]]
    more = len(unmatched) - len(shown)
    shown += [f"{more} more"] if more else []
    return f"policy keys that match nothing here: {', '.join(shown)}" if shown else None


def _matches(table: str, key: str, names: set[str]) -> bool:
    is_pattern = table == POSITIONS
    return key in names or (is_pattern and any(fnmatchcase(name, key) for name in names))


def _shown(table: str, key: str, names: set[str]) -> str:
    near = suggestion(key, sorted(names)).removeprefix("; ")
    return f'{table} "{printable(key, 60)}"' + (f" ({near})" if near else "")
