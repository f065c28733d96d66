"""Fee schedule of a side, inferred from its fills: a few rates that give most of their fees.

Each fee gives the rate with the fewest decimals that rounds to it: 0.053 on a value of 52.7 is
at 0.1 % (0.0527). The most frequent rates of the larger fees are the schedule. If they give too
few fees, the rate is taken that the most fees allow, each with its rounding: 0.01 on 20 allows
0.025 % to 0.075 %, 0.02 on 45 allows 0.033 % to 0.055 %, both allow 0.04 %. At last a fixed part
is looked for: fees of 9.504 on 8,004 and 9.496 on 7,996 are 1.5 and 0.1 %; a fee of 1.00 on any
value is 1.00 and no rate.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from operator import attrgetter
from typing import Final

from recon_core.explain.problem.postings import Postings, quotient
from recon_core.explain.problem.precision import unit_of
from recon_core.explain.problem.rows import charged_sample
from recon_core.model import Fill, InstrumentKind, OrderSide
from recon_core.values.amounts import (
    EXACT,
    MOST_DIGITS,
    ZERO,
    decimal_places,
    exact_sum,
    format_amount,
    round_by,
    round_to_places,
    shortest,
    unit_at,
)

_FEE: Final = attrgetter("fee")

_MOST_RATES: Final = 3
"""Most rates of one schedule, such as maker, taker and one of another tier.

With more rates almost every fee is near a rate by coincidence.
"""

_MOST_SAMPLED: Final = 400
"""Fees that are sampled, evenly over the fills (fewer than twice as many).

More cost time and change no rate, as a rate gives at least a twentieth of the fees; with fewer
this twentieth is a handful.
"""

_FILLS_OF_A_CHANGE: Final = 40
"""Fills of a position for each that is changed, from which on its schedule is not inferred again:
a rate gives at least a twentieth of the fees."""

ROUNDINGS: Final = (ROUND_HALF_EVEN, ROUND_HALF_UP)
"""Roundings of a fee that sources use."""

_Charge = tuple[Decimal, Decimal]
"""The value that a fee is charged on, and the fee, both in its currency."""

_Proposal = Callable[[Sequence[_Charge], int | None], list[Decimal]]
"""A function that proposes rates of fees that are rounded to some decimals."""

_RATE_PLACES: Final = 12
"""Most decimals of a rate, a fraction of the value.

Without a declared precision, 11 decimals give any fee (`FLOAT_NOISE`): a finer rate proves
nothing.
"""

_VALUE_PLACES: Final = 30
"""Decimals of the value of an inverse contract, a quotient: far more than any fee has."""

_FLOATS: Final = Context(prec=15)
"""Digits that a binary float carries in any number."""

_HALF: Final = Decimal("0.5")

_ONE: Final = Decimal(1)

_RATE_DIGITS: Final = 4
"""Most significant digits of a round rate: 0.075 % has two, most quotients have many."""

_FEWEST_FLAT: Final = 3
"""Fewest equal fees of values that differ: two may be of two rates."""

_FEWEST_FIXED: Final = 4
"""Fewest fees that show a fixed part: it is fitted with the rate, so any two fees have one."""

_UNITS_OF_A_STEP: Final = Decimal(10_000)
"""Units between the amounts that neighbouring round rates give.

