"""`recon schema`: what is written validates, what is wrong does not."""

import json
import tomllib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from recon_core.audit.entries import (
    LOG_RECOVERED,
    RECON_DIFF,
    RECON_SUMMARY,
    RUN_COMMITTED,
    RUN_OPENED,
    SUCCESSIONS,
    LedgerEntry,
)
from recon_core.audit.log import AuditLog
from recon_core.audit.log_file import LogFile
from recon_core.cli.json_schemas import audit_entry_schema
from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.policy.toml_file import numbers_as_text
from recon_core.policy.waiver_file import WaiverTable
from recon_core.sessions import read_session
from recon_core.values.errors import SessionError

from .conftest import EXAMPLES, Recon, write_session

Valid = Callable[[str, Any], bool]
NAMES = ("session", "policy", "waivers", "audit-entry", "summary", "explanation", "repair")
READABLE = [
    path for path in sorted(EXAMPLES.rglob("*.recon.json")) if not path.name.startswith("truncated")
]


@pytest.fixture
def valid(recon: Recon) -> Valid:
    """Whether a document fits the schema that the command prints under a name."""
    return lambda name, document: Draft202012Validator(recon("schema", name).json).is_valid(
        document
    )


def blocked(path: Path) -> Reconciliation:
    """A session with a WARN, a FAIL and an INFO, and a note."""
    session = write_session(
        path,
        external_positions={"BTC/EUR": "0.0995", "ETH/EUR": "1.9"},
        external_cash={"EUR": "4999.99"},
    )
    return reconcile_session(session)


@pytest.mark.parametrize("name", NAMES)
def test_each_schema_is_one(recon: Recon, name: str) -> None:
    """It says its dialect, and a validator accepts it as a schema."""
    printed = recon("schema", name).json
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert printed["description"]
    Draft202012Validator.check_schema(printed)


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.parent.name + "/" + path.name)
def test_the_example_sessions_are_valid(valid: Valid, path: Path) -> None:
    """All that can be read."""
    assert valid("session", json.loads(path.read_text(encoding="utf-8")))


def session_with(**internal: Any) -> dict[str, Any]:
    """A session whose internal side has these keys."""
    return {
        "schema": "recon.session/1",
        "session_id": "s",
        "internal": {"as_of": "2026-01-01T12:00:00Z", **internal},
    }


SESSION_CASES = [
    ({"cash": {"EUR": "5000.00"}}, True),
    ({"cash": {"EUR": 5000.00}}, True),
    ({"cash": {"EUR": 5000}}, True),
    ({"cash": [{"currency": "EUR", "total": 1, "free": None}]}, True),
    ({"cash": {"path": "cash.csv"}}, True),
    ({"cash": {"path": "5"}}, True),
    ({"cash": {}}, True),
    ({"cash": None}, True),
    ({"counts": {"fills": 2}}, True),
    ({"cash": {"EUR": "5,000.00"}}, False),
    ({"cash": {"EUR": "1e3"}}, False),
    ({"cash": {"EUR": True}}, False),
    ({"cash": {"": "1"}}, False),
    ({"cash": [{"total": "1"}]}, False),
    ({"cash": "5000"}, False),
    ({"cashh": {"EUR": "1"}}, False),
    ({"as_of": 1}, False),
    ({"numbers": "double"}, False),
    ({"counts": {"fills": -1}}, False),
    ({"orders": [{"symbol": "BTC/EUR", "side": "buy"}]}, False),
]


