"""Rows of LEAN's files: orders and order events, by the names and numbers of its enumerations.

Names begin with a small letter in current results and with a capital one in older ones; states
and kinds are numbers in orders and words in order events. Both are read.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from recon_core.model import Fill, Instrument, InstrumentKind, Order, OrderSide, OrderState
from recon_core.sessions.formats import rows
from recon_core.values.amounts import ZERO, NumberText, parse_amount
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import quoted
from recon_core.values.times import parse_time

_STATES: Final = {
    "new": OrderState.CREATED,
    "submitted": OrderState.SUBMITTED,
    "partiallyfilled": OrderState.PARTIALLY_FILLED,
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "none": OrderState.CREATED,
    "invalid": OrderState.REJECTED,
    "cancelpending": OrderState.ACKNOWLEDGED,
    "updatesubmitted": OrderState.ACKNOWLEDGED,
}
_STATE_NUMBERS: Final = dict(zip((0, 1, 2, 3, 5, 6, 7, 8, 9), _STATES, strict=True))
_SECURITIES: Final = (
    "base", "equity", "option", "commodity", "forex", "future", "cfd", "crypto", "futureoption",
    "index", "indexoption", "cryptofuture",
)  # fmt: skip
_REPLAYED: Final = {
    "equity": InstrumentKind.EQUITY,
    "forex": InstrumentKind.FX,
    "crypto": InstrumentKind.SPOT,
}
"""Kinds whose fills move cash by quantity times price, with no multiplier."""
_RAW: Final = "0"
"""Mode of prices to which no dividend is added, so that each is cash without a record."""
_MONEY: Final = re.compile(r"(-?)[^0-9-]*(-?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]+)?")


def fields(value: Any, name: str) -> dict[str, Any]:
    """An object whose names begin with a small letter; raises `SessionError`."""
    table = rows.table(value, name)
    found = {
        key.lower() if key.isupper() else key[:1].lower() + key[1:]: table[key] for key in table
    }
    if len(found) != len(table):
        raise SessionError(f"{name}: has a name twice, with a small and with a capital letter")
    return found


def money(row: rows.Row, name: str) -> Decimal | None:
    """An amount such as `-$1,234.50`, `None` where there is none; raises `SessionError`."""
    text = rows.optional_text(row, name)
    if text is None:
        return None
    match = _MONEY.fullmatch(text.strip())
    if match is None or (match[1] and match[2]):
        raise SessionError(f"{name}: {quoted(text)}; expected an amount like '$1,234.50'")
    return parse_amount(f"{match[1]}{match[2]}{match[3].replace(',', '')}{match[4] or ''}")


def time_of(row: rows.Row, name: str) -> datetime | None:
    """A time as text or as seconds since 1970, `None` where there is none."""
    if isinstance(row.get(name), NumberText):
        return rows.seconds(row, name)
    text = rows.optional_text(row, name)
    try:
        return None if text is None else parse_time(text)
    except ReconError as error:
        raise SessionError(f"{name}: {error}") from None


def _required_time(row: rows.Row, *names: str) -> datetime:
    for name in names:
        found = time_of(row, name)
        if found is not None:
            return found
    raise SessionError(f"{names[-1]}: is missing; expected a time")


def _word(row: rows.Row, name: str, by_number: Mapping[int, str]) -> str:
    """The word of an enumeration, which is written as a word or as its number."""
    value = row.get(name)
    if isinstance(value, str) and value.lower() in by_number.values():
        return value.lower()
    shown = value.text if isinstance(value, NumberText) else value
    known = {str(number): word for number, word in by_number.items()}
    if isinstance(value, NumberText) and shown in known:
        return known[shown]
    expected = ", ".join(f"{number} ({word})" for number, word in by_number.items())
    raise SessionError(f"{name}: {quoted(shown)}; expected one of {expected}")


def _id(row: rows.Row, name: str) -> str:
    value = row.get(name)
    if isinstance(value, NumberText):
        return value.text
    return rows.text(row, name)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A security: LEAN's `id` of it, its ticker, and the kind and currency of its orders."""

    symbol_id: str
    ticker: str
    security: str
    currency: str

    @property
    def instrument_kind(self) -> InstrumentKind | None:
        """The kind, `None` where a fill moves cash by a multiplier that LEAN does not state."""
        kind = _REPLAYED.get(self.security)
        return None if kind is not InstrumentKind.EQUITY and not self._base else kind

    @property
    def name(self) -> str:
        """`BTC/USD` of a pair, else the ticker."""
        return f"{self._base}/{self.currency}" if self._base else self.ticker

    @property
    def _base(self) -> str:
        is_pair = self.security in ("forex", "crypto") and self.ticker.endswith(self.currency)
        return self.ticker.removesuffix(self.currency) if is_pair else ""

    def instrument(self, name: str) -> Instrument | None:
        """The instrument under a name, `None` where its fills cannot be replayed."""
        kind = self.instrument_kind
        if kind is None:
            return None
        return Instrument(name, kind, self._base or self.ticker, self.currency, self.currency)


