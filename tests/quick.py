"""The lane of `make quick`: tests without trials, without processes, a sample of long tables.

A test falls into it, or out of it, by what it does, so that no list of tests is kept: those
under `tests/trials` and those that run pytest by `pytester` are left out; a test that starts a
process is skipped at that moment; of a function with many items a spread of `MOST` is run.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

TRIALS: Final = Path(__file__).parent / "trials"
MOST: Final = 8
"""Items of one test function: every one of its rules is met, not every seed of a matrix."""
STARTS: Final = (
    "subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system"
)  # fmt: skip

QUICK_PROGRAM: Final = "git"
"""A summary names the commit: a few milliseconds, where a Python takes half a second."""


class QuickLane:
    """A pytest plugin that keeps a run quick."""

    def __init__(self) -> None:
        self._is_testing = False
        sys.addaudithook(self._refuse_processes)

    @pytest.hookimpl(tryfirst=True)  # in the order of the files, before another plugin shuffles
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Deselect what is long by its kind."""
        kept = set(sampled([item for item in items if not is_long(item)]))
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Refuse processes while a test runs, and only then: workers of xdist are processes."""
        self._is_testing = True
        try:
            return (yield)
        finally:
            self._is_testing = False

    def _refuse_processes(self, event: str, arguments: tuple[object, ...]) -> None:
        program = Path(str(arguments[0])).name if arguments else ""
        if self._is_testing and event in STARTS and program != QUICK_PROGRAM:
            pytest.skip("starts a process: make test runs it")


def is_long(item: pytest.Item) -> bool:
    """True if a test is a trial, or runs pytest."""
    return item.path.is_relative_to(TRIALS) or "pytester" in getattr(item, "fixturenames", ())


def sampled(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Of every test function at most `MOST` items, spread over its table."""
    functions = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        functions[item.nodeid.partition("[")[0]].append(item)
    return [item for found in functions.values() for item in spread(found)]


def spread(rows: Sequence[pytest.Item]) -> list[pytest.Item]:
    """`MOST` of the rows at even distances, the first among them; all where there are fewer."""
    count = min(len(rows), MOST)
    return [rows[at * len(rows) // count] for at in range(count)]
