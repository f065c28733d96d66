"""Explanations where both sides give rows: at fault is the side whose own books speak against it.

Every row of the tables is a session of a dozen fills, changed on one side or on both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import apply_entries, entries_of, explain
from recon_core.model.explanation import Explanation, ExplanationVerdict
from recon_core.policy.model import Policy
from tests.core.builders import at
from tests.explain.row_books import (
    PAID,
    Books,
    Fills,
    again,
    in_two,
    orders_of,
    paid,
    trades,
    without,
)


def told(explanation: Explanation) -> list[tuple[str, str, tuple[str, ...]]]:
    """Kind, side and ids of each cause."""
    return [(str(one.cause_kind), str(one.side), one.ids) for one in explanation.causes]


@dataclass(frozen=True)
class Case:
    """A session, the causes that are told as unique, and what a repair does to which rows."""

    name: str
    build: Callable[[], Books]
    causes: Sequence[tuple[str, str, tuple[str, ...]]]
    repair: Sequence[tuple[str, str]]


def _of_twice(fill_id: str | None, *, with_orders: bool, stated: bool = False) -> Books:
    rows = trades()
    exchange = again(rows, 5, fill_id, 1 if fill_id else 0)
    orders = orders_of(rows) if with_orders else None
    return Books(rows, exchange, orders, stated=rows if stated else None)


def _with_quantity(rows: Fills, number: int, quantity: str) -> Fills:
    changed = replace(rows[number], quantity=Decimal(quantity))
    return [*rows[:number], changed, *rows[number + 1 :]]


def _ghost(rows: Fills, *, times: int) -> Fills:
    """The fills with one that the other side does not know, told so many times."""
    ghost = replace(rows[4], fill_id="ghost", client_order_id="og", quantity=Decimal("0.0405"))
    return [*rows, *([ghost] * times)]


CASES = [
    Case(
        "the exchange lists an id twice",
        lambda: _of_twice(None, with_orders=True),
        [("duplicate_fill", "external", ("f5",))],
        [("remove_fill", "external")],
    ),
    Case(
        "it does, and reports no orders",
        lambda: _of_twice(None, with_orders=False),
        [("duplicate_fill", "external", ("f5",))],
        [("remove_fill", "external")],
    ),
    Case(
        "it does, and states what it really holds",
        lambda: _of_twice(None, with_orders=True, stated=True),
        [("duplicate_fill", "external", ("f5",))],
        [("remove_fill", "external")],
    ),
    Case(
        "it tells an execution under two ids, and its order report says one",
        lambda: _of_twice("again", with_orders=True),
        [("duplicate_fill", "external", ("again",))],
        [("remove_fill", "external")],
    ),
    Case(
        "it lists a fill that its order report and its state do not know",
        lambda: Books(trades(), [*trades(), replace(trades()[5], fill_id="more",
                      quantity=Decimal("0.004"))], orders_of(trades()), stated=trades()),
        [("orphan_fill", "external", ("more",))],
        [("remove_fill", "external")],
    ),
    Case(
        "it lists another quantity than its order report and its state",
        lambda: Books(trades(), _with_quantity(trades(), 5, "0.07"), orders_of(trades()),
                      stated=trades()),
        [("wrong_quantity", "external", ("f5",))],
        [("remove_fill", "external"), ("add_fill", "external")],
    ),
    Case(
        "it lists an id twice, and the ledger lacks another fill",
        lambda: Books(without(trades(), 8), again(trades(), 5), orders_of(trades())),
        [("duplicate_fill", "external", ("f5",)), ("missing_fill", "internal", ("f8",))],
        [("remove_fill", "external"), ("add_fill", "internal")],
    ),
    Case(
        "it does, and states what it really holds, and the ledger lacks another fill",
        lambda: Books(without(trades(), 8), again(trades(), 5), orders_of(trades()),
                      stated=trades()),
        [("duplicate_fill", "external", ("f5",)), ("missing_fill", "internal", ("f8",))],
        [("remove_fill", "external"), ("add_fill", "internal")],
    ),
    Case(
        "it does, and it alone reports orders and names an account",
        lambda: replace(_of_twice("again", with_orders=True), ledger_orders=False, account="main"),
        [("duplicate_fill", "external", ("again",))],
        [("remove_fill", "external")],
    ),
    Case(
        "it lacks a fill that its order report and its state count",
        lambda: Books(trades(), without(trades(), 5), orders_of(trades()), stated=trades()),
        [("missing_fill", "external", ("f5",))],
        [("add_fill", "external")],
    ),
    Case(
        "it lists an id twice that the ledger lacks",
        lambda: Books(without(trades(), 5), again(trades(), 5), orders_of(trades())),
        [("duplicate_fill", "external", ("f5",)), ("missing_fill", "internal", ("f5",))],
        [("remove_fill", "external"), ("add_fill", "internal")],
    ),
    Case(
        "it lists a movement twice",
        lambda: Books(trades(), trades(), None, PAID, [*PAID, PAID[1]]),
        [("duplicate_movement", "external", ("m2",))],
        [("remove_movement", "external")],
    ),
    Case(
        "the ledger lacks a fill",
        lambda: Books(without(trades(), 5), trades(), orders_of(trades())),
        [("missing_fill", "internal", ("f5",))],
        [("add_fill", "internal")],
    ),
    Case(
        "the ledger lacks one of two equal fills, and the order report says both",
        lambda: Books(without(in_two(trades(), 5), 6), in_two(trades(), 5),
                      orders_of(in_two(trades(), 5))),
        [("missing_fill", "internal", ("f5b",))],
        [("add_fill", "internal")],
    ),
    Case(
        "the ledger lacks a movement",
        lambda: Books(trades(), trades(), None, PAID[1:], PAID),
        [("missing_movement", "internal", ("m1",))],
        [("add_movement", "internal")],
    ),
    Case(
        "the ledger lacks one of two movements of one id",
        lambda: Books(trades(), trades(), None, PAID, [*PAID, paid("m1", "7", 3)]),
        [("missing_movement", "internal", ("m1",))],
        [("add_movement", "internal")],
    ),
    Case(
        "the ledger has an unknown fill twice",
        lambda: Books(_ghost(trades(), times=2), trades()),
        [("orphan_fill", "internal", ("ghost",)), ("duplicate_fill", "internal", ("ghost",))],
        [("remove_fill", "internal"), ("remove_fill", "internal")],
    ),
    Case(
        "the ledger has an unknown fill three times",
        lambda: Books(_ghost(trades(), times=3), trades()),
        [("orphan_fill", "internal", ("ghost",))]
        + [("duplicate_fill", "internal", ("ghost",))] * 2,
        [("remove_fill", "internal")] * 3,
    ),
    Case(
        "the ledger has two unknown fills of one id",
        lambda: Books([*_ghost(trades(), times=1), replace(trades()[3], fill_id="ghost",
                      quantity=Decimal("0.0105"))], trades()),
        [("orphan_fill", "internal", ("ghost",))] * 2,
        [("remove_fill", "internal")] * 2,
    ),
    Case(
        "both tell an execution twice, each another one, and under one id",
        lambda: Books(again(trades(), 8, "next", 1), again(trades(), 5, "next", 1),
                      orders_of(trades())),
        [("duplicate_fill", "external", ("next",)), ("duplicate_fill", "internal", ("next",))],
        [("remove_fill", "external"), ("remove_fill", "internal")],
    ),
    Case(
        "the ledger has a known fill three times",
        lambda: Books(again(again(trades(), 5), 5), trades()),
        [("duplicate_fill", "internal", ("f5",))] * 2,
        [("remove_fill", "internal")] * 2,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_at_fault_is_the_side_that_its_own_books_contradict(case: Case) -> None:
    """One explanation, with its side; the repair leaves nothing that differs."""
    reconciliation = case.build().reconciled()
    (found,) = explain(reconciliation, repair_exchange=True)
    assert found.verdict is ExplanationVerdict.UNIQUE, found.text
    assert sorted(told(found)) == sorted(case.causes), found.text
    assert [(one.action, str(one.side)) for one in found.repair] == list(case.repair)
    assert set(found.explains) == {diff.identity for diff in reconciliation.diffs}
    entries = entries_of(reconciliation, found, repair_exchange=True)
    repaired = apply_entries(reconciliation.recorded, entries)
    assert not Reconciliation(repaired, Policy()).diffs


DOUBTS = {
    "two ids of one execution, and nothing that counts them": lambda: _of_twice(
        "again", with_orders=False
    ),
    "an id twice, and the order report counts it twice": lambda: Books(
        trades(), again(trades(), 5), orders_of(again(trades(), 5))
    ),
    "two ids of one execution, and orders that both sides have from one source": lambda: Books(
        trades(), again(again(trades(), 5), 8, "again", 1), orders_of(trades()),
        source="orders.csv",
    ),
    "two ids of one movement": lambda: Books(
        trades(), trades(), None, PAID, [*PAID, replace(PAID[1], movement_id="again")]
    ),
    "an order report from before a fill": lambda: Books(
        trades(),
        [*trades(), replace(trades()[5], fill_id="more", time=at(0))],
        [
            replace(one, quantity=one.quantity * 2, state="PARTIALLY_FILLED")
            if one.client_order_id == "o5"
            else one
            for one in orders_of(trades())
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("build", DOUBTS.values(), ids=DOUBTS)
def test_what_the_books_do_not_decide_is_not_unique(build: Callable[[], Books]) -> None:
    """The exchange may have a row too many, or the ledger one too few: no repair is offered."""
    found = explain(build().reconciled())
    assert found
    for one in found:
        assert one.verdict is not ExplanationVerdict.UNIQUE, one.text
        assert not one.repair


ONE_STATEMENT = {
    "a fill that its order report does not know": (
        lambda: Books(trades(), [*trades(), replace(trades()[5], fill_id="more",
                      quantity=Decimal("0.004"))], orders_of(trades())),
        ["missing_fill", "orphan_fill"],
    ),
    "another quantity than its order report": (
        lambda: Books(trades(), _with_quantity(trades(), 5, "0.07"), orders_of(trades())),
        ["wrong_quantity", "wrong_quantity"],
    ),
    "all but a fill that its order report counts": (
        lambda: Books(trades(), without(trades(), 5), orders_of(trades())),
        ["orphan_fill", "missing_fill"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("build", "kinds"), ONE_STATEMENT.values(), ids=ONE_STATEMENT)
def test_one_statement_against_the_exchange_names_both_sides(
    build: Callable[[], Books], kinds: list[str]
) -> None:
    """Its order report alone is as likely to be wrong as its list, so the ledger is named too."""
    found = explain(build().reconciled())
    assert {one.verdict for one in found} == {ExplanationVerdict.AMBIGUOUS}
    assert [str(one.causes[0].cause_kind) for one in found] == kinds
    assert [str(one.side) for one in found] == ["internal", "external"]
    assert all(one.decides and not one.repair for one in found)
