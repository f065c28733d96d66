"""Best answers: the candidates that a reconciliation confirms, with the best evidence.

Candidates that contradict snapshots are kept for the case that nothing else is found.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from recon_core.explain.answers.residuals import rounded_cash
from recon_core.explain.answers.verdicts import explanations_of, rounded_explanations
from recon_core.explain.budget import Budget, BudgetError
from recon_core.explain.problem.chances import is_coarse
from recon_core.explain.problem.hypotheses import Strength
from recon_core.explain.problem.problem import Problem
from recon_core.explain.proof.attempt import Answer, attempt
from recon_core.explain.proof.prover import Prover
from recon_core.explain.proof.snapshot_evidence import allowed
from recon_core.explain.search.candidates import Candidate, Found, candidates
from recon_core.model.explanation import Explanation

_MOST_ANSWERS: Final = 12
"""Most confirmed answers of one search; each costs a reconciliation.

With more candidates of equal evidence the answers are incomplete, and none is unique.
"""

_MOST_MEMBERS: Final = 12
"""Most choices of equal rows that are tried for one candidate; each costs a reconciliation.

The choices differ only in their time, which the PnL of a derivative depends on.
"""


@dataclass
class BestAnswers:
    """The confirmed answers of one session, and the candidates that snapshots contradict."""

    prover: Prover
    budget: Budget
    _contradicted: list[tuple[Problem, list[Found]]] = field(default_factory=list)

    def proven(self, problem: Problem, found: Iterable[Found]) -> list[Answer]:
        """Return the answers that the snapshots allow and a reconciliation confirms."""
        consistent, contradicted = allowed(problem, found, self.budget)
        if contradicted:
            self._contradicted.append((problem, contradicted))
        return self._verified(problem, consistent)

    def against_snapshots(self) -> tuple[Explanation, ...]:
        """Return explanations that fit the end of the session and contradict snapshots."""
        for problem, found in self._contradicted:
            answers = self._verified(problem, found)
            if answers:
                return self.explanations(answers)
        return ()

    def explanations(self, answers: list[Answer]) -> tuple[Explanation, ...]:
        """Return the explanations of answers with a fitted number, or with two faults.

        None without answers. If a side rounded its cash, no answer is unique unless the rows show
        every cause: other numbers would fit as well.
        """
        if not answers:
            return ()
        is_shown = all(answer.strength is Strength.SHOWN for answer in answers)
        # The shortest text of a binary float is no rounding.
        exact = is_shown or bool(self.prover.dimensions.dust)
        rounded = None if exact else rounded_cash(self.prover)
        if rounded is not None:
            return rounded_explanations(self.prover, answers, rounded.digits)
        return explanations_of(self.prover, answers)

    def _verified(self, problem: Problem, found: Iterable[Found]) -> list[Answer]:
        """Return the candidates with the best evidence that a reconciliation confirms."""
        answers: list[Answer] = []
        best, tried = None, 0
        for candidate in candidates(problem, list(found)):
            if best is not None and candidate.order > best:
                break
            if len(answers) == _MOST_ANSWERS:
                return [replace(answer, complete=False) for answer in answers]
            try:
                answer = self._attempt(problem, candidate)
            except BudgetError:
                if not answers:
                    raise
                return [replace(one, complete=False) for one in answers]
            tried += 1
            if answer is not None:
                answers.append(answer)
                best = candidate.order
        if is_coarse(problem, tried):
            return [replace(one, complete=False) for one in answers]
        return answers

    def _attempt(self, problem: Problem, candidate: Candidate) -> Answer | None:
        """Return the answer by the first choice of rows without residual, else the first answer."""
        near = None
        for hypotheses in candidate.members[:_MOST_MEMBERS]:
            answer = attempt(self.prover, problem, hypotheses, candidate.rows, self.budget)
            if answer is not None and not answer.outcome.all_remaining:
                return answer
            near = near or answer
        return near
