"""The runbook's "Quickstart" and "Tooling & Commands", command by command, as printed.

Two names differ: `python scripts/execution/show_recon_audit.py` is `show_recon_audit`, and
`src.execution.*` is `recon_core`. The quick start's gate on an empty log is 1 here, and
not 0 (design, "The `recon` command").
"""

import json
import os
import shlex
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core import AuditLog, ExternalSnapshot, OrderLedger, PositionLedger
from recon_core.model.comparison import ReconDiff
from recon_core.model.summary import summarise
from recon_core.values.severity import Severity

from .audit_cases import asked
from .conftest import Answer

TOOL = "python scripts/execution/show_recon_audit.py"
NO_SUMMARY = "No RECON_SUMMARY events found.\n"
EMPTY_JSON = """{
  "count": 0,
  "event_type": "RECON_SUMMARY",
  "items": [],
  "notes": "No RECON_SUMMARY events found"
}
"""

TRIGGER = """
from src.execution.reconciliation import ReconciliationEngine
from src.execution.audit_log import AuditLog

# Init
recon_engine = ReconciliationEngine(position_ledger, order_ledger)
audit_log = AuditLog()

# Run reconciliation
diffs = recon_engine.reconcile()

# Create summary
summary = recon_engine.create_summary(
    diffs=diffs,
    session_id="manual_check_01",
    strategy_id="debug",
    top_n=10,
)

# Emit to audit log
audit_log.append_recon_summary(summary)

# Export summary
print(summary.to_json())
"""
HISTORY = """
# Get all recon summaries from audit log
summaries = audit_log.get_entries_by_event_type("RECON_SUMMARY")

for entry in summaries:
    print(f"Run: {entry.details['run_id']}, "
          f"Max Severity: {entry.details['max_severity']}, "
          f"Total Diffs: {entry.details['total_diffs']}")
"""
DETAILS = """
# Get specific run's diffs
run_id = "target_run_id"
run_diffs = [
    e for e in audit_log.get_all_entries()
    if e.event_type == "RECON_DIFF" and e.details.get("run_id") == run_id
]

for diff in run_diffs:
    print(f"Type: {diff.details['diff_type']}, "
          f"Severity: {diff.details['severity']}, "
          f"Description: {diff.details['description']}")
"""
QUERY = """
# Get all recon summaries
summaries = audit_log.get_entries_by_event_type("RECON_SUMMARY")

# Get specific run's diffs
run_diffs = [
    e for e in audit_log.get_all_entries()
    if e.event_type == "RECON_DIFF" and e.details["run_id"] == "target_run_id"
]
"""
EXPORT = r"""
# Export audit log to JSON first
python -c "from src.execution.audit_log import AuditLog; \
  log = AuditLog(); \
  log.export_to_file('audit_export.json')"

# Query from file
python scripts/execution/show_recon_audit.py summary --json audit_export.json
"""
GATE = """
# Fail pipeline if recon findings present
if ! python scripts/execution/show_recon_audit.py summary --exit-on-findings; then
  echo "❌ Recon findings detected, blocking deployment"
  exit 1
fi
"""


def run_snippet(snippet: str, **names: Any) -> dict[str, Any]:
    """Run a snippet as printed, with our names in its imports."""
    source = snippet.replace("src.execution.reconciliation", "recon_core.engine.ledgers")
    source = source.replace("src.execution.audit_log", "recon_core.audit.log")
    exec(compile(source, "runbook", "exec"), names)  # noqa: S102  # that is the test
    return names


def run_command(command: str) -> Answer:
    """Run a command of the runbook in this process."""
    words = shlex.split(command)
    assert " ".join(words[:2]) == TOOL
    return asked(*words[2:])


