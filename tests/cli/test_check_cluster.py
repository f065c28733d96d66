"""`recon check --scheduler`: a cluster changes no byte of an answer, and loses no session."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from recon_core.cli import cluster as recon_cluster
from recon_core.cli import session_check
from recon_core.cli.checked_session import CheckedSession

from .conftest import Recon, write_session
from .processes import check_command, hooked, interrupted, left_behind, sessions

__all__ = ["hooked", "sessions"]  # fixtures

if find_spec("distributed") is None:  # found, not imported: it takes as long as ten tests
    pytest.skip("needs the extra cluster", allow_module_level=True)

# A cluster, if of threads, is a quarter of a second in each test and its import two more.
pytestmark = pytest.mark.large
with_processes = pytest.mark.skipif(
    os.environ.get("RECON_TEST_SIZE") != "soak", reason="starts a cluster: make soak"
)


@pytest.fixture
def address() -> Iterator[str]:
    """A scheduler whose workers are threads of this process."""
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as made:
        yield made.scheduler_address


def test_a_cluster_changes_no_byte(recon: Recon, sessions: Path, address: str) -> None:
    """Answer, reports and audit log are those of one process, in its order."""
    assert sessions.is_dir()
    words = ("--format=json", "--limit=json_objects=400")
    one = left_behind(recon, "-j1", *words)
    assert one["code"] == "2"
    assert left_behind(recon, f"--scheduler={address}", *words) == one


def test_another_version_on_a_worker_judges_nothing(
    recon: Recon, directory: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rules may be others; the session is CRITICAL and names both versions."""
    write_session(directory / "a.recon.json")
    monkeypatch.setattr(recon_cluster, "__version__", "99.0")
    answer = recon("check", "a.recon.json", f"--scheduler={address}", "-v")
    assert answer.code == 1
    assert answer.lines[-1] == "RECON: BLOCKED (1 CRITICAL in 1 session)"
    assert "expected 99.0" in " ".join(answer.out.split())


def test_a_task_without_results_is_critical(
    recon: Recon, directory: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error is the reason; sessions that were fetched with it have their own verdicts."""
    check = session_check.check_session

    def lost(anchor: Path, *more: Any) -> CheckedSession:
        if anchor.name.startswith("b"):
            raise MemoryError("no room")
        return check(anchor, *more)

    monkeypatch.setattr(session_check, "check_session", lost)
    for name in "abc":
        write_session(directory / f"{name}.recon.json")
    answer = recon("check", ".", f"--scheduler={address}", "-v")
    assert answer.lines[-1].startswith("RECON: BLOCKED (1 CRITICAL in 3 sessions")
    assert "its worker has no results: MemoryError: no room" in " ".join(answer.out.split())


def test_the_terms_of_a_command_are_read_once(recon: Recon, directory: Path, address: str) -> None:
    """A worker keeps them for the sessions that follow."""
    for name in "abcd":
        write_session(directory / f"{name}.recon.json")
    recon_cluster._terms.cache_clear()
    assert recon("check", ".", f"--scheduler={address}").code == 0
    kept = recon_cluster._terms.cache_info()
    assert (kept.misses, kept.hits) == (1, 3)


@pytest.mark.parametrize(
    ("count", "most", "large", "tasks"),
    [
        (8, 32, 0, 8),  # 4 for each of two workers
        (40, 32, 0, 8),  # 5 sessions each
        (40, 4, 0, 10),  # 4 sessions at most
        (40, 32, 3, 11),  # one more for each large one
    ],
)
def test_small_sessions_share_a_task(
    recon: Recon,
    directory: Path,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    most: int,
    large: int,
    tasks: int,
) -> None:
    """Each worker has four tasks or more, and a large session has one of its own."""
    monkeypatch.setattr(recon_cluster, "TOGETHER", most)
    for number in range(count):
        write_session(directory / f"s{number}.recon.json", session_id=f"s{number}")
    for number in range(large):
        path = directory / f"s{number}.recon.json"
        path.write_text(path.read_text() + " " * recon_cluster._BYTES_TOGETHER)
    recon_cluster._terms.cache_clear()
    answer = recon("check", ".", f"--scheduler={address}")
    assert answer.lines[-1].startswith(f"RECON: CLEAR ({count} sessions")
    known = recon_cluster._terms.cache_info()
    assert known.misses + known.hits == tasks


def test_sessions_that_share_a_task_with_one_that_fails_have_their_verdicts(
    recon: Recon, directory: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them is judged again alone, and the one session is CRITICAL."""
    check = session_check.check_session

    def lost(anchor: Path, *more: Any) -> CheckedSession:
        if anchor.name == "s7.recon.json":
            raise MemoryError("no room")
        return check(anchor, *more)

    monkeypatch.setattr(session_check, "check_session", lost)
    for number in range(30):
        write_session(directory / f"s{number}.recon.json", session_id=f"s{number}")
    answer = recon("check", ".", f"--scheduler={address}", "-v")
    assert answer.lines[-1].startswith("RECON: BLOCKED (1 CRITICAL in 30 sessions")
    assert "s7.recon.json: was not judged: its worker has no results: MemoryError" in " ".join(
        answer.out.split()
    )


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--scheduler=lokal"], ["'lokal'", "expected local or an address like tcp://host:8786"]),
        (["--scheduler=tcp://h:1", "-j2"], ["-j: a cluster has its own workers"]),
    ],
)
def test_a_name_that_is_no_scheduler(
    recon: Recon, directory: Path, words: list[str], parts: list[str]
) -> None:
    """One line, before anything is judged."""
    write_session(directory / "a.recon.json")
    recon("check", "a.recon.json", *words).refused(64, *parts)


