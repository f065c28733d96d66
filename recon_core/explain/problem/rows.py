"""Fills of a search in the orders and groups that its steps use, each computed once."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import Final

from recon_core.ledger.bookings import signed_quantities
from recon_core.ledger.timeline import natural_key, ordered_fills
from recon_core.model import Fill, Movement, OrderSide, SideRecord

_symbol: Final = attrgetter("symbol")

_account: Final = attrgetter("account")

_position_id: Final = attrgetter("position_id")

_leg: Final = attrgetter("leg")

_side: Final = attrgetter("side")

_fee: Final = attrgetter("fee")


def listed_movements(record: SideRecord) -> tuple[Movement, ...] | None:
    """Return the movements that a side says it has, `None` where it does not report them."""
    return record.movement_rows if record.covers("movements") else None


def ordered_movements(rows: Iterable[Movement]) -> tuple[Movement, ...]:
    """Return movements by time, those of one time by id and content: no order of a list counts."""
    return tuple(
        sorted(rows, key=lambda row: (row.time, natural_key(row.movement_id), str(row.content)))
    )


@dataclass(frozen=True)  # without slots: cached properties are kept
class Rows:
    """The fills of one side; `position` gives the dimension of a fill's position."""

    record: SideRecord
    position: Callable[[Fill], str]

    @cached_property
    def fills(self) -> tuple[Fill, ...]:
        """The fills by time, in the order in which they are booked."""
        return tuple(ordered_fills(self.record.fill_rows))

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
    def by_position(self) -> dict[str, list[Fill]]:
        """The fills of each position by time, by its dimension."""
        fills = self.fills
        return {name: [fills[at] for at in places] for name, places in self.places.items()}

    @cached_property
    def of_orders(self) -> list[list[Fill]]:
        """The fills of each order that has several, per account and symbol."""
        found: defaultdict[object, list[Fill]] = defaultdict(list)
        if self._is_one_position:
            for fill in self.fills:
                found[fill.order_id].append(fill)
            found.pop("", None)
        else:
            for fill in self.fills:
                order = fill.order_id
                if order:
                    found[fill.account, fill.symbol, order].append(fill)
        return [fills for fills in found.values() if len(fills) > 1]

    def sides_of_others(self, fill: Fill) -> set[OrderSide]:
        """Return the sides that the other fills of a fill's order have."""
        counts = self._order_sides.get((fill.account, fill.symbol, fill.order_id), {})
        return {side for side, count in counts.items() if count > (side is fill.side)}

    @cached_property
    def _order_sides(self) -> dict[object, dict[OrderSide, int]]:
        """Counts of fills by side of each order that has several, per account and symbol."""
        found: dict[object, dict[OrderSide, int]] = {}
        for fills in self.of_orders:
            buys = list(map(_side, fills)).count(OrderSide.BUY)
            key = (fills[0].account, fills[0].symbol, fills[0].order_id)
            found[key] = {OrderSide.BUY: buys, OrderSide.SELL: len(fills) - buys}
        return found

    @cached_property
    def fees(self) -> list[Decimal]:
        """The fees that are not 0, the lowest first."""
        return sorted(filter(None, map(_fee, self.fills)))

    @cached_property
    def symbols(self) -> set[str]:
        """The symbols of the fills."""
        return set(map(_symbol, self.fills))

    @cached_property
    def accounts(self) -> set[str | None]:
        """The accounts of the fills."""
        return set(map(_account, self.fills))

    @cached_property
    def position_ids(self) -> set[str | None]:
        """The ids of the positions that the fills name."""
        return set(map(_position_id, self.fills))

    @cached_property
    def _is_one_position(self) -> bool:
        """True if all fills have one symbol, account and leg."""
        legs = list(map(_leg, self.fills))
        one_leg = bool(legs) and legs.count(legs[0]) == len(legs)
        return one_leg and len(self.symbols) == len(self.accounts) == 1