A rate then gives some amount by coincidence in one of 10,000 cases.
"""


@dataclass(frozen=True, slots=True)
class FeeModel:
    """Fee schedule of one symbol: a fixed part and rates on a value, in one currency.

    `rates`: fractions of the value, the most frequent first; a negative rate is a rebate.
    `in_base`: the value is the quantity, not quantity times price. `rounding`: the rounding of
    the source, half-even, or half-up as of a source that computes in floats. `places`: the
    decimals that it rounds to, `None` where it states fees as they are. `fixed`: the part of
    every fee that does not depend on the value, in `currency`; a flat fee is at the rate 0.
    `is_product`: fees have all digits of rate times value, the noise of a float price among them.
    """

    rates: tuple[Decimal, ...]
    currency: str
    in_base: bool
    rounding: str = ROUND_HALF_EVEN
    places: int | None = None
    fixed: Decimal = ZERO
    is_product: bool = False

    def fee(self, postings: Postings, fill: Fill, rate: Decimal) -> Decimal:
        """Return the fee of a fill at a rate, rounded as its source rounds it.

        Of floats the digits that they carry are kept, without their noise unless `is_product`.
        """
        fee = self.charge(postings, fill, rate)
        if self.places is None:
            is_float = postings.dimensions.dust and not self.is_product
            carried = _FLOATS.plus(fee) if is_float else fee
            is_short = decimal_places(carried) <= MOST_DIGITS
            return carried if is_short else round_to_places(carried, MOST_DIGITS)
        return round_by(fee, self.places, self.rounding)

    def charge(self, postings: Postings, fill: Fill, rate: Decimal) -> Decimal:
        """Return the fee of a fill at a rate before it is rounded."""
        fee = EXACT.multiply(rate, fee_value(postings, fill, in_base=self.in_base))
        return EXACT.add(fee, self.fixed) if self.fixed else fee

    def off(self, postings: Postings, fill: Fill) -> Decimal:
        """Return the difference between a fill's fee and the nearest fee at a rate."""
        fees = (self.fee(postings, fill, rate) for rate in self.rates)
        return min(EXACT.subtract(fee, fill.fee).copy_abs() for fee in fees)

    def unit(self, postings: Postings, fill: Fill) -> Decimal:
        """Return the unit of a fill's fee: that of its decimals, else that of its currency."""
        value = fee_value(postings, fill, in_base=self.in_base)
        if self.places is None:
            return postings.fee_unit(self.currency, value)
        return unit_of(self.places, value)

    def is_near(self, postings: Postings, fill: Fill) -> bool:
        """True if a fill's fee is at most a unit from a fee at a rate."""
        return self.off(postings, fill) <= self.unit(postings, fill)

    def gives(self, postings: Postings, fill: Fill) -> bool:
        """True if a fill's fee is at a rate, exactly, or but for the noise of floats."""
        noise = ZERO
        if postings.dimensions.dust and self.places is None:
            noise = unit_of(None, fee_value(postings, fill, in_base=self.in_base))
        return fill.fee_currency == self.currency and self.off(postings, fill) <= noise

    def text(self, rate: Decimal) -> str:
        """Return the fee at a rate in words: `the rate 0.001`, `1.5 and the rate 0.001`."""
        at_rate = f"the rate {rate_text(rate)}"
        fixed = f"{format_amount(shortest(self.fixed))} {self.currency}"
        return " and ".join(text for text, is_part in (
            (fixed, self.fixed), (at_rate, rate or not self.fixed)
        ) if is_part)  # fmt: skip


def rate_text(rate: Decimal) -> str:
    """Return a rate as digits: `0.001`."""
    return f"{rate.normalize(EXACT):f}"


def fee_value(postings: Postings, fill: Fill, *, in_base: bool) -> Decimal:
    """Return the value of a fill that a rate applies to, in the currency of the fee.

    Quantity times price and multiplier; the quantity if `in_base`; quantity times multiplier
    by price, rounded down at 30 decimals, for an inverse contract (0 at a price of 0).
    """
    instrument = postings.instruments.get(fill.symbol)
    if instrument is not None and instrument.instrument_kind is InstrumentKind.INVERSE:
        if not fill.price:
            return ZERO
        worth = EXACT.multiply(fill.quantity, instrument.multiplier)
        return quotient(worth, fill.price, _VALUE_PLACES)
    if in_base:
        return fill.quantity
    multiplier = Decimal(1) if instrument is None else instrument.multiplier
    return EXACT.multiply(EXACT.multiply(fill.quantity, fill.price), multiplier)


