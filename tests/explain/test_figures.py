"""Slips of the pen, powers of ten and roundings: which figures are related, and which are not."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from recon_core.explain.causes.rounding import is_rounded, rounded_figure
from recon_core.explain.problem.figures import (
    common_lot,
    is_power_of_ten,
    last_digit,
    power_of_ten,
    slip,
    tick_of,
    units_of,
)
from tests.core.builders import fill

SLIPS: list[tuple[str, str, str | None]] = [
    ("12.5", "1.25", "10^1 times"),
    ("0.125", "1.25", "10^-1 times"),
    ("1200", "12", "10^2 times"),
    ("5", "5.0", None),
    ("0", "5", None),
    ("5", "0", None),
    ("-125", "-135", None),
    ("-125", "135", None),
    ("125", "135", "one digit differs"),
    ("12", "13", None),
    ("12", "132", None),
    ("100", "200", None),
    ("101", "102", "one digit differs"),
    ("99", "100", None),
    ("132", "123", "two digits are swapped"),
    ("321", "123", "two digits are swapped"),
    ("312", "123", None),
    ("145", "123", None),
    ("1.2345", "1.2445", "one digit differs"),
    ("1.25", "1.205", "two digits are swapped"),
    ("1.25", "1.2504", "one digit differs"),
    ("1.25", "1.2501", "one digit differs"),
    ("1.25", "1.25004", None),
    ("1.2", "1.234", None),
    ("2.34", "2.345", "one digit differs"),
    ("2.3", "2.345", None),
    ("2.305", "2.3", "one digit differs"),
    ("2.3005", "2.3", None),
    ("2.3004", "2.30", None),
    ("2.31", "2.3105", "one digit differs"),
    ("2.31", "2.31005", None),
    ("999.5", "1000.5", None),
]
"""A wrong number, the right one, and the slip."""


@pytest.mark.parametrize(("wrong", "right", "words"), SLIPS)
def test_a_slip_turns_one_number_into_the_other(wrong: str, right: str, words: str | None) -> None:
    """One digit, two exchanged, or a power of ten; too few digits or too many decimals are none."""
    assert slip(Decimal(wrong), Decimal(right)) == words


@pytest.mark.parametrize(
    ("ratio", "is_power"),
    [
        ("10", True), ("1/10", True), ("1000000000000000000", True),
        ("1/1000000000000000000", True), ("10000000000000000000", False),
        ("1/10000000000000000000", False), ("1", False), ("20", False), ("1/20", False),
        ("10/3", False), ("3/10", False), ("100/7", False),
    ],
)  # fmt: skip
def test_a_power_of_ten(ratio: str, *, is_power: bool) -> None:
    """From ten to 10^18, and their inverses."""
    assert is_power_of_ten(Fraction(ratio)) is is_power


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        ("125", "12.5", "10^1"),
        ("12.5", "12500", "10^-3"),
        ("12", "13", None),
        ("12", "120", "10^-1"),
    ],
)
def test_the_power_between_two_numbers(wrong: str, right: str, words: str | None) -> None:
    """By their digits."""
    assert power_of_ten(Decimal(wrong), Decimal(right)) == words


@pytest.mark.parametrize(
    ("amount", "digit"), [("1.50", -1), ("5000", 3), ("7", 0), ("0.001", -3), ("120.00", 1)]
)
def test_the_last_digit_that_is_not_zero(amount: str, digit: int) -> None:
    """Zeros after it do not count, on either side of the point."""
    assert last_digit(Decimal(amount)) == digit


@pytest.mark.parametrize(
    ("amount", "lot", "units"),
    [
        ("500", "0", 5), ("0.123", "0", 123), ("-0.123", "0", 123), ("0", "0", 0), ("0", "0.5", 0),
        ("0.122", "0.061", 2), ("0.122", "0.05", 61), ("0.122", "-0.061", 2), ("500", "250", 2),
        ("500", "1000", 1), ("500", "3", 5),
    ],
)  # fmt: skip
def test_the_units_of_an_amount(amount: str, lot: str, units: int) -> None:
    """Of its last digit, or of a lot in which it is whole, if that is more."""
    assert units_of(Decimal(amount), Decimal(lot)) == units


@pytest.mark.parametrize(
    ("amounts", "lot", "tick"),
    [
        ("", "0", "0"), ("0 0", "0", "0"), ("100.5 102", "1.5", "0.5"), ("3 6 9", "3", "1"),
        ("100 -250 0", "50", "50"), ("0.25 0.75", "0.25", "0.25"), ("4 8", "4", "2"),
        ("1000 3000", "1000", "1000"), ("0.001", "0.001", "0.001"), ("75", "75", "25"),
        ("10 15", "5", "5"), ("2 4 3", "1", "1"),
    ],
)  # fmt: skip
def test_the_lot_and_the_tick_of_amounts(amounts: str, lot: str, tick: str) -> None:
    """The largest amount of which all are multiples; a tick is 1, 2, 5 or 25 by a power of ten."""
    given = [Decimal(text) for text in amounts.split()]
    assert (common_lot(given), tick_of(given)) == (Decimal(lot), Decimal(tick))


ROUNDED: list[tuple[str, str, bool]] = [
    ("1.23", "1.2345", True),
    ("1.24", "1.2345", False),
    ("1.2", "1.2345", True),
    ("1.234", "1.2345", False),
    ("1.24", "1.235", False),
    ("1.2", "1.25", False),
    ("1.2", "1.250", False),
    ("1", "1.50", False),
    ("2", "1.500", False),
    ("2", "1.501", True),
    ("1", "1.501", False),
    ("1.12", "1.12500", False),
    ("1.12", "1.12501", False),
    ("1.13", "1.12501", True),
    ("1.0012", "1.00125001", False),
    ("1.12", "1.12", False),
    ("0", "0.50000", False),
    ("1.2", "1.2500001", False),
    ("1.3", "1.2500001", True),
    ("3", "2.51", True),
    ("12", "12.0049", True),
    ("12.3456", "12.3456", False),
]
"""A number, the number that it may be rounded from, and the truth."""


@pytest.mark.parametrize(("given", "other", "expected"), ROUNDED)
def test_a_rounded_number_is_two_decimals_shorter(
    given: str, other: str, *, expected: bool
) -> None:
    """And the nearest one, ties either way."""
    assert is_rounded(Decimal(given), Decimal(other)) is expected
    wrong, right = (fill("f", "BUY", "1", price, "0.1 EUR") for price in (given, other))
    fault = rounded_figure("price", wrong, right)
    assert (fault is not None) is expected
    if fault is not None:
        places = len(given.partition(".")[2])
        assert fault.detail == f"price {other} to {places} decimals"
        assert fault.facts.rounded == "price"
    assert rounded_figure("price", wrong, replace(right, fee=Decimal("0.2"))) is None
