"""Faults of every trade at once: the side turned, the unit of quantities, their rounding."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.amounts import EXACT, ZERO, exact_sum, round_to_places
from recon_core.explain.effects.bookings import to_decimal
from recon_core.explain.effects.space import Vector, currency_of, is_cash
from recon_core.explain.faults.edits import Edit, flipped, of_all
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, InstrumentKind, OrderSide

TURNED: Final = Decimal(-2)
"""A turned amount less the amount itself, as a multiple of it."""

_POWERS: Final = tuple(Decimal(1).scaleb(exponent) for exponent in range(-9, 10) if exponent)
_MOST_PLACES: Final = 8
_FINE: Final = Decimal("1e-12")


def of_every_trade(ground: Ground, fills: Sequence[Fill]) -> Iterator[Edit]:
    """Every quantity in another unit, every side turned, every quantity rounded."""
    factors = _factors(ground, fills)
    if not factors and not ground.rows_right:
        return
    total = ground.bookings.trades(fills)
    if _are_flat(fills):
        factors = [each for each in factors if _may_settle(ground, total, each)]
    seen = [name for name, amount in ground.space.seen(total).items() if amount]
    if not seen:
        return
    if TURNED in factors and _may(ground, total, seen, TURNED):
        yield turned_trades(fills)
    for factor in (*_POWERS, *multipliers(ground, fills)):
        more = EXACT.subtract(factor, Decimal(1))
        if more in factors and _may(ground, total, seen, more):
            yield in_another_unit(ground, fills, factor)
    if ground.rows_right:
        yield from _rounded(ground, fills)


def _factors(ground: Ground, fills: Sequence[Fill]) -> list[Decimal]:
    """By what all quantities may be multiplied more, as far as the positions tell."""
    more = [EXACT.subtract(each, Decimal(1)) for each in (*_POWERS, *multipliers(ground, fills))]
    factors = [TURNED, *more]
    for name, some in _by_position(ground, fills).items():
        is_all = len(some) == len(ground.fills)
        total = {name: exact_sum(ground.rows.signed if is_all else map(signed_quantity, some))}
        if total[name]:
            factors = [each for each in factors if _may(ground, total, [name], each)]
        elif ground.need.get(name, ZERO).copy_abs() > ground.allowed(name):
            return []  # what is flat is flat in every unit
    return factors


def _by_position(ground: Ground, fills: Sequence[Fill]) -> dict[str, Sequence[Fill]]:
    """The fills by the position that they move, those that are compared."""
    if len(ground.places) == 1:
        return {name: fills for name in ground.places if name in ground.space.compared}
    found: dict[str, list[Fill]] = {}
    for fill in fills:
        found.setdefault(ground.bookings.position(fill), []).append(fill)
    return {name: some for name, some in found.items() if name in ground.space.compared}


def _may(ground: Ground, total: dict[str, Decimal], seen: list[str], factor: Decimal) -> bool:
    """Whether a multiple of what the fills book is what is needed, but for their rounding."""
    for name in seen:
        expected = EXACT.multiply(total[name], factor)
        off = EXACT.subtract(ground.need.get(name, ZERO), expected).copy_abs()
        if off > ground.allowed(name) and off > _rounding(ground, name, factor):
            return False
    return True


def _rounding(ground: Ground, name: str, factor: Decimal) -> Decimal:
    """What all fills together may be rounded by in a dimension, and so many times that."""
    if not is_cash(name):
        return ZERO
    unit = max(ground.bookings.resolution(currency_of(name)), _FINE)
    times = EXACT.add(factor.copy_abs(), Decimal(2))
    return EXACT.multiply(EXACT.multiply(unit, times), Decimal(len(ground.fills)))


def _are_flat(fills: Sequence[Fill]) -> bool:
    """Whether nothing is open after the fills, whatever is averaged together."""
    held: dict[tuple[object, ...], Decimal] = {}
    for fill in fills:
        key = fill.symbol, fill.leg, fill.account, fill.position_id
        held[key] = EXACT.add(held.get(key, ZERO), signed_quantity(fill))
    return not any(held.values())


def _may_settle(ground: Ground, total: dict[str, Decimal], factor: Decimal) -> bool:
    """Whether a multiple of what flat trades realise is what balances need that depend on it."""
    for name in ground.unknown & total.keys():
        expected = EXACT.multiply(total[name], factor)
        off = EXACT.subtract(ground.exact.get(name, ZERO), expected).copy_abs()
        if off > EXACT.add(_rounding(ground, name, factor), ground.space.dust):
            return False
    return True


def turned_trades(fills: Sequence[Fill]) -> Edit:
    """Every fill with the other side."""
    turned = [flipped(fill) for fill in fills]
    return of_all(CauseKind.SIGN_CONVENTION, fills, turned, "BUY and SELL of every fill")


def in_another_unit(ground: Ground, fills: Sequence[Fill], factor: Decimal) -> Edit:
    """Every quantity so many times what it is."""
    scaled = [_scaled(fill, factor) for fill in fills]
    return of_all(CauseKind.UNIT, fills, scaled, _unit_text(factor, ground))


def _scaled(fill: Fill, factor: Decimal) -> Fill:
    return replace(fill, quantity=EXACT.multiply(fill.quantity, factor).normalize(EXACT))


def multipliers(ground: Ground, fills: Sequence[Fill]) -> list[Decimal]:
    """By what a contract's quantities may be counted too many or too few, besides powers of ten."""
    instrument = ground.bookings.instruments.get(fills[0].symbol)
    multiplier = Decimal(1) if instrument is None else instrument.multiplier
    if multiplier in {Decimal(1), *_POWERS} or not multiplier:
        return []
    inverse = to_decimal(1 / Fraction(multiplier), 30)
    exact = EXACT.multiply(inverse, multiplier) == 1
    return [multiplier, inverse] if exact else [multiplier]


