"""Runs of a command of which a crash left nothing: no gate calls such a log clear."""

from pathlib import Path

import pytest

from recon_core.audit.log import AuditLog
from recon_core.model.comparison import ReconDiff
from recon_core.model.summary import ReconSummary, summarise
from recon_core.values.severity import Severity

from .audit_cases import asked

GATE = ("--exit-on-findings",)
BLOCKED = ReconDiff("d", None, "CASH", Severity.FAIL, "EUR", "cash EUR: FAIL")


def session(name: str, *diffs: ReconDiff) -> tuple[ReconSummary, list[ReconDiff]]:
    """A run of one comparison."""
    found = list(diffs)
    return summarise(found, name, run_id=f"run_{name}", comparisons=1, ran=1), found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """One command with a clear session and two blocked ones."""
    path = tmp_path / "audit.jsonl"
    AuditLog(path).append_runs([session("a"), session("b", BLOCKED), session("c", BLOCKED)])
    return path


def cut(path: Path, lines: int, more: int = 0) -> None:
    """Keep whole lines, and some bytes of the next one, as a crash of its first writer does."""
    content = path.read_bytes().splitlines(keepends=True)
    Path(f"{path}.checkpoint").unlink()
    path.write_bytes(b"".join(content[:lines]) + content[lines][:more])


@pytest.mark.parametrize("mode", ["summary", "diffs", "detailed", "trend", "export", "verify"])
@pytest.mark.parametrize(
    ("lines", "more", "reason"),
    [
        (3, 0, "2 runs of * may be lost"),
        (3, 40, "2 runs of * may be lost"),
        (4, 0, "1 run of * may be lost"),
        (0, 40, "1 run of * may be lost"),
        (1, 0, "2 runs of * may be lost"),  # the first one is open
    ],
)
def test_a_log_that_was_cut(log: Path, mode: str, lines: int, more: int, reason: str) -> None:
    """Also after the next writer has repaired it and has added a clear run."""
    cut(log, lines, more)
    AuditLog(log).append_recon_summary(*session("a"))
    judged = asked(mode, "--json", log, *GATE)
    assert judged.code == 1, judged.out
    said = judged.err
    assert reason.partition(" * ")[0] in said
    assert reason.partition(" * ")[2] in said


def test_the_loss_is_told_without_the_gate_too(log: Path) -> None:
    """As a note of the answer."""
    cut(log, 3)
    told = asked("summary", "--json", log)
    assert told.code == 0
    assert "2 runs of" in told.out
    assert "may be lost" in told.out


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--session-id", "a"), 1),  # the lost ones may be of any session
        (("--run-id", "run_a"), 0),  # this one is known to be whole
        (("--until", "2000-01-01"), 1),
    ],
)
def test_filters(log: Path, options: tuple[str, str], code: int) -> None:
    """What was lost counts unless the filters say that it is not asked for."""
    cut(log, 3)
    assert asked("diffs", "--json", log, *options, *GATE).code == code


def test_a_whole_log(log: Path) -> None:
    """Commands of one session and of several, nothing lost."""
    AuditLog(log).append_recon_summary(*session("a"))
    told = asked("summary", "--json", log)
    assert "lost" not in told.out
    assert asked("diffs", "--json", log, "--session-id", "a", *GATE).code == 0
