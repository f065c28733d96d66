"""What trials are answered, and how the answers of many are shown."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model.explanation import Effort, Explanation
from recon_core.policy.model import Policy
from tests.trials.drawing import Trial, Wanted, drawn
from tests.trials.noise import Noise, noisy
from tests.trials.scoring import Score, scored

_SHOWN_FAILURES = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trial, what was answered and what that is worth."""

    trial: Trial
    answer: tuple[Explanation, ...]
    score: Score
    seconds: float


def answered(trial: Trial, effort: Effort = Effort.FAST) -> Outcome:
    """Explain the session of a trial."""
    from recon_core.explain import explain

    reconciliation = Reconciliation(trial.placed.recorded, Policy())
    start = time.perf_counter()
    answer = explain(reconciliation, effort)
    seconds = time.perf_counter() - start
    return Outcome(trial, answer, scored(trial, answer), seconds)


def explained_noise(seed: int) -> tuple[Noise, tuple[Explanation, ...]]:
    """Explain the noise of a seed."""
    from recon_core.explain import explain

    noise = noisy(seed)
    return noise, explain(Reconciliation(noise.recorded, Policy()))


def trials(seeds: Iterable[int], wanted: Wanted) -> Iterator[Trial]:
    """The trials of many seeds."""
    found = (drawn(seed, wanted) for seed in seeds)
    return (trial for trial in found if trial is not None)


def table(outcomes: Sequence[Outcome]) -> str:
    """Counts by kind and setting, those apart that the data cannot tell."""
    counts: dict[tuple[str, str, str], Counter[Score]] = {}
    for one in outcomes:
        untold = "  untold" if one.trial.why_not else ""
        row = (one.trial.kinds, one.trial.setting, untold)
        counts.setdefault(row, Counter())[one.score] += 1
    lines = [f"{'kind':<44}{'setting':<18}{'':<8}" + "".join(f"{score:>8}" for score in Score)]
    for (kinds, setting, untold), found in sorted(counts.items()):
        figures = "".join(f"{found[score] or '.':>8}" for score in Score)
        lines.append(f"{kinds:<44}{setting:<18}{untold:<8}{figures}")
    return "\n".join([*lines, *_totals(outcomes)])


def _totals(outcomes: Sequence[Outcome]) -> list[str]:
    lines = []
    for name, is_told in (("told", True), ("untold", False)):
        found = Counter(one.score for one in outcomes if (not one.trial.why_not) is is_told)
        figures = "".join(f"{found[score]:>8}" for score in Score)
        lines.append(f"{name:<70}{figures}")
    seconds = sorted(one.seconds for one in outcomes)
    if seconds:
        median, slowest = seconds[len(seconds) // 2], seconds[-1]
        seed = max(outcomes, key=lambda one: one.seconds).trial.seed
        lines.append(f"explain(): median {median:.3f} s, slowest {slowest:.3f} s (seed {seed})")
    return lines


def failures(outcomes: Sequence[Outcome]) -> str:
    """The first trials that are not as they should be, with what repeats them."""
    bad = [
        one
        for one in outcomes
        if one.score in (Score.WRONG, Score.ASTRAY)
        or (one.score is Score.MODEST and not one.trial.why_not)
    ]
    bad.sort(key=lambda one: one.score is not Score.WRONG)
    return "\n".join(_line(one) for one in bad[:_SHOWN_FAILURES])


def _line(one: Outcome) -> str:
    trial = one.trial
    said = "; ".join(
        f"{each.verdict}: {', '.join(cause.cause_kind for cause in each.causes) or '-'}"
        for each in one.answer[:3]
    )
    return (
        f"seed {trial.seed}: {one.score}, {trial.base.name} {trial.setting}, "
        f"{trial.kinds} ({', '.join(fault.variant for fault in trial.faults)}) -> {said or '()'}"
    )
