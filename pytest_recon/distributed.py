"""pytest-xdist: the controlling process decides, workers collect and run.

The controlling process collects nothing. Workers receive the sessions that were named, all of
them or their share (`pytest_recon.shares`), and report at their end what they collected.
"""

import os
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_recon.gate import SessionPromise
from pytest_recon.large_run import MANY, set_aside
from pytest_recon.progress import Progress
from pytest_recon.run import ReconRun
from pytest_recon.scheduler import SessionScheduling
from pytest_recon.shares import Shares, deals_sessions


class Controller:
    """The hooks of the controlling process, registered where pytest-xdist is there."""

    def __init__(self, run: ReconRun, progress: Progress) -> None:
        self._run, self._progress = run, progress
        self._shares: Shares | None = None
        self._session: pytest.Session | None = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Deal the sessions to the workers; without shares every worker gets all."""
        self._session = session
        if deals_sessions(self._run):
            self._shares = Shares.deal(self._run.declared, len(self._run.config.option.tx))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self) -> SessionScheduling | None:
        """Have each worker run its share, where there are shares."""
        if self._shares is None or self._session is None:
            return None
        return SessionScheduling(self._shares, self._session)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Know how many items there are of each session that a worker collected.

        With shares they are comparisons alone, whose reports live until the end of the run.
        """
        if self._shares is not None and len(ids) >= MANY:
            set_aside(self._run.config)
        paths = {promise.path for promise in self._run.gate.sessions}
        paths.update(self._run.declared.values())
        self._progress.expect(each for each in ids if each.partition("::")[0] in paths)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Send a worker its sessions and the policy."""
        run = self._run
        sessions = run.declared if self._shares is None else self._shares.take(node)
        node.workerinput["recon"] = run.for_workers() | {
            "sessions": [(os.fsencode(anchor), name) for anchor, name in sessions.items()]
        }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """Hear what a worker collected; one that crashed says nothing, and leaves its share."""
        for promise in getattr(node, "workeroutput", {}).get("recon", ()):
            self._run.gate.promise(SessionPromise.from_dict(promise))
        if error is not None and self._shares is not None:
            self._shares.leave(node)


class Worker:
    """The hooks of a worker."""

    def __init__(self, run: ReconRun) -> None:
        self._run = run

    def pytest_sessionstart(self) -> None:
        """Know the same hooks as the controlling process."""
        self._run.load_conftests()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Say which sessions were collected."""
        output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined]
        output["recon"] = [promise.to_dict() for promise in self._run.gate.sessions]
