"""Workers of a cluster of dask.distributed: a task is a session, or several small ones.

The extra `cluster` brings the library. What scheduler, worker and this process do for a task takes
longer than to judge a small session, so small ones share a task, as long as every worker has
tasks enough:

    1,000 sessions with the scheduler, 2 workers     32 sessions a task
    40 sessions, 2 workers                           5 sessions a task
    1,000 sessions, 300 workers                      each its own task

A scheduler hands a task on where its worker died, and gives up what kills worker after worker.
Sessions of such a task are tried again, each alone; the one that does it then, too, is CRITICAL.
"""

import asyncio
import logging
import os
import pickle
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self

from pluggy import PluginManager

from recon_core import __version__
from recon_core.cli.checked_session import CheckedSession, Terms
from recon_core.cli.process_start import begin_tracking, interrupts_held_back
from recon_core.cli.workers import Results, cores, not_handed_over
from recon_core.plugins.manager import extension_manager
from recon_core.sessions.discovery import size_of
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable, quoted

if TYPE_CHECKING:
    from distributed import Future, LocalCluster

LOCAL: Final = "local"
"""Name of a cluster that is made for the run, on this machine."""

IN_FLIGHT: Final = 1000
"""Sessions that the scheduler has at a time: enough for some hundred workers, and no burden."""

TOGETHER: Final = 32
"""Most sessions of a task: what a task costs is then a small part of judging the smallest ones."""

_BYTES_TOGETHER: Final = 500_000
"""Bytes of their files at most: a session of this size takes much longer than its task."""

TASKS_OF_A_WORKER: Final = 4
"""Tasks that there are for each worker at least, so that all of them end at about one time."""

_KILL: Final = getattr(signal, "SIGKILL", signal.SIGTERM)
"""The signal that no process holds back; Windows has one alone."""

_KILLED: Final = "every worker that began it was killed, ran out of memory or crashed"

_LOCAL_SETTINGS: Final = {
    "distributed.scheduler.allowed-failures": 1,  # workers that a task may lose; 3 is for networks
    "distributed.scheduler.work-stealing": False,  # no task waits at a worker: 1 runs, 1 is next
    "distributed.worker.profile.enabled": False,  # looks at every call, 100 times a second
    "distributed.admin.tick.interval": "1s",  # 50 looks a second at the pace of each event loop
    "distributed.admin.system-monitor.interval": "10s",  # the curves of a dashboard
}
_LOGGERS: Final = ("distributed", "distributed.client", "tornado.application")
"""Loggers that the library sets a level of."""
_WAIT: Final = 10
"""Seconds in which a scheduler answers."""

_PAUSE: Final = 0.1
"""Seconds from a session that has ended to the request for its results and for those of all that
end meanwhile: four messages for many sessions, which are four for each where each is asked for."""

_TERMS_KEPT: Final = 8
"""Terms that a worker keeps: those of all commands that are likely to share it."""


def require_scheduler(name: str, jobs: int | None) -> None:
    """Raise `ReconError` for a name that can be no scheduler, and where the library is missing."""
    if name != LOCAL and "://" not in name:
        raise ReconError(
            f"--scheduler: {quoted(name)}; expected local or an address like tcp://host:8786"
        )
    if name != LOCAL and jobs is not None:
        raise ReconError("-j: a cluster has its own workers; expected no -j with its address")
    if find_spec("distributed") is None:
        raise ReconError(
            "--scheduler: needs dask.distributed, which is not installed; "
            "pip install 'pytest-recon[cluster]'"
        )


_Session = tuple[int, Path]
"""A session with its number."""


@dataclass(frozen=True, slots=True)
class _Task:
    """Sessions that the scheduler has as one; `is_alone`: it has no other task meanwhile."""

    sessions: tuple[_Session, ...]
    is_alone: bool = False


