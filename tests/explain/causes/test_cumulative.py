"""A running sum of an order that was read as the quantity of a fill."""

from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.causes.cumulative import cumulative, cumulative_of_pairs, misread_order
from recon_core.model import Fill
from tests.core.builders import at, fill
from tests.explain.charges import (
    LEDGERS,
    changed,
    require_told,
    rounded,
    rows_of,
    session,
)
from tests.explain.problems import problem_requiring


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


def of_orders(text: str) -> list[Fill]:
    """Purchases written `a1 a3 b2`: an order and a quantity."""
    return [fill(f"f{at_}", "BUY", word[1:], "100", time=at(at_ - 900), client_order_id=word[0])
            for at_, word in enumerate(text.split())]  # fmt: skip


RISING: list[tuple[str, str, str]] = [
    ("a1 a3", "-1", "a"), ("a1 a3 a6", "-4", "a"), ("a1 a3", "-2", ""), ("a3 a3", "-3", ""),
    ("a0 a3", "0", ""), ("a3 a1", "-3", ""), ("a1 a3 b1 b2", "-2", "ab"), ("a1", "-1", ""),
    ("a1 a3 b1 b3", "-1", "a b"), ("a1 a3 b2 b3", "-2", "b"), ("a1 a3 b2 b3", "-3", "ab"),
]  # fmt: skip
"""Fills, the required position, and the orders whose quantities are running sums."""


@pytest.mark.parametrize(("text", "required", "expected"), RISING)
def test_quantities_that_rise_as_running_sums(text: str, required: str, expected: str) -> None:
    """Each order alone, then all together, whose increments have the required position."""
    rows = of_orders(text)
    problem = problem_requiring(rows, {"BTC/EUR": required, "EUR": "1"})
    found = ["".join(dict.fromkeys(row.order_id for row in one.rows if isinstance(row, Fill)))
             for one in cumulative(problem)]  # fmt: skip
    assert found == expected.split()
    one = misread_order(problem, rows, Decimal(required)) if len(set(text[::3])) == 1 else None
    assert (one is not None) is (expected == "a")


PAIRED: list[tuple[str, str, list[str]]] = [
    ("a1 a3", "a1 a2", ["a1 a3"]), ("a1 a3 a5", "a1 a2 a2", ["a1 a3 a5"]),
    ("a1 a3 a4", "a1 a2 a2", []), ("a1", "a2", []), ("a1 b3 a3", "a1 b2 a2", ["a1 a3"]),
    ("a1 a2", "a1 a2", []), ("a1 a3 b1 b3", "a1 a2 b1 b2", ["a1 a3", "b1 b3"]),
    ("-1 -3", "-1 -2", []),
]  # fmt: skip
"""Fills as they are and as they are right, and those of orders that were read as running sums."""


@pytest.mark.parametrize(("wrong", "right", "expected"), PAIRED)
def test_running_sums_of_pairs(wrong: str, right: str, expected: list[str]) -> None:
    """In the order of time; an order whose quantities are right is none, nor are fills without."""
    rows, others = (
        [
            replace(row, client_order_id=None) if row.order_id == "-" else row
            for row in of_orders(text)
        ]
        for text in (wrong, right)
    )
    pairs = [(one, other) for one, other in zip(rows, others, strict=True)
             if one.quantity != other.quantity]  # fmt: skip
    found = list(cumulative_of_pairs(pairs, [*reversed(rows)]))
    assert [" ".join(f"{row.order_id}{row.quantity}" for row in one.rows if isinstance(row, Fill))
            for one, _ in found] == expected  # fmt: skip
    done = [pair for _, some in found for pair in some]
    assert done == [one for one in pairs if f"{one[0].order_id}1" in " ".join(expected)]
