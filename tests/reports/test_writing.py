"""Reports on the disk: named once, whole or a problem of the run, and no verdict changes."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from recon_core.reports import formats
from recon_core.reports.formats import FORMATS, NOT_ENDED
from recon_core.reports.outputs import withdraw_named
from recon_core.reports.run_report import RunReport
from recon_core.reports.writing import named_report, require_own_places, write_reports
from recon_core.values.errors import ReconError

from . import runs


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("html", ["'html'", "expected FORMAT:PATH"]),
        ("html:", ["expected FORMAT:PATH"]),
        (":a.html", ["expected FORMAT:PATH"]),
        ("htlm:a.html", ["'htlm:a.html'", "did you mean html?"]),
        ("HTML:a.html", ["one of json, markdown, github, gitlab, sarif, html, junit"]),
        ("json:desk.recon.json", ["is no session"]),
        ("json:directory", ["expected a new or a regular file"]),
        ("json:other.txt", ["holds something else"]),
        ("\x1b[31m:x", ["\\x1b[31m"]),
    ],
)
def test_a_name_of_no_use_is_refused(tmp_path: Path, value: str, parts: list[str]) -> None:
    """In one line, with the forms that are accepted."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "other.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ReconError) as refused:
        named_report("--report", value, tmp_path)
    assert str(refused.value).startswith("--report: ")
    assert [part for part in parts if part not in str(refused.value)] == []


def test_a_path_may_have_colons(tmp_path: Path) -> None:
    """Only the first one divides format and path."""
    named = named_report("--report", "json:c:/run:1.json", tmp_path)
    assert (named.format_name, named.path) == ("json", tmp_path / "c:/run:1.json")


@pytest.mark.parametrize(
    ("values", "log"),
    [
        (["json:a", "html:a"], None),
        (["json:a", "html:./b/../a"], None),
        (["json:-", "github:-"], None),
        (["json:audit.jsonl"], "audit.jsonl"),
    ],
)
def test_each_report_has_a_place_of_its_own(
    tmp_path: Path, values: list[str], log: str | None
) -> None:
    """One would replace the other, or the audit log."""
    (tmp_path / "b").mkdir()
    reports = [named_report("--report", value, tmp_path) for value in values]
    others = [("the audit log", None if log is None else tmp_path / log)]
    with pytest.raises(ReconError, match=r"--report: names .*; expected a place of its own"):
        require_own_places(reports, others)


def test_several_reports_without_a_log_are_no_conflict(tmp_path: Path) -> None:
    """A log that is not written takes no place, standard output neither."""
    values = ["json:a", "html:b", "github:-"]
    require_own_places(
        [named_report("--report", value, tmp_path) for value in values], [("the audit log", None)]
    )


def test_a_missing_library_is_said_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the extra that brings it."""
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    with pytest.raises(ReconError, match=r"html|jinja2.*pip install 'pytest-recon\[report\]'"):
        named_report("--report", "html:a.html", tmp_path)
    assert named_report("--report", "json:a.json", tmp_path).path is not None
    assert importlib.util.find_spec("jinja2") is not None


class Run:
    """A run that collects its problems."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.made = 0

    def report(self) -> RunReport:
        self.made += 1
        incomplete = bool(self.problems)
        verdict = "INCOMPLETE" if incomplete else "CLEAR"
        return replace(
            runs.examples(),
            sessions=(),
            verdict=verdict,
            line=f"RECON: {verdict}",
            problems=tuple(self.problems),
        )

    def write(self, directory: Path, *values: str) -> str:
        reports = [named_report("--report", value, directory) for value in values]
        return write_reports(reports, self.report, lambda: self.problems, self.problems.append)


def test_all_reports_are_written_once(tmp_path: Path) -> None:
    """A run without problems is made into a report once; directories are made."""
    run = Run()
    values = [f"{name}:out/{name}" for name in FORMATS]
    assert run.write(tmp_path, *values) == ""
    assert run.made == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FORMATS)


