"""Locks that cannot be had: the message says what it is, and nobody waits for nothing."""

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recon_core.audit.entries import LedgerEntry
from recon_core.audit.entry_source import open_source
from recon_core.audit.log import AuditLog
from recon_core.values.errors import AuditError

fcntl = pytest.importorskip("fcntl", reason="locks of POSIX")


def _failing(number: int) -> Callable[..., None]:
    def refuses(*_words: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuses


@pytest.mark.parametrize("lock_exists", [False, True])
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSYS, "Function not implemented: this disk has no locks; expected a local disk"),
        (errno.ENOLCK, "No locks available: this disk has no locks; expected a local disk"),
        (errno.EOPNOTSUPP, "Operation not supported: this disk has no locks"),
        (errno.EIO, "Input/output error$"),
        (errno.ESTALE, "Stale file handle$"),
    ],
)
def test_a_disk_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str, *, lock_exists: bool
) -> None:
    """Also where a lock file is there already, which is no lock that somebody holds."""
    path = tmp_path / "audit.jsonl"
    if lock_exists:
        AuditLog(path).append(LedgerEntry("A"))
    monkeypatch.setattr(fcntl, "flock", _failing(number))
    started = time.monotonic()
    with pytest.raises(AuditError, match=rf"audit\.jsonl: its lock cannot be taken: {reason}"):
        AuditLog(path).append(LedgerEntry("A"))
    assert time.monotonic() - started < 5
    assert path.exists() == lock_exists
    if lock_exists:
        with open_source(path) as reading:
            assert len(list(reading)) == 1


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no such place here")
def test_a_place_that_takes_no_files() -> None:
    """It is said at once, and of no other process."""
    started = time.monotonic()
    with pytest.raises(AuditError, match=r"x\.jsonl: its lock cannot be taken: No such file or"):
        AuditLog("/proc/x.jsonl").append(LedgerEntry("A"))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_disk_that_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As the system says it."""
    said = f"its lock cannot be taken: {os.strerror(number)}$"
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", _failing(number))
        with pytest.raises(AuditError, match=said):
            AuditLog(tmp_path / "audit.jsonl").append(LedgerEntry("A"))


def test_a_lock_that_holds_nobody_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer sees that somebody wrote while it held the lock, and does not say written."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    log.append(LedgerEntry("A"))
    real = os.fsync

    def somebody_else_writes(handle: int) -> None:
        real(handle)
        with path.open("ab") as file:
            file.write(b"{}\n")

    monkeypatch.setattr(os, "fsync", somebody_else_writes)
    with pytest.raises(AuditError, match=r"although this one held the lock; .*network disk"):
        log.append(LedgerEntry("B"))
