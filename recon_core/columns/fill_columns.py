"""The columns of one table of fills: what SQL reads of it, and what is known of all its rows.

A column is an expression of SQL in the words of `Fill`. An amount is a `DECIMAL` that holds each
value of the column exactly: a query with more digits ends with an error, and
rows do its work.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from recon_core.columns.database import ColumnsError, answer, parts, text
from recon_core.values.errors import SessionError

TEXTS: Final = (
    "fill_id",
    "symbol",
    "side",
    "fee_currency",
    "client_order_id",
    "exchange_order_id",
    "account",
    "leg",
    "position_id",
)
IDS: Final = ("fill_id", "client_order_id", "exchange_order_id", "position_id")
AMOUNTS: Final = ("quantity", "price", "fee")
MOST_DIGITS: Final = 38
"""Digits of a `DECIMAL`."""
NARROW: Final = 18
"""Digits of a `DECIMAL` that is one machine word: sums of such are several times as quick."""
MOST_NUMBERS: Final = 100_000
"""Rows that a query asks for, or leaves out, by their numbers; of more, all are made."""
MOST_GROUPS: Final = 100_000
"""Symbols, fee currencies, accounts and legs together; more are no account but an attack."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A column of amounts: `sql` is a `DECIMAL(digits, places)`, `raw` its text as written.

    `written` are the decimals that each row is written with, where these differ by row.
    """

    sql: str
    digits: int
    places: int
    raw: str
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Facts that the rows of one symbol, fee currency, account and leg have in common."""

    symbol: str
    fee_currency: str | None
    account: str | None
    leg: str
    count: int
    first: int
    last: int
    names_an_order: bool


