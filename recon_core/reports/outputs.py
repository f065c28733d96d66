"""The reports that a run names, each failing from its start until its own is written.

A report of an earlier run must not outlive the run that names it: a consumer would read the
old verdict where the new run was refused, stopped or killed. So the first thing that a run
does is to put a report in each place that says "the run has not ended".
"""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from recon_core.reports.formats import FORMATS, ReportFormat
from recon_core.reports.writing import STANDARD_OUTPUT
from recon_core.reports.written_path import is_same_file, written_path
from recon_core.values.errors import ReconError
from recon_core.values.files import write_atomically


def named_value(words: Sequence[str], *options: str) -> str | None:
    """The value that a command line gives an option, under any of its names; the last holds."""
    return next(reversed(named_values(words, *options)), None)


def named_values(words: Sequence[str], *options: str) -> list[str | None]:
    """Every value that a command line gives an option, under any of its names.

    The value of an option that is the last word is `None`.
    """
    found: list[str | None] = []
    for position, word in enumerate(words):
        if word == "--":
            break
        name, joined, value = word.partition("=")
        if name in options:
            following = words[position + 1 : position + 2]
            found.append(value if joined else next(iter(following), None))
    return found


def withdraw_named(
    words: Sequence[str], option: str, junit: str, directory: Path, log: str | None
) -> None:
    """Put a report that fails in the place of each that a command line names.

    `option` takes `FORMAT:PATH` and may be repeated, `junit` takes the path of a JUnit file;
    `log` is that of `withdraw`.
    """
    for value in named_values(words, option):
        name, _, place = (value or "").partition(":")
        if name in FORMATS and place != STANDARD_OUTPUT:
            withdraw(place, directory, FORMATS[name], log)
    named = named_value(words, junit)
    if named is not None:
        withdraw(named, directory, FORMATS["junit"], log)


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
