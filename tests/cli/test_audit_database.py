"""`recon audit load` and questions to a database: as the file answers, whatever the log is."""

import json
import os
import shutil
import sqlite3
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from recon_core.audit.database import loading
from recon_core.audit.database.connection import Database
from recon_core.audit.log import AuditLog
from tests.core.audit_writers import run

from .audit_cases import asked, batch, diff, summary, write_log
from .conftest import EXAMPLES, Recon
from .stored_logs import SHAPES, differences, verified

URL = "sqlite:///audit.db"
FITS = "the database has the same entries, and its tables fit"


@pytest.fixture
def log(directory: Path) -> Path:
    """A log of three files."""
    path = directory / "audit.jsonl"
    SHAPES["several files"](path)
    return path


def queried(query: str) -> list[tuple[Any, ...]]:
    """The rows of a query in SQL."""
    with closing(sqlite3.connect("audit.db")) as connection, connection:
        return connection.execute(query).fetchall()


@pytest.mark.large
@pytest.mark.parametrize("shape", SHAPES)
def test_a_database_answers_as_the_file(directory: Path, shape: str) -> None:
    """Every question, to a log of any shape: the same text, errors and exit codes."""
    path = directory / "audit.jsonl"
    SHAPES[shape](path)
    assert asked("load", URL, "--json", path).code == 0
    assert list(differences(path, URL)) == []
    before = Path("audit.db").read_bytes()
    assert "0 entries added" in asked("load", URL, "--json", path).out
    assert Path("audit.db").read_bytes() == before


@pytest.mark.large
def test_a_log_is_loaded_as_it_grows(log: Path) -> None:
    """Only what is new is added; rotated files keep their entries."""
    assert "29 entries added" in asked("load", URL, "--json", log).out
    for number in range(3):
        AuditLog(log, rotate_at=1).append_recon_summary(*run(f"more{number}", 1))
        assert "5 entries added" in asked("load", URL, "--json", log).out
        assert FITS in verified(log, URL)
    assert list(differences(log, URL)) == []


def test_a_file_that_was_loaded_may_be_missing_later(log: Path) -> None:
    """The database has it: with the new ones it is one log, and no file is missing there."""
    assert asked("load", URL, "--json", log).code == 0
    for number in (1, 2):
        Path(f"{log}.{number}").unlink()
    AuditLog(log).append_recon_summary(*run("more", 1))
    loaded = asked("load", URL, "--json", log)
    assert "4 entries added" in loaded.out
    assert "audit.jsonl.2" in loaded.err
    assert "33 entries, 7 runs in 3 files" in asked("verify", "--database", URL).out


