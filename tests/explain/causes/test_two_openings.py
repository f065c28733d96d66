"""Openings that both sides give: each position or balance that differs is one fault."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.model import SideRecord
from recon_core.model.explanation import ExplanationVerdict
from tests.core.builders import at, fill
from tests.explain.real_sessions import books, session

CASH = {"EUR": "1000", "USDT": "7", "BTC": "3"}
HELD = {"ETH/USD": "5", "LTC/EUR": "2"}
FILLS = (
    fill("f1", "BUY", "2", "100", "0.2 EUR", time=at(-900)),
    fill("f2", "SELL", "1", "104", "0.104 EUR", time=at(-600)),
)


def began_with(cash: Mapping[str, str], held: Mapping[str, str]) -> SideRecord:
    """A side with the same fills, and another opening."""
    return books(*FILLS, opening=cash, held=held)


OPENINGS = {
    "one of three balances": ({**CASH, "EUR": "1010"}, HELD, {"EUR": "10"}),
    "the last balance": ({**CASH, "USDT": "6.5"}, HELD, {"USDT": "-0.5"}),
    "two balances": ({**CASH, "EUR": "990", "USDT": "8"}, HELD, {"EUR": "-10", "USDT": "1"}),
    "a balance and a position": (
        {**CASH, "EUR": "1010"}, {**HELD, "ETH/USD": "4"}, {"EUR": "10", "ETH/USD": "-1"},
    ),
    "a balance and a position more": (
        {**CASH, "EUR": "1010"}, {**HELD, "SPY/USD": "4"}, {"EUR": "10", "SPY/USD": "4"},
    ),
    "a balance that is not there": (
        {"EUR": "1010", "BTC": "3"}, HELD, {"EUR": "10", "USDT": "-7"},
    ),
    "a position that is not there": (
        {**CASH, "EUR": "1010"}, {"ETH/USD": "5"}, {"EUR": "10", "LTC/EUR": "-2"},
    ),
}  # fmt: skip
"""The exchange's balances and positions at first, and the corrections of the ledger's."""


@pytest.mark.parametrize("name", OPENINGS)
def test_every_entry_that_differs_is_corrected_alone(name: str) -> None:
    """An entry of an opening that both sides give alike stays as it is."""
    cash, held, corrected = OPENINGS[name]
    (one,) = explain(session(began_with(CASH, HELD), began_with(cash, held)))
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    assert {str(cause.cause_kind) for cause in one.causes} == {"opening_balance"}
    assert len(one.causes) == len(corrected)
    assert {booking.action for booking in one.repair} == {"adjust_opening"}
    rows = [booking.row for booking in one.repair]
    found = {row.get("symbol") or row["currency"]: row["amount"] for row in rows}
    assert found == corrected, one.text
    before = {**CASH, **HELD}
    for row in rows:
        entry = row.get("symbol") or row["currency"]
        assert row["stated"] == before.get(entry, "0")
        assert Decimal(row["stated"]) + Decimal(row["amount"]) == Decimal(row["corrected"])
