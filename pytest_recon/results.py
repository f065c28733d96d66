"""The data of an item that its report carries to the controlling process.

A worker has one report for many comparisons that match: pytest-xdist takes longer for three
messages about each of them than it takes to judge them. The report carries their fields as one
text, and the controlling process makes their reports of it.
"""

from typing import Any

import pytest

from pytest_recon.gate import ATTRIBUTE
from pytest_recon.matches import MATCH, MatchReport
from pytest_recon.nodes import ComparisonItem
from pytest_recon.run import ReconRun, run_of
from recon_core.model.comparison import ReconDiff


def attach_result(item: pytest.Item, report: pytest.TestReport) -> None:
    """Attach to the report of an item the data that the controlling process reads of it."""
    if isinstance(item, ComparisonItem) and item.judgement is not None and report.when == "call":
        run = run_of(item.config)
        diff = item.placed_judgement().diff if run.settings.reports else item.judgement.diff
        attached = _attached(item.session_path, item.judgement.verdict, diff, run)
        setattr(report, ATTRIBUTE, attached)


def sent_report(report: MatchReport, run: ReconRun) -> pytest.TestReport:
    """Return the report of a match as a worker sends it, with what the controller reads of it."""
    plain = report.as_plain()
    attached = _attached(report.group.session_path, MATCH, None, run) | {"is_only": True}
    setattr(plain, ATTRIBUTE, attached)
    return plain


def _attached(path: str, verdict: str, diff: ReconDiff | None, run: ReconRun) -> dict[str, Any]:
    return {
        "path": path,
        "verdict": verdict,
        "diff": None if diff is None else diff.to_dict(),
        "promises": run.unsent_promises(),
        "is_only": False,
        "matches": run.waiting.taken(),
    }
