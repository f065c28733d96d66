"""Faults of a stated state as a whole: its unit, sign, rounding, names, kind of balance, legs.

Each compares what both sides state, without rows. A state that was replayed from rows cannot
have these faults, except in its names, its legs, and by a split that no row states.
"""

from collections.abc import Iterator
from dataclasses import replace

from recon_core.explain.causes.alias import aliases
from recon_core.explain.causes.balance_kind import other_kinds, swapped_parts
from recon_core.explain.causes.legs import netted_legs
from recon_core.explain.causes.rounding import rounded_figures
from recon_core.explain.causes.sign import turned_signs
from recon_core.explain.causes.split import splits
from recon_core.explain.causes.unit import other_units
from recon_core.explain.problem.dimensions import Dimensions, is_position, minus
from recon_core.explain.problem.stated import StateHypothesis, States
from recon_core.model import RecordedSession, SideRecord


def state_hypotheses(
    dimensions: Dimensions, recorded: RecordedSession
) -> Iterator[StateHypothesis]:
    """Yield every fault of a whole state that accounts for some or all differences."""
    for side, record in recorded.own_records().items():
        other = recorded.side(side.other)
        if other is None:
            continue
        mine, theirs = dimensions.stated(record), dimensions.stated(other)
        differing = tuple(sorted(dimensions.real(minus(mine, theirs))))
        states = States(dimensions, recorded, side, mine, theirs, differing)
        yield from netted_legs(states, other)
        yield from aliases(states)
        own = tuple(name for name in differing if not _derived(record, name))
        if own:
            yield from _of_side(replace(states, differing=own), record, other)
        yield from splits(states)
        yield from swapped_parts(side, record, other)


def _of_side(states: States, record: SideRecord, other: SideRecord) -> Iterator[StateHypothesis]:
    yield from rounded_figures(states)
    yield from other_kinds(states, record, other)
    yield from turned_signs(states)
    yield from other_units(states)


def _derived(record: SideRecord, name: str) -> bool:
    return ("positions" if is_position(name) else "cash") in record.derived
