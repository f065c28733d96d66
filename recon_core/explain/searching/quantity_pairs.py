"""One fault of a fill and one wrong quantity: a price shows which fill has the wrong quantity.

With the first fault corrected, the residual cash divided by the residual position is the price of
the second fill, up to its fee. Example: +0.5 BTC and -30 USDT remain, so the fill has a price of 60
USDT.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Final

from recon_core.explain.budget import Budget
from recon_core.explain.effects.dimensions import ORDER, Vector, is_position
from recon_core.explain.faults.chances import is_any_quantity
from recon_core.explain.faults.fill_hypotheses import FillHypotheses
from recon_core.explain.faults.hypotheses import Hypothesis, Strength
from recon_core.explain.faults.market import Market, market_of, paid_in
from recon_core.explain.faults.solved_quantities import any_quantity
from recon_core.explain.problems.problem import Problem
from recon_core.explain.searching.candidates import Found
from recon_core.model import Fill, InstrumentKind, OrderSide
from recon_core.values.amounts import EXACT, ZERO

_OF_A_FIRST: Final = 60
"""Operations for one first hypothesis: its residual, the prices and a look-up of fills."""

_MOST_FILLS: Final = 2_000
"""Fills of a problem. Each costs 120 or 180 operations, and the more fills there are, the more
residual prices are the price of some fill by coincidence."""

_FIRST: Final = ("remove", "flip", "repeat")


@dataclass
class QuantityPairs:
    """Pairs of one problem whose second hypothesis is a wrong quantity."""

    problem: Problem
    hypotheses: FillHypotheses
    budget: Budget

    def pairs(self) -> Iterator[Found]:
        """Yield pairs: a fill removed, repeated or turned, then a quantity with the residual."""
        problem = self.problem
        if len(problem.fills) > _MOST_FILLS or problem.unknown:
            return
        names = _FIRST if problem.rows_right else _FIRST[:2]
        for fill in problem.fills:
            self.budget.spend(_OF_A_FIRST * len(names))
            for name in names:
                first = self.hypotheses.hypothesis(fill, name)
                rest = problem.left(first.patch.vector(problem.postings))
                for second in self._seconds(rest):
                    both = first.patch.joined(second.patch)
                    if second.rows[0] is not fill and problem.reached_by(both):
                        yield first, second

    def _seconds(self, rest: Vector) -> Iterator[Hypothesis]:
        positions = [name for name in rest if is_position(name)]
        market = self._markets.get(positions[0]) if len(positions) == 1 else None
        if market is None or any(name.startswith(ORDER) for name in rest):
            return
        required = rest[positions[0]]
        cash = self.problem.postings.cash(paid_in(market.instrument), market.fills[0].account)
        for price in _prices(market, required, rest.get(cash, ZERO)):
            for fill in self._priced.get((positions[0], price), ()):
                by_chance = is_any_quantity(self.problem, market, required, self._tried)
                for hypothesis in any_quantity(self.problem, market, fill, required):
                    slipped = bool(hypothesis.detail)
                    yield (
                        hypothesis
                        if slipped or not by_chance
                        else replace(hypothesis, strength=Strength.CHANCE)
                    )

    @property
    def _tried(self) -> int:
        return len(self.problem.fills) * len(_FIRST)

    @cached_property
    def _markets(self) -> dict[str, Market]:
        found = {name: market_of(self.problem, name) for name in self.problem.by_symbol}
        return {
            name: market
            for name, market in found.items()
            if market is not None
            and market.instrument.instrument_kind is not InstrumentKind.INVERSE
        }

    @cached_property
    def _priced(self) -> dict[tuple[str, Decimal], list[Fill]]:
        found: dict[tuple[str, Decimal], list[Fill]] = {}
        for name, market in self._markets.items():
            for fill in market.fills:
                found.setdefault((name, fill.price), []).append(fill)
        return found


def _prices(market: Market, required: Decimal, cash: Decimal) -> set[Decimal]:
    """Return the prices at which the required quantity costs the cash, without or with a fee."""
    worth = Fraction(required) * Fraction(market.instrument.multiplier)
    price = -Fraction(cash) / worth if worth else Fraction(0)
    rates = {rate for side in OrderSide for rate in market.rates(side, in_base=False)}
    shares = {Fraction(1), *(1 + sign * Fraction(rate) for rate in rates for sign in (1, -1))}
    unit = 10**market.tick_places
    found = {round(price / share * unit) for share in shares if share}
    return {Decimal(ticks).scaleb(-market.tick_places, EXACT) for ticks in found if ticks > 0}