def fee_model(
    postings: Postings, fills: Sequence[Fill], side: OrderSide | None = None
) -> FeeModel | None:
    """Return the fee schedule of one symbol's fills, of one side if it is named.

    At least 80 % of the sampled fees are in its currency, and its rates give at least 80 % of
    the fees in this currency. `None` without a schedule.
    """
    sample = charged_sample(fills, _MOST_SAMPLED, side)
    if not sample:
        return None
    currencies = Counter(fill.charged_in for fill in sample)
    currency, count = currencies.most_common(1)[0]
    if count * 10 < len(sample) * 8:
        return None
    instrument = postings.instruments.get(sample[0].symbol)
    in_base = instrument is not None and currency == instrument.base != instrument.quote
    for places in _roundings(postings, currency):
        model = _model(postings, sample, currency, places, in_base=in_base)
        if model is not None:
            return model
    return None


def _roundings(postings: Postings, currency: str) -> Iterator[int | None]:
    """Yield the decimals that fees may be rounded to: as declared, then as the fees show."""
    declared = postings.roundings.places(currency)
    if declared is not None:
        yield declared
    inferred = postings.fee_precision.inferred.get(currency)
    if declared is None or (inferred is not None and inferred < declared):
        yield inferred


def _model(
    postings: Postings,
    sample: Sequence[Fill],
    currency: str,
    places: int | None,
    *,
    in_base: bool,
) -> FeeModel | None:
    """Return the schedule whose fees are rounded to `places`; exact, if that gives every fee."""
    charged = [fill for fill in sample if fill.fee_currency == currency]
    values = (fee_value(postings, fill, in_base=in_base) for fill in charged)
    pairs = list(zip(values, (fill.fee for fill in charged), strict=True))
    flat = _flat_fee(pairs, places)
    rates, fixed = ([ZERO], flat) if flat else (_rates(pairs, places), ZERO)
    is_usual = bool(rates) and all(map(is_round, rates))
    if not flat and (not is_usual or len(rates) > 1):
        round_rates, part = _with_fixed_part(pairs, places)
        is_flat = not any(round_rates)  # one fee for few values is at a rate of each, too
        if round_rates and (is_flat or not is_usual):
            rates, fixed = round_rates, part
    if not rates:
        return None
    unrounded = _unrounded(postings, FeeModel(tuple(rates), currency, in_base, fixed=fixed), sample)
    is_declared = postings.roundings.places(currency) is not None
    if not is_declared and _exact(postings, unrounded, sample) == len(sample):
        return unrounded
    half_even, half_up = (
        replace(unrounded, rounding=rounding, places=places) for rounding in ROUNDINGS
    )
    exact = _exact(postings, half_even, sample)
    if exact == len(sample) or exact >= _exact(postings, half_up, sample):
        return half_even
    return half_up


def _flat_fee(charged: Sequence[_Charge], places: int | None) -> Decimal:
    """Return the fee that all fills have, if any rate would give them different fees, else 0.

    It would without any one of them, too, whose price or quantity may be wrong.
    """
    fees = {fee for _, fee in charged}
    if len(charged) < _FEWEST_FLAT or len(fees) != 1:
        return ZERO
    (fee,), values = fees, sorted(value for value, _ in charged)
    spread = min(EXACT.subtract(values[-1], values[1]), EXACT.subtract(values[-2], values[0]))
    if not values[-1]:
        return ZERO
    between = Fraction(fee) * Fraction(spread) / Fraction(values[-1])
    return shortest(fee) if abs(between) > Fraction(unit_of(places, values[-1])) else ZERO


def _unrounded(postings: Postings, model: FeeModel, sample: Sequence[Fill]) -> FeeModel:
    """Return the schedule without a rounding, with the noise of floats if more fees have it."""
    if not postings.dimensions.dust:
        return model
    product = replace(model, is_product=True)
    more = _exact(postings, product, sample) > _exact(postings, model, sample)
    return product if more else model


