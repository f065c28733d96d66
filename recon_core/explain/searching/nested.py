"""Two faults of which one is a habit: the rest is looked for after the first is put right."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, compress, islice
from operator import not_
from typing import Final

from recon_core.explain.budget import OF_A_REPLAY
from recon_core.explain.effects.space import ORDER, is_cash, is_position
from recon_core.explain.faults.cumulative import cumulative
from recon_core.explain.faults.edits import UNPROVEN, Edit
from recon_core.explain.faults.every_fee import at_another_rate
from recon_core.explain.faults.solved import solved
from recon_core.explain.faults.solved_quantities import slipped_quantities
from recon_core.explain.faults.spans import others, spans
from recon_core.explain.faults.systematic import habits, systematic
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.reading.order_reading import OrderReading
from recon_core.explain.searching.candidates import Found, candidates
from recon_core.explain.searching.pair_search import PairSearch
from recon_core.explain.searching.quantity_pairs import QuantityPairs
from recon_core.explain.searching.search import Search

_OF_A_HABIT: Final = 40
_OF_ALL_HABITS: Final = 120
_MOST_FIRST: Final = 60
_MOST_REPLAYED: Final = 200
_UNITS_EACH: Final = 8
_MOST_BESIDES: Final = 40
_PAIR: Final = 2
_TRIED: Final = 30
"""About as many habits there are that may be the first fault."""


@dataclass
class Nested:
    """The pairs of one ground that begin with a habit, or end with a rate."""

    search: Search

    def beside_positions(self) -> Iterator[Found]:
        """An edit that is what the positions need, then one of what its replay leaves in cash.

        For cash that depends on what is open: with the positions right it is known.
        """
        ground = self.search.ground
        slips = islice(slipped_quantities(ground, self.search.fill_edits), _MOST_FIRST)
        firsts = [*self._firsts(ground, self._affordable), *cumulative(ground), *slips]
        for first in firsts:
            after = self._by_replay(first)
            if after is None or not after.need or any(map(is_position, after.need)):
                continue
            search = Search(after, self.search.budget)
            edits = search.singles()
            within = len(firsts) * _UNITS_EACH
            misses = PairSearch(search).near_misses(within) if edits else 0
            for edit in edits:
                # Of what binary floats meet nearly, they meet little to all of their digits.
                exact = after.space.dust and after.is_close(edit.change.vector(after.bookings))
                by_chance = misses > (within if exact else 0)
                yield first, replace(edit, rank=UNPROVEN) if by_chance else edit

    def pairs(self) -> Iterator[Iterator[Found]]:
        """Every two edits, one after the other, that together are what is needed, in steps."""
        ground = self.search.ground
        self.search.budget.spend(len(ground.fills) * _OF_ALL_HABITS)
        firsts = [*self._of_an_order, *habits(ground), *others(ground), *self._besides]
        settling = [_settles_some(ground, first) for first in firsts]
        yield self._after_each(compress(firsts, settling))
        yield self._after_each(compress(firsts, map(not_, settling)))
        yield self._of_quantities()

    def _after_each(self, firsts: Iterable[Edit]) -> Iterator[Found]:
        for first in firsts:
            rests = self._singles(self._after(first))
            yield from ((first, *rest) for rest in rests if len(rest) == 1)

    def _of_quantities(self) -> Iterator[Found]:
        ground = self.search.ground
        yield from QuantityPairs(ground, self.search.fill_edits, self.search.budget).pairs()
        yield from self._with_a_slip(ground)
        yield from self._with_a_rate(ground)

    @property
    def _of_an_order(self) -> list[Edit]:
        """The readings of an order, where each order that disagrees may be one of the two."""
        search = self.search
        orders = sum(name.startswith(ORDER) for name in search.ground.need)
        reading = OrderReading(search.ground, search.fill_edits, search.budget)
        return reading.atoms() if orders <= _PAIR else []

    @property
    def _besides(self) -> list[Edit]:
        """The edits of movements and of the opening, where they are not many."""
        edits = self.search.others
        return edits if len(edits) <= _MOST_BESIDES else []

    def _after(self, habit: Edit) -> Ground:
        """The ground after a first edit, of derivatives with the cash that a replay leaves."""
        ground = self.search.ground
        after = ground.after(habit.change)
        replayed = self._by_replay(habit) if self._has_derivatives else None
        return after if replayed is None else replace(after, exact=replayed.exact)

    def _singles(self, ground: Ground) -> Iterator[Found]:
        search = Search(ground, self.search.budget, extra=list(others(ground)))
        edits = search.fill_edits
        self.search.budget.spend(len(ground.fills) * _OF_A_HABIT)
        yield from ((edit,) for edit in search.singles())
        yield from ((edit,) for edit in spans(ground, self.search.max_skew))
        whole = systematic(ground, edits)
        yield from ((edit,) for edit in whole if ground.reached_by(edit.change))
        yield from ((edit,) for edit in solved(ground, edits, _TRIED))
        yield from OrderReading(ground, edits, self.search.budget).readings()

    def _with_a_slip(self, ground: Ground) -> Iterator[Found]:
        """A quantity with a slip that the position needs, then one fault of the cash."""
        firsts = list(islice(slipped_quantities(ground, self.search.fill_edits), _MOST_FIRST))
        for first in firsts:
            after = ground.after(first.change)
            if after.need:
                yield from ((first, edit) for edit in Search(after, self.search.budget).singles())

    def _with_a_rate(self, ground: Ground) -> Iterator[Found]:
        """An edit that is what the positions need, then all fees at another rate.

        Where no position needs anything it is one of a movement or of the opening.
        """
        moved = any(map(is_position, ground.need))
        for first in self._firsts(ground) if moved else self.search.others[:_MOST_FIRST]:
            after = self._replayed(first)
            if after is None or not after.need or any(map(is_position, after.need)):
                continue
            self.search.budget.spend(len(after.fills) * _OF_A_HABIT)
            edits = Search(after, self.search.budget).fill_edits
            for name in after.need:
                if is_cash(name):
                    for rate in at_another_rate(after, after.fills, edits, name):
                        if after.reached_by(rate.change):
                            yield first, rate

    def _replayed(self, first: Edit) -> Ground | None:
        """The ground after a first edit, of derivatives as a replay leaves it."""
        if not self._has_derivatives:
            return self.search.ground.after(first.change)
        return self._by_replay(first)

    @cached_property
    def _has_derivatives(self) -> bool:
        ground = self.search.ground
        return any(map(ground.bookings.derivative, ground.rows.symbols))

    def _by_replay(self, first: Edit) -> Ground | None:
        ground = self.search.ground
        self.search.budget.spend(len(ground.fills) * OF_A_REPLAY)
        return ground.replayed_after(first.change)

    @property
    def _affordable(self) -> int:
        """How many first edits may be replayed for half of the budget, or some in any case."""
        replays = self.search.budget.left // (
            2 * OF_A_REPLAY * max(1, len(self.search.ground.fills))
        )
        return max(_MOST_FIRST, min(replays, _MOST_REPLAYED))

    def _firsts(self, ground: Ground, most: int = _MOST_FIRST) -> list[Edit]:
        """The edits that give the positions what they need, one of those that are equal.

        Of equal fills of a derivative each is one of its own: their PnL differs.
        """
        found = [(edit,) for edit in self.search.for_positions()]
        members = (one.members for one in candidates(ground, found))
        return [edit for (edit,) in islice(chain.from_iterable(members), most)]


def _settles_some(ground: Ground, first: Edit) -> bool:
    """Whether nothing is left of one dimension of the need, and none is added."""
    left = ground.left(first.change.vector(ground.bookings))
    return left.keys() < ground.need.keys()
