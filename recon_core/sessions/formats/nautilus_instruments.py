"""Instruments of nautilus_trader, and how their fills move cash.

A currency pair on a cash account is spot. On a margin account every instrument moves cash
by fee and realised PnL only, as a linear or an inverse contract; but for options and their
like, whose premium is paid on every fill. An instrument that is not modelled is refused
when it is to be replayed.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from recon_core.model import Fill, Instrument, InstrumentKind
from recon_core.sessions.formats.nautilus_accounts import Accounts, AccountTerms
from recon_core.sessions.formats.nautilus_rows import key
from recon_core.sessions.formats.rows import optional_text
from recon_core.values.amounts import parse_amount
from recon_core.values.printable import printable, quoted

_PAIR: Final = "CurrencyPair"
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
    return Instrument(
        symbol=symbol,
        instrument_kind=instrument_kind,
        base=_text(table, "base_currency"),
        quote=quote,
        settlement=settlement,
        multiplier=parse_amount(multiplier) if isinstance(multiplier, str) else Decimal(1),
        not_replayed=_obstacle(table, terms, settlement),
    )


def _text(table: Any, name: str) -> str:
    return optional_text(table, name) or ""


def _kind(table: Any, terms: AccountTerms | None) -> InstrumentKind:
    """Spot is a currency pair on a cash account; on margin it moves like a linear one."""
    if _text(table, "type") == _PAIR and terms is not None and terms.account_type == "CASH":
        return InstrumentKind.SPOT
    return InstrumentKind.INVERSE if table.get("is_inverse") is True else InstrumentKind.LINEAR


def _obstacle(table: Any, terms: AccountTerms | None, settlement: str) -> str:
    """Return the reason why fills of an instrument cannot be replayed, empty where they can."""
    if terms is None:
        return "trades on a venue without an account report"
    if terms.account_type == "CASH":
        return _obstacle_to_spot(table, terms)
    if terms.account_type == "MARGIN":
        return _obstacle_to_margin(table, terms, settlement)
    return f"trades on an account of type {quoted(terms.account_type)}; expected CASH or MARGIN"


def _obstacle_to_spot(table: Any, terms: AccountTerms) -> str:
    if _text(table, "type") != _PAIR:
        kind = quoted(_text(table, "type"))
        return f"is of type {kind} on a cash account; only a CurrencyPair can be replayed there"
    kept = printable(terms.base_currency, 60)
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


def limits(instruments: Mapping[str, Instrument], fills: Iterable[Fill]) -> tuple[str, ...]:
    """Return notes for a reader on the engine's own figures."""
    traded = {one.symbol for one in fills} & instruments.keys()
    inverse = InstrumentKind.INVERSE
    symbols = sorted(name for name in traded if instruments[name].instrument_kind is inverse)
    if not symbols:
        return ()
    note = (
        f"{', '.join(symbols)}: nautilus_trader averages the entry prices of inverse contracts "
        "arithmetically, the ledger harmonically; where they are far apart, cash differs by that"
    )
    return (note,)
