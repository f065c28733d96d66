"""Fees in a third currency, whose price no row gives, and fees in the base currency."""

from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.model import Currency, Fill
from recon_core.model.explanation import ExplanationVerdict
from recon_core.policy import Policy
from tests.core.builders import SPOT, at, fill, order, recorded
from tests.explain.real_sessions import books, silent

OPENING = {"EUR": "1000000", "BNB": "50", "BTC": "10"}
CURRENCIES = {name: Currency(name, 8) for name in OPENING}


def charged(row: Fill, share: str, currency: str) -> Fill:
    """The fill with a share of its value as its fee, to 8 decimals."""
    value = row.quantity if currency == "BTC" else row.quantity * row.price
    fee = round(value * Decimal(share), 8)
    return replace(row, fee=fee, fee_currency=currency)


def trade(name: str, quantity: str, price: str, seconds: int) -> Fill:
    """A purchase of an order of its own."""
    return fill(name, "BUY", quantity, price, time=at(seconds), client_order_id=f"o-{name}")


SIZES = [(f"{n % 4 + 1}.5", f"{100 + n * 7 % 9}.{n}", 10 * n - 900) for n in range(10)]
ROWS = [trade(f"f{n}", *size) for n, size in enumerate(SIZES)]
LOST = trade("x", "3.5", "104.3", -400)


def session(internal: list[Fill], external: list[Fill]) -> Reconciliation:
    """The ledger's rows, the exchange's state, and the reports of its orders."""
    orders = tuple(
        order(row.order_id, str(row.quantity), str(row.quantity), time=row.time) for row in external
    )
    mine = books(*internal, opening=OPENING)
    theirs = silent(books(*external, opening=OPENING), orders=orders)
    known = recorded(mine, theirs, instruments={SPOT.symbol: SPOT}, currencies=CURRENCIES)
    return Reconciliation(known, Policy())


CASES = [
    (6, "0.000005", True),
    (7, "0.000005", True),
    (5, "0.000005", False),
    (4, "0.000005", False),
    (6, "0.000002", True),
    (6, "0.0000019", False),
    (6, "0.000008", True),
    (6, "0.0000081", False),
    (6, "0.0001", False),
]
"""How many of ten fees are in BNB, 0.000004 of the value; the share of the lost fill; if named."""


@pytest.mark.parametrize(("third", "share", "is_named"), CASES)
def test_a_lost_fill_is_charged_as_most_others(third: int, share: str, *, is_named: bool) -> None:
    """More than half of the fees are in BNB, and its own is within a factor of two of theirs."""
    rows = [
        charged(row, "0.000004", "BNB") if number < third else charged(row, "0.001", "EUR")
        for number, row in enumerate(ROWS)
    ]
    lost = charged(LOST, share, "BNB")
    (one,) = explain(session(rows, [*rows, lost]))
    assert (one.verdict is ExplanationVerdict.UNIQUE) == is_named, one.text
    assert [str(cause.cause_kind) for cause in one.causes] == ["missing_fill"] * is_named
    for added in one.repair:
        assert (Decimal(added.row["price"]), Decimal(added.row["fee"])) == (lost.price, lost.fee)
        assert added.row["fee_currency"] == "BNB"


@pytest.mark.parametrize("currency", ["BTC", None])
def test_a_missing_fee_in_coins(currency: str | None) -> None:
    """It changes the position, whether the row names the currency of its fee of 0 or not."""
    truth = [charged(row, "0.001", "BTC") for row in ROWS]
    rows = [*truth[:3], replace(truth[3], fee=Decimal(0), fee_currency=currency), *truth[4:]]
    (one,) = explain(session(rows, truth))
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    assert [(str(cause.cause_kind), cause.ids) for cause in one.causes] == [
        ("missing_fee", ("f3",))
    ]
    (added,) = (booking.row for booking in one.repair if booking.action == "add_fill")
    assert (added["fee"], added["fee_currency"]) == ("0.0045", "BTC")


@pytest.mark.parametrize("times", [2, -1])
def test_a_wrong_fee_in_coins(times: int) -> None:
    """Twice, or with the other sign."""
    truth = [charged(row, "0.001", "BTC") for row in ROWS]
    rows = [*truth[:3], replace(truth[3], fee=truth[3].fee * times), *truth[4:]]
    (one,) = explain(session(rows, truth))
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    kind = "duplicate_fee" if times == 2 else "fee_sign"
    assert [(str(cause.cause_kind), cause.ids) for cause in one.causes] == [(kind, ("f3",))]
