"""Fees at another rate: of all fills, of a symbol, or of a whole fee schedule.

A rate is fitted: total fees less the required effect, divided by the total value. Fees of
2,000.00 on trades of 2,000,000.00 and a required effect of -1,000.00 give 3,000.00 /
2,000,000.00, a rate of 0.15 %. It counts only if it is round and the fees at it have the
required effect to the last digit. Rates of 0.1 % and 0.08 % become 0.05 % and 0.04 %: the first
is fitted, the others change by the same factor. Pairs of rows show a rate where the fees of most
differ by one ratio, allowing for the rounding of each fee.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import compress
from typing import Final, TypeVar

from recon_core.explain.causes.family import CauseFamily
from recon_core.explain.causes.fee_pairs import fee_fault, most_fees, wrong_fees
from recon_core.explain.problem.dimensions import currency_of, is_cash
from recon_core.explain.problem.fee_schedule import (
    ROUNDINGS,
    FeeModel,
    is_significant_rate,
    rate_text,
    round_rate,
    total_value,
)
from recon_core.explain.problem.fill_group import FillGroup
from recon_core.explain.problem.hypotheses import Hypothesis, Strength, of_all, with_fee
from recon_core.explain.problem.pairs import FEWEST_PAIRS, PairRow, SharedFault, are_most
from recon_core.explain.problem.postings import to_decimal
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, decimal_places, exact_sum, shortest

_PLACES: Final = 20
"""Decimals of a scaled rate or value: quotients may not end, and fees are far coarser."""

_PERCENT: Final = 100
"""Parts of a whole percentage, the share in which rebates are agreed."""

_LARGEST_RATE: Final = Decimal("0.1")
"""Largest rate that may be right, a fraction of the value: ten times the fee of an expensive venue.
A larger one fits by chance, or is a unit."""

_FEW: Final = 3
"""Fills that a text names as exceptions: more show that the rates are not understood."""

Charged = tuple[Fill, FeeModel, Decimal]
"""A fill, its fee model, and its rate as a fraction of the value."""

_MOST_TRIED: Final = 5
"""Ratios that are tried, each a pass over all rows. Rounding changes the ratio of a large fee
least, so the largest fees are enough; several, because a large fee may have a fault of its own."""

_Row = TypeVar("_Row")

_Fee = tuple[Decimal, str | None]
"""A fee and its currency."""


def at_scaled_rates(problem: Problem, selected: Sequence[Fill], name: str) -> Iterator[Hypothesis]:
    """Yield the fees of the balance `name` in the proportion that the required effect gives.

    A fixed part changes in the same proportion. Nothing if a fee is at no known rate, or all are
    at the same without a fixed part, or flat: some flat fee fits almost any amount.
    """
    charged = [one for fill in selected if fill.fee for one in _charged(problem, fill)]
    parts = list(dict.fromkeys(part for _, model, rate in charged for part in (rate, model.fixed)))
    parts = list(filter(None, parts))
    if len(parts) < 2 or len(charged) < len(selected):  # noqa: PLR2004  # one rate is no tier
        return
    first = Fraction(parts[0])
    currency = charged[0][1].currency
    value = exact_sum(
        to_decimal(Fraction(model.charge(problem.postings, fill, rate)) / first, _PLACES)
        for fill, model, rate in charged
    )
    fees = exact_sum(problem.postings.roundings[currency](fill.fee) for fill, _, _ in charged)
    total = EXACT.subtract(fees, problem.required.get(name, ZERO))
    unit = _unit(problem, currency)
    rate = round_rate(total, value, EXACT.multiply(unit, Decimal(len(charged)))) if value else None
    if rate is None or not is_significant_rate(rate, value, unit) or rate == parts[0]:
        return
    factor = Fraction(rate) / first
    is_plausible = _is_plausible(max(_times(rate, factor) for _, _, rate in charged))
    if factor <= 0 or not is_plausible:  # no fees at all are no schedule
        return
    for rounding in ROUNDINGS:
        changed = [_at(problem, one, factor, rounding) for one in charged]
        one = of_all(CauseKind.FEE_RATE, [fill for fill, _, _ in charged], changed, "")
        if problem.reached_by(one.patch):
            is_rebate = _is_rebate(fees, problem.required.get(name, ZERO), unit)
            is_rebate = is_rebate and any(_is_finer(given, factor) for _, _, given in charged)
            strength = Strength.CHANCE if is_rebate else one.strength
            detail = _scaled_text(problem, charged, factor)
            yield replace(one, detail=detail, strength=strength)


def _is_finer(rate: Decimal, factor: Fraction) -> bool:
    """True if a rate has more digits in a proportion than without: no venue's schedule has it."""
    digits = [len(one.normalize(EXACT).as_tuple().digits) for one in (rate, _times(rate, factor))]
    return digits[0] < digits[1]


