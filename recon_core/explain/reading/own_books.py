"""Rows of a side that its own books contradict, put right by what the other side has.

A side contradicts its own fills where its order report says another quantity than they add
up to, and the other side's fills add up to just that; or where an id stands twice, which no
order report counts twice. Of one row a repetition is never the only one.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import compress
from operator import attrgetter
from typing import Any, Final, TypeVar

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.effects.changes import Change
from recon_core.explain.faults.edits import NEAR_TWIN
from recon_core.explain.faults.fill_edits import twin
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.reading.matched_rows import (
    Matched,
    as_own,
    matched_fills,
    matched_movements,
)
from recon_core.explain.reading.order_reports import OrderReports, is_later, reported
from recon_core.explain.reading.unknown_twice import repeats
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, Movement, Order, SideRecord
from recon_core.pairing import duplicate_fills

_Row = TypeVar("_Row", Fill, Movement)
_ID: Final = attrgetter("account", "symbol", "fill_id")
_FILL_ID: Final = attrgetter("fill_id")
_PRICE: Final = attrgetter("price")
_TRADE: Final = attrgetter("symbol", "side", "quantity", "price")


def stands_twice(record: SideRecord) -> bool:
    """Whether an id stands twice among the fills or the movements of a side."""
    moved = [row.movement_id for row in record.movements or ()]
    return bool(duplicate_fills(record.fills or ())) or len(set(moved)) < len(moved)


def may_stand_too_often(change: Change, record: SideRecord) -> bool:
    """Whether a row that a change brings may be one that a side has once too often.

    It then has another one of its id, or of its content, times aside.
    """
    moved = record.movements or ()
    paid, ids = Counter(map(_paid, moved)), Counter(row.movement_id for row in moved)
    if any(paid[_paid(row)] > 1 or ids[row.movement_id] > 1 for row in change.added_movements):
        return True
    fills = record.fills or ()
    added, prices = {fill.fill_id for fill in change.added}, {fill.price for fill in change.added}
    told = Counter(filter(added.__contains__, map(_FILL_ID, fills)))
    near = compress(fills, map(prices.__contains__, map(_PRICE, fills)))
    trades = Counter(map(_TRADE, near))
    return any(told[fill.fill_id] > 1 or trades[_TRADE(fill)] > 1 for fill in change.added)


@dataclass(frozen=True)  # without slots: what was worked out is kept
class OwnBooks:
    """Asks a side, that of the ground, which of its own rows its books contradict."""

    ground: Ground
    other: SideRecord

    def right(self) -> SideRecord:
        """The side without what its own books contradict; the same where there is nothing."""
        gone, come = self._wrong_fills()
        moved = self._repeated_movements()
        record = self.ground.record
        if not (gone or come or moved):
            return record
        return Change(tuple(gone), tuple(come), tuple(moved)).applied(record)

    def without_doubtful(self) -> SideRecord:
        """The side without rows of its own that it may have once too often: nothing tells.

        The other side has one of them only, and no order report counts them.
        """
        fills = [fill for fill in self._matched.surplus if self._is_doubtful(fill)]
        moved = [row for row in self._surplus_movements if self._has_twin(row)]
        if not (fills or moved):
            return self.ground.record
        return Change(tuple(fills), (), tuple(moved)).applied(self.ground.record)

    @property
    def _plain(self) -> bool:
        return self.ground.space.plain

    @property
    def _fills(self) -> Sequence[Fill]:
        return self.ground.record.fills or ()

    @cached_property
    def _others(self) -> list[Fill]:
        account = self.ground.record.only_account()
        return [as_own(row, account, plain=self._plain) for row in self.other.fills or ()]

    @cached_property
    def _matched(self) -> Matched[Fill]:
        return matched_fills(self._fills, self._others, plain=self._plain)

    @cached_property
    def _reports(self) -> OrderReports:
        """The side's own reports; those that both sides have from one source are no evidence."""
        is_own = not self.ground.recorded.shares("orders")
        orders = self.ground.record.orders or () if is_own else ()
        return OrderReports.of(orders, plain=self._plain)

    @cached_property
    def _summed(self) -> dict[int, Decimal]:
        return self._reports.sums(self._fills)

    @cached_property
    def _contradicted(self) -> set[int]:
        """The reports, by `id()`, that the other side's fills fulfil and the own ones do not."""
        matched, found = self._matched, dict[int, Order]()
        changed = (*matched.surplus, *matched.lacking, *(row for row, _ in matched.differing))
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
        """The fills that the side should not have, and those that it should."""
        matched, at_fault = self._matched, self._contradicted
        gone = [fill for fill in matched.surplus if self._in(at_fault, fill)]
        come = [fill for fill in matched.lacking if self._in(at_fault, fill)]
        for wrong, right in matched.differing:
            if self._in(at_fault, wrong) and signed_quantity(wrong) != signed_quantity(right):
                gone.append(wrong)
                come.append(right)
        left = [fill for fill in matched.surplus if not self._in(at_fault, fill)]
        left = [fill for fill in left if not self._is_counted(fill)]
        gone += _repetitions(left, self._fills, _told)
        return gone, come

    def _is_counted(self, fill: Fill) -> bool:
        """Whether an order report counts a fill as often as it stands."""
        report = self._reports.of_fill(fill)
        return report is not None and self._summed.get(id(report)) == reported(report)

    @property
    def _movements(self) -> Sequence[Movement]:
        return self.ground.record.movements or ()

    @cached_property
    def _surplus_movements(self) -> Sequence[Movement]:
        account = self.ground.record.only_account()
        others = [as_own(row, account, plain=self._plain) for row in self.other.movements or ()]
        return matched_movements(self._movements, others, plain=self._plain).surplus

    def _repeated_movements(self) -> list[Movement]:
        surplus = self._surplus_movements
        return _repetitions(surplus, self._movements, lambda row: (row.movement_id, *_paid(row)))

    def _is_doubtful(self, fill: Fill) -> bool:
        if self._is_overfilled(fill) or self._told[_told(fill)] > 1:
            return True
        return not self._is_counted(fill) and (self._ids[_ID(fill)] > 1 or self._is_twin(fill))

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
    def _told(self) -> Counter[Hashable]:
        ids = {fill.fill_id for fill in self._matched.surplus}
        return Counter(_told(fill) for fill in self._fills if fill.fill_id in ids)

    @cached_property
    def _kept(self) -> dict[tuple[Any, ...], list[Fill]]:
        """The rows that the other side has as well, those together that say the same."""
        surplus = set(map(id, self._matched.surplus))
        twins = set(map(twin, self._matched.surplus))
        found: dict[tuple[Any, ...], list[Fill]] = {}
        prices = {fill.price for fill in self._matched.surplus}
        for fill in compress(self._fills, map(prices.__contains__, map(_PRICE, self._fills))):
            if id(fill) not in surplus and (key := twin(fill)) in twins:
                found.setdefault(key, []).append(fill)
        return found

    def _is_twin(self, fill: Fill) -> bool:
        return any(repeats(fill, other) for other in self._kept.get(twin(fill), ()))

    def _has_twin(self, row: Movement) -> bool:
        """Whether the other side has a movement that says the same, by its id or its time."""
        return any(
            other.movement_id == row.movement_id or abs(other.time - row.time) <= NEAR_TWIN
            for other in self._kept_movements.get(_paid(row), ())
        )

    @cached_property
    def _kept_movements(self) -> dict[tuple[Any, ...], list[Movement]]:
        """The movements that the other side has as well, those together that say the same."""
        surplus = set(map(id, self._surplus_movements))
        found: dict[tuple[Any, ...], list[Movement]] = {}
        for row in self._movements:
            if id(row) not in surplus:
                found.setdefault(_paid(row), []).append(row)
        return found


def _told(fill: Fill) -> tuple[Any, ...]:
    """What a row says, its time aside: one that is delivered again may have another."""
    return (fill.fill_id, *twin(fill))


def _paid(row: Movement) -> tuple[Any, ...]:
    return (row.movement_kind, row.currency, row.amount, row.symbol, row.quantity, row.account)


def _repetitions(
    surplus: Iterable[_Row], rows: Iterable[_Row], told: Callable[[_Row], Hashable]
) -> list[_Row]:
    """The surplus rows that say what another row says, so that one is left of each."""
    counts, found = Counter(map(told, rows)), []
    for row in surplus:
        if counts[told(row)] > 1:
            counts[told(row)] -= 1
            found.append(row)
    return found
