"""Since when: which candidates the snapshots allow, and what is said of the time of a cause."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from recon_core.errors import ReconError
from recon_core.explain.budget import OF_A_REPLAY, Budget
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.space import Vector, minus, negated
from recon_core.explain.faults.edits import MISSING_ID, Edit, together
from recon_core.explain.grounds.divergence import Booked, Divergence
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.proving.attempt import Answer
from recon_core.explain.searching.candidates import Found
from recon_core.ledger.running import states_at_snapshots
from recon_core.model import Fill, SideRecord, Snapshot
from recon_core.times import format_time


def allowed(
    ground: Ground, found: Iterable[Found], budget: Budget
) -> tuple[list[Found], list[Found]]:
    """The candidates that the snapshots allow, and those that one of them contradicts.

    A fill that no row tells is of the first time at which the sides differ.
    """
    divergence, every = ground.divergence, list(found)
    if not divergence:
        return every, []
    fitting, contradicted = [], []
    for edits in every:
        rows = sum(len(edit.change.removed) + len(edit.change.added) for edit in edits)
        budget.spend(divergence.operations + rows)
        timed = _timed(ground, edits)
        if divergence.leads(list(_booked(ground, timed))):
            fitting.append(timed)
        else:
            contradicted.append(edits)
    return fitting, contradicted


def is_contradicted(answer: Answer) -> bool:
    """Whether a snapshot contradicts an answer; what derivatives book is found by replay."""
    ground, edits = answer.ground, tuple(part.edit for part in answer.parts)
    divergence = ground.divergence
    if not divergence:
        return False
    booked = list(_booked(ground, edits))
    if not any(one.unsure for one in booked) or ground.record.opening is None:
        return not divergence.leads(booked)
    return not divergence.leads(list(_replayed(ground, together(edits))))


def operations(ground: Ground) -> int:
    """What the evidence of a ground costs: a replay of each side, where there are snapshots."""
    other = ground.recorded.side(ground.owner.other)
    if not ground.divergence or other is None:
        return 0
    return OF_A_REPLAY * (len(ground.fills) + len(other.fills or ()))


def since(answer: Answer) -> str:
    """Since when the sides differ, to be added to a proof; empty where nothing tells."""
    text = answer.ground.divergence.text
    return f"; {text}" if text else ""


def time_of(edit: Edit, answer: Answer) -> str:
    """When a fill that no row tells was, as far as the snapshots say it."""
    if not is_untold(edit):
        return ""
    others = [part.edit for part in answer.parts if part.edit is not edit]
    left = besides(answer.ground, others)
    after = "" if left.agreed is None else f"after {format_time(left.agreed)}"
    latest = "" if left.differs is None else f"{format_time(left.differs.time)} at the latest"
    when = ", ".join(part for part in (after, latest) if part)
    return f"; by the snapshots it was {when}" if when else ""


def _timed(ground: Ground, edits: Found) -> Found:
    """The edits with the fills that no row tells at times that the snapshots allow, in order."""
    known = [edit for edit in edits if not is_untold(edit)]
    if len(known) == len(edits):
        return edits
    timed = []
    for edit in edits:
        if is_untold(edit):
            timed.append(_at(edit, _time_in(ground, besides(ground, known), edit)))
            known.append(timed[-1])
        else:
            timed.append(edit)
    return tuple(timed)


def _at(edit: Edit, time: datetime) -> Edit:
    added = tuple(replace(fill, time=time) for fill in edit.change.added)
    return replace(edit, change=replace(edit.change, added=added), rows=added)


def _time_in(ground: Ground, left: Divergence, edit: Edit) -> datetime:
    if left.differs is not None:
        return left.differs.time
    given = edit.change.added[0].time
    if left.agreed is None or given > left.agreed:
        return given
    return max(one.as_of for one in ground.recorded.own_records().values())


def is_untold(edit: Edit) -> bool:
    """Whether an edit is a fill that neither a row nor an order tells."""
    return bool(edit.rows) and all(
        isinstance(row, Fill)
        and row.fill_id == MISSING_ID
        and not (row.client_order_id or row.exchange_order_id)
        for row in edit.rows
    )


def besides(ground: Ground, edits: Iterable[Edit]) -> Divergence:
    """The divergence that is left besides some edits."""
    booked = list(_booked(ground, edits))
    return ground.divergence.after(booked) if booked else ground.divergence


def _booked(ground: Ground, edits: Iterable[Edit]) -> Iterator[Booked]:
    """What edits book, row by row."""
    change, bookings = together(edits), ground.bookings
    for rows, sign in ((change.removed, negated), (change.added, dict)):
        for fill in rows:
            unsure: frozenset[str] = frozenset()
            if bookings.derivative(fill.symbol):
                settled = bookings.instruments[fill.symbol].settlement
                unsure = frozenset({bookings.cash(settled, fill.account)})
            yield Booked(fill.time, sign(bookings.fill(fill)), unsure)
    for moved, sign in ((change.removed_movements, negated), (change.added_movements, dict)):
        for movement in moved:
            yield Booked(movement.time, sign(bookings.movement(movement)))
    if change.opening is not None and change.old_opening is not None:
        held = bookings.opening(change.opening), bookings.opening(change.old_opening)
        yield Booked(None, minus(*held))


def _replayed(ground: Ground, change: Change) -> Iterator[Booked]:
    """What a change books from one time between to the next, by replay."""
    told = tuple(Snapshot(state.time) for state in ground.divergence.states)
    try:
        before = _states(ground, replace(ground.record, snapshots=told))
        after = _states(ground, replace(change.applied(ground.record), snapshots=told))
    except ReconError:
        return
    last: Vector = {}
    for one, old, new in zip(told, before, after, strict=True):
        total = minus(new, old)
        yield Booked(one.as_of, minus(total, last))
        last = total


def _states(ground: Ground, record: SideRecord) -> list[Vector]:
    return [
        ground.space.state(states.positions, states.cash)
        for _, states in states_at_snapshots(ground.recorded, record, cash=True)
    ]
