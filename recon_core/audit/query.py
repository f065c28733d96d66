"""The answers of `summary`, `diffs`, `detailed` as values (design, "The `recon` command").

Each mode is a sink of `recon_core.audit.runs`: it keeps what it will show and nothing
else, so that memory is bounded by the answer. An answer without a limit may be the whole
log; its items are kept in a temporary file.
"""

from array import array
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from recon_core.audit.entries import RECON_DIFF, RECON_SUMMARY
from recon_core.audit.fields import Entry, rank_of, utc_text
from recon_core.audit.filters import Filters
from recon_core.audit.policy_changes import PolicyHistory
from recon_core.audit.spool import Spool, SpooledItems
from recon_core.audit.tally import Run, Sink
from recon_core.values.printable import printable

Item = dict[str, Any]

_MOST_NOTES: Final = 3
"""Runs with missing diffs that notes name; further runs are only counted."""
_SPARE: Final = 64
"""Items beyond twice the limit that are kept before the list is cut, so that it is cut rarely."""
_RUN_BITS: Final = 48
"""Bits of a run's index below its rank in one integer; no log has 2**48 runs."""


@dataclass(slots=True)
class Answer:
    """Findings of a mode: `count` in JSON is the number of `items`.

    `total` is their number before the limit; `order_ids` are the orders of diffs, one for
    each item; `summary` is that of the run that `detailed` shows. `missing` is the event
    type that an empty answer misses, where that is another one.
    """

    event_type: str
    items: Sequence[Item] = field(default_factory=list)
    total: int = 0
    notes: list[str] = field(default_factory=list)
    order_ids: Sequence[str] = field(default_factory=list)
    run: Run | None = None
    summary: Item | None = None
    missing: str = ""

    @property
    def empty_text(self) -> str:
        """The runbook's words for no items."""
        return f"No {self.missing or self.event_type} events found"


def item_of(entry: Entry) -> Item:
    """An entry as an answer shows it: its details and its time in UTC.

    The details become the item: an answer of many entries holds each of them once.
    """
    item: Item = entry["details"]
    item["timestamp"] = utc_text(entry["timestamp"])
    return item


def limit_note(shown: int, total: int) -> list[str]:
    """Return the note on items that `--limit` left out, if any."""
    return [f"--limit left out {total - shown} of {total}"] if shown < total else []


class SummarySink(Sink):
    """The summaries in the log's order; a limit keeps the newest."""

    def __init__(self, filters: Filters, limit: int | None) -> None:
        self._filters, self._limit = filters, limit
        self._history = PolicyHistory()
        self._changed: dict[str, Any] | None = None
        self._spool = Spool() if limit is None else None
        self._unfinished: dict[int, list[tuple[int, Any]]] = {}
        self._found: list[tuple[int, Any]] = []
        self._position = self._total = 0

    def any_summary(self, entry: Entry) -> None:
        """Follow the policy also through runs that are not asked for."""
        self._changed = self._history.follow(entry)

    def summary(self, run: Run, entry: Entry) -> None:
        """Keep a summary until its run is known to pass."""
        self._position += 1
        item = item_of(entry)
        if self._changed is not None:
            item["policy_changed"] = self._changed
        kept = item if self._spool is None else self._spool.add(item)
        self._unfinished.setdefault(run.index, []).append((self._position, kept))

    def finished(self, run: Run) -> None:
        """A run passes severities by its diffs, recorded or counted."""
        found = self._unfinished.pop(run.index, [])
        if self._filters.by_severity and not run.findings(self._filters.passing):
            return
        self._total += len(found)
        self._found += found
        if self._limit is not None and len(self._found) > 2 * self._limit + _SPARE:
            self._keep_newest()

    def answer(self) -> Answer:
        """The summaries that pass."""
        self._keep_newest()
        found = [kept for _, kept in self._found]
        items = found if self._spool is None else SpooledItems(self._spool, found)
        return Answer(RECON_SUMMARY, items, self._total, limit_note(len(items), self._total))

    def _keep_newest(self) -> None:
        self._found.sort(key=lambda found: found[0])
        if self._limit is not None:
            del self._found[: -self._limit]


