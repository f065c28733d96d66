"""Places of values in a text that was read as JSON: walked by Python's own decoder.

The decoder says where each value ends. Only the lines of rows that differ are asked for.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

_SPACE: Final = re.compile(r"[\s,:]*")
_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str)


def line_counter(text: str) -> Callable[[int], int]:
    """Return a function from places in a text, asked for in their order, to lines from 1."""
    line, last = 1, 0

    def line_of(place: int) -> int:
        nonlocal line, last
        line += text.count("\n", last, place) if place >= last else -text.count("\n", place, last)
        last = place
        return line

    return line_of


def place_of(text: str, *path: str) -> int | None:
    """Return the place of the value at a path of names; `None` where there is none."""
    at: int | None = after_space(text, 0)
    for name in path:
        at = None if at is None else dict(members(text, at)).get(name)
    return at


def members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Yield the members of an object: names and places of values; of no object none."""
    at = after_space(text, start + 1) if text[start : start + 1] == "{" else len(text)
    while at < len(text) and text[at] == '"':
        name, at = _DECODER.raw_decode(text, at)
        at = after_space(text, at)
        yield name, at
        _, at = _DECODER.raw_decode(text, at)
        at = after_space(text, at)


def elements(text: str, start: int) -> Iterator[tuple[int, Any]]:
    """Yield the elements of a list: places and values, numbers as text; of no list none."""
    at = after_space(text, start + 1) if text[start : start + 1] == "[" else len(text)
    while at < len(text) and text[at] != "]":
        place = at
        value, at = _DECODER.raw_decode(text, at)
        yield place, value
        at = after_space(text, at)


def value_at(text: str, place: int) -> Any:
    """Return the value at a place, numbers as text."""
    return _DECODER.raw_decode(text, place)[0]


def after_space(text: str, at: int) -> int:
    """Return the place of what follows white space and separators."""
    match = _SPACE.match(text, at)
    return at if match is None else match.end()
