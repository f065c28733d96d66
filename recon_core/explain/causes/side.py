"""BUY and SELL exchanged in one fill."""

from typing import Final

from recon_core.explain.causes.copies import Copies
from recon_core.explain.causes.family import CauseFamily, FieldFault, FillOperator
from recon_core.explain.problem.fee_evidence import at_usual_rate
from recon_core.explain.problem.hypotheses import Hypothesis, Strength, flipped
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import order_name
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind


def flip(problem: Problem, fill: Fill, strength: Strength = Strength.EXACT) -> Hypothesis:
    """Build the exchange of a fill's side, a chance if the report of its order denies it."""
    order = problem.orders.get(order_name(fill))
    is_denied = order is not None and order.side is fill.side
    patch = Patch((fill,), (flipped(fill),))
    return Hypothesis(
        CauseKind.SIDE_FLIPPED, patch, (fill,), Strength.CHANCE if is_denied else strength
    )


def _flipped(problem: Problem, _copies: Copies, fill: Fill) -> Hypothesis:
    return at_usual_rate(problem, flip(problem, fill))


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.SIDE_FLIPPED: sentence_of("{subject} has BUY and SELL exchanged in {rows}"),
    },
    operators=(FillOperator("flip", -2, 0, _flipped),),
    fields={"side": lambda _wrong, _right: FieldFault(CauseKind.SIDE_FLIPPED)},
)
