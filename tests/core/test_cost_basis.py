"""Average entry price and realised PnL: exact fractions, rounded once per booking."""

import decimal
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.ledger import PositionLedger, cost_basis
from recon_core.ledger.cost_basis import LONGEST, UNIT, CostBasis, scaled
from recon_core.ledger.derivatives import PnlRule
from recon_core.model import CashBalance, Fill, Opening, Position
from recon_core.values.errors import ReplayError

from . import builders
from .builders import (
    CENTS,
    booked,
    fill,
    fill_lists,
    half_even,
    hostile_context,  # noqa: F401  # every test of the module has it
)


@pytest.mark.parametrize(
    ("fills", "quantity", "average", "realised"),
    [
        ([], "0", None, "0"),
        ([("BUY", "1", "100")], "1", "100", "0"),
        ([("BUY", "1", "100"), ("BUY", "1", "200")], "2", "150", "0"),
        ([("BUY", "2", "100"), ("SELL", "1", "130")], "1", "100", "30"),
        ([("BUY", "1", "100"), ("SELL", "1", "130")], "0", None, "30"),
        ([("SELL", "1", "100"), ("BUY", "1", "130")], "0", None, "-30"),
        ([("SELL", "2", "100"), ("BUY", "1", "90")], "-1", "100", "10"),
        ([("BUY", "1", "100"), ("SELL", "3", "130")], "-2", "130", "30"),
        ([("SELL", "1.1", "2.7810"), ("BUY", "375.8", "2.662")], "374.7", "2.662", "0.1309"),
        ([("BUY", "1", "1"), ("BUY", "2", "2"), ("SELL", "1.5", "3")], "1.5", None, "2"),
        ([("BUY", "1", "100"), ("SELL", "1", "100"), ("BUY", "1", "7")], "1", "7", "0"),
    ],
)
def test_average_price_and_realised_pnl(
    fills: list[tuple[str, str, str]], quantity: str, average: str | None, realised: str
) -> None:
    """Average cost; closing realises, crossing zero opens anew at the fill's price."""
    ledger = booked(
        *(fill(str(number), *row) for number, row in enumerate(fills)), currencies=CENTS
    )
    assert ledger.quantity("BTC/EUR") == Decimal(quantity)
    rounded = Decimal(realised).quantize(Decimal("0.01"), context=decimal.Context(prec=30))
    assert ledger.realised_pnl("BTC/EUR") == rounded
    if average is not None or Decimal(quantity) == 0:
        assert ledger.average_price("BTC/EUR") == (None if average is None else Decimal(average))


def test_an_average_price_without_finite_decimals_is_cut_at_the_30th() -> None:
    """5/3, half-even at the 30th decimal place."""
    ledger = booked(fill("1", "BUY", "1", "1"), fill("2", "BUY", "2", "2"))
    assert ledger.average_price("BTC/EUR") == Decimal("1." + "6" * 29 + "7")


def test_a_pnl_without_finite_decimals_needs_a_precision() -> None:
    """Nothing is rounded that no declaration says how to round."""
    fills = [fill("1", "BUY", "1", "1"), fill("2", "BUY", "2", "2"), fill("3", "SELL", "1", "3")]
    with pytest.raises(ReplayError, match="fill 3: its PnL in EUR has no finite decimal form"):
        booked(*fills).realised_pnl("BTC/EUR")
    assert booked(*fills, currencies=CENTS).realised_pnl("BTC/EUR") == Decimal("1.33")


def test_an_opening_position_has_no_entry_price() -> None:
    """Nothing is guessed where part of a position came without a price."""
    opening = Opening(None, (Position("BTC/EUR", Decimal(1)),), (CashBalance("EUR", Decimal(5)),))
    ledger = PositionLedger(opening=opening)
    ledger.apply_fill(fill("1", "BUY", "1", "2"))
    assert (ledger.quantity("BTC/EUR"), ledger.balance("EUR")) == (2, 3)
    assert (ledger.average_price("BTC/EUR"), ledger.realised_pnl("BTC/EUR")) == (None, None)


def traded(
    held: Fraction, cost: Fraction, quantity: Fraction, price: Fraction
) -> tuple[Fraction, Fraction, Fraction]:
    """Average cost by fractions: what is held, what it cost, what was realised."""
    closing = Fraction(0)
    if held * quantity < 0:
        closing = min(abs(quantity), abs(held)) * (1 if quantity > 0 else -1)
    entry = cost / held if closing else Fraction(0)
    opening = quantity - closing
    return (
        held + quantity,
        cost + closing * entry + opening * price,
        -closing * (price - entry),
    )


