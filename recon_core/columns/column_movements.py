"""The movements of a side in columns: rows are made of those alone that somebody looks at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from recon_core.columns.column_table import ColumnTable
from recon_core.columns.database import ColumnsError
from recon_core.columns.movement_sums import movement_sums
from recon_core.columns.repeated import copies
from recon_core.columns.table_columns import listed
from recon_core.model.movement_table import MovementSum, MovementTable, copies_of
from recon_core.model.row_table import Table


@dataclass(frozen=True, eq=False)
class ColumnMovements(ColumnTable, MovementTable):
    """The movements of a table."""

    def copies(self) -> dict[tuple[str | None, str], int]:
        """Return account and id of every movement that is listed more than once, with its count."""
        return self._copies

    @cached_property
    def _copies(self) -> dict[tuple[str | None, str], int]:
        unequal = self.rows.unequal
        return copies_of(self.at(copies(self.columns) if unequal is None else unequal))

    def currencies_of(self, kind: str) -> set[str]:
        """Return the currencies in which movements of a kind have an amount."""
        of_kind = (group.words for group in self.columns.groups if group.words["kind"] == kind)
        return {words["currency"] for words in of_kind} - {None}  # type: ignore[return-value]  # without it

    def with_quantity(self) -> Sequence[Any]:
        """Return the movements of a symbol, in their order."""
        if not self.columns.words("symbol"):
            return ()
        found = self.where(f"{self.columns.text('symbol')} IS NOT NULL")
        return [row for row in found if row.symbol]

    def against(self, signs: Mapping[Any, int]) -> Sequence[Any]:
        """Return movements among which are all with an amount or a quantity of a wrong sign."""
        kind, values = self.columns.text("kind"), map(self.columns.value, ("amount", "quantity"))
        conditions = [
            f"({kind} IN ({listed(kinds)}) AND {value} {wrong} 0)"
            for value in values
            for wrong, right in (("<", 1), (">", -1))
            if (kinds := sorted(one for one, sign in signs.items() if sign == right))
        ]
        return self.where(" OR ".join(conditions)) if conditions else ()

    def sums(self, places: Callable[[str], int | None]) -> Sequence[MovementSum] | None:
        """Return the sums of all amounts; `None` where they have more digits than columns."""
        currencies = {word: places(word) for word in self.columns.words("currency")}
        try:
            return self.rows.once(
                ("sums", self.unnamed, *sorted(currencies.items(), key=str)),
                lambda: movement_sums(self.columns, currencies, self.unnamed),
            )
        except ColumnsError:
            return None

    def unlike(self, other: Table, *, plain: bool) -> tuple[Sequence[Any], Sequence[Any]]:
        """Return movements of both sides among which are all that differ."""
        if not isinstance(other, ColumnMovements):
            return self, other
        try:
            found = self.rows.compared(other.rows, plain=plain)
        except ColumnsError:
            return self, other
        self.rows.unequal, other.rows.unequal = found.internal, found.external
        return self.at(found.internal), other.at(found.external)
