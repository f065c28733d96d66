"""Pairs that fit: which of them may do so by coincidence."""

from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.budget import Budget
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.patches import Patch
from recon_core.explain.search.pair_search import PairSearch
from recon_core.explain.search.search import Search
from recon_core.model.explanation import CauseKind
from tests.core.builders import SPOT, recorded
from tests.explain.problems import problems_of, prover_of
from tests.explain.spot_ledgers import ROWS, exchange, ledger_of

ONE, OTHER = (Hypothesis(CauseKind.ORPHAN_FILL, Patch((row,)), (row,)) for row in ROWS[:2])
SHOWN = [
    Hypothesis(CauseKind.WRONG_FEE, Patch((row,), (row,)), (row,), Strength.SHOWN)
    for row in ROWS[:2]
]


@pytest.mark.parametrize(
    ("dust", "tolerance", "unknown", "off", "count", "expected"),
    [
        ("0", "0", False, "0", 1, True), ("0.1", "0", False, "0", 8, False),
        ("0.1", "0", False, "0", 9, True), ("0.1", "0", False, "0.05", 1, True),
        ("0.1", "0", False, "0.05", 9, True), ("0", "0.1", False, "0", 8, False),
        ("0", "0.1", False, "0", 9, True), ("0.1", "0", True, "0", 1, True),
    ],
)  # fmt: skip
def test_a_pair_that_fits_by_chance(
    dust: str, tolerance: str, off: str, count: int, *, unknown: bool, expected: bool
) -> None:
    """Unless floats or a tolerance let it fit to all digits, and few others meet a decoy."""
    known = recorded(ledger_of(ROWS), exchange(ROWS[2:]), instruments={SPOT.symbol: SPOT})
    problem = problems_of(prover_of(known))[0]
    effect = ONE.patch.joined(OTHER.patch).vector(problem.postings)
    dimensions = replace(problem.dimensions, dust=Decimal(dust))
    required = {**effect, "cash::EUR": effect["cash::EUR"] + Decimal(off)}
    problem = replace(
        problem, required=required, postings=replace(problem.postings, dimensions=dimensions),
        tolerance={"cash::EUR": Decimal(tolerance)} if tolerance != "0" else {},
        unknown=frozenset({"cash::EUR"}) if unknown else frozenset(),
    )  # fmt: skip
    pairs = PairSearch(Search(problem, Budget.unlimited()))
    pairs.__dict__["_chance_count"] = count
    assert pairs._by_chance(ONE, OTHER) is expected
    assert not pairs._by_chance(*SHOWN)
