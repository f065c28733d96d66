"""Fee schedule of a side, inferred from its fills: a few rates that give most of their fees.

Each fee gives the rate with the fewest decimals that rounds to it: 0.053 on a value of 52.7 is
at 0.1 % (0.0527). The most frequent rates of the larger fees are the schedule.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.problem.postings import Postings, unit_of
from recon_core.model import Fill, InstrumentKind, OrderSide
from recon_core.values.amounts import EXACT, ZERO, decimal_places, exact_sum

_MOST_RATES: Final = 3
"""Most rates of one schedule, such as maker, taker and one of another tier.

With more rates almost every fee is near a rate by coincidence.
"""

_MOST_SAMPLED: Final = 400
"""Fees that are sampled, evenly over the fills (fewer than twice as many).

More cost time and change no rate, as a rate gives at least a twentieth of the fees; with fewer
this twentieth is a handful.
"""

ROUNDINGS: Final = (ROUND_HALF_EVEN, ROUND_HALF_UP)
"""Roundings of a fee that sources use."""

_CONTEXTS: Final = {name: Context(prec=1000, rounding=name) for name in ROUNDINGS}

_RATE_PLACES: Final = 12
"""Most decimals of a rate, a fraction of the value.

Without a declared precision, 11 decimals give any fee (`_FLOAT_NOISE`): a finer rate proves
nothing.
"""

_HALF: Final = Decimal("0.5")

_ONE: Final = Decimal(1)

_FLOAT_NOISE: Final = Decimal("1e-11")
"""Unit of a fee without a declared precision, as a fraction of the value it is charged on.

Above the error of a product of binary floats, about 10^-16 of it; below the step of a usual
rate, 10^-6 of it.
"""

_RATE_DIGITS: Final = 4
"""Most significant digits of a round rate: 0.075 % has two, most quotients have many."""

_UNITS_OF_A_STEP: Final = Decimal(10_000)
"""Units between the amounts that neighbouring round rates give.

A rate then gives some amount by coincidence in one of 10,000 cases.
"""


@dataclass(frozen=True, slots=True)
class FeeModel:
    """Fee schedule of one symbol: rates on a value, in one currency.

    `rates`: fractions of the value, the most frequent first; a negative rate is a rebate.
    `in_base`: the value is the quantity, not quantity times price. `rounding`: the rounding of
    the source, half-even, or half-up as of a source that computes in floats. `places`: the
    decimals that it rounds to, `None` where it states fees as they are.
    """

    rates: tuple[Decimal, ...]
    currency: str
    in_base: bool
    rounding: str = ROUND_HALF_EVEN
    places: int | None = None

    def fee(self, postings: Postings, fill: Fill, rate: Decimal) -> Decimal:
        """Return the fee of a fill at a rate, rounded as its source rounds it."""
        fee = EXACT.multiply(rate, fee_value(postings, fill, in_base=self.in_base))
        if self.places is None:
            return fee
        return fee.quantize(Decimal((0, (1,), -self.places)), context=_CONTEXTS[self.rounding])

    def off(self, postings: Postings, fill: Fill) -> Decimal:
        """Return the difference between a fill's fee and the nearest fee at a rate."""
        fees = (self.fee(postings, fill, rate) for rate in self.rates)
        return min(EXACT.subtract(fee, fill.fee).copy_abs() for fee in fees)


