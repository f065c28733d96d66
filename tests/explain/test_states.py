"""Figures of a state that are wrong as a whole: another unit, sign, rounding or a split."""

from collections.abc import Mapping

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.model import LedgerSide
from tests.core.builders import side
from tests.explain.real_sessions import linear, session

Figures = Mapping[str, str]
UNIQUE, AMBIGUOUS, UNEXPLAINED = "unique", "ambiguous", "unexplained"
COINS = {"ETH": "3", "EUR": "100"}
PERP = linear("PERP", "EUR", "5")

BALANCES: dict[str, tuple[Figures, Figures, str, list[str], str]] = {
    "ten times, of few digits": (
        {**COINS, "ETH": "30"}, COINS, AMBIGUOUS, ["unit"], "(10 times as much)",
    ),
    "ten times": (
        {**COINS, "ETH": "3.0017"}, {**COINS, "ETH": "0.30017"},
        UNIQUE, ["unit"], "(10 times as much)",
    ),
    "a thousandth": ({**COINS, "ETH": "0.003"}, COINS, UNIQUE, ["unit"], "(1/1000 times"),
    "10^17 times": ({**COINS, "ETH": f"3{'0' * 17}"}, COINS, UNIQUE, ["unit"], "00 times"),
    "wei": ({**COINS, "ETH": f"3{'0' * 18}"}, COINS, UNIQUE, ["unit"], f"(1{'0' * 18} times"),
    "finer than wei": ({**COINS, "ETH": f"3{'0' * 19}"}, COINS, UNEXPLAINED, [], "ETH +299"),
    "eleven times": ({**COINS, "ETH": "33"}, COINS, UNEXPLAINED, [], "ETH +30"),
    "twenty times": ({**COINS, "ETH": "60"}, COINS, UNEXPLAINED, [], "ETH +57"),
    "both alike": ({"ETH": "3000", "EUR": "100000"}, COINS, UNIQUE, ["unit"], "(1000 times"),
    "each by its own": (
        {"ETH": "3000", "EUR": "100.2"}, {"ETH": "3", "EUR": "1.002"},
        UNIQUE, ["unit", "unit"], "(100 times",
    ),
    "each by its own, and one of few digits": (
        {"ETH": "3000", "EUR": "10000"}, COINS, AMBIGUOUS, ["unit", "unit"], "(100 times",
    ),
    "the other sign, of few digits": (
        {**COINS, "ETH": "-3"}, COINS, AMBIGUOUS, ["sign_convention"], "other sign",
    ),
    "the other sign": (
        {**COINS, "ETH": "-3.01"}, {**COINS, "ETH": "3.01"},
        UNIQUE, ["sign_convention"], "other sign",
    ),
    "of both": (
        {"ETH": "-3", "EUR": "-100"}, COINS, UNIQUE, ["sign_convention"], "other sign",
    ),
    "of one, and more": ({"ETH": "-3", "EUR": "90"}, COINS, UNEXPLAINED, [], "ETH -6, EUR -10"),
    "sign and unit": ({**COINS, "ETH": "-3000"}, COINS, UNEXPLAINED, [], "ETH -3003"),
    "nothing": ({**COINS, "ETH": "0"}, COINS, UNEXPLAINED, [], "ETH -3"),
    "half-even": (
        {"ETH": "3.12", "EUR": "90.42"}, {"ETH": "3.125", "EUR": "90.415"},
        UNIQUE, ["rounding"], "has rounded what it states (to 2 decimals)",
    ),
    "half-up": (
        {"ETH": "3.13", "EUR": "90.42"}, {"ETH": "3.125", "EUR": "90.415"},
        UNIQUE, ["rounding"], "has rounded what it states (to 2 decimals)",
    ),
    "cut off": (
        {"ETH": "3.12", "EUR": "90.41"}, {"ETH": "3.1299", "EUR": "90.4192"},
        UNIQUE, ["rounding"], "has cut digits off what it states (to 2 decimals)",
    ),
    "down": (
        {"ETH": "-3.13", "EUR": "90.41"}, {"ETH": "-3.1219", "EUR": "90.4192"},
        UNIQUE, ["rounding"], "has rounded down what it states (to 2 decimals)",
    ),
    "up": (
        {"ETH": "3.13", "EUR": "90.42"}, {"ETH": "3.1219", "EUR": "90.4192"},
        UNIQUE, ["rounding"], "has rounded up what it states (to 2 decimals)",
    ),
    "to thousands": (
        {"ETH": "5000", "EUR": "3000"}, {"ETH": "5120", "EUR": "2999.5"},
        AMBIGUOUS, ["rounding"], "has rounded what it states (to multiples of 1000)",
    ),
    "of one figure": (
        {**COINS, "ETH": "3.12"}, {**COINS, "ETH": "3.12345678"},
        AMBIGUOUS, ["rounding"], "has rounded what it states (to 2 decimals)",
    ),
    "to different decimals": (
        {"ETH": "3.12", "EUR": "90"}, {"ETH": "3.1249", "EUR": "90.4"}, UNEXPLAINED, [], "EUR -0.4",
    ),
    "no rounding": ({"ETH": "25.00"}, {"ETH": "25.01"}, UNEXPLAINED, [], "ETH -0.01"),
}  # fmt: skip
"""Balances of the ledger, of the exchange, the verdict, the causes, and words of the text."""