def run_shell(script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of the runbook in a shell, with our names."""
    tool = "from recon_core.cli import show_recon_audit as tool; tool()"
    functions = f'python() {{ "$PYTHON" "$@"; }}\ntool() {{ python -c "{tool}" "$@"; }}\n'
    script = script.replace(TOOL, "tool").replace("src.execution.audit_log", "recon_core")
    return subprocess.run(
        ["sh", "-c", functions + script],
        cwd=directory,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHON": sys.executable, "PYTHONIOENCODING": "utf-8"},
        check=False,
    )


def found(run_id: str, session_id: str, severities: list[Severity]) -> tuple[Any, list[ReconDiff]]:
    """A run with diffs of these severities."""
    diffs = [
        ReconDiff(
            f"diff-{number}",
            None,
            "POSITION",
            severity,
            f"S{number}/EUR",
            f"position S{number}/EUR: {severity}",
            order_id=f"order_{number}",
        )
        for number, severity in enumerate(severities)
    ]
    summary = summarise(diffs, session_id, "ma_crossover", run_id=run_id, comparisons=30)
    return summary, diffs


@pytest.fixture
def log(directory: Path) -> AuditLog:
    """The project's log, with three runs in it."""
    (directory / "pytest.ini").write_text("[pytest]\nrecon_audit_log = audit.jsonl\n")
    log = AuditLog(directory / "audit.jsonl")
    for run in (
        found("run_123", "session_123", []),
        found("run_456", "session_123", [Severity.FAIL] * 25 + [Severity.WARN] * 2),
        found("target_run_id", "session_124", [Severity.INFO, Severity.FAIL]),
    ):
        log.append_recon_summary(*run)
    return log


@pytest.fixture
def clean_log(directory: Path) -> AuditLog:
    """The project's log with one run and nothing found."""
    (directory / "pytest.ini").write_text("[pytest]\nrecon_audit_log = audit.jsonl\n")
    log = AuditLog(directory / "audit.jsonl")
    log.append_recon_summary(*found("run_123", "session_123", []))
    return log


def test_quickstart_1_help() -> None:
    """Usage, modes and options."""
    answer = run_command(TOOL)
    assert answer.code == 1
    assert answer.out.startswith("Usage: show_recon_audit")
    for word in ("summary", "diffs", "detailed", "--format", "--json", "--limit", "--severity"):
        assert word in answer.out
    assert asked("--help") == Answer(0, answer.out, "")


def test_quickstart_2_empty_state() -> None:
    """The literal text."""
    assert run_command(f"{TOOL} summary") == Answer(0, NO_SUMMARY, "")


def test_quickstart_3_json() -> None:
    """The literal JSON."""
    assert run_command(f"{TOOL} summary --format json") == Answer(0, EMPTY_JSON, "")


@pytest.mark.parametrize(
    ("fixture", "code", "count"), [(None, 1, 0), ("clean_log", 0, 1), ("log", 2, 3)]
)
def test_quickstart_4_gate(
    fixture: str | None, code: int, count: int, request: pytest.FixtureRequest
) -> None:
    """0 and 2 as printed; without a log there is nothing to judge."""
    if fixture is not None:
        request.getfixturevalue(fixture)
    answer = run_command(f"{TOOL} summary --format json --exit-on-findings")
    assert (answer.code, answer.json["count"]) == (code, count)


@pytest.mark.parametrize(("fixture", "code"), [(None, 1), ("clean_log", 0), ("log", 1)])
def test_quickstart_4_pipeline(
    fixture: str | None, code: int, request: pytest.FixtureRequest, directory: Path
) -> None:
    """The script blocks a deployment, also where nobody wrote a log."""
    if fixture is not None:
        request.getfixturevalue(fixture)
    ended = run_shell(GATE, directory)
    assert ended.returncode == code
    assert ("blocking deployment" in ended.stdout) == (code == 1)


def test_quickstart_5_export(directory: Path) -> None:
    """A log in memory is empty, and so is its export."""
    ended = run_shell(EXPORT, directory)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, NO_SUMMARY, "")
    assert json.loads((directory / "audit_export.json").read_bytes()) == []


def test_quickstart_5_export_of_a_log(log: AuditLog) -> None:
    """The export answers as the log does."""
    log.export_to_file("audit_export.json")
    answer = run_command(f"{TOOL} summary --json audit_export.json")
    assert answer == run_command(f"{TOOL} summary")
    assert answer.out.count("Run ") == 3


def test_tooling_1_trigger_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a snapshot the exchange is a mirror, and the summary says so."""
    names = run_snippet(TRIGGER, position_ledger=PositionLedger(), order_ledger=OrderLedger())
    printed = json.loads(capsys.readouterr().out)
    assert (printed["session_id"], printed["strategy_id"]) == ("manual_check_01", "debug")
    assert (printed["total_diffs"], printed["mirrored"]) == (0, True)
    (entry,) = names["audit_log"].get_entries_by_event_type("RECON_SUMMARY")
    assert entry.details["run_id"] == printed["run_id"]


def test_tooling_1_with_a_snapshot(capsys: pytest.CaptureFixture[str]) -> None:
    """The runbook's cash mismatch is a FAIL in the log."""
    snippet = TRIGGER.replace("reconcile()", "reconcile(snapshot)")
    names = run_snippet(
        snippet,
        position_ledger=PositionLedger(initial_cash={"EUR": Decimal("5000.00")}),
        order_ledger=OrderLedger(),
        snapshot=ExternalSnapshot(positions={}, cash={"EUR": Decimal("4995.00")}),
    )
    assert json.loads(capsys.readouterr().out)["max_severity"] == "FAIL"
    recorded = names["audit_log"].get_entries_by_event_type("RECON_DIFF")
    assert [entry.details["severity"] for entry in recorded] == ["FAIL"]


