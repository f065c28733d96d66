"""The mapping file of tables, field by field: what `format: "table"` reads (TOML).

A mapping describes one side. Each section names tables of a project, and for each
table which column holds which field of the session file. A shipped format is a mapping, too.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, PlainValidator, Tag
from pydantic_core import PydanticCustomError

from recon_core.sessions import schema
from recon_core.values.errors import ReconError
from recon_core.values.fields import (
    TAG_PREFIX,
    Amount,
    Count,
    Entries,
    FileModel,
    FileTable,
    Kept,
    Name,
    RowList,
    Time,
)
from recon_core.values.printable import quoted
from recon_core.values.times import parse_time

_WRITTEN, _TABLES = (f"{TAG_PREFIX}{tag}" for tag in ("written", "tables"))


def _as_list(value: Any) -> Any:
    """Return a list; one table or name may be given without the brackets."""
    return value if isinstance(value, list) else [value]


def _as_field(value: Any) -> Any:
    """Return the long form of a field; a column, or several, is its short form."""
    return value if isinstance(value, dict) else {"column": value}


Names = Annotated[RowList[Name], Field(min_length=1), BeforeValidator(_as_list)]
Words = Annotated[RowList[str], Field(min_length=1), BeforeValidator(_as_list)]


class FieldMapping(FileTable):
    """Cells of a row that make one field.

    An amount of several columns is their sum less those of `minus`, a text of several columns
    is joined with `join`. `part` takes the unit of a cell such as `0.18SOL`, the sign of an
    amount (`+`, `-` or `0`), or the pair that BTCEUR spells, its base or its quote; `spelled`
    names the column that the units together must spell; `word` takes the nth word of a
    sentence. `time_format`, `timezone` and `timezone_column` are the column's own.
    `otherwise` is read where all cells are empty.
    """

    column: Names
    join: str | None = None
    minus: Names | None = None
    part: Literal["unit", "sign", "pair", "base", "quote"] | None = None
    word: Annotated[Count, Field(ge=1)] | None = None
    spelled: Name | None = None
    negate: bool = False
    absolute: bool = False
    replace: Entries[Name, str] = Field(default_factory=dict)
    time_format: Names | None = None
    timezone: Name | None = None
    timezone_column: Name | None = None
    otherwise: "MappedField | None" = None


MappedField = Annotated[FieldMapping, BeforeValidator(_as_field)]


FieldMapping.model_rebuild()


class FeeMapping(FileTable):
    """One of several fees of a row; a fee of 0 is none."""

    amount: MappedField
    currency: MappedField


class FileShape(FileTable):
    """Way in which files are written, where they are not plain CSV with a header line."""

    type: Literal["csv", "json", "jsonl", "parquet", "xml"] | None = None
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    byte_order_mark: bool = False
    last_line: Literal["complete", "open"] = "complete"
    header: Literal["first", "found"] = "first"
    skip: Names | None = None


class JoinMapping(FileTable):
    """Rows of one key that are one event: the sign of `amount` says which leg a row is.

    Columns of the row that was paid are `paid.NAME`, those of the received one `received.NAME`,
    those of a row that moves nothing, such as a fee alone, `other.NAME`.
    """

    key: Name
    amount: Name


class WideMapping(FileTable):
    """One column per name: `pos_*` makes of each such column a row.

    The part in place of `*` is the field `name`, the cell is the field `value`.
    """

    columns: Name
    name: Name
    value: Name


class RowSelection(FileTable):
    """Rows of one table: those that hold one of the words of `where`, and none of `unless`.

    `at` is the place of the rows in a JSON document or an XML file.
    """

    path: Name | None = None
    at: Name | None = None
    where: Entries[Name, Words] = Field(default_factory=dict)
    unless: Entries[Name, Words] = Field(default_factory=dict)


class TableMapping(RowSelection):
    """One table: fields of the session file by columns, or the same for every row.

    `rows` keeps the first or the last of the rows, by their time if they have one, with `per`
    those of each word of some columns; `add` adds up balances or positions of one key. With
    `missing` allowed, a file without the list at `at` does not report the section.
    """

    columns: Entries[Name, MappedField] = Field(default_factory=dict)
    constants: Entries[Name, Name] = Field(default_factory=dict)
    optional: Names | None = None
    rows: Literal["all", "first", "last"] = "all"
    per: Names | None = None
    add: bool = False
    missing: Literal["refused", "allowed"] = "refused"
    join: JoinMapping | None = None
    wide: WideMapping | None = None
    fees: RowList[FeeMapping] = Field(default_factory=list)


Tables = Annotated[RowList[TableMapping], BeforeValidator(_as_list)]
Selections = Annotated[RowList[RowSelection], BeforeValidator(_as_list)]


def _form(value: Any) -> str:
    """Return the way of writing a state: written out by name, or read from tables."""
    is_table = isinstance(value, list) or (isinstance(value, dict) and "columns" in value)
    return _TABLES if is_table else _WRITTEN


State = Annotated[
    Annotated[Entries[Name, Amount], Tag(_WRITTEN)] | Annotated[Tables, Tag(_TABLES)],
    Discriminator(_form),
]


class MappedOpening(FileTable):
    """The state before the first fill, written out or from tables."""

    as_of: Time | None = None
    positions: State = Field(default_factory=dict)
    cash: State = Field(default_factory=dict)


class MappedSnapshots(FileTable):
    """States in between; a row is one position or balance from its `time` on."""

    positions: Tables | None = None
    cash: Tables | None = None


class Sides(FileTable):
    """The source's words for the two directions."""

    BUY: Names = Field(default_factory=lambda: ["BUY", "Buy", "buy", "B"])
    SELL: Names = Field(default_factory=lambda: ["SELL", "Sell", "sell", "S"])


