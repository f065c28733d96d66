"""A fee that was not booked, booked twice, or booked with the wrong sign."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from recon_core.explain.causes.fee_rate import at_another_rate_in_pairs
from recon_core.explain.problem.hypotheses import Hypothesis, Strength, of_all, with_fee
from recon_core.explain.problem.pairs import PairRow, SharedFault, are_most, differing_in, fee_fault
from recon_core.explain.problem.problem import Problem
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO

_FEES: Final = {"fee", "fee_currency"}

_OF_FEES: Final = {
    CauseKind.MISSING_FEE: "no fee was booked at all",
    CauseKind.FEE_CURRENCY: "every fee",
    CauseKind.FEE_SIGN: "of every fee",
    CauseKind.DUPLICATE_FEE: "every fee",
}


def charged(problem: Problem, fill: Fill, at: int) -> Fill:
    """Return a fill without a fee, charged at the rate `at` of its fee model.

    If a fee computed in floats is within dust of the required fee, it is the required one.
    """
    model = problem.schedules.model(fill)
    assert model is not None  # noqa: S101  # only models with rates are offered
    fee = model.fee(problem.postings, fill, model.rates[at])
    cash = problem.postings.cash(model.currency, fill.account)
    required, dust = problem.required.get(cash, ZERO).copy_negate(), problem.dimensions.dust
    if dust and EXACT.subtract(required, fee).copy_abs() <= dust:
        fee = required
    return replace(fill, fee=fee, fee_currency=model.currency)


def turned_fees(charged: Sequence[Fill]) -> Hypothesis:
    """Build the hypothesis that every fee has the wrong sign."""
    turned = [with_fee(fill, fill.fee.copy_negate()) for fill in charged]
    return of_all(CauseKind.FEE_SIGN, charged, turned, "of every fee")


def no_fees(charged: Sequence[Fill]) -> Hypothesis:
    """Build the hypothesis that no fee was booked."""
    none = [with_fee(fill, ZERO) for fill in charged]
    return of_all(CauseKind.MISSING_FEE, charged, none, "no fee was booked at all")


def without_fees(problem: Problem, fills: Sequence[Fill]) -> Iterator[Hypothesis]:
    """Yield the fills without a fee, charged at the most frequent rate of those with one."""
    bare = [fill for fill in fills if not fill.fee and fill.quantity]
    if problem.rows_right or not 1 < len(bare) < len(fills):
        return
    models = [problem.schedules.model(fill) for fill in bare]
    if all(model is not None and model.rates for model in models):
        charged = [charged(problem, fill, 0) for fill in bare]
        hypothesis = of_all(CauseKind.MISSING_FEE, bare, charged, f"of {len(bare)} fills")
        yield replace(hypothesis, strength=Strength.SHOWN)


def fees_of_pairs(rows: Sequence[PairRow], fills: Sequence[Fill]) -> SharedFault | None:
    """Return the fault of the fees of nearly all fills with a fee."""
    wrong = [row for row in differing_in(rows, *_FEES) if {*row.fields} <= _FEES | {"side", "time"}]
    charged = [row for row in wrong if row.at.fee or row.right.fee]
    if rated := at_another_rate_in_pairs(charged):
        return SharedFault(CauseKind.FEE_RATE, "", ("fee", "fee_currency"), rated)
    if not charged:
        return None
    kind, _ = Counter(map(fee_fault, charged)).most_common(1)[0]
    some = [row for row in charged if fee_fault(row) is kind]
    if not are_most(some, [fill for fill in fills if fill.fee] or some):
        return None
    return SharedFault(kind, _OF_FEES.get(kind, ""), ("fee", "fee_currency"), some)
