"""Since when two sides differ: the first snapshot of a side that the other side contradicts.

A side that gives no snapshots is asked by its rows: their state at the time of each snapshot of
the other side. The finding is written to the notes of a diff of a position or of cash, and as a
timeline to the diff itself; it changes no verdict.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Final

from recon_core.ledger.postings_course import PostingsCourse
from recon_core.ledger.replay import SideReplay
from recon_core.ledger.running import states_at_snapshots
from recon_core.model import (
    CashBalance,
    LedgerSide,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
)
from recon_core.model.comparison import Comparison, ItemKind
from recon_core.model.figures import Timeline, TimelinePoint, TimelineSource
from recon_core.policy.model import Policy
from recon_core.values.amounts import (
    EXACT,
    ZERO,
    exact_sum,
    format_amount,
    larger_magnitude,
)
from recon_core.values.errors import ReplayError
from recon_core.values.printable import printable
from recon_core.values.times import format_time

_Value = Position | CashBalance
_Common = tuple[datetime, Decimal, Decimal]
_NET: Final = frozenset({ItemKind.POSITION, ItemKind.CASH})


@dataclass
class Divergences:
    """The snapshots of one session, and what its rows give at their times, each replayed once."""

    recorded: RecordedSession
    replays: Mapping[LedgerSide, SideReplay]
    policy: Policy
    _states: dict[LedgerSide, tuple[Snapshot, ...]] = field(default_factory=dict)

    def notes(self, comparison: Comparison) -> tuple[str, ...]:
        """Return from which snapshot on the sides differ; nothing where none can be compared.

        Where a side computed in binary floats, up to `float_dust` is no difference.
        """
        common = self._common(comparison)
        dust = self._dust(comparison)
        return (_note(self._who(), common, dust, comparison.unit),) if common else ()

    def timeline(self, comparison: Comparison) -> Timeline | None:
        """Return the course of both sides up to their states, `None` where no row shows it."""
        value = self._value(comparison)
        if value is None:
            return None
        source, points = TimelineSource.SNAPSHOTS, self._common(comparison)
        if not points:
            any_account = ",account=" not in comparison.key
            source = TimelineSource.POSTINGS
            points = self._postings.amounts(value, any_account=any_account)
        if not points:
            return None
        last = _at_the_end(comparison)
        if last[0] >= points[-1][0]:
            points = [*(point for point in points if point[0] < last[0]), last]
        dust = self._dust(comparison)
        apart = (EXACT.subtract(ours, theirs).copy_abs() > dust for _, ours, theirs in points)
        return Timeline(
            source,
            tuple(TimelinePoint(*point) for point in points),
            max(dust, _tolerance(comparison, self.policy, last)),
            next((place for place, differs in enumerate(apart) if differs), None),
            self._postings.left_out if source is TimelineSource.POSTINGS else 0,
        )

    def _value(self, comparison: Comparison) -> _Value | None:
        """Return the row that is compared, where both sides can have a course."""
        of_both = len(self.recorded.own_records()) == len(LedgerSide)
        if comparison.item_kind not in _NET or not of_both:
            return None
        return comparison.internal or comparison.external

    def _common(self, comparison: Comparison) -> list[_Common]:
        """Return both sides' amounts at their common snapshots."""
        value = self._value(comparison)
        if value is None:
            return []
        any_account = ",account=" not in comparison.key
        ours, theirs = (
            _amounts(self._known(side), value, any_account=any_account) for side in LedgerSide
        )
        return [(time, ours[time], theirs[time]) for time in sorted(ours.keys() & theirs.keys())]

    def _dust(self, comparison: Comparison) -> Decimal:
        return self.policy.float_dust if comparison.in_floats else ZERO

    @cached_property
    def _postings(self) -> PostingsCourse:
        return PostingsCourse(self.recorded, self.replays)

    def _who(self) -> str:
        """Return the sides as the subject of a note."""
        by_rows = [side for side, record in self.recorded.own_records().items()
                   if not record.snapshots]  # fmt: skip
        return f"{by_rows[0]}'s rows and {by_rows[0].other}" if by_rows else "both sides"

    def _known(self, side: LedgerSide) -> tuple[Snapshot, ...]:
        """Return the states of a side by time: its snapshots, else what its rows give."""
        if side not in self._states:
            record, other = self.recorded.side(side), self.recorded.side(side.other)
            own = () if record is None else record.snapshot_rows
            asked = () if other is None else other.snapshot_rows
            if not own and asked and record is not None:
                own = tuple(self._by_rows(side, record, asked))
            self._states[side] = own
        return self._states[side]

    def _by_rows(
        self, side: LedgerSide, record: SideRecord, asked: tuple[Snapshot, ...]
    ) -> Iterator[Snapshot]:
        replayed = self.replays.get(side)
        if replayed is None or replayed.problem:
            return
        opened = None if record.opening is None else record.opening.as_of
        has_cash = replayed.cash is not None
        rows = replace(record, snapshots=asked)
        try:
            for one, states in states_at_snapshots(self.recorded, rows, cash=has_cash):
                if opened is None or one.as_of >= opened:
                    yield Snapshot(one.as_of, states.positions, states.cash)
        except ReplayError:
            return