@pytest.mark.large
@pytest.mark.parametrize("batches", range(4))
def test_a_loader_that_is_interrupted_goes_on(
    log: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    """After any of its batches, within one: what was committed is there, and nothing twice."""
    monkeypatch.setattr(loading, "_BATCH", 4)
    with monkeypatch.context() as patch:
        insert = loading._Loader._insert
        done: list[object] = []

        def interrupted(loader: Any, file_id: int, entries: Any) -> None:
            insert(loader, file_id, entries)
            done.append(entries)
            if len(done) > batches:
                raise KeyboardInterrupt

        patch.setattr(loading._Loader, "_insert", interrupted)
        assert asked("load", URL, "--json", log).code == 130
    if batches:
        assert "recon audit load adds them" in verified(log, URL)
    assert asked("load", URL, "--json", log).code == 0
    assert FITS in verified(log, URL)


@pytest.mark.large
def test_many_writers_load_one_log(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the same moment, into a new file: every entry is there once."""
    monkeypatch.setattr(loading, "_BATCH", 4)
    database = Database.at(URL)
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: loading.load_log(database, log), range(4)))
    assert sum(each.added for each in loaded) == 29
    assert FITS in verified(log, URL)


def test_what_another_writer_added_meanwhile_is_not_added_again(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entries were read before the database was locked for them."""
    monkeypatch.setattr(loading, "_BATCH", 4)
    database, flush = Database.at(URL), loading._Loader._flush

    def late(loader: Any) -> None:
        monkeypatch.setattr(loading._Loader, "_flush", flush)
        assert loading.load_log(database, log).added == 29
        flush(loader)

    monkeypatch.setattr(loading._Loader, "_flush", late)
    assert loading.load_log(database, log).added == 0
    assert FITS in verified(log, URL)


def test_a_damaged_log_is_not_loaded(log: Path) -> None:
    """Nothing of it: the chain is verified first."""
    log.write_bytes(log.read_bytes().replace(b'"FAIL"', b'"WARN"', 1))
    asked("load", URL, "--json", log).refused(1, "its hash does not fit its content")
    assert not Path("audit.db").exists()


def test_a_database_without_a_log_says_what_fills_it(log: Path) -> None:
    """Its tables alone answer no question, and neither does a log whose loading broke off."""
    assert asked("load", URL, "--json", log).code == 0
    for query, said in (
        ("UPDATE recon_files SET entries = 0", "audit.jsonl: the database has no entries of it"),
        ("DELETE FROM recon_logs", "the database has no audit log; recon audit load fills it"),
    ):
        with closing(sqlite3.connect("audit.db")) as connection, connection:
            connection.execute(query)
        asked("summary", "--database", URL).refused(1, said)


@pytest.mark.large
def test_an_earlier_file_that_comes_back_is_added(log: Path, directory: Path) -> None:
    """The newest file names it; it was missing when the log was loaded first."""
    earlier = Path(f"{log}.1").rename(directory / "archived")
    assert "audit.jsonl.1" in asked("load", URL, "--json", log).err
    earlier.rename(f"{log}.1")
    assert asked("load", URL, "--json", log).code == 0
    assert FITS in verified(log, URL)
    assert list(differences(log, URL)) == []


def test_a_log_that_went_on_in_two_ways_is_one_of_both(log: Path, directory: Path) -> None:
    """A copy of its files that was written to as well is another history."""
    shutil.copytree(directory, directory / "copy")
    for place, name in ((log, "here"), (directory / "copy/audit.jsonl", "there")):
        for number in range(2):
            AuditLog(place, rotate_at=1).append_recon_summary(*run(f"{name}{number}", 1))
    assert asked("load", URL, "--json", log).code == 0
    other = asked("load", URL, "--json", directory / "copy/audit.jsonl")
    other.refused(1, "the database has another file 4 of this log")


def test_parts_of_a_log_under_two_names_are_no_whole(log: Path, directory: Path) -> None:
    """Whose the rest would be is not known."""
    (directory / "old").mkdir()
    shutil.copy(f"{log}.1", directory / "old/audit.jsonl")
    (directory / "new").mkdir()
    shutil.copy(log, directory / "new/audit.jsonl")
    for name in ("old", "new"):
        words = ("--json", directory / name / "audit.jsonl", "--name", name)
        assert asked("load", URL, *words).code == 0
    said = "the database has the files of this log as those of several logs"
    asked("load", URL, "--json", log).refused(1, said)


def test_an_older_copy_of_the_log_is_refused(log: Path) -> None:
    """The database has more than the file: somebody cut it, and removed its checkpoint."""
    assert asked("load", URL, "--json", log).code == 0
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:6]))
    Path(f"{log}.checkpoint").unlink()
    assert asked("verify", "--json", log).code == 0
    asked("load", URL, "--json", log).refused(1, "has 6 entries, and the database 10: it was cut")
    assert "it has 4 entries that the file has lost" in verified(log, URL)


def test_a_rewritten_log_is_refused(directory: Path) -> None:
    """Its chain is whole, and the database knows that it was another one."""
    path = directory / "audit.jsonl"
    runs = [*batch(summary("a", {"FAIL": 1}), diff("a")), *batch(summary("b"))]
    write_log(path, runs)
    assert asked("load", URL, "--json", path).code == 0
    runs[2] = {**runs[2], "details": {**runs[2]["details"], "severity": "INFO"}}
    write_log(path, [*runs, *batch(summary("c"))])
    assert asked("verify", "--json", path).code == 0
    asked("load", URL, "--json", path).refused(1, "the database has another history of this log")
    assert "entry 7 is another one there" in verified(path, URL)


@pytest.mark.large
def test_a_log_that_was_closed_after_a_cut_goes_on(log: Path) -> None:
    """Somebody signed that entries are lost: the file answers without them, and so it is here."""
    assert asked("load", URL, "--json", log).code == 0
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:6]))
    assert asked("close", "--json", log, "--by", "A. Keeper", "--reason", "a backup").code == 0
    assert asked("load", URL, "--json", log).code == 0
    assert list(differences(log, URL)) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            "DELETE FROM recon_entries WHERE file_id = 2 AND sequence = 3",
            "its hash|does not follow",
        ),
        ("DELETE FROM recon_entries WHERE file_id = 3 AND sequence > 4", "has lost lines"),
        ("UPDATE recon_files SET entries = 4 WHERE file_id = 3", "lacks the last 6 entries"),
        ("UPDATE recon_entries SET line = replace(line, 'FAIL', 'WARN')", "its hash does not fit"),
        ("UPDATE recon_entries SET hash = '0' WHERE sequence = 2 AND file_id = 1", "recon_entries"),
        ("UPDATE recon_diffs SET severity = 'INFO' WHERE file_id = 1", "recon_diffs"),
        ("UPDATE recon_diffs SET delta = '0.00' WHERE file_id = 1", "recon_diffs"),
        ("DELETE FROM recon_runs WHERE sequence = 3", "recon_runs"),
        (
            "INSERT INTO recon_waivers (file_id, sequence, number, covers) VALUES (1,4,0,1)",
            "waiver",
        ),
    ],
)
def test_a_changed_database_is_found(log: Path, change: str, problem: str) -> None:
    """By `verify`: a line, a row of a table, a count; lines also by every question."""
    assert asked("load", URL, "--json", log).code == 0
    with closing(sqlite3.connect("audit.db")) as connection, connection:
        assert connection.execute(change).rowcount > 0
    found = verified(log, URL)
    assert any(each in found for each in problem.split("|")), found


