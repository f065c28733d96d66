"""`recon baseline write`: waivers for all findings of a past run, so that only new ones block.

A baseline is a file of waivers like any other, generated. Written anew it shrinks with what was
repaired.
"""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from recon_core.cli.app import CONTEXT, CommandGroup
from recon_core.cli.past_run_names import LOG_OPTION, past_runs
from recon_core.cli.waive import OWNER_OPTION, RUN_OPTION, last_day, waiver_days
from recon_core.model.comparison import diff_id
from recon_core.policy.waivers import BASELINE_FILE, Waiver, literal, today
from recon_core.reports.wording import counted
from recon_core.values.errors import AuditError
from recon_core.values.files import refusing, write_atomically
from recon_core.values.limits import TOML_BYTES, LimitError, refuse_above
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

if TYPE_CHECKING:
    from recon_core.audit.past_runs import PastRun
    from recon_core.model.comparison import ReconDiff

EPILOG: Final = """\b
Examples:
  recon check recordings/ --audit-log audit.jsonl
  recon baseline write --json audit.jsonl --owner ops@desk --expires 90d
  recon check recordings/

\b
Exit codes:
  0   written
  1   not written: no such run, a run without a finding to keep, FILE cannot be written
  64  wrong usage
"""


@click.group(
    cls=CommandGroup,
    context_settings=CONTEXT,
    short_help="Keep the findings of today, so that only new ones block.",
)
def baseline() -> None:
    """Keep the findings of today, so that only new ones block."""


@baseline.command(epilog=EPILOG, short_help="Write waivers for all findings of a past run.")
@OWNER_OPTION
@click.option("--reason", metavar="TEXT", help="Why they may stay.  [default: the run]")
@click.option(
    "--expires",
    metavar="DATE",
    help="Their last day in UTC, or so many days: 30d.  [default: the latest]",
)
@click.option(
    "--min-severity",
    type=click.Choice(["WARN", "FAIL"]),
    default="FAIL",
    show_default=True,
    help="The lowest severity that is kept.",
)
@RUN_OPTION
@LOG_OPTION
@click.option(
    "-o", "--output", default=BASELINE_FILE, show_default=True, metavar="FILE", help="Write here."
)
@click.option("--overwrite", is_flag=True, help="Replace FILE; what healed since is left out.")
def write(
    owner: str,
    reason: str | None,
    expires: str | None,
    min_severity: str,
    run: str,
    source: str | None,
    output: str,
    *,
    overwrite: bool,
) -> None:
    """Write a waiver for each finding of a run, with the amount of the finding as its ceiling.

    A finding that another file waives is left out, and so is a CRITICAL.
    """
    day, most = today(), waiver_days()
    last = last_day(expires or f"{most}d", day, most)
    for option, text in (("--owner", owner), ("--reason", reason)):
        if text is not None and not text.strip():
            raise click.BadParameter("is empty; expected text", param_hint=option)
    path = Path(output)
    if path.exists() and not overwrite:
        raise click.UsageError(f"{printable(path)}: is there already; --overwrite replaces it")
    (past,) = past_runs([run], source)
    said = reason or f"baseline of run {printable(past.name)}, {day}"
    own = _own_ids(path, day, most)
    found = _chosen(past, Severity(min_severity), own)
    if not found:
        raise AuditError(f"run {printable(past.name)}: has no {min_severity} to keep")
    names: set[str] = set()
    entries = [_entry(session, diff, owner, said, last, names) for session, diff in found]
    from recon_core.policy.waiver_text import text_of  # noqa: PLC0415  # brings tomlkit

    head = [f"Findings of run {printable(past.name)}, written by recon baseline write on {day}."]
    text = text_of(entries, head)
    _refuse_unreadable(text, len(entries))
    with refusing(path.name):
        write_atomically(path, text)
    kept = counted(len(entries), "finding")
    click.echo(f"{printable(path)}: {kept} until {last}, {printable(owner)}")
    for note in _notes(past):
        click.echo(f"note: {note}")


def _refuse_unreadable(text: str, entries: int) -> None:
    """Refuse a file that no run would read."""
    try:
        refuse_above(TOML_BYTES, len(text.encode()))
    except LimitError as error:
        raise AuditError(f"a baseline of {counted(entries, 'finding')} {error}") from None


def _own_ids(path: Path, day: date, most: int) -> frozenset[str]:
    """The ids of the baseline that is replaced: what they waive is kept."""
    if not path.exists():
        return frozenset()
    from recon_core.policy.waiver_file import read_waivers  # noqa: PLC0415  # brings pydantic

    return frozenset(waiver.id for waiver in read_waivers([path], day, most).entries)


def _chosen(
    past: "PastRun", lowest: Severity, own: frozenset[str]
) -> "list[tuple[str, ReconDiff]]":
    """The findings to keep, in the order of the run."""
    from recon_core.judging.waiving import judged_severity  # noqa: PLC0415  # not for the help

    ranks = range(lowest.rank, Severity.CRITICAL.rank)
    return [
        (session.session_id, diff)
        for session in past.sessions.values()
        for diff in session.diffs.values()
        if judged_severity(diff).rank in ranks and (diff.waiver is None or diff.waiver.id in own)
    ]


def _entry(
    session: str, diff: "ReconDiff", owner: str, reason: str, expires: date, names: set[str]
) -> Waiver:
    """The waiver of a finding, under a name that is not among `names` and joins them."""
    from recon_core.judging.waiving import ceiling_of  # noqa: PLC0415  # not for the help

    base = f"baseline-{diff_id(session, diff.identity).removeprefix('diff-')}"
    # Two files may have one session id.
    free = (base if number == 1 else f"{base}-{number}" for number in range(1, len(names) + 2))
    name = next(each for each in free if each not in names)
    names.add(name)
    ceiling = ceiling_of(diff)
    return Waiver(name, literal(session), literal(diff.identity), owner, reason, expires, **ceiling)


def _notes(past: "PastRun") -> list[str]:
    """Return the remarks on findings that are not in the file."""
    diffs = [diff for session in past.sessions.values() for diff in session.diffs.values()]
    critical = sum(diff.severity is Severity.CRITICAL for diff in diffs)
    partly = sum(not session.complete for session in past.sessions.values())
    notes = []
    if critical:
        notes.append(f"{critical} CRITICAL left out, which is never waived")
    if partly:
        notes.append(f"{counted(partly, 'session')} did not run completely and may lack findings")
    return notes
