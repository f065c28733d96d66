"""Fills that no row tells: their quantity from the position, their price from the cash.

The price must be the only tick that gives the need to the last digit, near those of the
other fills; the quantity has their decimals, and the fee is at their rate.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from recon_core.amounts import ZERO, decimal_places, shortest
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.space import ORDER
from recon_core.explain.faults.chances import is_any_price, ticks_beside
from recon_core.explain.faults.edits import MISSING_ID, UNPROVEN, Edit
from recon_core.explain.faults.exchanged_fees import is_about, share_of
from recon_core.explain.faults.market import Market, on_tick, paid_in
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Fill, InstrumentKind, Order, OrderSide


def untold_fills(
    ground: Ground, market: Market, name: str, tried: int, *, any_price: bool = False
) -> Iterator[Edit]:
    """A fill that no row tells: its quantity from the position, its price from the cash.

    `any_price` yields those instead whose price may be that of any amount of cash.
    """
    for fill in dict.fromkeys(_unknown_fills(ground, market, ground.need[name])):
        change = Change(added=(fill,))
        if not ground.reached_by(change):
            continue
        is_one_of_many = any(
            ground.reached_by(Change(added=(other,))) for other in ticks_beside(market, fill)
        )
        if is_one_of_many and not any_price:
            continue
        kind = CauseKind.ORPHAN_FILL if ground.rows_right else CauseKind.MISSING_FILL
        if is_one_of_many or is_any_price(ground, market, fill, tried) is any_price:
            # Which PnL a fill of a derivative made depends on its time, which no row tells.
            timed = fill.client_order_id is not None or not ground.bookings.derivative(fill.symbol)
            is_told = timed and not any_price
            yield Edit(kind, change, (fill,), 2 if is_told else UNPROVEN)


def _unknown_fills(ground: Ground, market: Market, need: Decimal) -> Iterator[Fill]:
    side = OrderSide.BUY if need > 0 else OrderSide.SELL
    pattern, model = market.fills[-1], market.models[side]
    paid = paid_in(market.instrument)
    cash = ground.bookings.cash(paid, pattern.account)
    if cash not in ground.space.compared or cash in ground.unknown:
        return
    left = ground.need.get(cash, ZERO)
    for rate in (ZERO,) if model is None else model.rates:
        in_base = model is not None and model.in_base
        if abs(rate) >= 1:
            continue
        quantity = _before_fee(need.copy_abs(), side, rate, market) if in_base else need.copy_abs()
        if not market.has_lots_of(decimal_places(shortest(quantity))):
            continue
        is_paid = model is not None and model.currency == paid and not in_base
        price = _price_paid(market, side, quantity, left, rate if is_paid else ZERO)
        if price is None or not market.near(price):
            continue
        bare = replace(_unknown(ground, pattern, side), quantity=quantity, price=price)
        if model is None:
            yield from _charged_otherwise(ground, market, bare)
            yield replace(bare, fee_currency=None)
        else:
            yield replace(bare, fee=model.fee(ground.bookings, bare, rate),
                          fee_currency=model.currency)  # fmt: skip


def _charged_otherwise(ground: Ground, market: Market, bare: Fill) -> Iterator[Fill]:
    """The fill with what a third currency needs as its fee, where most are charged in that."""
    currencies = Counter(fill.fee_currency for fill in market.fills if fill.fee)
    currency, count = currencies.most_common(1)[0] if currencies else (None, 0)
    traded = {market.instrument.base, market.instrument.quote, market.instrument.settlement}
    if currency is None or currency in traded or count * 2 <= len(market.fills):
        return
    fee = ground.need.get(ground.bookings.cash(currency, bare.account), ZERO).copy_negate()
    charged = replace(bare, fee=fee, fee_currency=currency)
    alike = [fill for fill in market.fills if fill.fee_currency == currency and fill.fee]
    if is_about(share_of(charged), alike):
        yield charged


def _unknown(ground: Ground, pattern: Fill, side: OrderSide) -> Fill:
    """A fill without an id or a fee, of the order that does not have its fills, if there is one."""
    order = order_lacking(ground, pattern.symbol, side)
    return replace(
        pattern,
        fill_id=MISSING_ID,
        side=side,
        fee=ZERO,
        time=pattern.time if order is None else order.time,
        client_order_id=None if order is None else order.client_order_id,
        exchange_order_id=None if order is None else order.exchange_order_id,
    )


def order_lacking(ground: Ground, symbol: str, side: OrderSide) -> Order | None:
    """The only order that does not have its fills, where it is one of that symbol and side."""
    names = [name for name in ground.need if name.startswith(ORDER)]
    order = ground.orders.get(names[0]) if len(names) == 1 else None
    return order if order is not None and (order.symbol, order.side) == (symbol, side) else None


def _before_fee(need: Decimal, side: OrderSide, rate: Decimal, market: Market) -> Decimal:
    """The quantity whose fee in the base currency leaves the need."""
    share = 1 - Fraction(rate) if side is OrderSide.BUY else 1 + Fraction(rate)
    return on_tick(Fraction(need) / share, market.lot_places)


def _price_paid(
    market: Market, side: OrderSide, quantity: Decimal, need: Decimal, rate: Decimal
) -> Decimal | None:
    worth = Fraction(quantity) * Fraction(market.instrument.multiplier)
    if not worth:
        return None
    sign = 1 if side is OrderSide.BUY else -1
    if abs(rate) >= 1:
        return None
    if market.instrument.instrument_kind is InstrumentKind.INVERSE:
        inverse = Fraction(need) / (worth * (sign - Fraction(rate)))
        return None if inverse <= 0 else on_tick(1 / inverse, market.tick_places)
    price = -Fraction(need) / (worth * (sign + Fraction(rate)))
    return None if price <= 0 else on_tick(price, market.tick_places)
