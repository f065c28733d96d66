"""A side that began with another balance: what the sides differ by, they differed by at first.

Shown by the openings of both sides, or by a snapshot from before the first row of all, where
the difference is that of the end. The rows in between have no part in it then.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from recon_core.explain.effects.changes import Change, names_of, shifted
from recon_core.explain.effects.space import Vector, is_position, minus
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
    shown = _by_openings(ground, opening, other, need) or _by_a_snapshot(ground, opening, need)
    if not need or shown is None:
        return
    detail = ", ".join(name.split("::", 1)[1] for name in sorted(need))
    if shown.since is not None:
        # The first row of all may be a fill that is lost: it would show in positions.
        if not shown.has_positions or any(map(is_position, need)):
            return
        detail += f", or of what moved it before {format_time(shown.since)}"
    change = Change(opening=_moved(ground, opening, need), old_opening=opening)
    yield Edit(CauseKind.OPENING_BALANCE, change, (), 0, detail)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Where the difference is seen first; `since` is a time after the opening, if any."""

    since: datetime | None
    has_positions: bool


def _by_openings(ground: Ground, mine: Opening, other: SideRecord, need: Vector) -> _Shown | None:
    """Both openings, with no row between them, if they differ by what is needed."""
    theirs = other.opening
    if theirs is None:
        return None
    given, right = ground.bookings.opening(mine), ground.bookings.opening(theirs)
    if ground.space.real(minus(right, given)) != need:
        return None
    if mine.as_of is None or theirs.as_of is None or mine.as_of == theirs.as_of:
        return _Shown(None, has_positions=True)
    last = max(mine.as_of, theirs.as_of)
    is_between = any(row.time <= last for row in ground.timeline)
    return None if is_between else _Shown(last, has_positions=True)


def _by_a_snapshot(ground: Ground, opening: Opening, need: Vector) -> _Shown | None:
    """The first snapshot, if from before the first row, where it differs by what is needed."""
    if not ground.timeline or not ground.divergence:
        return None
    first = ground.divergence.states[0]
    shows = first.need == need and all(map(first.knows, need))
    if not shows or first.time >= ground.timeline[0].time:
        return None
    is_later = opening.as_of is None or opening.as_of < first.time
    return _Shown(first.time if is_later else None, first.has_positions)


def _moved(ground: Ground, opening: Opening, need: Vector) -> Opening:
    """The opening with what is needed in its positions and balances."""
    names = names_of(ground.space, ground.recorded.own_records().values())
    held = replace(ground.record, positions=opening.positions, cash=opening.cash)
    moved = shifted(held, ground.space, need, names)
    return replace(opening, positions=moved.positions or (), cash=moved.cash or ())