def fee_value(postings: Postings, fill: Fill, *, in_base: bool) -> Decimal:
    """Return the value of a fill that a rate applies to, in the currency of the fee.

    Quantity times price and multiplier; the quantity if `in_base`; quantity times multiplier
    by price, rounded down at 30 decimals, for an inverse contract (0 at a price of 0).
    """
    instrument = postings.instruments.get(fill.symbol)
    if instrument is not None and instrument.instrument_kind is InstrumentKind.INVERSE:
        if not fill.price:
            return ZERO
        worth = Fraction(fill.quantity) * Fraction(instrument.multiplier) / Fraction(fill.price)
        return Decimal(worth.numerator * 10**30 // worth.denominator).scaleb(-30, EXACT)
    if in_base:
        return fill.quantity
    multiplier = Decimal(1) if instrument is None else instrument.multiplier
    return EXACT.multiply(EXACT.multiply(fill.quantity, fill.price), multiplier)


def fee_model(postings: Postings, fills: Sequence[Fill]) -> FeeModel | None:
    """Return the fee schedule of one symbol's fills, `None` without one.

    At least 80 % of the sampled fees are in its currency, and its rates give at least 80 % of
    the fees in this currency.
    """
    with_fees = [fill for fill in fills if fill.fee]
    if not with_fees:
        return None
    sample = with_fees[:: max(1, len(with_fees) // _MOST_SAMPLED)]
    currencies = Counter(fill.fee_currency or "" for fill in sample)
    currency, count = currencies.most_common(1)[0]
    if count * 10 < len(sample) * 8:
        return None
    instrument = postings.instruments.get(fills[0].symbol)
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
    found = _rates(postings, charged, places, in_base=in_base)
    if not found:
        return None
    unrounded = FeeModel(tuple(found), currency, in_base)
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


def fee_models(postings: Postings, fills: Sequence[Fill]) -> dict[OrderSide, FeeModel | None]:
    """Return the schedules of BUY and SELL of one symbol: the same if one fits both."""
    both = fee_model(postings, fills)
    if both is not None:
        return dict.fromkeys(OrderSide, both)
    return {
        side: fee_model(postings, [fill for fill in fills if fill.side is side])
        for side in OrderSide
    }


@dataclass
class FeeSchedules:
    """The fee models of the fills of each position, each inferred once.

    `by_position`: the fills of each position, by its dimension.
    """

    postings: Postings
    by_position: Mapping[str, Sequence[Fill]]
    _models: dict[str, Mapping[OrderSide, FeeModel | None]] = field(default_factory=dict)

    def of(self, name: str) -> Mapping[OrderSide, FeeModel | None]:
        """Return the fee models of a position's fills, by side."""
        if name not in self._models:
            self._models[name] = fee_models(self.postings, self.by_position[name])
        return self._models[name]

    def model(self, fill: Fill) -> FeeModel | None:
        """Return the fee model of a fill's position and side, `None` without one."""
        return self.of(self.postings.position(fill))[fill.side]

    def rates(self, fill: Fill) -> tuple[Decimal, ...]:
        """Return the rates of a fill's position and side."""
        model = self.model(fill)
        return () if model is None else model.rates


def _rates(
    postings: Postings, fills: Sequence[Fill], places: int | None, *, in_base: bool
) -> list[Decimal]:
    """Return the rates that at least 80 % of the fees follow, empty without such rates.

    Each rate gives at least 5 % of the fees. A rebate is a negative rate; the negative of a
    rate is a fee with the wrong sign, and no rate.
    """
    found: list[Decimal] = []
    left = [*fills]
    while left and len(found) < _MOST_RATES:
        for rate in _usual_rates(postings, left, places, in_base=in_base):
            others = [
                fill for fill in left if not _is_at(postings, fill, rate, places, in_base=in_base)
            ]
            is_usual = (len(left) - len(others)) * 20 >= len(fills)
            if is_usual and rate.copy_negate() not in found:
                found.append(rate)
                left = others
                break
        else:
            break
    return found if len(left) * 10 <= len(fills) * 2 else []


def _usual_rates(
    postings: Postings, fills: Sequence[Fill], places: int | None, *, in_base: bool
) -> list[Decimal]:
    """Return the usual rates of the larger half of the fees: many rates give a small fee."""
    large = sorted(fills, key=lambda fill: fill.fee.copy_abs(), reverse=True)
    rates = Counter(
        rate
        for fill in large[: (len(large) + 1) // 2]
        if (rate := _rate_at(postings, fill, fill.fee, places, in_base=in_base)) is not None
    )
    return [rate for rate, _ in rates.most_common(_MOST_RATES)]


def _is_at(
    postings: Postings, fill: Fill, rate: Decimal, places: int | None, *, in_base: bool
) -> bool:
    """True if a fee is less than one unit of its currency from the fee at a rate."""
    value = fee_value(postings, fill, in_base=in_base)
    unit = unit_of(places) or EXACT.multiply(value, _FLOAT_NOISE)
    off = EXACT.subtract(EXACT.multiply(rate, value), fill.fee).copy_abs()
    return off < unit


def _exact(postings: Postings, model: FeeModel, fills: Sequence[Fill]) -> int:
    """Return the number of fees that a schedule gives to the last digit."""
    return sum(
        any(model.fee(postings, fill, rate) == fill.fee for rate in model.rates) for fill in fills
    )


def rate_of(postings: Postings, fill: Fill, fee: Decimal, *, in_base: bool) -> Decimal | None:
    """Return the rate with the fewest decimals that gives a fee exactly, `None` without one."""
    places = postings.fee_precision.places(fill.fee_currency or "")
    return _rate_at(postings, fill, fee, places, in_base=in_base)


def _rate_at(
    postings: Postings, fill: Fill, fee: Decimal, places: int | None, *, in_base: bool
) -> Decimal | None:
    """Return the rate with the fewest decimals whose fee, rounded to `places`, is this one."""
    value = fee_value(postings, fill, in_base=in_base)
    if not value:
        return None
    unit = unit_of(places) or EXACT.multiply(value, _FLOAT_NOISE)
    return round_rate(fee, value, unit)


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


def is_significant_rate(rate: Decimal, value: Decimal, unit: Decimal) -> bool:
    """True if a rate is round, and so coarse that it rarely gives an amount by coincidence."""
    step = EXACT.multiply(Decimal((0, (1,), -decimal_places(rate))), value)
    return len(rate.as_tuple().digits) <= _RATE_DIGITS and step >= EXACT.multiply(
        unit, _UNITS_OF_A_STEP
    )


def total_value(postings: Postings, fills: Iterable[Fill], *, in_base: bool) -> Decimal:
    """Return the sum of the values that a rate on all fills applies to."""
    return exact_sum(fee_value(postings, fill, in_base=in_base) for fill in fills)
