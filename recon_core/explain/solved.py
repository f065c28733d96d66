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
from recon_core.explain.space import ORDER, currency_of, is_cash, is_position
from recon_core.explanation import CauseKind
from recon_core.model import Fill, InstrumentKind, OrderSide

MISSING_ID: Final = "missing"
_CLOSE: Final = Decimal("1.1")
_FAR: Final = Decimal(100_000)
_SELDOM: Final = 300
_FINE: Final = Decimal("1e-8")
_FLOAT_NOISE: Final = Decimal("0.001")
_MANY_UNITS: Final = Decimal(100)


def solved(ground: Ground, edits: FillEdits, tried: int = 1) -> Iterator[Edit]:
    """Every edit with a solved number that is what is needed, on one of so many grounds tried."""
    positions = [name for name in ground.need if is_position(name)]
    if len(positions) == 1:
        market = market_of(ground, positions[0], edits)
        if market is not None:
            yield from _wrong_quantities(ground, market, positions[0])
            found = list(_missing(ground, market, positions[0], tried))
            finer = market.finer() if ground.space.dust and not found else ()
            for other in finer:  # prices of floats are on no tick
                found = found or list(_missing(ground, other, positions[0], tried))
            yield from found
    elif not positions:
        yield from _wrong_prices(ground, edits)


def slipped_quantities(ground: Ground, edits: FillEdits) -> Iterator[Edit]:
    """Wrong quantities by a slip that are what the position needs, whatever the cash needs."""
    return (edit for edit in quantities(ground, edits) if edit.detail)


def quantities(ground: Ground, edits: FillEdits) -> Iterator[Edit]:
    """Wrong quantities that are what the position needs, whatever the cash needs."""
    positions = [name for name in ground.need if is_position(name)]
    market = market_of(ground, positions[0], edits) if len(positions) == 1 else None
    for fill in () if market is None else market.fills:
        need = ground.need[positions[0]]
        step = need if fill.side is OrderSide.BUY else need.copy_negate()
        quantity = EXACT.add(fill.quantity, step)
        if quantity <= 0 or market is None:
            continue
        how = slip(*told(ground, fill.quantity, quantity)) or ""
        for other in with_quantity(ground, market, fill, quantity):
            change = Change((fill,), (other,))
            rank = rank_of_any(fill, other, slipped=bool(how))
            yield Edit(CauseKind.WRONG_QUANTITY, change, (fill,), rank, how)


def rank_of_any(fill: Fill, other: Fill, *, slipped: bool) -> int:
    """What speaks for any quantity: with its own fee it is as well a fill that no row tells."""
    return 2 if slipped or fill.fee == other.fee else UNPROVEN


def _wrong_quantities(ground: Ground, market: Market, name: str) -> Iterator[Edit]:
    need = ground.need[name]
    for fill in Paid(ground, market, name).candidates():
        step = need if fill.side is OrderSide.BUY else need.copy_negate()
        quantity = EXACT.add(fill.quantity, step)
        if quantity <= 0 or not _worth(ground, market, fill, need):
            continue
        for other in with_quantity(ground, market, fill, quantity):
            change = Change((fill,), (other,))
            if ground.reached_by(change):
                how = slip(*told(ground, fill.quantity, quantity))
                rank = _rank_of_quantity(ground, market, fill, other, slipped=how is not None)
                yield Edit(CauseKind.WRONG_QUANTITY, change, (fill,), rank, how or "")
                break


def _rank_of_quantity(
    ground: Ground, market: Market, fill: Fill, other: Fill, *, slipped: bool
) -> int:
    """What speaks for a wrong quantity: the fee of the right one, or a slip of the pen.

    A fee contradicts a wrong quantity; without fees a missing fill fits as well.
    """
    if not ground.rows_right and _fee_shows(ground, market, fill, other):
        return 0
    if slipped:
        return 1
    if market.model is None:
        return 2
    return 3 if fill.fee == other.fee else UNPROVEN


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


def with_quantity(ground: Ground, market: Market, fill: Fill, quantity: Decimal) -> Iterator[Fill]:
    """The fill with another quantity, its fee as it is and as that quantity is charged."""
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


