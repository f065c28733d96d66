"""Terminal output of a run: the header, the summary of its sessions, its terms."""

from collections.abc import Iterator

from pytest_recon.run import ReconRun
from pytest_recon.summaries import Summaries
from recon_core.audit.trail import AuditTrail
from recon_core.reports.waivers import waiver_lines
from recon_core.reports.wording import counted
from recon_core.sessions.unjudged_paths import notes_on
from recon_core.values.limits import limits_line


def header(run: ReconRun) -> str:
    """`recon: 3 sessions, 48 comparisons, policy recon.toml`."""
    sessions = counted(len(run.gate.sessions), "session")
    comparisons = counted(run.gate.promised, "comparison")
    line = f"recon: {sessions}, {comparisons}, policy {run.policy_name}"
    return "\n".join([line, *_folded_lines(run)])


def _folded_lines(run: ReconRun) -> Iterator[str]:
    """`recon: 99990 equal fills are 1 item (--recon-max-items=20000)`."""
    folded = [promise.folded for promise in run.gate.sessions]
    kinds = sorted({kind for each in folded for kind in each})
    for kind in kinds:
        rows = sum(each.get(kind, 0) for each in folded)
        items = sum(kind in each for each in folded)
        verb = "is" if rows == 1 else "are"
        yield (
            f"recon: {counted(rows, f'equal {kind}')} {verb} {counted(items, 'item')} "
            f"(--recon-max-items={run.settings.max_items})"
        )


def summary_lines(run: ReconRun, summaries: Summaries, trail: AuditTrail | None) -> list[str]:
    """The sessions, the terms of their verdicts, and what else is wrong with the run."""
    gate = run.gate
    lines = []
    if gate.sessions:
        # With a log, what `recon audit detailed --run-id` asks for.
        lines += _session_lines(run, summaries, name_runs=trail is not None)
    lines += [f"recon: {term}" for term in _terms(run, summaries, trail)]
    return lines + [f"recon: {problem}" for problem in gate.problems]


def _session_lines(run: ReconRun, summaries: Summaries, *, name_runs: bool) -> list[str]:
    # Brings tabulate.
    from recon_core.reports.session_text import SessionReport, summary_lines  # noqa: PLC0415

    reports = [
        SessionReport(promise.path, summaries.summary(promise), summaries.diffs(promise))
        for promise in run.gate.sessions
    ]
    return summary_lines(reports, run.settings.top_n, name_runs=name_runs)


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
    if run.settings.command_line_sessions and not run.gate.active:
        yield "the gate is off: a run that is narrowed does not fail"
    if trail is not None and trail.line is not None:
        yield trail.line
