"""Field types of the file boundary, and one clear line for what they refuse.

The pydantic models of sessions and policies are built from these types. JSON
numbers arrive as `NumberText`: their text, which no float has touched.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Annotated, Any, Final, Literal, TypeVar, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    PlainValidator,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from recon_core.values.amounts import ZERO, NumberText, parse_amount
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable, quoted
from recon_core.values.suggestions import suggestion
from recon_core.values.times import parse_time

_DURATION = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?", re.ASCII)
_INTEGER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


_MOST_KEYS: Final = 64
"""More than any model has fields: what lies beyond is unknown and says nothing new."""
_AT_ONCE: Final = 100
"""Entries of an object that are checked together, so that errors do not pile up."""


class FileModel(BaseModel):
    """A row of a file: unknown keys are refused, types are not converted."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        defer_build=True,  # a model of a whole file has its own copy of the models of its rows
    )


class FileTable(FileModel):
    """An object of a file that occurs there few times; it may be of any width."""

    @model_validator(mode="before")
    @classmethod
    def _narrowed(cls, value: Any) -> Any:
        return _narrow(value)


def _narrow(value: Any) -> Any:
    """An object without most of its unknown keys: pydantic keeps an error for each."""
    if not isinstance(value, dict) or len(value) <= _MOST_KEYS:
        return value
    return dict(islice(value.items(), _MOST_KEYS))


def _narrow_rows(rows: Any) -> Any:
    if not isinstance(rows, list):
        return rows
    try:
        is_wide = max(map(len, rows), default=0) > _MOST_KEYS
    except TypeError:  # a row that is a number, true or null
        is_wide = True
    return list(map(_narrow, rows)) if is_wide else rows


