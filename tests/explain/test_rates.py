"""Rates of fees: which rate gives a fee, and which of them prove something."""

from decimal import Decimal
from fractions import Fraction

import pytest

from recon_core.explain.causes.fee_currency import is_about, share_of
from recon_core.explain.causes.fee_rate import _is_rebate, at_one_rate
from recon_core.explain.problem.fee_schedule import fee_value, is_significant_rate, round_rate
from recon_core.explain.problem.postings import trade_value
from recon_core.model import Fill, Instrument, InstrumentKind
from tests.core.builders import SPOT, fill
from tests.explain.problems import problem_requiring


def d(text: str) -> Decimal:
    return Decimal(text)


RATES: list[tuple[str, str, str, str | None]] = [
    ("0.053", "52.7", "0.001", "0.001"),
    ("0.0527", "52.7", "0.0001", "0.001"),
    ("0.05", "50", "0.01", "0.001"),
    ("0.055", "50", "0.01", "0.001"),
    ("0.045", "50", "0.01", "0.001"),
    ("0.10", "50", "0.01", "0.002"),
    ("-0.05", "50", "0.01", "-0.001"),
    ("0.05", "-50", "0.01", "-0.001"),
    ("-0.05", "-50", "0.01", "0.001"),
    ("0", "50", "0.01", "0"),
    ("50", "50", "0.01", "1"),
    ("25", "50", "0.01", "0.5"),
    ("12.345", "100", "0.001", "0.12345"),
    ("12.345", "100", "0.1", "0.123"),
    ("12.345", "100", "10", "0.08"),
    ("1", "3", "0.000000000002", "0.333333333333"),
    ("1", "3", "0.0000000000001", None),
    ("-1", "3", "0.0000000000001", None),
]
"""A fee, the value that it is charged on, the unit of the fee, and the rate."""


@pytest.mark.parametrize(("fee", "value", "unit", "rate"), RATES)
def test_the_rate_with_the_fewest_decimals(
    fee: str, value: str, unit: str, rate: str | None
) -> None:
    """That gives the fee within half a unit, with 2 to 12 decimals, of rebates as well."""
    assert round_rate(d(fee), d(value), d(unit)) == (None if rate is None else d(rate))


@pytest.mark.parametrize(
    ("rate", "value", "unit", "expected"),
    [
        ("0.001", "100", "0.00001", True),
        ("0.001", "100", "0.000011", False),
        ("0.001", "99", "0.00001", False),
        ("0.00075", "100", "0.0000001", True),
        ("0.001234", "100000", "0.0000001", True),
        ("0.0012345", "100000", "0.0000001", False),
        ("0.01", "100", "0.0001", True),
        ("0.01", "100", "0.00011", False),
    ],
)
def test_a_rate_that_proves_something(rate: str, value: str, unit: str, *, expected: bool) -> None:
    """Of at most four digits, and one step of it gives at least 10,000 units more."""
    assert is_significant_rate(d(rate), d(value), d(unit)) is expected


def pairs(*texts: str) -> list[tuple[Decimal, Decimal]]:
    """Posted and right fees, each written `2/1`."""
    return [(d(one), d(other)) for one, _, other in (text.partition("/") for text in texts)]


ONE_RATE: dict[str, tuple[list[str], list[str]]] = {
    "none": ([], []),
    "a single one": (["2/1"], ["2/1"]),
    "all of one": (["2/1", "4/2", "6/3"], ["2/1", "4/2", "6/3"]),
    "rounded to cents": (["0.33/0.22", "0.11/0.07", "1.50/1.00"],
                         ["0.33/0.22", "0.11/0.07", "1.50/1.00"]),
    "one is off by more than the rounding": (
        ["1.50/1.00", "0.75/0.50", "0.56/0.30"], ["1.50/1.00", "0.75/0.50"],
    ),
    "off by the whole slack": (["1.50/1.00", "0.755/0.50", "0.4525/0.30"],
                               ["1.50/1.00"]),
    "at the slack": (["15.0/10.0", "7.7/5.0", "4.8/3.0", "4.2/3.0"], ["15.0/10.0", "7.7/5.0"]),
    "the largest has a fault of its own": (
        ["90/10", "4/2", "6/3", "2/1"], ["4/2", "6/3", "2/1"],
    ),
    "the larger half wins": (["4/2", "6/3", "9/1", "18/2", "27/3"], ["9/1", "18/2", "27/3"]),
    "of two halves that of the largest": (["4/2", "8/4", "9/1", "27/3"], ["4/2", "8/4"]),
    "the fifth is tried": (
        ["100/60.0001", "100/59", "100/53", "100/52", "3/1", "6/2"], ["3/1", "6/2"],
    ),
    "of the other sign, rounded": (
        ["-0.33/0.22", "-0.11/0.07", "-1.50/1.00"], ["-0.33/0.22", "-0.11/0.07", "-1.50/1.00"],
    ),
    "just within the rounding": (["20.0/10.0", "10.3/5.0", "6.4/3.0"], ["20.0/10.0", "10.3/5.0"]),
    "rebates": (["-2/-1", "-4/-2", "4/-2"], ["-2/-1", "-4/-2"]),
    "only the largest five are tried": (
        ["100/60.0001", "100/59", "100/53", "100/52", "100/51", "3/1", "6/2"], ["100/60.0001"],
    ),
}  # fmt: skip
"""Posted and right fees, and those at the one rate that most have."""


