"""Faults of every fee at once: their sign, their currency, their rate, or no fee booked.

A rate is fitted: total fees less the required effect, divided by the total value. Fees of
2,000.00 on trades of 2,000,000.00 and a required effect of -1,000.00 give 3,000.00 /
2,000,000.00, a rate of 0.15 %. It counts only if it is round and the fees at it have the
required effect to the last digit.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from operator import attrgetter
from typing import Final

from recon_core.explain.effects.dimensions import is_cash, is_position, negated, plus
from recon_core.explain.effects.fees import ROUNDINGS, FeeModel, round_rate, tells, total_value
from recon_core.explain.faults.fee_tiers import in_another_tier, strangers
from recon_core.explain.faults.fill_hypotheses import charged
from recon_core.explain.faults.hypotheses import Hypothesis, Strength, of_all, with_fee
from recon_core.explain.problems.problem import Problem
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, exact_sum

_CURRENCY: Final = attrgetter("fee_currency")
_SYMBOL: Final = attrgetter("symbol")
_ACCOUNT: Final = attrgetter("account")
_Fills = Sequence[Fill]


def turned_fees(charged: Sequence[Fill]) -> Hypothesis:
    """Build the hypothesis that every fee has the wrong sign."""
    turned = [with_fee(fill, fill.fee.copy_negate()) for fill in charged]
    return of_all(CauseKind.FEE_SIGN, charged, turned, "of every fee")


def no_fees(charged: Sequence[Fill]) -> Hypothesis:
    """Build the hypothesis that no fee was booked."""
    none = [with_fee(fill, ZERO) for fill in charged]
    return of_all(CauseKind.MISSING_FEE, charged, none, "no fee was booked at all")


def of_every_fee(problem: Problem, fills: Sequence[Fill]) -> Iterator[Hypothesis]:
    """Yield the hypotheses on all fees of some fills that may have the required effect."""
    charged = [fill for fill in fills if fill.fee]
    if _moves_nothing_needed(problem, charged):
        if len(charged) > 1:
            yield from in_other_currencies(problem, charged, only_required=True)
        return
    if len(charged) > 1:
        posted = problem.postings.fees(charged)
        if problem.reaches(negated(plus(posted, posted))):
            yield turned_fees(charged)
        if problem.rows_right and problem.reaches(negated(posted)):
            yield no_fees(charged)
        yield from in_other_currencies(problem, charged, only_required=True)
    yield from _without_fees(problem, fills)
    for name in problem.required:
        if is_cash(name):
            yield from at_another_rate(problem, fills, name)


def _moves_nothing_needed(problem: Problem, charged: Sequence[Fill]) -> bool:
    """True if a position has to move and no fee is in a base currency: fees move none."""
    instruments = problem.postings.instruments
    bases = {instrument.base for instrument in instruments.values()}
    is_moved = any(
        is_position(name) and amount.copy_abs() > problem.allowed(name)
        for name, amount in problem.required.items()
    )
    return is_moved and bases.isdisjoint(set(map(_CURRENCY, charged)))


def _without_fees(problem: Problem, fills: Sequence[Fill]) -> Iterator[Hypothesis]:
    """Yield the fills without a fee, charged at the most frequent rate of those with one."""
    bare = [fill for fill in fills if not fill.fee and fill.quantity]
    if problem.rows_right or not 1 < len(bare) < len(fills):
        return
    models = [problem.schedules.model(fill) for fill in bare]
    if all(model is not None and model.rates for model in models):
        charged = [charged(problem, fill, 0) for fill in bare]
        hypothesis = of_all(CauseKind.MISSING_FEE, bare, charged, f"of {len(bare)} fills")
        yield replace(hypothesis, strength=Strength.SHOWN)


def in_other_currencies(
    problem: Problem, charged: Sequence[Fill], *, only_required: bool = False
) -> Iterator[Hypothesis]:
    """Yield every fee in the base, and in the quote, currency.

    `only_required` keeps a currency only if its balance requires exactly these fees. Nothing is
    yielded for fills of several symbols.
    """
    instrument = problem.postings.instruments.get(charged[0].symbol)
    if instrument is None or _differ(problem.rows.symbols, _SYMBOL, charged):
        return
    for currency in sorted({instrument.base, instrument.quote}):
        known = problem.postings.cash(currency, charged[0].account) in problem.dimensions.compared
        fits = not only_required or _is_needed_in(problem, charged, currency)
        if known and fits and any(fill.fee_currency != currency for fill in charged):
            other = [with_fee(fill, fill.fee, currency) for fill in charged]
            yield of_all(CauseKind.FEE_CURRENCY, charged, other, f"every fee in {currency}")


def _is_needed_in(problem: Problem, charged: Sequence[Fill], currency: str) -> bool:
    """True if the fees in other currencies add up to the amount that a balance requires."""
    if _differ(problem.rows.accounts, _ACCOUNT, charged):
        return True
    name, roundings = (
        problem.postings.cash(currency, charged[0].account),
        problem.postings.roundings,
    )
    fees = [fill.fee for fill in charged if fill.fee_currency != currency]
    if fees and min(fees) >= 0:  # the sum is at least the largest fee
        least = EXACT.subtract(max(fees), problem.postings.resolution(currency))
        if EXACT.add(problem.required.get(name, ZERO), least) > problem.allowed(name):
            return False
    more = exact_sum(roundings.each(currency, fees))
    return EXACT.add(problem.required.get(name, ZERO), more).copy_abs() <= problem.allowed(name)


def _differ(known: Collection[str | None], key: Callable[[Fill], object], some: _Fills) -> bool:
    """True if some fills differ in a key; `known` are the key's values over all fills."""
    return len(known) > 1 and len(set(map(key, some))) > 1


