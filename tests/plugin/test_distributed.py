"""The same results whichever way the items are run and shown."""

import re
import subprocess
import xml.etree.ElementTree as ET
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pytest_recon.large_run import MANY
from tests.matrices import matrix, sample
from tests.warm import warm_python

from .conftest import (
    PLAIN,
    REPORTS_CONFTEST,
    final_line,
    read_reports,
    run_pytest,
    write_blocked,
    write_clear,
    write_session,
    write_warn,
)

LINE = "RECON: BLOCKED (1 CRITICAL, 2 FAIL, 2 WARN in 4 sessions)"
OUTCOMES = {"passed": 18, "failed": 3, "xfailed": 2}

WAYS = [
    ("plain", ()),
    ("workers", ("-n2",)),
    ("by file", ("-n2", "--dist=loadfile")),
    ("by group", ("-n2", "--dist=loadgroup")),
    ("by scope", ("-n2", "--dist=loadscope")),
    ("stealing", ("-n2", "--dist=worksteal")),
    ("more workers than sessions", ("-n5",)),
    ("no workers", ("-n0",)),
    ("without xdist", ("-p", "no:xdist")),
    ("reruns", ("--reruns=2",)),
    ("reruns with workers", ("--reruns=2", "-n2")),
    ("quiet", ("-q",)),
    ("verbose", ("-v",)),
    ("very verbose", ("-vv",)),
    ("one line", ("--tb=line",)),
    ("no output captured", ("-s",)),
    ("without capture plugin", ("-p", "no:capture")),
    ("without logging plugin", ("-p", "no:logging")),
    ("without rerunfailures", ("-p", "no:rerunfailures")),
    ("importlib", ("--import-mode=importlib",)),
    ("full trace", ("--full-trace",)),
    ("failures first", ("--ff",)),
]


@pytest.fixture
def sessions(pytester: pytest.Pytester) -> list[str]:
    """Four sessions in two directories, one of each worst severity and one clear."""
    desk = pytester.path / "desk"
    write_clear(desk / "clear.recon.json")
    write_blocked(desk / "blocked.recon.json")
    write_warn(desk / "eu" / "warn.recon.json")
    (desk / "eu" / "cut.recon.json").write_text("{")
    pytester.makeconftest(REPORTS_CONFTEST)
    return ["--recon-session=desk/*.recon.json", "--recon-session=desk/eu"]


Results = tuple[int, str, dict[str, dict[str, Any]]]


def results(pytester: pytest.Pytester, result: pytest.RunResult) -> Results:
    """Status, final line, and what every item reported."""
    return int(result.ret), final_line(result), read_reports(pytester)


@cache
def _known() -> list[Results]:
    return []


@pytest.fixture
def plain(pytester: pytest.Pytester, sessions: list[str]) -> Results:
    """The results of a plain run in one process, which are the same in every directory."""
    if not _known():
        _known().append(results(pytester, run_pytest(pytester, *sessions)))
    return _known()[0]


@pytest.mark.parametrize("arguments", [way for _, way in WAYS[1:]], ids=[it for it, _ in WAYS[1:]])
def test_same_results(
    pytester: pytest.Pytester, sessions: list[str], plain: Results, arguments: tuple[str, ...]
) -> None:
    """Node ids, outcomes, properties, texts, counts, line and status are the same."""
    result = run_pytest(pytester, *sessions, *arguments, cache="--ff" in arguments)
    assert plain[:2] == (1, LINE)
    assert results(pytester, result) == plain
    counts = result.parseoutcomes()
    assert {name: counts[name] for name in OUTCOMES} == OUTCOMES
    assert "rerun" not in counts


@pytest.mark.parametrize(("seed", "workers"), matrix(["1", "2"], [(), ("-n2",)], every=2))
def test_random_order(
    pytester: pytest.Pytester,
    sessions: list[str],
    plain: Results,
    seed: str,
    workers: tuple[str, ...],
) -> None:
    """Reordering by pytest-randomly changes no result."""
    plugins = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", f"--randomly-seed={seed}")
    command = [warm_python(), "-m", "pytest", *plugins, *workers, *sessions]
    result = pytester.run(*command, timeout=120)
    assert f"Using --randomly-seed={seed}" in result.stdout.str()
    assert results(pytester, result) == plain


