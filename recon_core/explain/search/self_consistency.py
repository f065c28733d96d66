"""Rows of a side that its own records contradict, corrected from the other side's rows.

Two contradictions count. A side's order report differs from the sum of the side's fills, and equals
the sum of the other side's fills: an order has filled 3 BTC, the side lists fills of 2 BTC, the
other side of 3 BTC. Or a row repeats another row with its id, and no order report counts both; one
row of each id is always kept.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import compress
from operator import attrgetter
from typing import Any, Final, TypeVar

from recon_core.compare.rows.aggregation import Trades
from recon_core.explain.causes.copies import Originals
from recon_core.explain.causes.movement import is_same_movement
from recon_core.explain.problem.hypotheses import fill_content
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import reported
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.rows import listed_movements
from recon_core.explain.search.matched_rows import (
    Matched,
    as_own,
    matched_fills,
    matched_movements,
)
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, Movement, Order, OrderState, SideRecord
from recon_core.values.amounts import EXACT, ZERO

_Key = tuple[str | None, str, str]

_Row = TypeVar("_Row", Fill, Movement)

_ID: Final = attrgetter("account", "symbol", "fill_id")

_FILL_ID: Final = attrgetter("fill_id")

_PRICE: Final = attrgetter("price")

_TRADE: Final = attrgetter("symbol", "side", "quantity", "price")


@dataclass
class OrderReports:
    """Reports of one side by order id; two reports of one order are no evidence.

    `plain`: accounts are ignored.
    """

    plain: bool
    _by_id: dict[_Key, list[Order]] = field(default_factory=dict)

    @classmethod
    def of(cls, orders: Iterable[Order], *, plain: bool) -> "OrderReports":
        """Build the index of a side's reports."""
        reports = cls(plain)
        for order in orders:
            for key in reports._keys(order):
                reports._by_id.setdefault(key, []).append(order)
        return reports

    def _keys(self, row: Fill | Order) -> Iterator[_Key]:
        account = None if self.plain else row.account
        if row.client_order_id:
            yield account, "client", row.client_order_id
        if row.exchange_order_id:
            yield account, "exchange", row.exchange_order_id

    def of_fill(self, fill: Fill) -> Order | None:
        """Return the report of a fill's order, `None` if there is no report or more than one."""
        for key in self._keys(fill):
            found = self._by_id.get(key, ())
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def sums(self, fills: Iterable[Fill]) -> dict[int, Decimal]:
        """Return the sum of the fills of each report, SELL negative, by the report's `id()`."""
        found: dict[int, Decimal] = {}
        for fill in fills if self._by_id else ():
            report = self.of_fill(fill)
            if report is not None:
                total = found.get(id(report), ZERO)
                found[id(report)] = EXACT.add(total, signed_quantity(fill))
        return found


def is_later(order: Order, fills: Sequence[Fill]) -> bool:
    """True if a report covers all these fills: its state is FILLED, or no fill is later."""
    return order.state is OrderState.FILLED or all(fill.time <= order.time for fill in fills)


def has_duplicate_ids(record: SideRecord) -> bool:
    """True if two fills or two movements of a side have one id."""
    moved = [row.movement_id for row in record.movement_rows]
    return bool(record.table.copies()) or len(set(moved)) < len(moved)


def may_be_duplicate(patch: Patch, record: SideRecord) -> bool:
    """True if a row that a patch adds may be a duplicate in `record`, the side it is taken from.

    `record` then lists another row with the same id, or with the same content at any time.
    """
    moved = record.movement_rows
    paid, ids = Counter(row.content for row in moved), Counter(row.movement_id for row in moved)
    if any(paid[row.content] > 1 or ids[row.movement_id] > 1 for row in patch.added_movements):
        return True
    if not patch.added:
        return False
    fills, added = record.table, {fill.fill_id for fill in patch.added}
    id_counts = Counter(map(_FILL_ID, fills.having(fill_id=added)))
    symbols, prices = ({getattr(one, name) for one in patch.added} for name in ("symbol", "price"))
    trades = Counter(map(_TRADE, fills.having(symbol=symbols, price=prices)))
    return any(id_counts[fill.fill_id] > 1 or trades[_TRADE(fill)] > 1 for fill in patch.added)


