"""The runbook's export of a log, or of the runs that are asked for.

A list of entries under the eight keys of the runbook, one a line: the hashes stay behind,
because they hold for the whole log only.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from recon_core.audit.entries import KEYS
from recon_core.audit.fields import Entry
from recon_core.audit.filters import Filters
from recon_core.audit.tally import Run, Sink
from recon_core.errors import AuditError

PLACE: Final = "place in the source"
"""A key that no export writes."""

# One for all entries: making an encoder costs as much as an entry.
_ENCODER: Final = json.JSONEncoder(allow_nan=False)


def one_line(value: object) -> str:
    """JSON on one line, ASCII only; raises `AuditError` for what JSON cannot say."""
    try:
        return _ENCODER.encode(value)
    except ValueError:
        raise AuditError("an entry holds a number that JSON has no word for") from None
    except RecursionError:
        raise AuditError("an entry is nested too deep") from None


class WholeExport:
    """Writes every entry as it comes; nothing is kept."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self.count = 0

    def take(self, entry: Entry) -> None:
        """Write one entry."""
        text = one_line({name: entry[name] for name in KEYS if name in entry})
        self._write(f"{',' if self.count else '['}\n{text}")
        self.count += 1

    def close(self) -> None:
        """Write the end of the list."""
        self._write("\n]\n" if self.count else "[]\n")


class ExportSink(Sink):
    """The entries of the runs that are asked for, in the log's order.

    Of their diffs those of the severities that are asked for; a limit keeps the newest
    runs.
    """

    def __init__(self, filters: Filters, limit: int | None) -> None:  # noqa: ARG002  # a sink's
        self._limit = limit
        self._found: dict[int, list[Entry]] = {}
        self._traces: dict[int, Entry] = {}
        self.left_out = 0

    def summary(self, run: Run, entry: Entry) -> None:
        """Keep a summary."""
        self._keep(run, entry)

    def diff(self, run: Run, entry: Entry) -> None:
        """Keep a diff."""
        self._keep(run, entry)

    def passed_over(self, run: Run, entry: Entry) -> None:
        """Remember one diff of each run: without a summary nothing else may tell of it."""
        self._traces.setdefault(run.index, entry)

    def finished(self, run: Run) -> None:
        """Keep a trace of a run that cannot be called clear, or the export could be."""
        trace = self._traces.pop(run.index, None)
        if trace is not None and not run.summaries:
            self._keep(run, trace)

    def bracket(self, run: Run, entry: Entry) -> None:
        """Keep an opening or a committing entry."""
        self._keep(run, entry)

    def entries(self) -> list[Entry]:
        """All that was kept."""
        if self._limit is not None:
            self.left_out = max(0, len(self._found) - self._limit)
            for index in sorted(self._found)[: self.left_out]:
                del self._found[index]
        kept = [entry for entries in self._found.values() for entry in entries]
        return sorted(kept, key=lambda entry: int(entry[PLACE]))

    def _keep(self, run: Run, entry: Entry) -> None:
        self._found.setdefault(run.index, []).append(entry)


def numbered(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Entries with their place in the source, which an export keeps as their order."""
    for place, entry in enumerate(entries):
        entry[PLACE] = place
        yield entry