@pytest.mark.parametrize(("internal", "expected"), SESSION_CASES, ids=str)
def test_a_session_is_valid_where_it_can_be_read(
    valid: Valid, directory: Path, internal: dict[str, Any], *, expected: bool
) -> None:
    """Amounts as text or as numbers; forms, keys and values as the reader takes them."""
    document = session_with(**internal)
    assert valid("session", document) is expected
    path = directory / "s.recon.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    (directory / "cash.csv").write_text("currency,total\nEUR,1\n", encoding="utf-8")
    with nullcontext() if expected else pytest.raises(SessionError):
        read_session(path)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"schema": "recon.session/1", "session_id": "s"}, True),
        ({**session_with(), "external": {"mirror": "internal"}}, True),
        ({**session_with(), "external": {"from": {"format": "ccxt", "path": "b.json"}}}, True),
        ({"schema": "recon.session/2", "session_id": "s"}, False),
        ({"schema": "recon.session/1"}, False),
        ({"session_id": "s"}, False),
        ({**session_with(), "external": {"mirror": "external"}}, False),
        ({**session_with(), "internal": {"mirror": "internal"}}, False),
        ([], False),
    ],
)
def test_the_frame_of_a_session(valid: Valid, document: Any, *, expected: bool) -> None:
    """Its schema, its id, and the forms that a side has."""
    assert valid("session", document) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ((EXAMPLES / "policy" / "recon.toml").read_text(encoding="utf-8"), True),
        ("", True),
        ('[position]\ninfo_below = 0.001\nfail_above = "0.01"', True),
        ("[cash.absolute]\nJPY = 150", True),
        ('max_skew = "PT5M"', True),
        ("max_skew = 60", False),
        ('require = ["balances"]', False),
        ("[cash.absolute]\nJPY = true", False),
        ("[postion]\ninfo_below = 0.001", False),
    ],
)
def test_a_policy(valid: Valid, text: str, *, expected: bool) -> None:
    """TOML is read as JSON has it."""
    assert valid("policy", tomllib.loads(text)) is expected


WAIVER = {
    "id": "w1",
    "session": "day",
    "item": "cash::EUR",
    "owner": "ops@desk",
    "reason": "ticket 812",
    "expires": "2026-12-31",
}
AMOUNT, FINDING = {"max_amount": "5.00"}, {"finding": "0123456789abcdef"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({**WAIVER, **AMOUNT}, True),
        ({**WAIVER, **FINDING}, True),
        ({**WAIVER, "max_amount": 5, "cause": "missing_fee", "severity": "WARN"}, True),
        (WAIVER, False),
        ({**WAIVER, **AMOUNT, **FINDING}, False),
        ({**WAIVER, **AMOUNT, "severity": "CRITICAL"}, False),
        ({**WAIVER, **AMOUNT, "cause": "a bug"}, False),
        ({**WAIVER, **AMOUNT, "item": "cash"}, False),
        ({**WAIVER, **AMOUNT, "owner": " "}, False),
        ({**WAIVER, **AMOUNT, "id": "a b"}, False),
        ({**WAIVER, **AMOUNT, "expires": "soon"}, False),
        ({**WAIVER, **AMOUNT, "expired": "2026-12-31"}, False),
    ],
)
def test_waivers(valid: Valid, row: dict[str, Any], *, expected: bool) -> None:
    """The schema accepts what is read, and refuses what is refused."""
    assert valid("waivers", {"waiver": [row]}) is expected
    try:
        WaiverTable.model_validate(numbers_as_text(row))
    except ValidationError:
        assert not expected
    else:
        assert expected


def test_a_written_summary_is_valid(valid: Valid, directory: Path) -> None:
    """With its diffs, and without any."""
    assert valid("summary", json.loads(blocked(directory / "b.recon.json").summary().to_json()))
    clear = reconcile_session(write_session(directory / "c.recon.json"))
    assert valid("summary", json.loads(clear.summary().to_json()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"total_diffs": "3"},
        {"max_severity": "match"},
        {"more": 1},
        {"top_diffs": [{}]},
        {"counts_by_severity": {"FAIL": "1"}},
    ],
    ids=str,
)
def test_a_wrong_summary_is_not(valid: Valid, directory: Path, wrong: dict[str, Any]) -> None:
    """A field of another type, one too many, a diff without anything."""
    summary = json.loads(blocked(directory / "b.recon.json").summary().to_json())
    assert not valid("summary", {**summary, **wrong})


@pytest.mark.parametrize("field", ["run_id", "top_diffs", "evidence", "invocation_id"])
def test_a_summary_has_every_field(valid: Valid, directory: Path, field: str) -> None:
    """Also those that are null."""
    summary = json.loads(blocked(directory / "b.recon.json").summary().to_json())
    del summary[field]
    assert not valid("summary", summary)


@pytest.fixture
def log_entries(directory: Path) -> list[dict[str, Any]]:
    """The lines of a log with every kind of entry."""
    path, reconciliation = directory / "audit.jsonl", blocked(directory / "b.recon.json")
    log = AuditLog(path)
    log.append_runs([(reconciliation.summary(), reconciliation.diffs)])
    log.append(LedgerEntry("ORDER_FILLED", {"price": "1.5"}, "order-1", "NEW", "FILLED"))
    with path.open("ab") as file:
        file.write(b'{"torn')
    AuditLog(path).append(LedgerEntry("NOTE"))
    LogFile(path, 1).rotate()
    path.write_bytes(path.read_bytes().replace(b"RECON", b"OTHER", 1))
    LogFile(path, 1).close("me", "tried")
    files = [path.with_name("audit.jsonl.1"), path.with_name("audit.jsonl.2"), path]
    lines = [line for each in files for line in each.read_text(encoding="utf-8").splitlines()]
    entries = [json.loads(line) for line in lines]
    return [{**e, "event_type": e["event_type"].replace("OTHER", "RECON")} for e in entries]


