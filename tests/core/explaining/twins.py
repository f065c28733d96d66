"""Rows that are interchangeable: equal ones whose fault has the same effect."""

from dataclasses import replace

from recon_core.explanation import CauseKind
from recon_core.model import Fill, InstrumentKind
from tests.core.explaining.bases import Base
from tests.core.explaining.fault import Fault, ids_of
from tests.core.explaining.fill_faults import payload
from tests.core.explaining.placing import Placement

_FEES = {CauseKind.MISSING_FEE, CauseKind.DUPLICATE_FEE, CauseKind.FEE_SIGN}


def with_twins(base: Base, fault: Fault, placement: Placement) -> Fault:
    """The fault with the rows that no data tell from its own.

    A fault that stands in the rows is seen there, and has none. Of a derivative only fills
    of the same time are twins: what another one realises depends on when it was.
    """
    if len(fault.fills) != 1 or (placement is Placement.ROW and not _is_unseen(fault)):
        return fault
    fill = fault.fills[0]
    if fault.cause_kind in _FEES:
        twins = [row for row in base.fills if _fee(row) == _fee(fill)]
    else:
        is_spot = base.recorded.instruments[fill.symbol].instrument_kind is InstrumentKind.SPOT
        twins = [
            row
            for row in base.fills
            if payload(row) == payload(fill) and (is_spot or _nearly(row, fill))
        ]
    return replace(fault, twin_ids=ids_of(twins))


def _is_unseen(fault: Fault) -> bool:
    return fault.cause_kind in (CauseKind.MISSING_FILL, CauseKind.DUPLICATE_FILL)


def _fee(fill: Fill) -> tuple[object, ...]:
    return fill.account, fill.fee_currency, fill.fee


def _nearly(row: Fill, fill: Fill) -> bool:
    return row.time == fill.time
