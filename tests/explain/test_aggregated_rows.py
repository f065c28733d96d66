"""Rows in another number with equal sums are no fault, alone and beside another one."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.model import Fill, Movement, MovementKind
from recon_core.model.explanation import Explanation
from tests.core.builders import at, fill
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


PARTS_OF_A = [("0.40", "50.00", "0.40"), ("0.35", "50.02", "0.35"), ("0.25", "50.04", "0.25")]
EXECUTIONS = [
    fill(f"e{at_}", "BUY", quantity, price, f"{fee} EUR", exchange_order_id="A", time=at(at_))
    for at_, (quantity, price, fee) in enumerate(PARTS_OF_A)
]
ORDER = fill("a", "BUY", "1", "50.017", "1.00 EUR", exchange_order_id="A", time=at(3))


@pytest.mark.parametrize("lost", range(3))
def test_a_lost_execution_is_the_difference(lost: int) -> None:
    """The order's row is not booked, and the other executions stay; nor are they orphans."""
    left = [row for row in EXECUTIONS if row is not EXECUTIONS[lost]]
    (one,) = explain(Books([*ROWS, *left], [*ROWS, ORDER]).reconciled())
    assert str(one.verdict) == "unique"
    assert [str(cause.cause_kind) for cause in one.causes] == ["missing_fill"]
    (entry,) = one.repair
    shown = [Decimal(entry.row[name]) for name in ("quantity", "price", "fee")]
    row = EXECUTIONS[lost]
    assert (entry.action, shown) == ("add_fill", [row.quantity, row.price, row.fee])


OF_THREE = [
    replace(row, fill_id=f"x{at_}", exchange_order_id="X", client_order_id=None, time=row.time,
            side=ROWS[0].side)
    for at_, row in enumerate(ROWS[1:4])
]  # fmt: skip
TOTAL = sum((row.quantity for row in OF_THREE), Decimal(0))
VALUE = sum((row.quantity * row.price for row in OF_THREE), Decimal(0))
WHOLE = replace(
    OF_THREE[2], fill_id="X", quantity=TOTAL, price=round(VALUE / TOTAL, 10),
    fee=sum((row.fee for row in OF_THREE), Decimal(0)),
)  # fmt: skip


def against_the_order(executions: list[Fill]) -> tuple[Explanation, ...]:
    """A ledger with executions of an order, the exchange with its row and the true state."""
    return explain(
        Books([*ROWS, *executions], [*ROWS, WHOLE], stated=[*ROWS, *OF_THREE]).reconciled()
    )


@pytest.mark.parametrize("wrong", range(3))
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("duplicate_fee", lambda row: {"fee": row.fee * 2}),
        ("missing_fee", lambda _: {"fee": Decimal(0)}),
        ("wrong_price", lambda row: {"price": row.price + 13}),
        ("missing_fill", None),
    ],
)
def test_a_fault_of_one_execution_is_its_own(
    wrong: int, kind: str, fields: Callable[[Fill], dict[str, Decimal]] | None
) -> None:
    """By what the sums differ, though the order's price is rounded; no row is orphaned."""
    row = OF_THREE[wrong]
    other = [] if fields is None else [replace(row, **fields(row))]
    (one,) = against_the_order([*OF_THREE[:wrong], *other, *OF_THREE[wrong + 1 :]])
    assert (str(one.verdict), [str(cause.cause_kind) for cause in one.causes]) == ("unique", [kind])
    added = one.repair[-1].row
    shown = tuple(Decimal(added[name]) for name in ("quantity", "price", "fee"))
    assert shown == (row.quantity, row.price, row.fee)


def test_an_execution_too_many_is_the_only_orphan() -> None:
    """The others stay, and the order's row is not booked."""
    more = replace(OF_THREE[1], fill_id="x9", quantity=Decimal("0.011"), fee=Decimal("0.44"))
    (one,) = against_the_order([*OF_THREE, more])
    assert (str(one.verdict), [cause.ids for cause in one.causes]) == ("unique", [("x9",)])


def test_two_faults_of_one_order_accuse_no_row() -> None:
    """Sums that several changes would make equal are not explained by orphans."""
    wrong = [replace(row, fee=row.fee + Decimal("0.0003")) for row in OF_THREE]
    found = against_the_order(wrong)
    assert not any("orphan" in str(cause.cause_kind) for one in found for cause in one.causes)


def test_an_order_without_one_of_its_executions() -> None:
    """The ledger has one row of two executions, the exchange lists three."""
    split = [EXECUTIONS[0],
             replace(EXECUTIONS[1], quantity=Decimal("0.20"), price=Decimal("50.02"),
                     fee=Decimal("0.20")),
             replace(EXECUTIONS[2], quantity=Decimal("0.20"), price=Decimal("50.04"),
                     fee=Decimal("0.20"))]  # fmt: skip
    two = fill("a", "BUY", "0.40", "50.03", "0.40 EUR", exchange_order_id="A", time=at(3))
    found = explain(Books([*ROWS, two], [*ROWS, *split]).reconciled())
    assert kinds(found) == [("unique", ["missing_fill"], ["e0"])]


def test_interest_of_every_hour_and_of_the_day() -> None:
    """With a row beside it that is missing from the ledger."""
    lost = Movement("x", MovementKind.DEPOSIT, at(-60), "EUR", Decimal("12.34"))
    alone = Books(ROWS, ROWS, ledger_moved=HOURLY, exchange_moved=DAILY).reconciled()
    assert explain(alone) == ()
    beside = Books(ROWS, ROWS, ledger_moved=HOURLY, exchange_moved=[*DAILY, lost]).reconciled()
    assert kinds(explain(beside)) == [("unique", ["missing_movement"], ["x"])]
