"""A ledger of six fills at one exchange that states what they give, and snapshots of both."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import apply_entries, entries_of
from recon_core.ledger.replay import replay
from recon_core.model import (
    Fill,
    Movement,
    SideRecord,
    Snapshot,
)
from recon_core.model.explanation import Explanation
from recon_core.values.amounts import EXACT
from tests.core.builders import SPOT, at, fill, recorded, side
from tests.explain.real_sessions import books

Rows = Sequence[Fill | Movement]


RICH = "1000000"


def trade(name: str, order_side: str, quantity: str, price: str, seconds: float) -> Fill:
    """A fill of an order of its own, charged 0.1 %."""
    fee = EXACT.multiply(EXACT.multiply(Decimal(quantity), Decimal(price)), Decimal("0.001"))
    order = f"o-{name}"
    return fill(
        name, order_side, quantity, price, f"{fee:f} EUR", time=at(seconds), client_order_id=order
    )


def state(rows: Rows, seconds: float = 0, opening: str = RICH) -> Snapshot:
    """What rows give up to a time."""
    record = books(*(row for row in rows if row.time <= at(seconds)), opening={"EUR": opening})
    ledger = replay(recorded(record, None, instruments={SPOT.symbol: SPOT}), record)
    return Snapshot(at(seconds), ledger.positions, ledger.cash)


def states(rows: Rows, times: Sequence[float], opening: str = RICH) -> tuple[Snapshot, ...]:
    """The snapshots of rows at several times."""
    return tuple(state(rows, seconds, opening) for seconds in times)


def exchange(rows: Rows, times: Sequence[float] = (), opening: str = RICH) -> SideRecord:
    """An exchange that gives no rows: its state, and states in between."""
    last = state(rows, opening=opening)
    return side(last.positions, last.cash, snapshots=states(rows, times, opening) or None)


def ledger_of(rows: Rows, times: Sequence[float] = (), opening: str = RICH) -> SideRecord:
    """A ledger with its rows, and snapshots that follow from them."""
    given_ = states(rows, times, opening) or None
    return books(*rows, opening={"EUR": opening}, snapshots=given_)


def without(*names: str) -> list[Fill]:
    """The right rows without some of them."""
    return [row for row in ROWS if row.fill_id not in names]


def turned(name: str) -> list[Fill]:
    """The right rows, one of them with BUY and SELL exchanged."""
    return [replace(row, side=row.side.other) if row.fill_id == name else row for row in ROWS]


def again(name: str, fill_id: str, seconds: float) -> Fill:
    """A fill that is booked once more later, under another id and order."""
    (row,) = (row for row in ROWS if row.fill_id == name)
    return replace(row, fill_id=fill_id, client_order_id=f"o-{fill_id}", time=at(seconds))


def require_repaired(reconciliation: Reconciliation, one: Explanation) -> Reconciliation:
    """The entries do away with every diff, those of snapshots included, once and again."""
    entries = entries_of(reconciliation, one, repair_exchange=True)
    repaired = apply_entries(reconciliation.recorded, entries)
    found = Reconciliation(repaired, reconciliation.policy)
    assert found.diffs == []
    assert apply_entries(repaired, entries) == repaired
    return found


ROWS = [
    trade("f1", "BUY", "1", "100", -900),
    trade("f2", "BUY", "3", "101", -800),
    trade("f3", "SELL", "1", "99", -700),
    trade("f4", "BUY", "2", "102", -600),
    trade("f5", "SELL", "1", "99", -500),
    trade("f6", "BUY", "1", "100", -400),
]
