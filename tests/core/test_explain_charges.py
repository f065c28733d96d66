"""Ledgers as exchanges charge them: what a fill or a fee was, where only states are given.

Fees in the quote, in what is received, in a third currency, rebates, perpetuals; the
exchange gives its state and its orders, and no fills.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import apply_entries, entries_of, explain
from recon_core.ledger.replay import replay
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Leg,
    Opening,
    Order,
    OrderSide,
    OrderState,
    SideRecord,
)
from recon_core.model.explanation import Explanation
from recon_core.policy.model import Policy

from .builders import AS_OF, at, recorded

SPOT = Instrument("BTC/USDT", InstrumentKind.SPOT, "BTC", "USDT", "USDT")
LINEAR = Instrument("BTC-PERP", InstrumentKind.LINEAR, "BTC", "USDT", "USDT")
INVERSE = Instrument("BTC-INV", InstrumentKind.INVERSE, "BTC", "USD", "BTC", Decimal(1))
CURRENCIES = {name: Currency(name, 8) for name in ("BTC", "USDT", "BNB")}
START = Opening(
    at(-7200), (), tuple(CashBalance(name, Decimal(50_000)) for name in ("BTC", "USDT", "BNB"))
)
COUNT = 30
Rows = Sequence[Fill]
Charge = Callable[[OrderSide, Decimal, Decimal], tuple[Decimal, str]]


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("1e-8"), ROUND_HALF_EVEN)


def in_quote(rate: str) -> Charge:
    """A share of what was traded, in the quote."""
    return lambda _, quantity, price: (_rounded(Decimal(rate) * quantity * price), "USDT")


def in_tiers(taker: str, maker: str) -> Charge:
    """Two rates, by the last digit of the quantity."""

    def charge(_: OrderSide, quantity: Decimal, price: Decimal) -> tuple[Decimal, str]:
        rate = maker if quantity.as_tuple().digits[-1] % 2 else taker
        return _rounded(Decimal(rate) * quantity * price), "USDT"

    return charge


def in_received(side: OrderSide, quantity: Decimal, price: Decimal) -> tuple[Decimal, str]:
    """A tenth of a percent of what is received."""
    if side is OrderSide.BUY:
        return _rounded(Decimal("0.001") * quantity), "BTC"
    return _rounded(Decimal("0.001") * quantity * price), "USDT"


def in_bnb(_: OrderSide, quantity: Decimal, price: Decimal) -> tuple[Decimal, str]:
    """A share of what was traded, in a currency whose price moves."""
    return _rounded(Decimal("0.00075") * quantity * price / (600 + quantity * 100)), "BNB"


def in_base(_: OrderSide, quantity: Decimal, price: Decimal) -> tuple[Decimal, str]:
    """What an inverse contract settles in."""
    return _rounded(Decimal("0.0005") * quantity / price), "BTC"


def rows_of(instrument: Instrument, charge: Charge) -> list[Fill]:
    """Fills of random quantities and prices, one a minute, each of an order of its own."""
    walk = random.Random(7)  # noqa: S311
    found = []
    for number in range(COUNT):
        is_contract = instrument is INVERSE
        quantity = Decimal(walk.randint(100, 9000)).scaleb(3 if is_contract else -5)
        price = Decimal(walk.randint(590_000, 610_000)).scaleb(-1)
        side = walk.choice(list(OrderSide))
        fee, currency = charge(side, quantity, price)
        found.append(
            Fill(
                fill_id=f"f{number}",
                symbol=instrument.symbol,
                side=side,
                quantity=quantity,
                price=price,
                time=at(-3600 + 60 * number),
                fee=fee,
                fee_currency=currency,
                client_order_id=f"o{number}",
            )
        )
    return found


def orders_of(rows: Rows) -> tuple[Order, ...]:
    """The orders of fills, without their average prices."""
    return tuple(
        Order(
            symbol=row.symbol,
            side=row.side,
            quantity=row.quantity,
            filled_quantity=row.quantity,
            state=OrderState.FILLED,
            time=row.time + timedelta(seconds=2),
            client_order_id=row.client_order_id,
        )
        for row in rows
    )


def session(right: Rows, wrong: Rows, *, orders: bool = True) -> Reconciliation:
    """A ledger with wrong rows, and an exchange that states what the right ones give."""
    instruments = {one.symbol: one for one in (SPOT, LINEAR, INVERSE)}
    known = {"instruments": instruments, "currencies": CURRENCIES}
    given = orders_of(right) if orders else None
    ledger = SideRecord(AS_OF, opening=START, fills=tuple(wrong), orders=given)
    exchange = replay(
        recorded(ledger, None, **known), replace(ledger, fills=tuple(right), orders=None)
    )
    state = SideRecord(AS_OF, positions=exchange.positions, cash=exchange.cash, orders=given)
    return Reconciliation(recorded(ledger, state, **known), Policy())


def kinds(found: Sequence[Explanation]) -> list[tuple[str, list[str]]]:
    """The verdict of each explanation, and the kinds of its causes."""
    return [(one.verdict, [cause.cause_kind for cause in one.causes]) for one in found]


def changed(rows: Rows, number: int, **changes: object) -> list[Fill]:
    """The rows, one of them otherwise."""
    other = replace(rows[number], **changes)  # type: ignore[arg-type]
    return [*rows[:number], other, *rows[number + 1 :]]


def require_told(reconciliation: Reconciliation, kind: str, *ids: str) -> Explanation:
    """One explanation with one cause, whose entries do away with every diff."""
    (one,) = explain(reconciliation)
    assert kinds([one]) == [("unique", [kind])], one.text
    assert one.causes[0].ids == ids
    repaired = apply_entries(reconciliation.recorded, entries_of(reconciliation, one))
    assert Reconciliation(repaired, Policy()).diffs == []
    return one


LEDGERS = {
    "quote": (SPOT, in_quote("0.001")),
    "rebate": (SPOT, in_quote("-0.0001")),
    "tiers": (SPOT, in_tiers("0.0006", "0.0002")),
    "tiers with a rebate": (SPOT, in_tiers("0.001", "-0.0001")),
    "received": (SPOT, in_received),
    "third": (SPOT, in_bnb),
    "linear": (LINEAR, in_quote("0.0005")),
    "linear rebate": (LINEAR, in_quote("-0.0002")),
    "inverse": (INVERSE, in_base),
}


@pytest.mark.parametrize("number", [0, 11, COUNT - 1])
@pytest.mark.parametrize("name", LEDGERS)
def test_a_fill_that_its_order_lacks(name: str, number: int) -> None:
    """Its price and its fee follow, though no order says its average price."""
    right = rows_of(*LEDGERS[name])
    lost = right[number]
    one = require_told(session(right, [*right[:number], *right[number + 1 :]]), "missing_fill")
    (booking,) = one.repair
    texts = ("side", "fee_currency", "client_order_id")
    amounts = ("quantity", "price", "fee")
    assert [booking.row[name] for name in texts] == [getattr(lost, name) for name in texts]
    assert [Decimal(booking.row[name]) for name in amounts] == [
        getattr(lost, name) for name in amounts
    ]


@pytest.mark.parametrize("leg", [Leg.LONG, Leg.SHORT])
def test_a_fill_of_one_leg(leg: Leg) -> None:
    """Legs are averaged apart: the fill is of the one whose position lacks it."""
    other = Leg.SHORT if leg is Leg.LONG else Leg.LONG
    sides = {Leg.LONG: OrderSide.BUY, Leg.SHORT: OrderSide.SELL}
    right = [
        replace(row, leg=each, side=sides[each])
        for number, row in enumerate(rows_of(LINEAR, in_quote("0.0005")))
        for each in [leg if number % 2 else other]
    ]
    require_told(session(right, [*right[:11], *right[12:]]), "missing_fill")


EXCHANGED = {
    "quote": ("BTC", lambda row: _rounded(row.fee / row.price)),
    "received": ("USDT", lambda row: _rounded(row.fee * row.price)),
    "third": ("USDT", lambda row: _rounded(row.quantity * row.price * Decimal("0.00075"))),
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


@pytest.mark.parametrize("share", ["0.9", "0.5", "0.1"])
def test_more_of_a_fill_is_no_missing_one(share: str) -> None:
    """A fee that grows with the quantity tells neither from the other: orders do."""
    right = rows_of(*LEDGERS["quote"])
    quantity = (right[11].quantity * Decimal(share)).quantize(Decimal("1e-5"))
    fee = _rounded(quantity * right[11].price * Decimal("0.001"))
    wrong = changed(right, 11, quantity=quantity, fee=fee)
    found = explain(session(right, wrong, orders=False))
    assert sorted(kinds(found)) == [
        ("ambiguous", ["missing_fill"]),
        ("ambiguous", ["wrong_quantity"]),
    ]
    require_told(session(right, wrong), "wrong_quantity", "f11")


def test_a_fill_is_lacked_by_an_order_of_its_own_side() -> None:
    """A duplicate SELL is no BUY that its order lacks."""
    right = rows_of(*LEDGERS["quote"])
    number = next(at_ for at_, row in enumerate(right) if row.side is OrderSide.SELL)
    bare = replace(right[number], fee=Decimal(0), fee_currency=None)
    wrong = [*right[:number], bare, replace(bare), *right[number + 1 :]]
    (one,) = explain(session(right, wrong))
    assert "missing_fill" not in [cause.cause_kind for cause in one.causes]
    assert sorted(kinds([one])[0][1]) == ["duplicate_fill", "missing_fee"]


def test_a_price_in_cents_is_not_proven() -> None:
    """Where a cent is the price of many ticks the fill is named, and not proven."""
    cents = {**CURRENCIES, "USDT": Currency("USDT", 2)}
    right = [
        replace(row, fee=row.fee.quantize(Decimal("0.01"))) for row in rows_of(*LEDGERS["quote"])
    ]
    known = {"instruments": {SPOT.symbol: SPOT}, "currencies": cents}
    given = orders_of(right)
    ledger = SideRecord(AS_OF, opening=START, fills=tuple(right[:11] + right[12:]), orders=given)
    whole = replay(recorded(ledger, None, **known), replace(ledger, fills=tuple(right)))
    state = SideRecord(AS_OF, positions=whole.positions, cash=whole.cash, orders=given)
    (one,) = explain(Reconciliation(recorded(ledger, state, **known), Policy()))
    assert kinds([one]) == [("ambiguous", ["missing_fill"])]
    assert "order o11 lacks it" in one.text


@pytest.mark.parametrize("charged", [True, False])
def test_a_running_sum_that_was_read_as_a_fill(charged: bool) -> None:  # noqa: FBT001
    """Whether the ledger works fees out from what it read, or has those of the exchange."""
    rows = rows_of(*LEDGERS["quote"])
    first = rows[10]
    right = changed(rows, 11, client_order_id="o10", side=first.side)
    second = right[11]
    running = first.quantity + second.quantity
    fee = _rounded(running * second.price * Decimal("0.001")) if charged else second.fee
    wrong = changed(right, 11, quantity=running, fee=fee)
    require_told(session(right, wrong, orders=False), "cumulative_quantity", "f10", "f11")


@pytest.mark.parametrize("share", ["0.5", "0.75", "2"])
def test_all_fees_of_another_tier(share: str) -> None:
    """Makers and takers are charged in one proportion to what is right."""
    right = rows_of(*LEDGERS["tiers"])
    rates = (Decimal(rate) * Decimal(share) for rate in ("0.0006", "0.0002"))
    wrong = rows_of(SPOT, in_tiers(*map(str, rates)))
    (one,) = explain(session(right, wrong))
    assert kinds([one]) == [("unique", ["fee_rate"])]
    assert "instead of 0.0006, 0.0002)" in one.text


def test_two_fills_of_one_id_are_no_copies() -> None:
    """A duplicate is one execution listed again: the same side, quantity and price."""
    right = rows_of(*LEDGERS["quote"])
    ghosts = [
        replace(right[number], fill_id="ghost", client_order_id="g", quantity=Decimal(quantity))
        for number, quantity in ((3, "0.01234"), (9, "0.04321"))
    ]
    bare = [replace(ghost, fee=Decimal(0), fee_currency=None) for ghost in ghosts]
    (one,) = explain(session(right, [*right, *bare]))
    assert kinds([one]) == [("unique", ["orphan_fill", "orphan_fill"])]


def test_both_copies_of_a_fill_that_nobody_knows() -> None:
    """One of them was no copy."""
    right = rows_of(*LEDGERS["quote"])
    ghost = replace(right[3], fill_id="ghost", client_order_id="g", quantity=Decimal("0.01234"))
    (one,) = explain(session(right, [*right, ghost, replace(ghost)]))
    assert sorted(kinds([one])[0][1]) == ["duplicate_fill", "orphan_fill"]
    assert one.verdict == "unique"


def test_a_quantity_that_its_fee_denies() -> None:
    """A row whose fee is that of its quantity is not the one that is wrong."""
    right = rows_of(*LEDGERS["quote"])
    lost = [row for row in right if row.fill_id != "f12"]
    wrong = changed(lost, 3, fee=lost[3].fee + lost[3].fee)
    for one in explain(session(right, wrong, orders=False)):
        named = sorted(cause.cause_kind for cause in one.causes)
        assert named == ["duplicate_fee", "missing_fill"] or one.verdict != "unique"
