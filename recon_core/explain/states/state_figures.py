"""Faults of the figures of a stated state: their rounding, their sign, their unit, a split."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from decimal import Context as DecimalContext
from fractions import Fraction
from typing import Final

from recon_core.amounts import EXACT, ZERO, decimal_places
from recon_core.explain.effects.slips import last_digit
from recon_core.explain.effects.space import is_position
from recon_core.explain.states.states import StateEdit, States, bare_name
from recon_core.explanation import CauseKind
from recon_core.model import Instrument, InstrumentKind

_MODES: Final = (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN, ROUND_FLOOR, ROUND_CEILING)
_ONE_WAY: Final = {
    ROUND_DOWN: "has cut digits off what it states",
    ROUND_FLOOR: "has rounded down what it states",
    ROUND_CEILING: "has rounded up what it states",
}
_LARGEST_POWER: Final = 18
_LARGEST_SPLIT: Final = 20
_FEWEST_LOTS: Final = Decimal(100)


def rounded_figures(states: States) -> Iterator[StateEdit]:
    """Everything that differs is the other side's figure with fewer decimals."""
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
            edit = states.edit(CauseKind.ROUNDING, states.differing, f"to {what}")
            yield replace(edit, words=_ONE_WAY.get(mode, ""))
            return


def _shows_more(values: list[tuple[Decimal, Decimal]]) -> bool:
    """Whether a figure shows as many decimals as the one that it would be rounded from.

    25.00 against 25.01 is no rounding to whole numbers.
    """
    return any(decimal_places(value) >= max(_places(right), 1) for value, right in values)


def _places(amount: Decimal) -> int:
    """The decimals of an amount; below 0 for a multiple of ten."""
    return -last_digit(amount)


def turned_signs(states: States) -> Iterator[StateEdit]:
    """All figures that differ, or all positions, or all balances, with the other sign."""
    turned = {
        name
        for name in states.differing
        if states.stated.get(name, ZERO) == states.other.get(name, ZERO).copy_negate()
    }
    sections = [names for names in _sections(states.differing) if turned.issuperset(names)]
    if not sections:  # of one position beside others that differ for another reason
        sections = [tuple(sorted(filter(is_position, turned)))]
    for names in filter(None, sections):
        yield states.edit(CauseKind.SIGN_CONVENTION, names, "")


def _sections(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """All names, those of the positions and those of the balances."""
    positions = tuple(filter(is_position, names))
    cash = tuple(name for name in names if not is_position(name))
    return [names, *(part for part in (positions, cash) if part and part != names)]


def other_units(states: States) -> Iterator[StateEdit]:
    """Figures that differ by the same power of ten, or by the contract multiplier."""
    ratios = {name: _ratio(states, name) for name in states.differing}
    powers: dict[Fraction, list[str]] = {}
    for name, ratio in ratios.items():
        if ratio is not None and _is_power_of_ten(ratio):
            powers.setdefault(ratio, []).append(name)
    for ratio, names in powers.items():
        yield states.edit(CauseKind.UNIT, tuple(names), f"{_shown(ratio)} times as much")
    if any(len(names) == len(ratios) for names in powers.values()):
        return
    multipliers = _multipliers(states)
    if all(ratio is not None and ratio in multipliers.get(name, ())
           for name, ratio in ratios.items()):  # fmt: skip
        yield states.edit(CauseKind.UNIT, states.differing, "by the contract multiplier")


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


def splits(states: States) -> Iterator[StateEdit]:
    """One position is a simple ratio of the other, and no cash differs."""
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
        yield states.edit(CauseKind.SPLIT, states.differing, told)


def _may_be_tenfold(states: States) -> bool:
    """Whether a power of ten may be a split: of a stock it may, of coins it is their unit."""
    record = states.recorded.side(states.side)
    return _is_stock(states) and record is not None and "positions" not in record.derived


def _is_telling(states: States) -> bool:
    """Whether the quantities have enough digits: of a few lots most are in a simple ratio.

    Stocks are held in few digits, and are what is split.
    """
    (name,) = states.differing
    both = [states.stated.get(name, ZERO), states.other.get(name, ZERO)]
    unit = Decimal((0, (1,), min(map(last_digit, both))))
    fewest = EXACT.multiply(unit, _FEWEST_LOTS)
    return _is_stock(states) or all(amount.copy_abs() >= fewest for amount in both)


def _is_stock(states: States) -> bool:
    """Whether what is held is no contract, and no currency of the account."""
    instrument = _instrument(states)
    if instrument is None:
        return True
    held = states.space.cash(instrument.base, None) in states.space.compared
    return instrument.instrument_kind is InstrumentKind.SPOT and not held


def _is_no_trade(states: States) -> bool:
    """Whether a trade would have moved cash: that of a derivative moves no more than its fee."""
    instrument = _instrument(states)
    if instrument is None:
        return "/" not in _symbol(states)
    if instrument.instrument_kind is InstrumentKind.SPOT:
        return True
    records = states.recorded.own_records().values()
    symbol = instrument.symbol
    fills = [row for record in records for row in record.fills or () if row.symbol == symbol]
    compared = {states.space.cash(row.fee_currency or "", row.account) for row in fills}
    # Fees that are all the same say nothing of a quantity.
    told = all(row.fee for row in fills) and len({row.fee for row in fills}) > 1
    return told and compared <= states.space.compared


def _instrument(states: States) -> Instrument | None:
    return states.recorded.instruments.get(_symbol(states))


def _symbol(states: States) -> str:
    return bare_name(states.differing[0]).split("::", 1)[1]
