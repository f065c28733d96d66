"""Doubts about a fault of a whole state: the datum that would decide whether it is one."""

from collections.abc import Sequence
from typing import Final

from recon_core.explain.effects.dimensions import Vector, is_cash, is_position
from recon_core.explain.proving.proof import Prover
from recon_core.explain.states.states import StateHypothesis
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO

_FEWEST_DIGITS: Final = 3
"""Digits that all rounded figures show together: a random amount fits 3 once in 1,000 or so."""

_FEWEST_BESIDE_CASH: Final = 2
"""The same where only positions differ: cash that agrees rules out a fill as the cause."""

_BY_A_ROW: Final = {
    CauseKind.UNIT,
    CauseKind.SIGN_CONVENTION,
    CauseKind.SPLIT,
    CauseKind.ROUNDING,
}
"""Faults of a figure that a wrong row may cause as well."""


def doubt(prover: Prover, chosen: Sequence[StateHypothesis]) -> str:
    """Return the datum that would decide where a fault fits without proof, else an empty text."""
    tests = (_opening, _digits, _legs, _cash)
    return next((found for test in tests if (found := test(prover, chosen))), "")


def _opening(prover: Prover, chosen: Sequence[StateHypothesis]) -> str:
    """Doubt figures that may be those of an opening, which may be wrong instead.

    Another kind of balance is not doubted: the other side states it, too.
    """
    for record in prover.recorded.own_records().values():
        if record.opening is None:
            continue
        opening = prover.dimensions.state(record.opening.positions, record.opening.cash)
        state = prover.dimensions.stated(record)
        if any(_is_of_opening(hypothesis, opening, state) for hypothesis in chosen):
            return "the balances before the first fill"
    return ""


def _is_of_opening(hypothesis: StateHypothesis, opening: Vector, state: Vector) -> bool:
    """True if for every figure the opening holds it, its correction, or its corrected amount."""
    wrong = {name: one for name, one in hypothesis.correction.items() if one}
    if hypothesis.cause_kind is CauseKind.BALANCE_KIND or not wrong:
        return False
    return all(
        opening.get(name)
        and opening[name]
        in {state.get(name), one.copy_abs(), EXACT.add(state.get(name, ZERO), one)}
        for name, one in wrong.items()
    )


def _digits(prover: Prover, chosen: Sequence[StateHypothesis]) -> str:
    """Doubt a rounding to one or two digits, which many amounts fit.

    Two digits are enough if only positions differ and cash is compared: a fill would have moved it.
    """
    rounded = [hypothesis for hypothesis in chosen if hypothesis.cause_kind is CauseKind.ROUNDING]
    if not rounded:
        return ""
    record = prover.recorded.side(rounded[0].side)
    stated = {} if record is None else prover.dimensions.stated(record)
    names = sorted({name for hypothesis in rounded for name in hypothesis.correction})
    shown = sum(len(stated[name].normalize(EXACT).as_tuple().digits)
                for name in names if stated.get(name))  # fmt: skip
    by_cash = all(map(is_position, names)) and any(map(is_cash, prover.dimensions.compared))
    if shown >= (_FEWEST_BESIDE_CASH if by_cash else _FEWEST_DIGITS):
        return ""
    lacking = ", ".join(name.split("::", 1)[1] for name in names[:3])
    return f"the digits that {lacking} of the {rounded[0].side} side lacks"


def _legs(prover: Prover, chosen: Sequence[StateHypothesis]) -> str:
    """Doubt netted legs that cancel: nothing shows that they were netted."""
    netted = [hypothesis for hypothesis in chosen if hypothesis.cause_kind is CauseKind.NETTED_LEGS]
    record = prover.recorded.side(chosen[0].side)
    stated = {} if record is None else prover.dimensions.stated(record)
    if netted and not any(
        stated.get(name) for hypothesis in netted for name in hypothesis.correction
    ):
        return f"the fills of each leg on the {chosen[0].side} side"
    return ""


def _cash(prover: Prover, chosen: Sequence[StateHypothesis]) -> str:
    """Doubt a single figure in another unit, or with the other sign: a row may be wrong instead."""
    names = {name for hypothesis in chosen for name in hypothesis.correction}
    records = prover.recorded.own_records().values()
    if not any(record.fills for record in records) or len(names) != 1:
        return ""
    doubtful = all(hypothesis.cause_kind in _BY_A_ROW for hypothesis in chosen)
    has_cash = any(map(is_cash, prover.dimensions.compared))
    return "the cash of both sides" if doubtful and not has_cash else ""
