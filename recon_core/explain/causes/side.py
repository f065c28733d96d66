"""BUY and SELL exchanged in one fill."""

from recon_core.explain.problem.hypotheses import Hypothesis, flipped
from recon_core.explain.problem.patches import Patch
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind


def flip(fill: Fill) -> Hypothesis:
    """Build the exchange of a fill's side."""
    return Hypothesis(CauseKind.SIDE_FLIPPED, Patch((fill,), (flipped(fill),)), (fill,))
