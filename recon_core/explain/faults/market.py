"""The market of one position: what its fills say of prices, quantities and fees.

A quantity that is wrong by what the position needs moves a balance by its price times that,
and perhaps by its fee: few prices fit, which is seen before any fill is changed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from functools import cached_property
from itertools import compress, repeat
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, ZERO, shortest_places
from recon_core.explain.effects.fees import FeeModel
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.grounds.ground import Ground
from recon_core.model import Fill, Instrument, InstrumentKind, OrderSide

_NEAR: Final = Decimal("1.5")
_ROUNDINGS: Final = Decimal(4)
_ONE: Final = Decimal(1)
NEARLY: Final = Decimal(20)
"""What is paid for a quantity is nearly its worth: off by a twentieth of it at most."""

_DOWN: Final = Context(prec=50, rounding=ROUND_FLOOR)
_UP: Final = Context(prec=50, rounding=ROUND_CEILING)
_FINER: Final = 3
_SOME: Final = 1_000
_MOST_SAMPLED: Final = 10_000
_BUY: Final = OrderSide.BUY
_FEE: Final = attrgetter("fee")
_PRICE: Final = attrgetter("price")
_QUANTITY: Final = attrgetter("quantity")
_add, _subtract, _multiply = EXACT.add, EXACT.subtract, EXACT.multiply


@dataclass(frozen=True)  # without slots: what is worked out is kept
class Market:
    """What the fills of one position say of its market: decimals, prices, fees by side."""

    fills: Sequence[Fill]
    instrument: Instrument
    models: Mapping[OrderSide, FeeModel | None]
    ticks: int | None = None

    @property
    def is_charged_alike(self) -> bool:
        """Whether BUY and SELL are charged alike."""
        return len(set(self.models.values())) == 1

    def rates(self, side: OrderSide, *, in_base: bool | None = None) -> Sequence[Decimal]:
        """The rates of a side, those on the quantity or those on its worth where asked for."""
        model = self.models[side]
        return () if model is None or in_base not in {None, model.in_base} else model.rates

    @cached_property
    def tick_places(self) -> int:
        """The decimals that most prices have at most: an average may have more.

        Those in `ticks` where they are given.
        """
        if self.ticks is not None:
            return self.ticks
        found: Counter[int] = Counter()
        prices = list(map(_PRICE, self.fills[:: max(1, len(self.fills) // _MOST_SAMPLED)]))
        for start in range(0, len(prices), _SOME):
            found.update(map(shortest_places, prices[start : start + _SOME]))
            places, count = found.most_common(1)[0]
            if count * 2 > len(prices):
                return places
        return sorted(found.elements())[len(prices) // 2]

    @cached_property
    def lot_places(self) -> int:
        """The decimals of the quantities."""
        most = 0
        for fill in self.fills:
            text = str(fill.quantity)
            if len(text) - text.find(".") - 1 > most or "E" in text:
                most = max(most, shortest_places(fill.quantity))
        return most

    def finer(self) -> Iterator["Market"]:
        """The same market, with some decimals more than most prices have."""
        places = range(self.tick_places + 1, self.tick_places + _FINER + 1)
        return (replace(self, ticks=each) for each in places)

    def has_lots_of(self, places: int) -> bool:
        """Whether a quantity has so many decimals."""
        return any(shortest_places(fill.quantity) >= places for fill in self.fills)

    def near(self, price: Decimal) -> bool:
        """Whether a price is one that this market has had, or nearly."""
        most = _multiply(price, _NEAR)
        is_low = any(fill.price <= most for fill in self.fills)
        return is_low and any(price <= _multiply(fill.price, _NEAR) for fill in self.fills)


def market_of(ground: Ground, name: str, edits: FillEdits) -> Market | None:
    """The market of a position's dimension, `None` where no fill shows it."""
    fills = ground.by_symbol.get(name)
    instrument = None if not fills else ground.bookings.instruments.get(fills[0].symbol)
    if not fills or instrument is None:
        return None
    return Market(fills, instrument, edits.models(name))