def at_another_rate(problem: Problem, fills: Sequence[Fill], name: str) -> Iterator[Hypothesis]:
    """Yield all fees of the balance `name` at the rate that the required effect gives.

    Where no round rate does, yield the fees of several rates in one proportion (`in_another_tier`).
    """
    meant = [fill for fill in fills if _charged_as(problem, fill) == name]
    if len(meant) < 2:  # noqa: PLR2004  # some rate fits any single fee
        return
    currency = meant[0].fee_currency or _quote(problem, meant[0])
    postings, base = problem.postings, _base(problem, meant[0])
    in_base = currency == base
    fees = exact_sum(postings.roundings[currency](fill.fee) for fill in meant)
    total = EXACT.subtract(fees, problem.required.get(name, ZERO))
    value = total_value(postings, meant, in_base=in_base)
    if total <= 0 or not value or total == fees.copy_negate():
        return
    unit = postings.resolution(currency) or Decimal("1e-12")
    rate = round_rate(total, value, EXACT.multiply(unit, Decimal(len(meant))))
    if rate is None or not tells(rate, value, unit):
        yield from in_another_tier(problem, meant, name)
        return
    meant = _of_all_balances(problem, fills, meant, name)
    missing = not any(fill.fee for fill in meant) and not problem.rows_right
    kind = CauseKind.MISSING_FEE if missing else CauseKind.FEE_RATE
    detail = _rate_text(problem.schedules.model(meant[0]), rate, problem)
    detail += strangers(problem, meant)
    for rounding in ROUNDINGS:
        changed = [_at_rate(problem, fill, rate, rounding) for fill in meant]
        hypothesis = of_all(kind, meant, changed, detail)
        if len(hypothesis.rows) * 2 > len(meant):
            yield hypothesis


def _at_rate(problem: Problem, fill: Fill, rate: Decimal, rounding: str) -> Fill:
    """Return a fill with its fee at a rate, in the currency in which it is charged."""
    currency = fill.fee_currency if fill.fee and fill.fee_currency else _quote(problem, fill)
    in_base = currency == _base(problem, fill)
    model = FeeModel((rate,), currency, in_base, rounding)
    return with_fee(fill, model.fee(problem.postings, fill, rate), currency)


def _of_all_balances(
    problem: Problem, fills: Sequence[Fill], meant: list[Fill], name: str
) -> list[Fill]:
    """Return the fills whose fees are booked in any balance with a required effect."""
    names = {other for other in problem.required if is_cash(other)}
    if names == {name}:
        return meant
    return [fill for fill in fills if _charged_as(problem, fill) in names]


def _rate_text(model: FeeModel | None, rate: Decimal, problem: Problem) -> str:
    known = "" if model is None or not model.rates else f"{model.rates[0]:f}"
    if not known:
        return f"at the rate {rate:f}"
    right, posted = (known, f"{rate:f}") if problem.rows_right else (f"{rate:f}", known)
    return f"booked at the rate {posted} instead of {right}"


def _charged_as(problem: Problem, fill: Fill) -> str:
    """Return the balance of a fill's fee; without a fee, that of the quote or settlement."""
    currency = fill.fee_currency if fill.fee and fill.fee_currency else _quote(problem, fill)
    return problem.postings.cash(currency, fill.account)


def _quote(problem: Problem, fill: Fill) -> str:
    instrument = problem.postings.instruments.get(fill.symbol)
    if instrument is None:
        return ""
    derivative = problem.postings.derivative(fill.symbol)
    return instrument.settlement if derivative else instrument.quote


def _base(problem: Problem, fill: Fill) -> str | None:
    """Return the base currency of a spot fill; `None` for a derivative, charged on its value."""
    instrument = problem.postings.instruments.get(fill.symbol)
    derivative = problem.postings.derivative(fill.symbol)
    return None if instrument is None or derivative else instrument.base
