"""The terms on which plugins that run items again, or stop them, run a comparison.

A verdict does not change by asking again, and such plugins expect of an item what test
functions have.
"""

import os
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest

OF_XDIST_WORKER: Final = "__channelexec__"
"""The module that pytest-xdist is in a worker."""

_SILENT: Final = (
    "_pytest.",
    "xdist.",
    OF_XDIST_WORKER,
    "pytest_recon.",
    "pytest_randomly",
    "_hypothesis_pytestplugin",
)
"""Modules whose hooks on items change nothing for a comparison.

`pytest_randomly` seeds generators of random
numbers, hypothesis looks at functions alone.
"""

_IDLE: Final = {
    "pytest_rerunfailures": ("reruns", "force_reruns"),
    "pytest_timeout": ("timeout", "session_timeout"),
}
"""Modules that leave items alone unless one of these options is given."""


def item_markers(config: pytest.Config) -> tuple[pytest.MarkDecorator, ...]:
    """The markers of every comparison, none without such plugins: a marker slows each item."""
    return tuple(_markers(config))


def _markers(config: pytest.Config) -> Iterator[pytest.MarkDecorator]:
    # pytest-rerunfailures takes the number, pytest-retry the condition.
    if asked(config, "reruns") or asked(config, "retries"):
        yield pytest.mark.flaky(reruns=0, condition=False)
    # pytest-timeout: a time-out within the call fails the item, and outside of it the run.
    if asked(config, "timeout"):
        yield pytest.mark.timeout(func_only=True)


def silent_modules(config: pytest.Config) -> tuple[str, ...]:
    """The beginnings of the names of modules whose hooks change nothing for a comparison."""
    idle = (name for name, options in _IDLE.items() if not _any_asked(config, options))
    return (*_SILENT, *idle)


def is_multiplied(config: pytest.Config) -> bool:
    """True if pytest-flakefinder copies every item that it has not multiplied already."""
    return bool(config.getoption("flake_finder_enable", None))


class Multiplied:
    """The function of an item for pytest-flakefinder: already multiplied, so left alone."""

    _pytest_duplicated = True


def _any_asked(config: pytest.Config, names: Iterable[str]) -> bool:
    """True if an option is given, on the command line, in the ini or in the environment."""
    return any(
        asked(config, name) not in (None, "") or f"PYTEST_{name.upper()}" in os.environ
        for name in names
    )


def asked(config: pytest.Config, name: str) -> Any:
    """The value of an option, or of its ini setting, of a plugin that may not be there."""
    given = config.getoption(name, None)
    if given is not None:
        return given
    try:
        return config.getini(name)
    except (ValueError, KeyError):
        return None
