"""Replay of a side: opening, fills and movements give positions and cash.

Source of the rules: the session format, "Derived state", and the design's "Ledger
comparisons". A replay is a pure function of what a side states.
"""

from dataclasses import replace

from recon_core.errors import ReplayError
from recon_core.ledger.position_ledger import PositionLedger
from recon_core.ledger.timeline import in_order
from recon_core.model import Fill, LedgerSide, RecordedSession, SideRecord


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

    Raises `ReplayError` where one of them cannot be booked. The order is that of
    `recon_core.ledger.timeline`.
    """
    ledger = PositionLedger(
        instruments=recorded.instruments,
        currencies=recorded.currencies,
        opening=record.opening,
    )
    for event in in_order(record.fills or (), record.movements or ()):
        if isinstance(event, Fill):
            ledger.apply_fill(event)
        else:
            ledger.apply_movement(event)
    return ledger
