"""The reports that a run names on its command line, withdrawn before anything else.

A command line can be refused before pytest has read it whole: a misspelt option, a wrong
choice. So the words are looked at as given, when the plugin is loaded, and the reports that
they name are put out of force; see `recon_core.reports.outputs`.
"""

import contextlib
import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from recon_core.reports.formats import JUNIT
from recon_core.reports.outputs import named_value, withdraw, withdraw_named

OWN_JUNIT = ("--junitxml", "--junit-xml")

_WITHDRAWN = pytest.StashKey[bool]()


def withdraw_early(config: pytest.Config) -> None:
    """Withdraw the reports of a run whose command line has not been read yet.

    A worker of pytest-xdist has the command line of the controlling process and no
    report; so early it is known by its environment alone. What was started inside of a
    worker has the same environment, and follows with `withdraw_late`.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        # Where a program hands the plugin over itself, there is no configuration yet.
        with contextlib.suppress(ValueError, KeyError):
            withdraw_reports(config)
            config.stash[_WITHDRAWN] = True


def withdraw_late(config: pytest.Config) -> None:
    """Withdraw what `withdraw_early` had to leave."""
    if not config.stash.get(_WITHDRAWN, False):
        withdraw_reports(config)


def withdraw_reports(config: pytest.Config) -> None:
    """Put a report that fails in the place of each that a run names."""
    words = _words(config)
    directory = config.invocation_params.dir
    log = named_value(words, "--recon-audit-log")
    withdraw_named(words, "--recon-report", "--recon-junit", directory, log)
    named = named_value(words, *OWN_JUNIT)
    if named is not None and reconciles(config):
        withdraw(own_junit_path(named), directory, JUNIT, log)


def own_junit_path(named: str) -> str:
    """The file that pytest's own `--junitxml` writes: a variable, a home, a link are followed."""
    return os.path.realpath(Path(os.path.expandvars(named)).expanduser())


def _words(config: pytest.Config) -> list[str]:
    """The command line, after what the ini and the environment put in front of it."""
    given = map(str, config.invocation_params.args)
    words = [*config.getini("addopts"), *environment_words(), *given]
    return list(_unfolded(words, config.invocation_params.dir))


def environment_words() -> list[str]:
    """The words that `PYTEST_ADDOPTS` adds; none where it cannot be read, which pytest refuses."""
    with contextlib.suppress(ValueError):
        return shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    return []


def _unfolded(words: Iterable[str], directory: Path) -> Iterator[str]:
    """The words with those of argument files (`@FILE`, a word in a line) in their place."""
    for word in words:
        if not word.startswith("@"):
            yield word
            continue
        with contextlib.suppress(OSError, ValueError):
            yield from (directory / word[1:]).read_text(encoding="utf-8").splitlines()


def reconciles(config: pytest.Config) -> bool:
    """True if the run names sessions or asks for the gate, its command line read or not."""
    words = _words(config)
    if named_value(words, "--recon-session") is not None:
        return True
    switches = [word for word in words if word in ("--recon-gate", "--no-recon-gate")]
    gate = switches[-1] == "--recon-gate" if switches else bool(config.getini("recon_gate"))
    return gate or bool(config.getini("recon_sessions"))
