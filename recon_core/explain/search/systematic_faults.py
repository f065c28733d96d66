"""Faults of all rows at once: a rate, a unit, a sign, a rounding, cumulative quantities.

`systematic` yields those that may have the whole required effect, `reducing` those that reduce it.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from recon_core.explain import causes
from recon_core.explain.causes.foreign import foreign
from recon_core.explain.causes.stale import stale
from recon_core.explain.problem.fee_evidence import with_changed_fees
from recon_core.explain.problem.fill_group import groups_of
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.problem import Problem

_MOST_GROUPS: Final = 6
"""Groups of fills: each hypothesis on one costs a search for the second fault."""


def spans(problem: Problem, max_skew: timedelta) -> Iterator[Hypothesis]:
    """Yield every span of rows with the required effect: of a stale side, of foreign activity."""
    yield from stale(problem, max_skew)
    yield from foreign(problem)


def systematic(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the hypotheses on all fills of a problem, of each symbol, position and order."""
    for group in groups_of(problem):
        for cause in causes.CAUSES:
            yield from cause.of_all(group)
    for cause in causes.CAUSES:
        for hypothesis in cause.of_orders(problem):
            yield hypothesis
            charged = with_changed_fees(problem, hypothesis)
            if charged is not None:
                yield charged


def reducing(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the exact hypotheses on all fills that reduce the required effect.

    A second fault is then searched in the residual.
    """
    for group in groups_of(problem, _MOST_GROUPS):
        for cause in causes.CAUSES:
            for hypothesis in cause.reducing(group):
                if group.reduces(hypothesis.patch.vector(problem.postings)):
                    yield hypothesis
