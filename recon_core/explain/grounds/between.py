"""The states between that both sides are known to have: snapshots, and what rows give up to them.

No evidence are the snapshots of a side if one of them contradicts its own rows, and those from
before an opening or after the time that their side is of. Where a side's state contradicts its
own rows, its rows are no evidence of what it had in between either; where both sides give
fills, those are held against each other, and say more than any state.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final, TypeVar

from recon_core.errors import ReplayError
from recon_core.explain.effects.space import Space, Vector, minus, state_part
from recon_core.explain.grounds.divergence import Between, Divergence
from recon_core.ledger.running import states_at_snapshots
from recon_core.model import (
    CashBalance,
    LedgerSide,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
)

_Row = TypeVar("_Row", Position, CashBalance)
_NONE: Final = Divergence()


def divergence_of(
    recorded: RecordedSession,
    space: Space,
    rows: SideRecord,
    owner: LedgerSide,
    need: Vector,
    *,
    rows_right: bool,
) -> Divergence:
    """What the snapshots of one side tell of the rows of `owner`; nothing without snapshots.

    `need` is what the sides differ by at the end; `rows_right`: the rows are evidence.
    """
    other = recorded.side(owner.other)
    if other is None or not other.snapshots:
        return _NONE
    if not rows_right and other.fills is not None:
        return _NONE
    told = tuple(one for one in other.snapshots if one.as_of <= other.as_of)
    told = tuple(sorted(told, key=lambda one: one.as_of))
    try:
        if _is_contradicted(recorded, space, other, told):
            return _NONE
        states = tuple(_between(recorded, space, rows, _named(told, other)))
    except ReplayError:
        return _NONE
    differing = frozenset(state_part(space.real(need)))
    return Divergence(states, space.compared, differing, space.dust).settled()


def _is_contradicted(
    recorded: RecordedSession, space: Space, record: SideRecord, told: tuple[Snapshot, ...]
) -> bool:
    """Whether a snapshot is not what its own side's rows give, or cannot be held against them."""
    if record.opening is None or record.fills is None:
        return False
    given = _replayed(recorded, record, told)
    pairs = zip(_named(told, record), given, strict=True)
    return any(_need(space, one, own) for one, own in pairs if own is not None)


def _between(
    recorded: RecordedSession, space: Space, rows: SideRecord, told: tuple[Snapshot, ...]
) -> Iterator[Between]:
    """The times between at which both sides are known."""
    if rows.opening is not None:
        given = _replayed(recorded, rows, told)
    else:
        own = {one.as_of: one for one in _named(rows.snapshots or (), rows)}
        given = [own.get(one.as_of) for one in told]
    for one, state in zip(told, given, strict=True):
        if state is not None:
            has_positions = one.positions is not None and state.positions is not None
            has_cash = one.cash is not None and state.cash is not None
            yield Between(one.as_of, _need(space, one, state), has_positions, has_cash)


def _replayed(
    recorded: RecordedSession, record: SideRecord, told: tuple[Snapshot, ...]
) -> list[Snapshot | None]:
    """What the rows of a side give at the times of snapshots, `None` before its opening."""
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
    """Snapshots with their unnamed rows in the only account of their side."""
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


def _need(space: Space, stated: Snapshot, given: Snapshot) -> dict[str, Decimal]:
    """The stated amounts minus the given ones, in the sections that both have."""
    vectors = [
        space.state(
            one.positions if other.positions is not None else None,
            one.cash if other.cash is not None else None,
        )
        for one, other in ((stated, given), (given, stated))
    ]
    return space.real(minus(*vectors))
