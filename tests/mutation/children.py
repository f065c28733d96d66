"""Work in forked children, some at a time: their answers, or their end without one."""

import json
import os
import resource
import selectors
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

MEMORY = 4 << 30
"""Address space of a child in bytes: a mutant that grows without end fails in its test."""


@dataclass(slots=True)
class _Child:
    key: Any
    pid: int
    pipe: int
    place: str
    parts: list[bytes] = field(default_factory=list)


def in_children(
    works: Iterable[tuple[Any, Callable[[], Any]]], at_once: int
) -> Iterator[tuple[Any, Any]]:
    """Run each work in a child of its own; yield its key and answer as they end.

    An answer is what JSON can hold; it is `None` where the child ended without one.
    """
    waiting = iter(works)
    with selectors.DefaultSelector() as running:
        _start(waiting, running, at_once)
        while running.get_map():
            for key, _ in running.select():
                child: _Child = key.data
                part = os.read(child.pipe, 1 << 16)
                if part:
                    child.parts.append(part)
                    continue
                running.unregister(child.pipe)
                yield child.key, _ended(child)
                _start(waiting, running, 1)


def _start(
    waiting: Iterator[tuple[Any, Callable[[], Any]]],
    running: selectors.BaseSelector,
    count: int,
) -> None:
    for _, (key, work) in zip(range(count), waiting, strict=False):
        child = _forked(key, work)
        running.register(child.pipe, selectors.EVENT_READ, child)


def _forked(key: Any, work: Callable[[], Any]) -> _Child:
    read, write = os.pipe()
    place = tempfile.mkdtemp(prefix="mutant-")
    pid = os.fork()
    if pid:
        os.close(write)
        return _Child(key, pid, read, place)
    try:
        os.setsid()
        _prepare(place)
        answer = json.dumps(work()).encode()
        while answer:
            answer = answer[os.write(write, answer) :]
    finally:
        os._exit(0)


def _prepare(place: str) -> None:
    """Give a child its own directory for temporary files, a limit of memory and no terminal."""
    tempfile.tempdir = None
    os.environ |= {"TMPDIR": place, "PYTEST_DEBUG_TEMPROOT": place}
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)


def _ended(child: _Child) -> Any:
    os.close(child.pipe)
    os.waitpid(child.pid, 0)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # what it started and left
    shutil.rmtree(child.place, ignore_errors=True)
    try:
        return json.loads(b"".join(child.parts))
    except ValueError:  # ended before its answer was whole
        return None


def limit_next_step(seconds: int) -> None:
    """End this process after so much more processor, or three times as long by the clock."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(3 * seconds)
