"""Kinds of fault in a fill that both sides list, and in the fills of one order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
)
from typing import Any, Final

from recon_core.explain.effects.patches import Patch
from recon_core.explain.effects.slips import slip
from recon_core.explain.faults.hypotheses import Hypothesis, Strength
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, decimal_places, format_amount, shortest

Pair = tuple[Fill, Fill]
"""A fill as the side at fault has it, and as it is right."""

MODES: Final = (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN, ROUND_FLOOR, ROUND_CEILING)
_STEP: Final = timedelta(minutes=15)
"""Time zones differ by multiples of 15 minutes."""

_LOST_PLACES: Final = 2
"""Decimals that a rounded number has lost at least: with one decimal less, such as 1.2 for 1.23, a
rounding looks like one wrong digit."""


def _change(pairs: Sequence[Pair]) -> Patch:
    return Patch(tuple(wrong for wrong, _ in pairs), tuple(right for _, right in pairs))


def _hypothesis(kind: CauseKind, pairs: Sequence[Pair], detail: str = "") -> Hypothesis:
    patch = _change(pairs)
    return Hypothesis(kind, patch, patch.removed, Strength.SHOWN, detail)


def cumulative_edits(
    pairs: Sequence[Pair], fills: Sequence[Fill]
) -> Iterator[tuple[Hypothesis, list[Pair]]]:
    """Yield a hypothesis per order whose quantities are running sums, with its differing pairs.

    Example: the right quantities are 1, 2 and 2, the wrong ones 1, 3 and 5.
    """
    right_of = {id(wrong): right for wrong, right in pairs}
    names = {wrong.order_id for wrong, _ in pairs} - {""}
    of_names = [fill for fill in fills if fill.order_id in names] if names else []
    orders: dict[str, list[Fill]] = {}
    for fill in sorted(of_names, key=lambda fill: fill.time):
        order = fill.order_id
        if order:
            orders.setdefault(order, []).append(fill)
    for of_order in orders.values():
        wrong = [fill for fill in of_order if id(fill) in right_of]
        if len(of_order) > 1 and wrong and _is_running(of_order, right_of):
            done = [(fill, right_of[id(fill)]) for fill in wrong]
            hypothesis = _hypothesis(CauseKind.CUMULATIVE_QUANTITY, done)
            yield replace(hypothesis, rows=tuple(of_order)), done


def _is_running(fills: Sequence[Fill], right_of: dict[int, Fill]) -> bool:
    total = ZERO
    for fill in fills:
        total = EXACT.add(total, right_of.get(id(fill), fill).quantity)
        if fill.quantity != total:
            return False
    return True


def differing_fields(wrong: Fill, right: Fill) -> list[str]:
    """Return the names of the fields in which two rows of one fill differ.

    The fee currency counts only if both rows have a fee.
    """
    names = [
        name
        for name in ("symbol", "side", "quantity", "price", "fee", "leg", "time")
        if getattr(wrong, name) != getattr(right, name)
    ]
    if wrong.fee and right.fee and wrong.fee_currency != right.fee_currency:
        names.append("fee_currency")
    return names


def edits_of_row(given: Fill, at: Fill, right: Fill) -> Iterator[Hypothesis]:
    """Yield a hypothesis per wrong field of a fill, each on top of the previous one.

    `at` is the fill `given` by the side, as corrected so far. A wrong time alone is no cause.
    """
    names, wrong = differing_fields(at, right), at
    follows = "fee" in names and bool({"quantity", "price"} & set(names)) and wrong.fee
    for name in names:
        if name == "time" or (name == "fee" and (follows or "fee_currency" in names)):
            continue
        changed = replace(at, **_values(right, name, with_fee=bool(follows)))
        how = _how(name, wrong, right)
        kind = CauseKind.ROUNDING if how.startswith(name) else _kind(name, wrong, right)
        yield Hypothesis(kind, Patch((at,), (changed,)), (given,), Strength.SHOWN, how)
        at = changed


def _values(right: Fill, name: str, *, with_fee: bool) -> dict[str, Any]:
    values = {name: getattr(right, name)}
    if name in {"fee", "fee_currency"} or (with_fee and name in {"quantity", "price"}):
        values |= {"fee": right.fee, "fee_currency": right.fee_currency}
    return values


def _how(name: str, wrong: Fill, right: Fill) -> str:
    if name not in {"quantity", "price"}:
        return ""
    given, other = getattr(wrong, name), getattr(right, name)
    found = slip(given, other)
    if found is None and name == "quantity" and right.fee:
        off = EXACT.subtract(given, other).copy_abs()
        found = "off by its fee" if off == right.fee.copy_abs() else None
    if found is None and is_rounded(given, other):
        found = f"{name} {format_amount(other)} to {decimal_places(shortest(given))} decimals"
    return found or ""


def is_rounded(given: Decimal, other: Decimal) -> bool:
    """True if a number is the other rounded to the nearest, at least `_LOST_PLACES` shorter."""
    places = decimal_places(shortest(given))
    if decimal_places(shortest(other)) - places < _LOST_PLACES:
        return False
    unit = Decimal((0, (1,), -places))
    nearest = (
        other.quantize(unit, context=Context(prec=1000, rounding=mode))
        for mode in (ROUND_HALF_EVEN, ROUND_HALF_UP)
    )
    return given in nearest


def _kind(name: str, wrong: Fill, right: Fill) -> CauseKind:
    if name == "fee":
        return fee_kind(wrong.fee, right.fee)
    return {
        "side": CauseKind.SIDE_FLIPPED,
        "symbol": CauseKind.ALIAS,
        "leg": CauseKind.NETTED_LEGS,
        "quantity": CauseKind.WRONG_QUANTITY,
        "price": CauseKind.WRONG_PRICE,
        "fee_currency": CauseKind.FEE_CURRENCY,
    }[name]


def fee_kind(wrong: Decimal, right: Decimal) -> CauseKind:
    """Return the kind of fault of a fee in the right currency."""
    if not wrong:
        return CauseKind.MISSING_FEE
    if wrong == right.copy_negate():
        return CauseKind.FEE_SIGN
    if wrong == EXACT.add(right, right):
        return CauseKind.DUPLICATE_FEE
    return CauseKind.FEE_RATE
