"""Faults of the figures of a stated state: their rounding, their sign, their unit, a split.

A fault counts if it fits all figures that it concerns: 0.12 and 3.46 against 0.1234 and 3.4567
are a rounding to two decimals, half-even; 0.12 and 3.45 are digits cut off.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from decimal import Context as DecimalContext
from fractions import Fraction
from typing import Final

from recon_core.explain.effects.dimensions import is_position
from recon_core.explain.effects.slips import last_digit
from recon_core.explain.states.states import StateHypothesis, States, bare_name
from recon_core.model import Instrument, InstrumentKind
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, decimal_places

_MODES: Final = (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN, ROUND_FLOOR, ROUND_CEILING)
"""Rounding modes in the order in which they are tried: the first that fits all figures counts."""

_ONE_WAY: Final = {
    ROUND_DOWN: "has cut digits off what it states",
    ROUND_FLOOR: "has rounded down what it states",
    ROUND_CEILING: "has rounded up what it states",
}
"""Words for the modes that round one way; half-even and half-up have the words of the kind."""

_LARGEST_POWER: Final = 18
"""Exponent of the largest unit: 10^18 wei are an ether, the finest unit in wide use."""

_LARGEST_SPLIT: Final = 20
"""Largest term of a split ratio: with larger terms, many unrelated quantities are in a ratio."""

_FEWEST_LOTS: Final = Decimal(100)
"""Units of its last digit in a quantity.

8 against 10 are in a simple ratio, as most pairs of so few units are; of 100 and more, few are.
"""


def rounded_figures(states: States) -> Iterator[StateHypothesis]:
    """Yield a rounding if all that differs is the other side's figures with fewer decimals."""
    values = [(states.stated.get(n, ZERO), states.other.get(n, ZERO)) for n in states.differing]
    if not any(value for value, _ in values) or _shows_more(values):
        return
    places = max(_places(value) for value, _ in values)
    if not all(_places(right) > places for _, right in values):
        return
    for mode in _MODES:
        context = DecimalContext(prec=1000, rounding=mode)
        unit = Decimal((0, (1,), -places))
        if all(right.quantize(unit, context=context) == value for value, right in values):
            what = f"{places} decimals" if places >= 0 else f"multiples of {10**-places}"
            hypothesis = states.hypothesis(CauseKind.ROUNDING, states.differing, f"to {what}")
            yield replace(hypothesis, words=_ONE_WAY.get(mode, ""))
            return


def _shows_more(values: list[tuple[Decimal, Decimal]]) -> bool:
    """True if a figure shows as many decimals as the figure that it would be rounded from.

    25.00 is no rounding of 25.01 to whole numbers.
    """
    return any(decimal_places(value) >= max(_places(right), 1) for value, right in values)


def _places(amount: Decimal) -> int:
    """Return the decimals of an amount, below 0 for a multiple of ten: -3 of 5000."""
    return -last_digit(amount)


def turned_signs(states: States) -> Iterator[StateHypothesis]:
    """Yield figures with the other sign: all that differ, all positions, or all balances."""
    turned = {
        name
        for name in states.differing
        if states.stated.get(name, ZERO) == states.other.get(name, ZERO).copy_negate()
    }
    sections = [names for names in _sections(states.differing) if turned.issuperset(names)]
    if not sections:  # positions, while others differ for another reason
        sections = [tuple(sorted(filter(is_position, turned)))]
    for names in filter(None, sections):
        yield states.hypothesis(CauseKind.SIGN_CONVENTION, names, "")