def _at_the_end(comparison: Comparison) -> _Common:
    """Return the time of the session and both states; a side that lists none has 0."""
    assert comparison.as_of is not None  # noqa: S101  # both sides have a time
    rows = (comparison.internal, comparison.external)
    ours, theirs = (ZERO if row is None else _amount(row) for row in rows)
    return comparison.as_of, ours, theirs


def _tolerance(comparison: Comparison, policy: Policy, last: _Common) -> Decimal:
    """Return the largest delta of two states that does not fail."""
    _, ours, theirs = last
    if not comparison.of_position:
        return policy.cash.tolerance(comparison.name, ours, theirs).limit
    relative = EXACT.multiply(policy.position.fail_above, larger_magnitude(ours, theirs))
    absolute = policy.position.absolute_tolerance(comparison.name)
    return relative if absolute is None else max(relative, absolute[1])


def _amounts(
    snapshots: Iterable[Snapshot], value: _Value, *, any_account: bool
) -> dict[datetime, Decimal]:
    """Return the amounts of a position or balance by snapshot time; the last of a time counts."""
    section = "positions" if isinstance(value, Position) else "cash"
    states = [(one.as_of, getattr(one, section)) for one in snapshots]
    return {
        time: exact_sum(
            _amount(row)
            for row in rows
            if _same(row, value) and (any_account or row.account == value.account)
        )
        for time, rows in states
        if rows is not None
    }


def _same(row: _Value, value: _Value) -> bool:
    if isinstance(row, Position) and isinstance(value, Position):
        return (row.symbol, row.leg) == (value.symbol, value.leg)
    return (
        isinstance(row, CashBalance)
        and isinstance(value, CashBalance)
        and row.currency == value.currency
    )


def _amount(row: _Value) -> Decimal:
    return row.quantity if isinstance(row, Position) else row.total


def _note(who: str, common: list[_Common], dust: Decimal, unit: str) -> str:
    deltas = [EXACT.subtract(theirs, ours) for _, ours, theirs in common]
    differs = [delta.copy_abs() > dust for delta in deltas]
    if not any(differs):
        return f"snapshots: {who} agree on it up to {format_time(common[-1][0])}, the last"
    start = differs.index(True)
    time, ours, theirs = common[start]
    shown = f" {printable(unit, 60)}" if unit else ""
    before = f"agree up to {format_time(common[start - 1][0])} and " if start else ""
    values = f"internal {format_amount(ours)}{shown}, external {format_amount(theirs)}{shown}"
    again, later = differs[start:].count(False), len(differs) - start - 1
    if again:
        values += f"; {again} of {later} later ones agree again"
    elif start and later and len(set(deltas[start:])) == 1:
        sign = "+" if deltas[start] > 0 else ""
        values += f"; by {sign}{format_amount(deltas[start])}{shown} ever since"
    since = f"differ at {format_time(time)}" if again else f"differ from {format_time(time)} on"
    return f"snapshots: {who} {before}{since} ({values})"
