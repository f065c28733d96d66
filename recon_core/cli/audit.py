"""`recon audit`, the runbook's `show_recon_audit`: answers from the audit trail.

Each mode answers; with `--exit-on-findings` the exit code is a verdict, and the same in
every mode, because it is about all runs that the filters select.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import click

from recon_core.audit.database import DatabaseLog
from recon_core.audit.query import Answer, DetailedSink, DiffsSink, SummarySink
from recon_core.audit.run_comparison import compare_runs, is_finding
from recon_core.audit.trend import TrendSink
from recon_core.cli import audit_text
from recon_core.cli.app import CONTEXT, FINDINGS, CommandGroup
from recon_core.cli.audit_export import export_runs
from recon_core.cli.audit_head import expected_head, head_text, write_head
from recon_core.cli.audit_load import load_database
from recon_core.cli.audit_options import (
    DATABASE_OPTIONS,
    FORMAT_OPTION,
    Question,
    log_file,
    named_log,
    named_source,
    opened,
    question_options,
    require_log,
    standard_input,
)
from recon_core.cli.audit_steps import ask, document
from recon_core.cli.audit_trend_text import trend_text
from recon_core.cli.audit_upkeep import close_log, rotate_log
from recon_core.cli.audit_verify import verify_chain
from recon_core.cli.compare_text import comparison_lines
from recon_core.cli.past_run_names import LOG_OPTION, past_runs
from recon_core.reports.written_path import written_path
from recon_core.values.errors import ReconError

EPILOG: Final = """\b
Options in every mode but compare, head, load, rotate and close:
  --json PATH          an audit log or an export; - is standard input
  --database URL       the log that load put into a database; --log NAME of several
  --format text|json   text for people, or JSON and nothing else
  --run-id, --session-id, --strategy-id ID
  --severity, --min-severity INFO|WARN|FAIL|CRITICAL
  --since, --until TIME
  --archive DIR        where earlier files of the log were moved to
  --limit N
  --exit-on-findings   exit with 2 on findings

\b
Examples:
  recon audit summary
  recon audit diffs --severity FAIL --limit 20
  recon audit detailed --run-id RUN
  recon audit summary --min-severity WARN --exit-on-findings
  recon audit diffs --since 2026-01-01 --format json
  recon audit compare last~1 last
  recon audit verify --expect-head HASH
  recon audit head --output audit-head.json
  recon audit load postgresql://recon@db.example/audit
  recon audit diffs --database sqlite:///audit.db
  recon audit export --output audit_export.json
  recon audit summary --json audit_export.json
  recon audit rotate
  recon audit close --by NAME --reason "restored from the backup of Monday"

\b
Exit codes:
  0   answered; with --exit-on-findings: no finding
  1   cannot be judged: no log or no run to judge, a damaged log, an unknown --run-id
  2   findings, with --exit-on-findings
  64  wrong usage

