"""One fill that both sides list with different fields: a cause for each field that is wrong."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recon_core.explain import explain
from recon_core.model import Fill, OrderSide
from recon_core.model.explanation import ExplanationVerdict
from tests.core.builders import at, fill
from tests.explain.real_sessions import books, session

OPENING = {"EUR": "1000000", "BTC": "5", "BNB": "5"}


def trade(number: int, quantity: str, price: str) -> Fill:
    """A purchase charged 0.1 %."""
    fee = Decimal(quantity) * Decimal(price) / 1000
    more = {"time": at(60 * number - 900), "client_order_id": f"o{number}"}
    return fill(f"f{number}", "BUY", quantity, price, f"{fee:f} EUR", **more)


ROWS = [trade(n, *size) for n, size in enumerate((("2", "100"), ("3", "101"), ("1.5", "99.5")))]
Fields = Mapping[str, Any]
FIELDS: dict[str, tuple[Fields, list[str], str]] = {
    "price": ({"price": Decimal(103)}, ["wrong_price"], "at 103, fee 0.303 EUR"),
    "both prices": ({"price": Decimal(103)}, ["wrong_price"], ": 103 against 101"),
    "quantity": ({"quantity": Decimal("3.5")}, ["wrong_quantity"], ": 3.5 against 3"),
    "quantity less the fee": (
        {"quantity": Decimal("2.697")}, ["wrong_quantity"], ": 2.697 against 3 (off by its fee)",
    ),
    "quantity, and a fee that follows": (
        {"quantity": Decimal(4), "fee": Decimal("0.404")}, ["wrong_quantity"], ": 4 against 3",
    ),
    "price, and a fee that follows": (
        {"price": Decimal(103), "fee": Decimal("0.309")}, ["wrong_price"], ": 103 against 101",
    ),
    "quantity and price": (
        {"quantity": Decimal(4), "price": Decimal(103)}, ["wrong_quantity", "wrong_price"],
        ": 103 against 101",
    ),
    "fee": ({"fee": Decimal("0.4")}, ["wrong_fee"], "0.4 instead of 0.303"),
    "no fee": ({"fee": Decimal(0)}, ["missing_fee"], "has not booked the fee of fill f1"),
    "fee twice": ({"fee": Decimal("0.606")}, ["duplicate_fee"], "twice"),
    "fee with the other sign": ({"fee": Decimal("-0.303")}, ["fee_sign"], "with the wrong sign"),
    "fee currency": ({"fee_currency": "BNB"}, ["fee_currency"], "in the wrong currency"),
    "fee and its currency": (
        {"fee": Decimal("0.003"), "fee_currency": "BTC"}, ["fee_currency"], "the wrong currency",
    ),
    "side": ({"side": OrderSide.SELL}, ["side_flipped"], "has BUY and SELL exchanged in fill f1"),
    "side and price": (
        {"side": OrderSide.SELL, "price": Decimal(103)}, ["side_flipped", "wrong_price"],
        ": 103 against 101",
    ),
}  # fmt: skip
"""The fields of the ledger's second fill, the causes in their order, and words of the text."""


@pytest.mark.parametrize("name", FIELDS)
def test_every_wrong_field_is_a_cause(name: str) -> None:
    """A fee that follows a wrong number is no fault of its own, nor is a currency with its fee."""
    fields, causes, words = FIELDS[name]
    wrong = [ROWS[0], replace(ROWS[1], **fields), ROWS[2]]
    (one,) = explain(session(books(*wrong, opening=OPENING), books(*ROWS, opening=OPENING)))
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    assert [str(cause.cause_kind) for cause in one.causes] == causes, one.text
    assert {cause.ids for cause in one.causes} == {("f1",)}
    assert {str(cause.side) for cause in one.causes} == {"internal"}
    assert words in one.text
