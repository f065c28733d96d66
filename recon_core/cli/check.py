"""`recon check`: the gate without pytest, by the same engine and in the same words."""

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from recon_core.cli.app import CANNOT_JUDGE, CLEAR, CONTEXT, FINDINGS
from recon_core.cli.screen import COLOR_OPTION, format_option, progress, screen, show
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
    project_settings,
)
from recon_core.policy.settings import (
    BUILT_IN,
    PolicyInForce,
    ProjectSettings,
    effective_policy,
    effective_waivers,
)
from recon_core.values.errors import ReconError
from recon_core.values.limits import limits_line

if TYPE_CHECKING:
    from pluggy import PluginManager

    from recon_core.audit.past_runs import PastRun
    from recon_core.cli.check_run import Check
    from recon_core.cli.checked_session import CheckedSession, Terms
    from recon_core.cli.workers import Workers
    from recon_core.policy.model import Policy
    from recon_core.policy.waivers import Waivers
    from recon_core.reports.layout import Screen
    from recon_core.reports.session_text import Detail
    from recon_core.reports.writing import NamedReport

EPILOG: Final = """\b
Examples:
  recon check recordings/
  recon check 'recordings/**/*.recon.json' --policy recon.toml
  recon check day.recon.json --audit-log audit.jsonl
  recon check s3://bucket/2026-11-29
  recon check recordings/ --report html:recon.html --report junit:recon.xml
  recon check recordings/ --fail-on warn --format json

\b
Exit codes:
  0   clear
  1   cannot be judged: nothing readable, nothing compared, a report not written
  2   blocked
  64  wrong usage, also a name that matches nothing and an invalid policy
  130 interrupted by Ctrl-C: no verdict

The settings recon_policy, recon_require_policy, recon_waivers, recon_audit_rotate, recon_fail_on,
recon_max_items, recon_explain and recon_limits of the project's pytest configuration hold
here too; recon_audit_log only with --audit-log, or where recon_check_audit_log is on: a
look at a session is no run of the project. Hooks of installed plugins are called; those in
a conftest.py belong to pytest and are not loaded: where they change verdicts, run
pytest --recon-session instead.
"""

_TOP: Final = 10
"""Diffs of a session that are shown without being asked for."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The command line as given; what a command has no option for is as without it."""

    sessions: tuple[str, ...]
    policy: str | None
    waivers: tuple[str, ...]
    reports: tuple[str, ...]
    fail_on: str | None
    max_items: int | None
    explain: str | None
    limits: tuple[str, ...]
    output_format: str
    color: str
    require_policy: bool = False
    junit: str | None = None
    audit_log: str | None = None
    audit_rotate: str | None = None
    against: str | None = None
    top_n: int = _TOP
    verbose: bool = False
    jobs: int | None = None
    scheduler: str | None = None


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """The checked command line, with the project's settings behind the options."""

    check: "Check"
    anchors: list[Path]
    workers: "Workers"
    policy: PolicyInForce
    notes: list[str]
    audit_log: Path | None
    rotate_at: int | None
    detail: "Detail"
    screen: "Screen"
    against: "PastRun | None"
    against_name: str


class CheckCommand(click.Command):
    """A command whose reports of an earlier run hold no longer, whatever its words are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Withdraw the reports before a misspelt option or a wrong choice can end it."""
        from recon_core.reports.outputs import (  # noqa: PLC0415  # not for a completion
            named_value,
            withdraw_named,
        )

        if not ctx.resilient_parsing:
            log = named_value(args, "--audit-log")
            withdraw_named(args, "--report", "--junit", Path.cwd(), log)
        return super().parse_args(ctx, args)


