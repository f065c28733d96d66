"""Rows of both sides that belong together, and what can be found on them.

What the comparison of a fill or of an order holds. Nothing here knows a policy: a
finding names its case, and the policy gives the case its severity.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import Any, Final

from recon_core.model import Fill, LedgerSide, Movement, Order
from recon_core.model.row_table import UnequalRows
from recon_core.values.amounts import EXACT, larger_magnitude
from recon_core.values.memory import without_collecting
from recon_core.values.times import format_time


class RowCase(StrEnum):
    """Finding on a fill, an order or a movement; a key of the policy's `[severity]`."""

    FILL_MISSING = "fill_missing"
    FILL_ORPHANED = "fill_orphaned"
    FILL_DUPLICATE = "fill_duplicate"
    FILL_PAYLOAD = "fill_payload"
    FILL_FEE = "fill_fee"
    FILL_TIME = "fill_time"
    FILL_AGGREGATED = "fill_aggregated"
    ORDER_MISSING = "order_missing"
    ORDER_ORPHANED = "order_orphaned"
    ORDER_DUPLICATE = "order_duplicate"
    ORDER_PAYLOAD = "order_payload"
    ORDER_STATE = "order_state"
    ORDER_PARTIAL = "order_partial"
    ORDER_CANCELLED_FILLED = "order_cancelled_filled"
    ORDER_FILLED = "order_filled"
    ORDER_OVERFILLED = "order_overfilled"
    ORDER_FILLS = "order_fills"
    ORDER_TIME = "order_time"
    MOVEMENT_AGGREGATED = "movement_aggregated"


@dataclass(frozen=True, slots=True)
class Gap:
    """The least and the largest of some amounts that should be one."""

    least: Decimal
    largest: Decimal
    of_price: bool = False

    def is_dust(self, dust: Decimal) -> bool:
        """True if the amounts differ by no more than `dust`.

        A price must not differ by more than that fraction of it either: it may be as small
        as `dust` itself.
        """
        delta = EXACT.subtract(self.largest, self.least)
        if self.of_price:
            reference = larger_magnitude(self.least, self.largest)
            dust = min(dust, EXACT.multiply(dust, reference))
        return delta <= dust


@dataclass(frozen=True, slots=True)
class RowFinding:
    """One thing that is wrong with a fill or an order, in words that are safe to print.

    `gaps` are there where a side whose amounts differ computed in binary floats, and
    nothing but these amounts is wrong: the policy's `float_dust` may cover them.
    """

    case: RowCase
    text: str
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class FillGroup:
    """Fills of one trade that the sides list in a different number of rows, with equal sums.

    Quantity, fee per currency and value are equal: the value exactly, or, where `rounded`, as
    far as the digits allow that the single price of one side has.
    """

    internal: tuple[Fill, ...]
    external: tuple[Fill, ...]
    rounded: bool = False

    @property
    def rows(self) -> tuple[Fill, ...]:
        """The rows of both sides."""
        return (*self.internal, *self.external)


@dataclass(frozen=True, slots=True)
class MatchedFills:
    """All rows of one fill key, as each side gives them; empty where it has none.

    `float_sides` are the sides that computed in binary floats. `group` is there where the rows
    are part of a trade that the sides list in a different number of rows; one key of each group
    has its finding, `has_finding`.
    """

    internal: tuple[Fill, ...]
    external: tuple[Fill, ...]
    float_sides: frozenset[LedgerSide] = frozenset()
    group: FillGroup | None = None
    has_finding: bool = False


@dataclass(frozen=True, slots=True)
class MovementGroup:
    """Movements of one period, several of one side and one of the other, with equal sums."""

    internal: tuple[Movement, ...]
    external: tuple[Movement, ...]

    @property
    def rows(self) -> tuple[Movement, ...]:
        """The rows of both sides."""
        return (*self.internal, *self.external)


@dataclass(frozen=True, slots=True)
class MatchedMovements:
    """The groups of one kind of movement, in the order of their times.

    `left` counts the rows of each side, internal first, that are in no group and that the other
    side does not list.
    """

    groups: tuple[MovementGroup, ...]
    left: tuple[int, int] = (0, 0)

    @property
    def internal(self) -> tuple[Movement, ...]:
        """The rows of all groups that the ledger gives."""
        return tuple(row for group in self.groups for row in group.internal)

    @property
    def external(self) -> tuple[Movement, ...]:
        """The rows of all groups that the exchange gives."""
        return tuple(row for group in self.groups for row in group.external)


@dataclass(frozen=True, slots=True)
class MatchedOrder:
    """All rows of one order, and the fills that name it.

    `None` in the place of rows: that side reports no orders. `None` in the place of fills:
    that side's fills do not say what it filled. `float_sides` are the sides that computed
    in binary floats.
    """

    internal: tuple[Order, ...] | None
    external: tuple[Order, ...] | None
    internal_fills: tuple[Fill, ...] | None = None
    external_fills: tuple[Fill, ...] | None = None
    float_sides: frozenset[LedgerSide] = frozenset()


@dataclass(frozen=True)  # without slots: the digest is kept
class EqualRows:
    """Fills or orders that are equal on both sides and form one item.

    `of_table` counts and digests fills of which no rows were made; there are no `rows` then.
    """

    rows: tuple[Fill | Order, ...]
    of_table: UnequalRows | None = None

    @property
    def count(self) -> int:
        """The number of comparisons that the item represents."""
        return len(self.rows) if self.of_table is None else self.of_table.equal

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the rows, the same in whatever order and with whatever zeros.

        It is taken of one JSON list: a sorted list per row of the values of its fields,
        amounts without trailing zeros, times in UTC, `null` for an absent value.
        """
        if self.of_table is not None:
            return self.of_table.digest()
        with without_collecting():
            content = json.dumps(_in_one_order(_values(self.rows)))
        return hashlib.sha256(content.encode()).hexdigest()


MatchedRows = MatchedFills | MatchedOrder | MatchedMovements | EqualRows
_Values = tuple[str | None, ...]


def _values(rows: Sequence[Fill | Order]) -> list[_Values]:
    """The values of every row as text, which are worked out field by field."""
    columns = [_texts(list(map(get, rows))) for get in _FIELDS[type(rows[0])]] if rows else []
    return list(zip(*columns, strict=True))


def _texts(values: list[Any]) -> Iterable[str | None]:
    kind, *others = set(map(type, values))
    if not others:
        return _TEXTS.get(kind, _names)(values)
    return [text for value in values for text in _TEXTS.get(type(value), _names)([value])]


def _in_one_order(rows: list[_Values]) -> list[_Values]:
    """Return rows in order, an absent value before any text."""
    try:
        return sorted(rows)
    except TypeError:
        return sorted(rows, key=lambda row: [value or "" for value in row])


def _names(values: Iterable[Any]) -> Iterable[str]:
    """Names and enumerations are what they print."""
    return map(str, values)


def _amount_texts(values: Iterable[Any]) -> Iterable[str]:
    return map(str, map(EXACT.normalize, values))


_TEXTS: Final[Mapping[type, Callable[[Iterable[Any]], Iterable[str | None]]]] = {
    Decimal: _amount_texts,
    datetime: lambda values: map(format_time, values),
    type(None): lambda values: values,
}
_FIELDS: Final = {
    row_type: [attrgetter(field.name) for field in fields(row_type)] for row_type in (Fill, Order)
}