@dataclass(frozen=True, slots=True)
class LeanOrder:
    """An order of a result: `quantity` is signed, `filled` is `None` where only events know it."""

    order_id: str
    symbol: Symbol
    quantity: Decimal
    filled: Decimal | None
    state: OrderState
    time: datetime
    limit: Decimal | None
    price: Decimal
    raw_prices: bool
    events: tuple[Any, ...]

    def as_order(self, symbol: str, filled: Decimal) -> Order:
        """The order as the external side has it; `filled` is signed as its quantity is."""
        return Order(
            symbol=symbol,
            side=_side(self.quantity),
            quantity=self.quantity.copy_abs(),
            filled_quantity=filled.copy_abs(),
            state=self.state,
            time=self.time,
            exchange_order_id=self.order_id,
            price=self.limit,
            average_fill_price=self.price if filled else None,
        )


def read_order(row: rows.Row) -> LeanOrder:
    """Read an order; raises `SessionError`."""
    order = fields(row, "row")
    symbol = fields(order.get("symbol"), "symbol")
    quantity = rows.number(order, "quantity")
    state = _STATES[_word(order, "status", _STATE_NUMBERS)]
    last_fill = time_of(order, "lastFillTime")
    filled = quantity if state is OrderState.FILLED else None if last_fill else ZERO
    mode = order.get("priceAdjustmentMode")
    return LeanOrder(
        order_id=_id(order, "id"),
        symbol=Symbol(
            rows.text(symbol, "id"),
            rows.text(symbol, "value"),
            _word(order, "securityType", dict(enumerate(_SECURITIES))),
            rows.text(order, "priceCurrency"),
        ),
        quantity=quantity,
        filled=filled,
        state=state,
        time=last_fill or _required_time(order, "time", "createdTime"),
        limit=rows.optional_number(order, "limitPrice") or None,
        price=rows.number(order, "price"),
        raw_prices=isinstance(mode, NumberText) and mode.text == _RAW,
        events=tuple(order.get("events") or ()),
    )


@dataclass(frozen=True, slots=True)
class FillEvent:
    """An order event that filled something: LEAN's id of its symbol, and the fill of its ticker."""

    symbol_id: str
    currency: str | None
    fill: Fill

    def named(self, symbol: str) -> Fill:
        """The fill under the name of its symbol."""
        return replace(self.fill, symbol=symbol)


def read_event(row: rows.Row) -> FillEvent | None:
    """Read an order event, `None` where it filled nothing; raises `SessionError`."""
    event = fields(row, "row")
    quantity = rows.number(event, "fillQuantity")
    if not quantity:
        return None
    symbol_id, ticker = _event_symbol(event)
    order_id, fill_id = event_ids(event)
    fee = rows.optional_number(event, "orderFeeAmount") or ZERO
    fill = Fill(
        fill_id=fill_id,
        symbol=ticker,
        side=_side(quantity),
        quantity=quantity.copy_abs(),
        price=rows.number(event, "fillPrice"),
        time=_required_time(event, "utcTime", "time"),
        fee=fee,
        fee_currency=rows.optional_text(event, "orderFeeCurrency"),
        exchange_order_id=order_id,
    )
    return FillEvent(symbol_id, rows.optional_text(event, "fillPriceCurrency"), fill)


def event_ids(event: rows.Row) -> tuple[str, str]:
    """Return the ids of the order and of the fill of an event, whose names begin small."""
    order_id = _id(event, "orderId")
    return order_id, f"{order_id}-{_id(event, 'orderEventId' if 'orderEventId' in event else 'id')}"


def _event_symbol(event: rows.Row) -> tuple[str, str]:
    """The id and the ticker: of an object, or of two fields."""
    if isinstance(event.get("symbol"), dict):
        symbol = fields(event["symbol"], "symbol")
        return rows.text(symbol, "id"), rows.text(symbol, "value")
    symbol_id = rows.text(event, "symbol")
    return symbol_id, rows.optional_text(event, "symbolValue") or symbol_id


def signed(fill: Fill) -> Decimal:
    """The quantity of a fill, negative where it sold."""
    return fill.quantity if fill.side is OrderSide.BUY else fill.quantity.copy_negate()


def _side(quantity: Decimal) -> OrderSide:
    return OrderSide.BUY if quantity > 0 else OrderSide.SELL


def names_of(symbols: Iterable[Symbol]) -> dict[str, str]:
    """The name of each symbol by its id: its own, or the id where several share that."""
    found = {one.symbol_id: one.name for one in symbols}
    bearers = Counter(found.values())
    return {one: one if bearers[name] > 1 else name for one, name in found.items()}
