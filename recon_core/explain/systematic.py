"""Faults of all rows at once: a rate, a unit, a sign, a habit of reading.

A rate is solved for and counts only where it is round and gives the need to the last digit;
everything else has no free number.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, ZERO, decimal_places, exact_sum, round_to_places
from recon_core.explain.bookings import to_decimal
from recon_core.explain.cumulative import cumulative
from recon_core.explain.edits import Edit, flipped, of_all, with_fee
from recon_core.explain.fees import ROUNDINGS, FeeModel, round_rate, total_value
from recon_core.explain.fill_edits import FillEdits
from recon_core.explain.ground import Ground
from recon_core.explain.space import Vector, is_cash, is_position, negated, plus
from recon_core.explanation import CauseKind
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, InstrumentKind, OrderSide

_CURRENCY: Final = attrgetter("fee_currency")
_SYMBOL: Final = attrgetter("symbol")
_ACCOUNT: Final = attrgetter("account")
_Fills = Sequence[Fill]
_TURNED: Final = Decimal(-2)
_RATE_DIGITS: Final = 4
_RARE: Final = Decimal(10_000)
_POWERS: Final = tuple(Decimal(1).scaleb(exponent) for exponent in range(-9, 10) if exponent)
_MOST_PLACES: Final = 8
_MOST_HABIT_PLACES: Final = 5
_MOST_GROUPS: Final = 6
_COMMON: Final = tuple(Decimal(1).scaleb(exponent) for exponent in (-8, -3, -2, -1, 1, 2, 3, 8))


def systematic(ground: Ground, fill_edits: FillEdits) -> Iterator[Edit]:
    """The edits of all fills of a ground, and of those of each position."""
    for fills in _groups(ground):
        yield from _of_fees(ground, fills, fill_edits)
        yield from _of_trades(ground, fills)
    yield from cumulative(ground)


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


def _turned_fees(charged: Sequence[Fill]) -> Edit:
    turned = [with_fee(fill, fill.fee.copy_negate()) for fill in charged]
    return of_all(CauseKind.FEE_SIGN, charged, turned, "of every fee")


def _no_fees(charged: Sequence[Fill]) -> Edit:
    none = [with_fee(fill, ZERO) for fill in charged]
    return of_all(CauseKind.MISSING_FEE, charged, none, "no fee was booked at all")


def _habits_of(ground: Ground, fills: Sequence[Fill]) -> Iterator[Edit]:
    charged, booked = [fill for fill in fills if fill.fee], ground.bookings.trades(fills)
    fees = ground.bookings.fees(charged)
    if len(charged) > 1:
        if _nearer(ground, _times(fees, _TURNED)):
            yield _turned_fees(charged)
        if ground.rows_right and _nearer(ground, negated(fees)):
            yield _no_fees(charged)
        yield from _in_other_currencies(ground, charged)
    if _nearer(ground, _times(booked, _TURNED)):
        turned = [flipped(fill) for fill in fills]
        yield of_all(CauseKind.SIGN_CONVENTION, fills, turned, "BUY and SELL of every fill")
    for factor in (*_COMMON, *_multipliers(ground, fills)):
        if _nearer(ground, _times(booked, EXACT.subtract(factor, Decimal(1)))):
            scaled = [_scaled(fill, factor) for fill in fills]
            yield of_all(CauseKind.UNIT, fills, scaled, _unit_text(factor, ground))
    if ground.rows_right:
        for places in range(_MOST_HABIT_PLACES):
            effect = _rounding_effect(ground, fills, places)
            if effect is None or _nearer(ground, effect):
                yield from _rounded_to(fills, places)


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


def _of_fees(ground: Ground, fills: Sequence[Fill], fill_edits: FillEdits) -> Iterator[Edit]:
    charged = [fill for fill in fills if fill.fee]
    if _moves_nothing_needed(ground, charged):
        if len(charged) > 1:
            yield from _in_other_currencies(ground, charged, needed=True)
        return
    if len(charged) > 1:
        booked = ground.bookings.fees(charged)
        if ground.reaches(negated(plus(booked, booked))):
            yield _turned_fees(charged)
        if ground.rows_right and ground.reaches(negated(booked)):
            yield _no_fees(charged)
        yield from _in_other_currencies(ground, charged, needed=True)
    yield from _without_fees(ground, fills, fill_edits)
    for name in ground.need:
        if is_cash(name):
            yield from at_another_rate(ground, fills, fill_edits, name)


def _moves_nothing_needed(ground: Ground, charged: Sequence[Fill]) -> bool:
    """Whether a position is needed and no fee is in a currency that is traded itself."""
    instruments = ground.bookings.instruments
    bases = {instrument.base for instrument in instruments.values()}
    needed = any(
        is_position(name) and amount.copy_abs() > ground.allowed(name)
        for name, amount in ground.need.items()
    )
    return needed and bases.isdisjoint(set(map(_CURRENCY, charged)))


def _without_fees(ground: Ground, fills: Sequence[Fill], fill_edits: FillEdits) -> Iterator[Edit]:
    """Several fills without a fee among many with one, at the rate of those."""
    bare = [fill for fill in fills if not fill.fee and fill.quantity]
    if ground.rows_right or not 1 < len(bare) < len(fills):
        return
    models = [fill_edits.model(fill) for fill in bare]
    if all(model is not None and model.rates for model in models):
        charged = [fill_edits.charged(fill, 0) for fill in bare]
        edit = of_all(CauseKind.MISSING_FEE, bare, charged, f"of {len(bare)} fills")
        yield replace(edit, rank=0)


def _in_other_currencies(
    ground: Ground, charged: Sequence[Fill], *, needed: bool = False
) -> Iterator[Edit]:
    """Every fee in one currency; those `needed` that its balance asks for."""
    instrument = ground.bookings.instruments.get(charged[0].symbol)
    if instrument is None or _differ(ground.rows.symbols, _SYMBOL, charged):
        return
    for currency in sorted({instrument.base, instrument.quote}):
        known = ground.bookings.cash(currency, charged[0].account) in ground.space.compared
        fits = not needed or _is_needed_in(ground, charged, currency)
        if known and fits and any(fill.fee_currency != currency for fill in charged):
            other = [with_fee(fill, fill.fee, currency) for fill in charged]
            yield of_all(CauseKind.FEE_CURRENCY, charged, other, f"every fee in {currency}")


def _is_needed_in(ground: Ground, charged: Sequence[Fill], currency: str) -> bool:
    """Whether the fees of other currencies together are what a balance needs."""
    if _differ(ground.rows.accounts, _ACCOUNT, charged):
        return True
    name, roundings = ground.bookings.cash(currency, charged[0].account), ground.bookings.roundings
    fees = [fill.fee for fill in charged if fill.fee_currency != currency]
    if fees and min(fees) >= 0:  # a sum that is no less than its largest
        least = EXACT.subtract(max(fees), ground.bookings.resolution(currency))
        if EXACT.add(ground.need.get(name, ZERO), least) > ground.allowed(name):
            return False
    more = exact_sum(roundings.each(currency, fees))
    return EXACT.add(ground.need.get(name, ZERO), more).copy_abs() <= ground.allowed(name)


def _differ(known: Collection[str | None], key: Callable[[Fill], object], some: _Fills) -> bool:
    """Whether some fills have several of what is known of all fills."""
    return len(known) > 1 and len(set(map(key, some))) > 1


def at_another_rate(
    ground: Ground, fills: Sequence[Fill], fill_edits: FillEdits, name: str
) -> Iterator[Edit]:
    """All fees that are booked in one balance, at the rate that the need asks for."""
    meant = [fill for fill in fills if _charged_as(ground, fill) == name]
    if len(meant) < 2:  # noqa: PLR2004  # one fee has no rate of its own
        return
    currency = meant[0].fee_currency or _quote(ground, meant[0])
    bookings, base = ground.bookings, bookings_base(ground, meant[0])
    in_base = currency == base
    fees = exact_sum(bookings.roundings[currency](fill.fee) for fill in meant)
    total = EXACT.subtract(fees, ground.need.get(name, ZERO))
    value = total_value(bookings, meant, in_base=in_base)
    if total <= 0 or not value or total == fees.copy_negate():
        return
    unit = bookings.resolution(currency) or Decimal("1e-12")
    rate = round_rate(total, value, EXACT.multiply(unit, Decimal(len(meant))))
    if rate is None or not _tells(rate, value, unit):
        return
    meant = _of_all_balances(ground, fills, meant, name)
    missing = not any(fill.fee for fill in meant) and not ground.rows_right
    kind = CauseKind.MISSING_FEE if missing else CauseKind.FEE_RATE
    detail = _rate_text(fill_edits.model(meant[0]), rate, ground)
    for rounding in ROUNDINGS:
        changed = [_at_rate(ground, fill, rate, rounding) for fill in meant]
        edit = of_all(kind, meant, changed, detail)
        if len(edit.rows) * 2 > len(meant):
            yield edit


def _at_rate(ground: Ground, fill: Fill, rate: Decimal, rounding: str) -> Fill:
    """A fill with its fee at a rate, in the currency that it is charged in."""
    currency = fill.fee_currency if fill.fee and fill.fee_currency else _quote(ground, fill)
    in_base = currency == bookings_base(ground, fill)
    model = FeeModel((rate,), currency, in_base, rounding)
    return with_fee(fill, model.fee(ground.bookings, fill, rate), currency)


def _of_all_balances(
    ground: Ground, fills: Sequence[Fill], meant: list[Fill], name: str
) -> list[Fill]:
    """The fills whose fees are booked in any balance that needs something."""
    names = {other for other in ground.need if is_cash(other)}
    if names == {name}:
        return meant
    return [fill for fill in fills if _charged_as(ground, fill) in names]


def _tells(rate: Decimal, value: Decimal, unit: Decimal) -> bool:
    """Whether a rate is round, and coarse enough to give an amount by chance hardly ever."""
    step = EXACT.multiply(Decimal((0, (1,), -decimal_places(rate))), value)
    return len(rate.as_tuple().digits) <= _RATE_DIGITS and step >= EXACT.multiply(unit, _RARE)


def _rate_text(model: FeeModel | None, rate: Decimal, ground: Ground) -> str:
    known = "" if model is None or not model.rates else f"{model.rates[0]:f}"
    if not known:
        return f"at the rate {rate:f}"
    right, booked = (known, f"{rate:f}") if ground.rows_right else (f"{rate:f}", known)
    return f"booked at the rate {booked} instead of {right}"


def _charged_as(ground: Ground, fill: Fill) -> str:
    """The balance that the fee of a fill is booked in; one without a fee, in the quote."""
    currency = fill.fee_currency if fill.fee and fill.fee_currency else _quote(ground, fill)
    return ground.bookings.cash(currency, fill.account)


def _quote(ground: Ground, fill: Fill) -> str:
    instrument = ground.bookings.instruments.get(fill.symbol)
    if instrument is None:
        return ""
    derivative = ground.bookings.derivative(fill.symbol)
    return instrument.settlement if derivative else instrument.quote


def bookings_base(ground: Ground, fill: Fill) -> str | None:
    """The base currency of a spot fill; a derivative's fee is on its value."""
    instrument = ground.bookings.instruments.get(fill.symbol)
    derivative = ground.bookings.derivative(fill.symbol)
    return None if instrument is None or derivative else instrument.base


