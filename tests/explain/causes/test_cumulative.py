"""A running sum of an order that was read as the quantity of a fill."""

from decimal import Decimal

import pytest

from tests.explain.charges import (
    LEDGERS,
    changed,
    require_told,
    rounded,
    rows_of,
    session,
)


@pytest.mark.parametrize("charged", [True, False])
def test_a_running_sum_that_was_read_as_a_fill(charged: bool) -> None:  # noqa: FBT001
    """Whether the ledger works fees out from what it read, or has those of the exchange."""
    rows = rows_of(*LEDGERS["quote"])
    first = rows[10]
    right = changed(rows, 11, client_order_id="o10", side=first.side)
    second = right[11]
    running = first.quantity + second.quantity
    fee = rounded(running * second.price * Decimal("0.001")) if charged else second.fee
    wrong = changed(right, 11, quantity=running, fee=fee)
    require_told(session(right, wrong, orders=False), "cumulative_quantity", "f10", "f11")
