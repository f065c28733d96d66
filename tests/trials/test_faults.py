"""Faults injected at random are found again, and nothing else is ever claimed."""

from collections import Counter

import pytest
from hypothesis import settings

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.policy.model import Policy
from tests.trials.bases import NAMES, Evidence, base_session
from tests.trials.drawing import Wanted
from tests.trials.noise import is_explained
from tests.trials.outcomes import Outcome, answered, explained_noise, failures, table, trials
from tests.trials.scoring import Score

IS_SOAK = settings().max_examples > 1000
SINGLES, PAIRS, NOISE, DUSTY = (600, 400, 500, 200) if IS_SOAK else (40, 16, 20, 10)
CHUNK = 5
"""Seeds of one test where no rate is asked for: workers can share them."""

OF_SINGLES, OF_PAIRS = (0.98, 0.95) if IS_SOAK else (0.93, 0.6)
"""What is found of what the data can tell, at least, in samples of these sizes.

Most of the others end at the budget or are ambiguous.
"""

ENOUGH_TOLD = {1: 0.6, 2: 0.2}
"""How many of the trials the data can tell, at least: else the rates mean nothing."""


def outcomes_of(count: int, wanted: Wanted) -> list[Outcome]:
    """Every trial of the first seeds, answered."""
    return [answered(trial) for trial in trials(range(count), wanted)]


def told_rates(outcomes: list[Outcome]) -> Counter[Score]:
    """The scores of the trials whose data can tell the faults."""
    return Counter(one.score for one in outcomes if not one.trial.why_not)


def require(outcomes: list[Outcome], rate: float) -> None:
    """No wrong answer at all, and of what can be told so much right."""
    report = f"{table(outcomes)}\n{failures(outcomes)}"
    wrong = sum(one.score is Score.WRONG for one in outcomes)
    told = told_rates(outcomes)
    assert not wrong, report
    assert told[Score.RIGHT] >= rate * told.total(), report


@pytest.mark.parametrize("evidence", Evidence)
@pytest.mark.parametrize(
    ("faults", "count", "rate"), [(1, SINGLES, OF_SINGLES), (2, PAIRS, OF_PAIRS)]
)
def test_faults_are_found(evidence: Evidence, faults: int, count: int, rate: float) -> None:
    """What the data can tell is told, and nothing is told that is not so."""
    outcomes = outcomes_of(count, Wanted(evidence=evidence, faults=faults))
    told = told_rates(outcomes)
    assert told.total() >= ENOUGH_TOLD[faults] * count, table(outcomes)
    require(outcomes, rate)


@pytest.mark.parametrize("first", range(0, DUSTY, CHUNK))
def test_faults_on_dust(first: int) -> None:
    """What the recording's own rounding leaves hides no fault, and is not explained away."""
    outcomes = outcomes_of(range(first, first + CHUNK), Wanted(is_dusty=True))
    assert outcomes
    assert not any(one.score is Score.WRONG for one in outcomes), (
        f"{table(outcomes)}\n{failures(outcomes)}"
    )


@pytest.mark.parametrize("first", range(0, NOISE, CHUNK))
def test_noise_is_never_explained(first: int) -> None:
    """Random amounts that no fault makes have no unique explanation."""
    explained = []
    for seed in range(first, first + CHUNK):
        noise, answer = explained_noise(seed)
        if is_explained(answer):
            explained.append((seed, noise.base.name, noise.placement, noise.what, answer[0].text))
    assert not explained, "\n".join(map(str, explained))


@pytest.mark.parametrize("evidence", Evidence)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_explain(name: str, evidence: Evidence) -> None:
    """A session without diffs has no explanation."""
    assert explain(Reconciliation(base_session(name, evidence).recorded, Policy())) == ()
