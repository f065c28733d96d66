"""Postings: the effect of one row on positions and cash, the measure of every hypothesis.

A spot fill has the effect that the ledger posts, to the last digit. With a fee of 0.1 USDT, a
BUY of 0.5 BTC at 100 is +0.5 BTC and -50.1 USDT. A fill of a derivative moves cash only when it
closes, by an amount that depends on the fills before it; its value, `-quantity x price`, does
not. Derivatives are therefore measured in cash less the entry value of open positions, to which
every fill adds its own value. A tolerance covers the rounding of PnL; the proof is a replay.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import repeat
from operator import attrgetter
from typing import Final

from recon_core.explain.budget import OF_A_POSTING, OF_A_SUM, Budget
from recon_core.explain.problem.dimensions import ORDER, Dimensions, add_to
from recon_core.explain.problem.precision import CashStep, FeePrecision, unit_of
from recon_core.ledger.bookings import (
    Roundings,
    charged_in_kind,
    is_derivative,
    movement_booking,
    notional,
    signed_quantity,
)
from recon_core.model import (
    Fill,
    Instrument,
    InstrumentKind,
    Leg,
    Movement,
    Opening,
    Order,
    OrderSide,
    OrderState,
    RecordedSession,
    SideRecord,
)
from recon_core.model.fill_table import FillKey
from recon_core.values.amounts import EXACT, ZERO, exact_sum

_PLACES: Final = 40
"""Decimals of the value of an inverse trade.

Ten more than amounts have, so that the rounding of many fills together is below 10^-30.
"""

_FEW: Final = 8
"""Fills that are posted one by one: to group so few costs more than it saves."""

_multiply = EXACT.multiply

_FEE: Final = attrgetter("fee")

_PRICE: Final = attrgetter("price")

_TRADED: Final = attrgetter("symbol", "leg", "account")

_CHARGED: Final = attrgetter("symbol", "leg", "account", "fee_currency")


@dataclass(frozen=True, slots=True)
class Postings:
    """The effects of one session's rows; `orders` are the order dimensions that are evidence.

    Amounts are rounded as a replay rounds them, to a declared precision only; `fee_precision`
    is what the source of the rows rounds its fees to, `cash_step` the steps of its cash.

    Every search posts rows, so `meter` is charged here for what a search really does.
    """

    dimensions: Dimensions
    instruments: Mapping[str, Instrument]
    roundings: Roundings
    fee_precision: FeePrecision
    cash_step: CashStep
    orders: frozenset[str] = frozenset()
    meter: Budget = field(default_factory=Budget.unlimited, compare=False)
    _names: dict[FillKey, str] = field(default_factory=dict)
    _cash_names: dict[tuple[str, str | None], str] = field(default_factory=dict)

    def fill(self, fill: Fill) -> dict[str, Decimal]:
        """Return the effect of a fill, its fee included."""
        self.meter.charge(OF_A_POSTING)
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
        for name, amount in self._exchanged(fill, instrument, quantity):
            add_to(effect, name, amount)
        return effect

    def _exchanged(
        self, fill: Fill, instrument: Instrument, quantity: Decimal
    ) -> Iterator[tuple[str, Decimal]]:
        """Yield the cash that a BUY of `quantity` at the fill's price moves, by its balance."""
        base, quote = instrument.base, instrument.quote
        if instrument.instrument_kind.delivers:
            yield self.cash(base, fill.account), self.roundings[base](quantity)
        worth = notional(instrument, self.roundings.places(quote), quantity, fill.price)
        yield self.cash(quote, fill.account), self.roundings[quote](worth).copy_negate()

    def fee(self, fill: Fill) -> dict[str, Decimal]:
        """Return the effect of the fee of a fill."""
        if not fill.fee:
            return {}
        currency = fill.charged_in
        effect = {
            self.cash(currency, fill.account): self.roundings[currency](fill.fee).copy_negate()
        }
        if charged_in_kind(self.instruments.get(fill.symbol), currency):
            effect[self.position(fill)] = fill.fee.copy_negate()
        return effect

    def movement(self, movement: Movement) -> dict[str, Decimal]:
        """Return the effect of a movement."""
        self.meter.charge(OF_A_POSTING)
        effect: dict[str, Decimal] = {}
        if movement.symbol is not None and movement.quantity is not None:
            name = self.dimensions.position(movement.symbol, Leg.NET, movement.account)
            add_to(effect, name, movement.quantity)
        booking = movement_booking(movement, self.roundings)
        if booking is not None:
            add_to(effect, self.cash(booking.currency, movement.account), booking.amount)
        return effect

    def opening(self, opening: Opening) -> dict[str, Decimal]:
        """Return the positions and balances of an opening."""
        return self.dimensions.state(opening.positions, opening.cash)

    def fills(self, fills: Iterable[Fill]) -> dict[str, Decimal]:
        """Return the effect of several fills together."""
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
        """Return the effect of several fills together, without their fees."""
        total: dict[str, Decimal] = {}
        for name, amount in self._trades(fills):
            add_to(total, name, amount)
        return total

    def fees(self, fills: Sequence[Fill]) -> dict[str, Decimal]:
        """Return the effect of the fees of several fills together."""
        total: dict[str, Decimal] = {}
        self.meter.charge(len(fills) * OF_A_SUM)
        for charged in _grouped([fill for fill in fills if fill.fee], _CHARGED):
            first = charged[0]
            currency, amounts = first.charged_in, list(map(_FEE, charged))
            rounded = exact_sum(self.roundings.each(currency, amounts))
            add_to(total, self.cash(currency, first.account), rounded.copy_negate())
            if charged_in_kind(self.instruments.get(first.symbol), currency):
                add_to(total, self.position(first), exact_sum(amounts).copy_negate())
        return total

    def _trades(self, fills: Sequence[Fill]) -> Iterator[tuple[str, Decimal]]:
        self.meter.charge(len(fills) * OF_A_SUM)
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
            if instrument.instrument_kind.delivers:
                received = exact_sum(self.roundings.each(base, quantities))
                yield self.cash(base, first.account), received
            worth = map(
                notional,
                repeat(instrument),
                repeat(self.roundings.places(quote)),
                quantities,
                map(_PRICE, traded),
            )
            paid = exact_sum(self.roundings.each(quote, worth))
            yield self.cash(quote, first.account), paid.copy_negate()

    def traded(
        self, fill: Fill, instrument: Instrument, quantity: Decimal
    ) -> Iterator[tuple[str, Decimal]]:
        """Yield the effect of a BUY of `quantity`, without its fee; a SELL has the negative."""
        yield self.position(fill), quantity
        if is_derivative(instrument):
            name = self.cash(instrument.settlement, fill.account)
            yield name, trade_value(instrument, quantity, fill.price)
            return
        yield from self._exchanged(fill, instrument, quantity)

    def position(self, fill: Fill) -> str:
        """Return the dimension of the position that a fill moves."""
        return self.position_of((fill.account, fill.symbol, fill.leg))

    def position_of(self, key: FillKey) -> str:
        """Return the dimension of a position by its account, symbol and leg."""
        name = self._names.get(key)
        if name is None:
            account, symbol, leg = key
            name = self._names[key] = self.dimensions.position(symbol, Leg(leg), account)
        return name

    def cash(self, currency: str, account: str | None) -> str:
        """Return the dimension of a balance."""
        key = (currency, account)
        name = self._cash_names.get(key)
        if name is None:
            name = self._cash_names[key] = self.dimensions.cash(*key)
        return name

    def derivative(self, symbol: str) -> bool:
        """True if a symbol is a derivative."""
        instrument = self.instruments.get(symbol)
        return instrument is not None and is_derivative(instrument)

    def resolution(self, currency: str) -> Decimal:
        """Return the smallest amount of a currency, 0 if it has no declared precision."""
        return unit_of(self.roundings.places(currency))

    def fee_unit(self, currency: str, value: Decimal = ZERO) -> Decimal:
        """Return the smallest fee in a currency; of unknown precision, the noise of floats.

        `value`: the value that the fee is charged on, in its currency; 0 gives no noise.
        """
        return unit_of(self.fee_precision.places(currency), value)