def test_nothing_is_rerun(pytester: pytest.Pytester, sessions: list[str]) -> None:
    """With reruns, tests are rerun and comparisons are not."""
    pytester.makepyfile(test_project="def test_fails(): assert False")
    result = run_pytest(pytester, *sessions, "test_project.py", "--reruns=2", "-rR")
    counts = result.parseoutcomes()
    assert counts["rerun"] == 2
    assert counts["failed"] == OUTCOMES["failed"] + 1
    assert not re.search(r"RERUN desk/", result.stdout.str())
    assert final_line(result) == LINE


def test_rerun_markers_change_nothing(pytester: pytest.Pytester, sessions: list[str]) -> None:
    """A conftest that marks every item flaky changes neither verdict nor count."""
    pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.flaky(reruns=2))
        """
    )
    result = run_pytest(pytester, *sessions)
    assert result.ret == 1
    assert final_line(result) == LINE


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["here", "workers"])
@pytest.mark.parametrize("tests", ["desk", "."])
@pytest.mark.usefixtures("sessions")
def test_plain_collection(pytester: pytest.Pytester, tests: str, workers: tuple[str, ...]) -> None:
    """Sessions that pytest collects by itself are counted, also where workers collect."""
    result = run_pytest(pytester, *workers, tests, "--recon-gate")
    assert result.ret == 1
    assert final_line(result) == LINE
    narrowed = run_pytest(pytester, *workers, tests, "--recon-gate", "-k", "clear")
    assert narrowed.ret == 1
    assert final_line(narrowed) == "RECON: INCOMPLETE (7 of 23 comparisons ran)"


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["here", "workers"])
def test_clear_by_plain_collection(
    pytester: pytest.Pytester, clear_session: Path, workers: tuple[str, ...]
) -> None:
    """A clear session beside tests is clear."""
    pytester.makepyfile(test_project="def test_passes(): pass")
    result = run_pytest(pytester, *workers, "--recon-gate")
    result.assert_outcomes(passed=8)
    assert result.ret == 0
    assert final_line(result) == "RECON: CLEAR (1 session, 7 comparisons)"
    assert clear_session.exists()


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["here", "workers"])
def test_same_summary(
    pytester: pytest.Pytester, sessions: list[str], workers: tuple[str, ...]
) -> None:
    """Causes are the same, whichever process ran what; the header knows what was read so far."""
    header, *plain = summary(run_pytest(pytester, *sessions))
    assert header == "recon: 4 sessions, 23 comparisons, policy built-in"
    other, *lines = summary(run_pytest(pytester, *workers, *sessions, "-p", "no:logging"))
    assert lines == plain
    assert other == (header.replace("23 comparisons", "read by workers") if workers else header)


def summary(result: pytest.RunResult) -> list[str]:
    """The plugin's own lines: the header, and what stands below its heading."""
    header = [line for line in result.outlines if line.startswith("recon: ")]
    heading = result.outlines.index(" recon ".center(80, "="))
    return header + [line for line in result.outlines[heading:] if " in " not in line[-12:]][:-1]


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["here", "workers"])
def test_same_junit(
    pytester: pytest.Pytester, sessions: list[str], workers: tuple[str, ...]
) -> None:
    """The JUnit file of pytest has the same cases and properties."""
    cases = []
    for arguments in ((), workers):
        run_pytest(pytester, *arguments, *sessions, "--junitxml=junit.xml")
        text = (pytester.path / "junit.xml").read_text()
        found = re.findall(r'<testcase classname="([^"]*)" name="([^"]*)"', text)
        cases.append((sorted(found), sorted(re.findall(r"<property [^>]*>", text))))
    assert cases[0] == cases[1]
    assert len(cases[0][0]) == 23


