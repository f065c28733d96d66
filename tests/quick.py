"""The lane of `make quick`: the tests of the rules, without processes, a sample of long tables.

A test falls into it, or out of it, by what it does, so that no list of tests is kept. Left out are

* the tests of a directory that is a command of its own, such as trials and mutation tests: they
  judge the answers as a whole, or the tests themselves;
* those that run pytest by `pytester`;
* those with the mark `large`: many rows, files or sessions are their subject, or a cluster, and
  take more than a quarter of a second; `make quick` names the tests that take a second;
* a test that starts a process: it is skipped at that moment;
* of a function with many items all but a spread of `MOST`.
"""

import sys
from collections.abc import Iterator, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import pytest

MOST: Final = 2
"""Items of one test function: a table is met at its begin and in its middle, not in every row."""
STARTS: Final = (
    "subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system"
)  # fmt: skip

QUICK_PROGRAM: Final = "git"
"""A summary names the commit: a few milliseconds, where a Python takes half a second."""


T = TypeVar("T")


class QuickLane:
    """A pytest plugin that keeps a run quick."""

    def __init__(self) -> None:
        self._is_testing = False
        sys.addaudithook(self._refuse_processes)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out a directory that is a command, without importing its tests."""
        return is_command(collection_path) or None

    @pytest.hookimpl(trylast=True)  # after the marks of the function
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make a spread of the items of a function: most of a collection is making items."""
        metafunc._calls[:] = spread(metafunc._calls)

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Deselect what is long by its kind."""
        left_out = {item for item in items if is_long(item)}
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Refuse processes while a test runs, and only then: workers of xdist are processes."""
        start = BaseProcess.start  # a new interpreter of multiprocessing is no audit event
        BaseProcess.start = refuse  # type: ignore[assignment]
        self._is_testing = True
        try:
            return (yield)
        finally:
            self._is_testing = False
            BaseProcess.start = start  # type: ignore[method-assign]

    def _refuse_processes(self, event: str, arguments: tuple[object, ...]) -> None:
        program = Path(str(arguments[0])).name if arguments else ""
        if self._is_testing and event in STARTS and program != QUICK_PROGRAM:
            refuse()


def refuse(*_: object) -> NoReturn:
    """Skip the test that starts a process."""
    pytest.skip("starts a process: make test runs it")


def is_long(item: pytest.Item) -> bool:
    """True if a test runs pytest, or is of many rows."""
    runs_pytest = "pytester" in getattr(item, "fixturenames", ())
    return runs_pytest or item.get_closest_marker("large") is not None


def is_command(directory: Path) -> bool:
    """True for the directory of `python -m tests.trials` and the like."""
    return (directory / "__main__.py").exists()


def spread(rows: Sequence[T]) -> list[T]:
    """`MOST` of the rows at even distances, the first among them; all where there are fewer."""
    count = min(len(rows), MOST)
    return [rows[at * len(rows) // count] for at in range(count)]
