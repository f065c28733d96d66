"""The fills of a side: rows in memory, or the columns of a large table.

Most of a session asks fills one by one. What is asked of all of them is asked here: a tuple of
rows answers by looking at each (`RowTable`), a table in columns by one query, and makes rows only
of those that somebody looks at (`recon_core.columns`). Both give the same answers.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from operator import attrgetter, is_
from typing import Any, Final, overload

_TIME: Final = attrgetter("time")
_FILL_ID: Final = attrgetter("fill_id")
_KEY: Final = attrgetter("account", "symbol", "fill_id")

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


@dataclass(frozen=True, slots=True)
class UnequalFills:
    """Fills of two sides without those that are equal, which are counted and digested alone.

    A fill is equal where each side lists its key once, and both rows say the same.
    """

    internal: tuple[Any, ...]
    external: tuple[Any, ...]
    equal: int
    digest: Callable[[], str]


class FillTable(Sequence[Any], ABC):
    """The fills of one side, in the order of their source; a sequence of rows as well."""

    @abstractmethod
    def distinct(self, name: str) -> set[Any]:
        """Return every value of a field."""

    @abstractmethod
    def copies(self) -> dict[FillKey, int]:
        """Return the key of every fill that is listed more than once, with its count."""

    @abstractmethod
    def late(self, time: datetime) -> int:
        """The number of fills after a time."""

    @abstractmethod
    def early(self, time: datetime) -> int:
        """The number of fills before a time."""

    @abstractmethod
    def names_an_order(self) -> bool:
        """True if any fill names its order."""

    @abstractmethod
    def in_account(self, account: str) -> Sequence[Any]:
        """Return the fills, those without an account in `account`."""

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

    def unequal(self, other: "FillTable", *, plain: bool) -> UnequalFills | None:
        """Return what differs from the fills of the other side; `None` where rows are compared.

        `plain` leaves the accounts out of the keys.
        """
        return None


@dataclass(frozen=True, slots=True)
class RowTable(FillTable):
    """Fills that are in memory."""

    rows: Sequence[Any]

    def __len__(self) -> int:
        """The number of fills."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Any]:
        """Begin with the first fill."""
        return iter(self.rows)

    @overload
    def __getitem__(self, place: int) -> Any: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Any]: ...

    def __getitem__(self, place: int | slice) -> Any:
        """The fill at a place, or those of a slice."""
        return self.rows[place]

    def distinct(self, name: str) -> set[Any]:
        """Return every value of a field."""
        return set(map(attrgetter(name), self.rows))

    def copies(self) -> dict[FillKey, int]:
        """Return the key of every fill that is listed more than once, with its count."""
        return copies_of(self.rows)

    def late(self, time: datetime) -> int:
        """The number of fills after a time."""
        return sum(each > time for each in map(_TIME, self.rows))

    def early(self, time: datetime) -> int:
        """The number of fills before a time."""
        return sum(each < time for each in map(_TIME, self.rows))

    def names_an_order(self) -> bool:
        """True if any fill names its order."""
        return any(fill.order_id for fill in self.rows)

    def in_account(self, account: str) -> tuple[Any, ...]:
        """Return the fills, those without an account in `account`."""
        return rows_in_account(self.rows, account)


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
    return {key: count for key, count in Counter(map(_KEY, rows)).items() if count > 1}


def rows_in_account(rows: Sequence[Any], account: str) -> tuple[Any, ...]:
    """Return rows, those without an account in `account`."""
    return tuple(replace(row, account=account) if row.account is None else row for row in rows)
