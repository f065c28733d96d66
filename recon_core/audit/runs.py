"""A stream of entries sorted into runs, and the totals of the runs that are asked for.

The exit status of every mode depends on them: a finding is a diff, recorded or counted by a
summary (design, "The `recon` command"); a run that was left incomplete, was never committed
or has no summary cannot be called clear.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from recon_core.audit.entries import (
    LOG_RECOVERED,
    RECON_DIFF,
    RECON_SUMMARY,
    RUN_COMMITTED,
    RUN_OPENED,
)
from recon_core.audit.fields import (
    Entry,
    count_field,
    counted_diffs,
    optional_text,
    severity_field,
    text_field,
    utc_time,
)
from recon_core.audit.filters import Filters
from recon_core.audit.span import Place, Span
from recon_core.audit.tally import Run, Sink, Tally
from recon_core.reports.wording import counted
from recon_core.values.printable import printable
from recon_core.values.times import format_time


@dataclass(slots=True)
class _Opened:
    """A run between its opening and its committing entry."""

    entry: Entry
    place: Place
    refused: bool = False


class Trail:
    """Takes the entries of a log in their order; `close` when there are no more.

    `last` is the number of the last summary at or before `filters.until`.
    """

    def __init__(self, filters: Filters, sink: Sink, last: int = 0) -> None:
        self.tally = Tally()
        self._filters, self._sink = filters, sink
        self._span = Span(filters.since, filters.until, last)
        self._passing = filters.passing
        self._runs: dict[str, Run] = {}
        self._opened: dict[str, _Opened] = {}
        # Diffs mostly follow their summary, and those of a foreign one know no session.
        self._last_refused: str | None = None
        self._refused: set[str] = set()
        self._waiting: dict[str, list[tuple[Entry, Place]]] = {}
        # How many runs of the last command are not committed yet, and whether one is open.
        self._outstanding = 0
        self._in_run = False
        self._last_time = ""

    def take(self, entry: Entry) -> None:
        """Sort one entry in; raises `AuditError` for one that no answer can rest on."""
        self._span.number += 1
        handler = _HANDLERS.get(entry["event_type"])
        if handler is not None:
            handler(self, entry)

    def close(self) -> Tally:
        """Finish what is left; the tally of all runs."""
        self._lose_outstanding()
        for run_id, diffs in list(self._waiting.items()):
            self._waiting_diffs(run_id, diffs)
        for run_id, opened in self._opened.items():
            self._never_committed(run_id, opened)
        for run in self._runs.values():
            self._finish(run)
        return self.tally

    def _asked_for(self, run_id: str) -> bool:
        self.tally.any_run = True
        wanted = self._filters.run_id
        if wanted is None:
            return True
        self.tally.run_id_known |= run_id == wanted
        return run_id == wanted

    def _summary(self, entry: Entry) -> None:
        details = entry["details"]
        run_id, counts = text_field(details, "run_id"), counted_diffs(details)
        self.tally.seen += 1
        self._sink.any_summary(entry)
        if self._filters.since is not None:
            self._span.mark(utc_time(entry["timestamp"]))
        if not self._asked_for(run_id):
            return
        time = utc_time(entry["timestamp"])
        session, strategy = (optional_text(details, f"{name}_id") for name in _OWNERS)
        if not self._passes(session, strategy, time):
            self._refuse(run_id, entry)
            return
        run = self._run(run_id, session, strategy, time)
        run.session_id, run.strategy_id, run.time = session, strategy, time
        run.summaries += 1
        run.counted |= Counter(counts)
        run.doubt = run.doubt or _incomplete(entry) or self._out_of_time(run)
        self._sink.summary(run, entry)
        for diff, _ in self._waiting.pop(run_id, ()):
            self._count(run, diff)

    def _passes(self, session: str | None, strategy: str | None, time: datetime) -> bool:
        """True if a run that is at this place of the log is asked for."""
        return self._filters.pass_run(session, strategy) and self._span.holds(
            time, self._span.place
        )

    def _out_of_time(self, run: Run) -> str:
        """Return the contradiction between the log's order and the clock about a run, if any."""
        opened = self._opened.get(run.run_id)
        written = run.time if opened is None else utc_time(opened.entry["timestamp"])
        if not self._span.contradicts(min(run.time, written), max(run.time, written)):
            return ""
        return (
            "is asked for by its place in the log and not by its time "
            f"{format_time(run.time)}: a clock went back or forth"
        )

    def _refuse(self, run_id: str, entry: Entry) -> None:
        """Remember that the diffs of a run are not asked for, where they cannot say it."""
        self._waiting.pop(run_id, None)
        self._last_refused = run_id
        if run_id in self._opened:
            self._opened[run_id].refused = True
        if "recorded_diffs" not in entry["details"]:
            self._refused.add(run_id)

    def _diff(self, entry: Entry) -> None:
        details = entry["details"]
        run_id = text_field(details, "run_id")
        run = self._runs.get(run_id)
        if run is not None:
            self._count(run, entry)
            return
        if run_id == self._last_refused or run_id in self._refused or not self._asked_for(run_id):
            return
        severity_field(details)
        if "run_timestamp" not in details:
            self._waiting.setdefault(run_id, []).append((entry, self._span.place))
        elif (found := self._run_of(run_id, entry, self._span.place)) is not None:
            self._count(found, entry)

    def _run_of(self, run_id: str, entry: Entry, place: Place) -> Run | None:
        """The run of a diff without a summary, if it is asked for."""
        details = entry["details"]
        session, strategy = (optional_text(details, f"{name}_id") for name in _OWNERS)
        given = optional_text(details, "run_timestamp")
        time = utc_time(entry["timestamp"] if given is None else given)
        asked = self._filters.pass_run(session, strategy) and self._span.holds(time, place)
        if not asked:
            return None
        return self._run(run_id, session, strategy, time)

    def _waiting_diffs(self, run_id: str, diffs: list[tuple[Entry, Place]]) -> None:
        begun, continues = (any(flags) for flags in zip(*map(_flags, diffs), strict=True))
        for entry, _ in diffs:
            run = self._runs.get(run_id) or self._run_of(run_id, entry, Place(begun, continues))
            if run is not None:
                self._count(run, entry)

    def _run(self, run_id: str, session: str | None, strategy: str | None, time: datetime) -> Run:
        run = self._runs.get(run_id)
        if run is None:
            index = self.tally.runs + len(self._runs)
            run = self._runs[run_id] = Run(run_id, index, session, strategy, time)
            if run_id in self._opened:
                self._sink.bracket(run, self._opened[run_id].entry)
        return run

    def _count(self, run: Run, entry: Entry) -> None:
        severity = severity_field(entry["details"])
        run.recorded[severity] += 1
        hear = self._sink.diff if severity in self._passing else self._sink.passed_over
        hear(run, entry)

    def _open(self, entry: Entry) -> None:
        if count_field(entry["details"], "place") == 1:
            self._lose_outstanding()
            self._outstanding = count_field(entry["details"], "runs") or 0
        self._last_time, self._in_run = entry["timestamp"], True
        run_id = text_field(entry["details"], "run_id")
        if self._asked_for(run_id):
            self._opened[run_id] = _Opened(entry, self._span.place)

    def _commit(self, entry: Entry) -> None:
        run_id = text_field(entry["details"], "run_id")
        place, runs = (count_field(entry["details"], name) or 0 for name in ("place", "runs"))
        self._outstanding, self._in_run = max(runs - place, 0), False
        self._opened.pop(run_id, None)
        run = self._runs.pop(run_id, None)
        if run is not None:
            self._sink.bracket(run, entry)
            self._finish(run)

    def _recovered(self, entry: Entry) -> None:
        """A writer ended too early: a torn line may be all that there was of a run."""
        if not self._in_run:
            self._outstanding = self._outstanding or 1
        self._last_time = entry["timestamp"]
        self._lose_outstanding()
        self._in_run = False

    def _lose_outstanding(self) -> None:
        """Runs of a command of which nothing is left; they may be of any session."""
        lost, self._outstanding = self._outstanding - self._in_run, 0
        if lost <= 0 or self._filters.run_id is not None:
            return
        when = utc_time(self._last_time)
        if self._span.holds(when, self._span.place):
            self.tally.doubt(f"{counted(lost, 'run')} of {format_time(when)} may be lost")

    def _never_committed(self, run_id: str, opened: _Opened) -> None:
        run = self._runs.get(run_id)
        if run is None:
            session = optional_text(opened.entry["details"], "session_id")
            time = utc_time(opened.entry["timestamp"])
            asked = self._filters.session_id in (None, session)
            if opened.refused or not asked or not self._span.holds(time, opened.place):
                return
            run = self._run(run_id, session, None, time)
        run.doubt = "was never committed"

    def _finish(self, run: Run) -> None:
        if not run.summaries and not run.doubt:
            run.doubt = "has no summary"
        self.tally.add(run, self._passing)
        self._sink.finished(run)