class Cluster:
    """Judges sessions on the workers of the scheduler `name`, an address or `local`.

    `count` is the number of workers of a local cluster. Raises `ReconError` where the scheduler
    does not answer, at the beginning or later.
    """

    places = IN_FLIGHT

    def __init__(self, terms: Terms, name: str, count: int | None) -> None:
        self.terms = terms
        self._terms = pickle.dumps(terms)
        self._name = name
        self._count = count or cores()
        self._running: dict[Future, _Task] = {}
        self._begun: list[_Session] = []
        self._suspects: list[_Session] = []
        self._stack = ExitStack()
        self._local_cluster: LocalCluster | None = None

    def __enter__(self) -> Self:
        from distributed import Client  # noqa: PLC0415  # an extra
        from distributed.client import as_completed  # noqa: PLC0415  # as that

        for logger in _LOGGERS:
            logging.getLogger(logger).setLevel(logging.CRITICAL)  # what matters is an error here
        begin_tracking()
        with interrupts_held_back():
            address = self._local() if self._name == LOCAL else self._name
            try:
                self._client: Client = self._stack.enter_context(
                    Client(address, timeout=_WAIT, set_as_default=False)
                )
            except (OSError, ValueError) as error:
                raise self._unreached(str(error)) from None
        self._ended: as_completed = as_completed(loop=self._client.loop)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._client.cancel(list(self._running), force=True)
        if kind is not None and self._local_cluster is not None:
            self._local_cluster.sync(_end_at_once, self._local_cluster)
        self._stack.close()

    def _local(self) -> "LocalCluster":
        import dask  # noqa: PLC0415  # an extra
        from distributed import LocalCluster  # noqa: PLC0415  # as that

        self._stack.enter_context(dask.config.set(_LOCAL_SETTINGS))
        cluster: LocalCluster = self._stack.enter_context(
            LocalCluster(
                n_workers=self._count,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",  # None is port 8787, for every machine around
                silence_logs=logging.CRITICAL,
            )
        )
        self._local_cluster = cluster
        return cluster

    def begin(self, number: int, anchor: Path) -> None:
        """Keep the session for `ended`, which hands over all that were begun at once."""
        self._begun.append((number, anchor))

    def _tasks(self) -> "Iterator[_Task]":
        """The sessions that were begun, small ones together, in their order."""
        running = sum(len(task.sessions) for task in self._running.values())
        most = min(TOGETHER, (running + len(self._begun)) // (self._workers() * TASKS_OF_A_WORKER))
        together, size = list[_Session](), 0
        for session in self._begun:
            # What is fetched, or a directory, may be of any size.
            more = size_of(session[1]) if session[1].is_file() else _BYTES_TOGETHER
            if together and (len(together) >= most or size + more > _BYTES_TOGETHER):
                yield _Task(tuple(together))
                together, size = [], 0
            together.append(session)
            size += more
        if together:
            yield _Task(tuple(together))

    def _workers(self) -> int:
        """The number of workers that the scheduler has by now, 1 where there are none yet."""
        try:
            return len(self._client.nthreads()) or 1
        except OSError:
            raise self._unreached("it no longer answers") from None

    def _submit(self, tasks: "Sequence[_Task]") -> None:
        run = self.terms.invocation_id
        futures = self._client.map(
            _check_on_worker,
            [[anchor for _, anchor in task.sessions] for task in tasks],
            terms=self._terms,
            key=[f"recon-{run}-{task.sessions[0][0]}-{task.is_alone}" for task in tasks],
            pure=False,
        )
        self._running.update(zip(futures, tasks, strict=True))
        self._ended.update(futures)

    def ended(self) -> Iterator[tuple[int, Results]]:
        """Wait for results.

        A scheduler gives up every task that waited on workers that died, not only the one that
        killed them, and of several sessions it does not say which one it was. So those that were
        given up, and those of a task that failed, are tried again when all others have ended,
        each alone.
        """
        self._require_running()
        if self._begun:
            self._submit(list(self._tasks()))
            self._begun = []
        elif not self._running:
            self._submit([_Task((self._suspects.pop(),), is_alone=True)])
        futures = self._ended.next_batch()
        if len(futures) < len(self._running):
            time.sleep(_PAUSE)
            futures += self._ended.next_batch(block=False)
        for future, found in self._gathered(futures):
            task = self._running.pop(future)
            if isinstance(found, list):
                for (number, _), sent in zip(task.sessions, found, strict=True):
                    yield number, _results(sent)
                continue
            self._require_running()
            reason = _reason(future)
            if not task.is_alone and (reason is _KILLED or len(task.sessions) > 1):
                self._suspects += task.sessions
            else:
                yield task.sessions[0][0], reason

    def _gathered(self, futures: "Sequence[Future]") -> "Iterator[tuple[Future, Any]]":
        """Fetch what tasks returned, all in one request; `None` for what returned nothing."""
        try:
            found = self._client.gather(dict(enumerate(futures)), errors="skip")
        except OSError:
            raise self._unreached("it no longer answers") from None
        return ((future, found[place]) for place, future in enumerate(futures))

    def _require_running(self) -> None:
        if self._client.status != "running":
            raise self._unreached("it no longer answers")

    def _unreached(self, reason: str) -> ReconError:
        return ReconError(f"--scheduler={printable(self._name)}: {printable(reason, 300)}")


async def _end_at_once(cluster: "LocalCluster") -> None:
    """Kill the workers of a cluster, which else finish their sessions or have 4 seconds to."""
    nannies = list(cluster.workers.values())
    ends = [asyncio.ensure_future(nanny.close()) for nanny in nannies]
    await asyncio.sleep(0)  # they know that they end, and begin no worker in place of another
    for nanny in nannies:
        if nanny.pid is not None:
            os.kill(nanny.pid, _KILL)
    await asyncio.gather(*ends, return_exceptions=True)


def _results(sent: bytes | str) -> Results:
    """Return the results that a worker sent, or why there are none that count."""
    if isinstance(sent, str):
        return sent
    try:
        session: CheckedSession = pickle.loads(sent)  # noqa: S301  # as the task itself was sent
    except Exception as error:  # noqa: BLE001  # a plugin's class that is unknown here
        return not_handed_over(error)
    version = session.versions.get("pytest-recon")
    if version == __version__:
        return session
    return f"its worker has pytest-recon {printable(version)}; expected {__version__}"


def _reason(future: "Future") -> str:
    """Return the reason why a task has no results."""
    from distributed import KilledWorker  # noqa: PLC0415  # an extra

    error = future.exception()
    if isinstance(error, KilledWorker):
        return _KILLED
    reason = future.status if error is None else f"{type(error).__name__}: {printable(error)}"
    return f"its worker has no results: {reason}"


_ONE_AT_A_TIME: Final = Lock()
"""Limits in force belong to a process, and commands of several users may share a worker."""


def _check_on_worker(anchors: Sequence[Path], terms: bytes) -> list[bytes | str]:
    from recon_core.cli.session_check import check_session  # noqa: PLC0415  # brings the engine

    with _ONE_AT_A_TIME:
        known = _terms(terms)
        return [_sent(check_session(anchor, known, _manager())) for anchor in anchors]


def _sent(session: CheckedSession) -> bytes | str:
    """Return results for another process, or why they cannot be handed over."""
    try:
        return pickle.dumps(session)
    except Exception as error:  # noqa: BLE001  # a plugin's value that cannot be pickled
        return not_handed_over(error)


@lru_cache(_TERMS_KEPT)
def _terms(pickled: bytes) -> Terms:
    """Return the terms of a command: each task brings them, and the first has them read."""
    terms: Terms = pickle.loads(pickled)  # noqa: S301  # as the task itself is sent
    return terms


@cache
def _manager() -> PluginManager:
    """The plugins that are installed where the worker is."""
    return extension_manager()
