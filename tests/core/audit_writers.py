"""What other processes do to a log in the tests of its crash safety."""

import os
import resource
from pathlib import Path

from recon_core.audit.entries import LedgerEntry
from recon_core.audit.log import AuditLog
from recon_core.model.comparison import ReconDiff
from recon_core.model.summary import ReconSummary, summarise
from recon_core.values.errors import AuditError
from recon_core.values.severity import Severity


def run(run_id: str, diffs: int) -> tuple[ReconSummary, list[ReconDiff]]:
    """One run with that many diffs."""
    found = [
        ReconDiff(f"diff-{index}", None, "POSITION", Severity.FAIL, f"S{index}/EUR", "differs")
        for index in range(diffs)
    ]
    return summarise(found, "session", "strategy", run_id=run_id), found


def append_entries(path: Path, count: int, writer: int, rotate_at: int | None = None) -> None:
    """Append single entries, each for itself."""
    log = AuditLog(path, timeout=60, rotate_at=rotate_at)
    for index in range(count):
        log.append(LedgerEntry("ORDER_EVENT", {"writer": writer, "index": index}))


def append_runs(
    path: Path, done: int, name: str, diffs: int, runs: int, rotate_at: int | None = None
) -> None:
    """Append runs, and say of each on the pipe `done` when it is on the disk."""
    log = AuditLog(path, rotate_at=rotate_at)
    for index in range(runs):
        log.append_recon_summary(*run(f"{name}-{index}", diffs))
        os.write(done, f"{name}-{index}\n".encode())


def append_on_a_full_disk(
    path: Path, done: int, name: str, size: int, runs: int, rotate_at: int | None = None
) -> None:
    """Append runs until no file may grow any more, then say `refused`.

    Files that are left in time never grow too large; then one run that is larger itself does.
    """
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        append_runs(path, done, name, 3, runs, rotate_at)
        append_runs(path, done, f"{name}-large", 100, 1000, rotate_at)
    except AuditError:
        os.write(done, b"refused\n")
