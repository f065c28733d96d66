"""From the cells of a row to the fields of a session file, by a mapping.

A cell may be text or a JSON number. Amounts of a float source are taken at their
shortest decimal text. An empty cell is an absent value. A column that begins with a slash
is a JSON pointer: `/fee/currency` is in an object, or in a cell that holds JSON.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from recon_core.sessions.formats.table_amounts import Notation
from recon_core.sessions.formats.table_schema import FieldMapping, MappingFile
from recon_core.sessions.formats.table_times import Clock, zone_of
from recon_core.sessions.json_text import parse_json
from recon_core.values.amounts import EXACT, NumberText, exact_sum, format_amount
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import printable, quoted
from recon_core.values.suggestions import did_you_mean

AMOUNTS: Final = frozenset(
    {
        "quantity",
        "price",
        "fee",
        "total",
        "free",
        "locked",
        "debt",
        "settled",
        "unrealised",
        "amount",
        "value",
        "paid",
        "received",
        "mark_price",
        "filled_quantity",
        "average_price",
        "average_fill_price",
    }
)
"""Fields that are amounts; every other one is text."""
_MARKS: Final = ("/", "-", "_")
"""Marks between the two currencies of a pair."""
_CURRENCIES: Final = frozenset({"currency", "fee_currency", "paid_currency", "received_currency"})

Cells = Mapping[str, Any]
Reader = Callable[[Cells], str | None]
"""Reads one field of a row: `None` where all of its cells are empty."""


@dataclass(frozen=True, slots=True)
class Words:
    """Meanings of the words of a source; made once for a mapping."""

    meanings: Mapping[str, Mapping[str, str]]
    strict: frozenset[str]
    notation: Notation
    clock: Clock
    absent: frozenset[str]
    quotes: tuple[str, ...]

    @classmethod
    def of(cls, mapping: MappingFile) -> "Words":
        """The words of a mapping; raises `SessionError` for a time zone that is none."""
        sides = {"BUY": mapping.sides.BUY, "SELL": mapping.sides.SELL}
        meanings = {
            "symbol": mapping.symbols,
            "side": _inverted(sides, "sides"),
            "state": _inverted(mapping.states, "states"),
            "kind": _inverted(mapping.kinds, "kinds"),
            "leg": _inverted(mapping.legs, "legs"),
            **dict.fromkeys(_CURRENCIES, mapping.assets),
        }
        strict = {"side", *(name for name in ("state", "kind", "leg") if meanings[name])}
        floats = mapping.numbers == "float"
        zone = None if mapping.timezone is None else zone_of(mapping.timezone)
        return cls(
            meanings=meanings,
            strict=frozenset(strict),
            notation=Notation.of(mapping.amounts, mapping.assets, floats=floats),
            clock=Clock(mapping.time_format or ["iso"], zone),
            absent=frozenset(("", *(mapping.absent or ()))),
            quotes=tuple(mapping.quotes or ()),
        )

    @property
    def floats(self) -> bool:
        """True if the source computes in binary floats."""
        return self.notation.floats

    def meaning(self, name: str, text: str) -> str:
        """The word of the session format for a word of the source; raises `SessionError`."""
        words = self.meanings.get(name, {})
        if name in self.strict and text not in words:
            shown = did_you_mean(text, words, 10)
            raise SessionError(f"{quoted(text)} is no {name}; {shown}")
        return words.get(text, text)

    def constant(self, name: str, word: str) -> str:
        """A word that the mapping gives for every row, in the source's words or in ours."""
        if name in AMOUNTS:
            return format_amount(self.notation.amount(word))
        if name == "time":
            return self.clock.text(word, None, None)
        return self.meanings.get(name, {}).get(word, word)

    def cell(self, row: Cells, column: str) -> Any:
        """A cell, `None` for an empty one; JSON objects may leave a key out."""
        value = row.get(column) if not column.startswith("/") else _pointed(row, column)
        return None if isinstance(value, str) and value in self.absent else value


def reader(name: str, mapped: FieldMapping, words: Words) -> Reader:
    """Return the reader of one field, which raises `SessionError` naming the column."""
    columns, shown = mapped.column, " + ".join(printable(one, 60) for one in mapped.column)
    convert = _conversion(name, mapped, words)
    other = None if mapped.otherwise is None else reader(name, mapped.otherwise, words)

    def read(row: Cells) -> str | None:
        cells = [cell for column in columns if (cell := words.cell(row, column)) is not None]
        if not cells:
            return None if other is None else other(row)
        try:
            return convert(list(map(cell_text, cells)), row)
        except ReconError as error:
            raise SessionError(f"column {shown}: {error}") from None

    return read


def _conversion(name: str, mapped: FieldMapping, words: Words) -> Callable[[list[str], Cells], str]:
    if name in AMOUNTS:
        return _amount_of(name, mapped, words)
    one = _text_of(name, mapped, words)
    if name != "time":
        return lambda cells, row: words.meaning(name, one(cells, row))
    zone = None if mapped.timezone is None else zone_of(mapped.timezone)
    if mapped.timezone_column is None:
        return lambda cells, row: words.clock.text(one(cells, row), mapped.time_format, zone)
    of_row = mapped.timezone_column

    def zoned(cells: list[str], row: Cells) -> str:
        named = words.cell(row, of_row)
        own = zone if named is None else zone_of(cell_text(named))
        return words.clock.text(one(cells, row), mapped.time_format, own)

    return zoned


