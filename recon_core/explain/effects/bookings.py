"""What one row books, as a vector: the measure by which causes are looked for.

A spot fill books what the ledger books, to the last digit. A fill of a derivative moves
cash only when it closes, by what the fills before it cost; its value, `-quantity x price`,
does not depend on them. Derivatives are therefore measured in cash less the value of
what is still open, in which every fill counts for itself; a tolerance covers the rounding
of PnL, and the proof is made by replay in any case.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, ZERO, exact_sum
from recon_core.explain.effects.space import ORDER, Space, add_to
from recon_core.ledger.bookings import Roundings, is_derivative, movement_booking, signed_quantity
from recon_core.model import (
    Fill,
    Instrument,
    InstrumentKind,
    Leg,
    Movement,
    Opening,
    Order,
    RecordedSession,
)

_PLACES: Final = 40
_FEW: Final = 8
_multiply = EXACT.multiply
_FEE: Final = attrgetter("fee")
_PRICE: Final = attrgetter("price")
_TRADED: Final = attrgetter("symbol", "leg", "account")
_CHARGED: Final = attrgetter("symbol", "leg", "account", "fee_currency")


@dataclass(frozen=True, slots=True)
class Bookings:
    """Books the rows of one session, each alone."""

    space: Space
    instruments: Mapping[str, Instrument]
    roundings: Roundings
    orders: frozenset[str] = frozenset()
    _names: dict[tuple[str, Leg, str | None], str] = field(default_factory=dict)
    _cash_names: dict[tuple[str, str | None], str] = field(default_factory=dict)

    def fill(self, fill: Fill) -> dict[str, Decimal]:
        """What a fill books, its fee included."""
        effect = self.fee(fill)
        quantity = signed_quantity(fill)
        add_to(effect, self.position(fill), quantity)
        if self.orders:
            order = order_name(fill)
            if order in self.orders:
                effect[order] = quantity
        instrument = self.instruments.get(fill.symbol)
        if instrument is None:
            return effect
        if is_derivative(instrument):
            value = trade_value(instrument, quantity, fill.price)
            add_to(effect, self.cash(instrument.settlement, fill.account), value)
            return effect
        base, quote = instrument.base, instrument.quote
        add_to(effect, self.cash(base, fill.account), self.roundings[base](quantity))
        paid = self.roundings[quote](_multiply(quantity, fill.price))
        add_to(effect, self.cash(quote, fill.account), paid.copy_negate())
        return effect

    def fee(self, fill: Fill) -> dict[str, Decimal]:
        """What the fee of a fill books."""
        if not fill.fee:
            return {}
        currency = fill.fee_currency or ""
        effect = {
            self.cash(currency, fill.account): self.roundings[currency](fill.fee).copy_negate()
        }
        instrument = self.instruments.get(fill.symbol)
        spot = instrument is not None and not is_derivative(instrument)
        if spot and instrument is not None and currency == instrument.base:
            effect[self.position(fill)] = fill.fee.copy_negate()
        return effect

    def movement(self, movement: Movement) -> dict[str, Decimal]:
        """What a movement books."""
        effect: dict[str, Decimal] = {}
        if movement.symbol is not None and movement.quantity is not None:
            name = self.space.position(movement.symbol, Leg.NET, movement.account)
            add_to(effect, name, movement.quantity)
        booking = movement_booking(movement, self.roundings)
        if booking is not None:
            add_to(effect, self.cash(booking.currency, movement.account), booking.amount)
        return effect

    def opening(self, opening: Opening) -> dict[str, Decimal]:
        """What an opening holds."""
        return self.space.state(opening.positions, opening.cash)

    def fills(self, fills: Iterable[Fill]) -> dict[str, Decimal]:
        """What several fills book together."""
        total: dict[str, Decimal] = {}
        fills = list(fills)
        if len(fills) > _FEW and not self.orders:
            for name, amount in (*self._trades(fills), *self.fees(fills).items()):
                add_to(total, name, amount)
            return total
        for fill in fills:
            for name, amount in self.fill(fill).items():
                add_to(total, name, amount)
        return total

    def trades(self, fills: Sequence[Fill]) -> dict[str, Decimal]:
        """What several fills book together besides their fees."""
        total: dict[str, Decimal] = {}
        for name, amount in self._trades(fills):
            add_to(total, name, amount)
        return total

    def fees(self, fills: Sequence[Fill]) -> dict[str, Decimal]:
        """What the fees of several fills book together."""
        total: dict[str, Decimal] = {}
        for charged in _grouped([fill for fill in fills if fill.fee], _CHARGED):
            first = charged[0]
            currency, amounts = first.fee_currency or "", list(map(_FEE, charged))
            rounded = exact_sum(map(self.roundings[currency], amounts))
            add_to(total, self.cash(currency, first.account), rounded.copy_negate())
            instrument = self.instruments.get(first.symbol)
            spot = instrument is not None and not is_derivative(instrument)
            if spot and instrument is not None and currency == instrument.base:
                add_to(total, self.position(first), exact_sum(amounts).copy_negate())
        return total

    def _trades(self, fills: Sequence[Fill]) -> Iterator[tuple[str, Decimal]]:
        for traded in _grouped(fills, _TRADED):
            first = traded[0]
            quantities = list(map(signed_quantity, traded))
            yield self.position(first), exact_sum(quantities)
            instrument = self.instruments.get(first.symbol)
            if instrument is None:
                continue
            if is_derivative(instrument):
                values = (
                    trade_value(instrument, quantity, fill.price)
                    for quantity, fill in zip(quantities, traded, strict=True)
                )
                yield self.cash(instrument.settlement, first.account), exact_sum(values)
                continue
            base, quote = instrument.base, instrument.quote
            received = exact_sum(map(self.roundings[base], quantities))
            yield self.cash(base, first.account), received
            worth = map(_multiply, quantities, map(_PRICE, traded))
            paid = exact_sum(map(self.roundings[quote], worth))
            yield self.cash(quote, first.account), paid.copy_negate()

    def traded(
        self, fill: Fill, instrument: Instrument, quantity: Decimal
    ) -> Iterator[tuple[str, Decimal]]:
        """What a BUY of another quantity books besides its fee; of a SELL it is the negative."""
        yield self.position(fill), quantity
        if is_derivative(instrument):
            name = self.cash(instrument.settlement, fill.account)
            yield name, trade_value(instrument, quantity, fill.price)
            return
        base, quote = instrument.base, instrument.quote
        yield self.cash(base, fill.account), self.roundings[base](quantity)
        paid = self.roundings[quote](_multiply(quantity, fill.price))
        yield self.cash(quote, fill.account), paid.copy_negate()

    def position(self, fill: Fill) -> str:
        """The dimension of the position that a fill moves."""
        key = (fill.symbol, fill.leg, fill.account)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = self.space.position(*key)
        return name

    def cash(self, currency: str, account: str | None) -> str:
        """The dimension of a balance."""
        key = (currency, account)
        name = self._cash_names.get(key)
        if name is None:
            name = self._cash_names[key] = self.space.cash(*key)
        return name

    def derivative(self, symbol: str) -> bool:
        """Whether a symbol is a derivative."""
        instrument = self.instruments.get(symbol)
        return instrument is not None and is_derivative(instrument)

    def resolution(self, currency: str) -> Decimal:
        """The smallest amount that a currency is booked in, 0 where it is booked exactly."""
        places = self.roundings.places(currency)
        return ZERO if places is None else Decimal((0, (1,), -places))


def _grouped(fills: Sequence[Fill], key_of: Callable[[Fill], object]) -> Iterable[list[Fill]]:
    """The fills by a key that nearly always all of them share."""
    if len(set(map(key_of, fills))) == 1:
        return [list(fills)]
    groups: dict[object, list[Fill]] = {}
    for fill in fills:
        groups.setdefault(key_of(fill), []).append(fill)
    return groups.values()


def order_name(row: Fill | Order) -> str:
    """The dimension of what an order has filled."""
    return f"{ORDER}{row.client_order_id or row.exchange_order_id or ''}"


def bookings_of(recorded: RecordedSession, space: Space) -> Bookings:
    """The bookings of a session, by its instruments and currencies."""
    return Bookings(space, recorded.instruments, Roundings(recorded.currencies))


def trade_value(instrument: Instrument, quantity: Decimal, price: Decimal) -> Decimal:
    """What a trade of a derivative is worth in its settlement currency, paid or received.

    Exact for a linear one; that of an inverse one is rounded at the 40th decimal place.
    """
    if instrument.instrument_kind is not InstrumentKind.INVERSE:
        return _multiply(_multiply(quantity, price), instrument.multiplier).copy_negate()
    if not price:
        return ZERO
    return to_decimal(Fraction(quantity) * Fraction(instrument.multiplier) / Fraction(price))


def to_decimal(value: Fraction, places: int = _PLACES) -> Decimal:
    """A fraction as a decimal, rounded down at `places`."""
    scaled = value.numerator * 10**places // value.denominator
    return Decimal(scaled).scaleb(-places, EXACT)
