"""Rows of two tables that are equal, and the numbers of all others.

Sides that are two exports of one account mostly list their rows in one order. So the first row of
one table is compared with the first of the other, the second with the second, and so on, which
costs little more than to read both. What differs there is joined by keys afterwards. That a row is
equal to the one in its place proves it equal only where no other row has its key: hashes of all
keys are looked through for that.

Where more than `MOST_NUMBERS` rows differ in place, such as behind a row that one side lacks, or
where a key is listed twice, the whole tables are joined by their keys. Each pair is one row of the
join, and so is a row without a partner: where there are as many pairs as rows with a partner on
either side, no key is listed twice among them, since a key that one side lists n times and the
other m times has n * m pairs. Where there are more pairs, the rows of keys that a side repeats are
looked for, and are never equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recon_core.columns.database import ColumnsError
from recon_core.columns.repeated import are_unique
from recon_core.columns.table_columns import (
    MOST_DIGITS,
    MOST_NUMBERS,
    NARROW,
    RowKind,
    TableColumns,
    as_word,
    listed,
)


@dataclass(frozen=True, slots=True)
class Unequal:
    """Numbers of the rows that are not equal, rising, and how many are equal."""

    internal: list[int]
    external: list[int]
    equal: int


def unequal(ours: TableColumns, theirs: TableColumns, *, plain: bool) -> Unequal:
    """Compare two tables; `plain` leaves the accounts out of the keys.

    Raises `ColumnsError` where amounts of both have no common number of digits.
    """
    tables = _Tables(ours, theirs, plain)
    internal, external = tables.by_place() or tables.by_key()
    equal = ours.count - len(internal)
    if equal != theirs.count - len(external):
        raise ColumnsError("the sides of a join do not agree")
    return Unequal(sorted(internal), sorted(external), equal)


_Numbers = tuple[set[int], set[int]]
"""Rows of ours and of theirs."""


@dataclass(frozen=True, slots=True)
class _Tables:
    """Two tables, whose columns are called `a_...` and `b_...` where both are in a query."""

    ours: TableColumns
    theirs: TableColumns
    plain: bool

    def by_place(self) -> _Numbers | None:
        """Return the rows that are not equal, `None` where a join of all has to find them."""
        left = self._apart_in_place()
        if left is None or not are_unique(self.ours, self._key):
            return None
        ours, theirs = left
        if not ours and not theirs:
            return set(), set()
        if not are_unique(self.theirs, self._key):
            return None
        internal, external, _ = self._joined(
            f"{self.ours.number} IN ({listed(ours)})" if ours else "false",
            f"{self.theirs.number} IN ({listed(theirs)})" if theirs else "false",
        )
        return internal, external

    def _apart_in_place(self) -> tuple[Sequence[int], Sequence[int]] | None:
        """Return the rows that differ from those in their places, `None` where these are many."""
        names = ", ".join(
            f"{sql} AS {side}_{name}"
            for side, columns in (("a", self.ours), ("b", self.theirs))
            for name, sql in self._columns(columns).items()
        )
        query = (
            f"SELECT a_number, b_number FROM (SELECT {names} "
            f"FROM {self.ours.source} POSITIONAL JOIN {self.theirs.source}) "
            f"WHERE NOT coalesce({self._same_key()} AND {self._same()}, false) "
            f"LIMIT {MOST_NUMBERS + 1}"
        )
        rows = self._asked(query)
        if len(rows) > MOST_NUMBERS:
            return None
        ours, theirs = ([row[side] for row in rows if row[side] is not None] for side in (0, 1))
        return ours, theirs

    def by_key(self) -> _Numbers:
        """Return the rows that are not equal, by a join of all."""
        internal, external, pairs = self._joined()
        if pairs != (self.ours.count, self.theirs.count):
            internal |= self._repeated("a")
            external |= self._repeated("b")
        return internal, external

    def _joined(
        self, ours: str = "", theirs: str = ""
    ) -> tuple[set[int], set[int], tuple[int, int]]:
        """Return the rows that have no partner or one that says something else.

        `ours` and `theirs` are conditions on the rows. The last value counts the rows of the join
        that have one of either side: each row once if no key is listed twice.
        """
        differs = f"a_number IS NULL OR b_number IS NULL OR NOT coalesce({self._same()}, false)"
        query = (
            "SELECT count(a_number), count(b_number), "
            f"list(a_number) FILTER ({differs}), list(b_number) FILTER ({differs}) "
            f"FROM {self._rows('a', ours)} FULL JOIN {self._rows('b', theirs)} "
            f"ON {self._same_key()}"
        )
        ((mine, others, internal, external),) = self._asked(query)
        return {*(internal or ())} - {None}, {*(external or ())} - {None}, (mine, others)

    def _repeated(self, side: str) -> set[int]:
        """Return the rows of `a` or `b` of each key that either of them repeats."""
        repeated = " UNION ".join(
            f"SELECT {self._keys(one)} FROM {self._rows(one)} "
            f"GROUP BY {self._keys(one)} HAVING count(*) > 1"
            for one in "ab"
        )
        query = (
            f"SELECT {side}_number FROM {self._rows(side)} "
            f"WHERE ({self._keys(side)}) IN ({repeated})"
        )
        return {number for (number,) in self._asked(query)}

    def _asked(self, query: str) -> list[tuple[Any, ...]]:
        with self.ours.unchanged():
            return self.theirs.answer(query)

    @property
    def _kind(self) -> RowKind:
        return self.ours.kind

    @property
    def _key(self) -> list[str]:
        return [*self._kind.key, *([] if self.plain else ["account"])]

    def _keys(self, side: str) -> str:
        return ", ".join(f"{side}_{name}" for name in self._key)

    def _same_key(self) -> str:
        return " AND ".join(f"a_{name} = b_{name}" for name in self._key)

    def _rows(self, side: str, where: str = "") -> str:
        """The columns of one table that are compared, names as short as they can be."""
        columns = self.ours if side == "a" else self.theirs
        names = self._columns(columns)
        names |= {name: self._code(name, names[name]) for name in self._kind.codes}
        selected = ", ".join(f"{sql} AS {side}_{name}" for name, sql in names.items())
        condition = f" WHERE {where}" if where else ""
        return f"(SELECT {selected} FROM {columns.source}{condition})"

    def _columns(self, columns: TableColumns) -> dict[str, str]:
        """The columns of one table that are compared, and the numbers of its rows."""
        account = {} if self.plain else {"account": f"coalesce({columns.text('account')}, '')"}
        key = {name: columns.text(name) for name in self._kind.key}
        same = {name: self._compared(columns, name) for name in self._both()}
        return {"number": columns.number, **same, **key, **account}

    def _compared(self, columns: TableColumns, name: str) -> str:
        if name in self._kind.amounts:
            return f"{columns.value(name)}::{self._type(name)}"
        return columns.time if name == "time" else columns.text(name)

    def _same(self) -> str:
        """The condition that two rows of one key say the same."""
        return " AND ".join(self._kind.same[name] for name in self._both())

    def _both(self) -> list[str]:
        """Return the fields that are compared: some count where both tables have them."""
        optional = self._kind.of_both
        tables = self.ours, self.theirs
        return [
            name
            for name in self._kind.same
            if name not in optional or all(one.has(name) for one in tables)
        ]

    def _type(self, name: str) -> str:
        """The type that holds the amounts of both tables; raises `ColumnsError`."""
        names = self._kind.alike if name in self._kind.alike else (name,)
        amounts = [table.amount(each) for table in (self.ours, self.theirs) for each in names]
        places = max(one.places for one in amounts)
        digits = places + max(one.digits - one.places for one in amounts)
        if digits > MOST_DIGITS:
            raise ColumnsError("amounts of both sides have too many digits together")
        return f"DECIMAL({max(digits, NARROW)}, {places})"

    def _code(self, name: str, sql: str) -> str:
        """A text of few values as a number, the same for both tables."""
        words = set(self._kind.choices.get(name, ()))
        if not words:
            words = self.ours.words(name) | self.theirs.words(name)
        word = as_word(sql, words)
        return sql if word == sql else f"enum_code({word})"
