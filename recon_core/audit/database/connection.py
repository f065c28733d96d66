"""Connections to a database that a URL names, and its errors in one line without its secrets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from recon_core.values.errors import AuditError
from recon_core.values.printable import printable

EXPECTED: Final = "expected sqlite:///FILE or postgresql://USER@HOST/DATABASE"

_DRIVERS: Final = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
_WAIT: Final = 60
"""Seconds that a writer of SQLite waits for another one; a batch takes less than one."""
_PATIENCE: Final = 10
"""Seconds until a server is not there, where the URL says nothing: by itself the driver waits."""
_HIDDEN: Final = "***"


@dataclass(frozen=True, slots=True)
class Database:
    """A database by its URL, which is printed without its password and its options."""

    url: URL

    @classmethod
    def at(cls, text: str) -> "Database":
        """Read a URL; raises `AuditError`, which repeats nothing of it: it may hold a password."""
        try:
            url = make_url(text)
            driver = _DRIVERS.get(url.get_backend_name())
        except (ArgumentError, ValueError):
            raise AuditError(f"the database is no URL; {EXPECTED}") from None
        if driver is None:
            kind = printable(url.get_backend_name(), 40)
            raise AuditError(f"a database of the kind '{kind}' is not supported; {EXPECTED}")
        if driver == _DRIVERS["sqlite"] and url.database in (None, "", ":memory:"):
            raise AuditError(f"sqlite: names no file; {EXPECTED}")
        return cls(url.set(drivername=driver))

    def __str__(self) -> str:
        """The URL without password and options."""
        url = self.url
        shown = URL.create(url.get_backend_name(), url.username, None, url.host, url.port)
        return printable(shown.set(database=url.database).render_as_string())

    @contextmanager
    def connected(self, *, writes: bool = False) -> Iterator[Connection]:
        """Connect; errors of the database are `AuditError`. Only a writer makes a new file."""
        with self.refusals():
            if self.file is not None:
                self._see_file(self.file, writes=writes)
            engine = self._engine(writes=writes)
            try:
                with engine.connect() as connection:
                    yield connection
            finally:
                engine.dispose()

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Raise `AuditError` in one line, without the password, for an error of the database."""
        try:
            yield
        except ImportError as error:
            module = printable(error.name or "its driver")
            raise AuditError(
                f"{self}: needs {module}, which is not installed; pip install 'pytest-recon[sql]'"
            ) from None
        except SQLAlchemyError as error:
            reason = getattr(error, "orig", None) or error
            raise AuditError(f"{self}: {self._without_secrets(str(reason))}") from None

    @property
    def file(self) -> Path | None:
        """The file of SQLite, `None` of another database."""
        if self.url.get_backend_name() != "sqlite":
            return None
        return Path(self.url.database or "")

    def _see_file(self, path: Path, *, writes: bool) -> None:
        """Make the file for its owner only, as a log is; refuse to ask one that is not there."""
        try:
            if writes:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            elif not path.is_file():
                raise AuditError(f"{self}: there is no such file; recon audit load makes it")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise AuditError(f"{self}: cannot be opened: {printable(reason)}") from None

    def _engine(self, *, writes: bool) -> Engine:
        if self.file is None:
            url = self.url.update_query_dict({"connect_timeout": str(_PATIENCE), **self.url.query})
            return _in_utc(create_engine(url, poolclass=NullPool))
        engine = create_engine(self.url, poolclass=NullPool, connect_args={"timeout": _WAIT})
        if writes:
            _begin_as_writer(engine)
        return engine

    def _without_secrets(self, text: str) -> str:
        """One line of an error; a driver may repeat what it connected with."""
        query = self.url.query
        values = [value for name, value in query.items() if "pass" in name.lower()]
        secrets = [str(self.url.password)] if self.url.password else []
        secrets += [
            each for value in values for each in ([value] if isinstance(value, str) else value)
        ]
        for secret in secrets:
            for written in {secret, quote(secret, safe=""), quote_plus(secret)} - {""}:
                text = text.replace(written, _HIDDEN)
        return printable(" ".join(text.split()), 500)


def _in_utc(engine: Engine) -> Engine:
    """Read times in UTC: in the zone of a server the first or last year may be out of bounds."""

    @event.listens_for(engine, "connect")
    def set_zone(connection: Any, _record: object) -> None:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.commit()

    return engine


def _begin_as_writer(engine: Engine) -> None:
    """Take the lock of SQLite where a transaction begins, so that none fails half way."""

    @event.listens_for(engine, "connect")
    def no_implicit_begin(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
