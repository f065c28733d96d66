"""A side that began with another balance: what the sides differ by, they differed by at first.

Shown by the openings of both sides, or by a snapshot from before the first row of all, where
the difference is that of the end. The rows in between have no part in it then.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from recon_core.explain.effects.changes import Change, names_of, shifted
from recon_core.explain.effects.space import Vector, minus
from recon_core.explain.faults.edits import Edit
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Opening, SideRecord
from recon_core.times import format_time


def first_balances(ground: Ground) -> Iterator[Edit]:
    """The edit that gives the rows the opening by which all that differs is right, if shown."""
    opening, other = ground.record.opening, ground.recorded.side(ground.owner.other)
    is_own = ground.rows_right and ground.side is ground.owner
    if opening is None or other is None or is_own or ground.lagging:
        return
    need = ground.space.real(ground.exact)
    detail = ", ".join(name.split("::", 1)[1] for name in sorted(need))
    if not _by_openings(ground, opening, other, need):
        first = _by_a_snapshot(ground, need)
        if first is None:
            return
        if opening.as_of is None or opening.as_of < first:
            detail += f", or of what moved it before {format_time(first)}"
    if need:
        change = Change(opening=_moved(ground, opening, need), old_opening=opening)
        yield Edit(CauseKind.OPENING_BALANCE, change, (), 0, detail)


def _by_openings(ground: Ground, mine: Opening, other: SideRecord, need: Vector) -> bool:
    """Whether both openings, with no row between them, differ by what is needed."""
    theirs = other.opening
    if theirs is None:
        return False
    last = max((one.as_of for one in (mine, theirs) if one.as_of is not None), default=None)
    if mine.as_of != theirs.as_of and any(row.time <= last for row in ground.timeline if last):
        return False
    bookings = ground.bookings
    return ground.space.real(minus(bookings.opening(theirs), bookings.opening(mine))) == need


def _by_a_snapshot(ground: Ground, need: Vector) -> datetime | None:
    """The time of the first snapshot, if before the first row, where it differs by the need."""
    if not ground.timeline or not ground.divergence:
        return None
    first = ground.divergence.states[0]
    shows = first.need == need and all(map(first.knows, need))
    return first.time if shows and first.time < ground.timeline[0].time else None


def _moved(ground: Ground, opening: Opening, need: Vector) -> Opening:
    """The opening with what is needed in its positions and balances."""
    names = names_of(ground.space, ground.recorded.own_records().values())
    held = replace(ground.record, positions=opening.positions, cash=opening.cash)
    moved = shifted(held, ground.space, need, names)
    return replace(opening, positions=moved.positions or (), cash=moved.cash or ())
