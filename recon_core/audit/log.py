"""`AuditLog`: the append-only trail of reconciliations, in memory or on a file."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from recon_core.audit.chain import ChainReader, Head, next_entry, read_lines
from recon_core.audit.entries import (
    BRACKETS,
    RECON_DIFF,
    RECON_SUMMARY,
    RUN_COMMITTED,
    RUN_OPENED,
    SUCCESSIONS,
    LedgerEntry,
    run_entries,
)
from recon_core.audit.fields import (
    counted_diffs,
    require_known_severities,
    severity_field,
    text_field,
)
from recon_core.audit.log_file import LogFile
from recon_core.audit.succession import earlier_files
from recon_core.model.comparison import ReconDiff
from recon_core.model.summary import ReconSummary
from recon_core.values.errors import AuditError
from recon_core.values.files import write_atomically
from recon_core.values.printable import printable
from recon_core.values.times import require_time

Run = tuple[ReconSummary, Sequence[ReconDiff] | None]


class AuditLog:
    """Entries are appended and read; nothing changes or removes one.

    Without `path` the entries live in memory. On a file they are chained lines (see
    `recon_core.audit.chain`), any number of processes may append, and a run is enclosed by
    an opening and a committing entry. `timeout` is how many seconds to wait for other
    writers; a file that has reached `rotate_at` bytes is left and a new one begun. Entries
    are read from all files of a log. Every method raises `AuditError` where a file is
    damaged, locked or cannot be read or written.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        *,
        timeout: float = 10.0,
        rotate_at: int | None = None,
    ) -> None:
        self._entries: list[LedgerEntry] = []
        self._file = None if path is None else LogFile(Path(path), timeout, rotate_at)

    def append(self, entry: LedgerEntry) -> LedgerEntry:
        """Append one entry; returns it with its sequence, id and timestamp."""
        return self.append_many([entry])[0]

    def append_many(self, entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
        """Append entries with nothing of another writer between them."""
        chosen = list(entries)
        for entry in chosen:
            _require_sense(entry)
        return self._append(chosen)

    def _append(self, entries: list[LedgerEntry]) -> list[LedgerEntry]:
        if self._file is not None:
            return self._file.append(entries) if entries else []
        start = len(self._entries) + 1
        stored = [entry.stored(start + index) for index, entry in enumerate(entries)]
        self._entries += stored
        return stored

    def append_recon_summary(
        self, summary: ReconSummary, diffs: Sequence[ReconDiff] | None = None
    ) -> list[LedgerEntry]:
        """Append one run: its summary and its diffs, by default the summary's top N."""
        return self.append_runs([(summary, diffs)])

    def append_runs(self, runs: Iterable[Run]) -> list[LedgerEntry]:
        """Append the runs of one command together: all of them are written, or none."""
        chosen = list(runs)
        batches = (self._batch(run, at, len(chosen)) for at, run in enumerate(chosen, start=1))
        return self._append([entry for batch in batches for entry in batch])

    def _batch(self, run: Run, place: int, runs: int) -> list[LedgerEntry]:
        """Return the entries of a run; in memory nothing can be torn, and no brackets are added.

        `place` of `runs` shows where the runs that followed in the same command are lost.
        """
        summary, diffs = run
        entries = run_entries(summary, diffs)
        if self._file is None:
            return entries
        ids = {
            "run_id": summary.run_id,
            "session_id": summary.session_id,
            "invocation_id": summary.invocation_id,
            "place": place,
            "runs": runs,
        }
        counts = {"entries": len(entries), "diffs": len(entries) - 1}
        return [
            LedgerEntry(RUN_OPENED, ids),
            *entries,
            LedgerEntry(RUN_COMMITTED, {**ids, **counts, "total_diffs": summary.total_diffs}),
        ]

    @property
    def head(self) -> Head:
        """Count of the entries, and the hash of the last; in memory nothing is hashed."""
        if self._file is None:
            return Head(len(self._entries))
        return self._file.head

    @property
    def continues(self) -> str | None:
        """The file that the last append left for a new one, `None` where it left none."""
        succession = None if self._file is None else self._file.continues
        return None if succession is None else succession.file

    def get_all_entries(self) -> list[LedgerEntry]:
        """All entries in their order; those of a file are verified."""
        if self._file is None:
            return list(self._entries)
        return _read(self._file.path)

    def get_entries_by_event_type(self, event_type: str) -> list[LedgerEntry]:
        """The entries of one type, such as `RECON_SUMMARY`."""
        return [entry for entry in self.get_all_entries() if entry.event_type == event_type]

    def get_entries_for_order(self, client_order_id: str) -> list[LedgerEntry]:
        """The entries that name an order."""
        entries = self.get_all_entries()
        return [entry for entry in entries if entry.client_order_id == client_order_id]

    def get_entries_in_range(self, start: datetime, end: datetime) -> list[LedgerEntry]:
        """The entries from `start` to `end`, both included; the times have an offset."""
        first, last = require_time(start, "start"), require_time(end, "end")
        return [
            entry
            for entry in self.get_all_entries()
            if entry.timestamp is not None and first <= entry.timestamp <= last
        ]

    def export_to_file(self, path: Path | str) -> None:
        """Write the runbook's JSON array, whole or not at all; it carries no hashes."""
        path, entries = Path(path), [entry.to_dict() for entry in self.get_all_entries()]
        try:
            write_atomically(path, json.dumps(entries, indent=2) + "\n")
        except OSError as error:
            shown = printable(path.name)
            raise AuditError(f"{shown}: cannot be written: {error.strerror}") from None


def _require_sense(entry: LedgerEntry) -> None:
    """Refuse what would make the whole log unreadable: it cannot be taken back."""
    name = entry.event_type
    if name in BRACKETS | SUCCESSIONS:
        raise AuditError(f"event type {name}: is written by the log only")
    if name == RECON_SUMMARY:
        text_field(entry.details, "run_id")
        counted_diffs(entry.details)
        require_known_severities(entry.details)
    elif name == RECON_DIFF:
        text_field(entry.details, "run_id")
        severity_field(entry.details)
        require_known_severities(entry.details)


def _read(path: Path) -> list[LedgerEntry]:
    """The entries of a log, those of its earlier files first; one not begun has none."""
    shown = printable(path.name)
    try:
        with path.open("rb") as file:
            return [LedgerEntry.from_dict(entry) for entry in _entries(path, file.fileno())]
    except FileNotFoundError:
        return []
    except AuditError as error:
        raise AuditError(f"{shown}: {error}") from None
    except OSError as error:
        raise AuditError(f"{shown}: cannot be read: {error.strerror}") from None


def _entries(path: Path, handle: int) -> Iterator[dict[str, Any]]:
    reader = ChainReader()
    for line in read_lines(handle):
        if not reader.head.count:
            files = earlier_files(path, next_entry(line, Head()))
            if files.gap and not files.signed_off:
                raise AuditError(files.gap)
            for part in files.parts:
                yield from part.verified(ChainReader())
        yield reader.take(line)
