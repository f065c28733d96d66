"""Explanations where both sides give rows: at fault is the side whose own books speak against it.

Every row of the tables is a session of a dozen fills, changed on one side or on both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from recon_core.explain import apply_entries, entries_of, explain
from recon_core.explanation import Explanation, ExplanationVerdict
from recon_core.ledger.replay import replay
from recon_core.model import CashBalance, Fill, Movement, MovementKind, Opening, Order, SideRecord
from recon_core.policy.model import Policy
from recon_core.reconciliation import Reconciliation

from .builders import CENTS, SPOT, at, fill, order, reconciled, recorded, side

Fills = list[Fill]
Orders = list[Order]
Movements = list[Movement]
Row = TypeVar("Row", Fill, Order)
OPENING = Opening(at(-7200), (), (CashBalance("EUR", Decimal(100_000)),
                                  CashBalance("BTC", Decimal(10))))  # fmt: skip
EXACT_CENTS = {"EUR": replace(CENTS["EUR"], precision=8), "BTC": CENTS["BTC"]}
SIZES = ("0.031", "0.052", "0.017", "0.044", "0.029", "0.063", "0.038", "0.021", "0.057", "0.019",
         "0.046", "0.033")  # fmt: skip


def trades(count: int = 12, rate: str = "0.001", places: int = 8) -> Fills:
    """Fills of different sizes, two to an order, a minute apart; their fees at one rate."""
    rows = []
    for number in range(count):
        quantity = Decimal(SIZES[number % 12]) + Decimal(number // 12) / 1000
        price = Decimal(40_000) + Decimal(number * number * 13_777) / 10_000
        fee = round(quantity * price * Decimal(rate), places)
        rows.append(
            fill(f"f{number}", "SELL" if number % 3 == 2 else "BUY", str(quantity), str(price),
                 f"{fee} EUR", time=at(60 * number - 3600), client_order_id=f"o{number}")
        )  # fmt: skip
    return rows


def in_two(rows: Fills, number: int) -> Fills:
    """The fills with one of them in two equal parts of one order."""
    whole = rows[number]
    half = replace(whole, quantity=whole.quantity / 2, fee=whole.fee / 2)
    later = replace(half, fill_id=f"{whole.fill_id}b", time=whole.time + timedelta(seconds=1))
    return [*rows[:number], half, later, *rows[number + 1 :]]


def orders_of(rows: Fills) -> Orders:
    """What a correct order report says of fills: all of them filled, a few seconds later."""
    found: dict[str, list[Fill]] = {}
    for row in rows:
        found.setdefault(row.client_order_id or "", []).append(row)
    return [
        order(name, str(filled), str(filled), side=some[0].side,
              time=some[-1].time + timedelta(seconds=4))
        for name, some in found.items()
        for filled in [sum((row.quantity for row in some), Decimal(0))]
    ]  # fmt: skip


def paid(movement_id: str, amount: str, minutes: int) -> Movement:
    """Interest."""
    moved = {"currency": "EUR", "amount": Decimal(amount)}
    return Movement(movement_id, MovementKind.INTEREST, at(60 * minutes - 3600), **moved)


PAID = [paid("m1", "1.25", 3), paid("m2", "-0.75", 6), paid("m3", "2.5", 9)]


@dataclass(frozen=True)
class Books:
    """What both sides give; `stated` are the fills whose state the exchange states.

    `account` is the one that the exchange names, and the ledger does not; `source` is the one
    that both sides have their orders from.
    """

    ledger: Fills
    exchange: Fills
    orders: Orders | None = None
    ledger_moved: Movements | None = None
    exchange_moved: Movements | None = None
    stated: Fills | None = None
    ledger_orders: bool = True
    account: str | None = None
    source: str | None = None

    def reconciled(self) -> Reconciliation:
        """Both sides with their rows, their states by replay where none is stated."""
        own = self.orders if self.ledger_orders else None
        ledger = _side(self.ledger, own, self.ledger_moved)
        exchange = _side(
            _in(self.account, self.exchange), _in(self.account, self.orders), self.exchange_moved
        )
        if self.source is not None:
            origins = {"orders": self.source}
            ledger, exchange = replace(ledger, origins=origins), replace(exchange, origins=origins)
        if self.stated is not None:
            exchange = _stating(exchange, self.stated)
        return reconciled(ledger, exchange, instruments={SPOT.symbol: SPOT}, currencies=EXACT_CENTS)


def _in(account: str | None, rows: list[Row] | None) -> list[Row] | None:
    return rows and [replace(row, account=account) for row in rows]


def _side(fills: Fills | None, orders: Orders | None, moved: Movements | None) -> SideRecord:
    more: dict[str, Any] = {} if orders is None else {"orders": tuple(orders)}
    if moved is not None:
        more["movements"] = tuple(moved)
    return side(opening=OPENING, fills=tuple(fills or ()), **more)


def _stating(record: SideRecord, fills: Fills) -> SideRecord:
    """The side with the state of other rows than it gives."""
    rows = replace(record, fills=tuple(fills))
    ledger = replay(
        recorded(rows, None, instruments={SPOT.symbol: SPOT}, currencies=EXACT_CENTS), rows
    )
    return replace(record, positions=tuple(ledger.positions), cash=tuple(ledger.cash))


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


def _again(rows: Fills, number: int, fill_id: str | None = None, seconds: int = 0) -> Fills:
    """The fills with one of them told once more."""
    row = rows[number]
    twin = replace(row, fill_id=fill_id or row.fill_id, time=row.time + timedelta(seconds=seconds))
    return [*rows[: number + 1], twin, *rows[number + 1 :]]


def _without(rows: Fills, number: int) -> Fills:
    return rows[:number] + rows[number + 1 :]


def _of_twice(fill_id: str | None, *, with_orders: bool, stated: bool = False) -> Books:
    rows = trades()
    exchange = _again(rows, 5, fill_id, 1 if fill_id else 0)
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
        "it lists a fill that its order report does not know",
        lambda: Books(trades(), [*trades(), replace(trades()[5], fill_id="more",
                      quantity=Decimal("0.004"))], orders_of(trades())),
        [("orphan_fill", "external", ("more",))],
        [("remove_fill", "external")],
    ),
    Case(
        "it lists another quantity than its order report",
        lambda: Books(trades(), _with_quantity(trades(), 5, "0.07"), orders_of(trades())),
        [("wrong_quantity", "external", ("f5",))],
        [("remove_fill", "external"), ("add_fill", "external")],
    ),
    Case(
        "it lists an id twice, and the ledger lacks another fill",
        lambda: Books(_without(trades(), 8), _again(trades(), 5), orders_of(trades())),
        [("duplicate_fill", "external", ("f5",)), ("missing_fill", "internal", ("f8",))],
        [("remove_fill", "external"), ("add_fill", "internal")],
    ),
    Case(
        "it does, and states what it really holds, and the ledger lacks another fill",
        lambda: Books(_without(trades(), 8), _again(trades(), 5), orders_of(trades()),
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
        "it lacks a fill that its order report counts",
        lambda: Books(trades(), _without(trades(), 5), orders_of(trades())),
        [("missing_fill", "external", ("f5",))],
        [("add_fill", "external")],
    ),
    Case(
        "it lists an id twice that the ledger lacks",
        lambda: Books(_without(trades(), 5), _again(trades(), 5), orders_of(trades())),
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
        lambda: Books(_without(trades(), 5), trades(), orders_of(trades())),
        [("missing_fill", "internal", ("f5",))],
        [("add_fill", "internal")],
    ),
    Case(
        "the ledger lacks one of two equal fills, and the order report says both",
        lambda: Books(_without(in_two(trades(), 5), 6), in_two(trades(), 5),
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
        lambda: Books(_again(trades(), 8, "next", 1), _again(trades(), 5, "next", 1),
                      orders_of(trades())),
        [("duplicate_fill", "external", ("next",)), ("duplicate_fill", "internal", ("next",))],
        [("remove_fill", "external"), ("remove_fill", "internal")],
    ),
    Case(
        "the ledger has a known fill three times",
        lambda: Books(_again(_again(trades(), 5), 5), trades()),
        [("duplicate_fill", "internal", ("f5",))] * 2,
        [("remove_fill", "internal")] * 2,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_at_fault_is_the_side_that_its_own_books_contradict(case: Case) -> None:
    """One explanation, with its side; the repair leaves nothing that differs."""
    reconciliation = case.build().reconciled()
    (found,) = explain(reconciliation)
    assert found.verdict is ExplanationVerdict.UNIQUE, found.text
    assert sorted(told(found)) == sorted(case.causes), found.text
    assert [(one.action, str(one.side)) for one in found.repair] == list(case.repair)
    assert set(found.explains) == {diff.identity for diff in reconciliation.diffs}
    repaired = apply_entries(reconciliation.recorded, entries_of(reconciliation, found))
    assert not Reconciliation(repaired, Policy()).diffs


DOUBTS = {
    "two ids of one execution, and nothing that counts them": lambda: _of_twice(
        "again", with_orders=False
    ),
    "an id twice, and the order report counts it twice": lambda: Books(
        trades(), _again(trades(), 5), orders_of(_again(trades(), 5))
    ),
    "two ids of one execution, and orders that both sides have from one source": lambda: Books(
        trades(), _again(_again(trades(), 5), 8, "again", 1), orders_of(trades()),
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


def _at_rate(rows: Fills, times: str, places: int = 8) -> Fills:
    """The fills with fees at another rate, worked out from their values."""
    rate = Decimal(times) / 1000
    return [replace(row, fee=round(row.quantity * row.price * rate, places)) for row in rows]


def _with_fee(rows: Fills, number: int, fee: str) -> Fills:
    return [*rows[:number], replace(rows[number], fee=Decimal(fee)), *rows[number + 1 :]]


def _doubled(rows: Fills) -> Fills:
    return [replace(row, fee=row.fee * 2) for row in rows]


ALL = [f"f{number}" for number in range(40)]
RATES: dict[str, tuple[Callable[[], tuple[Fills, Fills]], list[tuple[str, list[str]]]]] = {
    "twice the rate": (
        lambda: (_at_rate(trades(40), "2"), trades(40)), [("fee_rate", ALL)],
    ),
    "twice the rate, in cents": (
        lambda: (_at_rate(trades(40), "2", 2), trades(40, places=2)), [("fee_rate", ALL)],
    ),
    "twice the rate of a rebate": (
        lambda: (_at_rate(trades(40), "-0.2"), trades(40, "-0.0001")), [("fee_rate", ALL)],
    ),
    "twice the rate, and an outlier": (
        lambda: (_with_fee(_at_rate(trades(40), "2"), 7, "0.5"), trades(40)),
        [("fee_rate", [one for one in ALL if one != "f7"]), ("fee_rate", ["f7"])],
    ),
    "three quarters of the rate, and an outlier": (
        lambda: (_with_fee(_at_rate(trades(40), "0.75"), 7, "0.5"), trades(40)),
        [("fee_rate", [one for one in ALL if one != "f7"]), ("fee_rate", ["f7"])],
    ),
    "another rate in four fills": (
        lambda: ([*trades(40)[:36], *_at_rate(trades(40), "0.75")[36:]], trades(40)),
        [("fee_rate", ALL[36:])],
    ),
    "twice the rate from a time on": (
        lambda: ([*trades(40)[:20], *_at_rate(trades(40), "2")[20:]], trades(40)),
        [("fee_rate", ALL[20:])],
    ),
    "every fee twice": (
        lambda: (_doubled(trades(40)), trades(40)), [("duplicate_fee", ALL)],
    ),
    "every fee twice, and an outlier": (
        lambda: (_with_fee(_doubled(trades(40)), 7, "0.5"), trades(40)),
        [("duplicate_fee", [one for one in ALL if one != "f7"]), ("fee_rate", ["f7"])],
    ),
    "one fee twice": (
        lambda: ([*trades(40)[:7], *_doubled(trades(40)[7:8]), *trades(40)[8:]], trades(40)),
        [("duplicate_fee", ["f7"])],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RATES)
def test_fees_at_another_rate_are_one_fault(name: str) -> None:
    """Which of them are exactly twice what they should be is a matter of their rounding."""
    build, causes = RATES[name]
    (found,) = explain(Books(*build()).reconciled())
    assert found.verdict is ExplanationVerdict.UNIQUE, found.text
    given = [(str(one.cause_kind), len(one.ids), one.side) for one in found.causes]
    assert given == [(kind, len(ids), "internal") for kind, ids in causes], found.text
    assert "of them" not in found.text


def test_a_count_is_said_once() -> None:
    """Many faults of one kind are told as one, with how many rows have it."""
    (found,) = explain(Books(trades(40)[:5] + trades(40)[16:], trades(40)).reconciled())
    assert "11 fills (f5, f6, f7, f8, f9 and 6 more)" in found.text
    assert "of them" not in found.text
