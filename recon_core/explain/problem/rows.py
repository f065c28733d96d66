"""Fills of a search in the orders and groups that its steps use, each computed once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import compress, count
from operator import attrgetter, ne
from typing import Any, Final, TypeVar, overload

from recon_core.ledger.bookings import signed_quantities
from recon_core.ledger.timeline import natural_key, ordered_fills
from recon_core.model import Fill, Movement, OrderSide, SideRecord
from recon_core.model.fill_table import FillKey, FillTable, evenly, order_ids
from recon_core.values.amounts import ZERO

_Answer = TypeVar("_Answer")

_position: Final[Callable[[Fill], FillKey]] = attrgetter("account", "symbol", "leg")

_fee: Final = attrgetter("fee")


def in_time_order(fills: Sequence[Fill]) -> Sequence[Fill]:
    """Return fills in the order in which they are booked; rows of a large table are not made."""
    if isinstance(fills, FillTable) and not fills.is_in_memory:
        return FillsByTime(fills)
    return tuple(ordered_fills(fills))


def are_rising(fills: Sequence[Fill]) -> bool:
    """True if the quantities rise from fill to fill, the first from 0."""
    before = ZERO
    for fill in fills:
        if fill.quantity <= before:
            return False
        before = fill.quantity
    return True


def listed_movements(record: SideRecord) -> Sequence[Movement] | None:
    """Return the movements that a side says it has, `None` where it does not report them."""
    return record.movement_rows if record.covers("movements") else None


def ordered_movements(rows: Iterable[Movement]) -> tuple[Movement, ...]:
    """Return movements by time, those of one time by id and content: no order of a list counts."""
    return tuple(
        sorted(rows, key=lambda row: (row.time, natural_key(row.movement_id), str(row.content)))
    )


@dataclass(frozen=True, eq=False)  # without slots: the rows are kept once they are made
class FillsByTime(Sequence[Fill]):
    """The fills of a table in the order in which they are booked, made when one is asked for.

    `positions` are those whose fills these are, by account, symbol and leg; `None` for all.
    """

    table: FillTable
    positions: frozenset[FillKey] | None = None

    def __len__(self) -> int:
        """The number of fills."""
        return len(self.table) if self.positions is None else len(self._every)

    def __iter__(self) -> Iterator[Fill]:
        """Begin with the first fill."""
        return iter(self._every)

    @overload
    def __getitem__(self, place: int) -> Fill: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Fill, ...]: ...

    def __getitem__(self, place: int | slice) -> Fill | tuple[Fill, ...]:
        """The fill at a place, or those of a slice."""
        return self._every[place]

    @cached_property
    def _every(self) -> tuple[Fill, ...]:
        if self.positions is None:
            return tuple(ordered_fills(self.table))
        names = zip(("account", "symbol", "leg"), zip(*self.positions, strict=True), strict=True)
        found = self.table.having(**{name: frozenset(some) for name, some in names})
        return tuple(ordered_fills(fill for fill in found if _position(fill) in self.positions))


def charged_sample(
    fills: Sequence[Fill], most: int, side: OrderSide | None = None
) -> Sequence[Fill]:
    """Return fills with a fee that is not 0, evenly spaced, of one side if that is named.

    They are fewer than twice as many as `most`.
    """
    if isinstance(fills, FillsByTime) and fills.positions is not None:
        return fills.table.charged(fills.positions, side, most, ordered_fills)
    return evenly([one for one in fills if one.fee and side in (None, one.side)], most)


@dataclass(frozen=True, eq=False)  # without slots: cached properties are kept
class _Positions(Mapping[str, Sequence[Fill]]):
    """The fills of each position of a large table, by its dimension, made when asked for."""

    rows: "Rows"

    def __getitem__(self, name: str) -> Sequence[Fill]:
        """The fills of one position by time."""
        return self._made[name] if "places" in vars(self.rows) else self._known[name]

    def __contains__(self, name: object) -> bool:
        """True if a position has fills."""
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        """Begin with the position of the first fill, which makes all rows."""
        return iter(self._made)

    def __len__(self) -> int:
        """The number of positions."""
        return len(self._known)

    @cached_property
    def _made(self) -> dict[str, Sequence[Fill]]:
        return self.rows.by_places()

    @cached_property
    def _known(self) -> dict[str, FillsByTime]:
        found: dict[str, set[FillKey]] = {}
        for key in self.rows.table.positions():
            found.setdefault(self.rows.position_of(key), set()).add(key)
        return {name: FillsByTime(self.rows.table, frozenset(each)) for name, each in found.items()}


@dataclass(frozen=True)  # without slots: cached properties are kept
class Rows:
    """The fills of one side; `position_of` gives the dimension of account, symbol and leg."""

    record: SideRecord
    position_of: Callable[[FillKey], str]
    _answers: dict[tuple[object, ...], Any] = field(default_factory=dict, compare=False)

    def position(self, fill: Fill) -> str:
        """Return the dimension of the position that a fill moves."""
        return self.position_of(_position(fill))

    @cached_property
    def table(self) -> FillTable:
        """The fills in the order of their source, for questions about all of them."""
        return self.record.table

    @cached_property
    def fills(self) -> Sequence[Fill]:
        """The fills by time, in the order in which they are booked."""
        return in_time_order(self.record.fill_rows)

    @cached_property
    def movements(self) -> tuple[Movement, ...]:
        """The movements by time, those of one time by id and content."""
        return ordered_movements(self.record.movement_rows)

    @cached_property
    def signed(self) -> list[Decimal]:
        """The quantities of the fills, in their order, negative for a SELL."""
        return signed_quantities(self.fills)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The places of the fills of each position, by its dimension."""
        fills, found = self.fills, dict[str, list[int]]()
        if self._is_one_position:
            return {self.position(fills[0]): list(range(len(fills)))}
        for at, fill in enumerate(fills):
            found.setdefault(self.position(fill), []).append(at)
        return found

    @cached_property
    def by_position(self) -> Mapping[str, Sequence[Fill]]:
        """The fills of each position by time, by its dimension."""
        return _Positions(self) if isinstance(self.fills, FillsByTime) else self.by_places()

    def by_places(self) -> dict[str, Sequence[Fill]]:
        """Return the fills of each position by time, by its dimension."""
        fills = tuple(self.fills)
        return {name: [fills[at] for at in places] for name, places in self.places.items()}

    @cached_property
    def of_orders(self) -> list[list[Fill]]:
        """The fills of each order that has several, per account and symbol."""
        fills, ids = self.fills, order_ids(self.fills)
        starts = [0, *compress(count(1), map(ne, ids, ids[1:]))]
        if self._is_one_position and len(starts) == len(set(ids)):  # the rows of each in a row
            ends = zip(starts, [*starts[1:], len(ids)], strict=True)
            return [list(fills[at:end]) for at, end in ends if end - at > 1 and ids[at]]
        found: defaultdict[object, list[Fill]] = defaultdict(list)
        for order, fill in zip(ids, fills, strict=True):
            if order:
                found[fill.account, fill.symbol, order].append(fill)
        return [fills for fills in found.values() if len(fills) > 1]

    def once(self, question: tuple[object, ...], ask: Callable[[], _Answer]) -> _Answer:
        """Return the answer to a question that is about these rows alone, asked once.

        Several problems of a session have the same rows, and differ in what they require.
        """
        if question not in self._answers:
            self._answers[question] = ask()
        answer: _Answer = self._answers[question]
        return answer

    def order_of(self, fill: Fill) -> list[Fill]:
        """Return the fills of a fill's order by time, none if it names no order."""
        if not fill.order_id:
            return []
        alike = self.table.having(order_id=(fill.order_id,))
        place = fill.account, fill.symbol
        return ordered_fills(one for one in alike if (one.account, one.symbol) == place)

    def sides_of_others(self, fill: Fill) -> set[OrderSide]:
        """Return the sides that the other fills of a fill's order have."""
        key = (fill.account, fill.symbol, fill.order_id)
        alike = self.table.having(order_id=(fill.order_id,)) if fill.order_id else []
        own = [one.side for one in alike if (one.account, one.symbol, one.order_id) == key]
        counts = {side: own.count(side) for side in own} if len(own) > 1 else {}
        return {side for side, count in counts.items() if count > (side is fill.side)}

    @cached_property
    def fees(self) -> list[Decimal]:
        """The fees that are not 0, the lowest first."""
        return sorted(filter(None, map(_fee, self.fills)))

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The symbols of the fills."""
        return self.table.distinct("symbol")

    @cached_property
    def accounts(self) -> frozenset[str | None]:
        """The accounts of the fills."""
        return self.table.distinct("account")

    @cached_property
    def position_ids(self) -> frozenset[str | None]:
        """The ids of the positions that the fills name."""
        return self.table.distinct("position_id")

    @cached_property
    def _is_one_position(self) -> bool:
        """True if all fills have one symbol, account and leg."""
        return len(self.table.positions()) == 1
