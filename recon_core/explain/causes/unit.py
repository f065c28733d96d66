"""Another unit: quantities of all fills, figures of pairs of rows, or figures that a side states.

A unit is off by a power of ten, or by the contract multiplier.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.causes.family import CauseFamily, Rival
from recon_core.explain.problem.dimensions import Vector, is_cash, is_position, label_of
from recon_core.explain.problem.figures import LARGEST_POWER, POWERS, is_power_of_ten
from recon_core.explain.problem.fill_group import FillGroup, times
from recon_core.explain.problem.hypotheses import Hypothesis, Strength, of_all, together
from recon_core.explain.problem.pairs import (
    PairRow,
    SharedFault,
    are_most,
    differing_in,
    quantity_fields,
)
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import to_decimal
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.stated_figures import (
    StateHypothesis,
    States,
    multipliers_of,
    ratio_of,
)
from recon_core.explain.problem.wording import of_figures
from recon_core.ledger.bookings import is_derivative
from recon_core.model import Fill, LedgerSide, OrderSide
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO
from recon_core.values.printable import printable

_COMMON: Final = tuple(Decimal(1).scaleb(exponent) for exponent in (-8, -3, -2, -1, 1, 2, 3, 8))
"""Factors between units in use: tenths, percent, thousandths, satoshi (10^-8) and the inverses."""

_FORMS: Final = 2 * LARGEST_POWER
"""Powers of ten, and their inverses, that the ratio of two figures may be.

A ratio that is the declared size of a contract has that size as its witness.
"""

_ONE: Final = Decimal(1)


def _of_all(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield every quantity in another unit that may have the required effect.

    Not where trades that are worth nothing would have it as well: any small enough unit fits.
    """
    if group.is_required(-_ONE):
        return
    for factor in (*POWERS, *multipliers(group.problem, group.fills)):
        if group.is_required(EXACT.subtract(factor, _ONE)):
            yield in_other_unit(group.problem, group.fills, factor)


