"""The other sign: BUY and SELL of every fill, or figures that a side states."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from recon_core.explain.causes.family import CauseFamily
from recon_core.explain.problem.dimensions import Dimensions, Vector, is_cash, is_position, minus
from recon_core.explain.problem.fill_group import FillGroup, times
from recon_core.explain.problem.hypotheses import Hypothesis, flipped, of_all
from recon_core.explain.problem.pairs import PairRow, SharedFault, differing_in
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.explain.problem.wording import sentence_of
from recon_core.ledger.replay import replay
from recon_core.model import Fill, RecordedSession, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import ZERO
from recon_core.values.errors import ReplayError

_TURNED: Final = Decimal(-2)
"""Factor of an exchanged sign: the turned amount less the amount itself is -2 times it."""


def turned_trades(fills: Sequence[Fill]) -> Hypothesis:
    """Build the hypothesis that every fill has the wrong side."""
    turned = [flipped(fill) for fill in fills]
    return of_all(CauseKind.SIGN_CONVENTION, fills, turned, "BUY and SELL of every fill")


def _in_pairs(rows: Sequence[PairRow], fills: Sequence[Fill]) -> SharedFault | None:
    """Return the fault that the side of every fill is wrong."""
    wrong = differing_in(rows, "side")
    if len(wrong) != len(fills):
        return None
    return SharedFault(CauseKind.SIGN_CONVENTION, "BUY and SELL of every fill", ("side",), wrong)


def _in_states(states: States) -> Iterator[StateHypothesis]:
    """Yield figures with the other sign: all that differ, all positions, or all balances."""
    turned = [
        name
        for name in states.differing
        if states.stated.get(name, ZERO) == states.other.get(name, ZERO).copy_negate()
    ]
    sections = [names for names in _sections(states.differing) if {*turned}.issuperset(names)]
    if not sections:  # positions, while others differ for another reason
        sections = [tuple(filter(is_position, turned))]
    for names in filter(None, sections):
        yield states.hypothesis(CauseKind.SIGN_CONVENTION, names, "", forms=1)


def _doubt(
    dimensions: Dimensions, recorded: RecordedSession, chosen: Sequence[StateHypothesis]
) -> str:
    """Doubt the other sign of figures that the other side's fills, turned round, give as well.

    Fills of a derivative that open a position move no cash by their prices.
    """
    for one in chosen:
        if one.cause_kind is not CauseKind.SIGN_CONVENTION:
            continue
        record, other = recorded.side(one.side), recorded.side(one.side.other)
        if record is None or other is None:
            continue
        if len(other.fill_rows) == 1 and any(map(is_cash, one.correction)):
            return f"another fill of the {one.side.other} side"
        if _turned_gives(dimensions, recorded, other, one.correction, dimensions.stated(record)):
            is_seen = any(map(is_cash, dimensions.compared))
            return f"the fills of the {one.side} side" if is_seen else "the cash of both sides"
    return ""


def _turned_gives(
    dimensions: Dimensions,
    recorded: RecordedSession,
    other: SideRecord,
    figures: Vector,
    stated: Vector,
) -> bool:
    """True if the other side's fills of some figures, turned round, give all that a side states."""
    if not other.fill_rows:
        return False
    fills = [
        flipped(row) if dimensions.position(row.symbol, row.leg, row.account) in figures else row
        for row in other.fill_rows
    ]
    try:
        ledger = replay(recorded, replace(other, fills=fills))
    except ReplayError:
        return False
    state = dimensions.state(ledger.positions, ledger.cash)
    return not dimensions.real(minus(stated, state))


def _sections(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return all names, those of the positions, and those of the balances."""
    positions = tuple(filter(is_position, names))
    cash = tuple(name for name in names if not is_position(name))
    return [names, *(part for part in (positions, cash) if part and part != names)]


def _of_all(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield every fill with the other side, if that may have the required effect."""
    if group.is_required(_TURNED):
        yield turned_trades(group.fills)


def _reducing(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield every fill with the other side, if that reduces the required effect."""
    if group.reduces(times(group.trades, _TURNED)):
        yield turned_trades(group.fills)


FAMILY: Final = CauseFamily(
    sentences={CauseKind.SIGN_CONVENTION: sentence_of("{subject} has the wrong sign in {rows}")},
    of_all=_of_all,
    reducing=_reducing,
    in_pairs=(_in_pairs,),
    in_states=lambda states: _in_states(states.stated_only),
    state_words={CauseKind.SIGN_CONVENTION: "states amounts with the other sign"},
    state_doubt=_doubt,
    may_be_a_row=True,
)