@pytest.mark.large
def test_several_logs_are_in_one_database(log: Path, directory: Path) -> None:
    """Each has a name, by which it is asked; a second one of a name is refused."""
    other = directory / "bot-b" / "audit.jsonl"
    AuditLog(other).append_recon_summary(*run("b", 3))
    assert asked("load", URL, "--json", log).code == 0
    asked("load", URL, "--json", other).refused(1, "another log named 'audit.jsonl'", "--name")
    assert asked("load", URL, "--json", other, "--name", "bot-b").code == 0
    asked("summary", "--database", URL).refused(1, "has 2 logs", "--log", "audit.jsonl, bot-b")
    asked("summary", "--database", URL, "--log", "bot").refused(1, "no log 'bot'", "bot-b")
    assert list(differences(log, URL, "--log", "audit.jsonl")) == []
    assert "6 entries" in asked("verify", "--database", URL, "--log", "bot-b").out
    renamed = asked("load", URL, "--json", other, "--name", "desk", "--format", "json")
    assert json.loads(renamed.out)["items"][0]["log"] == "desk"
    assert "6 entries" in asked("verify", "--database", URL, "--log", "desk").out


def test_amounts_are_exact(directory: Path) -> None:
    """Every digit of an amount that a float would lose, in a column that is text."""
    amount = "12345678901234567890.000000000000000001"
    path = directory / "audit.jsonl"
    write_log(path, batch(summary("a", {"FAIL": 1}), diff("a", internal=amount, delta="-0.10")))
    assert asked("load", URL, "--json", path).code == 0
    assert queried("SELECT internal, delta FROM recon_diffs") == [(amount, "-0.10")]


def test_views_answer_the_questions_of_a_desk(recon: Recon, directory: Path) -> None:
    """What is open, since when, whose it is and why; what healed is not there any more."""
    source = json.loads((EXAMPLES / "suite/blocked/missing_fee.recon.json").read_bytes())
    session = directory / "fee.recon.json"
    words = ("--audit-log", "audit.jsonl")
    for _ in range(3):
        session.write_text(json.dumps(source))
        recon("check", "fee.recon.json", *words)
    waiver = ("--owner", "ops@desk", "--reason", "ticket 812", "--expires", "30d")
    recon("waive", "missing_fee", "cash::EUR", *waiver, "--json", "audit.jsonl")
    recon("check", "fee.recon.json", *words)
    assert asked("load", URL, "--json", "audit.jsonl").code == 0
    found = queried(
        "SELECT log, session_id, identity, delta, unit, severity, runs, days, owner "
        "FROM recon_open_differences"
    )
    where = ("audit.jsonl", "missing_fee", "cash::EUR", "5.00", "EUR")
    assert found == [(*where, "WAIVED", 4, 0, "ops@desk")]
    assert queried("SELECT owner, differences FROM recon_open_by_owner") == [("ops@desk", 1)]
    assert queried("SELECT age, differences FROM recon_open_by_age") == [("under 1 day", 1)]
    ((cause, explanation),) = queried("SELECT cause, explanation FROM recon_open_by_cause")
    assert (cause, explanation) == ("", "unexplained")
    trend = queried("SELECT number, fail, waived FROM recon_trend ORDER BY number")
    assert trend == [(1, 1, 0), (2, 1, 0), (3, 1, 0), (4, 0, 1)]
    source["external"]["cash"] = source["internal"]["cash"]
    session.write_text(json.dumps(source))
    recon("check", "fee.recon.json", *words)
    assert asked("load", URL, "--json", "audit.jsonl").code == 0
    assert queried("SELECT * FROM recon_open_differences") == []