def _grouped(fills: Sequence[Fill], key_of: Callable[[Fill], object]) -> Iterable[list[Fill]]:
    """Return the fills in groups of equal keys; almost always all have one key."""
    if len(set(map(key_of, fills))) == 1:
        return [list(fills)]
    groups: dict[object, list[Fill]] = {}
    for fill in fills:
        groups.setdefault(key_of(fill), []).append(fill)
    return groups.values()


def order_name(row: Fill | Order) -> str:
    """Return the dimension of the quantity that an order has filled."""
    return f"{ORDER}{row.order_id}"


def reported(order: Order) -> Decimal:
    """Return an order's filled quantity, SELL negative; a FILLED order has filled its quantity."""
    filled = order.filled_quantity
    if order.state is OrderState.FILLED and filled < order.quantity:
        filled = order.quantity
    return filled if order.side is OrderSide.BUY else filled.copy_negate()


def may_lack(order: Order, required: Decimal) -> bool:
    """True if a missing fill of an order may be what its report has more, BUY positive.

    An order that lacks more than it has filled lacks no fill: it has one of the wrong side.
    """
    filled = reported(order)
    return (required > 0) == (filled > 0) and required.copy_abs() <= filled.copy_abs()


def postings_of(recorded: RecordedSession, dimensions: Dimensions, record: SideRecord) -> Postings:
    """Return the postings of a session's rows, those of `record`."""
    return Postings(
        dimensions,
        recorded.instruments,
        Roundings(recorded.currencies),
        FeePrecision(recorded.currencies, record),
        CashStep(recorded.currencies, recorded.instruments, record),
    )


def trade_value(instrument: Instrument, quantity: Decimal, price: Decimal) -> Decimal:
    """Return the signed value of a derivative trade in its settlement currency.

    `-quantity x price x multiplier`, exactly, for a linear contract;
    `quantity x multiplier / price`, rounded down at 40 decimals, for an inverse one.
    """
    if instrument.instrument_kind is not InstrumentKind.INVERSE:
        return _multiply(_multiply(quantity, price), instrument.multiplier).copy_negate()
    if not price:
        return ZERO
    return quotient(_multiply(quantity, instrument.multiplier), price, _PLACES)


def quotient(amount: Decimal, divisor: Decimal, places: int) -> Decimal:
    """Return an amount divided by another one, rounded down at `places` decimals."""
    scaled = amount.scaleb(places, EXACT)
    whole = int(EXACT.divide_int(scaled, divisor))
    if (scaled < 0) != (divisor < 0) and EXACT.remainder(scaled, divisor):
        whole -= 1
    return Decimal(whole).scaleb(-places, EXACT)


def to_decimal(value: Fraction, places: int = _PLACES) -> Decimal:
    """Return a fraction as a decimal, rounded down at `places` decimals."""
    scaled = value.numerator * 10**places // value.denominator
    return Decimal(scaled).scaleb(-places, EXACT)
