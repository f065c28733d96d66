"""Amounts and times that a table has as text, as SQL: only what the session format allows."""

from typing import Final

from recon_core.columns.database import ColumnsError, answer, text
from recon_core.columns.table_columns import MOST_DIGITS, NARROW, Amount
from recon_core.values.amounts import AMOUNT_PATTERN

_TIME: Final = (
    "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z"
)


def amount_of_text(sql: str, source: str) -> Amount:
    """Return a column of text as amounts with the most digits that any row has.

    Raises `ColumnsError` where a row is no amount, or all have too many digits together.
    """
    places = f"CASE WHEN contains({sql}, '.') THEN length({sql}) - strpos({sql}, '.') ELSE 0 END"
    whole = f"length(ltrim(split_part({sql}, '.', 1), '-'))"
    query = (
        f"SELECT bool_and(regexp_full_match({sql}, {text(AMOUNT_PATTERN)})), "
        f"max({whole}), max({places}) FROM {source}"
    )
    ((is_amount, most_whole, most_places),) = answer(query)
    if is_amount is False or (most_whole or 0) + (most_places or 0) > MOST_DIGITS:
        raise ColumnsError("a text is no amount, or too long for columns")
    digits = max((most_whole or 0) + (most_places or 0), NARROW)
    value = f"{sql}::DECIMAL({digits}, {most_places or 0})"
    return Amount(value, digits, most_places or 0, sql, places)


def time_of_text(sql: str) -> str:
    """Return a column of text as microseconds since 1970, `NULL` where one is no time in UTC."""
    seconds = f"epoch_us(try_cast(replace(substr({sql}, 1, 19), 'T', ' ') AS TIMESTAMP))"
    fraction = f"rpad(substr({sql}, 21, least(length({sql}) - 21, 6)), 6, '0')::BIGINT"
    return (
        f"CASE WHEN regexp_full_match({sql}, {text(_TIME)}) THEN {seconds} + "
        f"CASE WHEN length({sql}) > 20 THEN {fraction} ELSE 0 END END"
    )
