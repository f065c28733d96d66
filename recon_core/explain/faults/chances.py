"""What may be chance: when so much was tried that something fits what nobody needs.

What is found proves a cause only where a need a little beside the one that is asked for would
have found nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.effects.slips import last_digit
from recon_core.explain.effects.space import Vector, add_to, currency_of, is_cash
from recon_core.explain.faults.market import Market, paid_in
from recon_core.explain.grounds.ground import Ground
from recon_core.model import Fill

_MANY_TRIED: Final = 5
_UNITS_EACH: Final = 50
_COARSE: Final = Decimal("0.001")
_EDITS_OF_A_FILL: Final = 3
_SELDOM: Final = 1_000
_TICKS: Final = 300
_FIRSTS: Final = 100
_FLOAT_NOISE: Final = Decimal("0.001")
_FINE: Final = Decimal("1e-8")
_DECOYS: Final = 6
_LOOSE_DECOYS: Final = 3
_APART: Final = Decimal(40)
_GRIDS: Final = (ZERO, Decimal("0.01"), Decimal(1), None)


def is_coarse(ground: Ground, tried: int) -> bool:
    """Whether one of so many candidates may give a derivative's cash by chance.

    So it is where the cash that is needed is but a few units for each of them.
    """
    if not (ground.tolerance or ground.unknown) or tried < _MANY_TRIED:
        return False
    units = [
        Fraction(amount.copy_abs())
        / Fraction(ground.bookings.resolution(currency_of(name)) or _COARSE)
        for name, amount in ground.exact.items()
        if amount and is_cash(name)
    ]
    return sum(units) < tried * _UNITS_EACH


def is_much(ground: Ground, cash: Vector) -> bool:
    """Whether an amount is one that two of the fills make by chance hardly ever."""
    if ground.unknown:
        return False
    pairs = Fraction((len(ground.fills) * _EDITS_OF_A_FILL) ** 2)
    units = [
        Fraction(amount.copy_abs())
        / Fraction(max(ground.bookings.resolution(currency_of(name)), ground.space.dust) or _FINE)
        for name, amount in cash.items()
        if amount and is_cash(name)
    ]
    return sum(units) > pairs * _SELDOM


def stands_alone(ground: Ground, effect: Vector, tried: int) -> bool:
    """Whether one of so many effects leaves as little of the need by chance hardly ever.

    What is left may then be looked at for itself.
    """
    times = Fraction(1)
    for name in ({*ground.need, *effect} & ground.space.compared) - ground.unknown:
        amount = ground.need.get(name, ZERO).copy_abs()
        moved = effect.get(name, ZERO)
        rest = EXACT.subtract(ground.need.get(name, ZERO), moved).copy_abs()
        if moved and rest >= amount:
            return False
        if moved:
            times *= Fraction(amount) / Fraction(max(rest, _unit(ground, name, amount)))
    return times > tried * _SELDOM


def _unit(ground: Ground, name: str, amount: Decimal) -> Decimal:
    """What an amount of a dimension may be off, or is a whole number of."""
    resolution = ground.bookings.resolution(currency_of(name)) if is_cash(name) else ZERO
    return max(ground.allowed(name), resolution or _own_grid(amount))


def is_any_price(ground: Ground, market: Market, fill: Fill, tried: int) -> bool:
    """Whether a price on a tick may well give some random cash: where a tick is worth little."""
    beside = next(ticks_beside(market, fill))
    name = ground.bookings.cash(paid_in(market.instrument), fill.account)
    worth, other = (ground.bookings.fill(each).get(name, ZERO) for each in (fill, beside))
    unit = max(ground.bookings.resolution(currency_of(name)) or _FINE, ground.space.dust)
    if ground.space.dust and ground.is_close(ground.bookings.fill(fill)):
        unit = EXACT.multiply(ground.space.dust, _FLOAT_NOISE)
    step = EXACT.subtract(worth, other).copy_abs()
    return step < EXACT.multiply(unit, Decimal(tried * _TICKS))


def is_any_quantity(ground: Ground, market: Market, need: Decimal, tried: int) -> bool:
    """Whether one of so many first edits may leave the price of some fill: a tick is little."""
    name = ground.bookings.cash(paid_in(market.instrument), market.fills[0].account)
    unit = ground.bookings.resolution(currency_of(name)) or _FINE
    worth = EXACT.multiply(need.copy_abs(), market.instrument.multiplier)
    tick = worth.scaleb(-market.tick_places, EXACT)
    return tick < EXACT.multiply(max(unit, ground.space.dust), Decimal(tried * _FIRSTS))


def ticks_beside(market: Market, fill: Fill) -> Iterator[Fill]:
    """The fill at the prices a tick above and a tick below."""
    tick = Decimal((0, (1,), -market.tick_places))
    for price in (EXACT.add(fill.price, tick), EXACT.subtract(fill.price, tick)):
        if price > 0:
            yield replace(fill, price=price)


def decoys(ground: Ground) -> list[dict[str, Decimal]]:
    """Needs that nobody has, a little beside the one that is asked for."""
    loose = bool(ground.space.dust or ground.tolerance)
    steps, grids = (_LOOSE_DECOYS, (None,)) if loose else (_DECOYS, _GRIDS)
    return [need_beside(ground, step, grid) for step in range(1, steps + 1) for grid in grids]


def need_beside(ground: Ground, step: int, grid: Decimal | None) -> dict[str, Decimal]:
    """The need with every balance a few units off, units of a currency or round ones.

    `grid` is what a unit is at least; `None`, the last digit of the need itself.
    """
    beside = dict(ground.need)
    for name in ground.need:
        if is_cash(name):
            currency = currency_of(name)
            unit = max(
                ground.bookings.resolution(currency) or _FINE,
                EXACT.multiply(ground.allowed(name), _APART),
                _own_grid(ground.need[name]) if grid is None else grid,
            )
            add_to(beside, name, EXACT.multiply(unit, Decimal(step)))
    return beside


def _own_grid(amount: Decimal) -> Decimal:
    """The last digit of an amount that is not 0: what a round amount is round to."""
    return Decimal(1).scaleb(last_digit(amount))
