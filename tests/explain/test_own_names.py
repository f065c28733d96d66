"""Sides of which each names its rows in its own way: ids, a clock, an account, and one fault."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import apply_entries, entries_of, explain
from recon_core.model import Fill, Movement, SideRecord
from tests.core.builders import at
from tests.explain.real_sessions import books, moved, session, silent
from tests.explain.spot_ledgers import trade

Rows = Sequence[Fill | Movement]

DEPOSIT = moved("m1", "deposit", "250 EUR", -950)
WITHDRAWAL = moved("m2", "withdrawal", "-75.5 EUR", -650)
FILLS = (
    trade("f1", "BUY", "1", "100", -900),
    trade("f2", "SELL", "0.25", "110", -800),
    trade("f3", "BUY", "2", "90", -700),
    trade("f4", "BUY", "0.5", "95", -600),
    trade("f5", "SELL", "1", "105", -500),
)
ROWS: Rows = (DEPOSIT, WITHDRAWAL, *FILLS)
WRONG = FILLS[2]


def without(*names: object) -> Rows:
    """The rows but for some of them."""
    return [row for row in ROWS if row not in names]


def changed(row: Fill | Movement, **fields: object) -> Rows:
    """The rows, one of them with other fields."""
    return [replace(one, **fields) if one is row else one for one in ROWS]


FAULTS: dict[str, tuple[Rows, str]] = {
    "a copy": ([*ROWS, replace(WRONG, fill_id="f3b", client_order_id="o-f3")], "duplicate_fill"),
    "a fill lost": (without(WRONG), "missing_fill"),
    "a false fill": ([*ROWS, trade("f9", "BUY", "3", "91", -550)], "orphan_fill"),
    "a side": (changed(WRONG, side=WRONG.side.other), "side_flipped"),
    "a quantity": (changed(WRONG, quantity=Decimal(20)), "wrong_quantity"),
    "a price": (changed(WRONG, price=Decimal(900)), "wrong_price"),
    "no fee": (changed(WRONG, fee=Decimal(0)), "missing_fee"),
    "a fee turned": (changed(WRONG, fee=-WRONG.fee), "fee_sign"),
    "a movement lost": (without(WITHDRAWAL), "missing_movement"),
    "an amount": (changed(WITHDRAWAL, amount=Decimal(-755)), "wrong_movement"),
}


def other_ids(row: Fill | Movement) -> Fill | Movement:
    """A row under the exchange's own id."""
    if isinstance(row, Movement):
        return replace(row, movement_id=f"tx-{row.movement_id}")
    return replace(row, fill_id=f"x-{row.fill_id}", client_order_id=None)


def an_hour_late(row: Fill | Movement) -> Fill | Movement:
    """A row by a clock that is an hour late."""
    return replace(row, time=row.time + timedelta(hours=1))


def in_an_account(row: Fill | Movement) -> Fill | Movement:
    """A row of a named account."""
    return replace(row, account="main")


CONVENTIONS: dict[str, list[Callable[[Fill | Movement], Fill | Movement]]] = {
    "ids": [other_ids],
    "a clock": [an_hour_late],
    "ids and a clock": [other_ids, an_hour_late],
    "an account that no balance names": [in_an_account],
    "ids and such an account": [other_ids, in_an_account],
}


def exchange(convention: str) -> SideRecord:
    """The right state, with the right rows in the exchange's words; it states no opening."""
    rows = list(ROWS)
    for said in CONVENTIONS[convention]:
        rows = [said(row) for row in rows]
    truth = silent(books(*ROWS))
    return replace(
        truth,
        as_of=max([truth.as_of, *(row.time for row in rows)]),
        fills=tuple(row for row in rows if isinstance(row, Fill)),
        movements=tuple(row for row in rows if isinstance(row, Movement)),
    )


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_told_as_with_common_names(fault: str, convention: str) -> None:
    """A row is found by what it has in common with the other side's; a late clock is named."""
    ledger, kind = FAULTS[fault]
    external = exchange(convention)
    before = session(books(*ledger), external)
    (one,) = explain(before)
    kinds = [str(cause.cause_kind) for cause in one.causes]
    assert str(one.verdict) == "unique", one.text
    assert [each for each in kinds if each != "as_of_shift"] == [kind], one.text
    assert "as_of_shift" not in kinds or an_hour_late in CONVENTIONS[convention]
    assert str(one.causes[-1].side) == "internal"
    if an_hour_late not in CONVENTIONS[convention]:
        repaired = apply_entries(before.recorded, entries_of(before, one))
        left = {diff.identity for diff in Reconciliation(repaired, before.policy).diffs}
        assert left <= {diff.identity for diff in session(books(*ROWS), external).diffs}


def test_a_row_with_several_alike_is_in_no_pair() -> None:
    """Two fills at one time that differ in their sides: neither is the other one turned."""
    twins = [trade("f6", "BUY", "1", "100", -400), trade("f7", "SELL", "1", "100", -400)]
    ledger = books(*ROWS, *twins)
    rows = [other_ids(row) for row in (*ROWS, replace(twins[0], quantity=Decimal(2)))]
    truth = silent(books(*ROWS, replace(twins[0], quantity=Decimal(2))))
    found = explain(
        session(ledger, replace(truth, fills=tuple(row for row in rows if isinstance(row, Fill))))
    )
    kinds = [[str(cause.cause_kind) for cause in one.causes] for one in found]
    assert all("side_flipped" not in each for each in kinds), kinds


def test_a_clock_that_is_right_for_one_row_is_not_off() -> None:
    """The other rows are off by an hour each."""
    late = [row if row is WRONG else an_hour_late(row) for row in ROWS]
    listed = replace(exchange("a clock"), fills=tuple(row for row in late if isinstance(row, Fill)))
    found = explain(session(books(*changed(WRONG, side=WRONG.side.other)), listed))
    assert [[str(cause.cause_kind) for cause in one.causes] for one in found] == [["side_flipped"]]


APART: dict[str, list[str]] = {
    **{name: [kind] for name, (_, kind) in FAULTS.items()},
    "a fill lost": ["missing_fill", "missing_movement"],
    "no fee": ["missing_movement"],
    "a fee turned": ["wrong_fee", "missing_movement"],
}
"""What is told where the exchange lists every fee as a movement: the fee of a row is apart."""


@pytest.mark.parametrize("fault", APART)
def test_fees_that_the_exchange_lists_apart(fault: str) -> None:
    """A fee with the fill here and a movement of it there are one fee."""
    charged = [
        moved(f"fee-{row.fill_id}", "fee", f"{-row.fee:f} EUR", (row.time - at(0)).total_seconds())
        for row in FILLS
    ]
    truth = silent(books(*ROWS))
    listed = replace(
        truth,
        fills=tuple(replace(row, fee=Decimal(0)) for row in FILLS),
        movements=(DEPOSIT, WITHDRAWAL, *charged),
    )
    (one,) = explain(session(books(*FAULTS[fault][0]), listed))
    assert str(one.verdict) == "unique", one.text
    assert [str(cause.cause_kind) for cause in one.causes] == APART[fault], one.text
    assert not explain(session(books(*ROWS), listed))
