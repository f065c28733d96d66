"""Faults that are a span of rows: a side that is behind, a shift of time, another's rows."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from operator import attrgetter
from typing import Any, Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.space import add_to, minus, negated, plus
from recon_core.explain.faults.edits import Edit, Row
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.ledger import PositionLedger
from recon_core.ledger.bookings import held_quantity
from recon_core.ledger.timeline import in_order
from recon_core.model import Fill, Movement
from recon_core.times import format_time

_FEW: Final = 3
_SHIFTS: Final = {
    "one hour": timedelta(hours=1),
    "one day": timedelta(days=1),
}


def spans(ground: Ground, max_skew: timedelta) -> Iterator[Edit]:
    """Every span of rows that is what is needed: a side that is behind, another's rows."""
    if ground.rows_right:
        yield from stale(ground, max_skew)
    yield from foreign(ground)


def stale(ground: Ground, max_skew: timedelta) -> Iterator[Edit]:
    """The last rows are not in the books of the side: its state is of an earlier time."""
    derivative = any(map(ground.bookings.derivative, ground.rows.symbols))
    if not derivative and _by_position(ground) == []:
        return
    rows: list[Row] = [*ground.timeline]
    rows.sort(key=attrgetter("time"), reverse=True)
    reached = _by_replay(ground) if derivative else _by_sums(ground, rows)
    for at in reached:
        earlier = rows[at].time if at < len(rows) else None
        if at > 1 or _says_so(ground, rows[0].time):
            yield _behind(ground, rows[:at], earlier, max_skew)


def _by_sums(ground: Ground, rows: Sequence[Row]) -> Iterator[int]:
    """How many of the last rows, all of a time together, are what is needed when they go."""
    ends = _by_position(ground)
    if ends is not None and len(ends) <= _FEW:
        for at in ends:
            if ground.reaches(negated(_booked(ground, rows[:at]))):
                yield at
        return
    total: dict[str, Any] = {}
    for at, row in enumerate(rows, start=1):
        booked = (
            ground.bookings.fill(row) if isinstance(row, Fill) else ground.bookings.movement(row)
        )
        for name, amount in booked.items():
            add_to(total, name, amount.copy_negate())
        last_of_time = at == len(rows) or rows[at].time != row.time
        if last_of_time and ground.reaches(total):
            yield at


def _by_position(ground: Ground) -> list[int] | None:
    """How many of the last rows give one position what it needs; `None` where that is not sure."""
    if not ground.fills or ground.record.movements:
        return None
    fills = ground.fills
    name, keys = ground.bookings.position(fills[0]), len(ground.places)
    instrument = ground.bookings.instruments.get(fills[0].symbol)
    if keys > 1 or instrument is None or name not in ground.space.compared or ground.allowed(name):
        return None
    base, need = instrument.base, ground.need.get(name, ZERO).copy_negate()
    held = ground.rows.signed
    if base in set(map(attrgetter("fee_currency"), fills)):
        held = [held_quantity(fill, base) for fill in fills]
    sums = enumerate(accumulate(reversed(held), EXACT.add), 1)
    found = [at for at, sum_ in sums if sum_ == need]
    return [at for at in found if at == len(fills) or fills[-at].time != fills[-at - 1].time]


def _booked(ground: Ground, rows: Sequence[Row]) -> dict[str, Decimal]:
    return ground.bookings.fills(row for row in rows if isinstance(row, Fill))


def _by_replay(ground: Ground) -> Iterator[int]:
    """The same for derivatives, whose PnL depends on what came before: by one replay."""
    record = ground.record
    if record.opening is None:
        return
    ledger = PositionLedger(
        instruments=ground.recorded.instruments,
        currencies=ground.recorded.currencies,
        opening=record.opening,
    )
    rows = list(in_order(record.fills or (), record.movements or ()))
    target = ground.space.seen(plus(ground.replayed, ground.exact))
    for at, row in enumerate(rows):
        first_of_time = at == 0 or rows[at - 1].time != row.time
        if first_of_time and _is_state(ground, ledger, target):
            yield len(rows) - at
        if isinstance(row, Fill):
            ledger.apply_fill(row)
        else:
            ledger.apply_movement(row)