def _scaled_text(problem: Problem, charged: Sequence[Charged], factor: Fraction) -> str:
    given = list(dict.fromkeys((model, rate) for _, model, rate in charged))
    other = [(_scaled(model, factor), _times(rate, factor)) for model, rate in given]
    posted, right = problem.wrong_and_right(given, other)
    return f"booked at {_listed(posted)} instead of {_listed(right)}"


def _listed(schedules: Sequence[tuple[FeeModel, Decimal]]) -> str:
    """Return models with their rates in words: `the rate 0.001`, `the rates 0.0005, 0.0002`."""
    rates = sorted({rate for _, rate in schedules}, reverse=True)
    if len(rates) > 1 and not any(model.fixed for model, _ in schedules):
        return f"the rates {', '.join(map(rate_text, rates))}"
    return ", ".join(dict.fromkeys(model.text(rate) for model, rate in schedules))


def _scaled(model: FeeModel, factor: Fraction) -> FeeModel:
    return replace(model, fixed=_times(model.fixed, factor))


def _times(rate: Decimal, factor: Fraction) -> Decimal:
    return to_decimal(Fraction(rate) * factor, _PLACES)


def _unit(problem: Problem, currency: str) -> Decimal:
    """Return the unit of fees in a currency, which the sum of all fees may miss by one each."""
    return problem.postings.fee_unit(currency) or Decimal("1e-12")


def _is_plausible(rate: Decimal) -> bool:
    """True if a rate may be right: a fee of more than a tenth of what is traded is none."""
    return rate <= _LARGEST_RATE


def exception_text(problem: Problem, selected: Sequence[Fill]) -> str:
    """Return a clause that names the few fills at no known rate, to be added to a text."""
    known = [fill for fill in selected if problem.schedules.model(fill) is not None]
    ids = [fill.fill_id for fill in known if not any(_charged(problem, fill))]
    return f"; {', '.join(ids)} at neither" if 0 < len(ids) <= _FEW else ""


def _charged(problem: Problem, fill: Fill) -> Iterator[Charged]:
    """Yield a fill with the first rate that gives its fee to one unit, if any does."""
    model = problem.schedules.model(fill)
    if model is None:
        return
    for rate in model.rates:
        off = EXACT.subtract(model.fee(problem.postings, fill, rate), fill.fee).copy_abs()
        if off <= model.unit(problem.postings, fill):
            yield fill, model, rate
            return


def _at(problem: Problem, one: Charged, factor: Fraction, rounding: str) -> Fill:
    fill, model, rate = one
    scaled = replace(_scaled(model, factor), rounding=rounding)
    return replace(fill, fee=scaled.fee(problem.postings, fill, _times(rate, factor)))