def told(ground: Ground, given: Decimal, other: Decimal) -> tuple[Decimal, Decimal]:
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
            how = None if price is None else slip(*told(ground, fill.price, price))
            if price is None or how is None or not _fits(ground, market, at, price):
                continue
            other = replace(fill, price=price)
            for changed in (other, *_charged_again(ground, market, fill, other)):
                change = Change((fill,), (changed,))
                if ground.reached_by(change):
                    rank = 2 if _shows(ground, market, fill, changed) else UNPROVEN
                    yield Edit(CauseKind.WRONG_PRICE, change, (fill,), rank, how)


def tenfold(ground: Ground) -> Iterator[Edit]:
    """Every price and every quantity ten times what it is, and a tenth of it."""
    for fill in ground.fills:
        for power in (-1, 1):
            price = replace(fill, price=fill.price.scaleb(power, EXACT))
            yield from _slipped(ground, CauseKind.WRONG_PRICE, fill, fill.price, price, price.price)
            more = replace(fill, quantity=fill.quantity.scaleb(power, EXACT))
            yield from _slipped(
                ground, CauseKind.WRONG_QUANTITY, fill, fill.quantity, more, more.quantity
            )


def _slipped(
    ground: Ground, kind: CauseKind, fill: Fill, given: Decimal, other: Fill, changed: Decimal
) -> Iterator[Edit]:
    how = slip(*told(ground, given, changed))
    if how is not None:
        yield Edit(kind, Change((fill,), (other,)), (fill,), 2, how)


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
    if _fee_shows(ground, market, wrong, right):
        return True
    return (slip(wrong.price, right.price) or "").startswith("10^")


def _fee_shows(ground: Ground, market: Market, wrong: Fill, right: Fill) -> bool:
    """Whether a fee is that of the right fill, and far from that of the wrong one."""
    model = market.model
    if model is None or wrong.fee != right.fee or not wrong.fee:
        return False
    wrongly, rightly = (
        [model.fee(ground.bookings, each, rate) for rate in model.rates] for each in (wrong, right)
    )
    unit = ground.bookings.resolution(model.currency)
    apart = min(EXACT.subtract(fee, wrong.fee).copy_abs() for fee in wrongly)
    return apart > EXACT.multiply(unit, _MANY_UNITS) and right.fee in rightly


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


def _missing(ground: Ground, market: Market, name: str, tried: int) -> Iterator[Edit]:
    """A fill that no row tells: its quantity from the position, its price from the cash."""
    for fill in _unknown_fills(ground, market, ground.need[name]):
        change = Change(added=(fill,))
        if not ground.reached_by(change):
            continue
        if any(ground.reached_by(Change(added=(other,)))
               for other in _ticks_beside(market, fill)):  # fmt: skip
            continue
        kind = CauseKind.ORPHAN_FILL if ground.rows_right else CauseKind.MISSING_FILL
        # Which PnL a fill of a derivative made depends on its time, which no row tells.
        timed = fill.client_order_id is not None or not ground.bookings.derivative(fill.symbol)
        told = timed and not _by_chance(ground, market, fill, tried)
        yield Edit(kind, change, (fill,), 2 if told else UNPROVEN)


def _by_chance(ground: Ground, market: Market, fill: Fill, tried: int) -> bool:
    """Whether a price on a tick may well give some random cash: where a tick is worth little."""
    beside = next(_ticks_beside(market, fill))
    name = ground.bookings.cash(paid_in(market.instrument), fill.account)
    worth, other = (ground.bookings.fill(each).get(name, ZERO) for each in (fill, beside))
    unit = max(ground.bookings.resolution(currency_of(name)) or _FINE, ground.space.dust)
    if ground.space.dust and ground.is_close(ground.bookings.fill(fill)):
        unit = EXACT.multiply(ground.space.dust, _FLOAT_NOISE)
    step = EXACT.subtract(worth, other).copy_abs()
    return step < EXACT.multiply(unit, Decimal(tried * _SELDOM))


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
