"""Exact amounts: the grammar, sums, rounding, and ratios for the eye."""

import decimal
import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.values.amounts import (
    EXACT,
    decimal_places,
    display_ratio,
    exact_sum,
    format_amount,
    larger_magnitude,
    pad_to_places,
    parse_amount,
    percent_text,
    require_amount,
    round_to_places,
    shortest,
    shortest_amount,
)
from recon_core.values.errors import AmountError

from . import builders
from .builders import scaled

ACCEPTED = [
    ("0", "0"),
    ("-0", "0"),
    ("-0.00", "0.00"),
    ("5000.00", "5000.00"),
    ("-12.5", "-12.5"),
    ("0.000000000000000000000000000001", "0.000000000000000000000000000001"),
    ("9" * 30 + "." + "9" * 30, "9" * 30 + "." + "9" * 30),
    ("1" + "0" * 29, "1" + "0" * 29),
]
REFUSED = [
    "",
    "-",
    ".",
    "+1",
    "--1",
    "01",
    "00",
    "-01.5",
    "1.",
    ".5",
    "1e3",
    "1E-3",
    "1,000",
    "1_000",
    "1 000",
    " 1",
    "1 ",
    "1\n",
    "\t1",
    "0x1",
    "1/2",
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "sNaN123",
    "true",
    "٥",
    "１",
    "²",
    "−1",  # the typographic minus
    "1" * 31,
    "0." + "1" * 31,
    "1.5 EUR",
    "1.2.3",
]


@pytest.mark.parametrize(("text", "shown"), ACCEPTED)
def test_an_amount_is_read_exactly(text: str, shown: str) -> None:
    """No digit is lost, trailing zeros are kept, and `-0` is `0`."""
    amount = parse_amount(text)
    assert format_amount(amount) == shown
    assert not (amount.is_signed() and amount == 0)


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_grammar_does_not_know_is_refused(text: str) -> None:
    """One line that shows the text, made safe, and says what is accepted."""
    with pytest.raises(AmountError, match="is not an amount; expected a plain decimal") as raised:
        parse_amount(text)
    assert str(raised.value).isprintable()


@given(builders.amounts())
def test_an_amount_survives_printing(amount: Decimal) -> None:
    """What is printed reads back as the same value with the same decimals."""
    text = format_amount(amount)
    assert "E" not in text
    again = parse_amount(text)
    assert (again, decimal_places(again)) == (amount, decimal_places(amount))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(Decimal("1.50"), "1.50"), (7, "7"), (Decimal("-0"), "0"), (Decimal("1e2"), "100")],
)
def test_amounts_from_python_are_decimals_or_integers(value: object, expected: str) -> None:
    """What a simulator hands over is taken as it is."""
    assert format_amount(require_amount(value, "price")) == expected


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        float("nan"),
        True,
        None,
        "1",
        Fraction(1, 2),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        Decimal("1e30"),
        10**30,
        Decimal("1e-31"),
        Decimal("1e999999"),
    ],
)
def test_what_is_not_exact_is_refused_by_the_name_of_its_use(value: object) -> None:
    """A float has lost digits already; so has whatever is longer than an amount may be."""
    with pytest.raises(AmountError, match=r"^price: .*; expected a"):
        require_amount(value, "price")


@given(st.lists(builders.amounts(), max_size=30), st.randoms(use_true_random=False))
def test_a_sum_is_exact_in_any_order(terms: list[Decimal], shuffler: random.Random) -> None:
    """It is the sum of the fractions."""
    expected = sum(map(Fraction, terms), Fraction(0))
    shuffler.shuffle(terms)
    assert Fraction(exact_sum(terms)) == expected


HOSTILE = decimal.Context(prec=1, rounding=decimal.ROUND_UP, Emax=1, Emin=-1, traps=[])
LONG = Decimal("123456789.123456789")


COMPUTATIONS: dict[str, Callable[[], object]] = {
    "parse": lambda: parse_amount("123456789.123456789"),
    "require a Decimal": lambda: require_amount(LONG, "x"),
    "require an int": lambda: require_amount(-(10**29) + 1, "x"),
    "format": lambda: format_amount(LONG),
    "sum": lambda: exact_sum([LONG, LONG.copy_negate(), Decimal("1e-30")]),
    "pad": lambda: pad_to_places(LONG, 30),
    "float": lambda: shortest_amount(46931.522499999995),
    "text of a float": lambda: shortest_amount("0.1000000000000000055511151231257827"),
    "shorten": lambda: shortest(Decimal("1200.500")),
    "round": lambda: round_to_places(LONG, 4),
    "larger magnitude": lambda: larger_magnitude(LONG, Decimal("123456789.2")),
    "ratio": lambda: display_ratio(LONG, Decimal(7)),
    "percent": lambda: percent_text(LONG, Decimal(7)),
}


@pytest.mark.parametrize("compute", COMPUTATIONS.values(), ids=COMPUTATIONS)
def test_nothing_depends_on_the_ambient_context(compute: Callable[[], object]) -> None:
    """A strategy's own decimal context changes no figure and raises nothing."""
    expected = compute()
    for traps in ([], [decimal.Inexact, decimal.Rounded, decimal.Clamped, decimal.Subnormal]):
        context = HOSTILE.copy()
        context.traps = dict.fromkeys(context.traps, False) | dict.fromkeys(traps, True)
        with decimal.localcontext(context):
            assert compute() == expected


def test_the_context_raises_instead_of_rounding() -> None:
    """Precision is large enough for every sum and product of amounts, and lossy steps trap."""
    largest = Decimal("9" * 30 + "." + "9" * 30)
    product = EXACT.multiply(EXACT.multiply(largest, largest), largest)
    assert Fraction(product) == Fraction(largest) ** 3
    with pytest.raises(decimal.Inexact):
        EXACT.divide(Decimal(1), Decimal(3))
    with pytest.raises(decimal.FloatOperation):
        EXACT.create_decimal(0.1)


def test_one_unit_is_not_lost_beside_the_largest_amount() -> None:
    """30 digits before the point and 30 after it stand in one sum."""
    largest = Decimal("9" * 30)
    total = exact_sum([largest, scaled(1), largest.copy_negate()])
    assert total == scaled(1)


@pytest.mark.parametrize(
    ("text", "places"),
    [("1", 0), ("1.50", 2), ("1E+3", 0), ("1E-7", 7), ("NaN", 0), ("-Infinity", 0)],
)
def test_decimal_places_count_trailing_zeros(text: str, places: int) -> None:
    """The digits after the point as they were given; what is no number has none."""
    assert decimal_places(Decimal(text)) == places