@dataclass(frozen=True, slots=True)
class Paid:
    """What other quantities of the fills of one position would move in cash."""

    ground: Ground
    market: Market
    name: str

    def candidates(self) -> Iterator[Fill]:
        """The fills whose quantity may be what is wrong, by the price alone."""
        ground, instrument = self.ground, self.market.instrument
        currency = paid_in(instrument)
        cash = ground.bookings.cash(currency, self.market.fills[0].account)
        is_seen = cash in ground.space.compared and cash not in ground.unknown
        is_inverse = instrument.instrument_kind is InstrumentKind.INVERSE
        if is_inverse or not is_seen or not self.market.is_charged_alike:
            yield from self.market.fills
            return
        left = ground.need.get(cash, ZERO)
        worth = _multiply(ground.need[self.name], instrument.multiplier)
        units = map(ground.bookings.resolution, ground.recorded.currencies)
        rounding = _multiply(max(units, default=ZERO), _ROUNDINGS)
        most = _add(ground.allowed(cash), rounding)
        if not worth:
            yield from self.market.fills
            return
        low, high = _between(left, worth, most)
        prices = _nearly(left, worth)
        near = _within(self.market.fills, prices)
        charged = self._most_charged(near, max(map(Decimal.copy_abs, prices)))
        near = _within(near, _between(left, worth, _add(most, charged)))
        same = [fill for fill in near if fill.fee_currency == currency]
        fitting = self._with_fees(same, left, most)
        yield from [
            fill for fill in near if low <= fill.price <= high or (fitting and id(fill) in fitting)
        ]

    @property
    def _model(self) -> FeeModel | None:
        """How all fills are charged, where all are charged alike."""
        return self.market.models[OrderSide.BUY]

    def _with_fees(self, fills: Sequence[Fill], left: Decimal, most: Decimal) -> set[int]:
        """Which of some fills give what is needed with the fee that they would have, by `id()`."""
        model, fitting = self._model, set[int]()
        least, highest = _subtract(most.copy_negate(), left), _subtract(most, left)
        for rate in () if model is None else model.rates:
            if model is not None and model.in_base:
                return set(map(id, fills))
            hits = [least <= paid <= highest for paid in self._paid_at(fills, rate)]
            fitting.update(map(id, compress(fills, hits)))
        return fitting

    def _paid_at(self, fills: Sequence[Fill], rate: Decimal) -> Iterator[Decimal]:
        """What is paid for the needed quantity at each fill's price, with what its fee is more."""
        need, multiplier, buy = self.ground.need[self.name], self.market.instrument.multiplier, _BUY
        share, worth = _multiply(rate, multiplier), _multiply(need, multiplier)
        charged = _multiply(share, need)
        bought, sold = _add(worth, charged), _subtract(worth, charged)
        # By unit of price: the needed quantity, and a share of the whole quantity.
        first = [bought if fill.side is buy else sold for fill in fills]
        units = map(_add, first, map(_multiply, repeat(share), map(_QUANTITY, fills)))
        return map(_subtract, map(_multiply, units, map(_PRICE, fills)), map(_FEE, fills))

    def _most_charged(self, fills: Sequence[Fill], price: Decimal) -> Decimal:
        """The most that two fees may be at a price: as booked, and with another quantity."""
        model, need = self._model, self.ground.need[self.name]
        if model is None or not model.rates or not fills:
            return ZERO
        fees = list(map(_FEE, fills))
        worth = _add(max(map(_QUANTITY, fills)), need.copy_abs())
        if not model.in_base:
            worth = _multiply(_multiply(worth, price), self.market.instrument.multiplier)
        rate = max(map(Decimal.copy_abs, model.rates))
        booked = max(map(Decimal.copy_abs, (min(fees), max(fees))))
        return _add(booked, _multiply(worth, rate).copy_abs())


def _within(fills: Sequence[Fill], prices: tuple[Decimal, Decimal]) -> list[Fill]:
    """The fills from one price to another."""
    lowest, highest = prices
    return [fill for fill in fills if lowest <= fill.price <= highest]


def _nearly(left: Decimal, worth: Decimal) -> tuple[Decimal, Decimal]:
    """The prices at which a worth is what is left, give or take a twentieth of the worth."""
    paid = _multiply(left, NEARLY).copy_negate()
    ends = [_multiply(worth, _add(NEARLY, one)) for one in (_ONE, _ONE.copy_negate())]
    return min(_DOWN.divide(paid, end) for end in ends), max(_UP.divide(paid, end) for end in ends)


def _between(left: Decimal, worth: Decimal, off: Decimal) -> tuple[Decimal, Decimal]:
    """The prices at which a worth is what is left, give or take what it may be off."""
    ends = [_add(left, off).copy_negate(), _subtract(off, left)]
    low = min(_DOWN.divide(end, worth) for end in ends)
    return low, max(_UP.divide(end, worth) for end in ends)


def paid_in(instrument: Instrument) -> str:
    """The currency that a trade is paid, or settled, in."""
    spot = instrument.instrument_kind is InstrumentKind.SPOT
    return instrument.quote if spot else instrument.settlement


def on_tick(price: Fraction, places: int) -> Decimal:
    """A price, or a quantity, with so many decimals: the nearest one."""
    return Decimal(round(price * 10**places)).scaleb(-places, EXACT)
