"""The chain of an audit log: each line carries its place, and the hash of what came before.

A line is the canonical JSON (RFC 8785) of an entry with `sequence`, `previous_hash` and
`hash`; the hash is the SHA-256 of the same canonical JSON without `hash`. Whoever changes,
removes or inserts a line breaks the chain at that place; whoever cuts lines off its end
changes its head, the count and the last hash.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import rfc8785

from recon_core.audit.entries import BRACKETS, RUN_COMMITTED, RUN_OPENED, LedgerEntry
from recon_core.values.errors import AuditError
from recon_core.values.printable import quoted

GENESIS: Final = "0" * 64

_DECODER: Final = json.JSONDecoder()

# Far above any entry of ours; a file that is no log may have no line ends at all.
LONGEST_LINE: Final = 64 * 1024 * 1024
"""Bytes; a line is in memory whole, and one without an end must not fill it."""


@dataclass(frozen=True, slots=True)
class Head:
    """Position in a log: the count of its entries, and the hash of the last."""

    count: int = 0
    hash: str = GENESIS


def entries_text(count: int) -> str:
    """`1 entry`, `1,000 entries`."""
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def chained_line(entry: LedgerEntry, head: Head) -> tuple[bytes, Head]:
    """The line of a stored entry that follows `head`, and the new head."""
    data = {**entry.to_dict(), "previous_hash": head.hash}
    members = {name: _member(name, value) for name, value in data.items()}
    digest = hashlib.sha256(_object(members)).hexdigest()
    members["hash"] = _member("hash", digest)
    return _object(members) + b"\n", Head(entry.sequence, digest)


def _member(name: str, value: object) -> bytes:
    try:
        encoded = rfc8785.dumps(value)  # type: ignore[arg-type]  # plain since LedgerEntry.stored
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise AuditError(f"{name}: cannot be kept in a log: {type(error).__name__}") from None
    return b'"%s":%s' % (name.encode(), encoded)


def _object(members: dict[str, bytes]) -> bytes:
    return b"{%s}" % b",".join(members[name] for name in sorted(members))


@dataclass(slots=True)
class ChainReader:
    """Verifies the lines of a log in their order, whatever their number.

    Knows afterwards the head of the log, which runs were opened and never committed, and
    how many were; `line` is the last one. It can start in the middle, from a head that was
    verified before.
    """

    head: Head = Head()
    open_run: str | None = None
    abandoned: list[str] = field(default_factory=list)
    runs: int = 0
    recoveries: int = 0
    line: bytes = b""
    _opened_at: int = 0

    def take(self, line: bytes) -> dict[str, Any]:
        """The entry of the next line; raises `AuditError` where the chain is broken."""
        data = next_entry(line, self.head)
        self.head, self.line = Head(self.head.count + 1, data["hash"]), line
        if data["event_type"] in BRACKETS:
            self._follow_batch(data, f"line {self.head.count}")
        return data

    def _follow_batch(self, data: dict[str, Any], place: str) -> None:
        kind, details = data["event_type"], data["details"]
        if kind == RUN_COMMITTED:
            between = self.head.count - self._opened_at - 1
            if details.get("run_id") != self.open_run or details.get("entries") != between:
                raise AuditError(f"{place}: commits another run than the one that was opened")
            self.open_run = None
            self.runs += 1
            return
        if self.open_run is not None:
            self.abandoned.append(self.open_run)
            self.open_run = None
        if kind == RUN_OPENED:
            self.open_run, self._opened_at = str(details.get("run_id")), self.head.count
        else:
            self.recoveries += 1


def read_lines(handle: int, offset: int = 0) -> Iterator[bytes]:
    """The lines of an open log from `offset`, with their ends; the last may have none."""
    with os.fdopen(os.dup(handle), "rb") as file:
        file.seek(offset)
        while line := file.readline(LONGEST_LINE):
            yield line


def next_entry(line: bytes, head: Head) -> dict[str, Any]:
    """The entry of the line that follows `head`; raises `AuditError` where it does not."""
    place = f"line {head.count + 1}"
    if not line.endswith(b"\n"):
        raise AuditError(f"{place}: is cut off; expected a line end")
    data = _parsed(line, place)
    if not _fits(line, data.get("hash")):
        raise AuditError(f"{place}: its hash does not fit its content; the log was changed")
    if data.get("previous_hash") != head.hash:
        raise AuditError(f"{place}: does not follow the line before it; the log was changed")
    if data.get("sequence") != head.count + 1:
        shown = quoted(data.get("sequence"))
        raise AuditError(f"{place}: sequence {shown}; expected {head.count + 1}")
    return data


def _parsed(line: bytes, place: str) -> dict[str, Any]:
    # json.loads looks for the encoding and for white space, which a line does not have.
    try:
        text = line.decode()
        data, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        raise AuditError(f"{place}: is not JSON; expected an entry of an audit log") from None
    if (
        end != len(text) - 1
        or not isinstance(data, dict)
        or not isinstance(data.get("event_type"), str)
        or not isinstance(data.get("details"), dict)
        or not isinstance(data.get("timestamp"), str)
    ):
        raise AuditError(f"{place}: is no entry of an audit log")
    return data


def _fits(line: bytes, digest: object) -> bool:
    """True if a line without its hash has that hash.

    The hash depends on everything else in the line, so the same text cannot occur in
    another place of it as well.
    """
    if not isinstance(digest, str) or not digest.isascii():
        return False
    unhashed = line[:-1].replace(b'"hash":"%s",' % digest.encode(), b"", 1)
    return hashlib.sha256(unhashed).hexdigest() == digest
