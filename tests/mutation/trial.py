"""Tests that reach a statement, and their run against a mutant of it.

pytest collects the tests once. The survey runs each of them once and notes which of the
statements it runs that have a mutant in the plan: there each of these has a statement before it
that says so. For a mutant a forked child replaces the code of the functions that exist and runs
the tests that run its statement, the quick ones of every kind first, until one fails.

A process that forks from the warm interpreter of `tests/warm` has the code of the mutant as well
and notes what it runs. Another one sees no mutant: the survey lets none start, such a test fails
there, as does one that takes long, and what fails in the survey is not asked about any mutant.
"""

import builtins
import gc
import json
import multiprocessing.forkserver
import multiprocessing.util
import os
import re
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import CodeType, FrameType
from typing import Any, NamedTuple, NoReturn

import pytest
from _pytest.runner import runtestprotocol

from tests.warm import warm_python

from .children import in_children, limit_next_step
from .functions import Functions, all_functions, load_everything, replace_all, replace_codes
from .mutants import Mutant, code_of, noting_codes
from .processes import SINK, Notes, change_processes, load_processes

LONGEST = 6
"""Seconds of processor that a test may take: a session of the locked answers takes up to 5."""
BUDGET = 60
"""Seconds for one mutant: the tests that do not fit are not asked."""
NAMED = 5
"""A test whose file has the name of the module is asked as if it were so many times as quick."""
PATIENCE = 10
"""A test that takes so many times as long as in the survey, and 10 s, does not end."""
TYPES = "the type checker"
"""The killer of a mutant that no test fails with, and that mypy refuses."""
_PARTS = 40
_NUMBERS = re.compile(r"\d+")
"""The sessions of one part of the lock differ in their number alone: they are one group."""
_STARTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system")


class TooLongError(BaseException):
    """A test takes longer than the survey allows."""


class Surveyed(NamedTuple):
    """What the survey noted of a test: its seconds, and the places of mutants that it runs."""

    seconds: float
    places: list[str]


