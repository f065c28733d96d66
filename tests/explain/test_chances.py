"""How easily an amount fits by coincidence: each rule on both sides of its bound."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.problem.chances import (
    at_next_ticks,
    decoys,
    is_any_price,
    is_any_quantity,
    is_below_cash,
    is_coarse,
    is_little,
    is_much,
    is_of_many_prices,
    is_significant,
    offset_effect,
)
from recon_core.explain.problem.market import Market, market_of
from recon_core.explain.problem.problem import Problem
from recon_core.model import Currency, Numbers
from tests.core.builders import SPOT, fill, recorded
from tests.explain.problems import problems_of, prover_of
from tests.explain.spot_ledgers import ROWS, exchange, ledger_of

Amounts = Mapping[str, str]
POSITION, EUR, BTC = "position::BTC/EUR", "cash::EUR", "cash::BTC"


def vector(amounts: Amounts) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in amounts.items()}


def problem_of(required: Amounts, *, precise: bool = True) -> Problem:
    """Six fills at prices of whole EUR, and a required effect; cents, if the session says so."""
    known = recorded(
        ledger_of(ROWS), exchange(ROWS[1:]), instruments={SPOT.symbol: SPOT},
        currencies={"EUR": Currency("EUR", 2), "BTC": Currency("BTC", 3)} if precise else {},
    )  # fmt: skip
    problem = problems_of(prover_of(known))[0]
    assert len(problem.fills) == 6
    return replace(problem, required=vector(required), exact=vector(required))


def of_floats(problem: Problem, dust: str) -> Problem:
    """The same of sources that computed in binary floats."""
    dimensions = replace(problem.dimensions, dust=Decimal(dust))
    return replace(problem, postings=replace(problem.postings, dimensions=dimensions))


def market(problem: Problem) -> Market:
    (name,) = problem.by_symbol
    found = market_of(problem, name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("cash", "expected"),
    [
        ({EUR: "0.02"}, True), ({EUR: "-0.02"}, True), ({EUR: "0.03"}, False),
        ({EUR: "-0.03"}, False), ({}, True), ({EUR: "0.01", BTC: "1"}, True),
        ({EUR: "0.01", BTC: "-2"}, False), ({EUR: "0.02", POSITION: "9"}, True),
    ],
)  # fmt: skip
def test_little_cash(cash: Amounts, *, expected: bool) -> None:
    """Half a unit for each of six fills: 0.03 EUR is as much, or 3 BTC where all lots are whole."""
    assert is_little(problem_of({}), vector(cash)) is expected


@pytest.mark.parametrize(
    ("cash", "expected"),
    [
        ({EUR: "3240"}, False), ({EUR: "3240.01"}, True), ({EUR: "-3240.01"}, True),
        ({EUR: "1620", BTC: "162000"}, False), ({EUR: "1620", BTC: "162001"}, True),
        ({POSITION: "99999999"}, False),
    ],
)  # fmt: skip
def test_much_cash(cash: Amounts, *, expected: bool) -> None:
    """More than 1,000 units for each pair of three hypotheses on each of six fills."""
    problem = problem_of({})
    assert is_much(problem, vector(cash)) is expected
    assert not is_much(replace(problem, unknown=frozenset({EUR})), vector(cash))


@pytest.mark.parametrize(
    ("exact", "tried", "expected"),
    [
        ({EUR: "2.49"}, 5, True), ({EUR: "-2.49"}, 5, True), ({EUR: "2.5"}, 5, False),
        ({EUR: "2.5"}, 6, True), ({EUR: "0.01"}, 4, False), ({EUR: "2", BTC: "0.05"}, 5, False),
        ({EUR: "2", BTC: "0.049", POSITION: "7"}, 5, True),
    ],
)  # fmt: skip
def test_coarse_cash(exact: Amounts, tried: int, *, expected: bool) -> None:
    """Less than 50 units for each of five candidates or more, where cash has a tolerance."""
    problem = problem_of(exact)
    some = {"tolerance": {EUR: Decimal("0.01")}}, {"unknown": frozenset({EUR})}
    assert [is_coarse(replace(problem, **more), tried) for more in some] == [expected] * 2
    assert not is_coarse(problem, tried)


@pytest.mark.parametrize(("amount", "expected"), [("0.249", True), ("0.25", False)])
def test_coarse_cash_without_a_precision(amount: str, *, expected: bool) -> None:
    """A thousandth is its unit."""
    problem = replace(problem_of({EUR: amount}, precise=False), unknown=frozenset({EUR}))
    assert is_coarse(problem, 5) is expected


@pytest.mark.parametrize(
    ("required", "effect", "expected"),
    [
        ({EUR: "100.01"}, {EUR: "100"}, True), ({EUR: "100.00"}, {EUR: "100"}, False),
        ({EUR: "100.01"}, {EUR: "100.01"}, True), ({EUR: "-100.01"}, {EUR: "-100"}, True),
        ({EUR: "100.01"}, {EUR: "-0.01"}, False), ({EUR: "100.01"}, {EUR: "200.02"}, False),
        ({EUR: "100.01", POSITION: "1"}, {EUR: "100"}, True),
        ({EUR: "100.01"}, {EUR: "100", POSITION: "1"}, False),
        ({EUR: "20", POSITION: "6"}, {EUR: "20", POSITION: "6"}, True),
        ({EUR: "20000.01", POSITION: "6"}, {EUR: "20000", POSITION: "12"}, False),
        ({EUR: "100.01"}, {EUR: "100", "cash::USD": "5"}, True),
    ],
)  # fmt: skip
def test_a_significant_effect(required: Amounts, effect: Amounts, *, expected: bool) -> None:
    """More than 1,000 times its residual, or its unit, for each of ten; nothing gets farther."""
    problem = problem_of(required)
    assert is_significant(problem, vector(effect), 10) is expected


@pytest.mark.parametrize(
    ("required", "tried", "expected"),
    [
        ("6", 6, False), ("5.99", 6, True), ("-6", 6, False), ("-5.99", 6, True), ("6", 7, True),
    ],
)  # fmt: skip
def test_any_quantity_fits_some_price(required: str, tried: int, *, expected: bool) -> None:
    """A tick of it is worth less than 100 units for each first fault."""
    problem = problem_of({})
    one = replace(market(problem), fills=problem.fills[:1])
    assert is_any_quantity(problem, one, Decimal(required), tried) is expected
    finer = replace(one, given_places=1)
    assert is_any_quantity(problem, finer, Decimal(required) * 10, tried) is expected
    rough = of_floats(problem, "0.02")
    assert is_any_quantity(rough, one, Decimal(required) * 2, tried) is expected


@pytest.mark.parametrize(
    ("quantity", "tried", "expected"), [("3", 1, False), ("2.99", 1, True), ("3", 2, True)]
)
def test_any_price_fits_some_cash(quantity: str, tried: int, *, expected: bool) -> None:
    """A tick of the fill is worth less than 300 units for each search."""
    problem = problem_of({})
    for order_side in ("BUY", "SELL"):
        one = fill("x", order_side, quantity, "100", "0.1 EUR")
        assert is_any_price(problem, market(problem), one, tried) is expected
        rough = of_floats(problem, "0.02")
        twice = replace(one, quantity=one.quantity * 2)
        assert is_any_price(rough, market(problem), twice, tried) is expected


@pytest.mark.parametrize(("quantity", "expected"), [("0.006", False), ("0.00599", True)])
def test_any_price_that_fits_floats_to_all_digits(quantity: str, *, expected: bool) -> None:
    """A thousandth of the dust is then the unit of 300, where cash is not rounded to cents."""
    problem = problem_of({}, precise=False)
    one = fill("x", "BUY", quantity, "100", "0.1 EUR")
    steps = problem.postings.cash_step
    steps = replace(steps, record=replace(steps.record, numbers=Numbers.FLOAT))
    problem = replace(problem, postings=replace(problem.postings, cash_step=steps))
    exact = replace(of_floats(problem, "0.02"), required=problem.postings.fill(one))
    assert is_any_price(exact, market(problem), one, 1) is expected
    assert is_any_price(replace(exact, required=vector({EUR: "-7"})), market(problem), one, 1)
    cents = replace(of_floats(problem_of({}), "0.02"), required=problem.postings.fill(one))
    assert is_any_price(cents, market(problem), one, 1)


@pytest.mark.parametrize(
    ("prices", "quantity", "expected"),
    [
        ("100 102", "0.2", False), ("100 102", "0.199", True), ("102 100", "0.2", False),
        ("100 102 101", "0.3", False), ("100 102 101", "0.299", True),
        ("100 100.5", "0.399", True), ("100 100.5", "0.4", False), ("100", "0.2", False),
    ],
)  # fmt: skip
def test_a_fill_at_one_of_many_prices(prices: str, quantity: str, *, expected: bool) -> None:
    """Its cash is below 20 cents a fill in the range of prices, at least 1 % of its own."""
    problem = problem_of({})
    given = zip(problem.fills, prices.split(), strict=False)
    fills = [replace(row, price=Decimal(price)) for row, price in given]
    one = replace(fills[0], quantity=Decimal(quantity), price=Decimal(100))
    assert is_of_many_prices(problem, replace(market(problem), fills=fills), one) is expected


@pytest.mark.parametrize(("quantity", "expected"), [("0.99", True), ("1", False)])
def test_a_tick_is_worth_less_than_a_cent(quantity: str, *, expected: bool) -> None:
    """0.99 at 100.00 and at 100.01 differ by less than a cent."""
    problem = problem_of({})
    one = replace(problem.fills[0], quantity=Decimal(quantity))
    ticks = replace(market(problem), given_places=2)
    assert is_below_cash(problem, ticks, one) is expected


def test_the_next_ticks() -> None:
    """One above and one below, where that is a price."""
    ticks = market(problem_of({}))
    finer = replace(ticks, given_places=1)
    half = fill("x", "BUY", "1", "0.5")
    assert [str(one.price) for one in at_next_ticks(finer, half)] == ["0.6", "0.4"]
    prices = {price: [str(one.price) for one in at_next_ticks(ticks, fill("x", "BUY", "1", price))]
              for price in ("100", "2", "1")}  # fmt: skip
    assert prices == {"100": ["101", "99"], "2": ["3", "1"], "1": ["2"]}


@pytest.mark.parametrize(
    ("amount", "least", "tolerance", "expected"),
    [
        ("12.5", None, "0", "12.8"), ("12.5", "0.01", "0", "12.53"), ("12.5", "1", "0", "15.5"),
        ("12.5", "0", "0", "12.53"), ("-5000", None, "0", "-2000"), ("12.5", "1", "0.1", "24.5"),
        ("12.5", None, "0.001", "12.8"), ("12.5", None, "0.0025", "12.8"),
        ("12.5", None, "0.005", "13.1"),
    ],
)  # fmt: skip
def test_a_decoy(amount: str, least: str | None, tolerance: str, expected: str) -> None:
    """Three units off: the largest of a cent, 40 tolerances, and the least unit or last digit."""
    problem = problem_of({EUR: amount, POSITION: "7"})
    problem = replace(problem, tolerance={EUR: Decimal(tolerance)})
    found = offset_effect(problem, 3, None if least is None else Decimal(least))
    assert found == {EUR: Decimal(expected), POSITION: Decimal(7)}


def test_decoys_are_different() -> None:
    """As many as 2,000 look-ups of a fill allow, 6 to 100; three where cash is uncertain."""
    problem = problem_of({EUR: "12.5"})
    amounts = [one[EUR] for one in decoys(problem)]
    assert [str(amount) for amount in amounts[:4]] == ["12.51", "13.50", "12.60", "12.52"]
    assert len(set(amounts)) == len(amounts)
    assert max(amounts) == Decimal("12.5") + 100
    many = problem_of({EUR: "12.5"})
    many.rows.__dict__["fills"] = tuple(problem.fills) * 400
    assert len(decoys(many)) == 3 * 6
    rough = replace(problem, tolerance={EUR: Decimal("0.01")})
    assert [str(one[EUR]) for one in decoys(rough)] == ["12.90", "13.30", "13.70"]
    assert len(decoys(of_floats(problem, "0.001"))) == 3
