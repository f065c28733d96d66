"""Rows of a large table that are made when somebody looks at them, and questions of any section."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Self, TypeVar, overload

from recon_core.columns.database import ColumnsError
from recon_core.columns.equal_digest import digest_without
from recon_core.columns.matching import Unequal, unequal
from recon_core.columns.table_columns import MOST_NUMBERS, Group, TableColumns, listed
from recon_core.columns.times import microseconds_of, time_of, time_text
from recon_core.model.matched_rows import EqualRows
from recon_core.model.row_table import Table, rows_in_account

Answer = TypeVar("Answer")

Convert = Callable[[Iterable[dict[str, Any]]], Iterator[Any]]
"""Makes records of rows as a file has them."""


@dataclass(slots=True)
class Rows:
    """Rows of one table that were made so far; a row is made once, so that it has one identity.

    `unequal` are the numbers of those that the other side does not list alike: a row that is listed
    more than once is among them.
    """

    columns: TableColumns
    convert: Convert
    known: dict[int, Any] = field(default_factory=dict)
    unequal: Sequence[int] | None = None
    every: tuple[Any, ...] | None = None
    known_unlike: tuple[TableColumns, bool, Unequal] | None = None
    _answers: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def once(self, question: tuple[Any, ...], ask: Callable[[], Answer]) -> Answer:
        """Return the answer to a question about all rows, which is asked once."""
        if question not in self._answers:
            self._answers[question] = ask()
        answer: Answer = self._answers[question]
        return answer

    def compared(self, other: "Rows", *, plain: bool) -> Unequal:
        """Return what differs from the rows of another table; the last answer is kept."""
        found = self.unlike_of(other, plain=plain)
        if found is None and (turned := other.unlike_of(self, plain=plain)):
            found = Unequal(turned.external, turned.internal, turned.equal)
        if found is None:
            found = unequal(self.columns, other.columns, plain=plain)
        self.known_unlike = other.columns, plain, found
        return found

    def unlike_of(self, other: "Rows", *, plain: bool) -> Unequal | None:
        """Return the last answer if it is that to a comparison with another table."""
        if self.known_unlike is None or self.known_unlike[:2] != (other.columns, plain):
            return None
        return self.known_unlike[2]

    def all(self) -> tuple[Any, ...]:
        """Return all rows, in the order of the table."""
        if self.every is None:
            self.every = tuple(self._read())
            self.known = {}
        return self.every

    def at(self, numbers: Sequence[int]) -> list[Any]:
        """Return rows by their numbers, which rise."""
        absent = [number for number in numbers if number not in self.known]
        if self.every is not None or len(absent) > MOST_NUMBERS:
            every = self.all()
            return [every[number] for number in numbers]
        if absent:
            self._read_some(absent)
        return [self.known[number] for number in numbers]

    def sorted_by(self, order: Sequence[str]) -> Iterator[list[Any]]:
        """Yield rows in parts, in the order of some expressions, and keep none of them."""
        for parts in self.columns.raw_rows(order=order):
            yield list(self.convert(map(self._document, parts)))

    def _read_some(self, numbers: Sequence[int]) -> None:
        if list(numbers) == [0]:  # which reads no more than the first part of a file
            self.where("", first=1)
        if any(number not in self.known for number in numbers):
            self.where(f"{self.columns.number} IN ({listed(numbers)})")

    def where(self, condition: str, first: int | None = None) -> list[int]:
        """Make the rows that have a condition of SQL, or the first ones; return their numbers.

        Raises `ColumnsError` where they are too many.
        """
        numbers: list[int] = []
        for parts in self.columns.raw_rows(condition, first):
            numbers += (row[0] for row in parts)
            if len(numbers) > MOST_NUMBERS:
                raise ColumnsError("too many rows are asked for")
            self.take(parts)
        return numbers

    def take(self, parts: Sequence[tuple[Any, ...]]) -> None:
        """Make rows of what `raw_rows` yields, those that are not made yet."""
        absent = [row for row in parts if self.every is None and row[0] not in self.known]
        made = self.convert(map(self._document, absent))
        self.known.update(zip((row[0] for row in absent), made, strict=True))

    def _read(self) -> Iterator[Any]:
        place = 0
        for parts in self.columns.raw_rows():
            assert [row[0] for row in parts] == [*range(place, place + len(parts))]  # noqa: S101
            for row in self.convert(map(self._document, parts)):
                yield self.known.get(place, row)
                place += 1

    def _document(self, row: Sequence[Any]) -> dict[str, Any]:
        """A row as a file has it, without absent values."""
        values = zip(self.columns.raw_names, row[1:], strict=True)
        document = {name: value for name, value in values if value is not None}
        if self.columns.raw_time is None:
            document["time"] = time_text(document["time"])
        return document


@dataclass(frozen=True, eq=False)
class ColumnTable(Table):
    """The rows of a table; those without an account are in `unnamed`."""

    columns: TableColumns
    rows: Rows
    unnamed: str | None = None
    _named: dict[int, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """The number of rows."""
        return self.columns.count

    def __iter__(self) -> Iterator[Any]:
        """Begin with the first row, which makes a row of each."""
        return iter(self._every)

    @overload
    def __getitem__(self, place: int) -> Any: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Any, ...]: ...

    def __getitem__(self, place: int | slice) -> Any:
        """The row at a place, or those of a slice."""
        places = range(len(self))[place]
        if isinstance(places, int):
            return self.at((places,))[0]
        return self.at(places) if places.step > 0 else self._every[place]

    def __add__(self, more: Sequence[Any]) -> tuple[Any, ...]:
        """Return these rows and more, as tuples do."""
        return (*self._every, *more)

    def __radd__(self, more: Sequence[Any]) -> tuple[Any, ...]:
        """Return more rows and these."""
        return (*more, *self._every)

    def __repr__(self) -> str:
        """Name the table, and not all of its rows."""
        return f"{type(self).__name__}({self.columns.name!r}, {len(self)} rows)"

    @cached_property
    def _every(self) -> tuple[Any, ...]:
        return self._in_account(range(len(self)), self.rows.all())

    def _in_account(self, numbers: Iterable[int], rows: Sequence[Any]) -> tuple[Any, ...]:
        """Return rows in their account; each has one identity there, too."""
        if self.unnamed is None:
            return tuple(rows)
        named, account = self._named, self.unnamed
        return tuple(
            named.get(number) or named.setdefault(number, *rows_in_account([row], account))
            for number, row in zip(numbers, rows, strict=True)
        )

    def at(self, numbers: Sequence[int]) -> tuple[Any, ...]:
        """Return rows by their numbers, which rise."""
        return self._in_account(numbers, self.rows.at(numbers))

    def distinct(self, name: str) -> frozenset[Any]:
        """Return every value of a field."""
        column, kind = self.columns.kind.column(name), self.columns.kind
        if column in kind.words:
            return frozenset(self._in_words(column, group) for group in self.columns.groups)
        if column in kind.texts and not self.columns.has(column):
            return frozenset({kind.default.get(column)} if len(self) else ())
        return frozenset(getattr(row, name) for row in self._every)

    def count_of(self, name: str, value: Any) -> int:
        """The number of rows with one value of a field."""
        column = self.columns.kind.column(name)
        if column not in self.columns.kind.words:
            return super().count_of(name, value)
        groups = self.columns.groups
        return sum(one.count for one in groups if self._in_words(column, one) == value)

    def _in_words(self, column: str, group: Group) -> str | None:
        """The word of a group; its account is named where rows without one have a name."""
        word = group.words[column]
        return self.unnamed if word is None and column == "account" else word

    def latest(self, before: datetime | None = None) -> datetime | None:
        """The latest time of a row, of those `before` a time; `None` without any."""
        last = max((group.last for group in self.columns.groups), default=None)
        if last is not None and before is not None and last >= microseconds_of(before):
            condition = f"{self.columns.time} < {microseconds_of(before)}"
            query = (
                f"SELECT max({self.columns.time}) FILTER ({condition}) FROM {self.columns.source}"
            )
            ((last,),) = self.columns.answer(query)
        return None if last is None else time_of(last)

    def after(self, time: datetime) -> list[Any]:
        """Return the rows that are later than a time, in their order."""
        last = max((group.last for group in self.columns.groups), default=0)
        if last <= microseconds_of(time):
            return []
        return list(self.where(f"{self.columns.time} > {microseconds_of(time)}"))

    def where(self, condition: str) -> tuple[Any, ...]:
        """Return the rows that have a condition of SQL, all rows where these are too many."""
        try:
            return self.at(sorted(self.rows.where(condition)))
        except ColumnsError:
            return self._every

    def late(self, time: datetime) -> int:
        """The number of rows after a time."""
        last = max((group.last for group in self.columns.groups), default=0)
        return 0 if last <= microseconds_of(time) else self._counted(">", time)

    def early(self, time: datetime) -> int:
        """The number of rows before a time."""
        first = min((group.first for group in self.columns.groups), default=0)
        return 0 if first >= microseconds_of(time) else self._counted("<", time)

    def _counted(self, sign: str, time: datetime) -> int:
        condition = f"{self.columns.time} {sign} {microseconds_of(time)}"
        query = f"SELECT count(*) FILTER ({condition}) FROM {self.columns.source}"
        ((count,),) = self.columns.answer(query)
        return int(count)

    def in_account(self, account: str) -> Self:
        """Return the rows, those without an account in `account`."""
        if self.unnamed is not None or None not in self.distinct("account"):
            return self
        return type(self)(self.columns, self.rows, account)

    def digest_without(self, numbers: Sequence[int], *, plain: bool) -> str:
        """Return the digest of all rows but some, which are equal on the other side."""
        try:
            return digest_without(self.columns, numbers, plain=plain)
        except ColumnsError:
            without = set(numbers)
            rows = (row for number, row in enumerate(self._every) if number not in without)
            return EqualRows(tuple(rows)).digest
