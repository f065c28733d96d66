"""Bounds of two faults that are searched for one after the other."""

import pytest

from recon_core.explain.budget import OF_A_REPLAY, Budget
from recon_core.explain.search.nested_pairs import Nested
from recon_core.explain.search.search import Search
from recon_core.model import Fill
from tests.core.builders import SPOT, recorded
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
