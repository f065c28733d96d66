"""Fills of derivatives that an order lacks: their price, fitted by replays.

The posting of such a fill depends on what is open before and after it. The order gives its time,
side and quantity; the cash in the end is then linear in its price (of inverse contracts in
1 / price). Residuals of 50 at a price of 100 and of 25 at 125 give a price of 150: two replays
fit the line, a third proves the price.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.budget import OF_A_REPLAY, Budget
from recon_core.explain.effects.dimensions import is_position
from recon_core.explain.effects.fees import FeeModel
from recon_core.explain.effects.patches import Patch
from recon_core.explain.faults.hypotheses import MISSING_ID, Hypothesis, Strength
from recon_core.explain.faults.market import Market, market_of, on_tick, paid_in
from recon_core.explain.faults.solved_fills import order_lacking
from recon_core.explain.problems.problem import Problem
from recon_core.model import Fill, InstrumentKind, Order, OrderSide
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO

_APART: Final = Decimal("1.25")
"""Factor between the two prices of the line: nearer, rounded PnL would tilt the line."""

_UNITS_OF_A_TICK: Final = 50
"""Currency units in a tick: random cash then fits a price less than once in 50."""

_REPLAYS: Final = 3
"""Replays for each rate: two fit the line, the third proves the price."""


def replayed_fills(problem: Problem, budget: Budget) -> Iterator[Hypothesis]:
    """Yield the derivative's fill that the only disagreeing order lacks, if nothing else differs.

    Raises `BudgetError` if the budget ends first.
    """
    positions = [name for name in problem.required if is_position(name)]
    market = market_of(problem, positions[0]) if len(positions) == 1 else None
    if (
        market is None
        or problem.rows_right
        or not problem.postings.derivative(market.fills[0].symbol)
    ):
        return
    required, pattern = problem.required[positions[0]], market.fills[-1]
    side = OrderSide.BUY if required > 0 else OrderSide.SELL
    order = order_lacking(problem, pattern.symbol, side)
    if order is None or required.copy_abs() > order.filled_quantity:
        return
    model = market.models[side]
    for rate in (ZERO,) if model is None else model.rates:
        budget.spend(len(problem.fills) * OF_A_REPLAY * _REPLAYS)
        line = _Line(problem, market, _bare(pattern, order, required.copy_abs()), model, rate)
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
    """The residual cash of a problem with one more fill, as a line in the fill's price."""

    problem: Problem
    market: Market
    bare: Fill
    model: FeeModel | None
    rate: Decimal

    def solved(self) -> Iterator[Hypothesis]:
        """Yield the fill at the price that leaves no residual."""
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
        patch = Patch(added=(self._at(price),))
        after = self.problem.replayed_after(patch) if price > 0 else None
        if after is not None and not after.required and self.market.near(price):
            strength = Strength.FITTED if self._tells(slope, price) else Strength.CHANCE
            yield Hypothesis(CauseKind.MISSING_FILL, patch, patch.added, strength)

    @property
    def _is_inverse(self) -> bool:
        return self.market.instrument.instrument_kind is InstrumentKind.INVERSE

    def _measure(self, price: Decimal) -> Fraction:
        """Return the variable in which the cash is linear: the price, or its inverse."""
        return 1 / Fraction(price) if self._is_inverse else Fraction(price)

    def _tells(self, slope: Fraction, price: Decimal) -> bool:
        """True if a tick is worth so much that random cash seldom fits a price."""
        tick = Decimal((0, (1,), -self.market.tick_places))
        step = self._measure(EXACT.add(price, tick)) - self._measure(price)
        unit = self.problem.postings.resolution(paid_in(self.market.instrument))
        return abs(slope * step) > _UNITS_OF_A_TICK * Fraction(unit)

    def _left(self, price: Decimal) -> Decimal | None:
        """Return the residual cash with the fill at a price, `None` if it cannot be booked."""
        fill = self._at(price)
        after = self.problem.replayed_after(Patch(added=(fill,)))
        cash = self.problem.postings.cash(paid_in(self.market.instrument), fill.account)
        return None if after is None else after.exact.get(cash, ZERO)

    def _at(self, price: Decimal) -> Fill:
        fill = replace(self.bare, price=price, fee=ZERO, fee_currency=None)
        if self.model is None:
            return fill
        fee = self.model.fee(self.problem.postings, fill, self.rate)
        return replace(fill, fee=fee, fee_currency=self.model.currency)
