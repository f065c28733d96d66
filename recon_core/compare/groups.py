"""Rows by their key, quickly: nearly always every key of a side is unique."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Grouped(Generic[_Row]):
    """The rows of one side: `single` by unique keys, `repeated` by all other keys."""

    single: dict[Any, _Row] = field(default_factory=dict)
    repeated: dict[Any, list[_Row]] = field(default_factory=dict)

    def all(self, key: Any) -> tuple[_Row, ...]:
        """Every row of a key, in the order given."""
        row = self.single.get(key)
        return tuple(self.repeated.get(key, ())) if row is None else (row,)

    def all_keys(self) -> dict[Any, object]:
        """Every key, in a settled order."""
        return {**self.single, **self.repeated} if self.repeated else {**self.single}


def grouped(rows: Sequence[_Row], key_of: Callable[[Any], Any]) -> Grouped[_Row]:
    """The rows of one side by their key."""
    keys = list(map(key_of, rows))
    single = dict(zip(keys, rows, strict=True))
    if len(single) == len(keys):
        return Grouped(single)
    repeated: dict[Any, list[_Row]] = {key: [] for key, count in Counter(keys).items() if count > 1}
    for key, row in zip(keys, rows, strict=True):
        if key in repeated:
            repeated[key].append(row)
    for key in repeated:
        del single[key]
    return Grouped(single, repeated)


def without_equal(
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
