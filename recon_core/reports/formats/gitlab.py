"""GitLab's Code Quality: a list of issues, each with every field that GitLab asks for.

GitLab stops at the first element that lacks one, so none may. Source of the form: GitLab, "Code
Quality", "Import code quality results from a CI/CD job".
"""

import json
from collections import Counter
from typing import Final

from recon_core.reports.report_rows import Row, rows
from recon_core.reports.run_report import RunReport
from recon_core.values.printable import printable

MOST: Final = 2000
"""Issues of a report: the widget lists them all, and a browser that renders more is slow."""
_LONGEST: Final = 1000
"""Characters of a description, which the widget shows on a line."""
_SEVERITY: Final = {
    "INFO": "info",
    "WAIVED": "info",
    "WARN": "minor",
    "FAIL": "critical",
    "CRITICAL": "blocker",
}


def render(run: RunReport) -> str:
    """Return the issues, an empty list where nothing differs."""
    found, seen = rows(run), Counter[str]()
    shown = found if len(found) <= MOST else found[: MOST - 1]
    issues = [_issue(row, seen) for row in shown]
    if len(shown) < len(found):
        more = f"and {len(found) - len(shown)} more: the other reports list them"
        worst = found[len(shown)]
        issues.append(_issue(Row(worst.severity, worst.blocks, "more", "", more), seen))
    return json.dumps(issues, indent=1) + "\n"


def _issue(row: Row, seen: Counter[str]) -> dict[str, object]:
    # Of equal fingerprints GitLab shows one.
    seen[row.fingerprint] += 1
    again = seen[row.fingerprint] - 1
    fingerprint = row.fingerprint if not again else f"{row.fingerprint}-{again}"
    return {
        "check_name": f"recon.{row.kind}",
        "description": printable(f"recon: {row.text}", _LONGEST),
        "fingerprint": fingerprint,
        "severity": _SEVERITY[row.severity],
        "location": {"path": row.file.removeprefix("./") or "recon", "lines": {"begin": row.line}},
    }
