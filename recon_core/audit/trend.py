"""Trends over the runs of a log (design, "Escalation").

Runs are numbered in the log's order, per strategy. Sums are exact; a slope is the least
squares line through the runs, a fraction that is rounded for display only.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any, Final

from recon_core.audit.entries import RECON_SUMMARY
from recon_core.audit.fields import Entry, rank_of
from recon_core.audit.filters import Filters
from recon_core.audit.query import Answer, limit_note, recorded_note
from recon_core.audit.tally import Run, Sink
from recon_core.model.escalation import MANY_INFO
from recon_core.values.amounts import EXACT, ZERO, format_amount
from recon_core.values.severity import Severity

FEWEST_RUNS: Final = 3
"""Fewer runs, or INFO diffs of one sign, are no trend."""

RECENT_RUNS: Final = 5
"""Runs before now that count as recent."""
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
    """One key of a strategy. `differed` and `warned` have a bit for each run."""

    differed: int = 0
    warned: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    deltas: Line = field(default_factory=Line)
    info_signs: Counter[int | None] = field(default_factory=Counter)

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

    def to_dict(self, key: str, runs: int) -> dict[str, Any]:
        """Plain data for JSON."""
        warns = self.warns_recently(runs)
        return {
            "key": key,
            "runs": self.differed.bit_count(),
            "counts_by_severity": _by_severity(self.counts),
            "delta_slope": shown_slope(self.deltas.slope),
            "one_signed_info": self.one_sign,
            "warn_in_recent_runs": warns,
            "warn_recurs": warns >= RECURRING,
        }


@dataclass(slots=True)
class StrategyTrend:
    """The runs of one strategy: ids and INFO counts in their order, and its keys."""

    run_ids: list[str] = field(default_factory=list)
    info: list[int] = field(default_factory=list)
    keys: dict[str, KeyTrend] = field(default_factory=dict)

    def to_dict(self, strategy_id: str | None) -> dict[str, Any]:
        """Plain data for JSON, the keys sorted."""
        slope = self._info_slope()
        above = [run for run, count in zip(self.run_ids, self.info, strict=True) if _many(count)]
        runs = len(self.run_ids)
        rising = runs >= FEWEST_RUNS and (slope or 0) > 0 and self.info[-1] > self.info[0]
        return {
            "strategy_id": strategy_id,
            "runs": runs,
            "info_per_run": self.info,
            "info_slope": shown_slope(slope),
            "info_rising": rising,
            "runs_above_50_info": above,
            "above_50_info": _many(self.info[-1]),
            "keys": [trend.to_dict(key, runs) for key, trend in sorted(self.keys.items())],
        }

    def _info_slope(self) -> Fraction | None:
        line = Line()
        for number, count in enumerate(self.info):
            line.add(number, Decimal(count))
        return line.slope


class TrendSink(Sink):
    """The trends of every strategy; a limit keeps the first of them."""

    def __init__(self, filters: Filters, limit: int | None) -> None:
        self._filters, self._limit = filters, limit
        self._strategies: dict[str | None, StrategyTrend] = {}
        self._partly = 0
        # The place of each unfinished run among those of its strategy.
        self._numbers: dict[int, tuple[StrategyTrend, int]] = {}

    def summary(self, run: Run, entry: Entry) -> None:  # noqa: ARG002  # a sink's signature
        """Number a run where it is first heard of."""
        self._number(run)

    def diff(self, run: Run, entry: Entry) -> None:
        """Take a diff into the trend of its key."""
        strategy, number = self._number(run)
        details = entry["details"]
        key = key_of(details)
        trend = strategy.keys.get(key)
        if trend is None:
            trend = strategy.keys[key] = KeyTrend()
        trend.add(number, details["severity"], delta_of(details))

    def finished(self, run: Run) -> None:
        """Take the INFO count, recorded or counted, whichever is more."""
        if not run.summaries and not run.recorded:
            return  # opened and nothing else
        strategy, number = self._number(run)
        del self._numbers[run.index]
        self._partly += bool(recorded_note(run, self._filters.passing))
        if Severity.INFO in self._filters.severities:
            strategy.info[number] = run.findings(_INFO)

    def answer(self) -> Answer:
        """One item per strategy, sorted by name."""
        found = sorted(self._strategies.items(), key=lambda item: (item[0] or "", item[0] is None))
        items = [strategy.to_dict(name) for name, strategy in found[: self._limit]]
        notes = limit_note(len(items), len(found))
        if items and Severity.INFO not in self._filters.severities:
            notes.append("INFO diffs are left out by the severity filter")
        if self._partly:
            runs = "1 run" if self._partly == 1 else f"{self._partly} runs"
            notes.append(f"not all diffs of {runs} are recorded, so keys may lack some")
        return Answer(RECON_SUMMARY, items, len(found), notes)

    def _number(self, run: Run) -> tuple[StrategyTrend, int]:
        place = self._numbers.get(run.index)
        if place is None:
            strategy = self._strategies.setdefault(run.strategy_id, StrategyTrend())
            place = self._numbers[run.index] = strategy, len(strategy.run_ids)
            strategy.run_ids.append(run.run_id)
            strategy.info.append(0)
        return place


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
