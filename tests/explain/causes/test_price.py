"""A wrong price of a fill: the price that cash requires, and which of two prices is right."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from recon_core.explain.causes.price import (
    FAMILY,
    _exact_power,
    _fits,
    _price_for,
    _shows,
    _shows_neither,
    _UsualFees,
)
from recon_core.explain.problem.fee_schedule import FeeModel
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.market import Market
from recon_core.explain.problem.patches import Patch
from recon_core.model import Currency, Fill, Instrument, InstrumentKind, LedgerSide, OrderSide
from recon_core.model.explanation import CauseKind
from tests.core.builders import SPOT, at, fill
from tests.explain.problems import problem_requiring
from tests.explain.real_sessions import linear

PERP = linear("PERP", "EUR")
COIN = Instrument("COIN", InstrumentKind.INVERSE, "BTC", "USD", "BTC", Decimal(100))
ETH = Instrument("ETH/EUR", InstrumentKind.SPOT, "ETH", "EUR", "EUR")
AT_A_RATE = FeeModel((Decimal("0.001"),), "EUR", in_base=False, places=2)
CENTS = {"currencies": {"EUR": Currency("EUR", 2)}}


def traded(price: str, fee: str = "0 EUR", *, side: str = "BUY", number: int = 0) -> Fill:
    return fill(f"f{number}", side, "2", price, fee, time=at(number - 900))


@pytest.mark.parametrize(
    ("given", "fitted", "exact"),
    [
        ("104.25", "1042.5", "1042.5"), ("104.25", "1042.51", "1042.5"),
        ("104.25", "1042.52", None), ("104.25", "1042.49", "1042.5"), ("99.99", "1000", None),
        ("100", "999.99", None), ("999.99", "100", "99.999"), ("100", "10.0001", "1E+1"),
        ("100", "10.0002", None), ("100", "100", None), ("100", "100.0001", None),
        ("9.99999", "1", "0.999999"), ("1", "9.99999", "1E+1"),
    ],
)  # fmt: skip
def test_a_price_near_a_power_of_ten(given: str, fitted: str, exact: str | None) -> None:
    """To a hundred-thousandth of it: a tick may hide the rest."""
    found = _exact_power(Decimal(given), Decimal(fitted))
    assert found == (None if exact is None else Decimal(exact))


@pytest.mark.parametrize(
    ("instrument", "side", "required", "rate", "price"),
    [
        (SPOT, "BUY", "-10", "0", "105"), (SPOT, "SELL", "-10", "0", "95"),
        (SPOT, "BUY", "-11", "0.1", "105"), (SPOT, "SELL", "-9", "0.1", "95"),
        (SPOT, "BUY", "200", "0", None), (SPOT, "BUY", "201", "0", None),
        (SPOT, "SELL", "1", "1", None), (PERP, "BUY", "-10", "0", "105"),
        (COIN, "BUY", "2", "0", "50"), (COIN, "SELL", "1", "0", "200"),
        (COIN, "SELL", "2", "0", None), (COIN, "SELL", "3", "0", None),
    ],
)  # fmt: skip
def test_the_price_that_cash_requires(
    instrument: Instrument, side: str, required: str, rate: str, price: str | None
) -> None:
    """2 at 100, with a fee at a rate; an inverse contract pays `quantity x 100 / price`."""
    market = Market([traded("100")], instrument, {})
    found = _price_for(market, traded("100", side=side), Decimal(required), Decimal(rate))
    assert found == (None if price is None else Decimal(price))


@pytest.mark.parametrize(
    ("required", "count"),
    [
        ({"EUR": "-1800"}, 1), ({"EUR": "-1800", SPOT.symbol: "1"}, 0), ({SPOT.symbol: "1"}, 0),
        ({"EUR": "-1800", "BNB": "1"}, 0), ({"BNB": "1"}, 0),
    ],
)  # fmt: skip
def test_a_wrong_price_moves_one_balance(required: Mapping[str, str], count: int) -> None:
    """2 at 1000 instead of 100; nothing where a position or another balance moves, too."""
    rows = [traded("100", number=number) for number in range(4)]
    rows[1] = replace(rows[1], price=Decimal(1000))
    wrong = {name: text.replace("-", "") for name, text in required.items()}
    problem = problem_requiring(rows, wrong)
    assert len(list(FAMILY.fitted(problem, 1))) == count


def test_no_price_follows_from_a_price_of_nothing() -> None:
    """The worth of an inverse contract at 0 is unknown."""
    market = Market([traded("100")], COIN, {})
    assert _price_for(market, traded("0"), Decimal(1), Decimal(0)) is None


@pytest.mark.parametrize(
    ("number", "price", "expected"),
    [
        (1, "110", True), (1, "110.1", False), (1, "181", False), (1, "182", True),
        (1, "220", True), (1, "220.1", False), (1, "90.9", False), (1, "91", True),
        (0, "110", True), (0, "99", True), (0, "219", False), (2, "110", True), (2, "200", False),
    ],
)  # fmt: skip
def test_a_price_near_those_before_and_after(number: int, price: str, *, expected: bool) -> None:
    """Of fills at 100, 100 and 200: within a tenth of either neighbour."""
    fills = [traded(one, number=at_) for at_, one in enumerate(("100", "100", "200"))]
    problem = problem_requiring(fills, {"EUR": "1"})
    assert _fits(problem, Market(fills, SPOT, {}), number, Decimal(price)) is expected
    right = problem_requiring(fills, {"EUR": "1"}, rows_right=True)
    assert _fits(right, Market(fills, SPOT, {}), number, Decimal(price)) is (number < 2)


SHOWN: dict[str, tuple[str, str, str, bool]] = {
    "a power of ten": ("1000", "100", "0.20", True),
    "its fee is that of the right price": ("1100", "1000", "2.00", True),
    "its fee is that of the wrong price": ("1100", "1000", "2.20", False),
    "without a fee": ("1100", "1000", "0", False),
}
"""The wrong and the right price of 2, the fee, and true if something else shows which is right."""


@pytest.mark.parametrize("name", SHOWN)
def test_what_shows_a_wrong_price(name: str) -> None:
    """A fee over a hundred units from that of the wrong price, or a slip by a power of ten."""
    wrong, right, fee, expected = SHOWN[name]
    rows = [traded(f"{100 * number}00", f"{number * 20}.00 EUR", number=number)
            for number in range(1, 8)]  # fmt: skip
    problem = problem_requiring(rows, {"EUR": "1"}, **CENTS)
    market = Market(rows, SPOT, dict.fromkeys(OrderSide, AT_A_RATE))
    scale = Decimal(100) if name.startswith("its") else Decimal(1)
    one, other = (traded(str(Decimal(price) * scale), f"{Decimal(fee) * scale} EUR")
                  for price in (wrong, right))  # fmt: skip
    assert _shows(problem, market, one, other) is expected


CHARGED = [traded(f"{number * 100}", f"{number * 0.2:.2f} EUR", number=number)
           for number in range(1, 8)]  # fmt: skip
EITHER: dict[str, tuple[str, str, str, str, bool]] = {
    "that of its price": ("300 0.60", "350 0.60", "BTC/EUR", "", True),
    "that of the other price": ("300 0.70", "350 0.70", "BTC/EUR", "", False),
    "a cent from that of the other": ("300 0.60", "305 0.60", "BTC/EUR", "", False),
    "two cents from that of the other": ("300 0.60", "310 0.60", "BTC/EUR", "", True),
    "none": ("300 0", "350 0", "BTC/EUR", "", False),
    "another of the other": ("300 0.60", "350 0.70", "BTC/EUR", "", False),
    "of no schedule": ("300 0.60", "350 0.60", "X", "", False),
    "at a rate that only changed fills have": ("300 0.60", "350 0.60", "BTC/EUR", "all", False),
}
"""Price and fee of 2 as given and as the other row has them, symbol, and the fills that change."""


@pytest.mark.parametrize("name", EITHER)
def test_the_price_whose_fee_both_rows_have(name: str) -> None:
    """At a rate of fills that are right."""
    given, other, symbol, changed, expected = EITHER[name]
    problem = problem_requiring(CHARGED, {"EUR": "1"}, **CENTS)
    rows = [replace(traded(price, f"{fee} EUR"), symbol=symbol)
            for price, _, fee in (one.partition(" ") for one in (given, other))]  # fmt: skip
    if symbol == "X":
        problem = problem_requiring([*CHARGED, replace(rows[0], symbol="ETH/EUR", fee=Decimal(0))],
                                    {"EUR": "1"}, ETH, **CENTS)  # fmt: skip
        rows = [replace(row, symbol="ETH/EUR") for row in rows]
    ids = set(map(id, problem.fills)) if changed else set()
    assert _UsualFees(problem, ids).are_both(rows[0], rows[1]) is expected


def _hypothesis(kind: CauseKind, wrong: Sequence[Fill], right: Sequence[Fill]) -> Hypothesis:
    return Hypothesis(kind, Patch(tuple(wrong), tuple(right)), tuple(wrong), Strength.SHOWN)


NEITHER: dict[str, tuple[str, str, str, int, bool]] = {
    "to the cent": ("0.006242", "41782.30 0", "41783.30 0", 1, True),
    "a cent apart": ("0.006242", "41782.30 0", "41784.30 0", 1, False),
    "of two fills": ("0.006242", "41782.30 0", "41783.30 0", 2, False),
}
"""A quantity, its wrong and its right price with fees, the number of fills; true if equal cash."""


@pytest.mark.parametrize("name", NEITHER)
def test_two_prices_with_the_same_cash(name: str) -> None:
    """Only the price of one fill is asked about, and only what is wrong about it is the price."""
    quantity, wrong, right, count, expected = NEITHER[name]
    rows, others = (
        [replace(traded(one.split()[0], number=at_), quantity=Decimal(quantity))
         for at_ in range(count)]
        for one in (wrong, right)
    )  # fmt: skip
    problem = problem_requiring(rows, {"EUR": "1"}, **CENTS)
    one = _hypothesis(CauseKind.WRONG_PRICE, rows, others)
    other, usual = replace(one, cause_kind=CauseKind.ROUNDING), _UsualFees(problem, set())
    assert _shows_neither(problem, 0, [one], usual) is expected
    assert not _shows_neither(problem, 0, [other], usual)


@pytest.mark.parametrize(("closes", "expected"), [(False, True), (True, False)])
def test_two_prices_of_a_contract(*, closes: bool, expected: bool) -> None:
    """The price of a position that is open is in no amount yet."""
    bought = replace(traded("100"), symbol="PERP")
    sold = replace(traded("120", side="SELL", number=1), symbol="PERP")
    rows = [bought, sold] if closes else [bought]
    problem = problem_requiring(rows, {"EUR": "1"}, PERP, **CENTS)
    one = _hypothesis(CauseKind.WRONG_PRICE, [bought], [replace(bought, price=Decimal(101))])
    assert _shows_neither(problem, 0, [one], _UsualFees(problem, set())) is expected


RIVALS: dict[str, tuple[Mapping[str, Any], int]] = {
    "both list fills": ({}, 1),
    "the exchange lists none": ({"fills": None}, 0),
    "the exchange is wrong": ({"side": LedgerSide.EXTERNAL}, 0),
    "the rows are right": ({"rows_right": True}, 0),
    "it fits only": ({"strength": Strength.EXACT}, 0),
    "the fill is false": ({"added": ()}, 0),
}
"""What differs from a fill of 2 at 350 for 0.60, where the exchange has 300 for 0.60."""


@pytest.mark.parametrize("name", RIVALS)
def test_the_exchange_may_have_the_wrong_price(name: str) -> None:
    """Where both list fills, and the fee of both is that of the ledger's price."""
    changes, count = RIVALS[name]
    wrong = traded("300", "0.60 EUR", number=3)
    right = replace(wrong, price=Decimal(350))
    fills = changes.get("fills", (right,))
    problem = problem_requiring(CHARGED, {"EUR": "1"}, **CENTS)
    outer = problem.recorded.external
    assert outer is not None
    problem = replace(
        problem, recorded=replace(problem.recorded, external=replace(outer, fills=fills)),
        side=changes.get("side", LedgerSide.INTERNAL), rows_right=bool(changes.get("rows_right")),
    )  # fmt: skip
    one = _hypothesis(CauseKind.WRONG_PRICE, [wrong], changes.get("added", [right]))
    one = replace(one, strength=changes.get("strength", Strength.SHOWN))
    rivals = list(FAMILY.rivals(problem, [one], timedelta()))
    assert len(rivals) == count
    for rival in rivals:
        assert rival.hypothesis.side is LedgerSide.EXTERNAL
        assert rival.hypothesis.patch == Patch((right,), (wrong,))


FITTED: dict[str, tuple[Mapping[str, str], list[str]]] = {
    "ten times": ({"EUR": "-1800"}, ["f1: 1000 FITTED"]),
    "beside a position": ({"EUR": "-1800", "BTC/EUR": "1"}, []),
    "beside another balance": ({"EUR": "-1800", "BNB": "1"}, []),
    "of another balance": ({"BNB": "-1800"}, []),
}
"""What is required, and the price that fits: all fills but the first are near 1000."""


@pytest.mark.parametrize("name", FITTED)
def test_a_price_that_cash_alone_requires(name: str) -> None:
    """One balance, and nothing beside it."""
    required, expected = FITTED[name]
    rows = [traded("100" if number == 1 else f"{990 + number}", "2.00 EUR", number=number)
            for number in range(1, 6)]  # fmt: skip
    problem = problem_requiring(rows, {"EUR": required.get("EUR", "0"), **required}, **CENTS)
    found = dict.fromkeys(
        f"{row.fill_id}: {row.price:f} {one.strength.name}"
        for one in FAMILY.fitted(problem, 1)
        for row in one.patch.added
    )
    assert [*found] == expected
