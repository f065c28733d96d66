"""Contracts whose cash is known to a tolerance: among many candidates one fits by coincidence."""

from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import Explanation, explain
from recon_core.ledger.replay import replay
from recon_core.model import Currency, Fill
from recon_core.model.explanation import ExplanationVerdict
from recon_core.policy import Policy
from tests.core.builders import SPOT, at, fill, recorded, side
from tests.explain.real_sessions import books, linear

KNOWN = {
    "instruments": {"PERP": linear("PERP", "EUR")},
    "currencies": {"EUR": Currency("EUR", 2)},
}


def trades(count: int, size: str, step: str) -> list[Fill]:
    """Purchases at rising prices, and a sale that closes one of them."""
    more = {"symbol": "PERP"}
    bought = [
        fill(f"p{number}", "BUY", size, str(100 + number * Decimal(step)), "0.05 EUR",
             time=at(10 * number - 900), **more)
        for number in range(count)
    ]  # fmt: skip
    return [*bought, fill("p99", "SELL", size, "100.5", "0.05 EUR", time=at(-100), **more)]


def explained(rows: list[Fill], unknown: str) -> Explanation:
    """The ledger has a fill that the exchange does not know; it states average prices in cents."""
    truth = books(*(row for row in rows if row.fill_id != unknown))
    ledger = replay(recorded(truth, None, **KNOWN), truth)
    average = ledger.average_price("PERP")
    assert average is not None
    positions = tuple(replace(row, average_price=round(average, 2)) for row in ledger.positions)
    known = recorded(books(*rows), side(positions, ledger.cash), **KNOWN)
    (one,) = explain(Reconciliation(known, Policy()))
    return one


CASES = {
    "nine at near prices": (9, "1", "0.05", False),
    "five at near prices": (5, "1", "0.05", False),
    "four at near prices": (4, "1", "0.05", True),
    "prices that lie apart": (6, "1", "1", True),
    "more of it": (6, "3", "0.05", True),
    "much more of it": (6, "10", "3", True),
}
"""How many fills, their size, the step of their prices, and if the answer is proven."""


@pytest.mark.parametrize("name", CASES)
def test_few_cents_prove_nothing_among_many(name: str) -> None:
    """The fill is named; it is proven where the cash would hardly fit another one by chance."""
    count, size, step, is_proven = CASES[name]
    one = explained(trades(count, size, step), "p2")
    (cause,) = one.causes
    assert str(cause.cause_kind) == "orphan_fill"
    assert "p2" in cause.ids
    assert (one.verdict is ExplanationVerdict.UNIQUE) == is_proven, one.text
    assert ("not proven" in one.text) != is_proven


@pytest.mark.parametrize(("count", "fee", "is_proven"), [(40, "0.03", False), (4, "0.03", True),
                                                         (40, "3.03", True)])  # fmt: skip
def test_a_few_units_fit_some_fill_of_many(count: int, fee: str, *, is_proven: bool) -> None:
    """Cash of three cents is one of three amounts, and 40 fills have fees of such a size."""
    rows = [
        fill(f"f{number}", "BUY", "1", f"{100 + number}",
             f"{Decimal(fee) + number * Decimal('0.01')} EUR", time=at(60 * number - 7200))
        for number in range(count)
    ]  # fmt: skip
    market = {"instruments": {SPOT.symbol: SPOT}, "currencies": {"EUR": Currency("EUR", 2)}}
    truth = books(*rows, opening={"EUR": "90000"})
    right = replay(recorded(truth, None, **market), truth)
    booked = tuple(
        replace(row, total=row.total - Decimal(fee)) if row.currency == "EUR" else row
        for row in right.cash
    )
    ledger = replace(truth, positions=right.positions, cash=booked)
    exchange = side(right.positions, right.cash)
    found = explain(Reconciliation(recorded(ledger, exchange, **market), Policy()))
    assert {str(cause.cause_kind) for one in found for cause in one.causes} >= {"duplicate_fee"}
    assert ({one.verdict for one in found} == {ExplanationVerdict.UNIQUE}) is is_proven, found
