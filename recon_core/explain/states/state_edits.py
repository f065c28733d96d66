"""Faults of a stated state as a whole: its unit, sign, rounding, names, kind of balance, legs.

Each test compares what both sides state and needs no rows. A state that was replayed from
rows cannot have these faults, but for names, legs and a split that no row tells.
"""

from collections.abc import Iterator
from dataclasses import replace

from recon_core.explain.effects.space import Space, is_position, minus
from recon_core.explain.states.state_figures import (
    other_units,
    rounded_figures,
    splits,
    turned_signs,
)
from recon_core.explain.states.state_names import aliases, netted_legs, other_kinds, swapped_parts
from recon_core.explain.states.states import StateEdit, States
from recon_core.model import RecordedSession, SideRecord


def state_edits(space: Space, recorded: RecordedSession) -> Iterator[StateEdit]:
    """Every fault of a whole state that accounts for what differs, or for a part of it."""
    for side, record in recorded.own_records().items():
        other = recorded.side(side.other)
        if other is None:
            continue
        mine, theirs = space.stated(record), space.stated(other)
        differing = tuple(sorted(space.real(minus(mine, theirs))))
        states = States(space, recorded, side, mine, theirs, differing)
        yield from netted_legs(states, other)
        yield from aliases(states)
        own = tuple(name for name in differing if not _derived(record, name))
        if own:
            yield from _of_side(replace(states, differing=own), record, other)
        yield from splits(states)
        yield from swapped_parts(side, record, other)


def _of_side(states: States, record: SideRecord, other: SideRecord) -> Iterator[StateEdit]:
    yield from rounded_figures(states)
    yield from other_kinds(states, record, other)
    yield from turned_signs(states)
    yield from other_units(states)


def _derived(record: SideRecord, name: str) -> bool:
    return ("positions" if is_position(name) else "cash") in record.derived
