"""The latest runs of an audit log in figures, for a chart of their course."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from recon_core.reports.run_report import TrendRun
from recon_core.values.severity import Severity

MOST_RUNS: Final = 20
"""Runs of a chart: each has a bar that is wide enough to be seen alone."""
_TAIL: Final = 4 * 1024 * 1024
"""Bytes at the end of a log that are looked at: a report must not cost as much as the log."""


def recent_runs(path: Path) -> tuple[TrendRun, ...]:
    """Return the last runs of a log, one for each command, the latest last.

    What cannot be read is no run; `recon audit verify` says what is wrong with it. A command of
    which only the end was read is left out.
    """
    commands: dict[str, tuple[str, Counter[str]]] = {}
    summaries, is_whole = _summaries(path)
    for details, time in summaries:
        command = str(details.get("invocation_id") or details.get("run_id"))
        _, counts = commands.setdefault(command, (time, Counter()))
        found = details.get("counts_by_severity")
        for severity, count in (found if isinstance(found, dict) else {}).items():
            if severity in tuple(Severity) and isinstance(count, int):
                counts[severity] += count
    latest = list(commands.values())[0 if is_whole else 1 :][-MOST_RUNS:]
    return tuple(TrendRun(time, dict(counts)) for time, counts in latest)


def _summaries(path: Path) -> tuple[list[tuple[dict[str, Any], str]], bool]:
    """The details and the time of each summary at the end of a log; if that is all of it."""
    try:
        with path.open("rb") as file:
            start = max(file.seek(0, 2) - _TAIL, 0)
            file.seek(start)
            lines = file.read().split(b"\n")
    except OSError:
        return [], True
    found = []
    for line in lines[1 if start else 0 :]:
        if b'"RECON_SUMMARY"' in line:
            try:
                entry = json.loads(line)
                found.append((dict(entry["details"]), str(entry["timestamp"])))
            except (ValueError, TypeError, LookupError):
                continue
    return found, start == 0
