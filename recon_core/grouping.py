"""Rows by their key, in the order given; every row of a key that stands twice."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

DEFAULT_MAX_ITEMS: Final = 20_000
"""Fills or orders of a session above which the equal ones are one item."""

_Row = TypeVar("_Row")
_Key = TypeVar("_Key")


def grouped(rows: Iterable[_Row], key_of: Callable[[Any], _Key]) -> dict[_Key, list[_Row]]:
    """All rows of each key; one look-up per row, and a list only per key."""
    groups: dict[_Key, list[_Row]] = {}
    for row in rows:
        key = key_of(row)
        if key in groups:
            groups[key].append(row)
        else:
            groups[key] = [row]
    return groups