@pytest.mark.parametrize("name", ONE_RATE)
def test_fees_at_one_other_rate(name: str) -> None:
    """The ratio of a large fee, which most others have as far as both are rounded."""
    given, expected = (pairs(*texts) for texts in ONE_RATE[name])
    assert at_one_rate(given, lambda pair: pair) == expected


def charged(fee: str, quantity: str = "2", price: str = "50") -> Fill:
    return fill("f", "BUY", quantity, price, f"{fee} EUR")


def test_the_share_of_a_fee() -> None:
    """Of quantity times price, and nothing where these are nothing."""
    assert share_of(charged("0.1")) == Fraction(1, 1000)
    assert share_of(charged("0.1", quantity="0")) == 0
    assert share_of(charged("0.1", price="0")) == 0


@pytest.mark.parametrize(
    ("share", "fees", "expected"),
    [
        ("1/1000", ["0.1"], True),
        ("1/1000", [], False),
        ("0", ["0.1"], False),
        ("-1/1000", ["0.1"], False),
        ("1/1000", ["0.1", "90"], True),
        ("1/2", ["0.1", "90"], True),
        ("1", ["0.1", "0.2"], False),
        ("1/100000000", ["0.1", "0.2"], False),
    ],
)
def test_a_share_like_others(share: str, fees: list[str], *, expected: bool) -> None:
    """Between the least and the largest of them, more or less."""
    assert is_about(Fraction(share), [charged(fee) for fee in fees]) is expected


@pytest.mark.parametrize(
    ("fees", "required", "expected"),
    [
        ("80", "20", True), ("80", "-20", True), ("80", "20.005", True), ("80", "20.006", False),
        ("80", "19.995", True), ("80", "-20.006", False), ("80", "20.4", False),
        ("80", "80", False), ("80", "-80", False), ("80", "79.2", True), ("80", "0.8", True),
        ("80", "0.004", False), ("-80", "20", True), ("0", "20", False),
    ],
)  # fmt: skip
def test_a_part_of_all_fees_paid_back(fees: str, required: str, *, expected: bool) -> None:
    """From 1 to 99 whole percent of them, or as much more, to half a cent."""
    assert _is_rebate(d(fees), d(required), d("0.01")) is expected


COINS = Instrument("COINS", InstrumentKind.INVERSE, "BTC", "USD", "BTC", multiplier=d("100"))
PERP = Instrument("PERP", InstrumentKind.LINEAR, "BTC", "EUR", "EUR", multiplier=d("0.01"))


@pytest.mark.parametrize(
    ("instrument", "price", "traded", "value"),
    [(COINS, "40000", "0.0075", "0.0075"), (COINS, "0", "0", "0"), (PERP, "40000", "-1200", "1200"),
     (PERP, "0", "0", "0"), (SPOT, "40000", "-120000", "120000"), (SPOT, "40000", "-120000", "3")],
)  # fmt: skip
def test_the_value_that_a_rate_is_on(
    instrument: Instrument, price: str, traded: str, value: str
) -> None:
    """An inverse contract is worth quantity by price, nothing at no price; 3 is the quantity."""
    row = fill("f", "BUY", "3", price, symbol=instrument.symbol)
    rows = [fill("g", "BUY", "1", "1")]
    postings = problem_requiring(rows, {"EUR": "1"}, COINS, PERP).postings
    assert trade_value(instrument, d("3"), d(price)) == d(traded)
    assert fee_value(postings, row, in_base=value == "3") == d(value)
