"""An audit log on a file: one writer at a time, whole lines, on the disk before it counts.

What a crash can leave behind is a last line without its end, or a run without its
committing entry; the next writer moves the one aside, and says so and the other in an
entry of its own. Anything else that does not fit the chain is damage, and is refused.

The first append reads on from the checkpoint (see `recon_core.audit.checkpoint`), or the
whole log where that is no use. A file that is left for a new one is read whole once more.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NoReturn

from recon_core.audit.chain import LONGEST_LINE, ChainReader, Head, chained_line, read_lines
from recon_core.audit.checkpoint import (
    Checkpoint,
    Witness,
    read_checkpoint,
    remove_checkpoint,
    write_checkpoint,
)
from recon_core.audit.durable import (
    SAFE_FLAGS,
    attempt,
    sync_directory,
    write_all,
    write_file,
)
from recon_core.audit.entries import LOG_RECOVERED, LedgerEntry
from recon_core.audit.log_lock import locked
from recon_core.audit.succession import (
    Part,
    Succession,
    digest_of,
    earlier_files,
    earlier_numbers,
    first_entry,
    first_entry_of,
    latest_time,
    succession_entry,
)
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable

Identity = tuple[int, int]


@dataclass(slots=True)
class LogFile:
    """Appends to one log, from any number of processes.

    Each append verifies what was added since the last one of this object. A file that has
    reached `rotate_at` bytes is left, and the next append begins a new one; `continues` is
    the file that this object left last.
    """

    path: Path
    timeout: float
    rotate_at: int | None = None
    continues: Succession | None = None
    _reader: ChainReader = field(default_factory=ChainReader)
    _offset: int = 0
    _identity: Identity | None = None

    def append(self, entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
        """Write entries as consecutive lines; all of them are on the disk on return.

        Raises `AuditError` where the log is locked for longer than the time-out, damaged,
        or cannot be written; the log then ends where it ended before.
        """
        with locked(self.path, self.timeout):
            if (lost := self._lost()) is not None:
                return self._begin_file(lost, entries)
            with self._opened() as file:
                recovered = self._catch_up(file)
                if self.rotate_at is not None and self._offset >= self.rotate_at:
                    self._write(file, recovered)
                    return self._begin_file(self._successor(file), entries)
                stored = self._write(file, [*recovered, *entries])
                self._remember()
                return stored[len(recovered) :]

    def rotate(self) -> Succession:
        """Leave the file, verified whole, for a new one; the file as the new one names it."""
        with locked(self.path, self.timeout), self._opened(create=False) as file:
            self._write(file, self._catch_up(file))
            if not self._offset:
                raise AuditError(f"{self._shown}: has no entries, so there is nothing to leave")
            succession = self._successor(file)
            self._begin_file(succession, [])
            return succession

    def close(self, closed_by: str, reason: str, places: Sequence[Path] = ()) -> Succession:
        """Leave a file that is damaged, cut or replaced for a new one that names it.

        `places` are directories of earlier files. Raises `AuditError` where nothing is wrong.
        """
        with locked(self.path, self.timeout), self._opened(create=False) as file:
            succession = self._diagnosis(file, places)
            digest, size = digest_of(file)
            signed = replace(
                succession, size=size, sha256=digest, closed_by=closed_by, reason=reason
            )
            self._begin_file(signed, [])
            return signed

    @property
    def head(self) -> Head:
        """Head of the log after the last append of this object."""
        return self._reader.head

    @contextmanager
    def _opened(self, *, create: bool = True) -> Iterator[BinaryIO]:
        is_new = not os.path.lexists(self.path)
        if self.path.is_symlink():
            raise AuditError(f"{self._shown}: is a symbolic link; expected a regular file")
        try:
            flags = os.O_RDWR | (os.O_CREAT if create else 0) | os.O_APPEND | SAFE_FLAGS
            handle = os.open(self.path, flags, 0o600)
        except (OSError, ValueError) as error:
            raise self._error("cannot be opened for writing", error) from None
        with os.fdopen(handle, "rb+", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise AuditError(f"{self._shown}: is no regular file; expected an audit log")
            if is_new:
                sync_directory(self.path.parent)
            yield file

    def _lost(self) -> Succession | None:
        """The log whose checkpoint is all that is left under this name, if there is one."""
        if os.path.lexists(self.path):
            return None
        if self._identity is not None:
            self._replaced()
        checkpoint = read_checkpoint(self.path)
        if checkpoint is None:
            return None
        return self._renamed(checkpoint) or Succession(
            self._next_name(), len(earlier_numbers(self.path)) + 1, checkpoint.head
        )

    def _renamed(self, checkpoint: Checkpoint) -> Succession | None:
        """The log under the name of an earlier file, where a rotation broke off or by hand."""
        for number in earlier_numbers(self.path)[::-1]:
            place = self.path.with_name(f"{self.path.name}.{number}")
            try:
                with place.open("rb") as file:
                    if _identity_of(file) != checkpoint.file:
                        continue
                    succession = self._successor(file)
                    if not self._torn(file):
                        return replace(succession, file=place.name)
            except (OSError, AuditError):
                continue
        return None

    def _catch_up(self, file: BinaryIO) -> list[LedgerEntry]:
        """Verify what is new in the log; the entry that records what a crash left, if any."""
        identity = _identity_of(file)
        if self._identity not in (None, identity):
            self._follow_rotation()
        if self._identity is None:
            self._start(file)
            self._identity = identity
        elif os.fstat(file.fileno()).st_size < self._offset:
            self._replaced()
        else:
            self._read_on(file)
        return self._recover(file)

    def _start(self, file: BinaryIO) -> None:
        """Read on from the checkpoint; the whole log where it cannot be believed."""
        checkpoint = read_checkpoint(self.path)
        reader = None if checkpoint is None else checkpoint.reader(file.fileno())
        if checkpoint is not None and reader is not None:
            try:
                self._reader, self._offset = reader, checkpoint.offset
                self._read_on(file)
            except AuditError:
                pass  # a checkpoint in the middle of a run, or damage: the whole log shows it
            else:
                return
        witness = Witness(checkpoint)
        self._read_whole(file, witness)
        try:
            witness.check(self.head)
        except AuditError as error:
            raise AuditError(f"{self._shown}: {error}") from None

    def _read_whole(self, file: BinaryIO, witness: Witness) -> datetime | None:
        """Verify a log from its first line; the latest time of a run in it."""
        self._reader, self._offset = ChainReader(), 0
        return self._read_on(file, witness)

    def _read_on(self, file: BinaryIO, witness: Witness | None = None) -> datetime | None:
        """Read on from where this object stopped reading; stop at a torn last line."""
        latest = None
        try:
            for line in read_lines(file.fileno(), self._offset):
                if line.endswith(b"\n") or len(line) >= LONGEST_LINE:
                    entry = self._reader.take(line)
                    self._offset += len(line)
                    if witness is not None:
                        witness.see(entry)
                        latest = latest_time(entry, latest)
        except AuditError as error:
            raise AuditError(f"{self._shown}: {error}") from None
        except OSError as error:
            raise self._error("cannot be read", error) from None
        return latest

    def _follow_rotation(self) -> None:
        """Forget the file that was left for a new one, if the new one says so."""
        try:
            files = earlier_files(self.path, first_entry(self.path))
        except AuditError:
            self._replaced()
        heads = [part.named.head for part in files.parts]
        heads += [] if files.missing is None else [files.missing.head]
        if self.head not in heads and not any(map(self._was_in, files.parts)):
            self._replaced()
        self._identity = None

    def _was_in(self, part: Part) -> bool:
        """True if an earlier file is the one that this object wrote."""
        if self._identity is None:
            return False
        known = Checkpoint.at(self._offset, self.head, self._identity)
        with part.content.open() as file:
            return known.reader(file.fileno()) is not None

    def _replaced(self) -> NoReturn:
        raise AuditError(f"{self._shown}: was replaced or cut since its last entry")

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
            write_file(place, torn)
            sync_directory(place.parent)
            os.ftruncate(file.fileno(), self._offset)
        except OSError as error:
            raise self._error("its cut off last line cannot be moved aside", error) from None
        return place.name

    def _write(self, file: BinaryIO, entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
        if not entries:
            return []
        stored, lines = _chained(entries, self.head)
        self._write_whole(file.fileno(), b"".join(lines))
        self._take_own(lines)
        return stored

    def _take_own(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            self._reader.take(line)
            self._offset += len(line)

    def _remember(self) -> None:
        """Write the checkpoint: this object has seen every line up to here, and on the disk."""
        if self._identity is not None and self._reader.open_run is None:
            write_checkpoint(self.path, Checkpoint.at(self._offset, self.head, self._identity))

    def _write_whole(self, handle: int, content: bytes) -> None:
        """Write all or nothing, and see it on the disk."""
        try:
            write_all(handle, content)
            os.fsync(handle)
        except OSError as error:
            # The part that was written is this writer's own; a reader must not find it.
            attempt(lambda: os.ftruncate(handle, self._offset))
            attempt(lambda: os.fsync(handle))
            raise self._error("was not written", error) from None
        if os.fstat(handle).st_size != self._offset + len(content):
            raise AuditError(
                f"{self._shown}: another process wrote to it although this one held the lock; "
                "expected a disk whose locks hold (a network disk may not)"
            )

    def _begin_file(
        self, succession: Succession, entries: Sequence[LedgerEntry]
    ) -> list[LedgerEntry]:
        """Put a new file in the place of the log, which keeps its content under another name.

        At no moment is there no log, or one that its checkpoint contradicts: a crash leaves
        the old log, under both names at most, or the new one.
        """
        stored, lines = _chained([succession_entry(succession), *entries], Head())
        beside = Path(f"{self.path}.new")
        try:
            status = write_file(beside, b"".join(lines))
            self._settle_checkpoint(succession)
            if os.path.lexists(self.path):
                _keep(self.path, self.path.with_name(succession.file))
            beside.replace(self.path)
        except OSError as error:
            attempt(beside.unlink)
            raise self._error("a new file cannot be begun", error) from None
        sync_directory(self.path.parent)
        self.continues = succession
        self._identity = status.st_dev, status.st_ino
        self._reader, self._offset = ChainReader(), 0
        self._take_own(lines)
        self._remember()
        return stored[1:]

    def _settle_checkpoint(self, succession: Succession) -> None:
        """See that the checkpoint names the head that the new file names, or remove it."""
        if succession.closed_by is None:
            self._remember()
        checkpoint = read_checkpoint(self.path)
        if checkpoint is not None and (
            succession.closed_by is not None or checkpoint.head != succession.head
        ):
            remove_checkpoint(self.path)

    def _successor(self, file: BinaryIO) -> Succession:
        """The file as the next one names it; it is read whole once more."""
        latest = self._read_whole(file, Witness(None))
        succession = Succession.of(first_entry_of(file.fileno()))
        if succession is None:
            return Succession(self._next_name(), 1, self.head, latest)
        known = [time for time in (succession.latest, latest) if time is not None]
        latest = None if succession.latest is None else max(known)
        return Succession(self._next_name(), succession.number + 1, self.head, latest)

    def _diagnosis(self, file: BinaryIO, places: Sequence[Path]) -> Succession:
        """The file with its problem, as the next one names it; raises `AuditError` without one."""
        witness = Witness(read_checkpoint(self.path))
        try:
            self._read_whole(file, witness)
            self._write(file, self._recover(file))
            succession = self._successor(file)
        except AuditError as error:
            problem = str(error).removeprefix(f"{self._shown}: ")
            return Succession(self._next_name(), _number(file), None, problem=problem)
        if found := witness.problem(self.head):
            return replace(succession, problem=found)
        try:
            files = earlier_files(self.path, first_entry_of(file.fileno()), places)
            files.verify()
        except AuditError as error:
            return replace(succession, problem=str(error))
        if files.gap and not files.signed_off:
            return replace(succession, problem=files.gap)
        raise AuditError(
            f"{self._shown}: is in order, so there is nothing to sign off; "
            "recon audit rotate begins a new file"
        )

    def _next_name(self) -> str:
        """The name that the file gets when it is left, that of an earlier try included."""
        numbers = earlier_numbers(self.path)
        last = f"{self.path.name}.{numbers[-1] if numbers else 0}"
        try:
            if self.path.with_name(last).samefile(self.path):
                return last
        except OSError:
            pass
        return f"{self.path.name}.{numbers[-1] + 1 if numbers else 1}"

    @property
    def _shown(self) -> str:
        return printable(self.path.name)

    def _error(self, what: str, error: Exception) -> AuditError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        return AuditError(f"{self._shown}: {what}: {printable(reason)}")


def _chained(entries: Sequence[LedgerEntry], head: Head) -> tuple[list[LedgerEntry], list[bytes]]:
    """Entries as they are kept after `head`, and their lines."""
    stored, lines = [], []
    for entry in entries:
        kept = entry.stored(head.count + 1)
        line, head = chained_line(kept, head)
        stored.append(kept)
        lines.append(line)
    return stored, lines


def _identity_of(file: BinaryIO) -> Identity:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino


def _number(file: BinaryIO) -> int:
    """The number of files up to this one, as far as its damage shows it."""
    try:
        succession = Succession.of(first_entry_of(file.fileno()))
    except AuditError:
        return 1
    return 1 if succession is None else succession.number + 1


def _keep(path: Path, kept: Path) -> None:
    """Give a file a second name; where the disk has no links, another one."""
    try:
        if not (kept.exists() and kept.samefile(path)):
            os.link(path, kept, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(kept):
            raise
        path.rename(kept)
    sync_directory(path.parent)
