"""Questions about all fills of a side, and the answers of fills that are in memory."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from itertools import compress, islice, repeat
from itertools import count as numbers
from operator import attrgetter, eq, is_, ne
from typing import Any, Final, overload

from recon_core.model.row_table import (
    InMemory,
    Table,
    UnequalRows,
    are_in,
    rows_having,
    rows_in_account,
)
from recon_core.values.amounts import EXACT, ZERO, decimal_places

_TIME: Final = attrgetter("time")
_FILL_ID: Final = attrgetter("fill_id")
_KEY: Final = attrgetter("account", "symbol", "fill_id")
_POSITION: Final = attrgetter("account", "symbol", "leg")
_PRICE: Final = attrgetter("price")
_STATED: Final = attrgetter(
    "fill_id", "symbol", "leg", "account", "side", "quantity", "price", "fee", "fee_currency",
    "time",
)  # fmt: skip
_ORDER_IDS: Final = attrgetter("client_order_id", "exchange_order_id")

_INDEXED: Final = frozenset({"fill_id", "order_id", "time"})
"""Fields of which few rows have one value: a table in memory may look these up."""

_FEW: Final = 4
"""Different questions about one field that are cheaper by going through all rows than by an index.

An index costs as much as five of them.
"""

FillKey = tuple[str | None, str, str]
"""Account, symbol and id of a fill."""


@dataclass(frozen=True, slots=True)
class SumRule:
    """Decimal places that each amount of a symbol is rounded to; `None` keeps it exact.

    `paid` is of quantity times price, in the quote currency, `received` of the quantity.
    """

    paid: int | None
    received: int | None


@dataclass(slots=True)
class FillSums:
    """Sums of the fills of one position: signed by their side, each amount rounded on its own.

    `quantity` is not rounded; `charged` has the rounded fees by currency, in the order of the
    first fee that is not 0, and `fees` the same not rounded.
    """

    quantity: Decimal
    paid: Decimal
    received: Decimal
    charged: dict[str, Decimal] = field(default_factory=dict)
    fees: dict[str, Decimal] = field(default_factory=dict)


PositionSums = Mapping[tuple[str | None, str, str], FillSums]
"""By account, symbol and leg, in the order in which the positions were first traded."""


class FillTable(Table):
    """The fills of one side."""

    is_in_memory = False
    """True if all rows are made, so that going through them costs no more than a question."""

    def has_more(self, name: str, value: Any, most: int) -> bool:
        """True if more than `most` fills have a value of a field."""
        return self.count_of(name, value) > most

    def copies(self) -> Mapping[FillKey, int]:
        """Return the key of every fill that is listed more than once, with its count."""
        return copies_of(self)

    def names_an_order(self) -> bool:
        """True if any fill names its order."""
        return any(fill.order_id for fill in self)

    def fee_places(self) -> dict[str | None, int]:
        """Return the most decimals that a fee which is not 0 is written with, by currency."""
        found: dict[str | None, int] = {}
        for fill in self:
            if fill.fee:
                places = decimal_places(fill.fee)
                found[fill.fee_currency] = max(found.get(fill.fee_currency, 0), places)
        return found

    def fee_samples(self, most: int) -> dict[str, list[Decimal]]:
        """Return fees that are not 0, by currency in the order of their first fills.

        They are evenly spaced, and fewer than twice as many as `most`.
        """
        fees: dict[str, list[Decimal]] = {}
        for fill in self:
            if fill.fee:
                fees.setdefault(fill.charged_in, []).append(fill.fee)
        return {currency: evenly(charged, most) for currency, charged in fees.items()}

    def prices(self, symbol: str, without: str) -> list[Decimal]:
        """Return the lowest and the highest price of a symbol, without the fills of one id.

        They are empty without any, and one price if both are equal.
        """
        found = [fill.price for fill in self if fill.symbol == symbol and fill.fill_id != without]
        return sorted({min(found), max(found)}) if found else []

    def quantities(self) -> dict[str, Decimal]:
        """Return the sum of the quantities of each symbol, those of a SELL negative."""
        found: dict[str, Decimal] = {}
        for fill in self:
            signed = fill.quantity if fill.side == "BUY" else fill.quantity.copy_negate()
            found[fill.symbol] = EXACT.add(found.get(fill.symbol, ZERO), signed)
        return found

    def may_be_parts(self) -> Sequence[Any]:
        """Return the fills among which are all whose id is the begin of the id of another one."""
        return self

    def owned(self, rows: Sequence[Any]) -> tuple[Any, ...]:
        """Return those of some rows that are listed, by identity, each as often as it is listed."""
        listed = self.having(fill_id={row.fill_id for row in rows}) if rows else ()
        return taken_from(Counter(map(id, listed)), rows)

    def patched(self, removed: Sequence[Any], added: Sequence[Any]) -> "FillTable":
        """Return the fills without some, which are meant by identity, and with others at last."""
        return PatchedFills(self, self.owned(removed), tuple(added))

    def positions(self) -> AbstractSet[FillKey]:
        """Return account, symbol and leg of every position."""
        return set(map(_POSITION, self))

    def charged(
        self,
        positions: Collection[FillKey],
        side: str | None,
        most: int,
        in_order: Callable[[Iterable[Any]], list[Any]],
    ) -> list[Any]:
        """Return fills with a fee that is not 0 of some positions, evenly spaced by their order.

        They are fewer than twice as many as `most`, and of one side if that is named.
        """
        found = (fill for fill in self if fill.fee and _POSITION(fill) in positions)
        return evenly([one for one in in_order(found) if side in (None, one.side)], most)

    def unlike(self, other: "FillTable", *, plain: bool) -> tuple[list[Any], list[Any]] | None:
        """Return fills of both sides among which are all that differ; `None` where it is unknown.

        Each of the others has a row on the other side that is equal in all but what only one of
        both states; `plain` leaves the accounts out.
        """
        return None

    def sums(
        self,
        rules: Mapping[str, SumRule],
        places: Callable[[str], int | None],
        in_order: Callable[[Iterable[Any]], list[Any]],
    ) -> PositionSums | None:
        """Return the sums of all positions; `None` where fills are posted one by one.

        `rules` are those of all symbols, `places` those of a currency of fees; `in_order` puts
        fills in the order in which they are posted.
        """
        return None

    def by_position(
        self, in_order: Callable[[Iterable[Any]], list[Any]]
    ) -> Iterator[Sequence[Any]] | None:
        """Return parts of the fills, of one position each; `None` where rows are in memory.

        The parts of a position are in the order in which its fills are posted, which `in_order`
        knows, and nothing keeps them. They raise `ReplayError` where they cannot be made.
        """
        return None

    def unequal(self, other: "FillTable", *, plain: bool) -> UnequalRows | None:
        """Return what differs from the fills of the other side; `None` where rows are compared.

        `plain` leaves the accounts out of the keys.
        """
        return None


@dataclass(frozen=True, slots=True)
class _Index:
    """The places of rows by one value of each: the last place, and the earlier ones of some."""

    last: Mapping[Any, int]
    earlier: Mapping[Any, Sequence[int]]

    @classmethod
    def of(cls, values: Sequence[Any]) -> "_Index":
        """Return the index of values in the order of their rows."""
        last = dict(zip(values, numbers(), strict=False))
        earlier: dict[Any, list[int]] = {}
        if len(last) < len(values):
            for place in compress(numbers(), map(ne, map(last.__getitem__, values), numbers())):
                earlier.setdefault(values[place], []).append(place)
        return cls(last, earlier)

    def places(self, some: Collection[Any]) -> list[int]:
        """Return the places of rows with one of some values, in their order."""
        known = self.last.keys() & some
        return sorted(
            place for one in known for place in (*self.earlier.get(one, ()), self.last[one])
        )


@dataclass(frozen=True)  # without slots: what is asked is worked out once
class RowTable(InMemory, FillTable):
    """Fills that are in memory; each question looks at all of them once."""

    _prices: dict[str, list[Decimal]] = field(default_factory=dict, compare=False, repr=False)
    _known: dict[str, frozenset[Any]] = field(default_factory=dict, compare=False, repr=False)
    _indexes: dict[str, _Index] = field(default_factory=dict, compare=False, repr=False)
    _unlike: dict[int, tuple["RowTable", tuple[list[Any], list[Any]]]] = field(
        default_factory=dict, compare=False, repr=False
    )
    _answers: dict[str, dict[frozenset[Any], list[int]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    is_in_memory = True

    def distinct(self, name: str) -> frozenset[Any]:
        """Return every value of a field."""
        if name not in self._known:
            self._known[name] = frozenset(map(attrgetter(name), self.rows))
        return self._known[name]

    def has_more(self, name: str, value: Any, most: int) -> bool:
        """True if more than `most` fills have a value of a field."""
        found = (True for row in self.rows if getattr(row, name) == value)
        return next(islice(found, most, None), False)

    def having(self, **values: Collection[Any]) -> list[Any]:
        """Return the fills with some values of every field that is named, in their order."""
        name = next(filter(_INDEXED.__contains__, values), None)
        if name is None:
            return rows_having(self.rows, values)
        places = self._places(name, frozenset(values.pop(name)))
        return rows_having([self.rows[place] for place in places], values)

    def _places(self, name: str, some: frozenset[Any]) -> Sequence[int]:
        """Return the places of the rows with some values of a field, in their order."""
        answers = self._answers.setdefault(name, {})
        if some in answers:
            return answers[some]
        if len(answers) < _FEW:
            found = are_in(some, self._values(name))
            return answers.setdefault(some, list(compress(range(len(self.rows)), found)))
        if name not in self._indexes:
            self._indexes[name] = _Index.of(list(self._values(name)))
        return self._indexes[name].places(some)

    def _values(self, name: str) -> Iterable[Any]:
        is_order = name == "order_id"
        return order_ids(self.rows) if is_order else map(attrgetter(name), self.rows)

    def copies(self) -> Mapping[FillKey, int]:
        """Return the key of every fill that is listed more than once, with its count."""
        return self._copies

    @cached_property
    def _copies(self) -> Mapping[FillKey, int]:
        return copies_of(self.rows)

    def may_be_parts(self) -> Sequence[Any]:
        """Return the fills among which are all whose id is the begin of the id of another one."""
        return self.rows if self._has_separators else ()

    @cached_property
    def _has_separators(self) -> bool:
        return not "".join(map(_FILL_ID, self.rows)).isalnum()

    def latest(self, before: datetime | None = None) -> datetime | None:
        """The latest time of a fill, of those `before` a time; `None` without any."""
        return super().latest(before) if before is not None else self._latest

    @cached_property
    def _latest(self) -> datetime | None:
        return max(map(_TIME, self.rows), default=None)

    def unlike(self, other: FillTable, *, plain: bool) -> tuple[list[Any], list[Any]] | None:
        """Return fills of both sides among which are all that differ."""
        if isinstance(other, PatchedFills):
            found = other.unlike(self, plain=plain)
            return None if found is None else (found[1], found[0])
        if not isinstance(other, RowTable):
            return None
        swapped = other.compared(self)
        if swapped is not None:
            return swapped[1], swapped[0]
        if id(other) not in self._unlike:
            self._unlike[id(other)] = other, self._unlike_of(other)
        return self.compared(other)

    def compared(self, other: "RowTable") -> tuple[list[Any], list[Any]] | None:
        """Return what was found to be unlike, `None` where the tables were not compared."""
        known, found = self._unlike.get(id(other), (None, None))
        return None if known is None or found is None else (list(found[0]), list(found[1]))

    def _unlike_of(self, other: "RowTable") -> tuple[list[Any], list[Any]]:
        """Return the fills without those of an id that each side lists once, and that are equal."""
        several = {key[2] for key in (*self.copies(), *other.copies())}
        known = dict(zip(map(_FILL_ID, other.rows), other.rows, strict=True))
        if not known:
            return list(self.rows), []
        # A row of another id in place of none: it is not equal.
        some = next(iter(known.values()))
        paired: list[Any] = list(map(known.get, map(_FILL_ID, self.rows), repeat(some)))
        are_equal = list(map(eq, map(_STATED, self.rows), map(_STATED, paired)))
        equal = {id(row) for row in compress(paired, are_equal) if row.fill_id not in several}
        ours = [
            row
            for row, twin, is_equal in zip(self.rows, paired, are_equal, strict=True)
            if not is_equal or id(twin) not in equal
        ]
        return ours, [row for row in other.rows if id(row) not in equal]

    def prices(self, symbol: str, without: str) -> list[Decimal]:
        """Return the lowest and the highest price of a symbol, without the fills of one id."""
        if symbol not in self._prices:
            is_only = self.distinct("symbol") == {symbol}
            rows = self.rows if is_only else self.having(symbol=(symbol,))
            found = list(map(_PRICE, rows))
            self._prices[symbol] = sorted({min(found), max(found)}) if found else []
        ends = self._prices[symbol]
        if any(one.price in ends for one in self.having(fill_id=(without,))):
            return super().prices(symbol, without)
        return list(ends)

    def positions(self) -> AbstractSet[FillKey]:
        """Return account, symbol and leg of every position."""
        return self._positions

    @cached_property
    def _positions(self) -> AbstractSet[FillKey]:
        names = ("account", "symbol", "leg")
        if all(len(self.distinct(name)) == 1 for name in names):  # as often
            return {_POSITION(self.rows[0])}
        return set(map(_POSITION, self.rows))


@dataclass(frozen=True, eq=False)  # without slots: the rows are kept once they are made
class PatchedFills(FillTable):
    """Fills of a table without some, and with others at last; rows are made if they are asked for.

    `removed` are rows of the table itself.
    """

    table: FillTable
    removed: tuple[Any, ...]
    added: tuple[Any, ...]

    @property
    def is_in_memory(self) -> bool:  # type: ignore[override]  # as the table is
        """True if all rows are made, so that going through them costs no more than a question."""
        return self.table.is_in_memory

    def __len__(self) -> int:
        """The number of fills."""
        return len(self.table) - len(self.removed) + len(self.added)

    def __iter__(self) -> Iterator[Any]:
        """Begin with the first fill, which makes all rows."""
        return iter(self._every)

    @overload
    def __getitem__(self, place: int) -> Any: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Any]: ...

    def __getitem__(self, place: int | slice) -> Any:
        """The fill at a place, or those of a slice."""
        if isinstance(place, int) and not self.removed and 0 <= place < len(self.table):
            return self.table[place]
        return self._every[place]

    @cached_property
    def _every(self) -> tuple[Any, ...]:
        return (*self._kept(self.table), *self.added)

    def _kept(self, rows: Sequence[Any]) -> Sequence[Any]:
        return rows_without(rows, self.removed) if self.removed else rows

    def having(self, **values: Collection[Any]) -> list[Any]:
        """Return the fills with some values of every field that is named, in their order."""
        return [*self._kept(self.table.having(**values)), *rows_having(self.added, values)]

    def distinct(self, name: str) -> frozenset[Any]:
        """Return every value of a field."""
        removed = Counter(getattr(row, name) for row in self.removed)
        gone = {one for one, most in removed.items() if not self.table.has_more(name, one, most)}
        return (self.table.distinct(name) - gone).union(getattr(row, name) for row in self.added)

    def count_of(self, name: str, value: Any) -> int:
        """The number of fills with one value of a field."""
        less, more = ([getattr(row, name) for row in rows].count(value) for rows in self._changes)
        return self.table.count_of(name, value) - less + more

    @property
    def _changes(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return self.removed, self.added

    def copies(self) -> Mapping[FillKey, int]:
        """Return the key of every fill that is listed more than once, with its count."""
        return self._copies

    @cached_property
    def _copies(self) -> Mapping[FillKey, int]:
        ids = {row.fill_id for rows in self._changes for row in rows}
        known = {key: count for key, count in self.table.copies().items() if key[2] not in ids}
        return known | copies_of(self.having(fill_id=ids))

    def late(self, time: datetime) -> int:
        """The number of fills after a time."""
        less, more = (len([1 for row in rows if row.time > time]) for rows in self._changes)
        return self.table.late(time) - less + more

    def early(self, time: datetime) -> int:
        """The number of fills before a time."""
        less, more = (len([1 for row in rows if row.time < time]) for rows in self._changes)
        return self.table.early(time) - less + more

    def after(self, time: datetime) -> list[Any]:
        """Return the fills that are later than a time, in their order."""
        added = (row for row in self.added if row.time > time)
        return [*self._kept(self.table.after(time)), *added]

    def names_an_order(self) -> bool:
        """True if any fill names its order."""
        if self.removed and self.table.names_an_order():
            return any(row.order_id for row in self)
        return self.table.names_an_order() or any(row.order_id for row in self.added)

    def in_account(self, account: str) -> Sequence[Any]:
        """Return the fills, those without an account in `account`."""
        return self if None not in self.distinct("account") else rows_in_account(self, account)

    def patched(self, removed: Sequence[Any], added: Sequence[Any]) -> "FillTable":
        """Return the fills without some, added ones among them, and with others at last."""
        of_added = taken_from(Counter(map(id, self.added)), removed)
        kept = rows_without(self.added, of_added)
        others = (*self.removed, *rows_without(removed, of_added))
        return PatchedFills(self.table, self.table.owned(others), (*kept, *added))

    def latest(self, before: datetime | None = None) -> datetime | None:
        """The latest time of a fill, of those `before` a time; `None` without any."""
        times = [row.time for row in self.added if before is None or row.time < before]
        last = self.table.latest(before)
        while last is not None and not self._kept(self.table.having(time=(last,))):
            last = self.table.latest(last)
        return max(times if last is None else [*times, last], default=None)

    def unlike(self, other: FillTable, *, plain: bool) -> tuple[list[Any], list[Any]] | None:
        """Return fills of both sides among which are all that differ."""
        ids = {row.fill_id for rows in self._changes for row in rows}
        return _unlike_but(ids, self, self.table, other, plain=plain)


def _unlike_but(
    ids: set[str], one: FillTable, table: FillTable, other: FillTable, *, plain: bool
) -> tuple[list[Any], list[Any]] | None:
    """Return what `unlike` does of `one`, which is `table` but for fills of some ids."""
    found = table.unlike(other, plain=plain)
    if found is None:
        return None
    ids = ids.union(row.fill_id for rows in found for row in rows)
    return one.having(fill_id=ids), other.having(fill_id=ids)


def rows_without(rows: Sequence[Any], removed: Iterable[Any]) -> tuple[Any, ...]:
    """Return the rows without some by identity, each as often as it is named, the first of them."""
    counts = Counter(map(id, removed))
    kept = tuple([row for row in rows if id(row) not in counts])
    if len(rows) - len(kept) <= 1:  # as nearly always
        return kept
    return tuple(row for row in rows if not _is_taken(counts, row))


def taken_from(counts: Counter[int], rows: Iterable[Any]) -> tuple[Any, ...]:
    """Return the rows that have a count by their `id()`, each at most as often as it is."""
    return tuple(row for row in rows if _is_taken(counts, row))


def _is_taken(counts: Counter[int], row: Any) -> bool:
    """True if a row has a count left, which is one less then."""
    if not counts[id(row)]:
        return False
    counts[id(row)] -= 1
    return True


def order_ids(rows: Iterable[Any]) -> list[str]:
    """Return the order of each fill, as `Fill.order_id` has it, without a call for each."""
    return [one or other or "" for one, other in map(_ORDER_IDS, rows)]


def evenly(rows: Sequence[Any], most: int) -> list[Any]:
    """Return evenly spaced rows, fewer than twice as many as `most`."""
    return list(rows[:: max(1, len(rows) // most)])


def are_the_same(ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    """True if two sides have the same rows; tables in columns are not looked through."""
    if ours is theirs or any(isinstance(fills, FillTable) for fills in (ours, theirs)):
        return ours is theirs
    return len(ours) == len(theirs) and all(map(is_, ours, theirs))


def table_of(fills: Sequence[Any] | None) -> FillTable:
    """Return the fills of a side as a table; without any it is empty."""
    return fills if isinstance(fills, FillTable) else RowTable(fills or ())


def copies_of(rows: Sequence[Any]) -> dict[FillKey, int]:
    """Return the key of every fill that is among the rows more than once, with its count."""
    if len(set(map(_FILL_ID, rows))) == len(rows):  # as nearly always
        return {}
    several = _Index.of(list(map(_FILL_ID, rows))).earlier
    found = Counter(map(_KEY, rows_having(rows, {"fill_id": several})))
    return {key: count for key, count in found.items() if count > 1}
