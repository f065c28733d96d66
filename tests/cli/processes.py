"""Shared parts of the tests of `recon check` in several processes and on a cluster."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from .conftest import EXAMPLES, Recon, write_session

OWN_OF_A_RUN: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|20\d\d-\d\d-\d\dT[\d:.]+Z"
    r'|"seconds": [\d.e-]+| time="[^"]*"'
)
"""Run ids, hashes over them, times and durations: what differs between any two runs."""

REPORTS: Final = ("json:run.json", "junit:run.xml", "sarif:run.sarif", "markdown:run.md")


@pytest.fixture
def sessions(directory: Path) -> Path:
    """Sessions of every verdict, explained, unreadable and recorded by another program."""
    for name in ("suite", "explain", "nautilus"):
        shutil.copytree(EXAMPLES / name, directory / name)
    return directory


def left_behind(recon: Recon, *words: str) -> dict[str, str]:
    """What a run prints and writes, without what differs between any two runs."""
    for path in Path.cwd().glob("run.*"):
        path.unlink()
    reports = [word for report in REPORTS for word in ("--report", report)]
    answer = recon("check", ".", *reports, "--audit-log=run.jsonl", *words)
    written = {
        path.name: path.read_text(encoding="utf-8") for path in Path.cwd().glob("run.*[!kt]")
    }
    found = {"code": str(answer.code), "out": answer.out, "err": answer.err, **written}
    return {name: OWN_OF_A_RUN.sub("", text) for name, text in found.items()}


PLUGIN = '''\
"""Hooks that end their process, or look on, by the name of the session."""

import dataclasses
import os
import signal
import sys
import time

import recon_core


class Text(str):
    """A text that cannot be handed over."""

    __slots__ = ()

    def __reduce_ex__(self, _):
        raise TypeError("stays here")


@recon_core.hookimpl
def recon_internal_side(recorded):
    if recorded.session_id == "kept":
        return dataclasses.replace(recorded.internal, source=Text("here"))


@recon_core.hookimpl
def recon_checks(recorded):
    name = recorded.session_id
    if name == "a":
        print("looked at a")
    if name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "killed_once" and not os.path.exists("died"):
        open("died", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "crashed":
        os._exit(0)
    elif name == "exits":
        sys.exit(0)
    elif name == "slow":
        open("begun", "w").close()
        time.sleep(60)
    return [recon_core.SessionCheck("own", None, "looked at")]
'''


@pytest.fixture
def hooked(directory: Path) -> dict[str, str]:
    """An environment in which a plugin of these tests is installed."""
    place = directory / "site"
    metadata = place / "ending-1.dist-info"
    metadata.mkdir(parents=True)
    (place / "ending.py").write_text(PLUGIN, encoding="utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: ending\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[recon]\nending = ending\n")
    return {**os.environ, "PYTHONPATH": str(place)}


def check_command(*words: str) -> list[str]:
    """`recon check` of this project, as a process of its own."""
    return [sys.executable, "-m", "recon_core.cli", "check", *words]


def interrupted(environment: dict[str, str], *words: str) -> tuple[int, str, str]:
    """Send Ctrl-C to `recon check` and its processes while the session `slow` is judged.

    Returns the status and both outputs; every process must end.
    """
    for name in ("slow", "a", "b"):
        write_session(Path(f"{name}.recon.json"))
    # A process inherits that Ctrl-C is ignored, as it is for what a shell runs in the background.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = subprocess.Popen(
        check_command(*words, "."),
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, former)
    until = time.monotonic() + 60
    while not Path("begun").exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    while _runs(running.pid) and time.monotonic() < until:
        time.sleep(0.01)  # the fork server sees that its parent is gone
    assert not _runs(running.pid)
    return running.returncode, out, err


def _runs(group: int) -> bool:
    """True if a process of a group is there."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
