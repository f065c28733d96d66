"""`recon waive`: an entry for one finding of a past run, in the file of waivers."""

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from recon_core.cli.app import CONTEXT
from recon_core.cli.past_run_names import LOG_OPTION, past_runs
from recon_core.cli.session_options import project_settings
from recon_core.policy.settings import effective_policy
from recon_core.policy.waivers import WAIVER_FILE, Waiver, Waivers, literal, today
from recon_core.values.errors import AuditError, PolicyError, ReconError
from recon_core.values.files import refusing, write_atomically
from recon_core.values.printable import printable, quoted
from recon_core.values.suggestions import did_you_mean

if TYPE_CHECKING:
    from recon_core.audit.past_runs import PastRun, PastSession
    from recon_core.model.comparison import ReconDiff

_DAYS: Final = re.compile(r"([0-9]{1,4})d", re.ASCII)

EPILOG: Final = """\b
Examples:
  recon waive day cash::EUR --owner ops@desk --reason "ticket 812" --expires 2026-12-31
  recon waive day cash::EUR --owner ops@desk --reason "ticket 812" --expires 30d --max-amount 7.50

\b
Exit codes:
  0   written
  1   not written: no such run, session or finding, a CRITICAL, one that is INFO or waived,
      a file that cannot be read or written
  64  wrong usage

The finding is one of the last command in the audit log; --run names another one. Ceiling and
cause are those of the finding. The file keeps its comments.
"""

OWNER_OPTION: Final = click.option(
    "--owner", required=True, metavar="NAME", help="Who answers for it."
)
RUN_OPTION: Final = click.option(
    "--run", default="last", show_default=True, metavar="RUN", help="The command that found it."
)


@click.command(
    context_settings=CONTEXT, epilog=EPILOG, short_help="Waive one finding of a past run."
)
@click.argument("session", metavar="SESSION")
@click.argument("item", metavar="ITEM")
@OWNER_OPTION
@click.option("--reason", required=True, metavar="TEXT", help="Why it may stay.")
@click.option(
    "--expires", required=True, metavar="DATE", help="Its last day in UTC, or so many days: 30d."
)
@click.option("--id", "waiver_id", metavar="NAME", help="Its name in reports.")
@click.option("--max-amount", metavar="AMOUNT", help="A ceiling above the finding's amount.")
@RUN_OPTION
@LOG_OPTION
@click.option(
    "-o", "--output", default=WAIVER_FILE, show_default=True, metavar="FILE", help="Add it here."
)
def waive(
    session: str,
    item: str,
    owner: str,
    reason: str,
    expires: str,
    waiver_id: str | None,
    max_amount: str | None,
    run: str,
    source: str | None,
    output: str,
) -> None:
    """Write a waiver of a finding, as the last run judged it.

    SESSION is the session's id; ITEM is kind::key, or both in quotes as reports print them:
    'cash EUR'.
    """
    day, most = today(), waiver_days()
    last = last_day(expires, day, most)
    for option, text in (("--owner", owner), ("--reason", reason)):
        if not text.strip():
            raise click.BadParameter("is empty; expected text", param_hint=option)
    (past,) = past_runs([run], source)
    # As reports print it: two colons in a line are a command to a CI runner.
    item = item if "::" in item else item.replace(" ", "::", 1)
    diff = _finding(past, session, item)
    path = Path(output)
    known, text = _known(path, day, most)
    _refuse_covered(known, session, diff, path)
    entry = _entry(diff, session, item, owner, reason, last, max_amount)
    named = _named(entry, waiver_id, known)
    from recon_core.policy.waiver_text import text_with  # noqa: PLC0415  # brings tomlkit

    with refusing(path.name):
        write_atomically(path, text_with(text, named))
    click.echo(f"{printable(path)}: {named.id} written: {_said(named)}")


def last_day(text: str, day: date, most: int) -> date:
    """Read `2026-12-31` or `30d`; raises `click.BadParameter` for no day or one too late."""
    from recon_core.policy.waiver_file import parse_day  # noqa: PLC0415  # brings pydantic

    match, hint = _DAYS.fullmatch(text), "--expires"
    try:
        found = parse_day(text) if match is None else day + timedelta(days=int(match[1]))
    except PolicyError as error:
        raise click.BadParameter(str(error), param_hint=hint) from None
    if found < day:
        raise click.BadParameter(f"{found} is over; expected a day from {day} on", param_hint=hint)
    if (found - day).days > most:
        latest = day + timedelta(days=most)
        said = f"{found} is {(found - day).days} days ahead; expected {latest} at the latest"
        raise click.BadParameter(f"{said} (policy: waiver_days = {most})", param_hint=hint)
    return found


