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
from recon_core.explain.problem.dimensions import is_cash
from recon_core.explain.problem.fee_schedule import (
    ROUNDINGS,
    FeeModel,
    fee_value,
    is_significant_rate,
    round_rate,
    total_value,
)
from recon_core.explain.problem.fill_group import FillGroup
from recon_core.explain.problem.hypotheses import Hypothesis, of_all, with_fee
from recon_core.explain.problem.pairs import FEWEST_PAIRS, PairRow, SharedFault, are_most
from recon_core.explain.problem.postings import to_decimal
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, decimal_places, exact_sum, shortest

_PLACES: Final = 20
"""Decimals of a scaled rate or value: quotients may not end, and fees are far coarser."""

_FEW: Final = 3
"""Fills that a text names as exceptions: more show that the rates are not understood."""

Charged = tuple[Fill, FeeModel, Decimal]
"""A fill, its fee model, and its rate as a fraction of the value."""

_MOST_TRIED: Final = 5
"""Ratios that are tried, each a pass over all rows. Rounding changes the ratio of a large fee
least, so the largest fees are enough; several, because a large fee may have a fault of its own."""

_Row = TypeVar("_Row")


def at_scaled_rates(problem: Problem, selected: Sequence[Fill], name: str) -> Iterator[Hypothesis]:
    """Yield the fees of the balance `name` in the proportion that the required effect gives.

    Nothing if a fee is at no known rate, or all are at the same.
    """
    charged = [one for fill in selected if fill.fee for one in _charged(problem, fill)]
    rates = list(dict.fromkeys(rate for _, _, rate in charged))
    if len(rates) < 2 or len(charged) < len(selected):  # noqa: PLR2004  # one rate is no tier
        return
    first = Fraction(rates[0])
    currency = charged[0][1].currency
    values = (
        to_decimal(Fraction(fee_value(problem.postings, fill, in_base=model.in_base))
                   * Fraction(rate) / first, _PLACES)
        for fill, model, rate in charged
    )  # fmt: skip
    value = exact_sum(values)
    fees = exact_sum(problem.postings.roundings[currency](fill.fee) for fill, _, _ in charged)
    total = EXACT.subtract(fees, problem.required.get(name, ZERO))
    unit = problem.postings.resolution(currency) or Decimal("1e-12")
    rate = round_rate(total, value, EXACT.multiply(unit, Decimal(len(charged)))) if value else None
    if rate is None or not is_significant_rate(rate, value, unit) or rate == rates[0]:
        return
    factor = Fraction(rate) / first
    detail = _rates_text(problem, rates, factor)
    for rounding in ROUNDINGS:
        changed = [_at(problem, one, factor, rounding) for one in charged]
        yield of_all(CauseKind.FEE_RATE, [fill for fill, _, _ in charged], changed, detail)


def _rates_text(problem: Problem, rates: Sequence[Decimal], factor: Fraction) -> str:
    given, other = (
        ", ".join(f"{rate.normalize(EXACT):f}" for rate in sorted(group, reverse=True))
        for group in (rates, [to_decimal(Fraction(rate) * factor, _PLACES) for rate in rates])
    )
    posted, right = problem.wrong_and_right(given, other)
    return f"booked at the rates {posted} instead of {right}"


def exception_text(problem: Problem, selected: Sequence[Fill]) -> str:
    """Return a clause that names the few fills at no known rate, to be added to a text."""
    known = [fill for fill in selected if problem.schedules.model(fill) is not None]
    ids = [fill.fill_id for fill in known if not any(_charged(problem, fill))]
    return f"; {', '.join(ids)} at neither" if 0 < len(ids) <= _FEW else ""


def _charged(problem: Problem, fill: Fill) -> Iterator[Charged]:
    """Yield a fill with the first rate that gives its fee to one unit, if any does."""
    model = problem.schedules.model(fill)
    for rate in () if model is None else model.rates:
        if model is not None:
            off = EXACT.subtract(model.fee(problem.postings, fill, rate), fill.fee).copy_abs()
            if off <= problem.postings.resolution(model.currency):
                yield fill, model, rate
                return


def _at(problem: Problem, one: Charged, factor: Fraction, rounding: str) -> Fill:
    fill, model, rate = one
    other = to_decimal(Fraction(rate) * factor, _PLACES)
    fee = replace(model, rounding=rounding).fee(problem.postings, fill, other)
    return replace(fill, fee=fee)


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
    """Yield all fees of the balance `name` at the rate that the required effect gives.

    Where no round rate does, yield the fees of several rates in one proportion (`at_scaled_rates`).
    """
    selected = [fill for fill in fills if _charged_as(problem, fill) == name]
    if len(selected) < 2:  # noqa: PLR2004  # some rate fits any single fee
        return
    currency = selected[0].fee_currency or _quote(problem, selected[0])
    postings, base = problem.postings, _base(problem, selected[0])
    in_base = currency == base
    fees = exact_sum(postings.roundings[currency](fill.fee) for fill in selected)
    total = EXACT.subtract(fees, problem.required.get(name, ZERO))
    value = total_value(postings, selected, in_base=in_base)
    if total <= 0 or not value or total == fees.copy_negate():
        return
    unit = postings.resolution(currency) or Decimal("1e-12")
    rate = round_rate(total, value, EXACT.multiply(unit, Decimal(len(selected))))
    if rate is None or not is_significant_rate(rate, value, unit):
        yield from at_scaled_rates(problem, selected, name)
        return
    if rate in problem.schedules.rates(selected[0])[:1]:
        return  # most fees are at that rate: it would leave them as they are
    selected = _of_all_balances(problem, fills, selected, name)
    missing = not any(fill.fee for fill in selected) and problem.fault_in is FaultIn.ROWS
    kind = CauseKind.MISSING_FEE if missing else CauseKind.FEE_RATE
    detail = _rate_text(problem.schedules.model(selected[0]), rate, problem)
    detail += exception_text(problem, selected)
    for rounding in ROUNDINGS:
        changed = [_at_rate(problem, fill, rate, rounding) for fill in selected]
        hypothesis = of_all(kind, selected, changed, detail)
        if len(hypothesis.rows) * 2 > len(selected):
            yield hypothesis


def _at_rate(problem: Problem, fill: Fill, rate: Decimal, rounding: str) -> Fill:
    """Return a fill with its fee at a rate, in the currency in which it is charged."""
    currency = fill.fee_currency if fill.fee and fill.fee_currency else _quote(problem, fill)
    in_base = currency == _base(problem, fill)
    model = FeeModel((rate,), currency, in_base, rounding)
    return with_fee(fill, model.fee(problem.postings, fill, rate), currency)


def _of_all_balances(
    problem: Problem, fills: Sequence[Fill], selected: list[Fill], name: str
) -> list[Fill]:
    """Return the fills whose fees are booked in any balance with a required effect."""
    names = {other for other in problem.required if is_cash(other)}
    if names == {name}:
        return selected
    return [fill for fill in fills if _charged_as(problem, fill) in names]


def _rate_text(model: FeeModel | None, rate: Decimal, problem: Problem) -> str:
    known = "" if model is None or not model.rates else f"{model.rates[0]:f}"
    if not known:
        return f"at the rate {rate:f}"
    posted, right = problem.wrong_and_right(known, f"{rate:f}")
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
