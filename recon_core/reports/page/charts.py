"""The charts of the page as paths of SVG: a course in time, a waterfall, lanes of fills, a trend.

Places are whole pixels in the chart's own coordinates; figures beside them are exact. What the
paths show is also said in a sentence, for readers that do not see them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate, chain
from typing import Final

from recon_core.reports.figures import figure, signed_figure
from recon_core.reports.run_report import Course, FillMark, Steps, TrendRun
from recon_core.values.amounts import EXACT, decimal_places, format_amount, pad_to_places
from recon_core.values.severity import Severity

WIDTH: Final = 640
"""Width of a chart in its own coordinates, in pixels at full size."""
HEIGHT: Final = 120
"""Height of a chart, enough for a step of a tenth of the range to show."""
_MARGIN: Final = 8
"""Pixels above and below the highest and the lowest value."""
_LANE: Final = 22
"""Height of a lane of fills."""
_TEXT: Final = 14
"""Height of a line of text."""
_WIDEST: Final = 64
"""Pixels of a bar of the trend: two runs are no wall."""
_NARROWEST: Final = 3
"""Pixels of a mark: a narrower one does not show in print."""


@dataclass(frozen=True, slots=True)
class StepChart:
    """A step line of internal minus external: its path, the band of the tolerance, the start.

    `band` is the top and the height of the shaded band, `zero` the line of no difference,
    `first` the place of the first divergence, `None` where there is none. `label` is the delta at
    the end in short, `label_at` the line that it is written on.
    """

    path: str
    band: tuple[int, int]
    zero: int
    first: int | None
    label: str
    label_at: int
    begins: str
    ends: str
    text: str


def step_chart(course: Course, unit: str) -> StepChart:
    """Return the chart of a timeline; equal neighbours are one step."""
    points = [
        (datetime.fromisoformat(point.time), _delta(point.internal, point.external))
        for point in course.points
    ]
    tolerance = Decimal(course.tolerance)
    values = [delta for _, delta in points]
    most = max([*map(abs, values), tolerance]) or Decimal(1)
    times = _scaled([time for time, _ in points])
    heights = [_height(value, most) for value in values]
    path = f"M{times[0]} {heights[0]}"
    for before, place in enumerate(range(1, len(points))):
        if heights[place] != heights[before] or place == len(points) - 1:
            path += f"H{times[place]}V{heights[place]}"
    top, bottom = _height(tolerance, most), _height(-tolerance, most)
    first = course.first if course.first is not None and course.first < len(points) else None
    return StepChart(
        path=path,
        band=(top, max(bottom - top, 1)),
        zero=HEIGHT // 2,
        first=None if first is None else times[first],
        label=f"{signed_figure(values[-1])} {unit}",
        label_at=_beside(heights[-1]),
        begins=course.points[0].time,
        ends=course.points[-1].time,
        text=_course_text(course, points[-1][1], first, unit),
    )


def _beside(height: int) -> int:
    """Return the line of a text that leaves a line at a height visible."""
    return height + _TEXT if height < HEIGHT / 2 else height - _TEXT // 2


def _course_text(course: Course, last: Decimal, first: int | None, unit: str) -> str:
    times = "snapshots" if course.source == "snapshots" else "times after postings"
    since = "no point differs" if first is None else f"differs from {course.points[first].time}"
    more = f", {course.left_out} times between are not drawn" if course.left_out else ""
    return (
        f"{len(course.points)} {times}{more}; {since}; at the end the delta is "
        f"{format_amount(last)} {unit}, and {course.tolerance} {unit} would not fail"
    )


def _delta(internal: str, external: str) -> Decimal:
    return EXACT.subtract(Decimal(internal), Decimal(external))


def _height(value: Decimal, most: Decimal) -> int:
    return round(HEIGHT / 2 - float(value / most) * (HEIGHT / 2 - _MARGIN))


def _scaled(times: Sequence[datetime]) -> list[int]:
    length = (max(times) - min(times)).total_seconds()
    start = min(times)
    return [
        round((time - start).total_seconds() / length * WIDTH) if length else 0 for time in times
    ]


@dataclass(frozen=True, slots=True)
class WaterfallRow:
    """One category of a waterfall; amounts are empty where a side has none."""

    category: str
    internal: str
    external: str
    delta: str


@dataclass(frozen=True, slots=True)
class WaterfallChart:
    """Both sides of a balance as bars, one path each, and the categories that differ outlined."""

    rows: tuple[WaterfallRow, ...]
    internal: str
    external: str
    outline: str
    labels: tuple[tuple[int, str], ...]
    text: str


def waterfall_chart(sides: Sequence[Steps], states: Mapping[str, str]) -> WaterfallChart:
    """Return the chart of the waterfalls of one balance, of one side or of both.

    `states` are the balances by side: of a side without steps only the end is drawn.
    """
    names = list(dict.fromkeys(name for steps in sides for name in steps.steps))
    amounts: dict[str, list[Decimal]] = {steps.side: _amounts(steps, names) for steps in sides}
    ends = {side: Decimal(state) for side, state in states.items()}
    places = max(map(decimal_places, chain(ends.values(), *amounts.values())))
    low, high = _range(amounts.values(), ends.values())
    width = WIDTH // (len(names) + 1)
    paths = {
        side: "".join(_bars(amounts.get(side, []), ends.get(side), low, high, width, shift))
        for side, shift in (("internal", 0), ("external", width // 3))
    }
    rows = [
        _row(name, {side: each[place] for side, each in amounts.items()}, places)
        for place, name in enumerate(names)
    ]
    rows.append(_row("closing", ends, places))
    outline = "".join(
        f"M{place * width + 1} 1h{width - 4}v{HEIGHT - 2}h{4 - width}z"
        for place, row in enumerate(rows)
        if row.delta not in ("", "0")
    )
    differing = [
        f"{row.category} by {figure(Decimal(row.delta))}"
        for row in rows
        if row.delta not in ("", "0")
    ]
    unit = sides[0].currency
    said = f"differs in {', '.join(differing)} {unit}" if differing else "both sides agree"
    said += f"; the bars are drawn from {figure(low)} to {figure(high)}"
    return WaterfallChart(
        tuple(rows),
        paths["internal"],
        paths["external"],
        outline,
        tuple((place * width + width // 2, row.category) for place, row in enumerate(rows)),
        said,
    )


def _amounts(steps: Steps, names: Iterable[str]) -> list[Decimal]:
    return [Decimal(steps.steps.get(name, "0")) for name in names]


def _range(sides: Iterable[Sequence[Decimal]], ends: Iterable[Decimal]) -> tuple[Decimal, Decimal]:
    """Return the least and the largest of all running sums with some space around them."""
    sums = [*ends, *(total for values in sides for total in _running(values))]
    low, high = min(sums), max(sums)
    space = (high - low) / 10 or abs(high) / 10 or Decimal(1)
    return low - space, high + space


def _running(values: Sequence[Decimal]) -> list[Decimal]:
    return list(accumulate(values, EXACT.add))


def _bars(
    values: Sequence[Decimal],
    end: Decimal | None,
    low: Decimal,
    high: Decimal,
    width: int,
    shift: int,
) -> Iterator[str]:
    """Bars from one running sum to the next; the first and the end begin at the bottom."""
    sums = _running(values)
    spans = list(zip([low, *sums], sums, strict=False))
    places = list(range(len(spans)))
    if end is not None:
        spans.append((low, end))
        places.append(WIDTH // width - 1)
    for place, (begin, until) in zip(places, spans, strict=True):
        top, bottom = sorted((_level(begin, low, high), _level(until, low, high)))
        x = place * width + 4 + shift
        yield f"M{x} {top}h{width // 3 - 3}v{max(bottom - top, 1)}h{3 - width // 3}z"


def _level(value: Decimal, low: Decimal, high: Decimal) -> int:
    return round(HEIGHT - float((value - low) / (high - low)) * HEIGHT)


def _row(name: str, amounts: Mapping[str, Decimal], places: int) -> WaterfallRow:
    """Return a row of amounts with equal decimals; no digit is lost."""
    shown = {side: _padded(amount, places) for side, amount in amounts.items()}
    delta = ""
    if len(amounts) == len(("internal", "external")):
        found = EXACT.subtract(amounts["internal"], amounts["external"])
        delta = _padded(found, places) if found else "0"
    return WaterfallRow(name, shown.get("internal", ""), shown.get("external", ""), delta)


def _padded(amount: Decimal, places: int) -> str:
    return format_amount(pad_to_places(amount, places))


@dataclass(frozen=True, slots=True)
class FillLanes:
    """Fills in time, the ledger's above and the exchange's below, one path for each kind."""

    matched: str
    unequal: str
    only_internal: str
    only_external: str
    begins: str
    ends: str
    text: str


def fill_lanes(marks: Sequence[FillMark]) -> FillLanes | None:
    """Return the lanes of a session's fills, `None` where it has none."""
    if not marks:
        return None
    places = _scaled([datetime.fromisoformat(mark.time) for mark in marks])
    drawn = {"matched": "", "unequal": "", "only_internal": "", "only_external": ""}
    for place, mark in zip(places, marks, strict=True):
        x = min(place, WIDTH - _NARROWEST)
        for name in drawn:
            if getattr(mark, name):
                drawn[name] += "".join(
                    f"M{x} {y}h{_NARROWEST}v{_LANE - 4}h-{_NARROWEST}z" for y in _LANES[name]
                )
    counts = {name: sum(getattr(mark, name) for mark in marks) for name in drawn}
    text = (
        f"{counts['matched']} fills are equal on both sides, {counts['unequal']} differ, "
        f"{counts['only_internal']} are in the ledger only, "
        f"{counts['only_external']} on the exchange only"
    )
    return FillLanes(**drawn, begins=marks[0].time, ends=marks[-1].time, text=text)


