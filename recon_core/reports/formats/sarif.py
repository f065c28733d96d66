"""SARIF 2.1.0, the part of it that GitHub's code scanning reads.

A result points to the row that differs, its related locations to the other rows. Source of the
limits: GitHub, "SARIF support for code scanning".
"""

import json
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from recon_core.reports.report_rows import GATE, Row, rows
from recon_core.reports.run_report import RunReport
from recon_core.values.printable import printable

MOST: Final = 5000
"""Results that GitHub shows of a file."""
_LONGEST: Final = 1000
"""Characters of a text; GitHub cuts a rule's at 1,024."""
_LEVEL: Final = {
    "INFO": "note",
    "WAIVED": "note",
    "WARN": "warning",
    "FAIL": "error",
    "CRITICAL": "error",
}
_RULES: Final = {
    "position": "The quantity that both sides hold of an instrument",
    "cash": "The balance that both sides state of a currency",
    "holding": "An asset that one side lists as a position and the other as a balance",
    "order": "An order, as both sides have it",
    "fill": "A fill, as both sides have it",
    "movement": "Movements of one kind, as both sides have them",
    "ledger": "A statement of a side against what its own fills give",
    "session": "The session as a whole: what can be compared at all",
    GATE: "The run as a whole: what did not run or cannot be trusted",
}
"""The subjects of comparisons by their kind, which is a rule of the report."""


def render(run: RunReport) -> str:
    """Return a file with one run."""
    found = rows(run)
    shown = found[:MOST]
    rules = [*_RULES, *sorted({row.kind for row in shown} - _RULES.keys())]
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(run, rules)},
                "automationDetails": {"id": "recon/"},
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(run, len(found) - len(shown))],
                "results": [_result(row, rules.index(row.kind)) for row in shown],
            }
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def _driver(run: RunReport, rules: Iterable[str]) -> dict[str, Any]:
    return {
        "name": "recon",
        "version": printable(run.version) or "0",
        "rules": [
            {
                "id": rule,
                "shortDescription": {"text": _RULES.get(rule, rule)},
                "fullDescription": {"text": f"{_RULES.get(rule, rule)}."},
                "help": {"text": "recon explain SESSION says why the two sides differ."},
                "defaultConfiguration": {"level": "error"},
                "properties": {"tags": ["reconciliation"], "precision": "very-high"},
            }
            for rule in rules
        ],
    }


def _invocation(run: RunReport, more: int) -> dict[str, Any]:
    notes = [{"message": {"text": printable(run.line, _LONGEST)}, "level": "note"}]
    if more:
        text = f"and {more} more findings: the JSON report lists them"
        notes.append({"message": {"text": text}, "level": "warning"})
    return {
        "executionSuccessful": run.verdict != "INCOMPLETE",
        "toolExecutionNotifications": notes,
    }


def _result(row: Row, rule: int) -> dict[str, Any]:
    finding = None if row.comparison is None else row.comparison.finding
    places = () if finding is None else finding.places
    others = [
        place
        for place in places
        if (printable(place.file, 500), place.line) != (row.file, row.line)
    ]
    return {
        "ruleId": row.kind,
        "ruleIndex": rule,
        "level": "error" if row.blocks else _LEVEL[row.severity],
        "message": {"text": printable(f"{row.title}. {row.text}", _LONGEST)},
        "locations": [_location(row.file or "recon", row.line)],
        "relatedLocations": [
            {
                "id": number,
                **_location(place.file, place.line),
                "message": {"text": f"{place.side}: the row as this side has it"},
            }
            for number, place in enumerate(others, 1)
        ],
        "partialFingerprints": {"primaryLocationLineHash": row.fingerprint},
    }


def _location(file: str, line: int) -> dict[str, Any]:
    uri = quote(printable(file, 500).encode("utf-8", "surrogatepass"), safe="/._-~+")
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": max(line, 1)},
        }
    }
