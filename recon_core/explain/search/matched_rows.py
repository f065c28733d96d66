"""Rows of two sides in pairs: by id, otherwise by all their other fields."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import compress, count
from operator import attrgetter, is_not
from typing import Final, Generic, TypeVar

from recon_core.compare.groups import without_equal
from recon_core.compare.rows.aggregation import Trades, are_equal, movement_periods
from recon_core.explain.causes.movement import PERIODIC
from recon_core.explain.problem.pairs import FEWEST_PAIRS, differing_fields
from recon_core.explain.problem.wording import row_id
from recon_core.model import Fill, Movement, MovementKind
from recon_core.model.fill_table import FillTable
from recon_core.model.matched_rows import MovementGroup

_ACCOUNT: Final = attrgetter("account")

_PAIR: Final = 2
"""Rows of a period of which each side lists one."""

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


@dataclass(frozen=True, slots=True)
class MatchedMovements:
    """Result of comparing movements, without the periods of which a side lists a single row.

    `periods`: those of movements that recur whose sums differ, the rows of the side at fault as
    `internal`.
    """

    rows: Matched[Movement]
    periods: tuple[MovementGroup, ...]


def matched_fills(
    ours: FillTable,
    theirs: FillTable,
    trades: Trades,
    account: str | None,
    in_order: Callable[[Iterable[Fill]], list[Fill]],
) -> Matched[Fill]:
    """Compare the fills of the side at fault, `ours`, with the right fills.

    The right fills count as fills of `account` where accounts are ignored. Fills of one trade in
    another number of rows, with equal sums, are no difference. `in_order` puts fills in the order
    in which they are compared.

    A surplus and a missing fill with one id are a pair if only one side uses each of their symbols:
    the symbols are then two names of one instrument.
    """
    plain = trades.plain
    mine, right = map(in_order, _unlike(ours, theirs, plain=plain))
    if plain and not set(map(_ACCOUNT, right)) <= {account}:
        right = [as_own(row, account, plain=plain) for row in right]
    found = _matched(
        *_without_the_same(mine, right),
        lambda fill: _fill_id(fill, plain=plain),
        lambda fill: _fill_content(fill, plain=plain),
        _may_be_one,
    )
    found = _without_trades(found, trades)
    found = _renamed(found, theirs.distinct("symbol"), ours.distinct("symbol"))
    # What is not compared is equal on both sides, ids included.
    if len(mine) < len(ours) or _share_ids(mine, right):
        return found
    return _paired_without_ids(found, lambda fill: _fill_fields(fill, plain=plain))


def _unlike(
    ours: FillTable, theirs: FillTable, *, plain: bool
) -> tuple[Sequence[Fill], Sequence[Fill]]:
    """Return the fills of two tables, of large tables those that may differ.

    A leg that only one side names is a difference here.
    """
    is_one_leg = len(ours.distinct("leg") | theirs.distinct("leg")) <= 1
    found = ours.unlike(theirs, plain=plain) if is_one_leg else None
    return (ours, theirs) if found is None else found


def _without_trades(found: Matched[Fill], trades: Trades) -> Matched[Fill]:
    """Return `found` without the fills of one trade that sum to the same on both sides."""
    changed = [pair for pair in found.differing if pair[0].quantity != pair[1].quantity]
    ours = [*found.surplus, *(mine for mine, _ in changed)]
    theirs = [*found.missing, *(right for _, right in changed)]
    if not ours or not theirs:
        return found
    groups = trades.groups(ours, theirs)
    return _without(found, {id(row) for group in groups for row in group.rows})


def _without(found: Matched[_Row], rows: Collection[int]) -> Matched[_Row]:
    """Return `found` without the rows with these `id()`."""
    if not rows:
        return found
    return Matched(
        tuple(pair for pair in found.differing if id(pair[0]) not in rows),
        tuple(row for row in found.surplus if id(row) not in rows),
        tuple(row for row in found.missing if id(row) not in rows),
    )


def _renamed(found: Matched[Fill], right: Collection[str], mine: Collection[str]) -> Matched[Fill]:
    """Return `found` with fills paired by id whose symbols are each used by one side only."""
    missing = {fill.fill_id: fill for fill in found.missing if fill.symbol not in mine}
    pairs = [
        (fill, missing.pop(fill.fill_id))
        for fill in found.surplus
        if fill.symbol not in right and fill.fill_id in missing
    ]
    return _with_pairs(found, pairs)


def matched_movements(
    mine: Sequence[Movement], right: Sequence[Movement], *, plain: bool
) -> MatchedMovements:
    """Compare the movements of the side at fault, `mine`, with the right movements.

    Movements of one period in another number of rows, with equal sums, are no difference.
    """
    found = _matched(mine, right, lambda row: (row.movement_id, None if plain else row.account),
                     lambda row: _movement_content(row, plain=plain),
                     lambda *_: True)  # fmt: skip
    left = (
        [*rows, *(pair[at] for pair in found.differing)]
        for at, rows in enumerate((found.surplus, found.missing))
    )
    by_id = {id(row) for pair in found.differing for row in pair}
    periods = movement_periods(*left, plain=plain).values()
    equal = [one for each in periods for one in each if are_equal(one)]
    others = [
        one
        for each in periods
        if any(len(group.rows) > _PAIR for group in each)
        and each[0].rows[0].movement_kind in PERIODIC
        for one in each
        if not (are_equal(one) or by_id & set(map(id, one.rows)))
    ]
    taken = {id(row) for group in (*equal, *others) for row in group.rows}
    found = _without(found, taken)
    if not _share_ids(mine, right):
        found = _paired_without_ids(found, lambda row: _movement_fields(row, plain=plain))
    return MatchedMovements(found, tuple(others))


def _share_ids(mine: Sequence[_Row], right: Sequence[_Row]) -> bool:
    """True if a row of each side has the same id: rows with other ids are other rows then."""
    return not set(map(row_id, mine)).isdisjoint(map(row_id, right))


def _paired_without_ids(
    found: Matched[_Row], fields_of: Callable[[_Row], tuple[Hashable, ...]]
) -> Matched[_Row]:
    """Return `found` with the rows in pairs that differ in a clock and in one field at most.

    For sides of which each has ids of its own. `fields_of` gives the fields of a row but for its
    time. Rows that differ in one field, or in a time of their own, are a pair if no other row of
    either side is as they are.
    """
    if not found.surplus or not found.missing:
        return found
    late = _lateness(found, fields_of)
    fields: int = len(fields_of(found.surplus[0])) + 1
    for left_out in (None, *range(fields)):
        first = _grouped(found.surplus, partial(_key, fields_of, late, left_out))
        other = _grouped(found.missing, partial(_key, fields_of, timedelta(), left_out))
        found = _with_pairs(found, _pairs(first, other, are_single=left_out is not None))
    return found


def _key(
    fields_of: Callable[[_Row], tuple[Hashable, ...]],
    late: timedelta,
    left_out: int | None,
    row: _Row,
) -> Hashable:
    """Return the fields of a row and its time, by a clock that is `late`, without one of them."""
    fields = (*fields_of(row), row.time + late)
    return tuple(field for at, field in enumerate(fields) if at != left_out)


def _pairs(
    first: Mapping[Hashable, Sequence[_Row]],
    other: Mapping[Hashable, Sequence[_Row]],
    *,
    are_single: bool,
) -> list[tuple[_Row, _Row]]:
    """Return the rows with one key in pairs; none of several rows if `are_single`."""
    return [
        pair
        for key, rows in first.items()
        if key in other and not (are_single and len(rows) + len(other[key]) > _PAIR)
        for pair in zip(rows, other[key], strict=False)
    ]


def _with_pairs(found: Matched[_Row], pairs: Sequence[tuple[_Row, _Row]]) -> Matched[_Row]:
    left = _without(found, {id(row) for pair in pairs for row in pair})
    return Matched(found.differing + tuple(pairs), left.surplus, left.missing)


def _lateness(found: Matched[_Row], fields_of: Callable[[_Row], tuple[Hashable, ...]]) -> timedelta:
    """Return by how much the other side's clock is late for several rows, else 0."""
    first, other = (_grouped(rows, fields_of) for rows in (found.surplus, found.missing))
    late = Counter(right.time - mine.time for mine, right in _pairs(first, other, are_single=True))
    most = max(late, key=late.__getitem__, default=timedelta())
    return most if late[most] >= FEWEST_PAIRS else timedelta()


