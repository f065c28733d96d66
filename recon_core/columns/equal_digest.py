"""The digest of equal rows, as `EqualRows` has it, without making a row of each.

DuckDB sorts the rows and writes each as the JSON list that Python would write. It takes plain
characters only: where a text has any other, rows are made.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import chain, groupby
from typing import Any, Final

from recon_core.columns.database import ColumnsError, arrow_parts, text
from recon_core.columns.table_columns import (
    MOST_NUMBERS,
    Amount,
    TableColumns,
    as_word,
    listed,
)

_PLAIN_PLACES: Final = 6
"""An amount that begins behind this place has an exponent."""
_PLAIN: Final = r"[ !#-\[\]-~]*"
"""Characters that JSON writes as they are."""
_SEPARATOR: Final = ", "
_plain = re.compile(_PLAIN).fullmatch


@dataclass(frozen=True, slots=True)
class _Sql:
    """A piece of a row that SQL computes; others are the same in every row."""

    sql: str

    def __str__(self) -> str:
        """The expression."""
        return self.sql


_Pieces = tuple[str | _Sql, ...]


def digest_without(columns: TableColumns, numbers: Sequence[int], *, plain: bool) -> str:
    """Return the SHA-256 of the rows of a table but for some; raises `ColumnsError`.

    No two of them have one id and one symbol, nor, unless `plain`, one account with both.
    """
    if len(numbers) > MOST_NUMBERS:
        raise ColumnsError("too many rows are left out")
    kept = f" WHERE number NOT IN ({listed(numbers)})" if numbers else ""
    kind, names = columns.kind, _names(columns)
    texts = {name: _amount_text(name, columns.amount(name)) for name in kind.amounts}
    texts["time"] = _TIME_TEXT
    # Rows begin with their key, which decides where accounts are no part of it.
    by_key = plain and tuple(names[: len(kind.key)]) == kind.key
    order = kind.key if by_key else [texts.get(name, name) for name in names]
    rows = f"SELECT * REPLACE ({_words(columns)}) FROM {columns.selected(*names)}{kept}"
    query = (
        f"SELECT {_json(columns, names, texts)} FROM ({rows} "
        f"ORDER BY {', '.join(f'{name} NULLS FIRST' for name in order)})"
    )
    digest, separator = hashlib.sha256(b"["), len(_SEPARATOR)
    with columns.unchanged():
        for rows in arrow_parts(query):
            digest.update(_bytes(rows.column(0))[separator:])
            separator = 0
    digest.update(b"]")
    return digest.hexdigest()


def _words(columns: TableColumns) -> str:
    """The columns of few words as their numbers, which are in the order of the words."""
    words = {name: columns.words(name) for name in columns.kind.words}
    words |= {name: set(values) for name, values in columns.kind.choices.items()}
    return ", ".join(f"{as_word(name, found)} AS {name}" for name, found in words.items())


def _bytes(texts: Any) -> memoryview:
    """The texts of an Arrow array one after the other, as they are in memory."""
    if texts.null_count:
        raise ColumnsError("a text has characters that JSON escapes")
    _, offsets, data = texts.buffers()
    places = memoryview(offsets).cast("i")
    return memoryview(data)[places[texts.offset] : places[texts.offset + len(texts)]]


def _names(columns: TableColumns) -> list[str]:
    """The fields of the model in their order, under the names of their columns."""
    return [columns.kind.column(one.name) for one in fields(columns.kind.row_type)]


def _json(columns: TableColumns, names: Sequence[str], texts: dict[str, str]) -> str:
    """A row as a JSON list; `NULL` where a text has characters that are not plain."""
    for name in columns.kind.words:
        if not all(map(_plain, columns.words(name))):
            raise ColumnsError("a name has characters that JSON escapes")
    ids = [name for name in columns.kind.ids if name in columns.texts]
    plain = " AND ".join(f"regexp_full_match(coalesce({name}, ''), {text(_PLAIN)})" for name in ids)
    row = _concatenated(_quoted(columns, name, texts.get(name, name)) for name in names)
    return f"CASE WHEN {plain} THEN {row} END"


def _concatenated(values: Iterable[_Pieces]) -> str:
    """Values as a JSON list behind a separator; each piece more costs time for every row."""
    pieces: list[str | _Sql] = [f"{_SEPARATOR}["]
    for place, value in enumerate(values):
        pieces += [_SEPARATOR, *value] if place else value
    pieces.append("]")
    arguments = (
        (text("".join(map(str, group))),) if kind is str else map(str, group)
        for kind, group in groupby(pieces, type)
    )
    return f"concat({', '.join(chain.from_iterable(arguments))})"


def _has_always(columns: TableColumns, name: str) -> bool:
    """True if every row has a value in a column."""
    kind = columns.kind
    if name in kind.required or name in kind.zeros or name in kind.default:
        return True
    return name in kind.words and columns.is_in_all(name)


def _quoted(columns: TableColumns, name: str, sql: str) -> _Pieces:
    """A value as JSON has it."""
    if _has_always(columns, name):
        return '"', _Sql(sql), '"'
    if not columns.has(name):
        return ("null",)
    return (_Sql(f"coalesce('\"' || {sql} || '\"', 'null')"),)


_TIME_TEXT: Final = (
    "CASE WHEN time % 1000000 = 0 THEN strftime(make_timestamp(time), '%Y-%m-%dT%H:%M:%SZ') "
    "ELSE strftime(make_timestamp(time), '%Y-%m-%dT%H:%M:%S.%fZ') END"
)
"""The time in the text of `format_time`: microseconds only where it has some."""


def _amount_text(name: str, amount: Amount) -> str:
    """An amount in the text of a normalised `Decimal`: 1.5, 1E+2 for 100, 1.2E-7 for 0.00000012.

    A cast to fewer places that changes nothing leaves a zero out, which is quicker than to look
    for zeros in a text.
    """
    casts = [f"{name}::DECIMAL({amount.digits}, {places})" for places in range(amount.places + 1)]
    by_places = (
        f"WHEN {name} <> {casts[places - 1]} THEN {casts[places]}::VARCHAR "
        for places in range(amount.places, 0, -1)
    )
    whole = f"{casts[0]}::VARCHAR"
    with_exponent = _with_exponent(name, amount.places)
    is_small = (
        f"WHEN abs({name}) < 0.000001 THEN {with_exponent} "
        if amount.places > _PLAIN_PLACES
        else ""
    )
    return (
        f"CASE {is_small}{''.join(by_places)}"
        f"WHEN suffix({whole}, '0') THEN {with_exponent} ELSE {whole} END"
    )


def _with_exponent(name: str, places: int) -> str:
    """An amount that is 0, ends with a 0 before its point, or begins far behind its point.

    Its digits without zeros at both ends, the exponent of the last of them, and that of the first
    decide, as in the specification of `decimal`.
    """
    written = f"replace(abs({name})::VARCHAR, '.', '')"
    whole = f"ltrim({written}, '0')"
    digits = f"rtrim({whole}, '0')"
    last = f"(length({whole}) - length({digits}) - {places})"
    first = f"({last} + length({digits}) - 1)"
    fraction = f"CASE WHEN length({digits}) > 1 THEN '.' || substr({digits}, 2) ELSE '' END"
    return (
        f"CASE WHEN {name} = 0 THEN '0' ELSE CASE WHEN {name} < 0 THEN '-' ELSE '' END || "
        f"{digits}[1] || {fraction} || 'E' || CASE WHEN {first} < 0 THEN '' ELSE '+' END || "
        f"({first})::VARCHAR END"
    )
