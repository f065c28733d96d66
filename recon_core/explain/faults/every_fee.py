"""Faults of every fee at once: the sign, the currency, the rate, or that none was booked.

A rate is solved for and counts only where it is round and gives the need to the last digit.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, ZERO, exact_sum
from recon_core.explain.effects.fees import ROUNDINGS, FeeModel, round_rate, tells, total_value
from recon_core.explain.effects.space import is_cash, is_position, negated, plus
from recon_core.explain.faults.edits import Edit, of_all, with_fee
from recon_core.explain.faults.fee_tiers import in_another_tier, strangers
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Fill

_CURRENCY: Final = attrgetter("fee_currency")
_SYMBOL: Final = attrgetter("symbol")
_ACCOUNT: Final = attrgetter("account")
_Fills = Sequence[Fill]


def turned_fees(charged: Sequence[Fill]) -> Edit:
    """Every fee with the other sign."""
    turned = [with_fee(fill, fill.fee.copy_negate()) for fill in charged]
    return of_all(CauseKind.FEE_SIGN, charged, turned, "of every fee")


def no_fees(charged: Sequence[Fill]) -> Edit:
    """No fee at all."""
    none = [with_fee(fill, ZERO) for fill in charged]
    return of_all(CauseKind.MISSING_FEE, charged, none, "no fee was booked at all")


def of_every_fee(ground: Ground, fills: Sequence[Fill], fill_edits: FillEdits) -> Iterator[Edit]:
    """The edits of all fees that may be what is needed."""
    charged = [fill for fill in fills if fill.fee]
    if _moves_nothing_needed(ground, charged):
        if len(charged) > 1:
            yield from in_other_currencies(ground, charged, needed=True)
        return
    if len(charged) > 1:
        booked = ground.bookings.fees(charged)
        if ground.reaches(negated(plus(booked, booked))):
            yield turned_fees(charged)
        if ground.rows_right and ground.reaches(negated(booked)):
            yield no_fees(charged)
        yield from in_other_currencies(ground, charged, needed=True)
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


def in_other_currencies(
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
    bookings, base = ground.bookings, _base(ground, meant[0])
    in_base = currency == base
    fees = exact_sum(bookings.roundings[currency](fill.fee) for fill in meant)
    total = EXACT.subtract(fees, ground.need.get(name, ZERO))
    value = total_value(bookings, meant, in_base=in_base)
    if total <= 0 or not value or total == fees.copy_negate():
        return
    unit = bookings.resolution(currency) or Decimal("1e-12")
    rate = round_rate(total, value, EXACT.multiply(unit, Decimal(len(meant))))
    if rate is None or not tells(rate, value, unit):
        yield from in_another_tier(ground, meant, fill_edits, name)
        return
    meant = _of_all_balances(ground, fills, meant, name)
    missing = not any(fill.fee for fill in meant) and not ground.rows_right
    kind = CauseKind.MISSING_FEE if missing else CauseKind.FEE_RATE
    detail = _rate_text(fill_edits.model(meant[0]), rate, ground)
    detail += strangers(ground, meant, fill_edits)
    for rounding in ROUNDINGS:
        changed = [_at_rate(ground, fill, rate, rounding) for fill in meant]
        edit = of_all(kind, meant, changed, detail)
        if len(edit.rows) * 2 > len(meant):
            yield edit


def _at_rate(ground: Ground, fill: Fill, rate: Decimal, rounding: str) -> Fill:
    """A fill with its fee at a rate, in the currency that it is charged in."""
    currency = fill.fee_currency if fill.fee and fill.fee_currency else _quote(ground, fill)
    in_base = currency == _base(ground, fill)
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


def _base(ground: Ground, fill: Fill) -> str | None:
    """The base currency of a spot fill; a derivative's fee is on its value."""
    instrument = ground.bookings.instruments.get(fill.symbol)
    derivative = ground.bookings.derivative(fill.symbol)
    return None if instrument is None or derivative else instrument.base
