"""The fills of a side in columns: rows are made of those alone that somebody looks at."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from recon_core.columns.column_table import ColumnTable
from recon_core.columns.database import ColumnsError, text
from recon_core.columns.fill_questions import (
    Charged,
    Nearby,
    charged,
    fee_places,
    fee_samples,
    named_in_parts,
    names_parts,
    of_positions,
    price_range,
    quantities,
)
from recon_core.columns.fill_sums import InOrder, Places, fill_sums
from recon_core.columns.repeated import copies
from recon_core.columns.table_columns import listed
from recon_core.columns.times import microseconds_of
from recon_core.model import Fill
from recon_core.model.fill_table import (
    FillKey,
    FillTable,
    PatchedFills,
    PositionSums,
    SumRule,
    copies_of,
)
from recon_core.model.row_table import UnequalRows, rows_having, rows_in_account
from recon_core.values.errors import ReplayError

_POSITION: Final = attrgetter("account", "symbol", "leg")
_TIME: Final = attrgetter("time")


@dataclass(frozen=True, eq=False)
class ColumnFills(ColumnTable, FillTable):
    """The fills of a table."""

    def copies(self) -> dict[FillKey, int]:
        """Return the key of every fill that is listed more than once, with its count."""
        return self._copies

    @cached_property
    def _copies(self) -> dict[FillKey, int]:
        unequal_rows = self.rows.unequal
        numbers = copies(self.columns) if unequal_rows is None else unequal_rows
        return copies_of(self.at(numbers))

    @property
    def nearby(self) -> Nearby:
        """The rows near a difference that were made so far."""
        return self.rows.once(("nearby",), lambda: Nearby(self.columns, self.rows.where))

    def having(self, **values: Collection[Any]) -> list[Fill]:
        """Return the fills with some values of every field that is named, in their order."""
        if self.rows.every is not None:
            return super().having(**values)
        try:
            numbers = self.nearby.numbers_of(values)
        except ColumnsError:
            return super().having(**values)
        return rows_having(self.at(sorted(numbers)), values)

    def fee_places(self) -> dict[str | None, int]:
        """Return the most decimals that a fee which is not 0 is written with, by currency."""
        return self.rows.once(("places",), lambda: fee_places(self.columns))

    def fee_samples(self, most: int) -> dict[str, list[Decimal]]:
        """Return evenly spaced fees that are not 0, by currency."""
        return self.rows.once(("fees", most), lambda: fee_samples(self.columns, most))

    def prices(self, symbol: str, without: str) -> list[Decimal]:
        """Return the lowest and the highest price of a symbol, without the fills of one id."""
        return price_range(self.columns, symbol, self._of_id(without))

    def _of_id(self, fill_id: str) -> str:
        """A condition of SQL for the fills of an id: by number, where they were asked for.

        No column takes longer to be read than the ids.
        """
        if fill_id not in self.nearby.asked.get("fill_id", ()):
            return f"{self.columns.text('fill_id')} = {listed([fill_id])}"
        numbers = sorted(self.nearby.numbers)
        fills = zip(numbers, self.rows.at(numbers), strict=True)
        own = [number for number, fill in fills if fill.fill_id == fill_id]
        return f"{self.columns.number} IN ({listed(own)})" if own else "false"

    def quantities(self) -> dict[str, Decimal]:
        """Return the sum of the quantities of each symbol, those of a SELL negative."""
        try:
            return quantities(self.columns)
        except ColumnsError:
            return super().quantities()

    def may_be_parts(self) -> Sequence[Fill]:
        """Return the fills among which are all whose id is the begin of the id of another one."""
        return self.at(named_in_parts(self.columns)) if names_parts(self.columns) else ()

    def positions(self) -> set[FillKey]:
        """Return account, symbol and leg of every position."""
        names = "account", "symbol", "leg"
        groups = self.columns.groups
        return {tuple(self._in_words(name, one) for name in names) for one in groups}  # type: ignore[misc]  # all have a symbol and a leg

    def charged(
        self,
        positions: Collection[FillKey],
        side: str | None,
        most: int,
        in_order: InOrder,
    ) -> list[Fill]:
        """Return fills with a fee of some positions, evenly spaced by their order."""
        where = of_positions(self.columns, positions, self.unnamed)
        key = "charged", where, side, most
        found = self.rows.once(key, lambda: self._charged(where, side, most))
        times = sorted({one.time for one in found if one.tied > 1})
        of_time = f"{where} AND {self.columns.time} IN ({listed(times)})"
        tied = self.rows.where(of_time) if times else []
        rows = dict(zip(numbers := sorted({*(one.number for one in found), *tied}),
                        self.at(numbers), strict=True))  # fmt: skip
        ordered: dict[int, list[Fill]] = {}
        for row in in_order(rows[number] for number in sorted(tied)):
            if row.fee and side in (None, row.side):
                ordered.setdefault(microseconds_of(row.time), []).append(row)
        return [
            rows[one.number] if one.tied == 1 else ordered[one.time][one.place - one.first]
            for one in found
        ]

    def _charged(self, where: str, side: str | None, most: int) -> list[Charged]:
        found = charged(self.columns, where, side, most)
        self.rows.take([raw for _, raw in found])
        return [one for one, _ in found]

    def unlike(self, other: FillTable, *, plain: bool) -> tuple[list[Fill], list[Fill]] | None:
        """Return fills of both sides among which are all that differ."""
        if isinstance(other, PatchedFills):
            found = other.unlike(self, plain=plain)
            return None if found is None else (found[1], found[0])
        known = self.unequal(other, plain=plain)
        return None if known is None else (list(known.internal), list(known.external))

    def names_an_order(self) -> bool:
        """True if any fill names its order."""
        return any(group.names_an_order for group in self.columns.groups)

    def sums(
        self, rules: Mapping[str, SumRule], places: Places, in_order: InOrder
    ) -> PositionSums | None:
        """Return the sums of all positions; `None` where they have more digits than columns."""
        currencies = self.columns.words("fee_currency")
        key = "sums", *rules.items(), *((one, places(one)) for one in sorted(currencies))
        try:
            return self.rows.once(
                (*key, self.unnamed),
                lambda: fill_sums(self.columns, rules, places, self.unnamed, self.at, in_order),
            )
        except ColumnsError:
            return None

    def by_position(self, in_order: InOrder) -> Iterator[Sequence[Fill]] | None:
        """Return parts of the fills of one position each; `None` where all rows were made."""
        return None if self.rows.every is not None else self._by_position(in_order)

    def _by_position(self, in_order: InOrder) -> Iterator[Sequence[Fill]]:
        columns, former = self.columns, list[Fill]()
        account = columns.text("account")
        if self.unnamed is not None:
            account = f"coalesce({account}, {text(self.unnamed)})"
        order = [account, columns.text("symbol"), columns.text("leg"), columns.time]
        try:
            for rows in self.rows.sorted_by([*order, columns.number]):
                named = rows if self.unnamed is None else rows_in_account(rows, self.unnamed)
                for _, of_position in groupby(named, _POSITION):
                    fills = [*of_position]
                    if former and _POSITION(former[0]) != _POSITION(fills[0]):
                        yield in_order(former)
                        former = []
                    former += fills
                # Rows of the last time may have others of that time behind them.
                start = bisect_left(former, former[-1].time, key=_TIME)
                if start:
                    yield in_order(former[:start])
                    former = former[start:]
        except ColumnsError as error:
            raise ReplayError(str(error)) from None
        if former:
            yield in_order(former)

    def unequal(self, other: FillTable, *, plain: bool) -> UnequalRows | None:
        """Return what differs from the fills of the other side, if these are in columns too."""
        if not isinstance(other, ColumnFills):
            return None
        try:
            found = self.rows.compared(other.rows, plain=plain)
        except ColumnsError:
            return None
        self.rows.unequal, other.rows.unequal = found.internal, found.external
        ours, theirs = self.at(found.internal), other.at(found.external)
        for table in (self, other):
            table.nearby.rows = (*ours, *theirs)
        return UnequalRows(
            ours,
            theirs,
            found.equal,
            partial(self.digest_without, found.internal, plain=plain),
        )