POSITIONS: dict[str, tuple[Figures, Figures, str, list[str], str]] = {
    "in contracts": (
        {"PERP": "513"}, {"PERP": "2565"}, UNIQUE, ["unit"], "the contract multiplier",
    ),
    "in contracts, of few digits": (
        {"PERP": "2"}, {"PERP": "10"}, UNIQUE, ["unit"], "the contract multiplier",
    ),
    "in tens": ({"PERP": "2050"}, {"PERP": "205"}, UNIQUE, ["unit"], "(10 times as much)"),
    "in tens, of few digits": (
        {"PERP": "20"}, {"PERP": "2"}, AMBIGUOUS, ["unit"], "(10 times as much)",
    ),
    "short for long": (
        {"PERP": "-27"}, {"PERP": "27"}, UNIQUE, ["sign_convention"], "other sign",
    ),
    "short for long, of few digits": (
        {"PERP": "-2"}, {"PERP": "2"}, AMBIGUOUS, ["sign_convention"], "other sign",
    ),
    "a contract is not split": ({"PERP": "300"}, {"PERP": "100"}, UNEXPLAINED, [], "PERP +200"),
    "a split": (
        {"AAPL/USD": "6003"}, {"AAPL/USD": "4002"}, AMBIGUOUS, ["split"], "a split (2:3)",
    ),
    "a split of fractions": (
        {"AAPL/USD": "3.003"}, {"AAPL/USD": "1.001"}, AMBIGUOUS, ["split"], "a split (1:3)",
    ),
    "the largest split": (
        {"AAPL/USD": "2020"}, {"AAPL/USD": "101"}, AMBIGUOUS, ["split"], "(1:20)",
    ),
    "no split": ({"AAPL/USD": "42"}, {"AAPL/USD": "2"}, UNEXPLAINED, [], "AAPL/USD +40"),
    "all the other sign": (
        {"AAPL/USD": "-3", "SPY/USD": "-4"}, {"AAPL/USD": "3", "SPY/USD": "4"},
        UNIQUE, ["sign_convention"], "other sign",
    ),
}  # fmt: skip
"""The same of positions, where the cash of both sides agrees."""


def require(reconciliation: Reconciliation, verdict: str, causes: list[str], words: str) -> None:
    """The one explanation, of the ledger."""
    (one,) = explain(reconciliation)
    assert str(one.verdict) == verdict, one.text
    assert [str(cause.cause_kind) for cause in one.causes] == causes, one.text
    assert words in one.text
    assert {cause.side for cause in one.causes} <= {LedgerSide.INTERNAL}


@pytest.mark.parametrize("name", BALANCES)
def test_balances_that_are_wrong_as_a_whole(name: str) -> None:
    """Each rule at its edge: the largest unit, the way of rounding, the decimals shown."""
    mine, theirs, *expected = BALANCES[name]
    require(session(side({}, mine), side({}, theirs)), *expected)


@pytest.mark.parametrize("name", POSITIONS)
def test_positions_that_are_wrong_as_a_whole(name: str) -> None:
    """Contracts have multipliers, stocks have splits."""
    mine, theirs, *expected = POSITIONS[name]
    require(session(side(mine, {}), side(theirs, {}), PERP), *expected)
