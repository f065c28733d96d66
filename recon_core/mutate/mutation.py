"""A session mutated: every fault on either side at its usual sizes, and the smallest one caught."""

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from recon_core.model import LedgerSide, RecordedSession
from recon_core.mutate.fault import Fault, Injection
from recon_core.mutate.faults import FAULTS
from recon_core.mutate.gate import Answer, Gate, Result
from recon_core.mutate.scene import scenes_of
from recon_core.values.errors import ReconError


@dataclass(frozen=True)  # without slots: the answers are kept
class Mutant:
    """A session with one fault at one size, and the gate's answer."""

    place: int
    size: str
    answer: Answer

    @cached_property
    def result(self) -> Result:
        """What became of the fault."""
        return self.answer.result


@dataclass(frozen=True, slots=True)
class Edge:
    """The edge of what the gate catches: the largest size that it lets through, the next one.

    `passes` is `None` where the smallest size is caught, `caught` where the largest passes.
    """

    passes: Mutant | None
    caught: Mutant | None


@dataclass(frozen=True)  # without slots: the edge is kept
class Trial:
    """One fault on one side of a session: its mutants at the usual sizes."""

    fault: Fault
    side: LedgerSide
    injection: Injection
    mutants: tuple[Mutant, ...]
    edge: Edge | None

    def count(self, result: Result) -> int:
        """The number of mutants with a result."""
        return sum(mutant.result is result for mutant in self.mutants)

    @property
    def explained(self) -> int:
        """The number of mutants whose cause is proven to be the fault."""
        return sum(mutant.answer.names(self.fault.causes) for mutant in self.mutants)


def trials_of(
    recorded: RecordedSession,
    gate: Gate,
    before: Answer,
    seed: int,
    kinds: Collection[str] = (),
) -> Iterator[Trial]:
    """Yield the trial of every fault that the data of a session allow, the ledger's first.

    `kinds` are the kinds of causes to try, all where none is named. A seed gives the same trials
    whatever other faults are tried.
    """
    for number, fault in enumerate(FAULTS):
        if kinds and fault.cause_kind not in kinds:
            continue
        for scene in scenes_of(recorded, gate.policy.aliases):
            dice = random.Random(f"{seed} {number} {scene.side}")  # noqa: S311  # no secret
            try:
                injection = fault.inject(scene, dice)
            except ReconError:
                continue
            if injection is not None:
                yield from _trial(fault, scene.side, injection, gate, before)


def _trial(
    fault: Fault, side: LedgerSide, injection: Injection, gate: Gate, before: Answer
) -> Iterator[Trial]:
    """Yield the trial of an injection, nothing where no ledger could post its rows."""
    runs = Runs(injection, gate, before)
    mutants = tuple(filter(None, map(runs.mutant, injection.scale.usual)))
    if mutants:
        is_sized = injection.scale.count > 1
        yield Trial(fault, side, injection, mutants, runs.edge() if is_sized else None)


class Runs:
    """The gate's runs of one injection, each size once."""

    def __init__(self, injection: Injection, gate: Gate, before: Answer) -> None:
        self._injection, self._gate, self._before = injection, gate, before
        self._known: dict[int, Mutant | None] = {}

    def mutant(self, place: int) -> Mutant | None:
        """Return the mutant of a size, `None` where no ledger could post its rows."""
        if place not in self._known:
            self._known[place] = self._made(place)
        return self._known[place]

    def _made(self, place: int) -> Mutant | None:
        try:
            recorded = self._injection.put(place)
        except ReconError:
            return None
        answer = self._gate.answer(recorded, self._before)
        return Mutant(place, self._injection.scale.words(place), answer)

    def edge(self) -> Edge | None:
        """Find the edge by halves; `None` where no size changes anything.

        Of 1,000 sizes of which 999 pass it takes 10 runs: 500, 750, 875 and so on.
        """
        high = self._first_caught()
        low = self._last_known_below(high)
        if low is not None and high is not None:
            low, high = self._halved(low, high)
        passes = None if low is None else self.mutant(low)
        caught = None if high is None else self.mutant(high)
        return None if passes is None and caught is None else Edge(passes, caught)

    def _first_caught(self) -> int | None:
        """Return the smallest size known to be caught, the largest of all if no usual one is."""
        scale = self._injection.scale
        for place in (0, *sorted(scale.usual), scale.count - 1):
            if self._result(place) is Result.CAUGHT:
                return place
        return None

    def _last_known_below(self, high: int | None) -> int | None:
        """Return the largest size known to pass, of those below one that is caught."""
        known = sorted(place for place in self._known if high is None or place < high)
        return next((p for p in reversed(known) if self._result(p) is Result.PASSED), None)

    def _halved(self, low: int, high: int) -> tuple[int, int]:
        while high - low > 1:
            middle = (low + high) // 2
            if self._result(middle) is Result.CAUGHT:
                high = middle
            else:
                low = middle
        return low, high

    def _result(self, place: int) -> Result | None:
        mutant = self.mutant(place)
        return None if mutant is None else mutant.result


def figures(trials: Sequence[Trial]) -> dict[Result, int]:
    """Return the number of mutants by result."""
    return {result: sum(trial.count(result) for trial in trials) for result in Result}
