"""A session mutated: every fault on either side at its usual sizes, and the smallest one caught."""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from recon_core.model import LedgerSide, RecordedSession
from recon_core.mutate.fault import Fault, Injection
from recon_core.mutate.faults import FAULTS
from recon_core.mutate.gate import Answer, Gate, Pass, Result
from recon_core.mutate.scene import scenes_of
from recon_core.values.errors import ReconError
from recon_core.values.severity import Severity


@dataclass(frozen=True, slots=True)
class Mutant:
    """A session with one fault at one size, and the gate's answer.

    `place` is that of the size in its scale. `severity` is the worst that the fault changed and
    `passes` are what let it through, both of one that passes alone.
    """

    place: int
    size: str
    result: Result
    severity: Severity | None
    passes: tuple[Pass, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """The edge of what the gate catches: the largest size that it lets through, the next one.

    `passes` is `None` where the smallest size is caught, `caught` where the largest passes.
    """

    passes: Mutant | None
    caught: Mutant | None


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault on one side of a session: its mutants at the usual sizes, and the edge.

    `edge` is `None` of a fault of one size, and where no size changes anything. `is_explained`
    is true if the proven cause of the largest fault that is caught is the fault, `None` where
    none was searched for.
    """

    fault: Fault
    side: LedgerSide
    injection: Injection
    mutants: tuple[Mutant, ...]
    edge: Edge | None
    is_explained: bool | None


def trials_of(
    recorded: RecordedSession,
    gate: Gate,
    seed: int,
    kinds: Collection[str] = (),
) -> Iterator[Trial]:
    """Yield the trial of every fault that the data of a session allow, by fault and side.

    `kinds` are the kinds of causes to try, all where none is named. A seed gives the same trials
    whatever other faults are tried.
    """
    before = gate.answer(recorded)
    for fault in FAULTS:
        if kinds and fault.cause_kind not in kinds:
            continue
        for scene in scenes_of(recorded, gate.policy.aliases):
            dice = random.Random(f"{seed} {fault.name} {scene.side}")  # noqa: S311  # no secret
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
        edge = runs.edge() if injection.scale.count > 1 else None
        yield Trial(fault, side, injection, mutants, edge, runs.is_explained(fault, mutants))


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
        answer = self._answer(place)
        if answer is None:
            return None
        size, result = self._injection.scale.words(place), answer.result
        if result is not Result.PASSED:
            return Mutant(place, size, result, None, ())
        return Mutant(place, size, result, answer.worst, tuple(answer.passes()))

    def _answer(self, place: int) -> Answer | None:
        try:
            return self._gate.answer(self._injection.put(place), self._before)
        except ReconError:
            return None

    def is_explained(self, fault: Fault, mutants: tuple[Mutant, ...]) -> bool | None:
        """True if the largest fault that is caught is proven to be the cause."""
        caught = [one.place for one in mutants if one.result is Result.CAUGHT]
        if self._gate.search is None or not caught:
            return None
        answer = self._answer(max(caught))
        return answer is not None and answer.names(fault.causes)

    def edge(self) -> Edge | None:
        """Find the edge by halves; `None` where no size changes anything.

        Of 1,000 sizes of which 999 pass it takes 10 runs: 500, 750, 875 and so on.
        """
        high = self._first_caught()
        low = self._last_below(high)
        if low is not None and high is not None:
            low, high = self._halved(low, high)
        passes = None if low is None else self.mutant(low)
        if passes is not None and passes.result is not Result.PASSED:
            passes = None
        caught = None if high is None else self.mutant(high)
        return None if passes is None and caught is None else Edge(passes, caught)

    def _first_caught(self) -> int | None:
        """Return the smallest size known to be caught, `None` where the largest of all passes."""
        scale = self._injection.scale
        places = (0, *sorted(scale.usual), scale.count - 1)
        return next((place for place in places if self._result(place) is Result.CAUGHT), None)

    def _last_below(self, high: int | None) -> int | None:
        """Return the largest known size below one that is caught, `None` where there is none."""
        return max((place for place in self._known if high is None or place < high), default=None)

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
