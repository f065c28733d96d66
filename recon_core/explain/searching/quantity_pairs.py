"""One fault of a fill and one wrong quantity: the price of the second tells which fill it is.

After the first fault is put right, what is left of the balance divided by what is left of
the position is the price of the fill whose quantity is wrong, its fee aside.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.budget import Budget
from recon_core.explain.effects.space import ORDER, Vector, is_position
from recon_core.explain.faults.chances import is_any_quantity
from recon_core.explain.faults.edits import UNPROVEN, Edit
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.faults.market import Market, market_of, paid_in
from recon_core.explain.faults.solved_quantities import any_quantity
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.searching.candidates import Found
from recon_core.model import Fill, InstrumentKind, OrderSide

_OF_A_FIRST: Final = 60
_MOST_FILLS: Final = 2_000
_FIRST: Final = ("remove", "flip", "repeat")


@dataclass
class QuantityPairs:
    """The pairs of one ground of which the second is a wrong quantity."""

    ground: Ground
    edits: FillEdits
    budget: Budget

    def pairs(self) -> Iterator[Found]:
        """A fill that goes, comes again or turns, then a quantity that the rest asks for."""
        ground = self.ground
        if len(ground.fills) > _MOST_FILLS or ground.unknown:
            return
        names = _FIRST if ground.rows_right else _FIRST[:2]
        for fill in ground.fills:
            self.budget.spend(_OF_A_FIRST * len(names))
            for name in names:
                first = self.edits.edit(fill, name)
                rest = ground.left(first.change.vector(ground.bookings))
                for second in self._seconds(rest):
                    both = first.change.joined(second.change)
                    if second.rows[0] is not fill and ground.reached_by(both):
                        yield first, second

    def _seconds(self, rest: Vector) -> Iterator[Edit]:
        positions = [name for name in rest if is_position(name)]
        market = self._markets.get(positions[0]) if len(positions) == 1 else None
        if market is None or any(name.startswith(ORDER) for name in rest):
            return
        need = rest[positions[0]]
        cash = self.ground.bookings.cash(paid_in(market.instrument), market.fills[0].account)
        for price in _prices(market, need, rest.get(cash, ZERO)):
            for fill in self._priced.get((positions[0], price), ()):
                by_chance = is_any_quantity(self.ground, market, need, self._tried)
                for edit in any_quantity(self.ground, market, self.edits, fill, need):
                    slipped = bool(edit.detail)
                    yield edit if slipped or not by_chance else replace(edit, rank=UNPROVEN)

    @property
    def _tried(self) -> int:
        return len(self.ground.fills) * len(_FIRST)

    @cached_property
    def _markets(self) -> dict[str, Market]:
        found = {name: market_of(self.ground, name, self.edits) for name in self.ground.by_symbol}
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


def _prices(market: Market, need: Decimal, cash: Decimal) -> set[Decimal]:
    """The prices at which a quantity of the need costs the cash, with a fee or without."""
    worth = Fraction(need) * Fraction(market.instrument.multiplier)
    price = -Fraction(cash) / worth if worth else Fraction(0)
    rates = {rate for side in OrderSide for rate in market.rates(side, in_base=False)}
    shares = {Fraction(1), *(1 + sign * Fraction(rate) for rate in rates for sign in (1, -1))}
    unit = 10**market.tick_places
    found = {round(price / share * unit) for share in shares if share}
    return {Decimal(ticks).scaleb(-market.tick_places, EXACT) for ticks in found if ticks > 0}