def fee_models(postings: Postings, fills: Sequence[Fill]) -> dict[OrderSide, FeeModel | None]:
    """Return the schedules of BUY and SELL of one symbol: the same if one fits both."""
    both = fee_model(postings, fills)
    if both is not None:
        return dict.fromkeys(OrderSide, both)
    return {side: fee_model(postings, fills, side) for side in OrderSide}


@dataclass
class FeeSchedules:
    """The fee models of the fills of each position, each inferred once.

    `by_position`: the fills of each position, by its dimension. `before`: those of the same fills
    but for `changed_count` of them, which are few enough to leave the models of many fills.
    """

    postings: Postings
    by_position: Mapping[str, Sequence[Fill]]
    before: "FeeSchedules | None" = None
    changed_count: int = 0
    _models: dict[str, Mapping[OrderSide, FeeModel | None]] = field(default_factory=dict)
    _bare: dict[str, frozenset[int]] = field(default_factory=dict)
    _with_another: dict[str, frozenset[int]] = field(default_factory=dict)

    def of(self, name: str) -> Mapping[OrderSide, FeeModel | None]:
        """Return the fee models of a position's fills, by side."""
        if name not in self._models:
            before = self._before_few_changes(name)
            fills = self.by_position.get(name, ())
            self._models[name] = before or fee_models(self.postings, fills)
        return self._models[name]

    def _before_few_changes(self, name: str) -> Mapping[OrderSide, FeeModel | None] | None:
        """Return the fee models before the fills were changed, `None` if too many were."""
        before, fills = self.before, self.by_position.get(name, ())
        if before is None or name not in before.by_position:
            return None
        return before.of(name) if self.changed_count * _FILLS_OF_A_CHANGE <= len(fills) else None

    def model(self, fill: Fill) -> FeeModel | None:
        """Return the fee model of a fill's position and side, `None` without one."""
        return self.of(self.postings.position(fill))[fill.side]

    def sample(self, fill: Fill) -> Sequence[Fill]:
        """Return a sample of the fills with a fee of a fill's position."""
        return charged_sample(self.by_position[self.postings.position(fill)], _MOST_SAMPLED)

    def leaves_without(self, fill: Fill) -> bool:
        """True if a fill has rightly no fee: it is flat, and charged with another of the order."""
        model = self.model(fill)
        if model is None or any(model.rates):
            return False
        name = self.postings.position(fill)
        if name not in self._bare:
            self._bare[name] = _of_orders(self.by_position[name])
        return id(fill) in self._bare[name]

    def is_charged_with_another(self, fill: Fill) -> bool:
        """True if one other fill of a fill's order has a fee, and all of its position are equal."""
        name = self.postings.position(fill)
        if name not in self._with_another:
            self._with_another[name] = _with_one_charged(self.by_position.get(name, ()))
        return id(fill) in self._with_another[name]

    def rates(self, fill: Fill) -> tuple[Decimal, ...]:
        """Return the rates of a fill's position and side."""
        model = self.model(fill)
        return () if model is None else model.rates


def _of_orders(fills: Sequence[Fill]) -> frozenset[int]:
    """Return the `id()` of fills without a fee that a fee for each order leaves so.

    Most orders of several fills have then one fee, and a fill is left without if it is not the
    first of its order. Empty if fees are charged for each fill.
    """
    several = _orders_of_several(fills)
    once = sum(sum(1 for row in rows if row.fee) == 1 for rows in several)
    if once * 2 <= len(several):
        return frozenset()
    return frozenset(id(row) for rows in several for row in rows[1:] if not row.fee)


def _with_one_charged(fills: Sequence[Fill]) -> frozenset[int]:
    """Return the `id()` of fills of whose order one other has a fee, if all fees are equal."""
    fees = filter(None, map(_FEE, fills))
    first = next(fees, None)
    if first is None or not all(map(first.__eq__, fees)):
        return frozenset()
    found = ((rows, sum(bool(row.fee) for row in rows)) for rows in _orders_of_several(fills))
    return frozenset(id(row) for rows, count in found for row in rows if count - bool(row.fee) == 1)


