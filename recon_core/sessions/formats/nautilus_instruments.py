"""Instruments of nautilus_trader, and how their fills move cash.

A currency pair on a cash account is spot, and a share there a share. On a margin account every
instrument moves cash by fee and realised PnL only, as a linear or an inverse contract; but for
options and their like, whose premium is paid on every fill. An instrument that is not modelled
is refused when it is to be replayed. The engine multiplies what is paid for in binary floats,
and averages the entry prices of inverse contracts arithmetically; the ledger follows it.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from recon_core.model import Instrument, InstrumentKind, View
from recon_core.sessions.formats.nautilus_accounts import Accounts, AccountTerms
from recon_core.sessions.formats.nautilus_rows import key
from recon_core.sessions.formats.rows import optional_text
from recon_core.values.amounts import parse_amount
from recon_core.values.printable import printable, quoted

_PAIR: Final = "CurrencyPair"
_HELD_TYPES: Final = {_PAIR: InstrumentKind.SPOT, "Equity": InstrumentKind.EQUITY}
"""Types that a cash account can hold."""
_MARGIN_TYPES: Final = frozenset(
    {
        _PAIR,
        "Cfd",
        "Commodity",
        "CryptoFuture",
        "CryptoPerpetual",
        "Equity",
        "FuturesContract",
        "FuturesSpread",
        "IndexInstrument",
        "PerpetualContract",
    }
)


def instrument(table: Any, accounts: Accounts) -> Instrument:
    """An entry of `instruments.json`."""
    symbol = key(table, "id")
    quote = _text(table, "quote_currency") or _text(table, "currency")
    multiplier = table.get("multiplier")
    terms = accounts.terms_of(symbol)
    instrument_kind = _kind(table, terms)
    settlement = _text(table, "settlement_currency") or quote
    share = instrument_kind is InstrumentKind.EQUITY
    return Instrument(
        symbol=symbol,
        instrument_kind=instrument_kind,
        base=symbol if share else _text(table, "base_currency"),
        quote=quote,
        settlement=settlement,
        multiplier=parse_amount(multiplier) if isinstance(multiplier, str) else Decimal(1),
        not_replayed=_obstacle(table, terms, settlement),
        arithmetic_average=instrument_kind is InstrumentKind.INVERSE,
        float_notional=instrument_kind.delivers,
    )


def kept_views(instruments: Iterable[Instrument]) -> dict[str, View]:
    """Return the views that the reports have of each asset: shares are no balances."""
    return {
        one.base: View.BOTH if one.instrument_kind is InstrumentKind.SPOT else View.POSITION
        for one in instruments
        if one.instrument_kind.delivers
    }


def _text(table: Any, name: str) -> str:
    return optional_text(table, name) or ""


def _kind(table: Any, terms: AccountTerms | None) -> InstrumentKind:
    """Return the kind: what a cash account buys it holds, on margin it moves like a contract."""
    if terms is not None and terms.account_type == "CASH":
        found = _HELD_TYPES.get(_text(table, "type"))
        if found is not None:
            return found
    return InstrumentKind.INVERSE if table.get("is_inverse") is True else InstrumentKind.LINEAR


def _obstacle(table: Any, terms: AccountTerms | None, settlement: str) -> str:
    """Return the reason why fills of an instrument cannot be replayed, empty where they can."""
    if terms is None:
        return "trades on a venue without an account report"
    if terms.account_type == "CASH":
        return _obstacle_to_held(table, terms, settlement)
    if terms.account_type == "MARGIN":
        return _obstacle_to_margin(table, terms, settlement)
    return f"trades on an account of type {quoted(terms.account_type)}; expected CASH or MARGIN"


def _obstacle_to_held(table: Any, terms: AccountTerms, settlement: str) -> str:
    found = _HELD_TYPES.get(_text(table, "type"))
    if found is None:
        kind, held = quoted(_text(table, "type")), " or ".join(_HELD_TYPES)
        return f"is of type {kind} on a cash account; only a {held} can be replayed there"
    kept = printable(terms.base_currency, 60)
    if found is InstrumentKind.EQUITY and terms.base_currency == settlement:
        return ""
    return f"trades on a cash account that keeps {kept} only" if kept else ""


def _obstacle_to_margin(table: Any, terms: AccountTerms, settlement: str) -> str:
    if _text(table, "type") not in _MARGIN_TYPES:
        kind = quoted(_text(table, "type"))
        return f"is of type {kind}, whose fills move cash in a way that is not modelled"
    if terms.base_currency in ("", settlement):
        return ""
    return (
        f"settles in {printable(settlement, 60)} on an account that keeps "
        f"{printable(terms.base_currency, 60)}; the exchange rates are not recorded"
    )
