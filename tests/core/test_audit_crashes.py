"""Crash safety: writers that are killed, full disks, many writers at once.

`make soak` has 300 kills and 300 full disks, and eight writers of 500 entries each, on one
file and with new files begun all the time; `make test` has a sample of them.
"""

import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from recon_core.audit.chain import ChainReader
from recon_core.audit.entries import LedgerEntry
from recon_core.audit.log import AuditLog
from recon_core.audit.succession import earlier_numbers
from recon_core.values.errors import AuditError

from .audit_writers import append_entries, append_on_a_full_disk, append_runs, run

SOAK = settings().max_examples > 1000
CRASHES = 300 if SOAK else 5
WRITERS, APPENDS = (8, 500) if SOAK else (4, 25)
# One file, and one that is left after a run or two.
ROTATIONS = pytest.mark.parametrize("rotate_at", [None, 15_000])

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


@pytest.fixture(scope="module")
def processes() -> BaseContext:
    """A way to start writers fast: forked from one that has imported what they need."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", append_runs.__module__])
    return context


class Writer:
    """A writer in a process of its own, and what it said was on the disk."""

    def __init__(
        self, processes: BaseContext, target: Callable[..., None], *arguments: object
    ) -> None:
        self._read, write = os.pipe()
        path, *rest = arguments
        self.process = processes.Process(  # type: ignore[attr-defined]
            target=_with_pipe, args=(target, path, multiprocessing.reduction.DupFd(write), rest)
        )
        self.process.start()
        os.close(write)
        os.read(self._read, 1)  # it has begun

    def ended(self) -> list[str]:
        """Wait for its end; the runs that it said are written."""
        self.process.join()
        with os.fdopen(self._read) as said:
            return said.read().splitlines()


def _with_pipe(target: Callable[..., None], path: Path, pipe: Any, rest: list[Any]) -> None:
    done = pipe.detach()
    os.write(done, b"!")
    target(path, done, *rest)


def files(path: Path) -> list[Path]:
    """The files of a log, the oldest first; a second name of the last one is left out."""
    earlier = [path.with_name(f"{path.name}.{number}") for number in earlier_numbers(path)]
    return [each for each in earlier if not (path.exists() and each.samefile(path))] + [path]


def committed(path: Path) -> tuple[set[str], ChainReader, bytes]:
    """The committed runs of a log, what the reader knows at its end, and a torn line."""
    runs = set()
    for each in files(path):
        reader, content = ChainReader(), each.read_bytes() if each.exists() else b""
        whole, _, torn = content.rpartition(b"\n")
        for line in whole.splitlines(keepends=True) if whole else ():
            entry = reader.take(line if line.endswith(b"\n") else line + b"\n")
            if entry["event_type"] == "RECON_RUN_COMMITTED":
                assert entry["details"]["run_id"] not in runs
                runs.add(entry["details"]["run_id"])
        # Only the last file can be left in the middle of a run.
        assert each == path or (torn, reader.open_run) == (b"", None)
    return runs, reader, torn


def check_recovery(path: Path) -> None:
    """The log verifies, or says exactly what is missing; the next writer goes on."""
    runs, reader, torn = committed(path)
    whole = sum(each.read_bytes().count(b"\n") for each in files(path) if each.exists())
    if torn:
        with pytest.raises(AuditError, match=rf"line {reader.head.count + 1}: is cut off"):
            AuditLog(path).get_all_entries()
    next_run = f"after-{whole}"
    AuditLog(path).append_recon_summary(*run(next_run, 1))
    entries = AuditLog(path).get_all_entries()
    after, last, rest = committed(path)
    assert (after - {next_run}, last.open_run, rest) == (runs, None, b"")
    recovered = [
        entry.details for entry in entries[whole:] if entry.event_type == "RECON_LOG_RECOVERED"
    ]
    assert len(recovered) == (1 if torn or reader.open_run else 0)
    if recovered:
        assert recovered[0]["abandoned_run"] == reader.open_run
        assert recovered[0].get("bytes", 0) == len(torn)
        kept = recovered[0].get("quarantined")
        assert torn == b"" if kept is None else (path.parent / str(kept)).read_bytes() == torn


@ROTATIONS
def test_writers_that_are_killed(
    rotate_at: int | None, processes: BaseContext, tmp_path: Path
) -> None:
    """At random moments, on one log that goes on: no run that was said to be written is lost."""
    said: set[str] = set()
    path = tmp_path / "audit.jsonl"
    dice = random.Random(8)  # noqa: S311  # moments, no secrets
    for number in range(CRASHES):
        if sum(each.stat().st_size for each in tmp_path.iterdir()) > 2_000_000:
            for each in tmp_path.iterdir():
                each.unlink()
            said.clear()
        writer = Writer(processes, append_runs, path, f"k{number}", 40, 1000, rotate_at)
        time.sleep(dice.uniform(0.0005, 0.05))
        os.kill(writer.process.pid, signal.SIGKILL)
        said |= set(writer.ended())
        runs, _, _ = committed(path)
        assert said <= runs
        check_recovery(path)


@ROTATIONS
def test_a_disk_that_is_full(rotate_at: int | None, processes: BaseContext, tmp_path: Path) -> None:
    """At any size of the file: the writer hears of it, and the log ends where it ended."""
    dice = random.Random(9)  # noqa: S311  # sizes, no secrets
    for number in range(CRASHES):
        directory = tmp_path / f"{number}"
        directory.mkdir()
        path, size = directory / "audit.jsonl", dice.randrange(20_000)
        left = None if rotate_at is None else dice.randrange(1, 8_000)
        arguments = (path, "run", size, dice.randrange(20), left)
        said = Writer(processes, append_on_a_full_disk, *arguments).ended()
        assert said.pop() == "refused"
        runs, reader, torn = committed(path)
        assert (runs, reader.open_run, torn) == (set(said), None, b"")
        assert all(each.stat().st_size <= size for each in directory.iterdir())
        check_recovery(path)


@ROTATIONS
def test_many_writers(rotate_at: int | None, processes: BaseContext, tmp_path: Path) -> None:
    """All entries are there, in one valid chain, each writer's in its order."""
    path = tmp_path / "audit.jsonl"
    left = None if rotate_at is None else 4_000
    writers = [
        processes.Process(target=append_entries, args=(path, APPENDS, number, left))  # type: ignore[attr-defined]
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    entries = [e for e in AuditLog(path).get_all_entries() if e.event_type == "ORDER_EVENT"]
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert len(entries) == WRITERS * APPENDS
    assert len(files(path)) == 1 if left is None else len(files(path)) > 5
    for number in range(WRITERS):
        own = [entry.details["index"] for entry in entries if entry.details["writer"] == number]
        assert own == list(range(APPENDS))


def test_a_write_that_fails_and_cannot_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer hears of it, and the next one moves the part aside."""
    path = tmp_path / "audit.jsonl"
    AuditLog(path).append_recon_summary(*run("first", 2))
    written = path.read_bytes()
    real_write = os.write

    def fails_in_the_middle(handle: int, content: bytes) -> int:
        if len(content) < 500:
            raise OSError(28, "No space left on device")
        return real_write(handle, bytes(content)[: len(content) - 400])

    def refuses(_handle: int, _length: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "write", fails_in_the_middle)
        broken.setattr(os, "ftruncate", refuses)
        with pytest.raises(AuditError, match=r"audit\.jsonl: was not written: No space left"):
            AuditLog(path).append_recon_summary(*run("second", 2))
    assert path.read_bytes().startswith(written)
    runs, reader, torn = committed(path)
    assert (runs, reader.open_run, bool(torn)) == ({"first"}, "second", True)
    check_recovery(path)


def test_a_disk_that_does_not_confirm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fsync refuses does not count as written."""

    def refuses(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    log.append(LedgerEntry("A"))
    before = path.read_bytes()
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", refuses)
        with pytest.raises(AuditError, match="was not written: Input/output error"):
            log.append(LedgerEntry("B"))
    assert path.read_bytes() == before
    log.append(LedgerEntry("C"))
    assert [entry.event_type for entry in log.get_all_entries()] == ["A", "C"]
