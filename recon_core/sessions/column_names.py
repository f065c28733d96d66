"""Names and number of rows of a table that may be taken in columns."""

from collections.abc import Collection
from typing import Final

from recon_core.columns.database import ColumnsError, database
from recon_core.columns.fill_columns import AMOUNTS, TEXTS
from recon_core.values.limits import COLUMN_ROWS

REQUIRED: Final = frozenset({"fill_id", "symbol", "side", "quantity", "price", "time"})
_KNOWN: Final = frozenset({*TEXTS, *AMOUNTS, "time"})


def require_fills(names: Collection[str], rows: int) -> None:
    """Raise `ColumnsError` for a table of few rows or of other columns, and without DuckDB."""
    if rows < COLUMN_ROWS.most:
        raise ColumnsError("the table has few rows")
    if not REQUIRED <= set(names) <= _KNOWN or len(set(names)) < len(names):
        raise ColumnsError("the columns are not those of fills")
    database()
