"""Groups of fills: when their fees may be the fault, and the positions that they are of."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.problem.fill_group import FillGroup
from recon_core.model import Leg
from tests.core.builders import SPOT, at, fill
from tests.explain.problems import problem_requiring
from tests.explain.real_sessions import linear

POSITION = f"position::{SPOT.symbol}"


@pytest.mark.parametrize(
    ("required", "fee", "tolerance", "expected"),
    [
        ({"EUR": "1"}, "0.1 EUR", "0", True), ({SPOT.symbol: "1"}, "0.1 EUR", "0", False),
        ({SPOT.symbol: "-1"}, "0.1 EUR", "0", False), ({SPOT.symbol: "1"}, "0.1 BTC", "0", True),
        ({SPOT.symbol: "1", "EUR": "1"}, "0.1 BNB", "0", False),
        ({SPOT.symbol: "1"}, "0.1 EUR", "1", True), ({SPOT.symbol: "-1"}, "0.1 EUR", "0.9", False),
    ],
)  # fmt: skip
def test_fees_that_may_be_the_fault(
    required: Mapping[str, str], fee: str, tolerance: str, *, expected: bool
) -> None:
    """Not where a position has to move, by more than its tolerance, and no fee is in its base."""
    problem = problem_requiring([fill("f", "BUY", "2", "100", fee)], required)
    problem = replace(problem, tolerance={POSITION: Decimal(tolerance)})
    assert FillGroup(problem, problem.fills).may_be_fees is expected


def test_fills_by_their_positions() -> None:
    """By symbol, account and leg; one position has all fills of one of each."""
    perp = linear("PERP", "EUR")
    first, second = (fill(f"f{n}", "BUY", "1", "100", time=at(n - 900)) for n in range(2))
    contract = replace(second, symbol=perp.symbol)
    for rows, count in (
        ([first, second], 1), ([first, contract], 2),
        ([replace(first, account="a"), replace(contract, account="b")], 2),
        ([replace(first, account="a"), replace(second, account="b")], 2),
        ([replace(contract, fill_id="g", leg=Leg.LONG), replace(contract, leg=Leg.SHORT)], 2),
    ):  # fmt: skip
        problem = problem_requiring(rows, {"EUR": "1"}, perp)
        assert sorted(map(len, problem.places.values())) == [2 // count] * count
        assert sum(map(len, problem.by_symbol.values())) == len(rows)
