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
NOISE, DUSTY = (500, 200) if IS_SOAK else (10, 10)
CHUNK = 5
"""Seeds of one test where no rate is asked for: workers can share them."""

COUNTS = {1: 600, 2: 400} if IS_SOAK else {1: 20, 2: 8}
SAMPLES = {1: 600, 2: 400} if IS_SOAK else {1: 20, 2: 8}
"""Seeds by the number of faults: all of them, and those of one test, which has one rate."""

FOUND = {1: 0.98, 2: 0.95} if IS_SOAK else {1: 0.93, 2: 0.6}
"""What is found of what the data can tell, at least, in samples of these sizes.

Most of the others end at the budget or are ambiguous.
"""

ENOUGH_TOLD = {1: 0.6, 2: 0.2}
"""How many of the trials the data can tell, at least: else the rates mean nothing."""


def outcomes_of(seeds: range, wanted: Wanted) -> list[Outcome]:
    """Every trial of some seeds, answered."""
    return [answered(trial) for trial in trials(seeds, wanted)]


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
    ("faults", "first"),
    [(faults, first) for faults in COUNTS for first in range(0, COUNTS[faults], SAMPLES[faults])],
)
def test_faults_are_found(evidence: Evidence, faults: int, first: int) -> None:
    """What the data can tell is told, and nothing is told that is not so."""
    seeds = range(first, first + SAMPLES[faults])
    require(outcomes_of(seeds, Wanted(evidence=evidence, faults=faults)), FOUND[faults])


@pytest.mark.parametrize("evidence", Evidence)
@pytest.mark.parametrize("faults", COUNTS)
def test_most_faults_can_be_told(evidence: Evidence, faults: int) -> None:
    """Of too few of them a rate would mean nothing."""
    drawn = list(trials(range(COUNTS[faults]), Wanted(evidence=evidence, faults=faults)))
    told = [trial for trial in drawn if not trial.why_not]
    assert len(told) >= ENOUGH_TOLD[faults] * COUNTS[faults]


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
