"""Chance of coincidence: how easily a search of this size would match a random amount.

A match proves a cause only if a random required effect would hardly ever be matched. 50 fills
have about 150 hypotheses and 22,500 pairs of them: 3.00 EUR is one of 300 amounts in cents,
which some pair matches by coincidence; 1,000,000.00 EUR is one of 100 million, which hardly any
pair matches.
Where the count is unknown, decoys measure it: required effects that no fault caused.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.problem.dimensions import Vector, add_to, currency_of, is_cash
from recon_core.explain.problem.figures import last_digit
from recon_core.explain.problem.market import Market, paid_in
from recon_core.explain.problem.problem import Problem
from recon_core.model import Fill, InstrumentKind
from recon_core.values.amounts import EXACT, ZERO, unit_at

_MANY_TRIED: Final = 5
"""Candidates from which on a coincidence is considered: among fewer it is unlikely."""

_UNITS_EACH: Final = 50
"""Currency units of required cash for each candidate.

The chance of a coincidence is then below 1 in 50. Fewer units let more coincidences pass as
proof; more units refuse small faults that are real.
"""

_COARSE: Final = Decimal("0.001")
"""Unit, in currency, that `is_coarse` assumes where no precision is declared.

A finer unit would count more units in the same cash, and so let coincidences pass.
"""

_HYPOTHESES_OF_A_FILL: Final = 3
"""Hypotheses that are counted for each fill; the estimated pairs grow with its square."""

_FILLS_OF_A_UNIT: Final = 2
"""Fills for each unit of cash from which on some fill nearly always has the amount.

Their fees are of one size, and half and twice of them are further amounts.
"""

_AMOUNTS_EACH: Final = 1_000
"""Amounts for each hypothesis tried: a coincidence is then rarer than 1 in 1,000."""

_UNITS_OF_A_TICK: Final = 300
"""Currency units in a tick for each problem: random cash then fits a tick once in 300."""

_FIRSTS: Final = 100
"""Currency units in a tick for each first fault: a random residual fits once in 100."""

_FLOAT_NOISE: Final = Decimal("0.001")
"""Fraction of the float dust within which a fit of floats is exact, as in `Problem.is_close`.

The cash of an exact fit is counted in this unit: with the whole dust, few prices of float
sources would count as proven.
"""

_SPREAD: Final = Decimal("0.01")
"""Least range of a market's prices, as a fraction of the price: few fills may show less."""

_FEW_PRICES: Final = 100
"""Prices in the range of a market for each that is tried: of fewer, one in 100 is met by chance."""

_WINDOWS: Final = Decimal(20)
"""Units of cash in the range of a market for each of its fills: in fewer, the price of one of them
gives a fill's cash by chance."""

_DECOYS: Final = 6
"""Fewest decoys of each grid.

Each costs a look-up of all pairs; with fewer, a likely coincidence may be missed.
"""

_LOOK_UPS: Final = 2_000
"""Look-ups of a fill that the decoys of each grid may cost: 66 decoys for 30 fills.

Few fills have few pairs, so that a coincidence of one in 25 is met by no six decoys as a rule.
"""

_MOST_DECOYS: Final = 100
"""Most decoys of each grid: making them would cost more than all else of a session of one fill."""

_DECOYS_IN_TOLERANCE: Final = 3
"""Decoys where amounts have a tolerance: each look-up then matches a wide range of amounts."""

_OFFSET: Final = Decimal(40)
"""Distance of a decoy from the required amount, in tolerances.

40 tolerances are 10 steps of a fingerprint. A look-up tries 2 steps around: nearer decoys would
be matched wherever the required amount is.
"""

_LEAST_UNITS: Final = (ZERO, Decimal("0.01"), Decimal(1), None)
"""Least distances of decoys, in currency; `None` is the last digit of the required amount.

Fills at round prices have round effects, and only a round decoy can be matched by them.
"""


def is_coarse(problem: Problem, tried: int) -> bool:
    """True if one of `tried` candidates could match a derivative's cash by coincidence.

    The required cash is then worth less than `_UNITS_EACH` currency units for each candidate.
    False without a tolerance or an unknown balance.
    """
    if not (problem.tolerance or problem.unknown) or tried < _MANY_TRIED:
        return False
    units = [
        Fraction(amount.copy_abs())
        / Fraction(problem.postings.resolution(currency_of(name)) or _COARSE)
        for name, amount in problem.exact.items()
        if is_cash(name)
    ]
    return sum(units) < tried * _UNITS_EACH


