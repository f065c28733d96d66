"""Sessions made for what the recordings lack.

Movements of every kind, splits, several accounts and strategies, snapshots, orders at the
exchange, fees in the base and in a third currency, margin, hedge legs, partial fills.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path

from recon_core.ledger.replay import replay
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    InstrumentKind,
    Leg,
    Movement,
    MovementKind,
    Opening,
    Order,
    OrderSide,
    OrderState,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
)
from recon_core.values.amounts import EXACT, round_to_places
from tests.trials.books import decimal_of
from tests.trials.shapes import FAMILIES, SHAPES, Market, Shape, shape_of, small_shape

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def _movement(shape: Shape, kind: MovementKind, number: int, dice: random.Random) -> Movement:
    market = dice.choice(shape.markets)
    amount = Decimal(dice.randrange(1, 10**6)).scaleb(-shape.movement_places)
    if kind in (MovementKind.WITHDRAWAL, MovementKind.FEE):
        amount = -amount
    elif kind in (MovementKind.FUNDING, MovementKind.ADJUSTMENT, MovementKind.TRANSFER):
        amount = amount * dice.choice((1, -1))
    return Movement(
        f"m{number}",
        kind,
        START + timedelta(minutes=dice.randrange(5, 60 * 50)),
        currency=market.instrument.settlement,
        amount=amount,
        account=dice.choice(shape.accounts),
    )


def _prices(market: Market, dice: random.Random) -> Callable[[], Decimal]:
    step = Decimal(1).scaleb(-market.price_places)
    ticks = int(Decimal(market.price) / step)
    spread = max(2, ticks // 2000)

    def following() -> Decimal:
        nonlocal ticks
        ticks = max(10, ticks + dice.randint(-spread, spread))
        return EXACT.multiply(Decimal(ticks), step)

    return following


def _rate(shape: Shape, market: Market, number: int, dice: random.Random) -> Decimal:
    """The rate of a fill: that of its market, or a taker's or maker's in the tier of its time."""
    if not market.tiers:
        return Decimal(market.rate)
    return Decimal(dice.choice(market.tiers[number * len(market.tiers) // shape.fills]))


def _fee(
    market: Market, side: OrderSide, quantity: Decimal, price: Decimal, rate: Decimal
) -> tuple[Fraction | Decimal, str]:
    """The fee of a fill before it is rounded, and its currency."""
    instrument = market.instrument
    if instrument.instrument_kind is InstrumentKind.INVERSE:
        worth = Fraction(quantity) * Fraction(instrument.multiplier) / Fraction(price)
        return worth * Fraction(rate), instrument.settlement
    if market.fee_in == "base" and side is OrderSide.BUY:
        return EXACT.multiply(quantity, rate), instrument.base
    size = EXACT.multiply(EXACT.multiply(quantity, price), instrument.multiplier)
    if market.fee_in not in ("base", "quote"):
        return EXACT.multiply(EXACT.multiply(size, rate), Decimal("0.002")), market.fee_in
    return EXACT.multiply(size, rate), instrument.quote


def _rounded(fee: Fraction | Decimal, places: int) -> Decimal:
    """A fee at so many decimals, half-even."""
    if isinstance(fee, Decimal):
        return round_to_places(fee, places)
    return decimal_of(fee, places)


def _order_fills(
    shape: Shape, market: Market, price: Callable[[], Decimal], number: int, dice: random.Random
) -> list[Fill]:
    side, account = dice.choice(list(OrderSide)), dice.choice(shape.accounts)
    time = START + timedelta(minutes=number * 47 + dice.randrange(40), seconds=dice.randrange(60))
    leg = dice.choice((Leg.LONG, Leg.SHORT)) if shape.is_hedging else Leg.NET
    strategy = f"s{dice.randrange(shape.strategies)}" if shape.strategies else None
    fills = []
    for part in range(dice.randint(1, shape.most_partial)):
        units = int(Decimal(market.lot).scaleb(market.places))
        quantity = Decimal(dice.randrange(units // 50 + 1, units + 1)).scaleb(-market.places)
        paid = price()
        fee, currency = _fee(market, side, quantity, paid, _rate(shape, market, number, dice))
        fills.append(
            Fill(
                f"t{number}-{part + 1}",
                market.instrument.symbol,
                side,
                quantity,
                paid,
                time + timedelta(seconds=part * 7),
                fee=_rounded(fee, shape.precision[currency]),
                fee_currency=currency,
                client_order_id=f"o{number}",
                account=account,
                leg=leg,
                position_id=strategy,
            )
        )
    return fills


def _orders(fills: list[Fill]) -> tuple[Order, ...]:
    groups: dict[str, list[Fill]] = {}
    for fill in fills:
        groups.setdefault(fill.client_order_id or "", []).append(fill)
    return tuple(
        Order(
            rows[0].symbol,
            rows[0].side,
            quantity := sum((row.quantity for row in rows), Decimal(0)),
            quantity,
            OrderState.FILLED,
            rows[-1].time,
            client_order_id=order_id,
            account=rows[0].account,
        )
        for order_id, rows in groups.items()
    )


def _with_snapshots(recorded: RecordedSession, book: SideRecord, count: int) -> SideRecord:
    """States in between, after every n-th fill."""
    fills = sorted(book.fills or (), key=lambda fill: fill.time)
    snapshots = []
    for number in range(1, count + 1):
        time = fills[len(fills) * number // (count + 1)].time
        early = replace(
            book,
            fills=tuple(fill for fill in fills if fill.time <= time),
            movements=tuple(row for row in book.movements or () if row.time <= time),
        )
        ledger = replay(recorded, early)
        snapshots.append(Snapshot(time, ledger.positions, ledger.cash))
    return replace(book, snapshots=tuple(snapshots))


def _split(market: Market, fills: list[Fill], account: str | None) -> Movement:
    """A split of 3 for 1 after two thirds of the fills."""
    time = fills[len(fills) * 2 // 3].time + timedelta(seconds=90)
    held = sum(
        (
            fill.quantity if fill.side is OrderSide.BUY else -fill.quantity
            for fill in fills
            if fill.time <= time and fill.symbol == market.instrument.symbol
        ),
        Decimal(100),
    )
    return Movement(
        "split-1",
        MovementKind.SPLIT,
        time,
        symbol=market.instrument.symbol,
        quantity=held * 2,
        account=account,
    )


def made(name: str, shape: Shape) -> RecordedSession:
    """A session in which both sides agree, the same in every process."""
    dice = random.Random(name)  # noqa: S311  # rows, no secrets
    walks = {market: _prices(market, dice) for market in shape.markets}
    fills: list[Fill] = []
    for number in range(shape.fills):
        market = dice.choice(shape.markets)
        fills += _order_fills(shape, market, walks[market], number, dice)
    moved = [_movement(shape, kind, n, dice) for n, kind in enumerate(shape.movements)]
    if shape.has_split:
        moved.append(_split(shape.markets[0], fills, shape.accounts[0]))
    book = SideRecord(
        as_of=max(fill.time for fill in fills) + timedelta(minutes=1),
        source="ledger",
        opening=Opening(
            START - timedelta(minutes=1),
            positions=tuple(
                Position(symbol, Decimal(quantity), account=shape.accounts[0])
                for symbol, quantity in shape.opened
            ),
            cash=tuple(
                CashBalance(currency, Decimal(amount), account=account)
                for account in shape.accounts
                for currency, amount in shape.opening.items()
            ),
        ),
        fills=tuple(fills),
        movements=tuple(moved),
    )
    recorded = RecordedSession(
        name,
        Path(f"{name}.recon.json"),
        instruments={market.instrument.symbol: market.instrument for market in shape.markets},
        currencies={code: Currency(code, places) for code, places in shape.precision.items()},
    )
    ledger = replay(recorded, book)
    book = _with_snapshots(recorded, book, shape.snapshots) if shape.snapshots else book
    external = SideRecord(
        as_of=book.as_of,
        source="exchange",
        positions=ledger.positions,
        cash=tuple(replace(row, free=row.total, locked=Decimal(0)) for row in ledger.cash),
        orders=_orders(fills) if shape.gives_orders else None,
        snapshots=book.snapshots,
    )
    return replace(recorded, internal=book, external=external)


MADE: Mapping[str, Callable[[], RecordedSession]] = {
    name: partial(made, name, shape) for name, shape in SHAPES.items()
}


SMALL = "small-"
"""Before the number of a small session: its name."""


def small(number: int) -> RecordedSession:
    """A small session; of some of spot trades nothing declares how currencies are rounded."""
    shape = small_shape(number)
    session = made(f"{SMALL}{number}", shape)
    is_spot = all(one.instrument.instrument_kind is InstrumentKind.SPOT for one in shape.markets)
    if number % 2 and session.external is not None and session.internal is not None:
        orders = _with_averages(session.external.orders, session.internal.fills or ())
        session = replace(session, external=replace(session.external, orders=orders))
    return replace(session, currencies={}) if is_spot and number % 3 == 0 else session


def _with_averages(
    orders: tuple[Order, ...] | None, fills: tuple[Fill, ...]
) -> tuple[Order, ...] | None:
    """The orders with the price that their fills cost on average."""
    if orders is None:
        return None
    paid: dict[str | None, Fraction] = {}
    for fill in fills:
        worth = Fraction(fill.quantity) * Fraction(fill.price)
        paid[fill.client_order_id] = paid.get(fill.client_order_id, Fraction(0)) + worth
    return tuple(
        replace(
            order,
            average_fill_price=Decimal(
                round(paid[order.client_order_id] / Fraction(order.filled_quantity) * 10**8)
            ).scaleb(-8),
        )
        for order in orders
    )


def of_family(name: str) -> RecordedSession | None:
    """The session of a name such as `hedge-7`, `None` if that is no name of a family."""
    family = FAMILIES.get(name.rpartition("-")[0])
    return None if family is None else made(name, shape_of(family, name))
