"""Since when two sides differ: the first of their common snapshots that do.

The finding is written to the notes of a diff of a position or of cash; it changes no
verdict.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from recon_core.model import CashBalance, LedgerSide, Position, RecordedSession, Snapshot
from recon_core.model.comparison import Comparison, ItemKind
from recon_core.policy.model import Policy
from recon_core.values.amounts import EXACT, ZERO, exact_sum, format_amount
from recon_core.values.printable import printable
from recon_core.values.times import format_time

_Value = Position | CashBalance


def divergence_notes(
    recorded: RecordedSession, comparison: Comparison, policy: Policy
) -> tuple[str, ...]:
    """From which common snapshot on the sides differ; nothing where they have none.

    Snapshots are common where both sides have one of the same time that reports the
    section. Where a side computed in binary floats, up to `float_dust` is no difference.
    """
    value = comparison.internal or comparison.external
    between = comparison.item_kind in (ItemKind.POSITION, ItemKind.CASH)
    records = recorded.own_records()
    if value is None or not between or len(records) < len(LedgerSide):
        return ()
    any_account = ",account=" not in comparison.key
    ours, theirs = (
        _amounts(record.snapshots or (), value, any_account=any_account)
        for record in records.values()
    )
    dust = policy.float_dust if comparison.in_floats else ZERO
    common = [(time, ours[time], theirs[time]) for time in sorted(ours.keys() & theirs.keys())]
    return (_note(common, dust, comparison.unit),) if common else ()


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


def _note(common: list[tuple[datetime, Decimal, Decimal]], dust: Decimal, unit: str) -> str:
    differs = [EXACT.subtract(ours, theirs).copy_abs() > dust for _, ours, theirs in common]
    if not any(differs):
        return f"snapshots: both sides agree on it up to {format_time(common[-1][0])}, the last"
    start = differs.index(True)
    time, ours, theirs = common[start]
    shown = f" {printable(unit, 60)}" if unit else ""
    before = f"agree up to {format_time(common[start - 1][0])} and " if start else ""
    values = f"internal {format_amount(ours)}{shown}, external {format_amount(theirs)}{shown}"
    again, later = differs[start:].count(False), len(differs) - start - 1
    if again:
        values += f"; {again} of {later} later ones agree again"
    since = f"differ at {format_time(time)}" if again else f"differ from {format_time(time)} on"
    return f"snapshots: both sides {before}{since} ({values})"
