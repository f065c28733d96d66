"""Waivers in pytest: the same verdicts whichever way, process or time zone the items run in."""

import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from recon_core.audit.log import AuditLog

from .conftest import (
    HALF_WAIVED_LINE,
    WAIVED_LINE,
    final_line,
    run_pytest,
    write_blocked,
    write_half_waived,
    write_waived,
    write_waivers,
)

DELETED = """
import os, pathlib, pytest
class Deleting:
    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self):
        if os.environ.get("PYTEST_XDIST_WORKER"):
            pathlib.Path("recon-waivers.toml").unlink(missing_ok=True)
def pytest_configure(config):
    config.pluginmanager.register(Deleting())
"""
WIDENED = """
import os, pathlib, pytest
class Widening:
    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self):
        if os.environ.get("PYTEST_XDIST_WORKER"):
            path = pathlib.Path("recon-waivers.toml")
            path.write_text(path.read_text().replace("position::ETH/EUR", "*::*"))
def pytest_configure(config):
    config.pluginmanager.register(Widening())
"""
RELAXED = """
import recon_core
@recon_core.hookimpl
def recon_checks(recorded):
    return [recon_core.SessionCheck("mine", recon_core.Severity.WAIVED, "all is well")]
"""


@dataclass(frozen=True)
class Way:
    """One way to run the blocked session; waivers cover both of its FAILs, or one with `half`.

    `used` are those that the audit log has as used.
    """

    name: str
    words: tuple[str, ...] = ()
    status: int = 0
    line: str = WAIVED_LINE
    conftest: str = ""
    half: bool = False
    used: tuple[str, ...] = ("w1", "w2")


NARROWED = "RECON: INCOMPLETE ("
WAYS = [
    Way("plain"),
    Way("workers", ("-n2",)),
    Way("workers, by file", ("-n2", "--dist=loadfile")),
    Way("without xdist", ("-p", "no:xdist")),
    Way("quiet", ("-q",)),
    Way("fails on a WARN", ("--recon-fail-on=warn",), 1, "RECON: BLOCKED (1 WARN, 2 WAIVED in"),
    Way("xfails are run", ("--runxfail",), 1, "RECON: BLOCKED (1 WARN, 2 WAIVED in"),
    Way("WARN is an error", ("-Werror::pytest_recon.ReconDriftWarning",), 1, "RECON: BLOCKED ("),
    Way("keyword", ("-k", "ETH"), 1, NARROWED, used=("w1",)),
    Way("keyword of the waived", ("-k", "cash"), 1, NARROWED, used=("w2",)),
    Way("last failed", ("--lf",)),
    Way("deselected", ("--deselect=blocked.recon.json::cash::EUR",), 1, NARROWED, used=("w1",)),
    Way("reruns", ("--reruns=2",)),
    Way("the file vanishes between processes", ("-n2",), conftest=DELETED),
    Way("half", (), 1, HALF_WAIVED_LINE, half=True, used=("w1",)),
    Way("half, workers", ("-n2",), 1, HALF_WAIVED_LINE, half=True, used=("w1",)),
    Way("half, reruns", ("--reruns=2",), 1, HALF_WAIVED_LINE, half=True, used=("w1",)),
    Way(
        "half, the file is widened", ("-n2",), 1, HALF_WAIVED_LINE, WIDENED, half=True, used=("w1",)
    ),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_waived_session(pytester: pytest.Pytester, way: Way) -> None:
    """What is waived is an xfail in every process; what is not blocks in every process."""
    write = write_half_waived if way.half else write_waived
    write(pytester.path / "blocked.recon.json")
    if way.conftest:
        pytester.makeconftest(way.conftest)
    words = ("--recon-session=blocked.recon.json", "--recon-audit-log=a.jsonl", *way.words)
    result = run_pytest(pytester, *words, cache="--lf" in way.words, subprocess=not way.words)
    assert result.ret == way.status, result.outlines
    assert final_line(result).startswith(way.line)
    log = AuditLog(pytester.path / "a.jsonl")
    summary: Any = log.get_entries_by_event_type("RECON_SUMMARY")[0].details
    diffs: list[Any] = [each.details for each in log.get_entries_by_event_type("RECON_DIFF")]
    covered = [each for each in diffs if each["severity"] == "WAIVED"]
    assert {use["id"] for each in covered for use in each["waivers"]} == set(way.used)
    assert summary["waivers"]["used"] == list(way.used)
    assert ("FAIL" in summary["counts_by_severity"]) is way.half


@pytest.fixture
def at_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Move this process into another time zone, and back again."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(("days", "status"), [(0, 0), (-1, 1)])
def test_the_last_day_ends_in_utc(
    pytester: pytest.Pytester, at_zone: Callable[[str], None], zone: str, days: int, status: int
) -> None:
    """A waiver holds on its last day in UTC, whatever the day is where the run is."""
    at_zone(zone)
    write_blocked(pytester.path / "blocked.recon.json")
    write_waivers(pytester.path, "position::ETH/EUR", "cash::*", days=days)
    result = run_pytest(pytester, "--recon-session=blocked.recon.json")
    assert result.ret == status, result.outlines
    state = "used" if status == 0 else "expired"
    result.stdout.fnmatch_lines([f"recon: waivers recon-waivers.toml: 2 {state}"])


def test_last_failed_after_a_waiver_was_written(pytester: pytest.Pytester) -> None:
    """`--lf` narrows the run to what failed: the waiver does not make that a clear session."""
    write_blocked(pytester.path / "blocked.recon.json")
    words = ("--recon-session=blocked.recon.json", "--lf")
    assert run_pytest(pytester, *words, cache=True).ret == 1
    write_waivers(pytester.path, "position::ETH/EUR", "cash::*")
    result = run_pytest(pytester, *words, cache=True)
    assert (result.ret, final_line(result)) == (1, "RECON: INCOMPLETE (2 of 8 comparisons ran)")


def test_reports_and_the_log_name_the_waiver(pytester: pytest.Pytester) -> None:
    """Both JUnit files skip the case with id, day and owner; the log has each use."""
    write_waived(pytester.path / "blocked.recon.json")
    words = ("--recon-junit=recon.xml", "--junitxml=own.xml", "--recon-audit-log=a.jsonl")
    result = run_pytest(pytester, "-rx", "--recon-session=blocked.recon.json", *words)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["XFAIL *cash::EUR* - *WAIVED by w2 until * ops@desk*"])
    for name in ("recon.xml", "own.xml"):
        text = (pytester.path / name).read_text(encoding="utf-8")
        assert text.count("WAIVED by w2") >= 1, name
        assert "recon.waiver" in text
        skipped = ET.fromstring(text).findall(".//skipped")  # noqa: S314  # our own
        assert len(skipped) == 3, name
    log = AuditLog(pytester.path / "a.jsonl")
    summary = log.get_entries_by_event_type("RECON_SUMMARY")[0].details
    assert summary["waivers"] == {"used": ["w1", "w2"]}
    assert summary["counts_by_severity"] == {"WARN": 1, "WAIVED": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[waiver", "recon waivers: recon-waivers.toml: is not TOML"),
        ('[[waiver]]\nid = "a"\n', "recon waivers: recon-waivers.toml: waiver 1 (a): session: is"),
    ],
)
def test_a_bad_file_ends_the_run(pytester: pytest.Pytester, text: str, said: str) -> None:
    """It is wrong usage, also where the session would be clear."""
    write_blocked(pytester.path / "blocked.recon.json")
    (pytester.path / "recon-waivers.toml").write_text(text, encoding="utf-8")
    result = run_pytest(pytester, "--recon-session=blocked.recon.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}*"])


