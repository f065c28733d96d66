"""The digest of equal fills, as `EqualRows` has it, without making a row of each.

DuckDB sorts the rows and writes each as the JSON list that Python would write. It takes plain
characters only: where a text has any other, rows are made.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

from recon_core.columns.database import ColumnsError, arrow_parts, text
from recon_core.columns.fill_columns import AMOUNTS, IDS, MOST_NUMBERS, Amount, FillColumns, listed
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
    query = (
        f"SELECT {_json(columns, texts)} FROM (SELECT * FROM {columns.selected(*_NAMES)}{kept} "
        f"ORDER BY {', '.join(f'{name} NULLS FIRST' for name in order)})"
    )
    digest, separator = hashlib.sha256(b"["), len(_SEPARATOR)
    with columns.unchanged():
        for rows in arrow_parts(query):
            digest.update(_bytes(rows.column(0))[separator:])
            separator = 0
    digest.update(b"]")
    return digest.hexdigest()


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
    values = ", ', ', ".join(_quoted(columns, name, texts.get(name, name)) for name in _NAMES)
    return f"CASE WHEN {plain} THEN concat({text(_SEPARATOR)}, '[', {values}, ']') END"


def _quoted(columns: FillColumns, name: str, sql: str) -> str:
    """A value as JSON has it, as arguments of a `concat`."""
    if name in _ALWAYS:
        return f"'\"', {sql}, '\"'"
    return f"coalesce('\"' || {sql} || '\"', 'null')" if columns.has(name) else "'null'"


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
