"""The fills of a side in columns: rows are made of those alone that somebody looks at."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property, partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, TypeVar, overload

from recon_core.columns.database import ColumnsError, text
from recon_core.columns.equal_digest import digest_without
from recon_core.columns.fill_columns import MOST_NUMBERS, FillColumns, listed
from recon_core.columns.fill_questions import (
    Charged,
    Nearby,
    charged,
    fee_places,
    fee_samples,
    later_than,
    latest,
    named_in_parts,
    names_parts,
    of_positions,
    price_range,
    quantities,
)
from recon_core.columns.fill_sums import InOrder, Places, fill_sums
from recon_core.columns.matching import Unequal, unequal
from recon_core.columns.repeated import copies
from recon_core.columns.times import microseconds_of, time_of, time_text
from recon_core.model import Fill
from recon_core.model.fill_table import (
    FillKey,
    FillTable,
    PatchedFills,
    PositionSums,
    SumRule,
    UnequalFills,
    copies_of,
    rows_having,
    rows_in_account,
)
from recon_core.model.matched_rows import EqualRows
from recon_core.values.errors import ReplayError

Answer = TypeVar("Answer")

Convert = Callable[[Iterable[dict[str, Any]]], Iterator[Fill]]
"""Makes fills of rows as a file has them."""
_POSITION: Final = attrgetter("account", "symbol", "leg")
_TIME: Final = attrgetter("time")


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
    nearby: Nearby = field(init=False)
    known_unlike: tuple[FillColumns, bool, Unequal] | None = None
    _answers: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nearby = Nearby(self.columns, self.where)

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

    def sorted_by(self, order: Sequence[str]) -> Iterator[list[Fill]]:
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
    _named: dict[int, Fill] = field(default_factory=dict)

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
        places = range(len(self))[place]
        if isinstance(places, int):
            return self.at((places,))[0]
        return self.at(places) if places.step > 0 else self._every[place]

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
        return self._in_account(range(len(self)), self.rows.all())

    def _in_account(self, numbers: Iterable[int], rows: Sequence[Fill]) -> tuple[Fill, ...]:
        """Return rows in their account; each has one identity there, too."""
        if self.unnamed is None:
            return tuple(rows)
        named, account = self._named, self.unnamed
        return tuple(
            named.get(number) or named.setdefault(number, *rows_in_account([row], account))
            for number, row in zip(numbers, rows, strict=True)
        )

    def distinct(self, name: str) -> frozenset[Any]:
        """Return every value of a field."""
        if name == "position_id" and not self.columns.has(name):
            return frozenset({None} if len(self) else ())
        if name not in ("symbol", "fee_currency", "account", "leg"):
            return frozenset(getattr(fill, name) for fill in self._every)
        found = frozenset(getattr(group, name) for group in self.columns.groups)
        if name == "account" and self.unnamed is not None:
            found = frozenset(self.unnamed if value is None else value for value in found)
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
        return self._in_account(numbers, self.rows.at(numbers))

    def having(self, **values: Collection[Any]) -> list[Fill]:
        """Return the fills with some values of every field that is named, in their order."""
        if self.rows.every is not None:
            return super().having(**values)
        try:
            numbers = self.rows.nearby.numbers_of(values)
        except ColumnsError:
            return super().having(**values)
        return rows_having(self.at(sorted(numbers)), values)

    def count_of(self, name: str, value: Any) -> int:
        """The number of fills with one value of a field."""
        if name not in ("symbol", "fee_currency", "account", "leg"):
            return super().count_of(name, value)
        if name == "account" and self.unnamed is not None:
            same = (one for one in self.columns.groups if value == (one.account or self.unnamed))
        else:
            same = (one for one in self.columns.groups if getattr(one, name) == value)
        return sum(one.count for one in same)

    def latest(self, before: datetime | None = None) -> datetime | None:
        """The latest time of a fill, of those `before` a time; `None` without any."""
        last = max((group.last for group in self.columns.groups), default=None)
        if last is not None and before is not None and last >= microseconds_of(before):
            last = latest(self.columns, before)
        return None if last is None else time_of(last)

    def after(self, time: datetime) -> list[Fill]:
        """Return the fills that are later than a time, in their order."""
        last = max((group.last for group in self.columns.groups), default=0)
        if last <= microseconds_of(time):
            return []
        try:
            return list(self.at(sorted(self.rows.where(later_than(self.columns, time)))))
        except ColumnsError:
            return super().after(time)

    def fee_places(self) -> dict[str | None, int]:
        """Return the most decimals that a fee which is not 0 is written with, by currency."""
        return self.rows.once(("places",), lambda: fee_places(self.columns))

    def fee_samples(self, most: int) -> dict[str, list[Decimal]]:
        """Return evenly spaced fees that are not 0, by currency."""
        return self.rows.once(("fees", most), lambda: fee_samples(self.columns, most))

    def prices(self, symbol: str, without: str) -> list[Decimal]:
        """Return the lowest and the highest price of a symbol, without the fills of one id."""
        return price_range(self.columns, symbol, without)

    def quantities(self) -> dict[str, Decimal]:
        """Return the sum of the quantities of each symbol, those of a SELL negative."""
        try:
            return quantities(self.columns)
        except ColumnsError:
            return super().quantities()

    def may_be_parts(self) -> Sequence[Fill]:
        """Return the fills among which are all whose id is the begin of the id of another one."""
        return self.at(named_in_parts(self.columns)) if names_parts(self.columns) else ()

    def positions(self) -> set[FillKey]:
        """Return account, symbol and leg of every position."""
        return {(one.account or self.unnamed, one.symbol, one.leg) for one in self.columns.groups}

    def charged(
        self,
        positions: Collection[FillKey],
        side: str | None,
        most: int,
        in_order: InOrder,
    ) -> list[Fill]:
        """Return fills with a fee of some positions, evenly spaced by their order."""
        where = of_positions(self.columns, positions, self.unnamed)
        key = "charged", where, side, most
        found = self.rows.once(key, lambda: self._charged(where, side, most))
        times = sorted({one.time for one in found if one.tied > 1})
        of_time = f"{where} AND {self.columns.time} IN ({listed(times)})"
        tied = self.rows.where(of_time) if times else []
        rows = dict(zip(numbers := sorted({*(one.number for one in found), *tied}),
                        self.at(numbers), strict=True))  # fmt: skip
        ordered: dict[int, list[Fill]] = {}
        for row in in_order(rows[number] for number in sorted(tied)):
            if row.fee and side in (None, row.side):
                ordered.setdefault(microseconds_of(row.time), []).append(row)
        return [
            rows[one.number] if one.tied == 1 else ordered[one.time][one.place - one.first]
            for one in found
        ]

    def _charged(self, where: str, side: str | None, most: int) -> list[Charged]:
        found = charged(self.columns, where, side, most)
        self.rows.take([raw for _, raw in found])
        return [one for one, _ in found]

    def unlike(self, other: FillTable, *, plain: bool) -> tuple[list[Fill], list[Fill]] | None:
        """Return fills of both sides among which are all that differ."""
        if isinstance(other, PatchedFills):
            found = other.unlike(self, plain=plain)
            return None if found is None else (found[1], found[0])
        known = self.unequal(other, plain=plain)
        return None if known is None else (list(known.internal), list(known.external))

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
        currencies = {one.fee_currency for one in self.columns.groups if one.fee_currency}
        key = "sums", *rules.items(), *((one, places(one)) for one in sorted(currencies))
        try:
            return self.rows.once(
                (*key, self.unnamed),
                lambda: fill_sums(self.columns, rules, places, self.unnamed, self.at, in_order),
            )
        except ColumnsError:
            return None

    def by_position(self, in_order: InOrder) -> Iterator[Sequence[Fill]] | None:
        """Return parts of the fills of one position each; `None` where all rows were made."""
        return None if self.rows.every is not None else self._by_position(in_order)

    def _by_position(self, in_order: InOrder) -> Iterator[Sequence[Fill]]:
        columns, former = self.columns, list[Fill]()
        account = columns.text("account")
        if self.unnamed is not None:
            account = f"coalesce({account}, {text(self.unnamed)})"
        order = [account, columns.text("symbol"), columns.text("leg"), columns.time]
        try:
            for rows in self.rows.sorted_by([*order, columns.number]):
                named = rows if self.unnamed is None else rows_in_account(rows, self.unnamed)
                for _, of_position in groupby(named, _POSITION):
                    fills = [*of_position]
                    if former and _POSITION(former[0]) != _POSITION(fills[0]):
                        yield in_order(former)
                        former = []
                    former += fills
                # Rows of the last time may have others of that time behind them.
                start = bisect_left(former, former[-1].time, key=_TIME)
                if start:
                    yield in_order(former[:start])
                    former = former[start:]
        except ColumnsError as error:
            raise ReplayError(str(error)) from None
        if former:
            yield in_order(former)

    def unequal(self, other: FillTable, *, plain: bool) -> UnequalFills | None:
        """Return what differs from the fills of the other side, if these are in columns too."""
        if not isinstance(other, ColumnFills):
            return None
        try:
            found = self.rows.compared(other.rows, plain=plain)
        except ColumnsError:
            return None
        self.rows.unequal, other.rows.unequal = found.internal, found.external
        ours, theirs = self.at(found.internal), other.at(found.external)
        self.rows.nearby.rows = other.rows.nearby.rows = (*ours, *theirs)
        return UnequalFills(
            ours,
            theirs,
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
