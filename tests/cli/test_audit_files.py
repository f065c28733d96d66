"""Questions to a log of several files, and the commands that begin and close files."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from recon_core.audit.log import AuditLog
from recon_core.model.comparison import ReconDiff
from recon_core.model.summary import summarise
from recon_core.values.severity import Severity

from .audit_cases import asked

GATE = "--exit-on-findings"
MODES = ("summary", "diffs", "detailed", "trend", "export", "verify")
DIFF = ReconDiff("d", None, "POSITION", Severity.FAIL, "BTC/EUR", "differs")


def append(path: Path, name: str, *diffs: ReconDiff, rotate_at: int | None = None) -> None:
    """One run of one session."""
    made = summarise(diffs, f"session_{name}", run_id=f"run_{name}", comparisons=1, ran=1)
    AuditLog(path, rotate_at=rotate_at).append_recon_summary(made, diffs)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A blocked run in a file that was left, and a clear one after it."""
    path = tmp_path / "audit.jsonl"
    append(path, "a", DIFF)
    append(path, "b", rotate_at=1)
    return path


@pytest.mark.parametrize("mode", MODES)
def test_a_run_that_was_rotated_away_is_judged(path: Path, mode: str) -> None:
    """The verdict is about all files."""
    assert asked(mode, "--json", path, GATE).code == 2
    assert asked(mode, "--json", path, GATE, "--run-id", "run_a").code == 2
    assert asked(mode, "--json", path, GATE, "--run-id", "run_b").code == 0


def test_answers_go_through_all_files(path: Path) -> None:
    """In the order in which they were written."""
    items = asked("summary", "--json", path, "--format", "json").json["items"]
    assert [item["run_id"] for item in items] == ["run_a", "run_b"]
    assert asked("diffs", "--json", path, "--format", "json").json["count"] == 1
    assert asked("detailed", "--json", path).lines[0] == "Run run_b"
    exported = json.loads(asked("export", "--json", path).out)
    assert [entry["sequence"] for entry in exported] == [1, 2, 3, 4, 1, 2, 3, 4]


def test_verify_follows_the_files(path: Path) -> None:
    """The totals, each file with its head, and a head of any of them."""
    answer = asked("verify", "--json", path, "--format", "json").json
    (item,) = answer["items"]
    assert (item["entries"], item["runs"]) == (8, 2)
    assert [each["file"] for each in item["files"]] == ["audit.jsonl.1", "audit.jsonl"]
    shown = asked("verify", "--json", path)
    assert shown.lines[0] == f"OK: 8 entries, 2 runs in 2 files, head {item['head']}"
    older = item["files"][0]["head"]
    assert shown.lines[1] == f"note: audit.jsonl.1: 4 entries, head {older}"
    later = asked("verify", "--json", path, "--expect-head", older)
    assert later.lines[1] == "note: 4 entries were appended since"


@pytest.mark.parametrize("mode", MODES)
def test_a_file_that_was_moved(path: Path, tmp_path: Path, mode: str) -> None:
    """Never green without it where it may matter; --archive names its new place."""
    (tmp_path / "old").mkdir()
    path.with_name("audit.jsonl.1").rename(tmp_path / "old" / "audit.jsonl.1")
    missing = "earlier file audit.jsonl.1 (4 entries, head "
    judged = asked(mode, "--json", path, GATE)
    assert judged.code == 1
    assert missing in judged.err
    plain = asked(mode, "--json", path, "--format", "json")
    assert missing in plain.out + plain.err
    assert plain.code == (1 if mode == "verify" else 0)
    words = ["--json", path, "--archive", tmp_path / "old"]
    assert asked(mode, *words).code == 0
    assert asked(mode, *words, GATE).code == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--since", "2999-01-01"], 1),  # no run passes
        (["--since", "2000-01-01"], 1),
        (["--session-id", "session_b"], 1),
        (["--run-id", "run_b"], 0),
        (["--run-id", "run_a"], 1),
    ],
)
def test_a_missing_file_and_filters(path: Path, words: list[str], code: int) -> None:
    """It does not matter where the run that is asked for is here."""
    path.with_name("audit.jsonl.1").unlink()
    for mode in ("summary", "diffs", "detailed", "trend", "export"):
        assert asked(mode, "--json", path, GATE, *words).code == code


def test_a_missing_file_that_is_older_than_the_question(path: Path) -> None:
    """The next file says what its latest time is."""
    made = summarise([], "session_c", run_id="run_c", comparisons=1, ran=1)
    AuditLog(path).append_recon_summary(replace(made, timestamp="2999-01-01T00:00:00Z"), [])
    path.with_name("audit.jsonl.1").unlink()
    assert asked("diffs", "--json", path, GATE, "--since", "2026-01-01").code == 1
    assert asked("diffs", "--json", path, GATE, "--since", "2990-01-01").code == 0


