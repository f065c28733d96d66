"""The data of an item that its report carries to the controlling process.

A worker has one report for many comparisons that match: pytest-xdist takes longer for three
messages about each of them than it takes to judge them. The report carries their fields as one
text, and the controlling process makes their reports of it.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_recon.gate import ATTRIBUTE
from pytest_recon.nodes import ComparisonItem
from pytest_recon.run import ReconRun, run_of
from recon_core.model.comparison import ReconDiff

_OF_WORKER = ("node", "worker_id", "testrun_uid")
"""Attributes of a report by which pytest-xdist and others know where an item ran."""


def attach_result(item: pytest.Item, report: pytest.TestReport) -> None:
    """Attach to the report of an item the data that the controlling process reads of it."""
    if isinstance(item, ComparisonItem) and item.judgement is not None and report.when == "call":
        run = run_of(item.config)
        diff = item.placed_judgement().diff if run.settings.reports else item.judgement.diff
        attached = _attached(item.session_path, item.judgement.verdict, diff, run)
        setattr(report, ATTRIBUTE, attached)


def match_fields(item: ComparisonItem, start: float, seconds: float) -> dict[str, Any]:
    """The fields of the one report of an item that was judged a match, as JSON has them."""
    return {
        "nodeid": item.nodeid,
        "location": item.location,
        "keywords": list(item.keywords),
        "user_properties": item.user_properties,
        "start": start,
        "seconds": seconds,
        "path": item.session_path,
        "verdict": item.judgement and item.judgement.verdict,
    }


def match_report(fields: dict[str, Any], run: ReconRun) -> pytest.TestReport:
    """The one report of an item that matches; no setup and no teardown surround it."""
    start, seconds = fields["start"], fields["seconds"]
    report = pytest.TestReport(
        nodeid=fields["nodeid"],
        location=tuple(fields["location"]),
        keywords=dict.fromkeys(fields["keywords"], 1),
        outcome="passed",
        longrepr=None,
        when="call",
        duration=seconds,
        start=start,
        stop=start + seconds,
        user_properties=fields["user_properties"],
    )
    attached = _attached(fields["path"], fields["verdict"], None, run) | {"is_only": True}
    setattr(report, ATTRIBUTE, attached)
    return report


def carried_reports(carrier: pytest.TestReport, run: ReconRun) -> Iterator[pytest.TestReport]:
    """Yield the reports of the matches that another report carries from the same worker."""
    matches = getattr(carrier, ATTRIBUTE)["matches"]
    for fields in json.loads(matches) if matches else ():
        report = match_report(fields, run)
        for name in _OF_WORKER:
            if hasattr(carrier, name):
                setattr(report, name, getattr(carrier, name))
        yield report


def _attached(path: str, verdict: str, diff: ReconDiff | None, run: ReconRun) -> dict[str, Any]:
    matches = run.unsent_matches()
    return {
        "path": path,
        "verdict": verdict,
        "diff": None if diff is None else diff.to_dict(),
        "promises": run.unsent_promises(),
        "is_only": False,
        "matches": json.dumps(matches) if matches else "",
    }
