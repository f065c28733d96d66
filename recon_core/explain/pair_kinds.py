"""What is wrong with a row that both sides have, and what is wrong with all of them."""

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
from fractions import Fraction
from typing import Any, Final

from recon_core.amounts import EXACT, ZERO, decimal_places, format_amount, shortest
from recon_core.explain.changes import Change
from recon_core.explain.edits import Edit
from recon_core.explain.slips import slip
from recon_core.explanation import CauseKind
from recon_core.model import Fill

Pair = tuple[Fill, Fill]
"""A fill as the side at fault has it, and as it is right."""

_MODES: Final = (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN, ROUND_FLOOR, ROUND_CEILING)
_STEP: Final = timedelta(minutes=15)
_LOST_PLACES: Final = 2


def edits_of_pairs(pairs: Sequence[Pair], fills: Sequence[Fill]) -> Iterator[Edit]:
    """The edits that make wrong fills right: one for all where they have one fault.

    `fills` are all fills of the side at fault.
    """
    left = list(pairs)
    for kind_edit in (_cumulative(left, fills), _shared(left, fills)):
        for edit, done in kind_edit:
            yield edit
            taken = {id(pair[0]) for pair in done}
            left = [pair for pair in left if id(pair[0]) not in taken]
    for wrong, right in left:
        yield from _single(wrong, right)


def _change(pairs: Sequence[Pair]) -> Change:
    return Change(tuple(wrong for wrong, _ in pairs), tuple(right for _, right in pairs))


def _edit(kind: CauseKind, pairs: Sequence[Pair], detail: str = "") -> Edit:
    change = _change(pairs)
    return Edit(kind, change, change.removed, 0, detail)


def _cumulative(pairs: Sequence[Pair], fills: Sequence[Fill]) -> Iterator[tuple[Edit, list[Pair]]]:
    """Orders whose quantities are running sums of the right ones."""
    right_of = {id(wrong): right for wrong, right in pairs}
    names = {wrong.client_order_id or wrong.exchange_order_id for wrong, _ in pairs} - {None, ""}
    of_names = (
        [fill for fill in fills if (fill.client_order_id or fill.exchange_order_id) in names]
        if names
        else []
    )
    orders: dict[str, list[Fill]] = {}
    for fill in sorted(of_names, key=lambda fill: fill.time):
        order = fill.client_order_id or fill.exchange_order_id
        if order:
            orders.setdefault(order, []).append(fill)
    for of_order in orders.values():
        wrong = [fill for fill in of_order if id(fill) in right_of]
        if len(of_order) > 1 and wrong and _is_running(of_order, right_of):
            done = [(fill, right_of[id(fill)]) for fill in wrong]
            edit = _edit(CauseKind.CUMULATIVE_QUANTITY, done)
            yield replace(edit, rows=tuple(of_order)), done


def _is_running(fills: Sequence[Fill], right_of: dict[int, Fill]) -> bool:
    total = ZERO
    for fill in fills:
        total = EXACT.add(total, right_of.get(id(fill), fill).quantity)
        if fill.quantity != total:
            return False
    return True


def _shared(pairs: Sequence[Pair], fills: Sequence[Fill]) -> Iterator[tuple[Edit, list[Pair]]]:
    """One fault of all fills, or of all fills of a symbol."""
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair[0].symbol, []).append(pair)
    everything = [list(pairs)] if len(groups) > 1 else []
    for group in (*everything, *groups.values()):
        if len(group) < 2:  # noqa: PLR2004  # one row shows no habit
            continue
        symbols = {wrong.symbol for wrong, _ in group}
        known = [fill for fill in fills if fill.symbol in symbols]
        edit = _of_all(group, known)
        if edit is not None:
            yield edit, group
            if len(group) == len(pairs):
                return


def _of_all(pairs: Sequence[Pair], fills: Sequence[Fill]) -> Edit | None:
    fields = {name for wrong, right in pairs for name in differing_fields(wrong, right)}
    found = None
    if fields == {"time"}:
        found = _shifted(pairs, fills)
    elif fields == {"symbol"}:
        found = _edit(CauseKind.ALIAS, pairs, f"{pairs[0][0].symbol} is {pairs[0][1].symbol}")
    elif fields == {"leg"}:
        found = _edit(CauseKind.NETTED_LEGS, pairs, "LONG and SHORT are netted")
    elif fields == {"side"} and len(pairs) == len(fills):
        found = _edit(CauseKind.SIGN_CONVENTION, pairs, "BUY and SELL of every fill")
    elif "quantity" in fields and fields <= {"quantity", "fee"}:
        found = unit_or_rounding(pairs, fills)
    elif fields == {"price"}:
        found = _rounded(pairs, fills, "price")
    elif fields <= {"fee", "fee_currency"} and len(pairs) >= sum(bool(f.fee) for f in fills):
        found = _fees(pairs)
    return found


