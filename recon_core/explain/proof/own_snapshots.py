"""Snapshots that follow from a side's own rows, changed where the rows are repaired.

A fill of +0.5 BTC that is missing from a ledger is missing from its later snapshots as well: 1.5
BTC in one of them become 2.0 BTC with the fill.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from recon_core.ledger.running import states_at_snapshots
from recon_core.model import CashBalance, Leg, Position, RecordedSession, SideRecord, Snapshot
from recon_core.values.amounts import EXACT, ZERO
from recon_core.values.errors import ReconError

_Row = TypeVar("_Row", Position, CashBalance)

_Key = tuple[str, Leg, str | None]

_Amounts = Mapping[_Key, Decimal]


def with_new_snapshots(
    recorded: RecordedSession, before: SideRecord, after: SideRecord
) -> SideRecord:
    """Return the side with changed rows, and the snapshots that follow from them.

    An amount that is nearer to the changed rows than to the former rows is kept.
    """
    is_same = (
        before.fills is after.fills
        and before.movements is after.movements
        and before.opening is after.opening
    )
    if is_same or not after.snapshots:
        return after
    try:
        pairs = list(
            zip(_given(recorded, before), _given(recorded, after), after.snapshots, strict=True)
        )
    except ReconError:
        return after
    only = after.only_account()
    return replace(after, snapshots=tuple(_moved(*each, only) for each in pairs))


def _given(recorded: RecordedSession, record: SideRecord) -> list[Snapshot]:
    """Return the states that the rows give at the times of the snapshots, in their order."""
    has_cash = all(fill.symbol in recorded.instruments for fill in record.fill_rows)
    found = {
        id(one): Snapshot(one.as_of, states.positions, states.cash)
        for one, states in states_at_snapshots(recorded, record, cash=has_cash)
    }
    return [found[id(one)] for one in record.snapshot_rows]


def _moved(old: Snapshot, new: Snapshot, given: Snapshot, only: str | None) -> Snapshot:
    positions = _rows(given.positions, old.positions, new.positions, only, _more_held)
    cash = _rows(given.cash, old.cash, new.cash, only, _more_cash)
    if positions is given.positions and cash is given.cash:
        return given
    return replace(given, positions=positions, cash=cash)


def _rows(
    given: tuple[_Row, ...] | None,
    old: tuple[_Row, ...] | None,
    new: tuple[_Row, ...] | None,
    only: str | None,
    moved_by: Callable[[_Row, Decimal], _Row],
) -> tuple[_Row, ...] | None:
    if given is None or old is None or new is None:
        return given
    stated, first, second = (_amounts(rows, only) for rows in (given, old, new))
    moved = {
        key: EXACT.subtract(second.get(key, ZERO), first.get(key, ZERO))
        for key in {**first, **second}
        if _is_near_old(stated.get(key, ZERO), first.get(key, ZERO), second.get(key, ZERO))
    }
    moved = {key: amount for key, amount in moved.items() if amount}
    if not moved:
        return given
    rows: list[_Row] = []
    for row in given:
        amount = moved.pop(_key(row, only), ZERO)
        rows.append(moved_by(row, amount) if amount else row)
    for row in itertools.chain(old, new):
        amount = moved.pop(_key(row, only), ZERO)
        if amount:
            rows.append(moved_by(row, EXACT.subtract(amount, _amount(row))))
    return tuple(rows)


def _is_near_old(stated: Decimal, old: Decimal, new: Decimal) -> bool:
    differences = [EXACT.subtract(stated, each).copy_abs() for each in (old, new)]
    return differences[0] <= differences[1]


def _amounts(rows: Iterable[_Row], only: str | None) -> _Amounts:
    return {_key(row, only): _amount(row) for row in rows}


def _key(row: Position | CashBalance, only: str | None) -> _Key:
    account = only if row.account is None else row.account
    if isinstance(row, Position):
        return row.symbol, row.leg, account
    return row.currency, Leg.NET, account


def _amount(row: Position | CashBalance) -> Decimal:
    return row.quantity if isinstance(row, Position) else row.total


def _more_held(row: Position, amount: Decimal) -> Position:
    return replace(row, quantity=EXACT.add(row.quantity, amount), average_price=None)


def _more_cash(row: CashBalance, amount: Decimal) -> CashBalance:
    free = None if row.free is None else EXACT.add(row.free, amount)
    return replace(row, total=EXACT.add(row.total, amount), free=free)
