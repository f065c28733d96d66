"""Fees of several rates in one proportion: another tier of makers and takers.

Rates of 0.1 % and 0.08 % become 0.05 % and 0.04 %: the first is fitted and has to be round, the
others change by the same factor, 0.5. For the fit a value at 0.08 % counts 0.8 times.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.effects.fees import ROUNDINGS, FeeModel, fee_value, round_rate, tells
from recon_core.explain.effects.postings import to_decimal
from recon_core.explain.faults.hypotheses import Hypothesis, of_all
from recon_core.explain.problems.problem import Problem
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, exact_sum

_PLACES: Final = 20
"""Decimals of a scaled rate or value: quotients may not end, and fees are far coarser."""

_FEW: Final = 3
"""Fills that a text names as exceptions: more show that the rates are not understood."""

Charged = tuple[Fill, FeeModel, Decimal]
"""A fill, its fee model, and its rate as a fraction of the value."""


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
