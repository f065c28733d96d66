"""The orders of a side in columns: rows are made of those alone that somebody looks at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from recon_core.columns.column_fills import ColumnFills
from recon_core.columns.column_table import ColumnTable
from recon_core.columns.database import ColumnsError
from recon_core.columns.order_fills import IDS, OrderFills, partners, sharing_an_id, with_ids
from recon_core.model.order_table import OrderTable, SideFills, UnequalOrders
from recon_core.model.row_table import Table

Fills = tuple[Sequence[Any] | None, Sequence[Any] | None]
"""The fills of both sides; a side may have no such section."""


@dataclass(frozen=True, eq=False)
class ColumnOrders(ColumnTable, OrderTable):
    """The orders of a table."""

    def naming(self, ids: Collection[str]) -> Sequence[Any]:
        """Return orders among which are all that have one of some ids."""
        try:
            return self.at(sorted(with_ids(self.columns, ids)))
        except ColumnsError:
            return self

    def unequal(self, other: Table, fills: Fills, *, plain: bool) -> UnequalOrders | None:
        """Return what is no match of the other side's orders, if all are in columns."""
        of_columns = [each for each in fills if isinstance(each, ColumnFills)]
        if not isinstance(other, ColumnOrders) or len(of_columns) + fills.count(None) < len(fills):
            return None
        try:
            return self._unequal(other, of_columns, fills, plain=plain)
        except ColumnsError:
            return None

    def _unequal(
        self, other: "ColumnOrders", of_columns: Sequence[ColumnFills], fills: Fills, *, plain: bool
    ) -> UnequalOrders:
        first, of_other = self._differing(other, plain=plain)
        sides = [
            OrderFills(self.columns, each.columns, sorted(first), plain) for each in of_columns
        ]
        unnamed = [side.unnamed() for side in sides]
        found = [side.doubtful(names) for side, names in zip(sides, unnamed, strict=True)]
        odd = [table.at(sorted(some)) for table, (_, some) in zip(of_columns, found, strict=True)]
        left_out = self._sharing(
            first.union(*(orders for orders, _ in found)),
            [*other.at(sorted(of_other)), *(row for rows in odd for row in rows)],
        )
        more = sorted(left_out - first)
        of_sides = iter(
            SideFills(table.at(sorted(some | side.of(more))), names, len(table))
            for table, side, (_, some), names in zip(of_columns, sides, found, unnamed, strict=True)
        )
        ours = sorted(left_out)
        theirs = of_other | partners(self.columns, other.columns, more, plain=plain)
        mine = self.at(ours)
        numbers = dict(zip(map(id, mine), ours, strict=True))
        return UnequalOrders(
            mine,
            other.at(sorted(theirs)),
            tuple(None if each is None else next(of_sides) for each in fills),  # type: ignore[arg-type]  # as many
            self.columns.count - len(ours),
            lambda rows: self.digest_without([numbers[id(row)] for row in rows], plain=plain),
        )

    def _sharing(self, numbers: set[int], others: Sequence[Any]) -> set[int]:
        """Return some orders, and all that share an id with them or with other rows.

        The client of one order may have named it as the exchange names another.
        """
        found, known, rows = set(numbers), set[str](), [*self.at(sorted(numbers)), *others]
        while ids := {name for row in rows for name in _ids_of(row)} - known:
            more = with_ids(self.columns, ids) - found
            found, known, rows = found | more, known | ids, [*self.at(sorted(more))]
        return found

    def _differing(self, other: "ColumnOrders", *, plain: bool) -> tuple[set[int], set[int]]:
        """Return the orders of each side that differ, or have an id that others have, too."""
        found = self.rows.compared(other.rows, plain=plain)
        shared = sharing_an_id(self.columns, plain=plain)
        shared |= sharing_an_id(other.columns, plain=plain)
        if not shared:
            return set(found.internal), set(found.external)
        return (
            with_ids(self.columns, shared).union(found.internal),
            with_ids(other.columns, shared).union(found.external),
        )


def _ids_of(row: Any) -> list[str]:
    return [one for name in IDS if (one := getattr(row, name))]
