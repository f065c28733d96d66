"""The mapping file of tables, field by field: what `format: "table"` reads (TOML).

A mapping describes one side. Each section names tables of a project, and for each
table which column holds which field of the session file.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from recon_core.sessions import schema
from recon_core.values.fields import (
    Amount,
    Entries,
    FileModel,
    FileTable,
    Kept,
    Name,
    RowList,
    Time,
)


def _as_list(value: Any) -> Any:
    """Return a list; one table or name may be given without the brackets."""
    return value if isinstance(value, list) else [value]


Names = Annotated[RowList[Name], Field(min_length=1), BeforeValidator(_as_list)]


class TableMapping(FileTable):
    """One table: fields of the session file by columns, or the same for every row.

    `where` keeps the rows that hold one of the given words; `rows = "last"` keeps the
    last of them.
    """

    path: Name
    columns: Entries[Name, Names] = Field(default_factory=dict)
    constants: Entries[Name, Name] = Field(default_factory=dict)
    where: Entries[Name, Names] = Field(default_factory=dict)
    rows: Literal["all", "last"] = "all"


Tables = Annotated[RowList[TableMapping], BeforeValidator(_as_list)]


class MappedOpening(FileTable):
    """The state before the first fill, written out."""

    as_of: Time | None = None
    positions: Entries[Name, Amount] = Field(default_factory=dict)
    cash: Entries[Name, Amount] = Field(default_factory=dict)


class Sides(FileTable):
    """The source's words for the two directions."""

    BUY: Names = Field(default_factory=lambda: ["BUY", "Buy", "buy", "B"])
    SELL: Names = Field(default_factory=lambda: ["SELL", "Sell", "sell", "S"])


class MappingFile(FileTable):
    """The whole file.

    `timezone` is an IANA name for times without an offset. `time_format` is a pattern
    of `strptime`, or `s`, `ms`, `us`, `ns` for a count since 1970; ISO 8601 without it.
    """

    numbers: Literal["decimal", "float"] = "decimal"
    source: str | None = None
    as_of: Time | None = None
    timezone: Name | None = None
    time_format: Name | None = None
    symbols: Entries[Name, Name] = Field(default_factory=dict)
    sides: Sides = Field(default_factory=Sides)
    states: Entries[Name, Names] = Field(default_factory=dict)
    instruments: Entries[Name, schema.InstrumentTable] = Field(default_factory=dict)
    currencies: Entries[Name, schema.CurrencyTable] = Field(default_factory=dict)
    keeps: Kept = Field(default_factory=dict)
    opening: MappedOpening | None = None
    fills: Tables | None = None
    orders: Tables | None = None
    positions: Tables | None = None
    cash: Tables | None = None


ROW_TYPES: Final[dict[str, type[FileModel]]] = {
    "fills": schema.FillRow,
    "orders": schema.OrderRow,
    "positions": schema.PositionRow,
    "cash": schema.CashRow,
}
"""The row of each section; `columns` and `constants` name its fields."""
