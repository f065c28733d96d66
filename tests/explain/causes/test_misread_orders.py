"""Cumulative quantities that were read as increments, of one order and of all."""

from dataclasses import replace
from decimal import Decimal
from itertools import cycle

import pytest

from recon_core.explain import explain
from recon_core.model import Fill, LedgerSide
from recon_core.model.explanation import ExplanationVerdict
from tests.core.builders import at, fill
from tests.explain.real_sessions import books, session, silent

OPENING = {"EUR": "1000000", "USD": "50000"}


def trade(fill_id: str, order: str, symbol: str, quantity: str, price: str) -> Fill:
    """A purchase charged 0.1 %."""
    fee = Decimal(quantity) * Decimal(price) / 1000
    more = {"symbol": symbol, "time": at(int(fill_id[1:]) - 900), "client_order_id": order}
    return fill(fill_id, "BUY", quantity, price, f"{fee:f} {symbol.partition('/')[2]}", **more)


BTC = [
    trade("f1", "o1", "BTC/EUR", "2", "100"),
    trade("f2", "o1", "BTC/EUR", "3", "101"),
    trade("f3", "o1", "BTC/EUR", "1.5", "102"),
    trade("f4", "o2", "BTC/EUR", "0.5", "99"),
]
ETH = [
    trade("f5", "o3", "ETH/USD", "7", "20"),
    trade("f6", "o3", "ETH/USD", "4", "21"),
    trade("f7", "o4", "ETH/USD", "2", "22"),
]
FILLS_OF = {"o1": ("f1", "f2", "f3"), "o3": ("f5", "f6")}


def misread(rows: list[Fill], *orders: str) -> list[Fill]:
    """The fills with the running totals of these orders as their quantities."""
    totals = dict.fromkeys(orders, Decimal(0))
    found = []
    for row in rows:
        if row.order_id in totals:
            totals[row.order_id] += row.quantity
            row = replace(row, quantity=totals[row.order_id])  # noqa: PLW2901
        found.append(row)
    return found


CASES = {
    "the only order": (BTC[:3], ("o1",)),
    "one of two orders": (BTC, ("o1",)),
    "one of two positions": ([*BTC, *ETH], ("o1",)),
    "the other position": ([*BTC, *ETH], ("o3",)),
    "both positions": ([*BTC, *ETH], ("o1", "o3")),
}


@pytest.mark.parametrize("name", CASES)
def test_the_ledger_has_read_totals_as_increments(name: str) -> None:
    """The orders that were misread are named, whichever positions they are of."""
    rows, orders = CASES[name]
    wrong = books(*misread(rows, *orders), opening=OPENING)
    (one,) = explain(session(wrong, silent(books(*rows, opening=OPENING))))
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    (cause,) = one.causes
    ids = tuple(fill_id for order in orders for fill_id in FILLS_OF[order])
    assert (str(cause.cause_kind), cause.ids) == ("cumulative_quantity", ids), one.text
    assert cause.side is LedgerSide.INTERNAL


RATES = ("0.001", "0.0004", "0.001", "0.001", "0.0004", "0.001", "0.0004")


def charged(rows: list[Fill], rates: tuple[str, ...]) -> list[Fill]:
    """The fills with fees at these rates, in turn."""
    return [
        replace(row, fee=row.quantity * row.price * Decimal(rate))
        for row, rate in zip(rows, cycle(rates), strict=False)
    ]


@pytest.mark.parametrize("rates", [RATES, RATES[::-1]])
def test_the_fees_that_followed_are_at_the_rate_of_each_fill(rates: tuple[str, ...]) -> None:
    """A ledger that works its fees out of wrong quantities: maker and taker fees stay so."""
    others = [
        replace(row, fill_id=f"g{at_}", client_order_id=f"p{at_}", quantity=row.quantity + at_ + 1)
        for at_, row in enumerate([*BTC, *BTC])
    ]
    rows = [*BTC, *(replace(row, time=at(n - 500)) for n, row in enumerate(others))]
    right = charged(rows, rates)
    wrong = charged(misread(rows, "o1"), rates)
    (one,) = explain(session(books(*wrong), silent(books(*right))))
    (cause,) = one.causes
    assert (str(cause.cause_kind), cause.ids) == ("cumulative_quantity", FILLS_OF["o1"]), one.text
    repaired = {row.row["fill_id"]: row.row for row in one.repair if row.action == "add_fill"}
    assert {
        name: (Decimal(row["quantity"]), Decimal(row["fee"])) for name, row in repaired.items()
    } == {row.fill_id: (row.quantity, row.fee) for row in right[1:3]}