def is_much(problem: Problem, cash: Vector) -> bool:
    """True if two hypotheses on fills would hardly ever give this cash by coincidence.

    `cash` is by dimension, in currency. False where balances are unknown.
    """
    if problem.unknown:
        return False
    pairs = (len(problem.fills) * _HYPOTHESES_OF_A_FILL) ** 2
    return _units(problem, cash) > pairs * _AMOUNTS_EACH


def is_little(problem: Problem, cash: Vector, *, of_fees: bool = False) -> bool:
    """True if a hypothesis on one row may well give this cash by coincidence.

    `cash` is by dimension, in currency. 0.32 EUR is one of 32 amounts in cents, and the hypotheses
    on 400 fills have most of these. `of_fees`: fees are rounded, where cash may have more
    decimals, and each of two may be wrong by one unit.
    """
    units = _units(problem, cash, of_fees=of_fees)
    is_one_unit = of_fees and units <= 1 and len(problem.fills) > 1
    return is_one_unit or units * _FILLS_OF_A_UNIT < len(problem.fills)


def _units(problem: Problem, cash: Vector, *, of_fees: bool = False) -> Fraction:
    """Return the steps of cash, or of float dust, that the balances of an effect are worth."""
    total = Fraction(0)
    for name, amount in cash.items():
        if is_cash(name):
            step = _step(problem, currency_of(name), of_fees=of_fees)
            total += Fraction(amount.copy_abs()) / Fraction(step)
    return total


def _step(problem: Problem, currency: str, *, of_fees: bool = False) -> Decimal:
    """Return the step in which a currency is counted: that of its postings, at least the dust."""
    steps = problem.postings.cash_step
    step = steps.of_fees(currency) if of_fees else steps.of(currency)
    return max(step, problem.dimensions.dust)


def is_significant(problem: Problem, effect: Vector, tried: int) -> bool:
    """True if one of `tried` effects would hardly ever leave so small a residual by coincidence.

    500.00 EUR required and 0.02 EUR left: a chance of 1 in 25,000. The residual may then be
    explained by itself. False if a dimension that moves gets no nearer to its required amount.
    """
    times = Fraction(1)
    for name in ({*problem.required, *effect} & problem.dimensions.compared) - problem.unknown:
        amount = problem.required.get(name, ZERO).copy_abs()
        moved = effect.get(name, ZERO)
        residual = EXACT.subtract(problem.required.get(name, ZERO), moved).copy_abs()
        if moved and residual >= amount:
            return False
        if moved:
            times *= Fraction(amount) / Fraction(max(residual, _unit(problem, name, amount)))
    return times > tried * _AMOUNTS_EACH


def _unit(problem: Problem, name: str, amount: Decimal) -> Decimal:
    """Return the step in which an amount counts: tolerance, precision, or its own last digit."""
    resolution = problem.postings.resolution(currency_of(name)) if is_cash(name) else ZERO
    return max(problem.allowed(name), resolution or _digit_unit(amount))


def is_any_price(problem: Problem, market: Market, fill: Fill, tried: int) -> bool:
    """True if a price on a tick could fit random cash, because a tick is worth too little.

    `tried` is the number of similar searches: each is one more chance.
    """
    next_tick = next(at_next_ticks(market, fill))
    name = problem.postings.cash(paid_in(market.instrument), fill.account)
    worth, other = (problem.postings.fill(each).get(name, ZERO) for each in (fill, next_tick))
    unit = _step(problem, currency_of(name))
    if problem.dimensions.dust and problem.is_close(problem.postings.fill(fill)):
        noise = EXACT.multiply(problem.dimensions.dust, _FLOAT_NOISE)
        unit = max(problem.postings.cash_step.of(currency_of(name)), noise)
    step = EXACT.subtract(worth, other).copy_abs()
    return step < EXACT.multiply(unit, Decimal(tried * _UNITS_OF_A_TICK))


def is_of_many_prices(problem: Problem, market: Market, fill: Fill) -> bool:
    """True if one of a market's fills may well have the price at which a fill has its cash.

    0.005 at 99.60 are 0.50 in cents, as at every price from 99.01 to 100.99. And 0.097 at 479.47
    are 46.51, as at two prices of 100 around: one of 17 fills has such a price in one case of 3.
    """
    unit, worth = _unit_and_worth(problem, market, fill)
    tried = EXACT.multiply(_WINDOWS, Decimal(len(market.fills)))
    return EXACT.multiply(unit, tried) > EXACT.multiply(worth, _spread(market, fill))


