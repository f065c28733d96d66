"""Lists of fills straight from the text of a session, without an object of Python for each row.

A long session is two lists of fills and little else. They are cut out of its text, and piece by
piece of it msgspec makes rows, whose fields `recon_core.sessions.fast_rows` turns into fills; what
is left is parsed as any session is. A piece that both sides have in the same words is read once.

A text for which one of these does not hold is not read here, and what is wrong with it is said
where every text is read:

* It has no backslash, so that each quotation mark begins or ends a text, and `"fills": [` is a key
  and its list.
* The list ends at the first `]`, a piece at a `}` and the next one begins with a comma: JSON
  values end where they end, so pieces that are read whole are the list.
* No key is in a row twice. msgspec takes the last of two, but a piece of 3 rows with 9 fields each
  has 26 commas, of which 24 are between members and 2 between rows: where a piece has one comma
  less than its rows have fields, no field was lost. A comma within a text makes one more.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any, Final

import msgspec

from recon_core.model import Fill, Leg, OrderSide
from recon_core.sessions.fast_rows import (
    FIELDS,
    NOT_PLAIN,
    Columns,
    NotPlainError,
    PlainFills,
    fills_of,
)

_AT_ONCE: Final = 100_000
"""Characters of a piece: some 500 rows, which the cache of a processor holds."""
_SPACE: Final = " \t\n\r"
_COMMA: Final = re.compile(rf"[{_SPACE}]*,")
_LIST: Final = re.compile(rf'"fills"[{_SPACE}]*:[{_SPACE}]*\[')
_Absent = msgspec.UnsetType
_ABSENT: Final = msgspec.UNSET
_Name = Annotated[str, msgspec.Meta(min_length=1)]
_OptionalName = _Name | _Absent | None


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The fields of a `FillRow`, in the order of `FIELDS`; amounts and times as their text."""

    fill_id: _Name
    symbol: _Name
    side: OrderSide
    quantity: str
    price: str
    time: str
    fee: str | _Absent | None = _ABSENT
    fee_currency: _OptionalName = _ABSENT
    client_order_id: _OptionalName = _ABSENT
    exchange_order_id: _OptionalName = _ABSENT
    account: _OptionalName = _ABSENT
    leg: Leg | _Absent = _ABSENT
    position_id: _OptionalName = _ABSENT


_OPTIONAL: Final = FIELDS[-len(_Row.__struct_defaults__) :]
_rows_of = msgspec.json.Decoder(list[_Row]).decode
_fields_of = msgspec.structs.astuple


class _TextColumns(Columns):
    """The rows of a piece; msgspec has checked names and choices."""

    def __init__(self, piece: str) -> None:
        rows = map(_fields_of, _rows_of(f"[{piece}]"))
        columns: Iterator[tuple[Any, ...]] = zip(*rows, strict=True)
        self._columns = dict(zip(FIELDS, columns, strict=True))
        self._count = len(self._columns["fill_id"])
        self._absent = {name: self._columns[name].count(_ABSENT) for name in _OPTIONAL}
        if piece.count(",") != len(FIELDS) * self._count - sum(self._absent.values()) - 1:
            raise NotPlainError

    def values(self, name: str, absent: Any = None) -> Sequence[Any]:
        """Return a field's values, `absent` where a row does not have the field."""
        missing = self._absent.get(name)
        if not missing:
            return self._columns[name]
        if missing == self._count:
            return [absent] * missing
        return [absent if value is _ABSENT else value for value in self._columns[name]]

    def texts(self, name: str, absent: str) -> Sequence[str]:
        """Return the texts of amounts, `absent` where a row has none."""
        values = self.values(name, absent)
        return (
            [absent if value is None else value for value in values] if None in values else values
        )

    def names(self, name: str) -> Sequence[str | None]:
        """Return names, `None` only where they are optional."""
        return self.values(name)

    def sides(self) -> Sequence[OrderSide]:
        """Return the side of each order."""
        return self.values("side")

    def legs(self) -> Sequence[Leg]:
        """Return legs, `NET` where a row has none."""
        return self.values("leg", Leg.NET)


@dataclass(frozen=True, slots=True)
class TextWithoutFills:
    """The text of a session with a mark in the place of each list of fills.

    A mark is a text that no file can have: it begins with NUL, which a file would have to escape.
    """

    rest: str
    lists: tuple[PlainFills, ...]

    def put_back(self, document: Any) -> None:
        """Put the lists into the document of `rest`; raises one of `NOT_PLAIN`.

        Both sides of a session have one, and no other part of it does.
        """
        if not isinstance(document, dict):
            raise NotPlainError
        missing = dict(enumerate(self.lists))
        for side in ("internal", "external"):
            table = document.get(side)
            if isinstance(table, dict) and str(table.get("fills")).startswith("\0"):
                table["fills"] = missing.pop(int(table["fills"][1:]))
        if missing:
            raise NotPlainError


def without_fills(text: str) -> TextWithoutFills | None:
    """Cut the lists of fills out of the text of a session; `None` where that cannot be done."""
    if "\\" in text:
        return None
    known: dict[str, list[Fill]] = {}
    parts: list[str] = []
    lists: list[PlainFills] = []
    end = 0
    for match in _lists(text):
        try:
            pieces = [_read(piece, known) for piece in _pieces(text, *match)]
        except (*NOT_PLAIN, msgspec.MsgspecError):
            return None
        parts += [text[end : match[0] - 1], f'"\\u0000{len(lists)}"']
        lists.append(PlainFills(chain.from_iterable(pieces)))
        end = match[1] + 1
    return TextWithoutFills("".join([*parts, text[end:]]), tuple(lists)) if lists else None


def _lists(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places after `[` and of `]` of each list of fills that is not empty."""
    at = 0
    while match := _LIST.search(text, at):
        start, at = match.end(), text.find("]", match.end())
        if at < 0:
            return
        if text[start:at].strip(_SPACE):
            yield start, at


def _pieces(text: str, start: int, last: int) -> Iterator[str]:
    """Yield the rows between two places in pieces; raises `NotPlainError` for what is no row."""
    end = text.rfind("}", start, last)
    if text[end + 1 : last].strip(_SPACE):
        raise NotPlainError
    while (cut := text.find("}", start + _AT_ONCE, end)) >= 0:
        yield text[start : cut + 1]
        comma = _COMMA.match(text, cut + 1)
        if comma is None:
            raise NotPlainError
        start = comma.end()
    yield text[start : end + 1]


def _read(piece: str, known: dict[str, list[Fill]]) -> list[Fill]:
    fills = known.get(piece)
    if fills is None:
        fills = known[piece] = fills_of(_TextColumns(piece))
    return fills
