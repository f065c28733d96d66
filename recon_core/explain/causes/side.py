"""BUY and SELL exchanged in one fill."""

from typing import Final

from recon_core.explain.causes.copies import Copies
from recon_core.explain.causes.family import CauseFamily, FieldFault, FillOperator
from recon_core.explain.problem.fee_evidence import at_usual_rate
from recon_core.explain.problem.hypotheses import Hypothesis, Strength, flipped
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import order_name
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind


def flip(problem: Problem, fill: Fill, strength: Strength = Strength.EXACT) -> Hypothesis:
    """Build the exchange of a fill's side, as sure as its order says: by its report or its fills.

    An order does not both buy and sell. Of right rows that a side states otherwise the fills of the
    order say nothing: they are all on its side.
    """
    order = problem.orders.get(order_name(fill))
    if order is not None:
        strength = Strength.CHANCE if order.side is fill.side else Strength.SHOWN
    elif (
        problem.fault_in is FaultIn.ROWS and len(others := problem.rows.sides_of_others(fill)) == 1
    ):
        strength = Strength.CHANCE if fill.side in others else Strength.SHOWN
    return Hypothesis(CauseKind.SIDE_FLIPPED, Patch((fill,), (flipped(fill),)), (fill,), strength)


def _flipped(problem: Problem, _copies: Copies, fill: Fill) -> Hypothesis:
    return at_usual_rate(problem, flip(problem, fill))


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.SIDE_FLIPPED: sentence_of("{subject} has BUY and SELL exchanged in {rows}"),
    },
    operators=(FillOperator("flip", -2, 0, _flipped),),
    fields={"side": lambda _wrong, _right: FieldFault(CauseKind.SIDE_FLIPPED)},
)
