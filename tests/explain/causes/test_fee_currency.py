"""A fee that was booked in another currency, by its worth."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from recon_core.model import (
    Fill,
    OrderSide,
)
from tests.explain.charges import LEDGERS, changed, require_told, rounded, rows_of, session

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
