"""`recon audit trend` as a person reads it: a chart of INFO diffs, and a table of keys."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from sparklines import sparklines  # type: ignore[import-untyped]  # ships no types
from tabulate import tabulate

from recon_core.audit.query import Answer
from recon_core.audit.trend import FEWEST_RUNS, RECENT_RUNS
from recon_core.cli.audit_text import counts_text, note_lines, shown_key
from recon_core.model.escalation import MANY_INFO
from recon_core.reports.wording import counted
from recon_core.values.amounts import ZERO
from recon_core.values.printable import printable

_WIDEST_CHART: Final = 60
"""Runs that a chart shows, a column each: with its labels it fits a terminal of 80 columns."""
_STEPS: Final = 1000
"""Steps of a size in a chart; its blocks show eight of them."""
_MOST_RUNS: Final = 3
"""Runs that a line names, the latest ones; earlier ones are counted."""
_COLUMNS: Final = ("key", "runs", "age", "diffs", "delta per run", "size", "what stands out")


def trend_text(answer: Answer) -> Iterator[str]:
    """A block per strategy, or per session where commands judged several of them."""
    if not answer.items:
        yield f"{answer.empty_text}."
        return
    for item in answer.items:
        yield "\n".join(_strategy_lines(item))
    if answer.notes:
        yield "\n".join(note_lines(answer))


def _strategy_lines(item: dict[str, Any]) -> list[str]:
    name = printable(item["strategy_id"] or "none")
    session = item["session_id"]
    of_session = "" if session is None else f", session {printable(session)}"
    title = f"Strategy {name}{of_session}: {counted(item['runs'], 'run')}"
    lines = [title, *_info_lines(item)]
    if not item["keys"] and not any(item["info_per_run"]):
        return [*lines, "  no diffs"]
    if item["keys"]:
        lines += ["", *_key_table(item)]
    return lines


def _info_lines(item: dict[str, Any]) -> list[str]:
    series = item["info_per_run"]
    if not any(series):
        return []
    recent = series[-_WIDEST_CHART:]
    cut = f" (the last {len(recent)} runs)" if len(recent) < len(series) else ""
    slope = item["info_slope"]
    change = "" if slope is None else f", {_signed(slope)} per run"
    rising = ": rising" if item["info_rising"] else ""
    lines = [
        f"  INFO per run  {_chart(recent)}{cut}",
        f"                first {series[0]}, last {series[-1]}, most {max(series)}{change}{rising}",
    ]
    return lines + _rule_lines(item)


def _rule_lines(item: dict[str, Any]) -> list[str]:
    """The runbook's "> 50 INFO/Run", where it holds or held."""
    above = item["runs_above_50_info"]
    if not above:
        return []
    named = ", ".join(printable(run) for run in above[-_MOST_RUNS:])
    more = f" and {len(above) - _MOST_RUNS} earlier" if len(above) > _MOST_RUNS else ""
    holds = (
        "holds for the latest run: trend analysis; tolerance review"
        if item["above_50_info"]
        else "does not hold for the latest run"
    )
    return [
        f"  > {MANY_INFO} INFO     {holds}",
        f"                {len(above)} of {counted(item['runs'], 'run')}: {named}{more}",
    ]


def _chart(series: list[int]) -> str:
    return str(sparklines(series, minimum=0)[0])


def _key_table(item: dict[str, Any]) -> list[str]:
    rows = [_key_row(key, item["runs"]) for key in item["keys"]]
    table = tabulate(rows, _COLUMNS, tablefmt="simple", disable_numparse=True)
    return [f"  {line}".rstrip() for line in table.splitlines()]


def _key_row(key: dict[str, Any], runs: int) -> list[str]:
    found = []
    if key["warn_recurs"]:
        recent = min(runs, RECENT_RUNS)
        found.append(f"WARN in {key['warn_in_recent_runs']} of the last {recent} runs: incident")
    if key["one_signed_info"]:
        found.append(f"INFO always {key['one_signed_info']}")
    slope = key["delta_slope"]
    return [
        shown_key(key["key"]),
        f"{key['runs']}/{runs}",
        _age(key),
        counts_text(key["counts_by_severity"]),
        "-" if slope is None else _signed(slope),
        _sizes(key["sizes"]),
        "; ".join(found),
    ]


def _age(key: dict[str, Any]) -> str:
    """`3 runs, 2 days`: since when it differs without a gap; a difference that is over has none."""
    if not key["age_runs"]:
        return "-"
    return f"{counted(key['age_runs'], 'run')}, {counted(key['age_days'], 'day')}"


def _sizes(sizes: list[str | None]) -> str:
    """The sizes of the latest deltas as a chart, a gap where there was none."""
    amounts = [None if size is None else Decimal(size) for size in sizes]
    known = [amount for amount in amounts if amount is not None]
    largest = max(known, default=ZERO)
    if not largest or len(known) < FEWEST_RUNS:
        return ""
    steps = [None if each is None else int(each * _STEPS / largest) for each in amounts]
    return str(sparklines(steps, minimum=0, maximum=_STEPS)[0]).strip()


def _signed(slope: str) -> str:
    return slope if slope.startswith("-") or slope == "0" else f"+{slope}"
