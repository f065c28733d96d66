"""The digest of equal fills, as `EqualRows` has it, without making a row of each.

DuckDB sorts the rows and writes each as the JSON list that Python would write. It takes plain
characters only: where a text has any other, rows are made.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from typing import Final

from recon_core.columns.database import ColumnsError
from recon_core.columns.fill_columns import AMOUNTS, FillColumns, listed
from recon_core.model import Fill

_NAMES: Final = tuple(field.name for field in fields(Fill))
_PLAIN: Final = r"'[ !#-\[\]-~]*'"
"""Characters that JSON writes as they are."""


def digest_without(columns: FillColumns, numbers: Sequence[int], *, plain: bool) -> str:
    """Return the SHA-256 of the rows of a table but for some; raises `ColumnsError`.

    No two of them have one id and one symbol, nor, unless `plain`, one account with both.
    """
    kept = f" WHERE number NOT IN ({listed(numbers)})" if numbers else ""
    places = {name: columns.amount(name).places for name in AMOUNTS}
    texts = {name: _amount_text(name, places[name]) for name in AMOUNTS} | {"time": _TIME_TEXT}
    # The first two decide nearly always, and alone where accounts are no part of a key.
    order = ["fill_id", "symbol"] if plain else [texts.get(name, name) for name in _NAMES]
    query = (
        f"SELECT {_json(columns, texts)} FROM (SELECT * FROM {columns.selected(*_NAMES)}{kept} "
        f"ORDER BY {', '.join(f'{name} NULLS FIRST' for name in order)})"
    )
    digest, separator = hashlib.sha256(b"["), ""
    for part in columns.parts(query):
        written = [row for (row,) in part]
        if None in written:
            raise ColumnsError("a text has characters that JSON escapes")
        digest.update(f"{separator}{', '.join(written)}".encode("ascii"))
        separator = ", "
    digest.update(b"]")
    return digest.hexdigest()


def _json(columns: FillColumns, texts: dict[str, str]) -> str:
    """A row as a JSON list; `NULL` where a text has characters that are not plain."""
    free = [name for name in _NAMES if name in columns.texts and name not in ("side", "leg")]
    plain = " AND ".join(f"regexp_full_match(coalesce({name}, ''), {_PLAIN})" for name in free)
    values = " || ', ' || ".join(_quoted(columns, name, texts.get(name, name)) for name in _NAMES)
    return f"CASE WHEN {plain} THEN '[' || {values} || ']' END"


def _quoted(columns: FillColumns, name: str, sql: str) -> str:
    if name in ("leg", "time", *AMOUNTS) or columns.has(name):
        return f"coalesce('\"' || {sql} || '\"', 'null')"
    return "'null'"


_TIME_TEXT: Final = (
    "strftime(make_timestamp(time), '%Y-%m-%dT%H:%M:%S') || CASE WHEN time % 1000000 = 0 "
    "THEN 'Z' ELSE '.' || lpad((time % 1000000)::VARCHAR, 6, '0') || 'Z' END"
)
"""The time as `format_time` prints it: microseconds only where it has some."""


def _amount_text(name: str, places: int) -> str:
    """An amount as a normalised `Decimal` prints it: 1.5, 1E+2 for 100, 1.2E-7 for 0.00000012.

    Its digits without zeros at both ends, the exponent of the last of them, and that of the first
    decide, as in the specification of `decimal`.
    """
    written = f"abs({name})::VARCHAR"
    whole = f"ltrim(replace({written}, '.', ''), '0')"
    digits = f"rtrim({whole}, '0')"
    last = f"(length({whole}) - length({digits}) - {places})"
    first = f"({last} + length({digits}) - 1)"
    plain = f"rtrim(rtrim({written}, '0'), '.')" if places else written
    fraction = f"CASE WHEN length({digits}) > 1 THEN '.' || substr({digits}, 2) ELSE '' END"
    return (
        f"CASE WHEN {name} = 0 THEN '0' ELSE CASE WHEN {name} < 0 THEN '-' ELSE '' END || "
        f"CASE WHEN {last} <= 0 AND {first} >= -6 THEN {plain} "
        f"ELSE {digits}[1] || {fraction} || 'E' || CASE WHEN {first} < 0 THEN '' ELSE '+' END || "
        f"({first})::VARCHAR END END"
    )