def is_below_cash(problem: Problem, market: Market, fill: Fill) -> bool:
    """True if a tick of a fill's price is worth less than a unit of cash: each cash has a price."""
    unit, worth = _unit_and_worth(problem, market, fill)
    return EXACT.multiply(worth, unit_at(market.tick_places)) < unit


def _unit_and_worth(problem: Problem, market: Market, fill: Fill) -> tuple[Decimal, Decimal]:
    """Return the unit of a market's cash, and what a fill costs for each unit of its price."""
    unit = _step(problem, currency_of(problem.postings.cash(paid_in(market.instrument), None)))
    return unit, EXACT.multiply(fill.quantity, market.instrument.multiplier)


def has_few_prices(problem: Problem, market: Market, fill: Fill, tried: int) -> bool:
    """True if one of `tried` prices may well be that of a missing fill by coincidence.

    Prices count as one if a fill of that quantity has the same cash at them: 1 GBP at 1.2792 and at
    1.2801 costs 1.28 USD. An inverse contract is paid in another unit, and its ticks are counted.
    """
    unit, worth = _unit_and_worth(problem, market, fill)
    step = unit_at(market.tick_places)
    is_inverse = market.instrument.instrument_kind is InstrumentKind.INVERSE
    paid = EXACT.multiply(worth, step) if is_inverse else max(unit, EXACT.multiply(worth, step))
    most = EXACT.multiply(paid, Decimal(tried * _FEW_PRICES))
    return EXACT.multiply(worth, _spread(market, fill)) < most


def _spread(market: Market, fill: Fill) -> Decimal:
    """Return the range of prices in which a fill may be, at least `_SPREAD` of its price."""
    low, high = market.price_range
    shown = EXACT.subtract(high, low)
    return max(shown, EXACT.multiply(fill.price, _SPREAD))


def is_any_quantity(problem: Problem, market: Market, required: Decimal, tried: int) -> bool:
    """True if one of `tried` first faults could fit some price: a tick is worth too little."""
    name = problem.postings.cash(paid_in(market.instrument), market.fills[0].account)
    unit = _step(problem, currency_of(name))
    worth = EXACT.multiply(required.copy_abs(), market.instrument.multiplier)
    tick = worth.scaleb(-market.tick_places, EXACT)
    return tick < EXACT.multiply(unit, Decimal(tried * _FIRSTS))


def at_next_ticks(market: Market, fill: Fill) -> Iterator[Fill]:
    """Yield the fill at the prices one tick above and one tick below, if positive."""
    tick = unit_at(market.tick_places)
    for price in (EXACT.add(fill.price, tick), EXACT.subtract(fill.price, tick)):
        if price > 0:
            yield replace(fill, price=price)


def decoys(problem: Problem) -> list[dict[str, Decimal]]:
    """Return required effects near the real one that no fault caused."""
    has_tolerance = bool(problem.dimensions.dust or problem.tolerance)
    many = min(max(_DECOYS, _LOOK_UPS // max(1, len(problem.fills))), _MOST_DECOYS)
    steps = _DECOYS_IN_TOLERANCE if has_tolerance else many
    units = (None,) if has_tolerance else _LEAST_UNITS
    found = (offset_effect(problem, step, least) for step in range(1, steps + 1) for least in units)
    return list({tuple(sorted(effect.items())): effect for effect in found}.values())


def offset_effect(problem: Problem, step: int, least: Decimal | None) -> dict[str, Decimal]:
    """Return the required effect with every balance `step` units higher.

    A unit is at least `least`, in currency; for `None`, the last digit of the required amount.
    """
    shifted = dict(problem.required)
    for name in problem.required:
        if is_cash(name):
            currency = currency_of(name)
            unit = max(
                problem.postings.cash_step.of(currency),
                EXACT.multiply(problem.allowed(name), _OFFSET),
                _digit_unit(problem.required[name]) if least is None else least,
            )
            add_to(shifted, name, EXACT.multiply(unit, Decimal(step)))
    return shifted


def _digit_unit(amount: Decimal) -> Decimal:
    """Return the unit of the last digit of an amount that is not 0: 0.1 of 1.50, 1000 of 5000."""
    return Decimal(1).scaleb(last_digit(amount))
