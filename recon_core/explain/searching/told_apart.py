"""Two faults that a snapshot separates: the first is before it, the second after it.

The difference at the first snapshot that differs is the effect of the first fault alone. Two
searches for one hypothesis take the place of one for two. Example: a snapshot at noon differs by +5
USDT and the end by +8 USDT; the first fault has the effect +5 USDT, the second +3 USDT.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from recon_core.explain.effects.dimensions import is_cash, is_position, state_part
from recon_core.explain.faults.hypotheses import Hypothesis, Strength
from recon_core.explain.faults.solved import solved
from recon_core.explain.problems.divergence import Between
from recon_core.explain.problems.problem import Problem
from recon_core.explain.searching.candidates import Found
from recon_core.explain.searching.search import Search
from recon_core.model import SideRecord

_OF_A_SOLUTION: Final = 16
"""Operations per fill of a search for one hypothesis with a fitted number."""

_MOST_FIRST: Final = 60
"""Distinct effects of a first hypothesis that are followed, each with a search of all fills. If
there are more, none is proven: an unseen one might fit as well."""


@dataclass
class ToldApart:
    """Pairs of one problem whose first hypothesis a snapshot shows alone."""

    search: Search

    def pairs(self) -> Iterator[Found]:
        """Yield each first hypothesis with each second one that has the residual effect."""
        problem, between = self.search.problem, self.search.problem.divergence.differs
        if between is None or not _stands_between(problem, between):
            return
        groups = _by_effect(problem, self._singles(_until(problem, between)))
        for firsts in islice(groups, _MOST_FIRST):
            after = problem.after(firsts[0].patch)
            seconds = self._singles(after) if after.required else []
            for first in firsts:
                own = (
                    replace(first, strength=Strength.CHANCE) if len(groups) > _MOST_FIRST else first
                )
                yield from ((own, second) for second in seconds if _are_apart(first, second))

    def _singles(self, problem: Problem) -> list[Hypothesis]:
        """Return the hypotheses that alone have the required effect: exact, or else fitted."""
        search = Search(problem, self.search.budget)
        found = search.singles()
        if not found:
            self.search.budget.spend(len(problem.fills) * _OF_A_SOLUTION)
            found = list(solved(problem))
        return found


def _stands_between(problem: Problem, between: Between) -> bool:
    """True if a snapshot shows all dimensions and another difference than the end."""
    if any(map(problem.postings.derivative, {fill.symbol for fill in problem.fills})):
        return False  # cash of an open derivative depends on later fills
    compared = [name for name in problem.dimensions.compared if is_position(name) or is_cash(name)]
    required = state_part(problem.dimensions.real(problem.required))
    return all(map(between.knows, compared)) and dict(between.required) != required


def _until(problem: Problem, between: Between) -> Problem:
    """Return the problem as it was at a snapshot."""
    return replace(
        problem,
        record=_rows_until(problem.record, between),
        required=dict(between.required),
        exact=dict(between.required),
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


def _by_effect(problem: Problem, hypotheses: Iterable[Hypothesis]) -> list[list[Hypothesis]]:
    """Group hypotheses with equal effects."""
    groups: dict[str, list[Hypothesis]] = {}
    for hypothesis in hypotheses:
        effect = hypothesis.patch.vector(problem.postings)
        key = str(sorted((name, amount.normalize()) for name, amount in effect.items() if amount))
        groups.setdefault(key, []).append(hypothesis)
    return list(groups.values())


def _are_apart(first: Hypothesis, second: Hypothesis) -> bool:
    """True if the second hypothesis changes no row that the first removes or adds."""
    return not first.patch.overlaps(second.patch) and not second.patch.builds_on(first.patch)
