"""Snapshots of a side with one account, whose rows name it or leave it out."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.ledger.replay import replay
from recon_core.model import CashBalance, Fill, SideRecord, Snapshot
from recon_core.model.explanation import ExplanationVerdict
from recon_core.policy import Policy
from tests.core.builders import SPOT, at, fill, recorded, side
from tests.explain.real_sessions import books

ROWS = [
    fill("f1", "BUY", "1", "100", "0.1 EUR", time=at(-900)),
    fill("f2", "BUY", "3", "101", "0.303 EUR", time=at(-800)),
    fill("f3", "SELL", "1", "99", "0.099 EUR", time=at(-700)),
    fill("f4", "BUY", "2", "102", "0.204 EUR", time=at(-600)),
    fill("f5", "SELL", "1", "103", "0.103 EUR", time=at(-400)),
]
TWICE = [*ROWS[:4], replace(ROWS[0], fill_id="x", time=at(-520)), ROWS[4]]
TIMES = (-850, -750, -650, -550, -450, -350)
Account = str | None


def state(rows: Sequence[Fill], seconds: float, account: Account) -> Snapshot:
    """The state up to a time."""
    record = books(*(row for row in rows if row.time <= at(seconds)))
    ledger = replay(recorded(record, None, instruments={SPOT.symbol: SPOT}), record)
    positions = tuple(replace(row, account=account) for row in ledger.positions)
    cash = tuple(replace(row, account=account) for row in ledger.cash)
    return Snapshot(at(seconds), positions, cash)


def ledger_of(account: Account) -> SideRecord:
    """A ledger with the first fill once more."""
    record = books(*(replace(row, account=account) for row in TWICE))
    opening = record.opening
    assert opening is not None
    cash = tuple(replace(row, account=account) for row in opening.cash)
    return replace(record, opening=replace(opening, cash=cash))


def exchange(account: Account, earlier: Account) -> SideRecord:
    """A state in an account, and snapshots that name it or not."""
    last = state(ROWS, 0, account)
    snapshots = tuple(state(ROWS, seconds, earlier) for seconds in TIMES)
    return side(last.positions, last.cash, snapshots=snapshots)


ACCOUNTS = [
    (None, None, None),
    ("main", "main", "main"),
    ("main", "main", None),
    (None, "main", "main"),
    (None, "main", None),
    ("main", None, None),
]
"""The account in the ledger's rows, in the exchange's state, and in its snapshots."""


def test_snapshots_without_a_name_are_of_the_account_of_their_side() -> None:
    """The ledger has a second account, which holds nothing: accounts are compared by name."""
    ledger = ledger_of("main")
    assert ledger.opening is not None
    empty = CashBalance("EUR", Decimal(0), account="spare")
    opening = replace(ledger.opening, cash=(*ledger.opening.cash, empty))
    require_the_later_one(replace(ledger, opening=opening), exchange("main", None))


@pytest.mark.parametrize(("mine", "theirs", "earlier"), ACCOUNTS)
def test_snapshots_are_of_the_only_account(
    mine: Account, theirs: Account, earlier: Account
) -> None:
    """Of two equal fills the one in the window where the sides part is the duplicate."""
    require_the_later_one(ledger_of(mine), exchange(theirs, earlier))


def require_the_later_one(internal: SideRecord, external: SideRecord) -> None:
    """The explanation names it, and since when the sides differ."""
    known = recorded(internal, external, instruments={SPOT.symbol: SPOT})
    (one,) = explain(Reconciliation(known, Policy()))
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    assert [cause.ids for cause in one.causes] == [("x",)], one.text
    assert "agree until 2026-01-01T11:50:50Z and differ from 2026-01-01T11:52:30Z on" in one.proof
