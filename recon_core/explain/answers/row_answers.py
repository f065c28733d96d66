"""Answers that the rows of both sides show, with proof: for all deltas, or for a part of them.

The exchange's own books are the first evidence. Rows that they contradict are at fault, and
only without them are the other rows of the exchange compared with the ledger.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Final

from recon_core.compare.aliases import names_of
from recon_core.explain.answers.fault_sequences import First
from recon_core.explain.answers.verdicts import explanations_of, is_whole, partial
from recon_core.explain.answers.votes import (
    is_against_the_record,
    own_reports,
    votes,
    votes_of_orders,
)
from recon_core.explain.budget import Budget
from recon_core.explain.causes.alias import currencies_of_rows
from recon_core.explain.causes.stale import by_another_clock
from recon_core.explain.problem.dimensions import deltas, is_order, minus
from recon_core.explain.problem.hypotheses import Hypothesis, together
from recon_core.explain.problem.patches import total_of
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.problems import contradictions, problem_of
from recon_core.explain.proof.attempt import Answer, attempt
from recon_core.explain.proof.prover import Prover
from recon_core.explain.search.row_comparison import RowComparison, other_rows
from recon_core.explain.search.self_consistency import (
    OwnContradictions,
    has_duplicate_ids,
    may_be_duplicate,
)
from recon_core.ledger.bookings import is_derivative
from recon_core.model import LedgerSide, SideRecord
from recon_core.model.explanation import Explanation

_OWN: Final = "a second statement of the exchange, as its balances, an order report or a snapshot"
_MOST_DIFFERENCES: Final = 12
"""Most differences of rows among which those that a state contradicts are chosen.