class _WorstDiffs:
    """Diffs, the worst first; then of the last run in the log, then in the log's order.

    All of them in memory: they are those of one run, or no more than a limit.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._found: list[tuple[tuple[int, int, int], Entry]] = []
        self.total = 0

    def add(self, run: Run, entry: Entry) -> None:
        rank = rank_of(entry["details"]["severity"])
        self.total += 1
        self._found.append(((-rank, -run.index, self.total), entry))
        if self._limit is not None and len(self._found) > 2 * self._limit + _SPARE:
            self.entries()

    def answer(self) -> Answer:
        """The diffs that are kept."""
        entries = self.entries()
        orders = [_order_of(entry) for entry in entries]
        items = [item_of(entry) for entry in entries]
        return Answer(RECON_DIFF, items, self.total, limit_note(len(items), self.total), orders)

    def entries(self) -> list[Entry]:
        # No two keys are equal, so entries are never compared.
        self._found.sort(key=lambda found: found[0])
        if self._limit is not None:
            del self._found[self._limit :]
        return [entry for _, entry in self._found]


class _AllDiffs:
    """Any number of diffs in the same order, in a file."""

    def __init__(self) -> None:
        self._spool = Spool()
        # Of each diff its severity and its run in one number, the worst and last the highest.
        self._found = array("Q")
        self._orders: dict[int, str] = {}

    def add(self, run: Run, entry: Entry) -> None:
        rank, order = rank_of(entry["details"]["severity"]), _order_of(entry)
        number = self._spool.add(item_of(entry))
        self._found.append(rank << _RUN_BITS | run.index)
        if order:
            self._orders[number] = order

    def answer(self) -> Answer:
        """All of them."""
        # A stable sort: diffs of one severity and run stay in the log's order.
        numbers = array("Q", sorted(range(len(self._found)), key=lambda place: -self._found[place]))
        orders = [self._orders.get(number, "") for number in numbers]
        items = SpooledItems(self._spool, numbers)
        return Answer(RECON_DIFF, items, len(numbers), order_ids=orders)


class DiffsSink(Sink):
    """The diffs of all runs that are asked for."""

    def __init__(self, filters: Filters, limit: int | None) -> None:
        self._passing = filters.passing
        self._worst = _AllDiffs() if limit is None else _WorstDiffs(limit)
        self._partly: list[str] = []
        self._more = 0

    def diff(self, run: Run, entry: Entry) -> None:
        """Keep a diff, as long as it is among the worst."""
        self._worst.add(run, entry)

    def finished(self, run: Run) -> None:
        """Note where the log holds fewer diffs than were counted."""
        note = recorded_note(run, self._passing)
        if note and len(self._partly) < _MOST_NOTES:
            self._partly.append(f"run {printable(run.run_id)}: {note}")
        elif note:
            self._more += 1

    def answer(self) -> Answer:
        """The diffs, the worst first."""
        more = [f"and {self._more} more runs of which not all diffs are"] if self._more else []
        answer = self._worst.answer()
        answer.notes += [*self._partly, *more]
        return answer


class DetailedSink(Sink):
    """One run: the newest of those that are asked for."""

    def __init__(self, filters: Filters, limit: int | None) -> None:
        self._filters, self._limit = filters, limit
        self._history = PolicyHistory()
        self._changed: dict[str, Any] | None = None
        self._run: Run | None = None
        self._summary: Item | None = None
        self._worst = _WorstDiffs(limit)
        self._others = False

    def any_summary(self, entry: Entry) -> None:
        """Follow the policy also through runs that are not asked for."""
        self._changed = self._history.follow(entry)

    def summary(self, run: Run, entry: Entry) -> None:
        """Keep the summary of the newest run."""
        if self._is_newest(run):
            self._summary = item_of(entry)
            if self._changed is not None:
                self._summary["policy_changed"] = self._changed

    def diff(self, run: Run, entry: Entry) -> None:
        """Keep a diff of the newest run."""
        if self._is_newest(run):
            self._worst.add(run, entry)

    def answer(self) -> Answer:
        """The run; without one there is no summary either."""
        if self._run is None:
            return Answer(RECON_DIFF, missing=RECON_SUMMARY)
        answer = self._worst.answer()
        answer.run, answer.summary = self._run, self._summary
        note = recorded_note(self._run, self._filters.passing)
        answer.notes += [note] if note else []
        if self._filters.run_id is None and self._others:
            answer.notes.insert(0, "this is the newest run; --run-id shows another one")
        return answer

    def _is_newest(self, run: Run) -> bool:
        if run is self._run:
            return True
        self._others |= self._run is not None
        if self._run is not None and run.index < self._run.index:
            return False
        self._run, self._summary, self._worst = run, None, _WorstDiffs(self._limit)
        return True


def _order_of(entry: Entry) -> str:
    return str(entry.get("client_order_id") or "")


def recorded_note(run: Run, passing: Container[object]) -> str:
    """`10 of 19 recorded`, where the log holds fewer diffs than the summary counts."""
    recorded, counted = run.recorded_of(passing), run.counted_of(passing)
    return f"{recorded} of {counted} recorded" if recorded < counted else ""
