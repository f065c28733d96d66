"""Start of the processes of `recon check -j`, before the engine is imported here.

Where the platform has it, a fork server starts them: a small process that imports the engine
once, while this one reads settings and looks for sessions, and then forks itself for each
worker. It has no threads, so that forking is safe; elsewhere each worker is a new interpreter.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing import forkserver, get_all_start_methods, get_context, resource_tracker
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Final

_FORK_SERVER: Final = "forkserver"
_IMPORTED: Final = (
    "recon_core.cli.workers",
    "recon_core.cli.session_check",
    "recon_core.explain.explainer",
    "recon_core.sessions.native",
)
"""Modules that a worker uses; the fork server imports them once."""


@cache
def process_context() -> ForkServerContext | SpawnContext:
    """Return what makes processes in the way of this platform.

    The first call lets the fork server begin to import, and returns at once.
    """
    if _FORK_SERVER in get_all_start_methods():
        context = get_context(_FORK_SERVER)
        context.set_forkserver_preload(list(_IMPORTED))
        # Its socket is a file of the temporary directory, which may be missing or too deep.
        with suppress(OSError), interrupts_held_back():
            forkserver.ensure_running()
            return context
    return get_context("spawn")


def start(target: Callable[..., None], *arguments: object) -> BaseProcess:
    """Start a process that calls `target`."""
    process = process_context().Process(target=target, args=arguments)
    with interrupts_held_back(), _another_main():
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
    resource_tracker.ensure_running()  # unblocks SIGINT when it starts
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
