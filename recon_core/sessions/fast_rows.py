"""Fills from a file without a file model each: what is plainly right is read at once.

A file holds many fills and little else that costs time. A list in which every row is
plainly right becomes fills here, field by field and not row by row; any other list is
left to the file models of `recon_core.sessions.schema`, which say what is wrong with it.
What is accepted is the same either way, and so are the fills: both are tested against
each other. `recon_core.sessions.json_fills` reads such rows from the text of a session.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from itertools import repeat
from operator import itemgetter
from typing import Any, Final

from recon_core.model import Fill, Leg, OrderSide
from recon_core.values.amounts import AMOUNT_PATTERN, NumberText

_TIME: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z"
# In "|1|2.5|": a bar that neither ends the text nor starts an amount or a time.
_no_amount = re.compile(rf"\|(?!\Z|{AMOUNT_PATTERN}\|)", re.ASCII).search
_no_time = re.compile(rf"\|(?!\Z|{_TIME}\|)", re.ASCII).search
_SIDES: Final = {str(side): side for side in OrderSide}
_LEGS: Final = {str(leg): leg for leg in Leg}
FIELDS: Final = tuple(field.name for field in fields(Fill))
"""Fields of a row, in the order of those of a `Fill`."""
_REQUIRED: Final = ("fill_id", "symbol", "side", "quantity", "price", "time")
_AT_ONCE: Final = 1000
"""Rows that the cache of a processor holds while each of their fields is read."""


class NotPlainError(Exception):
    """Rows that the file models have to look at."""


NOT_PLAIN: Final = (NotPlainError, KeyError, TypeError, ValueError)
"""Errors that say as much: of a field that is missing, or of another kind or value."""


class PlainFills(list[Fill]):
    """The rows of a section that are fills already."""


class _Draft:
    """A fill in the making: it lies in memory as a `Fill` does, and has none of its guards."""

    __slots__ = FIELDS


class ReadBefore:
    """Rows that were read of one side, so that the same rows of the other are the same fills.

    Sides that agree say the same in the same words more often than not.
    """

    def __init__(self) -> None:
        self._parts: dict[int, tuple[list[Any], list[Fill]]] = {}

    def fills(self, start: int, rows: list[Any]) -> list[Fill]:
        """The fills of some rows from the row `start` on."""
        known = self._parts.get(start)
        if known is not None and known[0] == rows:
            return known[1]
        made = fills_of(_RowColumns(rows))
        self._parts.setdefault(start, (rows, made))
        return made


def plain_fills(rows: Any, before: ReadBefore | None = None) -> list[Fill] | None:
    """The fills that `rows` are, `None` where one of them is not plainly right."""
    if not isinstance(rows, list):
        return None
    before = before or ReadBefore()
    try:
        starts = range(0, len(rows), _AT_ONCE)
        parts = [before.fills(start, rows[start : start + _AT_ONCE]) for start in starts]
    except NOT_PLAIN:
        return None
    return [fill for part in parts for fill in part]


class Columns(ABC):
    """Rows by field; every method gives one value for each row, or raises one of `NOT_PLAIN`."""

    @abstractmethod
    def values(self, name: str, absent: Any = None) -> Sequence[Any]:
        """Return a field's values, `absent` where a row does not have the field."""

    @abstractmethod
    def names(self, name: str) -> Sequence[str | None]:
        """Return names, `None` only where they are optional."""

    @abstractmethod
    def sides(self) -> Iterable[OrderSide]:
        """Return the side of each order."""

    @abstractmethod
    def legs(self) -> Iterable[Leg]:
        """Return legs, `NET` where a row has none."""

    @abstractmethod
    def texts(self, name: str, absent: str) -> Sequence[str]:
        """Return the texts of amounts, `absent` where a row has none."""

    def amounts(self, name: str, absent: str = "") -> list[Decimal]:
        """Exact amounts, `-0` as `0`."""
        values = self.texts(name, absent)
        text = _joined(values)
        if _no_amount(text):
            raise NotPlainError
        amounts = list(map(Decimal, values))
        return [amount or amount.copy_abs() for amount in amounts] if "-" in text else amounts

    def times(self) -> list[datetime]:
        """Times in UTC."""
        values = self.values("time")
        if _no_time(_joined(values)):
            raise NotPlainError
        return list(map(datetime.fromisoformat, values))


