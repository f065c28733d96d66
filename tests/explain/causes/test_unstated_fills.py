"""A fill that the ledger lacks: its quantity, price and fee, with an order report and without."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recon_core.explain import explain
from recon_core.explain.budget import Budget
from recon_core.explain.causes.unstated_fills import (
    _charged_otherwise,
    _is_near_fees,
    _is_paid_in_fees,
    _price_paid,
    _unknown_fills,
    replayed_fills,
)
from recon_core.explain.problem.fee_schedule import FeeModel
from recon_core.explain.problem.market import Market
from recon_core.explain.problem.problem import Problem
from recon_core.model import (
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Order,
    OrderSide,
    SideRecord,
)
from recon_core.model.explanation import Explanation, ExplanationVerdict
from tests.core.builders import SPOT, at, fill, order
from tests.explain.problems import problem_requiring
from tests.explain.real_sessions import books, linear, session, silent

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


PERP = linear("PERP", "EUR")
COIN = Instrument("COIN", InstrumentKind.INVERSE, "BTC", "USD", "BTC", Decimal(100))
BTC_EUR = [fill(f"f{number}", "BUY", size, price, time=at(60 * number - 900))
           for number, (size, price) in enumerate(SIZES)]  # fmt: skip


def market(rows: Sequence[Fill], model: FeeModel | None, instrument: Instrument = SPOT) -> Market:
    """A market of these fills, charged by one schedule."""
    return Market(rows, instrument, dict.fromkeys(OrderSide, model))


def charges(rate: str, currency: str = "EUR", fixed: str = "0", **more: Any) -> FeeModel:
    """A schedule of one rate, in cents."""
    fields = {"in_base": False, "places": 2, "fixed": Decimal(fixed), **more}
    return FeeModel((Decimal(rate),), currency, **fields)


UNKNOWN: dict[str, tuple[Mapping[str, str], FeeModel | None, list[str]]] = {
    "bought without a fee": ({"BTC/EUR": "2", "EUR": "-202"}, None, ["BUY 2 at 101, 0 None"]),
    "sold without a fee": ({"BTC/EUR": "-2", "EUR": "202"}, None, ["SELL 2 at 101, 0 None"]),
    "at a rate": (
        {"BTC/EUR": "2", "EUR": "-202.2"}, charges("0.001"), ["BUY 2 at 101, 0.20 EUR"],
    ),
    "at a rate and a fixed part": (
        {"BTC/EUR": "2", "EUR": "-203.2"}, charges("0.001", fixed="1"), ["BUY 2 at 101, 1.20 EUR"],
    ),
    "in another currency": (
        {"BTC/EUR": "2", "EUR": "-202", "BNB": "-0.2"}, charges("0.001", "BNB", fixed="1"),
        ["BUY 2 at 101, 1.20 BNB"],
    ),
    "in the asset": (
        {"BTC/EUR": "2", "EUR": "-252.5"}, charges("0.2", "BTC", in_base=True, places=1),
        ["BUY 2.5 at 101, 0.5 BTC"],
    ),
    "a rebate": (
        {"BTC/EUR": "2", "EUR": "-201.8"}, charges("-0.001"), ["BUY 2 at 101, -0.20 EUR"],
    ),
    "a fee of all that is paid": ({"BTC/EUR": "-2", "EUR": "-202"}, charges("1"), []),
    "a rebate of all that is paid": ({"BTC/EUR": "2", "EUR": "-202"}, charges("-1"), []),
    "a fee of nearly all": (
        {"BTC/EUR": "-2", "EUR": "2.02"}, charges("0.99"), ["SELL 2 at 101, 199.98 EUR"],
    ),
    "for cash of the same sign": ({"BTC/EUR": "2", "EUR": "202"}, None, []),
    "at a far price": ({"BTC/EUR": "2", "EUR": "-400"}, None, []),
    "of a finer lot": ({"BTC/EUR": "2.25", "EUR": "-202"}, None, []),
}  # fmt: skip
"""Required position and cash, the schedule of the market, and the fills that would have them."""


@pytest.mark.parametrize("name", UNKNOWN)
def test_the_price_and_the_fee_of_a_fill_that_no_row_states(name: str) -> None:
    """The price that the cash requires, with the fee that the market charges."""
    required, model, expected = UNKNOWN[name]
    problem = problem_requiring(BTC_EUR, required)
    found = _unknown_fills(problem, market(BTC_EUR, model), Decimal(required["BTC/EUR"]))
    assert [
        f"{one.side} {one.quantity} at {one.price}, {one.fee} {one.fee_currency}" for one in found
    ] == expected


def test_no_price_without_the_cash() -> None:
    """Where the balance is not compared, or unknown, no price is fitted."""
    required = {"BTC/EUR": "2", "EUR": "-202"}
    problem = problem_requiring(BTC_EUR, required)
    unknown = replace(problem, unknown=frozenset({"cash::EUR"}))
    positions = problem_requiring(BTC_EUR, required, outer={"cash": None})
    for one, count in ((problem, 1), (unknown, 0)):
        assert len(list(_unknown_fills(one, market(BTC_EUR, None), Decimal(2)))) == count
    of_dollars = market(BTC_EUR, None, replace(SPOT, quote="USD"))
    assert not list(_unknown_fills(positions, of_dollars, Decimal(2)))


@pytest.mark.parametrize(
    ("instrument", "side", "required", "rate", "price"),
    [
        (SPOT, "BUY", "-202", "0", "101"), (SPOT, "SELL", "202", "0", "101"),
        (SPOT, "BUY", "202", "0", None), (SPOT, "BUY", "0", "0", None),
        (SPOT, "BUY", "-222.2", "0.1", "101"), (SPOT, "SELL", "181.8", "0.1", "101"),
        (PERP, "BUY", "-202", "0", "101"), (linear("PERP", "EUR", "0"), "BUY", "1", "0", None),
        (COIN, "BUY", "2", "0", "100"), (COIN, "SELL", "-2", "0", "100"),
        (COIN, "BUY", "-2", "0", None), (COIN, "BUY", "0", "0", None),
        (COIN, "BUY", "1.8", "0.1", "100"), (COIN, "SELL", "-2.2", "0.1", "100"),
    ],
)  # fmt: skip
def test_the_price_that_was_paid(
    instrument: Instrument, side: str, required: str, rate: str, price: str | None
) -> None:
    """For a quantity of 2, the fee at a rate included; an inverse contract is worth 100."""
    found = _price_paid(market(BTC_EUR, None, instrument), OrderSide(side), Decimal(2),
                        Decimal(required), Decimal(rate))  # fmt: skip
    assert found == (None if price is None else Decimal(price))


OTHERWISE: dict[str, tuple[Sequence[str], Mapping[str, str], list[str]]] = {
    "all in a third currency": (["0.2 BNB"] * 5, {"BNB": "-0.2"}, ["0.2 BNB"]),
    "three of five": (["0.2 BNB"] * 3 + ["0"] * 2, {"BNB": "-0.2"}, ["0.2 BNB"]),
    "half of them": (["0.2 BNB"] * 2 + ["0"] * 2, {"BNB": "-0.2"}, []),
    "three of five in another": (
        ["0.2 XYZ", "0.2 XYZ", "0.2 BNB", "0.2 BNB", "0.2 BNB"], {"BNB": "-0.2"}, ["0.2 BNB"],
    ),
    "in what is paid": (["0.2 EUR"] * 5, {"EUR": "-0.2"}, []),
    "in what is traded": (["0.2 BTC"] * 5, {"BTC": "-0.2"}, []),
    "without fees": (["0"] * 5, {"BNB": "-0.2"}, []),
    "far more": (["0.2 BNB"] * 5, {"BNB": "-20"}, []),
    "nothing": (["0.2 BNB"] * 5, {"BNB": "0"}, []),
}  # fmt: skip
"""Fees of the market, what balances require, and the fee of one more fill."""


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_fee_in_a_third_currency(name: str) -> None:
    """Its amount is what that balance requires, if most fills are charged in it."""
    fees, required, expected = OTHERWISE[name]
    rows = [fill("f", "BUY", "2", "101", fee) for fee in fees]
    problem = problem_requiring(BTC_EUR, {"BTC/EUR": "2", **required})
    bare = fill("missing", "BUY", "2", "101")
    found = _charged_otherwise(problem, market(rows, None), bare)
    assert [f"{one.fee} {one.fee_currency}" for one in found] == expected


ETH = Instrument("ETH/EUR", InstrumentKind.SPOT, "ETH", "EUR", "EUR")
PAID: dict[str, tuple[Sequence[str], str, bool]] = {
    "the fees of all": (["1.25 EUR", "2.25 EUR", "4 EUR"], "7.5", True),
    "the fees of all, booked twice": (["1.25 EUR", "2.25 EUR", "4 EUR"], "-7.5", True),
    "the fees of the other symbols": (["1.25 EUR", "2.25 EUR", "4 EUR"], "6.25", True),
    "the fees of its own": (["1.25 EUR", "2.25 EUR", "4 EUR"], "1.25", False),
    "more": (["1.25 EUR", "2.25 EUR", "4 EUR"], "7.51", False),
    "each rounded": (["1.254 EUR", "2.254 EUR", "4 EUR"], "7.5", True),
    "in another currency": (["1.25 BNB", "2.25 BNB", "4 BNB"], "7.5", False),
    "nothing": (["0 EUR", "0 EUR", "0 EUR"], "0", False),
}  # fmt: skip
"""Fees of a fill of BTC/EUR and two of ETH/EUR, the required cash, and true if it is theirs."""


@pytest.mark.parametrize("name", PAID)
def test_cash_that_is_that_of_fees(name: str) -> None:
    """Of all fills together, or of those of the other symbols, each rounded to a cent."""
    fees, required, expected = PAID[name]
    rows = [
        replace(fill(f"f{at_}", "BUY", "2", "101", fee, time=at(at_ - 900)),
                symbol="ETH/EUR" if at_ else "BTC/EUR")
        for at_, fee in enumerate(fees)
    ]  # fmt: skip
    cents = {"EUR": Currency("EUR", 2)}
    problem = problem_requiring(rows, {"BTC/EUR": "1", "EUR": required}, ETH, currencies=cents)
    bare = fill("missing", "BUY", "1", "101")
    assert _is_paid_in_fees(problem, bare, "EUR") is expected


@pytest.mark.parametrize(("off", "expected"), [("0.02", True), ("-0.02", True), ("0.021", False)])
def test_a_sum_of_rounded_fees(off: str, *, expected: bool) -> None:
    """Two of them are a unit each from what was posted; of several accounts none is."""
    rows = [fill(f"f{at_}", "BUY", "2", "101", "1.50 EUR", time=at(at_ - 900)) for at_ in range(2)]
    cents = {"EUR": Currency("EUR", 2)}
    problem = problem_requiring(rows, {"BTC/EUR": "1"}, currencies=cents)
    required = Decimal(3) + Decimal(off)
    assert _is_near_fees(problem, rows, "EUR", required) is expected
    named = [replace(rows[0], account="a"), rows[1]]
    several = replace(problem, record=replace(problem.record, fills=tuple(named)))
    assert _is_near_fees(several, named, "EUR", Decimal(99))


def contract_problem(required: Mapping[str, str], *, rows_right: bool = False) -> Problem:
    """A ledger that has bought 2 at 100 and sold 1 at 110; the report of an order to sell 1."""
    rows = [
        replace(fill(f"f{at_}", side, size, price, time=at(at_ - 900), client_order_id=f"o{at_}"),
                symbol=PERP.symbol)
        for at_, (side, size, price) in enumerate((("BUY", "2", "100"), ("SELL", "1", "110")))
    ]  # fmt: skip
    orders = [
        order("o0", "2", "2", symbol=PERP.symbol, time=at(-900)),
        order("o1", "1", "1", symbol=PERP.symbol, side=OrderSide.SELL, time=at(-899)),
        order("o2", "1", "1", symbol=PERP.symbol, side=OrderSide.SELL, time=at(-800)),
    ]
    cents = {"EUR": Currency("EUR", 2)}
    return problem_requiring(rows, required, PERP, rows_right=rows_right,
                             outer={"orders": tuple(orders)}, currencies=cents)  # fmt: skip


CLOSED: dict[str, tuple[Mapping[str, str], list[str]]] = {
    "at a profit": ({"PERP": "-1", "EUR": "20"}, ["SELL 1 at 120 FITTED"]),
    "at a loss": ({"PERP": "-1", "EUR": "-10"}, ["SELL 1 at 90 FITTED"]),
    "at no price": ({"PERP": "-1", "EUR": "-100"}, []),
    "at a negative price": ({"PERP": "-1", "EUR": "-120"}, []),
    "at a far price": ({"PERP": "-1", "EUR": "-50"}, []),
    "with cash of another currency": ({"PERP": "-1", "EUR": "20", "BNB": "1"}, []),
    "bought instead": ({"PERP": "1", "EUR": "20"}, []),
    "more than the order": ({"PERP": "-1.5", "EUR": "20"}, []),
    "off the tick": ({"PERP": "-1", "EUR": "20.25"}, []),
    "no position": ({"EUR": "20"}, []),
}  # fmt: skip
"""Required position and cash, and the fill that closes the rest of the position."""


@pytest.mark.parametrize("name", CLOSED)
def test_the_price_at_which_a_contract_was_closed(name: str) -> None:
    """The price in which the cash after a replay is linear, on a tick and near the others."""
    required, expected = CLOSED[name]
    found = replayed_fills(contract_problem(required), Budget.unlimited())
    assert [
        f"{row.side} {row.quantity} at {row.price} {one.strength.name}"
        for one in found
        for row in one.patch.added
    ] == expected


def test_a_fill_that_opens_a_contract_has_no_price() -> None:
    """No cash depends on it."""
    required = {"PERP": "2", "EUR": "1"}
    rows = contract_problem(required).fills
    bought = order("o2", "2", "2", symbol=PERP.symbol, time=at(-800))
    opened = problem_requiring(rows, required, PERP, outer={"orders": (bought,)})
    assert not list(replayed_fills(opened, Budget.unlimited()))
    right = contract_problem({"PERP": "-1", "EUR": "20"}, rows_right=True)
    assert not list(replayed_fills(right, Budget.unlimited()))
