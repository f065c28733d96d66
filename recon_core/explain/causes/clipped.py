"""A clipped figure: a side states 0 where its amount is negative.

A wallet that shows no debt states 0 for -25.40. The rows of the side give the negative amount that
the other side states, or its rows do.

A side that states whole lots gives 0 for a short position of less than a lot as well. A position of
3.5 beside the 0 for -8 shows lots of 0.5 at most; a position of 40 beside it, or none, leaves lots
of 10 possible.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from recon_core.explain.causes.family import CauseFamily
from recon_core.explain.problem.dimensions import is_position
from recon_core.explain.problem.figures import tick_of
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
        may_be_lots = of_own_rows and not all(_is_a_lot(states, name) for name in names)
        is_shown = of_own_rows and not may_be_lots
        yield one if is_shown else replace(one, strength=Strength.CHANCE)
        if may_be_lots:
            rounded = states.hypothesis(CauseKind.ROUNDING, names, "to whole lots")
            yield replace(rounded, strength=Strength.CHANCE)


def _is_a_lot(states: States, name: str) -> bool:
    """True if the side states amounts as small as the one that it lacks: it rounds off less.

    The amounts are its other positions for a position, its other balances for a balance.
    """
    lot = tick_of(_like(states.stated.items(), name))
    return bool(lot) and lot <= states.other[name].copy_abs()


def _like(stated: Iterable[tuple[str, Decimal]], name: str) -> Iterator[Decimal]:
    return (amount for other, amount in stated if is_position(other) is is_position(name))


FAMILY: Final = CauseFamily(
    sentences={CauseKind.CLIPPED_BALANCE: sentence_of("{subject} states 0 for a negative amount")},
    in_states=lambda states: _in_states(states.stated_only),
    state_words={CauseKind.CLIPPED_BALANCE: "states 0 for a negative amount"},
)
