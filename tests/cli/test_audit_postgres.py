"""An audit database in a real PostgreSQL, which the test starts in a directory of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from recon_core.audit.database import loading
from recon_core.audit.database.connection import Database
from recon_core.audit.log import AuditLog
from tests.core.audit_writers import run
from tests.servers.postgres import PASSWORD, QUOTED, postgres

from .audit_cases import asked, batch, diff, summary, write_log
from .stored_logs import SHAPES, differences, verified

psycopg = pytest.importorskip("psycopg", reason="psycopg, of the extra sql, is not installed")

SOAK: Final = os.environ.get("RECON_TEST_SIZE") == "soak"
FITS: Final = "the database has the same entries, and its tables fit"
MANY: Final = 1_000_000
"""Entries of the log whose loaders are killed."""
KILLED_AT: Final = (1, 200_000, 600_000)
"""Entries in the database from which on a loader is killed."""
MINUTES: Final = 15
"""Time that a loader has for so many on a machine that has other work."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server for all tests of this file."""
    with postgres() as url:
        yield url


@pytest.fixture
def url(server: str) -> str:
    """An empty database of a test's own."""
    name = f"audit_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        connection.execute(f"ALTER DATABASE {name} SET timezone TO 'America/New_York'")
    return f"{server.rpartition('/')[0]}/{name}"


def queried(url: str, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query in SQL."""
    with psycopg.connect(url) as connection:
        return list(connection.execute(query).fetchall())


def loaded(url: str) -> int:
    """The number of entries in a database, none where a loader has not begun."""
    try:
        return int(queried(url, "SELECT COALESCE(SUM(entries), 0) FROM recon_files")[0][0])
    except psycopg.errors.UndefinedTable:
        return 0


@pytest.mark.parametrize("shape", SHAPES if SOAK else ["foreign entries"])
def test_postgresql_answers_as_the_file(directory: Path, url: str, shape: str) -> None:
    """Every question: the same text, errors and exit codes."""
    path = directory / "audit.jsonl"
    SHAPES[shape](path)
    assert asked("load", url, "--json", path).code == 0
    assert "0 entries added" in asked("load", url, "--json", path).out
    assert list(differences(path, url)) == []


def test_amounts_are_numeric_and_views_answer(directory: Path, url: str) -> None:
    """Every digit is there, also of one that a float would lose; ages as in SQLite."""
    path, amount = directory / "audit.jsonl", "12345678901234567890.000000000000000001"
    entries, whole = [], {"comparisons": 1, "ran": 1}
    for day in (1, 2, 4):
        first = summary(f"r{day}", {"FAIL": 1}, f"2026-01-0{day}T12:00:00Z", **whole)
        entries += batch(first, diff(f"r{day}", internal=amount, delta="-0.10"))
    write_log(path, entries)
    assert asked("load", url, "--json", path).code == 0
    found = queried(url, "SELECT internal, delta, runs, days FROM recon_open_differences")
    assert found == [(Decimal(amount), Decimal("-0.10"), 3, 3)]
    assert str(found[0][1]) == "-0.10"
    for query in (
        "SELECT SUM(differences) FROM recon_open_by_age",
        "SELECT SUM(differences) FROM recon_open_by_owner",
        "SELECT SUM(differences) FROM recon_open_by_cause",
    ):
        assert queried(url, query) == [(1,)]
    assert queried(url, "SELECT number, fail FROM recon_trend ORDER BY 1") == [
        (1, 1),
        (2, 1),
        (3, 1),
    ]
    assert queried(url, "SELECT * FROM recon_incomplete_runs") == []
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE recon_diffs SET delta = -0.1000001 WHERE sequence = 3")
    assert "recon_diffs" in verified(path, url)


def test_a_password_is_never_shown(directory: Path, url: str) -> None:
    """Neither where all is well nor where it is wrong; no part of it, however it is written."""
    path = directory / "audit.jsonl"
    AuditLog(path).append_recon_summary(*run("a", 1))
    wrong = url.replace(QUOTED, f"{QUOTED}2")
    by_option = url.replace(f":{QUOTED}@", "@") + f"?password={QUOTED}2"
    for each in (url, wrong, by_option, url.replace("/audit_", "/none_")):
        for words in (("load", each, "--json", path), ("summary", "--database", each)):
            answer = asked(*words)
            shown = answer.out + answer.err
            assert not [part for part in (PASSWORD, QUOTED, "w:rd", "w%3Ard") if part in shown]
            assert answer.code == (0 if each == url else 1)


def test_many_writers_load_one_log(
    directory: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the same moment, into an empty database: every entry is there once."""
    monkeypatch.setattr(loading, "_BATCH", 5)
    path = directory / "audit.jsonl"
    for number in range(10):
        AuditLog(path, rotate_at=8_000).append_recon_summary(*run(f"r{number}", 6))
    database = Database.at(url)
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: loading.load_log(database, path), range(4)))
    assert sum(each.added for each in loaded) == loaded[0].entries
    assert len({each.head for each in loaded}) == 1
    assert FITS in verified(path, url)


@pytest.mark.skipif(not SOAK, reason="loads a million entries: make soak runs it")
def test_a_killed_loader_loses_nothing(directory: Path, url: str) -> None:
    """What it had committed stays, and the next one adds the others: all of them, once."""
    path = directory / "audit.jsonl"
    log = AuditLog(path)
    for start in range(0, MANY, 20_000):
        log.append_runs(run(f"r{start}-{number}", 7) for number in range(2_000))
    command = [sys.executable, "-m", "recon_core.cli", "audit", "load", url, "--json", str(path)]
    for least in KILLED_AT:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as loader:
            end = time.monotonic() + MINUTES * 60
            while loaded(url) < least and loader.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            loader.send_signal(signal.SIGKILL)
        assert least <= loaded(url) < MANY
    before = asked("load", url, "--json", path, "--format", "json").out
    assert f'"entries": {MANY}' in before
    assert FITS in verified(path, url)
    for question in (("diffs", "--limit", "50"), ("summary", "--format", "json")):
        assert asked(*question, "--json", path) == asked(*question, "--database", url)
    assert queried(url, "SELECT COUNT(*), COUNT(DISTINCT hash) FROM recon_entries") == [
        (MANY, MANY)
    ]
