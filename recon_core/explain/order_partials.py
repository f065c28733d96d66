"""Missing fills that order reports show, if their fees alone then remain in cash."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from recon_core.explain.budget import Budget
from recon_core.explain.effects.dimensions import Vector, is_cash
from recon_core.explain.faults.hypotheses import Hypothesis
from recon_core.explain.problems.problem import Problem
from recon_core.explain.proving.attempt import Answer, attempt
from recon_core.explain.proving.proof import Prover
from recon_core.explain.proving.texts import vector_text
from recon_core.explain.reading.order_interpretation import OrderInterpretation
from recon_core.explain.searching.search import Search
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT

_LARGEST_FEE: Final = Decimal("0.01")
"""Largest fee of a missing fill, as a fraction of what the fill moves in a balance.

1 % is ten times a usual fee. With more, another fault of the cash would pass as a fee; with
less, fills of an expensive venue would have no explanation.
"""


def ordered(prover: Prover, searches: Sequence[Search], budget: Budget) -> Answer | None:
    """Return the missing fills that order reports show with a price; their fees may remain in cash.

    `None` if no interpretation of the reports is confirmed, or if several leave different
    amounts.
    """
    for search in searches:
        problem = search.problem.but_for_cash()
        answers = [
            answer
            for hypotheses in OrderInterpretation(
                problem, search.fill_hypotheses, budget
            ).interpretations()
            if all(hypothesis.cause_kind is CauseKind.MISSING_FILL for hypothesis in hypotheses)
            for answer in [_attempt(prover, search.problem, hypotheses, budget)]
            if answer is not None
        ]
        found = {vector_text(answer.outcome.remaining): answer for answer in answers}
        if len(found) == 1:
            return answers[0]
    return None


def _attempt(
    prover: Prover, problem: Problem, hypotheses: Sequence[Hypothesis], budget: Budget
) -> Answer | None:
    rows = [hypothesis.rows for hypothesis in hypotheses]
    nearly = _fees([hypothesis.patch.vector(problem.postings) for hypothesis in hypotheses])
    return attempt(prover, problem, hypotheses, rows, budget, nearly=nearly)


def _fees(effects: Sequence[Vector]) -> dict[str, Decimal]:
    """Return the largest fees that effects of fills may have, by balance that they move."""
    most: dict[str, Decimal] = {}
    for effect in effects:
        for name, amount in effect.items():
            if is_cash(name):
                fee = EXACT.multiply(amount.copy_abs(), _LARGEST_FEE)
                most[name] = EXACT.add(most.get(name, Decimal(0)), fee)
    return most
