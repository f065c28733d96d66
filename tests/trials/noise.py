"""Differences that no fault makes: random amounts on what a side states."""

import random
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from recon_core.model import CashBalance, Position, RecordedSession
from recon_core.model.explanation import CauseKind, Explanation, ExplanationVerdict
from recon_core.values.amounts import EXACT, decimal_places
from tests.trials.bases import DRAWN, NAMES, Base, Evidence, base_session
from tests.trials.books import State
from tests.trials.fault import Dice, Fault
from tests.trials.placing import Placement, placed

_FEW_PLACES = 4
_CLAIMS = {ExplanationVerdict.UNIQUE, ExplanationVerdict.PARTIAL}


@dataclass(frozen=True, slots=True)
class Noise:
    """A session of which a side states random amounts too much."""

    seed: int
    base: Base
    placement: Placement
    recorded: RecordedSession
    what: str


def noisy(seed: int) -> Noise:
    """The noise of a seed."""
    dice = random.Random(f"noise {seed}")  # noqa: S311  # rows, no secrets
    while True:
        base = base_session(dice.choice(NAMES), dice.choice(DRAWN))
        placement = dice.choice((Placement.BOOKED, Placement.BLIND, Placement.EXCHANGE))
        if placement is Placement.BLIND and base.evidence is Evidence.STATES:
            continue
        if base.fills and not is_coarse(base):
            return noise_of(seed, base, placement, dice)


def is_coarse(base: Base) -> bool:
    """Whether some amounts have so few decimals that faults make nearly every one."""
    return any(one.precision <= _FEW_PLACES for one in base.recorded.currencies.values())


def noise_of(seed: int, base: Base, placement: Placement, dice: Dice) -> Noise:
    """A base session of which a side states random amounts too much."""
    positions, cash = list(base.right.positions), list(base.right.cash)
    chosen = dice.choice(("cash", "position", "both", "all"))
    if chosen in ("position", "both", "all") and positions:
        _add(positions, dice, base, everywhere=chosen == "all")
    if chosen != "position" or not positions:
        _add(cash, dice, base, everywhere=chosen == "all")
    state = State(
        tuple(row for row in positions if isinstance(row, Position)),
        tuple(row for row in cash if isinstance(row, CashBalance)),
    )
    # The kind is none of its own: only where the amounts stand matters.
    fault = Fault(CauseKind.ROUNDING, chosen, state=state)
    found = placed(base, (fault,), placement)
    return Noise(seed, base, placement, found.recorded, f"{chosen} {found.effect.to_dict()}")


def _add(rows: list[Any], dice: Dice, base: Base, *, everywhere: bool) -> None:
    numbers = range(len(rows)) if everywhere else [dice.randrange(len(rows))]
    for number in numbers:
        rows[number] = _more(rows[number], dice, base)


def _more(row: Position | CashBalance, dice: Dice, base: Base) -> Position | CashBalance:
    sign = dice.choice((1, -1))
    if isinstance(row, CashBalance):
        places = base.places(row.currency) or 8
        amount = Decimal(sign * dice.randrange(10 ** (places - 2), 10 ** (places + 3))).scaleb(
            -places
        )
        return replace(row, total=EXACT.add(row.total, amount), free=None, locked=None)
    traded = [fill.quantity for fill in base.fills if fill.symbol == row.symbol]
    places = max((decimal_places(quantity) for quantity in traded), default=8)
    largest = int(EXACT.scaleb(max(traded, default=Decimal(1)), places))
    amount = Decimal(sign * dice.randrange(max(1, largest // 9), largest * 7 + 2)).scaleb(-places)
    changed = EXACT.add(row.quantity, amount)
    if (
        changed.copy_abs().normalize().as_tuple().digits
        == row.quantity.normalize().as_tuple().digits
    ):
        return _more(row, dice, base)  # another sign, or another unit
    return replace(row, quantity=changed)


def is_explained(answer: tuple[Explanation, ...]) -> bool:
    """Whether an answer claims to know what nobody can."""
    return any(one.verdict in _CLAIMS and one.causes for one in answer)