def _in_parts(table: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Check an object part by part, so that the first refused one ends it."""
    if not isinstance(table, dict) or len(table) <= _AT_ONCE:
        return handler(table)
    entries, checked = iter(table.items()), dict[Any, Any]()
    while part := dict(islice(entries, _AT_ONCE)):
        checked |= handler(part)
    return checked


class _FirstRefused(FailFast):
    """Ends a list at its first refused row; hashable, as a union of annotated types requires."""

    __hash__ = object.__hash__


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
RowList = Annotated[list[_Value], _FirstRefused(), BeforeValidator(_narrow_rows)]
"""Rows, checked until the first that is refused."""

Entries = Annotated[dict[_Key, _Value], WrapValidator(_in_parts)]
"""An object whose keys are names, checked until the first part that is refused."""


def _amount(value: object) -> Decimal:
    text = value.text if isinstance(value, NumberText) else value
    if not isinstance(text, str):
        raise PydanticCustomError("amount", "expected an amount as text like '5000.00'")
    return cast("Decimal", _checked(parse_amount, text))


def _positive(value: object) -> Decimal:
    amount = _amount(value)
    if amount <= ZERO:
        raise PydanticCustomError("amount", "expected an amount above 0")
    return amount


def _not_negative(value: object) -> Decimal:
    amount = _amount(value)
    if amount < ZERO:
        raise PydanticCustomError("amount", "expected an amount of 0 or more")
    return amount


def _fraction(value: object) -> Decimal:
    amount = _not_negative(value)
    if amount >= 1:
        raise PydanticCustomError("amount", "expected a fraction below 1, like '0.005'")
    return amount


def _count(value: object) -> int:
    if not isinstance(value, NumberText) or _INTEGER.fullmatch(value.text) is None:
        raise PydanticCustomError("count", "expected a whole number of 0 or more")
    return int(value.text)


def _time(value: object) -> datetime:
    if not isinstance(value, str):
        raise PydanticCustomError("time", "expected a time as text like '2026-01-01T12:00:00Z'")
    return cast("datetime", _checked(parse_time, value))


def _duration(value: object) -> timedelta:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or not any(match.groups()):
        raise PydanticCustomError("duration", "expected a duration like 'PT60S' or 'PT5M'")
    hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _checked(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except ReconError as error:
        # The message may hold braces, which pydantic would read as a template.
        raise PydanticCustomError("recon", "{message}", {"message": str(error)}) from None


# A number is read from its text, never through a binary float.
_AMOUNT_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?$"},
        {"type": "number"},
    ]
}

Name = Annotated[str, StringConstraints(min_length=1)]
Amount = Annotated[Decimal, PlainValidator(_amount), WithJsonSchema(_AMOUNT_SCHEMA)]
PositiveAmount = Annotated[Decimal, PlainValidator(_positive), WithJsonSchema(_AMOUNT_SCHEMA)]
Limit = Annotated[Decimal, PlainValidator(_not_negative), WithJsonSchema(_AMOUNT_SCHEMA)]
FractionBelowOne = Annotated[Decimal, PlainValidator(_fraction), WithJsonSchema(_AMOUNT_SCHEMA)]
Count = Annotated[int, PlainValidator(_count), WithJsonSchema({"type": "integer", "minimum": 0})]
Time = Annotated[
    datetime, PlainValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})
]
Duration = Annotated[
    timedelta, PlainValidator(_duration), WithJsonSchema({"type": "string", "format": "duration"})
]

TAG_PREFIX = "="
"""Starts the tags of unions, so that `problem_text` can leave them out of a field's name."""

_EXPECTED = {
    "missing": "is missing",
    "section": 'expected a list, an object, or a table like {"path": "fills.csv"}',
    "string_type": "expected text",
    "string_too_short": "expected text that is not empty",
    "bool_type": "expected true or false",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
}
_OF_TABLES: Final = frozenset({"dict_type", "mapping_type", "model_type", "model_attributes_type"})


def problem_text(
    error: ValidationError,
    first_row: int = 0,
    model: type[BaseModel] | None = None,
    whole: str = "the document",
    table: str = "an object",
) -> str:
    """The first problem in words: the field, the value made safe, what is accepted.

    An unknown key is named first: other problems often follow from it. Its value is never
    printed, nor is that of a whole object. Further problems may not have been looked for.
    `first_row` is the number of the first of the rows that were checked, `model` the file
    whose keys one may have been meant, `whole` the name of all that was checked and `table` that
    of a mapping in the language of the file.
    """
    problems = error.errors(include_url=False, include_context=True)
    first = min(problems, key=lambda problem: problem["type"] != "extra_forbidden")
    more = f" (and at least {len(problems) - 1} more)" if len(problems) > 1 else ""
    location = first["loc"]
    if first_row and location and isinstance(location[0], int):
        location = (location[0] + first_row, *location[1:])
    meant = _meant(first, model) if model is not None else ""
    return f"{_field_name(location) or whole}: {_problem(first, table)}{more}{meant}"


def _meant(problem: ErrorDetails, model: type[BaseModel]) -> str:
    """Return the key of a file that is near to an unknown one."""
    if problem["type"] != "extra_forbidden" or not problem["loc"]:
        return ""
    return suggestion(str(problem["loc"][-1]), _keys(model))


@cache
def _keys(model: type[BaseModel]) -> frozenset[str]:
    """Every key that an object of a file may have, at any depth."""
    schema = model.model_json_schema()
    tables = (schema, *schema.get("$defs", {}).values())
    return frozenset(name for table in tables for name in table.get("properties", ()))


def _field_name(location: Sequence[int | str]) -> str:
    name = ""
    for part in location:
        if isinstance(part, int):
            name += f"[{part}]"
        elif part and not part.startswith(TAG_PREFIX) and part != "[key]":
            name += f".{printable(part, 60)}" if name else printable(part, 60)
    return name


def _problem(error: ErrorDetails, table: str) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return "unknown key"
    if kind in ("missing", "recon"):
        return _EXPECTED.get(kind, error["msg"])
    expected = f"expected {table}" if kind in _OF_TABLES else _EXPECTED.get(kind)
    if kind in ("enum", "literal_error"):
        expected = f"expected {error['ctx']['expected']}"
    return f"{_shown(error['input'])}; {expected or printable(error['msg'])}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, NumberText):
        return printable(value.text, 60)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return "a list" if isinstance(value, list | tuple) else "an object"


Kept = Entries[Name, Literal["position", "balance", "both"]]
"""The view that a side has of an asset, by its name; `*` is every other asset."""
