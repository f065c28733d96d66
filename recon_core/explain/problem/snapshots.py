"""Snapshots of the other side as evidence: the times at which the sides agree, and differ.

A cause has to account for every snapshot: its postings up to a snapshot are the difference of
the sides there. If they agree at 12:00 and differ by 5 USDT at 13:00, no cause before 12:00 that
posts 5 USDT is right.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Final, TypeVar

from recon_core.explain.problem.dimensions import (
    Dimensions,
    Vector,
    is_cash,
    is_position,
    minus,
    state_part,
)
from recon_core.explain.problem.patches import total_of
from recon_core.ledger.running import states_at_snapshots
from recon_core.model import (
    CashBalance,
    LedgerSide,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
)
from recon_core.values.amounts import ZERO
from recon_core.values.errors import ReplayError
from recon_core.values.times import format_time

_Row = TypeVar("_Row", Position, CashBalance)


@dataclass(frozen=True, slots=True)
class Between:
    """The difference at one time: the state of the snapshot minus the state that the rows give.

    `has_positions` and `has_cash`: the sections that both sides have at this time.
    """

    time: datetime
    required: Mapping[str, Decimal]
    has_positions: bool
    has_cash: bool

    def is_known(self, name: str) -> bool:
        """True if a dimension is known at this time, even as 0."""
        return self.has_positions if is_position(name) else self.has_cash and is_cash(name)


@dataclass(frozen=True, slots=True)
class TimedPosting:
    """Amounts that are posted at a time, `None` for the opening.

    Amounts in `unknown` dimensions depend on earlier rows: they are unknown from this time on.
    """

    time: datetime | None
    amounts: Vector
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Divergence:
    """The differences at all times for which both sides are known, by time.

    `compared`: the compared dimensions. `differing`: the dimensions that differ at the end.
    `dust`: the largest difference that counts as equal. `had_difference`: the sides differed and
    agreed again.
    """

    states: tuple[Between, ...] = ()
    compared: frozenset[str] = frozenset()
    differing: frozenset[str] = frozenset()
    dust: Decimal = ZERO
    had_difference: bool = False

    def __bool__(self) -> bool:
        """True if there is evidence."""
        return bool(self.states)

    @cached_property
    def last_equal(self) -> datetime | None:
        """The last time at which the sides agree and all of `differing` is known."""
        at = self._last_equal_place
        return None if at is None else self.states[at].time

    @cached_property
    def differs(self) -> Between | None:
        """The first difference after `last_equal`."""
        at = self._last_equal_place
        later = self.states[0 if at is None else at + 1 :]
        return next((one for one in later if one.required), None)

    def may_begin(self, time: datetime) -> bool:
        """True if a fault at this time may be the cause of the difference at the end."""
        is_late = self.last_equal is None or time > self.last_equal
        return is_late and (self.differs is None or time <= self.differs.time)

    @cached_property
    def _last_equal_place(self) -> int | None:
        places = range(len(self.states) - 1, -1, -1)
        return next((at for at in places if self._is_equal(self.states[at])), None)

    def _is_equal(self, state: Between) -> bool:
        return not state.required and all(map(state.is_known, self.differing))

    def without_past(self) -> "Divergence":
        """Return the divergence without differences that disappear for good."""
        at = self._last_equal_place or 0
        past = [one.required for one in self.states[:at] if one.required]
        if not past or any(one.required in past for one in self.states[at:]):
            return self
        kept = [one for place, one in enumerate(self.states) if place >= at or not one.required]
        return replace(self, states=tuple(kept), had_difference=True)

    def after(self, posted: Sequence[TimedPosting]) -> "Divergence":
        """Return the differences that remain after postings."""
        left = [
            replace(state, required=self._real(minus(state.required, total.amounts), state))
            for state, total in self._totals(posted, range(len(self.states)))
        ]
        return replace(self, states=tuple(left))

    def matches(self, posted: Sequence[TimedPosting]) -> bool:
        """True if the postings are the difference at every snapshot; `unknown` dimensions pass."""
        places = {0, *self._runs, *(self._place(one.time) for one in posted)}
        return not any(
            self._real(minus(state.required, total.amounts), state).keys() - total.unknown
            for state, total in self._totals(posted, sorted(places - {len(self.states)}))
        )

    def _totals(
        self, posted: Sequence[TimedPosting], places: Iterable[int]
    ) -> Iterator[tuple[Between, TimedPosting]]:
        """Yield the differences at `places`, each with the sum of all postings up to it."""
        waiting = sorted(posted, key=lambda one: self._place(one.time), reverse=True)
        total = TimedPosting(None, {})
        for place in places if self.states else ():
            while waiting and self._place(waiting[-1].time) <= place:
                one = waiting.pop()
                total = TimedPosting(
                    one.time, total_of((total.amounts, one.amounts)), total.unknown | one.unknown
                )
            yield self.states[place], total

    def _real(self, amounts: Vector, state: Between) -> dict[str, Decimal]:
        return {
            name: amount
            for name, amount in amounts.items()
            if name in self.compared and state.is_known(name) and amount.copy_abs() > self.dust
        }

    def _place(self, time: datetime | None) -> int:
        """Return the place of the first snapshot at or after a time."""
        return 0 if time is None else bisect_left(self._times, time)

    @cached_property
    def _times(self) -> list[datetime]:
        return [state.time for state in self.states]

    @cached_property
    def _runs(self) -> list[int]:
        """The places at which the difference or the known sections change."""
        return [
            at
            for at, (one, following) in enumerate(pairwise(self.states), 1)
            if replace(one, time=following.time) != following
        ]

    @property
    def operations(self) -> int:
        """Operations for looking at a candidate."""
        return 1 + len(self._runs) if self.states else 0

    @property
    def text(self) -> str:
        """The times of agreement and of difference, in words; empty without evidence."""
        parts = []
        if self.last_equal is not None:
            until = "again at" if self.had_difference else "until"
            parts.append(f"agree {until} {format_time(self.last_equal)}")
        if self.differs is not None:
            parts.append(f"differ from {format_time(self.differs.time)} on")
        return f"the sides {' and '.join(parts)}" if parts else ""


_NONE: Final = Divergence()


def divergence_of(
    recorded: RecordedSession,
    dimensions: Dimensions,
    rows: SideRecord,
    owner: LedgerSide,
    required: Vector,
    *,
    rows_right: bool,
) -> Divergence:
    """Return the differences between the snapshots of one side and the rows of `owner`.

    Empty without snapshots that are evidence. `required`: the difference of the sides at the
    end. `rows_right`: the rows are evidence.
    """
    other = recorded.side(owner.other)
    if other is None or not other.snapshots:
        return _NONE
    if not rows_right and other.fills is not None:
        return _NONE
    snapshots = tuple(one for one in other.snapshots if one.as_of <= other.as_of)
    snapshots = tuple(sorted(snapshots, key=lambda one: one.as_of))
    try:
        if _is_contradicted(recorded, dimensions, other, snapshots):
            return _NONE
        states = tuple(_between(recorded, dimensions, rows, _named(snapshots, other)))
    except ReplayError:
        return _NONE
    differing = frozenset(state_part(dimensions.real(required)))
    return Divergence(states, dimensions.compared, differing, dimensions.dust).without_past()


def _is_contradicted(
    recorded: RecordedSession,
    dimensions: Dimensions,
    record: SideRecord,
    snapshots: tuple[Snapshot, ...],
) -> bool:
    """True if a snapshot differs from the replay of its own side's rows.

    Raises `ReplayError` if the rows cannot be replayed.
    """
    if record.opening is None or record.fills is None:
        return False
    given = _replayed(recorded, record, snapshots)
    pairs = zip(_named(snapshots, record), given, strict=True)
    return any(_required(dimensions, one, own) for one, own in pairs if own is not None)


def _between(
    recorded: RecordedSession,
    dimensions: Dimensions,
    rows: SideRecord,
    snapshots: tuple[Snapshot, ...],
) -> Iterator[Between]:
    """Yield the difference at each time for which both sides are known."""
    if rows.opening is not None:
        given = _replayed(recorded, rows, snapshots)
    else:
        own = {one.as_of: one for one in _named(rows.snapshot_rows, rows)}
        given = [own.get(one.as_of) for one in snapshots]
    for one, state in zip(snapshots, given, strict=True):
        if state is not None:
            has_positions = one.positions is not None and state.positions is not None
            has_cash = one.cash is not None and state.cash is not None
            yield Between(one.as_of, _required(dimensions, one, state), has_positions, has_cash)


def _replayed(
    recorded: RecordedSession, record: SideRecord, snapshots: tuple[Snapshot, ...]
) -> list[Snapshot | None]:
    """Return the state that the rows of a side give at each snapshot, `None` before its opening.

    Raises `ReplayError` if the rows cannot be replayed.
    """
    opened = None if record.opening is None else record.opening.as_of
    if any(fill.symbol not in recorded.instruments for fill in record.fill_rows):
        raise ReplayError("an instrument is not declared")
    asked = replace(record, snapshots=snapshots)
    return [
        None
        if opened is not None and one.as_of < opened
        else Snapshot(one.as_of, states.positions, states.cash)
        for one, states in states_at_snapshots(recorded, asked, cash=True)
    ]


def _named(snapshots: Iterable[Snapshot], record: SideRecord) -> tuple[Snapshot, ...]:
    """Return snapshots with the only account of their side on rows without an account."""
    only = record.only_account()
    if only is None:
        return tuple(snapshots)
    return tuple(
        replace(one, positions=_in(one.positions, only), cash=_in(one.cash, only))
        for one in snapshots
    )


def _in(rows: tuple[_Row, ...] | None, account: str) -> tuple[_Row, ...] | None:
    if rows is None:
        return None
    return tuple(replace(row, account=account) if row.account is None else row for row in rows)


def _required(dimensions: Dimensions, stated: Snapshot, given: Snapshot) -> dict[str, Decimal]:
    """Return stated minus given amounts, in the sections that both snapshots have."""
    vectors = [
        dimensions.state(
            one.positions if other.positions is not None else None,
            one.cash if other.cash is not None else None,
        )
        for one, other in ((stated, given), (given, stated))
    ]
    return dimensions.real(minus(*vectors))
