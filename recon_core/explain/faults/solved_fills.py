"""Fills that no row states: their quantity from the position, their price from the cash.

A position that requires +2 and a balance that requires -200.2, at a rate of 0.1 %, give a BUY of
2 at 100. The price must be the only tick that fits to the last digit, near the other prices; the
quantity has the decimals of the other fills, and the fee is at their rate.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from recon_core.explain.effects.dimensions import ORDER
from recon_core.explain.effects.patches import Patch
from recon_core.explain.faults.chances import is_any_price, ticks_beside
from recon_core.explain.faults.exchanged_fees import is_about, share_of
from recon_core.explain.faults.hypotheses import MISSING_ID, Hypothesis, Strength
from recon_core.explain.faults.market import Market, on_tick, paid_in
from recon_core.explain.problems.problem import Problem
from recon_core.model import Fill, InstrumentKind, Order, OrderSide
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import ZERO, decimal_places, shortest


def untold_fills(
    problem: Problem, market: Market, name: str, tried: int, *, any_price: bool = False
) -> Iterator[Hypothesis]:
    """Yield the fills, stated by no row, that have the required effect.

    `any_price` yields instead the fills whose price could fit any amount of cash.
    """
    for fill in dict.fromkeys(_unknown_fills(problem, market, problem.required[name])):
        patch = Patch(added=(fill,))
        if not problem.reached_by(patch):
            continue
        is_one_of_many = any(
            problem.reached_by(Patch(added=(other,))) for other in ticks_beside(market, fill)
        )
        if is_one_of_many and not any_price:
            continue
        kind = CauseKind.ORPHAN_FILL if problem.rows_right else CauseKind.MISSING_FILL
        if is_one_of_many or is_any_price(problem, market, fill, tried) is any_price:
            # The PnL of a derivative's fill depends on its time, which no row states.
            timed = fill.client_order_id is not None or not problem.postings.derivative(fill.symbol)
            is_told = timed and not any_price
            yield Hypothesis(kind, patch, (fill,), Strength.FITTED if is_told else Strength.CHANCE)


def _unknown_fills(problem: Problem, market: Market, required: Decimal) -> Iterator[Fill]:
    side = OrderSide.BUY if required > 0 else OrderSide.SELL
    pattern, model = market.fills[-1], market.models[side]
    paid = paid_in(market.instrument)
    cash = problem.postings.cash(paid, pattern.account)
    if cash not in problem.dimensions.compared or cash in problem.unknown:
        return
    left = problem.required.get(cash, ZERO)
    for rate in (ZERO,) if model is None else model.rates:
        in_base = model is not None and model.in_base
        if abs(rate) >= 1:
            continue
        quantity = (
            _before_fee(required.copy_abs(), side, rate, market) if in_base else required.copy_abs()
        )
        if not market.has_lots_of(decimal_places(shortest(quantity))):
            continue
        is_paid = model is not None and model.currency == paid and not in_base
        price = _price_paid(market, side, quantity, left, rate if is_paid else ZERO)
        if price is None or not market.near(price):
            continue
        bare = replace(_unknown(problem, pattern, side), quantity=quantity, price=price)
        if model is None:
            yield from _charged_otherwise(problem, market, bare)
            yield replace(bare, fee_currency=None)
        else:
            yield replace(bare, fee=model.fee(problem.postings, bare, rate),
                          fee_currency=model.currency)  # fmt: skip


def _charged_otherwise(problem: Problem, market: Market, bare: Fill) -> Iterator[Fill]:
    """Yield the fill with the fee that a third currency requires, if most fees are in it."""
    currencies = Counter(fill.fee_currency for fill in market.fills if fill.fee)
    currency, count = currencies.most_common(1)[0] if currencies else (None, 0)
    traded = {market.instrument.base, market.instrument.quote, market.instrument.settlement}
    if currency is None or currency in traded or count * 2 <= len(market.fills):
        return
    fee = problem.required.get(problem.postings.cash(currency, bare.account), ZERO).copy_negate()
    charged = replace(bare, fee=fee, fee_currency=currency)
    alike = [fill for fill in market.fills if fill.fee_currency == currency and fill.fee]
    if is_about(share_of(charged), alike):
        yield charged


def _unknown(problem: Problem, pattern: Fill, side: OrderSide) -> Fill:
    """Return a fill without id and fee, with the time and ids of an order that lacks a fill."""
    order = order_lacking(problem, pattern.symbol, side)
    return replace(
        pattern,
        fill_id=MISSING_ID,
        side=side,
        fee=ZERO,
        time=pattern.time if order is None else order.time,
        client_order_id=None if order is None else order.client_order_id,
        exchange_order_id=None if order is None else order.exchange_order_id,
    )


def order_lacking(problem: Problem, symbol: str, side: OrderSide) -> Order | None:
    """Return the only order that lacks a fill, `None` if its symbol or side differs."""
    names = [name for name in problem.required if name.startswith(ORDER)]
    order = problem.orders.get(names[0]) if len(names) == 1 else None
    return order if order is not None and (order.symbol, order.side) == (symbol, side) else None


def _before_fee(required: Decimal, side: OrderSide, rate: Decimal, market: Market) -> Decimal:
    """Return the quantity that leaves the required quantity after a fee in the base currency."""
    share = 1 - Fraction(rate) if side is OrderSide.BUY else 1 + Fraction(rate)
    return on_tick(Fraction(required) / share, market.lot_places)


def _price_paid(
    market: Market, side: OrderSide, quantity: Decimal, required: Decimal, rate: Decimal
) -> Decimal | None:
    worth = Fraction(quantity) * Fraction(market.instrument.multiplier)
    if not worth:
        return None
    sign = 1 if side is OrderSide.BUY else -1
    if abs(rate) >= 1:
        return None
    if market.instrument.instrument_kind is InstrumentKind.INVERSE:
        inverse = Fraction(required) / (worth * (sign - Fraction(rate)))
        return None if inverse <= 0 else on_tick(1 / inverse, market.tick_places)
    price = -Fraction(required) / (worth * (sign + Fraction(rate)))
    return None if price <= 0 else on_tick(price, market.tick_places)
