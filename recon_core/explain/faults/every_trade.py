"""Faults of every trade at once: BUY and SELL exchanged, another unit, rounded quantities.

The effect of the first two is a multiple of the total, so totals are compared before any fill
is changed. Trades that book +3 BTC book -3 with BUY and SELL exchanged: an effect of -6, factor
-2 (`TURNED`). With quantities in thousandths they book +3,000: an effect of +2,997, factor 999.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.effects.dimensions import Vector, currency_of, is_cash
from recon_core.explain.effects.postings import to_decimal
from recon_core.explain.faults.hypotheses import Hypothesis, flipped, of_all
from recon_core.explain.problems.problem import Problem
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, InstrumentKind, OrderSide
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, exact_sum, round_to_places

TURNED: Final = Decimal(-2)
"""Factor of an exchanged sign: the turned amount less the amount itself is -2 times it."""

_POWERS: Final = tuple(Decimal(1).scaleb(exponent) for exponent in range(-9, 10) if exponent)
"""Factors between units, 10^-9 (nano) to 10^9: each is one comparison of totals."""

_MOST_PLACES: Final = 8
"""Decimals of a rounded quantity: quantities on most venues have no more than 8."""

_FINE: Final = Decimal("1e-12")
"""Unit, in currency, where no precision is declared: rounding is assumed to be no larger."""


def of_every_trade(problem: Problem, fills: Sequence[Fill]) -> Iterator[Hypothesis]:
    """Yield every quantity in another unit, every side flipped, every quantity rounded.

    Only hypotheses that may have the required effect are yielded; roundings only if rows are right.
    """
    factors = _factors(problem, fills)
    if not factors and not problem.rows_right:
        return
    total = problem.postings.trades(fills)
    if _are_flat(fills):
        factors = [each for each in factors if _may_settle(problem, total, each)]
    seen = [name for name, amount in problem.dimensions.seen(total).items() if amount]
    if not seen:
        return
    if TURNED in factors and _may(problem, total, seen, TURNED):
        yield turned_trades(fills)
    for factor in (*_POWERS, *multipliers(problem, fills)):
        more = EXACT.subtract(factor, Decimal(1))
        if more in factors and _may(problem, total, seen, more):
            yield in_another_unit(problem, fills, factor)
    if problem.rows_right:
        yield from _rounded(problem, fills)


def _factors(problem: Problem, fills: Sequence[Fill]) -> list[Decimal]:
    """Return the factors of the total effect that the compared positions allow."""
    more = [EXACT.subtract(each, Decimal(1)) for each in (*_POWERS, *multipliers(problem, fills))]
    factors = [TURNED, *more]
    for name, some in _by_position(problem, fills).items():
        is_all = len(some) == len(problem.fills)
        total = {name: exact_sum(problem.rows.signed if is_all else map(signed_quantity, some))}
        if total[name]:
            factors = [each for each in factors if _may(problem, total, [name], each)]
        elif problem.required.get(name, ZERO).copy_abs() > problem.allowed(name):
            return []  # a flat position is flat in every unit
    return factors


def _by_position(problem: Problem, fills: Sequence[Fill]) -> dict[str, Sequence[Fill]]:
    """Return the fills of each compared position, by dimension."""
    if len(problem.places) == 1:
        return {name: fills for name in problem.places if name in problem.dimensions.compared}
    found: dict[str, list[Fill]] = {}
    for fill in fills:
        found.setdefault(problem.postings.position(fill), []).append(fill)
    return {name: some for name, some in found.items() if name in problem.dimensions.compared}


def _may(problem: Problem, total: dict[str, Decimal], seen: list[str], factor: Decimal) -> bool:
    """True if `factor` times the total is the required effect, up to the rounding of cash."""
    for name in seen:
        expected = EXACT.multiply(total[name], factor)
        off = EXACT.subtract(problem.required.get(name, ZERO), expected).copy_abs()
        if off > problem.allowed(name) and off > _rounding(problem, name, factor):
            return False
    return True


def _rounding(problem: Problem, name: str, factor: Decimal) -> Decimal:
    """Return the slack of a balance in currency: (|factor| + 2) units a fill; 0 for positions."""
    if not is_cash(name):
        return ZERO
    unit = max(problem.postings.resolution(currency_of(name)), _FINE)
    times = EXACT.add(factor.copy_abs(), Decimal(2))
    return EXACT.multiply(EXACT.multiply(unit, times), Decimal(len(problem.fills)))


def _are_flat(fills: Sequence[Fill]) -> bool:
    """True if the fills close all that they open, by symbol, leg, account and position id."""
    held: dict[tuple[object, ...], Decimal] = {}
    for fill in fills:
        key = fill.symbol, fill.leg, fill.account, fill.position_id
        held[key] = EXACT.add(held.get(key, ZERO), signed_quantity(fill))
    return not any(held.values())


def _may_settle(problem: Problem, total: dict[str, Decimal], factor: Decimal) -> bool:
    """True if `factor` times the PnL of flat trades is what unknown balances require."""
    for name in problem.unknown & total.keys():
        expected = EXACT.multiply(total[name], factor)
        off = EXACT.subtract(problem.exact.get(name, ZERO), expected).copy_abs()
        if off > EXACT.add(_rounding(problem, name, factor), problem.dimensions.dust):
            return False
    return True


def turned_trades(fills: Sequence[Fill]) -> Hypothesis:
    """Build the hypothesis that every fill has the wrong side."""
    turned = [flipped(fill) for fill in fills]
    return of_all(CauseKind.SIGN_CONVENTION, fills, turned, "BUY and SELL of every fill")


def in_another_unit(problem: Problem, fills: Sequence[Fill], factor: Decimal) -> Hypothesis:
    """Build the hypothesis that every quantity is to be multiplied by `factor`."""
    scaled = [_scaled(fill, factor) for fill in fills]
    return of_all(CauseKind.UNIT, fills, scaled, _unit_text(factor, problem))


def _scaled(fill: Fill, factor: Decimal) -> Fill:
    return replace(fill, quantity=EXACT.multiply(fill.quantity, factor).normalize(EXACT))


def multipliers(problem: Problem, fills: Sequence[Fill]) -> list[Decimal]:
    """Return the contract multiplier and its exact inverse, unless they are powers of ten."""
    instrument = problem.postings.instruments.get(fills[0].symbol)
    multiplier = Decimal(1) if instrument is None else instrument.multiplier
    if multiplier in {Decimal(1), *_POWERS} or not multiplier:
        return []
    inverse = to_decimal(1 / Fraction(multiplier), 30)
    exact = EXACT.multiply(inverse, multiplier) == 1
    return [multiplier, inverse] if exact else [multiplier]


def _unit_text(factor: Decimal, problem: Problem) -> str:
    posted = Fraction(factor) if problem.rows_right else 1 / Fraction(factor)
    return f"quantities are {posted} times what they should be"


def _rounded(problem: Problem, fills: Sequence[Fill]) -> Iterator[Hypothesis]:
    """Yield every quantity rounded half-even to 0 to 8 decimals, while this moves enough."""
    position = problem.postings.position(fills[0])
    required = problem.required.get(position, ZERO).copy_abs()
    for places in range(_MOST_PLACES + 1):
        if required > EXACT.multiply(Decimal(len(fills)), Decimal(1).scaleb(-places)):
            break
        if _may_round(problem, fills, places):
            yield from rounded_to(fills, places)


def _may_round(problem: Problem, fills: Sequence[Fill], places: int) -> bool:
    """True if quantities with `places` decimals have the required effect, as far as is known."""
    effect = rounding_effect(problem, fills, places)
    return effect is None or problem.reaches(effect)


def rounding_effect(problem: Problem, fills: Sequence[Fill], places: int) -> Vector | None:
    """Return the effect of rounding quantities to `places` decimals, by dimension.

    `None` for inverse and unknown contracts, whose trades have no exact value.
    """
    effect: dict[str, Decimal] = {}
    for fill in fills:
        rounded = round_to_places(fill.quantity, places)
        if rounded == fill.quantity:
            continue
        instrument = problem.postings.instruments.get(fill.symbol)
        if instrument is None or instrument.instrument_kind is InstrumentKind.INVERSE:
            return None
        sign = 1 if fill.side is OrderSide.BUY else -1
        for quantity, times in ((rounded, sign), (fill.quantity, -sign)):
            for name, amount in problem.postings.traded(fill, instrument, quantity):
                add = EXACT.add if times > 0 else EXACT.subtract
                effect[name] = add(effect.get(name, ZERO), amount)
    return effect


def rounded_to(fills: Sequence[Fill], places: int) -> Iterator[Hypothesis]:
    """Yield every quantity with at most `places` decimals, if any quantity has more."""
    rounded = [replace(fill, quantity=round_to_places(fill.quantity, places)) for fill in fills]
    if list(fills) != rounded:
        yield of_all(CauseKind.ROUNDING, fills, rounded, f"quantities to {places} decimals")