def unit_or_rounding(pairs: Sequence[Pair], fills: Sequence[Fill]) -> Edit | None:
    """Quantities in another unit, or with fewer decimals than they should have."""
    return _unit(pairs) or _rounded(pairs, fills, "quantity")


def _shifted(pairs: Sequence[Pair], fills: Sequence[Fill]) -> Edit | None:
    shifts = {wrong.time - right.time for wrong, right in pairs}
    if len(shifts) != 1 or len(pairs) != len(fills):
        return None
    (shift,) = shifts
    if shift % _STEP:
        return None
    return _edit(CauseKind.AS_OF_SHIFT, pairs, f"all times are off by {_span(shift)}")


def _span(shift: timedelta) -> str:
    hours = Fraction(shift // timedelta(minutes=1), 60)
    return f"{'+' if shift > timedelta() else ''}{float(hours):g} h"


def _unit(pairs: Sequence[Pair]) -> Edit | None:
    ratios = {Fraction(wrong.quantity) / Fraction(right.quantity) for wrong, right in pairs
              if right.quantity}  # fmt: skip
    if len(ratios) != 1:
        return None
    (ratio,) = ratios
    whole = ratio if ratio >= 1 else 1 / ratio
    if whole.denominator != 1:
        return None
    return _edit(CauseKind.UNIT, pairs, f"quantities are {ratio} times what they should be")


def _rounded(pairs: Sequence[Pair], fills: Sequence[Fill], name: str) -> Edit | None:
    """Every figure has so few decimals, and the wrong ones are the right ones rounded."""
    places = max(decimal_places(shortest(getattr(fill, name))) for fill in fills)
    unit = Decimal((0, (1,), -places))
    for mode in _MODES:
        context = Context(prec=1000, rounding=mode)
        if all(
            getattr(right, name).quantize(unit, context=context) == getattr(wrong, name)
            for wrong, right in pairs
        ):
            return _edit(CauseKind.ROUNDING, pairs, f"{name} to {places} decimals")
    return None


def _fees(pairs: Sequence[Pair]) -> Edit | None:
    booked = [pair for pair in pairs if pair[0].fee]
    if not booked:
        return _edit(CauseKind.MISSING_FEE, pairs, "no fee was booked at all")
    if all(wrong.fee_currency != right.fee_currency for wrong, right in booked):
        return _edit(CauseKind.FEE_CURRENCY, pairs, "every fee")
    if all(wrong.fee == right.fee.copy_negate() for wrong, right in pairs):
        return _edit(CauseKind.FEE_SIGN, pairs, "of every fee")
    if all(wrong.fee == EXACT.add(right.fee, right.fee) for wrong, right in pairs):
        return _edit(CauseKind.DUPLICATE_FEE, pairs, "every fee")
    return _edit(CauseKind.FEE_RATE, pairs)


def differing_fields(wrong: Fill, right: Fill) -> list[str]:
    """The fields in which two rows of one fill differ; a currency of no fee is none."""
    names = [
        name
        for name in ("symbol", "side", "quantity", "price", "fee", "leg", "time")
        if getattr(wrong, name) != getattr(right, name)
    ]
    if wrong.fee and right.fee and wrong.fee_currency != right.fee_currency:
        names.append("fee_currency")
    return names


def _single(wrong: Fill, right: Fill) -> Iterator[Edit]:
    """What is wrong with one fill, one edit after the other; a time alone is no cause."""
    names, at = differing_fields(wrong, right), wrong
    follows = "fee" in names and bool({"quantity", "price"} & set(names)) and wrong.fee
    for name in names:
        if name == "time" or (name == "fee" and (follows or "fee_currency" in names)):
            continue
        changed = replace(at, **_values(right, name, with_fee=bool(follows)))
        how = _how(name, wrong, right)
        kind = CauseKind.ROUNDING if how.startswith(name) else _kind(name, wrong, right)
        yield Edit(kind, Change((at,), (changed,)), (wrong,), 0, how)
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
    """Whether a number is another one to the nearest of fewer decimals, two less at least."""
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
        return _fee_kind(wrong.fee, right.fee)
    return {
        "side": CauseKind.SIDE_FLIPPED,
        "symbol": CauseKind.ALIAS,
        "leg": CauseKind.NETTED_LEGS,
        "quantity": CauseKind.WRONG_QUANTITY,
        "price": CauseKind.WRONG_PRICE,
        "fee_currency": CauseKind.FEE_CURRENCY,
    }[name]


def _fee_kind(wrong: Decimal, right: Decimal) -> CauseKind:
    if not wrong:
        return CauseKind.MISSING_FEE
    if wrong == right.copy_negate():
        return CauseKind.FEE_SIGN
    if wrong == EXACT.add(right, right):
        return CauseKind.DUPLICATE_FEE
    return CauseKind.FEE_RATE
