"""Trials of explanations, one by one or by the thousand.

    python -m tests.trials --seed 7
    python -m tests.trials --count 300 --kind missing_fill --setting rows/row
    python -m tests.trials --worlds --count 3000 --jobs 2
    python -m tests.trials --world hedge --seed 7

The first prints a session, the truth and the answer; the second a table by kind; the third
tables of all worlds; the last one session of a world.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model.explanation import CauseKind, Effort, Explanation
from recon_core.policy.model import Policy
from tests.trials.bases import Evidence
from tests.trials.drawing import Trial, Wanted, drawn
from tests.trials.noise import is_explained
from tests.trials.outcomes import answered, explained_noise, failures, table, trials
from tests.trials.placing import Placement
from tests.trials.scoring import Score
from tests.trials.world_tables import report
from tests.trials.worlds import (
    WORLDS,
    WorldOutcome,
    drawn_of,
    outcome_of,
    outcomes_of,
    world_named,
)
from tests.trials.worth import Worth

_CHUNK = 4
"""Seeds that one process answers at a time."""


def described(trial: Trial) -> str:
    """A trial in words: its session, its truth and what differs."""
    base, recorded = trial.base, trial.placed.recorded
    lines = [
        f"seed {trial.seed}: {base.name}, {trial.setting}, {len(base.fills)} fills",
        f"  told: {trial.why_not or 'yes'}",
    ]
    for fault, truth in zip(trial.faults, trial.placed.truths, strict=True):
        sides = "/".join(sorted(str(side) for side in truth.sides))
        lines.append(f"  truth: {truth.cause_kind} ({truth.variant}) of {sides}")
        lines.append(f"    ids {_few(truth.ids)} of {_few(truth.all_ids)}, also {_few(truth.also)}")
        lines += [f"    right {fill}" for fill in fault.fills[:3]]
    lines.append(f"  effect: {trial.placed.effect.to_dict()}")
    lines.append("  diffs:")
    diffs = Reconciliation(recorded, Policy()).diffs
    lines += [f"    {diff.identity} {diff.severity} {diff.delta}" for diff in diffs[:12]]
    return "\n".join(lines)


def _few(ids: Iterable[str]) -> str:
    found = sorted(ids)
    return f"{', '.join(found[:4])}{f' … {len(found)}' if len(found) > 4 else ''}" or "-"


def answer_text(answer: Iterable[Explanation], score: str, seconds: float) -> str:
    """An answer in words: its explanations, their causes and effects."""
    lines = [f"  answer: {score}, {seconds:.3f} s"]
    for one in answer:
        lines.append(f"    {one.verdict} {one.side} of {one.alternatives}: {one.text}")
        lines += [f"      residual {one.residual.to_dict()}"] if one.residual else []
        lines += [f"      decides: {one.decides}"] if one.decides else []
        for cause in one.causes:
            effect = cause.effect.to_dict()
            lines.append(f"      {cause.cause_kind} {cause.side} {_few(cause.ids)} {effect}")
            lines.append(f"        {cause.text}")
    return "\n".join(lines)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="one trial in full")
    parser.add_argument("--count", type=int, default=200, help="so many trials, as a table")
    parser.add_argument("--first", type=int, default=0, help="the first seed of the table")
    parser.add_argument("--kind", type=CauseKind, default=None)
    parser.add_argument("--setting", default="", help="states, rows, rows/booked, /exchange")
    parser.add_argument("--base", default=None, help="name of the base session")
    parser.add_argument("--faults", type=int, default=1, choices=(1, 2))
    parser.add_argument("--dust", action="store_true", help="keep the recording's own dust")
    parser.add_argument("--effort", type=Effort, default=Effort.FAST)
    parser.add_argument("--noise", action="store_true", help="amounts that no fault makes")
    parser.add_argument("--worlds", action="store_true", help="tables of all worlds, see worlds.py")
    parser.add_argument("--world", choices=[world.name for world in WORLDS], default=None)
    parser.add_argument("--whole", action="store_true", help="also by world, kind and evidence")
    parser.add_argument("--jobs", type=int, default=1, help="processes for the worlds")
    parser.add_argument("--draw-only", action="store_true", help="explain nothing")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Print one trial, or a table of many; 1 where an answer is wrong."""
    asked = _arguments(given)
    evidence, _, placement = asked.setting.partition("/")
    wanted = Wanted(
        asked.kind,
        Evidence(evidence) if evidence else None,
        Placement(placement) if placement else None,
        asked.base,
        asked.faults,
        asked.dust,
    )
    if asked.world and asked.seed is not None:
        return _one_of_world(asked)
    if asked.worlds or asked.world:
        return _worlds(asked)
    if asked.seed is not None:
        return _one(asked, wanted)
    if asked.noise:
        return _noise(range(asked.first, asked.first + asked.count))
    drawn_trials = trials(range(asked.first, asked.first + asked.count), wanted)
    if asked.draw_only:
        _print("\n".join(described(trial) for trial in drawn_trials))
        return 0
    outcomes = [answered(trial, asked.effort) for trial in drawn_trials]
    _print(table(outcomes))
    _print(failures(outcomes))
    return int(any(one.score is Score.WRONG for one in outcomes))


def _noise(seeds: Iterable[int]) -> int:
    """Print what was claimed of random amounts that no fault makes."""
    claims = 0
    for seed in seeds:
        noise, answer = explained_noise(seed)
        if is_explained(answer):
            claims += 1
            _print(f"noise {seed}: {noise.base.name} {noise.placement} {noise.what}")
            _print("\n".join(f"    {one.verdict}: {one.text}" for one in answer))
    _print(f"noise: {claims} of {len(list(seeds))} claimed to be explained")
    return int(claims > 0)


def _worlds(asked: argparse.Namespace) -> int:
    """Print the tables of worlds, about `count` sessions of all together."""
    names = [asked.world] if asked.world else [world.name for world in WORLDS]
    seeds = range(asked.first, asked.first - -asked.count // len(names))
    chunks = [(names, seeds[at : at + _CHUNK], asked.effort) for at in range(0, len(seeds), _CHUNK)]
    if asked.jobs > 1:
        with ProcessPoolExecutor(asked.jobs) as pool:
            outcomes = list(chain.from_iterable(pool.map(_outcomes, chunks)))
    else:
        outcomes = list(chain.from_iterable(map(_outcomes, chunks)))
    _print(report(outcomes, is_whole=asked.whole))
    return int(any(one.worth is Worth.WRONG for one in outcomes))


def _outcomes(chunk: tuple[Sequence[str], range, Effort]) -> list[WorldOutcome]:
    names, seeds, effort = chunk
    return list(outcomes_of([world_named(name) for name in names], seeds, effort))


def _one_of_world(asked: argparse.Namespace) -> int:
    found = drawn_of(world_named(asked.world), asked.seed)
    if found is None:
        _print("nothing of that kind is possible there")
        return 2
    _print(found.what if found.trial is None else described(found.trial))
    outcome = outcome_of(found, asked.effort)
    _print(answer_text(outcome.answer, outcome.worth, outcome.seconds))
    return int(outcome.worth is Worth.WRONG)


def _one(asked: argparse.Namespace, wanted: Wanted) -> int:
    trial = drawn(asked.seed, wanted)
    if trial is None:
        _print("nothing of that kind is possible there")
        return 2
    _print(described(trial))
    if asked.draw_only:
        return 0
    outcome = answered(trial, asked.effort)
    _print(answer_text(outcome.answer, outcome.score, outcome.seconds))
    return int(outcome.score is Score.WRONG)


if __name__ == "__main__":
    sys.exit(main())