def test_a_run_that_is_not_complete_closes_nothing(directory: Path) -> None:
    """What it did not look at may differ still; it is listed by itself."""
    path = directory / "audit.jsonl"
    whole = {"comparisons": 2, "ran": 2}
    first = batch(summary("a", {"FAIL": 1}, **whole), diff("a"))
    write_log(path, [*first, *batch(summary("b", comparisons=2, ran=1))])
    assert asked("load", URL, "--json", path).code == 0
    assert queried("SELECT run_id FROM recon_open_differences") == [("a",)]
    assert queried("SELECT run_id FROM recon_incomplete_runs") == [("b",)]


def test_the_age_of_a_difference_begins_after_its_last_gap(directory: Path) -> None:
    """In runs and in days, as `recon audit trend` has them."""
    path = directory / "audit.jsonl"
    whole, entries = {"comparisons": 1, "ran": 1}, []
    for day, differs in enumerate([True, False, True, True, True], start=1):
        counts, time = {"FAIL": int(differs)}, f"2026-01-{day:02}T12:00:00Z"
        first = summary(f"r{day}", counts, time, **whole)
        entries += batch(first, *[diff(f"r{day}")] * differs)
    write_log(path, entries)
    assert asked("load", URL, "--json", path).code == 0
    ((since, runs, days),) = queried("SELECT since, runs, days FROM recon_open_differences")
    shown = json.loads(asked("trend", "--format", "json", "--json", path).out)
    (key,) = shown["items"][0]["keys"]
    assert (runs, days) == (key["age_runs"], key["age_days"]) == (3, 2)
    assert since.startswith("2026-01-03")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("load", "secret-word"), ("is no URL", "sqlite:///FILE")),
        (("load", "mysql://u:secret-word@h/d"), ("kind 'mysql'", "postgresql://")),
        (("load", "sqlite://"), ("names no file",)),
        (("load", "sqlite:///no/such/place.db"), ("cannot be opened",)),
        (
            ("load", "postgresql://u:secret-word@127.0.0.1:1/d?connect_timeout=2"),
            ("u@127.0.0.1:1",),
        ),
        (("summary", "--database", "sqlite:///none.db"), ("no such file", "recon audit load")),
        (("summary", "--database", "sqlite:///empty.db"), ("has no audit log", "load fills it")),
        (("summary", "--database", "sqlite:///audit.jsonl"), ("not a database",)),
    ],
)
def test_mistakes_are_said_in_one_line(log: Path, words: tuple[str, ...], parts: list[str]) -> None:
    """With what would be accepted, and without a password."""
    Path("empty.db").touch()
    source = ("--json", log) if words[0] == "load" else ()
    answer = asked(*words, *source)
    answer.refused(1, *parts)
    assert "secret-word" not in answer.err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("summary", "--json", "a.jsonl", "--database", URL), "two sources"),
        (("compare", "last~1", "last", "--json", "a", "--database", URL), "two sources"),
        (("summary", "--log", "a"), "--database too"),
    ],
)
def test_two_sources_are_wrong_usage(words: tuple[str, ...], part: str) -> None:
    """One of them would be ignored."""
    asked(*words).refused(64, part)


def test_an_export_is_not_loaded() -> None:
    """It has no hashes, so nothing of it can be verified."""
    Path("export.json").write_text("[]")
    asked("load", URL, "--json", "export.json").refused(1, "has no")
    asked("load", URL).refused(1, "no audit log is named")
    asked("load", URL, "--json", "-").refused(1, "no audit log is named")


def test_tables_of_another_version_are_refused(log: Path) -> None:
    """They are not changed."""
    assert asked("load", URL, "--json", log).code == 0
    with closing(sqlite3.connect("audit.db")) as connection, connection:
        connection.execute("UPDATE recon_schema SET version = 99")
    for words in (("load", URL, "--json", log), ("summary", "--database", URL)):
        asked(*words).refused(1, "tables of version 99; expected version 1")


def test_a_new_file_of_sqlite_is_its_owners_only(log: Path) -> None:
    """As the log is."""
    before = os.umask(0)
    try:
        assert asked("load", URL, "--json", log).code == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("audit.db").stat().st_mode) == 0o600


def test_without_a_driver_one_line_says_what_to_install(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has SQLAlchemy for SQLite has no psycopg with it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    url = "postgresql://u:secret-word@127.0.0.1:1/d"
    answer = asked("load", url, "--json", log)
    answer.refused(1, "needs psycopg", "pytest-recon[sql]")
    assert "secret-word" not in answer.err


def test_without_the_library_one_line_says_what_to_install(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For loading, asking and verifying."""
    monkeypatch.setattr("recon_core.audit.database.find_spec", lambda _: None)
    for words in (
        ("load", URL, "--json", log),
        ("summary", "--database", URL),
        ("verify", "--json", log, "--database", URL),
    ):
        asked(*words).refused(1, "SQLAlchemy", "pytest-recon[sql]")
