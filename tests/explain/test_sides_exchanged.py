"""Both sides list their rows and state no more: exchanged, the ledger has the mirrored fault."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recon_core.explain import explain
from recon_core.model import OrderSide
from recon_core.model.explanation import ExplanationVerdict
from tests.explain.row_books import PAID, Books, Fills, trades, without

MIRRORED = {
    "missing_fill": {"orphan_fill"},
    "missing_movement": {"foreign_activity"},
}
"""Kinds that become another one; all others stay as they are."""


def _changed(number: int, **fields: Any) -> Fills:
    rows = trades()
    return [*rows[:number], replace(rows[number], **fields), *rows[number + 1 :]]


def _recharged(number: int, quantity: str) -> Fills:
    """The fills with one of another quantity, and the fee of that quantity."""
    price = trades()[number].price
    fee = round(Decimal(quantity) * price * Decimal("0.001"), 8)
    return _changed(number, quantity=Decimal(quantity), fee=fee)


FAULTS: dict[str, Callable[[], tuple[Books, Books]]] = {
    "a fill": lambda: (Books(without(trades(), 4), trades()),
                       Books(trades(), without(trades(), 4))),
    "a quantity": lambda: (Books(_recharged(4, "0.03"), trades()),
                           Books(trades(), _recharged(4, "0.03"))),
    "a side": lambda: (Books(_changed(5, side=OrderSide.BUY), trades()),
                       Books(trades(), _changed(5, side=OrderSide.BUY))),
    "a price": lambda: (Books(_changed(6, price=Decimal(40_100), fee=Decimal("1.5238")), trades()),
                        Books(trades(),
                              _changed(6, price=Decimal(40_100), fee=Decimal("1.5238")))),
    "a movement": lambda: (Books(trades(), trades(), None, PAID[1:], PAID),
                           Books(trades(), trades(), None, PAID, PAID[1:])),
}  # fmt: skip
"""The ledger without something, and the same with the sides exchanged."""


@pytest.mark.parametrize("build", FAULTS.values(), ids=FAULTS)
def test_the_ledger_has_the_mirrored_fault(build: Callable[[], tuple[Books, Books]]) -> None:
    """The exchange keeps the truth either way: unique, of the ledger, with opposite effects."""
    (first,), (second,) = (explain(books.reconciled()) for books in build())
    for one in (first, second):
        assert one.verdict is ExplanationVerdict.UNIQUE, one.text
        assert str(one.side) == "internal"
    (cause,), (other,) = first.causes, second.causes
    kind = str(cause.cause_kind)
    assert str(other.cause_kind) in MIRRORED.get(kind, {kind})
    opposite = {name: -amount for name, amount in other.effect.cash.items()}
    assert cause.effect.cash == opposite
    assert cause.ids == other.ids


def test_a_fee_off_the_schedule_of_its_own_side() -> None:
    """Without cash nothing shows what was paid: the side that is off its schedule may be wrong."""
    unpaid = _changed(7, fee=Decimal(0))
    (first,) = explain(Books(unpaid, trades()).reconciled())
    assert first.verdict is ExplanationVerdict.UNIQUE
    assert [str(cause.cause_kind) for cause in first.causes] == ["missing_fee"]
    found = explain(Books(trades(), unpaid).reconciled())
    assert {str(one.side) for one in found} == {"internal", "external"}
    assert {one.verdict for one in found} == {ExplanationVerdict.AMBIGUOUS}
