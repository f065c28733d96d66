"""Search for one hypothesis with the required effect.

Every exact hypothesis on a row has a fingerprint; those with the required fingerprint are compared
in full. Example: +2.58 USDT is required. Half of a fee of 5.16 USDT is +2.58 USDT and fits. Removal
of the same BUY gives +55.16 USDT and -0.5 BTC, another fingerprint.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from itertools import chain
from typing import Final

from recon_core.explain import causes
from recon_core.explain.budget import OF_A_FINGERPRINT, OF_A_PREFILTER, Budget
from recon_core.explain.causes.cumulative import Misread
from recon_core.explain.causes.stale import stale_hypothesis
from recon_core.explain.problem.dimensions import Vector
from recon_core.explain.problem.fingerprints import Fingerprints
from recon_core.explain.problem.hypotheses import Hypothesis, Row
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.search.fill_hypotheses import FillHypotheses
from recon_core.explain.search.prefilter import Prefilter
from recon_core.model import Movement

_SUFFIX: Final = "from here on"

NO_FILL: Final = -1
"""Place of a hypothesis that is not on a fill: no fill has a place below 0."""

Code = tuple[int, str]
"""Place among the problem's fills and name of the hypothesis; for `NO_FILL` the name is a place
among the other hypotheses."""


@dataclass
class Search:
    """Hypotheses of one problem by fingerprint; `extra` are hypotheses computed before.

    Misread orders in `extra` become hypotheses only if their position fits.
    """

    problem: Problem
    budget: Budget
    extra: Sequence[Hypothesis | Misread] = ()
    max_skew: timedelta = timedelta()

    def with_extra(self, extra: Sequence[Hypothesis | Misread]) -> "Search":
        """Return the same search with `extra` hypotheses; its fingerprints are shared."""
        more = replace(self, extra=extra)
        more.fingerprints, more.fill_hypotheses = self.fingerprints, self.fill_hypotheses
        return more

    def single_faults(self) -> list[Hypothesis]:
        """Return every hypothesis that alone has the required effect."""
        wanted = set(self.fingerprints.within_tolerance(self.problem.required))
        self.budget.spend(len(self.problem.fills) * OF_A_PREFILTER)
        places = Prefilter(self.problem).places()
        self.budget.spend(len(places) * OF_A_FINGERPRINT)
        codes = [*self.codes_of_fills(places), *self.codes_of_others(range(len(self._others)))]
        hypotheses = (self.hypothesis(code) for value, code in codes if value in wanted)
        return [
            hypothesis for hypothesis in hypotheses if self.problem.reached_by(hypothesis.patch)
        ]

    def for_positions(self) -> list[Hypothesis]:
        """Return every hypothesis that alone has the required positions and orders."""
        problem = self.problem.without_cash()
        search = Search(problem, self.budget, self.extra, self.max_skew)
        wanted = set(search.fingerprints.within_tolerance(problem.required))
        spans = search.suffixes() if problem.fault_in is FaultIn.STATEMENT else ()
        stale_sides = [search.hypothesis(code) for value, code in spans if value in wanted]
        return [*search.single_faults(), *stale_sides]

    @cached_property
    def fingerprints(self) -> Fingerprints:
        """Fingerprints of the problem."""
        return Fingerprints(self.problem)

    @cached_property
    def fill_hypotheses(self) -> FillHypotheses:
        """Hypotheses on the problem's fills."""
        return FillHypotheses(self.problem, self.fingerprints)

    def codes_of_fills(self, places: Sequence[int]) -> Iterator[tuple[int, Code]]:
        """Yield fingerprint and code of the hypotheses on the fills at these places."""
        options, of_fill = self.fill_hypotheses.options, self.fingerprints.of_fill
        fills = self.problem.fills
        for at in places:
            fill = fills[at]
            for name, value in options(fill, *of_fill(fill)):
                if value:
                    yield value, (at, name)

    def codes_of_others(self, places: Iterable[int]) -> Iterator[tuple[int, Code]]:
        """Yield fingerprint and code of the other hypotheses at these places."""
        for at in places:
            yield self.fingerprints.of(self._effect(self._other(at))), (NO_FILL, str(at))

    @cached_property
    def effects(self) -> list[Vector]:
        """Effects of the other hypotheses.

        A misread order that does not have the required position has its effect on the position
        only.
        """
        required, found = self.problem.required, list[Vector]()
        for at, other in enumerate(self._others):
            name = other.name if isinstance(other, Misread) else None
            if (
                isinstance(other, Misread)
                and name is not None
                and other.moved != required.get(name)
            ):
                found.append({name: other.moved})
            else:
                found.append(self._effect(self._other(at)))
        return found

    def _effect(self, hypothesis: Hypothesis) -> Vector:
        return hypothesis.patch.vector(self.problem.postings)

    def _other(self, at: int) -> Hypothesis:
        """Return the other hypothesis at a place; a misread order is built for it."""
        other = self._others[at]
        return other.hypothesis() if isinstance(other, Misread) else other

    @property
    def others(self) -> list[Hypothesis]:
        """Hypotheses on movements and the opening, and those of `extra`."""
        return [self._other(at) for at in range(len(self._others))]

    @cached_property
    def other_count(self) -> int:
        """Number of other hypotheses that are not on a single fill."""
        return sum(isinstance(one, Misread) or not one.is_of_a_fill for one in self._others)

    def suffixes(self) -> list[tuple[int, Code]]:
        """Return fingerprint and code of each final span of rows, as missing from the books."""
        rows, codes, total = self.problem.timeline, list[tuple[int, Code]](), 0
        for at in range(len(rows) - 1, 0, -1):
            total -= self._fingerprint_of(rows[at])
            if rows[at - 1].time != rows[at].time and at < len(rows) - 1:
                codes.append((total, (at, _SUFFIX)))
        return codes

    def _fingerprint_of(self, row: Row) -> int:
        if isinstance(row, Movement):
            return self.fingerprints.of(self.problem.postings.movement(row))
        return sum(self.fingerprints.of_fill(row))

    def hypothesis(self, code: Code) -> Hypothesis:
        """Return the hypothesis of a code."""
        at, name = code
        if at == NO_FILL:
            return self._other(int(name))
        if name == _SUFFIX:
            return stale_hypothesis(self.problem, at, self.max_skew)
        return self.fill_hypotheses.hypothesis(self.problem.fills[at], name)

    @cached_property
    def _others(self) -> list[Hypothesis | Misread]:
        """Hypotheses on movements and the opening, and `extra`, with misread orders as they are."""
        others = (cause.of_other_rows(self.problem) for cause in causes.CAUSES)
        return [*chain.from_iterable(others), *self.extra]
