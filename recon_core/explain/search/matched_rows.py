"""Rows of two sides in pairs: by id, otherwise by all their other fields."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from recon_core.model import Fill, Movement

_Row = TypeVar("_Row", Fill, Movement)


@dataclass(frozen=True, slots=True)
class Matched(Generic[_Row]):
    """Result of comparing the rows of the side at fault with the right rows.

    `differing`: pairs that differ, the row of the side at fault first. `surplus`: rows that only
    the side at fault lists. `missing`: rows that only the other side lists.
    """

    differing: tuple[tuple[_Row, _Row], ...]
    surplus: tuple[_Row, ...]
    missing: tuple[_Row, ...]


def matched_fills(mine: Sequence[Fill], right: Sequence[Fill], *, plain: bool) -> Matched[Fill]:
    """Compare the fills of the side at fault, `mine`, with the right fills.

    A surplus and a missing fill with one id are a pair if only one side uses each of their symbols:
    the symbols are then two names of one instrument. `plain`: accounts are ignored.
    """
    found = _matched(
        *_without_the_same(mine, right),
        lambda fill: _fill_id(fill, plain=plain),
        lambda fill: _fill_content(fill, plain=plain),
        _may_be_one,
    )
    if not found.surplus or not found.missing:
        return found
    return _renamed(found, {fill.symbol for fill in right}, {fill.symbol for fill in mine})


def _renamed(found: Matched[Fill], right: Collection[str], mine: Collection[str]) -> Matched[Fill]:
    """Return `found` with fills paired by id whose symbols are each used by one side only."""
    missing = {fill.fill_id: fill for fill in found.missing if fill.symbol not in mine}
    pairs = [
        (fill, missing.pop(fill.fill_id))
        for fill in found.surplus
        if fill.symbol not in right and fill.fill_id in missing
    ]
    paired = {id(row) for pair in pairs for row in pair}
    return Matched(
        (*found.differing, *pairs),
        tuple(row for row in found.surplus if id(row) not in paired),
        tuple(row for row in found.missing if id(row) not in paired),
    )


def matched_movements(
    mine: Sequence[Movement], right: Sequence[Movement], *, plain: bool
) -> Matched[Movement]:
    """Compare the movements of the side at fault, `mine`, with the right movements."""
    return _matched(mine, right, lambda row: (row.movement_id, None if plain else row.account),
                    lambda row: _movement_content(row, plain=plain),
                    lambda *_: True)  # fmt: skip


def _fill_id(fill: Fill, *, plain: bool) -> Hashable:
    return (fill.symbol, fill.fill_id) if plain else (fill.account, fill.symbol, fill.fill_id)


def _fill_content(fill: Fill, *, plain: bool) -> Hashable:
    currency = fill.fee_currency if fill.fee else None
    content = (fill.symbol, fill.leg, fill.side, fill.quantity, fill.price, fill.fee, currency)
    return (*content, fill.time, None if plain else fill.account)


def _may_be_one(mine: Fill, right: Fill) -> bool:
    """True if two fills of one id may be one execution: same order, or equal figures."""
    orders = (
        (mine.client_order_id, right.client_order_id),
        (mine.exchange_order_id, right.exchange_order_id),
    )
    if not any(one and other and one != other for one, other in orders):
        return True
    figures = ((row.side, row.quantity, row.price) for row in (mine, right))
    return next(figures) == next(figures)


def _movement_content(row: Movement, *, plain: bool) -> Hashable:
    content = (row.movement_kind, row.currency, row.amount, row.symbol, row.quantity)
    return (*content, row.time, None if plain else row.account)


def _matched(
    mine: Sequence[_Row],
    right: Sequence[_Row],
    id_of: Callable[[_Row], Hashable],
    content_of: Callable[[_Row], Hashable],
    may_be_one: Callable[[_Row, _Row], bool],
) -> Matched[_Row]:
    """Drop rows equal in id and content, pair by id, then drop rows equal in content alone."""
    first, others = _without_equal(mine, right, lambda row: (id_of(row), content_of(row)))
    by_id: dict[Hashable, list[_Row]] = {}
    for row in others:
        by_id.setdefault(id_of(row), []).append(row)
    differing, surplus = [], []
    for row in first:
        found = by_id.get(id_of(row), [])
        place = next((at for at, other in enumerate(found) if may_be_one(row, other)), None)
        if place is None:
            surplus.append(row)
        else:
            differing.append((row, found.pop(place)))
    missing = [row for rows in by_id.values() for row in rows]
    surplus, missing = _without_equal(surplus, missing, content_of)
    return Matched(tuple(differing), tuple(surplus), tuple(missing))


def _without_the_same(
    mine: Sequence[_Row], right: Sequence[_Row]
) -> tuple[Sequence[_Row], Sequence[_Row]]:
    """Drop the objects that are in both lists once each, which saves comparing them."""
    same = _once(mine) & _once(right)
    if not same:
        return mine, right
    return (
        [row for row in mine if id(row) not in same],
        [row for row in right if id(row) not in same],
    )


def _once(rows: Sequence[_Row]) -> set[int]:
    """Return the `id()` of every object that occurs once."""
    ids = list(map(id, rows))
    found = set(ids)
    if len(found) < len(ids):
        found -= {each for each, count in Counter(ids).items() if count > 1}
    return found


def _without_equal(
    mine: Sequence[_Row], right: Sequence[_Row], key_of: Callable[[_Row], Hashable]
) -> tuple[list[_Row], list[_Row]]:
    """Drop pairs of rows with equal keys, each row once, and return the remaining rows of both."""
    known: dict[Hashable, list[int]] = {}
    for place, row in enumerate(right):
        known.setdefault(key_of(row), []).append(place)
    left, used = [], set()
    for row in mine:
        equal = known.get(key_of(row))
        if equal:
            used.add(equal.pop())
        else:
            left.append(row)
    return left, [row for place, row in enumerate(right) if place not in used]


def as_own(row: _Row, account: str | None, *, plain: bool) -> _Row:
    """Return a row of the other side in this side's `account` if accounts are ignored (`plain`)."""
    return replace(row, account=account) if plain and row.account != account else row
