"""`recon check --report` and `recon report`."""

import json
from pathlib import Path

import pytest

from recon_core.reports.formats import FORMATS

from .conftest import CLEAR_LINE, Recon, write_session

BLOCKED = {"external_cash": {"EUR": "4995.00"}}


@pytest.mark.parametrize(("more", "code"), [({}, 0), (BLOCKED, 2)])
def test_reports_change_no_verdict(
    recon: Recon, directory: Path, more: dict[str, dict[str, str]], code: int
) -> None:
    """All formats at once: status, text and notes are those without them."""
    write_session(directory / "a.recon.json", **more)
    plain = recon("check", "a.recon.json")
    options = [f"--report={name}:out/{name}" for name in FORMATS]
    answer = recon("check", "a.recon.json", *options)
    assert (answer.code, answer.out, answer.err) == (code, plain.out, plain.err)
    assert {path.name for path in (directory / "out").iterdir()} == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_alone_is_on_standard_output(recon: Recon, directory: Path, name: str) -> None:
    """The text of the run is on stderr, so that a pipe gets the report and nothing else."""
    write_session(directory / "a.recon.json")
    answer = recon("check", "a.recon.json", f"--report={name}:-", f"--report={name}:file")
    assert answer.code == 0
    assert answer.err.splitlines()[-1] == CLEAR_LINE
    assert answer.out == (directory / "file").read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written(recon: Recon, directory: Path) -> None:
    """The run is INCOMPLETE, in the terminal and in the report that is there."""
    write_session(directory / "a.recon.json")
    (directory / "file").write_text("", encoding="utf-8")
    reports = ["--report=json:run.json", "--report=html:file/a.html"]
    answer = recon("check", "a.recon.json", *reports)
    assert answer.code == 1
    assert answer.lines[-1].startswith("RECON: INCOMPLETE")
    run = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    assert run["verdict"] == "INCOMPLETE"
    assert "was not written" in run["problems"][0]


@pytest.mark.parametrize("words", [["--polizy=x"], ["--top-n=many"], ["missing.recon.json"]])
def test_a_refused_command_line_withdraws_every_report(
    recon: Recon, directory: Path, words: list[str]
) -> None:
    """Nothing of an earlier run holds any longer."""
    write_session(directory / "a.recon.json")
    options = [f"--report={name}:{name}" for name in FORMATS]
    recon("check", "a.recon.json", *options)
    answer = recon("check", "a.recon.json", *options, *words)
    assert answer.code == 64
    for name in FORMATS:
        assert (directory / name).read_text(encoding="utf-8") == FORMATS[name].not_ended


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--report=xml:a"], ["--report", "'xml:a'", "FORMAT:PATH"]),
        (["--report=json:a", "--report=json:./a"], ["the file of --report=json:", "its own"]),
        (["--report=json:a.jsonl", "--audit-log=a.jsonl"], ["the audit log"]),
        (["--report=json:-", "--report=github:-"], ["standard output"]),
    ],
)
def test_wrong_names_are_wrong_usage(
    recon: Recon, directory: Path, words: list[str], parts: list[str]
) -> None:
    """Before anything is judged."""
    write_session(directory / "a.recon.json")
    answer = recon("check", "a.recon.json", *words)
    assert answer.code == 64
    assert [part for part in parts if part not in answer.err] == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_can_be_made_later(recon: Recon, directory: Path, name: str) -> None:
    """From the JSON, the same bytes, whatever the verdict was."""
    write_session(directory / "a.recon.json", **BLOCKED)
    recon("check", "a.recon.json", "--report=json:run.json", f"--report={name}:first")
    assert recon("report", "run.json", f"--format={name}", "-o", "later").code == 0
    first = (directory / "first").read_text(encoding="utf-8")
    assert (directory / "later").read_text(encoding="utf-8") == first
    assert recon("report", "run.json", f"--format={name}").out == first


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "recon.report/1"}', "<html>"])
def test_what_is_no_report_is_refused(recon: Recon, directory: Path, content: str) -> None:
    """In one line, and nothing is written."""
    (directory / "run.json").write_text(content, encoding="utf-8")
    answer = recon("report", "run.json", "--format=html", "-o", "a.html")
    answer.refused(1, "run.json", "is no JSON report of a run")
    assert not (directory / "a.html").exists()


def test_a_file_that_is_no_report_is_not_replaced(recon: Recon, directory: Path) -> None:
    """The new report takes the place of an earlier one of its format, or of nothing."""
    write_session(directory / "a.recon.json")
    recon("check", "a.recon.json", "--report=json:run.json")
    answer = recon("report", "run.json", "--format=html", "-o", "run.json")
    assert answer.code == 64
    assert "holds something else" in answer.err


def test_rows_of_tables_have_their_lines(recon: Recon, directory: Path) -> None:
    """A fill in a CSV file beside the session is annotated there."""
    fill = "fill_id,symbol,side,quantity,price,time\n"
    rows = [f"t{n},BTC/EUR,BUY,1,100,2026-01-01T00:0{n}:00Z\n" for n in range(3)]
    (directory / "sub").mkdir()
    (directory / "sub" / "ours.csv").write_text(fill + rows[0] + rows[2], encoding="utf-8")
    (directory / "sub" / "theirs.csv").write_text(fill + "".join(rows), encoding="utf-8")
    document = {
        "schema": "recon.session/1",
        "session_id": "tables",
        "internal": {"as_of": "2026-01-02T00:00:00Z", "fills": {"path": "ours.csv"}},
        "external": {"as_of": "2026-01-02T00:00:00Z", "fills": {"path": "theirs.csv"}},
    }
    (directory / "sub" / "a.recon.json").write_text(json.dumps(document), encoding="utf-8")
    answer = recon("check", "sub/a.recon.json", "--report=github:-")
    assert "file=sub/theirs.csv,line=3,title=recon FAIL fill BTC/EUR%2Ct1" in answer.out
