"""Sessions with rare rows: a few fields of a few rows take another value of their kind.

A made session is regular: its rows have ids, fees and orders of one kind. A twist breaks that in
one place, such as a fill with the order of another one, a fee that is absent, a balance turned
round, a row that a side lists twice, or a section that it does not list.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from recon_core.model import RecordedSession, SideRecord
from tests.trials.fault import Dice

_SECTIONS = ("fills", "fills", "fills", "orders", "positions", "cash", "movements")
_SIDES = ("internal", "external")
_MOST = 3
"""Twists of a session at most: with more of them, little of it can be explained."""

_Rows = tuple[Any, ...]


def twisted(recorded: RecordedSession, seed: int) -> RecordedSession:
    """The session with up to three twists; equal arguments give the same session."""
    dice = random.Random(f"twist {seed}")  # noqa: S311  # rows, no secrets
    for _ in range(dice.randint(1, _MOST)):
        name = dice.choice(_SIDES)
        side = getattr(recorded, name)
        if side is not None:
            recorded = replace(recorded, **{name: _with_twist(side, dice)})
    return recorded


def _with_twist(side: SideRecord, dice: Dice) -> SideRecord:
    where = dice.choice((*_SECTIONS, "opening", "as_of"))
    if where == "as_of":
        return replace(side, as_of=_other_time(side.as_of, dice))
    if where == "opening":
        return replace(side, opening=side.opening and _of_opening(side.opening, dice))
    rows = getattr(side, where)
    return replace(side, **{where: dice.choice(_OF_ROWS)(rows, dice)}) if rows else side


def _of_opening(opening: Any, dice: Dice) -> Any:
    """The opening with another balance or position, or none."""
    where = dice.choice(("cash", "positions"))
    rows = getattr(opening, where)
    return replace(opening, **{where: _field(rows, dice)}) if rows else None


def _field(rows: _Rows, dice: Dice) -> _Rows:
    """One field of one row is that of another row, is absent, or is another amount or time."""
    place = dice.randrange(len(rows))
    row, other = rows[place], dice.choice(rows)
    field = dice.choice(fields(row))
    value = dice.choice((getattr(other, field.name), _changed(getattr(row, field.name), dice)))
    if field.default is not MISSING and dice.random() < _ABSENT:
        value = field.default
    return (*rows[:place], replace(row, **{field.name: value}), *rows[place + 1 :])


_ABSENT = 0.3
"""Share of the fields that take their default, where they have one."""


def _changed(value: Any, dice: Dice) -> Any:
    if isinstance(value, Decimal):
        return dice.choice((-value, value * 2, value * 10, value / 4, value + 1, value - 1))
    return _other_time(value, dice) if isinstance(value, datetime) else value


def _other_time(time: datetime, dice: Dice) -> datetime:
    return time + timedelta(minutes=dice.choice((-300, -60, 60, 300)))


def _twice(rows: _Rows, dice: Dice) -> _Rows:
    """A row is there twice, the second time with an id of its own or the same."""
    row = dice.choice(rows)
    name = next((one.name for one in fields(row) if one.name in _IDS), None)
    given = name and getattr(row, name)
    copy = replace(row, **{name: f"{given}b"}) if given and dice.random() < _OWN_ID else row
    return (*rows, copy)


_IDS = ("fill_id", "movement_id", "client_order_id")
_OWN_ID = 0.7
"""Share of the copies that have an id of their own."""


def _without_one(rows: _Rows, dice: Dice) -> _Rows:
    place = dice.randrange(len(rows))
    return (*rows[:place], *rows[place + 1 :])


def _none(_: _Rows, __: Dice) -> None:
    return None


_OF_ROWS: Sequence[Callable[[_Rows, Dice], _Rows | None]] = (
    *(_field,) * 6,
    _twice,
    _without_one,
    _none,
)
