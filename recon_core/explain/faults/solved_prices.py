"""Wrong prices: what a balance needs more is what one fill was paid too much or too little.

A solved price is on a tick, a slip of the pen away, and that of the fills before and after.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.slips import slip
from recon_core.explain.effects.space import is_cash
from recon_core.explain.faults.changed_numbers import charged_again, fee_shows, told
from recon_core.explain.faults.edits import UNPROVEN, Edit
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.faults.market import Market, market_of, on_tick, paid_in
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Fill, InstrumentKind, OrderSide

_CLOSE: Final = Decimal("1.1")
_FAR: Final = Decimal(100_000)


def wrong_prices(ground: Ground, edits: FillEdits) -> Iterator[Edit]:
    """Wrong prices that are what the only balance that needs anything needs."""
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
    for at, fill in enumerate(market.fills):
        if not fill.quantity:
            continue
        for rate in (ZERO, *market.rates(fill.side)):
            price = _price_for(market, fill, need, rate)
            price = price if price is None else _tenfold(fill.price, price) or price
            how = None if price is None else slip(*told(ground, fill.price, price))
            if price is None or how is None or not _fits(ground, market, at, price):
                continue
            other = replace(fill, price=price)
            for changed in (other, *charged_again(ground, market, fill, other)):
                change = Change((fill,), (changed,))
                if ground.reached_by(change):
                    rank = 2 if _shows(ground, market, fill, changed) else UNPROVEN
                    yield Edit(CauseKind.WRONG_PRICE, change, (fill,), rank, how)


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
    if fee_shows(ground, market, wrong, right):
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
        return None if inverse <= 0 else on_tick(1 / inverse, market.tick_places)
    share = signed + quantity * Fraction(rate)
    price = Fraction(fill.price) - Fraction(need) / share if share else Fraction(0)
    return None if price <= 0 else on_tick(price, market.tick_places)


def _fits(ground: Ground, market: Market, at: int, price: Decimal) -> bool:
    """Whether the right one of the two prices is that of the fills before and after."""
    right = market.fills[at].price if ground.rows_right else price
    around = [market.fills[each] for each in (at - 1, at + 1) if 0 <= each < len(market.fills)]
    return any(fill.price <= right * _CLOSE and right <= fill.price * _CLOSE for fill in around)
