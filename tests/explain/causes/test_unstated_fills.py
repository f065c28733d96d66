"""A fill that the ledger lacks and an order report shows: its quantity, price and fee."""

from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.model import Fill, Order, SideRecord
from recon_core.model.explanation import Explanation, ExplanationVerdict
from tests.core.builders import at, fill, order
from tests.explain.real_sessions import books, session, silent

SIZES = (("2", "100.5"), ("3", "101"), ("1.5", "99"), ("2.5", "102"), ("4", "100.5"))


def trades(rate: str = "0.001") -> list[Fill]:
    """Five purchases of one order each, charged at a rate."""
    return [
        fill(
            f"f{number}", "BUY", quantity, price,
            f"{Decimal(quantity) * Decimal(price) * Decimal(rate):f} EUR",
            time=at(60 * number - 900), client_order_id=f"o{number}",
        )
        for number, (quantity, price) in enumerate(SIZES)
    ]  # fmt: skip


def reports(rows: list[Fill]) -> list[Order]:
    """The reports of their orders, with average prices."""
    return [
        order(row.order_id, str(row.quantity), str(row.quantity), average_fill_price=row.price,
              time=row.time)
        for row in rows
    ]  # fmt: skip


def explained(ledger: list[Fill], truth: list[Fill], *, cash: bool) -> Explanation:
    """The one answer where the exchange gives its state and the reports of its orders."""
    orders = reports(truth)
    exchange: SideRecord = silent(books(*truth, *orders), orders=tuple(orders))
    exchange = exchange if cash else replace(exchange, cash=None)
    (one,) = explain(session(books(*ledger), exchange))
    return one


@pytest.mark.parametrize(
    ("number", "cash"), [*((number, True) for number in range(5)), (2, False), (3, False)]
)
def test_a_missing_fill_is_charged_as_the_others(number: int, *, cash: bool) -> None:
    """At the price of its order's report and the rate of the others, with cash or without it.

    Without cash, a split by a ratio of small numbers would fit the others as well.
    """
    rows = trades()
    one = explained([*rows[:number], *rows[number + 1 :]], rows, cash=cash)
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    assert [str(cause.cause_kind) for cause in one.causes] == ["missing_fill"]
    (added,) = one.repair
    lost = rows[number]
    assert added.action == "add_fill"
    assert {name: Decimal(added.row[name]) for name in ("quantity", "price", "fee")} == {
        "quantity": lost.quantity, "price": lost.price, "fee": lost.fee,
    }  # fmt: skip
    assert added.row["client_order_id"] == lost.order_id


def test_a_missing_fill_has_no_fee_where_no_fill_has_one() -> None:
    """Nothing is invented that no row shows."""
    rows = trades("0")
    one = explained([*rows[:2], *rows[3:]], rows, cash=False)
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    (added,) = one.repair
    assert (added.row["quantity"], added.row["price"]) == ("1.5", "99")
    assert "fee" not in added.row


@pytest.mark.parametrize("number", range(5))
def test_a_fee_that_is_missing_is_at_the_rate_of_the_others(number: int) -> None:
    """The ledger lacks a fee, the exchange gives its balances alone."""
    truth = trades()
    rows = [*truth[:number], replace(truth[number], fee=Decimal(0)), *truth[number + 1 :]]
    (one,) = explain(session(books(*rows), silent(books(*truth))))
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    (cause,) = one.causes
    assert (str(cause.cause_kind), cause.ids, str(cause.side)) == (
        "missing_fee", (f"f{number}",), "internal",
    )  # fmt: skip
    (added,) = (booking.row for booking in one.repair if booking.action == "add_fill")
    assert Decimal(added["fee"]) == truth[number].fee


@pytest.mark.parametrize(("alike", "is_named"), [(10, True), (8, True), (7, False), (5, False)])
def test_a_schedule_gives_four_fifths_of_the_fees(alike: int, *, is_named: bool) -> None:
    """Of ten fees so many are in EUR, and the fee of one more fill is missing."""
    truth = [
        fill(f"f{number}", "BUY", f"{number + 1}", f"{100 + number}",
             f"{Decimal(number + 1) * (100 + number) / 1000} EUR" if number <= alike
             else f"0.0{number} BNB", time=at(10 * number - 900))
        for number in range(11)
    ]  # fmt: skip
    opening = {"EUR": "1000000", "BNB": "10"}
    rows = [replace(truth[0], fee=Decimal(0), fee_currency=None), *truth[1:]]
    found = explain(session(books(*rows, opening=opening), silent(books(*truth, opening=opening))))
    named = [(str(cause.cause_kind), cause.ids) for one in found for cause in one.causes]
    assert (("missing_fee", ("f0",)) in named) == is_named, [one.text for one in found]


def test_a_price_of_more_decimals_than_all_others_is_an_average() -> None:
    """Two fills of the order may have this sum: the amounts are right, and nothing is booked."""
    rows = [replace(row, price=row.price.to_integral_value()) for row in trades("0")]
    rows[4] = replace(rows[4], price=Decimal("100.25"))
    one = explained(rows[:4], rows, cash=True)
    assert one.verdict is ExplanationVerdict.AMBIGUOUS
    assert "lacks a fill, or several of this sum: BUY 4 BTC/EUR at 100.25; order o4" in one.text
    assert (one.decides, one.repair) == ("the executions of these orders", ())
