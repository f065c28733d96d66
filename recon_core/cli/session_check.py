"""From a session file to its results, the one way for every process of `recon check`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pluggy import PluginManager

from recon_core.cli.checked_session import CheckedSession, Terms
from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain.on_demand import explainer
from recon_core.model.comparison import Comparison, ItemKind, Judgement, ReconDiff
from recon_core.model.summary import ReconSummary
from recon_core.reports.explanations import explanation_properties
from recon_core.reports.reconciliation_report import reconciliation_report
from recon_core.reports.session_text import SessionReport
from recon_core.reports.side_names import SideNames, sources_of
from recon_core.reports.text import diff_text
from recon_core.reports.waivers import waiver_properties
from recon_core.reports.wording import (
    command_path,
    drift_text,
    folded_properties,
    node_path,
    opened_path,
)
from recon_core.values.limits import limits_in_force
from recon_core.values.printable import printable, without_paths

if TYPE_CHECKING:
    from recon_core.reports.run_report import SessionResult
    from recon_core.reports.session_result import Outcome


def check_session(anchor: Path, terms: Terms, manager: PluginManager) -> CheckedSession:
    """Read and judge a session, and notify the plugins; a failure is one CRITICAL comparison.

    The limits of the terms are in force meanwhile, for the whole process.
    """
    try:
        with limits_in_force(terms.limits):
            reconciliation = reconcile_session(
                anchor,
                terms.policy,
                manager,
                max_items=terms.max_items,
                explain=explainer(terms.effort),
                waivers=terms.waivers,
                seen=terms.seen,
            )
            return _checked(reconciliation, terms)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # ours, or of a plugin that exits
        reason = f"{type(error).__name__}: {printable(without_paths(str(error)))}"
        return lost_session(anchor, reason, terms)


def lost_session(anchor: Path, reason: str, terms: Terms) -> CheckedSession:
    """Return the results of a session that was not judged: one CRITICAL comparison."""
    message = f"{printable(anchor.name)}: was not judged: {reason}"
    lost = Reconciliation.unreadable(anchor, message, terms.policy, terms.waivers)
    return _checked(lost, terms)


def _checked(reconciliation: Reconciliation, terms: Terms) -> CheckedSession:
    seconds = {}
    for comparison in reconciliation.comparisons:
        started = perf_counter()
        reconciliation.judge(comparison)
        seconds[comparison.identity] = perf_counter() - started
    path = node_path(reconciliation.recorded.anchor, terms.directory)
    problem = _notified(reconciliation, path)
    report = _report(reconciliation, path, terms)
    kinds = {comparison.item_kind for comparison in reconciliation.comparisons}
    return CheckedSession(
        report=report,
        comparisons=len(reconciliation.comparisons),
        compared=bool(kinds - {ItemKind.SESSION}),
        blocks=any(map(terms.blocks, report.diffs)),
        policy_names=reconciliation.policy_names,
        problem=problem,
        result=_result(reconciliation, report, seconds, terms) if terms.for_reports else None,
        json=_json(reconciliation, report) if terms.for_json else None,
    )


def _notified(reconciliation: Reconciliation, path: str) -> str | None:
    """Notify the plugins; returns what went wrong, if anything did."""
    try:
        reconciliation.notify()
    except Exception as error:  # noqa: BLE001  # a plugin's: the run is no longer sure
        reason = f"{type(error).__name__}: {printable(error)}"
        return f"recon_reconciled: {path}: {reason}"
    return None


def _report(reconciliation: Reconciliation, path: str, terms: Terms) -> SessionReport:
    recorded = reconciliation.recorded
    summary = reconciliation.summary(top_n=terms.top_n, invocation_id=terms.invocation_id)
    return SessionReport(
        path,
        _safe(summary, terms.commit),
        reconciliation.diffs,
        str(recorded.mode or ""),
        sources_of(recorded),
        command_path(recorded.anchor, terms.directory),
    )


def _safe(summary: ReconSummary, commit: str | None) -> ReconSummary:
    """The summary with ids that can be printed, and the commit that the run was started at."""
    return replace(
        summary,
        session_id=printable(summary.session_id),
        strategy_id=printable(summary.strategy_id),
        evidence={**summary.evidence, "commit": commit},
    )


def _json(reconciliation: Reconciliation, report: SessionReport) -> dict[str, Any]:
    return {
        **reconciliation_report(reconciliation),
        "path": report.path,
    }


def _result(
    reconciliation: Reconciliation,
    report: SessionReport,
    seconds: Mapping[str, float],
    terms: Terms,
) -> "SessionResult":
    from recon_core.reports.session_result import (  # noqa: PLC0415  # only for reports
        fill_marks,
        session_result,
    )

    placed = map(reconciliation.placed, reconciliation.judgements)
    names = report.names
    return session_result(
        report,
        opened_path(reconciliation.recorded.anchor, terms.directory),
        [_outcome(judgement, report, names, seconds, terms) for judgement in placed],
        fill_marks(reconciliation.comparisons) if reconciliation.diffs else (),
    )


def _outcome(
    judgement: Judgement,
    report: SessionReport,
    names: SideNames,
    seconds: Mapping[str, float],
    terms: Terms,
) -> "Outcome":
    from recon_core.reports.session_result import Outcome  # noqa: PLC0415  # only for reports

    comparison, diff = judgement.comparison, judgement.diff
    of_session = comparison.item_kind is ItemKind.SESSION
    return Outcome(
        kind=str(comparison.item_kind),
        key=comparison.key,
        verdict=judgement.verdict,
        blocks=terms.blocks(diff),
        seconds=seconds[comparison.identity],
        drift="" if of_session else drift_text(diff),
        more={
            **folded_properties(comparison),
            **explanation_properties(diff, names),
            **waiver_properties(diff),
        },
        text="" if diff is None else _text(comparison, diff, report),
        diff=diff,
    )


def _text(comparison: Comparison, diff: ReconDiff, report: SessionReport) -> str:
    node_id = f"{report.path}::{comparison.identity}"
    return diff_text(diff, report.summary.session_id, node_id, report.mode or None, report.names)
