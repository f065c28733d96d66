"""Groups of fills: their fees, their positions, and fills of which each may have one fault."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.problem.fill_group import FillGroup, groups_of
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.patches import Patch
from recon_core.explain.search.candidates import candidates
from recon_core.model import Currency, Leg
from recon_core.model.explanation import CauseKind
from tests.core.builders import SPOT, at, fill
from tests.explain.problems import problem_requiring
from tests.explain.real_sessions import linear, moved

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


def test_groups_of_symbols_and_positions() -> None:
    """All fills, those of each symbol where one has several positions, and those of each position.

    A single fill is no group.
    """
    perp, other = linear("PERP", "EUR"), linear("OTHER", "EUR")
    rows = [
        fill(f"{symbol}{leg}{n}", "BUY", "1", "100", time=at(n - 900), symbol=symbol, leg=leg)
        for symbol, leg, count in (
            ("PERP", Leg.LONG, 2), ("PERP", Leg.SHORT, 3), ("OTHER", Leg.LONG, 4),
        )
        for n in range(count)
    ]  # fmt: skip
    for given, most, sizes in (
        (rows, None, [9, 5, 4, 2, 3, 4]), (rows, 3, [9, 5, 4]), (rows[:5], None, [5, 2, 3]),
        (rows[2:], None, [7, 3, 4]), (rows[:2], None, [2]), (rows[1:5], None, [4, 3]),
    ):  # fmt: skip
        problem = problem_requiring(given, {"EUR": "1"}, perp, other)
        assert sorted(len(one.fills) for one in groups_of(problem, most)) == sorted(sizes)


def test_rows_are_shared_with_a_problem_of_the_same_rows() -> None:
    """Not with one of other fills, or of other movements."""
    first, second = ([fill(f"f{n}", "BUY", "1", "100", time=at(-900))] for n in range(2))
    one, other = (problem_requiring(rows, {"EUR": "1"}) for rows in (first, second))
    other.share_rows(one)
    assert other.rows is not one.rows
    same = replace(one)
    same.share_rows(one)
    assert same.rows is one.rows
    paid = replace(one.record, movements=(moved("m", "interest", "5 EUR", -650),))
    another = replace(one, record=paid)
    another.share_rows(one)
    assert another.rows is not one.rows


def test_the_rounding_of_a_group() -> None:
    """Of cash, a unit a fill for each of the factor and two more; a position is exact."""
    rows = [fill(f"f{n}", "BUY", "1", "100", time=at(n - 900)) for n in range(3)]
    cents = {"currencies": {"EUR": Currency("EUR", 2)}}
    group = FillGroup(problem_requiring(rows, {"EUR": "1"}, **cents), rows)
    assert group._rounding("cash::EUR", Decimal(-4)) == Decimal("0.18")
    assert group._rounding(POSITION, Decimal(-4)) == 0


def test_equal_fills_of_two_equal_faults_may_each_have_either() -> None:
    """Of three equal fills two are false: three rows for each; another fault keeps its own."""
    rows = [fill(f"f{n}", "BUY", "1", "100", time=at(n - 900)) for n in range(3)]
    other = fill("g", "BUY", "2", "100", time=at(-800))
    problem = problem_requiring([*rows, other], {"EUR": "1"})
    first, second, third, last = (
        Hypothesis(CauseKind.ORPHAN_FILL, Patch((row,)), (row,)) for row in (*rows, other)
    )
    (found,) = candidates(problem, [(first, second), (second, third)])
    assert found.rows == (tuple(rows), tuple(rows))
    (found,) = candidates(problem, [(first, last), (second, last)])
    assert sorted(map(len, found.rows)) == [1, 2]
