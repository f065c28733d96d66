"""Explaining a session: what is tried, in which order, and when an answer is proven.

First what the rows of both sides show, then faults of a whole state, then one fault, then
two. The first step that gives an answer ends the search; within a step the answers with the
best evidence count, and where several of them differ in kind or amount none is named alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from recon_core.comparison import ItemKind
from recon_core.errors import ReconError
from recon_core.explain.attempt import Answer, attempt
from recon_core.explain.budget import OPERATIONS, Budget, BudgetError
from recon_core.explain.candidates import Found, candidates
from recon_core.explain.edits import Edit
from recon_core.explain.ground import Ground, ground_of
from recon_core.explain.grounds import grounds
from recon_core.explain.order_reading import OrderReading
from recon_core.explain.proof import Prover
from recon_core.explain.row_reading import RowReading, other_rows
from recon_core.explain.search import Search
from recon_core.explain.solved import solved
from recon_core.explain.space import deltas, space_of
from recon_core.explain.spans import foreign, stale
from recon_core.explain.state_answers import state_answers
from recon_core.explain.systematic import systematic
from recon_core.explain.verdicts import explained, not_searched, unexplained
from recon_core.explanation import Effort, Explanation
from recon_core.model import LedgerSide
from recon_core.reconciliation import Reconciliation

_MOST_PROVEN: Final = 12
_OF_A_REPLAY: Final = 4
_INWARD: Final = (LedgerSide.INTERNAL, LedgerSide.EXTERNAL)
_OUTWARD: Final = (LedgerSide.EXTERNAL, LedgerSide.INTERNAL)


@dataclass
class _Explainer:
    """The steps of one session."""

    reconciliation: Reconciliation
    prover: Prover
    budget: Budget

    def answers(self) -> list[Answer]:
        """The answers of the first step that has any."""
        for step in self._steps():
            answers = step
            if answers:
                return answers
        return []

    def _steps(self) -> Iterator[list[Answer]]:
        yield self._read()
        found = grounds(self.reconciliation, self.prover.space)
        for ground in found:
            if ground.lagging:
                yield self._proven(ground, self._whole_rows(ground))
        searches = [Search(ground, self.budget) for ground in found if not ground.lagging]
        for search in searches:
            whole = self._whole_rows(search.ground)
            yield self._proven(search.ground, [*whole, *((one,) for one in search.singles())])
        for search in searches:
            yield self._proven(search.ground, self._second_look(search))
        for search in searches:
            more = replace(search, extra=self._atoms(search))
            yield self._proven(search.ground, more.pairs())

    def _read(self) -> list[Answer]:
        """What the rows of both sides show, the ledger held against the exchange first."""
        recorded, space = self.reconciliation.recorded, self.prover.space
        if recorded.shares("fills"):
            return []
        for side, other in (_INWARD, _OUTWARD):
            right = other_rows(recorded.side(other))
            ground = ground_of(recorded, space, side, side, rows_right=False)
            if right is None or ground is None or ground.record.fills is None:
                continue
            self.budget.spend(len(ground.fills) + len(right.fills or ()))
            max_skew = self.reconciliation.policy.max_skew
            edits = tuple(RowReading(ground, right, max_skew).edits())
            rows = tuple(edit.rows for edit in edits)
            answer = attempt(self.prover, ground, edits, rows, self.budget, read=True)
            if edits and answer is not None and answer.outcome.vanished:
                return [answer]
        return []

    def _whole_rows(self, ground: Ground) -> Iterator[Found]:
        max_skew = self.reconciliation.policy.max_skew
        self.budget.spend(len(ground.fills))
        if ground.rows_right:
            yield from ((edit,) for edit in stale(ground, max_skew))
        yield from ((edit,) for edit in foreign(ground))

    def _second_look(self, search: Search) -> list[Found]:
        ground, edits = search.ground, search.fill_edits
        self.budget.spend(len(ground.fills) * 16)
        found: list[Found] = list(OrderReading(ground, edits).readings())
        found += [
            (edit,)
            for edit in systematic(ground, edits)
            if ground.reaches(edit.change.vector(ground.bookings))
        ]
        found += [(edit,) for edit in solved(ground, edits)]
        return found

    def _atoms(self, search: Search) -> list[Edit]:
        return OrderReading(search.ground, search.fill_edits).atoms()

    def _proven(self, ground: Ground, found: Iterable[Found]) -> list[Answer]:
        """The candidates with the best evidence that a reconciliation bears out."""
        answers: list[Answer] = []
        best = None
        for candidate in candidates(ground, list(found)):
            if best is not None and candidate.order > best:
                break
            if len(answers) == _MOST_PROVEN:
                return [replace(answer, complete=False) for answer in answers]
            self.budget.spend(len(ground.fills) * _OF_A_REPLAY)
            answer = attempt(self.prover, ground, candidate.edits, candidate.rows, self.budget)
            if answer is not None:
                answers.append(answer)
                best = candidate.order
        return answers


def explain(
    reconciliation: Reconciliation, effort: Effort = Effort.FAST
) -> tuple[Explanation, ...]:
    """Why the two sides of a session differ.

    Nothing for a session without diffs, or that cannot be compared. One explanation, or
    one for each alternative where the books do not decide. Never raises for what a
    session holds; the answer depends on the session and the effort only.
    """
    if effort is Effort.OFF or not _can_differ(reconciliation):
        return ()
    space = space_of(
        reconciliation.recorded, reconciliation.comparisons, reconciliation.policy.float_dust
    )
    prover = Prover(reconciliation, space)
    if not prover.before:
        return ()
    return _explain(reconciliation, prover, Budget(OPERATIONS[effort]))


def _explain(
    reconciliation: Reconciliation, prover: Prover, budget: Budget
) -> tuple[Explanation, ...]:
    space = prover.space
    delta = space.real(deltas(space, reconciliation.recorded))
    states = state_answers(prover)
    if states:
        return states
    try:
        answers = _Explainer(reconciliation, prover, budget).answers()
    except BudgetError:
        return (not_searched(delta),)
    except ReconError:
        answers = []
    if answers:
        return explained(prover, answers)
    return (unexplained(prover, delta),) if delta else ()


def _can_differ(reconciliation: Reconciliation) -> bool:
    recorded = reconciliation.recorded
    if recorded.mirrored or recorded.internal is None or recorded.external is None:
        return False
    return any(one.item_kind is not ItemKind.SESSION for one in reconciliation.comparisons)
