"""Places of rows in the files that they were read from, for annotations that point to them.

A session file is walked again by Python's own decoder, which says where each value ends; the
rows of a table have their line already. Only a report asks, and only for rows that differ.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from recon_core.model import CashBalance, Fill, LedgerSide, Order, Position, RecordedSession
from recon_core.model.comparison import Comparison
from recon_core.model.figures import Place
from recon_core.model.matched_rows import EqualRows
from recon_core.sessions.discovery import NATIVE_SUFFIX
from recon_core.sessions.files import read_text_file
from recon_core.sessions.tables import read_table
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable

MOST_PLACES: Final = 10
"""Places of one finding: an annotation shows one, SARIF a few more."""
_SPACE: Final = re.compile(r"[\s,:]*")
_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str)
_LINED: Final = (".csv", ".jsonl")
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "positions": ("symbol",),
    "cash": ("currency",),
    "orders": ("client_order_id", "exchange_order_id"),
    "fills": ("fill_id",),
    "movements": ("movement_id",),
}
"""By section, the fields of a row that name it."""

_Lines = Mapping[str, int]


class RowPlaces:
    """The places of the rows of one session, looked up when a comparison asks for its own."""

    def __init__(self, recorded: RecordedSession) -> None:
        self._recorded = recorded
        self._known: dict[tuple[LedgerSide, str], tuple[str, _Lines]] = {}

    def of(self, comparison: Comparison) -> tuple[Place, ...]:
        """Return where the rows of a comparison are; none where the files do not show it."""
        found = []
        for side, section, name in _rows(comparison):
            file, lines = self._lines(side, section)
            if name in lines:
                found.append(Place(side, printable(file, 500), lines[name]))
        return tuple(dict.fromkeys(found))[:MOST_PLACES]

    def _lines(self, side: LedgerSide, section: str) -> tuple[str, _Lines]:
        key = side, section
        if key not in self._known:
            self._known[key] = "", {}
            # What cannot be read again has no places; its verdict is what it was.
            with suppress(ReconError, OSError, ValueError, RecursionError):
                self._known[key] = self._read(side, section)
        return self._known[key]

    def _read(self, side: LedgerSide, section: str) -> tuple[str, _Lines]:
        record, anchor = self._recorded.side(side), self._recorded.anchor
        origin = None if record is None else record.origins.get(section)
        if origin is None:
            return anchor.name, _first(self._native.get((side, section), ()))
        path = Path(origin)
        if path.suffix not in _LINED:
            return "", {}
        rows = read_table(path.parent, path.name).numbered()
        named = ((name, line) for line, row in rows for name in _names(section, row))
        return os.path.relpath(path, anchor.parent.resolve()), _first(named)

    @cached_property
    def _native(self) -> Mapping[tuple[LedgerSide, str], list[tuple[str, int]]]:
        """The rows of a session file: names and lines by side and section."""
        anchor = self._recorded.anchor
        if not anchor.name.endswith(NATIVE_SUFFIX):
            return {}
        text = read_text_file(anchor).text
        line_of = _counting(text)
        found: dict[tuple[LedgerSide, str], list[tuple[str, int]]] = {}
        for side_name, start in _members(text, _after_space(text, 0)):
            if side_name not in tuple(LedgerSide):
                continue
            for section, at in _members(text, start):
                if section in _NAMES:
                    rows = [(name, line_of(place)) for name, place in _section(text, at, section)]
                    found[LedgerSide(side_name), section] = rows
        return found


def _rows(comparison: Comparison) -> Iterator[tuple[LedgerSide, str, str]]:
    """The rows of a comparison: their side, their section and their name."""
    if comparison.matched is None:
        for side, value in zip(LedgerSide, (comparison.internal, comparison.external), strict=True):
            if value is not None and comparison.side in (None, side):
                yield (side, *_state(value))
        return
    if isinstance(comparison.matched, EqualRows):
        return
    for side in LedgerSide:
        for row in getattr(comparison.matched, side) or ():
            yield side, *_row(row)


def _state(value: Position | CashBalance) -> tuple[str, str]:
    if isinstance(value, Position):
        return "positions", value.symbol
    return "cash", value.currency


def _row(row: Any) -> tuple[str, str]:
    if isinstance(row, Fill):
        return "fills", row.fill_id
    return ("orders", row.order_id) if isinstance(row, Order) else ("movements", row.movement_id)


def _names(section: str, row: Any) -> Iterator[str]:
    """The names of a row as its file has it."""
    if isinstance(row, Mapping):
        yield from (str(row[field]) for field in _NAMES[section] if row.get(field))


def _first(named: Iterable[tuple[str, int]]) -> _Lines:
    """Of several rows of one name the first holds."""
    lines: dict[str, int] = {}
    for name, line in named:
        lines.setdefault(name, line)
    return lines


def _counting(text: str) -> Callable[[int], int]:
    """Return a function from places in a text, asked for in their order, to lines from 1."""
    line, last = 1, 0

    def line_of(place: int) -> int:
        nonlocal line, last
        line += text.count("\n", last, place) if place >= last else -text.count("\n", place, last)
        last = place
        return line

    return line_of


def _section(text: str, start: int, section: str) -> Iterator[tuple[str, int]]:
    """The rows of a section, a list of objects or an object of amounts: names and places."""
    if text[start] == "{":
        yield from _members(text, start)
    elif text[start] == "[":
        for place, row in _elements(text, start):
            yield from ((name, place) for name in _names(section, row))


def _members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """The members of an object in a text that is known to be JSON: names, places of values."""
    at = _after_space(text, start + 1) if text[start] == "{" else len(text)
    while at < len(text) and text[at] == '"':
        name, at = _DECODER.raw_decode(text, at)
        at = _after_space(text, at)
        yield name, at
        _, at = _DECODER.raw_decode(text, at)
        at = _after_space(text, at)


def _elements(text: str, start: int) -> Iterator[tuple[int, Any]]:
    """The elements of a list: places and values."""
    at = _after_space(text, start + 1)
    while text[at] != "]":
        place = at
        value, at = _DECODER.raw_decode(text, at)
        yield place, value
        at = _after_space(text, at)


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()