class _RowColumns(Columns):
    """Rows as objects of JSON, of which nothing is known."""

    def __init__(self, rows: list[Any]) -> None:
        if set(map(type, rows)) != {dict}:
            raise NotPlainError
        self.rows: list[dict[str, Any]] = rows
        self.keys: set[str] = set().union(*rows)
        if not self.keys.issubset(FIELDS):
            raise NotPlainError

    def values(self, name: str, absent: Any = None) -> list[Any]:
        """Return a field's values, `absent` where a row does not have the field."""
        if name not in self.keys and name not in _REQUIRED:
            return [absent] * len(self.rows)
        try:
            return list(map(itemgetter(name), self.rows))
        except KeyError:
            if name in _REQUIRED:
                raise
            return [row.get(name, absent) for row in self.rows]

    def names(self, name: str) -> list[str | None]:
        """Return names, `None` only where they are optional."""
        values = self.values(name)
        types = set(map(type, values))
        if types - {str, type(None)} or "" in values or (name in _REQUIRED and types != {str}):
            raise NotPlainError
        return values

    def texts(self, name: str, absent: str) -> Sequence[str]:
        """Return the texts of amounts, `absent` where a row has none."""
        values = self.values(name, absent)
        if set(map(type, values)) == {str}:
            return values
        return [_figure_text(absent if value is None else value) for value in values]

    def sides(self) -> Iterable[OrderSide]:
        """Return the side of each order."""
        return map(_SIDES.__getitem__, self.values("side"))

    def legs(self) -> Iterable[Leg]:
        """Return legs, `NET` where a row has none."""
        return map(_LEGS.__getitem__, self.values("leg", "NET"))


def _joined(texts: Sequence[str]) -> str:
    """Join texts between bars; raises `NotPlainError` where a text contains a bar."""
    text = f"|{'|'.join(texts)}|"
    if text.count("|") != len(texts) + 1:
        raise NotPlainError
    return text


def fills_of(columns: Columns) -> list[Fill]:
    """Return fills whose values are checked here, so that `Fill` does not check them again.

    Raises one of `NOT_PLAIN` for rows that the file models have to look at.
    """
    quantities = columns.amounts("quantity")
    fees, currencies = columns.amounts("fee", "0"), columns.names("fee_currency")
    if min(quantities) <= 0 or _no_currency(fees, currencies):
        raise NotPlainError
    return _made(
        len(quantities),
        columns.names("fill_id"),
        columns.names("symbol"),
        columns.sides(),
        quantities,
        columns.amounts("price"),
        columns.times(),
        fees,
        currencies,
        columns.names("client_order_id"),
        columns.names("exchange_order_id"),
        columns.names("account"),
        columns.legs(),
        columns.names("position_id"),
    )


def _no_currency(fees: list[Decimal], currencies: Sequence[str | None]) -> bool:
    """True if a fee is in no currency."""
    return None in currencies and any(
        fee and currency is None for fee, currency in zip(fees, currencies, strict=True)
    )


def _made(count: int, *columns: Iterable[Any]) -> list[Fill]:
    """Fills from their fields in the order of `Fill`."""
    drafts: list[Any] = list(map(object.__new__, repeat(_Draft, count)))
    for (
        draft,
        draft.fill_id, draft.symbol, draft.side, draft.quantity, draft.price, draft.time, draft.fee,
        draft.fee_currency, draft.client_order_id, draft.exchange_order_id, draft.account,
        draft.leg, draft.position_id,
    ) in zip(drafts, *columns, strict=True):  # fmt: skip
        draft.__class__ = Fill
    return drafts


def _figure_text(value: Any) -> str:
    """Text, or a number of JSON, which is kept as its text; any other is for the file models."""
    if isinstance(value, NumberText):
        return value.text
    if isinstance(value, str):
        return value
    raise NotPlainError
