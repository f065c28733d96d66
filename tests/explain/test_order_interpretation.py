"""Interpretations of orders: prices, what an average allows, and fills that are missing."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.budget import Budget
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.patches import Patch
from recon_core.explain.search.order_interpretation import (
    OrderInterpretation,
    _by_average,
    _missing_prices,
    _uniform,
)
from recon_core.explain.search.search import Search
from recon_core.model import Fill, Order, OrderSide, SideRecord
from recon_core.model.explanation import CauseKind
from tests.core.builders import SPOT, fill, order, recorded
from tests.explain.problems import problems_of, prover_of
from tests.explain.spot_ledgers import ROWS, exchange, ledger_of


def fills(text: str) -> list[Fill]:
    """Fills written `2@50.01`."""
    pairs = (word.split("@") for word in text.split())
    return [fill("f", "BUY", quantity, price) for quantity, price in pairs]


def averaged(average: str, filled: str = "3") -> Order:
    """An order with an average price, empty for none."""
    price = Decimal(average) if average else None
    return order("o", filled, filled, average_fill_price=price)


@pytest.mark.parametrize(
    ("average", "text", "missing", "prices"),
    [
        ("", "1@50 1@51 1@50", "1", "50 51"), ("", "", "1", ""), ("50.5", "", "1", "50.5"),
        ("50", "1@49 1@49", "1", "52"), ("50.333", "1@50 1@50", "1", "51"),
        ("50.333", "1@50.0 1@50", "1", "51"), ("50.333", "1@50.5 1@50", "1", "50.5"),
        ("50.3333", "1@50.01 1@50", "1", "50.99"), ("50", "1@75 1@75", "1", ""),
        ("50", "1@100 1@100", "1", ""), ("50", "1@49", "2", "50"), ("5E+1", "1@4E+1", "2", "55"),
    ],
)  # fmt: skip
def test_the_price_of_what_is_missing(average: str, text: str, missing: str, prices: str) -> None:
    """That gives the average, on the decimals of the others; else their own prices."""
    found = _missing_prices(averaged(average), Decimal(missing), fills(text))
    assert [*found] == [Decimal(price) for price in prices.split()]


@pytest.mark.parametrize(
    ("average", "added", "is_chance"),
    [
        ("", "9", False), ("50.5", "1", False), ("50.5", "2", True), ("50.6", "1", False),
        ("50.61", "1", True), ("50.4", "1", False), ("50.39", "1", True),
    ],
)  # fmt: skip
def test_an_average_contradicts_a_quantity(average: str, added: str, *, is_chance: bool) -> None:
    """By more than a tick of the fills: of 1 at 50.0 and another one at 51.0."""
    rows = fills("1@50.0 3@51.0")
    other = replace(rows[1], quantity=Decimal(added))
    one = Hypothesis(CauseKind.WRONG_QUANTITY, Patch((rows[1],), (other,)), (rows[1],))
    found = _by_average(averaged(average), rows, one)
    assert found.strength is (Strength.CHANCE if is_chance else Strength.EXACT)
    assert replace(found, strength=one.strength) == one


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ("", ""), ("a", "a"), ("ab", "a b"), ("ab cd", "ac bd"), ("a cd", "ac ad"),
        ("abc d", "ad bd cd"),
    ],
)  # fmt: skip
def test_one_interpretation_of_every_order(options: str, chosen: str) -> None:
    """The first of each, the second of each, and the last of those that have fewer."""
    hypotheses = {
        name: Hypothesis(CauseKind.MISSING_FILL, Patch(), (), detail=name) for name in "abcd"
    }
    given = [[hypotheses[name] for name in word] for word in options.split()]
    found = ["".join(one.detail for one in each) for each in _uniform(given)] if given else []
    assert found == chosen.split()
    assert not list(_uniform([*given, []]))


def reports(rows: Sequence[Fill]) -> tuple[Order, ...]:
    """The reports of the orders of fills."""
    return tuple(
        order(row.order_id, str(row.quantity), str(row.quantity), side=row.side, time=row.time)
        for row in rows
    )


def interpretation(ledger: Sequence[Fill], outer: SideRecord) -> OrderInterpretation:
    """Of the orders that an exchange reports otherwise than a ledger has them."""
    known = recorded(ledger_of(ledger), outer, instruments={SPOT.symbol: SPOT})
    problem = next(one for one in problems_of(prover_of(known)) if not one.rows_right)
    budget = Budget.unlimited()
    return OrderInterpretation(problem, Search(problem, budget).fill_hypotheses, budget)


def test_an_order_without_a_fill() -> None:
    """Nothing is known of its price: its average is not stated."""
    outer = replace(exchange(ROWS), orders=reports(ROWS))
    assert interpretation(ROWS[1:], outer).of_each_order() == []


def test_an_order_with_a_lost_fill() -> None:
    """At the price of its others, with their rate or without a fee; or another quantity."""
    more = replace(ROWS[1], fill_id="f2b", quantity=Decimal(1), fee=Decimal("0.101"))
    outer = replace(exchange([*ROWS[:2], more, *ROWS[2:]]), orders=(
        *reports(ROWS[:1]), order("o-f2", "4", "4", time=more.time), *reports(ROWS[2:])
    ))  # fmt: skip
    read = interpretation(ROWS, outer)
    added = [
        [(str(one.cause_kind), str(row.quantity), str(row.price), f"{row.fee.normalize():f}",
          one.strength.name) for row in one.patch.added]
        for one in read.of_each_order()
    ]  # fmt: skip
    assert added[:2] == [
        [("missing_fill", "1", "101", "0.101", "SHOWN")],
        [("missing_fill", "1", "101", "0", "CHANCE")],
    ]
    found = list(read.interpretations())
    assert [[str(one.cause_kind) for one in each] for each in found[:1]] == [["missing_fill"]]
    assert found[0][0].patch.added[0].side is OrderSide.BUY
