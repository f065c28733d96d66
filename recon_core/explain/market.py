"""The market of one position: what its fills say of prices, quantities and fees.

A quantity that is wrong by what the position needs moves a balance by its price times that,
and perhaps by its fee: few prices fit, which is seen before any fill is changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from recon_core.amounts import EXACT, ZERO, shortest_places
from recon_core.explain.fees import FeeModel
from recon_core.explain.fill_edits import FillEdits
from recon_core.explain.ground import Ground
from recon_core.model import Fill, Instrument, InstrumentKind, OrderSide

_NEAR: Final = Decimal("1.5")
_ROUNDINGS: Final = Decimal(4)
_add, _subtract, _multiply = EXACT.add, EXACT.subtract, EXACT.multiply


@dataclass(frozen=True)  # without slots: what is worked out is kept
class Market:
    """What the fills of one position say of its market: decimals, prices, fees."""

    fills: Sequence[Fill]
    instrument: Instrument
    model: FeeModel | None

    @cached_property
    def tick_places(self) -> int:
        """The decimals that most prices have at most: an average may have more."""
        places = sorted([shortest_places(fill.price) for fill in self.fills])
        return places[len(places) // 2]

    @cached_property
    def lot_places(self) -> int:
        """The decimals of the quantities."""
        most = 0
        for fill in self.fills:
            text = str(fill.quantity)
            if len(text) - text.find(".") - 1 > most or "E" in text:
                most = max(most, shortest_places(fill.quantity))
        return most

    @cached_property
    def _range(self) -> tuple[Decimal, Decimal]:
        prices = [fill.price for fill in self.fills]
        return min(prices), max(prices)

    def near(self, price: Decimal) -> bool:
        """Whether a price is one that this market has had, or nearly."""
        low, high = self._range
        return low <= _multiply(price, _NEAR) and price <= _multiply(high, _NEAR)


def market_of(ground: Ground, name: str, edits: FillEdits) -> Market | None:
    """The market of a position's dimension, `None` where no fill shows it."""
    fills = ground.by_symbol.get(name)
    instrument = None if not fills else ground.bookings.instruments.get(fills[0].symbol)
    if not fills or instrument is None:
        return None
    return Market(fills, instrument, edits.model(fills[0]))


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
        if instrument.instrument_kind is InstrumentKind.INVERSE or not is_seen:
            yield from self.market.fills
            return
        left = ground.need.get(cash, ZERO)
        worth = _multiply(ground.need[self.name], instrument.multiplier)
        units = map(ground.bookings.resolution, ground.recorded.currencies)
        rounding = _multiply(max(units, default=ZERO), _ROUNDINGS)
        most = _add(ground.allowed(cash), rounding)
        least = most.copy_negate()
        for fill in self.market.fills:
            off = _add(left, _multiply(worth, fill.price))
            if least <= off <= most:
                yield fill
            elif fill.fee and fill.fee_currency == currency:
                changed = _subtract(off, fill.fee)
                if any(least <= _add(changed, fee) <= most for fee in self._fees(fill)):
                    yield fill

    def _fees(self, fill: Fill) -> list[Decimal]:
        """The fees of a fill with the quantity that the position needs, at every rate."""
        model, need = self.market.model, self.ground.need[self.name]
        if model is None:
            return []
        worth = (_add if fill.side is OrderSide.BUY else _subtract)(fill.quantity, need)
        if not model.in_base:
            worth = _multiply(_multiply(worth, fill.price), self.market.instrument.multiplier)
        return [_multiply(worth, rate) for rate in model.rates]


def paid_in(instrument: Instrument) -> str:
    """The currency that a trade is paid, or settled, in."""
    spot = instrument.instrument_kind is InstrumentKind.SPOT
    return instrument.quote if spot else instrument.settlement