def _unit_text(factor: Decimal, ground: Ground) -> str:
    booked = Fraction(factor) if ground.rows_right else 1 / Fraction(factor)
    return f"quantities are {booked} times what they should be"


def _rounded(ground: Ground, fills: Sequence[Fill]) -> Iterator[Edit]:
    """Every quantity rounded half-even to so many decimals, where the need is that small."""
    position = ground.bookings.position(fills[0])
    need = ground.need.get(position, ZERO).copy_abs()
    for places in range(_MOST_PLACES + 1):
        if need > EXACT.multiply(Decimal(len(fills)), Decimal(1).scaleb(-places)):
            break
        if _may_round(ground, fills, places):
            yield from rounded_to(fills, places)


def _may_round(ground: Ground, fills: Sequence[Fill], places: int) -> bool:
    """Whether quantities with so many decimals give what is needed, as far as numbers tell."""
    effect = rounding_effect(ground, fills, places)
    return effect is None or ground.reaches(effect)


def rounding_effect(ground: Ground, fills: Sequence[Fill], places: int) -> Vector | None:
    """What quantities with so many decimals move, without a fill being changed.

    `None` where a trade is worth no exact amount.
    """
    effect: dict[str, Decimal] = {}
    for fill in fills:
        rounded = round_to_places(fill.quantity, places)
        if rounded == fill.quantity:
            continue
        instrument = ground.bookings.instruments.get(fill.symbol)
        if instrument is None or instrument.instrument_kind is InstrumentKind.INVERSE:
            return None
        sign = 1 if fill.side is OrderSide.BUY else -1
        for quantity, times in ((rounded, sign), (fill.quantity, -sign)):
            for name, amount in ground.bookings.traded(fill, instrument, quantity):
                add = EXACT.add if times > 0 else EXACT.subtract
                effect[name] = add(effect.get(name, ZERO), amount)
    return effect


def rounded_to(fills: Sequence[Fill], places: int) -> Iterator[Edit]:
    """Every quantity with so many decimals at most, where any has more."""
    rounded = [replace(fill, quantity=round_to_places(fill.quantity, places)) for fill in fills]
    if list(fills) != rounded:
        yield of_all(CauseKind.ROUNDING, fills, rounded, f"quantities to {places} decimals")
