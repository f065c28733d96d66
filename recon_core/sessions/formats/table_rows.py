"""Rows of a table as its mapping wants them: selected, joined by a key, one per column.

A row is a pair of its number and its cells. Numbers count as an editor shows the file.

Joining, by `key = "refid"` and `amount = "amount"`: the rows `T1, EUR, -400` and
`T1, BTC, 0.0045` become one row with `paid.asset` EUR and `received.asset` BTC.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from recon_core.sessions.formats.table_cells import Words, cell_text, reader
from recon_core.sessions.formats.table_schema import (
    JoinMapping,
    RowSelection,
    TableMapping,
    WideMapping,
)
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import printable, quoted
from recon_core.values.times import parse_time

Row = tuple[int, dict[str, Any]]
LEGS: Final = ("paid", "received")
_OTHER: Final = "other"
"""The leg of a row that moves nothing, such as a fee alone."""
WIDE_NAME, WIDE_VALUE = "wide.name", "wide.value"
"""Columns of the rows that `wide` makes: what the star stood for, and the cell."""


def is_selected(selection: RowSelection, words: Words) -> Callable[[Mapping[str, Any]], bool]:
    """Return what says if a row holds the words that a selection asks for."""
    where = {column: frozenset(wanted) for column, wanted in selection.where.items()}
    unless = {column: frozenset(wanted) for column, wanted in selection.unless.items()}

    def selected(row: Mapping[str, Any]) -> bool:
        return all(
            _word(row, column, words) in wanted for column, wanted in where.items()
        ) and not any(_word(row, column, words) in wanted for column, wanted in unless.items())

    return selected


def _word(row: Mapping[str, Any], column: str, words: Words) -> str:
    value = words.cell(row, column)
    return "" if value is None else cell_text(value)


def arranged(rows: Iterable[Row], table: TableMapping, words: Words) -> Iterable[Row]:
    """Return the rows of a table after `rows`, `join` and `wide`; raises `SessionError`."""
    kept = _kept(rows, table, words)
    joined = kept if table.join is None else _joined(kept, table.join, words)
    return joined if table.wide is None else _wide(joined, table, table.wide, words)


def _kept(rows: Iterable[Row], table: TableMapping, words: Words) -> Iterable[Row]:
    """Return the oldest or the newest row of each key: by its time, else by its place."""
    if table.rows == "all":
        return rows
    is_last = table.rows == "last"
    if "time" in table.columns:
        return _kept_by_time(rows, table, words, is_last=is_last)
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = words_of(row[1], table.per or (), words)
        if is_last or key not in found:
            found[key] = row
    return found.values()


@dataclass(slots=True)
class _Kept:
    """The first and the last row of the time that is kept of one key."""

    time: datetime
    first: Row
    last: Row


def _kept_by_time(
    rows: Iterable[Row], table: TableMapping, words: Words, *, is_last: bool
) -> Iterator[Row]:
    """Yield the kept rows; of equal times the later one, which a falling table has before."""
    read = reader("time", table.columns["time"], words)
    found: dict[tuple[str, ...], _Kept] = {}
    began = ended = None
    for row in rows:
        text = read(row[1])
        if text is None:
            raise SessionError(f"row {row[0]}: time: is missing")
        ended = parse_time(text)
        began = began or ended
        key = words_of(row[1], table.per or (), words)
        kept = found.get(key)
        if kept is None or (ended > kept.time if is_last else ended < kept.time):
            found[key] = _Kept(ended, row, row)
        elif ended == kept.time:
            kept.last = row
    is_falling = began is not None and ended is not None and began > ended
    for kept in found.values():
        yield kept.last if is_last != is_falling else kept.first


def words_of(row: Mapping[str, Any], columns: Iterable[str], words: Words) -> tuple[str, ...]:
    """Return the words of a row in some columns; an absent one is empty."""
    return tuple(_word(row, column, words) for column in columns)


def _joined(rows: Iterable[Row], join: JoinMapping, words: Words) -> Iterator[Row]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(_key(row, join, words), []).append(row)
    for key, group in groups.items():
        number = group[0][0]
        try:
            yield number, _event(group, join, words)
        except ReconError as error:
            shown = f"row {number}: {printable(join.key, 60)} {quoted(key)}"
            raise SessionError(f"{shown}: {error}") from None


def _key(row: Row, join: JoinMapping, words: Words) -> str:
    key = _word(row[1], join.key, words)
    if not key:
        shown = printable(join.key, 60)
        raise SessionError(f"row {row[0]}: column {shown}: is empty; expected the key to join by")
    return key


def _event(group: list[Row], join: JoinMapping, words: Words) -> dict[str, Any]:
    """Return one row of several: what they share, and each leg's columns under its name."""
    legs: dict[str, dict[str, Any]] = {}
    for number, row in group:
        amount = words.notation.amount(_word(row, join.amount, words) or "0")
        name = LEGS[amount > 0] if amount else _OTHER
        if name in legs:
            raise SessionError(
                f"row {number} is {name} again; expected one row that is paid and one received"
            )
        legs[name] = row
    missing = [name for name in LEGS if name not in legs]
    if missing:
        raise SessionError(f"no row is {missing[0]}; expected one of each")
    return dict(group[0][1]) | {
        f"{leg}.{column}": value for leg, row in legs.items() for column, value in row.items()
    }


def joined_columns(columns: Iterable[str], table: TableMapping) -> frozenset[str]:
    """Return the columns of a table under every name that a joined row gives them."""
    names = frozenset(columns)
    if table.join is None:
        return names
    return names | {f"{leg}.{name}" for leg in (*LEGS, _OTHER) for name in names}


def _wide(
    rows: Iterable[Row], table: TableMapping, wide: WideMapping, words: Words
) -> Iterator[Row]:
    """Yield a row for each column that matches and that no other field is read from."""
    named = {column for mapped in table.columns.values() for column in mapped.column}
    names = dict.fromkeys({*named, *table.where, *table.unless}, "")
    for number, row in rows:
        for column in row:
            if column not in names:
                names[column] = starred(wide.columns, column)
            if names[column] and words.cell(row, column) is not None:
                yield number, {**row, WIDE_NAME: names[column], WIDE_VALUE: row[column]}


def starred(pattern: str, column: str) -> str:
    """The part of a column in place of the star of a pattern; empty where it does not match."""
    before, star, after = pattern.partition("*")
    if not star:
        raise SessionError(f"wide.columns: {quoted(pattern)}; expected one like pos_*")
    if not (column.startswith(before) and column.endswith(after)):
        return ""
    return column[len(before) : len(column) - len(after)]
