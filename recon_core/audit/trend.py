"""Trends over the runs of a log (design, "Escalation").

A trend follows one thing through time. Where each command judged one session of a strategy, as a
live account has it, that is the strategy; where a command judged several, as a suite of recordings
has it, each session is followed by itself: its runs of one command are no later than each other.
Runs are numbered in the log's order. Sums are exact; a slope is the least squares line through
the runs, a fraction that is rounded for display only.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any, Final

from recon_core.audit.entries import RECON_SUMMARY
from recon_core.audit.fields import Entry, rank_of
from recon_core.audit.filters import Filters
from recon_core.audit.query import Answer, limit_note, recorded_note
from recon_core.audit.suites import Suites
from recon_core.audit.tally import Run, Sink
from recon_core.model.escalation import MANY_INFO
from recon_core.values.amounts import EXACT, ZERO, format_amount
from recon_core.values.severity import Severity
from recon_core.values.times import format_time

FEWEST_RUNS: Final = 3
"""Fewer runs, or INFO diffs of one sign, are no trend."""

RECENT_RUNS: Final = 5
"""Runs before now that count as recent."""
DRAWN_RUNS: Final = 20
"""Runs of which a key keeps its deltas to be drawn: the chart is a column of a table."""
RECURRING: Final = 3
"""A key that is WARN in so many of the recent runs recurs (design, "Escalation")."""

# Sums of amounts, which a log may hold too, have more digits than amounts.
_AMOUNT: Final = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?", re.ASCII)
_DISPLAY: Final = Context(prec=4, rounding=ROUND_HALF_EVEN)


@dataclass(slots=True)
class Line:
    """The least squares line through points, from exact sums."""

    count: int = 0
    sum_x: int = 0
    sum_xx: int = 0
    sum_y: Decimal = ZERO
    sum_xy: Decimal = ZERO

    def add(self, x: int, y: Decimal) -> None:
        """Take one more point."""
        self.count += 1
        self.sum_x += x
        self.sum_xx += x * x
        self.sum_y = EXACT.add(self.sum_y, y)
        self.sum_xy = EXACT.add(self.sum_xy, EXACT.multiply(y, Decimal(x)))

    @property
    def slope(self) -> Fraction | None:
        """The change of y per step of x, `None` with fewer than two values of x."""
        below = self.count * self.sum_xx - self.sum_x**2
        if not below:
            return None
        above = self.count * Fraction(self.sum_xy) - self.sum_x * Fraction(self.sum_y)
        return above / below


def shown_slope(slope: Fraction | None) -> str | None:
    """A slope to 4 significant digits, without an exponent."""
    if slope is None:
        return None
    rounded = _DISPLAY.divide(Decimal(slope.numerator), Decimal(slope.denominator))
    return format_amount(rounded.normalize(_DISPLAY))


@dataclass(slots=True)
class KeyTrend:
    """One key of a series. `differed` and `warned` have a bit for each run.

    `recent` has the sizes of the latest deltas, by run.
    """

    differed: int = 0
    warned: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    deltas: Line = field(default_factory=Line)
    info_signs: Counter[int | None] = field(default_factory=Counter)
    recent: dict[int, Decimal] = field(default_factory=dict)

    def add(self, number: int, severity: str, delta: Decimal | None) -> None:
        """Take a diff of the run with this number."""
        self.differed |= 1 << number
        self.counts[severity] += 1
        if severity == Severity.WARN:
            self.warned |= 1 << number
        if severity == Severity.INFO:
            self.info_signs[None if delta is None else (delta > 0) - (delta < 0)] += 1
        if delta is not None:
            self.deltas.add(number, delta)
            self.recent[number] = max(delta.copy_abs(), self.recent.get(number, ZERO))
            if len(self.recent) > 2 * DRAWN_RUNS:
                kept = sorted(self.recent)[-DRAWN_RUNS:]
                self.recent = {run: self.recent[run] for run in kept}

    def age(self, runs: int) -> int:
        """The number of runs without a gap in which it differs, the latest of `runs` included."""
        without = ~self.differed & ((1 << runs) - 1)
        return runs - without.bit_length()

    @property
    def one_sign(self) -> str | None:
        """The sign of its INFO diffs, where at least three have all the same one."""
        signs = list(self.info_signs)
        if len(signs) != 1 or self.info_signs[signs[0]] < FEWEST_RUNS:
            return None
        return {1: "positive", -1: "negative"}.get(signs[0] or 0)

    def warns_recently(self, runs: int) -> int:
        """In how many of the last five of `runs` runs it was WARN."""
        return (self.warned >> max(0, runs - RECENT_RUNS)).bit_count()

    def to_dict(self, key: str, times: Sequence[datetime]) -> dict[str, Any]:
        """Plain data for JSON; `times` are those of all runs of the series."""
        runs = len(times)
        warns, age = self.warns_recently(runs), self.age(runs)
        since = times[runs - age] if age else None
        drawn = [self.recent.get(run) for run in range(max(0, runs - DRAWN_RUNS), runs)]
        return {
            "key": key,
            "runs": self.differed.bit_count(),
            "counts_by_severity": _by_severity(self.counts),
            "age_runs": age,
            "age_days": 0 if since is None else (times[-1] - since).days,
            "since": None if since is None else format_time(since),
            "sizes": [None if size is None else format_amount(size) for size in drawn],
            "delta_slope": shown_slope(self.deltas.slope),
            "one_signed_info": self.one_sign,
            "warn_in_recent_runs": warns,
            "warn_recurs": warns >= RECURRING,
        }


@dataclass(slots=True)
class Series:
    """Runs that follow each other: ids, times and INFO counts in their order, and keys."""

    run_ids: list[str] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    info: list[int] = field(default_factory=list)
    keys: dict[str, KeyTrend] = field(default_factory=dict)

    def begin(self, run: Run) -> int:
        """Take a run where it is first heard of; its number."""
        self.run_ids.append(run.run_id)
        self.times.append(run.time)
        self.info.append(0)
        return len(self.run_ids) - 1

    def add(self, number: int, details: dict[str, Any]) -> None:
        """Take a diff of the run with this number into the trend of its key."""
        trend = self.keys.setdefault(key_of(details), KeyTrend())
        trend.add(number, details["severity"], delta_of(details))

    def to_dict(self, strategy_id: str | None, session_id: str | None) -> dict[str, Any]:
        """Plain data for JSON, the keys sorted; `session_id` of a series of one session."""
        slope = self._info_slope()
        above = [run for run, count in zip(self.run_ids, self.info, strict=True) if _many(count)]
        runs = len(self.run_ids)
        rising = runs >= FEWEST_RUNS and (slope or 0) > 0 and self.info[-1] > self.info[0]
        return {
            "strategy_id": strategy_id,
            "session_id": session_id,
            "runs": runs,
            "info_per_run": self.info,
            "info_slope": shown_slope(slope),
            "info_rising": rising,
            "runs_above_50_info": above,
            "above_50_info": _many(self.info[-1]),
            "keys": [trend.to_dict(key, self.times) for key, trend in sorted(self.keys.items())],
        }

    def _info_slope(self) -> Fraction | None:
        line = Line()
        for number, count in enumerate(self.info):
            line.add(number, Decimal(count))
        return line.slope


@dataclass(slots=True)
class _Strategy:
    """One strategy, as one series and as a series for each of its sessions."""

    whole: Series = field(default_factory=Series)
    sessions: dict[str | None, Series] = field(default_factory=dict)

    def items(self, strategy_id: str | None, *, is_suite: bool) -> list[dict[str, Any]]:
        """Return the series to be shown as plain data."""
        if not is_suite:
            return [self.whole.to_dict(strategy_id, None)]
        found = sorted(self.sessions.items(), key=lambda item: (item[0] or "", item[0] is None))
        return [series.to_dict(strategy_id, session) for session, series in found]


class TrendSink(Sink):
    """The trends of every strategy, or of its sessions; a limit keeps the first of them."""

    def __init__(self, filters: Filters, limit: int | None) -> None:
        self._filters, self._limit = filters, limit
        self._strategies: dict[str | None, _Strategy] = {}
        self._suites = Suites()
        self._partly = 0
        # The places of each unfinished run: in its strategy, and in its session.
        self._places: dict[int, tuple[tuple[Series, int], ...]] = {}

    def summary(self, run: Run, entry: Entry) -> None:
        """Number a run where it is first heard of; see whether its command had another one."""
        self._number(run)
        self._suites.see(run.strategy_id, entry["details"].get("invocation_id"))

    def diff(self, run: Run, entry: Entry) -> None:
        """Take a diff into the trends of its key."""
        for series, number in self._number(run):
            series.add(number, entry["details"])

    def finished(self, run: Run) -> None:
        """Take the INFO count, recorded or counted, whichever is more."""
        if not run.summaries and not run.recorded:
            return  # opened and nothing else
        places = self._number(run)
        del self._places[run.index]
        self._partly += bool(recorded_note(run, self._filters.passing))
        if Severity.INFO in self._filters.severities:
            for series, number in places:
                series.info[number] = run.findings(_INFO)

    def answer(self) -> Answer:
        """One item per strategy or session, sorted by name."""
        found = sorted(self._strategies.items(), key=lambda item: (item[0] or "", item[0] is None))
        every = [
            item
            for name, strategy in found
            for item in strategy.items(name, is_suite=name in self._suites)
        ]
        items = every[: self._limit]
        notes = limit_note(len(items), len(every))
        if items and Severity.INFO not in self._filters.severities:
            notes.append("INFO diffs are left out by the severity filter")
        if self._partly:
            runs = "1 run" if self._partly == 1 else f"{self._partly} runs"
            notes.append(f"not all diffs of {runs} are recorded, so keys may lack some")
        return Answer(RECON_SUMMARY, items, len(every), notes)

    def _number(self, run: Run) -> tuple[tuple[Series, int], ...]:
        places = self._places.get(run.index)
        if places is None:
            strategy = self._strategies.setdefault(run.strategy_id, _Strategy())
            of_session = strategy.sessions.setdefault(run.session_id, Series())
            both = (strategy.whole, of_session)
            places = self._places[run.index] = tuple((one, one.begin(run)) for one in both)
        return places


_INFO: Final = frozenset({str(Severity.INFO)})


def _many(count: int) -> bool:
    return count > MANY_INFO


def _by_severity(counts: Counter[str]) -> dict[str, int]:
    """Return counts, the worst first; what is not known is worse than what is."""
    names = sorted(counts, key=lambda name: (-rank_of(name), name))
    return {name: counts[name] for name in names if counts[name]}


def key_of(details: dict[str, Any]) -> str:
    """Return a key like `position::BTC/EUR`; a foreign diff names it in its `diff_details`."""
    figures = details.get("diff_details")
    tables = (details, figures) if isinstance(figures, dict) else (details,)
    for name in ("key", "symbol", "currency"):
        for table in tables:
            if isinstance(table.get(name), str) and table[name]:
                return f"{_kind(details)}::{table[name]}"
    return _kind(details)


def _kind(details: dict[str, Any]) -> str:
    return str(details.get("diff_type") or "unknown").lower()


def delta_of(details: dict[str, Any]) -> Decimal | None:
    """The exact delta of a diff, `None` where it has none."""
    delta = details.get("delta")
    if delta is None:
        figures = details.get("diff_details")
        delta = figures.get("delta") if isinstance(figures, dict) else None
    if isinstance(delta, bool) or not isinstance(delta, str | int | float):
        return None
    # A float was kept only because this is how it stood in the file.
    text = delta if isinstance(delta, str) else repr(delta)
    return Decimal(text) if _AMOUNT.fullmatch(text) else None
