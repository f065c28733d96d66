"""Order reports of one side as evidence, and rows that may be stated more than once."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import reported
from recon_core.explain.search.self_consistency import (
    OrderReports,
    has_duplicate_ids,
    is_later,
    may_be_duplicate,
)
from recon_core.model import Fill, Order, OrderSide, OrderState
from tests.core.builders import at, fill, order, side
from tests.explain.real_sessions import books, moved


def of_order(name: str, quantity: str = "1", side_: str = "BUY", **more: Any) -> Fill:
    return fill(name, side_, quantity, "100", **more)


ORDER = order("o1", "3", "2")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "3"),
        ({"state": OrderState.PARTIALLY_FILLED}, "2"),
        ({"side": OrderSide.SELL}, "-3"),
        ({"side": OrderSide.SELL, "state": OrderState.PARTIALLY_FILLED}, "-2"),
        ({"filled_quantity": Decimal(4)}, "4"),
        ({"filled_quantity": Decimal(3)}, "3"),
    ],
)
def test_the_filled_quantity_of_a_report(changes: dict[str, Any], expected: str) -> None:
    """A filled order has filled at least its quantity; a SELL counts against a position."""
    whole = replace(ORDER, **{"state": OrderState.FILLED, **changes})
    assert reported(whole) == Decimal(expected)


@pytest.mark.parametrize(
    ("state", "times", "expected"),
    [
        (OrderState.FILLED, [-5, 5], True),
        (OrderState.PARTIALLY_FILLED, [-5, 5], False),
        (OrderState.PARTIALLY_FILLED, [-5, 0], True),
        (OrderState.PARTIALLY_FILLED, [5], False),
        (OrderState.PARTIALLY_FILLED, [], True),
    ],
)
def test_a_report_that_covers_fills(state: OrderState, times: list[int], *, expected: bool) -> None:
    """A filled order covers them all, another one those up to its time."""
    report = replace(ORDER, state=state, time=at(0))
    fills = [of_order(f"f{number}", time=at(number)) for number in times]
    assert is_later(report, fills) is expected


def names(report: Order | None) -> tuple[str | None, str | None] | None:
    return None if report is None else (report.client_order_id, report.account)


REPORTS = [
    replace(ORDER, client_order_id="a", exchange_order_id="x1", account="main"),
    replace(ORDER, client_order_id="b", exchange_order_id=None, account="main"),
    replace(ORDER, client_order_id="b", exchange_order_id=None, account="sub"),
    replace(ORDER, client_order_id=None, exchange_order_id="x2", account="main"),
]
FOUND: list[tuple[dict[str, Any], bool, tuple[str | None, str | None] | None]] = [
    ({"client_order_id": "a", "account": "main"}, False, ("a", "main")),
    ({"client_order_id": "a", "account": "sub"}, False, None),
    ({"client_order_id": "a", "account": "sub"}, True, ("a", "main")),
    ({"client_order_id": "b", "account": "sub"}, False, ("b", "sub")),
    ({"client_order_id": "b", "account": "sub"}, True, None),
    ({"exchange_order_id": "x1", "account": "main"}, False, ("a", "main")),
    ({"exchange_order_id": "x2", "account": "main"}, False, (None, "main")),
    ({"client_order_id": "none", "exchange_order_id": "x2", "account": "main"}, False,
     (None, "main")),
    ({"client_order_id": "b", "exchange_order_id": "x1"}, True, None),
    ({"client_order_id": "x1"}, True, None),
    ({}, True, None),
]  # fmt: skip
"""The fields of a fill, whether accounts are left out, and the report of its order."""


@pytest.mark.parametrize(("fields", "plain", "expected"), FOUND)
def test_the_report_of_a_fill(
    fields: dict[str, Any], *, plain: bool, expected: tuple[str | None, str | None] | None
) -> None:
    """By either id, of its account; two reports of one order are none."""
    given = {"client_order_id": None, "exchange_order_id": None, **fields}
    row = replace(of_order("f"), **given)
    reports = OrderReports.of(REPORTS, plain=plain)
    assert names(reports.of_fill(row)) == expected
    assert names(OrderReports.of([], plain=plain).of_fill(row)) is None


def test_the_sums_of_reports() -> None:
    """Of the fills of each, SELL negative; fills without a report are left out."""
    rows = [
        of_order("f1", "2", client_order_id="a"),
        of_order("f2", "0.5", "SELL", client_order_id="a"),
        of_order("f3", "4", client_order_id="c"),
        of_order("f4", "7", client_order_id="none"),
    ]
    reports = [replace(ORDER, client_order_id=name) for name in ("a", "b", "c")]
    found = OrderReports.of(reports, plain=True).sums(rows)
    assert found == {id(reports[0]): Decimal("1.5"), id(reports[2]): Decimal(4)}
    assert OrderReports.of([], plain=True).sums(rows) == {}


PAID = moved("m1", "interest", "5 EUR")
TWICE: list[tuple[str, list[Any], bool]] = [
    ("nothing", [], False),
    ("a fill", [of_order("f1")], False),
    ("two fills", [of_order("f1"), of_order("f2")], False),
    ("a fill and a payment of one id", [of_order("m1"), PAID], False),
    ("two fills of one id", [of_order("f1"), of_order("f1", "2")], True),
    ("two payments", [PAID, replace(PAID, movement_id="m2")], False),
    ("two payments of one id", [PAID, replace(PAID, amount=Decimal(6))], True),
]


@pytest.mark.parametrize(
    ("rows", "expected"), [row[1:] for row in TWICE], ids=[r[0] for r in TWICE]
)
def test_ids_that_are_there_twice(rows: list[Any], *, expected: bool) -> None:
    """Of fills among fills, and of payments among payments."""
    assert has_duplicate_ids(books(*rows)) is expected
    assert not has_duplicate_ids(side())


BOUGHT = of_order("f1")
ADDED: list[tuple[str, Patch, list[Any], bool]] = [
    ("the only row", Patch(added=(BOUGHT,)), [BOUGHT], False),
    ("another row of its id", Patch(added=(BOUGHT,)), [BOUGHT, of_order("f1", "9")], True),
    ("another row of its trade", Patch(added=(BOUGHT,)),
     [BOUGHT, of_order("f2", time=at(-99))], True),
    ("another side", Patch(added=(BOUGHT,)), [BOUGHT, of_order("f2", "1", "SELL")], False),
    ("another price", Patch(added=(BOUGHT,)), [BOUGHT, fill("f2", "BUY", "1", "101")], False),
    ("another quantity", Patch(added=(BOUGHT,)), [BOUGHT, of_order("f2", "2")], False),
    ("others twice", Patch(added=(BOUGHT,)),
     [BOUGHT, of_order("f2", "2"), of_order("f2", "2")], False),
    ("one of two added", Patch(added=(of_order("f3", "3"), BOUGHT)),
     [of_order("f3", "3"), BOUGHT, BOUGHT], True),
    ("a removed one", Patch(removed=(BOUGHT,)), [BOUGHT, BOUGHT], False),
    ("a payment", Patch(added_movements=(PAID,)), [PAID], False),
    ("another payment of its id", Patch(added_movements=(PAID,)),
     [PAID, replace(PAID, amount=Decimal(6))], True),
    ("another payment of its content", Patch(added_movements=(PAID,)),
     [PAID, replace(PAID, movement_id="m2")], True),
    ("another payment", Patch(added_movements=(PAID,)),
     [PAID, moved("m2", "interest", "6 EUR")], False),
    ("other payments twice", Patch(added_movements=(PAID,)),
     [PAID, moved("m2", "interest", "6 EUR"), moved("m2", "interest", "6 EUR")], False),
    ("a removed payment", Patch(removed_movements=(PAID,)), [PAID, PAID], False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("patch", "rows", "expected"), [row[1:] for row in ADDED], ids=[row[0] for row in ADDED]
)
def test_a_row_that_may_be_a_duplicate(patch: Patch, rows: list[Any], *, expected: bool) -> None:
    """One that is added, and has a second of its id or of its content in the side it is from."""
    assert may_be_duplicate(patch, books(*rows)) is expected
    assert not may_be_duplicate(patch, side())
