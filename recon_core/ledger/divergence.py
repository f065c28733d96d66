"""Since when two sides differ: the first snapshot of a side that the other side contradicts.

A side that gives no snapshots is asked by its rows: their state at the time of each snapshot of
the other side. The finding is written to the notes of a diff of a position or of cash; it changes
no verdict.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

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
from recon_core.policy.model import Policy
from recon_core.values.amounts import EXACT, ZERO, exact_sum, format_amount
from recon_core.values.errors import ReplayError
from recon_core.values.printable import printable
from recon_core.values.times import format_time

_Value = Position | CashBalance
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
        value = comparison.internal or comparison.external
        sides = self.recorded.own_records()
        if value is None or comparison.item_kind not in _NET or len(sides) < len(LedgerSide):
            return ()
        any_account = ",account=" not in comparison.key
        ours, theirs = (
            _amounts(self._known(side), value, any_account=any_account) for side in sides
        )
        dust = self.policy.float_dust if comparison.in_floats else ZERO
        common = [(time, ours[time], theirs[time]) for time in sorted(ours.keys() & theirs.keys())]
        return (_note(self._who(), common, dust, comparison.unit),) if common else ()

    def _who(self) -> str:
        """Return the sides as the subject of a note."""
        by_rows = [side for side, record in self.recorded.own_records().items()
                   if not record.snapshots]  # fmt: skip
        return f"{by_rows[0]}'s rows and {by_rows[0].other}" if by_rows else "both sides"

    def _known(self, side: LedgerSide) -> tuple[Snapshot, ...]:
        """Return the states of a side by time: its snapshots, else what its rows give."""
        if side not in self._states:
            record, other = self.recorded.side(side), self.recorded.side(side.other)
            own = () if record is None else record.snapshots or ()
            asked = () if other is None else other.snapshots or ()
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


def _note(
    who: str, common: list[tuple[datetime, Decimal, Decimal]], dust: Decimal, unit: str
) -> str:
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
