"""`recon run`: snapshot, session and gate of an account in one command, findings confirmed."""

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from recon_core.cli.app import CONTEXT
from recon_core.cli.check import CheckCommand, CheckOptions, CheckRequest, finished, request_of
from recon_core.cli.screen import COLOR_OPTION, format_option
from recon_core.cli.session_options import (
    AUDIT_LOG_OPTION,
    AUDIT_ROTATE_OPTION,
    EXPLAIN_OPTION,
    FAIL_ON_OPTION,
    LIMIT_OPTION,
    MAX_ITEMS_OPTION,
    POLICY_OPTION,
    REPORT_OPTION,
    WAIVERS_OPTION,
)
from recon_core.cli.snapshot import (
    ACCOUNT_OPTION,
    EXCHANGE_ARGUMENT,
    KEYRING_OPTION,
    SANDBOX_OPTION,
    SETTINGS_OPTION,
    ccxt_settings,
)
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from recon_core.audit.alerts.delivery import Target
    from recon_core.cli.check_run import Check
    from recon_core.judging.confirming import Looks, Seen
    from recon_core.model.comparison import ReconDiff

EPILOG: Final = """\b
Examples:
  recon run binance day.recon.json --account paper --sandbox --audit-log audit.jsonl
  recon run binance day.recon.json --account paper --audit-log audit.jsonl --alert RECON_ALERT_URLS
  recon run okx day.recon.json --account main --pause 2m --looks 5 --report html:recon.html

\b
Exit codes:
  0   clear
  1   cannot be judged: no snapshot, nothing compared, a difference that was not confirmed
  2   blocked
  64  wrong usage
  130 interrupted by Ctrl-C: no verdict, and nothing in the audit log

The session names the snapshot: "external": {"from": {"format": "ccxt", "path":
"account/coverage.json"}}. Keys are those of recon snapshot; policy, waivers, settings and hooks
are those of recon check.
"""

