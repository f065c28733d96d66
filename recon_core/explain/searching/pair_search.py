"""The search for two faults that together account for everything that is needed.

Two edits are a look-up of the rest for the print of each. Where amounts that nobody needs
would be met as well, what fits may do so by chance.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Final

from recon_core.amounts import ZERO
from recon_core.explain.budget import FILLS_OF_SETTLING, OF_A_PRINT, OF_A_SIEVE, OF_SETTLING
from recon_core.explain.effects.open_bases import Settled
from recon_core.explain.faults.chances import decoys, need_beside, stands_alone
from recon_core.explain.faults.edits import UNPROVEN, Edit
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.grounds.prints import positions_of
from recon_core.explain.searching.pair_sieve import PairSieve, Sieved
from recon_core.explain.searching.search import NO_FILL, Code, Search
from recon_core.explanation import CauseKind

_MOST_HITS: Final = 400
_MOST_UNKNOWN: Final = 20_000
_NEARLY: Final = 64
_MOST_NEARLY: Final = 4
_FEW: Final = 8
_PAIR: Final = 2


@dataclass
class PairSearch:
    """The edits of one search, two by two, by their prints."""

    search: Search
    _settled_codes: dict[tuple[int, str, str], Settled] = field(default_factory=dict, init=False)
    _nearly: int = field(default=0, init=False)
    _met: dict[int, list[tuple[set[int], set[int]]]] = field(default_factory=dict, init=False)

    @cached_property
    def ground(self) -> Ground:
        """The ground that is searched."""
        return self.search.ground

    @cached_property
    def _decoys(self) -> list[dict[str, Decimal]]:
        return decoys(self.ground)

    def pairs(self) -> list[tuple[Edit, Edit]]:
        """Every two edits of different rows that together are what is needed.

        Where amounts that nobody needs would be found as well, only a little beside what is
        needed, two edits that fit prove nothing: their rank says so.
        """
        found = list(self._expanded(self._hits(self.search.prints.around(self.ground.need))))
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
                self.search.budget.spend(len(some))
                for one in some:
                    rest = target - one
                    if rest in others:
                        hits.add((min(one, rest), max(one, rest)))
        return sorted(hits)[: _MOST_UNKNOWN if self.ground.unknown else _MOST_HITS]

    def _meeting(self, needed: int) -> list[tuple[set[int], set[int]]]:
        """Prints whose positions together are what is needed, the fewer first."""
        if needed not in self._met:
            values = self._values
            self.search.budget.spend(len(values))
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
        return sum(len(self._hits(self.search.prints.around(beside))) for beside in self._decoys)

    def near_misses(self, within: int) -> int:
        """How many needs, so many units beside the one that is asked for, one edit would meet."""
        values = {value for value, _ in self._codes}
        self.search.budget.spend(within)
        asked = self.search.prints.of(self.ground.need)
        unit = self.search.prints.of(need_beside(self.ground, 1, ZERO)) - asked
        beside = (asked + step * unit for step in range(-within, within + 1) if step)
        return sum(value in values for value in beside)

    def _by_chance(self, one: Edit, other: Edit) -> bool:
        """Whether edits that fit may do so by chance where there is a crowd.

        Where a tolerance is searched, few of those that fit are exact: of one or two that
        are, the replay is the proof.
        """
        ground = self.ground
        if any(map(self._stands_alone, (one, other))) or all(map(_is_shown, (one, other))):
            return False
        if ground.unknown or not (ground.space.dust or ground.tolerance):
            return True
        both = one.change.joined(other.change).vector(ground.bookings)
        return self._crowd_size > _FEW or not ground.is_close(both)

    def _stands_alone(self, edit: Edit) -> bool:
        """Whether an edit that is of no fill, as but few are, is one of two by itself."""
        effect = edit.change.vector(self.ground.bookings)
        tried = self.search.besides_fills
        return not edit.is_of_a_fill and stands_alone(self.ground, effect, tried)

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
            self.search.budget.spend(len(rows[first]) * len(rows[second]))
            for one in rows[first]:
                for other in rows[second]:
                    if (first != second or one < other) and self._settle(one, other):
                        yield from self._pair(self.search.edit(one), self.search.edit(other))

    def _settle(self, one: Code, other: Code) -> bool:
        """Whether edits give the balances that depend on what is open what they need."""
        if one[0] == other[0] != NO_FILL:
            return False
        settling = self.ground.settling
        if not settling:
            return True
        self.search.budget.spend(OF_SETTLING + len(self.ground.fills) // FILLS_OF_SETTLING)
        steps = self.ground.steps_settled(
            {name: [self._settled(each, name) for each in (one, other)] for name in settling}
        )
        self._nearly += 0 < steps < _NEARLY
        return steps == 0

    def _settled(self, code: Code, name: str) -> Settled:
        key = (*code, name)
        found = self._settled_codes.get(key)
        if found is None:
            change = self.search.edit(code).change
            found = self._settled_codes[key] = self.ground.settled(change, name)
        return found

    def _pair(self, first: Edit, second: Edit) -> Iterator[tuple[Edit, Edit]]:
        if first.change.overlaps(second.change):
            return
        if self.ground.reached_by(first.change.joined(second.change)):
            yield self._first_of(first, second), second

    def _first_of(self, first: Edit, second: Edit) -> Edit:
        """The first of two that take away all copies of a fill: of those one was no copy."""
        kinds = {first.cause_kind, second.cause_kind}
        ids = {fill.fill_id for fill in (*first.change.removed, *second.change.removed)}
        if kinds != {CauseKind.DUPLICATE_FILL} or self.ground.rows_right or len(ids) != 1:
            return first
        copies = sum(fill.fill_id in ids for fill in self.ground.fills)
        return replace(first, cause_kind=CauseKind.ORPHAN_FILL) if copies == _PAIR else first

    @cached_property
    def _codes(self) -> list[tuple[int, Code]]:
        """The print and the code of every edit that may be one of two; none changes nothing."""
        search, fills = self.search, self.ground.fills
        search.budget.spend(len(fills) * OF_A_SIEVE)
        targets = [self.ground.need, *self._decoys]
        sieved = PairSieve(self.ground, search.fill_edits, search.effects, targets).sieved()
        if sieved is None:
            sieved = Sieved(list(range(len(fills))), list(range(len(search.effects))))
        search.budget.spend(len(sieved.places) * OF_A_PRINT)
        codes = list(search.codes_of_fills(sieved.places))
        if self.ground.rows_right:
            codes += search.suffixes()
        return [*codes, *search.codes_of_others(sieved.others)]

    def _by_print(self, wanted: set[int]) -> dict[int, list[Code]]:
        found: dict[int, list[Code]] = {}
        for value, code in self._codes:
            if value in wanted:
                found.setdefault(value, []).append(code)
        return found


def _is_shown(edit: Edit) -> bool:
    """Whether a charged row itself, or its order, says that it is wrong: few rows do."""
    removed, added = edit.change.removed, edit.change.added
    return edit.rank == 0 and len(removed) == len(added) == 1 and bool(removed[0].fee)
