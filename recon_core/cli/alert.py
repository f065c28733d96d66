"""`recon alert`: what is new in the audit trail is sent to chats, pagers and mail."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from recon_core.audit.alerts.delivery import Target, require_apprise, targets_of
from recon_core.audit.alerts.message import counted_news
from recon_core.audit.alerts.sending import Alerting, Outcome
from recon_core.audit.alerts.sent_alerts import ALERT
from recon_core.audit.alerts.throttle import Throttle
from recon_core.audit.query import Answer
from recon_core.cli.app import CANNOT_JUDGE, CLEAR, CONTEXT
from recon_core.cli.audit_options import FORMAT_OPTION, log_file
from recon_core.cli.audit_steps import document
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable
from recon_core.values.severity import JUDGED, Severity

VARIABLE: Final = "RECON_ALERT_URLS"
"""The variable of the environment that holds the targets where none is named."""
_USUAL: Final = "24h"
_INTERVAL: Final = re.compile(r"([0-9]{1,5})([mhd])", re.ASCII)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}

EPILOG: Final = """\b
Examples:
  RECON_ALERT_URLS=slack://TOKEN/CHANNEL recon alert
  recon alert --to PAGER --min-severity CRITICAL --interval 4h
  recon alert --report https://ci.example/42/recon.html --owner ops@desk
  recon alert --dry-run

\b
Exit codes:
  0   said what was sent and what was not; no verdict depends on it
  1   no log, a damaged one, no target or a wrong one; with --exit-on-failure: not delivered
  64  wrong usage
"""


@click.command(
    context_settings=CONTEXT,
    short_help="Send what is new in the audit trail to chats, pagers and mail.",
    epilog=EPILOG,
)
@click.option("--json", "source", metavar="PATH", help="The audit log.  [default: recon_audit_log]")
@click.option(
    "--to",
    "variables",
    metavar="VARIABLE",
    multiple=True,
    help=f"A variable of the environment with URLs of apprise; may be repeated.  "
    f"[default: {VARIABLE}]",
)
@click.option(
    "--min-severity",
    type=click.Choice([str(severity) for severity in JUDGED], case_sensitive=False),
    default="FAIL",
    show_default=True,
    help="The lowest severity that is sent.",
)
@click.option(
    "--interval",
    metavar="TIME",
    default=_USUAL,
    show_default=True,
    help="Say again after this time what is still open: 30m, 12h, 7d.",
)
@click.option("--owner", default="", metavar="NAME", help="Who answers where no waiver names one.")
@click.option("--report", default="", metavar="URL", help="Where the report is.")
@click.option("--dry-run", is_flag=True, help="Print the messages; send and record nothing.")
@click.option("--exit-on-failure", is_flag=True, help="Exit with 1 where one was not delivered.")
@FORMAT_OPTION
@click.pass_context
def alert(
    ctx: click.Context,
    /,
    source: str | None,
    variables: tuple[str, ...],
    min_severity: str,
    interval: str,
    owner: str,
    report: str,
    output_format: str,
    *,
    dry_run: bool,
    exit_on_failure: bool,
) -> None:
    """Send what is open in the newest runs of the audit log, each finding once.

    It is sent again when it grew by a tenth, has another cause, or is still open after the
    interval; once more when it is resolved or waived. What was sent is recorded in the log.
    """
    lowest = Severity(min_severity.upper())
    throttle = Throttle(lowest, _interval(interval), datetime.now(UTC))
    alerting, path = Alerting(throttle, owner, report), log_file(source)
    names = variables or (VARIABLE,)
    targets: list[Target] = []
    if dry_run:
        outcomes = alerting.outlook(path, names)
    else:
        require_apprise()
        targets = targets_of(names)
        outcomes = alerting.send(path, targets)
    _show(outcomes, alerting, as_json=output_format == "json", dry_run=dry_run)
    failed = exit_on_failure and any(outcome.problem for outcome in outcomes)
    is_unusable = any(target.problem for target in targets)
    ctx.exit(CANNOT_JUDGE if failed or is_unusable else CLEAR)


def _interval(text: str) -> timedelta:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise click.BadParameter(
            "expected a time such as 30m, 12h or 7d", param_hint=f"--interval {text!a}"
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def alert_usually(path: Path, targets: Sequence[Target]) -> None:
    """Send what is new as without options, and say on stderr what was sent; no error ends it."""
    throttle = Throttle(Severity.FAIL, _interval(_USUAL), datetime.now(UTC))
    try:
        outcomes = Alerting(throttle).send(path, targets)
    except ReconError as error:
        click.echo(f"recon: nothing is alerted: {error}", err=True)
        return
    _say_problems(outcomes)
    for outcome in outcomes:
        click.echo(f"recon: {_said(outcome)}", err=True)


def _say_problems(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.problem:
            click.echo(f"recon: {printable(outcome.target)}: {outcome.problem}", err=True)


def _said(outcome: Outcome) -> str:
    """`RECON_ALERT_URLS: 1 new, not delivered`."""
    counted = counted_news(outcome.news) or "nothing new"
    return f"{printable(outcome.target)}: {counted}{', not delivered' if outcome.problem else ''}"


def _show(outcomes: Sequence[Outcome], alerting: Alerting, *, as_json: bool, dry_run: bool) -> None:
    _say_problems(outcomes)
    if as_json:
        items = [outcome.to_dict() for outcome in outcomes]
        click.echo(document(Answer(ALERT, items, len(items))))
        return
    for outcome in outcomes:
        if outcome.problem and not outcome.news:
            continue
        click.echo(_said(outcome))
        if dry_run and outcome.news:
            click.echo(alerting.message(outcome.news).body)
