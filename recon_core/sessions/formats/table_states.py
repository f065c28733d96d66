"""Positions and balances that a mapping adds up, and the states that run through its rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from recon_core.model import SECTIONS, STATES, SideRecord, Snapshot
from recon_core.values.amounts import exact_sum
from recon_core.values.errors import SessionError
from recon_core.values.limits import TABLE_VALUES, refuse_above
from recon_core.values.printable import printable

Key = tuple[Any, ...]
States = dict[datetime, dict[str, list[tuple[Key, Any]]]]
"""Rows of states by their time and section, each with the key that it runs under."""

_ADDED: Final = ("quantity", "total", "free", "locked", "debt", "settled", "unrealised")


def state_key(value: Any) -> Key:
    """The identity of a position or a balance."""
    name = getattr(value, "symbol", None) or getattr(value, "currency", "")
    return (name, value.account, getattr(value, "leg", None))


def refuse_duplicate(value: Any, seen: set[Key], where: str) -> None:
    """Remember the identity of a state; raises `SessionError` for one that is known."""
    key = state_key(value)
    if key in seen:
        raise SessionError(f"{where}: duplicate {printable(key[0], 60)}; expected each key once")
    seen.add(key)


def added(values: Iterable[Any]) -> list[Any]:
    """Positions or balances of one identity as one, their amounts added up."""
    found: dict[Key, Any] = {}
    for value in values:
        key = state_key(value)
        found[key] = _sum(found[key], value) if key in found else value
    return list(found.values())


def _sum(one: Any, other: Any) -> Any:
    """A state of both: what one of them does not state is not stated, nor is an average."""
    changes: dict[str, Any] = {"average_price": None} if hasattr(one, "average_price") else {}
    for name in _ADDED:
        if hasattr(one, name):
            pair = (getattr(one, name), getattr(other, name))
            changes[name] = None if None in pair else exact_sum(pair)
    return replace(one, **changes)


def without_only_account(record: SideRecord) -> SideRecord:
    """The side with unnamed rows, where all of them name one and the same account."""
    if len(record.accounts) != 1:
        return record
    changes: dict[str, Any] = {
        name: _unnamed(rows) for name in SECTIONS if (rows := record.rows(name)) is not None
    }
    if record.opening is not None:
        changes["opening"] = _unnamed_state(record.opening)
    if record.snapshots is not None:
        changes["snapshots"] = tuple(map(_unnamed_state, record.snapshots))
    return replace(record, **changes)


def _unnamed(rows: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(replace(row, account=None) for row in rows)


def _unnamed_state(state: Any) -> Any:
    """An opening or a snapshot without the account of its rows."""
    named = {name: getattr(state, name) for name in STATES}
    changes = {name: _unnamed(rows) for name, rows in named.items() if rows is not None}
    return replace(state, **changes)


def running(states: States, reported: Sequence[str]) -> Iterator[Snapshot]:
    """Yield states by time: what a row does not state at a time is as it was before.

    Of one key at one time the last row counts; states of one identity under several keys
    are added up.
    """
    current: dict[str, dict[Key, Any]] = {name: {} for name in reported}
    values = 0
    for time in sorted(states):
        for name, rows in states[time].items():
            current[name].update(rows)
        values += sum(map(len, current.values()))
        refuse_above(TABLE_VALUES, values, "snapshots: ", at_least=True)
        yield Snapshot(
            time, **{name: tuple(added(rows.values())) for name, rows in current.items()}
        )
