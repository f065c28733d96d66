"""Questions about all movements of a side, and the answers of movements that are in memory."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from recon_core.model.row_table import InMemory, Table

_KEY: Final = attrgetter("account", "movement_id")


@dataclass(frozen=True, slots=True)
class MovementSum:
    """The sum of the amounts of one kind in one currency and account, each rounded on its own."""

    kind: str
    currency: str
    account: str | None
    amount: Decimal


class MovementTable(Table):
    """The movements of one side."""

    def copies(self) -> dict[tuple[str | None, str], int]:
        """Return account and id of every movement that is listed more than once, with its count."""
        return copies_of(self)

    def currencies_of(self, kind: str) -> set[str]:
        """Return the currencies in which movements of a kind have an amount."""
        rows = (row for row in self if row.movement_kind == kind)
        return {row.currency for row in rows if row.currency is not None}

    def with_quantity(self) -> Sequence[Any]:
        """Return the movements of a symbol, in their order."""
        return [row for row in self if row.symbol]

    def against(self, signs: Mapping[Any, int]) -> Sequence[Any]:
        """Return movements among which are all with an amount or a quantity of a wrong sign.

        `signs` has the right one by kind, 1 or -1.
        """
        return [row for row in self if row.movement_kind in signs]

    def sums(self, places: Callable[[str], int | None]) -> Sequence[MovementSum] | None:
        """Return the sums of all amounts; `None` where movements are posted one by one.

        `places` are those that an amount of a currency is rounded to, `None` for all. The sums
        are in the order in which they begin.
        """
        return None

    def unlike(self, other: Table, *, plain: bool) -> tuple[Sequence[Any], Sequence[Any]]:
        """Return movements of both sides among which are all that differ.

        Each of the others has a row on the other side with its id, and none of its own side has
        that id, and both move the same; `plain` leaves the accounts out.
        """
        return self, other


class MovementRows(InMemory, MovementTable):
    """Movements that are in memory."""


def copies_of(rows: Sequence[Any]) -> dict[tuple[str | None, str], int]:
    """Return account and id of every movement that is among the rows more than once."""
    keys = list(map(_KEY, rows))
    if len(set(keys)) == len(keys):  # as nearly always
        return {}
    return {key: count for key, count in Counter(keys).items() if count > 1}


def movement_table_of(movements: Sequence[Any] | None) -> MovementTable:
    """Return the movements of a side as a table; without any it is empty."""
    return movements if isinstance(movements, MovementTable) else MovementRows(movements or ())
