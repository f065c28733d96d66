"""Faults of fills: missing, orphaned, doubled, turned, mistyped, cumulative."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from recon_core.model import Fill, OrderSide, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.mutate.changes import cumulated, with_fill, with_fills
from recon_core.values.amounts import EXACT
from tests.trials.bases import Base
from tests.trials.fault import (
    Dice,
    Fault,
    changed,
    ids_of,
    mistyped,
    one_fill,
    order_ids_of,
)


def payload(fill: Fill) -> tuple[object, ...]:
    """What makes two fills twins."""
    return (
        fill.account,
        fill.symbol,
        fill.leg,
        fill.side,
        fill.quantity,
        fill.price,
        fill.fee,
        fill.fee_currency,
    )


def missing_fill(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A fill that was not booked."""
    fill = one_fill(book, dice)
    if fill is None:
        return None
    is_last = fill.time == max(row.time for row in book.fills or ())
    return Fault(
        CauseKind.MISSING_FILL,
        "last" if is_last else "one",
        with_fill(book, fill, None),
        ids=frozenset({fill.fill_id}),
        more_ids=order_ids_of([fill]),
        also=frozenset({CauseKind.STALE_SIDE} if is_last else ()),
        unknowns=2,
        fills=(fill,),
        again=lambda rows, twin: with_fill(rows, twin, None),
    )


def orphan_fill(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A fill that the exchange does not know, with plausible numbers."""
    like, other = one_fill(book, dice), one_fill(book, dice)
    if like is None or other is None:
        return None
    tick = _tick(like.price)
    price = EXACT.add(like.price, EXACT.multiply(tick, Decimal(dice.randint(-9, 9))))
    quantity = other.quantity if other.symbol == like.symbol else like.quantity
    side = dice.choice(list(OrderSide))
    bogus = replace(
        like,
        fill_id="X-1",
        side=side,
        quantity=quantity,
        price=price if price > 0 else like.price,
        fee=Decimal(0),
        time=like.time + timedelta(seconds=dice.randrange(1, 50)),
        client_order_id="X-order" if like.client_order_id else None,
        exchange_order_id="X-order" if like.exchange_order_id else None,
    )
    rate = base.rates.get(like.symbol)
    if rate is None:
        return None
    bogus = _charged(base, bogus, rate)
    if payload(bogus) in {payload(fill) for fill in book.fills or ()}:
        return None
    return Fault(
        CauseKind.ORPHAN_FILL,
        "bogus",
        with_fills(book, bogus),
        ids=frozenset({"X-1"}),
        more_ids=frozenset({"X-order"}),
        fills=(bogus,),
        now=bogus,
    )


def _charged(base: Base, fill: Fill, rate: Decimal) -> Fill:
    try:
        return replace(fill, fee=base.fee_at(fill, rate))
    except ArithmeticError:
        return fill


def _tick(price: Decimal) -> Decimal:
    exponent = price.as_tuple().exponent
    assert isinstance(exponent, int)
    return Decimal((0, (1,), min(exponent, 0)))


def duplicate_fill(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A fill that was booked twice: under its own id, or under another one."""
    fill = one_fill(book, dice)
    if fill is None:
        return None
    if dice.random() < 0.5:
        again, how, also = fill, "same id", frozenset[CauseKind]()
    else:
        later = fill.time + timedelta(seconds=dice.randrange(3))
        again = replace(fill, fill_id=f"{fill.fill_id}-again", time=later)
        how, also = "other id", frozenset({CauseKind.ORPHAN_FILL})
    return Fault(
        CauseKind.DUPLICATE_FILL,
        how,
        with_fills(book, again),
        ids=frozenset({fill.fill_id, again.fill_id}),
        more_ids=order_ids_of([fill]),
        also=also,
        fills=(fill,),
        again=with_fills,
    )


def side_flipped(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A BUY booked as a SELL, or the other way round."""
    fill = one_fill(book, dice)
    if fill is None:
        return None
    return changed(fill, book, CauseKind.SIDE_FLIPPED, "one", side=fill.side.other)


def wrong_quantity(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """The quantity of one fill mistyped; its fee is the right one."""
    fill = one_fill(book, dice)
    if fill is None:
        return None
    quantity, how = mistyped(fill.quantity, dice, partial=True)
    fault = changed(fill, book, CauseKind.WRONG_QUANTITY, how, quantity=quantity)
    also = frozenset({CauseKind.UNIT} if how in ("tenfold", "tenth") else ())
    return replace(fault, also=also, unknowns=1)


def wrong_price(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """The price of one fill mistyped; its fee is the right one."""
    fill = one_fill(book, dice)
    if fill is None or not fill.price:
        return None
    price, how = mistyped(fill.price, dice)
    fault = changed(fill, book, CauseKind.WRONG_PRICE, how, price=price)
    also = frozenset({CauseKind.UNIT} if how in ("tenfold", "tenth") else ())
    return replace(fault, also=also, unknowns=1)


def cumulative_quantity(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """Each fill of an order carries what was filled of it so far."""
    groups: dict[str, list[Fill]] = {}
    for fill in book.fills or ():
        groups.setdefault(fill.client_order_id or fill.exchange_order_id or "", []).append(fill)
    groups.pop("", None)
    several = [rows for rows in groups.values() if len(rows) > 1]
    if not several:
        return None
    rows = sorted(dice.choice(several), key=lambda fill: (fill.time, fill.fill_id))
    return _cumulated(book, rows)


def _cumulated(book: SideRecord, rows: list[Fill]) -> Fault:
    return Fault(
        CauseKind.CUMULATIVE_QUANTITY,
        f"{len(rows)} fills",
        cumulated(book, rows),
        ids=ids_of(rows),
        more_ids=order_ids_of(rows),
        also=frozenset({CauseKind.WRONG_QUANTITY} if len(rows) == 2 else ()),
        fills=tuple(rows),
    )