A finding is a diff, also an INFO one; filters count, and --limit does not. Without --json
the log of the setting recon_audit_log is asked.
"""

RUN_COMPARISON: Final = "RECON_COMPARISON"
"""The event type of a comparison in JSON."""
_EXPORT: Final = re.compile(rb"\[")


_LOG_OPTION: Final = click.option(
    "--json", "source", metavar="PATH", help="The audit log.  [default: recon_audit_log]"
)
_ARCHIVE_OPTION: Final = click.option(
    "--archive", "archives", metavar="DIR", multiple=True, help="Where earlier files were moved to."
)


class _Modes(CommandGroup):
    """The modes in the order of their use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names as they were added."""
        return list(self.commands)


@click.group(
    cls=_Modes,
    context_settings=CONTEXT,
    epilog=EPILOG,
    short_help="Ask the audit trail about past runs.",
)
def audit() -> None:
    """Ask the audit trail about past runs."""


def _mode(name: str, sink: Any, text: Callable[[Answer], Iterable[str]], about: str) -> None:
    """Add a mode that asks the trail and shows what its sink kept."""

    @audit.command(name, help=about, short_help=about)
    @question_options
    @click.pass_context
    def command(ctx: click.Context, /, **given: Any) -> None:
        ctx.exit(ask(Question.of(given), sink, text, one_run=name == "detailed"))


_mode("summary", SummarySink, audit_text.summary_text, "Show the runs, the oldest first.")
_mode("diffs", DiffsSink, audit_text.diffs_text, "Show the diffs, the worst first.")
_mode(
    "detailed",
    DetailedSink,
    audit_text.detailed_text,
    "Show one run in full, by default the newest.",
)
_mode("trend", TrendSink, trend_text, "Show how counts and deltas develop over the runs.")


def _database_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in DATABASE_OPTIONS[::-1]:
        command = option(command)
    return command


@audit.command("compare", short_help="Show what came, went and grew between two commands.")
@click.argument("run_a", metavar="RUN_A")
@click.argument("run_b", metavar="RUN_B")
@LOG_OPTION
@_database_options
@FORMAT_OPTION
@click.option(
    "--exit-on-findings",
    is_flag=True,
    help="Exit with 2 where a difference came, grew or changed.",
)
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    run_a: str,
    run_b: str,
    source: str | None,
    database: str | None,
    log: str | None,
    output_format: str,
    *,
    exit_on_findings: bool,
) -> None:
    """Compare the differences of two commands, session by session.

    A RUN is last, last~1, the id of a command or of a run, the beginning of one, or a file
    that recon check --format json wrote. An INFO that came is shown and is no finding.
    """
    before, after = past_runs([run_a, run_b], named_source(source, database, log))
    found = compare_runs(before, after)
    if output_format == "json":
        items = [change.to_dict() for change in found.changes]
        notes = list(comparison_lines(found, run_a, run_b))[-1:]
        click.echo(document(Answer(RUN_COMPARISON, items, len(items), notes)))
    else:
        click.echo("\n".join(comparison_lines(found, run_a, run_b)))
    if exit_on_findings and any(map(is_finding, found.changes)):
        ctx.exit(FINDINGS)


@audit.command(short_help="Verify that nothing in a log was changed.")
@click.option(
    "--expect-head",
    metavar="HASH|FILE",
    help="The head that was printed or written earlier; it must be in the log.",
)
@question_options
@click.pass_context
def verify(ctx: click.Context, /, expect_head: str | None, **given: Any) -> None:
    """Verify the chain of a log: nothing was changed, removed or inserted.

    What was cut off at the end shows with --expect-head only. With --database the log in the
    database is verified too, all of its tables included, and compared with the file.
    """
    ctx.exit(verify_chain(*_verified(given), expected_head(expect_head)))


def _verified(given: dict[str, Any]) -> tuple[Question, DatabaseLog | None]:
    """The question to the file, and the database that it is compared with."""
    stored = None if given["database"] is None else DatabaseLog(given["database"], given["log"])
    of_file = given if stored is None else given | {"database": None, "log": None}
    if stored is None or named_log(given["source"]) is not None:
        return Question.of(of_file), stored
    return Question.of(given), stored


@audit.command("head", short_help="Write the head of a log as a file to be signed.")
@click.option("-o", "--output", metavar="FILE", help="Write to a file instead of standard output.")
@LOG_OPTION
@_database_options
@_ARCHIVE_OPTION
def head(
    output: str | None,
    source: str | None,
    database: str | None,
    log: str | None,
    archives: tuple[str, ...],
) -> None:
    """Verify a log, and write its head: count and hash of its entries, last run and time.

    Sign or attest the file; recon audit verify --expect-head FILE holds a log against it.
    """
    named = named_source(source, database, log)
    require_log(named)
    with opened(named, standard_input(named), tuple(map(Path, archives))) as reading:
        text = head_text(reading)
    write_head(text, output)


@audit.command("load", short_help="Put a log into a database.")
@click.argument("url", metavar="URL")
@click.option("--name", metavar="NAME", help="The name of the log there.  [default: its file]")
@_ARCHIVE_OPTION
@_LOG_OPTION
@FORMAT_OPTION
def load(
    url: str, name: str | None, archives: tuple[str, ...], source: str | None, output_format: str
) -> None:
    """Verify a log and add what is new in it to a database: sqlite:///FILE or postgresql://….

    What the database has already is not added again, whoever loads it and how often.
    """
    places, as_json = tuple(map(Path, archives)), output_format == "json"
    load_database(url, log_file(source), places, name, as_json=as_json)


@audit.command(short_help="Print the entries as one JSON list.")
@click.option("--output", metavar="FILE", help="Write to a file instead of standard output.")
@question_options
@click.pass_context
def export(ctx: click.Context, /, output: str | None, **given: Any) -> None:
    """Print the entries as a JSON list, which --json of every mode reads again.

    Filters select runs, --limit the newest of them; entries that belong to no run are
    printed without filters only.
    """
    question = Question.of(given)
    ctx.exit(export_runs(question, _output(output, question)))


@audit.command(short_help="Leave the file of a log for a new one.")
@_LOG_OPTION
@FORMAT_OPTION
def rotate(source: str | None, output_format: str) -> None:
    """Leave the file of a log for a new one, which names the old one and its head.

    The old file is verified whole and keeps its content as NAME.1, NAME.2 and so on.
    """
    rotate_log(log_file(source), as_json=output_format == "json")


@audit.command(short_help="Sign off a damaged log and go on in a new file.")
@click.option("--by", "closed_by", metavar="NAME", required=True, help="Who signs.")
@click.option("--reason", metavar="TEXT", required=True, help="Why the log may be left.")
@_ARCHIVE_OPTION
@_LOG_OPTION
@FORMAT_OPTION
def close(
    closed_by: str, reason: str, archives: tuple[str, ...], source: str | None, output_format: str
) -> None:
    """Sign off a log that is damaged, cut or replaced, and begin a new file.

    The new file begins with what is wrong, the size and SHA-256 of the old one, NAME and
    TEXT.
    """
    for option, text in (("--by", closed_by), ("--reason", reason)):
        if not text.strip():
            raise click.BadParameter("is empty; expected text", param_hint=option)
    places = tuple(map(Path, archives))
    close_log(log_file(source), closed_by, reason, places, as_json=output_format == "json")


def _output(value: str | None, question: Question) -> Path | None:
    if value is None:
        return None
    try:
        path = written_path(value, Path.cwd(), _EXPORT)
        source = question.source
        is_source = isinstance(source, Path) and path.exists() and path.samefile(source)
    except (ReconError, OSError, ValueError) as error:
        raise click.BadParameter(str(error), param_hint="--output") from None
    if is_source:
        expected = "is the log that is read; expected another file"
        raise click.BadParameter(expected, param_hint="--output")
    return path
