"""An audit log on a file: one writer at a time, whole lines, on the disk before it counts.

What a crash can leave behind is a last line without its end, or a run without its
committing entry; the next writer moves the one aside, and says so and the other in an
entry of its own. Anything else that does not fit the chain is damage, and is refused.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from filelock import FileLock, Timeout

from recon_core.audit.chain import LONGEST_LINE, ChainReader, Head, chained_line
from recon_core.audit.entries import LOG_RECOVERED, LedgerEntry
from recon_core.errors import AuditError
from recon_core.printable import printable

# O_NOFOLLOW and O_CLOEXEC are not there on every system.
_FLAGS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(slots=True)
class LogFile:
    """Appends to one log, from any number of processes.

    Each append verifies what was added since the last one of this object, the first one
    the whole log: nothing is built on damage.
    """

    path: Path
    timeout: float
    _reader: ChainReader = field(default_factory=ChainReader)
    _offset: int = 0
    _identity: tuple[int, int] | None = None

    def append(self, entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
        """Write entries as consecutive lines; all of them are on the disk on return.

        Raises `AuditError` where the log is locked for longer than the time-out, damaged,
        or cannot be written; the log then ends where it ended before.
        """
        with self._locked(), self._opened() as file:
            self._verify(file)
            recovered = self._recover(file)
            return self._write(file, [*recovered, *entries])[len(recovered) :]

    @property
    def head(self) -> Head:
        """Where the log stood after the last append of this object."""
        return self._reader.head

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(f"{self.path}.lock", timeout=self.timeout, mode=0o600)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise AuditError(
                f"{self._shown}: another process has held the lock for {self.timeout:g} s"
            ) from None
        except (OSError, RuntimeError, ValueError, NotImplementedError) as error:
            raise self._error("its lock cannot be taken", error) from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        is_new = not os.path.lexists(self.path)
        if self.path.is_symlink():
            raise AuditError(f"{self._shown}: is a symbolic link; expected a regular file")
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _FLAGS, 0o600)
        except (OSError, ValueError) as error:
            raise self._error("cannot be opened for writing", error) from None
        with os.fdopen(handle, "rb+", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise AuditError(f"{self._shown}: is no regular file; expected an audit log")
            if is_new:
                _sync_directory(self.path.parent)
            yield file

    def _verify(self, file: BinaryIO) -> None:
        """Read on from where this object stopped reading; stop at a torn last line."""
        status = os.fstat(file.fileno())
        identity = status.st_dev, status.st_ino
        if self._identity not in (None, identity) or status.st_size < self._offset:
            raise AuditError(f"{self._shown}: was replaced or cut since its last entry")
        self._identity = identity
        try:
            for line in read_lines(file.fileno(), self._offset):
                if line.endswith(b"\n") or len(line) >= LONGEST_LINE:
                    self._reader.take(line)
                    self._offset += len(line)
        except AuditError as error:
            raise AuditError(f"{self._shown}: {error}") from None
        except OSError as error:
            raise self._error("cannot be read", error) from None

    def _recover(self, file: BinaryIO) -> list[LedgerEntry]:
        """Move a torn last line aside; the entry that records it, and a run cut short."""
        torn = self._torn(file)
        if not torn and self._reader.open_run is None:
            return []
        details: dict[str, object] = {"abandoned_run": self._reader.open_run}
        details["reason"] = "an earlier writer ended before its run was written"
        if torn:
            place = self._quarantine(file, torn)
            digest = hashlib.sha256(torn).hexdigest()
            details |= {"quarantined": place, "bytes": len(torn), "sha256": digest}
        return [LedgerEntry(LOG_RECOVERED, details)]

    def _torn(self, file: BinaryIO) -> bytes:
        return b"".join(read_lines(file.fileno(), self._offset))

    def _quarantine(self, file: BinaryIO, torn: bytes) -> str:
        """Keep a torn line in a file of its own, then cut it off; the name of that file."""
        digest = hashlib.sha256(torn).hexdigest()[:16]
        place = self.path.with_name(f"{self.path.name}.torn-{self.head.count + 1}-{digest}")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _FLAGS
            with os.fdopen(os.open(place, flags, 0o600), "wb") as kept:
                kept.write(torn)
                kept.flush()
                os.fsync(kept.fileno())
            _sync_directory(place.parent)
            os.ftruncate(file.fileno(), self._offset)
        except OSError as error:
            raise self._error("its cut off last line cannot be moved aside", error) from None
        return place.name

    def _write(self, file: BinaryIO, entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
        stored, lines, head = [], [], self.head
        for entry in entries:
            kept = entry.stored(head.count + 1)
            line, head = chained_line(kept, head)
            stored.append(kept)
            lines.append(line)
        self._write_whole(file.fileno(), b"".join(lines))
        for line in lines:
            self._reader.take(line)
            self._offset += len(line)
        return stored

    def _write_whole(self, handle: int, content: bytes) -> None:
        """Write all or nothing, and see it on the disk."""
        try:
            written = 0
            while written < len(content):
                written += os.write(handle, memoryview(content)[written:])
            os.fsync(handle)
        except OSError as error:
            # The part that was written is this writer's own; a reader must not find it.
            _attempt(lambda: os.ftruncate(handle, self._offset))
            _attempt(lambda: os.fsync(handle))
            raise self._error("was not written", error) from None

    @property
    def _shown(self) -> str:
        return printable(self.path.name)

    def _error(self, what: str, error: Exception) -> AuditError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        return AuditError(f"{self._shown}: {what}: {printable(reason)}")


def settle(path: Path, timeout: float = 10.0) -> None:
    """Wait until no writer is in the middle of a line, where its lock can be had."""
    place = Path(f"{path}.lock")
    if not place.is_file():
        return
    # What cannot be locked, as on a read-only disk, is read as it stands.
    lock = FileLock(place, timeout=timeout, mode=0o600)
    with suppress(Timeout, OSError, RuntimeError, NotImplementedError), lock:
        return


def read_lines(handle: int, offset: int = 0) -> Iterator[bytes]:
    """The lines of an open log from `offset`, with their ends; the last may have none."""
    with os.fdopen(os.dup(handle), "rb") as file:
        file.seek(offset)
        while line := file.readline(LONGEST_LINE):
            yield line


def _sync_directory(directory: Path) -> None:
    """See a new name on the disk, where the system can do that for directories."""

    def sync() -> None:
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    _attempt(sync)


def _attempt(action: Callable[[], None]) -> None:
    try:
        action()
    except OSError:
        return
