"""Ledgers as exchanges charge them, and exchanges that give their state and orders, and no fills.

Fees in the quote, in what is received, in a third currency, rebates, perpetuals.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import apply_entries, entries_of, explain
from recon_core.ledger.replay import replay
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Opening,
    Order,
    OrderSide,
    OrderState,
    SideRecord,
)
from recon_core.model.explanation import Explanation
from recon_core.policy.model import Policy
from tests.core.builders import AS_OF, at, recorded

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


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("1e-8"), ROUND_HALF_EVEN)


def in_quote(rate: str) -> Charge:
    """A share of what was traded, in the quote."""
    return lambda _, quantity, price: (rounded(Decimal(rate) * quantity * price), "USDT")


def in_tiers(taker: str, maker: str) -> Charge:
    """Two rates, by the last digit of the quantity."""

    def charge(_: OrderSide, quantity: Decimal, price: Decimal) -> tuple[Decimal, str]:
        rate = maker if quantity.as_tuple().digits[-1] % 2 else taker
        return rounded(Decimal(rate) * quantity * price), "USDT"

    return charge


def in_received(side: OrderSide, quantity: Decimal, price: Decimal) -> tuple[Decimal, str]:
    """A tenth of a percent of what is received."""
    if side is OrderSide.BUY:
        return rounded(Decimal("0.001") * quantity), "BTC"
    return rounded(Decimal("0.001") * quantity * price), "USDT"


def in_bnb(_: OrderSide, quantity: Decimal, price: Decimal) -> tuple[Decimal, str]:
    """A share of what was traded, in a currency whose price moves."""
    return rounded(Decimal("0.00075") * quantity * price / (600 + quantity * 100)), "BNB"


def in_base(_: OrderSide, quantity: Decimal, price: Decimal) -> tuple[Decimal, str]:
    """What an inverse contract settles in."""
    return rounded(Decimal("0.0005") * quantity / price), "BTC"


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


def session(right: Rows, wrong: Rows, *, orders: bool = True, places: int = 8) -> Reconciliation:
    """A ledger with wrong rows, and an exchange that states what the right ones give."""
    instruments = {one.symbol: one for one in (SPOT, LINEAR, INVERSE)}
    currencies = CURRENCIES | {"USDT": Currency("USDT", places)}
    known = {"instruments": instruments, "currencies": currencies}
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
    other = replace(rows[number], **changes)
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
