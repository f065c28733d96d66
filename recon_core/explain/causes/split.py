"""A split that was not applied: one position is in a simple ratio to the other side's."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from recon_core.explain.causes.family import CauseFamily
from recon_core.explain.problem.dimensions import bare_name, instrument_of, is_position
from recon_core.explain.problem.figures import is_power_of_ten, last_digit
from recon_core.explain.problem.hypotheses import Strength
from recon_core.explain.problem.stated_figures import (
    StateHypothesis,
    States,
    multipliers_of,
    ratio_of,
)
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Instrument, InstrumentKind
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, unit_at

_LARGEST_SPLIT: Final = 20
"""Largest term of a split ratio: with larger terms, many unrelated quantities are in a ratio."""

_FEWEST_LOTS: Final = Decimal(100)
"""Units of its last digit in a quantity.

8 against 10 are in a simple ratio, as most pairs of so few units are; of 100 and more, few are.
"""


def _in_states(states: States) -> Iterator[StateHypothesis]:
    """Yield a split if the only difference is a position in a simple ratio to the other side's.

    The side's own rows, which give the other figure, are the witness that it states another one.
    """
    if len(states.differing) != 1 or not is_position(states.differing[0]):
        return
    (name,) = states.differing
    ratio = ratio_of(states, name)
    if ratio is None or ratio <= 0 or ratio in multipliers_of(states).get(name, ()):
        return
    if (is_power_of_ten(ratio) and not _may_be_power(states)) or not _is_significant(states):
        return
    if max(ratio.numerator, ratio.denominator) <= _LARGEST_SPLIT and _is_no_trade(states):
        detail = f"{ratio.denominator}:{ratio.numerator}"
        forms = 2 * _LARGEST_SPLIT  # n for 1, and 1 for n
        hypothesis = states.hypothesis(CauseKind.SPLIT, states.differing, detail, forms)
        is_shown = states.is_of_own_rows(name)
        yield hypothesis if is_shown else replace(hypothesis, strength=Strength.CHANCE)


def _may_be_power(states: States) -> bool:
    """True if a power of ten may be a split: of a stock it may, of coins it is a unit."""
    record = states.recorded.side(states.side)
    return _is_stock(states) and record is not None and "positions" not in record.derived


def _is_significant(states: States) -> bool:
    """True if the quantities have enough digits for a simple ratio to be no coincidence.

    Most quantities of a few lots are in a simple ratio. Stocks count in any case: they are held in
    few digits, and are split.
    """
    (name,) = states.differing
    both = [states.stated.get(name, ZERO), states.other.get(name, ZERO)]
    unit = unit_at(-min(map(last_digit, both)))
    fewest = EXACT.multiply(unit, _FEWEST_LOTS)
    return _is_stock(states) or all(amount.copy_abs() >= fewest for amount in both)


def _is_stock(states: States) -> bool:
    """True if the holding is no contract, and no currency of the account."""
    instrument = _instrument(states)
    if instrument is None:
        return True
    held = states.dimensions.cash(instrument.base, None) in states.dimensions.compared
    return instrument.instrument_kind is InstrumentKind.SPOT and not held


def _is_no_trade(states: States) -> bool:
    """True if a trade would have moved the compared cash, so that the difference is no trade.

    A derivative's trade moves no more than its fee.
    """
    instrument = _instrument(states)
    if instrument is None:
        return "/" not in bare_name(states.differing[0])
    if instrument.instrument_kind is InstrumentKind.SPOT:
        return True
    records = states.recorded.own_records().values()
    symbol = instrument.symbol
    fills = [row for record in records for row in record.fill_rows if row.symbol == symbol]
    compared = {states.dimensions.cash(row.charged_in, row.account) for row in fills}
    # Fees that are all the same do not depend on the quantity.
    detail = all(row.fee for row in fills) and len({row.fee for row in fills}) > 1
    return detail and compared <= states.dimensions.compared


def _instrument(states: States) -> Instrument | None:
    return instrument_of(states.recorded, states.differing[0])


FAMILY: Final = CauseFamily(
    sentences={CauseKind.SPLIT: sentence_of("{subject} has not applied a split")},
    in_states=_in_states,
    state_words={CauseKind.SPLIT: "has not applied a split"},
    may_be_a_row=True,
)