def _of_trades(ground: Ground, fills: Sequence[Fill]) -> Iterator[Edit]:
    """Every quantity in another unit, every side turned, every quantity rounded."""
    factors = _factors(ground, fills)
    if not factors and not ground.rows_right:
        return
    total = ground.bookings.trades(fills)
    seen = [name for name, amount in ground.space.seen(total).items() if amount]
    if not seen:
        return
    if _TURNED in factors and _may(ground, total, seen, _TURNED):
        turned = [flipped(fill) for fill in fills]
        yield of_all(CauseKind.SIGN_CONVENTION, fills, turned, "BUY and SELL of every fill")
    for factor in (*_POWERS, *_multipliers(ground, fills)):
        more = EXACT.subtract(factor, Decimal(1))
        if more in factors and _may(ground, total, seen, more):
            scaled = [_scaled(fill, factor) for fill in fills]
            yield of_all(CauseKind.UNIT, fills, scaled, _unit_text(factor, ground))
    if ground.rows_right:
        yield from _rounded(ground, fills)


def _factors(ground: Ground, fills: Sequence[Fill]) -> list[Decimal]:
    """By what all quantities may be multiplied more, as far as the positions tell."""
    more = [EXACT.subtract(each, Decimal(1)) for each in (*_POWERS, *_multipliers(ground, fills))]
    factors = [_TURNED, *more]
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
    """Whether a multiple of what the fills book is nearly what is needed."""
    for name in seen:
        expected = EXACT.multiply(total[name], factor)
        off = EXACT.subtract(ground.need.get(name, ZERO), expected).copy_abs()
        near = EXACT.multiply(off, Decimal(50)) <= expected.copy_abs()
        if not near and off > ground.allowed(name):
            return False
    return True


def _scaled(fill: Fill, factor: Decimal) -> Fill:
    return replace(fill, quantity=EXACT.multiply(fill.quantity, factor).normalize(EXACT))


def _multipliers(ground: Ground, fills: Sequence[Fill]) -> list[Decimal]:
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
            yield from _rounded_to(fills, places)


def _may_round(ground: Ground, fills: Sequence[Fill], places: int) -> bool:
    """Whether quantities with so many decimals give what is needed, as far as numbers tell."""
    effect = _rounding_effect(ground, fills, places)
    return effect is None or ground.reaches(effect)


def _rounding_effect(ground: Ground, fills: Sequence[Fill], places: int) -> Vector | None:
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


def _rounded_to(fills: Sequence[Fill], places: int) -> Iterator[Edit]:
    rounded = [replace(fill, quantity=round_to_places(fill.quantity, places)) for fill in fills]
    if list(fills) != rounded:
        yield of_all(CauseKind.ROUNDING, fills, rounded, f"quantities to {places} decimals")
