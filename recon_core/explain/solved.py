"""Faults with a number that is solved for: a missing fill, a wrong quantity, a wrong price.

A solved number counts only where it is one that a market gives: a price on the tick of the
other fills and near them, a quantity of their decimals, a fee at their rate. The price of a
missing fill must be the only tick that gives the need to the last digit.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.amounts import EXACT, ZERO, decimal_places, shortest
from recon_core.explain.changes import Change
from recon_core.explain.edits import UNPROVEN, Edit
from recon_core.explain.fill_edits import FillEdits
from recon_core.explain.ground import Ground
from recon_core.explain.market import NEARLY, Market, Paid, market_of, paid_in
from recon_core.explain.slips import slip
from recon_core.explain.space import ORDER, is_cash, is_position
from recon_core.explanation import CauseKind
from recon_core.model import Fill, InstrumentKind, OrderSide

MISSING_ID: Final = "missing"
_CLOSE: Final = Decimal("1.1")
_FAR: Final = Decimal(100_000)
_MANY_UNITS: Final = Decimal(100)


def solved(ground: Ground, edits: FillEdits) -> Iterator[Edit]:
    """Every edit with a solved number that is what is needed."""
    positions = [name for name in ground.need if is_position(name)]
    if len(positions) == 1:
        market = market_of(ground, positions[0], edits)
        if market is not None:
            yield from _wrong_quantities(ground, market, positions[0])
            yield from _missing(ground, market, positions[0])
    elif not positions:
        yield from _wrong_prices(ground, edits)


def slipped_quantities(ground: Ground, edits: FillEdits) -> Iterator[Edit]:
    """Wrong quantities by a slip that are what the position needs, whatever the cash needs."""
    positions = [name for name in ground.need if is_position(name)]
    market = market_of(ground, positions[0], edits) if len(positions) == 1 else None
    for fill in () if market is None else market.fills:
        need = ground.need[positions[0]]
        step = need if fill.side is OrderSide.BUY else need.copy_negate()
        quantity = EXACT.add(fill.quantity, step)
        how = slip(*_told(ground, fill.quantity, quantity))
        if how is not None and market is not None:
            for other in _with_quantity(ground, market, fill, quantity):
                change = Change((fill,), (other,))
                yield Edit(CauseKind.WRONG_QUANTITY, change, (fill,), 2, how)


def _wrong_quantities(ground: Ground, market: Market, name: str) -> Iterator[Edit]:
    need = ground.need[name]
    for fill in Paid(ground, market, name).candidates():
        step = need if fill.side is OrderSide.BUY else need.copy_negate()
        quantity = EXACT.add(fill.quantity, step)
        if quantity <= 0 or not _worth(ground, market, fill, need):
            continue
        for other in _with_quantity(ground, market, fill, quantity):
            change = Change((fill,), (other,))
            if ground.reaches(change.vector(ground.bookings)):
                how = slip(*_told(ground, fill.quantity, quantity))
                # A fee contradicts a wrong quantity; without fees a missing fill fits as well.
                rank = 1 if how is not None else 3 if market.model is not None else 2
                yield Edit(CauseKind.WRONG_QUANTITY, change, (fill,), rank, how or "")
                break


def _worth(ground: Ground, market: Market, fill: Fill, need: Decimal) -> bool:
    """Whether the need in cash is nearly the need in the position at the fill's price."""
    if market.instrument.instrument_kind is InstrumentKind.INVERSE:
        return True
    name = ground.bookings.cash(paid_in(market.instrument), fill.account)
    if name not in ground.space.compared or name in ground.unknown:
        return True
    price = EXACT.multiply(fill.price, market.instrument.multiplier)
    expected = EXACT.multiply(need, price).copy_negate()
    off = EXACT.subtract(ground.need.get(name, ZERO), expected).copy_abs()
    return EXACT.multiply(off, NEARLY) <= expected.copy_abs()


def _with_quantity(ground: Ground, market: Market, fill: Fill, quantity: Decimal) -> Iterator[Fill]:
    other = replace(fill, quantity=quantity)
    yield other
    yield from _charged_again(ground, market, fill, other)


