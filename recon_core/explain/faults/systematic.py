"""Faults of all rows at once: a rate, a unit, a sign, a habit of reading.

Those that are all that is needed, and habits, which bring what is needed nearer.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.effects.space import Vector, is_position, negated
from recon_core.explain.faults.changed_numbers import charged_along
from recon_core.explain.faults.cumulative import cumulative
from recon_core.explain.faults.edits import Edit
from recon_core.explain.faults.every_fee import (
    in_other_currencies,
    no_fees,
    of_every_fee,
    turned_fees,
)
from recon_core.explain.faults.every_trade import (
    TURNED,
    in_another_unit,
    multipliers,
    of_every_trade,
    rounded_to,
    rounding_effect,
    turned_trades,
)
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.grounds.ground import Ground
from recon_core.model import Fill

_MOST_HABIT_PLACES: Final = 7
_MOST_GROUPS: Final = 6
_COMMON: Final = tuple(Decimal(1).scaleb(exponent) for exponent in (-8, -3, -2, -1, 1, 2, 3, 8))


def systematic(ground: Ground, fill_edits: FillEdits) -> Iterator[Edit]:
    """The edits of all fills of a ground, and of those of each position."""
    for fills in _groups(ground):
        yield from of_every_fee(ground, fills, fill_edits)
        yield from of_every_trade(ground, fills)
    for edit in cumulative(ground):
        yield edit
        charged = charged_along(ground, fill_edits, edit)
        if charged is not None:
            yield charged


def habits(ground: Ground) -> Iterator[Edit]:
    """The edits of all fills without a free number that bring the need nearer.

    For faults that come together with another one: what is left is looked for after them.
    """
    for fills in _groups(ground, _MOST_GROUPS):
        for edit in _habits_of(ground, fills):
            if _nearer(ground, edit.change.vector(ground.bookings)):
                yield edit


def _groups(ground: Ground, most: int | None = None) -> Iterator[Sequence[Fill]]:
    """All fills, those of each symbol and those of each position; none of a single fill."""
    several = list(ground.by_symbol.values()) if len(ground.by_symbol) > 1 else []
    symbols: dict[str, list[Fill]] = {}
    for fills in several:
        symbols.setdefault(fills[0].symbol, []).extend(fills)
    if 1 < len(symbols) < len(several):
        several = [*symbols.values(), *several]
    return (fills for fills in [ground.fills, *several][:most] if len(fills) > 1)


def _habits_of(ground: Ground, fills: Sequence[Fill]) -> Iterator[Edit]:
    charged, booked = [fill for fill in fills if fill.fee], ground.bookings.trades(fills)
    fees = ground.bookings.fees(charged)
    if len(charged) > 1:
        if _nearer(ground, _times(fees, TURNED)):
            yield turned_fees(charged)
        if ground.rows_right and _nearer(ground, negated(fees)):
            yield no_fees(charged)
        yield from in_other_currencies(ground, charged)
    if _nearer(ground, _times(booked, TURNED)):
        yield turned_trades(fills)
    for factor in (*_COMMON, *multipliers(ground, fills)):
        if _nearer(ground, _times(booked, EXACT.subtract(factor, Decimal(1)))):
            yield in_another_unit(ground, fills, factor)
    if ground.rows_right:
        for places in range(_MOST_HABIT_PLACES):
            effect = rounding_effect(ground, fills, places)
            if effect is None or _nearer(ground, effect):
                yield from rounded_to(fills, places)


def _times(effect: Vector, factor: Decimal) -> dict[str, Decimal]:
    return {name: EXACT.multiply(amount, factor) for name, amount in effect.items()}


def _nearer(ground: Ground, effect: Vector) -> bool:
    """Whether what is needed becomes less where the effect is largest, in positions if any.

    A balance may be that of other symbols, too.
    """
    seen = ground.space.seen(effect)
    if not seen:
        return False
    name = max(seen, key=lambda each: (is_position(each), seen[each].copy_abs(), each))
    need = ground.need.get(name, ZERO)
    return EXACT.subtract(need, seen[name]).copy_abs() < need.copy_abs()