def _orders_of_several(fills: Sequence[Fill]) -> list[list[Fill]]:
    """Return the fills of each order that has several."""
    orders: dict[str, list[Fill]] = {}
    for fill in fills:
        if fill.order_id:
            orders.setdefault(fill.order_id, []).append(fill)
    return [rows for rows in orders.values() if len(rows) > 1]


def _rates(charged: Sequence[_Charge], places: int | None) -> list[Decimal]:
    """Return the rates that at least 80 % of the fees follow, empty without such rates.

    Each rate gives at least 5 % of the fees, and none takes the whole value. A rebate is a negative
    rate; the negative of a rate is a fee with the wrong sign, and no rate.
    """
    usual = _covering(charged, places, _usual_rates)
    found = usual or _covering(charged, places, _allowed_rates)
    return found if all(rate.copy_abs() < 1 for rate in found) else []


def _covering(charged: Sequence[_Charge], places: int | None, propose: _Proposal) -> list[Decimal]:
    """Return the proposed rates that together give at least 80 % of the fees, else none."""
    found: list[Decimal] = []
    left = [*charged]
    while left and len(found) < _MOST_RATES:
        for rate in propose(left, places):
            others = [one for one in left if not _is_at(one, rate, places)]
            count, is_covered = len(left) - len(others), len(left) * 10 <= len(charged) * 2
            # Where the rates give enough of the fees, a single further fee is a wrong one.
            is_usual = count * 20 >= len(charged) and not (count == 1 and is_covered)
            if is_usual and rate.copy_negate() not in found:
                found.append(rate)
                left = others
                break
        else:
            break
    return found if len(left) * 10 <= len(charged) * 2 else []


