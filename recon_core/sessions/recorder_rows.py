"""Rows and declarations of a program as the session file has them.

A program has `Decimal`, whole numbers, words in any case and times; the file has text. The
kind of each field is read off the schema of the format, so that a field of the file is a field
here, and the file's own model refuses what it does not hold.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, auto
from functools import cache
from numbers import Integral, Rational, Real
from typing import Any, Final

from pydantic import ValidationError

from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Instrument,
    Movement,
    Order,
    Position,
    SessionMode,
    View,
)
from recon_core.sessions import native_rows, schema
from recon_core.sessions.native_text import (
    OTHER_NAMES,
    ROW_TYPES,
    instrument_document,
    row_document,
)
from recon_core.values.amounts import (
    NumberText,
    format_amount,
    require_amount,
    shortest_amount,
    without_exponent,
)
from recon_core.values.errors import AmountError, ReconError, SessionError
from recon_core.values.fields import FileModel, problem_text
from recon_core.values.printable import printable, quoted
from recon_core.values.suggestions import did_you_mean, suggestion
from recon_core.values.times import format_time, require_time

VALUE_TYPES: Final[Mapping[str, type]] = {
    "positions": Position,
    "cash": CashBalance,
    "orders": Order,
    "fills": Fill,
    "movements": Movement,
}
_AMOUNT_OF_NAME: Final = {"positions": ("symbol", "quantity"), "cash": ("currency", "total")}
"""Fields of a row that a mapping of names to amounts gives."""


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row as it is written, and as the file's own model read it back."""

    document: dict[str, Any]
    row: Any


def checked_row(section: str, given: Any, *, floats: bool) -> CheckedRow:
    """Return one row of a section, given as a value of the model or by its fields.

    `floats` takes binary floats at their shortest text. Raises `SessionError` with the field,
    its value and what would be accepted.
    """
    expected, row_type = VALUE_TYPES[section], ROW_TYPES[section]
    if isinstance(given, expected):
        document = row_document(section, given)
    elif isinstance(given, Mapping):
        document = _document(row_type, given, floats=floats)
    else:
        shown = printable(type(given).__name__, 60)
        raise SessionError(f"is of type {shown}; expected a {expected.__name__} or its fields")
    return CheckedRow(document, _validated(row_type, document))


def checked_states(section: str, given: Any, *, floats: bool) -> list[dict[str, Any]]:
    """Return positions or balances as they are written, from rows or names with amounts.

    Raises `SessionError` for a row that is refused, which it names or counts from 1, and for
    one key twice.
    """
    found = []
    for name, row in _named_rows(section, given):
        with named(f"{section.removesuffix('s')} {name}"):
            found.append(checked_row(section, row, floats=floats))
    native_rows.refuse_duplicates((native_rows.state_key(one.row) for one in found), section)
    return [one.document for one in found]


