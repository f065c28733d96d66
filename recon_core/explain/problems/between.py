"""Differences at snapshots, between the state of one side and the rows of the other.

The snapshots of a side are evidence only if none of them contradicts that side's own rows.
Snapshots before the opening of the rows, or after the as-of of their side, are left out. Wrong
rows are compared with snapshots only if the other side gives no fills, as fills prove more than
a state. If a side's state contradicts its own rows, snapshots are no evidence (`Problem`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final, TypeVar

from recon_core.explain.effects.dimensions import Dimensions, Vector, minus, state_part
from recon_core.explain.problems.divergence import Between, Divergence
from recon_core.ledger.running import states_at_snapshots
from recon_core.model import (
    CashBalance,
    LedgerSide,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
)
from recon_core.values.errors import ReplayError

_Row = TypeVar("_Row", Position, CashBalance)
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
    told = tuple(one for one in other.snapshots if one.as_of <= other.as_of)
    told = tuple(sorted(told, key=lambda one: one.as_of))
    try:
        if _is_contradicted(recorded, dimensions, other, told):
            return _NONE
        states = tuple(_between(recorded, dimensions, rows, _named(told, other)))
    except ReplayError:
        return _NONE
    differing = frozenset(state_part(dimensions.real(required)))
    return Divergence(states, dimensions.compared, differing, dimensions.dust).settled()


def _is_contradicted(
    recorded: RecordedSession,
    dimensions: Dimensions,
    record: SideRecord,
    told: tuple[Snapshot, ...],
) -> bool:
    """True if a snapshot differs from the replay of its own side's rows.

    Raises `ReplayError` if the rows cannot be replayed.
    """
    if record.opening is None or record.fills is None:
        return False
    given = _replayed(recorded, record, told)
    pairs = zip(_named(told, record), given, strict=True)
    return any(_required(dimensions, one, own) for one, own in pairs if own is not None)


def _between(
    recorded: RecordedSession, dimensions: Dimensions, rows: SideRecord, told: tuple[Snapshot, ...]
) -> Iterator[Between]:
    """Yield the difference at each time for which both sides are known."""
    if rows.opening is not None:
        given = _replayed(recorded, rows, told)
    else:
        own = {one.as_of: one for one in _named(rows.snapshots or (), rows)}
        given = [own.get(one.as_of) for one in told]
    for one, state in zip(told, given, strict=True):
        if state is not None:
            has_positions = one.positions is not None and state.positions is not None
            has_cash = one.cash is not None and state.cash is not None
            yield Between(one.as_of, _required(dimensions, one, state), has_positions, has_cash)


def _replayed(
    recorded: RecordedSession, record: SideRecord, told: tuple[Snapshot, ...]
) -> list[Snapshot | None]:
    """Return the state that the rows of a side give at each snapshot, `None` before its opening.

    Raises `ReplayError` if the rows cannot be replayed.
    """
    opened = None if record.opening is None else record.opening.as_of
    if any(fill.symbol not in recorded.instruments for fill in record.fills or ()):
        raise ReplayError("an instrument is not declared")
    asked = replace(record, snapshots=told)
    return [
        None
        if opened is not None and one.as_of < opened
        else Snapshot(one.as_of, states.positions, states.cash)
        for one, states in states_at_snapshots(recorded, asked, cash=True)
    ]


def _named(told: Iterable[Snapshot], record: SideRecord) -> tuple[Snapshot, ...]:
    """Return snapshots with the only account of their side on rows without an account."""
    only = record.only_account()
    if only is None:
        return tuple(told)
    return tuple(
        replace(one, positions=_in(one.positions, only), cash=_in(one.cash, only)) for one in told
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
