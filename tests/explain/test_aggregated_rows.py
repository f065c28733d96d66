"""Rows in another number with equal sums are no fault, alone and beside another one."""

from dataclasses import replace
from decimal import Decimal

from recon_core.explain import explain
from recon_core.model import Movement, MovementKind
from recon_core.model.explanation import Explanation
from tests.core.builders import at
from tests.explain.row_books import Books, in_two, paid, trades

ROWS = trades(places=7)
PARTS = in_two(in_two(ROWS, 4), 8)
HOURLY = [replace(paid(f"i{hour}", f"0.{hour + 11}", 0), time=at(-3000 + 60 * hour))
          for hour in range(24)]  # fmt: skip
DAILY = [paid("day", str(sum((row.amount or Decimal(0) for row in HOURLY), Decimal(0))), 59)]


def kinds(found: tuple[Explanation, ...]) -> list[tuple[str, list[str], list[str]]]:
    """The verdict of each explanation, the kinds of its causes and the ids that they name."""
    return [
        (
            str(one.verdict),
            [str(cause.cause_kind) for cause in one.causes],
            [name for cause in one.causes for name in cause.ids],
        )
        for one in found
    ]


def test_alone_it_needs_no_explanation() -> None:
    """Trades in two parts here and as one row there, from either side."""
    for ledger, exchange in ((PARTS, ROWS), (ROWS, PARTS)):
        found = Books(ledger, exchange).reconciled()
        assert {diff.diff_type for diff in found.diffs} == {"FILL"}
        assert {str(diff.severity) for diff in found.diffs} == {"INFO"}
        assert explain(found) == ()


def test_a_lost_fill_beside_it_is_the_only_cause() -> None:
    """The executions are neither orphaned nor missing."""
    for ledger, exchange in ((PARTS, ROWS), (ROWS, PARTS)):
        lacking = [row for row in ledger if row.fill_id != "f2"]
        found = explain(Books(lacking, exchange).reconciled())
        assert kinds(found) == [("unique", ["missing_fill"], ["f2"])]


def test_a_lost_part_is_a_difference() -> None:
    """A sum that is off keeps its rows apart, and the other trade is left out as before."""
    lacking = [row for row in PARTS if row.fill_id != "f4b"]
    found = Books(lacking, ROWS).reconciled()
    severities = {diff.identity: str(diff.severity) for diff in found.diffs}
    assert severities["fill::BTC/EUR,f4"] == "FAIL"
    assert severities["fill::BTC/EUR,f7"] == "INFO"
    assert kinds(explain(found)) == [("unique", ["wrong_quantity"], ["f4"])]


def test_interest_of_every_hour_and_of_the_day() -> None:
    """With a row beside it that is missing from the ledger."""
    lost = Movement("x", MovementKind.DEPOSIT, at(-60), "EUR", Decimal("12.34"))
    alone = Books(ROWS, ROWS, ledger_moved=HOURLY, exchange_moved=DAILY).reconciled()
    assert explain(alone) == ()
    beside = Books(ROWS, ROWS, ledger_moved=HOURLY, exchange_moved=[*DAILY, lost]).reconciled()
    assert kinds(explain(beside)) == [("unique", ["missing_movement"], ["x"])]
