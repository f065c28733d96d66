"""The rows of logs and their files in a database, found or made before lines are added."""

from typing import Any

from sqlalchemy import Connection, Row, select, update

from recon_core.audit.chain import GENESIS
from recon_core.audit.database.outline import FileOutline, Outline
from recon_core.audit.database.tables import FILES, LOGS, one_at_a_time
from recon_core.values.errors import AuditError
from recon_core.values.printable import quoted


def registered(
    connection: Connection, outline: Outline, name: str | None, file_name: str
) -> list[Row[Any]]:
    """Return the row of each file of a log, made where it is missing.

    A log is known by the first entry of any of its files, or by the head of the file that is
    missing before them. A new one is named `name`, else as its file. Raises `AuditError`.
    """
    with one_at_a_time(connection):
        log_id = _known_log(connection, outline)
        if log_id is None or name is not None:
            _require_free(connection, name or file_name, log_id)
        if log_id is None:
            new = LOGS.insert().values(name=name or file_name).returning(LOGS.c.log_id)
            log_id = connection.execute(new).scalar_one()
        elif name is not None:
            connection.execute(update(LOGS).where(LOGS.c.log_id == log_id).values(name=name))
        return [_file_row(connection, log_id, file) for file in outline.files]


def _known_log(connection: Connection, outline: Outline) -> int | None:
    hashes = [file.first_hash for file in outline.files if file.first_hash]
    found = set(
        connection.scalars(select(FILES.c.log_id).where(FILES.c.first_hash.in_(hashes))).all()
    )
    missing = outline.missing
    if not found and missing is not None and missing.head is not None:
        head = select(FILES.c.log_id).where(FILES.c.head == missing.head.hash)
        found = set(connection.scalars(head).all())
    if len(found) > 1:
        raise AuditError("the database has the files of this log as those of several logs")
    return next(iter(found), None)


def _require_free(connection: Connection, name: str, log_id: int | None) -> None:
    """Refuse a name that another log has."""
    other = connection.scalar(select(LOGS.c.log_id).where(LOGS.c.name == name))
    if other is not None and other != log_id:
        raise AuditError(
            f"the database has another log named {quoted(name)}; expected --name and a name of "
            "its own for this one"
        )


def _file_row(connection: Connection, log_id: int, file: FileOutline) -> Row[Any]:
    query = select(FILES).where(FILES.c.log_id == log_id, FILES.c.place == file.place)
    row = connection.execute(query).one_or_none()
    if row is None:
        place = {"log_id": log_id, "place": file.place, "first_hash": file.first_hash}
        connection.execute(FILES.insert().values(**place, entries=0, head=GENESIS))
    elif file.first_hash and row.first_hash is None:
        change = update(FILES).where(FILES.c.file_id == row.file_id)
        connection.execute(change.values(first_hash=file.first_hash))
    elif file.first_hash and row.first_hash != file.first_hash:
        raise AuditError(f"the database has another file {file.place} of this log")
    return connection.execute(query).one()
