"""The digest of equal fills, as `EqualRows` has it, without making a row of each.

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
from recon_core.columns.fill_columns import (
    AMOUNTS,
    IDS,
    MOST_NUMBERS,
    Amount,
    FillColumns,
    as_word,
    listed,
)
from recon_core.model import Fill

_NAMES: Final = tuple(field.name for field in fields(Fill))
_ALWAYS: Final = frozenset({"fill_id", "symbol", "side", *AMOUNTS, "time", "leg"})
"""Fields that every row has."""
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


def digest_without(columns: FillColumns, numbers: Sequence[int], *, plain: bool) -> str:
    """Return the SHA-256 of the rows of a table but for some; raises `ColumnsError`.

    No two of them have one id and one symbol, nor, unless `plain`, one account with both.
    """
    if len(numbers) > MOST_NUMBERS:
        raise ColumnsError("too many rows are left out")
    kept = f" WHERE number NOT IN ({listed(numbers)})" if numbers else ""
    texts = {name: _amount_text(name, columns.amount(name)) for name in AMOUNTS}
    texts["time"] = _TIME_TEXT
    # The first two decide nearly always, and alone where accounts are no part of a key.
    order = ["fill_id", "symbol"] if plain else [texts.get(name, name) for name in _NAMES]
    rows = f"SELECT * REPLACE ({_words(columns)}) FROM {columns.selected(*_NAMES)}{kept}"
    query = (
        f"SELECT {_json(columns, texts)} FROM ({rows} "
        f"ORDER BY {', '.join(f'{name} NULLS FIRST' for name in order)})"
    )
    digest, separator = hashlib.sha256(b"["), len(_SEPARATOR)
    with columns.unchanged():
        for rows in arrow_parts(query):
            digest.update(_bytes(rows.column(0))[separator:])
            separator = 0
    digest.update(b"]")
    return digest.hexdigest()


def _words(columns: FillColumns) -> str:
    """The columns of few words as their numbers, which are in the order of the words."""
    words: dict[str, set[str]] = {
        name: {word for one in columns.groups if (word := getattr(one, name)) is not None}
        for name in ("symbol", "fee_currency", "account", "leg")
    }
    words["side"] = {"BUY", "SELL"}
    return ", ".join(f"{as_word(name, found)} AS {name}" for name, found in words.items())


def _bytes(texts: Any) -> memoryview:
    """The texts of an Arrow array one after the other, as they are in memory."""
    if texts.null_count:
        raise ColumnsError("a text has characters that JSON escapes")
    _, offsets, data = texts.buffers()
    places = memoryview(offsets).cast("i")
    return memoryview(data)[places[texts.offset] : places[texts.offset + len(texts)]]


def _json(columns: FillColumns, texts: dict[str, str]) -> str:
    """A row as a JSON list; `NULL` where a text has characters that are not plain."""
    for group in columns.groups:
        words = (group.symbol, group.fee_currency, group.account)
        if not all(_plain(word or "") for word in words):
            raise ColumnsError("a name has characters that JSON escapes")
    ids = [name for name in IDS if name in columns.texts]
    plain = " AND ".join(f"regexp_full_match(coalesce({name}, ''), {text(_PLAIN)})" for name in ids)
    row = _concatenated(_quoted(columns, name, texts.get(name, name)) for name in _NAMES)
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


def _has_always(columns: FillColumns, name: str) -> bool:
    """True if every row has a value in a column by which rows are grouped."""
    return name in ("fee_currency", "account") and all(
        getattr(group, name) is not None for group in columns.groups
    )


def _quoted(columns: FillColumns, name: str, sql: str) -> _Pieces:
    """A value as JSON has it."""
    if name in _ALWAYS or _has_always(columns, name):
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
