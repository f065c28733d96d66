"""An exact ledger of its own: rows in, positions and cash out.

Written from docs/rules.md, "What a replay books". Postings are `Decimal`, entries and gains are
fractions until they are rounded half-even to the declared decimals of their currency.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from typing import Final

CONTEXT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
PAID: Final = ("spot", "equity", "fx", "option")

Key = tuple[str, str]
"""Symbol and leg of a position."""


@dataclass(frozen=True)
class Instrument:
    """What a symbol trades; `tick` and `lot` are the steps of price and quantity."""

    symbol: str
    kind: str
    base: str
    quote: str
    price: Decimal
    tick: Decimal
    lot: Decimal
    multiplier: Decimal = Decimal(1)

    @property
    def settlement(self) -> str:
        """The currency that gains and fees are in."""
        return self.base if self.kind == "inverse" else self.quote


@dataclass(frozen=True)
class Fill:
    """One execution; `quantity` is above 0, a negative `fee` is a rebate."""

    id: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    time: datetime
    fee: Decimal | None = None
    fee_currency: str | None = None
    order: str | None = None
    exchange_order: str | None = None
    leg: str = "NET"

    @property
    def signed(self) -> Decimal:
        """The quantity with the sign of the side."""
        return self.quantity if self.side == "BUY" else -self.quantity

    @property
    def content(self) -> tuple[object, ...]:
        """What the fill books, without its names and its time."""
        fee = self.fee or Decimal(0)
        paid_in = self.fee_currency if fee else None
        return ("fill", self.symbol, self.leg, self.side, self.quantity, self.price, fee, paid_in)


@dataclass(frozen=True)
class Movement:
    """Cash or quantity that moves without a fill."""

    id: str
    kind: str
    time: datetime
    currency: str | None = None
    amount: Decimal | None = None
    symbol: str | None = None
    quantity: Decimal | None = None

    @property
    def content(self) -> tuple[object, ...]:
        """What the movement books, without its name and its time."""
        return (self.kind, self.currency, self.amount, self.symbol, self.quantity)


@dataclass(frozen=True)
class Books:
    """Opening and rows of one side; an opening position is a quantity and its entry price."""

    cash: Mapping[str, Decimal] = field(default_factory=dict)
    positions: Mapping[Key, tuple[Decimal, Decimal]] = field(default_factory=dict)
    fills: tuple[Fill, ...] = ()
    movements: tuple[Movement, ...] = ()

    def until(self, end: datetime) -> "Books":
        """The books with the rows up to a time, those of the very time included."""
        return replace(
            self,
            fills=tuple(row for row in self.fills if row.time <= end),
            movements=tuple(row for row in self.movements if row.time <= end),
        )


@dataclass(frozen=True)
class State:
    """Figures of a side at one time."""

    positions: Mapping[Key, Decimal]
    cash: Mapping[str, Decimal]

    def same(self, other: "State", dust: Decimal = Decimal(0)) -> bool:
        """True if both have the same figures, where an absent one is 0."""
        return _alike(self.positions, other.positions, dust) and _alike(self.cash, other.cash, dust)


def _alike(
    one: Mapping[str, Decimal] | Mapping[Key, Decimal],
    other: Mapping[str, Decimal] | Mapping[Key, Decimal],
    dust: Decimal,
) -> bool:
    left: dict[object, Decimal] = dict(one.items())
    right: dict[object, Decimal] = dict(other.items())
    zero = Decimal(0)
    return all(
        abs(left.get(key, zero) - right.get(key, zero)) <= dust for key in left.keys() | right
    )


def rounded(
    amount: Fraction | Decimal, decimals: int | None, rounding: str = ROUND_HALF_EVEN
) -> Decimal:
    """The amount at so many decimals; exact where there is no number of them."""
    with localcontext(CONTEXT):
        if decimals is None:
            if isinstance(amount, Decimal):
                return amount
            return Decimal(amount.numerator) / Decimal(amount.denominator)
        unit = Decimal(1).scaleb(-decimals)
        if isinstance(amount, Fraction) and rounding == ROUND_HALF_EVEN:
            return Decimal(round(amount / Fraction(unit))) * unit
        if isinstance(amount, Fraction):
            amount = Decimal(amount.numerator) / Decimal(amount.denominator)
        return amount.quantize(unit, rounding=rounding)


class _Ledger:
    def __init__(
        self, instruments: Mapping[str, Instrument], precision: Mapping[str, int], books: Books
    ) -> None:
        self._instruments = instruments
        self._precision = precision
        self.positions: dict[Key, Decimal] = {k: q for k, (q, _) in books.positions.items()}
        self._entries: dict[Key, Fraction] = {
            k: Fraction(price) for k, (_, price) in books.positions.items()
        }
        self.cash: dict[str, Decimal] = dict(books.cash)

    def post(self, currency: str, amount: Fraction | Decimal) -> None:
        with localcontext(CONTEXT):
            booked = rounded(amount, self._precision.get(currency))
            self.cash[currency] = self.cash.get(currency, Decimal(0)) + booked

    def move(self, key: Key, quantity: Decimal) -> None:
        with localcontext(CONTEXT):
            self.positions[key] = self.positions.get(key, Decimal(0)) + quantity

    def fill(self, row: Fill) -> None:
        thing = self._instruments[row.symbol]
        key = (row.symbol, row.leg)
        with localcontext(CONTEXT):
            if thing.kind in PAID:
                self.move(key, row.signed)
                self.post(thing.quote, -row.signed * row.price * thing.multiplier)
                if thing.kind in {"spot", "fx"}:
                    self.post(thing.base, row.signed)
            else:
                self._trade(key, row, thing)
            if row.fee is not None and row.fee_currency is not None:
                self.post(row.fee_currency, -row.fee)
                if thing.kind == "spot" and row.fee_currency == thing.base:
                    self.move(key, -row.fee)

    def _trade(self, key: Key, row: Fill, thing: Instrument) -> None:
        held = Fraction(self.positions.get(key, Decimal(0)))
        change = Fraction(row.signed)
        price = Fraction(row.price)
        entry = self._entries.get(key, price)
        if held * change >= 0:
            self._entries[key] = _average(thing, held, entry, change, price)
        else:
            closed = min(abs(held), abs(change)) * (1 if held > 0 else -1)
            gain = (1 / entry - 1 / price) if thing.kind == "inverse" else (price - entry)
            self.post(thing.settlement, closed * Fraction(thing.multiplier) * gain)
            if abs(change) >= abs(held):
                self._entries[key] = price
        self.move(key, row.signed)


def _average(
    thing: Instrument, held: Fraction, entry: Fraction, change: Fraction, price: Fraction
) -> Fraction:
    if thing.kind == "inverse":
        return (held + change) / (held / entry + change / price)
    return (held * entry + change * price) / (held + change)


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    parts = re.findall(r"\d+|\D+", text)
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def replay(
    instruments: Mapping[str, Instrument], precision: Mapping[str, int], books: Books
) -> State:
    """Positions and cash that the rows give; rows of one time: fills by id, then movements."""
    ledger = _Ledger(instruments, precision, books)
    events: list[tuple[datetime, int, tuple[tuple[int, int, str], ...], int, Fill | Movement]] = [
        (row.time, 0, _natural(row.id), place, row) for place, row in enumerate(books.fills)
    ]
    events += [(row.time, 1, (), place, row) for place, row in enumerate(books.movements)]
    for *_, row in sorted(events, key=lambda event: event[:4]):
        if isinstance(row, Fill):
            ledger.fill(row)
            continue
        if row.currency is not None and row.amount is not None:
            ledger.post(row.currency, row.amount)
        if row.symbol is not None and row.quantity is not None:
            ledger.move((row.symbol, "NET"), row.quantity)
    return State(ledger.positions, ledger.cash)
