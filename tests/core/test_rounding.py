"""Rounding of a booking, and ratios for the eye."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.values.amounts import (
    EXACT,
    decimal_places,
    display_ratio,
    format_amount,
    larger_magnitude,
    pad_to_places,
    percent_text,
    round_to_places,
    shortest,
    shortest_places,
)

from . import builders


@given(builders.amounts(), st.integers(0, 30))
def test_rounding_is_half_even(amount: Decimal, places: int) -> None:
    """It agrees with `round` of a fraction, which is half-even by definition."""
    rounded = round_to_places(amount, places)
    assert Fraction(rounded) == Fraction(round(Fraction(amount) * 10**places), 10**places)
    assert decimal_places(rounded) == places


@pytest.mark.parametrize(
    ("text", "places", "expected"),
    [
        ("0.005", 2, "0.00"),
        ("0.015", 2, "0.02"),
        ("-0.025", 2, "-0.02"),
        ("0.0250000000000000000000000001", 2, "0.03"),
        ("2.5", 0, "2"),
        ("9" * 30 + ".5", 0, "1" + "0" * 30),
        ("1", 2, "1.00"),
    ],
)
def test_halves_go_to_the_even_neighbour(text: str, places: int, expected: str) -> None:
    """Also where the carry makes the amount longer."""
    assert format_amount(round_to_places(Decimal(text), places)) == expected


@pytest.mark.parametrize(
    ("numerator", "denominator", "ratio", "percent"),
    [
        ("0.0005", "0.1", "0.005", "0.5 %"),
        ("0", "5", "0", "0 %"),
        ("1", "1", "1", "100 %"),
        ("1", "3", "0.333333333333", "33.3333333333… %"),
        ("2", "3", "0.666666666667", "66.6666666667… %"),
        ("1", "1" + "0" * 29, "0.00000000000000000000000000001", "0.000000000000000000000000001 %"),
        ("9.99999999999999", "1000", "0.01", "1.00000000000… %"),
        ("2000", "1", "2000", "200000 %"),
    ],
)
def test_ratios_are_shown_and_never_compared(
    numerator: str, denominator: str, ratio: str, percent: str
) -> None:
    """Twelve digits for the eye; an ellipsis says that digits were cut."""
    pair = Decimal(numerator), Decimal(denominator)
    assert format_amount(display_ratio(*pair)) == ratio
    assert percent_text(*pair) == percent


@given(builders.amounts(positive=True), builders.amounts(positive=True))
def test_a_percentage_without_ellipsis_is_exact(first: Decimal, second: Decimal) -> None:
    """What is shown without an ellipsis is the ratio itself, else it is near."""
    text = percent_text(first, second).removesuffix(" %")
    shown = Fraction(text.removesuffix("…")) / 100
    exact = Fraction(first) / Fraction(second)
    assert (shown == exact) == (not text.endswith("…"))
    assert abs(shown - exact) <= exact / 10**11


@given(builders.amounts(), st.integers(0, 40))
def test_padding_and_shortening_keep_the_value(amount: Decimal, places: int) -> None:
    """Only zeros are added or taken away."""
    padded, short = pad_to_places(amount, places), shortest(amount)
    assert padded == amount == short
    assert decimal_places(padded) == max(places, decimal_places(amount))
    assert not ("." in format_amount(short) and format_amount(short).endswith("0"))


@given(st.integers(-(10**40), 10**40), st.integers(-60, 60))
def test_places_are_those_of_the_exponent(digits: int, exponent: int) -> None:
    """Read off the text: however long the amount is, and with or without an exponent."""
    assert decimal_places(Decimal(digits).scaleb(exponent, EXACT)) == max(0, -exponent)


@given(builders.amounts(), builders.amounts())
def test_the_larger_magnitude_is_symmetric(first: Decimal, second: Decimal) -> None:
    """It knows neither side nor sign."""
    assert larger_magnitude(first, second) == larger_magnitude(second, first)
    assert Fraction(larger_magnitude(first, second)) == max(
        abs(Fraction(first)), abs(Fraction(second))
    )


@pytest.mark.parametrize(
    ("text", "places"),
    [("0.0000001", 7), ("0.00000010", 7), ("1E+3", 0), ("1.5E-9", 10), ("1.50", 1), ("15", 0)],
)
def test_shortest_places_count_no_trailing_zero(text: str, places: int) -> None:
    """Python writes the smallest amounts with an exponent; they have as many decimals."""
    assert shortest_places(Decimal(text)) == places
