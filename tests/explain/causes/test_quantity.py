"""A wrong quantity of a fill, and what else it may be."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.explain.causes.quantity import (
    FAMILY,
    _is_at_its_price,
    _may_be_charged,
    _of_its_effect,
    _strength,
    _strength_of_any,
    _worth,
    of_order,
)
from recon_core.explain.problem.fee_schedule import FeeModel
from recon_core.explain.problem.market import Market
from recon_core.explain.problem.patches import Patch
from recon_core.model import Currency, Fill, Instrument, InstrumentKind, OrderSide
from tests.core.builders import SPOT, at, fill
from tests.explain.charges import LEDGERS, changed, kinds, rounded, rows_of, session
from tests.explain.problems import problem_requiring


@pytest.mark.parametrize("share", ["0.9", "0.5", "0.1"])
def test_more_of_a_fill_is_no_missing_one(share: str) -> None:
    """A fee that grows with the quantity tells neither from the other, nor does an order."""
    right = rows_of(*LEDGERS["quote"])
    quantity = (right[11].quantity * Decimal(share)).quantize(Decimal("1e-5"))
    fee = rounded(quantity * right[11].price * Decimal("0.001"))
    wrong = changed(right, 11, quantity=quantity, fee=fee)
    for orders in (False, True):
        found = explain(session(right, wrong, orders=orders))
        assert sorted(kinds(found)) == [
            ("ambiguous", ["missing_fill"]),
            ("ambiguous", ["wrong_quantity"]),
        ]


def test_a_quantity_that_its_fee_denies() -> None:
    """A row whose fee is that of its quantity is not the one that is wrong."""
    right = rows_of(*LEDGERS["quote"])
    lost = [row for row in right if row.fill_id != "f12"]
    wrong = changed(lost, 3, fee=lost[3].fee + lost[3].fee)
    for one in explain(session(right, wrong, orders=False)):
        named = sorted(cause.cause_kind for cause in one.causes)
        assert named == ["duplicate_fee", "missing_fill"] or one.verdict != "unique"


EUR = {"currencies": {"EUR": Currency("EUR", 2)}}
COIN = Instrument("COIN", InstrumentKind.INVERSE, "BTC", "USD", "BTC", Decimal(100))
AT_A_RATE = FeeModel((Decimal("0.001"),), "EUR", in_base=False, places=2)


def traded(quantity: str, fee: str = "0 EUR", *, side: str = "BUY", name: str = "f") -> Fill:
    return fill(name, side, quantity, "1000", fee, time=at(-900))


CHARGED = [replace(traded(f"{number}", f"{number}.00 EUR"), fill_id=f"g{number}", time=at(number))
           for number in range(1, 8)]  # fmt: skip


@pytest.mark.parametrize(
    ("fee", "other_fee", "slips", "expected"),
    [("1", "1", False, "FITTED"), ("1", "2", False, "CHANCE"), ("1", "2", True, "FITTED")],
)
def test_the_evidence_of_any_quantity(
    fee: str, other_fee: str, *, slips: bool, expected: str
) -> None:
    """With a new fee a missing fill fits as well, unless it is a slip of the pen."""
    fills = traded("1", f"{fee} EUR"), traded("2", f"{other_fee} EUR")
    assert _strength_of_any(*fills, is_slip=slips).name == expected


STRENGTHS: dict[str, tuple[str, str, bool, str]] = {
    "its fee is that of the right one": ("10 at 30", "30 at 30", False, "SHOWN"),
    "its fee is that of the right one, in a statement": ("10 at 30", "30 at 30", True, "WEAK"),
    "a slip": ("1 at 1", "10 at 1", False, "EXACT"),
    "one fee for both": ("2 at 1.5", "3 at 1.5", False, "WEAK"),
    "more with its fee": ("2 at 2", "3 at 3", False, "FITTED"),
    "less with its fee": ("3 at 3", "2 at 2", False, "CHANCE"),
}
"""A quantity and its fee, the other quantity and its fee, true if the rows are right."""


@pytest.mark.parametrize("name", STRENGTHS)
def test_the_evidence_of_a_quantity_beside_its_cash(name: str) -> None:
    """Its fee, a slip of the pen, or none beyond its amounts."""
    wrong, right, rows_right, expected = STRENGTHS[name]
    rows = [traded(quantity, f"{fee} EUR") for quantity, _, fee in
            (one.partition(" at ") for one in (wrong, right))]  # fmt: skip
    problem = problem_requiring(CHARGED, {"EUR": "1"}, rows_right=rows_right, **EUR)
    market = Market(CHARGED, SPOT, dict.fromkeys(OrderSide, AT_A_RATE))
    is_slip = name == "a slip"
    assert _strength(problem, market, *rows, is_slip=is_slip).name == expected
    free = replace(market, models=dict.fromkeys(OrderSide, None))
    if expected == "CHANCE":
        assert _strength(problem, free, *rows, is_slip=is_slip).name == "FITTED"


@pytest.mark.parametrize(
    ("cash", "expected"),
    [("-2000", True), ("-2100", True), ("-2101", False), ("-1900", True), ("2000", False)],
)
def test_cash_near_the_worth_of_a_quantity(cash: str, *, expected: bool) -> None:
    """2 at 1000, to a twentieth; all fit where no cash is compared, or the contract is inverse."""
    problem = problem_requiring(CHARGED, {"BTC/EUR": "2", "EUR": cash})
    market, row = Market(CHARGED, SPOT, {}), CHARGED[0]
    assert _worth(problem, market, row, Decimal(2)) is expected
    unknown = replace(problem, unknown=frozenset({"cash::EUR"}))
    dollars = Market(CHARGED, replace(SPOT, quote="USD"), {})
    assert _worth(unknown, market, row, Decimal(2))
    assert _worth(problem, dollars, row, Decimal(2))
    assert _worth(problem, Market(CHARGED, COIN, {}), row, Decimal(2))


@pytest.mark.parametrize(
    ("required", "quantity", "fee", "expected"),
    [
        ("2", "3", "3.00 EUR", ["5 for 3.00", "5 for 5.00"]), ("-3", "3", "3.00 EUR", []),
        ("-4", "3", "3.00 EUR", []), ("-1", "3", "3.00 EUR", ["2 for 3.00", "2 for 2.00"]),
        ("2", "3", "0 EUR", ["5 for 0"]), ("2", "3", "5.00 EUR", ["5 for 5.00"]),
    ],
)  # fmt: skip
def test_the_quantity_that_an_order_requires(
    required: str, quantity: str, fee: str, expected: Sequence[str]
) -> None:
    """More than nothing: with its own fee, and with the fee at the rate of the others."""
    problem = problem_requiring(CHARGED, {"EUR": "1"}, **EUR)
    found = of_order(problem, traded(quantity, fee), Decimal(required))
    rows = [row for one in found for row in one.patch.added]
    assert [f"{row.quantity} for {row.fee}" for row in rows] == expected


@pytest.mark.parametrize(
    ("wrong", "right", "fee", "words"),
    [
        ("20", "2", "0.1 EUR", "10^1 times"), ("2.1", "2", "0.1 BTC", "off by its fee"),
        ("1.9", "2", "-0.1 BTC", "off by its fee"), ("2.2", "2", "0.1 BTC", ""),
        ("2", "2.125", "0 EUR", "quantity 2.125 to 0 decimals"),
    ],
)  # fmt: skip
def test_the_fault_of_a_quantity_in_words(wrong: str, right: str, fee: str, words: str) -> None:
    """A slip, its fee, a rounding, or nothing that is known."""
    found = FAMILY.fields["quantity"](traded(wrong, fee), traded(right, fee))
    assert (words in found.detail) if words else not found.detail


SIZES: dict[str, tuple[tuple[str, ...], tuple[str, ...], str, list[str]]] = {
    "one too many": (("BUY 3",), (), "BUY 5 at 5", ["2 at 2"]),
    "as much": (("BUY 3",), (), "BUY 3 at 3", []),
    "the other side": (("BUY 3",), (), "SELL 5 at 5", []),
    "turned": (("BUY 3",), ("SELL 3",), "SELL 9 at 15", ["15 at 15"]),
    "turned, less than nothing": (("BUY 3",), ("SELL 3",), "BUY 6 at 6", []),
    "nothing is moved": (("BUY 3",), ("BUY 3",), "BUY 5 at 5", []),
}
"""Fills that are removed and added, another fill with its fee, and the size with their effect."""


@pytest.mark.parametrize("name", SIZES)
def test_another_size_with_the_effect_of_a_patch(name: str) -> None:
    """At the price of the removed fill, its fee in the same currency."""
    removed, added, other, expected = SIZES[name]
    gone, new = (
        tuple(traded(one.split()[1], f"{one.split()[1]} EUR", side=one.split()[0]) for one in rows)
        for rows in (removed, added)
    )
    quoted, _, fee = other.partition(" at ")
    row = traded(quoted.split()[1], f"{fee} EUR", side=quoted.split()[0], name="other")
    problem = problem_requiring(CHARGED, {"EUR": "1"}, **EUR)
    found = [size for one in _of_its_effect(problem, Patch(gone, new), row)
             for size in one.patch.added]  # fmt: skip
    assert [f"{one.quantity} at {one.fee}" for one in found] == expected
    assert not list(_of_its_effect(problem, Patch((row,)), row))
    if len(new) == 0:  # the fee of the removed fill would change a fee in another currency
        paid = replace(row, fee_currency="BNB")
        assert not list(_of_its_effect(problem, Patch(gone), paid))


@pytest.mark.parametrize(
    ("removed", "added", "expected"),
    [
        (["3"], [], True), (["3"], ["3"], True), (["3"], ["4"], True), ([], ["3"], False),
        (["3", "3"], [], False), (["3"], ["3", "3"], False), ([], [], False),
    ],
)  # fmt: skip
def test_a_fill_that_is_removed_or_changed_at_its_price(
    removed: Sequence[str], added: Sequence[str], *, expected: bool
) -> None:
    """One, and none or one at its price instead."""
    patch = Patch(tuple(map(traded, removed)), tuple(map(traded, added)))
    assert _is_at_its_price(patch) is expected
    moved = tuple(replace(row, price=row.price + 1) for row in patch.added)
    assert _is_at_its_price(replace(patch, added=moved)) is (expected and not moved)


@pytest.mark.parametrize(
    ("fee", "other", "is_known", "expected"),
    [
        ("3", "2.00", True, True), ("3", "2.01", True, False), ("0", "0", True, True),
        ("0", "1", True, False), ("3", "0", True, False), ("3", "3", False, True),
        ("3", "2", False, False),
    ],
)  # fmt: skip
def test_the_fee_of_another_size(fee: str, other: str, *, is_known: bool, expected: bool) -> None:
    """At a known rate, or none; where no rate is known, as it was."""
    rows = CHARGED if is_known else [replace(row, fee=Decimal(0)) for row in CHARGED]
    problem = problem_requiring(rows, {"EUR": "1"}, **EUR)
    one, size = traded("3", f"{fee} EUR"), traded("2", f"{other} EUR")
    assert _may_be_charged(problem, one, size) is expected


FITTED: dict[str, tuple[str, str, int, list[str]]] = {
    "alone": ("400", "-400400", 1, ["407 FITTED"]),
    "alone, of few ticks": ("100", "-100100", 1, ["107 FITTED"]),
    "alone, of the price of one of many fills": ("2", "-2002", 1, ["9 CHANCE"]),
    "after a first fault": ("700", "-700700", 2, ["707 FITTED"]),
    "after a first fault, of few ticks": ("100", "-100100", 2, ["107 CHANCE"]),
    "of a finer lot": ("2.5", "-2502.5", 1, ["9.5 CHANCE"]),
    "less than nothing": ("-7", "7007", 1, []),
    "other cash": ("2", "-2500", 1, []),
    "after very many": ("2", "-2002", 5_000, ["9 CHANCE"]),
}
"""Required position and cash, the number of first faults, and the size of the largest fill."""


@pytest.mark.parametrize("name", FITTED)
def test_a_quantity_with_the_whole_effect(name: str) -> None:
    """One that has the market's lots, and is not one of very many that were tried."""
    required, cash, tried, expected = FITTED[name]
    rows = [*CHARGED[:-1], replace(CHARGED[-1], price=Decimal(1000), fee=Decimal("7.00"))]
    problem = problem_requiring(rows, {"BTC/EUR": required, "BTC": required, "EUR": cash}, **EUR)
    found = [one for one in FAMILY.fitted(problem, tried) if one.rows == (rows[-1],)]
    assert [f"{row.quantity} {one.strength.name}" for one in found
            for row in one.patch.added] == expected  # fmt: skip
