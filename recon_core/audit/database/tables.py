"""The tables of an audit database; amounts are exact in all of them.

PostgreSQL keeps an amount as NUMERIC and a time as TIMESTAMP WITH TIME ZONE. SQLite has
neither: there an amount is its text, and a time is its text in UTC, which sorts by time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    select,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from recon_core.audit.database.views import create_views
from recon_core.values.errors import AuditError

VERSION: Final = 1
"""Version of the tables; another one is refused, not changed."""
_LOCK: Final = 0x5265636F6E
"""Number of the lock of PostgreSQL under which tables and files are made: `Recon` in ASCII."""


class Amount(TypeDecorator[Decimal]):
    """An exact amount: NUMERIC, or text where NUMERIC would be a binary float."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type of the database."""
        kind = Text() if dialect.name == "sqlite" else Numeric()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Write an amount."""
        return format(value, "f") if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002  # its signature
        """Read an amount."""
        return None if value is None else Decimal(value)


class Moment(TypeDecorator[datetime]):
    """A time in UTC."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type of the database."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Write a time; SQLite has no offsets."""
        return value.replace(tzinfo=None) if value and dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # its signature
        """Read a time."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


METADATA: Final = MetaData()

SCHEMA: Final = Table("recon_schema", METADATA, Column("version", Integer, primary_key=True))

LOGS: Final = Table(
    "recon_logs",
    METADATA,
    Column("log_id", Integer, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
)

FILES: Final = Table(
    "recon_files",
    METADATA,
    Column("file_id", Integer, primary_key=True, autoincrement=True),
    Column("log_id", ForeignKey("recon_logs.log_id"), nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("first_hash", Text, unique=True),
    Column("entries", BigInteger, nullable=False),
    Column("head", Text, nullable=False),
    # Of an earlier file that somebody signed off although it was damaged.
    Column("rest", LargeBinary),
    Column("sha256", Text),
    Column("bytes", BigInteger),
    UniqueConstraint("log_id", "place"),
)

ENTRIES: Final = Table(
    "recon_entries",
    METADATA,
    Column("file_id", ForeignKey("recon_files.file_id"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("event_type", Text, nullable=False),
    Column("time", Moment),
    Column("line", Text, nullable=False),
)


def _of_entries(name: str, *columns: Column[Any], numbered: bool = False) -> Table:
    """Return a table of rows that are made of an entry, several of one where it is numbered."""
    number = [Column("number", Integer, primary_key=True, autoincrement=False)] * numbered
    return Table(
        name,
        METADATA,
        Column("file_id", Integer, primary_key=True, autoincrement=False),
        Column("sequence", BigInteger, primary_key=True, autoincrement=False),
        *number,
        *columns,
        ForeignKeyConstraint(
            ["file_id", "sequence"], ["recon_entries.file_id", "recon_entries.sequence"]
        ),
    )


RUNS: Final = _of_entries(
    "recon_runs",
    Column("run_id", Text),
    Column("invocation_id", Text),
    Column("session_id", Text),
    Column("strategy_id", Text),
    Column("time", Moment),
    Column("verdict", Text),
    Column("comparisons", BigInteger),
    Column("ran", BigInteger),
    Column("problems", Integer),
    Column("recorded_diffs", BigInteger),
    Column("total_diffs", BigInteger),
    Column("critical", BigInteger, nullable=False),
    Column("fail", BigInteger, nullable=False),
    Column("warn", BigInteger, nullable=False),
    Column("info", BigInteger, nullable=False),
    Column("waived", BigInteger, nullable=False),
)

DIFFS: Final = _of_entries(
    "recon_diffs",
    Column("run_id", Text),
    Column("session_id", Text),
    Column("strategy_id", Text),
    Column("run_time", Moment),
    Column("diff_id", Text),
    Column("identity", Text, nullable=False),
    Column("diff_type", Text),
    Column("key", Text),
    Column("severity", Text),
    Column("description", Text),
    Column("internal", Amount),
    Column("external", Amount),
    Column("delta", Amount),
    Column("drift", Amount),
    Column("unit", Text),
    Column("tolerance", Text),
    Column("order_id", Text),
    Column("owner", Text),
)

EXPLANATIONS: Final = _of_entries(
    "recon_explanations",
    Column("verdict", Text),
    Column("side", Text),
    Column("cause", Text),
    Column("cause_side", Text),
    Column("text", Text),
    numbered=True,
)

WAIVERS: Final = _of_entries(
    "recon_waivers",
    Column("waiver_id", Text),
    Column("owner", Text),
    Column("reason", Text),
    Column("expires", Date),
    Column("state", Text),
    Column("covers", Boolean, nullable=False),
    numbered=True,
)

DERIVED: Final = (RUNS, DIFFS, EXPLANATIONS, WAIVERS)
"""Tables that are made of the lines of the entries."""

Index("recon_runs_run", RUNS.c.run_id)
Index("recon_diffs_run", DIFFS.c.run_id)


@contextmanager
def one_at_a_time(connection: Connection) -> Iterator[None]:
    """Begin a transaction that no other writer is in; SQLite has no others."""
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        yield


def create_tables(connection: Connection) -> None:
    """Make the tables and views where they are missing, in a transaction of its own."""
    if inspect(connection).has_table(SCHEMA.name):
        connection.rollback()
        require_tables(connection)
        return
    connection.rollback()
    with one_at_a_time(connection):
        if inspect(connection).has_table(SCHEMA.name):
            return  # another writer was first
        METADATA.create_all(connection)
        create_views(connection)
        connection.execute(SCHEMA.insert().values(version=VERSION))


def require_tables(connection: Connection) -> None:
    """Raise `AuditError` where the tables are missing or of another version."""
    if not inspect(connection).has_table(SCHEMA.name):
        raise AuditError("the database has no audit log; recon audit load fills it")
    version = connection.execute(select(SCHEMA.c.version)).scalar()
    connection.rollback()
    if version != VERSION:
        raise AuditError(
            f"the database has tables of version {version}; expected version {VERSION}: "
            "load the log into a new database"
        )
