"""Faults of a stated state as a whole: its unit, sign, rounding, names, kind of balance, legs.

Each compares the stated figures of both sides, without rows. A state that was replayed from rows
cannot have these faults, except in its names, its legs, and by a split that no row states.
"""

from collections.abc import Iterator, Mapping

from recon_core.explain import causes
from recon_core.explain.causes.strengths import with_strength
from recon_core.explain.problem.dimensions import Dimensions, minus
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.ledger.replay import SideReplay
from recon_core.model import LedgerSide, RecordedSession


def state_hypotheses(
    dimensions: Dimensions,
    recorded: RecordedSession,
    replays: Mapping[LedgerSide, SideReplay],
) -> Iterator[StateHypothesis]:
    """Yield every fault of a whole state that accounts for some or all differences."""
    for side, record in recorded.own_records().items():
        other = recorded.side(side.other)
        if other is None:
            continue
        mine, theirs = dimensions.stated(record), dimensions.stated(other)
        differing = tuple(sorted(dimensions.real(minus(mine, theirs))))
        states = States(dimensions, recorded, side, record, other, mine, theirs, differing, replays)
        for cause in causes.CAUSES:
            for hypothesis in cause.in_states(states):
                yield with_strength(states, hypothesis)
