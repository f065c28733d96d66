"""The data of an item that its report carries to the controlling process."""

import pytest

from pytest_recon.gate import ATTRIBUTE
from pytest_recon.nodes import ComparisonItem
from pytest_recon.run import run_of


def attach_result(item: pytest.Item, report: pytest.TestReport, *, is_only: bool = False) -> None:
    """Attach to the report of an item the data that the controlling process reads of it.

    `is_only` says that no report of a setup and of a teardown surrounds it.
    """
    if isinstance(item, ComparisonItem) and item.judgement is not None and report.when == "call":
        run = run_of(item.config)
        diff = item.placed_judgement().diff if run.settings.reports else item.judgement.diff
        attached = {
            "path": item.session_path,
            "verdict": item.judgement.verdict,
            "diff": None if diff is None else diff.to_dict(),
            "promises": run.unsent_promises(),
            "is_only": is_only,
        }
        setattr(report, ATTRIBUTE, attached)