def test_debugger(pytester: pytest.Pytester, sessions: list[str], plain: Results) -> None:
    """Under `--pdb` a failing comparison enters the debugger like any other."""
    pytester.makepyfile(
        silent="""
        import pdb

        class Debugger(pdb.Pdb):
            def interaction(self, *arguments):
                print("DEBUGGER ENTERED")
        """
    )
    pytester.syspathinsert()
    result = run_pytest(pytester, *sessions, "--pdb", "--pdbcls=silent:Debugger", subprocess=True)
    assert result.stdout.str().count("DEBUGGER ENTERED") == OUTCOMES["failed"]
    assert results(pytester, result) == plain


def test_debugger_with_closed_input(pytester: pytest.Pytester, sessions: list[str]) -> None:
    """Where `--pdb` has nobody to ask, the run ends non-zero."""
    command = [warm_python(), "-m", "pytest", *PLAIN, "--pdb", *sessions]
    done = subprocess.run(
        command,
        cwd=pytester.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode not in (0, 5)
    assert "RECON: CLEAR" not in done.stdout + done.stderr


def test_parallel_runs_of_many_items(pytester: pytest.Pytester) -> None:
    """Every comparison of a larger session arrives once from the workers."""
    positions = {f"S{number}/EUR": "1" for number in range(300)}
    external = {**positions, "S7/EUR": "2", "S8/EUR": "1.005"}
    write_session(
        pytester.path / "large.recon.json", positions=positions, external_positions=external
    )
    result = run_pytest(pytester, "-n2", "--recon-session=large.recon.json")
    result.assert_outcomes(passed=303, failed=1, xfailed=1, warnings=1)
    assert final_line(result) == "RECON: BLOCKED (1 FAIL, 1 WARN in 1 session)"
    result.stdout.fnmatch_lines(["1 FAIL, 1 WARN  large (large.recon.json), shown above"])


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["here", "workers"])
def test_environment_is_not_shown(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    sessions: list[str],
    workers: tuple[str, ...],
) -> None:
    """Nothing of the environment reaches the output, whatever fails."""
    monkeypatch.setenv("EXCHANGE_KEY", "do-not-print")
    result = run_pytest(pytester, *workers, *sessions, "-vv", "--showlocals")
    assert "do-not-print" not in result.stdout.str() + result.stderr.str()


SUITES = "sessions.xml"


def gate_errors(report: Path) -> list[str]:
    """The problems that the case of the gate in a report names, one in a line."""
    root = ET.parse(report).getroot()  # noqa: S314  # written by the run
    found = [case.findtext("error") for case in root.iter("testcase") if case.get("name") == "gate"]
    return [line for text in found for line in str(text).splitlines()]


REPLACED = """
import os, pathlib, pytest
worker = os.environ.get("PYTEST_XDIST_WORKER")
@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart():
    if worker:
        # Written beside and renamed: the other worker must not read half of it.
        new = pathlib.Path(worker)
        new.write_text(pathlib.Path("clear.txt").read_text())
        new.replace("desk.recon.json")
"""


def test_a_file_that_changes_between_two_processes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers judge other bytes than were promised: INCOMPLETE, and the file is named."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # of the run that this test is in
    write_session(pytester.path / "clear.txt", session_id="desk")
    write_blocked(pytester.path / "desk.recon.json")
    pytester.makeconftest(REPLACED)
    report = f"--recon-junit={SUITES}"
    result = run_pytest(pytester, "-n2", "--recon-session=desk.recon.json", report, subprocess=True)
    assert result.ret == 1
    changed = "desk.recon.json: desk.recon.json changed while the run read it"
    assert f"recon: {changed}" in result.outlines
    assert gate_errors(pytester.path / SUITES) == [changed]
    assert final_line(result) == "RECON: INCOMPLETE (7 of 7 comparisons ran, 1 problem above)"


DISAGREEING = """
import os, recon_core
@recon_core.hookimpl
def recon_internal_side(recorded):
    return recorded.external if os.environ.get("PYTEST_XDIST_WORKER") == "gw{worker}" else None
"""


