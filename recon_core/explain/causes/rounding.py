"""Rounded figures: quantities of fills, figures of pairs of rows, or all that a side states.

0.12 and 3.46 against 0.1234 and 3.4567 are a rounding to two decimals, half-even; 0.12 and 3.45
are digits cut off.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Decimal,
)
from itertools import chain, islice
from typing import Final

from recon_core.explain.budget import OF_A_POSTING, OF_A_SUM
from recon_core.explain.causes.family import CauseFamily, FieldFault
from recon_core.explain.problem.dimensions import (
    Dimensions,
    Vector,
    is_cash,
    is_position,
    label_of,
    minus,
)
from recon_core.explain.problem.figures import MODES, last_digit
from recon_core.explain.problem.fill_group import FillGroup
from recon_core.explain.problem.hypotheses import Facts, Hypothesis, Row, Strength, of_all
from recon_core.explain.problem.pairs import (
    FEWEST_PAIRS,
    PairRow,
    SharedFault,
    are_most,
    differing_in,
    quantity_fields,
)
from recon_core.explain.problem.postings import postings_of
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.explain.problem.wording import of_figures
from recon_core.model import Fill, InstrumentKind, OrderSide, RecordedSession
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import (
    EXACT,
    ZERO,
    decimal_places,
    exact_sum,
    format_amount,
    round_by,
    round_to_places,
    shortest,
    unit_at,
)

_MOST_PLACES: Final = 8
"""Decimals of a rounded quantity: quantities on most venues have no more than 8."""

_MOST_REDUCING_PLACES: Final = 7
"""Decimals of a rounding, 0 to 6: each that fits costs a search for the second fault."""

_LOST_PLACES: Final = 2
"""Decimals that a rounded number has lost at least: with one decimal less, such as 1.2 for 1.23, a
rounding looks like one wrong digit."""

_MODE_WORDS: Final = {
    ROUND_DOWN: "has cut digits off what it states",
    ROUND_FLOOR: "has rounded down what it states",
    ROUND_CEILING: "has rounded up what it states",
}
"""Words for the modes that round one way; half-even and half-up have the words of the kind."""

_ROUNDED: Final = of_figures("{subject} has rounded figures")
_CUT_OFF: Final = of_figures("{subject} has cut digits off figures")

_FEWEST_DIGITS: Final = 3
"""Digits that all rounded figures show together, and digits that a single one has lost.

A random amount fits 3 once in 1,000 or so.
"""

_PAIR: Final = 2
"""Figures of which one may have what the other lacks."""

_FEWEST_WITHOUT_ROWS: Final = 6
"""Digits that a single rounded figure shows where neither side has rows: few are as exact."""

_FEWEST_ROWS: Final = 2
"""Rows with more digits than the rounded figure: a single one may be wrong itself."""

_FEWEST_WITH_CASH: Final = 2
"""The same where only positions differ: cash that agrees rules out a fill as the cause."""


def _of_all(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield every quantity rounded half-even to 0 to 8 decimals, while this moves enough."""
    problem, fills = group.problem, group.fills
    if problem.fault_in is FaultIn.ROWS or not group.seen:
        return
    required = problem.required.get(problem.postings.position(fills[0]), ZERO).copy_abs()
    for places in range(_MOST_PLACES + 1):
        if required > EXACT.multiply(Decimal(len(fills)), Decimal(1).scaleb(-places)):
            break
        if not _moves_as_required(problem, fills, places):
            continue
        effect = _effect(problem, fills, places)
        if effect is None or problem.reached_by_effect(effect):
            yield from _rounded_to(fills, places)


def _moves_as_required(problem: Problem, fills: Sequence[Fill], places: int) -> bool:
    """True if rounding moves the positions of fills as required, which is cheaper than its cash."""
    problem.postings.meter.charge(len(fills) * OF_A_SUM)
    moved: dict[str, Decimal] = {}
    for fill in fills:
        rounded = round_to_places(fill.quantity, places)
        if rounded != fill.quantity:
            name, more = problem.postings.position(fill), EXACT.subtract(rounded, fill.quantity)
            add = EXACT.add if fill.side is OrderSide.BUY else EXACT.subtract
            moved[name] = add(moved.get(name, ZERO), more)
    return all(
        EXACT.subtract(problem.required.get(name, ZERO), moved.get(name, ZERO)).copy_abs()
        <= problem.allowed(name)
        for name in {*map(problem.postings.position, fills)} & problem.dimensions.compared
    )


