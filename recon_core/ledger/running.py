"""A side's replay, event by event: what its rows up to any time give."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from recon_core.ledger.quantities import quantities
from recon_core.ledger.replay import opened_ledger, with_named_account
from recon_core.ledger.timeline import in_order
from recon_core.model import (
    CashBalance,
    Fill,
    Leg,
    Movement,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
)
from recon_core.model.assets import unified_spot
from recon_core.values.errors import ReplayError


class States(Protocol):
    """Positions, and cash where it is replayed, after the last event."""

    @property
    def positions(self) -> tuple[Position, ...]:
        """Every position that was booked so far."""

    @property
    def cash(self) -> tuple[CashBalance, ...] | None:
        """Every balance that was booked so far, `None` where cash is not replayed."""

    def apply(self, event: Fill | Movement) -> None:
        """Book the next event."""

    def value_at(self, snapshot: Snapshot) -> None:
        """Take the mark prices of a snapshot as those of now."""


def states_at_snapshots(
    recorded: RecordedSession, record: SideRecord, *, cash: bool
) -> Iterator[tuple[Snapshot, States]]:
    """The snapshots of a side by time, each with what the rows up to its time give.

    Events of that very time are among them. Without `cash` quantities are added up,
    as for a side whose instruments are not declared. The states are good until the next
    step. Raises `ReplayError` where a row cannot be booked.
    """
    record = with_named_account(record)
    states: States = _Replayed(recorded, record) if cash else _AddedUp(recorded, record)
    events = in_order(record.fills or (), record.movements or ())
    waiting = next(events, None)
    for snapshot in sorted(record.snapshots or (), key=lambda one: one.as_of):
        while waiting is not None and waiting.time <= snapshot.as_of:
            states.apply(waiting)
            waiting = next(events, None)
        states.value_at(snapshot)
        yield snapshot, states


class _Replayed:
    """Fills and movements as the ledger books them."""

    def __init__(self, recorded: RecordedSession, record: SideRecord) -> None:
        self._ledger = opened_ledger(recorded, record)

    @property
    def positions(self) -> tuple[Position, ...]:
        return self._ledger.positions

    @property
    def cash(self) -> tuple[CashBalance, ...] | None:
        try:
            return self._ledger.cash
        except ReplayError:  # the snapshot states no mark price of what is open
            return None

    def value_at(self, snapshot: Snapshot) -> None:
        self._ledger.marks.clear()
        for row in snapshot.positions or ():
            if row.mark_price is not None:
                self._ledger.marks[row.symbol] = row.mark_price

    def apply(self, event: Fill | Movement) -> None:
        if isinstance(event, Fill):
            self._ledger.apply_fill(event)
        else:
            self._ledger.apply_movement(event)


class _AddedUp:
    """Quantities only, of symbols that are not all declared."""

    def __init__(self, recorded: RecordedSession, record: SideRecord) -> None:
        self._instruments = recorded.instruments
        self._held = quantities(replace(record, fills=(), movements=()), recorded.instruments)

    @property
    def positions(self) -> tuple[Position, ...]:
        return self._held.positions()

    @property
    def cash(self) -> tuple[CashBalance, ...] | None:
        return None

    def value_at(self, snapshot: Snapshot) -> None:
        """Quantities have no value."""

    def apply(self, event: Fill | Movement) -> None:
        if isinstance(event, Fill):
            known = self._instruments.get(event.symbol) or unified_spot(event.symbol)
            self._held.add_fill(event, known)
        elif event.symbol is not None and event.quantity is not None:
            self._held.add((event.account, event.symbol, Leg.NET), event.quantity)
