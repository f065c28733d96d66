"""The fills of a side in columns: rows are made of those alone that somebody looks at."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any, overload

from recon_core.columns.database import ColumnsError
from recon_core.columns.equal_digest import digest_without
from recon_core.columns.fill_columns import MOST_NUMBERS, FillColumns, listed
from recon_core.columns.fill_sums import InOrder, Places, fill_sums
from recon_core.columns.matching import unequal
from recon_core.columns.repeated import copies
from recon_core.columns.times import microseconds_of, time_text
from recon_core.model import Fill
from recon_core.model.fill_table import (
    FillKey,
    FillTable,
    PositionSums,
    SumRule,
    UnequalFills,
    copies_of,
    rows_in_account,
)
from recon_core.model.matched_rows import EqualRows

Convert = Callable[[Iterable[dict[str, Any]]], Iterator[Fill]]
"""Makes fills of rows as a file has them."""


@dataclass(slots=True)
class Rows:
    """Rows of one table that were made so far; a row is made once, so that it has one identity.

    `unequal` are the numbers of those that the other side does not list alike: a row that is listed
    more than once is among them.
    """

    columns: FillColumns
    convert: Convert
    known: dict[int, Fill] = field(default_factory=dict)
    unequal: Sequence[int] | None = None
    every: tuple[Fill, ...] | None = None

    def all(self) -> tuple[Fill, ...]:
        """Return all rows, in the order of the table."""
        if self.every is None:
            self.every = tuple(self._read())
            self.known = {}
        return self.every

    def at(self, numbers: Sequence[int]) -> list[Fill]:
        """Return rows by their numbers, which rise."""
        absent = [number for number in numbers if number not in self.known]
        if self.every is not None or len(absent) > MOST_NUMBERS:
            every = self.all()
            return [every[number] for number in numbers]
        if absent:
            self._read_some(absent)
        return [self.known[number] for number in numbers]

    def _read_some(self, numbers: Sequence[int]) -> None:
        for parts in self.columns.raw_rows(f"{self.columns.number} IN ({listed(numbers)})"):
            made = self.convert(map(self._document, parts))
            self.known.update(zip((row[0] for row in parts), made, strict=True))

    def _read(self) -> Iterator[Fill]:
        place = 0
        for parts in self.columns.raw_rows():
            assert [row[0] for row in parts] == [*range(place, place + len(parts))]  # noqa: S101
            for fill in self.convert(map(self._document, parts)):
                yield self.known.get(place, fill)
                place += 1

    def _document(self, row: Sequence[Any]) -> dict[str, Any]:
        """A row as a file has it, without absent values."""
        values = zip(self.columns.raw_names, row[1:], strict=True)
        document = {name: value for name, value in values if value is not None}
        if self.columns.raw_time is None:
            document["time"] = time_text(document["time"])
        return document


@dataclass(frozen=True, eq=False)
class ColumnFills(FillTable):
    """The fills of a table; those without an account are in `unnamed`."""

    columns: FillColumns
    rows: Rows
    unnamed: str | None = None

    def __len__(self) -> int:
        """The number of fills."""
        return self.columns.count

    def __iter__(self) -> Iterator[Fill]:
        """Begin with the first fill, which makes a row of each."""
        return iter(self._every)

    @overload
    def __getitem__(self, place: int) -> Fill: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Fill, ...]: ...

    def __getitem__(self, place: int | slice) -> Fill | tuple[Fill, ...]:
        """The fill at a place, or those of a slice."""
        return self._every[place]

    def __add__(self, more: Sequence[Fill]) -> tuple[Fill, ...]:
        """Return these fills and more, as tuples do."""
        return (*self._every, *more)

    def __radd__(self, more: Sequence[Fill]) -> tuple[Fill, ...]:
        """Return more fills and these."""
        return (*more, *self._every)

    def __repr__(self) -> str:
        """Name the table, and not all of its rows."""
        return f"ColumnFills({self.columns.name!r}, {len(self)} fills)"

    @cached_property
    def _every(self) -> tuple[Fill, ...]:
        rows = self.rows.all()
        return rows if self.unnamed is None else rows_in_account(rows, self.unnamed)

    def distinct(self, name: str) -> set[Any]:
        """Return every value of a field."""
        if name not in ("symbol", "fee_currency", "account", "leg"):
            return {getattr(fill, name) for fill in self._every}
        found = {getattr(group, name) for group in self.columns.groups}
        if name == "account" and self.unnamed is not None:
            found = {self.unnamed if value is None else value for value in found}
        return found

    def copies(self) -> dict[FillKey, int]:
        """Return the key of every fill that is listed more than once, with its count."""
        return self._copies

    @cached_property
    def _copies(self) -> dict[FillKey, int]:
        unequal_rows = self.rows.unequal
        numbers = copies(self.columns) if unequal_rows is None else unequal_rows
        return copies_of(self.at(numbers))

    def at(self, numbers: Sequence[int]) -> tuple[Fill, ...]:
        """Return rows by their numbers, which rise."""
        rows = tuple(self.rows.at(numbers))
        return rows if self.unnamed is None else rows_in_account(rows, self.unnamed)

    def late(self, time: datetime) -> int:
        """The number of fills after a time."""
        last = max((group.last for group in self.columns.groups), default=0)
        return 0 if last <= microseconds_of(time) else self._counted(">", time)

    def early(self, time: datetime) -> int:
        """The number of fills before a time."""
        first = min((group.first for group in self.columns.groups), default=0)
        return 0 if first >= microseconds_of(time) else self._counted("<", time)

    def _counted(self, sign: str, time: datetime) -> int:
        condition = f"{self.columns.time} {sign} {microseconds_of(time)}"
        query = f"SELECT count(*) FILTER ({condition}) FROM {self.columns.source}"
        ((count,),) = self.columns.answer(query)
        return int(count)

    def names_an_order(self) -> bool:
        """True if any fill names its order."""
        return any(group.names_an_order for group in self.columns.groups)

    def in_account(self, account: str) -> "ColumnFills":
        """Return the fills, those without an account in `account`."""
        if self.unnamed is not None or None not in self.distinct("account"):
            return self
        return ColumnFills(self.columns, self.rows, account)

    def sums(
        self, rules: Mapping[str, SumRule], places: Places, in_order: InOrder
    ) -> PositionSums | None:
        """Return the sums of all positions; `None` where they have more digits than columns."""
        try:
            return fill_sums(self.columns, rules, places, self.unnamed, self.at, in_order)
        except ColumnsError:
            return None

    def unequal(self, other: FillTable, *, plain: bool) -> UnequalFills | None:
        """Return what differs from the fills of the other side, if these are in columns too."""
        if not isinstance(other, ColumnFills):
            return None
        try:
            found = unequal(self.columns, other.columns, plain=plain)
        except ColumnsError:
            return None
        self.rows.unequal, other.rows.unequal = found.internal, found.external
        return UnequalFills(
            self.at(found.internal),
            other.at(found.external),
            found.equal,
            partial(self._digest_without, found.internal, plain=plain),
        )

    def _digest_without(self, numbers: Sequence[int], *, plain: bool) -> str:
        """Return the digest of all rows but some, which are equal on the other side."""
        try:
            return digest_without(self.columns, numbers, plain=plain)
        except ColumnsError:
            without = set(numbers)
            rows = (fill for number, fill in enumerate(self._every) if number not in without)
            return EqualRows(tuple(rows)).digest
