"""BUY and SELL exchanged in one fill."""

from typing import Final

from recon_core.explain.causes.copies import Copies
from recon_core.explain.causes.family import CauseFamily, FieldFault, FillOperator
from recon_core.explain.problem.fee_evidence import at_usual_rate
from recon_core.explain.problem.hypotheses import Hypothesis, flipped
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind


def flip(fill: Fill) -> Hypothesis:
    """Build the exchange of a fill's side."""
    return Hypothesis(CauseKind.SIDE_FLIPPED, Patch((fill,), (flipped(fill),)), (fill,))


def _flipped(problem: Problem, _copies: Copies, fill: Fill) -> Hypothesis:
    return at_usual_rate(problem, flip(fill))


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.SIDE_FLIPPED: sentence_of("{subject} has BUY and SELL exchanged in {rows}"),
    },
    operators=(FillOperator("flip", -2, 0, _flipped),),
    fields={"side": lambda _wrong, _right: FieldFault(CauseKind.SIDE_FLIPPED)},
)
