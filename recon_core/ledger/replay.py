"""Replay of a side: opening, fills and movements give positions and cash."""

from dataclasses import replace
from operator import attrgetter

from recon_core.errors import ReplayError
from recon_core.ledger.position_ledger import PositionLedger
from recon_core.model import LedgerSide, RecordedSession, SideRecord


def with_derived_sections(recorded: RecordedSession) -> RecordedSession:
    """The session with positions and cash replayed where a side gives fills instead.

    Raises `ReplayError` naming the side where its rows cannot be replayed.
    """
    internal = _derived(recorded, LedgerSide.INTERNAL)
    is_copy = recorded.external is recorded.internal
    external = internal if is_copy else _derived(recorded, LedgerSide.EXTERNAL)
    return replace(recorded, internal=internal, external=external)


def _derived(recorded: RecordedSession, side: LedgerSide) -> SideRecord | None:
    record = recorded.side(side)
    if record is None or record.opening is None or record.fills is None:
        return record
    missing = frozenset(name for name in ("positions", "cash") if record.rows(name) is None)
    if not missing:
        return record
    try:
        ledger = replay(recorded, record)
    except ReplayError as error:
        raise ReplayError(f"{side} side: {error}") from None
    return replace(
        record,
        positions=ledger.positions if "positions" in missing else record.positions,
        cash=ledger.cash if "cash" in missing else record.cash,
        derived=missing,
    )


def replay(recorded: RecordedSession, record: SideRecord) -> PositionLedger:
    """The ledger that a side's opening, fills and movements give.

    Fills are booked in time order, those of one time in the order given.
    """
    ledger = PositionLedger(
        instruments=recorded.instruments,
        currencies=recorded.currencies,
        opening=record.opening,
    )
    ledger.apply_fills(sorted(record.fills or (), key=attrgetter("time")))
    for movement in record.movements or ():
        ledger.apply_movement(movement)
    return ledger
