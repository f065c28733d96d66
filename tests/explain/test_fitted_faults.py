"""Fees that contradict their fills: how far they are off, and how many may be."""

from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.causes.fee_rate import exception_text
from recon_core.explain.problem.problem import Problem
from recon_core.explain.search.fitted_faults import contradictions_of_fees
from recon_core.model import Currency, Fill
from tests.core.builders import SPOT, at, fill, recorded
from tests.explain.problems import problems_of, prover_of
from tests.explain.spot_ledgers import exchange, ledger_of

Off = list[tuple[str, str]]


def rows(count: int, off: Off) -> list[Fill]:
    """Fills with fees of 0.1 % in cents, the first of them off by an amount, or of a currency."""
    found = []
    for number in range(count):
        more, currency = off[number] if number < len(off) else ("0", "EUR")
        price = 1000 + 10 * number
        fee = Decimal(price) / 1000 + Decimal(more)
        found.append(fill(f"f{number}", "BUY", "1", str(price), f"{fee} {currency}",
                          time=at(number - 900)))  # fmt: skip
    return found


def problem_of(fills: list[Fill], *, rows_right: bool = False) -> Problem:
    """A ledger that may have wrong rows, or is right, without its first fill at the exchange."""
    known = recorded(
        ledger_of(fills), exchange(fills[1:], opening="9000000"),
        instruments={SPOT.symbol: SPOT}, currencies={"EUR": Currency("EUR", 2)},
    )  # fmt: skip
    return next(one for one in problems_of(prover_of(known)) if one.rows_right is rows_right)


@pytest.mark.parametrize(
    ("more", "is_found", "is_far"),
    [
        (("0.01", "EUR"), False, False), (("-0.01", "EUR"), False, False),
        (("0.02", "EUR"), True, False), (("-0.02", "EUR"), True, False),
        (("1", "EUR"), True, False), (("1.01", "EUR"), True, True), (("0", "BNB"), True, True),
    ],
)  # fmt: skip
def test_a_fee_that_is_off(more: tuple[str, str], *, is_found: bool, is_far: bool) -> None:
    """By more than one unit, by far with more than 100, or in another currency."""
    found = list(contradictions_of_fees(problem_of(rows(10, [more]))))
    assert [(one.fill.fill_id, one.is_far) for one in found] == [("f0", is_far)] * is_found
    assert not list(contradictions_of_fees(problem_of(rows(10, [more]), rows_right=True)))


def test_a_fill_without_a_fee_or_a_quantity() -> None:
    """Neither shows what is wrong with the other."""
    fills = rows(10, [("5", "EUR")])
    for changed in ({"fee": Decimal(0)}, {"quantity": Decimal(0)}):
        problem = problem_of([replace(fills[0], **changed), *fills[1:]])
        assert not list(contradictions_of_fees(problem))


@pytest.mark.parametrize(
    ("near", "far", "found"),
    [(40, 0, 40), (37, 3, 40), (38, 3, 3), (41, 0, 0), (0, 40, 40), (0, 41, 0), (1, 41, 0)],
)
def test_too_many_fees_follow_another_rule(near: int, far: int, found: int) -> None:
    """Of more than 40 only those that are far off count, of more than 40 of these none."""
    off = [(f"{Decimal(2 + number) / 100}", "EUR") for number in range(near)]
    off += [(f"{7 + number * Decimal('1.37')}", "EUR") for number in range(far)]
    found_ones = list(contradictions_of_fees(problem_of(rows(220, off))))
    assert len(found_ones) == found
    assert all(one.is_far for one in found_ones) is (near == 0 or found <= far)


@pytest.mark.parametrize(("count", "is_looked_at"), [(2_000, True), (2_001, False)])
def test_a_large_ledger_is_not_looked_at(count: int, *, is_looked_at: bool) -> None:
    """Each fill costs the fee at every rate: up to 2,000 are tried."""
    problem = problem_of(rows(10, [("5", "EUR")]))
    for name, fills in problem.by_symbol.items():
        assert isinstance(fills, list)
        fills.extend(fills[-1:] * (count - len(fills)))
        assert len(problem.by_symbol[name]) == count
    problem.rows.__dict__["fills"] = tuple(*problem.by_symbol.values())
    assert bool(list(contradictions_of_fees(problem))) is is_looked_at


@pytest.mark.parametrize(
    ("odd", "words"),
    [(0, ""), (1, "; f0 at neither"), (3, "; f0, f1, f2 at neither"), (4, "")],
)
def test_the_few_fees_at_no_rate_are_named(odd: int, words: str) -> None:
    """Up to three; more are no exceptions."""
    fills = rows(40, [(f"{7 + number * Decimal('1.37')}", "EUR") for number in range(odd)])
    assert exception_text(problem_of(fills), fills) == words