@pytest.mark.parametrize("worker", sample([0, 1], 2))
def test_workers_that_disagree(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, worker: int
) -> None:
    """Each runs every item: the worst result counts in verdict, report and trail."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # of the run that this test is in
    write_blocked(pytester.path / "desk.recon.json")
    pytester.makeconftest(DISAGREEING.format(worker=worker))
    result = run_pytest(
        pytester,
        "--dist=each",
        "--tx=2*popen",
        "--recon-session=desk.recon.json",
        f"--recon-junit={SUITES}",
        "--recon-audit-log=log.jsonl",
        subprocess=True,
    )
    assert result.ret == 1
    assert final_line(result) == "RECON: BLOCKED (2 FAIL, 1 WARN in 1 session)"
    (problem,) = gate_errors(pytester.path / SUITES)
    assert problem.startswith("desk.recon.json: 3 comparisons had several results that differ: ")
    root = ET.parse(pytester.path / SUITES).getroot()  # noqa: S314  # written by the run
    assert len(list(root.iter("failure"))) == 2
    log = (pytester.path / "log.jsonl").read_text(encoding="utf-8")
    assert log.count('"event_type":"RECON_DIFF"') == 3


def test_workers_that_agree(pytester: pytest.Pytester) -> None:
    """Each runs every item, and every comparison counts once."""
    write_clear(pytester.path / "desk.recon.json")
    words = ("--dist=each", "--tx=2*popen", "--recon-session=desk.recon.json")
    result = run_pytest(pytester, *words, subprocess=True)
    assert result.ret == 0
    assert final_line(result) == "RECON: CLEAR (1 session, 7 comparisons)"


def test_a_worker_that_dies_while_it_runs_what_nobody_named(pytester: pytest.Pytester) -> None:
    """What it promised came with its first result, so the line has both figures."""
    write_clear(pytester.path / "desk.recon.json")
    pytester.makeconftest(
        """
        import os, signal
        def pytest_runtest_setup(item):
            if item.nodeid.endswith("session::readable") and "PYTEST_XDIST_WORKER" in os.environ:
                os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    words = ("-n1", "--max-worker-restart=0", "--recon-gate", ".")
    result = run_pytest(pytester, *words, subprocess=True)
    assert result.ret != 0
    assert re.fullmatch(r"RECON: INCOMPLETE \([1-6] of 7 comparisons ran\)", final_line(result))


READERS = """
import os, pathlib, recon_core
@recon_core.hookimpl
def recon_internal_side(recorded):
    with pathlib.Path("readers.txt").open("a") as readers:
        readers.write(f"{recorded.session_id} {os.environ.get('PYTEST_XDIST_WORKER')}\\n")
"""


@pytest.mark.parametrize(
    ("words", "times"),
    [(("-n2",), 1), (("-n2", "--dist=loadfile"), 3)],
)
def test_a_session_is_read_by_one_process(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], times: int
) -> None:
    """Workers share the sessions, where nothing asks for all of them in each process."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # of the run that this test is in
    names = ("a", "b", "c")
    for name in names:
        write_session(pytester.path / f"{name}.recon.json", session_id=name)
    pytester.makeconftest(READERS)
    result = run_pytest(pytester, *words, "--recon-session=*.recon.json", cache=True)
    assert final_line(result) == "RECON: CLEAR (3 sessions, 21 comparisons)"
    readers = (pytester.path / "readers.txt").read_text().splitlines()
    assert sorted(line.partition(" ")[0] for line in readers) == sorted(names * times)


DYING = """
import os, pathlib, signal
def die_once():
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    try:
        pathlib.Path("died").touch(exist_ok=False)  # one of the workers, once
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
"""
DEATHS = {
    "while it runs": """
def pytest_runtest_call(item):
    if item.nodeid.endswith("b.recon.json::session::readable"): die_once()
