"""The search: one fault that accounts for everything that is needed.

Every edit of every row without a free number has a print; one fault is a look-up of the
print that is needed. Fills that are equal have equal prints, so that a search costs what the
fills differ, whatever they add up to.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Final

from recon_core.explain.budget import OF_A_PRINT, OF_A_SIEVE, Budget
from recon_core.explain.effects.space import Vector
from recon_core.explain.faults.cumulative import Misread
from recon_core.explain.faults.edits import NEAR_TWIN, Edit, Row, movement_edits, opening_edits
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.faults.spans import stale_edit
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.grounds.prints import Prints
from recon_core.explain.searching.sieve import Sieve
from recon_core.model import Movement

_SUFFIX: Final = "from here on"

NO_FILL: Final = -1
"""The place of an edit that is of no fill."""

Code = tuple[int, str]
"""A fill by its place among the ground's fills, and the name of its edit."""


@dataclass
class Search:
    """The edits of one ground by their prints; `extra` are edits that were worked out before.

    Those of misread orders are worked out where their position fits.
    """

    ground: Ground
    budget: Budget
    extra: Sequence[Edit | Misread] = ()
    max_skew: timedelta = timedelta()

    def also_of(self, extra: Sequence[Edit | Misread]) -> "Search":
        """The same search with more edits."""
        more = replace(self, extra=extra)
        more.prints, more.fill_edits = self.prints, self.fill_edits
        return more

    def singles(self) -> list[Edit]:
        """Every edit that alone is what is needed."""
        wanted = set(self.prints.around(self.ground.need))
        self.budget.spend(len(self.ground.fills) * OF_A_SIEVE * 2)
        places = Sieve(self.ground, self.fill_edits).places()
        self.budget.spend(len(places) * OF_A_PRINT)
        codes = [*self.codes_of_fills(places), *self.codes_of_others(range(len(self._others)))]
        edits = (self.edit(code) for value, code in codes if value in wanted)
        return [edit for edit in edits if self.ground.reached_by(edit.change)]

    def for_positions(self) -> list[Edit]:
        """Every edit that alone is what the positions and the orders need."""
        ground = self.ground.but_for_cash()
        search = Search(ground, self.budget, self.extra, self.max_skew)
        wanted = set(search.prints.around(ground.need))
        spans = search.suffixes() if ground.rows_right else ()
        behind = [search.edit(code) for value, code in spans if value in wanted]
        return [*search.singles(), *behind]

    @cached_property
    def prints(self) -> Prints:
        """The prints of the ground."""
        return Prints(self.ground)

    @cached_property
    def fill_edits(self) -> FillEdits:
        """The edits of the ground's fills."""
        return FillEdits(self.ground, self.prints)

    def codes_of_fills(self, places: Sequence[int]) -> Iterator[tuple[int, Code]]:
        """The prints and codes of the edits of some fills."""
        offers, of_fill = self.fill_edits.offers, self.prints.of_fill
        fills = self.ground.fills
        for at in places:
            fill = fills[at]
            for name, value in offers(fill, *of_fill(fill)):
                if value:
                    yield value, (at, name)

    def codes_of_others(self, places: Iterable[int]) -> Iterator[tuple[int, Code]]:
        """The prints and codes of some of the other edits."""
        for at in places:
            yield self.prints.of(self._effect(self._other(at))), (NO_FILL, str(at))

    @cached_property
    def effects(self) -> list[Vector]:
        """What the other edits change; those of misread orders in their position only.

        Where that is what the position needs, what they change in cash is needed, too.
        """
        need, found = self.ground.need, list[Vector]()
        for at, other in enumerate(self._others):
            name = other.name if isinstance(other, Misread) else None
            if isinstance(other, Misread) and name is not None and other.moved != need.get(name):
                found.append({name: other.moved})
            else:
                found.append(self._effect(self._other(at)))
        return found

    def _effect(self, edit: Edit) -> Vector:
        return edit.change.vector(self.ground.bookings)

    def _other(self, at: int) -> Edit:
        """One of the other edits, worked out."""
        other = self._others[at]
        return other.edit() if isinstance(other, Misread) else other

    @property
    def others(self) -> list[Edit]:
        """The edits of movements, of the opening, and those that were worked out before."""
        return [self._other(at) for at in range(len(self._others))]

    @cached_property
    def besides_fills(self) -> int:
        """How many of the other edits are of no fill, or of several."""
        return sum(isinstance(one, Misread) or not one.is_of_a_fill for one in self._others)

    def suffixes(self) -> list[tuple[int, Code]]:
        """All rows from a time on that are not in the books."""
        rows, codes, total = self.ground.timeline, list[tuple[int, Code]](), 0
        for at in range(len(rows) - 1, 0, -1):
            total -= self._print_of(rows[at])
            if rows[at - 1].time != rows[at].time and at < len(rows) - 1:
                codes.append((total, (at, _SUFFIX)))
        return codes

    def _print_of(self, row: Row) -> int:
        if isinstance(row, Movement):
            return self.prints.of(self.ground.bookings.movement(row))
        return sum(self.prints.of_fill(row))

    def edit(self, code: Code) -> Edit:
        """The edit that a code stands for."""
        at, name = code
        if at == NO_FILL:
            return self._other(int(name))
        if name == _SUFFIX:
            return stale_edit(self.ground, at, self.max_skew)
        return self.fill_edits.edit(self.ground.fills[at], name)

    @cached_property
    def _others(self) -> list[Edit | Misread]:
        """The edits of movements, of the opening, and those that were worked out before."""
        record, right = self.ground.record, self.ground.rows_right
        moved = record.movements or ()
        found = [
            edit
            for movement in moved
            for edit in movement_edits(
                movement, rows_right=right, twin=_told_twice(movement, moved)
            )
        ]
        return [*found, *opening_edits(record.opening), *self.extra]


def _told_twice(movement: Movement, movements: Iterable[Movement]) -> bool:
    """Whether another movement says the same within seconds."""
    near = (other for other in movements if abs(other.time - movement.time) <= NEAR_TWIN)
    return sum(_payload(other) == _payload(movement) for other in near) > 1


def _payload(movement: Movement) -> tuple[object, ...]:
    return (
        movement.movement_kind,
        movement.currency,
        movement.amount,
        movement.symbol,
        movement.quantity,
        movement.account,
    )
