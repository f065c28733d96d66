"""`recon audit load`: a log is put into a database."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recon_core.audit.chain import entries_text
from recon_core.audit.database import require_sql
from recon_core.audit.query import Answer
from recon_core.cli.audit_steps import AUDIT_LOG, document, print_remarks, without_collector
from recon_core.reports.wording import counted
from recon_core.values.printable import printable

if TYPE_CHECKING:
    from recon_core.audit.database.loading import Loaded


@without_collector()
def load_database(
    url: str, path: Path, places: tuple[Path, ...], name: str | None, *, as_json: bool
) -> None:
    """Load a log, and say so."""
    require_sql()
    from recon_core.audit.database.connection import Database  # noqa: PLC0415  # an extra
    from recon_core.audit.database.loading import load_log  # noqa: PLC0415  # as that

    database = Database.at(url)
    loaded = load_log(database, path, places, name)
    print_remarks(loaded.notes)
    click.echo(_document(loaded, str(database)) if as_json else _text(loaded, str(database)))


def _text(loaded: "Loaded", database: str) -> str:
    in_files = f" in {counted(loaded.files, 'file')}" if loaded.files > 1 else ""
    return (
        f"{entries_text(loaded.added)} added to {database}; {printable(loaded.log)} has "
        f"{entries_text(loaded.entries)}{in_files} there, head {loaded.head}"
    )


def _document(loaded: "Loaded", database: str) -> str:
    item = {
        "database": database,
        "log": loaded.log,
        "added": loaded.added,
        "entries": loaded.entries,
        "files": loaded.files,
        "head": loaded.head,
    }
    return document(Answer(AUDIT_LOG, [item], 1, list(loaded.notes)))