def at_one_rate(
    rows: Sequence[_Row], fees_of: Callable[[_Row], tuple[Decimal, Decimal]]
) -> list[_Row]:
    """Return the rows whose fees are the right fees at one other rate, both fees rounded.

    `fees_of` gives the posted and the right fee of a row, neither of them 0. The ratio of each of
    the largest fees is tried; the ratio that most rows have wins.
    """
    fees = list(map(fees_of, rows))
    places = max((decimal_places(shortest(fee)) for pair in fees for fee in pair), default=0)
    unit = Fraction(1, 10**places)
    pairs = [(Fraction(posted), Fraction(right)) for posted, right in fees]
    best: list[_Row] = []
    for posted, right in sorted(pairs, key=lambda pair: -abs(pair[1]))[:_MOST_TRIED]:
        ratio = posted / right
        margin = unit * (1 + abs(ratio))
        matching = [abs(one - ratio * other) <= margin for one, other in pairs]
        best = list(compress(rows, matching)) if sum(matching) > len(best) else best
    return best


def at_other_rate(problem: Problem, fills: Sequence[Fill], name: str) -> Iterator[Hypothesis]:
    """Yield all fees of the balance `name` at the rate that gives the required effect.

    Where no round rate does, yield the fees of several rates in one proportion (`at_scaled_rates`).
    """
    selected = [fill for fill in fills if _charged_as(problem, fill) == name]
    if len(selected) < 2:  # noqa: PLR2004  # some rate fits any single fee
        return
    model = problem.schedules.model(selected[0])
    if model is not None and (model.fixed or len(model.rates) > 1):
        yield from at_scaled_rates(problem, selected, name)
    postings, currency = problem.postings, currency_of(name)
    in_base = currency == _base(problem, selected[0])
    fees = exact_sum(postings.roundings[currency](fill.fee) for fill in selected)
    total = EXACT.subtract(fees, problem.required.get(name, ZERO))
    value = total_value(postings, selected, in_base=in_base)
    if total <= 0 or not value or total == fees.copy_negate() or (model and model.fixed):
        return
    unit = _unit(problem, currency)
    rate = round_rate(total, value, EXACT.multiply(unit, Decimal(len(selected))))
    if rate is None or not is_significant_rate(rate, value, unit) or not _is_plausible(rate):
        return
    selected = _of_all_balances(problem, fills, selected, name)
    missing = not any(fill.fee for fill in selected) and problem.fault_in is FaultIn.ROWS
    kind = CauseKind.MISSING_FEE if missing else CauseKind.FEE_RATE
    for rounding in ROUNDINGS:
        other = [_fee_at(problem, fill, rate, rounding) for fill in selected]
        if not _moves_as_required(problem, name, selected, other):
            continue
        pairs = zip(selected, other, strict=True)
        one = of_all(kind, selected, [with_fee(fill, *fee) for fill, fee in pairs], "")
        if len(one.rows) * 2 > len(selected) and problem.reached_by(one.patch):
            is_rebate = _is_rebate(fees, problem.required.get(name, ZERO), unit)
            detail = _rate_text(problem, selected, rate) + exception_text(problem, selected)
            is_chance = is_rebate or _have_several_rates(problem, selected)
            strength = Strength.CHANCE if is_chance else one.strength
            yield replace(one, detail=detail, strength=strength)


def _have_several_rates(problem: Problem, fills: Sequence[Fill]) -> bool:
    """True if fees are at different rates: one rate for all of them has no witness."""
    return len({rate for fill in fills if fill.fee for _, _, rate in _charged(problem, fill)}) > 1


def _is_rebate(fees: Decimal, required: Decimal, unit: Decimal) -> bool:
    """True if a whole percentage of all fees, paid back or charged in one sum, fits as well."""
    percent = Fraction(required) * _PERCENT / Fraction(fees) if fees else Fraction(0)
    whole = round(percent)
    paid = Fraction(fees) * whole / _PERCENT
    return 0 < abs(whole) < _PERCENT and abs(paid - Fraction(required)) * 2 <= Fraction(unit)


