"""Copies of an execution: the rows of one side that state it more than once.

Two fills may be one execution if they have one id, if they are equal and of one time, or if they
are equal, of one order and within seconds. An execution may also be stated whole and in parts named
after it: a flip is split into `7-C` and `7-O`, and `7` is delivered again; the ids show the
relation, the quantities prove it. Source: a report of a redelivered flip.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, Final

from recon_core.explain.problem.hypotheses import NEAR_COPY, Hypothesis, Strength, fill_content
from recon_core.explain.problem.postings import order_name
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.rows import in_time_order
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.model.fill_table import FillTable, RowTable
from recon_core.values.amounts import exact_sum

_ID: Final = attrgetter("fill_id")
_KEY: Final = attrgetter("account", "symbol", "fill_id", "side", "quantity", "price")
_TIME: Final = attrgetter("time")
_SEPARATORS: Final = "-_.:/"


@dataclass
class Copies:
    """The fills of one side that state one execution more than once, each group computed once.

    `fills` are by time; `parted` are those among which are all that are stated in parts, and
    `table` answers for the fills, each `None` where the fills are few.
    """

    fills: Sequence[Fill]
    parted: Sequence[Fill] | None = None
    table: FillTable | None = None
    _by_time: dict[datetime, Counter[tuple[Any, ...]]] = field(default_factory=dict)
    _equal_fills: dict[str, dict[tuple[Any, ...], list[Fill]]] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Problem) -> "Copies":
        """Return the copies among all fills of a problem."""
        return cls(problem.fills, in_time_order(problem.table.may_be_parts()), problem.table)

    def is_duplicate(self, fill: Fill) -> bool:
        """True if a fill is a duplicate: the same id, side, quantity and price."""
        return self._repeated[_KEY(fill)] > 1

    @cached_property
    def _repeated(self) -> Counter[tuple[object, ...]]:
        ids = {fill_id for _, _, fill_id in self._table.copies()}
        return Counter(map(_KEY, self._table.having(fill_id=ids) if ids else ()))

    @cached_property
    def _table(self) -> FillTable:
        return RowTable(self.fills) if self.table is None else self.table

    def parts(self, fill: Fill) -> str:
        """Return the words on a fill that is stated whole and in parts, else an empty text."""
        return self._in_parts.get(id(fill), "")

    @cached_property
    def _in_parts(self) -> Mapping[int, str]:
        return stated_in_parts(self.fills if self.parted is None else self.parted)

    def near(self, fill: Fill) -> bool:
        """True if an equal fill is near in the same order, or at the same time in any order."""
        near = self._equal_fills_of(fill.order_id).get(fill_content(fill), [])
        if sum(abs(other.time - fill.time) <= NEAR_COPY for other in near) > 1:
            return True
        return self._at(fill.time)[fill_content(fill)] > 1

    def _at(self, time: datetime) -> Counter[tuple[Any, ...]]:
        """Count the equal fills at one time, in any order."""
        if time not in self._by_time:
            fills = self.fills
            start, end = bisect_left(fills, time, key=_TIME), bisect_right(fills, time, key=_TIME)
            self._by_time[time] = Counter(map(fill_content, fills[start:end]))
        return self._by_time[time]

    def _equal_fills_of(self, order: str) -> dict[tuple[Any, ...], list[Fill]]:
        """Group the equal fills of one order, which may be repeated deliveries of one execution."""
        if order not in self._equal_fills:
            found: dict[tuple[Any, ...], list[Fill]] = {}
            for fill in self._table.having(order_id=(order,)) if order else ():
                found.setdefault(fill_content(fill), []).append(fill)
            self._equal_fills[order] = found
        return self._equal_fills[order]


def copies_of(table: FillTable, asked: Sequence[Fill]) -> Copies:
    """Return the copies of some fills of a side: those of one id, of one order, and of one time."""
    found: list[Fill] = []
    before: dict[str, set[Any]] = {}
    for name in ("fill_id", "time", "order_id"):
        values = {getattr(fill, name) for fill in asked} - {""}
        found += (
            row
            for row in table.having(**{name: values})
            if not any(getattr(row, known) in some for known, some in before.items())
        )
        before[name] = values
    return Copies(in_time_order(found), table.may_be_parts())


def stated_in_parts(fills: Sequence[Fill]) -> Mapping[int, str]:
    """Return the words on each fill that is stated whole and in parts, by the fill's `id()`."""
    ids = list(map(_ID, fills))
    if "".join(ids).isalnum():
        return {}
    with_separator = [fill for fill in fills if not fill.fill_id.isalnum()]
    whole = {(fill.account, fill.symbol, fill.fill_id): fill for fill in fills}
    parts: dict[tuple[str | None, str, str], list[Fill]] = {}
    for fill in with_separator:
        key = (fill.account, fill.symbol, _stem(fill.fill_id))
        if key in whole:
            parts.setdefault(key, []).append(fill)
    found: dict[int, str] = {}
    for key, members in parts.items():
        if _is_whole(whole[key], members):
            named = " and ".join(fill.fill_id for fill in members)
            found[id(whole[key])] = f"it is {named} together"
            found |= {id(fill): f"it is a part of {key[2]}" for fill in members}
    return found


