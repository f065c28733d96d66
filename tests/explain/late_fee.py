"""A toy cause: a fee that the venue charges a day late, always 7.77 in the quote currency.

It is what someone who adds a cause writes: one module, and one row of `CAUSES`.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Final, cast

from recon_core.explain.causes.family import CauseFamily, FeeOperator, OtherFee
from recon_core.explain.problem.hypotheses import Hypothesis, fee_change
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind


class _Toys(StrEnum):
    """Kinds of this test; those of the project are members of `CauseKind`."""

    LATE_FEE = "late_fee"


LATE_FEE: Final = cast("CauseKind", _Toys.LATE_FEE)
_FEE: Final = Decimal("7.77")


def _fees(problem: Problem) -> Callable[[Fill], Iterable[OtherFee]]:
    quotes = {symbol: one.quote for symbol, one in problem.postings.instruments.items()}
    return lambda fill: [("late", _FEE, quotes[fill.symbol])]


def _late(_problem: Problem, fill: Fill, fee: Decimal, currency: str) -> Hypothesis:
    return fee_change(fill, LATE_FEE, fee, currency)


FAMILY: Final = CauseFamily(
    sentences={LATE_FEE: sentence_of("{subject} has not booked the late fee of {rows}")},
    fee_operators=(FeeOperator(_fees, _late, charged=False, faults=frozenset({FaultIn.ROWS})),),
)
