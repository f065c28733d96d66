"""Names and number of rows of a table that may be taken in columns."""

from collections.abc import Collection

from recon_core.columns.database import ColumnsError, database
from recon_core.columns.table_columns import RowKind
from recon_core.values.limits import COLUMN_ROWS


def require_rows(kind: RowKind, names: Collection[str], rows: int) -> None:
    """Raise `ColumnsError` for a table of few rows or of other columns, and without DuckDB."""
    if rows < COLUMN_ROWS.most:
        raise ColumnsError("the table has few rows")
    if not kind.required <= set(names) <= kind.names or len(set(names)) < len(names):
        raise ColumnsError("the columns are not those of the section")
    database()
