"""pytest-xdist: the controlling process decides, workers collect and run.

The controlling process collects nothing. Workers receive the sessions that were named, and
report at their end the sessions that they collected in addition.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_recon.gate import SessionPromise
from pytest_recon.progress import Progress
from pytest_recon.run import ReconRun


class Controller:
    """The hooks of the controlling process, registered where pytest-xdist is there."""

    def __init__(self, run: ReconRun, progress: Progress) -> None:
        self._run, self._progress = run, progress

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Know how many items there are of each session; all workers collect the same."""
        paths = {promise.path for promise in self._run.gate.sessions}
        self._progress.expect(each for each in ids if each.partition("::")[0] in paths)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Send a worker the sessions and the policy."""
        node.workerinput["recon"] = self._run.for_workers()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear what a worker collected; one that crashed says nothing."""
        for promise in getattr(node, "workeroutput", {}).get("recon", ()):
            self._run.gate.promise(SessionPromise.from_dict(promise))


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
