"""Audit logs in a database: filled from the files, asked like them (docs/audit-database.md).

    recon_logs ── recon_files ── recon_entries       the lines of the files, as they are
                                   ├ recon_runs      the fields of a summary
                                   ├ recon_diffs     the fields of a diff
                                   ├ recon_explanations
                                   └ recon_waivers

The lines are the truth: a question reads them, in their order, through the same verifying
reader as a file. All other tables are made from the lines, for questions in SQL.
"""

from dataclasses import dataclass, field
from importlib.util import find_spec

from recon_core.values.errors import ReconError


@dataclass(frozen=True, slots=True)
class DatabaseLog:
    """One log in a database; `log` is its name there, `None` for the only one."""

    url: str = field(repr=False)
    log: str | None = None


def require_sql() -> None:
    """Raise `ReconError` where the library of the extra `sql` is missing."""
    if find_spec("sqlalchemy") is None:
        raise ReconError(
            "a database needs SQLAlchemy, which is not installed; pip install 'pytest-recon[sql]'"
        )
