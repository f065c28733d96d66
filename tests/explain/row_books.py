"""Sessions of a dozen fills that both sides give, for explanations of their rows."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from recon_core.engine.reconciliation import Reconciliation
from recon_core.ledger.replay import replay
from recon_core.model import CashBalance, Fill, Movement, MovementKind, Opening, Order, SideRecord
from tests.core.builders import CENTS, SPOT, at, fill, order, reconciled, recorded, side

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


def again(rows: Fills, number: int, fill_id: str | None = None, seconds: int = 0) -> Fills:
    """The fills with one of them told once more."""
    row = rows[number]
    twin = replace(row, fill_id=fill_id or row.fill_id, time=row.time + timedelta(seconds=seconds))
    return [*rows[: number + 1], twin, *rows[number + 1 :]]


def without(rows: Fills, number: int) -> Fills:
    return rows[:number] + rows[number + 1 :]
