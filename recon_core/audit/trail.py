"""Runs that one command, or one pytest run, appends to an audit log, and the log's head then."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recon_core.values.errors import AuditError
from recon_core.values.printable import printable

if TYPE_CHECKING:
    from recon_core.audit.chain import Head
    from recon_core.model.comparison import ReconDiff
    from recon_core.model.summary import ReconSummary
    from recon_core.reports.run_report import TrendRun


class AuditTrail:
    """Appends the runs of one invocation to the log at `path`.

    `option` is what a user calls the log by, such as `--audit-log`; a file of `rotate_at`
    bytes is left for a new one. `head` is the log's head after the runs were written,
    `None` before that and where it failed.
    """

    def __init__(self, path: Path, option: str, rotate_at: int | None = None) -> None:
        self._path = path
        self._option = option
        self._rotate_at = rotate_at
        self._begun = ""
        self.head: Head | None = None

    def write(self, runs: "Iterable[tuple[ReconSummary, Sequence[ReconDiff]]]") -> str | None:
        """Append all runs with their diffs, or none; returns what went wrong, if anything did."""
        from recon_core.audit.log import AuditLog  # noqa: PLC0415  # only where one is kept
        from recon_core.model.summary import sorted_diffs  # noqa: PLC0415  # as the log

        try:
            log = AuditLog(self._path, rotate_at=self._rotate_at)
            stored = log.append_runs((summary, sorted_diffs(diffs)) for summary, diffs in runs)
        except AuditError as error:
            return f"{self._option}={self._shown}: {error}"
        self.head = log.head
        if len(stored) == log.head.count:
            self._begun = " (new)"
        elif log.continues is not None:
            kept = self._path.with_name(log.continues).exists()
            missing = "" if kept else ", which is not there"
            self._begun = f" (new file after {printable(log.continues)}{missing})"
        return None

    def recent(self) -> "tuple[TrendRun, ...]":
        """Return the latest runs of the log, for a chart."""
        from recon_core.audit.recent import recent_runs  # noqa: PLC0415  # only for reports

        return recent_runs(self._path)

    @property
    def line(self) -> str | None:
        """The head for the terminal: kept elsewhere, it shows a log that was cut later.

        That a log is new shows a mistyped name, and a log that somebody removed.
        """
        if self.head is None:
            return None
        end = f"{self.head.count} entries, head {self.head.hash}"
        return f"audit log {self._shown}{self._begun}: {end}"

    @property
    def _shown(self) -> str:
        try:
            return printable(os.path.relpath(self._path))
        except ValueError:  # another drive
            return printable(self._path)

    @property
    def properties(self) -> dict[str, str]:
        """The head for JUnit files."""
        if self.head is None:
            return {}
        return {"recon.audit_entries": str(self.head.count), "recon.audit_head": self.head.hash}