""",
    "while it collects": "def pytest_collection_modifyitems(items): die_once()",
    "at the start": "def pytest_sessionstart(): die_once()",
    "after its last item": "def pytest_sessionfinish(session): die_once()",
}


@pytest.mark.parametrize(("death", "restarts"), sample([*product(DEATHS, [0, 1])], 3))
def test_a_worker_that_dies_loses_no_session(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, death: str, restarts: int
) -> None:
    """The worker in its place has its sessions; what nobody ran is INCOMPLETE."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # of the run that this test is in
    for name in "abcd":
        write_session(pytester.path / f"{name}.recon.json", session_id=name)
    pytester.makeconftest(DYING + DEATHS[death])
    words = ("-n2", f"--max-worker-restart={restarts}", "--recon-session=*.recon.json")
    result = run_pytest(pytester, *words, subprocess=True)
    line = final_line(result)
    assert (pytester.path / "died").exists()
    assert (result.ret == 0) == (line == "RECON: CLEAR (4 sessions, 28 comparisons)")
    if death == "after its last item" and not restarts:
        return  # all was reported, or xdist stopped the other worker: either is said above
    if not restarts or death == "while it runs":
        assert result.ret == 1
        assert line.startswith(("RECON: INCOMPLETE (", "RECON: BLOCKED ("))
    else:
        assert result.ret == 0


MESSAGES = """
import pathlib
from pytest_recon.scheduler import SessionScheduling
complete = SessionScheduling.mark_test_complete
def noted(self, node, item_index, duration=0):
    with pathlib.Path("messages").open("a") as messages:
        messages.write(f"{item_index}\\n")
    complete(self, node, item_index, duration)
SessionScheduling.mark_test_complete = noted
"""


@pytest.mark.parametrize(
    ("conftest", "words", "messages"),
    [
        ("", (), 3),
        ("def pytest_runtest_setup(item): pass", (), 21),
        ("", ("-o", "faulthandler_timeout=60"), 21),
    ],
)
def test_the_matches_of_a_session_are_complete_with_one_message(
    pytester: pytest.Pytester, conftest: str, words: tuple[str, ...], messages: int
) -> None:
    """Three sessions have three messages; where somebody watches the items, each has its own."""
    for name in "abc":
        write_session(pytester.path / f"{name}.recon.json", session_id=name)
    pytester.makeconftest(MESSAGES + conftest)
    words = ("-n2", "--recon-session=*.recon.json", *words)
    result = run_pytest(pytester, *words, subprocess=True)
    assert final_line(result) == "RECON: CLEAR (3 sessions, 21 comparisons)"
    assert len((pytester.path / "messages").read_text().splitlines()) == messages


DYING_AT_A_MATCH = """
from pytest_recon.nodes import ComparisonItem
judge_match = ComparisonItem.judge_match
def judge_or_die(self):
    if self.nodeid.endswith("b.recon.json::position::ETH/EUR"): die_once()
    return judge_match(self)
ComparisonItem.judge_match = judge_or_die
"""


def test_matches_that_waited_in_a_worker_that_dies_are_judged_again(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first comparison of the session fails, and every other one of all sessions ran."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # of the run that this test is in
    for name in "abcd":
        write_session(pytester.path / f"{name}.recon.json", session_id=name)
    pytester.makeconftest(DYING + DYING_AT_A_MATCH)
    result = run_pytest(pytester, "-n2", "--recon-session=*.recon.json", subprocess=True)
    assert (pytester.path / "died").exists()
    assert result.ret == 1
    assert final_line(result) == "RECON: INCOMPLETE (27 of 28 comparisons ran)"


LOOKS = """
import gc, pathlib
def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        pathlib.Path("set_aside").write_text(str(gc.get_freeze_count()))
"""


@pytest.mark.parametrize(("positions", "sets_aside"), [(10, False), (MANY, True)])
def test_the_controller_of_many_comparisons_is_not_searched_for_cycles(
    pytester: pytest.Pytester, positions: int, *, sets_aside: bool
) -> None:
    """It keeps the reports of all workers until its end; a short run is left as it is."""
    held = {f"S{number}/EUR": "1" for number in range(positions)}
    write_session(pytester.path / "a.recon.json", positions=held, external_positions=held)
    pytester.makeconftest(LOOKS)
    words = ("-n2", "--recon-session=a.recon.json", "--recon-max-items=0")
    assert run_pytest(pytester, *words, subprocess=True).ret == 0
    assert (int((pytester.path / "set_aside").read_text()) > MANY) == sets_aside