def _named_rows(section: str, given: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(given, Mapping):
        name_field, amount_field = _AMOUNT_OF_NAME[section]
        for name, amount in given.items():
            yield printable(name, 60), {name_field: name, amount_field: amount}
    elif isinstance(given, Iterable) and not isinstance(given, str):
        for number, row in enumerate(given, 1):
            yield str(number), row
    else:
        shown = printable(type(given).__name__, 60)
        raise SessionError(
            f"{section}: is of type {shown}; expected names with amounts, or a list of rows"
        )


@contextmanager
def named(name: str) -> Iterator[None]:
    """Begin the message of an error with the name of a row."""
    try:
        yield
    except ReconError as error:
        raise type(error)(f"{name}: {error}") from None


def instruments_of(given: Any, *, floats: bool) -> dict[str, Instrument]:
    """Return instruments by symbol, from values of the model or from symbols with fields.

    Raises `SessionError` for what is no instrument.
    """
    rows = given.items() if isinstance(given, Mapping) else enumerate(given, 1)
    tables = {}
    for name, one in rows:
        with named(f"instruments: {printable(name, 60)}"):
            symbol, fields = _declared(name, one)
            document = _document(schema.InstrumentTable, fields, floats=floats)
            tables[text_of(symbol, "symbol")] = _validated(schema.InstrumentTable, document)
    return native_rows.instruments(tables)


def _declared(name: Any, one: Any) -> tuple[Any, Mapping[str, Any]]:
    """Return the symbol of an instrument, and its fields."""
    if isinstance(one, Instrument):
        return one.symbol, instrument_document(one)
    if isinstance(one, Mapping):
        return name, one
    shown = printable(type(one).__name__, 60)
    raise SessionError(f"is of type {shown}; expected an Instrument or its fields")


def currencies_of(given: Mapping[str, Any]) -> dict[str, Currency]:
    """Return currencies by code; raises `SessionError` for what are no decimal places."""
    tables = {}
    for code, places in given.items():
        with named(f"currencies: {printable(code, 60)}"):
            document = _document(schema.CurrencyTable, {"precision": places}, floats=False)
            tables[text_of(code, "code")] = _validated(schema.CurrencyTable, document)
    return native_rows.currencies(tables)


def mode_of(given: Any) -> SessionMode | None:
    """Return a mode, written in any case; raises `SessionError` for what is none."""
    return None if given is None else SessionMode(_choice(given, "mode", tuple(SessionMode)))


def views_of(given: Mapping[str, Any]) -> dict[str, View]:
    """Return the view of each asset; raises `SessionError` for a word that is none."""
    words = tuple(View)
    return {
        text_of(asset, "asset"): View(_choice(view, printable(asset, 60), words))
        for asset, view in given.items()
    }


def time_of(as_of: Any) -> datetime:
    """Return an `as_of` in UTC, from a time or from the text of the file.

    Raises `ReconError` for what is none.
    """
    time: datetime = _validated(schema.SnapshotTable, {"as_of": _time(as_of, "as_of")}).as_of
    return time


def text_of(given: Any, name: str) -> str:
    """Return text, or a whole number as text; raises `SessionError` for anything else."""
    if isinstance(given, Integral) and not isinstance(given, bool):
        return str(int(given))
    if not isinstance(given, str):
        raise SessionError(f"{name}: {printable(repr(given), 60)}; expected text")
    return given.value if isinstance(given, Enum) else given


class _FieldKind(Enum):
    """Kind of a field of the file."""

    AMOUNT = auto()
    COUNT = auto()
    TIME = auto()
    CHOICE = auto()
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class _Field:
    kind: _FieldKind
    choices: tuple[str, ...] = ()


@cache
def _fields(row_type: type[FileModel]) -> Mapping[str, _Field]:
    """Return the fields of a row, from the schema of the format."""
    properties = row_type.model_json_schema()["properties"]
    return {name: _field(tuple(_leaves(one))) for name, one in properties.items()}


def _leaves(one: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "anyOf" not in one:
        yield one
    for inner in one.get("anyOf", ()):
        yield from _leaves(inner)


def _field(leaves: tuple[Mapping[str, Any], ...]) -> _Field:
    types = {leaf.get("type") for leaf in leaves}
    choices = [word for leaf in leaves for word in leaf.get("enum", ())]
    choices += [leaf["const"] for leaf in leaves if "const" in leaf]
    if choices:
        return _Field(_FieldKind.CHOICE, tuple(choices))
    if "number" in types:
        return _Field(_FieldKind.AMOUNT)
    if "integer" in types:
        return _Field(_FieldKind.COUNT)
    is_time = any(leaf.get("format") == "date-time" for leaf in leaves)
    return _Field(_FieldKind.TIME if is_time else _FieldKind.TEXT)


def _document(
    row_type: type[FileModel], given: Mapping[str, Any], *, floats: bool
) -> dict[str, Any]:
    """Return the fields of a row as they are written; `None` is absent."""
    fields, document = _fields(row_type), {}
    of_model = {other: name for (owner, name), other in OTHER_NAMES.items() if owner is row_type}
    for given_name, value in given.items():
        name = of_model.get(given_name, given_name)
        if name not in fields:
            shown = printable(name, 60)
            raise SessionError(f"{shown}: unknown field; {did_you_mean(str(name), fields)}")
        if value is not None:
            document[name] = _plain(fields[name], value, name, floats=floats)
    return document


def _plain(field: _Field, value: Any, name: str, *, floats: bool) -> Any:
    match field.kind:
        case _FieldKind.AMOUNT:
            return _amount(value, name, floats=floats)
        case _FieldKind.COUNT:
            return NumberText(str(value))
        case _FieldKind.TIME:
            return _time(value, name)
        case _FieldKind.CHOICE:
            return _choice(value, name, field.choices)
    return text_of(value, name)


def _amount(value: Any, name: str, *, floats: bool) -> str:
    """Return the text of an amount; what is text already is checked by the file's model."""
    is_ratio = isinstance(value, Rational) and not isinstance(value, Integral)
    if isinstance(value, bool) or is_ratio or not isinstance(value, Decimal | Real | str):
        shown = printable(repr(value), 60)
        raise AmountError(f"{name}: {shown}; expected a Decimal, an int or text such as '5000.00'")
    try:
        if floats and not isinstance(value, Decimal | Integral):
            return format_amount(shortest_amount(str(value)))
    except AmountError as error:
        raise AmountError(f"{name}: {error}") from None
    if isinstance(value, str):
        return without_exponent(value) or value
    if isinstance(value, Decimal):
        return format_amount(require_amount(value, name))
    if not isinstance(value, Integral):
        shown = printable(value, 60)
        raise AmountError(
            f"{name}: {shown} is a binary float; expected a Decimal, an int or text such as "
            f"'{shown}'; a simulator that computes in floats says floats=True"
        )
    return format_amount(require_amount(int(value), name))


def _time(value: Any, name: str) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, datetime):
        shown = printable(repr(value), 60)
        raise SessionError(
            f"{name}: {shown} is no time; expected an aware datetime, or text such as "
            "'2026-01-01T12:00:00Z'"
        )
    return format_time(require_time(value, name))


def _choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return the word of the format that is written like `value`, in any case."""
    accepted = tuple(map(str, choices))
    word = value if isinstance(value, str) else ""
    word = word.upper() if accepted[0].isupper() else word.lower()
    if word not in accepted:
        shown = quoted(value) if isinstance(value, str) else printable(repr(value), 60)
        near = suggestion(word, accepted)
        raise SessionError(f"{name}: {shown}; expected one of {', '.join(accepted)}{near}")
    return word


def _validated(row_type: type[FileModel], document: Mapping[str, Any]) -> Any:
    try:
        return row_type.model_validate(document)
    except ValidationError as error:
        raise SessionError(problem_text(error, whole="the row")) from None