@pytest.mark.large
def test_every_entry_of_a_log_is_valid(valid: Valid, log_entries: list[dict[str, Any]]) -> None:
    """Whatever its type, and also as an export has it, without hashes."""
    types = {entry["event_type"] for entry in log_entries}
    assert types >= {RUN_OPENED, RECON_SUMMARY, RECON_DIFF, RUN_COMMITTED, LOG_RECOVERED, "NOTE"}
    assert types >= SUCCESSIONS
    for entry in log_entries:
        assert valid("audit-entry", entry)
        exported = {key: entry[key] for key in entry if key not in {"hash", "previous_hash"}}
        assert valid("audit-entry", exported)


@pytest.mark.parametrize(
    "event_type",
    [RECON_SUMMARY, RECON_DIFF, RUN_OPENED, RUN_COMMITTED, LOG_RECOVERED, *sorted(SUCCESSIONS)],
)
def test_the_schema_knows_every_detail(log_entries: list[dict[str, Any]], event_type: str) -> None:
    """A field that is added to what is written is added here, too."""
    known = set(audit_entry_schema()["$defs"][event_type]["properties"])
    for entry in log_entries:
        if entry["event_type"] == event_type:
            assert set(entry["details"]) == known


@pytest.mark.parametrize(
    ("event_type", "wrong"),
    [
        (RECON_SUMMARY, {"sequence": "1"}),
        (RECON_SUMMARY, {"timestamp": None}),
        (RECON_SUMMARY, {"hash": "0" * 63}),
        (RECON_SUMMARY, {"details": {}}),
        (RECON_SUMMARY, {"signature": "x"}),
        (RECON_DIFF, {"details": {"run_id": "r"}}),
        (RUN_OPENED, {"details": []}),
        (RUN_COMMITTED, {"details": {"run_id": "r", "entries": -1}}),
        ("ORDER_FILLED", {"client_order_id": None}),
    ],
    ids=str,
)
def test_a_wrong_entry_is_not_valid(
    valid: Valid, log_entries: list[dict[str, Any]], event_type: str, wrong: dict[str, Any]
) -> None:
    """In its frame, or in its details."""
    entry = next(entry for entry in log_entries if entry["event_type"] == event_type)
    assert not valid("audit-entry", {**entry, **wrong})


@pytest.mark.parametrize("name", ["delta", "severity"])
def test_a_diff_with_a_wrong_value_is_not_valid(
    valid: Valid, log_entries: list[dict[str, Any]], name: str
) -> None:
    """Amounts are text, severities are the four."""
    entry = next(entry for entry in log_entries if entry["event_type"] == RECON_DIFF)
    wrong = {"delta": 0.5, "severity": "BAD"}[name]
    details = {**entry["details"], name: wrong}
    assert not valid("audit-entry", {**entry, "details": details})


def test_half_a_chain_is_not_valid(valid: Valid, log_entries: list[dict[str, Any]]) -> None:
    """A hash comes with the one before it."""
    entry = dict(log_entries[0])
    del entry["previous_hash"]
    assert not valid("audit-entry", entry)


def test_the_runbooks_own_entries_are_valid(valid: Valid) -> None:
    """A log that knows only the runbook's fields (design, "The runbook")."""
    details = {
        "run_id": "r",
        "session_id": "session_123",
        "strategy_id": "ma_crossover",
        "total_diffs": 1,
        "counts_by_severity": {"FAIL": 1},
        "counts_by_type": {"POSITION": 1},
        "has_critical": False,
        "has_fail": True,
        "max_severity": "FAIL",
    }
    frame = {"client_order_id": "", "old_state": None, "new_state": None}
    time = {"timestamp": "2026-01-01T12:00:00Z", "entry_id": "e", "sequence": 1}
    entry = {**frame, **time, "event_type": RECON_SUMMARY, "details": details}
    assert valid("audit-entry", entry)
