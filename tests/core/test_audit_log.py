"""`AuditLog` in memory and on a file: the runbook's surface, and what is refused."""

import json
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from filelock import FileLock

from recon_core.audit.chain import GENESIS
from recon_core.audit.entries import LedgerEntry
from recon_core.audit.log import AuditLog
from recon_core.values.errors import AuditError, ReconError

from .audit_writers import run

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DEEP: object = "x"
for _ in range(5000):
    DEEP = [DEEP]
EXPORT_KEYS = {
    "entry_id",
    "timestamp",
    "sequence",
    "event_type",
    "client_order_id",
    "old_state",
    "new_state",
    "details",
}


@pytest.fixture(params=["memory", "file"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> AuditLog:
    """An empty log of either kind."""
    return AuditLog() if request.param == "memory" else AuditLog(tmp_path / "audit.jsonl")


def lines(path: Path) -> list[dict[str, Any]]:
    """The entries of a file, read by nothing of this project."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_entries_come_back_in_order(log: AuditLog) -> None:
    """Sequence, id and time are given by the log where the caller gave none."""
    stored = [log.append(LedgerEntry("A")), *log.append_many([LedgerEntry("B"), LedgerEntry("C")])]
    assert log.get_all_entries() == stored
    assert [(entry.event_type, entry.sequence) for entry in stored] == [
        ("A", 1),
        ("B", 2),
        ("C", 3),
    ]
    assert len({entry.entry_id for entry in stored}) == 3
    assert all(entry.timestamp is not None and entry.timestamp.tzinfo for entry in stored)
    assert log.head.count == 3


def test_what_the_caller_gives_is_kept(log: AuditLog) -> None:
    """Id, time, states and order id are the caller's."""
    given = LedgerEntry(
        "ORDER_EVENT",
        {"quantity": Decimal("1.50"), "list": [1, None, {"x": True}]},
        client_order_id="o1",
        old_state="NEW",
        new_state="FILLED",
        timestamp=NOON.astimezone(UTC),
        entry_id="mine",
    )
    stored = log.append(given)
    assert stored == log.get_all_entries()[0]
    assert (stored.entry_id, stored.timestamp, stored.client_order_id) == ("mine", NOON, "o1")
    assert (stored.old_state, stored.new_state) == ("NEW", "FILLED")
    assert stored.details == {"quantity": "1.50", "list": [1, None, {"x": True}]}


def test_queries(log: AuditLog) -> None:
    """By event type, by order, and by time with both ends."""
    log.append_many(
        LedgerEntry(name, client_order_id=order, timestamp=NOON + timedelta(hours=hour))
        for name, order, hour in (("A", "o1", 0), ("B", "o2", 1), ("A", "o2", 2))
    )
    assert [entry.sequence for entry in log.get_entries_by_event_type("A")] == [1, 3]
    assert [entry.sequence for entry in log.get_entries_for_order("o2")] == [2, 3]
    hour = timedelta(hours=1)
    assert [entry.sequence for entry in log.get_entries_in_range(NOON, NOON + hour)] == [1, 2]
    assert log.get_entries_by_event_type("C") == []
    with pytest.raises(ReconError, match=r"start: .* has no offset"):
        log.get_entries_in_range(datetime(2026, 1, 1), NOON)  # noqa: DTZ001  # the subject


def test_a_run_is_a_summary_and_its_diffs(log: AuditLog) -> None:
    """One `RECON_SUMMARY`, and one `RECON_DIFF` per diff, under the runbook's keys."""
    summary, diffs = run("r1", 12)
    log.append_recon_summary(summary, diffs)
    (entry,) = log.get_entries_by_event_type("RECON_SUMMARY")
    assert entry.details["run_id"] == "r1"
    assert entry.details["total_diffs"] == entry.details["recorded_diffs"] == 12
    assert entry.details["max_severity"] == "FAIL"
    recorded = log.get_entries_by_event_type("RECON_DIFF")
    assert [each.details["key"] for each in recorded] == [f"S{index}/EUR" for index in range(12)]
    assert {each.details["run_id"] for each in recorded} == {"r1"}


def test_a_summary_alone_brings_its_top_diffs(log: AuditLog) -> None:
    """The runbook's top N, ten by default; the entry says how many are recorded."""
    summary, _ = run("r1", 12)
    log.append_recon_summary(summary)
    assert len(log.get_entries_by_event_type("RECON_DIFF")) == 10
    details = log.get_entries_by_event_type("RECON_SUMMARY")[0].details
    assert (details["recorded_diffs"], details["total_diffs"]) == (10, 12)


def test_a_run_on_a_file_is_a_batch(tmp_path: Path) -> None:
    """It is opened and committed with its counts; what is in memory is whole anyway."""
    log, memory = AuditLog(tmp_path / "audit.jsonl"), AuditLog()
    for each in (log, memory):
        each.append_recon_summary(*run("r1", 2))
    types = [entry["event_type"] for entry in lines(tmp_path / "audit.jsonl")]
    inner = ["RECON_SUMMARY", "RECON_DIFF", "RECON_DIFF"]
    assert types == ["RECON_RUN_OPENED", *inner, "RECON_RUN_COMMITTED"]
    assert [entry.event_type for entry in memory.get_all_entries()] == inner
    committed = log.get_all_entries()[-1].details
    assert (committed["run_id"], committed["entries"], committed["diffs"]) == ("r1", 3, 2)


def test_the_file_is_canonical_and_chained(tmp_path: Path) -> None:
    """Each line is RFC 8785, as the library writes it, and carries the hash before it."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    log.append(LedgerEntry("A", {"\ue000": "€", "\U0001f600": "x\x7f\u2028", "b": "\x01"}))
    log.append_recon_summary(*run("r1", 2))
    before = GENESIS
    for line, entry in zip(path.read_bytes().splitlines(), lines(path), strict=True):
        assert line == rfc8785.dumps(entry)
        assert entry["previous_hash"] == before
        before = entry["hash"]
    assert before == log.head.hash


def test_an_export_has_eight_keys_an_entry_and_no_hashes(log: AuditLog, tmp_path: Path) -> None:
    """The runbook's JSON array: eight keys per entry, no hashes."""
    log.append_recon_summary(*run("r1", 2))
    log.export_to_file(tmp_path / "export.json")
    exported = json.loads((tmp_path / "export.json").read_text())
    assert [set(entry) for entry in exported] == [EXPORT_KEYS] * len(log.get_all_entries())
    summary = next(entry for entry in exported if entry["event_type"] == "RECON_SUMMARY")
    assert summary["entry_id"] == "recon_summary_r1"
    with pytest.raises(AuditError, match=r"export\.json: cannot be written: No such file"):
        log.export_to_file(tmp_path / "no" / "export.json")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (LedgerEntry("A", {"x": 0.1}), r"'details\.x': '0\.1' is a float; expected text"),
        (LedgerEntry("A", {"x": [{"y": 0.5}]}), r"'details\.x\[0\]\.y': '0\.5' is a float"),
        (LedgerEntry("A", {"x": 2**53}), "is a int; expected text"),
        (LedgerEntry("A", {"x": Decimal("NaN")}), "'NaN' is a Decimal"),
        (LedgerEntry("A", {"x": object}), "is a type"),
        (LedgerEntry("A", {"x": "\ud800"}), "holds a lone surrogate"),
        (LedgerEntry("A", {"x": "wechsel \udc80 über"}), "holds a lone surrogate"),
        (LedgerEntry("A", {"\udfff": "x"}), "holds a lone surrogate"),
        (LedgerEntry("\ud800"), "'event_type': .* holds a lone surrogate"),
        (LedgerEntry("A", client_order_id=7), "client_order_id: '7'; expected text"),
        (LedgerEntry("A", ["x"]), "details: expected a mapping"),
        (LedgerEntry("A", timestamp=datetime(2026, 1, 1)), "has no offset"),  # noqa: DTZ001
        (LedgerEntry(""), "event_type: is empty"),
        (LedgerEntry("A", {1: 2}), "'details': key '1'; expected text"),
        (LedgerEntry("A", {"x": DEEP}), "is nested deeper than 64"),
        (LedgerEntry("RECON_SUMMARY", {}), "run_id: is missing; expected text"),
        (LedgerEntry("RECON_SUMMARY", {"run_id": "r"}), "total_diffs: is missing"),
        (LedgerEntry("RECON_DIFF", {"run_id": "r"}), "severity: is missing"),
        (
            LedgerEntry("RECON_DIFF", {"run_id": "r", "severity": "BAD"}),
            "severity: 'BAD'; expected INFO or WAIVED or WARN or FAIL or CRITICAL",
        ),
        (
            LedgerEntry(
                "RECON_SUMMARY",
                {"run_id": "r", "total_diffs": 1, "counts_by_severity": {"FAIL": 0, "BAD": 1}},
            ),
            "severity: 'BAD'; expected INFO",
        ),
        (
            LedgerEntry(
                "RECON_SUMMARY",
                {"run_id": "r", "total_diffs": 0, "counts_by_severity": {}, "max_severity": "BAD"},
            ),
            "severity: 'BAD'; expected INFO",
        ),
        (LedgerEntry("RECON_RUN_COMMITTED"), "is written by the log only"),
        (LedgerEntry("RECON_LOG_RECOVERED"), "is written by the log only"),
    ],
)
def test_values_that_are_not_kept(log: AuditLog, entry: LedgerEntry, message: str) -> None:
    """What cannot be kept exactly is refused by name, and nothing of the call is kept."""
    with pytest.raises(ReconError, match=message):
        log.append_many([LedgerEntry("FINE"), entry])
    assert log.get_all_entries() == []


