"""The fees of a side: at which rates they were charged, read off the fills that have one."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Final

from recon_core.amounts import EXACT, ZERO, decimal_places, exact_sum
from recon_core.explain.effects.bookings import Bookings
from recon_core.model import Fill, InstrumentKind, OrderSide

_MOST_RATES: Final = 3
_MOST_SAMPLED: Final = 400
ROUNDINGS: Final = (ROUND_HALF_EVEN, ROUND_HALF_UP)
_CONTEXTS: Final = {name: Context(prec=1000, rounding=name) for name in ROUNDINGS}
_RATE_PLACES: Final = 12
_HALF: Final = Decimal("0.5")
_ONE: Final = Decimal(1)
_FLOAT_NOISE: Final = Decimal("1e-11")
_RATE_DIGITS: Final = 4
_RARE: Final = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class FeeModel:
    """How the fills of one symbol are charged: rates on a value, in one currency.

    `rates` are those that most fills were charged at, the most frequent first; `in_base`
    says that the value is the quantity and not quantity times price. `rounding` is how the
    source rounds a fee, half-even or half-up; of floats it may be the latter.
    """

    rates: tuple[Decimal, ...]
    currency: str
    in_base: bool
    rounding: str = ROUND_HALF_EVEN

    def fee(self, bookings: Bookings, fill: Fill, rate: Decimal) -> Decimal:
        """The fee of a fill at a rate, rounded to the precision of its currency."""
        fee = EXACT.multiply(rate, fee_value(bookings, fill, in_base=self.in_base))
        places = bookings.roundings.places(self.currency)
        if places is None:
            return fee
        return fee.quantize(Decimal((0, (1,), -places)), context=_CONTEXTS[self.rounding])

    def off(self, bookings: Bookings, fill: Fill) -> Decimal:
        """How far the fee of a fill is from the nearest that a rate gives."""
        fees = (self.fee(bookings, fill, rate) for rate in self.rates)
        return min(EXACT.subtract(fee, fill.fee).copy_abs() for fee in fees)


def fee_value(bookings: Bookings, fill: Fill, *, in_base: bool) -> Decimal:
    """What a rate applies to, in the currency of the fee."""
    instrument = bookings.instruments.get(fill.symbol)
    if instrument is not None and instrument.instrument_kind is InstrumentKind.INVERSE:
        if not fill.price:
            return ZERO
        worth = Fraction(fill.quantity) * Fraction(instrument.multiplier) / Fraction(fill.price)
        return Decimal(worth.numerator * 10**30 // worth.denominator).scaleb(-30, EXACT)
    if in_base:
        return fill.quantity
    multiplier = Decimal(1) if instrument is None else instrument.multiplier
    return EXACT.multiply(EXACT.multiply(fill.quantity, fill.price), multiplier)


def fee_model(bookings: Bookings, fills: Sequence[Fill]) -> FeeModel | None:
    """The model of the fills of one symbol, `None` where their fees follow no few rates."""
    with_fees = [fill for fill in fills if fill.fee]
    if not with_fees:
        return None
    sample = with_fees[:: max(1, len(with_fees) // _MOST_SAMPLED)]
    currencies = Counter(fill.fee_currency or "" for fill in sample)
    currency, count = currencies.most_common(1)[0]
    if count * 10 < len(sample) * 8:
        return None
    instrument = bookings.instruments.get(fills[0].symbol)
    in_base = instrument is not None and currency == instrument.base != instrument.quote
    charged = [fill for fill in sample if fill.fee_currency == currency]
    found = _rates(bookings, charged, in_base=in_base)
    if not found:
        return None
    half_even, half_up = (
        FeeModel(tuple(found), currency, in_base, rounding) for rounding in ROUNDINGS
    )
    exact = _exact(bookings, half_even, sample)
    if exact == len(sample) or exact >= _exact(bookings, half_up, sample):
        return half_even
    return half_up


def fee_models(bookings: Bookings, fills: Sequence[Fill]) -> dict[OrderSide, FeeModel | None]:
    """How BUY and SELL of one symbol are charged: alike, or each in what it receives."""
    both = fee_model(bookings, fills)
    if both is not None:
        return dict.fromkeys(OrderSide, both)
    return {
        side: fee_model(bookings, [fill for fill in fills if fill.side is side])
        for side in OrderSide
    }


def _rates(bookings: Bookings, fills: Sequence[Fill], *, in_base: bool) -> list[Decimal]:
    """The rates that most of the fees follow, none where they follow no few rates.

    A rebate is a rate below 0; that of a fee with the other sign is none.
    """
    found: list[Decimal] = []
    left = [*fills]
    while left and len(found) < _MOST_RATES:
        for rate in _usual_rates(bookings, left, in_base=in_base):
            rest = [fill for fill in left if not _is_at(bookings, fill, rate, in_base=in_base)]
            is_usual = (len(left) - len(rest)) * 20 >= len(fills)
            if is_usual and rate.copy_negate() not in found:
                found.append(rate)
                left = rest
                break
        else:
            break
    return found if len(left) * 10 <= len(fills) * 2 else []


def _usual_rates(bookings: Bookings, fills: Sequence[Fill], *, in_base: bool) -> list[Decimal]:
    """The rates of most of the larger fees: small ones have few digits, which many a rate gives."""
    large = sorted(fills, key=lambda fill: fill.fee.copy_abs(), reverse=True)
    rates = Counter(
        rate
        for fill in large[: (len(large) + 1) // 2]
        if (rate := rate_of(bookings, fill, fill.fee, in_base=in_base)) is not None
    )
    return [rate for rate, _ in rates.most_common(_MOST_RATES)]


def _is_at(bookings: Bookings, fill: Fill, rate: Decimal, *, in_base: bool) -> bool:
    """Whether a fee is what a rate gives, one unit aside."""
    value = fee_value(bookings, fill, in_base=in_base)
    unit = bookings.resolution(fill.fee_currency or "") or EXACT.multiply(value, _FLOAT_NOISE)
    off = EXACT.subtract(EXACT.multiply(rate, value), fill.fee).copy_abs()
    return off < unit


def _exact(bookings: Bookings, model: FeeModel, fills: Sequence[Fill]) -> int:
    """How many fees a model gives to the last digit."""
    return sum(
        any(model.fee(bookings, fill, rate) == fill.fee for rate in model.rates) for fill in fills
    )


def rate_of(bookings: Bookings, fill: Fill, fee: Decimal, *, in_base: bool) -> Decimal | None:
    """The roundest rate that gives a fee exactly, `None` where no round one does."""
    value = fee_value(bookings, fill, in_base=in_base)
    if not value:
        return None
    currency = fill.fee_currency or ""
    unit = bookings.resolution(currency) or EXACT.multiply(value, _FLOAT_NOISE)
    return round_rate(fee, value, unit)


def round_rate(fee: Decimal, value: Decimal, unit: Decimal) -> Decimal | None:
    """The rate with the fewest decimals whose fee on a value rounds to this one."""
    slack = EXACT.multiply(unit, _HALF)
    low, high = EXACT.subtract(fee, slack), EXACT.add(fee, slack)
    if value < 0:
        low, high, value = low.copy_negate(), high.copy_negate(), value.copy_negate()
    for places in range(2, _RATE_PLACES + 1):
        numerator = _ceiling(low.scaleb(places, EXACT), value)
        if EXACT.multiply(numerator, value) <= high.scaleb(places, EXACT):
            return numerator.scaleb(-places, EXACT).normalize(EXACT)
    return None


def _ceiling(amount: Decimal, value: Decimal) -> Decimal:
    """The least whole number of times that a positive value is an amount, or more."""
    times = EXACT.divide_int(amount, value)
    less = amount > 0 and EXACT.multiply(times, value) < amount
    return EXACT.add(times, _ONE if less else ZERO)


def tells(rate: Decimal, value: Decimal, unit: Decimal) -> bool:
    """Whether a rate is round, and coarse enough to give an amount by chance hardly ever."""
    step = EXACT.multiply(Decimal((0, (1,), -decimal_places(rate))), value)
    return len(rate.as_tuple().digits) <= _RATE_DIGITS and step >= EXACT.multiply(unit, _RARE)


def total_value(bookings: Bookings, fills: Iterable[Fill], *, in_base: bool) -> Decimal:
    """What a rate on all fills applies to."""
    return exact_sum(fee_value(bookings, fill, in_base=in_base) for fill in fills)
