"""Questions about all orders of a side, and the answers of orders that are in memory."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from recon_core.model.row_table import InMemory, Table


@dataclass(frozen=True, slots=True)
class SideFills:
    """The fills of one side that name one of some orders, or an order that no side lists.

    `unnamed` are the symbols of fills that name no order, and `count` is the number of all fills.
    """

    rows: Sequence[Any]
    unnamed: frozenset[str]
    count: int


@dataclass(frozen=True, slots=True)
class UnequalOrders:
    """Orders of two sides without those that are a match beyond doubt.

    Such an order is listed once by each side, in the same words, its state agrees with its
    quantities, and so do the fills that name it. No fill and no other order shares an id with it
    but those. `fills` are those of each side, `None` where it has no such section. `digest_without`
    returns the digest of all internal orders but some, which are rows of `internal`.
    """

    internal: tuple[Any, ...]
    external: tuple[Any, ...]
    fills: tuple[SideFills | None, SideFills | None]
    equal: int
    digest_without: Callable[[Sequence[Any]], str]


class OrderTable(Table):
    """The orders of one side."""

    def naming(self, ids: Collection[str]) -> Sequence[Any]:
        """Return orders among which are all that have one of some ids."""
        return self

    def unequal(
        self,
        other: Table,
        fills: tuple[Sequence[Any] | None, Sequence[Any] | None],
        *,
        plain: bool,
    ) -> UnequalOrders | None:
        """Return what is no match of the other side's orders; `None` where rows are compared.

        `fills` are those of both sides; `plain` leaves the accounts out.
        """
        return None


class OrderRows(InMemory, OrderTable):
    """Orders that are in memory."""


def order_table_of(orders: Sequence[Any] | None) -> OrderTable:
    """Return the orders of a side as a table; without any it is empty."""
    return orders if isinstance(orders, OrderTable) else OrderRows(orders or ())
