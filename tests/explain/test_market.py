"""What the fills of one position show of its market: decimals, prices, fees."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from recon_core.explain.problem.market import Market, _near_prices, _within, are_charged, on_tick
from recon_core.model import Fill, OrderSide
from tests.core.builders import SPOT, fill


def market(prices: Sequence[str], quantities: Sequence[str] = ("1",)) -> Market:
    """Fills at these prices, of these quantities in turn."""
    rows = [
        fill("f", "BUY", quantities[at % len(quantities)], price) for at, price in enumerate(prices)
    ]
    return Market(rows, SPOT, dict.fromkeys(OrderSide))


@pytest.mark.parametrize(
    ("prices", "places"),
    [
        ("100", 0), ("100.00", 0), ("100.5 100.5 100", 1), ("100.5 100.25 100", 1),
        ("100.5 100", 1), ("100.123 100.5 100.5 100.5", 1), ("100 101 0.25 0.125", 2),
        ("100 101 102 0.25 0.125 0.0625", 2), ("1E+2 2E+2 0.5", 0),
    ],
)  # fmt: skip
def test_the_decimals_of_prices(prices: str, places: int) -> None:
    """Those of more than half of the prices, else the median."""
    found = market(prices.split())
    assert found.tick_places == places
    assert replace(found, given_places=4).tick_places == 4
    assert [one.tick_places for one in found.with_more_places()] == [places + n for n in (1, 2, 3)]


@pytest.mark.parametrize(("count", "places"), [(10_000, 1), (19_999, 1), (20_000, 2)])
def test_every_other_price_of_many_is_sampled(count: int, places: int) -> None:
    """From 20,000 on: those between are not seen."""
    one, two = market(["100.25", "100.5"]).fills
    rows = [one, *([two, two, one] * (count // 3 + 1))][:count] if places == 1 else (
        [one, two] * (count // 2)
    )  # fmt: skip
    assert replace(market(["1"]), fills=rows).tick_places == places


@pytest.mark.parametrize(
    ("quantities", "most", "usual"),
    [
        ("1", 0, 0), ("1 2.5", 1, 1), ("1.50 2.50", 1, 1), ("1 1 1 1 1 1 1 1 1 1 0.125", 3, 0),
        ("1 1 1 1 1 1 1 1 1 0.125", 3, 3), ("1E-3 1", 3, 3), ("1E+3 0.5", 1, 1), ("100 10", 0, 0),
    ],
)  # fmt: skip
def test_the_decimals_of_quantities(quantities: str, most: int, usual: int) -> None:
    """Of all, and of nine in ten."""
    sizes = quantities.split()
    found = market(["100"] * len(sizes), sizes)
    assert (found.lot_places, found.usual_lot_places) == (most, usual)
    assert found.has_lots_of(most)
    assert not found.has_lots_of(most + 1)


@pytest.mark.parametrize(
    ("quantity", "dust", "expected"),
    [
        ("2.5001", "0", "2.5001"), ("2.5001", "0.0001", "2.5"), ("2.4999", "0.0001", "2.5"),
        ("2.5001", "0.00009", "2.5001"), ("-2.5001", "0.001", "-2.5"),
        ("0.0001", "0.001", "0.0001"),
    ],
)  # fmt: skip
def test_a_quantity_without_dust(quantity: str, dust: str, expected: str) -> None:
    """Where it misses the decimals of most by no more; a quantity is never nothing."""
    found = market(["100", "100"], ["1.5", "2.5"])
    assert found.without_dust(Decimal(quantity), Decimal(dust)) == Decimal(expected)


@pytest.mark.parametrize(
    ("price", "expected"),
    [("60", True), ("59.9", False), ("180", True), ("180.1", False), ("100", True)],
)
def test_a_price_of_the_market(price: str, *, expected: bool) -> None:
    """Within one and a half times its range."""
    assert market(["90", "120", "100"]).near(Decimal(price)) is expected


@pytest.mark.parametrize(
    ("low", "high", "expected"), [("100", "102", "100 101 102"), ("100.1", "101.9", "101")]
)
def test_fills_within_prices(low: str, high: str, expected: str) -> None:
    """Both ends are included."""
    rows = market(["99", "100", "101", "102", "103"]).fills
    found = _within(rows, (Decimal(low), Decimal(high)))
    assert " ".join(str(row.price) for row in found) == expected


@pytest.mark.parametrize(
    ("left", "worth", "inside", "outside"),
    [
        ("-2000", "10", ("190.48", "210.52"), ("190.47", "210.53")),
        ("2000", "-10", ("190.48", "210.52"), ("190.47", "210.53")),
    ],
)
def test_prices_near_the_cash(
    left: str, worth: str, inside: tuple[str, str], outside: tuple[str, str]
) -> None:
    """To a twentieth of the value: 10 coins for 2,000 are at prices from 190.48 to 210.52."""
    low, high = _near_prices(Decimal(left), Decimal(worth))
    assert low <= Decimal(inside[0]) <= Decimal(inside[1]) <= high
    assert Decimal(outside[0]) < low < high < Decimal(outside[1])


@pytest.mark.parametrize(
    ("price", "places", "expected"),
    [("1/3", 2, "0.33"), ("2/3", 2, "0.67"), ("5/2", 0, "2"), ("7/2", 0, "4"), ("-2/3", 1, "-0.7")],
)
def test_the_nearest_tick(price: str, places: int, expected: str) -> None:
    """Half of a tick goes to the even one."""
    assert on_tick(Fraction(price), places) == Decimal(expected)


@pytest.mark.parametrize(
    ("fees", "expected"), [("1 1 0", True), ("1 0", False), ("0 0 1", False), ("-1 -1 0", True)]
)
def test_fills_that_are_charged(fees: str, *, expected: bool) -> None:
    """More than half of them have a fee, or a rebate."""
    rows: list[Fill] = [fill("f", "BUY", "1", "1", f"{fee} EUR") for fee in fees.split()]
    assert are_charged(rows) is expected
    assert not are_charged([])
