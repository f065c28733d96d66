"""Start of the processes of `recon check -j`, before the engine is imported here.

Where the platform has it, a fork server starts them: a small process that imports the engine
once, while this one reads settings and looks for sessions, and then forks itself for each
worker. It has no threads, so that forking is safe; elsewhere each worker is a new interpreter.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, get_all_start_methods, get_context, resource_tracker
from multiprocessing.context import ForkServerContext, SpawnContext
from typing import Final

_FORK_SERVER: Final = "forkserver"
_IMPORTED: Final = (
    "recon_core.cli.workers",
    "recon_core.cli.session_check",
    "recon_core.explain.explainer",
    "recon_core.sessions.native",
)
"""Modules that a worker uses; the fork server imports them once."""


def process_context() -> ForkServerContext | SpawnContext:
    """Return what makes processes in the way of this platform."""
    if _FORK_SERVER not in get_all_start_methods():
        return get_context("spawn")
    context = get_context(_FORK_SERVER)
    context.set_forkserver_preload(list(_IMPORTED))
    return context


def prepare_processes() -> None:
    """Let the fork server begin to import; returns at once."""
    if process_context().get_start_method() == _FORK_SERVER:
        with interrupts_held_back():
            forkserver.ensure_running()


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