def _sections(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return all names, those of the positions, and those of the balances."""
    positions = tuple(filter(is_position, names))
    cash = tuple(name for name in names if not is_position(name))
    return [names, *(part for part in (positions, cash) if part and part != names)]


def other_units(states: States) -> Iterator[StateHypothesis]:
    """Yield the figures that differ by the same power of ten, or by the contract multiplier."""
    ratios = {name: _ratio(states, name) for name in states.differing}
    powers: dict[Fraction, list[str]] = {}
    for name, ratio in ratios.items():
        if ratio is not None and _is_power_of_ten(ratio):
            powers.setdefault(ratio, []).append(name)
    for ratio, names in powers.items():
        yield states.hypothesis(CauseKind.UNIT, tuple(names), f"{_shown(ratio)} times as much")
    if any(len(names) == len(ratios) for names in powers.values()):
        return
    multipliers = _multipliers(states)
    if all(ratio is not None and ratio in multipliers.get(name, ())
           for name, ratio in ratios.items()):  # fmt: skip
        yield states.hypothesis(CauseKind.UNIT, states.differing, "by the contract multiplier")


def _multipliers(states: States) -> dict[str, tuple[Fraction, ...]]:
    found: dict[str, tuple[Fraction, ...]] = {}
    for instrument in states.recorded.instruments.values():
        factor = Fraction(instrument.multiplier)
        if factor in {0, 1}:
            continue
        for name in states.differing:
            if is_position(name) and name.split("::", 1)[1].split(",")[0] == instrument.symbol:
                found[name] = (factor, 1 / factor)
    return found


def _ratio(states: States, name: str) -> Fraction | None:
    mine, right = states.stated.get(name, ZERO), states.other.get(name, ZERO)
    return Fraction(mine) / Fraction(right) if mine and right else None


def _is_power_of_ten(ratio: Fraction) -> bool:
    whole = ratio if ratio > 1 else 1 / ratio
    return whole.denominator == 1 and any(
        whole == 10**exponent for exponent in range(1, _LARGEST_POWER + 1)
    )


def _shown(ratio: Fraction) -> str:
    return f"{ratio.numerator}" if ratio.denominator == 1 else f"1/{ratio.denominator}"


def splits(states: States) -> Iterator[StateHypothesis]:
    """Yield a split if the only difference is a position in a simple ratio to the other side's."""
    if len(states.differing) != 1 or not is_position(states.differing[0]):
        return
    (name,) = states.differing
    ratio = _ratio(states, name)
    if ratio is None or ratio <= 0 or ratio in _multipliers(states).get(name, ()):
        return
    if (_is_power_of_ten(ratio) and not _may_be_tenfold(states)) or not _is_telling(states):
        return
    if max(ratio.numerator, ratio.denominator) <= _LARGEST_SPLIT and _is_no_trade(states):
        told = f"{ratio.denominator}:{ratio.numerator}"
        yield states.hypothesis(CauseKind.SPLIT, states.differing, told)


def _may_be_tenfold(states: States) -> bool:
    """True if a power of ten may be a split: of a stock it may, of coins it is a unit."""
    record = states.recorded.side(states.side)
    return _is_stock(states) and record is not None and "positions" not in record.derived


def _is_telling(states: States) -> bool:
    """True if the quantities have enough digits for a simple ratio to be no coincidence.

    Most quantities of a few lots are in a simple ratio. Stocks count in any case: they are held in
    few digits, and are split.
    """
    (name,) = states.differing
    both = [states.stated.get(name, ZERO), states.other.get(name, ZERO)]
    unit = Decimal((0, (1,), min(map(last_digit, both))))
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
        return "/" not in _symbol(states)
    if instrument.instrument_kind is InstrumentKind.SPOT:
        return True
    records = states.recorded.own_records().values()
    symbol = instrument.symbol
    fills = [row for record in records for row in record.fills or () if row.symbol == symbol]
    compared = {states.dimensions.cash(row.fee_currency or "", row.account) for row in fills}
    # Fees that are all the same do not depend on the quantity.
    told = all(row.fee for row in fills) and len({row.fee for row in fills}) > 1
    return told and compared <= states.dimensions.compared


def _instrument(states: States) -> Instrument | None:
    return states.recorded.instruments.get(_symbol(states))


def _symbol(states: States) -> str:
    return bare_name(states.differing[0]).split("::", 1)[1]
