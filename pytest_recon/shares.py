"""The shares of a run on several workers: each session is read and judged by one of them.

`-n 2` alone has pytest-xdist spread single items, for which every worker reads every session: 200
small sessions then take three times as long as in one process. A session is the unit here. The
named sessions are dealt to the workers, the largest first to the one that has least; a worker
collects its share and runs all of it:

    controller    deals, and notes the digest of each anchor
    worker 0      reads, promises and judges a, d, e
    worker 1      reads, promises and judges b, c

The process that judges gives the promise, with the digests of what it read; one whose anchor
is another than the controller saw is a problem of the run, and so is a session of which no
promise arrives. The share of a worker that dies is dealt again to the worker in its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_recon.run import ReconRun
from recon_core.sessions.discovery import size_of

DIST_IS_CHOSEN = pytest.StashKey[bool]()
"""True if the user chose how items are distributed, before pytest-xdist chose for itself."""

_BY_ALL_ITEMS = ("lf", "stepwise", "stepwise_skip")
"""Options of pytest that select by all items of a run."""


def is_dist_chosen(config: pytest.Config) -> bool:
    """True if `--dist` or `-d` is given; pytest-xdist has not looked at `-n` yet."""
    return bool(config.getoption("distload", None)) or config.getoption("dist", "no") != "no"


def deals_sessions(run: ReconRun) -> bool:
    """True if a run deals its sessions to workers, where the user left that open.

    It must be a run of named sessions alone, and nothing may want all of them in one process: a
    selection by what failed before, or a plugin that is notified of judged sessions.
    """
    config = run.config
    return (
        config.pluginmanager.has_plugin("dsession")
        and not config.stash.get(DIST_IS_CHOSEN, True)
        and bool(run.settings.command_line_sessions)
        and not config.args
        and not any(config.getoption(name, None) for name in _BY_ALL_ITEMS)
        and not run.manager.hook.recon_reconciled.get_hookimpls()
    )


@dataclass(slots=True)
class Shares:
    """The sessions of each worker, anchors with their names in node ids.

    `of` are the places of shares by worker, `orphaned` those whose worker died.
    """

    dealt: list[dict[Path, str]]
    of: dict[Any, int] = field(default_factory=dict)
    orphaned: list[int] = field(default_factory=list)

    @classmethod
    def deal(cls, sessions: Mapping[Path, str], workers: int) -> "Shares":
        """Deal sessions to so many workers, the largest first."""
        dealt: list[dict[Path, str]] = [{} for _ in range(workers)]
        weights = [0] * workers
        for anchor in sorted(sessions, key=size_of, reverse=True):
            place = weights.index(min(weights))
            # A session costs something however small it is.
            weights[place] += size_of(anchor) + _SMALLEST
            dealt[place][anchor] = sessions[anchor]
        return cls([{each: one[each] for each in sessions if each in one} for one in dealt])

    def take(self, worker: Any) -> dict[Path, str]:
        """Return the share of a new worker, that of one that died first."""
        place = self.orphaned.pop() if self.orphaned else len(self.of)
        self.of[worker] = place
        return self.dealt[place] if place < len(self.dealt) else {}

    def leave(self, worker: Any) -> None:
        """Take back the share of a worker that died."""
        if worker in self.of:
            self.orphaned.append(self.of.pop(worker))


_SMALLEST = 10_000
"""Bytes that cost about as much to read as opening a session does."""
