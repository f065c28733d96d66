"""The runbook's export of a log, or of the runs that are asked for.

A list of entries under the eight keys of the runbook, one a line: the hashes stay behind,
because they hold for the whole log only.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from recon_core.audit.entries import KEYS
from recon_core.audit.fields import Entry
from recon_core.audit.filters import Filters
from recon_core.audit.spool import Spool, SpooledItems, one_line
from recon_core.audit.tally import Run, Sink

PLACE: Final = "place in the source"
"""A key that no export writes."""


class WholeExport:
    """Writes every entry as it arrives; nothing is kept."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self.count = 0

    def take(self, entry: Entry) -> None:
        """Write one entry."""
        self.take_line(one_line(exported(entry)))

    def take_line(self, text: str) -> None:
        """Write the JSON of one entry."""
        self._write(f"{',' if self.count else '['}\n{text}")
        self.count += 1

    def close(self) -> None:
        """Write the end of the list."""
        self._write("\n]\n" if self.count else "[]\n")


class ExportSink(Sink):
    """The entries of the runs that are asked for, in the log's order.

    Of their diffs those of the severities that are asked for; a limit keeps the newest
    runs. What is kept is in a temporary file, under the place of each entry in the source.
    """

    def __init__(self, filters: Filters, limit: int | None) -> None:  # noqa: ARG002  # a sink's
        self._limit = limit
        self._spool = Spool()
        self._found: dict[int, list[tuple[int, int]]] = {}
        self._traces: dict[int, Entry] = {}
        self.left_out = 0

    def summary(self, run: Run, entry: Entry) -> None:
        """Keep a summary."""
        self._keep(run, entry)

    def diff(self, run: Run, entry: Entry) -> None:
        """Keep a diff."""
        self._keep(run, entry)

    def passed_over(self, run: Run, entry: Entry) -> None:
        """Remember one diff of each run: without a summary it is the only trace of the run."""
        self._traces.setdefault(run.index, entry)

    def finished(self, run: Run) -> None:
        """Keep a trace of a run that cannot be called clear, or the export could be."""
        trace = self._traces.pop(run.index, None)
        if trace is not None and not run.summaries:
            self._keep(run, trace)

    def bracket(self, run: Run, entry: Entry) -> None:
        """Keep an opening or a committing entry."""
        self._keep(run, entry)

    def entries(self) -> SpooledItems:
        """All that was kept."""
        if self._limit is not None:
            self.left_out = max(0, len(self._found) - self._limit)
            for index in sorted(self._found)[: self.left_out]:
                del self._found[index]
        kept = sorted(place for places in self._found.values() for place in places)
        return SpooledItems(self._spool, [number for _, number in kept])

    def _keep(self, run: Run, entry: Entry) -> None:
        number = self._spool.add(exported(entry))
        self._found.setdefault(run.index, []).append((int(entry[PLACE]), number))


def exported(entry: Entry) -> Entry:
    """An entry under the keys of an export."""
    return {name: entry[name] for name in KEYS if name in entry}


def numbered(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Entries with their place in the source, which an export keeps as their order."""
    for place, entry in enumerate(entries):
        entry[PLACE] = place
        yield entry
