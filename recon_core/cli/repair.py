"""`recon repair`: the correcting entries of an explained session, as a list that only grows."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from recon_core.cli.app import CONTEXT
from recon_core.cli.screen import screen, show
from recon_core.cli.session_options import (
    EFFORT_OPTION,
    LIMIT_OPTION,
    MAX_ITEMS_OPTION,
    POLICY_OPTION,
    REPAIR_EXCHANGE_OPTION,
    named,
)
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable, quoted

if TYPE_CHECKING:
    from recon_core.engine.reconciliation import Reconciliation
    from recon_core.explain import RepairEntry
    from recon_core.reports.layout import Row
    from recon_core.reports.side_names import SideNames

EPILOG = """\b
Examples:
  recon repair day.recon.json -o repair.json
  recon repair day.recon.json -o repair.json --repair-exchange

\b
Exit codes:
  0   written, or no diff to repair
  1   not repaired: no proven cause, a name that the policy mends, an implausible price,
      a fault of the external side without --repair-exchange, a session that cannot be
      read, a FILE that is no such list or cannot be written
  64  wrong usage

The entries are proposals: no ledger and no session is changed. FILE may be an earlier list,
whose entries stay as they are; entries that it has already are not written twice. The
exchange keeps the truth: its record is left as it is unless --repair-exchange is given.
"""


@click.command(
    context_settings=CONTEXT,
    epilog=EPILOG,
    short_help="Write the correcting entries of an explained session.",
)
@click.argument("session", metavar="SESSION")
@click.option("-o", "--output", required=True, metavar="FILE", help="The list to write or extend.")
@POLICY_OPTION
@MAX_ITEMS_OPTION
@EFFORT_OPTION
@LIMIT_OPTION
@REPAIR_EXCHANGE_OPTION
@click.pass_context
def repair(
    ctx: click.Context,
    /,
    session: str,
    output: str,
    policy: str | None,
    max_items: int | None,
    effort: str,
    limits: tuple[str, ...],
    *,
    repair_exchange: bool,
) -> None:
    """Write what would repair the one SESSION, where its explanation is unique."""
    from recon_core.explain.on_demand import explainer  # noqa: PLC0415  # not for the help
    from recon_core.model.explanation import Effort  # noqa: PLC0415

    sessions = named(ctx, [session], policy, max_items, limits)
    if len(sessions.anchors) != 1:
        raise click.UsageError(
            f"{quoted(session, 200)} matches {len(sessions.anchors)} sessions; expected one of them"
        )
    target = _target(output, sessions.anchors[0])
    from recon_core.reports.layout import Row, lines_of  # noqa: PLC0415  # as below
    from recon_core.reports.side_names import SideNames, sources_of  # noqa: PLC0415  # as below
    from recon_core.reports.wording import node_path  # noqa: PLC0415  # not for the help

    anchor, reconciliation = next(
        sessions.reconciled(explainer(Effort(effort), repair_exchange=repair_exchange))
    )
    path = node_path(anchor, Path.cwd())
    names = SideNames.of_sources(sources_of(reconciliation.recorded))
    try:
        entries = _entries(reconciliation, repair_exchange=repair_exchange)
    except ReconError as error:
        raise ReconError(f"{path}: not repaired: {names.said(str(error))}") from None
    if not entries:
        click.echo(f"{path}: no diff to repair")
        return
    fresh = _write(target, output, entries)
    rows = [*_rows(entries, fresh, printable(output), names)]
    if any(each.leaves_out_the_exchange for each in reconciliation.explanations):
        rows.append(Row(f"{names.external}: {_LEFT_OUT}", indent=2))
    on = screen("auto")
    show("\n".join(lines_of(rows, on)), on)


def _target(output: str, anchor: Path) -> Path:
    from recon_core.reports.written_path import is_same_file, written_path  # noqa: PLC0415

    if output == "-":
        raise click.UsageError(
            "-o: '-' is not standard output here: a list that grows is a file; expected its name"
        )
    try:
        target = written_path(output, Path.cwd())
    except ReconError as error:
        raise click.UsageError(f"-o: {error}") from None
    if is_same_file(target, anchor):
        raise click.UsageError("-o: names the session; expected a file of its own")
    return target


_MOST_SHOWN: Final = 10
"""Entries that are shown; the file has all."""

_LEFT_OUT: Final = "its record is left as it is; --repair-exchange proposes entries for it"


def _entries(reconciliation: "Reconciliation", *, repair_exchange: bool) -> "list[RepairEntry]":
    explanations = reconciliation.explanations
    unreadable = [
        judgement.message
        for judgement in reconciliation.judgements
        if judgement.comparison.check is not None and judgement.comparison.key == "readable"
    ]
    if unreadable:
        raise ReconError(unreadable[0])
    if not explanations:
        if reconciliation.diffs:
            raise ReconError("no position or balance differs; no entry repairs the other diffs")
        return []
    from recon_core.explain import entries_of  # noqa: PLC0415  # only where a repair is made

    return [
        entry
        for each in explanations
        for entry in entries_of(reconciliation, each, repair_exchange=repair_exchange)
    ]


def _write(target: Path, output: str, entries: "list[RepairEntry]") -> int:
    """Write what is new to the file called `output`; returns how many entries that are."""
    from recon_core.explain.repair.repair_file import joined, read_repair, write_repair  # noqa: PLC0415

    known = read_repair(target, output) if os.path.lexists(target) else []
    whole = joined(known, entries)
    if len(whole) > len(known):
        write_repair(target, whole, output)
    return len(whole) - len(known)


def _rows(
    entries: "list[RepairEntry]", fresh: int, output: str, names: "SideNames"
) -> "Iterator[Row]":
    from recon_core.reports.explanations import entry_text  # noqa: PLC0415  # not for the help
    from recon_core.reports.layout import Row  # noqa: PLC0415  # as that

    written = "entry" if fresh == 1 else "entries"
    known = len(entries) - fresh
    there = f", {known} there already" if known else ""
    yield Row(f"{output}: {fresh} {written} written{there}")
    for entry in entries[:_MOST_SHOWN]:
        yield Row(entry_text(entry, names), indent=2)
    if len(entries) > _MOST_SHOWN:
        yield Row(f"and {len(entries) - _MOST_SHOWN} more", indent=2)