def _charged_again(ground: Ground, market: Market, fill: Fill, other: Fill) -> Iterator[Fill]:
    """The changed fill with its fee at the rates of its market."""
    if market.model is None or not fill.fee:
        return
    for rate in market.model.rates:
        fee = market.model.fee(ground.bookings, other, rate)
        if fee != fill.fee:
            yield replace(other, fee=fee)


def _told(ground: Ground, given: Decimal, other: Decimal) -> tuple[Decimal, Decimal]:
    """The wrong and the right one of two numbers."""
    return (other, given) if ground.rows_right else (given, other)


def _wrong_prices(ground: Ground, edits: FillEdits) -> Iterator[Edit]:
    cash = [name for name in ground.need if is_cash(name)]
    if len(cash) != 1:
        return
    for name in sorted(ground.by_symbol):
        market = market_of(ground, name, edits)
        if market is None:
            continue
        paid = ground.bookings.cash(paid_in(market.instrument), market.fills[0].account)
        if paid == cash[0]:
            yield from _prices_of(ground, market, ground.need[paid])


def _prices_of(ground: Ground, market: Market, need: Decimal) -> Iterator[Edit]:
    rates = (ZERO, *(market.model.rates if market.model is not None else ()))
    for at, fill in enumerate(market.fills):
        if not fill.quantity:
            continue
        for rate in rates:
            price = _price_for(market, fill, need, rate)
            price = price if price is None else _tenfold(fill.price, price) or price
            how = None if price is None else slip(*_told(ground, fill.price, price))
            if price is None or how is None or not _fits(ground, market, at, price):
                continue
            other = replace(fill, price=price)
            for changed in (other, *_charged_again(ground, market, fill, other)):
                change = Change((fill,), (changed,))
                if ground.reaches(change.vector(ground.bookings)):
                    rank = 2 if _shows(ground, market, fill, changed) else UNPROVEN
                    yield Edit(CauseKind.WRONG_PRICE, change, (fill,), rank, how)


def tenfold_prices(ground: Ground) -> Iterator[Edit]:
    """Every price ten times what it is, and a tenth of it."""
    for fill in ground.fills:
        for power in (-1, 1):
            other = replace(fill, price=fill.price.scaleb(power, EXACT))
            how = slip(*_told(ground, fill.price, other.price))
            if how is not None:
                yield Edit(CauseKind.WRONG_PRICE, Change((fill,), (other,)), (fill,), 2, how)


def _tenfold(given: Decimal, price: Decimal) -> Decimal | None:
    """The power of ten of a given price that is next to a solved one, `None` where none is."""
    exponent = price.adjusted() - given.adjusted()
    for power in (exponent - 1, exponent, exponent + 1):
        exact = given.scaleb(power, EXACT)
        off = EXACT.subtract(exact, price).copy_abs()
        if power and EXACT.multiply(off, _FAR) <= price:
            return exact
    return None


def _shows(ground: Ground, market: Market, fill: Fill, other: Fill) -> bool:
    """Whether more than one number shows that a price is wrong: its fee, or a power of ten."""
    wrong, right = (other, fill) if ground.rows_right else (fill, other)
    model = market.model
    if model is not None and wrong.fee == right.fee and wrong.fee:
        fees = [[model.fee(ground.bookings, each, rate) for rate in model.rates]
                for each in (wrong, right)]  # fmt: skip
        unit = ground.bookings.resolution(model.currency)
        apart = min(EXACT.subtract(fee, wrong.fee).copy_abs() for fee in fees[0])
        if apart > EXACT.multiply(unit, _MANY_UNITS) and right.fee in fees[1]:
            return True
    return (slip(wrong.price, right.price) or "").startswith("10^")


def _price_for(market: Market, fill: Fill, need: Decimal, rate: Decimal) -> Decimal | None:
    """The price on a tick at which a fill would book the need more, `None` where none is."""
    quantity = Fraction(fill.quantity) * Fraction(market.instrument.multiplier)
    signed = quantity if fill.side is OrderSide.BUY else -quantity
    if market.instrument.instrument_kind is InstrumentKind.INVERSE:
        if not fill.price:
            return None
        inverse = 1 / Fraction(fill.price) + Fraction(need) / signed
        return None if inverse <= 0 else _on_tick(1 / inverse, market.tick_places)
    share = signed + quantity * Fraction(rate)
    price = Fraction(fill.price) - Fraction(need) / share if share else Fraction(0)
    return None if price <= 0 else _on_tick(price, market.tick_places)


