"""Which fill may be lost in place of a wrong one: its size, price and fee, and their bounds."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.answers.lost_fills import _lost_fills, few_lots
from recon_core.model import Fill, Instrument, InstrumentKind
from tests.core.builders import fill
from tests.explain.problems import problem_requiring

INVERSE = Instrument("PERP", InstrumentKind.INVERSE, "BTC", "USD", "BTC", Decimal(1))


def rows(quantity: str, price: str = "100.1", fee: str = "0 EUR", others: str = "10") -> list[Fill]:
    """A BUY that is said to be false, another one at a price, and one lot without a fee."""
    return [
        fill("f0", "BUY", quantity, "100.1", fee),
        fill("f1", "BUY", others, price, fee),
        fill("lot", "BUY", "1", "100.1"),
    ]


def lost(fills: Sequence[Fill], new: Fill | None = None, **required: str) -> list[tuple[str, ...]]:
    """The lost fills in place of the first one, as side, quantity, price and fee."""
    problem = problem_requiring(fills, required or {"EUR": "1"})
    return [
        (str(one.side), f"{one.quantity:f}", f"{one.price:f}", f"{one.fee:.2f}")
        for one in _lost_fills(problem, fills[0], new)
    ]


@pytest.mark.parametrize(
    ("quantity", "is_any"), [("10", True), ("7", True), ("11", False), ("20", True)]
)
def test_the_size_of_a_lost_fill(quantity: str, *, is_any: bool) -> None:
    """Ten lots at most, or a size that another fill has."""
    found = lost(rows(quantity, others="20"))
    assert found == ([("SELL", quantity, "100.1", "0.00")] if is_any else [])


def test_a_lost_fill_may_have_closed_what_the_other_side_states_as_none() -> None:
    """Whatever its size."""
    fills = rows("11", others="20")
    held = sum(one.quantity for one in fills)
    assert lost(fills, None, **{"BTC/EUR": f"-{held}"})
    assert not lost(fills, None, **{"BTC/EUR": "-1"})


@pytest.mark.parametrize(
    ("price", "others", "is_any"),
    [
        ("100.1", "20", True), ("110.0", "20", True), ("110.1", "20", False),
        ("110.1", "10", True), ("120.0", "10", True), ("120.1", "10", False),
    ],
)  # fmt: skip
def test_the_prices_of_a_market(price: str, others: str, *, is_any: bool) -> None:
    """Of 100 prices one is met by chance, of more none; each price of fills alike is another one.

    Without a fee a lost fill at any price leaves no trace.
    """
    assert bool(lost(rows("10", price, "1.00 EUR", others))) is is_any
    assert lost(rows("10", price, others=others))


def test_the_price_makes_up_for_the_fees() -> None:
    """Of a removed fill for both; of a turned one for that of the lost fill, of twice the size."""
    fills = rows("10", fee="1.00 EUR")
    assert set(lost(fills)) == {
        ("SELL", "10", "100.2", "0.00"), ("SELL", "10", "100.3", "1.00"),
    }  # fmt: skip
    fills = rows("5", fee="1.00 EUR")
    turned = replace(fills[0], side=fills[0].side.other)
    assert ("SELL", "10", "100.1", "0.00") in lost(fills, turned)
    assert ("SELL", "10", "100.2", "1.00") in lost(fills, turned)


def test_a_fee_of_another_currency_moves_no_price() -> None:
    """It is paid in its own currency, at the rate of the others there."""
    assert {one[2] for one in lost(rows("10", fee="1.00 BNB"))} == {"100.1"}


def test_a_fill_without_a_fee_beside_a_rebate() -> None:
    """The fee of a lost fill is in the currency of the others."""
    fills = rows("10", fee="-1.00 EUR")
    bare = replace(fills[0], fee=Decimal(0), fee_currency=None)
    problem = problem_requiring([bare, *fills[1:]], {"EUR": "1"})
    found = list(_lost_fills(problem, bare, None))
    assert {one.fee_currency for one in found if one.fee} == {"EUR"}


def test_the_price_of_an_inverse_contract() -> None:
    """1000 at 200.1 gain 0.01 BTC at 200.5, and twice that at 200.9."""
    fills = [
        fill(f"f{at}", "BUY", "1000", price, "0.01 BTC", symbol="PERP")
        for at, price in enumerate(("200.1", "200.1"))
    ]
    problem = problem_requiring(fills, {"PERP": "-1000"}, INVERSE)
    prices = {one.fee: one.price for one in _lost_fills(problem, fills[0], None)}
    assert prices[Decimal(0)] == Decimal("200.5")
    assert prices[Decimal("0.01")] == Decimal("200.9")


def test_another_size_is_what_the_sizes_differ_by() -> None:
    """A BUY of 10 that is of 4: a SELL of 6 is lost; of 16, a BUY of 6."""
    fills = rows("10", fee="1.00 EUR")
    for size, side in (("4", "SELL"), ("16", "BUY")):
        new = replace(fills[0], quantity=Decimal(size))
        assert {one[:2] for one in lost(fills, new)} == {(side, "6")}


def test_few_lots_are_ten_of_the_common_lot() -> None:
    """Half a lot of others is a lot of its own."""
    assert few_lots(rows("10", others="20")) == 10
    assert few_lots([*rows("10"), fill("h", "BUY", "0.5", "100.0")]) == 5
