"""A run of many comparisons, without the garbage collector looking at each again and again.

Items, comparisons and reports live until the end of the run. The collector would visit all of
them whenever it looks at old objects, and pytest has it do so five times at the end: a third of
the time of 50,000 items. Items and comparisons are set aside as soon as they are collected, the
reports at the end, and meanwhile the collector looks less often. The controlling process of
pytest-xdist has no items, and does so when workers have collected them. All is given back when
pytest has ended. A run that has other tests too is left alone: pytest finds their forgotten
resources by that last look.
"""

import atexit
import gc
from typing import Final

import pytest

MANY: Final = 2_000
"""Comparisons from which on setting them aside saves more than it costs, some milliseconds."""

_BY_PYTHON: Final = 2_000
"""Objects that the interpreter may set aside itself: more were set aside by somebody else."""

_BETWEEN_LOOKS: Final = 50_000
"""New objects between two looks for cycles, which only failures leave: some 20 MB of them."""

_SET_ASIDE = pytest.StashKey[tuple[int, int, int]]()


def give_back_at_the_end(config: pytest.Config) -> None:
    """Have what is set aside given back after everything else of a pytest, its last look too."""

    def give_back() -> None:
        thresholds = config.stash.get(_SET_ASIDE, None)
        if thresholds is not None:
            gc.set_threshold(*thresholds)
            gc.unfreeze()

    config.add_cleanup(give_back)


def set_aside(config: pytest.Config) -> None:
    """Set every object aside, and have the collector look less often from now on; once."""
    if _SET_ASIDE not in config.stash and gc.get_freeze_count() < _BY_PYTHON:
        config.stash[_SET_ASIDE] = gc.get_threshold()
        gc.set_threshold(_BETWEEN_LOOKS, *gc.get_threshold()[1:])
        gc.freeze()
        # The interpreter looks at everything once more when it ends.
        atexit.register(gc.freeze)


class LargeRun:
    """The hooks that set objects aside."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Set the items and the comparisons of a large run of sessions alone aside."""
        items = session.items
        if len(items) >= MANY and all(hasattr(item, "comparison") for item in items):
            set_aside(session.config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Set the reports aside too, before pytest looks at every object for the last time."""
        if _SET_ASIDE in config.stash:
            gc.freeze()
