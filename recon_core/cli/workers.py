"""Workers that judge the sessions of `recon check`: this process, or several.

All kinds do the same: `begin` a session at a place, and say which have `ended`. `judged` keeps
every worker busy. A session whose worker died is CRITICAL, and the next one gets a new worker.
"""

import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from pluggy import PluginManager

from recon_core.cli.checked_session import CheckedSession, Terms
from recon_core.cli.process_start import (
    begin_tracking,
    can_be_copied,
    interrupts_held_back,
    start,
)
from recon_core.plugins.manager import extension_manager
from recon_core.sessions.discovery import size_of
from recon_core.values.printable import printable

MANY: Final = 20
"""Sessions from which on processes are worth their start."""

JUDGING_HOOKS: Final = (
    "recon_internal_side",
    "recon_tolerance",
    "recon_checks",
    "recon_reconciled",
)
"""Hooks that may carry something from one session to the next; those of formats read files."""

_GOODBYE: Final = 5.0
"""Seconds that a process without work may take to end before it is killed."""

Results = CheckedSession | str
"""Results of a session, or the reason why there are none."""


class Workers(Protocol):
    """Judges up to `places` sessions at a time; used as a context manager while it does."""

    @property
    def terms(self) -> Terms:
        """The terms that every session is judged by."""

    @property
    def places(self) -> int:
        """The number of sessions that are worth having begun at a time."""

    def begin(self, number: int, anchor: Path) -> None:
        """Begin to judge a session."""

    def ended(self) -> Iterator[tuple[int, Results]]:
        """Wait until sessions have ended; yields their numbers with what came of them."""

    def __enter__(self) -> Self:
        """Begin; what costs time begins with the first session."""

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
        order = sorted(order, key=lambda number: -size_of(anchors[number]))
    waiting = deque(order)
    running = 0
    while waiting or running:
        while waiting and running < workers.places:
            number = waiting.popleft()
            workers.begin(number, anchors[number])
            running += 1
        for number, results in workers.ended():
            running -= 1
            yield number, _session(results, anchors[number], workers.terms)


def _session(results: Results, anchor: Path, terms: Terms) -> CheckedSession:
    if isinstance(results, CheckedSession):
        return results
    from recon_core.cli.session_check import lost_session  # noqa: PLC0415  # brings the engine

    return lost_session(anchor, results, terms)


class OneProcess:
    """Judges each session in this process, one after the other."""

    places = 1

    def __init__(self, terms: Terms, manager: PluginManager) -> None:
        self.terms = terms
        self._manager = manager
        self._next: list[tuple[int, Path]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: there is nothing to end."""

    def begin(self, number: int, anchor: Path) -> None:
        """Keep the session for `ended`."""
        self._next.append((number, anchor))

    def ended(self) -> Iterator[tuple[int, Results]]:
        """Judge the session."""
        from recon_core.cli.session_check import check_session  # noqa: PLC0415  # brings the engine

        number, anchor = self._next.pop()
        yield number, check_session(anchor, self.terms, self._manager)


class Processes:
    """Judges up to `places` sessions at a time, each in a process with a pipe to this one.

    All processes have ended after the `with` block, whatever ended it.
    """

    def __init__(self, terms: Terms, places: int) -> None:
        self.terms = terms
        self.places = places
        self._free: list[_Worker] = []
        self._busy: dict[_Worker, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._busy:
            worker.process.kill()
        for worker in [*self._busy, *self._free]:
            worker.connection.close()
        for worker in [*self._busy, *self._free]:
            worker.process.join(_GOODBYE)
            worker.process.kill()
            worker.process.join()

    def begin(self, number: int, anchor: Path) -> None:
        """Hand a session to a process that is free, else to a new one."""
        _prepare()
        with interrupts_held_back():  # so that Ctrl-C finds every process in a list
            alive = (worker for worker in self._taken() if worker.process.is_alive())
            worker = next(alive, None) or _Worker(self.terms)
            self._busy[worker] = number
        with suppress(OSError):  # `ended` says so
            worker.connection.send(anchor)

    def _taken(self) -> "Iterator[_Worker]":
        while self._free:
            yield self._free.pop()

    def ended(self) -> Iterator[tuple[int, Results]]:
        """Wait for results, and for processes that die."""
        signs: dict[Any, _Worker] = {}
        for worker in self._busy:
            signs |= {worker.connection: worker, worker.process.sentinel: worker}
        for worker in {signs[sign]: None for sign in wait(signs)}:
            results = worker.results()
            with interrupts_held_back():
                number = self._busy.pop(worker)
                self._free.append(worker)
            yield number, results


def _prepare() -> None:
    """Import what a copy of this process would import, or have new interpreters accounted for."""
    if can_be_copied():
        import recon_core.cli.session_check  # noqa: PLC0415  # brings the engine
        import recon_core.sessions.native  # noqa: F401, PLC0415  # reads most sessions
        from recon_core.sessions.schema import SessionFile  # noqa: PLC0415  # brings pydantic

        SessionFile.model_rebuild()  # once, and not in every copy
    else:
        begin_tracking()


class _Worker:
    """A process that judges one session after the other, and the pipe to it."""

    def __init__(self, terms: Terms) -> None:
        self.connection, other = Pipe()
        self.process = start(_work, other, self.connection, terms)
        other.close()  # so that the pipe ends with the process

    def results(self) -> Results:
        """Return what the process sent, or the reason why it sends nothing."""
        try:
            if self.connection.poll():
                received: Results = self.connection.recv()
                return received
        except (EOFError, OSError):
            pass
        except Exception as error:  # noqa: BLE001  # a plugin's class that is unknown here
            return not_handed_over(error)
        self.process.join()
        return _death(self.process.exitcode)


def _death(code: int | None) -> str:
    """The end of a process in words; a negative `code` is a signal's number."""
    if code is None or code >= 0:
        return f"its process ended by itself with {code}"
    with suppress(ValueError):
        name = signal.Signals(-code).name
        lack = ", as the system does for lack of memory" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{lack}"
    return f"its process was killed by signal {-code}"


def not_handed_over(error: Exception) -> str:
    """Return the reason why results that a plugin has a part in do not reach this process."""
    return f"its results cannot be handed over: {type(error).__name__}: {printable(error)}"


def _work(connection: Connection, others_end: Connection, terms: Terms) -> None:
    """Judge every session that the pipe names, until its other end is closed."""
    others_end.close()  # a copy of it would keep the pipe open
    from recon_core.cli.session_check import check_session  # noqa: PLC0415  # brings the engine

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    manager = extension_manager()
    with suppress(EOFError, OSError):
        while True:
            session = check_session(connection.recv(), terms, manager)
            _flush()
            try:
                connection.send(session)
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001  # a plugin's value that cannot be pickled
                connection.send(not_handed_over(error))


def _flush() -> None:
    """Print what hooks printed before the answer is, as it is with one process."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError):
            stream.flush()


def worker_count(asked: int | None, sessions: int, manager: PluginManager) -> int:
    """Return the number of processes for so many sessions: what was asked for, else by rule.

    The rule is one process for each core from `MANY` sessions on. Where a plugin has a hook
    that may keep something from one session to the next, it is one.
    """
    if asked is None:
        keeps = any(getattr(manager.hook, name).get_hookimpls() for name in JUDGING_HOOKS)
        asked = 1 if sessions < MANY or keeps else cores()
    return min(asked, max(sessions, 1))


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