def test_the_library_may_be_missing(
    recon: Recon, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says which extra brings it."""
    write_session(directory / "a.recon.json")
    monkeypatch.setattr(recon_cluster, "find_spec", lambda _: None)
    answer = recon("check", "a.recon.json", "--scheduler=local")
    answer.refused(64, "pip install 'pytest-recon[cluster]'")


def test_a_scheduler_that_does_not_answer(
    recon: Recon, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is judged, and no verdict given."""
    write_session(directory / "a.recon.json")
    monkeypatch.setattr(recon_cluster, "_WAIT", 0.2)
    recon("check", "a.recon.json", "--scheduler=tcp://127.0.0.1:9").refused(1, "tcp://127.0.0.1:9")


@with_processes
def test_a_session_that_kills_its_workers_is_critical(
    directory: Path, hooked: dict[str, str]
) -> None:
    """It is tried again, then given up; every other session has its own verdict.

    So has each beside one whose results cannot be handed over.
    """
    names = ["crashed", "kept", "killed", *(f"s{number}" for number in range(40))]
    for name in names:
        write_session(directory / f"{name}.recon.json")
    done = subprocess.run(
        check_command("-j", "2", "--scheduler=local", "--report=json:run.json", "."),
        env=hooked, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "")
    report = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    verdicts = {each["session_id"]: each["max_severity"] for each in report["sessions"]}
    lost = dict.fromkeys(("crashed", "kept", "killed"), "CRITICAL")
    assert verdicts == {name: lost.get(name, "match") for name in sorted(names)}
    assert list(verdicts) == sorted(names)


@with_processes
def test_a_worker_that_is_killed_once_costs_no_verdict(
    directory: Path, hooked: dict[str, str]
) -> None:
    """Another one judges its session."""
    for name in ("killed_once", *(f"s{number}" for number in range(20))):
        write_session(directory / f"{name}.recon.json")
    done = subprocess.run(
        check_command("-j", "2", "--scheduler=local", "."),
        env=hooked, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (directory / "died").exists()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("RECON: CLEAR (21 sessions")


@with_processes
def test_ctrl_c_ends_a_local_cluster(directory: Path, hooked: dict[str, str]) -> None:
    """130 and its one line, no entry of a log, and no worker left."""
    words = ("-j", "2", "--scheduler=local", "--audit-log=log.jsonl")
    code, out, err = interrupted(hooked, *words)
    assert (code, err) == (130, "\nrecon: interrupted: no answer\n")
    assert "RECON" not in out
    assert not (directory / "log.jsonl").exists()


@with_processes
def test_a_scheduler_that_ends_meanwhile(directory: Path, hooked: dict[str, str]) -> None:
    """There is no verdict: the status says that nothing could be judged, and one line why."""
    for name in ("slow", "a", "b"):
        write_session(directory / f"{name}.recon.json")
    with subprocess.Popen(
        [sys.executable, "-c", SCHEDULER], env=hooked, stdout=subprocess.PIPE, text=True
    ) as scheduler:
        assert scheduler.stdout is not None
        found = scheduler.stdout.readline().strip()
        running = subprocess.Popen(
            check_command(f"--scheduler={found}", "."),
            env=hooked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until = time.monotonic() + 60
        while not (directory / "begun").exists() and time.monotonic() < until:
            time.sleep(0.01)
        scheduler.kill()
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (1, "")
    assert err == f"recon: --scheduler={found}: it no longer answers\n"


SCHEDULER = """\
import time

from distributed import LocalCluster

if __name__ == "__main__":
    made = LocalCluster(n_workers=1, threads_per_worker=1, processes=False,
                        dashboard_address="127.0.0.1:0", protocol="tcp")
    print(made.scheduler_address, flush=True)
    time.sleep(600)
"""