@dataclass(slots=True, weakref_slot=True, eq=False)
class FillColumns:
    """One table of fills. `source` is what SQL selects from, `number` the number of a row there.

    `texts`, `amounts` and `time` are the columns that the table has; a time is in microseconds
    since 1970, and `raw_time` its text where it is written as one. `path` must not change. `count`,
    `groups` and `bytes_of_ids` are known when all rows were looked at.
    """

    name: str
    path: Path
    source: str
    number: str
    texts: Mapping[str, str]
    amounts: Mapping[str, Amount]
    time: str
    raw_time: str | None = None
    count: int = 0
    groups: Sequence[Group] = ()
    bytes_of_ids: int = 0
    _state: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._state = self._status()

    def has(self, name: str) -> bool:
        """True if the table has a column."""
        return name in self.texts or name in self.amounts

    def text(self, name: str) -> str:
        """A column of text as SQL, `NULL` where the table has none."""
        if name == "leg":
            return f"coalesce({self.texts['leg']}, 'NET')" if "leg" in self.texts else "'NET'"
        return self.texts.get(name, "NULL::VARCHAR")

    def amount(self, name: str) -> Amount:
        """A column of amounts; fees of a table without any are 0."""
        return self.amounts.get(name) or Amount("0::DECIMAL(1, 0)", 1, 0, "NULL::VARCHAR")

    def value(self, name: str) -> str:
        """A column of amounts as SQL; an absent fee is 0."""
        column = self.amount(name)
        if name != "fee" or name not in self.amounts:
            return column.sql
        return f"coalesce({column.sql}, 0::DECIMAL({column.digits}, {column.places}))"

    def selected(self, *names: str, where: str = "") -> str:
        """A table of SQL with some columns under their names, and `number`."""
        columns = [f"{self._sql(name)} AS {name}" for name in names]
        condition = f" WHERE {where}" if where else ""
        listed_columns = ", ".join([*columns, f"{self.number} AS number"])
        return f"(SELECT {listed_columns} FROM {self.source}{condition})"

    def _sql(self, name: str) -> str:
        """A column as SQL; `price_places` are the decimals that each price is written with."""
        if name == "time":
            return self.time
        if name.endswith("_places"):
            return self.amount(name.removesuffix("_places")).written or "0"
        return self.value(name) if name in AMOUNTS else self.text(name)

    def answer(self, query: str) -> list[tuple[Any, ...]]:
        """Return all rows of an answer; raises `ColumnsError`, else as `unchanged` does."""
        with self.unchanged():
            return answer(query)

    def parts(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of an answer in parts; raises as `answer` does."""
        with self.unchanged():
            yield from parts(query)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Refuse a file that is another one than was read first; raises `SessionError`."""
        yield
        if self._status() != self._state:
            raise SessionError(f"{self.name}: changes while it is read; expected a complete file")

    def _status(self) -> tuple[int, ...]:
        try:
            status = self.path.stat()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SessionError(f"{self.name}: cannot be read: {reason}") from None
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

    def raw_rows(
        self, where: str = "", first: int | None = None, order: Sequence[str] = ()
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield rows in parts: number, texts, amounts as text, and the time.

        The columns are those of `raw_names`; `first` is the number of rows, all without it. The
        rows are in the order of the table, or in that of some expressions.
        """
        columns = self.raw_columns
        condition = f" WHERE {where}" if where else ""
        most = "" if first is None else f" LIMIT {first}"
        sorted_by = f" ORDER BY {', '.join(order)}" if order else ""
        query = f"SELECT {', '.join(columns)} FROM {self.source}{condition}{sorted_by}{most}"
        yield from self.parts(query)

    @property
    def raw_columns(self) -> list[str]:
        """The columns of `raw_rows`, as SQL."""
        return [
            self.number,
            *self.texts.values(),
            *(column.raw for column in self.amounts.values()),
            self.raw_time or self.time,
        ]

    @property
    def raw_names(self) -> list[str]:
        """The fields of a row of `raw_rows`, after its number."""
        return [*self.texts, *self.amounts, "time"]


def surveyed(columns: FillColumns, most_text: int) -> FillColumns:
    """Look at every row once and return the columns with what is known of all.

    Raises `ColumnsError` where a row is not plainly right, or a text longer than `most_text`
    bytes: rows are read then, and say what is wrong.
    """
    texts = [name for name in TEXTS if name in columns.texts]
    lengths = [f"coalesce(max(strlen({columns.texts[name]})), 0)" for name in texts]
    ids = [f"coalesce(sum(strlen({columns.texts[name]})), 0)" for name in texts if name in IDS]
    order = " OR ".join(
        f"{columns.texts[name]} IS NOT NULL"
        for name in ("client_order_id", "exchange_order_id")
        if name in columns.texts
    )
    query = (
        f"SELECT {columns.text('symbol')}, {columns.text('fee_currency')}, "
        f"{columns.text('account')}, {columns.text('leg')}, count(*), "
        f"min({columns.time}), max({columns.time}), bool_or({order or 'false'}), "
        f"bool_and(coalesce({_plainly_right(columns)}, false)), "
        f"greatest({', '.join(lengths)}), {' + '.join(ids)} "
        f"FROM {columns.source} GROUP BY 1, 2, 3, 4 LIMIT {MOST_GROUPS + 1}"
    )
    rows = columns.answer(query)
    if len(rows) > MOST_GROUPS:
        raise ColumnsError("too many symbols and accounts")
    if not all(row[8] for row in rows) or any(row[9] > most_text for row in rows):
        raise ColumnsError("a row is not plainly right")
    columns.groups = [Group(*row[:8]) for row in rows]
    columns.count = sum(group.count for group in columns.groups)
    columns.bytes_of_ids = sum(row[10] for row in rows)
    return columns


_LAST_TIME: Final = 7_258_118_400_000_000
"""2200-01-01 in microseconds since 1970: both engines read times from then to there alike."""
_MOST_WHOLE: Final = 30
"""Digits before the point of an amount, as in `recon_core.values.amounts`."""


def _plainly_right(columns: FillColumns) -> str:
    """The condition on a row as SQL."""
    required = [f"{columns.text(name)} <> ''" for name in ("fill_id", "symbol")]
    optional = [
        f"({columns.texts[name]} IS NULL OR {columns.texts[name]} <> '')"
        for name in TEXTS
        if name in columns.texts and name not in ("fill_id", "symbol", "side", "leg")
    ]
    leg = f"{columns.text('leg')} IN ('NET', 'LONG', 'SHORT')"
    fee = f"({columns.value('fee')} = 0 OR {columns.text('fee_currency')} IS NOT NULL)"
    return " AND ".join(
        [
            *required,
            *optional,
            f"{columns.text('side')} IN ('BUY', 'SELL')",
            *([leg] if "leg" in columns.texts else []),
            f"{columns.value('quantity')} > 0",
            f"{columns.value('price')} IS NOT NULL",
            *([fee] if "fee" in columns.amounts else []),
            *(_whole_digits(column) for column in columns.amounts.values()),
            f"{columns.time} BETWEEN 0 AND {_LAST_TIME}",
        ]
    )


def _whole_digits(column: Amount) -> str:
    """The condition that an amount has no more digits before its point than amounts have."""
    if column.digits - column.places <= _MOST_WHOLE:
        return "true"
    most = f"1{'0' * _MOST_WHOLE}::DECIMAL({column.digits}, {column.places})"
    return f"({column.sql} IS NULL OR abs({column.sql}) < {most})"


_MOST_WORDS: Final = 10_000
"""Words that a query may write as numbers."""


def as_word(sql: str, words: Collection[str]) -> str:
    """Return a text that is one of some words, as a type that holds its number in their order.

    It takes a tenth of the memory where rows are sorted or joined. Of many words it is the text.
    """
    return f"{sql}::ENUM({listed(sorted(words))})" if 0 < len(words) <= _MOST_WORDS else sql


def listed(values: Sequence[object]) -> str:
    """Return a list of values as SQL writes it."""
    return ", ".join(text(value) if isinstance(value, str) else str(value) for value in values)
