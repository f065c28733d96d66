"""Audit logs: one that was changed is verified only where whole lines are gone from its end."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from recon_core import AuditLog, ReconDiff, Severity
from recon_core.cli import show_recon_audit
from recon_core.model.summary import summarise

from ..answer import Answer, commanded
from ..changes import Files, changed_bytes, changed_lines
from .kind import Kind

_NAME = "audit.jsonl"
_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _diff(number: int) -> ReconDiff:
    return ReconDiff(
        diff_id=f"diff-{number:016x}",
        timestamp=_TIME,
        diff_type="POSITION",
        severity=Severity.FAIL if number % 2 else Severity.WARN,
        key=f"SYM{number}/EUR",
        description=f"position SYM{number}/EUR differs",
        internal=Decimal(2),
        external=Decimal(1),
        delta=Decimal(1),
    )


@cache
def _good() -> bytes:
    with TemporaryDirectory() as place:
        path = Path(place) / _NAME
        log = AuditLog(path)
        for run in range(4):
            diffs = [_diff(number) for number in range(run)]
            log.append_recon_summary(summarise(diffs, f"s{run}", "strategy", run_id=f"run-{run}"))
        return path.read_bytes()


def _seeds() -> Sequence[Files]:
    return [{_NAME: _good()}]


def _change(random: Random, files: Files) -> Files:
    change = random.choice((changed_lines, changed_lines, changed_bytes, _cut))
    return {_NAME: change(random, files[_NAME])}


def _cut(random: Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[: random.randrange(len(lines) + 1)])


def _answer(directory: Path) -> Answer:
    content = (directory / _NAME).read_bytes()
    status, text = commanded(show_recon_audit, "verify", "--json", str(directory / _NAME))
    text = text.replace(str(directory), "DIRECTORY")
    if status:
        return Answer(text, refused=True)
    # All that was ever written, or the start of it up to the end of a line.
    whole = _good().startswith(content) and content.endswith(b"\n")
    wrong = "" if whole or not content else "verify accepts a log that nobody wrote"
    return Answer(text, clear=True, wrong=wrong)


KIND = Kind("audit-log", 90, _seeds, _answer, _change)
