"""Pairs of faults: each session shows one way in which two are kept apart."""

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.explain.problem.chances import is_significant
from recon_core.model.explanation import ExplanationVerdict
from recon_core.policy.model import Policy
from tests.explain.problems import problems_of, prover_of
from tests.explain.session_changes import FaultySession, causes_of, faulty_sessions

PAIRS = faulty_sessions("pairs")


@pytest.mark.large
@pytest.mark.parametrize("session", PAIRS.values(), ids=PAIRS)
def test_both_faults_are_found(session: FaultySession) -> None:
    """Both, and nothing else, for the reason that the session gives."""
    (found,) = explain(Reconciliation(session.recorded, Policy()))
    # A withdrawal of a round opening balance would fit as well.
    is_round = "opening_balance" in {str(one.cause_kind) for one in found.causes}
    verdict = ExplanationVerdict.AMBIGUOUS if is_round else ExplanationVerdict.UNIQUE
    assert found.verdict is verdict, session.why
    assert causes_of(found) == session.causes, session.why


def test_an_effect_too_exact_for_chance() -> None:
    """It leaves so little that not one of so many effects would by chance."""
    recorded = PAIRS["a fee twice, and an opening that leaves next to nothing"].recorded
    problem = problems_of(prover_of(recorded))[0]
    (name,) = problem.required
    required = problem.required[name]
    assert is_significant(problem, {name: required}, 10)
    assert is_significant(problem, {name: required.quantize(type(required)("0.001"))}, 10)
    assert not is_significant(problem, {name: required.quantize(type(required)("0.001"))}, 10_000)
    assert not is_significant(problem, {name: required / 2}, 10)
    assert not is_significant(problem, {name: -required}, 1)
    assert not is_significant(problem, {}, 1)
