"""Terminal output of a run: the header, the summary of its sessions, its terms."""

import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_recon.run import ReconRun
from pytest_recon.summaries import Summaries
from recon_core.audit.trail import AuditTrail
from recon_core.reports.waivers import waiver_lines
from recon_core.reports.wording import command_path, counted
from recon_core.sessions.unjudged_paths import notes_on
from recon_core.values.limits import limits_line

if TYPE_CHECKING:
    from recon_core.reports.layout import Screen
    from recon_core.reports.session_text import SessionReport


def header(run: ReconRun) -> str:
    """`recon: 3 sessions, 48 comparisons, policy recon.toml`; workers have not read theirs yet."""
    sessions = counted(len(run.declared), "session")
    known = counted(run.gate.promised, "comparison") if run.gate.sessions else "read by workers"
    line = f"recon: {sessions}, {known}, policy {run.policy_name}"
    return "\n".join([line, *_folded_lines(run)])


def _folded_lines(run: ReconRun) -> Iterator[str]:
    """`recon: 99990 equal fills are 1 item (--recon-max-items=20000)`."""
    folded = [promise.folded for promise in run.gate.sessions]
    for kind in dict.fromkeys(kind for each in folded for kind in each):
        rows = sum(each.get(kind, 0) for each in folded)
        items = sum(kind in each for each in folded)
        verb = "is" if rows == 1 else "are"
        yield (
            f"recon: {counted(rows, f'equal {kind}')} {verb} {counted(items, 'item')} "
            f"(--recon-max-items={run.settings.max_items})"
        )


def summary_lines(
    run: ReconRun,
    summaries: Summaries,
    sessions: "Sequence[SessionReport]",
    trail: AuditTrail | None,
    screen: "Screen",
    *,
    verbose: bool = False,
) -> list[str]:
    """The sessions, the terms of their verdicts, and what else is wrong with the run."""
    lines = []
    if sessions:
        from recon_core.reports.session_text import Detail, session_lines  # noqa: PLC0415  # brings tabulate

        # With a log, what `recon audit detailed --run-id` asks for.
        policy = run.config.getoption("recon_policy")
        given = () if policy is None else ("--policy", shlex.quote(str(policy)))
        detail = Detail(run.settings.top_n, verbose, trail is not None, given)
        lines += session_lines(sessions, detail, screen)
    lines += [f"recon: {term}" for term in _terms(run, summaries, trail)]
    return lines + [f"recon: {problem}" for problem in run.gate.problems]


def session_reports(run: ReconRun, summaries: Summaries) -> "dict[str, SessionReport]":
    """The sessions of a run as far as they ran, by their path in node ids."""
    from recon_core.reports.session_text import SessionReport  # noqa: PLC0415  # as that

    directory = run.config.invocation_params.dir
    return {
        promise.path: SessionReport(
            promise.path,
            summaries.summary(promise),
            summaries.diffs(promise),
            promise.mode,
            promise.sources,
            command_path(Path(os.fsdecode(promise.anchor)), directory),
        )
        for promise in run.gate.sessions
    }


def screen_of(reporter: Any) -> "Screen":
    """The screen that a terminal reporter writes to."""
    from recon_core.reports.layout import Screen  # noqa: PLC0415  # brings click

    # Pytest has no public way to ask for the width.
    return Screen(reporter._tw.fullwidth, coloured=reporter.hasmarkup)  # noqa: SLF001


def _terms(run: ReconRun, summaries: Summaries, trail: AuditTrail | None) -> Iterator[str]:
    """The terms of the verdicts: policy, waivers, limits, files that were not judged."""
    if run.gate.sessions:
        from recon_core.policy.names import unmatched_line  # noqa: PLC0415  # not at pytest's start

        yield from run.policy_in_force.lines()
        yield from waiver_lines(run.waivers, map(summaries.account, run.gate.sessions))
        names = (promise.names for promise in run.gate.sessions)
        yield from filter(None, [unmatched_line(run.policy, names), limits_line()])
    if run.names_sessions:
        yield from notes_on(run.discovery.unjudged, run.config.invocation_params.dir)
    if run.settings.sets_ini_aside:
        yield "recon_sessions is not read: the command line names sessions or tests"
    if run.settings.command_line_sessions and not run.gate.active:
        yield "the gate is off: a run that is narrowed does not fail"
    if trail is not None and trail.line is not None:
        yield trail.line