def test_standard_input_has_one_file(path: Path) -> None:
    """What it continues is missing, also in an export of it, and of a part of that."""
    missing = "earlier file audit.jsonl.1 (4 entries, head "
    content = path.read_bytes()
    judged = asked("diffs", "--json", "-", GATE, stdin=content)
    assert (judged.code, missing in judged.err) == (1, True)
    part = asked("export", "--json", "-", "--session-id", "session_b", stdin=content)
    assert missing in part.err
    judged = asked("diffs", "--json", "-", GATE, stdin=part.out.encode())
    assert (judged.code, missing in judged.err) == (1, True)
    whole = asked("export", "--json", path).out.encode()
    assert asked("diffs", "--json", "-", GATE, stdin=whole).code == 2


def test_a_log_that_was_cut_is_found_by_every_question(path: Path) -> None:
    """It is shorter than its checkpoint; a head that was printed is not necessary."""
    append(path, "c", DIFF)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]))
    for mode in MODES:
        answer = asked(mode, "--json", path)
        answer.refused(1, "audit.jsonl: has 4 entries and had 8: it was cut")
    path.write_text(asked("export", "--json", "-", stdin=b"".join(lines)).out, encoding="utf-8")
    asked("summary", "--json", path).refused(1, "audit.jsonl: has 0 entries and had 8: it was cut")


def test_rotate(path: Path) -> None:
    """It says what it did, as text and as JSON, and nothing is lost."""
    said = asked("rotate", "--json", path)
    assert said.code == 0
    assert said.lines[0].startswith("audit.jsonl continues in a new file after audit.jsonl.2 (4 ")
    (item,) = asked("rotate", "--json", path, "--format", "json").json["items"]
    assert (item["file"], item["number"], item["entries"]) == ("audit.jsonl.3", 3, 1)
    assert asked("diffs", "--json", path, GATE).code == 2


def test_close(path: Path) -> None:
    """Who signed, why, and what was wrong are in every answer from then on."""
    asked("close", "--json", path, "--by", "me", "--reason", "none").refused(1, "is in order")
    path.write_bytes(path.read_bytes().replace(b"session_b", b"session_x", 1))
    asked("verify", "--json", path).refused(1, "its hash does not fit its content")
    asked("rotate", "--json", path).refused(1, "its hash does not fit its content")
    said = asked("close", "--json", path, "--by", "me", "--reason", "a bad disk")
    assert "closed: line 2: its hash does not fit its content" in said.out
    append(path, "c")
    note = "audit.jsonl.2 was closed by me (a bad disk): line 2: its hash does not fit"
    for mode in MODES:
        answer = asked(mode, "--json", path, GATE)
        assert answer.code == 2
        assert note in answer.out + answer.err
    assert asked("verify", "--json", path).code == 0
    (item,) = asked("diffs", "--json", path, "--format", "json").json["items"]
    assert item["run_id"] == "run_a"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["close"], "Missing option '--by'"),
        (["close", "--by", "me"], "Missing option '--reason'"),
        (["close", "--by", " ", "--reason", "x"], "is empty; expected text"),
        (["close", "--by", "me", "--reason", ""], "is empty; expected text"),
        (["rotate", "--limit", "1"], "No such option"),
    ],
)
def test_wrong_usage(path: Path, words: list[str], message: str) -> None:
    """Nobody signs without a name and a reason."""
    before = path.read_bytes()
    asked(words[0], "--json", path, *words[1:]).refused(64, message)
    assert path.read_bytes() == before


@pytest.mark.parametrize("command", [["rotate"], ["close", "--by", "me", "--reason", "x"]])
def test_without_a_log(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is named, standard input is none, and one that is missing is not begun."""
    monkeypatch.chdir(tmp_path)
    for words in ([], ["--json", "-"]):
        asked(*command, *words).refused(1, "no audit log is named; expected --json")
    asked(*command, "--json", "none.jsonl").refused(1, "none.jsonl: cannot be opened")
    assert not (tmp_path / "none.jsonl").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written(path: Path) -> None:
    """It is read as it stands."""
    path.parent.chmod(0o500)
    try:
        assert asked("verify", "--json", path).code == 0
        asked("rotate", "--json", path).refused(1, "a new file cannot be begun: Permission denied")
    finally:
        path.parent.chmod(0o700)