_PAUSE: Final = re.compile(r"([0-9]{1,4})([smh])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_LOOKS: Final = 3
"""Looks at an account at most: what is in one of three and not in the next is its trading."""
_SHOWN: Final = 5
"""Differences that a line names."""


def _pause(ctx: click.Context, param: click.Parameter, value: str) -> int:
    match = _PAUSE.fullmatch(value)
    if match is None:
        raise click.BadParameter(
            f"{printable(value)!r}; expected a time such as 30s or 2m", ctx, param
        )
    return int(match[1]) * _SECONDS[match[2]]


@click.command(
    cls=CheckCommand,
    context_settings=CONTEXT,
    epilog=EPILOG,
    short_help="Snapshot, session and gate of an account, for a cron job.",
)
@EXCHANGE_ARGUMENT
@click.argument("session", metavar="SESSION")
@ACCOUNT_OPTION
@KEYRING_OPTION
@SANDBOX_OPTION
@SETTINGS_OPTION
@click.option(
    "--pause",
    callback=_pause,
    default="30s",
    show_default=True,
    metavar="TIME",
    help="Wait so long before another look: 30s, 2m.",
)
@click.option(
    "--looks",
    type=click.IntRange(min=1),
    default=_LOOKS,
    show_default=True,
    metavar="N",
    help="Look at most so often; a finding is what two looks have.",
)
@click.option(
    "--alert",
    "variables",
    multiple=True,
    metavar="VARIABLE",
    help="Send what is new to the URLs of a variable, as recon alert does (repeatable).",
)
@POLICY_OPTION
@WAIVERS_OPTION
@REPORT_OPTION
@AUDIT_LOG_OPTION
@AUDIT_ROTATE_OPTION
@FAIL_ON_OPTION
@MAX_ITEMS_OPTION
@EXPLAIN_OPTION
@LIMIT_OPTION
@format_option("JSON has every comparison of the session.")
@COLOR_OPTION
@click.option("-v", "--verbose", is_flag=True, help="Show all figures of every difference.")
@click.pass_context
def run(
    ctx: click.Context,
    /,
    exchange: str,
    session: str,
    account: str,
    settings: str | None,
    pause: int,
    looks: int,
    variables: tuple[str, ...],
    *,
    keyring: bool,
    sandbox: bool,
    **given: Any,
) -> None:
    """Record an ACCOUNT at EXCHANGE, and judge SESSION against it.

    A difference is a finding when a second look, a pause later, has it too: snapshot and ledger
    are read again. One that has cleared by then is named, and blocks nothing; one that only the
    last look has is not confirmed, and the run is INCOMPLETE.
    """
    from recon_core.audit.log_lock import locked  # noqa: PLC0415  # not for the help
    from recon_core.snapshot.exchange import open_exchange  # noqa: PLC0415  # as the next ones
    from recon_core.snapshot.session_scope import session_scope, snapshot_place  # noqa: PLC0415
    from recon_core.snapshot.writing import take_snapshot  # noqa: PLC0415

    options = CheckOptions(sessions=(session,), **given, jobs=1)
    request = _requested(ctx, options)
    targets = _targets(variables, request)
    anchor = request.anchors[0]
    directory = snapshot_place(anchor)
    asked = open_exchange(
        exchange, account, sandbox=sandbox, settings=ccxt_settings(settings), keyring=keyring
    )
    head = {"exchange": exchange, "account": account, "sandbox": sandbox}

    def snapshot() -> None:
        take_snapshot(asked, head, directory, *session_scope(anchor))

    with locked(directory, 0):
        request = _looked(request, snapshot, pause, looks)
    code = finished(request, as_json=options.output_format == "json")
    _alert(request, targets)
    ctx.exit(code)


def _requested(ctx: click.Context, options: CheckOptions) -> CheckRequest:
    request = request_of(ctx, options)
    if len(request.anchors) != 1:
        raise click.UsageError("SESSION names several sessions; expected the one of the account")
    return request


def _targets(variables: tuple[str, ...], request: CheckRequest) -> "list[Target]":
    """Return what is alerted; raises `ReconError` before anything is asked for."""
    if not variables:
        return []
    if request.audit_log is None:
        raise click.UsageError("--alert: what was sent is kept in an audit log; give --audit-log")
    from recon_core.audit.alerts.delivery import require_apprise, targets_of  # noqa: PLC0415  # an extra

    require_apprise()
    targets = targets_of(variables)
    unusable = next((target for target in targets if target.problem), None)
    if unusable is not None:
        raise ReconError(f"{printable(unusable.name)}: {unusable.problem}")
    return targets


def _looked(
    request: CheckRequest, snapshot: "Callable[[], None]", pause: int, most: int
) -> CheckRequest:
    """Look until every finding stood in the look before; returns the last look, with its notes."""
    from recon_core.judging.confirming import Looks, Seen  # noqa: PLC0415  # not for the help

    looks = Looks(Seen(request.check.terms.lowest))
    while True:
        snapshot()
        judged = _judged(request, looks.seen if most > 1 else None)
        new = looks.take(diff for session in judged.sessions for diff in session.diffs)
        if not new or looks.count == most:
            break
        time.sleep(pause)
    request.notes.extend(_said(looks))
    unconfirmed = _unconfirmed(new)
    # A run that is blocked has its verdict.
    (request.notes if judged.tally().blocked else judged.problems).extend(unconfirmed)
    return replace(request, check=judged)


def _judged(request: CheckRequest, seen: "Seen | None") -> "Check":
    from recon_core.cli.check_run import Check  # noqa: PLC0415  # brings the engine
    from recon_core.cli.workers import OneProcess  # noqa: PLC0415  # as that
    from recon_core.plugins.manager import extension_manager  # noqa: PLC0415  # as that

    found = Check(replace(request.check.terms, seen=seen), request.check.named_reports)
    with OneProcess(found.terms, extension_manager()) as workers:
        found.judge(request.anchors, workers)
    return found


def _said(looks: "Looks") -> list[str]:
    if looks.count == 1:
        return []
    over = f"; cleared since an earlier one: {_names(looks.cleared)}" if looks.cleared else ""
    return [f"{looks.count} looks at the account{over}"]


def _unconfirmed(new: "list[ReconDiff]") -> list[str]:
    """Return a line on what the last look has and no other one."""
    from recon_core.judging.confirming import ONE_LOOK  # noqa: PLC0415  # not for the help

    names = [diff.identity for diff in new if diff.softened_by == ONE_LOOK]
    return [f"not confirmed, in the last look only: {_names(names)}"] if names else []


def _names(identities: list[str]) -> str:
    """`cash USDT, fill 57 and 3 more`."""
    names = [identity.partition("::") for identity in identities]
    shown = ", ".join(f"{kind} {printable(key, 60)}" for kind, _, key in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _alert(request: CheckRequest, targets: "list[Target]") -> None:
    """Send what is new in the log, where this run is in it; no verdict depends on that."""
    trail = request.check.trail
    if not targets or trail is None or trail.head is None or request.audit_log is None:
        return
    from recon_core.cli.alert import alert_usually  # noqa: PLC0415  # only where asked for

    alert_usually(request.audit_log, targets)
