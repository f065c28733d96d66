"""`recon explain`: all diffs of recorded sessions, and why the two sides differ."""

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recon_core.cli.app import CANNOT_JUDGE, CLEAR, CONTEXT, FINDINGS
from recon_core.cli.screen import COLOR_OPTION, format_option, screen, show
from recon_core.cli.session_options import (
    EFFORT_OPTION,
    LIMIT_OPTION,
    MAX_ITEMS_OPTION,
    POLICY_OPTION,
    REPAIR_EXCHANGE_OPTION,
    named,
)

if TYPE_CHECKING:
    from recon_core.engine.reconciliation import Reconciliation
    from recon_core.reports.layout import Screen

EPILOG = """\b
Examples:
  recon explain day.recon.json
  recon explain day.recon.json --format json
  recon explain recordings/ --effort full --exit-on-findings

\b
Exit codes:
  0   answered; with --exit-on-findings: no diff
  1   cannot be judged: a session that cannot be read, nothing compared
  2   diffs, with --exit-on-findings
  64  wrong usage, also a name that matches nothing and an invalid policy
  130 interrupted by Ctrl-C

An explanation names a cause only where the books prove it: with the cause repaired in a
copy, every diff that it claims is gone and none is new.
"""


@click.command(
    context_settings=CONTEXT,
    epilog=EPILOG,
    short_help="Say why the two sides of a session differ, with proof.",
)
@click.argument("sessions", nargs=-1, required=True, metavar="SESSION...")
@POLICY_OPTION
@MAX_ITEMS_OPTION
@EFFORT_OPTION
@LIMIT_OPTION
@REPAIR_EXCHANGE_OPTION
@click.option("--exit-on-findings", is_flag=True, help="End with 2 where there is a diff.")
@format_option("JSON is one object, or a list of several sessions.")
@COLOR_OPTION
@click.pass_context
def explain(
    ctx: click.Context,
    /,
    sessions: tuple[str, ...],
    policy: str | None,
    max_items: int | None,
    effort: str,
    limits: tuple[str, ...],
    output_format: str,
    color: str,
    *,
    exit_on_findings: bool,
    repair_exchange: bool,
) -> None:
    """Show every diff of each SESSION, then the causes that account for them.

    SESSION is a recorded session, a directory that holds some, or a pattern.
    """
    from recon_core.explain.on_demand import explainer  # noqa: PLC0415  # not for the help
    from recon_core.model.explanation import Effort  # noqa: PLC0415

    search = explainer(Effort(effort), repair_exchange=repair_exchange)
    found = list(named(ctx, sessions, policy, max_items, limits).reconciled(search))
    if output_format == "json":
        documents = [explanation_document(each) for _, each in found]
        whole = documents[0] if len(documents) == 1 else documents
        click.echo(json.dumps(whole, indent=2))
    else:
        on = screen(color)
        given = [] if policy is None else ["--policy", shlex.quote(policy)]
        given += ["--repair-exchange"] if repair_exchange else []
        show("\n".join(_lines(found, given, on)), on)
    ctx.exit(_code([each for _, each in found], exit_on_findings=exit_on_findings))


def explanation_document(reconciliation: "Reconciliation") -> dict[str, Any]:
    """One session as plain data: its diffs, and beside them their explanations."""
    from recon_core.model.summary import sorted_diffs  # noqa: PLC0415  # not for the help

    diffs = [diff.to_dict() for diff in sorted_diffs(reconciliation.diffs)]
    for diff in diffs:
        del diff["explanation"]  # it is in the list
    return {
        "session_id": reconciliation.recorded.session_id,
        "diffs": diffs,
        "explanations": [each.to_dict() for each in reconciliation.explanations],
    }


def _lines(
    found: "Sequence[tuple[Path, Reconciliation]]", options: "Sequence[str]", on: "Screen"
) -> "Iterator[str]":
    from recon_core.cli.explain_text import explained_session  # noqa: PLC0415
    from recon_core.reports.layout import lines_of  # noqa: PLC0415
    from recon_core.reports.wording import command_path, node_path  # noqa: PLC0415  # not for the help

    directory = Path.cwd()
    for place, (anchor, reconciliation) in enumerate(found):
        if place:
            yield ""
        path, file = node_path(anchor, directory), command_path(anchor, directory)
        yield from lines_of(explained_session(reconciliation, path, file, options), on)


def _code(found: "list[Reconciliation]", *, exit_on_findings: bool) -> int:
    if any(map(_is_unreadable, found)) or not any(map(_compares, found)):
        return CANNOT_JUDGE
    return FINDINGS if exit_on_findings and any(each.diffs for each in found) else CLEAR


def _is_unreadable(reconciliation: "Reconciliation") -> bool:
    return any(
        comparison.check is not None and comparison.key == "readable"
        for comparison in reconciliation.comparisons
    )


def _compares(reconciliation: "Reconciliation") -> bool:
    kinds = {str(comparison.item_kind) for comparison in reconciliation.comparisons}
    return bool(kinds - {"session"})
