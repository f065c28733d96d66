"""Trades that both sides list under different ids.

Fills are matched by id, and a bot that numbers its own has no id of the exchange: each of its
trades is missing from one side and orphaned on the other. Such rows of one symbol, order side,
quantity and price are paired in the order of their times: `bot-1` at 12:00:00 is `77012` at
12:00:01. They are named and never matched, as two trades may be equal.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from recon_core.model import Fill, LedgerSide
from recon_core.model.comparison import Comparison, ItemKind
from recon_core.model.matched_rows import MatchedFills
from recon_core.values.printable import printable

_APART: Final = timedelta(seconds=60)
"""Times of one trade that two clocks may give; as much as the `as_of` of two sides may differ."""

_OneSided = list[tuple[Fill, Comparison]]


def with_renamed_fills(
    comparisons: Iterable[Comparison], *, plain: bool
) -> tuple[list[Comparison], list[str]]:
    """Return the comparisons, each of two such rows with a note, and a note on all of them.

    `plain` says that the sides name one account in their own ways.
    """
    listed = list(comparisons)
    notes: dict[str, str] = {}
    for one, other in _pairs(listed, plain=plain):
        for (_, comparison), (fill, _), side in (
            (one, other, LedgerSide.EXTERNAL),
            (other, one, LedgerSide.INTERNAL),
        ):
            differing = "id" if one[0].fee == other[0].fee else "id and fee"
            named = f"fill {printable(fill.fill_id, 60)} of the {side} side"
            notes[comparison.identity] = f"equal in all but {differing} to {named}"
    if not notes:
        return listed, []
    noted = [
        replace(each, notes=(*each.notes, notes[each.identity])) if each.identity in notes else each
        for each in listed
    ]
    return noted, [_note(len(notes) // 2)]


def _note(count: int) -> str:
    fills = "1 fill is" if count == 1 else f"{count} fills are"
    return (
        f"{fills} on both sides under different ids, equal in symbol, side, quantity and price; "
        "fills are matched by id: list the exchange's trade id as fill_id"
    )


def _pairs(
    comparisons: Iterable[Comparison], *, plain: bool
) -> Iterator[tuple[tuple[Fill, Comparison], tuple[Fill, Comparison]]]:
    ours: dict[Any, _OneSided] = defaultdict(list)
    theirs: dict[Any, _OneSided] = defaultdict(list)
    for comparison in comparisons:
        matched = comparison.matched
        if comparison.item_kind is not ItemKind.FILL or not isinstance(matched, MatchedFills):
            continue
        rows = (*matched.internal, *matched.external)
        if matched.group is None and len(rows) == 1:
            fill = rows[0]
            account = None if plain else fill.account
            found = ours if matched.internal else theirs
            key = account, fill.symbol, fill.side, fill.quantity, fill.price
            found[key].append((fill, comparison))
    for key in ours.keys() & theirs.keys():
        yield from _in_time_order(ours[key], theirs[key])


def _in_time_order(
    ours: _OneSided, theirs: _OneSided
) -> Iterator[tuple[tuple[Fill, Comparison], tuple[Fill, Comparison]]]:
    """Yield the pairs of equal trades that are about one time, the earliest first."""
    others = sorted(theirs, key=_time)
    place = 0
    for one in sorted(ours, key=_time):
        while place < len(others) and _time(one) - _time(others[place]) > _APART:
            place += 1
        if place < len(others) and _time(others[place]) - _time(one) <= _APART:
            yield one, others[place]
            place += 1


def _time(one: tuple[Fill, Comparison]) -> Any:
    return one[0].time
