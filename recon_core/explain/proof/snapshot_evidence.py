"""Snapshots as evidence: the candidates that they allow, and the time of a cause."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from recon_core.explain.budget import OF_A_REPLAY, Budget
from recon_core.explain.problem.dimensions import Vector, minus, negated
from recon_core.explain.problem.hypotheses import MISSING_ID, Hypothesis, together
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.snapshots import Divergence, TimedPosting
from recon_core.explain.proof.attempt import Answer
from recon_core.explain.search.candidates import Found
from recon_core.ledger.running import states_at_snapshots
from recon_core.model import Fill, SideRecord, Snapshot
from recon_core.values.errors import ReconError
from recon_core.values.times import format_time


def allowed(
    problem: Problem, found: Iterable[Found], budget: Budget
) -> tuple[list[Found], list[Found]]:
    """Split candidates into those that the snapshots allow and those that a snapshot contradicts.

    A fill that no row states gets the first time at which the sides differ. Raises `BudgetError` if
    the budget ends first.
    """
    divergence, every = problem.divergence, list(found)
    if not divergence:
        return every, []
    consistent, contradicted = [], []
    for hypotheses in every:
        rows = sum(
            len(hypothesis.patch.removed) + len(hypothesis.patch.added) for hypothesis in hypotheses
        )
        budget.spend(divergence.operations + rows)
        timed = _timed(problem, hypotheses)
        if divergence.matches(list(_postings_of(problem, timed))):
            consistent.append(timed)
        else:
            contradicted.append(hypotheses)
    return consistent, contradicted


def is_contradicted(answer: Answer) -> bool:
    """True if a snapshot contradicts an answer; derivatives are replayed for it."""
    problem, hypotheses = answer.problem, tuple(part.hypothesis for part in answer.parts)
    divergence = problem.divergence
    if not divergence:
        return False
    posted = list(_postings_of(problem, hypotheses))
    if not any(one.unknown for one in posted) or problem.record.opening is None:
        return not divergence.matches(posted)
    return not divergence.matches(list(_replayed(problem, together(hypotheses))))


def operations(problem: Problem) -> int:
    """Return the cost of a problem's snapshots: a replay of each side, 0 without snapshots."""
    other = problem.recorded.side(problem.owner.other)
    if not problem.divergence or other is None:
        return 0
    return OF_A_REPLAY * (len(problem.fills) + len(other.fill_rows))


def since(answer: Answer) -> str:
    """Return a clause on the time since which the sides differ, empty without evidence."""
    text = answer.problem.divergence.text
    return f"; {text}" if text else ""


def time_of(hypothesis: Hypothesis, answer: Answer) -> str:
    """Return a clause on the time of a fill that no row states, by the snapshots, else empty."""
    if not is_unstated(hypothesis):
        return ""
    others = [part.hypothesis for part in answer.parts if part.hypothesis is not hypothesis]
    left = remaining_after(answer.problem, others)
    after = "" if left.last_equal is None else f"after {format_time(left.last_equal)}"
    latest = "" if left.differs is None else f"{format_time(left.differs.time)} at the latest"
    when = ", ".join(part for part in (after, latest) if part)
    return f"; by the snapshots it was {when}" if when else ""


def _timed(problem: Problem, hypotheses: Found) -> Found:
    """Return hypotheses with their unstated fills at times that the snapshots allow, in order."""
    known = [hypothesis for hypothesis in hypotheses if not is_unstated(hypothesis)]
    if len(known) == len(hypotheses):
        return hypotheses
    timed = []
    for hypothesis in hypotheses:
        if is_unstated(hypothesis):
            timed.append(
                _at(hypothesis, _time_in(problem, remaining_after(problem, known), hypothesis))
            )
            known.append(timed[-1])
        else:
            timed.append(hypothesis)
    return tuple(timed)


def _at(hypothesis: Hypothesis, time: datetime) -> Hypothesis:
    added = tuple(replace(fill, time=time) for fill in hypothesis.patch.added)
    return replace(hypothesis, patch=replace(hypothesis.patch, added=added), rows=added)


def _time_in(problem: Problem, left: Divergence, hypothesis: Hypothesis) -> datetime:
    if left.differs is not None:
        return left.differs.time
    given = hypothesis.patch.added[0].time
    if left.last_equal is None or given > left.last_equal:
        return given
    return max(one.as_of for one in problem.recorded.own_records().values())


def is_unstated(hypothesis: Hypothesis) -> bool:
    """True if a hypothesis is a fill that neither a row nor an order states."""
    return bool(hypothesis.rows) and all(
        isinstance(row, Fill) and row.fill_id == MISSING_ID and not row.order_id
        for row in hypothesis.rows
    )


def remaining_after(problem: Problem, hypotheses: Iterable[Hypothesis]) -> Divergence:
    """Return the divergence that remains after some hypotheses."""
    posted = list(_postings_of(problem, hypotheses))
    return problem.divergence.after(posted) if posted else problem.divergence


def _postings_of(problem: Problem, hypotheses: Iterable[Hypothesis]) -> Iterator[TimedPosting]:
    """Yield the postings of hypotheses, row by row."""
    patch, postings = together(hypotheses), problem.postings
    for rows, sign in ((patch.removed, negated), (patch.added, dict)):
        for fill in rows:
            unknown: frozenset[str] = frozenset()
            if postings.derivative(fill.symbol):
                currency = postings.instruments[fill.symbol].settlement
                unknown = frozenset({postings.cash(currency, fill.account)})
            yield TimedPosting(fill.time, sign(postings.fill(fill)), unknown)
    for moved, sign in ((patch.removed_movements, negated), (patch.added_movements, dict)):
        for movement in moved:
            yield TimedPosting(movement.time, sign(postings.movement(movement)))
    if patch.opening is not None and patch.old_opening is not None:
        held = postings.opening(patch.opening), postings.opening(patch.old_opening)
        yield TimedPosting(None, minus(*held))


def _replayed(problem: Problem, patch: Patch) -> Iterator[TimedPosting]:
    """Yield the postings of a patch from one snapshot to the next, by replay."""
    snapshots = tuple(Snapshot(state.time) for state in problem.divergence.states)
    try:
        before = _states(problem, replace(problem.record, snapshots=snapshots))
        after = _states(problem, replace(patch.applied(problem.record), snapshots=snapshots))
    except ReconError:
        return
    last: Vector = {}
    for one, old, new in zip(snapshots, before, after, strict=True):
        total = minus(new, old)
        yield TimedPosting(one.as_of, minus(total, last))
        last = total


def _states(problem: Problem, record: SideRecord) -> list[Vector]:
    return [
        problem.dimensions.state(states.positions, states.cash)
        for _, states in states_at_snapshots(problem.recorded, record, cash=True)
    ]
