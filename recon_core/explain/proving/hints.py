"""Hints at what unexplained figures have in common."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.effects.dimensions import Vector, is_cash, is_position
from recon_core.explain.proving.proof import Prover
from recon_core.model import LedgerSide
from recon_core.values.amounts import EXACT, ZERO

_LARGEST_FEE: Final = Decimal("0.01")
"""Largest fee, as a fraction of the cash that moved: above the fees of most venues."""


def ratio_hint(prover: Prover, delta: Vector) -> str:
    """Describe several positions that are one whole multiple of the other side's, else empty."""
    recorded, dimensions = prover.recorded, prover.dimensions
    stated = {
        side: dimensions.stated(record)
        for side in LedgerSide
        if (record := recorded.side(side)) is not None
    }
    found: dict[tuple[LedgerSide, int], list[str]] = {}
    for name in sorted(delta):
        mine, theirs = (values.get(name, ZERO) for values in stated.values())
        if not is_position(name) or not mine or not theirs:
            continue
        ratio = Fraction(mine) / Fraction(theirs)
        side, times = (
            (LedgerSide.INTERNAL, ratio) if abs(ratio) > 1 else (LedgerSide.EXTERNAL, 1 / ratio)
        )
        if times > 1 and times.denominator == 1:
            found.setdefault((side, times.numerator), []).append(name.split("::", 1)[1])
    several = [(key, names) for key, names in found.items() if len(names) > 1]
    return "".join(_ratio_text(side, times, names) for (side, times), names in several)


def _ratio_text(side: LedgerSide, times: int, names: Sequence[str]) -> str:
    told = " and ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004
    why = ", as if every row was booked twice" if times == 2 else ""  # noqa: PLR2004
    return f"; {told} are exactly {times} times as much on the {side} side{why}"


def fee_hint(remaining: Vector, effect: Vector) -> str:
    """Describe a residual that may be the fee of what was explained, else return an empty text.

    `remaining` is the excess of the faulty side: a cost, small against `effect`.
    """
    if len(remaining) != 1:
        return ""
    ((name, left),) = remaining.items()
    moved = effect.get(name, ZERO).copy_abs()
    small = ZERO < left <= EXACT.multiply(moved, _LARGEST_FEE)
    return ", consistent with the fee" if is_cash(name) and small else ""