def _on_tick(price: Fraction, places: int) -> Decimal:
    return Decimal(round(price * 10**places)).scaleb(-places, EXACT)


def _fits(ground: Ground, market: Market, at: int, price: Decimal) -> bool:
    """Whether the right one of the two prices is that of the fills before and after."""
    right = market.fills[at].price if ground.rows_right else price
    around = [market.fills[each] for each in (at - 1, at + 1) if 0 <= each < len(market.fills)]
    return any(fill.price <= right * _CLOSE and right <= fill.price * _CLOSE for fill in around)


def _missing(ground: Ground, market: Market, name: str) -> Iterator[Edit]:
    """A fill that no row tells: its quantity from the position, its price from the cash."""
    for fill in _unknown_fills(ground, market, ground.need[name]):
        change = Change(added=(fill,))
        if not ground.reaches(change.vector(ground.bookings)):
            continue
        if any(ground.reaches(Change(added=(other,)).vector(ground.bookings))
               for other in _ticks_beside(market, fill)):  # fmt: skip
            continue
        kind = CauseKind.ORPHAN_FILL if ground.rows_right else CauseKind.MISSING_FILL
        # Which PnL a fill of a derivative made depends on its time, which no row tells.
        timed = fill.client_order_id is not None or not ground.bookings.derivative(fill.symbol)
        yield Edit(kind, change, (fill,), 2 if timed else UNPROVEN)


def _ticks_beside(market: Market, fill: Fill) -> Iterator[Fill]:
    tick = Decimal((0, (1,), -market.tick_places))
    for price in (EXACT.add(fill.price, tick), EXACT.subtract(fill.price, tick)):
        if price > 0:
            yield replace(fill, price=price)


def _unknown_fills(ground: Ground, market: Market, need: Decimal) -> Iterator[Fill]:
    pattern, model = market.fills[-1], market.model
    side = OrderSide.BUY if need > 0 else OrderSide.SELL
    cash = ground.bookings.cash(paid_in(market.instrument), pattern.account)
    if cash not in ground.space.compared or cash in ground.unknown:
        return
    for rate in (ZERO,) if model is None else model.rates:
        in_base = model is not None and model.in_base
        if abs(rate) >= 1:
            continue
        quantity = _before_fee(need.copy_abs(), side, rate, market) if in_base else need.copy_abs()
        if not market.has_lots_of(decimal_places(shortest(quantity))):
            continue
        price = _price_paid(market, side, quantity, ground.need.get(cash, ZERO),
                            ZERO if in_base else rate)  # fmt: skip
        if price is None or not market.near(price):
            continue
        bare = replace(_unknown(ground, pattern), side=side, quantity=quantity, price=price)
        if model is None:
            yield replace(bare, fee_currency=None)
        else:
            yield replace(bare, fee=model.fee(ground.bookings, bare, rate),
                          fee_currency=model.currency)  # fmt: skip


def _unknown(ground: Ground, pattern: Fill) -> Fill:
    """A fill without an id or a fee, of the order that does not have its fills, if there is one."""
    names = [name for name in ground.need if name.startswith(ORDER)]
    order = ground.orders.get(names[0]) if len(names) == 1 else None
    return replace(
        pattern,
        fill_id=MISSING_ID,
        fee=ZERO,
        time=pattern.time if order is None else order.time,
        client_order_id=None if order is None else order.client_order_id,
        exchange_order_id=None if order is None else order.exchange_order_id,
    )


def _before_fee(need: Decimal, side: OrderSide, rate: Decimal, market: Market) -> Decimal:
    """The quantity whose fee in the base currency leaves the need."""
    share = 1 - Fraction(rate) if side is OrderSide.BUY else 1 + Fraction(rate)
    return _on_tick(Fraction(need) / share, market.lot_places)


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
        return None if inverse <= 0 else _on_tick(1 / inverse, market.tick_places)
    price = -Fraction(need) / (worth * (sign + Fraction(rate)))
    return None if price <= 0 else _on_tick(price, market.tick_places)
