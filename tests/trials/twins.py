"""Rows that are interchangeable: equal ones whose fault has the same effect."""

from collections.abc import Iterator
from dataclasses import replace

from recon_core.model import Fill, InstrumentKind, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.mutate.changes import with_fill
from recon_core.values.errors import ReconError
from tests.trials.bases import Base
from tests.trials.books import State, difference, state_of
from tests.trials.fault import Fault, ids_of, order_ids_of
from tests.trials.fill_faults import payload
from tests.trials.placing import Placement

FEES = frozenset(
    {
        CauseKind.MISSING_FEE,
        CauseKind.DUPLICATE_FEE,
        CauseKind.FEE_SIGN,
        CauseKind.FEE_CURRENCY,
    }
)


def with_twins(base: Base, fault: Fault, placement: Placement) -> Fault:
    """The fault with the rows that no data tell from its own.

    A fault that stands in the rows is seen there, and has none. Of a derivative a twin is
    one whose fault realises the same: that depends on when it was.
    """
    if fault.cause_kind is CauseKind.CUMULATIVE_QUANTITY and not placement.is_of_rows:
        return replace(fault, twin_ids=_ids_of_equal_orders(base, fault))
    if len(fault.fills) != 1 or (placement.is_of_rows and not _is_unseen(fault)):
        return fault
    fill = fault.fills[0]
    if fault.cause_kind in FEES:
        twins = [row for row in base.fills if _is_fee_twin(fault, row, fill)]
    else:
        equal = [row for row in base.fills if payload(row) == payload(fill)]
        is_spot = base.recorded.instruments[fill.symbol].instrument_kind is InstrumentKind.SPOT
        twins = equal if is_spot else [*_of_one_effect(base, fault, equal)]
    return replace(fault, twin_ids=ids_of(twins))


def _ids_of_equal_orders(base: Base, fault: Fault) -> frozenset[str]:
    """The fills, and the orders themselves, of orders whose fills are equal one by one."""
    orders: dict[str, list[Fill]] = {}
    for fill in sorted(base.fills, key=lambda fill: (fill.time, fill.fill_id)):
        orders.setdefault(fill.client_order_id or fill.exchange_order_id or "", []).append(fill)
    wanted = [payload(fill) for fill in fault.fills]
    equal = [rows for rows in orders.values() if [payload(fill) for fill in rows] == wanted]
    return frozenset().union(*(ids_of(rows) | order_ids_of(rows) for rows in equal))


def has_doubles(base: Base, fault: Fault) -> bool:
    """Whether the same fault of a fill that is no twin leaves the same amounts."""
    fill = fault.fills[0]
    others = [
        row for row in base.fills if row.symbol == fill.symbol and payload(row) != payload(fill)
    ]
    return any(True for _ in _of_one_effect(base, fault, others))


def has_other_bogus_rows(base: Base, fault: Fault) -> bool:
    """Whether the book is right as well without another row than the bogus one."""
    book, bogus = fault.book, fault.now
    if book is None or bogus is None:
        return False
    others = [row for row in book.fills or () if row.symbol == bogus.symbol and row is not bogus]
    for row in others:
        found = _replayed(base, with_fill(book, row, None))
        if found is not None and not difference(found, base.right, plain=False):
            return True
    return False


def _of_one_effect(base: Base, fault: Fault, fills: list[Fill]) -> Iterator[Fill]:
    """The fills whose fault has the effect of this one."""
    if fault.again is None:
        return
    right = _state(base, fault, fault.fills[0])
    for fill in fills:
        found = _state(base, fault, fill)
        if right is not None and found is not None and not difference(found, right, plain=False):
            yield fill


def _state(base: Base, fault: Fault, fill: Fill) -> State | None:
    assert fault.again is not None
    own = next((row for row in base.fills if row is fill), None)
    if own is None:  # a row that an earlier fault changed
        return None
    return _replayed(base, fault.again(base.book, own))


def _replayed(base: Base, book: SideRecord) -> State | None:
    try:
        return state_of(base.recorded, book)
    except ReconError:
        return None


def _is_unseen(fault: Fault) -> bool:
    return fault.cause_kind in (CauseKind.MISSING_FILL, CauseKind.DUPLICATE_FILL)


def _is_fee_twin(fault: Fault, row: Fill, fill: Fill) -> bool:
    """Whether the same was charged; in the base currency it also moves the position."""
    moves_position = fault.cause_kind is CauseKind.FEE_CURRENCY and fault.variant != "third"
    return _fee(row) == _fee(fill) and (not moves_position or row.symbol == fill.symbol)


def _fee(fill: Fill) -> tuple[object, ...]:
    return fill.account, fill.fee_currency, fill.fee
