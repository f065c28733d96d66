"""`recon check -j`: processes change no byte of an answer, and none of them loses a session."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core import hookimpl
from recon_core.cli.check_run import Check
from recon_core.cli.checked_session import CheckedSession, Terms
from recon_core.cli.session_check import check_session
from recon_core.cli.workers import (
    MANY,
    OneProcess,
    Processes,
    Results,
    judged,
    worker_count,
)
from recon_core.plugins.manager import extension_manager
from recon_core.policy.model import Policy
from recon_core.reports.formats import JUNIT
from recon_core.values.severity import Severity

from .conftest import Recon, write_session
from .processes import hooked, interrupted, left_behind, sessions

__all__ = ["hooked", "sessions"]  # fixtures


@pytest.mark.large
@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--format=json", "--fail-on=warn", "--max-items=1", "--explain=off"),
        ("--limit=json_objects=40", "--policy=policy.toml", "-v"),
        ("--waivers=waivers.toml", "--top-n=1"),
    ],
    ids=" ".join,
)
def test_processes_change_no_byte(recon: Recon, sessions: Path, words: Sequence[str]) -> None:
    """Answer, reports and audit log are those of one process, in its order."""
    (sessions / "policy.toml").write_text("[cash]\nrelative = 0\n", encoding="utf-8")
    (sessions / "waivers.toml").write_text(
        '[[waiver]]\nid = "fee"\nsession = "missing_fee"\nitem = "cash::EUR"\nmax_amount = "1000"\n'
        'owner = "desk"\nreason = "known"\nexpires = 2026-12-01\n',
        encoding="utf-8",
    )
    one = left_behind(recon, "-j1", *words)
    assert set(one) == {
        "code",
        "out",
        "err",
        "run.json",
        "run.xml",
        "run.sarif",
        "run.md",
        "run.jsonl",
    }
    assert one["code"] == "2"
    assert left_behind(recon, "-j2", *words) == one


def test_a_session_whose_process_ends_is_critical(directory: Path, hooked: dict[str, str]) -> None:
    """It says why, every other session has its own verdict, and hooks hold in every process."""
    ends = {
        "crashed": "was not judged: its process ended by itself with 0",
        "exits": "was not judged: SystemExit: 0",
        "kept": "was not judged: its results cannot be handed over: TypeError: stays here",
        "killed": "was not judged: its process was killed by SIGKILL, as the system does for "
        "lack of memory",
    }
    for name in (*ends, *"abc"):
        write_session(directory / f"{name}.recon.json")
    script = directory / "script.py"  # without a guard: no process may import it
    words = ["check", "-j", "2", "--report=json:run.json", "."]
    script.write_text(f"from recon_core.cli import main\n\nmain({words})\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script],
        env=hooked, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "")
    report = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    results = {session["session_id"]: session for session in report["sessions"]}
    assert list(results) == sorted([*ends, *"abc"])
    for name, reason in ends.items():
        (one,) = results[name]["comparisons"]
        assert (one["verdict"], one["key"]) == ("CRITICAL", "readable")
        assert f"{name}.recon.json: {reason}" in one["finding"]["description"]
    for name in "abc":
        keys = {one["key"]: one["verdict"] for one in results[name]["comparisons"]}
        assert keys["own"] == "match"
    printed = done.stdout.splitlines()
    assert printed[0] == "looked at a"
    assert printed[-1].startswith("RECON: BLOCKED (4 CRITICAL in 7 sessions)")


def test_ctrl_c_leaves_no_process_and_no_report(directory: Path, hooked: dict[str, str]) -> None:
    """130 and its one line, the report of an earlier run withdrawn, every worker gone."""
    report = directory / "run.xml"
    report.write_text("<?xml version='1.0' ?>\n<testsuites></testsuites>\n", encoding="utf-8")
    words = ("-j", "2", "--junit=run.xml", "--audit-log=log.jsonl")
    code, out, err = interrupted(hooked, *words)
    assert (code, err) == (130, "\nrecon: interrupted: no answer\n")
    assert "RECON" not in out
    assert report.read_text(encoding="utf-8") == JUNIT.not_ended
    assert not (directory / "log.jsonl").exists()


def test_a_program_with_a_thread_is_not_copied(directory: Path) -> None:
    """Each process is a new interpreter there, and the answer is the same."""
    for name in "ab":
        write_session(directory / f"{name}.recon.json")
    script = directory / "script.py"
    script.write_text(
        "import threading\nfrom recon_core.cli import main, process_start\n\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "assert not process_start.can_be_copied()\n"
        "main(['check', '-j', '2', '.'])\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "RECON: CLEAR (2 sessions" in done.stdout


class Keeps:
    """A plugin that may carry something from one session to the next."""

    @hookimpl
    def recon_reconciled(self, reconciliation: Any) -> None:
        """Look at a session."""


@pytest.mark.parametrize(
    ("asked", "sessions", "plugin", "expected"),
    [
        (None, MANY - 1, None, 1),
        (None, MANY, None, 3),
        (None, MANY, Keeps(), 1),
        (2, MANY, Keeps(), 2),
        (2, 0, None, 1),
        (8, 5, None, 5),
        (1, 1000, None, 1),
    ],
)
def test_the_number_of_processes(
    monkeypatch: pytest.MonkeyPatch,
    asked: int | None,
    sessions: int,
    plugin: object,
    expected: int,
) -> None:
    """What is asked for, no more than sessions; else the cores, for many that are independent."""
    monkeypatch.setattr("recon_core.cli.workers.cores", lambda: 3)
    manager = extension_manager()
    if plugin is not None:
        manager.register(plugin)
    assert worker_count(asked, sessions, manager) == expected


class Shuffling:
    """Workers that end in a drawn order."""

    def __init__(self, terms: Terms, places: int, data: st.DataObject) -> None:
        self.terms, self.places, self._data = terms, places, data
        self._running: dict[int, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def begin(self, number: int, anchor: Path) -> None:
        self._running[number] = anchor
        assert len(self._running) <= self.places

    def ended(self) -> Iterator[tuple[int, Results]]:
        numbers = st.lists(st.sampled_from(sorted(self._running)), min_size=1, unique=True)
        for number in self._data.draw(numbers):
            yield number, f"lost {self._running.pop(number).name}"


@given(data=st.data(), count=st.integers(0, 9), places=st.integers(1, 4))
def test_every_session_is_judged_once(data: st.DataObject, count: int, places: int) -> None:
    """Whatever ends first, each has the results of its own file; a lost one is CRITICAL."""
    terms = Terms(Policy(), Path("/nowhere"), 10, Severity.FAIL, commit=None)
    anchors = [Path(f"/nowhere/{number}.recon.json") for number in range(count)]
    found = dict(judged(anchors, Shuffling(terms, places, data)))
    assert sorted(found) == list(range(count))
    for number, session in found.items():
        assert session.blocks
        (diff,) = session.diffs
        assert f"was not judged: lost {number}.recon.json" in diff.description


def test_the_largest_session_is_begun_first(directory: Path) -> None:
    """So that no process is alone with it at the end."""
    anchors = [
        write_session(directory / f"{size}.recon.json", note="x" * size) for size in (3, 900, 70)
    ]
    terms = Terms(Policy(), directory, 10, Severity.FAIL)
    begun: list[int] = []

    class Noted(Processes):
        def begin(self, number: int, anchor: Path) -> None:
            begun.append(number)
            super().begin(number, anchor)

    with Noted(terms, 2) as workers:
        assert sum(1 for _ in judged(anchors, workers)) == len(anchors)
    assert begun == [1, 2, 0]
    begun.clear()
    with OneProcess(terms, extension_manager()) as one:
        assert [number for number, _ in judged(anchors, one)] == [0, 1, 2]


def test_times_of_a_log_do_not_go_back(directory: Path) -> None:
    """A session that was judged before an earlier one has the time of that one."""
    terms = Terms(Policy(), directory, 10, Severity.FAIL)
    times = iter(["2026-01-01T12:00:09Z", "2026-01-01T12:00:02Z", "2026-01-01T12:00:11Z"])

    class Timed(OneProcess):
        def ended(self) -> Iterator[tuple[int, Results]]:
            for number, session in super().ended():
                assert isinstance(session, CheckedSession)
                yield number, session.timed(next(times))

    check = Check(terms)
    anchors = [write_session(directory / f"{name}.recon.json") for name in "abc"]
    check.judge(anchors, Timed(terms, extension_manager()))
    assert [each.summary.timestamp[-3:-1] for each in check.sessions] == ["09", "09", "11"]


def test_a_process_that_died_without_a_session_costs_none(directory: Path) -> None:
    """The next session gets another process."""
    anchors = [write_session(directory / f"{name}.recon.json") for name in "ab"]
    terms = Terms(Policy(), directory, 10, Severity.FAIL)
    with Processes(terms, 1) as workers:
        for _ in range(2):
            assert [session.diffs for _, session in judged(anchors, workers)] == [[], []]
            (worker,) = workers._free  # there is no other way to its process
            worker.process.kill()
            worker.process.join()


@pytest.mark.parametrize("copied", [True, False])
def test_processes_end_by_themselves(
    directory: Path, monkeypatch: pytest.MonkeyPatch, *, copied: bool
) -> None:
    """Each sees that its pipe is closed, though those that began later have copies of its end."""
    if not copied:
        monkeypatch.setattr("recon_core.cli.process_start.can_be_copied", lambda: False)
    anchors = [write_session(directory / f"{name}.recon.json") for name in "ab"]
    with Processes(Terms(Policy(), directory, 10, Severity.FAIL), 2) as workers:
        assert len(list(judged(anchors, workers))) == 2
        processes = [worker.process for worker in workers._free]  # as above
    assert [process.exitcode for process in processes] == [0, 0]


def test_results_hold_no_rows(directory: Path) -> None:
    """A run of many sessions keeps their results; what they hold is handed over as it is."""
    import pickle  # what a pipe between processes does

    anchor = directory / "long.recon.json"
    positions = {f"S{number}/EUR": "1" for number in range(500)}
    write_session(anchor, positions)
    terms = Terms(Policy(), directory, 10, Severity.FAIL)
    session = check_session(anchor, terms, extension_manager())
    assert session.comparisons > len(positions)
    content = pickle.dumps(session)
    assert len(content) < 5000
    assert pickle.loads(content) == session  # noqa: S301  # written here
    assert isinstance(session, CheckedSession)