def test_the_deepest_value_that_is_kept(log: AuditLog) -> None:
    """64 levels below the details are kept as they are, and one more is refused."""
    deepest: object = "x"
    for _ in range(63):
        deepest = [deepest]
    log.append_many([LedgerEntry("A", {"x": deepest})])
    (kept,) = log.get_all_entries()
    assert kept.details == {"x": deepest}
    with pytest.raises(AuditError, match="is nested deeper than 64"):
        log.append_many([LedgerEntry("A", {"x": [deepest]})])


@pytest.mark.parametrize("number", [2**53 - 1, 1 - 2**53])
def test_the_largest_whole_numbers_that_are_kept(log: AuditLog, number: int) -> None:
    """Every reader of JSON has these exactly; the next one is refused."""
    log.append_many([LedgerEntry("A", {"x": number})])
    (kept,) = log.get_all_entries()
    assert kept.details == {"x": number}


def test_the_file_is_the_owners_only(tmp_path: Path) -> None:
    """Mode 0600, whatever the umask lets through; so is the lock."""
    before = os.umask(0)
    try:
        AuditLog(tmp_path / "audit.jsonl").append(LedgerEntry("A"))
    finally:
        os.umask(before)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def _link(path: Path) -> None:
    (path.parent / "elsewhere").write_bytes(b"")
    path.symlink_to(path.parent / "elsewhere")


