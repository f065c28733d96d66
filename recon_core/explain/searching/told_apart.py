"""Two faults that a snapshot stands between: the first alone by then, the second after it.

What the sides differ by at the first snapshot that differs is then the effect of the first
alone. So two searches for one fault take the place of one for two.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from recon_core.explain.effects.space import is_cash, is_position, state_part
from recon_core.explain.faults.edits import UNPROVEN, Edit
from recon_core.explain.faults.solved import solved
from recon_core.explain.grounds.divergence import Between
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.searching.candidates import Found
from recon_core.explain.searching.search import Search
from recon_core.model import SideRecord

_OF_A_SOLUTION: Final = 16
_MOST_FIRST: Final = 60
"""So many effects of a first fault are followed; where there are more nothing is proven."""


@dataclass
class ToldApart:
    """The pairs of one ground of which the snapshots show the first alone."""

    search: Search

    def pairs(self) -> Iterator[Found]:
        """Every first fault with every second one that is what is needed after it."""
        ground, between = self.search.ground, self.search.ground.divergence.differs
        if between is None or not _stands_between(ground, between):
            return
        groups = _by_effect(ground, self._singles(_until(ground, between)))
        for firsts in islice(groups, _MOST_FIRST):
            after = ground.after(firsts[0].change)
            seconds = self._singles(after) if after.need else []
            for first in firsts:
                own = replace(first, rank=UNPROVEN) if len(groups) > _MOST_FIRST else first
                yield from ((own, second) for second in seconds if _are_apart(first, second))

    def _singles(self, ground: Ground) -> list[Edit]:
        """Every edit that alone is what is needed: of rows, or else with a solved number."""
        search = Search(ground, self.search.budget)
        found = search.singles()
        if not found:
            self.search.budget.spend(len(ground.fills) * _OF_A_SOLUTION)
            found = list(solved(ground, search.fill_edits))
        return found


def _stands_between(ground: Ground, between: Between) -> bool:
    """Whether a snapshot tells everything, and another difference than there is at the end."""
    if any(map(ground.bookings.derivative, {fill.symbol for fill in ground.fills})):
        return False  # the cash of what is still open depends on the fills to come
    compared = [name for name in ground.space.compared if is_position(name) or is_cash(name)]
    need = state_part(ground.space.real(ground.need))
    return all(map(between.knows, compared)) and dict(between.need) != need


def _until(ground: Ground, between: Between) -> Ground:
    """The ground as it was at a time between."""
    return replace(
        ground,
        record=_rows_until(ground.record, between),
        need=dict(between.need),
        exact=dict(between.need),
        tolerance={},
        unknown=frozenset(),
        orders={},
    )


def _rows_until(record: SideRecord, between: Between) -> SideRecord:
    movements = record.movements
    return replace(
        record,
        fills=tuple(fill for fill in record.fills or () if fill.time <= between.time),
        movements=None
        if movements is None
        else tuple(row for row in movements if row.time <= between.time),
    )


def _by_effect(ground: Ground, edits: Iterable[Edit]) -> list[list[Edit]]:
    """Edits that book the same together."""
    groups: dict[str, list[Edit]] = {}
    for edit in edits:
        effect = edit.change.vector(ground.bookings)
        key = str(sorted((name, amount.normalize()) for name, amount in effect.items() if amount))
        groups.setdefault(key, []).append(edit)
    return list(groups.values())


def _are_apart(first: Edit, second: Edit) -> bool:
    """Whether the second changes none of the rows that the first changes or brings."""
    return not first.change.overlaps(second.change) and not second.change.builds_on(first.change)
