"""`--recon-report` in pytest: the same reports with and without workers, and the same verdicts."""

import json
import re
from pathlib import Path
from typing import Any

# In-process runs forget what they import first, and a part of jinja2 is there once in a process.
import jinja2  # noqa: F401
import pytest

from recon_core.reports.formats import FORMATS

from .conftest import (
    BLOCKED_LINE,
    CLEAR_LINE,
    final_line,
    run_pytest,
    write_blocked,
    write_clear,
)

SESSION = "--recon-session=desk.recon.json"
EVERY = [f"--recon-report={name}:out/{name}" for name in FORMATS]
_CHANGES = re.compile(r'"(seconds|written|run_id|invocation_id)": ("[^"]*"|[0-9.e-]+)')


def parsed(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("workers", [(), ("-n2",), ("-p", "no:xdist")], ids=str)
def test_all_reports_of_a_blocked_run(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """Every format is written; status and last line are those of a run without."""
    write_blocked(pytester.path / "desk.recon.json")
    result = run_pytest(pytester, SESSION, *EVERY, *workers)
    assert (result.ret, final_line(result)) == (1, BLOCKED_LINE)
    assert {path.name for path in (pytester.path / "out").iterdir()} == set(FORMATS)
    run = parsed(pytester.path / "out" / "json")
    assert (run["verdict"], run["line"]) == ("BLOCKED", BLOCKED_LINE)
    (session,) = run["sessions"]
    assert (session["file"], session["ran"], session["promised"]) == ("desk.recon.json", 8, 8)
    assert session["counts"] == {"FAIL": 2, "WARN": 1}


def test_workers_make_the_same_report(pytester: pytest.Pytester) -> None:
    """Times and run ids aside; places, courses and marks of fills cross the processes."""
    path = Path(__file__).parents[2] / "examples" / "explain"
    (pytester.path / "desk").mkdir()
    for name in ("two_lost.recon.json", "two_lost.csv"):
        (pytester.path / "desk" / name).write_bytes((path / name).read_bytes())
    texts = []
    for workers in ((), ("-n2",)):
        run_pytest(
            pytester,
            "--recon-session=desk",
            "--recon-report=json:run.json",
            *workers,
        )
        text = (pytester.path / "run.json").read_text(encoding="utf-8")
        texts.append(_CHANGES.sub("", text))
    assert texts[0] == texts[1]
    assert '"line": 43' in texts[0]
    assert '"source": "snapshots"' in texts[0]


def test_annotations_are_lines_of_their_own(pytester: pytest.Pytester) -> None:
    """On standard output, before the last line, whatever pytest prints around them."""
    write_blocked(pytester.path / "desk.recon.json")
    result = run_pytest(pytester, SESSION, "--recon-report=github:-", "-q")
    found = [line for line in result.outlines if "::error " in line or "::warning " in line]
    assert len(found) == 3
    assert all(line.startswith(("::error ", "::warning ")) for line in found)
    assert final_line(result) == BLOCKED_LINE


def test_a_printed_report_has_no_need_of_a_terminal(pytester: pytest.Pytester) -> None:
    """Without pytest's own output it is all of standard output."""
    write_blocked(pytester.path / "desk.recon.json")
    result = run_pytest(pytester, SESSION, "--recon-report=github:-", "-p", "no:terminal")
    starts = [line.partition(" ")[0] for line in result.outlines if line]
    assert starts == ["::error", "::error", "::warning"]
    assert result.ret == 1


def test_a_report_that_cannot_be_written(pytester: pytest.Pytester) -> None:
    """The run is INCOMPLETE, its status 1, and the other report says so."""
    write_clear(pytester.path / "desk.recon.json")
    (pytester.path / "file").write_text("", encoding="utf-8")
    reports = ["--recon-report=json:run.json", "--recon-report=html:file/a.html"]
    result = run_pytest(pytester, SESSION, *reports)
    assert result.ret == 1
    assert final_line(result) == "RECON: INCOMPLETE (7 of 7 comparisons ran, 1 problem above)"
    assert parsed(pytester.path / "run.json")["verdict"] == "INCOMPLETE"


@pytest.mark.parametrize("words", [("-k", "BTC"), ("--co",), ("--deselect=desk.recon.json::cash")])
def test_a_narrowed_run_is_incomplete_in_every_report(
    pytester: pytest.Pytester, words: tuple[str, ...]
) -> None:
    """Nobody reads a green report of half a run."""
    write_clear(pytester.path / "desk.recon.json")
    words = (words,) if isinstance(words, str) else words
    run_pytest(pytester, SESSION, *EVERY, *words)
    for name in FORMATS:
        assert "INCOMPLETE" in (pytester.path / "out" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [("--misspelt",), ("--recon-top-n=many",)])
def test_a_refused_command_line_withdraws_every_report(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """What an earlier run said holds no longer."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # of the run that this test is in
    write_clear(pytester.path / "desk.recon.json")
    assert final_line(run_pytest(pytester, SESSION, *EVERY)) == CLEAR_LINE
    assert run_pytest(pytester, SESSION, *EVERY, *words).ret == pytest.ExitCode.USAGE_ERROR
    for name in FORMATS:
        text = (pytester.path / "out" / name).read_text(encoding="utf-8")
        assert text == FORMATS[name].not_ended


def test_a_run_that_is_killed_leaves_reports_that_fail(pytester: pytest.Pytester) -> None:
    """By a signal that nobody hears."""
    write_clear(pytester.path / "desk.recon.json")
    pytester.makeconftest(
        """
        import os
        def pytest_runtest_logreport(report):
            os.kill(os.getpid(), 9)
        """
    )
    run_pytest(pytester, SESSION, *EVERY, subprocess=True)
    for name in FORMATS:
        text = (pytester.path / "out" / name).read_text(encoding="utf-8")
        assert text == FORMATS[name].not_ended


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--recon-report=htlm:a",), "did you mean html?"),
        (("--recon-report=json:a", "--recon-report=json:./a"), "a place of its own"),
        (("--recon-report=json:desk.recon.json",), "is no session"),
        (("--recon-report=json:log", "--recon-audit-log=log"), "the audit log"),
    ],
)
def test_names_of_no_use(pytester: pytest.Pytester, words: tuple[str, ...], part: str) -> None:
    """Status 4, and the option is named."""
    write_clear(pytester.path / "desk.recon.json")
    result = run_pytest(pytester, SESSION, *words)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in result.errlines if "--recon-report" in line]
    assert part in line


def test_an_item_that_a_plugin_breaks_is_a_finding(pytester: pytest.Pytester) -> None:
    """It matches, and failed all the same: every report shows it as what blocks."""
    write_clear(pytester.path / "desk.recon.json")
    pytester.makeconftest(
        """
        import pytest
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            if call.when == "call" and item.name == "ETH/EUR":
                report.outcome, report.longrepr = "failed", "broken by a plugin"
            return report
        """
    )
    run_pytest(pytester, SESSION, *EVERY)
    run = parsed(pytester.path / "out" / "json")
    assert run["verdict"] == "BLOCKED"
    for name in ("github", "gitlab", "sarif", "markdown", "html", "junit"):
        assert "broken by a plugin" in (pytester.path / "out" / name).read_text(encoding="utf-8")
