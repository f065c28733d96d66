"""Repairs of a state whose rows have many decimals: more digits than a row may have."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import Explanation, apply_entries, entries_of, explain
from recon_core.model import CashBalance, Fill, RecordedSession
from recon_core.policy import Policy
from recon_core.values.amounts import EXACT
from recon_core.values.errors import ReconError
from tests.core.builders import at, fill
from tests.explain.real_sessions import books, session, silent

ROWS = (
    fill("f1", "BUY", "1", "100", "0.1 EUR", time=at(-900)),
    fill("f2", "SELL", "0.4", "103", "0.0412 EUR", time=at(-600)),
    fill("f3", "BUY", "0.0000000000000000000001", "100.000000000000001", time=at(-300)),
)
TRUTH = books(*ROWS, opening={"EUR": "1000"})
RIGHT = Decimal("941.0587999999999999999899999999999999999")
WRONG: dict[str, tuple[Sequence[Fill], str, set[str]]] = {
    "without a fill": ((ROWS[0], ROWS[2]), "missing_fill", {"adjust_position", "adjust_cash"}),
    "with a fill twice": (
        (*ROWS[:2], *ROWS[1:]), "duplicate_fill", {"adjust_position", "adjust_cash"},
    ),
    "without a fee": (
        (ROWS[0], replace(ROWS[1], fee=Decimal(0)), ROWS[2]), "missing_fee", {"adjust_cash"},
    ),
}  # fmt: skip
"""The rows behind the ledger's state, the cause, and the actions of its repair."""


def explained(name: str) -> tuple[Reconciliation, Explanation]:
    """A ledger that gives its state alone, and the exchange's rows."""
    before = session(silent(books(*WRONG[name][0], opening={"EUR": "1000"})), TRUTH)
    (one,) = explain(before)
    return before, one


@pytest.mark.parametrize("name", WRONG)
def test_a_state_is_corrected_to_the_last_digit(name: str) -> None:
    """Its 37 decimals are read back as they were written, and twice is once."""
    before, one = explained(name)
    assert [str(cause.cause_kind) for cause in one.causes] == [WRONG[name][1]], one.text
    assert {booking.action for booking in one.repair} == WRONG[name][2]
    entries = entries_of(before, one)
    after = apply_entries(before.recorded, entries)
    assert after.internal is not None
    assert after.internal.cash is not None
    assert [row.total for row in after.internal.cash if row.currency == "EUR"] == [RIGHT]
    assert Reconciliation(after, Policy()).diffs == []
    assert apply_entries(after, entries) == after


def test_what_the_state_does_not_list_is_added() -> None:
    """The ledger lacks the only fill of a market: neither position nor balance is in its state."""
    opening = {"EUR": "1000", "USD": "500"}
    bought = fill("f9", "BUY", "3", "20", "0.06 USD", symbol="ETH/USD", time=at(-450))
    truth = books(*ROWS[:2], bought, opening=opening)
    before = session(silent(books(*ROWS[:2], opening=opening)), truth)
    (one,) = explain(before)
    assert [(str(cause.cause_kind), cause.ids) for cause in one.causes] == [
        ("missing_fill", ("f9",))
    ]
    amounts = {row.row.get("symbol") or row.row["currency"]: row.row for row in one.repair}
    assert {name: (row["stated"], row["corrected"]) for name, row in amounts.items()} == {
        "ETH/USD": ("0", "3"),
        "ETH": ("0", "3"),
        "USD": ("500", "439.94"),
    }
    after = apply_entries(before.recorded, entries_of(before, one))
    assert Reconciliation(after, Policy()).diffs == []


def test_a_state_that_is_neither_is_refused() -> None:
    """The entry corrects one amount, and the copy has another."""
    before, one = explained("without a fee")
    assert before.recorded.internal is not None
    other = replace(before.recorded.internal, cash=(CashBalance("EUR", Decimal(7)),))
    moved = replace(before.recorded, internal=other)
    with pytest.raises(ReconError, match=rf"from 941\.0999\d+ to {RIGHT}, and it is 7"):
        apply_entries(moved, entries_of(before, one))


@pytest.mark.parametrize("text", ["1e400", "١", "0x10", "1.2.3", "1-", "--1", "", "NaN"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    """A repair that was edited by hand holds digits, or it is refused."""
    before, one = explained("without a fee")
    (entry,) = entries_of(before, one)
    edited = replace(entry, row={**entry.row, "corrected": text})
    with pytest.raises(ReconError, match=r"corrected: .* is not an amount"):
        apply_entries(before.recorded, [edited])


def test_what_is_free_is_corrected_with_the_total() -> None:
    """A copy whose total is right already, and whose free amount is not, is corrected too."""
    state = silent(books(*WRONG["without a fee"][0], opening={"EUR": "1000"}))
    cash = tuple(
        replace(row, free=EXACT.subtract(row.total, Decimal(10)), locked=Decimal(10))
        for row in state.cash or ()
    )
    before = session(replace(state, cash=cash), TRUTH)
    (one,) = explain(before)
    entries = entries_of(before, one)
    after = apply_entries(before.recorded, entries)
    assert euros(after) == (RIGHT, EXACT.subtract(RIGHT, Decimal(10)))
    assert after.internal is not None
    other = tuple(replace(row, free=Decimal(1)) for row in after.internal.cash or ())
    half = replace(after, internal=replace(after.internal, cash=other))
    assert euros(apply_entries(half, entries)) == euros(after)


def euros(known: RecordedSession) -> tuple[Decimal, Decimal | None]:
    """The ledger's total of EUR, and what of it is free."""
    assert known.internal is not None
    (row,) = (row for row in known.internal.cash or () if row.currency == "EUR")
    return row.total, row.free
