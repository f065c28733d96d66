"""The search: one fault or two that account for everything that is needed.

Every edit of every row without a free number has a print; one fault is a look-up of the
print that is needed, two are a look-up of the rest for each. Fills that are equal have equal
prints, so that a search costs what the fills differ, whatever they add up to.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.budget import (
    FILLS_OF_SETTLING,
    OF_A_PRINT,
    OF_A_SIEVE,
    OF_SETTLING,
    Budget,
)
from recon_core.explain.cumulative import Misread
from recon_core.explain.edits import NEAR_TWIN, UNPROVEN, Edit, Row, movement_edits, opening_edits
from recon_core.explain.fill_edits import FillEdits
from recon_core.explain.ground import Ground
from recon_core.explain.open_bases import Settled
from recon_core.explain.pair_sieve import PairSieve, Sieved
from recon_core.explain.prints import Prints, positions_of
from recon_core.explain.sieve import Sieve
from recon_core.explain.slips import last_digit
from recon_core.explain.space import Vector, add_to, currency_of, is_cash
from recon_core.explain.spans import stale_edit
from recon_core.model import Movement

_MOST_HITS: Final = 400
_MOST_UNKNOWN: Final = 20_000
_NEARLY: Final = 64
_MOST_NEARLY: Final = 4
_NO_FILL: Final = -1
_SUFFIX: Final = "from here on"
_DECOYS: Final = 6
_LOOSE_DECOYS: Final = 3
_FEW: Final = 8
_FINE: Final = Decimal("1e-8")
_APART: Final = Decimal(40)
_GRIDS: Final = (ZERO, Decimal("0.01"), Decimal(1), None)

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
    _settled_codes: dict[tuple[int, str, str], Settled] = field(default_factory=dict, init=False)
    _nearly: int = field(default=0, init=False)
    _met: dict[int, list[tuple[set[int], set[int]]]] = field(default_factory=dict, init=False)

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
        codes = [*self._of_fills(places), *self._of_others(range(len(self._others)))]
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

    def pairs(self) -> list[tuple[Edit, Edit]]:
        """Every two edits of different rows that together are what is needed.

        Where amounts that nobody needs would be found as well, only a little beside what is
        needed, two edits that fit prove nothing: their rank says so.
        """
        found = list(self._expanded(self._hits(self.prints.around(self.ground.need))))
        if not found or not self._crowd_size:
            return found
        return [
            (replace(one, rank=UNPROVEN) if self._by_chance(one, other) else one, other)
            for one, other in found
        ]

    def _hits(self, wanted: Sequence[int]) -> list[tuple[int, int]]:
        hits = set()
        for target in wanted:
            for some, others in self._meeting(positions_of(target)):
                self.budget.spend(len(some))
                for one in some:
                    rest = target - one
                    if rest in others:
                        hits.add((min(one, rest), max(one, rest)))
        return sorted(hits)[: _MOST_UNKNOWN if self.ground.unknown else _MOST_HITS]

    def _meeting(self, needed: int) -> list[tuple[set[int], set[int]]]:
        """Prints whose positions together are what is needed, the fewer first."""
        if needed not in self._met:
            values = self._values
            self.budget.spend(len(values))
            self._met[needed] = [
                (some, others) if len(some) <= len(others) else (others, some)
                for positions, some in values.items()
                if positions <= needed - positions
                for others in [values.get(needed - positions)]
                if others is not None
            ]
        return self._met[needed]

    @cached_property
    def _crowd_size(self) -> int:
        """How many needs a little beside the one that is asked for would be met, too."""
        if self.ground.unknown:  # what would be met is told by what was met nearly
            return max(0, self._nearly - _MOST_NEARLY)
        return sum(len(self._hits(self.prints.around(beside))) for beside in self._decoys)

    @cached_property
    def _decoys(self) -> list[dict[str, Decimal]]:
        """Needs that nobody has, a little beside the one that is asked for."""
        ground = self.ground
        loose = bool(ground.space.dust or ground.tolerance)
        steps, grids = (_LOOSE_DECOYS, (None,)) if loose else (_DECOYS, _GRIDS)
        return [self._beside(step, grid) for step in range(1, steps + 1) for grid in grids]

    def near_misses(self, within: int) -> int:
        """How many needs, so many units beside the one that is asked for, one edit would meet."""
        values = {value for value, _ in self._codes}
        self.budget.spend(within)
        asked = self.prints.of(self.ground.need)
        unit = self.prints.of(self._beside(1, ZERO)) - asked
        beside = (asked + step * unit for step in range(-within, within + 1) if step)
        return sum(value in values for value in beside)

    def _by_chance(self, one: Edit, other: Edit) -> bool:
        """Whether edits that fit may do so by chance where there is a crowd.

        Where a tolerance is searched, few of those that fit are exact: of one or two that
        are, the replay is the proof.
        """
        ground = self.ground
        if ground.unknown or not (ground.space.dust or ground.tolerance):
            return True
        both = one.change.joined(other.change).vector(ground.bookings)
        return self._crowd_size > _FEW or not ground.is_close(both)

    def _beside(self, step: int, grid: Decimal | None) -> dict[str, Decimal]:
        """The need with every balance a few units off, units of a currency or round ones."""
        ground, beside = self.ground, dict(self.ground.need)
        for name in ground.need:
            if is_cash(name):
                currency = currency_of(name)
                unit = max(
                    ground.bookings.resolution(currency) or _FINE,
                    EXACT.multiply(ground.allowed(name), _APART),
                    _own_grid(ground.need[name]) if grid is None else grid,
                )
                add_to(beside, name, EXACT.multiply(unit, Decimal(step)))
        return beside

    @cached_property
    def _values(self) -> dict[int, set[int]]:
        """The prints by what they do to positions."""
        found: dict[int, set[int]] = {}
        for value, _ in self._codes:
            found.setdefault(positions_of(value), set()).add(value)
        return found

    def _expanded(self, hits: Sequence[tuple[int, int]]) -> Iterator[tuple[Edit, Edit]]:
        rows = self._by_print({value for hit in hits for value in hit})
        for first, second in hits:
            self.budget.spend(len(rows[first]) * len(rows[second]))
            for one in rows[first]:
                for other in rows[second]:
                    if (first != second or one < other) and self._settle(one, other):
                        yield from self._pair(self.edit(one), self.edit(other))

    def _settle(self, one: Code, other: Code) -> bool:
        """Whether edits give the balances that depend on what is open what they need."""
        if one[0] == other[0] != _NO_FILL:
            return False
        settling = self.ground.settling
        if not settling:
            return True
        self.budget.spend(OF_SETTLING + len(self.ground.fills) // FILLS_OF_SETTLING)
        steps = self.ground.steps_settled(
            {name: [self._settled(each, name) for each in (one, other)] for name in settling}
        )
        self._nearly += 0 < steps < _NEARLY
        return steps == 0

    def _settled(self, code: Code, name: str) -> Settled:
        key = (*code, name)
        found = self._settled_codes.get(key)
        if found is None:
            change = self.edit(code).change
            found = self._settled_codes[key] = self.ground.settled(change, name)
        return found

    def _pair(self, first: Edit, second: Edit) -> Iterator[tuple[Edit, Edit]]:
        if first.change.overlaps(second.change):
            return
        if self.ground.reached_by(first.change.joined(second.change)):
            yield first, second

    @cached_property
    def prints(self) -> Prints:
        """The prints of the ground."""
        return Prints(self.ground)

    @cached_property
    def fill_edits(self) -> FillEdits:
        """The edits of the ground's fills."""
        return FillEdits(self.ground, self.prints)

    @cached_property
    def _codes(self) -> list[tuple[int, Code]]:
        """The print and the code of every edit that may be one of two; none changes nothing."""
        fills = self.ground.fills
        self.budget.spend(len(fills) * OF_A_SIEVE)
        sieved = PairSieve(
            self.ground, self.fill_edits, self._effects, [self.ground.need, *self._decoys]
        ).sieved()
        if sieved is None:
            sieved = Sieved(list(range(len(fills))), list(range(len(self._others))))
        self.budget.spend(len(sieved.places) * OF_A_PRINT)
        codes = list(self._of_fills(sieved.places))
        if self.ground.rows_right:
            codes += self.suffixes()
        return [*codes, *self._of_others(sieved.others)]

    def _of_fills(self, places: Sequence[int]) -> Iterator[tuple[int, Code]]:
        """The prints and codes of the edits of some fills."""
        offers, of_fill = self.fill_edits.offers, self.prints.of_fill
        fills = self.ground.fills
        for at in places:
            fill = fills[at]
            for name, value in offers(fill, *of_fill(fill)):
                if value:
                    yield value, (at, name)

    def _of_others(self, places: Iterable[int]) -> Iterator[tuple[int, Code]]:
        """The prints and codes of some of the other edits."""
        for at in places:
            yield self.prints.of(self._effect(self._other(at))), (_NO_FILL, str(at))

    @cached_property
    def _effects(self) -> list[Vector]:
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

    def _by_print(self, wanted: set[int]) -> dict[int, list[Code]]:
        found: dict[int, list[Code]] = {}
        for value, code in self._codes:
            if value in wanted:
                found.setdefault(value, []).append(code)
        return found

    def edit(self, code: Code) -> Edit:
        """The edit that a code stands for."""
        at, name = code
        if at == _NO_FILL:
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


def _own_grid(amount: Decimal) -> Decimal:
    """The last digit of an amount that is not 0: what a round amount is round to."""
    return Decimal(1).scaleb(last_digit(amount))


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
