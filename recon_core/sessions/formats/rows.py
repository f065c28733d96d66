"""Values of foreign rows: JSON objects and database rows, each field by its name.

A JSON number arrives as `NumberText`, a column of a database as a float or an int.
Both are taken at their shortest decimal text; text is an exact amount. Every error
names the field and what would be accepted.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from recon_core.sessions.files import UNFORESEEN, unforeseen_text
from recon_core.values.amounts import EXACT, NumberText, parse_amount, shortest_amount
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import printable, quoted

Row = Mapping[str, Any]
_Value = TypeVar("_Value")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
"""Unit of times; digits beyond it are cut, as everywhere."""


def number(row: Row, name: str) -> Decimal:
    """A number that must be there."""
    found = optional_number(row, name)
    if found is None:
        raise SessionError(f"{name}: is missing; expected a number")
    return found


def optional_number(row: Row, name: str) -> Decimal | None:
    """A number, `None` where the field is null or not there."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, NumberText | float | int | str):
        raise SessionError(f"{name}: {quoted(value)}; expected a number")
    try:
        if isinstance(value, str):
            return parse_amount(value)
        return shortest_amount(value.text if isinstance(value, NumberText) else value)
    except ReconError as error:
        raise SessionError(f"{name}: {error}") from None


def text(row: Row, name: str) -> str:
    """Text that must be there and is not empty."""
    found = optional_text(row, name)
    if found is None:
        raise SessionError(f"{name}: is missing; expected text")
    return found


def optional_text(row: Row, name: str) -> str | None:
    """Text, `None` where the field is null, empty or not there."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        shown = value.text if isinstance(value, NumberText) else type(value).__name__
        raise SessionError(f"{name}: {printable(shown, 60)}; expected text")
    return value


def flag(row: Row, name: str) -> bool:
    """True or false, as JSON has it or as 0 and 1 of a database."""
    value = row.get(name)
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    raise SessionError(f"{name}: {quoted(value)}; expected true or false")


def milliseconds(row: Row, name: str) -> datetime | None:
    """A time in milliseconds since 1970, `None` where the field is null or not there."""
    return _since_1970(row, name, timedelta(milliseconds=1), "milliseconds")


def seconds(row: Row, name: str) -> datetime | None:
    """A time in seconds since 1970, `None` where the field is null or not there."""
    return _since_1970(row, name, timedelta(seconds=1), "seconds")


def _since_1970(row: Row, name: str, unit: timedelta, word: str) -> datetime | None:
    found = optional_number(row, name)
    if found is None:
        return None
    try:
        return _EPOCH + int(EXACT.multiply(found, Decimal(unit // _MICROSECOND))) * _MICROSECOND
    except (OverflowError, ArithmeticError):
        shown = printable(found, 60)
        raise SessionError(f"{name}: {shown} is no time; expected {word}") from None


def table(value: Any, name: str) -> Row:
    """An object that must be there."""
    if not isinstance(value, dict):
        raise SessionError(f"{name}: is missing or no object; expected an object")
    return value


def table_list(row: Row, name: str) -> list[Any]:
    """A list that must be there."""
    value = row.get(name)
    if not isinstance(value, list):
        raise SessionError(f"{name}: is missing or no list; expected a list")
    return value


def each(rows: Iterable[Any], name: str, convert: Callable[[Any], _Value]) -> list[_Value]:
    """Convert every row, which must be an object; an error names the list and the row."""
    return each_of(rows, name, lambda row: convert(table(row, "row")))


def each_of(rows: Iterable[Any], name: str, convert: Callable[[Any], _Value]) -> list[_Value]:
    """Convert every row, whatever it is; an error names the list or the file, and the row."""
    values = []
    for count, row in enumerate(rows, 1):
        try:
            values.append(convert(row))
        except (ReconError, ValueError) as error:
            raise SessionError(f"{printable(name)}: row {count}: {error}") from None
        except UNFORESEEN as error:
            text = unforeseen_text(error)
            raise SessionError(f"{printable(name)}: row {count}: {text}") from None
    return values
