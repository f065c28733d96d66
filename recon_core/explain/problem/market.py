"""The market of one position: decimals of prices and quantities, and fee rates, from its fills.

A wrong quantity moves a balance by price times the required quantity, and perhaps by its fee. A
position that requires +2 and a balance that requires -200.2 leave the fills at prices near 100
(100 and a fee of 0.1 %); `Paid` excludes all others before any fill is changed.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from functools import cached_property
from itertools import compress, repeat
from operator import attrgetter
from typing import Final

from recon_core.explain.problem.dimensions import Vector
from recon_core.explain.problem.fee_schedule import FeeModel
from recon_core.explain.problem.figures import common_lot, last_digit
from recon_core.explain.problem.problem import Problem
from recon_core.model import Fill, Instrument, InstrumentKind, OrderSide
from recon_core.values.amounts import EXACT, ZERO, shortest_places

_NEAR: Final = Decimal("1.5")
"""Factor between a fitted price and prices of the market: beyond it the price is implausible."""

_ROUNDINGS: Final = Decimal(4)
"""Currency units of rounding: value and fee are rounded, with the old and the new quantity."""

_ONE: Final = Decimal(1)

NEAR_VALUE: Final = Decimal(20)
"""Reciprocal of the distance, as a fraction, at which cash is near the value of a quantity.