def _is_state(ground: Ground, ledger: PositionLedger, target: Mapping[str, Decimal]) -> bool:
    state = ground.space.state(ledger.positions, ledger.cash)
    return not ground.space.real(minus(state, target))


def stale_edit(ground: Ground, at: int, max_skew: timedelta) -> Edit:
    """The edit of a side that has not seen the rows from one on, by its place in time."""
    rows = ground.timeline
    return _behind(ground, rows[: at - 1 : -1], rows[at - 1].time, max_skew)


def _says_so(ground: Ground, unseen: datetime) -> bool:
    """Whether the side itself gives a time before that of a row."""
    side = ground.recorded.side(ground.side)
    return side is not None and side.as_of < unseen


def _behind(
    ground: Ground,
    unseen: list[Row],
    seen: datetime | None,
    max_skew: timedelta,
) -> Edit:
    fills = tuple(row for row in unseen if isinstance(row, Fill))
    moved = tuple(row for row in unseen if isinstance(row, Movement))
    change = Change(removed=fills, removed_movements=moved)
    rows = tuple(reversed(unseen))
    kind, detail = behind_detail(ground, rows[0].time, seen, max_skew)
    return Edit(kind, change, rows, rank=0, detail=detail)


def behind_detail(
    ground: Ground, unseen: datetime, seen: datetime | None, max_skew: timedelta
) -> tuple[CauseKind, str]:
    """What a side that is behind lacks, in words: stale, or of exactly an hour or a day before."""
    since = f"nothing from {format_time(unseen)} on is in its books"
    shift = _shift(ground, unseen, seen, max_skew)
    if shift is not None:
        return CauseKind.AS_OF_SHIFT, f"its state is of {shift} before its as_of: {since}"
    until = "" if seen is None else f", the last that is has the time {format_time(seen)}"
    return CauseKind.STALE_SIDE, f"{since}{until}"


def _shift(
    ground: Ground, unseen: datetime, seen: datetime | None, max_skew: timedelta
) -> str | None:
    """What a state is too early by, where its `as_of` claims the time of the other side."""
    side, rows = ground.recorded.side(ground.side), ground.recorded.side(ground.owner)
    if side is None or rows is None or abs(side.as_of - rows.as_of) > max_skew:
        return None
    for text, shift in _SHIFTS.items():
        cut = side.as_of - shift
        if (seen is None or seen <= cut) and cut < unseen:
            return text
    return None


@dataclass(frozen=True, slots=True)
class _Grouping:
    """What makes fills another's: the words for it, how to tell, and what there is."""

    words: str
    key: Callable[[Fill], str | None]
    names: Callable[[Ground], Collection[str | None]]


_GROUPINGS: Final = (
    _Grouping("account", attrgetter("account"), attrgetter("rows.accounts")),
    _Grouping("position", attrgetter("position_id"), attrgetter("rows.position_ids")),
    _Grouping("symbol", attrgetter("symbol"), attrgetter("rows.symbols")),
)


def foreign(ground: Ground) -> Iterator[Edit]:
    """All rows of one account, position or symbol are another's, and are what is needed."""
    for edit in others(ground):
        if ground.reaches(negated(ground.bookings.fills(edit.change.removed))):
            yield edit


def others(ground: Ground) -> Iterator[Edit]:
    """The rows of each account, position and symbol, as if they were another's."""
    for grouping in _GROUPINGS:
        if len(grouping.names(ground)) == 1:
            continue
        groups: dict[str, list[Fill]] = {}
        for fill in ground.fills:
            groups.setdefault(grouping.key(fill) or "", []).append(fill)
        for name, fills in groups.items():
            if name and len(fills) > 1:
                change = Change(removed=tuple(fills))
                detail = f"all {len(fills)} fills of {grouping.words} {name}"
                kind, side = CauseKind.FOREIGN_ACTIVITY, ground.owner
                yield Edit(kind, change, tuple(fills), 1, detail, side)
