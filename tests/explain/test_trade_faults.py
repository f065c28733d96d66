"""Trades in another number of rows: sums, and how exact the price of a single row is."""

from fractions import Fraction

import pytest

from recon_core.explain.search.trade_faults import _slack, _sums
from recon_core.model import Fill
from tests.core.builders import fill


def rows(text: str) -> list[Fill]:
    """Fills written `2@50.01/0.1EUR`."""
    found = []
    for word in text.split():
        trade, _, fee = word.partition("/")
        quantity, _, price = trade.partition("@")
        charged = f"{fee[:-3]} {fee[-3:]}" if fee else "0 EUR"
        found.append(fill("f", "BUY", quantity, price, charged))
    return found


@pytest.mark.parametrize(
    ("mine", "right", "slack"),
    [
        ("1@50.01 2@50.02", "3@50.017", "3/2000"),
        ("3@50.017", "1@50.01 2@50.02", "3/2000"),
        ("1@50.01 2@50.02", "4@50.0175", "4/20000"),
        ("1@50.01 2@50.02", "3@50.02", "0"),
        ("1@50.01 2@50.02", "3@50.0", "0"),
        ("1@50.01 2@50.02", "3@50.010", "3/2000"),
        ("1@50.010 2@50.02", "3@50.017", "3/2000"),
        ("1@50.017 2@50.02", "3@50.017", "0"),
        ("1@50.01 1@50.02 1@50", "2@50.017 1@50.017", "0"),
        ("2@50.017 1@50.017", "1@50.01 1@50.02 1@50", "0"),
    ],
)
def test_the_error_of_an_average_price(mine: str, right: str, slack: str) -> None:
    """Half of its last digit, times the quantity; none of several rows, or on the other tick."""
    assert _slack(rows(mine), rows(right)) == Fraction(slack)


@pytest.mark.parametrize(
    ("trade", "row", "slack", "expected"),
    [
        ("1@50/0.1EUR 2@51/0.2EUR", "3@50.67/0.3EUR", "1/100", True),
        ("1@50/0.1EUR 2@51/0.2EUR", "3@50.67/0.3EUR", "9/1000", False),
        ("1@50/0.1EUR 2@51/0.2EUR", "3@50.66/0.3EUR", "2/100", True),
        ("1@50/0.1EUR 2@51/0.2EUR", "3@50.67/0.4EUR", "1", False),
        ("1@50/0.1EUR 2@51/0.2EUR", "3@50.67/0.3USD", "1", False),
        ("1@50/0.1EUR 2@51/-0.1EUR", "3@50.67", "1", True),
        ("1@50 2@51", "4@38", "1", False),
    ],
)  # fmt: skip
def test_sums_of_one_row(trade: str, row: str, slack: str, *, expected: bool) -> None:
    """Its quantity and its fees, and its value but for the error of an average price."""
    assert _sums(rows(trade)).is_of(rows(row)[0], Fraction(slack)) is expected