@dataclass(frozen=True)  # no slots: cached properties keep their values
class OwnContradictions:
    """Self-contradictions of the side of a problem; `other` is the other side."""

    problem: Problem
    other: SideRecord

    def right(self) -> SideRecord:
        """Return the side without its self-contradictions, the same object if there are none."""
        removed, added = self._wrong_fills()
        moved = self._repeated_movements()
        record = self.problem.record
        if not (removed or added or moved):
            return record
        return Patch(tuple(removed), tuple(added), tuple(moved)).applied(record)

    def without_doubtful(self) -> SideRecord:
        """Return the side without its possible duplicates, which no evidence confirms.

        A possible duplicate is missing from the other side, and repeats another row or overfills
        its order.
        """
        fills = [fill for fill in self._matched.surplus if self._is_doubtful(fill)]
        moved = [row for row in self._surplus_movements if self._has_movement_copy(row)]
        if not (fills or moved):
            return self.problem.record
        return Patch(tuple(fills), (), tuple(moved)).applied(self.problem.record)

    @property
    def _plain(self) -> bool:
        return self.problem.dimensions.plain

    @property
    def _fills(self) -> Sequence[Fill]:
        return self.problem.record.fill_rows

    @cached_property
    def _others(self) -> list[Fill]:
        account = self.problem.record.only_account()
        return [as_own(row, account, plain=self._plain) for row in self.other.fill_rows]

    @cached_property
    def _matched(self) -> Matched[Fill]:
        trades = Trades(self.problem.recorded, self._plain)
        account = self.problem.record.only_account()
        others = self.other.table
        return matched_fills(self.problem.table, others, trades, account, list)

    @cached_property
    def _reports(self) -> OrderReports:
        """The side's own reports; reports that both sides take from one source are no evidence."""
        is_own = not self.problem.recorded.shares("orders")
        orders = self.problem.record.order_rows if is_own else ()
        return OrderReports.of(orders, plain=self._plain)

    @cached_property
    def _summed(self) -> dict[int, Decimal]:
        return self._reports.sums(self._fills)

    @cached_property
    def _contradicted(self) -> set[int]:
        """Reports, by `id()`, that the other side's fills sum to and the side's own do not."""
        matched, found = self._matched, dict[int, Order]()
        changed = (*matched.surplus, *matched.missing, *(row for row, _ in matched.differing))
        for fill in changed:
            report = self._reports.of_fill(fill)
            if report is not None:
                found[id(report)] = report
        own = [fill for fill in self._fills if self._in(found, fill)] if found else []
        others = [fill for fill in self._others if self._in(found, fill)] if found else []
        own_sums, other_sums = self._reports.sums(own), self._reports.sums(others)
        return {
            key
            for key, report in found.items()
            if own_sums.get(key, ZERO) != reported(report) == other_sums.get(key, ZERO)
            and is_later(report, [fill for fill in own if self._reports.of_fill(fill) is report])
        }

    def _in(self, reports: Iterable[int], fill: Fill) -> bool:
        report = self._reports.of_fill(fill)
        return report is not None and id(report) in reports

    def _wrong_fills(self) -> tuple[list[Fill], list[Fill]]:
        """Return the fills to remove from the side, and the fills to add."""
        matched, at_fault = self._matched, self._contradicted
        removed = [fill for fill in matched.surplus if self._in(at_fault, fill)]
        added = [fill for fill in matched.missing if self._in(at_fault, fill)]
        for wrong, right in matched.differing:
            if self._in(at_fault, wrong) and signed_quantity(wrong) != signed_quantity(right):
                removed.append(wrong)
                added.append(right)
        left = [fill for fill in matched.surplus if not self._in(at_fault, fill)]
        left = [fill for fill in left if not self._is_counted(fill)]
        removed += _repetitions(left, self._fills, _content)
        return removed, added

    def _is_counted(self, fill: Fill) -> bool:
        """True if the order's report equals the sum of the side's fills, this fill included."""
        report = self._reports.of_fill(fill)
        return report is not None and self._summed.get(id(report)) == reported(report)

    @property
    def _movements(self) -> Sequence[Movement]:
        return self.problem.record.movement_rows

    @cached_property
    def _surplus_movements(self) -> Sequence[Movement]:
        account = self.problem.record.only_account()
        right = listed_movements(self.other)
        if right is None:
            return ()
        others = [as_own(row, account, plain=self._plain) for row in right]
        return matched_movements(self._movements, others, plain=self._plain).rows.surplus

    def _repeated_movements(self) -> list[Movement]:
        surplus = self._surplus_movements
        return _repetitions(surplus, self._movements, lambda row: (row.movement_id, *row.content))

    def _is_doubtful(self, fill: Fill) -> bool:
        if self._is_overfilled(fill) or self._content_counts[_content(fill)] > 1:
            return True
        return not self._is_counted(fill) and (
            self._ids[_ID(fill)] > 1 or self._kept.has_equal_one_of(fill)
        )

    def _is_overfilled(self, fill: Fill) -> bool:
        report = self._reports.of_fill(fill)
        if report is None:
            return False
        over = EXACT.subtract(self._summed[id(report)], reported(report))
        return over != 0 and (over > 0) == (signed_quantity(fill) > 0)

    @cached_property
    def _ids(self) -> Counter[Hashable]:
        return Counter(map(_ID, self._fills))

    @cached_property
    def _content_counts(self) -> Counter[Hashable]:
        ids = {fill.fill_id for fill in self._matched.surplus}
        return Counter(_content(fill) for fill in self._fills if fill.fill_id in ids)

    @cached_property
    def _kept(self) -> Originals:
        """Fills that the other side lists as well, if they have a surplus fill's content."""
        surplus = set(map(id, self._matched.surplus))
        contents = set(map(fill_content, self._matched.surplus))
        prices = {fill.price for fill in self._matched.surplus}
        near = compress(self._fills, map(prices.__contains__, map(_PRICE, self._fills)))
        return Originals.of(
            fill for fill in near if id(fill) not in surplus and fill_content(fill) in contents
        )

    def _has_movement_copy(self, row: Movement) -> bool:
        """True if both sides list an equal movement with the same id or within `NEAR_COPY`."""
        return any(
            is_same_movement(row, other) for other in self._kept_movements.get(row.content, ())
        )

    @cached_property
    def _kept_movements(self) -> dict[tuple[Any, ...], list[Movement]]:
        """Movements that the other side lists as well, by content."""
        surplus = set(map(id, self._surplus_movements))
        found: dict[tuple[Any, ...], list[Movement]] = {}
        for row in self._movements:
            if id(row) not in surplus:
                found.setdefault(row.content, []).append(row)
        return found


def _content(fill: Fill) -> tuple[Any, ...]:
    """Return a fill's id and content without its time: a redelivery may have another time."""
    return (fill.fill_id, *fill_content(fill))


def _repetitions(
    surplus: Iterable[_Row], rows: Iterable[_Row], key_of: Callable[[_Row], Hashable]
) -> list[_Row]:
    """Return the surplus rows that repeat another row, so that one row of each key is kept."""
    counts, found = Counter(map(key_of, rows)), []
    for row in surplus:
        if counts[key_of(row)] > 1:
            counts[key_of(row)] -= 1
            found.append(row)
    return found
