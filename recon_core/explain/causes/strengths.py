"""Strength of evidence: the one rule that says which cause may be a unique answer.

| strength | the evidence | may be unique |
|---|---|---|
| `SHOWN` | rows show the fault: of both sides, or two of one | yes |
| `EXACT` | every amount is accounted for to the last digit, and no number is fitted | yes |
| `FITTED`, `WEAK` | one number is fitted, and a second witness confirms it | yes |
| `CHANCE` | it fits, and other causes would fit as well | no |

A witness is a row or a stated figure that would differ if the cause were another one. An amount of
few units is no witness: 500 less of cash is a withdrawal of 500, a deposit of 500, or neither. So a
cause with a single amount as its evidence counts the units of that amount, and the forms in which
the cause would fit it (`StateHypothesis.forms`). Example: 2 shares against 200 differ by 198 units,
and one of 36 powers of ten fits too often; 0.061729 against 61.729 differ by 61,667,271 units.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain
from typing import Final

from recon_core.explain.problem.dimensions import Vector, is_position
from recon_core.explain.problem.figures import common_lot, units_of
from recon_core.explain.problem.hypotheses import Strength
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.model import Fill, Position, SideRecord
from recon_core.values.amounts import EXACT, ZERO

_UNITS_OF_A_FORM: Final = 20
"""Units of an amount for each form of a cause: one of 20 random amounts fits at most."""

_PAIR: Final = 2
"""Causes from which on they may cancel each other."""

_FAR: Final = Decimal(3)
"""Times that a cause is as large as what all causes leave: it is far larger above it."""


def may_be_unique(strength: Strength) -> bool:
    """True if evidence of this strength allows a unique answer."""
    return strength < Strength.CHANCE


def of_one_amount(amount: Decimal, forms: int, lot: Decimal = ZERO) -> Strength:
    """Return the strength of a cause that accounts for one amount in one of several forms.

    `lot` is the amount of which the rows are whole multiples, 0 if that is unknown.
    """
    is_rare = units_of(amount, lot) >= forms * _UNITS_OF_A_FORM
    return Strength.EXACT if is_rare else Strength.CHANCE


def is_far_larger(effects: Sequence[Vector], total: Vector) -> bool:
    """True if causes cancel each other and are far larger than the few units that they leave.

    A withdrawal of 12 that is no withdrawal, and an opening of 10 that is none, explain 2 as well
    as any other two causes would.
    """
    if len(effects) < _PAIR or any(
        units_of(amount) >= _UNITS_OF_A_FORM * len(effects) for amount in total.values()
    ):
        return False
    return any(
        amount.copy_abs() > EXACT.multiply(_FAR, total.get(name, ZERO).copy_abs())
        for effect in effects
        for name, amount in effect.items()
    )


def with_strength(states: States, hypothesis: StateHypothesis) -> StateHypothesis:
    """Return a hypothesis on stated figures with the strength of its evidence.

    A second figure with the same fault is a witness. One figure alone is evidence by its units.
    """
    wrong = {name: amount for name, amount in hypothesis.correction.items() if amount}
    if not hypothesis.forms or len(wrong) != 1:
        return hypothesis
    ((name, off),) = wrong.items()
    lot = common_lot(_quantities(states, name)) if is_position(name) else ZERO
    strength = of_one_amount(off, hypothesis.forms, lot)
    return replace(hypothesis, strength=max(strength, hypothesis.strength))


def _quantities(states: States, name: str) -> Iterator[Decimal]:
    """Yield the quantities that the rows of both sides have in a position."""
    return chain.from_iterable(
        _quantities_of(states, record, name) for record in (states.record, states.other_record)
    )


def _quantities_of(states: States, record: SideRecord, name: str) -> Iterable[Decimal]:
    position = states.dimensions.position
    held: tuple[Position, ...] = () if record.opening is None else record.opening.positions
    rows: tuple[Position | Fill, ...] = (*held, *record.fill_rows)
    return (row.quantity for row in rows if position(row.symbol, row.leg, row.account) == name)