def _dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_link, "is a symbolic link; expected a regular file"),
        (_dangling, "is a symbolic link; expected a regular file"),
        (Path.mkdir, "cannot be opened for writing: Is a directory"),
        (os.mkfifo, "is no regular file; expected an audit log"),
    ],
)
def test_what_is_no_file_is_refused(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    """A link is not followed, and nothing but a regular file is written."""
    path = tmp_path / "audit.jsonl"
    make(path)
    with pytest.raises(AuditError, match=message):
        AuditLog(path).append(LedgerEntry("A"))
    assert not (tmp_path / "nowhere").exists()
    assert not path.is_symlink() or not path.exists() or path.read_bytes() == b""


def test_a_directory_that_is_missing(tmp_path: Path) -> None:
    """It is made; where a file is in the way, one clear line says so."""
    path = tmp_path / "logs" / "2026" / "audit.jsonl"
    AuditLog(path).append(LedgerEntry("A"))
    with pytest.raises(AuditError, match=r"more\.jsonl: its lock cannot be taken: "):
        AuditLog(path / "more.jsonl").append(LedgerEntry("A"))


def test_another_writer_that_does_not_let_go(tmp_path: Path) -> None:
    """The lock has a time-out, and nothing is written without it."""
    path = tmp_path / "audit.jsonl"
    with FileLock(f"{path}.lock"), pytest.raises(AuditError, match=r"held the lock for 0\.1 s"):
        AuditLog(path, timeout=0.1).append(LedgerEntry("A"))
    assert not path.exists()


def test_a_log_that_was_not_begun(tmp_path: Path) -> None:
    """It has no entries, and reading it makes no file."""
    log = AuditLog(tmp_path / "audit.jsonl")
    assert (log.get_all_entries(), log.head.count, log.head.hash) == ([], 0, GENESIS)
    assert list(tmp_path.iterdir()) == []


def test_several_writers_in_turn(tmp_path: Path) -> None:
    """Each goes on where the other stopped."""
    path = tmp_path / "audit.jsonl"
    first, second = AuditLog(path), AuditLog(path)
    for index in range(3):
        first.append(LedgerEntry("A", {"index": index}))
        second.append(LedgerEntry("B", {"index": index}))
    assert [entry.event_type for entry in AuditLog(path).get_all_entries()] == ["A", "B"] * 3


@pytest.mark.parametrize("content", [b"", b"{}\n", b"x"])
def test_a_log_that_was_replaced(tmp_path: Path, content: bytes) -> None:
    """A log that loses entries while it is written to is refused."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    log.append(LedgerEntry("A"))
    (tmp_path / "other").write_bytes(content)
    (tmp_path / "other").replace(path)
    with pytest.raises(AuditError, match="was replaced or cut since its last entry"):
        log.append(LedgerEntry("A"))
    assert path.read_bytes() == content


def test_a_log_that_was_removed(tmp_path: Path) -> None:
    """Its writer does not begin another one in its place; a new writer goes on with a remark."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    log.append(LedgerEntry("A"))
    path.unlink()
    with pytest.raises(AuditError, match="was replaced or cut since its last entry"):
        log.append(LedgerEntry("A"))
    assert not path.exists()


def test_a_log_that_was_cut(tmp_path: Path) -> None:
    """It is the same file, and shorter than its writer left it."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    log.append_many([LedgerEntry("A"), LedgerEntry("B")])
    first = path.read_bytes().splitlines(keepends=True)[0]
    with path.open("r+b") as file:
        file.truncate(len(first))
    with pytest.raises(AuditError, match="was replaced or cut since its last entry"):
        log.append(LedgerEntry("C"))
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    "content",
    [
        b"[]\n",
        b"{}\n",
        b"\n",
        b"no log\n",
        b'{"schema": "recon.session/1"}\n',
        b"\0\0\0\n",
        b"\xff\n",
    ],
)
def test_a_file_that_is_no_log(tmp_path: Path, content: bytes) -> None:
    """Nothing is appended to what somebody else wrote."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(content)
    with pytest.raises(AuditError, match=r"audit\.jsonl: line 1: is no"):
        AuditLog(path).append(LedgerEntry("A"))
    with pytest.raises(AuditError, match=r"audit\.jsonl: line 1: is no"):
        AuditLog(path).get_all_entries()
    assert path.read_bytes() == content
