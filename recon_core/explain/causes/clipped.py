"""A clipped figure: a side states 0 where its amount is negative.

A wallet that shows no debt states 0 for -25.40. The rows of the side give the negative amount that
the other side states, or its rows do.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from recon_core.explain.causes.family import CauseFamily
from recon_core.explain.problem.hypotheses import Strength
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.explain.problem.wording import sentence_of
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import ZERO


def _in_states(states: States) -> Iterator[StateHypothesis]:
    """Yield the figures of 0 that the other side states below 0, if any rows give that."""
    names = tuple(
        name
        for name in states.differing
        if not states.stated.get(name, ZERO) and states.other.get(name, ZERO) < 0
    )
    of_own_rows = all(map(states.is_of_own_rows, names))
    if names and (of_own_rows or all(map(states.is_of_rows, names))):
        one = states.hypothesis(CauseKind.CLIPPED_BALANCE, names, "")
        # Rows of the other side alone show as well that a row is missing from this side.
        yield one if of_own_rows else replace(one, strength=Strength.CHANCE)


FAMILY: Final = CauseFamily(
    sentences={CauseKind.CLIPPED_BALANCE: sentence_of("{subject} states 0 for a negative amount")},
    in_states=lambda states: _in_states(states.stated_only),
    state_words={CauseKind.CLIPPED_BALANCE: "states 0 for a negative amount"},
)
