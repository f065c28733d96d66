"""Options of every mode of `recon audit` (design, "The `recon` command")."""

import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final

import click

from recon_core.audit.database import DatabaseLog, require_sql
from recon_core.audit.entry_source import STANDARD_INPUT, EntrySource, open_source
from recon_core.audit.filters import Filters, chosen_severities, first_moment, last_moment
from recon_core.audit.span import last_at_or_before
from recon_core.cli.screen import format_option
from recon_core.policy.settings import find_settings
from recon_core.values.errors import AuditError, ReconError
from recon_core.values.severity import Severity

Source = str | Path | DatabaseLog | None
"""A file, `-` for standard input, a log in a database, or nothing."""

_SEVERITIES = click.Choice([str(severity) for severity in Severity], case_sensitive=False)

FORMAT_OPTION: Final = format_option("Text for people, or JSON and nothing else.")

DATABASE_OPTIONS: Final[tuple[Callable[..., Any], ...]] = (
    click.option(
        "--database", metavar="URL", help="Ask the log that recon audit load put into a database."
    ),
    click.option("--log", metavar="NAME", help="The log in the database, where it has several."),
)

_OPTIONS: Final[tuple[Callable[..., Any], ...]] = (
    FORMAT_OPTION,
    click.option(
        "--exit-on-findings",
        is_flag=True,
        help="Exit with 2 on findings, and with 1 where there is nothing to judge.",
    ),
    click.option(
        "--json",
        "source",
        metavar="PATH",
        help="An audit log or an export; - is standard input.  [default: recon_audit_log]",
    ),
    *DATABASE_OPTIONS,
    click.option(
        "--archive",
        "archives",
        metavar="DIR",
        multiple=True,
        help="Where earlier files of the log were moved to; may be repeated.",
    ),
    click.option("--run-id", metavar="ID", help="Only this run."),
    click.option("--session-id", metavar="ID", help="Only runs of this session."),
    click.option("--strategy-id", metavar="ID", help="Only runs of this strategy."),
    click.option(
        "--severity",
        "severities",
        type=_SEVERITIES,
        multiple=True,
        help="Only diffs of this severity; may be repeated.",
    ),
    click.option("--min-severity", type=_SEVERITIES, help="Only diffs of this severity or worse."),
    click.option(
        "--since", metavar="TIME", help="Only runs from the first at or after this on (UTC)."
    ),
    click.option("--until", metavar="TIME", help="Only runs up to the last of this time or day."),
    click.option(
        "--limit",
        type=click.IntRange(min=1),
        metavar="N",
        help="Show at most so many; what is left out is said, and still judged.",
    ),
)


def question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `Question`."""
    for option in _OPTIONS[::-1]:
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Question:
    """A question to one source; no source at all is an empty log."""

    source: Source
    filters: Filters
    limit: int | None
    as_json: bool
    exit_on_findings: bool
    archives: tuple[Path, ...] = ()
    stdin: BinaryIO | None = None

    @classmethod
    def of(cls, given: dict[str, Any]) -> "Question":
        """The question that options ask; raises `click.UsageError` where they contradict."""
        try:
            filters = Filters(
                given["run_id"],
                given["session_id"],
                given["strategy_id"],
                None if given["since"] is None else first_moment(given["since"]),
                None if given["until"] is None else last_moment(given["until"]),
                chosen_severities(given["severities"], given["min_severity"]),
            )
        except ReconError as error:
            raise click.UsageError(str(error)) from None
        if filters.since and filters.until and filters.until < filters.since:
            raise click.UsageError("--until is before --since; expected a span of time")
        source = named_source(given["source"], given["database"], given["log"])
        return cls(
            source,
            filters,
            given["limit"],
            given["output_format"] == "json",
            given["exit_on_findings"],
            tuple(map(Path, given["archives"])),
            standard_input(source, reads_again=filters.until is not None),
        )

    def open(self) -> AbstractContextManager[EntrySource]:
        """Open the source; raises `AuditError` where it cannot be read."""
        return opened(self.source, self.stdin, self.archives)

    def last_place(self) -> int:
        """The number of the last summary at or before --until; reads the source to its end."""
        if self.filters.until is None:
            return 0
        with self.open() as reading, reading.refusals():
            last = last_at_or_before(self.filters.until, reading)
        if self.source == STANDARD_INPUT and self.stdin is not None:
            self.stdin.seek(0)
        return last


def standard_input(source: object, *, reads_again: bool = False) -> BinaryIO | None:
    """Standard input where it is the source; a copy of it where it is read twice."""
    # Python has none where the process was started without one.
    if source != STANDARD_INPUT or sys.stdin is None:
        return None
    if not reads_again:
        return sys.stdin.buffer
    kept = TemporaryFile()  # noqa: SIM115  # closed with the command
    click.get_current_context().call_on_close(kept.close)
    shutil.copyfileobj(sys.stdin.buffer, kept)
    kept.seek(0)
    return kept


def opened(
    source: Source, stdin: BinaryIO | None, archives: Sequence[Path]
) -> AbstractContextManager[EntrySource]:
    """Open a source: a log in a database, or what `open_source` opens."""
    if isinstance(source, DatabaseLog):
        require_sql()
        from recon_core.audit.database.stored_log import open_stored  # noqa: PLC0415  # an extra

        return open_stored(source)
    return open_source(source, stdin, archives)


def named_source(named: str | None, database: str | None = None, log: str | None = None) -> Source:
    """The source that is named, or the log of the setting; raises `click.UsageError` for two."""
    if database is not None and named is not None:
        raise click.UsageError("--json and --database name two sources; expected one of them")
    if database is None and log is not None:
        raise click.UsageError("--log names a log in a database; expected --database too")
    if database is not None:
        return DatabaseLog(database, log)
    return named_log(named)


def log_file(named: str | None) -> Path:
    """The file that is named, or the log of the setting; raises `AuditError` without one."""
    source = named_log(named)
    require_log(source if isinstance(source, Path) else None)
    return Path(str(source))


def require_log(source: Source) -> None:
    """Raise `AuditError` where no log is named."""
    if source is None:
        raise AuditError("no audit log is named; expected --json or the setting recon_audit_log")


def named_log(named: str | None) -> str | Path | None:
    """The file that is named, or the log of the setting."""
    if named is None:
        return find_settings(Path.cwd()).audit_log
    return named if named == STANDARD_INPUT else Path(named)
