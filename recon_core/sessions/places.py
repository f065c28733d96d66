"""Places of rows in the files that they were read from, for annotations that point to them.

A session file is walked again, the rows of a table beside it have their line already, and a side
of another format says where its rows are. Only a report asks, and only for rows that differ.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from recon_core.model import CashBalance, Fill, LedgerSide, Order, Position, RecordedSession
from recon_core.model.comparison import Comparison
from recon_core.model.figures import Place
from recon_core.model.matched_rows import EqualRows
from recon_core.model.records import WHOLE_FILE
from recon_core.sessions.directory_search import NATIVE_SUFFIX
from recon_core.sessions.files import read_text_file
from recon_core.sessions.json_places import elements, line_counter, members, place_of
from recon_core.sessions.schema import ROW_NAMES
from recon_core.sessions.tables import read_table
from recon_core.values.printable import printable
from recon_core.values.urls import url_of

MOST_PLACES: Final = 10
"""Places of one finding: an annotation shows one, SARIF a few more."""
_LINED: Final = (".csv", ".jsonl")
_Places = Mapping[str, tuple[str, int]]
"""By the name of a row its file, as seen from the session, and its line."""


class RowPlaces:
    """The places of the rows of one session, looked up when a comparison asks for its own."""

    def __init__(self, recorded: RecordedSession) -> None:
        self._recorded = recorded
        self._known: dict[tuple[LedgerSide, str], _Places] = {}

    def of(self, comparison: Comparison) -> tuple[Place, ...]:
        """Return where the rows of a comparison are; none where the files do not show it."""
        found: list[Place] = []
        if url_of(self._recorded.anchor) is not None:
            return ()  # its files are fetched while they are read, and no longer
        for side, section, name in _rows(comparison):
            places = self._places(side, section)
            place = places.get(name) or places.get(WHOLE_FILE)
            if place is not None:
                found.append(Place(side, printable(place[0], 500), place[1]))
        return tuple(dict.fromkeys(found))[:MOST_PLACES]

    def _places(self, side: LedgerSide, section: str) -> _Places:
        key = side, section
        if key not in self._known:
            self._known[key] = {}
            # What cannot be read again has no places; its verdict is what it was.
            with suppress(Exception):
                self._known[key] = self._read(side, section)
        return self._known[key]

    def _read(self, side: LedgerSide, section: str) -> _Places:
        record, anchor = self._recorded.side(side), self._recorded.anchor
        if record is not None and section in record.derived:
            return {}  # no row states it
        if record is not None and record.locator is not None:
            return self._first(record.locator(section))
        origin = None if record is None else record.origins.get(section)
        if origin is None:
            return self._first((n, anchor, at) for n, at in self._native.get((side, section), ()))
        return self._first(_of_table(Path(origin), section))

    def _first(self, rows: Iterable[tuple[str, Path, int]]) -> _Places:
        """Of several rows of one name the first holds."""
        directory = self._recorded.anchor.parent.resolve()
        seen: dict[Path, str] = {}
        places: dict[str, tuple[str, int]] = {}
        for name, path, line in rows:
            if path not in seen:
                seen[path] = os.path.relpath(path.parent.resolve() / path.name, directory)
            places.setdefault(name, (seen[path], line))
        return places

    @cached_property
    def _native(self) -> Mapping[tuple[LedgerSide, str], list[tuple[str, int]]]:
        """The rows of a session file: names and lines by side and section."""
        anchor = self._recorded.anchor
        if not anchor.name.endswith(NATIVE_SUFFIX):
            return {}
        text = read_text_file(anchor).text
        line_of = line_counter(text)
        found: dict[tuple[LedgerSide, str], list[tuple[str, int]]] = {}
        for side in LedgerSide:
            start = place_of(text, side)
            for section, at in () if start is None else members(text, start):
                if section in ROW_NAMES:
                    rows = [(name, line_of(place)) for name, place in _section(text, at, section)]
                    found[side, section] = rows
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
        yield from (str(row[field]) for field in ROW_NAMES[section] if row.get(field))


def _of_table(path: Path, section: str) -> Iterator[tuple[str, Path, int]]:
    """The rows of a table beside a session file; those of Parquet have no lines."""
    if path.suffix not in _LINED:
        yield WHOLE_FILE, path, 1
        return
    for line, row in read_table(path.parent, path.name).numbered():
        yield from ((name, path, line) for name in _names(section, row))


def _section(text: str, start: int, section: str) -> Iterator[tuple[str, int]]:
    """The rows of a section, a list of objects or an object of amounts: names and places."""
    yield from members(text, start)
    for place, row in elements(text, start):
        yield from ((name, place) for name in _names(section, row))
