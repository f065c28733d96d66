"""The rows of one section of a side: rows in memory, or the columns of a large table.

Most of a session asks rows one by one. What is asked of all of them is asked of their table: rows
in memory answer by looking at each, a table in columns by one query, and makes rows only of those
that somebody looks at (`recon_core.columns`). Both give the same answers. A row is made once, so
that it has one identity.
"""

from abc import ABC
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import compress, repeat
from operator import attrgetter, eq
from typing import Any, Final, overload

_TIME: Final = attrgetter("time")


@dataclass(frozen=True, slots=True)
class UnequalRows:
    """Rows of two sides without those that are equal, which are counted and digested alone.

    A row is equal where each side lists its key once, and both rows say the same.
    """

    internal: tuple[Any, ...]
    external: tuple[Any, ...]
    equal: int
    digest: Callable[[], str]


class Table(Sequence[Any], ABC):
    """The rows of one section, in the order of their source; a sequence of rows as well."""

    def distinct(self, name: str) -> frozenset[Any]:
        """Return every value of a field."""
        return frozenset(map(attrgetter(name), self))

    def count_of(self, name: str, value: Any) -> int:
        """The number of rows with one value of a field."""
        return sum(getattr(row, name) == value for row in self)

    def late(self, time: datetime) -> int:
        """The number of rows after a time."""
        return sum(each > time for each in map(_TIME, self))

    def early(self, time: datetime) -> int:
        """The number of rows before a time."""
        return sum(each < time for each in map(_TIME, self))

    def latest(self, before: datetime | None = None) -> datetime | None:
        """The latest time of a row, of those `before` a time; `None` without any."""
        times = map(_TIME, self)
        return max((each for each in times if before is None or each < before), default=None)

    def after(self, time: datetime) -> list[Any]:
        """Return the rows that are later than a time, in their order."""
        return [row for row in self if row.time > time]

    def having(self, **values: Collection[Any]) -> list[Any]:
        """Return the rows with some values of every field that is named, in their order."""
        return rows_having(self, values)

    def in_account(self, account: str) -> Sequence[Any]:
        """Return the rows, those without an account in `account`."""
        return rows_in_account(self, account)


@dataclass(frozen=True, slots=True)
class InMemory(Table):
    """Rows that are in memory."""

    rows: Sequence[Any]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Any]:
        """Begin with the first row."""
        return iter(self.rows)

    @overload
    def __getitem__(self, place: int) -> Any: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Any]: ...

    def __getitem__(self, place: int | slice) -> Any:
        """The row at a place, or those of a slice."""
        return self.rows[place]


def are_in(some: Collection[Any], values: Iterable[Any]) -> Iterator[bool]:
    """Yield for each value whether it is one of some."""
    if len(some) != 1:
        return map(some.__contains__, values)
    (only,) = some  # without a hash of each value
    return map(eq, values, repeat(only))


def rows_having(rows: Iterable[Any], values: Mapping[str, Collection[Any]]) -> list[Any]:
    """Return the rows with some values of every field that is named, in their order."""
    left = rows if isinstance(rows, Sequence) else list(rows)
    for name, some in values.items():
        left = list(compress(left, are_in(some, map(attrgetter(name), left))))
    return list(left)


def rows_in_account(rows: Iterable[Any], account: str) -> tuple[Any, ...]:
    """Return rows, those without an account in `account`."""
    return tuple(replace(row, account=account) if row.account is None else row for row in rows)