def _reducing(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield every quantity in a common other unit that reduces the required effect."""
    for factor in (*_COMMON, *multipliers(group.problem, group.fills)):
        if group.reduces(times(group.trades, EXACT.subtract(factor, _ONE))):
            yield in_other_unit(group.problem, group.fills, factor)


def in_other_unit(problem: Problem, fills: Sequence[Fill], factor: Decimal) -> Hypothesis:
    """Build the hypothesis that every quantity is to be multiplied by `factor`."""
    scaled = [_scaled(fill, factor) for fill in fills]
    return of_all(CauseKind.UNIT, fills, scaled, _unit_text(factor, problem))


def _scaled(fill: Fill, factor: Decimal) -> Fill:
    return replace(fill, quantity=EXACT.multiply(fill.quantity, factor).normalize(EXACT))


def multipliers(problem: Problem, fills: Sequence[Fill]) -> list[Decimal]:
    """Return the contract multiplier and its exact inverse, unless they are powers of ten."""
    instrument = problem.postings.instruments.get(fills[0].symbol)
    multiplier = Decimal(1) if instrument is None else instrument.multiplier
    if multiplier in {Decimal(1), *POWERS} or not multiplier:
        return []
    inverse = to_decimal(1 / Fraction(multiplier), 30)
    exact = EXACT.multiply(inverse, multiplier) == 1
    return [multiplier, inverse] if exact else [multiplier]


def _unit_text(factor: Decimal, problem: Problem) -> str:
    posted, _ = problem.wrong_and_right(1 / Fraction(factor), Fraction(factor))
    return f"quantities are {posted} times what they should be"


def unit_of_pairs(rows: Sequence[PairRow]) -> SharedFault | None:
    """Return the fault that most quantities are one whole multiple, or part, of the right ones.

    `rows` differ in their quantity, and no right quantity is 0.
    """
    ratios = Counter(Fraction(row.at.quantity) / Fraction(row.right.quantity) for row in rows)
    if not ratios:
        return None
    ratio, _ = ratios.most_common(1)[0]
    if not ratio or max(ratio, 1 / ratio).denominator != 1:
        return None
    members = [
        row for row in rows if Fraction(row.at.quantity) == ratio * Fraction(row.right.quantity)
    ]
    if not are_most(members, rows):
        return None
    detail = f"quantities are {ratio} times what they should be"
    return SharedFault(CauseKind.UNIT, detail, quantity_fields(members), members)


def _in_states(states: States) -> Iterator[StateHypothesis]:
    """Yield the figures that differ by the same power of ten, or by the contract multiplier."""
    ratios = {name: ratio_of(states, name) for name in states.differing}
    if not ratios:
        return
    by_ratio: dict[Fraction, list[str]] = {}
    for name, ratio in ratios.items():
        if ratio is not None and is_power_of_ten(ratio):
            by_ratio.setdefault(ratio, []).append(name)
    multipliers = multipliers_of(states)
    of_no_cash = _of_no_cash(states) if by_ratio else frozenset()
    for ratio, names in by_ratio.items():
        is_declared = all(ratio in multipliers.get(name, ()) for name in names)
        is_size = all(multipliers.get(name, ())[:1] == (ratio,) for name in names)
        forms = 0 if is_declared else _FORMS
        detail = f"{_shown(ratio)} times as much"
        one = states.hypothesis(CauseKind.UNIT, tuple(names), detail, forms)
        is_of_rows = not is_size and of_no_cash.issuperset(names)
        yield replace(one, strength=Strength.CHANCE) if is_of_rows else one
    if any(len(names) == len(ratios) for names in by_ratio.values()):
        return
    if all(ratio is not None and ratio in multipliers.get(name, ())
           for name, ratio in ratios.items()):  # fmt: skip
        yield states.hypothesis(CauseKind.UNIT, states.differing, "by the contract multiplier")


def _of_no_cash(states: States) -> frozenset[str]:
    """Return the positions of contracts whose quantity no cash shows, by the other side's fills.

    They only open it, or no cash is compared: all of them may as well be in another unit. A figure
    in units of the base, where the rows count contracts, has the declared size as its witness.
    """
    sides: dict[str, set[OrderSide]] = {}
    others: set[str] = set()
    for fill in states.other_record.fill_rows:
        name = states.dimensions.position(fill.symbol, fill.leg, fill.account)
        sides.setdefault(name, set()).add(fill.side)
        instrument = states.recorded.instruments.get(fill.symbol)
        if instrument is None or not is_derivative(instrument):
            others.add(name)
    is_seen = any(map(is_cash, states.dimensions.compared))
    opened = {name for name, both in sides.items() if len(both) == 1 or not is_seen}
    return frozenset(opened - others)


def _shown(ratio: Fraction) -> str:
    return f"{ratio.numerator}" if ratio.denominator == 1 else f"1/{ratio.denominator}"


def _in_pairs(rows: Sequence[PairRow], _fills: Sequence[Fill]) -> SharedFault | None:
    """Return the fault that most quantities are in another unit."""
    return unit_of_pairs([row for row in differing_in(rows, "quantity") if row.right.quantity])


def _rivals(
    problem: Problem, hypotheses: Sequence[Hypothesis], _max_skew: timedelta
) -> Iterator[Rival]:
    """Yield a figure that the exchange states in another unit, in place of wrong rows.

    For an opening that no row shows, and for quantities that no cash shows.
    """
    if problem.side is not LedgerSide.INTERNAL or problem.rows_right:
        return
    yield from _of_fills(problem, hypotheses)
    stated = problem.dimensions.stated(problem.statement_of(LedgerSide.EXTERNAL))
    for at, one in enumerate(hypotheses):
        if one.patch.opening is None or one.strength is Strength.SHOWN:
            continue
        moved = {name: by for name, by in one.patch.vector(problem.postings).items() if by}
        ratio = _shared_ratio(stated, moved)
        if ratio is not None:
            names = ", ".join(map(label_of, sorted(moved)))
            detail = f"its {names} is {_shown(ratio)} times as much"
            unit = Hypothesis(
                CauseKind.UNIT, one.patch, (), detail=detail, side=LedgerSide.EXTERNAL
            )
            yield Rival({at: ()}, unit, "the balances before the first fill")


def _of_fills(problem: Problem, hypotheses: Sequence[Hypothesis]) -> Iterator[Rival]:
    for at, one in enumerate(hypotheses):
        if one.cause_kind is not CauseKind.UNIT or one.strength is Strength.SHOWN:
            continue
        names = {problem.postings.position(fill) for fill in one.patch.removed}
        others = (*hypotheses[:at], *hypotheses[at + 1 :])
        some = _of_what_differs(problem, one, others)
        if some is not None:
            yield Rival({at: ()}, some, "the fills of the external side")
        after = problem.replayed_after(one.patch)
        cash = problem.dimensions.compared - names
        if after is not None and all(
            after.exact.get(name, ZERO) == problem.exact.get(name, ZERO) for name in cash
        ):
            differing = sorted(names & problem.required.keys())
            detail = f"its {', '.join(map(label_of, differing))}"
            unit = Hypothesis(
                CauseKind.UNIT, one.patch, (), detail=detail, side=LedgerSide.EXTERNAL
            )
            yield Rival({at: ()}, unit, "the fills or the cash of the external side")


def _of_what_differs(
    problem: Problem, one: Hypothesis, others: Sequence[Hypothesis]
) -> Hypothesis | None:
    """Return another unit of the fills whose positions differ, if that is not of all and explains.

    Fills of another symbol that cancel may be in the right unit.
    """
    differing = set(filter(is_position, problem.required))
    pairs = zip(one.patch.removed, one.patch.added, strict=True)
    kept = [pair for pair in pairs if problem.postings.position(pair[0]) in differing]
    if not 0 < len(kept) < len(one.patch.removed):
        return None
    fills, scaled = zip(*kept, strict=True)
    symbols = ", ".join(dict.fromkeys(printable(fill.symbol, 60) for fill in fills))
    detail = f"{one.detail}, of {symbols} alone"
    some = replace(
        one, patch=Patch(fills, scaled), rows=fills, strength=Strength.CHANCE, detail=detail
    )
    after = problem.replayed_after(together((*others, some)))
    return None if after is None or after.required else some


def _shared_ratio(stated: Vector, moved: Vector) -> Fraction | None:
    """Return the power of ten by which figures are what they were without the amounts moved."""
    ratios = set()
    for name, by in moved.items():
        figure = Fraction(stated.get(name, ZERO))
        ratios.add(figure / (figure - Fraction(by)) if figure != by else Fraction(0))
    ratio = ratios.pop() if len(ratios) == 1 else Fraction(0)
    return ratio if ratio and is_power_of_ten(ratio) else None


FAMILY: Final = CauseFamily(
    sentences={CauseKind.UNIT: of_figures("{subject} counts in another unit")},
    of_all=_of_all,
    reducing=_reducing,
    rivals=_rivals,
    in_pairs=(_in_pairs,),
    in_states=lambda states: _in_states(states.stated_only),
    state_words={CauseKind.UNIT: "counts in another unit"},
    may_be_a_row=True,
)
