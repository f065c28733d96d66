"""The order in which a side's fills and movements are booked.

By time. Fills of one time are ordered by what they say and not by their place, so that a
permutation of them gives the same positions and cash: by fill id, the numbers in it as
numbers (`t9` before `t10`), then by their other fields. Movements of one time keep the
order in which they were given, and follow the fills of that time.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import compress, count
from operator import attrgetter, eq, lt
from typing import Any

from recon_core.model import Fill, Movement

_DIGITS = re.compile(r"([0-9]+)")
_time = attrgetter("time")


def in_order(fills: Iterable[Fill], movements: Iterable[Movement]) -> Iterator[Fill | Movement]:
    """Fills and movements in the order in which they are booked."""
    for step in in_steps(fills, movements):
        if isinstance(step, Movement):
            yield step
        else:
            yield from step


def in_steps(
    fills: Iterable[Fill], movements: Iterable[Movement]
) -> Iterator[list[Fill] | Movement]:
    """The same in steps: the fills between two movements are one list, which may be empty."""
    rows, start = ordered_fills(fills), 0
    for movement in sorted(movements, key=_time):
        end = bisect_right(rows, movement.time, start, key=_time)
        yield rows[start:end]
        yield movement
        start = end
    yield rows[start:]


def ordered_fills(fills: Iterable[Fill]) -> list[Fill]:
    """Fills by time, those of one time by fill id and their other fields."""
    rows = list(fills)
    times = list(map(_time, rows))
    if all(map(lt, times, times[1:])):  # as nearly always
        return rows
    rows.sort(key=_time)
    times = list(map(_time, rows))
    end = 0
    for start in compress(count(), map(eq, times, times[1:])):
        if start >= end:
            end = bisect_right(times, times[start], start)
            rows[start:end] = sorted(rows[start:end], key=tie_key)
    return rows


def tie_key(fill: Fill) -> tuple[Any, ...]:
    """Return the sort key of a fill among fills of one time."""
    return (
        natural_key(fill.fill_id),
        fill.symbol,
        fill.account or "",
        fill.leg,
        fill.position_id or "",
        fill.side,
        fill.price,
        fill.quantity,
        fill.fee,
        fill.fee_currency or "",
    )


@lru_cache(maxsize=1 << 14)  # a search asks for the same ids again and again
def natural_key(text: str) -> tuple[Any, ...]:
    """A sort key in which runs of digits count as numbers, however long they are."""
    parts = [
        (len(part.lstrip("0")), part.lstrip("0")) if number % 2 else part
        for number, part in enumerate(_DIGITS.split(text))
    ]
    return tuple(parts), text
