"""Answers that the rows of both sides show, with proof: for all deltas, or for a part of them.

The exchange's own books are the first evidence. Rows that they contradict are at fault, and
only without them are the other rows of the exchange compared with the ledger.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from recon_core.explain.answers.fault_sequences import First
from recon_core.explain.answers.verdicts import explanations_of, partial
from recon_core.explain.answers.votes import is_against_the_record, votes
from recon_core.explain.budget import Budget
from recon_core.explain.causes import precedence
from recon_core.explain.problem.dimensions import is_order
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.problems import problem_of
from recon_core.explain.proof.attempt import Answer, attempt
from recon_core.explain.proof.prover import Prover
from recon_core.explain.search.row_comparison import RowComparison, other_rows
from recon_core.explain.search.self_consistency import (
    OwnContradictions,
    has_duplicate_ids,
    may_be_duplicate,
)
from recon_core.model import LedgerSide, SideRecord
from recon_core.model.explanation import Explanation, ExplanationVerdict

_PARTS: Final = "the executions of that order, whose sums are equal on both sides"
_OWN: Final = "a second statement of the exchange, as its balances, an order report or a snapshot"
_COUNTED: Final = "what the external side counts once: its order reports or its statement"


@dataclass
class RowAnswers:
    """The answers that the rows of one session show, each computed once."""

    prover: Prover
    budget: Budget
    _answers: dict[LedgerSide, Answer | None] = field(default_factory=dict)

    @cached_property
    def contradicted(self) -> Answer | None:
        """The answer that corrects the rows of the exchange which its own books contradict.

        `None` without such rows. It may account for a part of the deltas only.
        """
        outer = self.prover.recorded.external
        if outer is None or not (self._has_order_diffs or has_duplicate_ids(outer)):
            return None
        contradictions = self._contradictions
        if contradictions is None:
            return None
        hypotheses = self._hypotheses(contradictions.problem, contradictions.right())
        answer = self._proven(contradictions.problem, hypotheses, is_own=True)
        return answer if answer is not None and self._are_enough(answer) else None

    def _are_enough(self, answer: Answer) -> bool:
        """True if the statements of the exchange prove that rows of its own are wrong."""
        of_ledger = self._answer_of(LedgerSide.INTERNAL)
        fits = of_ledger is not None and of_ledger.outcome.proven
        return votes(self.prover, answer).are_enough(is_only_answer=not fits)

    def best(self) -> list[Answer]:
        """Return the proven answer by the rows, a rounding before any other, or none.

        If a row of the exchange may be a duplicate, the answer that removes it is an alternative.
        """
        best: list[Answer] = []
        for answer in self._read():
            if answer.outcome.proven and (answer.rounded or not best):
                best = [answer]
            if best and (best[0].rounded or not best[0].of_figures):
                break
        if not best:
            return []
        hypotheses = [part.hypothesis for part in best[0].parts]
        if precedence.are_in_other_parts(hypotheses):
            return [replace(best[0], complete=False, decides=_PARTS)]
        if is_against_the_record(best[0]) and not self._are_enough(best[0]):
            return [replace(best[0], complete=False, decides=_OWN)]
        if best[0].decides:
            return [*best, *self._otherwise()]
        return [*best, *self._rivals(best[0])]

    def _rivals(self, answer: Answer) -> list[Answer]:
        """Return the answer that the exchange is at fault, if it fits and may be right.

        Its lists end before what the ledger has in addition, or a fee that both sides state is
        that of the ledger's figure, or a statement of its own contradicts its rows.
        """
        outer = self.prover.recorded.external
        if answer.side is LedgerSide.EXTERNAL or outer is None:
            return []
        rival = self._answer_of(LedgerSide.EXTERNAL)
        if rival is None or not rival.outcome.proven:
            return []
        hypotheses = [part.hypothesis for part in answer.parts]
        may_be = (
            precedence.ends_before(hypotheses, outer)
            or precedence.fee_supports_given(answer.problem, hypotheses)
            or votes(self.prover, rival).may_be
        )
        return [rival] if may_be else []

    def in_part(self) -> list[Explanation]:
        """Return the explanations by rows that leave a part of the deltas."""
        return [partial(self.prover, answer) for answer in self._partial()]

    def firsts(self) -> list[First]:
        """Return the `unique` partial explanations, each with its side without the fault."""
        found = [(explanations_of(self.prover, [one])[0], one) for one in self._partial()]
        return [
            (explanation, one.side, one.repaired)
            for explanation, one in found
            if explanation.verdict is ExplanationVerdict.UNIQUE
        ]

    def _partial(self) -> list[Answer]:
        return [answer for answer in self._read() if not answer.outcome.proven]

    def _read(self) -> Iterator[Answer]:
        """Yield the answers that the rows show, answers that correct the ledger first."""
        if not self.prover.recorded.shares("fills"):
            found = map(self._answer_of, LedgerSide)
            yield from (one for one in found if one is not None and one.outcome.resolved)

    def _answer_of(self, side: LedgerSide) -> Answer | None:
        if side not in self._answers:
            problem, right, answer = self._problem(side), self._rows(side.other), None
            if problem is not None and right is not None and _lists_rows(problem.record):
                answer = self._proven(problem, self._hypotheses(problem, right))
            if answer is not None and self._is_doubtful(answer):
                answer = replace(answer, complete=False, decides=_COUNTED)
            self._answers[side] = answer
        return self._answers[side]

    def _is_doubtful(self, answer: Answer) -> bool:
        """True if a row that seems missing from the ledger may be a duplicate of the exchange."""
        patch = answer.patch
        if answer.side is LedgerSide.EXTERNAL or not (patch.added or patch.added_movements):
            return False
        outer = self.prover.recorded.external
        if outer is None or not (self._has_order_diffs or may_be_duplicate(patch, outer)):
            return False
        contradictions = self._contradictions
        return (
            contradictions is not None
            and contradictions.without_doubtful() is not contradictions.problem.record
        )

    def _otherwise(self) -> list[Answer]:
        """Return the answer that removes possible duplicates of the exchange, if it is proven."""
        contradictions = self._contradictions
        if contradictions is None:
            return []
        answer = self._proven(
            contradictions.problem,
            self._hypotheses(contradictions.problem, contradictions.without_doubtful()),
        )
        return [answer] if answer is not None and answer.outcome.proven else []

    def _hypotheses(self, problem: Problem, right: SideRecord) -> tuple[Hypothesis, ...]:
        if right is problem.record:
            return ()
        self.budget.spend(len(problem.fills) + len(right.fills or ()))
        return tuple(RowComparison(problem, right, self.prover.max_skew).hypotheses())

    def _proven(
        self, problem: Problem, hypotheses: Sequence[Hypothesis], *, is_own: bool = False
    ) -> Answer | None:
        if not hypotheses:
            return None
        rows = tuple(hypothesis.rows for hypothesis in hypotheses)
        return attempt(
            self.prover, problem, hypotheses, rows, self.budget, read=True, is_own=is_own
        )

    def _problem(self, side: LedgerSide) -> Problem | None:
        prover = self.prover
        return problem_of(prover.recorded, prover.dimensions, side, side, rows_right=False)

    def _rows(self, side: LedgerSide) -> SideRecord | None:
        return other_rows(self.prover.recorded.side(side))

    @property
    def _has_order_diffs(self) -> bool:
        return any(is_order(each) for each in self.prover.before)

    @cached_property
    def _contradictions(self) -> OwnContradictions | None:
        """The exchange's rows and the ledger's; `None` unless both sides give their own fills."""
        other = self._rows(LedgerSide.INTERNAL)
        problem = None if other is None else self._problem(LedgerSide.EXTERNAL)
        if other is None or problem is None or not _lists_rows(problem.record):
            return None
        if (problem.record.fills is None) is not (other.fills is None):
            return None
        if self.prover.recorded.shares("fills"):
            return None
        self.budget.spend(len(problem.fills) + len(other.fills or ()))
        return OwnContradictions(problem, other)


def _lists_rows(record: SideRecord) -> bool:
    return record.fills is not None or record.movements is not None
