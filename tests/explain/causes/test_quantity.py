"""A wrong quantity of a fill, and what else it may be."""

from decimal import Decimal

import pytest

from recon_core.explain import explain
from tests.explain.charges import LEDGERS, changed, kinds, rounded, rows_of, session


@pytest.mark.parametrize("share", ["0.9", "0.5", "0.1"])
def test_more_of_a_fill_is_no_missing_one(share: str) -> None:
    """A fee that grows with the quantity tells neither from the other, nor does an order."""
    right = rows_of(*LEDGERS["quote"])
    quantity = (right[11].quantity * Decimal(share)).quantize(Decimal("1e-5"))
    fee = rounded(quantity * right[11].price * Decimal("0.001"))
    wrong = changed(right, 11, quantity=quantity, fee=fee)
    for orders in (False, True):
        found = explain(session(right, wrong, orders=orders))
        assert sorted(kinds(found)) == [
            ("ambiguous", ["missing_fill"]),
            ("ambiguous", ["wrong_quantity"]),
        ]


def test_a_quantity_that_its_fee_denies() -> None:
    """A row whose fee is that of its quantity is not the one that is wrong."""
    right = rows_of(*LEDGERS["quote"])
    lost = [row for row in right if row.fill_id != "f12"]
    wrong = changed(lost, 3, fee=lost[3].fee + lost[3].fee)
    for one in explain(session(right, wrong, orders=False)):
        named = sorted(cause.cause_kind for cause in one.causes)
        assert named == ["duplicate_fee", "missing_fill"] or one.verdict != "unique"
