"""Faults of all rows at once: a rate, a unit, a sign, a habit of reading.

A rate is solved for and counts only where it is round and gives the need to the last digit;
everything else has no free number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.amounts import EXACT, ZERO, decimal_places, exact_sum, round_to_places
from recon_core.explain.bookings import to_decimal
from recon_core.explain.changes import Change
from recon_core.explain.edits import Edit, flipped, with_fee
from recon_core.explain.fees import ROUNDINGS, FeeModel, round_rate, total_value
from recon_core.explain.fill_edits import FillEdits
from recon_core.explain.ground import Ground
from recon_core.explain.space import is_cash
from recon_core.explanation import CauseKind
from recon_core.model import Fill

_RATE_DIGITS: Final = 4
_RARE: Final = Decimal(10_000)
_POWERS: Final = tuple(Decimal(1).scaleb(exponent) for exponent in range(-9, 10) if exponent)
_MOST_PLACES: Final = 8
_MOST_HABIT_PLACES: Final = 5
_MOST_GROUPS: Final = 6
_COMMON: Final = tuple(Decimal(1).scaleb(exponent) for exponent in (-3, -2, -1, 1, 2, 3))


def systematic(ground: Ground, fill_edits: FillEdits) -> Iterator[Edit]:
    """The edits of all fills of a ground, and of those of each position."""
    groups = [ground.fills, *ground.by_symbol.values()]
    seen: set[int] = set()
    for fills in groups:
        if len(fills) > 1 and len(fills) not in seen:
            if len(ground.by_symbol) == 1:
                seen.add(len(fills))
            yield from _of_fees(ground, fills, fill_edits)
            yield from _of_trades(ground, fills)
    yield from cumulative(ground)


def habits(ground: Ground) -> Iterator[Edit]:
    """The edits of all fills without a free number that bring the need nearer.

    For faults that come together with another one: what is left is looked for after them.
    """
    groups = [ground.fills, *ground.by_symbol.values()]
    for fills in groups[: 1 if len(ground.by_symbol) == 1 else _MOST_GROUPS]:
        if len(fills) > 1:
            for edit in _habits_of(ground, fills):
                if _nearer(ground, edit.change.vector(ground.bookings)):
                    yield edit


def _habits_of(ground: Ground, fills: Sequence[Fill]) -> Iterator[Edit]:
    charged = [fill for fill in fills if fill.fee]
    if len(charged) > 1:
        turned = [with_fee(fill, fill.fee.copy_negate()) for fill in charged]
        yield _all(CauseKind.FEE_SIGN, charged, turned, "of every fee")
        if ground.rows_right:
            none = [with_fee(fill, ZERO) for fill in charged]
            yield _all(CauseKind.MISSING_FEE, charged, none, "no fee was booked at all")
        yield from _in_other_currencies(ground, charged)
    turned = [flipped(fill) for fill in fills]
    yield _all(CauseKind.SIGN_CONVENTION, fills, turned, "BUY and SELL of every fill")
    for factor in (*_COMMON, *_multipliers(ground, fills)):
        scaled = [_scaled(fill, factor) for fill in fills]
        yield _all(CauseKind.UNIT, fills, scaled, _unit_text(factor, ground))
    if ground.rows_right:
        for places in range(_MOST_HABIT_PLACES):
            rounded = [
                replace(fill, quantity=round_to_places(fill.quantity, places)) for fill in fills
            ]
            if list(fills) != rounded:
                yield _all(CauseKind.ROUNDING, fills, rounded, f"quantities to {places} decimals")


def _nearer(ground: Ground, effect: dict[str, Decimal]) -> bool:
    """Whether what is needed becomes less where the effect is largest."""
    seen = ground.space.seen(effect)
    if not seen:
        return False
    name = max(seen, key=lambda each: (seen[each].copy_abs(), each))
    need = ground.need.get(name, ZERO)
    return EXACT.subtract(need, seen[name]).copy_abs() < need.copy_abs()


def _all(kind: CauseKind, fills: Sequence[Fill], changed: Sequence[Fill], detail: str) -> Edit:
    pairs = [(old, new) for old, new in zip(fills, changed, strict=True) if old != new]
    change = Change(tuple(old for old, _ in pairs), tuple(new for _, new in pairs))
    return Edit(kind, change, change.removed, rank=1, detail=detail)


def _of_fees(ground: Ground, fills: Sequence[Fill], fill_edits: FillEdits) -> Iterator[Edit]:
    charged = [fill for fill in fills if fill.fee]
    if len(charged) > 1:
        turned = [with_fee(fill, fill.fee.copy_negate()) for fill in charged]
        yield _all(CauseKind.FEE_SIGN, charged, turned, "of every fee")
        if ground.rows_right:
            none = [with_fee(fill, ZERO) for fill in charged]
            yield _all(CauseKind.MISSING_FEE, charged, none, "no fee was booked at all")
        yield from _in_other_currencies(ground, charged)
    yield from _without_fees(ground, fills, fill_edits)
    for name in ground.need:
        if is_cash(name):
            yield from at_another_rate(ground, fills, fill_edits, name)


def _without_fees(ground: Ground, fills: Sequence[Fill], fill_edits: FillEdits) -> Iterator[Edit]:
    """Several fills without a fee among many with one, at the rate of those."""
    bare = [fill for fill in fills if not fill.fee and fill.quantity]
    if ground.rows_right or not 1 < len(bare) < len(fills):
        return
    models = [fill_edits.model(fill) for fill in bare]
    if all(model is not None and model.rates for model in models):
        charged = [fill_edits.charged(fill, 0) for fill in bare]
        edit = _all(CauseKind.MISSING_FEE, bare, charged, f"of {len(bare)} fills")
        yield replace(edit, rank=0)


def _in_other_currencies(ground: Ground, charged: Sequence[Fill]) -> Iterator[Edit]:
    instrument = ground.bookings.instruments.get(charged[0].symbol)
    if instrument is None or len({fill.symbol for fill in charged}) > 1:
        return
    for currency in sorted({instrument.base, instrument.quote}):
        known = ground.bookings.cash(currency, charged[0].account) in ground.space.compared
        if known and any(fill.fee_currency != currency for fill in charged):
            other = [with_fee(fill, fill.fee, currency) for fill in charged]
            yield _all(CauseKind.FEE_CURRENCY, charged, other, f"every fee in {currency}")


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
    missing = not any(fill.fee for fill in meant) and not ground.rows_right
    kind = CauseKind.MISSING_FEE if missing else CauseKind.FEE_RATE
    detail = _rate_text(fill_edits.model(meant[0]), rate, ground)
    for rounding in ROUNDINGS:
        model = FeeModel((rate,), currency, in_base, rounding)
        changed = [with_fee(fill, model.fee(bookings, fill, rate), currency) for fill in meant]
        edit = _all(kind, meant, changed, detail)
        if len(edit.rows) * 2 > len(meant):
            yield edit


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
    bookings = ground.bookings
    total = bookings.fills([replace(fill, fee=ZERO) for fill in fills])
    seen = [name for name, amount in ground.space.seen(total).items() if amount]
    if not seen:
        return
    turned = [flipped(fill) for fill in fills]
    if _may(ground, total, seen, Decimal(-2)):
        yield _all(CauseKind.SIGN_CONVENTION, fills, turned, "BUY and SELL of every fill")
    for factor in (*_POWERS, *_multipliers(ground, fills)):
        if _may(ground, total, seen, EXACT.subtract(factor, Decimal(1))):
            scaled = [_scaled(fill, factor) for fill in fills]
            yield _all(CauseKind.UNIT, fills, scaled, _unit_text(factor, ground))
    if ground.rows_right:
        yield from _rounded(ground, fills)


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
    need = abs(ground.need.get(position, ZERO))
    for places in range(_MOST_PLACES + 1):
        if need > EXACT.multiply(Decimal(len(fills)), Decimal(1).scaleb(-places)):
            break
        rounded = [replace(fill, quantity=round_to_places(fill.quantity, places)) for fill in fills]
        if list(fills) != rounded:
            yield _all(CauseKind.ROUNDING, fills, rounded, f"quantities to {places} decimals")


def cumulative(ground: Ground) -> Iterator[Edit]:
    """Orders of several fills whose quantities were read as increments, or as running sums."""
    orders: dict[tuple[str | None, str, str], list[Fill]] = {}
    for fill in ground.fills:
        order = fill.client_order_id or fill.exchange_order_id
        if order:
            orders.setdefault((fill.account, fill.symbol, order), []).append(fill)
    several = [fills for fills in orders.values() if len(fills) > 1]
    found = []
    for fills in several:
        changed = _running(fills) if ground.rows_right else _increments(fills)
        if changed is not None:
            found.append((fills, changed))
            yield _cumulative(fills, changed)
    if len(found) > 1:
        fills = [fill for each, _ in found for fill in each]
        yield _cumulative(fills, [fill for _, changed in found for fill in changed])


def _cumulative(fills: Sequence[Fill], changed: Sequence[Fill]) -> Edit:
    edit = _all(CauseKind.CUMULATIVE_QUANTITY, fills, changed, "")
    return replace(edit, rows=tuple(fills))


def _running(fills: Sequence[Fill]) -> list[Fill]:
    total, changed = ZERO, []
    for fill in fills:
        total = EXACT.add(total, fill.quantity)
        changed.append(replace(fill, quantity=total))
    return changed


def _increments(fills: Sequence[Fill]) -> list[Fill] | None:
    """The increments of running sums, `None` where the quantities are no running sums."""
    before, changed = ZERO, []
    for fill in fills:
        increment = EXACT.subtract(fill.quantity, before)
        if increment <= 0:
            return None
        before = fill.quantity
        changed.append(replace(fill, quantity=increment))
    return changed
