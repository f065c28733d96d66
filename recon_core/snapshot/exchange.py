"""An exchange of ccxt with exact numbers, the keys of an account, and answers kept.

ccxt makes binary floats at two places: its decoder of JSON, and `number`, which every unified
value passes. Here both give text. An answer that is no JSON is text to ccxt, which some parsers
take for an empty list; rows of another symbol and rows without a time are left out in silence.
All of them are faults here.
"""

import json
import os
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from recon_core.snapshot.keys import credentials
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable, quoted
from recon_core.values.suggestions import did_you_mean

_QUERY: Final = re.compile(r"\?\S+")
_REFUSED_SETTINGS: Final = frozenset({"verbose", "enableRateLimit", "number"})
"""Settings that would print keys, break the exchange's limits, or make floats."""


def require_ccxt() -> Any:
    """Import ccxt; raises `ReconError` where the extra `exchange` is missing."""
    if find_spec("ccxt") is None:
        raise ReconError(
            "a snapshot needs ccxt, which is not installed; pip install 'pytest-recon[exchange]'"
        )
    return import_module("ccxt")


def open_exchange(
    name: str,
    account: str,
    *,
    sandbox: bool = False,
    settings: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    keyring: bool = False,
) -> Any:
    """Return the exchange of an account, ready to be asked; raises `ReconError`.

    `settings` are ccxt's own, such as `options`, `urls` or `timeout`; keys are never among
    them. `environment` has the keys, by default that of the process; with `keyring` the keyring
    of the system has those that it lacks.
    """
    ccxt = require_ccxt()
    if name not in ccxt.exchanges:
        near = did_you_mean(name, ccxt.exchanges, 8)
        raise ReconError(f"{quoted(name)} is no exchange of ccxt; {near}")
    chosen = dict(settings or {})
    _refuse_settings(chosen, ccxt)
    exchange = exact_class(getattr(ccxt, name))(chosen)
    asked = [field for field, required in exchange.requiredCredentials.items() if required]
    given = os.environ if environment is None else environment
    for field, value in credentials(asked, account, given, keyring=keyring).items():
        setattr(exchange, field, value)
    if sandbox:
        if not exchange.urls.get("test"):
            raise ReconError(f"{name}: has no sandbox in ccxt; expected no --sandbox")
        exchange.set_sandbox_mode(True)
    return exchange


def exact_class(kind: Any) -> Any:
    """Return a class of an exchange whose amounts are text, and whose faults are raised."""
    ccxt = require_ccxt()

    class ExactExchange(kind):  # type: ignore[misc]  # ccxt ships a type for each exchange only
        """An exchange of ccxt; `answers` are those since the list was emptied."""

        number = staticmethod(_amount_text)

        def __init__(self, config: Mapping[str, Any]) -> None:
            super().__init__(config)
            self.answers: list[Any] = []
            self.last_status: int | None = None

        def on_json_response(self, text: str) -> Any:
            """Decode an answer with its numbers as text; raises `ValueError`."""
            return json.loads(text, parse_float=str, parse_constant=_refused_constant)

        def on_rest_response(self, code: int, *more: Any) -> Any:
            """Keep the status of an answer."""
            self.last_status = code
            return super().on_rest_response(code, *more)

        def fetch(self, *request: Any, **more: Any) -> Any:
            """Return the decoded answer of one request; raises an error of ccxt."""
            self.last_status = None
            self.last_response_headers = None
            answer = super().fetch(*request, **more)
            if not isinstance(answer, dict | list):
                raise ccxt.BadResponse("the answer is no whole JSON")
            self.answers.append(answer)
            return answer

        def filter_by_value_since_limit(
            self, array: Any, field: Any, value: Any = None, *more: Any, **named: Any
        ) -> Any:
            """Filter rows as ccxt does; raises `BadResponse` for rows that cannot be placed."""
            for row in array:
                if not row.get("timestamp"):
                    raise ccxt.BadResponse("a row has no time")
                if value is not None and row.get(field) != value:
                    raise ccxt.BadResponse(f"a row is of another {field} than {value}")
            return super().filter_by_value_since_limit(array, field, value, *more, **named)

    return ExactExchange


def _amount_text(value: Any) -> str:
    """Return an amount as plain decimal text; raises `ValueError` for anything else."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("no number") from None
    if not amount.is_finite():
        raise ValueError("no finite number")
    return f"{amount:f}"


def _refused_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _refuse_settings(settings: Mapping[str, Any], ccxt: Any) -> None:
    keys = ccxt.Exchange.requiredCredentials
    for name in settings:
        if name in keys:
            raise ReconError(f"settings: {quoted(name)} is a key; expected it in the environment")
        if name in _REFUSED_SETTINGS:
            raise ReconError(f"settings: {quoted(name)} cannot be set for a snapshot")


def error_text(exchange: Any, error: Exception) -> str:
    """Return an error as one line without addresses' queries and without any key."""
    text = _QUERY.sub("", " ".join(str(error).split()))
    for field in exchange.requiredCredentials:
        secret = getattr(exchange, field, None)
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "***")
    return f"{type(error).__name__}: {printable(text, 200)}" if text else type(error).__name__
