"""The fee of one fill that is off the schedule of all others.

40 fees are at 0.1 % to the last digit, and one is 13.02 on a value of 9,500: 9.50 is at that rate.
If the required effect is 3.52, the wrong fee is proven; no number is fitted, as the schedule gives
the right one.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from recon_core.explain.causes.family import CauseFamily, FieldFault
from recon_core.explain.causes.fee_pairs import fee_kind
from recon_core.explain.problem.fee_evidence import FeeContradiction
from recon_core.explain.problem.hypotheses import Hypothesis, Strength, fee_change
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, format_amount, shortest


def _by_fee(one: FeeContradiction) -> Iterator[Hypothesis]:
    """Yield the fee of a contradicted row at each rate of its schedule.

    A fee that is 0, twice, or the negative of the right one has a kind of its own. A fee within
    some units of a rate may be rounded by another rule: it is wrong if nothing else is.
    """
    fill, model = one.fill, one.model
    for rate in model.rates if fill.fee_currency == model.currency else ():
        fee = model.fee(one.problem.postings, fill, rate)
        if not _has_own_kind(fill.fee, fee, model.unit(one.problem.postings, fill)):
            strength = Strength.SHOWN if one.is_far else Strength.EXACT
            hypothesis = fee_change(fill, CauseKind.WRONG_FEE, fee, strength=strength)
            detail = f"{_against(fill, hypothesis.patch.added[0])}, as others at {model.text(rate)}"
            yield replace(hypothesis, detail=detail)


def _has_own_kind(wrong: Decimal, right: Decimal, unit: Decimal) -> bool:
    """True if a fee is twice or the negative of the right one, but for a unit of rounding."""
    others = (EXACT.add(right, right), right.copy_negate())
    return any(EXACT.subtract(wrong, one).copy_abs() <= unit for one in others)


def _in_a_row(wrong: Fill, right: Fill) -> FieldFault:
    kind = fee_kind(wrong.fee, right.fee)
    is_general = kind is CauseKind.WRONG_FEE
    return FieldFault(kind, _against(wrong, right) if is_general else "")


def _against(wrong: Fill, right: Fill) -> str:
    """Return the right fee and its currency after `instead of`, as short as they are."""
    fees = [format_amount(shortest(fill.fee)) for fill in (wrong, right)]
    return f"{fees[0]} instead of {fees[1]}"


FAMILY: Final = CauseFamily(
    sentences={CauseKind.WRONG_FEE: sentence_of("{subject} has booked a wrong fee of {rows}")},
    by_fee=_by_fee,
    fields={"fee": _in_a_row},
)