@pytest.mark.parametrize("form", ["--recon-waivers=w.toml", "--recon-waivers w.toml", "ini"])
def test_a_file_that_is_named(pytester: pytest.Pytester, form: str) -> None:
    """The option, with and without a space, and the setting."""
    write_waived(pytester.path / "blocked.recon.json")
    (pytester.path / "recon-waivers.toml").rename(pytester.path / "w.toml")
    pytester.makeini(f"[pytest]\n{'recon_waivers = w.toml' if form == 'ini' else ''}\n")
    words = [] if form == "ini" else form.split()
    result = run_pytest(pytester, *words, "--recon-session=blocked.recon.json")
    assert (result.ret, final_line(result)) == (0, WAIVED_LINE)
    run_pytest(
        pytester, "--recon-session=blocked.recon.json", "--recon-waivers=lost.toml"
    ).stderr.fnmatch_lines(["ERROR: recon waivers: lost.toml: cannot be read: *"])


def test_no_plugin_waives(pytester: pytest.Pytester) -> None:
    """A check that calls itself WAIVED is no check: the session cannot be judged."""
    write_waived(pytester.path / "blocked.recon.json")
    pytester.makeconftest(RELAXED)
    result = run_pytest(pytester, "--recon-session=blocked.recon.json")
    assert result.ret == 1
    assert final_line(result) == "RECON: BLOCKED (1 CRITICAL in 1 session)"


def test_a_bad_file_beside_sessions_that_are_found(pytester: pytest.Pytester) -> None:
    """Plain collection ends with the same line, and judges nothing."""
    write_waived(pytester.path / "blocked.recon.json")
    (pytester.path / "recon-waivers.toml").write_text("[[waiver", encoding="utf-8")
    result = run_pytest(pytester)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["recon waivers: recon-waivers.toml: is not TOML*"])
    result.assert_outcomes(errors=1)
    named = run_pytest(pytester, "--recon-waivers=lost.toml")
    assert named.ret == pytest.ExitCode.USAGE_ERROR