@given(fill_lists())
def test_realised_pnl_agrees_with_fractions(fills: list[Fill]) -> None:
    """Average cost once more, with fractions: entry price and PnL, rounded per fill."""
    held, cost, realised = Fraction(0), Fraction(0), Fraction(0)
    for one in fills:
        price = Fraction(one.price)
        quantity = Fraction(one.quantity) * (1 if one.side == "BUY" else -1)
        held, cost, gain = traded(held, cost, quantity, price)
        realised += half_even(gain, 2)
        if one.fee_currency == "BTC":
            held, cost, _ = traded(held, cost, -Fraction(one.fee), price)
    ledger = booked(*fills, currencies=CENTS)
    assert Fraction(ledger.realised_pnl("BTC/EUR") or 0) == realised
    average = ledger.average_price("BTC/EUR")
    assert (average is None) == (held == 0)
    if average is not None:
        assert Fraction(average) == half_even(cost / held, 30)


def test_a_fee_in_the_base_currency_can_close_a_position() -> None:
    """1.001 bought, 1 sold, 0.001 charged: flat, no entry price is left over."""
    sold = fill("2", "SELL", "1", "110", fee="0.001", fee_currency="BTC")
    ledger = booked(fill("1", "BUY", "1.001", "100"), sold)
    assert ledger.quantity("BTC/EUR") == 0
    assert ledger.average_price("BTC/EUR") is None
    assert ledger.realised_pnl("BTC/EUR") == 10
    again = booked(fill("1", "BUY", "1.001", "100"), sold, fill("3", "BUY", "1", "200"))
    assert again.average_price("BTC/EUR") == 200


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["apply", "apply", "apply", "split"]),
        st.integers(-40, 40),
        st.integers(-9, 999),
        st.sampled_from([1, 2, 5, 7, 10]),
    ),
    max_size=25,
)


@given(STEPS, st.integers(0, 6), st.sampled_from([8, 16, 40]), st.sampled_from([1, -3]))
def test_an_interval_decides_every_rounding_like_the_fraction(
    steps: list[tuple[str, int, int, int]], places: int, kept: int, factor: int
) -> None:
    """With few bits many roundings are undecided; worked out in full they are all the same."""
    short, full = CostBasis(longest=3), CostBasis(longest=math.inf)
    rule = PnlRule((factor, UNIT), places)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost_basis, "_KEPT", kept)
        for name, units, *value in steps:
            quantity = units * UNIT
            if name == "apply":
                booked = quantity, (value[0], value[1])
                assert rule.realise(short, *booked) == rule.realise(full, *booked)
            elif (full.quantity + quantity) * full.quantity > 0:
                short.split(quantity)
                full.split(quantity)
    assert short.quantity == full.quantity
    assert short.error == 0 or short.bits > 3
    found, exact = short.average(), full.average()
    assert (found is None) == (exact is None)
    if found is not None and exact is not None:
        low, high = found.low * exact.divisor, found.high * exact.divisor
        assert low <= exact.low * found.divisor <= high


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_tie_of_an_interval_is_worked_out_in_full(kept: int) -> None:
    """0.005, 0.015 and 0.025 lie in the middle: half-even, whatever the bits say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost_basis, "_KEPT", kept)
        for cents, expected in ((5, "0.00"), (15, "0.02"), (25, "0.02"), (-15, "-0.02")):
            basis, rule = CostBasis(longest=1), PnlRule((1, UNIT), 2)
            rule.realise(basis, 3 * UNIT, (1, 3))
            assert basis.bits
            pnl = rule.realise(basis, -3 * UNIT, (1000 + cents, 3000))
            assert pnl == Decimal(expected)


def test_a_long_session_stays_short() -> None:
    """A market maker who is never flat: the fraction has a bound, and its rounding is right."""
    ledger, full = booked(currencies=CENTS), CostBasis(longest=math.inf)
    expected = Fraction(0)
    for number in range(600):
        order_side = "SELL" if number % 2 else "BUY"
        quantity = thousandths(1000 * (2 - number % 2) + number * 7919 % 997)
        price = thousandths(100_000 + number * 3701 % 10_007)
        ledger.apply_fill(fill(f"{number}", order_side, f"{quantity}", f"{price}"))
        signed = scaled(quantity) * (1 if order_side == "BUY" else -1)
        pnl = PnlRule((1, UNIT), 2).realise(full, signed, price.as_integer_ratio())
        expected += Fraction(pnl or 0)
    assert full.divisor.bit_length() > LONGEST
    assert Fraction(ledger.realised_pnl("BTC/EUR") or 0) == expected


def thousandths(units: int) -> Decimal:
    return builders.scaled(units, 3)