_LANES: Final = {
    "matched": (2, _LANE + 2),
    "unequal": (2, _LANE + 2),
    "only_internal": (2,),
    "only_external": (_LANE + 2,),
}
"""Tops of the lanes that a kind of mark is drawn in: the ledger's, the exchange's or both."""


@dataclass(frozen=True, slots=True)
class TrendChart:
    """Differences of former runs by severity, stacked; one path for each severity.

    `labels` are the numbers above the bars and where they are: middle and line.
    """

    paths: tuple[tuple[str, str], ...]
    labels: tuple[tuple[int, int, int], ...]
    begins: str
    ends: str
    text: str


def trend_chart(runs: Sequence[TrendRun]) -> TrendChart | None:
    """Return the chart of former runs, `None` where fewer than two are known."""
    if len(runs) < len(("before", "now")):
        return None
    totals = [sum(run.counts.values()) for run in runs]
    most = max(totals) or 1
    width = min(max(WIDTH // len(runs), _NARROWEST + 1), _WIDEST)
    paths: dict[str, str] = {}
    labels = []
    for place, (run, total) in enumerate(zip(runs, totals, strict=True)):
        y = HEIGHT
        for severity in reversed(Severity):
            height = round(run.counts.get(severity, 0) / most * (HEIGHT - _TEXT - _MARGIN))
            if height:
                y -= height
                bar = f"M{place * width + 1} {y}h{width - 2}v{height}h{2 - width}z"
                paths[severity] = paths.get(severity, "") + bar
        labels.append((place * width + width // 2, y - _MARGIN // 2, total))
    listed = ", ".join(map(str, totals))
    text = f"differences of the last {len(runs)} runs, the latest last: {listed}"
    return TrendChart(tuple(paths.items()), tuple(labels), runs[0].time, runs[-1].time, text)
