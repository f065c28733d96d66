"""From the cells of a table to the fields of a session file, by a mapping.

A cell may be text or a JSON number. Amounts of a float source are taken at their
shortest decimal text. An empty cell is an absent value.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from recon_core.sessions.formats.table_schema import MappingFile, TableMapping
from recon_core.values.amounts import (
    NumberText,
    exact_sum,
    format_amount,
    parse_amount,
    shortest_amount,
)
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import printable, quoted
from recon_core.values.times import format_time

_AMOUNTS: Final = frozenset(
    {
        "quantity",
        "price",
        "fee",
        "total",
        "free",
        "locked",
        "filled_quantity",
        "average_price",
        "average_fill_price",
    }
)
_UNSIGNED: Final = frozenset({"quantity", "filled_quantity"})
_UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Cells = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """Meanings of the words of a source; made once for a mapping."""

    symbols: Mapping[str, str]
    sides: Mapping[str, str]
    states: Mapping[str, str]
    floats: bool
    zone: ZoneInfo | None
    time_format: str | None

    @classmethod
    def of(cls, mapping: MappingFile) -> "Words":
        """The words of a mapping; raises `SessionError` for a time zone that is none."""
        return cls(
            symbols=mapping.symbols,
            sides=_inverted({"BUY": mapping.sides.BUY, "SELL": mapping.sides.SELL}, "sides"),
            states=_inverted(mapping.states, "states"),
            floats=mapping.numbers == "float",
            zone=None if mapping.timezone is None else _zone(mapping.timezone),
            time_format=mapping.time_format,
        )


def mapped_row(row: Cells, table: TableMapping, words: Words, *, has_side: bool) -> dict[str, Any]:
    """The fields of one row as text; raises `SessionError` naming the column.

    A row that `has_side` and no column for it has the side that the sign of its
    quantity says; its quantities are taken without their sign, which must not
    contradict its side.
    """
    fields = dict(_mapped(row, table, words))
    if has_side and "quantity" in fields:
        is_sold = fields["quantity"].startswith("-")
        if fields.setdefault("side", "SELL" if is_sold else "BUY") == "BUY" and is_sold:
            raise SessionError(f"quantity {fields['quantity']} is sold, and the side is BUY")
        for name in _UNSIGNED & fields.keys():
            fields[name] = fields[name].removeprefix("-")
    return fields


def kept(row: Cells, table: TableMapping) -> bool:
    """True if a row holds the values that `where` asks for; raises `SessionError`."""
    if not isinstance(row, dict):
        raise SessionError('a row is no object; expected one like {"price": 1}')
    return all(_text(_cell(row, name)) in wanted for name, wanted in table.where.items())


def _mapped(row: Cells, table: TableMapping, words: Words) -> Iterator[tuple[str, str]]:
    for name, word in table.constants.items():
        yield name, _converted(name, word, words)
    for name, columns in table.columns.items():
        cells = [cell for column in columns if (cell := _cell(row, column)) is not None]
        if not cells:
            continue
        try:
            yield name, _field(name, cells, words)
        except ReconError as error:
            shown = " + ".join(printable(column, 60) for column in columns)
            raise SessionError(f"column {shown}: {error}") from None


def _cell(row: Cells, column: str) -> Any:
    """A cell, `None` for an empty one; JSON objects may leave a key out."""
    return None if (value := row.get(column)) in ("", None) else value


def _field(name: str, cells: list[Any], words: Words) -> str:
    if len(cells) == 1:
        return _converted(name, cells[0], words)
    if name not in _AMOUNTS:
        raise SessionError(f"{name} comes from several columns; only amounts are added up")
    return format_amount(exact_sum(_amount(cell, words) for cell in cells))


def _converted(name: str, cell: Any, words: Words) -> str:
    if name in _AMOUNTS:
        return format_amount(_amount(cell, words))
    text = _text(cell)
    return _CONVERSIONS[name](text, words) if name in _CONVERSIONS else text


def _amount(cell: Any, words: Words) -> Decimal:
    text = _text(cell)
    return shortest_amount(text) if words.floats else parse_amount(text)


def _text(cell: Any) -> str:
    if isinstance(cell, NumberText):
        return cell.text
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if cell is not None and not isinstance(cell, str):
        raise SessionError("holds no text and no number")
    return cell or ""


def _symbol(text: str, words: Words) -> str:
    return words.symbols.get(text, text)


def _side(text: str, words: Words) -> str:
    if text not in words.sides:
        raise SessionError(f"{quoted(text)} is no side; expected one of {_known(words.sides)}")
    return words.sides[text]


def _state(text: str, words: Words) -> str:
    if words.states and text not in words.states:
        raise SessionError(f"{quoted(text)} is no state; expected one of {_known(words.states)}")
    return words.states.get(text, text)


def _time(text: str, words: Words) -> str:
    moment = _aware(_moment(text, words.time_format), text, words.zone)
    try:
        return format_time(moment)
    except OverflowError:
        raise SessionError(f"{quoted(text)} is no time of the calendar") from None


def _moment(text: str, time_format: str | None) -> datetime:
    try:
        if time_format in _UNITS:
            since = Fraction(parse_amount(text)) * 10**6 / _UNITS[time_format]
            return _EPOCH + timedelta(microseconds=int(since))
        if time_format is not None:
            return datetime.strptime(text, time_format)  # noqa: DTZ007  # the zone comes next
        return datetime.fromisoformat(text)
    except (ArithmeticError, ValueError, re.error):
        wanted = "ISO 8601" if time_format is None else quoted(time_format)
        raise SessionError(f"{quoted(text)} is no time; expected {wanted}") from None


def _aware(moment: datetime, text: str, zone: ZoneInfo | None) -> datetime:
    """The moment with an offset; a local time that the clocks show twice or never is refused."""
    if moment.tzinfo is not None:
        return moment
    if zone is None:
        raise SessionError(f"{quoted(text)} has no offset; expected one, or a timezone")
    local = moment.replace(tzinfo=zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise SessionError(f"{quoted(text)} is no single moment in {printable(zone.key, 60)}")
    return local


_CONVERSIONS: Final[Mapping[str, Callable[[str, Words], str]]] = {
    "symbol": _symbol,
    "side": _side,
    "state": _state,
    "time": _time,
}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        shown = quoted(name)
        raise SessionError(f"timezone: {shown} is not known; expected a name like UTC") from None


def _inverted(table: Mapping[str, list[str]], name: str) -> dict[str, str]:
    meanings: dict[str, str] = {}
    for meaning, words in table.items():
        for word in words:
            if meanings.setdefault(word, meaning) != meaning:
                raise SessionError(f"{name}: {quoted(word)} has two meanings")
    return meanings


def _known(words: Mapping[str, str]) -> str:
    return ", ".join(printable(word, 40) for word in list(words)[:10])
