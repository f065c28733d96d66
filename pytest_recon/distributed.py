"""pytest-xdist: the controlling process decides, workers collect and run.

The controlling process collects nothing. Workers receive the sessions that were named, all of
them or their share (`pytest_recon.shares`), and report at their end what they collected.

A worker runs its share in a loop of its own. That of pytest-xdist calls every hook around each
item and sends a message that the item is complete, which takes longer than to judge it. Here a
match is judged and waits for the report that carries it; the message is that of the carrier:

    pytest-xdist    a: hooks, complete    b: hooks, complete    c: hooks, report, complete
    share           a                     b                     c: report, complete
"""

import os
from collections.abc import Sequence
from itertools import takewhile, zip_longest
from time import perf_counter
from typing import Any, Final

import pytest

from pytest_recon.gate import SessionPromise
from pytest_recon.large_run import MANY, set_aside
from pytest_recon.progress import Progress
from pytest_recon.run import ReconRun
from pytest_recon.scheduler import SessionScheduling
from pytest_recon.shares import Shares, deals_sessions

_NO_MORE: Final = ("shutdown", dict[str, Any]())
"""The message by which pytest-xdist ends a worker, also where the controlling process has ended."""


def _is_place(command: object) -> bool:
    """True if an entry of a worker's queue is the place of an item, and not the end."""
    return isinstance(command, int)


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
            "has_share": self._shares is not None,
            "sessions": [(os.fsencode(anchor), name) for anchor, name in sessions.items()],
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

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the items of a share; `None` where the loop of pytest-xdist has to."""
        sent = self._run.from_controller
        if sent is None or not sent["has_share"] or not self._run.light_protocol.may_loop(session):
            return None
        loops = session.config.hook.pytest_runtestloop.get_hookimpls()
        worker: Any = next(each.plugin for each in loops if hasattr(each.plugin, "torun"))
        # As pytest-xdist does, but for the end: a share is sent whole before anything of it runs.
        worker.channel.setcallback(worker.handle_command, endmarker=_NO_MORE)
        places = list(takewhile(_is_place, iter(worker.torun.get, None)))
        for place, following in zip_longest(places, places[1:]):
            worker.item_index = place
            began = perf_counter()
            nextitem = None if following is None else session.items[following]
            self._run.light_protocol.run_or_call(session.items[place], nextitem)
            if not self._run.waiting:
                seconds = perf_counter() - began
                worker.sendevent("runtest_protocol_complete", item_index=place, duration=seconds)
            if session.shouldfail or session.shouldstop:
                break
        return True

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Say which sessions were collected."""
        output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined]
        output["recon"] = [promise.to_dict() for promise in self._run.gate.sessions]
