"""Fills of two tables that are equal, found by one join, and the numbers of all others.

The tables are joined by the keys of their rows. Each pair is one row of the join, and so is a row
without a partner: where there are as many pairs as rows with a partner on either side, no key is
listed twice among them, since a key that one side lists n times and the other m times has n * m
pairs. Where there are more pairs, the rows of keys that a side repeats are looked for, and are
never equal.
"""

from dataclasses import dataclass
from typing import Any, Final

from recon_core.columns.database import ColumnsError
from recon_core.columns.fill_columns import AMOUNTS, MOST_DIGITS, NARROW, FillColumns, listed

_OPTIONAL: Final = ("client_order_id", "exchange_order_id")
_MOST_WORDS: Final = 10_000
"""Symbols and fee currencies that are written as numbers in the join."""


@dataclass(frozen=True, slots=True)
class Unequal:
    """Numbers of the rows that are not equal, rising, and how many are equal."""

    internal: list[int]
    external: list[int]
    equal: int


def unequal(ours: FillColumns, theirs: FillColumns, *, plain: bool) -> Unequal:
    """Compare two tables; `plain` leaves the accounts out of the keys.

    Raises `ColumnsError` where amounts of both have no common number of digits.
    """
    join = _Join(ours, theirs, plain)
    internal, external, is_unique = join.answer()
    if not is_unique:
        internal |= join.repeated("a")
        external |= join.repeated("b")
    equal = ours.count - len(internal)
    if equal != theirs.count - len(external):
        raise ColumnsError("the sides of a join do not agree")
    return Unequal(sorted(internal), sorted(external), equal)


@dataclass(frozen=True, slots=True)
class _Join:
    """The join of two tables, `a` and `b`."""

    ours: FillColumns
    theirs: FillColumns
    plain: bool

    def answer(self) -> tuple[set[int], set[int], bool]:
        """Return the rows that have no partner or one that says something else.

        The last value is true if each key with a partner is listed once on either side.
        """
        differs = f"a.number IS NULL OR b.number IS NULL OR NOT coalesce({self._same()}, false)"
        query = (
            "SELECT count(a.number), count(b.number), "
            f"list(a.number) FILTER ({differs}), list(b.number) FILTER ({differs}) "
            f"FROM {self._rows(self.ours)} a FULL JOIN {self._rows(self.theirs)} b "
            f"ON {' AND '.join(f'a.{name} = b.{name}' for name in self._key)}"
        )
        ((ours, theirs, mine, others),) = self._asked(query)
        is_unique = ours == self.ours.count and theirs == self.theirs.count
        return {*(mine or ())} - {None}, {*(others or ())} - {None}, is_unique

    def repeated(self, side: str) -> set[int]:
        """Return the rows of `a` or `b` of each key that either of them repeats."""
        keys = ", ".join(self._key)
        tables = {"a": self._rows(self.ours), "b": self._rows(self.theirs)}
        repeated = " UNION ".join(
            f"SELECT {keys} FROM {table} GROUP BY {keys} HAVING count(*) > 1"
            for table in tables.values()
        )
        query = f"SELECT number FROM {tables[side]} SEMI JOIN ({repeated}) USING ({keys})"
        return {number for (number,) in self._asked(query)}

    def _asked(self, query: str) -> list[tuple[Any, ...]]:
        with self.ours.unchanged():
            return self.theirs.answer(query)

    @property
    def _key(self) -> list[str]:
        return ["fill_id", "symbol", *([] if self.plain else ["account"])]

    def _rows(self, columns: FillColumns) -> str:
        """The columns of one table that are compared, names as short as they can be."""
        names = {
            "fill_id": columns.text("fill_id"),
            "symbol": self._coded(columns.text("symbol")),
            **({} if self.plain else {"account": f"coalesce({columns.text('account')}, '')"}),
            "is_buy": f"{columns.text('side')} = 'BUY'",
            "time": columns.time,
            "fee_currency": self._coded(columns.text("fee_currency")),
            **{name: f"{columns.value(name)}::{self._type(name)}" for name in AMOUNTS},
            **{name: columns.text(name) for name in self._both(*_OPTIONAL, "leg")},
        }
        selected = ", ".join(f"{sql} AS {name}" for name, sql in names.items())
        return f"(SELECT {columns.number} AS number, {selected} FROM {columns.source})"

    def _same(self) -> str:
        """The condition that two rows of one key say the same, as `same_fill` has it."""
        conditions = [
            *(f"a.{name} = b.{name}" for name in ("is_buy", "time", *AMOUNTS)),
            "(a.fee = 0 OR a.fee_currency = b.fee_currency)",
            *(
                f"(a.{name} = b.{name} OR a.{name} IS NULL OR b.{name} IS NULL)"
                for name in self._both(*_OPTIONAL)
            ),
            *(
                f"(a.{name} = b.{name} OR a.{name} = 'NET' OR b.{name} = 'NET')"
                for name in self._both("leg")
            ),
        ]
        return " AND ".join(conditions)

    def _both(self, *names: str) -> list[str]:
        """Return the columns that both tables have: what one does not state is no difference."""
        return [name for name in names if self.ours.has(name) and self.theirs.has(name)]

    def _type(self, name: str) -> str:
        """The type that holds the amounts of both tables; raises `ColumnsError`."""
        amounts = [columns.amount(name) for columns in (self.ours, self.theirs)]
        places = max(one.places for one in amounts)
        digits = places + max(one.digits - one.places for one in amounts)
        if digits > MOST_DIGITS:
            raise ColumnsError("amounts of both sides have too many digits together")
        return f"DECIMAL({max(digits, NARROW)}, {places})"

    def _coded(self, sql: str) -> str:
        """A symbol or a currency as a number, which takes a tenth of the memory."""
        if not self._words or len(self._words) > _MOST_WORDS:
            return sql
        return f"enum_code({sql}::ENUM({listed(self._words)}))"

    @property
    def _words(self) -> list[str]:
        groups = (*self.ours.groups, *self.theirs.groups)
        return sorted({one.symbol for one in groups} | {one.fee_currency or "" for one in groups})
