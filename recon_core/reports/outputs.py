"""The reports that a run names, each failing from its start until its own is written.

A report of an earlier run must not outlive the run that names it: a consumer would read the
old verdict where the new run was refused, stopped or killed. So the first thing that a run
does is to put a report in each place that says "the run has not ended".
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recon_core.reports.written_path import is_same_file, written_path
from recon_core.values.errors import ReconError
from recon_core.values.files import write_atomically

NOT_ENDED: Final = "the run has not ended"


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """A kind of report: how a file of it begins, and one that fails as `NOT_ENDED`."""

    begins: re.Pattern[bytes]
    not_ended: str


JUNIT: Final = ReportFormat(
    begins=re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>)?\s*<testsuites?[\s/>]"),
    # A constant: what writes reports is imported later, and may be a reason not to end.
    not_ended=(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<testsuites tests="1" failures="0" errors="1" time="0">'
        '<testsuite name="recon" tests="1" failures="0" errors="1" skipped="0" time="0">'
        '<testcase classname="recon" name="gate" time="0">'
        f'<error type="error" message="{NOT_ENDED}">{NOT_ENDED}: it goes on, its command line '
        "was refused, or it was stopped before its report was written</error>"
        "</testcase></testsuite></testsuites>\n"
    ),
)


def named_value(words: Sequence[str], *options: str) -> str | None:
    """The value that a command line gives an option, under any of its names; the last holds."""
    found = None
    for position, word in enumerate(words):
        if word == "--":
            break
        name, joined, value = word.partition("=")
        if name in options:
            following = words[position + 1 : position + 2]
            found = value if joined else next(iter(following), None)
    return found


def withdraw(value: str, directory: Path, report: ReportFormat, log: str | None = None) -> None:
    """Put a report that fails in the place of an earlier one, and never in that of a new `log`.

    A file that no report may replace stays untouched: the command line is refused for it
    where its options are read. So is a place that cannot be written, when the report is.
    """
    try:
        path = written_path(value, directory, report.begins)
    except ReconError:
        return
    if log is not None and is_same_file(path, directory / log) and not _has_text(path):
        return
    attempts: Iterable[Callable[[], object]] = (
        lambda: _write_whole(path, report.not_ended),
        # A directory that takes no new file, a disk that is full: cut it, or remove it.
        lambda: path.write_text(report.not_ended, encoding="utf-8"),
        path.unlink,
    )
    for attempt in attempts:
        with contextlib.suppress(OSError, ValueError):
            attempt()
            return


def _has_text(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return path.stat().st_size > 0
    return False


def _write_whole(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text)
