"""The calculation for a night of a million sessions, from measured costs of one."""

from collections.abc import Iterable, Mapping
from typing import Final

from figures import Figures, FiguresError

SESSIONS: Final = 1_000_000
HOURS: Final = 8
"""A night: what the last trades of a day and the first of the next leave."""
IN_ONE: Final = 50_000
"""Sessions that one command judges, so that it holds the results of no more."""
_HEAD: Final = f"""\
| {SESSIONS:,} sessions of | CPU a session | core hours | cores for {HOURS} hours | read |
|---|---|---|---|---|
"""


def night(files: Iterable[Figures]) -> str:
    """Return the calculation as Markdown; raises `FiguresError` where costs are missing."""
    costs = next((each for each in files if each.benchmark == "curves"), None)
    if costs is None:
        raise FiguresError("curves.json: no figures of the release; expected those of curves.py")
    by_case: dict[str, dict[str, float]] = {}
    for figure in costs.figures:
        by_case.setdefault(figure.case, {})[figure.measure] = figure.value
    rows = [_row(case, values) for case, values in by_case.items()]
    return _HEAD + "".join(rows) + _text(costs, by_case)


def _text(costs: Figures, by_case: Mapping[str, Mapping[str, float]]) -> str:
    kept = max(values["its results in memory"] for values in by_case.values())
    return f"""
A command holds the results of its sessions until its end, here up to {kept:.0f} KiB each:
{IN_ONE:,} sessions in one command are {IN_ONE * kept / 1024**2:.1f} GiB, all {SESSIONS:,}
would be {SESSIONS * kept / 1024**2:.0f} GiB. So a night is {SESSIONS // IN_ONE} commands, each for
a part of the recordings: as many at a time as there are machines, or with `--scheduler` one after
the other. Differences that are explained cost more, and so does fetching by URL.

Measured with `{costs.command}` on {costs.date}; all costs are in
[performance](performance.md#many-sessions)."""


def _row(case: str, values: dict[str, float]) -> str:
    hours = values["a session"] / 1000 * SESSIONS / 3600
    size = values["its file"] * SESSIONS / 1024**2
    cores = max(1, -(-hours // HOURS))
    figures = f"{values['a session']:.3g} ms | {hours:,.1f} | {cores:,.0f} | {size:,.0f} GiB"
    return f"| {case} | {figures} |\n"