def test_standard_output_gets_the_text(tmp_path: Path) -> None:
    """And no file."""
    printed = Run().write(tmp_path, "github:-")
    assert printed == "::notice title=recon::RECON: CLEAR\n"
    assert list(tmp_path.iterdir()) == []


def test_no_report_fails_in_the_place_of_standard_output(tmp_path: Path) -> None:
    """Before a run, a file that it names gets a report that fails; `-` is none."""
    words = ["--report", "github:-", "--report", "json:a.json"]
    withdraw_named(words, "--report", "--junit", tmp_path, None)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.large
@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_report_that_fails_makes_the_run_incomplete_in_all_others(
    tmp_path: Path, order: slice
) -> None:
    """No report says CLEAR of a run of which another one is missing, whichever came first."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    run = Run()
    run.write(tmp_path, *["json:run.json", "json:file/run.json", "markdown:run.md"][order])
    (problem,) = run.problems
    assert "--report=json:" in problem
    assert "was not written: " in problem
    for name in ("run.json", "run.md"):
        assert "INCOMPLETE" in (tmp_path / name).read_text(encoding="utf-8")


@pytest.mark.large
@pytest.mark.parametrize("error", [RuntimeError, MemoryError, RecursionError, ValueError])
def test_whatever_a_format_raises_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """The other reports are written all the same, and the problem is said once.

    In the words of an error that was foreseen, and by the kind of any other.
    """
    from recon_core.reports.formats import sarif

    def fail(_: RunReport) -> str:
        raise error("two cases are one")

    monkeypatch.setattr(sarif, "render", fail)
    run = Run()
    run.write(tmp_path, "sarif:a.sarif", "json:run.json")
    (problem,) = run.problems
    said = "two cases are one" if error is ValueError else error.__name__
    assert problem.endswith(f"was not written: {said}")
    assert not (tmp_path / "a.sarif").exists()
    assert "INCOMPLETE" in (tmp_path / "run.json").read_text(encoding="utf-8")


@pytest.mark.large
@pytest.mark.parametrize("name", FORMATS)
def test_an_earlier_report_is_withdrawn(tmp_path: Path, name: str) -> None:
    """Every one that a command line names, in whichever form."""
    places = [tmp_path / f"{number}" for number in range(3)]
    for place in places:
        place.write_text(FORMATS[name].render(Run().report()), encoding="utf-8")
    words = [f"--report={name}:0", "--report", f"{name}:1", f"--report={name}:-", "--report"]
    withdraw_named(words, "--report", "--junit", tmp_path, None)
    texts = [place.read_text(encoding="utf-8") for place in places]
    assert [NOT_ENDED in text for text in texts] == [True, True, False]


@pytest.mark.parametrize(
    "words", [["--report=nothing:mine"], ["--report=json:mine"], ["--report=mine"], ["--report="]]
)
def test_no_other_file_is_touched(tmp_path: Path, words: list[str]) -> None:
    """A mistyped format or path may name anything."""
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    withdraw_named(words, "--report", "--junit", tmp_path, None)
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "mine"


def test_reading_back_refuses_what_is_no_report(tmp_path: Path) -> None:
    """In one line: the field, and what is expected."""
    from recon_core.reports.run_json import read_run, run_json

    whole = run_json(runs.judged(tmp_path, runs.write(tmp_path, "desk", runs.CLEAR)))
    changes: list[tuple[Callable[[str], str], str]] = [
        (lambda text: text.replace("recon.report/1", "recon.report/2"), "schema"),
        (lambda text: text.replace('"CLEAR"', '"GREEN"'), "verdict"),
        (lambda text: text.replace('"gate"', '"gates"'), "gate: is missing"),
        (lambda text: text[:-20], "Invalid JSON"),
        (lambda _: "[]", "run.json"),
    ]
    for change, part in changes:
        with pytest.raises(ReconError) as refused:
            read_run(change(whole), "run.json")
        assert str(refused.value).startswith("run.json: is no JSON report of a run: ")
        assert part in str(refused.value)
        assert "\n" not in str(refused.value)
