"""What an injector gives: a faulty book or a faulty state, and what is true of it."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from recon_core.model import CashBalance, Fill, Instrument, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.mutate.changes import with_fill
from recon_core.values.amounts import EXACT, shortest
from tests.trials.bases import Base
from tests.trials.books import State

Dice = random.Random


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: rows that are wrong (`book`), or a state that no row explains (`state`).

    `variant` says how it was done. `ids` are the rows concerned, one of which an answer
    must name; `more_ids` are others that it may name as well, such as orders; `twin_ids`
    are rows that are equal to those of `ids`. `also` are other legitimate names of the
    fault. `as_of` is the time of a state that is older than the rows. `unknowns` counts the
    amounts that the rows left do not give. `fills` are the rows as they should be, or the
    bogus ones; `now` is the one row as it is; `parts` is the balance of which the
    exchange tells free from locked. `moves_nothing`: the rows are other ones, positions
    and cash the same. `is_of_rows`: it can stand in the rows only. `again` does the same to
    another fill of a book; `instruments` are those that the fault needs.
    """

    cause_kind: CauseKind
    variant: str
    book: SideRecord | None = None
    state: State | None = None
    ids: frozenset[str] = frozenset()
    more_ids: frozenset[str] = frozenset()
    also: frozenset[CauseKind] = frozenset()
    as_of: datetime | None = None
    unknowns: int = 0
    fills: tuple[Fill, ...] = ()
    now: Fill | None = None
    parts: CashBalance | None = None
    twin_ids: frozenset[str] = frozenset()
    moves_nothing: bool = False
    is_of_rows: bool = False
    again: Callable[[SideRecord, Fill], SideRecord] | None = None
    instruments: tuple[Instrument, ...] = ()

    @property
    def touched(self) -> frozenset[str]:
        """The rows, and their orders, that the fault changed."""
        return self.ids | self.more_ids


Injector = Callable[[Base, SideRecord, Dice], Fault | None]
"""Puts a fault into a book of a base session; `None` where that has nothing to spoil."""


def ids_of(rows: Iterable[Fill]) -> frozenset[str]:
    """The ids of fills."""
    return frozenset(row.fill_id for row in rows)


def order_ids_of(rows: Iterable[Fill]) -> frozenset[str]:
    """The ids of the orders of fills."""
    found = {one for row in rows for one in (row.client_order_id, row.exchange_order_id)}
    return frozenset(one for one in found if one)


def one_fill(book: SideRecord, dice: Dice, *, with_fee: bool = False) -> Fill | None:
    """A fill that moves something, at random."""
    fills = [fill for fill in book.fills or () if fill.quantity and (fill.fee or not with_fee)]
    return dice.choice(fills) if fills else None


def changed(fill: Fill, book: SideRecord, kind: CauseKind, how: str, **fields: object) -> Fault:
    """The fault of one fill whose fields are others."""
    new = replace(fill, **fields)
    return Fault(
        kind,
        how,
        with_fill(book, fill, new),
        ids=frozenset({fill.fill_id}),
        more_ids=order_ids_of([fill]),
        fills=(fill,),
        now=new,
        again=lambda rows, twin: with_fill(rows, twin, replace(twin, **fields)),
    )


def mistyped(amount: Decimal, dice: Dice, *, partial: bool = False) -> tuple[Decimal, str]:
    """An amount as somebody mistypes it, and how: never the same, never 0."""
    ways = ["swapped", "digit", "tenfold", "tenth", *(["partial"] if partial else [])]
    while True:
        way = dice.choice(ways)
        found = _mistyped(amount, way, dice)
        if found and found != amount:
            return found, way


def _mistyped(amount: Decimal, way: str, dice: Dice) -> Decimal:
    sign, digits, exponent = shortest(amount).as_tuple()
    assert isinstance(exponent, int)
    row = list(digits)
    if way == "swapped":
        at = dice.randrange(len(row) - 1) if len(row) > 1 else 0
        row[at : at + 2] = reversed(row[at : at + 2])
    elif way == "digit":
        row[dice.randrange(len(row))] = dice.randrange(10)
    elif way == "tenfold":
        exponent += 1
    elif way == "tenth":
        exponent -= 1
    else:
        return EXACT.multiply(amount, Decimal(dice.randrange(1, 10)).scaleb(-1))
    return Decimal((sign, tuple(row), exponent))
