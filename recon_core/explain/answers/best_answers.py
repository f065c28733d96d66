"""The best answers: candidates that a reconciliation bears out, those with the best evidence.

Candidates that the snapshots speak against are put aside; they are looked at where nothing
else is found.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from recon_core.explain.answers.rounded_cash import rounded_cash
from recon_core.explain.answers.verdicts import explained, nearly_explained
from recon_core.explain.budget import Budget, BudgetError
from recon_core.explain.faults.chances import is_coarse
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.proving.attempt import Answer, attempt
from recon_core.explain.proving.proof import Prover
from recon_core.explain.proving.since import allowed
from recon_core.explain.searching.candidates import Candidate, Found, candidates
from recon_core.explanation import Explanation

_MOST_PROVEN: Final = 12
_MOST_MEMBERS: Final = 12


@dataclass
class BestAnswers:
    """The answers of one session, and the candidates that were put aside."""

    prover: Prover
    budget: Budget
    _contradicted: list[tuple[Ground, list[Found]]] = field(default_factory=list)

    def proven(self, ground: Ground, found: Iterable[Found]) -> list[Answer]:
        """Those of the candidates that the snapshots allow that are borne out."""
        fitting, contradicted = allowed(ground, found, self.budget)
        if contradicted:
            self._contradicted.append((ground, contradicted))
        return self._borne_out(ground, fitting)

    def against_snapshots(self) -> tuple[Explanation, ...]:
        """What fits the end, and not the snapshots: nothing that fits both was found."""
        for ground, found in self._contradicted:
            answers = self._borne_out(ground, found)
            if answers:
                return self.solved(answers)
        return ()

    def solved(self, answers: list[Answer]) -> tuple[Explanation, ...]:
        """Numbers that were solved for, or two faults: cash that was rounded proves none."""
        is_shown = all(answer.rank == 0 for answer in answers)
        # The shortest text of a binary float is no rounding.
        exact = is_shown or bool(self.prover.space.dust)
        rounded = None if exact else rounded_cash(self.prover)
        if rounded is not None:
            return nearly_explained(self.prover, answers, rounded.digits)
        return explained(self.prover, answers)

    def _borne_out(self, ground: Ground, found: Iterable[Found]) -> list[Answer]:
        """The candidates with the best evidence that a reconciliation bears out."""
        answers: list[Answer] = []
        best, tried = None, 0
        for candidate in candidates(ground, list(found)):
            if best is not None and candidate.order > best:
                break
            if len(answers) == _MOST_PROVEN:
                return [replace(answer, complete=False) for answer in answers]
            try:
                answer = self._attempt(ground, candidate)
            except BudgetError:
                if not answers:
                    raise
                return [replace(one, complete=False) for one in answers]
            tried += 1
            if answer is not None:
                answers.append(answer)
                best = candidate.order
        if is_coarse(ground, tried):
            return [replace(one, complete=False) for one in answers]
        return answers

    def _attempt(self, ground: Ground, candidate: Candidate) -> Answer | None:
        """The answer of the first choice of rows that gives all to the last digit, or nearly."""
        nearly = None
        for edits in candidate.members[:_MOST_MEMBERS]:
            answer = attempt(self.prover, ground, edits, candidate.rows, self.budget)
            if answer is not None and not answer.outcome.rest:
                return answer
            nearly = nearly or answer
        return nearly