_HANDLERS: Final[Mapping[str, Callable[[Trail, Entry], None]]] = {
    RECON_SUMMARY: Trail._summary,  # noqa: SLF001  # a table of its own methods
    RECON_DIFF: Trail._diff,  # noqa: SLF001
    RUN_OPENED: Trail._open,  # noqa: SLF001
    RUN_COMMITTED: Trail._commit,  # noqa: SLF001
    LOG_RECOVERED: Trail._recovered,  # noqa: SLF001
}
_OWNERS: Final = ("session", "strategy")


def _flags(waiting: tuple[Entry, Place]) -> tuple[bool, bool]:
    place = waiting[1]
    return place.begun, place.continues


def _incomplete(entry: Entry) -> str:
    """Return the reason why a summary's verdict does not cover all of its session, if any."""
    details = entry["details"]
    promised, ran = count_field(details, "comparisons"), count_field(details, "ran")
    if promised is None:
        # Foreign: nothing is known.
        return "" if ran is None else "does not say how many comparisons it had"
    if ran != promised:
        return f"is incomplete: {ran or 0} of {promised} comparisons ran"
    problems = details.get("problems")
    if problems:
        first = f": {printable(problems[0], 200)}" if isinstance(problems, list) else ""
        return f"was not clear for another reason than its diffs{first}"
    return "" if ran else "compared nothing"
