"""Processes of tests that need not import everything again.

A process that runs pytest spends nine tenths of its time on imports, and one with two workers does
so three times. Where the start of an interpreter is not the subject, tests start `warm_python()`
instead of `sys.executable`: a launcher by which a server that has imported everything forks.
The process is as much one of its own: its streams, environment, signals and end are.

`make soak` starts all of them in the usual way, so that nothing rests on the fork alone.
"""

import atexit
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
SESSION: Final = HERE.parents[1] / "examples" / "minimal" / "blocked.recon.json"
IS_WARM: Final = os.environ.get("RECON_TEST_SIZE", "test") in ("test", "mutation") and hasattr(
    os, "pidfd_open"
)
"""Soak tests start new interpreters, and so does a system without `pidfd_open`."""

_forked_from: list[Path] = []
"""The directories of launchers of this process; the last one is in use."""


def warm_python() -> str:
    """The command of an interpreter that has imported pytest and both packages."""
    return str(_launchers() / "python") if IS_WARM else sys.executable


def warm_commands() -> Path:
    """A directory with the commands `python`, `pytest` and `recon`."""
    return _launchers() if IS_WARM else Path(sys.executable).parent


@contextmanager
def warm_workers() -> Iterator[None]:
    """Let runs of pytest inside this process have workers by `warm_python()`."""
    from execnet import gateway_io

    arguments = gateway_io.popen_args
    python = warm_python()
    gateway_io.popen_args = lambda spec: [python, *arguments(spec)[1:]]
    try:
        yield
    finally:
        gateway_io.popen_args = arguments


def fork_from(*program: str) -> None:
    """Let the processes of tests fork from what a program makes of the warm interpreter.

    `program` are the words of an interpreter that serves as `server.py` does; the socket and the
    launcher are added.
    """
    _start([warm_python(), *program])


def _launchers() -> Path:
    """The directory of the launchers of this process."""
    if not _forked_from:
        _start([sys.executable, str(HERE / "server.py"), str(SESSION)])
    return _forked_from[-1]


def _start(command: Sequence[str]) -> None:
    """Start a server, and write the launchers of its forks into a directory."""
    directory = Path(tempfile.mkdtemp(prefix="warm-"))
    place = directory / "socket"
    scripts = Path(sys.executable).parent
    for name, script in (("python", None), *((it, scripts / it) for it in ("pytest", "recon"))):
        words = [str(place), sys.executable, *([str(script)] if script else [])]
        program = (HERE / "launcher.py").read_text(encoding="utf-8")
        (directory / name).write_text(
            f"#!{sys.executable} -IS\nimport sys\nsys.argv[1:1] = {words}\n{program}"
        )
        (directory / name).chmod(0o755)
    server = subprocess.Popen(
        [*command, place, directory / "python"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=directory,
        # The first test that needs a server may have options of its own in the environment.
        env={
            name: text
            for name, text in os.environ.items()
            if name not in ("PYTHONPATH", "PYTEST_ADDOPTS")
        },
    )
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    atexit.register(server.communicate)
    _forked_from.append(directory)
