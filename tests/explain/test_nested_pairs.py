"""Bounds of two faults that are searched for one after the other."""

from decimal import Decimal

import pytest

from recon_core.explain.budget import OF_A_REPLAY, Budget
from recon_core.explain.problem.fee_schedule import FeeModel
from recon_core.explain.problem.market import Market
from recon_core.explain.search.nested_pairs import Nested, _prices
from recon_core.explain.search.search import Search
from recon_core.model import Fill, OrderSide
from tests.core.builders import SPOT, fill, recorded
from tests.explain.problems import problems_of, prover_of
from tests.explain.spot_ledgers import ROWS, exchange, ledger_of


@pytest.mark.parametrize(
    ("fills", "replays", "most"),
    [
        (ROWS, 100, 60),
        (ROWS, 121, 60),
        (ROWS, 122, 61),
        (ROWS, 300, 150),
        (ROWS, 400, 200),
        (ROWS, 402, 200),
        ([], 122 * 6, 200),
        (ROWS[:1], 122, 61),
    ],
)
def test_replays_of_first_faults(fills: list[Fill], replays: int, most: int) -> None:
    """Half of the budget pays for them, from 60 to 200; without a fill each costs as for one."""
    known = recorded(ledger_of(fills), exchange(ROWS[1:]), instruments={SPOT.symbol: SPOT})
    problem = problems_of(prover_of(known))[0]
    budget = Budget(replays * OF_A_REPLAY * max(1, len(problem.fills)))
    assert Nested(Search(problem, budget))._most_replays == most


@pytest.mark.parametrize(
    ("rate", "fixed", "in_base", "prices"),
    [
        ("0", "0", False, "100"), ("0.25", "0", False, "100 80 133"), ("1", "0", False, "100 50"),
        ("0.25", "0", True, "100"), ("0", "20", False, "100 90"),
    ],
)  # fmt: skip
def test_the_prices_of_a_quantity(rate: str, fixed: str, prices: str, *, in_base: bool) -> None:
    """2 for 200 in whole EUR: without a fee, and with one that is paid or paid back, not of all."""
    model = FeeModel((Decimal(rate),), "EUR", in_base, fixed=Decimal(fixed))
    market = Market([fill("f", "BUY", "1", "100")], SPOT, {OrderSide.BUY: model})
    found = _prices(market, Decimal(2), Decimal(-200))
    assert found == set(map(Decimal, prices.split()))
