"""`recon mutate`: would the gate have caught it? Every fault in copies of recorded sessions."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from recon_core.cli.app import CANNOT_JUDGE, CLEAR, CONTEXT, FINDINGS
from recon_core.cli.check import (
    CheckCommand,
    CheckOptions,
    CheckRequest,
    request_of,
    terms_of,
    write_named_reports,
)
from recon_core.cli.screen import COLOR_OPTION, format_option, progress, show
from recon_core.cli.session_options import (
    EXPLAIN_OPTION,
    FAIL_ON_OPTION,
    LIMIT_OPTION,
    MAX_ITEMS_OPTION,
    POLICY_OPTION,
    REPORT_OPTION,
    WAIVERS_OPTION,
)
from recon_core.model.explanation import CauseKind
from recon_core.values.errors import ReconError
from recon_core.values.printable import quoted

if TYPE_CHECKING:
    from recon_core.cli.checked_session import CheckedSession
    from recon_core.mutate.gate import Gate, Pass
    from recon_core.reports.run_report import MutatedSession, Mutation

EPILOG: Final = """\b
Examples:
  recon mutate day.recon.json
  recon mutate day.recon.json --fault missing_fee --fault fee_rate
  recon mutate recordings/ --policy recon.toml --fail-under 95
  recon mutate recordings/ --report html:recon.html --format json

\b
Exit codes:
  0   answered; with --fail-under: that share of the faults is caught
  1   cannot be judged: nothing compared, no fault changes anything, a report not written
  2   a session is blocked without any fault, or too few faults are caught
  64  wrong usage, also a name that matches nothing and an invalid policy
  130 interrupted by Ctrl-C: no verdict

Policy, waivers, settings and hooks are those of recon check. Nothing is written but the reports
that are named: no audit log, no session, and recon_reconciled is called for the sessions
themselves alone.
"""

_DIVISOR: Final = 5
"""Part of the operations of a usual search for the cause of a fault.

Of 189 faults in four sessions 98 are explained with the whole budget and with a fifth, 96 with a
tenth; a fifth takes two thirds of the time.
"""


def _percent(ctx: click.Context, param: click.Parameter, value: str | None) -> Decimal | None:
    """Return a share from 0 to 100, exact; ends with wrong usage for anything else."""
    from recon_core.values.amounts import parse_amount  # noqa: PLC0415  # not for the help

    if value is None:
        return None
    try:
        share = parse_amount(value)
    except ReconError:
        share = Decimal(-1)
    if not 0 <= share <= 100:  # noqa: PLR2004  # percent
        shown = f"{quoted(value)}; expected a percentage from 0 to 100"
        raise click.BadParameter(shown, ctx, param)
    return share


def _known_kinds(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the kinds; ends with wrong usage for one that there is not."""
    known = [str(kind) for kind in CauseKind]
    unknown = next((kind for kind in value if kind not in known), None)
    if unknown is None:
        return value
    from recon_core.values.suggestions import did_you_mean  # noqa: PLC0415  # for an error

    shown = f"{quoted(unknown)}; {did_you_mean(unknown, known, len(known))}"
    raise click.BadParameter(shown, ctx, param)


@click.command(
    cls=CheckCommand,
    context_settings=CONTEXT,
    epilog=EPILOG,
    short_help="Show which faults the gate would catch.",
)
@click.argument("sessions", nargs=-1, required=True, metavar="SESSION...")
@POLICY_OPTION
@WAIVERS_OPTION
@REPORT_OPTION
@FAIL_ON_OPTION
@click.option(
    "--fault",
    "kinds",
    multiple=True,
    callback=_known_kinds,
    metavar="KIND",
    help="Try faults of this kind of cause only (repeatable).  [default: all]",
)
@click.option(
    "--fail-under",
    callback=_percent,
    metavar="PERCENT",
    help="End with 2 where a smaller share of the faults is caught.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    metavar="N",
    help="Choose other rows for the faults.",
)
@MAX_ITEMS_OPTION
@EXPLAIN_OPTION
@LIMIT_OPTION
@format_option("JSON has every fault of every session.")
@COLOR_OPTION
@click.pass_context
def mutate(
    ctx: click.Context,
    /,
    kinds: tuple[str, ...],
    fail_under: Decimal | None,
    seed: int,
    **given: Any,
) -> None:
    """Put every kind of fault into copies of each SESSION, and run the gate on them.

    SESSION is a recorded session, a directory that holds some, or a pattern. The table shows which
    faults are caught, the smallest one of each, and which line of the policy lets others through.
    """
    options = CheckOptions(**given, jobs=1)
    request = request_of(ctx, options)
    run = request.check
    with request.workers as workers:
        run.judge(request.anchors, workers)
    run.mutation = _mutation(request, seed, kinds)
    _refuse_nothing(run.problems, run.mutation)
    printed = write_named_reports(request)
    if printed is not None:
        click.echo(printed, nl=False)
    is_reported = printed is not None
    if options.output_format == "json":
        click.echo(_json(request, run.mutation, fail_under), err=is_reported)
    else:
        show(_text(request, run.mutation, fail_under), request.screen, err=is_reported)
    ctx.exit(_code(run.problems, run.mutation, fail_under))


