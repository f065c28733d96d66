"""The checkpoint of an audit log: where it stood after its last append, in a file beside it.

The first append of a process reads on from there instead of from the first line. Nothing
is taken from a checkpoint on trust: it carries its own SHA-256, and the line of the log
that ends at its offset must have its hash and its count. It is written after the log is
on the disk, and only where no run is open, so that an honest one is never ahead of its
log: a log that does not hold what its checkpoint names was cut or replaced.
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import rfc8785

from recon_core.audit.chain import LONGEST_LINE, ChainReader, Head, entries_text, next_entry
from recon_core.audit.durable import SAFE_FLAGS, attempt, write_file
from recon_core.audit.entries import LOG_CONTINUED, RUN_OPENED
from recon_core.values.errors import AuditError

SCHEMA: Final = "recon.audit-checkpoint/1"
_LONGEST: Final = 4096
"""Bytes of a checkpoint that are read; a whole one has a few hundred."""
_CHUNK: Final = 1 << 16
"""Bytes that are read first of the line before an offset; each further part doubles them."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place between two lines of a log: its offset in bytes, the head there, the file."""

    offset: int
    count: int
    hash: str
    device: int
    inode: int

    @classmethod
    def at(cls, offset: int, head: Head, file: tuple[int, int]) -> "Checkpoint":
        """The checkpoint of a file, given by device and inode."""
        return cls(offset, head.count, head.hash, *file)

    @property
    def head(self) -> Head:
        """The place of the log."""
        return Head(self.count, self.hash)

    @property
    def file(self) -> tuple[int, int]:
        """The device and the inode of the log."""
        return self.device, self.inode

    def reader(self, handle: int) -> ChainReader | None:
        """Return a reader that continues here, `None` where the open log shows another line."""
        status = os.fstat(handle)
        if (status.st_dev, status.st_ino) != self.file or status.st_size < self.offset:
            return None
        line = _line_before(handle, self.offset)
        try:
            entry = next_entry(line, Head(self.count - 1, _previous(line)))
        except AuditError:
            return None
        if entry["hash"] != self.hash or entry["event_type"] == RUN_OPENED:
            return None
        return ChainReader(self.head)


@dataclass(slots=True)
class Witness:
    """Compares a chain that is read from its start with a checkpoint, if there is one."""

    checkpoint: Checkpoint | None
    _seen: str | None = None

    def see(self, entry: Mapping[str, Any]) -> None:
        """Take the next entry; one that names its head continues the log it was written for."""
        known, number = self.checkpoint, entry["sequence"]
        if known is None:
            return
        if number == known.count:
            self._seen = entry["hash"]
        if number == 1 and entry["event_type"] == LOG_CONTINUED:
            stated = entry["details"]
            if (stated.get("entries"), stated.get("head")) == (known.count, known.hash):
                self.checkpoint = None

    def problem(self, head: Head) -> str:
        """Say what a log that ended at `head` lacks of what was in it, empty where nothing."""
        known = self.checkpoint
        if known is None or self._seen == known.hash:
            return ""
        if self._seen is None:
            found = f"has {entries_text(head.count)} and had {known.count:,}: it was cut"
        else:
            found = f"entry {known.count:,} was another one: it was replaced"
        return f"{found}, or an older copy was put in its place"

    def check(self, head: Head) -> None:
        """Raise `AuditError` where there is a problem, with the way out."""
        if found := self.problem(head):
            raise AuditError(f"{found}; recon audit close signs that off")


def checkpoint_path(log: Path) -> Path:
    """The file beside a log."""
    return Path(f"{log}.checkpoint")


def read_checkpoint(log: Path) -> Checkpoint | None:
    """The checkpoint of a log, `None` where there is none that is whole."""
    flags = os.O_RDONLY | SAFE_FLAGS | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(checkpoint_path(log), flags)
    except (OSError, ValueError):
        return None
    try:
        is_file = stat.S_ISREG(os.fstat(handle).st_mode)
        return _parsed(os.read(handle, _LONGEST)) if is_file else None
    except OSError:
        return None
    finally:
        os.close(handle)


def write_checkpoint(log: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint; where that cannot be done the next writer reads more."""
    place, beside = checkpoint_path(log), Path(f"{log}.checkpoint.new")

    def write() -> None:
        # Not synced: what a power cut leaves is no checkpoint, or an older one.
        write_file(beside, _line(asdict(checkpoint)), synced=False)
        beside.replace(place)

    attempt(write)


def remove_checkpoint(log: Path) -> None:
    """Remove the checkpoint; raises `OSError`."""
    checkpoint_path(log).unlink(missing_ok=True)


def _line(fields: dict[str, Any]) -> bytes:
    content = {"schema": SCHEMA, **fields}
    digest = hashlib.sha256(rfc8785.dumps(content)).hexdigest()
    return rfc8785.dumps({**content, "digest": digest}) + b"\n"


def _parsed(content: bytes) -> Checkpoint | None:
    try:
        data = json.loads(content)
        fields = {name: data[name] for name in Checkpoint.__slots__}
        if content != _line(fields) or not fields["offset"] > 0 < fields["count"]:
            return None
        return Checkpoint(**fields)
    except (ValueError, TypeError, KeyError, RecursionError, rfc8785.CanonicalizationError):
        return None


def _line_before(handle: int, end: int) -> bytes:
    """The line of an open file that ends at `end`."""
    content = b""
    while end > 0 and b"\n" not in content[:-1] and len(content) < LONGEST_LINE:
        size = min(end, max(_CHUNK, len(content)))
        end -= size
        content = _read_at(handle, end, size) + content
    return content[content.rfind(b"\n", 0, -1) + 1 :]


def _read_at(handle: int, offset: int, size: int) -> bytes:
    with os.fdopen(os.dup(handle), "rb") as file:
        file.seek(offset)
        return file.read(size)


def _previous(line: bytes) -> str:
    """Return the previous hash that a line states; the reader checks all its other fields."""
    try:
        return str(json.loads(line)["previous_hash"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
