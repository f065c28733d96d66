"""Faults in pairs of rows that both sides list: of most pairs alike, or of a single row.

The fault that most pairs show is corrected in all of them; a field that still differs is a second
fault of its row. Example: of 10 pairs all quantities are 1000 times the right ones, and one price
differs, too. The answer is one `unit` fault of 10 rows and one `wrong_price` of one row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from recon_core.explain.causes.alias import alias_of_pairs
from recon_core.explain.causes.fee_amount import fees_of_pairs
from recon_core.explain.causes.legs import legs_of_pairs
from recon_core.explain.causes.rounding import (
    is_rounded,
    rounded_prices_of_pairs,
    rounding_of_pairs,
)
from recon_core.explain.causes.sign import sign_of_pairs
from recon_core.explain.causes.stale import shift_of_pairs
from recon_core.explain.causes.unit import unit_of_pairs
from recon_core.explain.problem.figures import slip
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.pairs import (
    FEWEST_PAIRS,
    Pair,
    PairRow,
    PairTest,
    SharedFault,
    differing_fields,
    differing_in,
    fee_kind,
)
from recon_core.explain.problem.patches import Patch
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, decimal_places, format_amount, shortest


def shared_faults(
    pairs: Sequence[Pair], fills: Sequence[Fill]
) -> tuple[list[Hypothesis], list[PairRow]]:
    """Return the systematic faults as hypotheses, and the rows that differ after them.

    `fills` are all fills of the side at fault.
    """
    rows, hypotheses = [PairRow(wrong, wrong, right) for wrong, right in pairs], list[Hypothesis]()
    for test in (
        alias_of_pairs,
        legs_of_pairs,
        shift_of_pairs,
        sign_of_pairs,
        _quantities,
        rounded_prices_of_pairs,
        fees_of_pairs,
    ):
        for habit in _shared(test, rows, fills):
            hypothesis = habit.hypothesis()
            hypotheses.append(hypothesis)
            done = dict(zip(map(id, habit.rows), hypothesis.patch.added, strict=True))
            rows = [replace(row, at=done.get(id(row), row.at)) for row in rows]
    return hypotheses, [row for row in rows if row.fields]


def _shared(
    test: PairTest, rows: Sequence[PairRow], fills: Sequence[Fill]
) -> Iterator[SharedFault]:
    """Yield the fault of all rows, or else the fault of each symbol's rows."""
    habit = test(rows, fills) if len(rows) >= FEWEST_PAIRS else None
    if habit is not None:
        yield habit
        return
    groups: dict[str, list[PairRow]] = {}
    for row in rows:
        groups.setdefault(row.given.symbol, []).append(row)
    for symbol, some in groups.items() if len(groups) > 1 else ():
        known = [fill for fill in fills if fill.symbol == symbol]
        habit = test(some, known) if len(some) >= FEWEST_PAIRS else None
        if habit is not None:
            yield habit


def _quantities(rows: Sequence[PairRow], fills: Sequence[Fill]) -> SharedFault | None:
    """Return the fault of quantities in another unit, or with too few decimals."""
    wrong = [row for row in differing_in(rows, "quantity") if row.right.quantity]
    return unit_of_pairs(wrong) or rounding_of_pairs(wrong, fills, "quantity")


def unit_or_rounding(pairs: Sequence[Pair], fills: Sequence[Fill]) -> Hypothesis | None:
    """Return the unit or rounding fault that makes all these quantities wrong, if there is one."""
    rows = [PairRow(wrong, wrong, right) for wrong, right in pairs]
    habit = _quantities(rows, fills)
    return None if habit is None or len(habit.rows) < len(rows) else habit.hypothesis()


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
        kind = CauseKind.ROUNDING if how.startswith(name) else _kind_of(name, wrong, right)
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


def _kind_of(name: str, wrong: Fill, right: Fill) -> CauseKind:
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
