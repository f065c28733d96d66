"""A report of an earlier run never outlives the run that names it, however that run ends."""

import signal
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

from recon_core.reports.formats import JUNIT

from .conftest import CLEAR_LINE, final_line, run_pytest, write_blocked, write_clear

OWN, SUITES = "items.xml", "sessions.xml"
NAMED = (f"--recon-junit={SUITES}", f"--junitxml={OWN}")
SESSION = "--recon-session=desk.recon.json"
EARLIER = '<?xml version="1.0" ?>\n<testsuites><testsuite name="desk" /></testsuites>\n'


@pytest.fixture(autouse=True)
def _earlier_reports(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clear session, and both reports of an earlier run, which was clear."""
    # Where this suite runs in a worker, its runs would be taken for more of them.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    write_clear(pytester.path / "desk.recon.json")
    for name in (OWN, SUITES):
        (pytester.path / name).write_text(EARLIER, encoding="utf-8")


def texts(directory: Path, *names: str) -> list[str]:
    return [(directory / name).read_text(encoding="utf-8") for name in names or (OWN, SUITES)]


def errors(path: Path) -> list[str]:
    """The messages of the cases that failed."""
    root = ET.parse(path).getroot()  # noqa: S314  # written by the run
    return [found.attrib["message"] for tag in ("error", "failure") for found in root.iter(tag)]


REFUSED: Mapping[str, tuple[str, ...]] = {
    "a misspelt option": (SESSION, "--recon-polizy=strict.toml"),
    "a wrong choice": (SESSION, "--recon-fail-on=critical"),
    "a wrong number": (SESSION, "--recon-top-n=many"),
    "a negative number": (SESSION, "--recon-top-n=-1"),
    "a policy that is not there": (SESSION, "--recon-policy=strict.toml"),
    "a policy that is none": (SESSION, "--recon-policy=desk.recon.json"),
    "a name that matches nothing": (SESSION, "--recon-session=nothing/"),
    "an argument that is not there": (SESSION, "nothing.py"),
    "a part without which the gate does not work": (SESSION, "-p", "no:recon-run"),
    "the gate alone": ("--recon-gate", "--recon-polizy=strict.toml"),
    "a log that is a report too": (
        SESSION,
        "--recon-audit-log=./other.xml",
        "--recon-junit=other.xml",
    ),
}


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_a_command_line_that_is_refused(pytester: pytest.Pytester, words: tuple[str, ...]) -> None:
    """Status 4, and no report says what the run before found."""
    assert run_pytest(pytester, *NAMED, *words).ret == pytest.ExitCode.USAGE_ERROR
    assert errors(pytester.path / OWN)
    if "--recon-junit=other.xml" not in words:
        assert errors(pytester.path / SUITES)


STOPPED: Mapping[str, str] = {
    "exit while configuring": "def pytest_configure(): pytest.exit('done', returncode=0)",
    "exit before the session": "def pytest_sessionstart(): raise SystemExit(0)",
    "exit while a conftest is loaded": "pytest.exit('done', returncode=0)",
    "leave while a conftest is loaded": "sys.exit(0)",
    "a conftest that is broken": "import nothing_of_that_name",
    "main replaced": "def pytest_cmdline_main(): return 0",
}


@pytest.mark.parametrize("conftest", STOPPED.values(), ids=STOPPED)
def test_a_run_that_is_stopped_before_it_starts(pytester: pytest.Pytester, conftest: str) -> None:
    """Whatever the status is then."""
    pytester.makeconftest(f"import sys\nimport pytest\n{conftest}\n")
    result = run_pytest(pytester, *NAMED, SESSION, subprocess=True)
    assert final_line(result) != CLEAR_LINE
    assert texts(pytester.path) == [JUNIT.not_ended] * 2


@pytest.mark.parametrize("ini", ["recon_gate = true", "recon_sessions = desk.recon.json"])
def test_a_conftest_that_leaves_where_the_ini_has_the_gate(
    pytester: pytest.Pytester, ini: str
) -> None:
    """With 0 while it is loaded: no run for which the gate was asked ends so."""
    pytester.makeini(f"[pytest]\n{ini}\n")
    pytester.makeconftest("import sys\nsys.exit(0)\n")
    result = run_pytest(pytester, *NAMED, subprocess=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert texts(pytester.path) == [JUNIT.not_ended] * 2


@pytest.mark.parametrize(
    ("number", "workers"),
    [(signal.SIGKILL, ()), (signal.SIGTERM, ()), (signal.SIGABRT, ()), (signal.SIGKILL, ("-n1",))],
)
def test_a_run_that_is_killed(
    pytester: pytest.Pytester, number: signal.Signals, workers: tuple[str, ...]
) -> None:
    """By a signal that nobody hears, as the kernel does where memory ends."""
    pytester.makeconftest(
        f"""
        import os
        def pytest_runtest_logreport(report):
            if not os.environ.get("PYTEST_XDIST_WORKER"):
                os.kill(os.getpid(), {int(number)})
        """
    )
    result = run_pytest(pytester, *NAMED, SESSION, *workers, subprocess=True)
    assert result.ret != 0
    assert texts(pytester.path) == [JUNIT.not_ended] * 2


ELSEWHERE: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "the environment": ((), " ".join((*NAMED, SESSION)), ""),
    "the ini": ((), "", f"addopts = {' '.join(NAMED)} {SESSION}\n"),
    "an ini that names the sessions": (NAMED, "", "recon_sessions = desk.recon.json\n"),
    "an ini with the gate": (NAMED, "", "recon_gate = true\n"),
    "an argument file": (("@words.txt",), "", ""),
    "values behind a space": (
        ("--recon-junit", SUITES, "--junit-xml", OWN, "--recon-session", "desk.recon.json"),
        "",
        "",
    ),
    "the last of several": (
        ("--recon-junit=first.xml", "--junitxml=first.xml", *NAMED, SESSION),
        "",
        "",
    ),
}


@pytest.mark.parametrize(("words", "environment", "ini"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_wherever_the_reports_are_named(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    environment: str,
    ini: str,
) -> None:
    """Sessions and reports may stand in the environment, the ini, or a file of arguments."""
    (pytester.path / "words.txt").write_text("\n".join((*NAMED, SESSION)), encoding="utf-8")
    pytester.makeini(f"[pytest]\n{ini}")
    monkeypatch.setenv("PYTEST_ADDOPTS", environment)
    assert run_pytest(pytester, *words, "--misspelt").ret == pytest.ExitCode.USAGE_ERROR
    assert texts(pytester.path) == [JUNIT.not_ended] * 2
    assert not (pytester.path / "first.xml").exists()


@pytest.mark.parametrize("words", [("--help",), ("--markers",), ("--fixtures",)], ids=" ".join)
def test_a_run_that_only_answers(pytester: pytest.Pytester, words: tuple[str, ...]) -> None:
    """It judges nothing, and is INCOMPLETE next to a session: so are its reports."""
    assert run_pytest(pytester, *NAMED, SESSION, *words).ret == 1
    for name in (OWN, SUITES):
        assert errors(pytester.path / name)


def test_collect_only_says_that_nothing_ran(pytester: pytest.Pytester) -> None:
    """Its reports are its own, and fail."""
    run_pytest(pytester, *NAMED, SESSION, "--co")
    for name in (OWN, SUITES):
        assert errors(pytester.path / name) == ["INCOMPLETE: 0 of 7 comparisons ran"]


def test_a_run_that_ends_replaces_both(pytester: pytest.Pytester) -> None:
    """A clear run has nothing of the placeholder left, and no case more than comparisons."""
    result = run_pytest(pytester, *NAMED, SESSION)
    assert final_line(result) == CLEAR_LINE
    for name in (OWN, SUITES):
        root = ET.parse(pytester.path / name).getroot()  # noqa: S314  # written by the run
        assert len(list(root.iter("testcase"))) == 7
        assert errors(pytester.path / name) == []


@pytest.mark.parametrize("words", [(), ("--misspelt",), ("--no-recon-gate", "--misspelt")])
def test_a_run_without_sessions_leaves_pytests_own_report(
    pytester: pytest.Pytester, words: tuple[str, ...]
) -> None:
    """It is none of this plugin's business before pytest writes it."""
    pytester.makeconftest("def pytest_configure(): raise SystemExit(1)")
    run_pytest(pytester, f"--junitxml={OWN}", *words, subprocess=True)
    assert texts(pytester.path, OWN) == [EARLIER]


def test_a_place_that_no_report_may_take(pytester: pytest.Pytester) -> None:
    """It is refused as ever, and what is there stays untouched."""
    (pytester.path / "link.xml").symlink_to(pytester.path / SUITES)
    for place in ("link.xml", "desk.recon.json"):
        before = texts(pytester.path, place)
        result = run_pytest(pytester, f"--recon-junit={place}", SESSION)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert texts(pytester.path, place) == before
    assert (pytester.path / "link.xml").is_symlink()


def test_pytests_own_report_behind_a_link(pytester: pytest.Pytester) -> None:
    """Pytest follows a link, so the file behind it is the report, and the link stays."""
    (pytester.path / "link.xml").symlink_to(pytester.path / OWN)
    run_pytest(pytester, "--junitxml=link.xml", SESSION, "--misspelt")
    assert (pytester.path / "link.xml").is_symlink()
    assert texts(pytester.path, OWN) == [JUNIT.not_ended]


def test_workers_leave_the_reports_alone(pytester: pytest.Pytester) -> None:
    """They read the same command line, after the controlling process has begun to write."""
    pytester.makeconftest(
        f"""
        import os, pathlib
        if os.environ.get("PYTEST_XDIST_WORKER"):
            for name in ("{OWN}", "{SUITES}"):
                text = pathlib.Path(name).read_text()
                pathlib.Path(os.environ["PYTEST_XDIST_WORKER"] + name).write_text(text)
        else:
            for name in ("{OWN}", "{SUITES}"):
                pathlib.Path(name).write_text("<testsuites/>")
        """
    )
    result = run_pytest(pytester, *NAMED, SESSION, "-n1", subprocess=True)
    assert final_line(result) == CLEAR_LINE
    assert texts(pytester.path, f"gw0{OWN}", f"gw0{SUITES}") == ["<testsuites/>"] * 2


def test_a_run_inside_of_a_worker(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test that runs the gate has the environment of a worker; its reports are its own."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    result = run_pytest(pytester, *NAMED, SESSION, "--recon-top-n=-1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert texts(pytester.path) == [JUNIT.not_ended] * 2


def test_problems_stand_in_both_reports(pytester: pytest.Pytester) -> None:
    """A consumer that reads failing cases only sees each of them, in the terminal's words."""
    write_blocked(pytester.path / "desk.recon.json")
    pytester.makeconftest(
        """
        import recon_core
        @recon_core.hookimpl
        def recon_reconciled(reconciliation):
            raise ValueError("no dashboard")
        """
    )
    log = "--recon-audit-log=/proc/no/log.jsonl"
    result = run_pytest(pytester, *NAMED, SESSION, log)
    shown = [line.removeprefix("recon: ") for line in result.outlines if "recon: " in line]
    problems = [line for line in shown if line.startswith(("recon_reconciled: ", "--recon-audit"))]
    assert len(problems) == 2
    for name in (OWN, SUITES):
        root = ET.parse(pytester.path / name).getroot()  # noqa: S314  # written by the run
        (case,) = [case for case in root.iter("testcase") if case.attrib["name"] == "gate"]
        assert case.attrib["classname"] == "recon"
        assert str(case.findtext("error")).splitlines() == problems


def test_a_report_that_cannot_be_written_fails_the_other(pytester: pytest.Pytester) -> None:
    """The one file that there is says that the other one is missing."""
    words = ("--recon-junit=/proc/no/report.xml", f"--junitxml={OWN}", SESSION)
    assert run_pytest(pytester, *words).ret == 1
    (message,) = errors(pytester.path / OWN)
    assert message.startswith("INCOMPLETE: --recon-junit=/proc/no/report.xml: was not written")


def test_with_the_gate_off_a_narrowed_run_is_shown_and_fails_no_report(
    pytester: pytest.Pytester,
) -> None:
    """The reports say what the status says; the case is there, as skipped."""
    words = (*NAMED, SESSION, "--no-recon-gate", "-k", "readable")
    assert run_pytest(pytester, *words).ret == 0
    for name in (OWN, SUITES):
        assert errors(pytester.path / name) == []
        root = ET.parse(pytester.path / name).getroot()  # noqa: S314  # written by the run
        (skipped,) = root.iter("skipped")
        assert skipped.attrib["message"] == "INCOMPLETE: 1 of 7 comparisons ran"
