"""Questions about all rows of a table, each answered by one pass over some of its columns.

Rows near a difference are asked for again and again: those with its ids, at its times, of its
orders, and those at its prices. The first question reads all of them in one pass.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import repeat
from typing import Any, Final

from recon_core.columns.database import ColumnsError
from recon_core.columns.table_columns import TableColumns, listed
from recon_core.columns.times import microseconds_of
from recon_core.model import Fill
from recon_core.model.fill_table import FillKey
from recon_core.values.amounts import pad_to_places

MOST_VALUES: Final = 2_000
"""Values of a field that one question names; with more, all rows are looked at."""
_KINDS: Final = ("fill_id", "time", "order_id")
"""Fields by one of which rows are near a difference."""
_TRADE: Final = ("symbol", "price")
"""Fields by both of which they are."""
_SEPARATORS: Final = "-_.:/"

RowsWhere = Callable[[str], list[int]]
"""Makes the rows that have a condition of SQL; returns their numbers."""


@dataclass(slots=True)
class Nearby:
    """The rows of a table near a difference, which were made already.

    `rows` are the rows of both sides that differ; `asked` the values by field that were read.
    """

    columns: TableColumns
    rows_where: RowsWhere
    rows: tuple[Fill, ...] = ()
    numbers: set[int] = field(default_factory=set)
    asked: dict[str, set[Any]] = field(default_factory=dict)

    def numbers_of(self, values: Mapping[str, Collection[Any]]) -> Collection[int]:
        """Return the numbers of rows among which are all with some values of each field.

        Raises `ColumnsError` where these are too many to be asked for.
        """
        kind = next((one for one in _KINDS if one in values), None)
        names = _TRADE if kind is None and set(_TRADE) <= values.keys() else (kind,)
        if names == (None,):
            return self.rows_where(_all_of(self.columns, values))
        wanted = {str(name): set(values[str(name)]) for name in names}
        if all(some <= self.asked.get(name, set()) for name, some in wanted.items()):
            return self.numbers
        if not self.asked and len(self.rows) <= MOST_VALUES:
            for name in (*_KINDS, *_TRADE):
                near = {getattr(row, name) for row in self.rows} - {""}
                wanted[name] = wanted.get(name, set()) | near
        return self._read(wanted)

    def _read(self, wanted: Mapping[str, set[Any]]) -> Collection[int]:
        all_values = {name: self.asked.get(name, set()) | some for name, some in wanted.items()}
        clauses = [
            _all_of(self.columns, {name: all_values[name]}) for name in _KINDS if wanted.get(name)
        ]
        if wanted.get("price"):
            trades = {name: all_values[name] for name in _TRADE}
            clauses.append(f"({_all_of(self.columns, trades)})")
        self.numbers.update(self.rows_where(" OR ".join(clauses)))
        self.asked.update(all_values)
        return self.numbers


def _all_of(columns: TableColumns, values: Mapping[str, Collection[Any]]) -> str:
    """A condition that holds for all rows with some values of every field, and maybe for others."""
    if any(len(some) > MOST_VALUES for some in values.values()):
        raise ColumnsError("too many values are asked for")
    found = (_one_of(columns, name, some) for name, some in values.items())
    return " AND ".join(filter(None, found)) or "true"


def _one_of(columns: TableColumns, name: str, values: Collection[Any]) -> str:
    if not values:
        return "false"
    if name == "order_id" and "" not in values:
        ids = listed(sorted(values))
        either = (columns.text(f"{who}_order_id") for who in ("client", "exchange"))
        return f"({' OR '.join(f'{one} IN ({ids})' for one in either)})"
    if name == "time":
        return f"{columns.time} IN ({listed(sorted(map(microseconds_of, values)))})"
    if name in columns.amounts:
        return f"{columns.value(name)} IN ({', '.join(f'{value:f}' for value in values)})"
    if name in ("fill_id", "symbol", "side", "leg"):
        return f"{columns.text(name)} IN ({listed(sorted(map(str, values)))})"
    return ""  # such as an account or an order, which rows may leave out


def fee_places(columns: TableColumns) -> dict[str | None, int]:
    """Return the most decimals that a fee which is not 0 is written with, by currency."""
    rows = columns.selected("fee_currency", "fee", *_written(columns, "fee"))
    places = "fee_places" if _written(columns, "fee") else str(columns.amount("fee").places)
    query = f"SELECT fee_currency, max({places}) FROM {rows} WHERE fee <> 0 GROUP BY 1"
    return {currency: int(most) for currency, most in columns.answer(query)}


def _written(columns: TableColumns, name: str) -> list[str]:
    return [f"{name}_places"] if columns.amount(name).written else []


def fee_samples(columns: TableColumns, most: int) -> dict[str, list[Decimal]]:
    """Return evenly spaced fees by currency, in the order of their first rows."""
    written = _written(columns, "fee")
    rows = columns.selected("fee_currency", "fee", *written)
    spaced = f"[1:many:greatest(1, many // {most})]"  # begin, end and step, counted from 1
    lists = ", ".join(f"list({name} ORDER BY number) AS {name}" for name in ("fee", *written))
    query = (
        f"SELECT currency, {', '.join(f'{name}{spaced}' for name in ('fee', *written))} FROM ("
        f"SELECT fee_currency AS currency, count(*) AS many, min(number) AS first, {lists} "
        f"FROM {rows} WHERE fee <> 0 GROUP BY 1) ORDER BY first"
    )
    found: dict[str, list[Decimal]] = {}
    for currency, fees, *places in columns.answer(query):
        each = places[0] if places else repeat(columns.amount("fee").places)
        found[currency or ""] = list(map(_as_written, fees, each))
    return found


def _as_written(amount: Decimal, places: int) -> Decimal:
    """Return an amount with the decimals that it is written with."""
    return pad_to_places(amount.quantize(Decimal(1).scaleb(-places)), places)


def price_range(columns: TableColumns, symbol: str, without: str) -> list[Decimal]:
    """Return the lowest and the highest price of a symbol, without rows by a condition of SQL."""
    value, raw = columns.value("price"), columns.amount("price").raw
    query = (
        f"SELECT arg_min({raw}, {value}), arg_max({raw}, {value}) FROM {columns.source} "
        f"WHERE {columns.text('symbol')} = {listed([symbol])} AND NOT ({without})"
    )
    ((low, high),) = columns.answer(query)
    return [] if low is None else sorted({Decimal(low), Decimal(high)})


def quantities(columns: TableColumns) -> dict[str, Decimal]:
    """Return the sum of the quantities of each symbol, those of a SELL negative."""
    query = (
        "SELECT symbol, sum(CASE WHEN side = 'BUY' THEN quantity ELSE -quantity END) "
        f"FROM {columns.selected('symbol', 'side', 'quantity')} GROUP BY 1"
    )
    return dict(columns.answer(query))


def names_parts(columns: TableColumns) -> bool:
    """True if an id may be the begin of another one, as `7` is of `7-C`."""
    any_of = " OR ".join(f"contains(fill_id, {listed([one])})" for one in _SEPARATORS)
    query = f"SELECT bool_or({any_of}) FROM {columns.selected('fill_id')}"
    ((found,),) = columns.answer(query)
    return bool(found)


def named_in_parts(columns: TableColumns) -> list[int]:
    """Return the numbers of rows whose id is the begin of another one, and of these others."""
    stem = f"regexp_extract(fill_id, '(?s)^(.+)[{_SEPARATORS[1:]}-][^{_SEPARATORS[1:]}-]*$', 1)"
    rows = columns.selected("fill_id", "symbol")
    query = (
        f"SELECT list(a.number), list(b.number) FROM {rows} a JOIN "
        f"(SELECT number, symbol, {stem} AS stem FROM {rows}) b "
        "ON a.fill_id = b.stem AND a.symbol = b.symbol"
    )
    ((wholes, others),) = columns.answer(query)
    return sorted({*(wholes or ()), *(others or ())})


@dataclass(frozen=True, slots=True)
class Charged:
    """A row with a fee: `place` among those of its position, of which `tied` have its time.

    `first` is the place of the first of these.
    """

    number: int
    time: int
    place: int
    first: int
    tied: int


def charged(
    columns: TableColumns, condition: str, side: str | None, most: int
) -> list[tuple[Charged, tuple[Any, ...]]]:
    """Return evenly spaced rows with a fee by time, each as `raw_rows` has it.

    Rows of one time are in any order.
    """
    of_side = f" AND {columns.text('side')} = {listed([side])}" if side else ""
    names = [f"c{at}" for at in range(len(columns.raw_columns))]
    raw = ", ".join(
        f"{sql} AS {name}" for sql, name in zip(columns.raw_columns, names, strict=True)
    )
    query = (
        f"SELECT c0, us, place, first, tied, {', '.join(names)} FROM ("
        "SELECT *, count(*) OVER () AS many, row_number() OVER by_time - 1 AS place, "
        "rank() OVER by_time - 1 AS first, count(*) OVER (PARTITION BY us) AS tied "
        f"FROM (SELECT {raw}, {columns.time} AS us FROM {columns.source} "
        f"WHERE {condition} AND {columns.value('fee')} <> 0{of_side}) "
        "WINDOW by_time AS (ORDER BY us)) "
        f"WHERE place % greatest(1, many // {most}) = 0 ORDER BY place"
    )
    return [(Charged(*map(int, row[:5])), row[5:]) for row in columns.answer(query)]


def of_positions(columns: TableColumns, positions: Iterable[FillKey], unnamed: str | None) -> str:
    """A condition of SQL for the rows of some positions; rows without an account are `unnamed`."""
    account = f"coalesce({columns.text('account')}, {listed([unnamed or ''])})"
    each = (
        f"({columns.text('symbol')} = {listed([symbol])} AND "
        f"{columns.text('leg')} = {listed([str(leg)])} AND {account} = {listed([name or ''])})"
        for name, symbol, leg in positions
    )
    return f"({' OR '.join(each)})"