Their pairs, and all but two of them, are 132 choices at most.
"""

_FEW: Final = 2
"""Most rows that are wrong beside others, or right beside others."""

_COUNTED: Final = "what the external side counts once: its order reports or its statement"


@dataclass
class RowAnswers:
    """The answers that the rows of one session show, each computed once."""

    prover: Prover
    budget: Budget
    _answers: dict[LedgerSide, Answer | None] = field(default_factory=dict)
    _comparisons: dict[LedgerSide, RowComparison | None] = field(default_factory=dict)
    _problems: dict[tuple[LedgerSide, bool], Problem | None] = field(default_factory=dict)

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

    def other_currencies(self) -> dict[str, str]:
        """Return the currencies of the ledger that the other side's rows call otherwise.

        Rows are compared only where each side has a name that the other side does not know.
        """
        ours, theirs = map(names_of, self.prover.recorded.own_records().values())
        compared = None if ours <= theirs or theirs <= ours else self._compared
        return {} if compared is None else currencies_of_rows(ours, theirs, compared.differing())

    @cached_property
    def by_another_clock(self) -> Answer | None:
        """The answer that the ledger's clock is off, by the rows of both sides; else `None`."""
        compared = self._compared
        if compared is None:
            return None
        problem, right = compared.problem, compared.right
        ours = len(problem.fills) + len(problem.rows.movements)
        count = min(ours, len(right.fill_rows) + len(right.movement_rows))
        found = by_another_clock(problem, compared.differing(), count)
        return None if found is None else self._proven(problem, (found,), is_own=True)

    @cached_property
    def _compared(self) -> RowComparison | None:
        """The rows of the ledger compared with those of the exchange, if each lists its own."""
        compared = self._comparison(LedgerSide.INTERNAL)
        if compared is not None:
            self._spend_on(compared)
        return compared

    def _comparison(self, side: LedgerSide) -> RowComparison | None:
        """The rows of a side compared with those of the other side, `None` where one has none."""
        if side not in self._comparisons:
            problem, right = self._problem(side), self._rows(side.other)
            self._comparisons[side] = (
                None
                if problem is None or right is None
                else RowComparison(problem, right, self.prover.max_skew)
            )
        return self._comparisons[side]

    def _spend_on(self, compared: RowComparison) -> None:
        self.budget.spend(len(compared.problem.fills) + len(compared.right.fill_rows))

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
            if answer.rounded and self._posts_what_it_rounds(answer):
                continue
            if answer.outcome.proven and (answer.rounded or not best):
                best = [answer]
            if best and (best[0].rounded or not best[0].of_figures):
                break
        if not best:
            return []
        if is_against_the_record(best[0]) and not self._are_enough(best[0]):
            return [replace(best[0], complete=False, decides=_OWN)]
        if self._moves_what_agrees(best[0]):
            return [replace(best[0], complete=False, decides=_OWN)]
        if best[0].decides:
            return [*best, *self._otherwise()]
        return [*best, *self._rivals(best[0])]

    def _posts_what_it_rounds(self, answer: Answer) -> bool:
        """True if the figures of the exchange follow from the rows that it is said to round.

        A side that cuts off digits for its list has posted the whole figure.
        """
        return answer.side is LedgerSide.EXTERNAL and votes(self.prover, answer).noes > 0

    def _moves_what_agrees(self, answer: Answer) -> bool:
        """True if a repair of ledger rows moves a figure that agrees, and its books ask for none.

        The ledger states a figure as the exchange does. If its rows are off by the very amount of
        the repair they are wrong; if not, the row of the exchange may be the wrong one.
        """
        prover, record = self.prover, self.prover.recorded.internal
        replayed = prover.reconciliation.replays.get(LedgerSide.INTERNAL)
        if answer.side is LedgerSide.EXTERNAL or record is None or replayed is None:
            return False
        if replayed.positions is None or "cash" in record.derived:
            return False
        dimensions = prover.dimensions
        differing = dimensions.real(deltas(dimensions, prover.recorded))
        effect = total_of(part.effect for part in answer.parts)
        given = dimensions.state(replayed.positions, replayed.cash)
        off = dimensions.real(minus(minus(given, dimensions.stated(record)), effect))
        return any(name in off for name, by in effect.items() if by and name not in differing)

    def _rivals(self, answer: Answer) -> list[Answer]:
        """Return the answer that the exchange is at fault, if its own statements contradict it."""
        if answer.side is LedgerSide.EXTERNAL or self.prover.recorded.external is None:
            return []
        rival = self._answer_of(LedgerSide.EXTERNAL)
        if rival is None or not rival.outcome.proven:
            return []
        return [rival] if votes(self.prover, rival).may_be else []

    def in_part(self) -> list[Explanation]:
        """Return the explanations by rows that leave a part of the deltas."""
        return [partial(self.prover, answer) for answer in self._partial()]

    def firsts(self) -> list[First]:
        """Return the partial explanations, with their rivals, each with its side repaired.

        Those of the exchange's rows only where its own state shows that all of them are wrong.
        """
        return [
            (explanation, one.side, one.repaired)
            for one in self._partial()
            if one.side is LedgerSide.INTERNAL or self._is_shown_by_its_state(one)
            if is_whole(self.prover, [one])
            for explanation in explanations_of(self.prover, [one])
        ]

    def _is_shown_by_its_state(self, answer: Answer) -> bool:
        own = self._problem(answer.side, rows_right=True)
        hypotheses = [part.hypothesis for part in answer.parts]
        return own is not None and bool(own.required) and own.reached_by(together(hypotheses))

    @cached_property
    def against_its_state(self) -> Answer | None:
        """The answer that corrects those rows of the exchange which its own state contradicts.

        The state and the ledger's row are two statements against the row. All other differences
        are left: `None` if there are none, if the state does not show which rows are wrong, or if
        a report of an order says that another one is wrong as well.
        """
        if self._gives_what_it_states(LedgerSide.EXTERNAL):
            return None
        problem, right = self._problem(LedgerSide.EXTERNAL), self._rows(LedgerSide.INTERNAL)
        own = self._problem(LedgerSide.EXTERNAL, rows_right=True)
        if problem is None or right is None or own is None or not own.required:
            return None
        if not _lists_rows(problem.record):
            return None
        hypotheses = self._hypotheses(problem, right)
        wrong = _those_that_reach(own, hypotheses)
        if not wrong or self._are_reported(problem, hypotheses, wrong):
            return None
        return self._proven(problem, wrong, is_own=True)

    def _are_reported(
        self, problem: Problem, hypotheses: Sequence[Hypothesis], wrong: Sequence[Hypothesis]
    ) -> bool:
        """True if a report of an order says that another row than those said is wrong as well."""
        reports = own_reports(self.prover, problem.record)
        left = [one.patch for one in hypotheses if one not in wrong]
        corrected = together(hypotheses).applied(problem.record)
        found = votes_of_orders(reports, problem.record, corrected, left)
        return any(is_aye for _, is_aye in found)

    def _gives_what_it_states(self, side: LedgerSide) -> bool:
        """True if the rows of a side are known to give its state: no contract is replayed."""
        recorded, replays = self.prover.recorded, self.prover.reconciliation.replays
        replayed = replays.get(side)
        if replayed is None or replayed.positions is None or replayed.cash is None:
            return False
        if any(map(is_derivative, recorded.instruments.values())):
            return False
        return side not in contradictions(recorded, self.prover.dimensions, {side: replayed})

    def _partial(self) -> list[Answer]:
        return [answer for answer in self._read() if not answer.outcome.proven]

    def _read(self) -> Iterator[Answer]:
        """Yield the answers that the rows show, answers that correct the ledger first."""
        found = map(self._answer_of, LedgerSide)
        return (one for one in found if one is not None and one.outcome.resolved)

    def _answer_of(self, side: LedgerSide) -> Answer | None:
        if side not in self._answers:
            compared, answer = self._comparison(side), None
            if compared is not None and _lists_rows(compared.problem.record):
                self._spend_on(compared)
                answer = self._proven(compared.problem, compared.hypotheses())
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
        compared = RowComparison(problem, right, self.prover.max_skew)
        self._spend_on(compared)
        return tuple(compared.hypotheses())

    def _proven(
        self, problem: Problem, hypotheses: Sequence[Hypothesis], *, is_own: bool = False
    ) -> Answer | None:
        if not hypotheses:
            return None
        rows = tuple(hypothesis.rows for hypothesis in hypotheses)
        return attempt(
            self.prover, problem, hypotheses, rows, self.budget, read=True, is_own=is_own
        )

    def _problem(self, side: LedgerSide, *, rows_right: bool = False) -> Problem | None:
        key = side, rows_right
        if key not in self._problems:
            prover = self.prover
            self._problems[key] = problem_of(
                prover.recorded, prover.dimensions, side, side, rows_right=rows_right
            )
        return self._problems[key]

    def _rows(self, side: LedgerSide) -> SideRecord | None:
        """Return a side with its rows, `None` without any, or if its fills are the other side's."""
        recorded = self.prover.recorded
        return None if recorded.shares("fills") else other_rows(recorded.side(side))

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
        self.budget.spend(len(problem.fills) + len(other.fill_rows))
        return OwnContradictions(problem, other)


def _those_that_reach(own: Problem, hypotheses: Sequence[Hypothesis]) -> Sequence[Hypothesis]:
    """Return the one or two hypotheses, or all but one or two, that have the required effect.

    None if no choice has it, if the smallest choice is not the only one, or if it is all of them.
    """
    count = len(hypotheses)
    if count > _MOST_DIFFERENCES:
        return ()
    for size in range(1, count):
        if size > _FEW < count - size:
            continue
        found = [one for one in combinations(hypotheses, size) if own.reached_by(together(one))]
        if found:
            return found[0] if len(found) == 1 else ()
    return ()


def _lists_rows(record: SideRecord) -> bool:
    return record.fills is not None or record.movements is not None
