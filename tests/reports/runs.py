"""Runs to make reports of: judged from sessions, or with texts put into every field."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from recon_core.cli.check_run import Check
from recon_core.cli.checked_session import Terms
from recon_core.cli.workers import OneProcess
from recon_core.model.explanation import Effort
from recon_core.plugins.manager import extension_manager
from recon_core.policy.model import Policy
from recon_core.policy.waivers import Waivers
from recon_core.reports.run_report import RunReport
from recon_core.values.severity import Severity

AS_OF = "2026-01-01T12:00:00Z"
EXAMPLES = Path(__file__).parents[2] / "examples"


def session(**sides: Mapping[str, Any]) -> dict[str, Any]:
    """A session document; `internal` and `external` are sides without their time."""
    times = {name: {"as_of": AS_OF, **side} for name, side in sides.items()}
    return {"schema": "recon.session/1", "session_id": "desk", **times}


BLOCKED = session(
    internal={"positions": {"BTC/EUR": "0.1", "ETH/EUR": "1.0", "SOL/EUR": "10"}, "cash": {}},
    external={"positions": {"BTC/EUR": "0.0995", "ETH/EUR": "0.95", "SOL/EUR": "10"}, "cash": {}},
)
"""One WARN, one FAIL, one equal position."""

CLEAR = session(
    internal={"positions": {"BTC/EUR": "0.1"}, "cash": {"EUR": "1.00"}},
    external={"positions": {"BTC/EUR": "0.1"}, "cash": {"EUR": "1.00"}},
)


def fill(number: int, **more: str) -> dict[str, str]:
    """A fill of 0.01 BTC, one each minute."""
    return {
        "fill_id": f"t{number}",
        "symbol": "BTC/EUR",
        "side": "BUY",
        "quantity": "0.01",
        "price": f"{40000 + number}",
        "time": f"2026-01-01T09:{number:02d}:00Z",
        "fee": "1.00",
        "fee_currency": "EUR",
        **more,
    }


def trading(missing: int | None = 3, count: int = 8) -> dict[str, Any]:
    """A session of fills on both sides, of which the ledger lacks the one numbered `missing`."""
    opening = {"as_of": "2026-01-01T08:00:00Z", "cash": {"EUR": "10000.00"}, "positions": {}}
    every = [fill(number) for number in range(count)]
    ours = [dict(row) for number, row in enumerate(every) if number != missing]
    return {
        **session(
            internal={"opening": opening, "fills": ours},
            external={"opening": opening, "fills": every},
        ),
        "instruments": {"BTC/EUR": {"kind": "spot", "base": "BTC", "quote": "EUR"}},
        "currencies": {"EUR": {"precision": 2}, "BTC": {"precision": 8}},
    }


def write(directory: Path, name: str, document: Mapping[str, Any]) -> Path:
    """Write a session file; each row has a line of its own."""
    path = directory / f"{name}.recon.json"
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return path


def judged(
    directory: Path,
    *anchors: Path,
    effort: Effort = Effort.FAST,
    waivers: Waivers | None = None,
    log: Path | None = None,
) -> RunReport:
    """The report of a run over some sessions, under the built-in policy, with an audit log."""
    terms = Terms(
        Policy(), directory, 10, Severity.FAIL, effort=effort, waivers=waivers, for_reports=True
    )
    check = Check(terms)
    check.judge(anchors, OneProcess(terms, extension_manager()))
    if log is not None:
        check.write_audit_log(log)
    return check.report("built-in", [])


def examples(waivers: Waivers | None = None) -> RunReport:
    """A run over the examples, which has every severity and explanations of every verdict."""
    names = ["suite/blocked", "suite/clear", "explain"]
    anchors = [path for name in names for path in sorted((EXAMPLES / name).glob("*.recon.json"))]
    return judged(EXAMPLES, *anchors, waivers=waivers)


def with_texts(value: Any, text: str) -> Any:
    """A report with `text` in every place where text from outside can be."""
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: with_texts(getattr(value, field.name), text)
            for field in fields(value)
            if field.name not in _OWN
        }
        return replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(with_texts(each, text) for each in value)
    return text if isinstance(value, str) else value


_OWN = {
    "schema", "version", "written", "verdict", "max_severity", "waterfalls", "timeline", "counts",
    "evidence", "fills", "more", "seconds", "internal", "external", "delta", "drift", "causes",
    "audit", "trend", "invocation_id", "run_id", "diff_id", "action", "mode", "severity", "state",
}  # fmt: skip
"""Fields that this project writes itself, or that are no text."""