def _reducing(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield every quantity rounded half-even that reduces the required effect."""
    if group.problem.fault_in is FaultIn.ROWS:
        return
    for places in range(_MOST_REDUCING_PLACES):
        effect = _effect(group.problem, group.fills, places)
        if effect is None or group.reduces(effect):
            yield from _rounded_to(group.fills, places)


def _effect(problem: Problem, fills: Sequence[Fill], places: int) -> Vector | None:
    """Return the effect of rounding quantities to `places` decimals, by dimension.

    `None` for inverse and unknown contracts, whose trades have no exact value.
    """
    effect: dict[str, Decimal] = {}
    problem.postings.meter.charge(len(fills) * OF_A_POSTING)
    for fill in fills:
        rounded = round_to_places(fill.quantity, places)
        if rounded == fill.quantity:
            continue
        instrument = problem.postings.instruments.get(fill.symbol)
        if instrument is None or instrument.instrument_kind is InstrumentKind.INVERSE:
            return None
        is_buy = fill.side is OrderSide.BUY
        for quantity, is_more in ((rounded, is_buy), (fill.quantity, not is_buy)):
            add = EXACT.add if is_more else EXACT.subtract
            for name, amount in problem.postings.traded(fill, instrument, quantity):
                effect[name] = add(effect.get(name, ZERO), amount)
    return effect


def _rounded_to(fills: Sequence[Fill], places: int) -> Iterator[Hypothesis]:
    """Yield every quantity with at most `places` decimals, if any quantity has more."""
    rounded = [replace(fill, quantity=round_to_places(fill.quantity, places)) for fill in fills]
    if list(fills) != rounded:
        yield of_all(CauseKind.ROUNDING, fills, rounded, f"quantities to {places} decimals")


def _quantities_of_pairs(rows: Sequence[PairRow], fills: Sequence[Fill]) -> SharedFault | None:
    """Return the fault that most quantities are rounded."""
    wrong = [row for row in differing_in(rows, "quantity") if row.right.quantity]
    return rounding_of_pairs(wrong, fills, "quantity")


def _prices_of_pairs(rows: Sequence[PairRow], fills: Sequence[Fill]) -> SharedFault | None:
    """Return the fault that most prices are rounded."""
    return rounding_of_pairs(differing_in(rows, "price"), fills, "price")


def rounding_of_pairs(
    rows: Sequence[PairRow], fills: Sequence[Fill], name: str
) -> SharedFault | None:
    """Return the fault of figures that are the right ones rounded to fewer decimals.

    At least `MOST_PAIRS` of all fills must have no more decimals than the rounded figures. Other
    figures lose other digits: 2570 and 2580 for 2570.02 and 2580.02 are prices that are all off.
    """
    if len(rows) < FEWEST_PAIRS or _are_shifted(rows, name):
        return None
    given = Counter(decimal_places(shortest(getattr(fill, name))) for fill in fills)
    most = max(decimal_places(shortest(getattr(row.at, name))) for row in rows)
    exact_count = sum(count for places, count in given.items() if places > most)
    if not are_most(fills[: len(fills) - exact_count], fills):
        return None
    for places in {most, _usual_places(rows, name)}:
        for mode in MODES:
            members = [
                row
                for row in rows
                if round_by(getattr(row.right, name), places, mode) == getattr(row.at, name)
            ]
            if are_most(members, rows):
                fields = quantity_fields(members) if name == "quantity" else (name,)
                detail = f"{name} to {places} decimals"
                return SharedFault(CauseKind.ROUNDING, detail, fields, members, Facts(rounded=name))
    return None


def _are_shifted(rows: Sequence[PairRow], name: str) -> bool:
    """True if figures that differ among themselves are all off by one amount."""
    right = {getattr(row.right, name) for row in rows}
    off = {EXACT.subtract(getattr(row.right, name), getattr(row.at, name)) for row in rows}
    return len(right) > len(off) == 1


def _usual_places(rows: Sequence[PairRow], name: str) -> int:
    places = sorted(decimal_places(shortest(getattr(row.at, name))) for row in rows)
    return places[len(places) * 4 // 5]


def rounded_figure(name: str, wrong: Fill, right: Fill) -> FieldFault | None:
    """Return the fault of a figure of one row that is the right one rounded, or `None`.

    A fee that follows the figure shows that it was traded so, and not rounded in a report.
    """
    given, other = getattr(wrong, name), getattr(right, name)
    if not is_rounded(given, other):
        return None
    if wrong.fee != right.fee and not is_rounded(wrong.fee, right.fee):
        return None
    places = decimal_places(shortest(given))
    detail = f"{name} {format_amount(other)} to {places} decimals"
    return FieldFault(CauseKind.ROUNDING, detail, Facts(rounded=name))


def is_rounded(given: Decimal, other: Decimal) -> bool:
    """True if a number is the other rounded to the nearest, at least `_LOST_PLACES` shorter."""
    places = decimal_places(shortest(given))
    if decimal_places(shortest(other)) - places < _LOST_PLACES:
        return False
    return given in (round_by(other, places, mode) for mode in (ROUND_HALF_EVEN, ROUND_HALF_UP))


def _in_states(states: States) -> Iterator[StateHypothesis]:
    """Yield a rounding if all that differs is the other side's figures with fewer decimals."""
    values = [(states.stated.get(n, ZERO), states.other.get(n, ZERO)) for n in states.differing]
    if not any(value for value, _ in values) or _shows_more(values):
        return
    written = max(decimal_places(value) for value, _ in values)
    places = written or max(_places(value) for value, _ in values)
    for mode in MODES:
        if all(round_by(right, places, mode) == value for value, right in values):
            what = f"{places} decimals" if places >= 0 else f"multiples of {10**-places}"
            hypothesis = states.hypothesis(CauseKind.ROUNDING, states.differing, f"to {what}")
            strength = Strength.EXACT if _is_witnessed(states, places) else Strength.CHANCE
            strength = max(strength, hypothesis.strength)
            yield replace(hypothesis, words=_MODE_WORDS.get(mode, ""), strength=strength)
            return


def _is_witnessed(states: States, places: int) -> bool:
    """True if several figures lost digits, or one that several rows make lost enough of them.

    A single figure with more digits than the other side's may be the sum of one wrong row, or wrong
    itself: 232 is no witness that 300 are rounded to hundreds. So may two of opposite amounts be: a
    fill of 5 under another symbol leaves -45 and -15 where -40 and -20 are stated.
    """
    if len(states.differing) > 1:
        return not _are_opposite(states)
    (name,) = states.differing
    if _places(states.other.get(name, ZERO)) - places < _FEWEST_DIGITS:
        return False
    if not any(one.fills or one.movements for one in (states.record, states.other_record)):
        return _digit_count(states.stated.get(name, ZERO)) >= _FEWEST_WITHOUT_ROWS
    return _is_of_rows(states, name, places)


def _are_opposite(states: States) -> bool:
    """True if one position lost what another has too much."""
    off = minus(
        {name: states.stated.get(name, ZERO) for name in states.differing},
        {name: states.other.get(name, ZERO) for name in states.differing},
    )
    return len(off) == _PAIR and all(map(is_position, off)) and not exact_sum(off.values())


def _digit_count(amount: Decimal) -> int:
    return len(amount.normalize(EXACT).as_tuple().digits)


def _is_of_rows(states: States, name: str, places: int) -> bool:
    """True if the rows of the other side give its figure, and several have the lost digits."""
    record, postings = (
        states.other_record,
        postings_of(states.recorded, states.dimensions, states.other_record),
    )
    posted = (
        effect[name]
        for effect in chain(
            map(postings.fill, record.fill_rows), map(postings.movement, record.movement_rows)
        )
        if effect.get(name)
    )
    exact = (amount for amount in posted if _places(amount) > places)
    return len(list(islice(exact, _FEWEST_ROWS))) == _FEWEST_ROWS and states.is_of_rows(name)


def _shows_more(values: list[tuple[Decimal, Decimal]]) -> bool:
    """True if a figure shows as many decimals as the figure that it would be rounded from.

    25.00 is no rounding of 25.01 to whole numbers.
    """
    return any(decimal_places(value) >= max(_places(right), 1) for value, right in values)


def _places(amount: Decimal) -> int:
    """Return the decimals of an amount, below 0 for a multiple of ten: -3 of 5000."""
    return -last_digit(amount)


def _doubt(
    dimensions: Dimensions, recorded: RecordedSession, chosen: Sequence[StateHypothesis]
) -> str:
    """Doubt a rounding to one or two digits, or of one figure, which many amounts fit.

    Two digits are enough if only positions differ and cash is compared: a fill would have moved it.
    """
    rounded = [hypothesis for hypothesis in chosen if hypothesis.cause_kind is CauseKind.ROUNDING]
    if not rounded:
        return ""
    record = recorded.side(rounded[0].side)
    stated = {} if record is None else dimensions.stated(record)
    names = sorted({name for hypothesis in rounded for name in hypothesis.correction})
    shown = sum(_digit_count(stated[name]) for name in names if stated.get(name))
    by_cash = all(map(is_position, names)) and any(map(is_cash, dimensions.compared))
    is_witnessed = all(one.strength < Strength.CHANCE for one in rounded)
    if is_witnessed and shown >= (_FEWEST_WITH_CASH if by_cash else _FEWEST_DIGITS):
        return ""
    named = ", ".join(label_of(name) for name in names[:3])
    return f"the digits that {named} of the {rounded[0].side} side lacks"


def _text(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    return (_CUT_OFF if _is_cut_off(hypothesis) else _ROUNDED)(subject, hypothesis, rows)


def _is_cut_off(hypothesis: Hypothesis) -> bool:
    """True if no rounded number is too large, and some are too small by more than half a unit."""
    name = hypothesis.facts.rounded
    if not name:
        return False
    pairs = [
        (getattr(given, name).copy_abs(), getattr(right, name).copy_abs())
        for given, right in zip(hypothesis.patch.removed, hypothesis.patch.added, strict=True)
    ]
    return all(given <= right for given, right in pairs) and any(
        EXACT.multiply(EXACT.subtract(right, given), Decimal(2)) > unit_at(decimal_places(given))
        for given, right in pairs
    )


FAMILY: Final = CauseFamily(
    sentences={CauseKind.ROUNDING: _text},
    of_all=_of_all,
    reducing=_reducing,
    in_pairs=(_quantities_of_pairs, _prices_of_pairs),
    in_states=lambda states: _in_states(states.stated_only),
    state_words={CauseKind.ROUNDING: "has rounded what it states"},
    state_doubt=_doubt,
    may_be_a_row=True,
)
