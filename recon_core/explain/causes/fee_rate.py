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

from recon_core.explain.causes.fee_amount import no_fees, turned_fees, without_fees
from recon_core.explain.causes.fee_currency import CURRENCY, in_other_currencies
from recon_core.explain.problem.dimensions import is_cash, is_position, negated, plus
from recon_core.explain.problem.fee_schedule import (
    ROUNDINGS,
    FeeModel,
    fee_value,
    round_rate,
    tells,
    total_value,
)
from recon_core.explain.problem.hypotheses import Hypothesis, of_all, with_fee
from recon_core.explain.problem.pairs import FEWEST_PAIRS, PairRow, are_most, fee_fault
from recon_core.explain.problem.postings import to_decimal
from recon_core.explain.problem.problem import Problem
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


def in_another_tier(problem: Problem, meant: Sequence[Fill], name: str) -> Iterator[Hypothesis]:
    """Yield the fees of the balance `name` in the proportion that the required effect gives.

    Nothing if a fee is at no known rate, or all are at the same.
    """
    charged = [one for fill in meant if fill.fee for one in _charged(problem, fill)]
    rates = list(dict.fromkeys(rate for _, _, rate in charged))
    if len(rates) < 2 or len(charged) < len(meant):  # noqa: PLR2004  # one rate is no tier
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
    if rate is None or not tells(rate, value, unit) or rate == rates[0]:
        return
    factor = Fraction(rate) / first
    detail = _rates_text(rates, factor, rows_right=problem.rows_right)
    for rounding in ROUNDINGS:
        changed = [_at(problem, one, factor, rounding) for one in charged]
        yield of_all(CauseKind.FEE_RATE, [fill for fill, _, _ in charged], changed, detail)


def _rates_text(rates: Sequence[Decimal], factor: Fraction, *, rows_right: bool) -> str:
    given, other = (
        ", ".join(f"{rate.normalize(EXACT):f}" for rate in sorted(some, reverse=True))
        for some in (rates, [to_decimal(Fraction(rate) * factor, _PLACES) for rate in rates])
    )
    posted, right = (other, given) if rows_right else (given, other)
    return f"booked at the rates {posted} instead of {right}"


def strangers(problem: Problem, meant: Sequence[Fill]) -> str:
    """Return a clause that names the few fills at no known rate, to be added to a text."""
    known = [fill for fill in meant if problem.schedules.model(fill) is not None]
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
        slack = unit * (1 + abs(ratio))
        told = [abs(one - ratio * other) <= slack for one, other in pairs]
        best = list(compress(rows, told)) if sum(told) > len(best) else best
    return best


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
    yield from without_fees(problem, fills)
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
    return is_moved and bases.isdisjoint(set(map(CURRENCY, charged)))


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


def at_another_rate_in_pairs(charged: Sequence[PairRow]) -> list[PairRow]:
    """Return the rows whose fees are at one wrong rate, unless all fees are just doubled."""
    kinds = {CauseKind.DUPLICATE_FEE, CauseKind.FEE_RATE}
    rows = [row for row in charged if row.right.fee and fee_fault(row) in kinds]
    some = at_one_rate(rows, lambda row: (row.at.fee, row.right.fee))
    is_a_rate = len(some) > FEWEST_PAIRS and any(
        fee_fault(row) is CauseKind.FEE_RATE for row in some
    )
    return some if is_a_rate and are_most(some, rows) else []