class AmountShape(FileTable):
    """Way in which amounts are written, if with more than digits, a point and a minus."""

    thousands: Literal[",", ".", "'", " ", "_"] | None = None
    decimal: Literal[".", ","] = "."
    unit: bool = False
    units: Names | None = None
    signs: RowList[Literal["plus", "trailing", "parentheses"]] = Field(default_factory=list)
    exponent: bool = False


class Pairs(FileTable):
    """Instruments of symbols that spell two currencies, such as BTC/EUR."""

    kind: Literal["spot"]
    separator: Name = "/"


LAST_ROW: Final = "last row"
OTHER_SIDES: Final = ("external", "internal")


def _as_of(value: Any) -> Any:
    """Return a time, or a word for one."""
    if value in (LAST_ROW, *OTHER_SIDES):
        return value
    try:
        if isinstance(value, str):
            return parse_time(value)
    except ReconError:
        pass
    shown = quoted(value) if isinstance(value, str) else "is not text"
    expected = "expected a time like 2026-01-01T12:00:00Z, 'external' or 'last row'"
    raise PydanticCustomError("recon", "{message}", {"message": f"{shown}; {expected}"})


class MappingFile(FileTable):
    """The whole file.

    `timezone` is an IANA name for times without an offset. `time_format` lists patterns
    of `strptime`, `iso`, or `s`, `ms`, `us`, `ns` for a count since 1970; ISO 8601 without it.
    """

    about: str | None = None
    cannot_know: RowList[Name] = Field(default_factory=list)
    numbers: Literal["decimal", "float"] = "decimal"
    source: str | None = None
    as_of: Annotated[Any, PlainValidator(_as_of)] = LAST_ROW
    timezone: Name | None = None
    time_format: Names | None = None
    absent: Names | None = None
    other_rows: Literal["noted", "refused"] = "noted"
    accounts: Literal["named", "if several"] = "named"
    file: FileShape = Field(default_factory=FileShape)
    amounts: AmountShape = Field(default_factory=AmountShape)
    symbols: Entries[Name, Name] = Field(default_factory=dict)
    assets: Entries[Name, Name] = Field(default_factory=dict)
    quotes: Names | None = None
    sides: Sides = Field(default_factory=Sides)
    states: Entries[Name, Names] = Field(default_factory=dict)
    kinds: Entries[Name, Names] = Field(default_factory=dict)
    legs: Entries[Name, Names] = Field(default_factory=dict)
    pairs: Pairs | None = None
    instruments: Entries[Name, schema.InstrumentTable] = Field(default_factory=dict)
    currencies: Entries[Name, schema.CurrencyTable] = Field(default_factory=dict)
    keeps: Kept = Field(default_factory=dict)
    opening: MappedOpening | None = None
    fills: Tables | None = None
    orders: Tables | None = None
    positions: Tables | None = None
    cash: Tables | None = None
    movements: Tables | None = None
    snapshots: MappedSnapshots | None = None
    left_out: Selections = Field(default_factory=list)


ROW_TYPES: Final[dict[str, type[FileModel]]] = {
    "fills": schema.FillRow,
    "orders": schema.OrderRow,
    "positions": schema.PositionRow,
    "cash": schema.CashRow,
    "movements": schema.MovementRow,
}
"""The row of each section; `columns` and `constants` name its fields."""

MODELS: Final[tuple[type[BaseModel], ...]] = (
    MappingFile,
    TableMapping,
    FieldMapping,
    FeeMapping,
    FileShape,
    JoinMapping,
    WideMapping,
    AmountShape,
    Pairs,
    MappedOpening,
    MappedSnapshots,
)
"""Every kind of object of a mapping; their fields are its keys."""
