"""Rows that are interchangeable: equal ones whose fault has the same effect."""

from collections.abc import Iterator
from dataclasses import replace

from recon_core.errors import ReconError
from recon_core.explanation import CauseKind
from recon_core.model import Fill, InstrumentKind
from tests.core.explaining.bases import Base
from tests.core.explaining.books import State, difference, state_of
from tests.core.explaining.fault import Fault, ids_of
from tests.core.explaining.fill_faults import payload
from tests.core.explaining.placing import Placement

_FEES = {CauseKind.MISSING_FEE, CauseKind.DUPLICATE_FEE, CauseKind.FEE_SIGN}


def with_twins(base: Base, fault: Fault, placement: Placement) -> Fault:
    """The fault with the rows that no data tell from its own.

    A fault that stands in the rows is seen there, and has none. Of a derivative a twin is
    one whose fault realises the same: that depends on when it was.
    """
    if len(fault.fills) != 1 or (placement is Placement.ROW and not _is_unseen(fault)):
        return fault
    fill = fault.fills[0]
    if fault.cause_kind in _FEES:
        twins = [row for row in base.fills if _fee(row) == _fee(fill)]
    else:
        equal = [row for row in base.fills if payload(row) == payload(fill)]
        is_spot = base.recorded.instruments[fill.symbol].instrument_kind is InstrumentKind.SPOT
        twins = equal if is_spot else [*_of_one_effect(base, fault, equal)]
    return replace(fault, twin_ids=ids_of(twins))


def has_doubles(base: Base, fault: Fault) -> bool:
    """Whether the same fault of a fill that is no twin leaves the same amounts."""
    fill = fault.fills[0]
    others = [
        row for row in base.fills if row.symbol == fill.symbol and payload(row) != payload(fill)
    ]
    return any(True for _ in _of_one_effect(base, fault, others))


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
    try:
        return state_of(base.recorded, fault.again(base.book, own))
    except ReconError:
        return None


def _is_unseen(fault: Fault) -> bool:
    return fault.cause_kind in (CauseKind.MISSING_FILL, CauseKind.DUPLICATE_FILL)


def _fee(fill: Fill) -> tuple[object, ...]:
    return fill.account, fill.fee_currency, fill.fee