def test_tooling_2_history(log: AuditLog, capsys: pytest.CaptureFixture[str]) -> None:
    """A line per run."""
    run_snippet(HISTORY, audit_log=log)
    assert capsys.readouterr().out.splitlines() == [
        "Run: run_123, Max Severity: INFO, Total Diffs: 0",
        "Run: run_456, Max Severity: FAIL, Total Diffs: 27",
        "Run: target_run_id, Max Severity: FAIL, Total Diffs: 2",
    ]


def test_tooling_3_details(log: AuditLog, capsys: pytest.CaptureFixture[str]) -> None:
    """A line per diff of the run."""
    run_snippet(DETAILS, audit_log=log)
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "Type: POSITION, Severity: FAIL, Description: position S1/EUR: FAIL",
        "Type: POSITION, Severity: INFO, Description: position S0/EUR: INFO",
    ]


def test_query_of_the_audit_trail(log: AuditLog) -> None:
    """The snippet of "ReconSummary Struktur"."""
    names = run_snippet(QUERY, audit_log=log)
    assert (len(names["summaries"]), len(names["run_diffs"])) == (3, 2)


def test_tooling_4_example_1_summaries(log: AuditLog) -> None:
    """Every field that the runbook promises."""
    out = run_command(f"{TOOL} summary").out
    for field in ("Run run_456", "time ", "session_123", "ma_crossover", "27: 25 FAIL, 2 WARN"):
        assert field in out
    for field in ("27 POSITION", "critical no, fail yes", "maximum     FAIL"):
        assert field in out
    assert log.head.count == 3 * 3 + 29


def test_tooling_4_example_2_diffs(log: AuditLog) -> None:
    """Only FAIL, twenty of them, with the fields that the runbook promises."""
    answer = run_command(f"{TOOL} diffs --severity FAIL --limit 20")
    heads = [line for line in answer.lines if line.startswith("FAIL POSITION  ")]
    assert (len(heads), answer.code) == (20, 0)
    assert "  position S0/EUR: FAIL" in answer.lines
    assert "  diff diff-0, order order_0, unresolved" in answer.lines
    assert answer.lines[-2:] == ["20 diffs: 20 FAIL", "note: --limit left out 6 of 26"]
    assert log.head.count


def test_tooling_4_example_3_detailed(log: AuditLog) -> None:
    """One run: its summary, and all its diffs, not only the first ten."""
    answer = run_command(f"{TOOL} detailed --run-id run_456")
    assert answer.lines[0] == "Run run_456"
    assert answer.lines[-1] == "27 diffs"
    assert sum(line.startswith(("FAIL position", "WARN position")) for line in answer.lines) == 27
    assert log.head.count


def test_tooling_4_more_options(log: AuditLog, directory: Path) -> None:
    """By session, by run, by number, and from an export."""
    (directory / "path" / "to").mkdir(parents=True)
    log.export_to_file(directory / "path" / "to" / "audit_export.json")
    out = run_command(f"{TOOL} summary --session-id session_123").out
    assert out.count("Run ") == 2
    assert "target_run_id" not in out
    out = run_command(f"{TOOL} diffs --run-id run_456").out
    assert out.endswith("27 diffs: 25 FAIL, 2 WARN\n")
    out = run_command(f"{TOOL} diffs --limit 10").out
    assert out.endswith("10 diffs: 10 FAIL\nnote: --limit left out 19 of 29\n")
    out = run_command(f"{TOOL} summary --json path/to/audit_export.json").out
    assert out == run_command(f"{TOOL} summary").out


@pytest.mark.parametrize(
    "words",
    [
        "summary --session-id session_123",
        "diffs --run-id run_456",
        "diffs --limit 10",
        "diffs --severity FAIL --limit 20",
    ],
)
def test_every_command_answers_where_there_is_no_log(words: str) -> None:
    """Literally, and with 0."""
    event = "SUMMARY" if words.startswith("summary") else "DIFF"
    assert run_command(f"{TOOL} {words}") == Answer(0, f"No RECON_{event} events found.\n", "")


def test_an_unknown_run_is_an_error_with_a_log_and_without(log: AuditLog) -> None:
    """A typo in a run id is no clean run; a drill-down needs its run."""
    for mode in ("summary", "diffs", "detailed", "trend", "verify", "export"):
        answer = run_command(f"{TOOL} {mode} --run-id run_45")
        answer.refused(1, "recon: audit.jsonl: there is no run 'run_45'\n")
    assert log.head.count


def test_an_unknown_run_of_no_log() -> None:
    """The drill-down needs its run, the other modes have an empty answer."""
    run_command(f"{TOOL} detailed --run-id run_45").refused(1, "there is no run 'run_45'")
    assert run_command(f"{TOOL} export --run-id run_45") == Answer(0, "[]\n", "")
