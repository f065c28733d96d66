"""The columns of one table: what SQL reads of it, and what is known of all its rows.

A column is an expression of SQL under the name that the session format has for it. An amount is a
`DECIMAL` that holds each value of the column exactly: a query with more digits ends with an error,
and rows do its work.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from recon_core.columns.database import ColumnsError, answer, parts, text
from recon_core.values.errors import SessionError

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
class RowKind:
    """The fields of the rows of one section, under the names of the session format.

    `ids` are texts with about as many values as there are rows, `words` those with few, by which
    rows are grouped. `choices` has all values of a text, `default` is that of an absent one;
    amounts in `zeros` are 0 where they are absent. `conditions` are those of SQL that a row must
    meet beside these. `fields` has the field of the model where its name is another one.

    Rows `a` and `b` of two sides are one row where their `key` is the same, and equal where all
    conditions in `same` hold, which are by the field that they compare; those of `of_both` count
    where both tables have the field. `codes` are compared as numbers of their values, and amounts
    that are `alike` with each other. `derived` are texts that are made of others.
    """

    row_type: type[Any]
    ids: tuple[str, ...]
    words: tuple[str, ...]
    amounts: tuple[str, ...]
    required: frozenset[str]
    choices: Mapping[str, tuple[str, ...]]
    conditions: Callable[["TableColumns"], Sequence[str]]
    key: tuple[str, ...]
    same: Mapping[str, str]
    codes: tuple[str, ...]
    alike: tuple[str, ...] = ()
    derived: Mapping[str, Callable[["TableColumns"], str]] = field(default_factory=dict)
    of_both: frozenset[str] = frozenset()
    default: Mapping[str, str] = field(default_factory=dict)
    zeros: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of a row, each once."""
        return tuple(dict.fromkeys((*self.ids, *self.words, *self.choices)))

    @property
    def names(self) -> frozenset[str]:
        """The names of all columns."""
        return frozenset({*self.texts, *self.amounts, "time"})

    def column(self, name: str) -> str:
        """The column of a field of the model."""
        columns = {of_model: column for column, of_model in self.fields.items()}
        return columns.get(name, name)


@dataclass(frozen=True, slots=True)
class Group:
    """Facts that the rows with the same words have in common; a word that is absent is `None`."""

    words: Mapping[str, str | None]
    count: int
    first: int
    last: int
    names_an_order: bool


@dataclass(slots=True, weakref_slot=True, eq=False)
class TableColumns:
    """One table. `source` is what SQL selects from, `number` the number of a row there.

    `texts`, `amounts` and `time` are the columns that the table has; a time is in microseconds
    since 1970, and `raw_time` its text where it is written as one. `path` must not change. `count`,
    `groups` and `bytes_of_ids` are known when all rows were looked at.
    """

    kind: RowKind
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
        derived, default = self.kind.derived.get(name), self.kind.default.get(name)
        if derived is not None:
            return derived(self)
        if default is None:
            return self.texts.get(name, "NULL::VARCHAR")
        stated = self.texts.get(name)
        return text(default) if stated is None else f"coalesce({stated}, {text(default)})"

    def amount(self, name: str) -> Amount:
        """A column of amounts; those of a table without any are 0 or absent."""
        value = "0" if name in self.kind.zeros else "NULL"
        return self.amounts.get(name) or Amount(f"{value}::DECIMAL(1, 0)", 1, 0, "NULL::VARCHAR")

    def value(self, name: str) -> str:
        """A column of amounts as SQL; an absent fee is 0."""
        column = self.amount(name)
        if name not in self.kind.zeros or name not in self.amounts:
            return column.sql
        return f"coalesce({column.sql}, 0::DECIMAL({column.digits}, {column.places}))"

    def words(self, name: str) -> set[str]:
        """Return every value of a text by which rows are grouped."""
        return {word for group in self.groups if (word := group.words[name]) is not None}

    def is_in_all(self, name: str) -> bool:
        """True if every row has a value of a text by which rows are grouped."""
        return all(group.words[name] is not None for group in self.groups)

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
        return self.value(name) if name in self.kind.amounts else self.text(name)

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


def surveyed(columns: TableColumns, most_text: int) -> TableColumns:
    """Look at every row once and return the columns with what is known of all.

    Raises `ColumnsError` where a row is not plainly right, or a text longer than `most_text`
    bytes: rows are read then, and say what is wrong.
    """
    words = columns.kind.words
    lengths = [f"coalesce(max(strlen({sql})), 0)" for sql in columns.texts.values()]
    ids = [
        f"coalesce(sum(strlen({columns.texts[name]})), 0)"
        for name in columns.kind.ids
        if name in columns.texts
    ]
    order = " OR ".join(
        f"{columns.texts[name]} IS NOT NULL"
        for name in ("client_order_id", "exchange_order_id")
        if name in columns.texts
    )
    query = (
        f"SELECT count(*), min({columns.time}), max({columns.time}), bool_or({order or 'false'}), "
        f"bool_and(coalesce({_plainly_right(columns)}, false)), "
        f"greatest({', '.join(lengths)}), {' + '.join(ids)}, {', '.join(map(columns.text, words))} "
        f"FROM {columns.source} GROUP BY {', '.join(map(columns.text, words))} "
        f"LIMIT {MOST_GROUPS + 1}"
    )
    rows = columns.answer(query)
    if len(rows) > MOST_GROUPS:
        raise ColumnsError("too many symbols and accounts")
    if not all(row[4] for row in rows) or any(row[5] > most_text for row in rows):
        raise ColumnsError("a row is not plainly right")
    columns.groups = [Group(dict(zip(words, row[7:], strict=True)), *row[:4]) for row in rows]
    columns.count = sum(group.count for group in columns.groups)
    columns.bytes_of_ids = sum(row[6] for row in rows)
    return columns


_LAST_TIME: Final = 7_258_118_400_000_000
"""2200-01-01 in microseconds since 1970: both engines read times from then to there alike."""
_MOST_WHOLE: Final = 30
"""Digits before the point of an amount, as in `recon_core.values.amounts`."""


def _plainly_right(columns: TableColumns) -> str:
    """The condition on a row as SQL."""
    kind = columns.kind
    texts = (
        f"({columns.text(name)} IS NULL OR {columns.text(name)} <> '')"
        for name in kind.texts
        if name in columns.texts and name not in kind.choices
    )
    choices = (
        f"{columns.text(name)} IN ({listed(values)})"
        for name, values in kind.choices.items()
        if name in columns.texts
    )
    required = (
        f"{columns.value(name) if name in kind.amounts else columns.text(name)} IS NOT NULL"
        for name in kind.texts + kind.amounts
        if name in kind.required
    )
    return " AND ".join(
        [
            *texts,
            *choices,
            *required,
            *kind.conditions(columns),
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