@click.command(
    cls=CheckCommand,
    context_settings=CONTEXT,
    epilog=EPILOG,
    short_help="Reconcile recorded sessions; the gate without pytest.",
)
@click.argument("sessions", nargs=-1, required=True, metavar="SESSION...")
@POLICY_OPTION
@click.option("--require-policy", is_flag=True, help="Refuse to judge by the built-in policy.")
@WAIVERS_OPTION
@REPORT_OPTION
@click.option("--junit", metavar="PATH", help="The same as --report junit:PATH.")
@AUDIT_LOG_OPTION
@AUDIT_ROTATE_OPTION
@click.option(
    "--against",
    metavar="RUN",
    help="Show what came, went and grew since last, last~1, an id, or a JSON report.",
)
@FAIL_ON_OPTION
@click.option(
    "--top-n",
    type=click.IntRange(min=0),
    default=_TOP,
    show_default=True,
    metavar="N",
    help="How many diffs to show per session.",
)
@MAX_ITEMS_OPTION
@EXPLAIN_OPTION
@LIMIT_OPTION
@format_option("JSON has every comparison of every session.")
@COLOR_OPTION
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Judge N sessions at a time, each in a process.  [default: the cores from 20 sessions "
    "on, else 1]",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Judge on a cluster of dask.distributed: tcp://HOST:PORT, or local.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show all figures of every difference.")
@click.pass_context
def check(ctx: click.Context, /, **given: Any) -> None:
    """Compare what the system believes with what the exchange says, and decide.

    SESSION is a recorded session, a directory that holds some, or a pattern; a URL of either,
    such as s3://bucket/day, where the extra url is installed. The verdicts are those of
    pytest --recon-session.
    """
    options = CheckOptions(**given)
    request = request_of(ctx, options)
    run = request.check
    with _progress(len(request.anchors)) as watch, request.workers as workers:
        run.judge(request.anchors, workers, watch)
    ctx.exit(finished(request, as_json=options.output_format == "json"))


def request_of(ctx: click.Context, options: CheckOptions) -> CheckRequest:
    """Return what the options ask for; where they cannot, the usage is wrong."""
    try:
        return requested(options, project_settings(ctx, options.limits), Path.cwd())
    except ReconError as error:
        raise click.UsageError(str(error)) from None


def finished(request: CheckRequest, *, as_json: bool) -> int:
    """Write the audit log and the reports of sessions that are judged, and print their answer.

    Returns the exit status.
    """
    run = request.check
    if request.audit_log is not None:
        run.write_audit_log(request.audit_log, request.rotate_at)
    printed = write_named_reports(request)
    if printed is not None:
        click.echo(printed, nl=False)
    is_reported = printed is not None
    # With a report on standard output that is all there is on it.
    if as_json:
        click.echo(_json(request), err=is_reported)
    else:
        show(_text(request), request.screen, err=is_reported)
    return CANNOT_JUDGE if run.problems else FINDINGS if run.tally().blocked else CLEAR


def requested(options: CheckOptions, settings: ProjectSettings, directory: Path) -> CheckRequest:
    """Read the policy and find the sessions; raises `ReconError` for mistakes in them."""
    from recon_core.cli.check_run import Check  # noqa: PLC0415  # brings the engine
    from recon_core.cli.checked_session import Terms  # noqa: PLC0415  # as that
    from recon_core.plugins.manager import extension_manager  # noqa: PLC0415  # as the next ones
    from recon_core.sessions.discovery import joined, named_sessions  # noqa: PLC0415
    from recon_core.sessions.unjudged_paths import notes_on  # noqa: PLC0415
    from recon_core.values.severity import Severity  # noqa: PLC0415

    named = None if options.policy is None else directory / options.policy
    source = settings.policy_source(named)
    required = "--require-policy" if options.require_policy else None
    if settings.require_policy:
        required = required or "recon_require_policy"
    try:
        policy, policy_name = effective_policy(source, required)
    except ReconError as error:
        raise ReconError(f"recon policy: {error}") from None
    waivers = _waivers([directory / name for name in options.waivers], settings, policy)
    reports, audit_log = _written_paths(options, settings, directory)
    manager = extension_manager()
    lowest = Severity(settings.lowest_failing(options.fail_on).upper())
    found = joined(named_sessions(name, directory, manager) for name in options.sessions)
    path = None if policy_name == BUILT_IN else source
    terms = Terms(
        policy,
        directory,
        options.top_n,
        lowest,
        settings.most_items(options.max_items),
        settings.explain_effort(options.explain),
        waivers=waivers,
        for_reports=bool(reports),
        for_json=options.output_format == "json",
    )
    return CheckRequest(
        check=Check(terms, named_reports=reports),
        anchors=found.anchors,
        workers=_workers(options, terms, len(found.anchors), manager),
        policy=PolicyInForce(path, directory, settings.root, found.anchors),
        notes=list(notes_on(found.unjudged, directory)),
        audit_log=audit_log,
        rotate_at=settings.rotate_at(options.audit_rotate),
        detail=_detail(options),
        screen=screen(options.color),
        against=_past(options.against, audit_log),
        against_name=options.against or "",
    )


def _workers(
    options: CheckOptions, terms: "Terms", sessions: int, manager: "PluginManager"
) -> "Workers":
    from recon_core.cli.workers import (  # noqa: PLC0415  # not for the help
        OneProcess,
        Processes,
        worker_count,
    )

    if options.scheduler is not None:
        from recon_core.cli.cluster import (  # noqa: PLC0415  # only where asked for
            Cluster,
            require_scheduler,
        )

        require_scheduler(options.scheduler, options.jobs)
        return Cluster(terms, options.scheduler, options.jobs)
    count = worker_count(options.jobs, sessions, manager)
    return OneProcess(terms, manager) if count == 1 else Processes(terms, count)


def _detail(options: CheckOptions) -> "Detail":
    from recon_core.reports.session_text import Detail  # noqa: PLC0415  # brings tabulate

    given = () if options.policy is None else ("--policy", shlex.quote(options.policy))
    return Detail(options.top_n, verbose=options.verbose, options=given)


def _past(name: str | None, log: Path | None) -> "PastRun | None":
    """The command to compare with, before this one is appended to the log."""
    if name is None:
        return None
    from recon_core.cli.past_run_names import past_runs  # noqa: PLC0415  # only where asked for

    try:
        return past_runs([name], None if log is None else str(log))[0]
    except ReconError as error:
        raise ReconError(f"--against: {error}") from None


def _waivers(named: list[Path], settings: ProjectSettings, policy: "Policy") -> "Waivers":
    try:
        return effective_waivers(settings.waiver_sources(named), policy)
    except ReconError as error:
        raise ReconError(f"recon waivers: {error}") from None


def _written_paths(
    options: CheckOptions, settings: ProjectSettings, directory: Path
) -> "tuple[list[NamedReport], Path | None]":
    from recon_core.reports.writing import (  # noqa: PLC0415  # not for the help
        named_report,
        require_own_places,
    )

    reports = [named_report("--report", value, directory) for value in options.reports]
    if options.junit is not None:
        reports.append(named_report("--junit", options.junit, directory))
    audit_log = _written_path("--audit-log", options.audit_log, directory)
    if options.audit_log is None and settings.audit_log_of_check is not None:
        audit_log = _written_path("recon_audit_log", str(settings.audit_log_of_check), directory)
    require_own_places(reports, [("the audit log", audit_log)])
    return reports, audit_log


def _written_path(option: str, value: str | None, directory: Path) -> Path | None:
    from recon_core.reports.written_path import written_path  # noqa: PLC0415  # not for the help

    try:
        return None if value is None else written_path(value, directory)
    except ReconError as error:
        raise ReconError(f"{option}: {error}") from None


@contextmanager
def _progress(sessions: int) -> "Iterator[Callable[[CheckedSession], None]]":
    """A bar on stderr where somebody watches, with the sessions that block so far."""
    blocked: list[str] = []

    def shown() -> str | None:
        return f"{len(blocked)} blocked, latest {blocked[-1]}" if blocked else None

    with progress(sessions, shown) as step:

        def watch(session: "CheckedSession") -> None:
            if session.blocks:
                blocked.append(session.report.path)
            step()

        yield watch


def _text(request: CheckRequest) -> str:
    from recon_core.reports.session_text import session_lines, verdict_line  # noqa: PLC0415  # brings tabulate

    run, screen = request.check, request.screen
    detail = replace(request.detail, run_ids=run.trail is not None)
    lines = session_lines(run.reports(), detail, screen)
    notes = terms_of(request)
    if run.trail is not None and run.trail.line is not None:
        notes.append(run.trail.line)
    lines += [f"recon: {note}" for note in [*notes, *_against(request), *run.problems]]
    return "\n".join([*lines, verdict_line(run.tally(), screen)])


def _against(request: CheckRequest) -> list[str]:
    """The changes since an earlier command, where one is asked for."""
    if request.against is None:
        return []
    from recon_core.audit.run_comparison import compare_runs  # noqa: PLC0415  # only where asked for
    from recon_core.cli.compare_text import comparison_lines  # noqa: PLC0415  # as that

    past = request.against
    found = compare_runs(past, request.check.past_run())
    return list(comparison_lines(found, request.against_name, "now"))


def write_named_reports(request: CheckRequest) -> str | None:
    """Write the reports; return the one for standard output, `None` where none is for it."""
    run = request.check
    if not run.named_reports:
        return None
    from recon_core.reports.writing import write_reports  # noqa: PLC0415  # only with the options

    printed = write_reports(
        run.named_reports,
        lambda: run.report(request.policy.name, terms_of(request)[1:]),
        lambda: run.problems,
        run.problems.append,
    )
    return printed if any(each.path is None for each in run.named_reports) else None


def terms_of(request: CheckRequest) -> list[str]:
    """The policy, the waivers, what else is not the default, and what was not judged."""
    from recon_core.policy.names import unmatched_line  # noqa: PLC0415  # brings the model

    run = request.check
    names = (session.policy_names for session in run.sessions)
    more = filter(None, [unmatched_line(run.terms.policy, names), limits_line()])
    return [*request.policy.lines(), *run.waiver_lines(), *more, *request.notes]


def _json(request: CheckRequest) -> str:
    run = request.check
    head = None if run.trail is None else run.trail.head
    report = {
        "verdict": run.tally().verdict,
        "problems": run.problems,
        "policy": request.policy.name,
        "notes": terms_of(request)[1:],
        "audit_log": head and {"entries": head.count, "head": head.hash},
        **_changes(request),
        "sessions": [
            # Under the run id that the audit log and the JUnit file have, too.
            {**(session.json or {}), "summary": session.summary.to_dict()}
            for session in run.sessions
        ],
    }
    return json.dumps(report, indent=2)


def _changes(request: CheckRequest) -> dict[str, object]:
    if request.against is None:
        return {}
    from recon_core.audit.run_comparison import compare_runs  # noqa: PLC0415  # only where asked for

    changes = compare_runs(request.against, request.check.past_run()).changes
    return {"against": {"run": request.against.name, "changes": [one.to_dict() for one in changes]}}
