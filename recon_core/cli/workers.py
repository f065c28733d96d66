"""Workers that judge the sessions of `recon check`: this process, or several.

All of them do one thing, `submit`: judge a session and give a future of its results. `judged`
keeps every worker busy and hands the results over as they are made. A session whose worker
died is CRITICAL, and the next one gets a new worker.
"""

import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import active_children
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from pluggy import PluginManager

from recon_core.cli.checked_session import CheckedSession, Terms, check_session, lost_session
from recon_core.cli.process_start import interrupts_held_back, process_context
from recon_core.plugins.manager import extension_manager
from recon_core.values.printable import printable

MANY: Final = 20
"""Sessions from which on processes are worth their start, which costs about half a second."""

JUDGING_HOOKS: Final = (
    "recon_internal_side",
    "recon_tolerance",
    "recon_checks",
    "recon_reconciled",
)
"""Hooks that may carry something from one session to the next; those of formats read files."""


class Workers(Protocol):
    """Judges up to `places` sessions at a time; used as a context manager while it does."""

    @property
    def terms(self) -> Terms:
        """The terms that every session is judged by."""

    @property
    def places(self) -> int:
        """The number of sessions that are worth being submitted at a time."""

    def submit(self, anchor: Path) -> "Future[CheckedSession]":
        """Begin to judge a session."""

    def __enter__(self) -> Self:
        """Begin; processes start with the first sessions."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """End whatever still runs."""


def judged(anchors: Sequence[Path], workers: Workers) -> Iterator[tuple[int, CheckedSession]]:
    """Judge all sessions; yields the place of each in `anchors`, and its results, when made.

    With several workers the largest file is the first, so that none is alone at the end.
    """
    order: Sequence[int] = range(len(anchors))
    if workers.places > 1:
        order = sorted(order, key=lambda place: -_size(anchors[place]))
    waiting = deque(order)
    running: dict[Future[CheckedSession], int] = {}
    while waiting or running:
        while waiting and len(running) < workers.places:
            place = waiting.popleft()
            running[workers.submit(anchors[place])] = place
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            place = running.pop(future)
            yield place, _results(future, anchors[place], workers.terms)


def _size(anchor: Path) -> int:
    try:
        return anchor.stat().st_size
    except OSError:
        return 0


def _results(future: "Future[CheckedSession]", anchor: Path, terms: Terms) -> CheckedSession:
    try:
        return future.result()
    except BrokenProcessPool:
        reason = "its process was killed, ran out of memory or crashed"
    except Exception as error:  # noqa: BLE001  # results that cannot be handed over
        reason = f"its results are lost: {type(error).__name__}: {printable(error)}"
    return lost_session(anchor, reason, terms)


class OneProcess:
    """Judges each session in this process, one after the other."""

    places = 1

    def __init__(self, terms: Terms, manager: PluginManager) -> None:
        self.terms = terms
        self._manager = manager

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: there is nothing to end."""

    def submit(self, anchor: Path) -> "Future[CheckedSession]":
        """Judge a session at once."""
        future: Future[CheckedSession] = Future()
        future.set_result(check_session(anchor, self.terms, self._manager))
        return future


class Processes:
    """Judges up to `places` sessions at a time, each in a process.

    Every place is a pool of one process, so that a process that dies takes no session but its
    own along. The processes are gone after the `with` block, whatever ended it.
    """

    def __init__(self, terms: Terms, places: int) -> None:
        self.terms = terms
        self.places = places
        self._busy: dict[ProcessPoolExecutor, Future[CheckedSession]] = {}
        self._others = frozenset(active_children())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            for process in frozenset(active_children()) - self._others:
                process.kill()
        for pool in self._busy:
            pool.shutdown(cancel_futures=True)

    def submit(self, anchor: Path) -> "Future[CheckedSession]":
        """Judge a session in a process that is free, else in a new one."""
        free = next((pool for pool, last in self._busy.items() if last.done()), None)
        pool = self._pool() if free is None else free
        with interrupts_held_back():
            try:
                future = pool.submit(_check_here, anchor)
            except BrokenProcessPool:
                del self._busy[pool]
                pool = self._pool()
                future = pool.submit(_check_here, anchor)
        self._busy[pool] = future
        return future

    def _pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            1, mp_context=process_context(), initializer=_begin, initargs=(self.terms,)
        )


def worker_count(asked: int | None, sessions: int, manager: PluginManager) -> int:
    """Return the number of processes for so many sessions: what was asked for, else by rule.

    The rule is one process for each core from `MANY` sessions on. Where a plugin has a hook
    that may keep something from one session to the next, it is one.
    """
    if asked is None:
        keeps = any(getattr(manager.hook, name).get_hookimpls() for name in JUDGING_HOOKS)
        asked = 1 if sessions < MANY or keeps else _cores()
    return min(asked, max(sessions, 1))


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_here: dict[str, Any] = {}
"""Terms and plugin manager of a worker process, for every session that it judges."""


def _begin(terms: Terms) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    _here.update(terms=terms, manager=extension_manager())


def _check_here(anchor: Path) -> CheckedSession:
    try:
        return check_session(anchor, **_here)
    finally:
        # What a hook prints is on the screen before the answer, as it is with one process.
        for stream in filter(None, (sys.stdout, sys.stderr)):
            with suppress(OSError):
                stream.flush()
