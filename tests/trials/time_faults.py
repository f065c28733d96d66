"""Faults of time: a side that is older than it says, or than its rows."""

from dataclasses import replace
from datetime import datetime, timedelta

from recon_core.model import (
    SideRecord,
)
from recon_core.model.explanation import CauseKind
from recon_core.mutate.changes import shifted_in_time, until
from tests.trials.bases import Base
from tests.trials.fault import Dice, Fault, ids_of


def stale_side(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """The last fills and movements were not yet seen, and the side says of when it is."""
    times = sorted({fill.time for fill in book.fills or ()})
    if len(times) < 3:
        return None
    cut = times[-min(dice.randint(1, 12), len(times) - 1) - 1]
    return _until(book, cut, CauseKind.STALE_SIDE, f"of {cut:%H:%M:%S}")


def behind(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """The last fills and movements were not yet seen, and the side says that it is of now."""
    fault = stale_side(base, book, dice)
    return fault and replace(fault, as_of=None, also=fault.also | {CauseKind.AS_OF_SHIFT})


def _until(book: SideRecord, cut: datetime, kind: CauseKind, how: str) -> Fault | None:
    fills = [fill for fill in book.fills or () if fill.time > cut]
    moved = [row for row in book.movements or () if row.time > cut]
    if not fills:
        return None
    also = {CauseKind.STALE_SIDE, CauseKind.AS_OF_SHIFT} - {kind}
    also |= {CauseKind.MISSING_FILL} if len(fills) + len(moved) == 1 else set()
    is_stale = kind is CauseKind.STALE_SIDE
    return Fault(
        kind,
        how,
        until(book, cut),
        more_ids=ids_of(fills) | {row.movement_id for row in moved},
        also=frozenset(also if not is_stale else also - {CauseKind.AS_OF_SHIFT}),
        as_of=cut if is_stale else None,
        fills=tuple(fills),
    )


def as_of_shift(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A state of exactly one hour or one day earlier, under the same `as_of`."""
    hours = dice.choice((1, 24))
    cut = book.as_of - timedelta(hours=hours)
    if not any(fill.time <= cut for fill in book.fills or ()):
        return None
    return _until(book, cut, CauseKind.AS_OF_SHIFT, f"{hours} h")


def shifted_rows(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """All times of all rows are off by exactly one hour or one day."""
    if not book.fills:
        return None
    shift = timedelta(hours=dice.choice((1, -1, 24, -24)))
    return Fault(
        CauseKind.AS_OF_SHIFT,
        f"rows {shift}",
        shifted_in_time(book, shift),
        more_ids=ids_of(book.fills) | {row.movement_id for row in book.movements or ()},
        moves_nothing=True,
    )
