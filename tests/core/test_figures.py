"""Amounts as people read them: four significant digits, no digit before the point lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.reports.figures import compared_figures, figure, signed_figure, with_short_numbers
from recon_core.values.amounts import decimal_places

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=18, allow_nan=False)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0"),
        ("5.00", "5"),
        ("1.18784972", "1.188"),
        ("48932.91060449", "48933"),
        ("-0.06172900", "-0.06173"),
        ("0.00000001", "0.00000001"),
        ("99.99996", "100"),
        ("0.99999999", "1"),
        ("123456789.5", "123456790"),
        ("1E-20", "0.00000000000000000001"),
    ],
)
def test_a_figure_has_four_significant_digits(amount: str, shown: str) -> None:
    """Zeros at the end go, the digits before the point stay."""
    assert figure(Decimal(amount)) == shown


@given(AMOUNTS)
def test_a_figure_is_near_its_amount(amount: Decimal) -> None:
    """By half a unit of the fourth digit, or of the last digit before the point."""
    unit = min(Decimal(1), Decimal(1).scaleb(amount.adjusted() - 3)) if amount else Decimal(1)
    assert abs(Decimal(figure(amount)) - amount) * 2 <= unit


@given(AMOUNTS, AMOUNTS)
def test_figures_that_are_compared_stay_tellable(first: Decimal, second: Decimal) -> None:
    """Two amounts that differ are shown as different, with no more decimals than their delta."""
    delta = first - second
    shown = compared_figures(first, second, delta)
    assert (shown[0] == shown[1]) == (first == second)
    places = max(decimal_places(Decimal(each)) for each in shown)
    assert places <= max(0, 3 - delta.adjusted()) if delta else True


@pytest.mark.parametrize(
    ("amount", "shown"), [("5.00", "+5"), ("-2597.22561367", "-2597"), ("0", "0")]
)
def test_a_delta_has_its_sign(amount: str, shown: str) -> None:
    """A plus as well, and none for 0."""
    assert signed_figure(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("fee 1.18784972 USDT (t17)", "fee 1.188 USDT (t17)"),
        ("SELL 0.0261234567 BTC/USDT at 60915.371234", None),
        ("cash USDT +2597.22561367, cash BTC -0.06172900",
         "cash USDT +2597, cash BTC -0.06173"),
        ("fill T-1bad.123456 of 2024-01-01T00:10:19.123456Z", None),
        ("a round 5.00 EUR", None),
        ("v1.234567.8", None),
        ("by 0.00039876.", "by 0.00039876."),
    ],
)  # fmt: skip
def test_long_numbers_of_a_sentence_are_short(sentence: str, shown: str | None) -> None:
    """Ids, times, quantities and prices of a trade stay as they are."""
    assert with_short_numbers(sentence) == (sentence if shown is None else shown)