def waiver_days() -> int:
    """Return the days ahead that the policy in force allows; the project's limits hold then."""
    try:
        settings = project_settings(click.get_current_context(), ())
        return effective_policy(settings.policy_source())[0].waiver_days
    except ReconError as error:
        raise ReconError(f"recon policy: {error}") from None


def _finding(past: "PastRun", session: str, item: str) -> "ReconDiff":
    found = past.sessions.get(session)
    if found is None:
        raise AuditError(
            f"run {printable(past.name)}: no session {quoted(session)}; "
            f"{did_you_mean(session, past.sessions)}"
        )
    diff = found.diffs.get(item)
    if diff is None:
        raise AuditError(
            f"run {printable(past.name)}: session {quoted(session)} has no finding "
            f"{_shown(item)}; {_near(found, item)}"
        )
    refusal = refusal_of(diff)
    if refusal:
        raise AuditError(f"{_shown(item)} of session {quoted(session)} {refusal}")
    return diff


def _near(session: "PastSession", item: str) -> str:
    if not session.diffs:
        return "it matched in every item"
    return did_you_mean(_words(item), list(map(_words, session.diffs)))


def _words(item: str) -> str:
    return item.replace("::", " ", 1)


def _shown(item: str) -> str:
    return quoted(_words(item))


def refusal_of(diff: "ReconDiff") -> str:
    """Return the reason why a finding gets no waiver, empty where it may."""
    if diff.waiver is not None:
        return f"is waived by {diff.waiver.id} until {diff.waiver.expires} already"
    if str(diff.severity) == "CRITICAL":
        return "is CRITICAL, which is never waived"
    return "is INFO, which blocks nothing" if str(diff.severity) == "INFO" else ""


def _refuse_covered(known: Waivers, session: str, diff: "ReconDiff", path: Path) -> None:
    from recon_core.judging.waiving import uses_of  # noqa: PLC0415  # not for the help

    for use in uses_of(known, session, diff):
        if use.covers:
            raise AuditError(f"{printable(path)}: {use.id} covers the finding already")


def _known(path: Path, day: date, most: int) -> tuple[Waivers, str]:
    """The entries of the file so far, and its text; both empty where there is none."""
    if not path.exists() and not path.is_symlink():
        return Waivers(day), ""
    from recon_core.policy.waiver_file import read_waivers  # noqa: PLC0415  # brings pydantic

    return read_waivers([path], day, most), path.read_text(encoding="utf-8")


def _entry(
    diff: "ReconDiff",
    session: str,
    item: str,
    owner: str,
    reason: str,
    expires: date,
    max_amount: str | None,
) -> Waiver:
    from recon_core.judging.waiving import ceiling_of  # noqa: PLC0415  # not for the help

    ceiling = ceiling_of(diff)
    if max_amount is not None:
        ceiling["max_amount"] = _raised(max_amount, ceiling["max_amount"])
    session, item = literal(session), literal(item)
    return Waiver("", session, item, owner, reason, expires, **ceiling)


def _raised(text: str, found: Decimal | None) -> Decimal:
    """A ceiling of the command line, at or above the finding's amount."""
    from recon_core.values.amounts import parse_amount  # noqa: PLC0415  # not for the help

    hint = "--max-amount"
    try:
        given = parse_amount(text)
    except ReconError as error:
        raise click.BadParameter(str(error), param_hint=hint) from None
    if found is None:
        raise click.BadParameter("the finding has no single amount", param_hint=hint)
    if given < found:
        said = f"{quoted(text)} does not cover the finding; expected {found} or more"
        raise click.BadParameter(said, param_hint=hint)
    return given


def _named(entry: Waiver, waiver_id: str | None, known: Waivers) -> Waiver:
    """The entry under its name, a free one where none is given."""
    from dataclasses import replace  # noqa: PLC0415  # beside its only use

    from recon_core.policy.waiver_file import check_id  # noqa: PLC0415  # brings pydantic

    taken = {waiver.id for waiver in known.entries}
    if waiver_id is not None:
        try:
            check_id(waiver_id)
        except PolicyError as error:
            raise click.BadParameter(str(error), param_hint="--id") from None
        if waiver_id in taken:
            said = f"{quoted(waiver_id)} is there already; expected another one"
            raise click.BadParameter(said, param_hint="--id")
        return replace(entry, id=waiver_id)
    base = re.sub(r"[^A-Za-z0-9._]+", "-", f"{entry.session}-{entry.item}").strip("-.")[:70]
    base = base or "waiver"
    free = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return replace(entry, id=next(name for name in free if name not in taken))


def _said(waiver: Waiver) -> str:
    ceiling = (
        f"up to {waiver.max_amount}" if waiver.max_amount is not None else "for this finding alone"
    )
    cause = f", cause {waiver.cause}" if waiver.cause is not None else ""
    return f"{ceiling}{cause}, until {waiver.expires}, {printable(waiver.owner, 60)}"
