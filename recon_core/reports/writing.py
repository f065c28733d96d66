"""The reports that a command line names: parsed, and each written whole or not at all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from recon_core.reports.formats import FORMATS, ReportFormat
from recon_core.reports.written_path import is_same_file, written_path
from recon_core.values.errors import ReconError
from recon_core.values.files import write_atomically
from recon_core.values.memory import without_collecting
from recon_core.values.printable import printable, quoted

if TYPE_CHECKING:
    from recon_core.reports.run_report import RunReport

STANDARD_OUTPUT: Final = "-"
JUNIT_OPTIONS: Final = ("--junit", "--recon-junit")
"""Older names of an option for `junit:PATH`, which take the path alone."""


@dataclass(frozen=True, slots=True)
class NamedReport:
    """A report that an option names; `path` is `None` for standard output."""

    option: str
    format_name: str
    path: Path | None

    @property
    def format(self) -> ReportFormat:
        """Its format."""
        return FORMATS[self.format_name]

    @property
    def shown(self) -> str:
        """`--report=html:recon.html`, as an error message names it, safe to print."""
        place = STANDARD_OUTPUT if self.path is None else printable(self.path)
        name = "" if self.option in JUNIT_OPTIONS else f"{self.format_name}:"
        return f"{self.option}={name}{place}"


def split_name(value: str) -> tuple[str, str]:
    """Return format and path of `FORMAT:PATH`; raises `ReconError` for another form."""
    name, colon, place = value.partition(":")
    if name in FORMATS and colon and place:
        return name, place
    from recon_core.values.suggestions import suggestion  # noqa: PLC0415  # brings difflib

    meant = "" if name in FORMATS else suggestion(name, FORMATS)
    raise ReconError(
        f"{quoted(value, 200)}; expected FORMAT:PATH, FORMAT one of {', '.join(FORMATS)}{meant}"
    )


def named_report(option: str, value: str, directory: Path) -> NamedReport:
    """Return the report that an option names, seen from `directory`; raises `ReconError`.

    The value is `FORMAT:PATH`, of one of `JUNIT_OPTIONS` a path.
    """
    try:
        path_alone = option in JUNIT_OPTIONS
        name, place = ("junit", value) if path_alone else split_name(value)
        FORMATS[name].require()
        if place == STANDARD_OUTPUT and not path_alone:
            return NamedReport(option, name, None)
        return NamedReport(option, name, written_path(place, directory, FORMATS[name].begins))
    except ReconError as error:
        raise ReconError(f"{option}: {error}") from None


def require_own_places(
    reports: Iterable[NamedReport], others: Iterable[tuple[str, Path | None]]
) -> None:
    """Raise `ReconError` where two reports, or a report and another output, have one place.

    `others` are outputs with the words that name them, such as `the audit log`; `None` is one
    that is not written.
    """
    taken = [(words, path) for words, path in others if path is not None]
    streams = 0
    for report in reports:
        streams += report.path is None
        same = (words for words, path in taken if is_same_file(report.path, path))
        words = next(same, "standard output, as another report does" if streams > 1 else None)
        if words is not None:
            raise ReconError(f"{report.option}: names {words}; expected a place of its own")
        if report.path is not None:
            taken.append((f"the file of {report.shown}", report.path))


def write_reports(
    reports: Sequence[NamedReport],
    run: Callable[[], "RunReport"],
    problems: Callable[[], Sequence[str]],
    add_problem: Callable[[str], None],
) -> str:
    """Write every report; returns the text for standard output, empty where none is for it.

    A report that is not written is a problem of the run. All are then written again: no report
    may say that a run is clear of which another one is missing. `run` makes the report of the
    run with the `problems` that it has by then.
    """
    printed = ""
    for _ in range(len(reports) + 1):
        with without_collecting():
            report, known = run(), frozenset(problems())
            results = [_written(each, report) for each in reports]
        printed = "".join(text for text, _ in results)
        new = [problem for _, problem in results if problem and problem not in known]
        for problem in new:
            add_problem(problem)
        if not new:
            break
    return printed


def _written(report: NamedReport, run: "RunReport") -> tuple[str, str]:
    """Write one report; returns the text for standard output, and what went wrong."""
    try:
        text = report.format.render(run)
        if report.path is None:
            return text, ""
        report.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(report.path, text)
    except OSError as error:
        return "", _problem(report, error.strerror or type(error).__name__)
    except Exception as error:  # noqa: BLE001  # whatever it is, the report is missing
        known = isinstance(error, ReconError | ValueError)
        return "", _problem(report, str(error) if known else type(error).__name__)
    return "", ""


def _problem(report: NamedReport, reason: str) -> str:
    return f"{report.shown}: was not written: {printable(reason, 500)}"
