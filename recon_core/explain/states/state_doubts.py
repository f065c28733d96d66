"""What keeps a fault of a whole state from being proven: the datum that would decide."""

from collections.abc import Sequence
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.effects.space import Vector, is_cash, is_position
from recon_core.explain.proving.proof import Prover
from recon_core.explain.states.states import StateEdit
from recon_core.explanation import CauseKind

_FEWEST_DIGITS: Final = 3
_FEWEST_BESIDE_CASH: Final = 2
_BY_A_ROW: Final = {
    CauseKind.UNIT,
    CauseKind.SIGN_CONVENTION,
    CauseKind.SPLIT,
    CauseKind.ROUNDING,
}


def doubt(prover: Prover, chosen: Sequence[StateEdit]) -> str:
    """The datum that would decide where what was found fits without being proven, else empty."""
    tests = (_opening, _digits, _legs, _cash)
    return next((found for test in tests if (found := test(prover, chosen))), "")


def _opening(prover: Prover, chosen: Sequence[StateEdit]) -> str:
    """The figures may be those of an opening: that may be wrong instead.

    Another kind of balance needs no such doubt: the other side says it too.
    """
    for record in prover.recorded.own_records().values():
        if record.opening is None:
            continue
        opening = prover.space.state(record.opening.positions, record.opening.cash)
        state = prover.space.stated(record)
        if any(_is_of_opening(edit, opening, state) for edit in chosen):
            return "the balances before the first fill"
    return ""


def _is_of_opening(edit: StateEdit, opening: Vector, state: Vector) -> bool:
    """Whether all figures of a fault are an opening's, or what is wrong in them is."""
    wrong = {name: one for name, one in edit.correction.items() if one}
    if edit.cause_kind is CauseKind.BALANCE_KIND or not wrong:
        return False
    return all(
        opening.get(name)
        and opening[name]
        in {state.get(name), one.copy_abs(), EXACT.add(state.get(name, ZERO), one)}
        for name, one in wrong.items()
    )


def _digits(prover: Prover, chosen: Sequence[StateEdit]) -> str:
    """A rounding to one or two digits fits much that is no rounding.

    Two are enough where the cash agrees: a fill would have moved it.
    """
    rounded = [edit for edit in chosen if edit.cause_kind is CauseKind.ROUNDING]
    if not rounded:
        return ""
    record = prover.recorded.side(rounded[0].side)
    stated = {} if record is None else prover.space.stated(record)
    names = sorted({name for edit in rounded for name in edit.correction})
    shown = sum(len(stated[name].normalize(EXACT).as_tuple().digits)
                for name in names if stated.get(name))  # fmt: skip
    by_cash = all(map(is_position, names)) and any(map(is_cash, prover.space.compared))
    if shown >= (_FEWEST_BESIDE_CASH if by_cash else _FEWEST_DIGITS):
        return ""
    lacking = ", ".join(name.split("::", 1)[1] for name in names[:3])
    return f"the digits that {lacking} of the {rounded[0].side} side lacks"


def _legs(prover: Prover, chosen: Sequence[StateEdit]) -> str:
    """Legs that cancel out leave nothing that shows whether they were netted."""
    netted = [edit for edit in chosen if edit.cause_kind is CauseKind.NETTED_LEGS]
    record = prover.recorded.side(chosen[0].side)
    stated = {} if record is None else prover.space.stated(record)
    if netted and not any(stated.get(name) for edit in netted for name in edit.correction):
        return f"the fills of each leg on the {chosen[0].side} side"
    return ""


def _cash(prover: Prover, chosen: Sequence[StateEdit]) -> str:
    """One figure in another unit, or with the other sign, may be a row that is wrong."""
    names = {name for edit in chosen for name in edit.correction}
    records = prover.recorded.own_records().values()
    if not any(record.fills for record in records) or len(names) != 1:
        return ""
    doubtful = all(edit.cause_kind in _BY_A_ROW for edit in chosen)
    has_cash = any(map(is_cash, prover.space.compared))
    return "the cash of both sides" if doubtful and not has_cash else ""