def _amount_of(name: str, mapped: FieldMapping, words: Words) -> Callable[[list[str], Cells], str]:
    if mapped.part is not None:
        raise SessionError(f"{name}: part: {mapped.part!r} is a text, and an amount is expected")
    changed, less = bool(mapped.replace or mapped.word), mapped.minus or ()

    def convert(cells: list[str], row: Cells) -> str:
        texts = [_changed(cell, mapped) for cell in cells] if changed else cells
        amount = exact_sum(map(words.notation.amount, texts))
        for column in less:
            cell = words.cell(row, column)
            if cell is not None:
                text = _changed(cell_text(cell), mapped)
                amount = EXACT.subtract(amount, words.notation.amount(text))
        if mapped.absolute:
            amount = amount.copy_abs()
        return format_amount(amount.copy_negate() if mapped.negate else amount)

    return convert


def _text_of(name: str, mapped: FieldMapping, words: Words) -> Callable[[list[str], Cells], str]:
    if mapped.negate or mapped.absolute or mapped.minus:
        raise SessionError(f"{name}: negate, absolute and minus are for amounts only")
    if mapped.join is None and len(mapped.column) > 1:
        raise SessionError(
            f"{name} comes from several columns; only amounts are added up, "
            'expected join = " " for texts'
        )
    join = mapped.join or ""

    def convert(cells: list[str], row: Cells) -> str:
        if len(cells) != len(mapped.column):
            raise SessionError(
                f"{len(cells)} of {len(mapped.column)} cells are given; all are joined"
            )
        if mapped.part == "unit":
            cells = list(map(words.notation.unit, cells))
            _require_spelled(cells, row, mapped.spelled)
        text = _changed(join.join(cells), mapped)
        return _part_of(text, mapped.part, words)

    return convert


def _require_spelled(units: list[str], row: Cells, column: str | None) -> None:
    """Refuse units that do not spell their pair: one that begins with a digit was cut."""
    spelled = None if column is None else row.get(column)
    if spelled is not None and "".join(units) != cell_text(spelled):
        raise SessionError(
            f"the units {', '.join(map(quoted, units))} do not spell {quoted(cell_text(spelled))}; "
            "expected a unit that begins with a digit to be listed in amounts.units"
        )


def _changed(text: str, mapped: FieldMapping) -> str:
    """Return a text after `word` and `replace`; raises `SessionError` for one of fewer words."""
    if mapped.word is not None:
        found = text.split()
        if len(found) < mapped.word:
            raise SessionError(f"{quoted(text)} has {len(found)} words; expected {mapped.word}")
        text = found[mapped.word - 1]
    for old, new in mapped.replace.items():
        text = text.replace(old, new)
    return text


def _part_of(text: str, part: str | None, words: Words) -> str:
    if part == "sign":
        amount = words.notation.amount(text)
        return "+" if amount > 0 else "-" if amount else "0"
    if part not in ("pair", "base", "quote"):
        return text
    base, quote = split_pair(text, words)
    return {"pair": f"{base}/{quote}", "base": base, "quote": quote}[part]


def split_pair(text: str, words: Words) -> tuple[str, str]:
    """Return base and quote of a pair such as BTC/EUR, BTC-EUR or XXBTZEUR, as currencies.

    A pair without a mark ends with one of `quotes`: with the longest whose base is one of
    `assets`, else with the longest. Raises `SessionError` where none of them ends it.
    """
    assets, spelled = words.notation.assets, words.meanings["symbol"].get(text, text)
    for mark in _MARKS:
        base, found, quote = spelled.partition(mark)
        if found and base and quote and mark not in quote:
            return assets.get(base, base), assets.get(quote, quote)
    ends = [one for one in words.quotes if spelled.endswith(one) and spelled != one]
    ends.sort(key=lambda one: (spelled.removesuffix(one) in assets, len(one)))
    if not ends:
        raise SessionError(f"{quoted(text)} ends with no currency of quotes; {_expected(words)}")
    base, quote = spelled.removesuffix(ends[-1]), ends[-1]
    return assets.get(base, base), assets.get(quote, quote)


def _expected(words: Words) -> str:
    shown = ", ".join(printable(one, 20) for one in words.quotes[:10])
    return f"expected one of {shown}, or the pair in symbols" if shown else "expected quotes"


def cell_text(cell: Any) -> str:
    """The text of a cell; raises `SessionError` for a list or an object."""
    if isinstance(cell, NumberText):
        return cell.text
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if not isinstance(cell, str):
        raise SessionError("holds no text and no number")
    return cell


def _pointed(row: Cells, pointer: str) -> Any:
    """The value that a JSON pointer leads to, `None` where there is none."""
    value: Any = row
    for part in pointer_parts(pointer):
        if isinstance(value, str):
            value = parse_json(value, "cell") if value else None
        if isinstance(value, list):
            value = value[int(part)] if part.isdecimal() and int(part) < len(value) else None
        elif isinstance(value, Mapping):
            value = value.get(part)
        else:
            return None
    return value


def pointer_parts(pointer: str) -> list[str]:
    """The names that a JSON pointer passes (RFC 6901)."""
    parts = pointer[1:].split("/") if pointer != "" else []
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def _inverted(table: Mapping[str, list[str]], name: str) -> dict[str, str]:
    meanings: dict[str, str] = {}
    for meaning, words in table.items():
        for word in words:
            if meanings.setdefault(word, meaning) != meaning:
                raise SessionError(f"{name}: {quoted(word)} has two meanings")
    return meanings
