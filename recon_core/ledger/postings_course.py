"""Both sides after each posting: the course of a position or balance where no snapshot shows it.

Each side is replayed once more, and its states are read at common times: those of the fills and
movements of both sides.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from recon_core.ledger.replay import SideReplay
from recon_core.ledger.running import states_at_snapshots
from recon_core.model import (
    CashBalance,
    LedgerSide,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
)
from recon_core.values.amounts import EXACT, ZERO
from recon_core.values.errors import ReplayError

MOST_TIMES: Final = 200
"""Times at which the states are read: a chart of 600 pixels shows no more of them."""
MOST_POSTINGS: Final = 20_000
"""Fills and movements of both sides that are followed: each is booked once more, in about 20 µs."""

State = Mapping[tuple[str, str, str | None], Decimal]
"""Amounts by name, leg and account; of a balance the leg is empty."""


@dataclass
class PostingsCourse:
    """The states of both sides of one session after common times, read when first asked for."""

    recorded: RecordedSession
    replays: Mapping[LedgerSide, SideReplay]
    _states: tuple[list[datetime], list[list[State]]] | None = None
    left_out: int = field(default=0, init=False)

    def amounts(
        self, value: Position | CashBalance, *, any_account: bool
    ) -> list[tuple[datetime, Decimal, Decimal]]:
        """Return both sides' amounts of a position or balance by time; empty where not known."""
        if self._states is None:
            self._states = self._read()
        times, sides = self._states
        if not times or (isinstance(value, CashBalance) and not self._has_cash()):
            return []
        ours, theirs = (
            [_amount(one, value, any_account=any_account) for one in states] for states in sides
        )
        return list(zip(times, ours, theirs, strict=True))

    def _has_cash(self) -> bool:
        return all(replayed.cash is not None for replayed in self.replays.values())

    def _read(self) -> tuple[list[datetime], list[list[State]]]:
        records = self.recorded.own_records()
        followed = [side for side in records if self._is_followed(side, records[side])]
        count = sum(len(one.fill_rows) + len(one.movement_rows) for one in records.values())
        if len(followed) < len(LedgerSide) or not 0 < count <= MOST_POSTINGS:
            return [], []
        every = sorted(set(_times(records.values())))
        step = -(-len(every) // MOST_TIMES)
        times = every[::-1][::step][::-1]  # the last always
        self.left_out = len(every) - len(times)
        try:
            return times, [self._at(side, times) for side in LedgerSide]
        except ReplayError:
            return [], []

    def _is_followed(self, side: LedgerSide, record: SideRecord) -> bool:
        replayed = self.replays.get(side)
        return replayed is not None and not replayed.problem and bool(record.fills)

    def _at(self, side: LedgerSide, times: list[datetime]) -> list[State]:
        record = self.recorded.own_records()[side]
        asked = replace(record, snapshots=tuple(map(Snapshot, times)))
        rows = states_at_snapshots(self.recorded, asked, cash=self._has_cash())
        return [_state(states.positions, states.cash) for _, states in rows]


def _times(records: Iterable[SideRecord]) -> Iterator[datetime]:
    for record in records:
        yield from (row.time for row in record.fill_rows)
        yield from (row.time for row in record.movement_rows)


def _state(positions: tuple[Position, ...], cash: tuple[CashBalance, ...] | None) -> State:
    amounts = {(row.symbol, str(row.leg), row.account): row.quantity for row in positions}
    return amounts | {(row.currency, "", row.account): row.total for row in cash or ()}


def _amount(state: State, value: Position | CashBalance, *, any_account: bool) -> Decimal:
    name = value.symbol if isinstance(value, Position) else value.currency
    leg = str(value.leg) if isinstance(value, Position) else ""
    if not any_account:
        return state.get((name, leg, value.account), ZERO)
    total = ZERO
    for (own, own_leg, _), amount in state.items():
        if (own, own_leg) == (name, leg):
            total = EXACT.add(total, amount)
    return total
