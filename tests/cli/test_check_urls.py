"""`recon check` and `pytest --recon-session` with URLs, by the store that is in memory."""

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from .conftest import EXAMPLES, Recon

SUITE = EXAMPLES / "suite"


@pytest.fixture(autouse=True)
def suite() -> Iterator[None]:
    """The sessions of the example in the store."""
    MemoryFileSystem.store.clear()
    files = fsspec.filesystem("memory")
    for path in SUITE.rglob("*.recon.json"):
        files.pipe_file(f"/suite/{path.relative_to(SUITE).as_posix()}", path.read_bytes())
    yield
    MemoryFileSystem.store.clear()


def test_a_url_is_judged_as_its_files_are(recon: Recon) -> None:
    """The same answer, with URLs in the place of paths."""
    here, there = recon("check", SUITE / "clear"), recon("check", "memory://suite/clear")
    assert there.code == here.code == 0
    named = [line.replace("memory://suite", "SUITE") for line in there.lines]
    assert named[-1] == here.lines[-1]
    assert named[-1].startswith("RECON: CLEAR (4 sessions, ")
    assert "  Next: recon explain SUITE/clear/drift.recon.json" in named


def test_a_url_that_blocks(recon: Recon) -> None:
    """A session that cannot be read is CRITICAL, and named by its URL."""
    answer = recon("check", "memory://suite/blocked", "--format", "json")
    assert answer.code == 2
    paths = {each["path"]: each["summary"]["max_severity"] for each in answer.json["sessions"]}
    assert paths["memory://suite/blocked/truncated.recon.json"] == "CRITICAL"
    assert paths["memory://suite/blocked/exact.recon.json"] == "INFO"


def test_other_commands_take_urls_too(recon: Recon) -> None:
    """What is proposed for a session can be run."""
    answer = recon("explain", "memory://suite/clear/drift.recon.json")
    assert answer.code == 0
    assert "drift (memory://suite/clear/drift.recon.json)" in answer.out


def test_a_url_of_no_use_is_one_line(recon: Recon) -> None:
    """Wrong usage, before anything is judged."""
    recon("check", "memory://suite/nothing").refused(64, "'memory://suite/nothing' matches no")
    recon("check", "s3://me:hunter2@b/x").refused(64, "with a user, a password or a query")
    recon("check", "nosuch://b/x").refused(64, "nosuch://: is no scheme that fsspec knows")


def test_pytest_takes_urls(pytester: pytest.Pytester) -> None:
    """Items have node ids by URL, by which one of them can be run again."""
    result = pytester.runpytest_inprocess(
        "--recon-session=memory://suite/blocked", "-q", "-p", "no:randomly"
    )
    assert result.ret == 1
    failed = "FAILED memory://suite/blocked/truncated.recon.json::session::readable"
    result.stdout.fnmatch_lines(["RECON: BLOCKED (1 CRITICAL, 2 FAIL in 4 sessions)"])
    assert failed in result.stdout.str()
    assert not list(Path(pytester.path).glob("memory*"))