def _grouped(
    rows: Iterable[_Row], key_of: Callable[[_Row], Hashable]
) -> dict[Hashable, list[_Row]]:
    found: dict[Hashable, list[_Row]] = {}
    for row in rows:
        found.setdefault(key_of(row), []).append(row)
    return found


def without_listed_fees(
    fills: Matched[Fill], movements: Matched[Movement]
) -> tuple[Matched[Fill], Matched[Movement]]:
    """Return both without the fees that one side lists with its fills, and the other as movements.

    A fill with a fee here and without one there, and a movement of that fee there, are no
    difference. Of such a pair the other fields are compared as if its fees were equal.
    """
    listed_fees = [
        _grouped((row for row in rows if row.movement_kind is MovementKind.FEE), _place_and_amount)
        for rows in (movements.missing, movements.surplus)
    ]
    if not any(listed_fees):
        return fills, movements
    pairs, taken = list[tuple[Fill, Fill]](), set[int]()
    for mine, right in fills.differing:
        charged, listed = (mine, listed_fees[0]) if mine.fee else (right, listed_fees[1])
        fee = charged.fee.copy_negate()
        rows = listed.get((charged.fee_currency, charged.account, fee))
        if rows and not (mine.fee and right.fee):
            taken.add(id(rows.pop()))
            alike = replace(right, fee=mine.fee, fee_currency=mine.fee_currency)
            pairs += [(mine, alike)] if differing_fields(mine, alike) else []
        else:
            pairs.append((mine, right))
    return replace(fills, differing=tuple(pairs)), _without(movements, taken)