class Reached(NamedTuple):
    """A test that runs a statement: its place in the collection, and its seconds."""

    seconds: float
    item: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one mutant: `killer` is the test that failed, or `TYPES`, empty where none did.

    `reached` are the tests that run the statement, `asked` how many of them were run.
    """

    mutant: Mutant
    killer: str
    reached: tuple[str, ...]
    asked: int

    @property
    def killed(self) -> bool:
        """True if a test failed, or the process did not survive the mutant."""
        return bool(self.killer)


class Trial:
    """A pytest plugin: it runs the collected tests itself, against the mutants of a plan."""

    def __init__(self, plan: Sequence[Mutant], at_once: int, survey: Path | None = None) -> None:
        self._plan = plan
        self._at_once = at_once
        self._kept = survey
        self._items: list[pytest.Item] = []
        self.outcomes: list[Outcome] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Survey, then try every mutant."""
        load_everything()
        load_processes()
        self._items = session.items
        reached = self._reached()
        functions = all_functions()
        gc.collect()
        gc.freeze()
        works = (
            (mutant, partial(self._attack, mutant, functions, reached)) for mutant in self._plan
        )
        for mutant, answer in in_children(works, self._at_once):
            self._note(mutant, answer, reached.get(mutant.place, []))
        self.outcomes.sort(key=lambda outcome: self._plan.index(outcome.mutant))
        return True

    def _note(self, mutant: Mutant, answer: Any, reached: Sequence[Reached]) -> None:
        killer, asked = ("the process ended", 0) if answer is None else answer
        names = tuple(self._items[test.item].nodeid for test in reached)
        outcome = Outcome(mutant, killer, names, asked)
        self.outcomes.append(outcome)
        if not outcome.killed:
            print(f"  survived: {mutant}", file=sys.stderr, flush=True)

    def _reached(self) -> Mapping[str, list[Reached]]:
        """The tests that run each place of a mutant, in the order in which they are asked."""
        surveyed = self._survey()
        reached: Mapping[str, list[Reached]] = defaultdict(list)
        for place, item in enumerate(self._items):
            noted = surveyed[item.nodeid]
            if noted is not None:
                for mutated in noted.places:
                    reached[mutated].append(Reached(noted.seconds, place))
        groups = [_NUMBERS.sub("", item.nodeid) for item in self._items]
        reached = {
            place: in_turns(tests, groups, Path(place.partition(":")[0]).stem)
            for place, tests in reached.items()
        }
        seen = sum(surveyed[item.nodeid] is not None for item in self._items)
        print(f"{seen} of {len(self._items)} tests see mutants", file=sys.stderr, flush=True)
        return reached

    def _survey(self) -> dict[str, Surveyed | None]:
        """The places that each test runs, `None` for one that failed.

        A kept survey is gone on with if it was made for a plan with these places, or with more.
        """
        mutants = defaultdict[str, list[Mutant]](list)
        for mutant in self._plan:
            mutants[mutant.path].append(mutant)
        places = sorted({mutant.place for mutant in self._plan})
        surveyed = self._kept_survey(places)
        missing = [place for place, item in enumerate(self._items) if item.nodeid not in surveyed]
        noting = [code for path in mutants for code in noting_codes(path, mutants[path], SINK)]
        parts = [missing[start::_PARTS] for start in range(_PARTS)]
        while parts := [part for part in parts if part]:
            works = ((tuple(part), partial(self._survey_part, part, noting)) for part in parts)
            parts = []
            for part, found in in_children(works, self._at_once):
                if found is not None:
                    surveyed |= {name: noted and Surveyed(*noted) for name, noted in found.items()}
                elif len(part) == 1:  # it ends the process that it runs in
                    surveyed[self._items[part[0]].nodeid] = None
                else:
                    parts += [part[::2], part[1::2]]
        if self._kept is not None:
            self._kept.write_text(json.dumps({"places": places, "tests": surveyed}))
        return surveyed

    def _kept_survey(self, places: list[str]) -> dict[str, Surveyed | None]:
        if self._kept is None or not self._kept.exists():
            return {}
        kept = json.loads(self._kept.read_text())
        if not {*places} <= {*kept["places"]}:
            print("the kept survey is of another plan: made anew", file=sys.stderr, flush=True)
            return {}
        return {name: noted and Surveyed(*noted) for name, noted in kept["tests"].items()}

    def _survey_part(
        self, part: Sequence[int], noting: Sequence[CodeType]
    ) -> dict[str, Surveyed | None]:
        with NamedTemporaryFile() as file:
            notes = Notes(Path(file.name))
            change_processes(noting, file.name)
            refuse_processes(Path(warm_python()).parent)
            signal.signal(signal.SIGPROF, _too_long)
            run: set[str] = set()
            setattr(builtins, SINK, run.add)
            replace_all(noting, all_functions())
            return {self._items[place].nodeid: self._noted(place, run, notes) for place in part}

    def _noted(self, place: int, run: set[str], notes: Notes) -> Surveyed | None:
        """Run a test once: its seconds, and what it or its processes run of the plan."""
        run.clear()
        notes.taken()
        started = time.monotonic()
        signal.setitimer(signal.ITIMER_PROF, LONGEST, LONGEST)
        passed = self._passes(place)
        signal.setitimer(signal.ITIMER_PROF, 0)
        seconds = round(time.monotonic() - started, 3)
        if not passed or seconds > 2 * LONGEST:
            return None
        return Surveyed(seconds, sorted(run | notes.taken()))

    def _attack(
        self,
        mutant: Mutant,
        functions: Functions,
        reached: Mapping[str, list[Reached]],
    ) -> tuple[str, int]:
        """The first test that fails under a mutant, or none, and the number of tests run."""
        code, tests = code_of(mutant), reached.get(mutant.place, [])
        if code is None or not replace_codes(mutant.path, code, functions):
            return "", 0
        change_processes([code])
        started = time.monotonic()
        for count, test in enumerate(tests, start=1):
            if time.monotonic() - started > BUDGET:
                return "", count - 1
            limit_next_step(10 + int(PATIENCE * test.seconds))
            if not self._passes(test.item):
                return self._items[test.item].nodeid, count
        return "", len(tests)

    def _passes(self, place: int) -> bool:
        reports = runtestprotocol(self._items[place], log=False, nextitem=None)
        return not any(report.failed for report in reports)


def in_turns(tests: Iterable[Reached], groups: Sequence[str], module: str) -> list[Reached]:
    """The tests by their seconds, each time the seconds as often as its group was asked before.

    A hundred quick sessions of one kind are less likely to notice what the first ten did not than
    a single one of another kind. `groups` are those of all tests of the collection; `module` is
    the name of the mutated module, whose own tests come earlier.
    """
    asked: Counter[str] = Counter()
    costs: list[tuple[float, Reached]] = []
    for test in sorted(tests):
        asked[groups[test.item]] += 1
        cost = test.seconds * asked[groups[test.item]]
        costs.append((cost / NAMED if module in groups[test.item] else cost, test))
    return [test for _, test in sorted(costs)]


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TooLongError


def refuse_processes(launchers: Path) -> None:
    """Let no process start from this one but by the launchers: any other would see no mutant."""
    sys.addaudithook(partial(_refuse, launchers))
    # `multiprocessing` starts its processes without an audit event.
    multiprocessing.util.spawnv_passfds = _refuse_spawning  # type: ignore[assignment]
    # A fork server that runs already is asked through its socket.
    multiprocessing.forkserver.connect_to_new_process = _refuse_forking  # type: ignore[assignment]


def _refuse(launchers: Path, event: str, arguments: Sequence[object]) -> None:
    if event in _STARTS and not _is_launched(launchers, *arguments):
        raise PermissionError(f"{event}: no process is started in the survey of tests")


def _is_launched(launchers: Path, program: object = None, *_: object) -> bool:
    return isinstance(program, str | bytes | Path) and (
        Path(os.fsdecode(program)).parent == launchers
    )


def _refuse_forking(*_: object) -> NoReturn:
    raise PermissionError("the fork server: no process is started in the survey of tests")


def _refuse_spawning(path: bytes, *_: object) -> int:
    raise PermissionError(f"{path!r}: no process is started in the survey of tests")
