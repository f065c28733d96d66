"""The other sign: BUY and SELL of every fill, or figures that a side states."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from recon_core.explain.problem.dimensions import is_position
from recon_core.explain.problem.hypotheses import Hypothesis, flipped, of_all
from recon_core.explain.problem.pairs import PairRow, SharedFault, differing_in
from recon_core.explain.problem.stated import StateHypothesis, States
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import ZERO

TURNED: Final = Decimal(-2)
"""Factor of an exchanged sign: the turned amount less the amount itself is -2 times it."""


def turned_trades(fills: Sequence[Fill]) -> Hypothesis:
    """Build the hypothesis that every fill has the wrong side."""
    turned = [flipped(fill) for fill in fills]
    return of_all(CauseKind.SIGN_CONVENTION, fills, turned, "BUY and SELL of every fill")


def sign_of_pairs(rows: Sequence[PairRow], fills: Sequence[Fill]) -> SharedFault | None:
    wrong = differing_in(rows, "side")
    if len(wrong) != len(fills):
        return None
    return SharedFault(CauseKind.SIGN_CONVENTION, "BUY and SELL of every fill", ("side",), wrong)


def turned_signs(states: States) -> Iterator[StateHypothesis]:
    """Yield figures with the other sign: all that differ, all positions, or all balances."""
    turned = {
        name
        for name in states.differing
        if states.stated.get(name, ZERO) == states.other.get(name, ZERO).copy_negate()
    }
    sections = [names for names in _sections(states.differing) if turned.issuperset(names)]
    if not sections:  # positions, while others differ for another reason
        sections = [tuple(sorted(filter(is_position, turned)))]
    for names in filter(None, sections):
        yield states.hypothesis(CauseKind.SIGN_CONVENTION, names, "")


def _sections(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return all names, those of the positions, and those of the balances."""
    positions = tuple(filter(is_position, names))
    cash = tuple(name for name in names if not is_position(name))
    return [names, *(part for part in (positions, cash) if part and part != names)]