def _fee_at(problem: Problem, fill: Fill, rate: Decimal, rounding: str) -> _Fee:
    """Return the fee of a fill at a rate, in the currency in which it is charged.

    A fee that is at the rate but for the noise of floats stays as it is.
    """
    currency = _currency(problem, fill)
    known = problem.schedules.model(fill)
    if known is None or known.currency != currency:
        places = problem.postings.fee_precision.places(currency)
        known = FeeModel((), currency, currency == _base(problem, fill), places=places)
    model = replace(known, rates=(rate,), rounding=rounding, fixed=ZERO)
    if model.gives(problem.postings, fill):
        return fill.fee, fill.fee_currency
    return model.fee(problem.postings, fill, rate), currency


def _moves_as_required(
    problem: Problem, name: str, fills: Sequence[Fill], fees: Sequence[_Fee]
) -> bool:
    """True if other fees move a balance as required, which is cheaper than the patched fills."""
    postings, moved = problem.postings, problem.required.get(name, ZERO)
    for fill, (fee, currency) in zip(fills, fees, strict=True):
        for amount, paid_in, add in (
            (fee, currency, EXACT.add),
            (fill.fee, fill.fee_currency, EXACT.subtract),
        ):
            if paid_in and postings.cash(paid_in, fill.account) == name:
                moved = add(moved, postings.roundings[paid_in](amount))
    return moved.copy_abs() <= problem.allowed(name)


def _of_all_balances(
    problem: Problem, fills: Sequence[Fill], selected: list[Fill], name: str
) -> list[Fill]:
    """Return the fills whose fees are booked in any balance with a required effect."""
    names = {other for other in problem.required if is_cash(other)}
    if names == {name}:
        return selected
    return [fill for fill in fills if _charged_as(problem, fill) in names]


def _rate_text(problem: Problem, selected: Sequence[Fill], rate: Decimal) -> str:
    """Return the rates of the fills, as many as they have, and the other rate in words."""
    charged = (one for fill in selected if fill.fee for one in _charged(problem, fill))
    known = _listed([(model, at) for _, model, at in charged])
    other = f"the rate {rate_text(rate)}"
    if not known:
        return f"at {other}"
    posted, right = problem.wrong_and_right(known, other)
    return f"booked at {posted} instead of {right}"


def _charged_as(problem: Problem, fill: Fill) -> str:
    """Return the balance of a fill's fee."""
    return problem.postings.cash(_currency(problem, fill), fill.account)


def _currency(problem: Problem, fill: Fill) -> str:
    """Return the currency of a fill's fee; without a fee, the quote or settlement currency."""
    return fill.charged_in if fill.fee else _quote(problem, fill)


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


def _of_all(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield all fees at the rate that a balance requires, for each balance."""
    for name in filter(is_cash, group.problem.required) if group.may_be_fees else ():
        yield from at_other_rate(group.problem, group.fills, name)


def _in_pairs(rows: Sequence[PairRow], fills: Sequence[Fill]) -> SharedFault | None:
    """Return the fault that most fees are at one wrong rate, or each at some wrong rate."""
    wrong = _at_one_wrong_rate(wrong_fees(rows))
    if wrong:
        return SharedFault(CauseKind.FEE_RATE, "", ("fee", "fee_currency"), wrong)
    return most_fees(rows, fills, CauseKind.WRONG_FEE, "", CauseKind.FEE_RATE)


def _at_one_wrong_rate(charged: Sequence[PairRow]) -> list[PairRow]:
    """Return the rows whose fees are at one wrong rate, unless all fees are just doubled."""
    kinds = {CauseKind.DUPLICATE_FEE, CauseKind.WRONG_FEE}
    rows = [row for row in charged if row.right.fee and fee_fault(row) in kinds]
    members = at_one_rate(rows, lambda row: (row.at.fee, row.right.fee))
    found = set(map(fee_fault, members))
    is_a_rate = len(members) > FEWEST_PAIRS and CauseKind.WRONG_FEE in found
    return members if is_a_rate and are_most(members, rows) else []


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.FEE_RATE: sentence_of("{subject} has booked the fees of {rows} at another rate")
    },
    of_all=_of_all,
    in_pairs=(_in_pairs,),
)
