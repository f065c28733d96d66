"""Start of the processes of `recon check -j`.

A process is a copy of this one, which has imported the engine by then: no other start is as
short. Only a process with one thread can be copied, as the locks of other threads would stay
taken in the copy; where threads are not counted, or a plugin began one, each process is a new
interpreter.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Final

_THREADS: Final = Path("/proc/self/task")
"""A directory of Linux with an entry for each thread of this process, of libraries too."""


def can_be_copied() -> bool:
    """True if this process has one thread."""
    try:
        return len(list(_THREADS.iterdir())) == 1
    except OSError:
        return False


def start(target: Callable[..., None], *arguments: object) -> BaseProcess:
    """Start a process that calls `target`."""
    if can_be_copied():
        copy = get_context("fork").Process(target=target, args=arguments)
        copy.start()
        return copy
    process = get_context("spawn").Process(target=target, args=arguments)
    with _another_main():
        process.start()
    return process


@contextmanager
def _another_main() -> Iterator[None]:
    """Hide the program that runs, which a new process would import.

    It may be a script that calls `recon` wherever it is imported.
    """
    name = "__main__"
    former, sys.modules[name] = sys.modules[name], ModuleType(name)
    try:
        yield
    finally:
        sys.modules[name] = former


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Start processes that never see Ctrl-C; this process sees it after the block.

    A process inherits the signals that are blocked when it starts. Who ends the others is
    this process, so that nothing of theirs is on the screen.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows; workers ignore it there
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def begin_tracking() -> None:
    """Start the process by which Python keeps account of new interpreters; once.

    It unblocks SIGINT when it starts, so it is there before that is held back.
    """
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()
