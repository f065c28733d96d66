"""Rows of two markets that are wrong alike: one fault of each market, or one of both."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.model import Fill, OrderSide
from recon_core.model.explanation import ExplanationVerdict
from tests.core.builders import at, fill
from tests.explain.real_sessions import books, session

OPENING = {"EUR": "1000000", "USD": "50000"}
Change = Callable[[Fill], Fill]


def trade(number: int, symbol: str, quantity: str, price: str) -> Fill:
    """A purchase charged 0.1 %."""
    fee = Decimal(quantity) * Decimal(price) / 1000
    more = {"symbol": symbol, "time": at(10 * number - 900), "client_order_id": f"o{number}"}
    return fill(f"f{number}", "BUY", quantity, price, f"{fee:f} {symbol.partition('/')[2]}", **more)


BTC = [trade(number, "BTC/EUR", f"{number}.25", f"{100 + number}.5") for number in range(1, 7)]
ETH = [trade(number, "ETH/USD", f"{number}.5", f"{20 + number}.75") for number in range(11, 16)]


def as_it_is(row: Fill) -> Fill:
    """A row that is right."""
    return row


def tenfold(row: Fill) -> Fill:
    """A quantity in another unit."""
    return replace(row, quantity=row.quantity * 10)


def hundredfold(row: Fill) -> Fill:
    """A quantity in a third unit."""
    return replace(row, quantity=row.quantity * 100)


def charged_twice(row: Fill) -> Fill:
    """A fee that was booked twice."""
    return replace(row, fee=row.fee * 2)


def uncharged(row: Fill) -> Fill:
    """A fee that was not booked."""
    return replace(row, fee=Decimal(0))


def sold(row: Fill) -> Fill:
    """A purchase booked as a sale."""
    return replace(row, side=OrderSide.SELL)


def in_whole_prices(row: Fill) -> Fill:
    """A price without decimals."""
    return replace(row, price=round(row.price, 0))


def an_hour_early(row: Fill) -> Fill:
    """A time of another zone."""
    return replace(row, time=row.time - timedelta(hours=1))


def only_first(change: Change, count: int) -> Change:
    """The change in the first rows of BTC/EUR alone."""
    ids = {row.fill_id for row in BTC[:count]}
    return lambda row: change(row) if row.fill_id in ids else row


def mixed(row: Fill) -> Fill:
    """Two quantities in another unit, and one by another factor."""
    factor = {"f1": 10, "f2": 10, "f3": 3}.get(row.fill_id, 1)
    return replace(row, quantity=row.quantity * factor)


def mostly(row: Fill) -> Fill:
    """Four quantities in another unit, and one by another factor."""
    factor = {"f5": 3, "f6": 1}.get(row.fill_id, 10)
    return replace(row, quantity=row.quantity * factor)


def of_another_order(row: Fill) -> Fill:
    """A fee twice, on a fill that is booked for another order."""
    return replace(charged_twice(row), client_order_id="x")


def of_another_trade(row: Fill) -> Fill:
    """Another order, and another price too."""
    return replace(row, price=row.price + 3, client_order_id="x")


HABITS: dict[str, tuple[Change, Change, dict[str, int]]] = {
    "a unit of one market": (tenfold, as_it_is, {"unit": 6}),
    "a unit of both": (tenfold, tenfold, {"unit": 11}),
    "a unit of two rows": (only_first(tenfold, 2), as_it_is, {"unit": 2}),
    "one quantity": (only_first(tenfold, 1), as_it_is, {"wrong_quantity": 1}),
    "two of three quantities": (mixed, as_it_is, {"wrong_quantity": 3}),
    "four of five quantities": (mostly, as_it_is, {"unit": 4, "wrong_quantity": 1}),
    "the id of one execution": (only_first(of_another_order, 1), as_it_is, {"duplicate_fee": 1}),
    "the id of two executions": (
        only_first(of_another_trade, 1),
        as_it_is,
        {"orphan_fill": 1, "missing_fill": 1},
    ),
    "no fee in one market": (uncharged, as_it_is, {"missing_fee": 6}),
    "a unit, and no fee": (tenfold, uncharged, {"unit": 6, "missing_fee": 5}),
    "a unit, and fees twice": (tenfold, charged_twice, {"unit": 6, "duplicate_fee": 5}),
    "a unit, and sides": (tenfold, sold, {"unit": 6, "sign_convention": 5}),
    "prices, and a unit": (in_whole_prices, tenfold, {"rounding": 6, "unit": 5}),
    "fees twice in one market": (charged_twice, as_it_is, {"duplicate_fee": 6}),
    "a unit of each": (tenfold, hundredfold, {"unit": 11}),
    "prices of both": (in_whole_prices, in_whole_prices, {"rounding": 11}),
    "sides of both": (sold, sold, {"sign_convention": 11}),
    "times of both": (an_hour_early, an_hour_early, {"as_of_shift": 11}),
    "fees of both": (charged_twice, charged_twice, {"duplicate_fee": 11}),
}
"""The change of the first market, of the second, and how many rows each cause has."""

SEVERAL = {"two of three quantities": 3, "a unit of each": 2}
"""How many causes there are where they are not one a kind."""


@pytest.mark.parametrize("name", HABITS)
def test_rows_that_are_wrong_alike_are_one_fault(name: str) -> None:
    """A cause for each fault, with all its rows."""
    first, second, expected = HABITS[name]
    wrong = [*map(first, BTC), *map(second, ETH)]
    before = session(books(*wrong, opening=OPENING), books(*BTC, *ETH, opening=OPENING))
    (one,) = explain(before)
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    causes = Counter[str]()
    for cause in one.causes:
        causes[str(cause.cause_kind)] += len(cause.ids) or 1
    assert causes == expected, one.text
    assert len(one.causes) == SEVERAL.get(name, len(expected))
    assert {str(cause.side) for cause in one.causes} == {"internal"}