def _mutation(request: CheckRequest, seed: int, kinds: Iterable[str]) -> "Mutation":
    """Put the faults into copies of every session that is not blocked without any."""
    from recon_core.explain.on_demand import explainer  # noqa: PLC0415  # as the next ones
    from recon_core.mutate.gate import Gate  # noqa: PLC0415  # brings the engine
    from recon_core.mutate.results import mutation_of  # noqa: PLC0415
    from recon_core.plugins.manager import extension_manager  # noqa: PLC0415

    terms = request.check.terms
    gate = Gate(
        terms.policy,
        extension_manager(),
        terms.lowest,
        terms.max_items,
        waivers=terms.waivers,
        explain=explainer(terms.effort),
        search=explainer(terms.effort, divisor=_DIVISOR),
    )
    pairs = list(zip(request.anchors, request.check.sessions, strict=True))
    sessions = []
    with progress(len(pairs)) as step:
        for anchor, session in pairs:
            sessions.append(_mutated(request, anchor, session, gate, seed, frozenset(kinds)))
            step()
    return mutation_of(seed, sessions)


def _mutated(
    request: CheckRequest,
    anchor: Path,
    session: "CheckedSession",
    gate: "Gate",
    seed: int,
    kinds: frozenset[str],
) -> "MutatedSession":
    from recon_core.mutate.mutation import trials_of  # noqa: PLC0415  # brings the engine
    from recon_core.mutate.results import fault_result  # noqa: PLC0415
    from recon_core.reports.run_report import FaultResult, MutatedSession  # noqa: PLC0415
    from recon_core.reports.wording import counts_text  # noqa: PLC0415
    from recon_core.sessions import read_session  # noqa: PLC0415

    names = session.report.names
    refusal, faults = "", tuple[FaultResult, ...]()
    if session.blocks:
        refusal = f"blocked already ({counts_text(session.diffs)})"
    else:
        source = _source(request)
        recorded = read_session(anchor, gate.manager)
        faults = tuple(
            fault_result(trial, source) for trial in trials_of(recorded, gate, seed, kinds)
        )
    return MutatedSession(
        path=session.report.path,
        session_id=session.summary.session_id,
        internal=names.internal,
        external=names.external,
        refusal=refusal,
        faults=faults,
    )


def _source(request: CheckRequest) -> "Callable[[Pass], str]":
    """Return what names the file or the plugin that lets a fault through."""
    waivers = request.check.terms.waivers

    def source(found: "Pass") -> str:
        if found.waiver:
            return ", ".join(waivers.files if waivers else ())
        if found.line is not None:
            return request.policy.source_of(found.line.key)
        return found.hook

    return source


def _refuse_nothing(problems: list[str], mutation: "Mutation") -> None:
    """Make it a problem of the run if no fault changed anything that is compared."""
    if not any(session.refusal for session in mutation.sessions) and not mutation.percent:
        problems.append("no fault changes anything that is compared")


def _code(problems: list[str], mutation: "Mutation", fail_under: Decimal | None) -> int:
    from recon_core.mutate.results import meets  # noqa: PLC0415  # not for the help

    if problems:
        return CANNOT_JUDGE
    refused = any(session.refusal for session in mutation.sessions)
    too_few = fail_under is not None and not meets(mutation, fail_under)
    return FINDINGS if refused or too_few else CLEAR


def _text(request: CheckRequest, mutation: "Mutation", fail_under: Decimal | None) -> str:
    from recon_core.cli.mutate_text import mutation_lines, verdict_line  # noqa: PLC0415  # brings tabulate

    lines = mutation_lines(mutation, request.screen)
    notes = (f"recon: {note}" for note in (*terms_of(request), *request.check.problems))
    return "\n".join([*lines, *notes, verdict_line(mutation, fail_under, request.screen)])


def _json(request: CheckRequest, mutation: "Mutation", fail_under: Decimal | None) -> str:
    from pydantic_core import to_json  # noqa: PLC0415  # not for the help

    from recon_core.mutate.results import meets  # noqa: PLC0415

    document = {
        "policy": request.policy.name,
        "notes": terms_of(request)[1:],
        "problems": request.check.problems,
        "fail_under": None if fail_under is None else format(fail_under, "f"),
        "is_met": None if fail_under is None else meets(mutation, fail_under),
        **_plain(mutation),
    }
    return to_json(document, indent=2).decode()


def _plain(mutation: "Mutation") -> dict[str, Any]:
    return {name: getattr(mutation, name) for name in mutation.__slots__}