A twentieth is more than a fee; a larger fraction leaves more fills to try.
"""

_LOWER: Final = Context(prec=50, rounding=ROUND_FLOOR)
"""Rounds the lower end of a range of prices down, so that no price in it is lost."""

_UPPER: Final = Context(prec=50, rounding=ROUND_CEILING)
"""Rounds the upper end of a range of prices up, so that no price in it is lost."""

_MORE_PLACES: Final = 3
"""Decimals beyond those of most prices: each is one more search, for prices of floats only."""

_CHUNK: Final = 1_000
"""Prices that are counted before the next check for a majority, which ends the counting."""

_MOST_SAMPLED: Final = 10_000
"""Prices that are sampled for their decimals: more cost time and hardly change the majority."""

_BUY: Final = OrderSide.BUY

_FEE: Final = attrgetter("fee")

_PRICE: Final = attrgetter("price")

_QUANTITY: Final = attrgetter("quantity")

_add, _subtract, _multiply = EXACT.add, EXACT.subtract, EXACT.multiply


@dataclass(frozen=True)  # without slots, for the cached properties
class Market:
    """The market that one position's fills show: decimals, prices, fees by side."""

    fills: Sequence[Fill]
    instrument: Instrument
    models: Mapping[OrderSide, FeeModel | None]
    given_places: int | None = None

    @property
    def has_one_fee_model(self) -> bool:
        """True if BUY and SELL have the same fee model."""
        return len(set(self.models.values())) == 1

    def rates(self, side: OrderSide, *, in_base: bool | None = None) -> Sequence[Decimal]:
        """Return the rates of a side, only those on the quantity, or on the value, by `in_base`."""
        model = self.models[side]
        return () if model is None or in_base not in {None, model.in_base} else model.rates

    @cached_property
    def tick_places(self) -> int:
        """The decimals of most prices, else their median; an average price may have more.

        `given_places` where it is given.
        """
        if self.given_places is not None:
            return self.given_places
        found: Counter[int] = Counter()
        prices = list(map(_PRICE, self.fills[:: max(1, len(self.fills) // _MOST_SAMPLED)]))
        for start in range(0, len(prices), _CHUNK):
            found.update(map(shortest_places, prices[start : start + _CHUNK]))
            places, count = found.most_common(1)[0]
            if count * 2 > len(prices):
                return places
        return sorted(found.elements())[len(prices) // 2]

    @cached_property
    def shares(self) -> Collection[tuple[Decimal, Decimal]]:
        """The fixed part of a fee, and the share of its worth that a fill costs, of all rates."""
        models = [one for one in self.models.values() if one is not None and not one.in_base]
        charges = {(model.fixed, rate) for model in models for rate in model.rates}
        found = {
            (fixed, paid)
            for fixed, rate in charges
            for paid in (_add(_ONE, rate), _subtract(_ONE, rate))
        }
        return {(ZERO, _ONE), *found}

    @cached_property
    def lot_places(self) -> int:
        """The decimals of the quantities."""
        lot = common_lot(map(_QUANTITY, self.fills))
        return max(0, -last_digit(lot)) if lot else 0

    @cached_property
    def usual_lot_places(self) -> int:
        """The decimals that most quantities have at most: nine of ten."""
        places = sorted(shortest_places(fill.quantity) for fill in self.fills)
        return places[len(places) * 9 // 10]

    def with_more_places(self) -> Iterator["Market"]:
        """Yield the same market with 1 to 3 price decimals more."""
        places = range(self.tick_places + 1, self.tick_places + _MORE_PLACES + 1)
        return (replace(self, given_places=each) for each in places)

    def has_lots_of(self, places: int) -> bool:
        """True if some quantity has at least `places` decimals."""
        return places <= self.lot_places

    def without_dust(self, quantity: Decimal, dust: Decimal) -> Decimal:
        """Return a quantity with the decimals of most, where it misses them by float dust."""
        if not dust:
            return quantity
        rounded = on_tick(Fraction(quantity), self.usual_lot_places)
        is_near = _subtract(quantity, rounded).copy_abs() <= dust
        return rounded if rounded and is_near else quantity

    def near(self, price: Decimal) -> bool:
        """True if a price is in the range of this market's prices, widened by a factor of 1.5."""
        low, high = self.price_range
        return low <= _multiply(price, _NEAR) and price <= _multiply(high, _NEAR)

    @cached_property
    def is_charged(self) -> bool:
        """True if every fill has a fee."""
        return all(map(_FEE, self.fills))

    @cached_property
    def price_range(self) -> tuple[Decimal, Decimal]:
        """The lowest and the highest price of the fills."""
        prices = list(map(_PRICE, self.fills))
        return min(prices), max(prices)


def market_of(problem: Problem, name: str) -> Market | None:
    """Return the market of a position's dimension, `None` without fills or instrument."""
    known: dict[str, Market | None] = problem.markets
    if name not in known:
        known[name] = _market(problem, name)
    return known[name]


def _market(problem: Problem, name: str) -> Market | None:
    fills = problem.by_symbol.get(name)
    instrument = None if not fills else problem.postings.instruments.get(fills[0].symbol)
    if not fills or instrument is None:
        return None
    return Market(fills, instrument, problem.schedules.of(name))


@dataclass(frozen=True, slots=True)
class Paid:
    """The cash that the `required` quantity would move with one of the fills of a market.

    `effect` is what it has to move, by dimension, and `off` how much the cash may miss.
    """

    problem: Problem
    market: Market
    required: Decimal
    effect: Vector
    off: Decimal = ZERO

    def candidates(self, near: tuple[Decimal, Decimal] | None = None) -> Iterator[Fill]:
        """Yield the fills whose quantity may be wrong, judged by their price alone.

        `near` is the range of their prices; without it, where the cash is near their value.
        """
        problem, instrument = self.problem, self.market.instrument
        currency = paid_in(instrument)
        cash = problem.postings.cash(currency, self.market.fills[0].account)
        worth = _multiply(self.required, instrument.multiplier)
        is_seen = cash in problem.dimensions.compared and cash not in problem.unknown
        is_inverse = instrument.instrument_kind is InstrumentKind.INVERSE
        if is_inverse or not is_seen or not self.market.has_one_fee_model or not worth:
            yield from self.market.fills if near is None else _within(self.market.fills, near)
            return
        left = self.effect.get(cash, ZERO)
        units = map(problem.postings.resolution, problem.recorded.currencies)
        rounding = _multiply(max(units, default=ZERO), _ROUNDINGS)
        most = _add(_add(problem.allowed(cash), self.off), rounding)
        low, high = prices_between(left, worth, most)
        prices = _near_prices(left, worth) if near is None else near
        within = _within(self.market.fills, prices)
        charged = self._most_charged(within, max(map(Decimal.copy_abs, prices)))
        within = _within(within, prices_between(left, worth, _add(most, charged)))
        same = [fill for fill in within if fill.fee_currency == currency]
        matching = self._with_fees(same, left, most)
        yield from [
            fill
            for fill in within
            if low <= fill.price <= high or (matching and id(fill) in matching)
        ]

    @property
    def _model(self) -> FeeModel | None:
        """The fee model of all fills, where BUY and SELL have the same."""
        return self.market.models[OrderSide.BUY]

    def _with_fees(self, fills: Sequence[Fill], left: Decimal, most: Decimal) -> set[int]:
        """Return the `id()` of the fills that give the required cash with their fee at a rate."""
        model, matching = self._model, set[int]()
        if model is None:
            return matching
        if model.in_base:
            return set(map(id, fills))
        least, largest = _subtract(most.copy_negate(), left), _subtract(most, left)
        for rate in model.rates:
            matches = [least <= paid <= largest for paid in self._paid_at(fills, rate)]
            matching.update(map(id, compress(fills, matches)))
        return matching

    def _paid_at(self, fills: Sequence[Fill], rate: Decimal) -> Iterator[Decimal]:
        """Yield the cost of the required quantity at each fill's price, with the fee's change."""
        required, multiplier, buy = (
            self.required,
            self.market.instrument.multiplier,
            _BUY,
        )
        share, worth = _multiply(rate, multiplier), _multiply(required, multiplier)
        fixed = ZERO if self._model is None else self._model.fixed
        charged = _multiply(share, required)
        bought, sold = _add(worth, charged), _subtract(worth, charged)
        # Per unit of price: the required quantity, and the rate on the whole quantity.
        first = [bought if fill.side is buy else sold for fill in fills]
        units = map(_add, first, map(_multiply, repeat(share), map(_QUANTITY, fills)))
        paid = map(_subtract, map(_multiply, units, map(_PRICE, fills)), map(_FEE, fills))
        return map(_add, paid, repeat(fixed)) if fixed else paid

    def _most_charged(self, fills: Sequence[Fill], price: Decimal) -> Decimal:
        """Return the largest sum of two fees at a price: as booked, and with another quantity."""
        model, required = self._model, self.required
        if model is None or not fills:
            return ZERO
        fees = list(map(_FEE, fills))
        worth = _add(max(map(_QUANTITY, fills)), required.copy_abs())
        if not model.in_base:
            worth = _multiply(_multiply(worth, price), self.market.instrument.multiplier)
        rate = max(map(Decimal.copy_abs, model.rates))
        posted = max(map(Decimal.copy_abs, (min(fees), max(fees))))
        return _add(_add(posted, model.fixed.copy_abs()), _multiply(worth, rate).copy_abs())


def _within(fills: Sequence[Fill], prices: tuple[Decimal, Decimal]) -> list[Fill]:
    """Return the fills from one price to another, both included."""
    low, high = prices
    return [fill for fill in fills if low <= fill.price <= high]


def _near_prices(left: Decimal, worth: Decimal) -> tuple[Decimal, Decimal]:
    """Return the range of prices at which `worth` is the cash `left`, to a twentieth of it."""
    paid = _multiply(left, NEAR_VALUE).copy_negate()
    ends = [_multiply(worth, _add(NEAR_VALUE, one)) for one in (_ONE, _ONE.copy_negate())]
    return min(_LOWER.divide(paid, end) for end in ends), max(
        _UPPER.divide(paid, end) for end in ends
    )


def prices_between(left: Decimal, worth: Decimal, off: Decimal) -> tuple[Decimal, Decimal]:
    """Return the range of prices at which `worth` moves the cash `left`, to the amount `off`.

    -200.2 and a quantity of 2 are the price 100.1; with 0.2 off, 100 to 100.2.
    """
    ends = [_add(left, off).copy_negate(), _subtract(off, left)]
    low = min(_LOWER.divide(end, worth) for end in ends)
    return low, max(_UPPER.divide(end, worth) for end in ends)


def paid_in(instrument: Instrument) -> str:
    """Return the currency in which a trade is paid, or settled."""
    spot = instrument.instrument_kind is InstrumentKind.SPOT
    return instrument.quote if spot else instrument.settlement


def are_charged(fills: Collection[Fill]) -> bool:
    """True if most fills have a fee: one without is then no ordinary fill."""
    return sum(bool(fill.fee) for fill in fills) * 2 > len(fills)


def ticks_of(amount: Decimal, divisor: Decimal, places: int) -> int:
    """Return a positive amount divided by another one, in units of `places` decimals.

    Rounded half to even, as `on_tick` does, without the cost of a fraction.
    """
    scaled = amount.scaleb(places, EXACT)
    count = int(EXACT.divide_int(scaled, divisor))
    left = _subtract(scaled, _multiply(Decimal(count), divisor))
    twice = _add(left, left)
    return count + (twice > divisor or (twice == divisor and count % 2))


def on_tick(price: Fraction, places: int) -> Decimal:
    """Round a price or a quantity to the nearest number of `places` decimals."""
    return Decimal(round(price * 10**places)).scaleb(-places, EXACT)
