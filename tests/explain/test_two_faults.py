"""Pairs of faults by what tells them: each shows one way in which two are kept apart."""

import pytest

from recon_core.explain.faults.chances import stands_alone
from recon_core.model.explanation import CauseKind, ExplanationVerdict
from tests.explain.problems import problems_of, prover_of
from tests.trials.bases import Evidence
from tests.trials.drawing import Trial, Wanted, drawn
from tests.trials.outcomes import answered
from tests.trials.scoring import Score

ROWS, STATES = Evidence.ROWS, Evidence.STATES
TOLD = [
    (STATES, 78, "duplicate_fee + opening_balance", "each settles a balance of its own"),
    (ROWS, 40, "duplicate_fee + opening_balance", "the opening leaves next to nothing"),
    (STATES, 273, "duplicate_fee + foreign_activity", "the other's fills settle every position"),
    (STATES, 119, "duplicate_fee + duplicate_fee", "the usual rate shows both fees"),
    (STATES, 339, "cumulative_quantity + fee_currency", "one repair is no two explanations"),
    (STATES, 12, "fee_rate + missing_fill", "all fees of a derivative, after a fill of it"),
    (STATES, 391, "fee_rate + orphan_fill", "the same with hedge legs"),
    (STATES, 48, "missing_fill + orphan_fill", "the order that lacks a fill is of either leg"),
    (STATES, 85, "duplicate_fill + duplicate_movement", "many fills would settle the position"),
    (STATES, 113, "fee_currency + unit", "what settles one symbol is looked at first"),
    (ROWS, 342, "side_flipped + unit", "the same in the exchange's state"),
]


def pair(evidence: Evidence, seed: int) -> Trial:
    """The trial of a seed with two faults."""
    trial = drawn(seed, Wanted(evidence=evidence, faults=2))
    assert trial is not None
    return trial


@pytest.mark.parametrize(("evidence", "seed", "kinds", "why"), TOLD)
def test_a_pair_is_told(evidence: Evidence, seed: int, kinds: str, why: str) -> None:
    """Both faults, and nothing else, for the reason that is given."""
    trial = pair(evidence, seed)
    assert trial.kinds == kinds
    outcome = answered(trial)
    assert outcome.score is Score.RIGHT, why
    assert [one.verdict for one in outcome.answer] == [ExplanationVerdict.UNIQUE]


def test_the_more_telling_name_of_one_repair() -> None:
    """A running sum that was read as a quantity is more than a wrong quantity."""
    (explanation,) = answered(pair(STATES, 339)).answer
    assert CauseKind.CUMULATIVE_QUANTITY in {cause.cause_kind for cause in explanation.causes}


def test_what_stands_alone() -> None:
    """An effect leaves so little that not one of so many would by chance."""
    trial = pair(ROWS, 40)
    problem = problems_of(prover_of(trial.placed.recorded))[0]
    (name,) = problem.required
    required = problem.required[name]
    assert stands_alone(problem, {name: required}, 10)
    assert stands_alone(problem, {name: required.quantize(type(required)("0.001"))}, 10)
    assert not stands_alone(problem, {name: required.quantize(type(required)("0.001"))}, 10_000)
    assert not stands_alone(problem, {name: required / 2}, 10)
    assert not stands_alone(problem, {name: -required}, 1)
    assert not stands_alone(problem, {}, 1)
