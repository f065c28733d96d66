"""Fills from a file without a file model each: what is plainly right is read at once.

A file holds many fills and little else that costs time. A list in which every row is
plainly right becomes fills here, field by field and not row by row; any other list is
left to the file models of `recon_core.sessions.schema`, which say what is wrong with it.
What is accepted is the same either way, and so are the fills: both are tested against
each other.
"""

import re
from collections.abc import Iterable, Iterator
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
_NAMES: Final = tuple(field.name for field in fields(Fill))
_REQUIRED: Final = ("fill_id", "symbol", "side", "quantity", "price", "time")
_AT_ONCE: Final = 1000
"""Rows that the cache of a processor holds while each of their fields is read."""


class _NotPlainError(Exception):
    """Rows that the file models have to look at."""


class _Draft:
    """A fill in the making: it lies in memory as a `Fill` does, and has none of its guards."""

    __slots__ = _NAMES


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
        made = list(_fills(_Columns(rows)))
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
    except (_NotPlainError, KeyError, TypeError, ValueError):
        return None
    return [fill for part in parts for fill in part]


class _Columns:
    """Rows by field; every method gives one value for each row, or raises."""

    def __init__(self, rows: list[Any]) -> None:
        if set(map(type, rows)) != {dict}:
            raise _NotPlainError
        self.rows: list[dict[str, Any]] = rows
        self.keys: set[str] = set().union(*rows)
        if not self.keys.issubset(_NAMES):
            raise _NotPlainError

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
            raise _NotPlainError
        return values

    def amounts(self, name: str, absent: str | None = None) -> list[Decimal]:
        """Exact amounts, `-0` as `0`."""
        values = self.values(name, absent)
        if set(map(type, values)) != {str}:
            values = [_figure_text(absent if value is None else value) for value in values]
        text = _joined(values)
        if _no_amount(text):
            raise _NotPlainError
        amounts = list(map(Decimal, values))
        return [amount or amount.copy_abs() for amount in amounts] if "-" in text else amounts

    def times(self) -> list[datetime]:
        """Times in UTC."""
        values = self.values("time")
        if _no_time(_joined(values)):
            raise _NotPlainError
        return list(map(datetime.fromisoformat, values))


def _joined(texts: list[str]) -> str:
    """Join texts between bars; raises `_NotPlainError` where a text contains a bar."""
    text = f"|{'|'.join(texts)}|"
    if text.count("|") != len(texts) + 1:
        raise _NotPlainError
    return text


def _fills(columns: _Columns) -> Iterator[Fill]:
    """Fills whose values are checked here, so that `Fill` does not check them again."""
    quantities = columns.amounts("quantity")
    fees, currencies = columns.amounts("fee", "0"), columns.names("fee_currency")
    if min(quantities) <= 0 or _no_currency(fees, currencies):
        raise _NotPlainError
    return _made(
        columns.names("fill_id"),
        columns.names("symbol"),
        map(_SIDES.__getitem__, columns.values("side")),
        quantities,
        columns.amounts("price"),
        columns.times(),
        fees,
        currencies,
        columns.names("client_order_id"),
        columns.names("exchange_order_id"),
        columns.names("account"),
        map(_LEGS.__getitem__, columns.values("leg", "NET")),
        columns.names("position_id"),
    )


def _no_currency(fees: list[Decimal], currencies: list[str | None]) -> bool:
    """True if a fee is in no currency."""
    return None in currencies and any(
        fee and currency is None for fee, currency in zip(fees, currencies, strict=True)
    )


def _made(*columns: Iterable[Any]) -> Iterator[Fill]:
    """Fills from their fields in the order of `Fill`."""
    new = object.__new__
    drafts: Iterator[Any] = map(new, repeat(_Draft))
    for (
        draft,
        draft.fill_id, draft.symbol, draft.side, draft.quantity, draft.price, draft.time, draft.fee,
        draft.fee_currency, draft.client_order_id, draft.exchange_order_id, draft.account,
        draft.leg, draft.position_id,
    ) in zip(drafts, *columns, strict=False):  # fmt: skip
        draft.__class__ = Fill
        yield draft


def _figure_text(value: Any) -> str:
    """Text, or a number of JSON, which is kept as its text; any other is for the file models."""
    if isinstance(value, NumberText):
        return value.text
    if isinstance(value, str):
        return value
    raise _NotPlainError