def _place_and_amount(row: Movement) -> Hashable:
    return row.currency, row.account, row.amount


def _fill_id(fill: Fill, *, plain: bool) -> Hashable:
    return (fill.symbol, fill.fill_id) if plain else (fill.account, fill.symbol, fill.fill_id)


def _fill_content(fill: Fill, *, plain: bool) -> Hashable:
    return (*_fill_fields(fill, plain=plain), fill.time)


def _fill_fields(fill: Fill, *, plain: bool) -> tuple[Hashable, ...]:
    """Return the content of a fill but for its time: place, side, quantity, price and fee."""
    place = (fill.symbol, fill.leg, None if plain else fill.account)
    charged = (fill.fee, fill.fee_currency if fill.fee else None)
    return (place, fill.side, fill.quantity, fill.price, charged)


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
    return (*_movement_fields(row, plain=plain), row.time)


def _movement_fields(row: Movement, *, plain: bool) -> tuple[Hashable, ...]:
    """Return the content of a movement but for its time: kind, place and amounts."""
    place = (row.currency, row.symbol, None if plain else row.account)
    return (row.movement_kind, place, (row.amount, row.quantity))


def _matched(
    mine: Sequence[_Row],
    right: Sequence[_Row],
    id_of: Callable[[_Row], Hashable],
    content_of: Callable[[_Row], Hashable],
    may_be_one: Callable[[_Row, _Row], bool],
) -> Matched[_Row]:
    """Drop rows equal in id and content, pair by id, then drop rows equal in content alone."""
    first, others = without_equal(mine, right, lambda row: (id_of(row), content_of(row)))
    by_id = _grouped(others, id_of)
    differing, surplus = [], []
    for row in first:
        found = by_id.get(id_of(row), [])
        place = next((at for at, other in enumerate(found) if may_be_one(row, other)), None)
        if place is None:
            surplus.append(row)
        else:
            differing.append((row, found.pop(place)))
    missing = [row for rows in by_id.values() for row in rows]
    surplus, missing = without_equal(surplus, missing, content_of)
    return Matched(tuple(differing), tuple(surplus), tuple(missing))


def _without_the_same(
    mine: Sequence[_Row], right: Sequence[_Row]
) -> tuple[Sequence[_Row], Sequence[_Row]]:
    """Drop the objects that are in both lists once each, which saves comparing them.

    Where the lists begin and end with the same objects, these are left out unseen.
    """
    first = _same_at_start(mine, right)
    mine, right = mine[first:], right[first:]
    last = _same_at_start(mine[::-1], right[::-1])
    mine, right = mine[: len(mine) - last], right[: len(right) - last]
    same = _once(mine) & _once(right)
    if not same:
        return mine, right
    return (
        [row for row in mine if id(row) not in same],
        [row for row in right if id(row) not in same],
    )


def _same_at_start(mine: Sequence[_Row], right: Sequence[_Row]) -> int:
    """Return the number of objects with which both lists begin."""
    return next(compress(count(), map(is_not, mine, right)), min(len(mine), len(right)))


def _once(rows: Sequence[_Row]) -> set[int]:
    """Return the `id()` of every object that occurs once."""
    ids = list(map(id, rows))
    found = set(ids)
    if len(found) < len(ids):
        found -= {each for each, count in Counter(ids).items() if count > 1}
    return found


def as_own(row: _Row, account: str | None, *, plain: bool) -> _Row:
    """Return a row of the other side in this side's `account` if accounts are ignored (`plain`)."""
    return replace(row, account=account) if plain and row.account != account else row
