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
        return max([shortest_places(fill.quantity) for fill in self.fills])

    @cached_property
    def _range(self) -> tuple[Decimal, Decimal]:
        prices = [fill.price for fill in self.fills]
        return min(prices), max(prices)

    def near(self, price: Decimal) -> bool:
        """Whether a price is one that this market has had, or nearly."""
        low, high = self._range
        return low <= EXACT.multiply(price, _NEAR) and price <= EXACT.multiply(high, _NEAR)


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
        need, left = ground.need[self.name], ground.need.get(cash, ZERO)
        worth = EXACT.multiply(need, instrument.multiplier)
        units = map(ground.bookings.resolution, ground.recorded.currencies)
        rounding = EXACT.multiply(max(units, default=ZERO), _ROUNDINGS)
        slack = EXACT.add(ground.allowed(cash), rounding)
        for fill in self.market.fills:
            off = EXACT.add(left, EXACT.multiply(worth, fill.price))
            charged = fill.fee and fill.fee_currency == currency
            if off.copy_abs() <= slack or (charged and self._charged(fill, need, off, slack)):
                yield fill

    def _charged(self, fill: Fill, need: Decimal, off: Decimal, slack: Decimal) -> bool:
        """Whether the fee at one of the rates accounts for what is off."""
        model = self.market.model
        if model is None:
            return False
        step = need if fill.side is OrderSide.BUY else need.copy_negate()
        worth = EXACT.add(fill.quantity, step)
        if not model.in_base:
            contract = EXACT.multiply(fill.price, self.market.instrument.multiplier)
            worth = EXACT.multiply(worth, contract)
        changed = EXACT.subtract(off, fill.fee)
        return any(
            EXACT.add(changed, EXACT.multiply(worth, rate)).copy_abs() <= slack
            for rate in model.rates
        )


def paid_in(instrument: Instrument) -> str:
    """The currency that a trade is paid, or settled, in."""
    spot = instrument.instrument_kind is InstrumentKind.SPOT
    return instrument.quote if spot else instrument.settlement
