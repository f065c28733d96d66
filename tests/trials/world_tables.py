"""Tables of the outcomes of worlds: how many answers are right, and how long they took."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tests.trials.bases import Evidence
from tests.trials.placing import Placement
from tests.trials.worlds import WORLDS, WorldOutcome
from tests.trials.worth import Worth

TWO: Final = "two faults"
"""The kind of a trial of two faults: every pair of kinds would be a row of its own."""

_SHOWN: Final = 20
_WHOLE: Final = ("n", "told", *Worth, "p50", "p99", "max")
_P50, _P99 = 0.5, 0.99
_ONE_TWO: Final = ("none", "one", "two")
_OF_LEDGER: Final = {
    world.name for world in WORLDS if (Evidence.ROWS, Placement.ROW) in world.settings
}

_Key = Callable[[WorldOutcome], tuple[str, ...]]


def report(outcomes: Sequence[WorldOutcome], *, is_whole: bool = False) -> str:
    """By world, by kind and evidence, if `is_whole` by all three; then the wrong answers.

    First of the faults in the ledger's rows that the data can show, by their number.
    """
    shown = [one for one in outcomes if one.is_told and one.world in _OF_LEDGER]
    tables = [
        _table(
            "faults of the ledger, told | evidence",
            shown,
            lambda one: (_ONE_TWO[one.faults], one.evidence),
        ),
        _table("world", outcomes, lambda one: (one.world,)),
        _table("kind | evidence", outcomes, lambda one: (_kind(one), one.evidence)),
    ]
    if is_whole:
        every = _table(
            "world | kind | evidence",
            outcomes,
            lambda one: (one.world, _kind(one), one.evidence),
        )
        tables.append(every)
    return "\n\n".join([*tables, failures(outcomes)])


def failures(outcomes: Iterable[WorldOutcome]) -> str:
    """The wrong answers, with what repeats them."""
    wrong = [one for one in outcomes if one.worth is Worth.WRONG]
    lines = [f"wrong: {len(wrong)}"]
    for one in wrong[:_SHOWN]:
        said = "; ".join(
            f"{each.verdict}: {', '.join(f'{c.cause_kind} of {c.side}' for c in each.causes[:4])}"
            for each in one.answer[:3]
        )
        lines.append(f"--world {one.world} --seed {one.seed}: {one.what} -> {said}")
    return "\n".join(lines)


def quantile(seconds: Iterable[float], share: float) -> float:
    """The seconds that a share of the answers does not exceed."""
    found = sorted(seconds)
    return found[min(len(found) - 1, int(len(found) * share))] if found else 0.0


def _kind(one: WorldOutcome) -> str:
    return TWO if one.faults > 1 else one.kinds


def _table(head: str, outcomes: Sequence[WorldOutcome], key: _Key) -> str:
    groups: dict[tuple[str, ...], list[WorldOutcome]] = defaultdict(list)
    for one in outcomes:
        groups[key(one)].append(one)
    order = [world.name for world in WORLDS]
    names = sorted(groups, key=lambda name: (order.index(name[0]) if name[0] in order else 0, name))
    width = len(head.split("|"))
    lines = [f"| {head} | {' | '.join(_WHOLE)} |", "|---" * (width + len(_WHOLE)) + "|"]
    lines += [f"| {' | '.join(name)} | {_figures(groups[name])} |" for name in names]
    lines.append(f"| **all**{' |' * (width - 1)} | {_figures(outcomes)} |")
    return "\n".join(lines)


def _figures(outcomes: Sequence[WorldOutcome]) -> str:
    counts = Counter(one.worth for one in outcomes)
    seconds = [one.seconds for one in outcomes]
    times = (quantile(seconds, _P50), quantile(seconds, _P99), max(seconds, default=0))
    told = sum(one.is_told for one in outcomes)
    figures = [len(outcomes), told, *(counts[worth] for worth in Worth)]
    return " | ".join([*map(str, figures), *(f"{each:.2f}" for each in times)])


def share(outcomes: Iterable[WorldOutcome], *worths: Worth) -> float:
    """The share of outcomes that have one of some worths; 1 of no outcomes."""
    counts = Counter(one.worth for one in outcomes)
    return sum(counts[worth] for worth in worths) / counts.total() if counts else 1.0
