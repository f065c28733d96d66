"""A fee that was booked in another currency, by its value there."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.model import Currency, Fill, LedgerSide
from recon_core.model.explanation import ExplanationVerdict
from recon_core.policy import Policy
from tests.core.builders import SPOT, at, fill, recorded
from tests.explain.real_sessions import books, silent

OPENING = {"EUR": "100000", "BTC": "10", "BNB": "5"}
CURRENCIES = {name: Currency(name, 8) for name in OPENING}
WORTH = ("100", "200", "150", "120", "180")
"""Prices: each fill is of one BTC."""


def trades(third: str = "0.000004") -> list[Fill]:
    """Purchases charged 0.1 % in EUR, but the last two by a share of their value in BNB."""
    found = []
    for number, price in enumerate(WORTH):
        share, currency = (third, "BNB") if number > 2 else ("0.001", "EUR")
        fee = Decimal(price) * Decimal(share)
        time = at(60 * number - 900)
        found.append(fill(f"f{number}", "BUY", "1", price, f"{fee:f} {currency}", time=time))
    return found


def session(internal: list[Fill], external: list[Fill]) -> Reconciliation:
    """The ledger's rows, and the state of the exchange's."""
    mine = books(*internal, opening=OPENING)
    theirs = silent(books(*external, opening=OPENING))
    known: Mapping[str, object] = {"instruments": {SPOT.symbol: SPOT}, "currencies": CURRENCIES}
    return Reconciliation(recorded(mine, theirs, **known), Policy())


def charged(rows: list[Fill], number: int, fee: str) -> list[Fill]:
    """The fills, one with another fee, such as `0.0004 BNB`."""
    amount, _, currency = fee.partition(" ")
    other = replace(rows[number], fee=Decimal(amount), fee_currency=currency)
    return [*rows[:number], other, *rows[number + 1 :]]


FEES = {
    "in coins, by the price": ("0.001 BTC", True),
    "in coins, a unit more": ("0.00100001 BTC", True),
    "in coins, two units less": ("0.00099998 BTC", False),
    "in coins, by another price": ("0.0015 BTC", False),
    "in a third currency, as the others": ("0.0008 BNB", True),
    "in a third currency, near the others": ("0.0011 BNB", True),
    "twice the others": ("0.0016 BNB", True),
    "more than twice": ("0.0017 BNB", False),
    "half of the others": ("0.0004 BNB", True),
    "less than half": ("0.00039 BNB", False),
}
"""What was charged for the fill at 200 in place of 0.2 EUR, and if that is a fee's value."""


@pytest.mark.parametrize("name", FEES)
def test_a_fee_in_another_currency_has_the_value_of_one(name: str) -> None:
    """By the fill's price, or within a factor of two of the shares that others were charged."""
    fee, is_fee = FEES[name]
    found = explain(session(trades(), charged(trades(), 1, fee)))
    causes = [cause for one in found for cause in one.causes]
    is_named = [str(cause.cause_kind) for cause in causes] == ["fee_currency"]
    assert is_named == is_fee, [one.text for one in found]
    if is_fee:
        assert causes[0].ids == ("f1",)
        assert causes[0].side is LedgerSide.INTERNAL
        amount, _, currency = fee.partition(" ")
        assert f"it was {amount.ljust(10, '0')} {currency}" in found[0].text


def test_without_fees_there_no_value_is_known() -> None:
    """No other fill was charged in this currency."""
    rows = trades()[:3]
    found = explain(session(rows, charged(rows, 1, "0.0008 BNB")))
    kinds = {str(cause.cause_kind) for one in found for cause in one.causes}
    assert "fee_currency" not in kinds or found[0].verdict is not ExplanationVerdict.UNIQUE
