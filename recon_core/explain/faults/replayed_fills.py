"""Fills of derivatives that an order lacks: their price by replays.

What such a fill books depends on what is open, before it and after it. The order gives its
time, side and quantity; with these the cash in the end is a straight line in its price, of
inverse contracts in one by its price: two replays tell the line, a third proves the price.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.budget import OF_A_REPLAY, Budget
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.fees import FeeModel
from recon_core.explain.effects.space import is_position
from recon_core.explain.faults.edits import MISSING_ID, SOLVED, UNPROVEN, Edit
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.faults.market import Market, market_of, on_tick, paid_in
from recon_core.explain.faults.solved_fills import order_lacking
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Fill, InstrumentKind, Order, OrderSide

_APART: Final = Decimal("1.25")
_UNITS_OF_A_TICK: Final = 50
_REPLAYS: Final = 3


def replayed_fills(ground: Ground, edits: FillEdits, budget: Budget) -> Iterator[Edit]:
    """The fill of a derivative that the only disagreeing order lacks, if it is all that is needed.

    Raises `BudgetError` where the budget ends first.
    """
    positions = [name for name in ground.need if is_position(name)]
    market = market_of(ground, positions[0], edits) if len(positions) == 1 else None
    if (
        market is None
        or ground.rows_right
        or not ground.bookings.derivative(market.fills[0].symbol)
    ):
        return
    need, pattern = ground.need[positions[0]], market.fills[-1]
    side = OrderSide.BUY if need > 0 else OrderSide.SELL
    order = order_lacking(ground, pattern.symbol, side)
    if order is None or need.copy_abs() > order.filled_quantity:
        return
    model = market.models[side]
    for rate in (ZERO,) if model is None else model.rates:
        budget.spend(len(ground.fills) * OF_A_REPLAY * _REPLAYS)
        line = _Line(ground, market, _bare(pattern, order, need.copy_abs()), model, rate)
        yield from line.solved()


def _bare(pattern: Fill, order: Order, quantity: Decimal) -> Fill:
    return replace(
        pattern,
        fill_id=MISSING_ID,
        side=order.side,
        quantity=quantity,
        time=order.time,
        client_order_id=order.client_order_id,
        exchange_order_id=order.exchange_order_id,
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """What is still needed in cash besides a fill, by its price."""

    ground: Ground
    market: Market
    bare: Fill
    model: FeeModel | None
    rate: Decimal

    def solved(self) -> Iterator[Edit]:
        """The fill at the price that leaves nothing."""
        first = self.bare.price
        second = on_tick(Fraction(first) * Fraction(_APART), self.market.tick_places)
        left, other = self._left(first), self._left(second)
        if left is None or other is None or left == other:
            return
        slope = (Fraction(other) - Fraction(left)) / (self._measure(second) - self._measure(first))
        root = self._measure(first) - Fraction(left) / slope
        if root <= 0:
            return
        price = on_tick(1 / root if self._is_inverse else root, self.market.tick_places)
        change = Change(added=(self._at(price),))
        after = self.ground.replayed_after(change) if price > 0 else None
        if after is not None and not after.need and self.market.near(price):
            rank = SOLVED if self._tells(slope, price) else UNPROVEN
            yield Edit(CauseKind.MISSING_FILL, change, change.added, rank)

    @property
    def _is_inverse(self) -> bool:
        return self.market.instrument.instrument_kind is InstrumentKind.INVERSE

    def _measure(self, price: Decimal) -> Fraction:
        """What the cash is a straight line in."""
        return 1 / Fraction(price) if self._is_inverse else Fraction(price)

    def _tells(self, slope: Fraction, price: Decimal) -> bool:
        """Whether a tick is worth so much that not any cash is that of some price."""
        tick = Decimal((0, (1,), -self.market.tick_places))
        step = self._measure(EXACT.add(price, tick)) - self._measure(price)
        unit = self.ground.bookings.resolution(paid_in(self.market.instrument))
        return abs(slope * step) > _UNITS_OF_A_TICK * Fraction(unit)

    def _left(self, price: Decimal) -> Decimal | None:
        """What is still needed with the fill at a price, `None` where it cannot be booked."""
        fill = self._at(price)
        after = self.ground.replayed_after(Change(added=(fill,)))
        cash = self.ground.bookings.cash(paid_in(self.market.instrument), fill.account)
        return None if after is None else after.exact.get(cash, ZERO)

    def _at(self, price: Decimal) -> Fill:
        fill = replace(self.bare, price=price, fee=ZERO, fee_currency=None)
        if self.model is None:
            return fill
        fee = self.model.fee(self.ground.bookings, fill, self.rate)
        return replace(fill, fee=fee, fee_currency=self.model.currency)