def _stem(fill_id: str) -> str:
    """Return the id without its last part: `7` of `7-C`."""
    at = max(fill_id.rfind(separator) for separator in _SEPARATORS)
    return fill_id[:at] if at > 0 else ""


def _is_whole(whole: Fill, parts: Sequence[Fill]) -> bool:
    return (
        len(parts) > 1
        and exact_sum(part.quantity for part in parts) == whole.quantity
        and all((part.side, part.price) == (whole.side, whole.price) for part in parts)
        and all(abs(part.time - whole.time) <= NEAR_COPY for part in parts)
    )


def repeats(fill: Fill, other: Fill) -> bool:
    """True if two fills may be one execution.

    They have one id, or equal content at one time, or equal content in one order within
    `NEAR_COPY`.
    """
    return Originals.of((other,)).has_one_of(fill)


@dataclass
class Originals:
    """Fills that another one may repeat, found by what it would share with one of them."""

    _ids: set[object] = field(default_factory=set)
    _equal_ids: set[object] = field(default_factory=set)
    _moments: set[object] = field(default_factory=set)
    _orders: dict[object, list[datetime]] = field(default_factory=dict)

    @classmethod
    def of(cls, fills: Iterable[Fill]) -> "Originals":
        """Return some fills as those that may be repeated."""
        found = cls()
        for fill in fills:
            found.add(fill)
        return found

    def add(self, fill: Fill) -> None:
        """Take one more fill."""
        name, content = _identity(fill), fill_content(fill)
        self._ids.add(name)
        self._equal_ids.add((name, content))
        self._moments.add((fill.time, content))
        insort(self._orders.setdefault((order_name(fill), content), []), fill.time)

    def has_one_of(self, fill: Fill) -> bool:
        """True if a fill `repeats` one of them."""
        return _identity(fill) in self._ids or self.has_equal_one_of(fill)

    def has_equal_one_of(self, fill: Fill) -> bool:
        """True if a fill `repeats` one of them that has equal content."""
        content = fill_content(fill)
        if (_identity(fill), content) in self._equal_ids or (fill.time, content) in self._moments:
            return True
        times = self._orders.get((order_name(fill), content), [])
        at = bisect_left(times, fill.time - NEAR_COPY)
        return at < len(times) and times[at] <= fill.time + NEAR_COPY


def _identity(fill: Fill) -> tuple[str | None, str, str]:
    return fill.account, fill.symbol, fill.fill_id


def is_shown_by_rows(problem: Problem, one: Hypothesis) -> bool:
    """True if rows show a cause. A copy by time and order alone may be another execution."""
    if one.strength is not Strength.SHOWN or one.cause_kind is not CauseKind.DUPLICATE_FILL:
        return one.strength is Strength.SHOWN
    alike = problem.table.having(fill_id={fill.fill_id for fill in one.patch.removed})
    return all(map(Copies(alike).is_duplicate, one.patch.removed))
