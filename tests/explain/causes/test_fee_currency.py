"""A fee that was booked in another currency, by its worth."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.causes.fee_currency import _charged, _is_at_a_rate
from recon_core.model import (
    Fill,
    OrderSide,
)
from tests.core.builders import SPOT, recorded
from tests.explain.charges import LEDGERS, changed, require_told, rounded, rows_of, session
from tests.explain.problems import problems_of, prover_of
from tests.explain.spot_ledgers import ROWS, exchange, ledger_of

EXCHANGED: dict[str, tuple[str, Callable[[Fill], Decimal]]] = {
    "quote": ("BTC", lambda row: rounded(row.fee / row.price)),
    "received": ("USDT", lambda row: rounded(row.fee * row.price)),
    "third": ("USDT", lambda row: rounded(row.quantity * row.price * Decimal("0.00075"))),
}


@pytest.mark.parametrize("orders", [True, False])
@pytest.mark.parametrize("name", EXCHANGED)
def test_a_fee_in_another_currency_by_its_worth(name: str, orders: bool) -> None:  # noqa: FBT001
    """It is no wrong quantity, however near its effect comes to one."""
    right = rows_of(*LEDGERS[name])
    number = next(at_ for at_, row in enumerate(right) if row.side is OrderSide.BUY)
    currency, worth = EXCHANGED[name]
    wrong = changed(right, number, fee=worth(right[number]), fee_currency=currency)
    one = require_told(session(right, wrong, orders=orders), "fee_currency", right[number].fill_id)
    assert f"it was {right[number].fee:f} {right[number].fee_currency}" in one.text


@pytest.mark.parametrize(
    ("given", "allowed", "found"),
    [
        ("0.1", "0", "f1 f6"), ("0.3", "0", ""), ("0.2", "0.1", "f1 f4 f6"), ("0.2", "0.09", "f4"),
        ("0.098", "0.002", "f1 f6"), ("0.25", "0.054", "f2 f4"), ("0", "0.05", ""),
    ],
)  # fmt: skip
def test_fees_that_a_balance_may_require(given: str, allowed: str, found: str) -> None:
    """The amount itself, or as near as its tolerance; a fill without a fee has none."""
    rows = [replace(row, fee=Decimal(0)) if row.fill_id == "f3" else row for row in ROWS]
    rows = [replace(row, fee_currency="BNB") if row.fill_id == "f5" else row for row in rows]
    known = recorded(ledger_of(rows), exchange(rows[1:]), instruments={SPOT.symbol: SPOT})
    problem = problems_of(prover_of(known))[0]
    problem = replace(problem, tolerance={"cash::EUR": Decimal(allowed)})
    fees = _charged(problem, "cash::EUR", Decimal(given))
    assert " ".join(row.fill_id for row in fees) == found


@pytest.mark.parametrize(
    ("fee", "symbols", "expected"),
    [
        ("0.2", "BTC/EUR", True), ("0.3", "BTC/EUR", False), ("0.2", "ETH/EUR", False),
        ("0.2", "", False),
    ],
)  # fmt: skip
def test_a_fee_at_the_rate_of_its_symbol(fee: str, symbols: str, *, expected: bool) -> None:
    """Fills of another symbol show no rate."""
    problem = problems_of(prover_of(recorded(
        ledger_of(ROWS), exchange(ROWS[1:]), instruments={SPOT.symbol: SPOT}
    )))[0]  # fmt: skip
    one = replace(ROWS[0], price=Decimal(200), fee=Decimal(fee))
    others = [replace(row, symbol=symbol) for symbol in symbols.split() for row in ROWS]
    assert _is_at_a_rate(problem, one, others) is expected
