"""Tables of a mapping, each opened once, and the rows of them that no section takes."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from recon_core.model import InputFile
from recon_core.sessions.files import MissingListError
from recon_core.sessions.formats.table_cells import Words, cell_text, pointer_parts
from recon_core.sessions.formats.table_rows import (
    WIDE_NAME,
    WIDE_VALUE,
    Row,
    is_selected,
    joined_columns,
    starred,
)
from recon_core.sessions.formats.table_schema import (
    ROW_TYPES,
    FieldMapping,
    FileShape,
    MappingFile,
    RowSelection,
    TableMapping,
)
from recon_core.sessions.tables import FileForm, Table, read_table
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable, quoted
from recon_core.values.suggestions import suggestion

_LEG: Final = re.compile(r"^(?:paid|received|other)\.")
_MOST_WORDS: Final = 5
"""Kinds of rows that a note on rows in no section lists."""


@dataclass(slots=True)
class Source:
    """One table and the rows of it that a section took, a byte each."""

    name: str
    table: Table
    selections: list[RowSelection] = field(default_factory=list)
    taken: bytearray = field(default_factory=bytearray)

    def rows(self, table: TableMapping, words: Words, *, counts: bool) -> Iterator[Row]:
        """Yield the rows that a table takes; with `counts` they are rows of its section.

        States are read off rows that are events of their own, so they take none.
        """
        selected = is_selected(table, words)
        _require_columns(self, table, selected)
        return self._selected(table, selected, counts=counts)

    def claim(self, selection: RowSelection, words: Words) -> None:
        """Take the rows of a selection, so that no note names them."""
        for _ in self._selected(selection, is_selected(selection, words), counts=True):
            pass

    def _selected(
        self, selection: RowSelection, selected: Callable[[Any], bool], *, counts: bool
    ) -> Iterator[Row]:
        if counts:
            self.selections.append(selection)
        for place, (number, row) in enumerate(self.table.numbered()):
            if not isinstance(row, dict):
                raise SessionError(f'row {number} is no object; expected one like {{"price": 1}}')
            try:
                is_taken = selected(row)
            except SessionError as error:
                raise SessionError(f"row {number}: {error}") from None
            if is_taken:
                if counts:
                    self._take(place)
                yield number, row

    def _take(self, place: int) -> None:
        if place >= len(self.taken):
            self.taken.extend(bytes(place + 1 - len(self.taken)))
        self.taken[place] = 1

    def unclaimed(self) -> Iterator[Row]:
        """Yield the rows that no selection has taken."""
        for place, row in enumerate(self.table.numbered()):
            if place >= len(self.taken) or not self.taken[place]:
                yield row


@dataclass(slots=True)
class Sources:
    """Every table of one mapping whose paths begin in `place`, inside `root`.

    `given` is the path of every table without one, for shipped formats.
    """

    mapping: MappingFile
    words: Words
    root: Path
    place: Path
    given: str | None = None
    opened: dict[tuple[str, str | None], Source] = field(default_factory=dict)

    @property
    def evidence(self) -> tuple[InputFile, ...]:
        """The files that were read, each once."""
        return tuple(dict.fromkeys(source.table.evidence for source in self.opened.values()))

    def path(self, selection: RowSelection, where: str) -> str:
        """Return the path of a table; raises `SessionError` where there is none."""
        path = selection.path or self.given
        if path is None:
            raise SessionError(f"{where}: path: is missing; expected the path of a table")
        return path

    def open(self, selection: RowSelection, where: str) -> Source:
        """Return the table of a section, opened once; raises `SessionError`."""
        path = self.path(selection, where)
        located = path if selection.path is None else str(self.place.relative_to(self.root) / path)
        key = (located, selection.at)
        if key not in self.opened:
            form = _form(self.mapping.file, selection.at, self._columns_of(path))
            table = read_table(self.root, located, floats=self.words.floats, form=form)
            self.opened[key] = Source(printable(path, 100), table)
        return self.opened[key]

    def _columns_of(self, path: str) -> frozenset[str]:
        """Return the columns that the mapping names of a file: those of its header line."""
        tables = [one for one in mapped_tables(self.mapping) if (one.path or self.given) == path]
        return frozenset(column for table in tables for column in required_columns(table))

    def unclaimed(self) -> Iterator[str]:
        """Yield a note on the rows of each table that no section takes; raises `SessionError`.

        A table with one selection has no such rows: it says what is wanted.
        """
        for selection in self.mapping.left_out:
            try:
                self.open(selection, "left_out").claim(selection, self.words)
            except MissingListError:
                continue  # there is nothing to leave out
        for source in self.opened.values():
            choices = [one for one in source.selections if one.where or one.unless]
            if choices and len(choices) == len(source.selections):
                if self.mapping.other_rows == "refused":
                    self._refuse_unclaimed(source, choices)
                elif len(choices) > 1:
                    yield from self._noted(source, choices)

    def _refuse_unclaimed(self, source: Source, choices: list[RowSelection]) -> None:
        first = next(source.unclaimed(), None)
        if first is not None:
            words = {word for one in choices for some in one.where.values() for word in some}
            listed = ", ".join(printable(word, 40) for word in sorted(words)[:40])
            raise SessionError(
                f"{source.name}: row {first[0]}: {self._shown(first, choices)}: is in no section; "
                f"expected {listed}"
            )

    def _noted(self, source: Source, choices: list[RowSelection]) -> Iterator[str]:
        kinds = Counter(self._shown(row, choices) for row in source.unclaimed())
        if kinds:
            listed = "; ".join(f"{n} of {one}" for one, n in kinds.most_common(_MOST_WORDS))
            yield f"{source.name}: {kinds.total()} rows are in no section: {listed}"

    def _shown(self, row: Row, choices: list[RowSelection]) -> str:
        """`type 'airdrop'`: the words of a row in the columns that decide on its section."""
        columns = dict.fromkeys(column for one in choices for column in one.where)
        return ", ".join(f"{printable(one, 40)} {self._word(row[1], one)}" for one in columns)

    def _word(self, row: dict[str, Any], column: str) -> str:
        value = self.words.cell(row, column)
        return quoted("" if value is None else cell_text(value), 40)


def mapped_tables(mapping: MappingFile) -> Iterator[TableMapping]:
    """Yield every table of a mapping."""
    for name in ROW_TYPES:
        yield from getattr(mapping, name) or ()
    for states in (mapping.opening, mapping.snapshots):
        for name in ("positions", "cash"):
            given = None if states is None else getattr(states, name)
            yield from given if isinstance(given, list) else ()


def required_columns(table: TableMapping) -> frozenset[str]:
    """Return the columns that a table must have, as its file names them."""
    mapped: list[FieldMapping] = [*table.columns.values()]
    for fee in table.fees:
        mapped += [fee.amount, fee.currency]
    names = {column for one in mapped for column in one.column}
    names |= {one for field_of in mapped for one in _named(field_of)}
    names |= {*table.where, *table.unless}
    names |= {*(table.per or ())}
    if table.join is not None:
        names |= {table.join.key, table.join.amount}
        names = {_LEG.sub("", name) for name in names}
    names = {pointer_parts(name)[0] if name.startswith("/") else name for name in names}
    return frozenset(names - {*(table.optional or ()), WIDE_NAME, WIDE_VALUE})


def _named(mapped: FieldMapping) -> Iterator[str]:
    for name in (mapped.spelled, mapped.timezone_column):
        if name is not None:
            yield name


def _form(shape: FileShape, at: str | None, columns: frozenset[str]) -> FileForm:
    return FileForm(
        kind=shape.type,
        separator=shape.separator,
        byte_order_mark=shape.byte_order_mark,
        open_end=shape.last_line == "open",
        finds_header=shape.header == "found",
        skip=frozenset(shape.skip or ()),
        columns=columns if shape.header == "found" else frozenset(),
        at=at,
    )


def _require_columns(source: Source, table: TableMapping, selected: Callable[[Any], bool]) -> None:
    """A column that the table has not is a mistake in the mapping, not an absent value."""
    known = source.table.header
    if known is None:
        rows = (row for row in source.table.read() if isinstance(row, dict) and selected(row))
        known = frozenset().union(*rows)
        if not known:
            return
    if table.wide is not None and not any(starred(table.wide.columns, one) for one in known):
        there = ", ".join(printable(name, 40) for name in sorted(known)[:20])
        raise SessionError(f"has no column like {quoted(table.wide.columns)}; there are {there}")
    missing = sorted(required_columns(table) - joined_columns(known, table))
    if missing:
        there = ", ".join(printable(name, 40) for name in sorted(known)[:20])
        more = suggestion(missing[0], sorted(known))
        raise SessionError(f"has no column {quoted(missing[0])}; there are {there}{more}")
