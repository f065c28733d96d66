"""`--recon-audit-log`: the trail of a run, written by the process that decides."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from recon_core.errors import AuditError
from recon_core.printable import printable
from recon_core.reports.wording import audit_line, audit_properties

if TYPE_CHECKING:
    from recon_core.audit.chain import Head
    from recon_core.audit.log import Run


class AuditTrail:
    """Appends the sessions of this run to the log, and says where the log stands then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.head: Head | None = None
        self._is_new = False

    def write(self, runs: "Sequence[Run]") -> str | None:
        """Append all sessions or none; returns what went wrong, if anything did."""
        from recon_core.audit.log import AuditLog  # noqa: PLC0415  # only with the option

        try:
            log = AuditLog(self._path)
            stored = log.append_runs(runs)
        except AuditError as error:
            return f"--recon-audit-log={printable(self._path)}: {error}"
        self.head, self._is_new = log.head, len(stored) == log.head.count
        return None

    @property
    def line(self) -> str | None:
        """The head for the terminal: kept elsewhere, it shows a log that was cut later."""
        if self.head is None:
            return None
        return audit_line(self._path, self.head.count, self.head.hash, is_new=self._is_new)

    @property
    def properties(self) -> dict[str, str]:
        """The head for JUnit files."""
        if self.head is None:
            return {}
        return audit_properties(self.head.count, self.head.hash)


def add_to_junitxml(config: pytest.Config, properties: dict[str, str]) -> None:
    """Put properties of the run into the file of pytest's own `--junitxml`."""
    try:
        from _pytest.junitxml import xml_key  # noqa: PLC0415  # pytest names it nowhere else
    except ImportError:
        return
    report: Any = config.stash.get(xml_key, None)
    if report is not None:
        for name, value in properties.items():
            report.add_global_property(name, value)
