"""The problems of a session, and the prover of their hypotheses."""

from decimal import Decimal

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.problem.dimensions import dimensions_of
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.problems import problems
from recon_core.explain.proof.prover import Prover
from recon_core.model import RecordedSession
from recon_core.policy.model import Policy


def prover_of(recorded: RecordedSession) -> Prover:
    """A prover of a session."""
    found = Reconciliation(recorded, Policy())
    return Prover(found, dimensions_of(found.recorded, found.comparisons, Decimal(0)))


def problems_of(prover: Prover) -> list[Problem]:
    """Every ground of a session."""
    return problems(prover.recorded, prover.dimensions, prover.reconciliation.replays)


def content_of(hypothesis: Hypothesis) -> tuple[object, ...]:
    """What makes two hypotheses equal."""
    return (
        hypothesis.cause_kind,
        [id(row) for row in hypothesis.rows],
        hypothesis.patch.added,
        hypothesis.strength,
    )
