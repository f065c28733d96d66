"""The JSON Schemas of `recon schema`: from the file models, and from the values written.

Files that are read have pydantic models; a summary and the entries of a log are
dataclasses, whose fields give the names and types here.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from recon_core.audit.entries import (
    LOG_CLOSED,
    LOG_CONTINUED,
    LOG_RECOVERED,
    NOT_IN_DIFFS,
    RECON_DIFF,
    RECON_SUMMARY,
    RUN_COMMITTED,
    RUN_OPENED,
    LedgerEntry,
)
from recon_core.cli.explanation_schemas import CONCLUSION, EXPLANATION_DEFINITIONS
from recon_core.explain.repair.repair_file import SCHEMA as REPAIR
from recon_core.explain.repair.repair_file import RepairFile
from recon_core.model.summary import ReconSummary
from recon_core.policy.toml_file import PolicyFile
from recon_core.policy.waiver_file import WaiversFile
from recon_core.sessions.schema import SCHEMA, SessionFile

Schema = dict[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final[Schema] = {"type": "string"}
_TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_FIGURE: Final[Schema] = {"type": ["string", "null"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
_FIGURES: Final = ("CashSteps", "Timeline", "TimelinePoint", "Place")
_NOT_IN_LOGS: Final = ("ReconDiff", "Explanation", "LedgerSide", "TimelineSource", *_FIGURES)
_HASH: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_SEVERITY: Final[Schema] = {"$ref": "#/$defs/Severity"}


def session_schema() -> Schema:
    """A session file (`session-format`)."""
    return _of_file(SessionFile, SCHEMA, "A recorded session: both sides at one time.")


def policy_schema() -> Schema:
    """A policy file (design, "Names to keep"), TOML read as JSON."""
    return _of_file(PolicyFile, "recon.toml", "What is required, and what is tolerated.")


def waivers_schema() -> Schema:
    """Return the schema of a file of waivers (docs/waivers.md), TOML read as JSON."""
    description = "Known differences that somebody answers for until a day."
    return _of_file(WaiversFile, "recon-waivers.toml", description)


def _of_file(model: type[BaseModel], title: str, description: str) -> Schema:
    made = _as_read(model.model_json_schema())
    return {"$schema": _DIALECT, **made, "title": title, "description": description}


def _as_read(node: Any) -> Any:
    """A schema of pydantic's that accepts what the reader accepts.

    Of two forms of a section both may fit a table, such as one position called "path";
    the reader then takes the one it means.
    """
    if isinstance(node, list):
        return [_as_read(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {"anyOf" if name == "oneOf" else name: _as_read(inner) for name, inner in node.items()}


def repair_schema() -> Schema:
    """The list of `recon repair`."""
    description = "Correcting entries, in the order in which they were proposed."
    return _of_file(RepairFile, REPAIR, description)


def explanation_schema() -> Schema:
    """Return the schema of `recon explain --format json`: one session, or a list of several."""
    summary = summary_schema()
    definitions = summary["$defs"]
    diff = definitions.pop("ReconDiff")
    found = _without(diff["properties"], ("explanation",))
    definitions["Diff"] = _complete({**diff, "title": "Diff", "properties": found})
    session = {
        "type": "object",
        "properties": {
            "session_id": _TEXT,
            "diffs": {"type": "array", "items": {"$ref": "#/$defs/Diff"}},
            "explanations": {"type": "array", "items": {"$ref": "#/$defs/Explanation"}},
        },
    }
    definitions["Session"] = _complete(session)
    return {
        "$schema": _DIALECT,
        "title": "Explanations",
        "description": "The diffs of a session, and what accounts for them.",
        "anyOf": [
            {"$ref": "#/$defs/Session"},
            {"type": "array", "items": {"$ref": "#/$defs/Session"}},
        ],
        "$defs": definitions,
    }


def summary_schema() -> Schema:
    """Return the schema of `ReconSummary.to_dict`."""
    made = TypeAdapter(ReconSummary).json_schema(mode="serialization")
    diff = made["$defs"]["ReconDiff"]
    diff["properties"] |= dict.fromkeys(("internal", "external", "delta", "drift"), _FIGURE)
    diff["properties"]["explanation"] = {
        "anyOf": [{"$ref": "#/$defs/Explanation"}, {"type": "null"}]
    }
    kept = ("Severity", "WaiverState", "LedgerSide", "TimelineSource")
    found = {name: made["$defs"][name] for name in kept}
    found |= {name: _complete(made["$defs"][name]) for name in ("WaiverUse", *_FIGURES)}
    made["$defs"] = {**found, "ReconDiff": _complete(diff), **EXPLANATION_DEFINITIONS}
    made["properties"] |= {"timestamp": _TIME, "max_severity": _SEVERITY}
    return {"$schema": _DIALECT, **_complete(made)}


def _complete(table: Schema) -> Schema:
    """Every field is written, and nothing else is."""
    return {**table, "required": list(table["properties"]), "additionalProperties": False}


def audit_entry_schema() -> Schema:
    """Return the schema of a line of an audit log, and of an export's element, without hashes.

    Only the fields of the runbook's own log are required of a run and of a diff.
    """
    made = TypeAdapter(LedgerEntry).json_schema(mode="serialization")
    own = {**made["properties"], "timestamp": _TIME}
    kinds = _details()
    return {
        "$schema": _DIALECT,
        "title": made["title"],
        "description": "One event of an audit log; those of an export carry no hashes.",
        "type": "object",
        "properties": {**own, "previous_hash": _HASH, "hash": _HASH},
        "required": list(own),
        "dependentRequired": {"hash": ["previous_hash"], "previous_hash": ["hash"]},
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"properties": {"event_type": {"const": event_type}}},
                "then": {"properties": {"details": {"$ref": f"#/$defs/{event_type}"}}},
            }
            for event_type in kinds
        ],
        "$defs": {**_without(summary_schema()["$defs"], _NOT_IN_LOGS), **kinds},
    }


def _details() -> Mapping[str, Schema]:
    """The details of an entry by its event type."""
    summary = summary_schema()
    of_run = _without(summary["properties"], ("timestamp", "top_diffs"))
    of_diff = _without(summary["$defs"]["ReconDiff"]["properties"], NOT_IN_DIFFS)
    of_diff["explanation"] = {"anyOf": [CONCLUSION, {"type": "null"}]}
    run = {"run_id": _TEXT, "session_id": _TEXT, "strategy_id": _TEXT, "run_timestamp": _TIME}
    batch = {"run_id": _TEXT, "session_id": _TEXT, "invocation_id": _TEXT_OR_NULL}
    batch |= {"place": _COUNT, "runs": _COUNT}
    counts = {"entries": _COUNT, "diffs": _COUNT, "total_diffs": _COUNT}
    recovered = {
        "reason": _TEXT,
        "quarantined": _TEXT,
        "bytes": _COUNT,
        "sha256": _HASH,
        "abandoned_run": _TEXT_OR_NULL,
    }
    continued = {
        "file": _TEXT,
        "number": _COUNT,
        "entries": _COUNT,
        "head": _HASH,
        "latest": {"anyOf": [_TIME, {"type": "null"}]},
    }
    # Of a damaged file neither is known.
    unknown = {name: {"anyOf": [continued[name], {"type": "null"}]} for name in ("entries", "head")}
    signed = {"bytes": _COUNT, "sha256": _HASH, "closed_by": _TEXT, "reason": _TEXT}
    closed = {**continued, **unknown, **signed, "problem": _TEXT}
    return {
        RECON_SUMMARY: _table({**of_run, "recorded_diffs": _COUNT}, _RUNBOOK_SUMMARY),
        RECON_DIFF: _table({**run, **of_diff}, _RUNBOOK_DIFF),
        RUN_OPENED: _table(batch, batch),
        RUN_COMMITTED: _table({**batch, **counts}, [*batch, *counts]),
        LOG_RECOVERED: _table(recovered, ["reason"]),
        LOG_CONTINUED: _table(continued, continued),
        LOG_CLOSED: _table(closed, closed),
    }


_RUNBOOK_SUMMARY: Final = (
    "run_id",
    "session_id",
    "strategy_id",
    "total_diffs",
    "counts_by_severity",
    "counts_by_type",
    "has_critical",
    "has_fail",
    "max_severity",
)
_RUNBOOK_DIFF: Final = (
    "run_id",
    "diff_id",
    "diff_type",
    "severity",
    "description",
    "diff_details",
    "resolved",
)


def _without(properties: Schema, names: Iterable[str]) -> Schema:
    return {name: value for name, value in properties.items() if name not in names}


def _table(properties: Schema, required: Iterable[str]) -> Schema:
    # Not closed: a reader of a log passes over what it does not know.
    return {"type": "object", "properties": properties, "required": list(required)}
