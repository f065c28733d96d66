"""Explaining a session: what is tried, in which order, and when an answer is proven.

First what the rows of both sides show, then faults of a whole state, then one fault, then
two. The first step that gives an answer ends the search; within a step the answers with the
best evidence count, and where several of them differ in kind or amount none is named alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from recon_core.comparison import ItemKind
from recon_core.errors import ReconError
from recon_core.explain.attempt import Answer, attempt
from recon_core.explain.budget import OPERATIONS, Budget, BudgetError
from recon_core.explain.changes import Change
from recon_core.explain.edits import Edit, Row
from recon_core.explain.fill_edits import twin
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
from recon_core.model import LedgerSide, Movement
from recon_core.reconciliation import Reconciliation

_MOST_PROOFS: Final = 24
_INWARD: Final = (LedgerSide.INTERNAL, LedgerSide.EXTERNAL)
_OUTWARD: Final = (LedgerSide.EXTERNAL, LedgerSide.INTERNAL)

Found = tuple[Edit, ...]


@dataclass
class _Explainer:
    """The steps of one session."""

    reconciliation: Reconciliation
    prover: Prover
    budget: Budget
    _searches: list[Search] = field(default_factory=list)

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
            answer = attempt(self.prover, ground, edits, [edit.rows for edit in edits])
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
        groups = _grouped(ground, list(found))
        answers: list[Answer] = []
        best = None
        for proofs, (rank, edits, rows) in enumerate(groups):
            if (best is not None and rank > best) or proofs >= _MOST_PROOFS:
                break
            self.budget.spend(len(ground.fills))
            answer = attempt(self.prover, ground, edits, rows)
            if answer is not None:
                answers.append(answer)
                best = rank
        return answers


def _grouped(
    ground: Ground, found: Sequence[Found]
) -> list[tuple[tuple[int, bool], Found, list[tuple[Row, ...]]]]:
    """Candidates that differ in more than interchangeable rows, the best evidence first."""
    groups: dict[Any, list[Found]] = {}
    for edits in found:
        ordered = tuple(sorted(edits, key=lambda edit: str(_key(edit))))
        groups.setdefault(tuple(_key(edit) for edit in ordered), []).append(ordered)
    result = []
    for members in groups.values():
        rank = min(max(edit.rank for edit in edits) for edits in members)
        best = [edits for edits in members if max(edit.rank for edit in edits) == rank]
        rows = [_united([edits[at] for edits in best]) for at in range(len(best[0]))]
        if len(rows) > 1 and _key(best[0][0]) == _key(best[0][1]):
            union = _united([edit for edits in best for edit in edits])
            rows = [union, union]
        result.append(((rank, not _is_close(ground, best[0])), best[0], rows))
    return sorted(result, key=lambda each: each[0])


def _is_close(ground: Ground, edits: Found) -> bool:
    """Whether edits give the need to far less than what floats may be off."""
    if not ground.space.dust:
        return True
    change = Change()
    for edit in edits:
        change = change.joined(edit.change)
    return ground.is_close(change.vector(ground.bookings))


def _united(edits: Sequence[Edit]) -> tuple[Row, ...]:
    """All rows of edits, each once."""
    return tuple({id(row): row for edit in edits for row in edit.rows}.values())


def _key(edit: Edit) -> tuple[Any, ...]:
    """What an edit does, whichever of several equal rows it does it to."""
    change = edit.change
    moved = tuple(
        tuple(map(_movement_key, rows))
        for rows in (change.removed_movements, change.added_movements)
    )
    fills = tuple(tuple(map(twin, rows)) for rows in (change.removed, change.added))
    return str(edit.cause_kind), fills, moved, edit.detail if change.opening else ""


def _movement_key(movement: Movement) -> tuple[Any, ...]:
    return (
        movement.movement_kind,
        movement.currency,
        movement.amount,
        movement.symbol,
        movement.quantity,
        movement.account,
    )


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
