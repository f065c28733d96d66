"""Search problems: which reports of orders are evidence, and how exact cash is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.problem.postings import order_name
from recon_core.explain.problem.problems import (
    _orders_filled,
    _orders_that_moved,
    _rounding,
    _without_dust,
    problem_of,
)
from recon_core.model import Currency, LedgerSide, Order, OrderSide, SideRecord
from tests.core.builders import SPOT, order, recorded, side
from tests.explain.problems import problem_requiring, problems_of, prover_of
from tests.explain.real_sessions import books, moved
from tests.explain.spot_ledgers import ROWS, exchange, ledger_of, trade

INNER = LedgerSide.INTERNAL
SOLD = OrderSide.SELL


def report(name: str, quantity: str, filled: str, state: str = "FILLED", **more: object) -> Order:
    return order(f"o-{name}", quantity, filled, state, **more)


TEN = [trade(f"t{number}", "BUY", "1", "100", number - 900) for number in range(10)]

FILLED: dict[str, tuple[int, Sequence[Order], Mapping[str, str]]] = {
    "none": (3, [], {}),
    "equal": (2, [report("t0", "1", "1"), report("t1", "1", "1")], {"t0": "0", "t1": "0"}),
    "partly filled": (1, [report("t0", "5", "3", "ACKNOWLEDGED")], {"t0": "2"}),
    "filled, whatever it says": (1, [report("t0", "5", "3")], {"t0": "4"}),
    "filled, and more than it asked for": (1, [report("t0", "1", "3")], {"t0": "2"}),
    "of another side": (1, [report("t0", "1", "1", side=SOLD)], {"t0": "-2"}),
    "of an order without a fill": (
        1, [report("t0", "1", "1"), report("x", "2", "2", side=SOLD)], {"t0": "0", "x": "-2"},
    ),
    "of nine in ten": (
        10, [report(f"t{number}", "1", "1") for number in range(9)],
        {f"t{number}": "-1" if number == 9 else "0" for number in range(10)},
    ),
    "of eight in ten": (10, [report(f"t{number}", "1", "1") for number in range(8)], {}),
    "of no fill": (0, [report("x", "2", "2")], {"x": "2"}),
}  # fmt: skip
"""The number of fills, reports of orders, and what each has filled beyond its fills."""


@pytest.mark.parametrize("name", FILLED)
def test_what_orders_have_filled(name: str) -> None:
    """Their reports less their fills, where the reports know nine fills of ten."""
    count, orders, expected = FILLED[name]
    found = _orders_filled(books(*TEN[:count]), orders)
    assert {key.rpartition("o-")[2]: amount for key, amount in found.items()} == {
        key: Decimal(text) for key, text in expected.items()
    }


def test_dust_of_orders() -> None:
    """Up to the dust of floats they are equal."""
    filled = {"a": Decimal("0.1"), "b": Decimal("-0.1"), "c": Decimal("0.11")}
    assert _without_dust(filled, Decimal("0.1")) == {"a": 0, "b": 0, "c": Decimal("0.11")}


MOVED: dict[str, tuple[str, Sequence[Order], Mapping[str, str]]] = {
    "one order": ("3", [report("x", "2", "2")], {"x": "2"}),
    "one order that sold": ("-1", [report("x", "2", "2", side=SOLD)], {"x": "-2"}),
    "two orders": ("3", [report("x", "3", "3"), report("y", "1", "1", side=SOLD)],
                   {"x": "3", "y": "-1"}),
    "filled, whatever it says": ("3", [report("x", "2", "0")], {"x": "2"}),
    "filled, and more than it asked for": ("3", [report("x", "1", "2")], {"x": "2"}),
    "more than is lacking": ("3", [report("x", "3", "3")], {}),
    "two that cancel": ("1", [report("x", "3", "3"), report("y", "3", "3", side=SOLD)], {}),
    "an order with a fill": ("3", [report("t0", "2", "2")], {}),
    "an order without a fill": ("3", [report("x", "2", "0", "CANCELLED")], {}),
    "of another symbol": ("3", [report("x", "2", "2", symbol="ETH/EUR")], {}),
}  # fmt: skip
"""The stated position beside a fill of 1, reports of orders, and those that moved it."""


@pytest.mark.parametrize("name", MOVED)
def test_orders_that_moved_a_position(name: str) -> None:
    """Without a fill, and together all that the position lacks."""
    stated, orders, expected = MOVED[name]
    ledger, target = side({SPOT.symbol: "1"}, fills=tuple(TEN[:1])), side({SPOT.symbol: stated})
    dimensions = prover_of(recorded(ledger, target)).dimensions
    found = _orders_that_moved(dimensions, ledger, target, orders)
    assert found == {
        order_name(one): Decimal(expected[name_])
        for one in orders
        if (name_ := (one.client_order_id or "")[2:]) in expected
    }


@pytest.mark.parametrize(
    ("fills", "units"), [(0, 2), (1, 4), (3, 4), (4, 6), (8, 6), (9, 8), (100, 22)]
)
def test_the_rounding_of_many_amounts(fills: int, units: int) -> None:
    """It grows with the root of their number."""
    known = recorded(
        ledger_of(ROWS), exchange(ROWS[1:]), instruments={SPOT.symbol: SPOT},
        currencies={"EUR": Currency("EUR", 2)},
    )  # fmt: skip
    prover = prover_of(known)
    problem = problem_of(prover.recorded, prover.dimensions, INNER, INNER, rows_right=False)
    assert problem is not None
    assert _rounding(problem.postings, "cash::EUR", fills) == Decimal(units) / 100
    assert _rounding(problem.postings, "cash::USD", fills) == Decimal(units).scaleb(-30)


def test_a_side_without_rows_or_a_state_has_no_problem() -> None:
    """Fills, movements or an opening; a position or a balance to reach."""
    full, bare = ledger_of(ROWS), side({SPOT.symbol: "1"})
    for ledger, target, is_one in (
        (full, bare, True), (bare, bare, False), (full, side(), False), (None, bare, False),
        (full, None, False), (full, side(None, {"EUR": "1"}), True), (books(), bare, True),
        (replace(bare, fills=()), bare, False), (replace(bare, fills=tuple(TEN[:1])), bare, True),
    ):  # fmt: skip
        known = recorded(ledger, target, instruments={SPOT.symbol: SPOT})
        prover = prover_of(known)
        found = problem_of(prover.recorded, prover.dimensions, INNER, INNER, rows_right=False)
        assert (found is not None) is is_one, (ledger, target)


@pytest.mark.parametrize(
    ("required", "positions", "expected"),
    [
        ({"BTC/EUR": "2", "BTC": "1"}, True, "2"), ({"BTC": "2", "EUR": "-200"}, False, "2"),
        ({"BTC": "2"}, False, ""), ({"EUR": "-200"}, False, ""),
        ({"BTC": "2", "EUR": "9"}, True, ""),
    ],
)  # fmt: skip
def test_the_quantity_that_one_fill_would_move(
    required: Mapping[str, str], expected: str, *, positions: bool
) -> None:
    """That of the position, or of its asset and of what it is paid in where no position is."""
    more = {} if positions else {"positions": None}
    problem = problem_requiring(ROWS, required, outer=more)
    found = [(name, str(amount)) for name, amount in problem.moved]
    assert found == [(f"position::{SPOT.symbol}", expected)] * bool(expected)


PAID = moved("m1", "interest", "5 EUR", -650)
LEDGER, EXCHANGE = side({SPOT.symbol: "3"}, {"EUR": "70"}), side({SPOT.symbol: "4"}, {"EUR": "99"})
LISTED = replace(LEDGER, fills=tuple(TEN[:2]))
SENT = replace(EXCHANGE, fills=tuple(TEN[:3]))
OF_LEDGER = [("internal", "external", True), ("internal", "internal", False)]
OF_EXCHANGE = [("external", "internal", True)]

CHOICES: dict[str, tuple[SideRecord, SideRecord, list[tuple[str, str, bool]]]] = {
    "no rows": (LEDGER, EXCHANGE, []),
    "fills of the ledger": (LISTED, EXCHANGE, OF_LEDGER),
    "movements of the ledger": (replace(LEDGER, movements=(PAID,)), EXCHANGE, OF_LEDGER),
    "an opening of the ledger": (replace(LEDGER, opening=books().opening), EXCHANGE, OF_LEDGER),
    "fills of the exchange": (LEDGER, SENT, OF_EXCHANGE),
    "movements of the exchange": (LEDGER, replace(EXCHANGE, movements=(PAID,)), OF_EXCHANGE),
    "an opening of the exchange": (LEDGER, replace(EXCHANGE, opening=books().opening), OF_EXCHANGE),
    "fills of both": (LISTED, SENT, OF_EXCHANGE),
    "fills of both, movements of the ledger": (
        replace(LISTED, movements=(PAID,)), SENT, [*OF_EXCHANGE, OF_LEDGER[1]],
    ),
    "fills and movements of both": (
        replace(LISTED, movements=(PAID,)), replace(SENT, movements=()), OF_EXCHANGE,
    ),
    "an exchange that lists no fill": (LISTED, replace(EXCHANGE, fills=()), []),
}  # fmt: skip
"""Ledger and exchange, and of each problem the side of its rows, its side, if rows are right."""


@pytest.mark.parametrize("name", CHOICES)
def test_the_rows_that_may_be_wrong(name: str) -> None:
    """Those of the exchange are right where it lists fills; else the ledger's are, or are wrong."""
    ledger, external, expected = CHOICES[name]
    found = problems_of(prover_of(recorded(ledger, external, instruments={SPOT.symbol: SPOT})))
    assert [(str(one.owner), str(one.side), one.rows_right) for one in found] == expected