def _usual_rates(charged: Sequence[_Charge], places: int | None) -> list[Decimal]:
    """Return the usual rates of the larger half of the fees: many rates give a small fee."""
    large = sorted(charged, key=lambda one: one[1].copy_abs(), reverse=True)
    rates = Counter(
        rate
        for value, fee in large[: (len(large) + 1) // 2]
        if value and (rate := round_rate(fee, value, unit_of(places, value))) is not None
    )
    return [rate for rate, _ in rates.most_common(_MOST_RATES)]


def _allowed_rates(charged: Sequence[_Charge], places: int | None) -> list[Decimal]:
    """Return the roundest rate that at least 80 % of the fees allow, each to half a unit."""
    ends: list[tuple[Fraction, int]] = []
    for value, fee in charged:
        if not value:
            continue
        half = Fraction(unit_of(places, value)) / 2
        low, high = sorted((Fraction(fee) + off) / Fraction(value) for off in (-half, half))
        ends += [(low, -1), (high, 1)]
    most, depth, best = 0, 0, (Fraction(0), Fraction(0))
    ends.sort()
    for at, (end, step) in enumerate(ends):
        depth -= step
        if depth > most:  # the rates up to the next end are in all of these ranges
            most, best = depth, (end, ends[at + 1][0])
    rate = _roundest(*best)
    return [rate] if rate and most * 10 >= len(charged) * 8 else []


def _roundest(low: Fraction, high: Fraction) -> Decimal:
    """Return the number from `low` to `high` with the fewest decimals, 0 without a short one.

    Of several the one nearest to 0, so that a rebate is the mirror image of a fee.
    """
    if high < 0:
        return _roundest(-high, -low).copy_negate()
    for places in range(2, _RATE_PLACES + 1):
        count = -((-low * 10**places) // 1)
        if count <= high * 10**places:
            return Decimal(int(count)).scaleb(-places, EXACT).normalize(EXACT)
    return ZERO


def _with_fixed_part(
    charged: Sequence[_Charge], places: int | None
) -> tuple[list[Decimal], Decimal]:
    """Return the rate and the fixed part that give at least 80 % of the fees, else no rate.

    The rate is the most frequent slope between fees of the largest and the smallest values.
    """
    if len({value for value, _ in charged}) < _FEWEST_FIXED:
        return [], ZERO
    charged = sorted(charged)
    unit = unit_of(places, charged[-1][0])
    half = len(charged) // 2
    slopes = Counter(
        slope
        for (low, less), (high, more) in zip(charged[:half], charged[-half:], strict=True)
        if high > low
        and (slope := round_rate(
            EXACT.subtract(more, less), EXACT.subtract(high, low), EXACT.add(unit, unit)
        )) is not None
    )  # fmt: skip
    for rate in [rate for rate, _ in slopes.most_common(_MOST_RATES) if is_round(rate)]:
        fixed = _fixed_part(charged, rate, unit)
        off = (
            EXACT.subtract(fee, EXACT.add(fixed, EXACT.multiply(rate, value))).copy_abs()
            for value, fee in charged
        )
        if fixed and is_round(fixed) and sum(each < unit for each in off) * 10 >= len(charged) * 8:
            return [rate], fixed
    return [], ZERO


def _fixed_part(charged: Sequence[_Charge], rate: Decimal, unit: Decimal) -> Decimal:
    """Return the most frequent fee less the rate on its value, with as few decimals as fit."""
    parts = Counter(
        part
        for value, fee in charged
        if (part := round_rate(EXACT.subtract(fee, EXACT.multiply(rate, value)), _ONE, unit))
        is not None
    )
    return parts.most_common(1)[0][0] if parts else ZERO


def _is_at(charge: _Charge, rate: Decimal, places: int | None) -> bool:
    """True if a fee is less than one unit from the fee at a rate."""
    value, fee = charge
    off = EXACT.subtract(EXACT.multiply(rate, value), fee).copy_abs()
    return off < unit_of(places, value)


def _exact(postings: Postings, model: FeeModel, fills: Sequence[Fill]) -> int:
    """Return the number of fees that a schedule gives to the last digit."""
    return sum(
        any(model.fee(postings, fill, rate) == fill.fee for rate in model.rates) for fill in fills
    )


def round_rate(fee: Decimal, value: Decimal, unit: Decimal) -> Decimal | None:
    """Return the rate with the fewest decimals that gives a fee within half a unit.

    `None` if the rate has more than `_RATE_PLACES` decimals. A fee of 0.053 on a value of 52.7
    with a unit of 0.001 gives 0.001.
    """
    margin = EXACT.multiply(unit, _HALF)
    low, high = EXACT.subtract(fee, margin), EXACT.add(fee, margin)
    if value < 0:
        low, high, value = high.copy_negate(), low.copy_negate(), value.copy_negate()
    for places in range(2, _RATE_PLACES + 1):
        numerator = _rounded_up(low.scaleb(places, EXACT), value)
        if EXACT.multiply(numerator, value) <= high.scaleb(places, EXACT):
            return numerator.scaleb(-places, EXACT).normalize(EXACT)
    return None


def _rounded_up(amount: Decimal, value: Decimal) -> Decimal:
    """Return an amount divided by a positive value, rounded up to a whole number."""
    times = EXACT.divide_int(amount, value)
    less = amount > 0 and EXACT.multiply(times, value) < amount
    return EXACT.add(times, _ONE if less else ZERO)


def is_round(number: Decimal) -> bool:
    """True if a rate, or a fixed part, has as few digits as those that venues publish."""
    return len(number.normalize(EXACT).as_tuple().digits) <= _RATE_DIGITS


def is_significant_rate(rate: Decimal, value: Decimal, unit: Decimal) -> bool:
    """True if a rate is round, and so coarse that it rarely gives an amount by coincidence."""
    step = EXACT.multiply(unit_at(decimal_places(rate)), value.copy_abs())
    return is_round(rate) and step >= EXACT.multiply(unit, _UNITS_OF_A_STEP)


def total_value(postings: Postings, fills: Iterable[Fill], *, in_base: bool) -> Decimal:
    """Return the sum of the values that a rate on all fills applies to."""
    return exact_sum(fee_value(postings, fill, in_base=in_base) for fill in fills)
