"""Faults of a stated state as a whole: its unit, sign, rounding, names, kind of balance, legs.

Each test compares what both sides state and needs no rows. A state that was replayed from
rows cannot have these faults.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from decimal import Context as DecimalContext
from fractions import Fraction
from typing import Final

from recon_core.amounts import EXACT, ZERO, decimal_places
from recon_core.explain.slips import last_digit
from recon_core.explain.space import Space, Vector, is_position, minus
from recon_core.explanation import CauseKind
from recon_core.model import (
    CashBalance,
    InstrumentKind,
    LedgerSide,
    Leg,
    RecordedSession,
    SideRecord,
)

_MODES: Final = (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN, ROUND_FLOOR, ROUND_CEILING)
_LARGEST_POWER: Final = 18
_LARGEST_SPLIT: Final = 20


@dataclass(frozen=True, slots=True)
class StateEdit:
    """A fault of a whole state: what is to be added to what the side states.

    `parts` are corrected balances where only free and locked are wrong; `renamed` is the
    side's symbol and what the other side calls it.
    """

    cause_kind: CauseKind
    side: LedgerSide
    correction: Vector
    detail: str
    parts: tuple[CashBalance, ...] = ()
    renamed: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _States:
    """What a side states, and what the other has, where they differ."""

    space: Space
    recorded: RecordedSession
    side: LedgerSide
    stated: Vector
    other: Vector
    differing: tuple[str, ...]

    def edit(
        self, kind: CauseKind, names: Iterator[str] | tuple[str, ...], detail: str
    ) -> StateEdit:
        wrong = tuple(names)
        correction = {
            name: EXACT.subtract(self.other.get(name, ZERO), self.stated.get(name, ZERO))
            for name in wrong
        }
        return StateEdit(kind, self.side, correction, detail)


def state_edits(space: Space, recorded: RecordedSession) -> Iterator[StateEdit]:
    """Every fault of a whole state that accounts for what differs, or for a part of it."""
    for side, record in recorded.own_records().items():
        other = recorded.side(side.other)
        if other is None:
            continue
        mine, theirs = space.stated(record), space.stated(other)
        differing = tuple(sorted(space.real(minus(mine, theirs))))
        states = _States(space, recorded, side, mine, theirs, differing)
        yield from _netted(states, other)
        yield from _aliases(states)
        own = tuple(name for name in differing if not _derived(record, name))
        if own:
            yield from _of_side(replace(states, differing=own), record, other)
        yield from _swapped_parts(side, record, other)


def _of_side(states: _States, record: SideRecord, other: SideRecord) -> Iterator[StateEdit]:
    yield from _rounded(states)
    yield from _kinds(states, record, other)
    yield from _signs(states)
    yield from _units(states)
    yield from _splits(states)


def _derived(record: SideRecord, name: str) -> bool:
    return ("positions" if is_position(name) else "cash") in record.derived


def _rounded(states: _States) -> Iterator[StateEdit]:
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
            yield states.edit(CauseKind.ROUNDING, states.differing, f"to {what}")
            return


def _shows_more(values: list[tuple[Decimal, Decimal]]) -> bool:
    """Whether a figure shows as many decimals as the one that it would be rounded from.

    25.00 against 25.01 is no rounding to whole numbers.
    """
    return any(decimal_places(value) >= max(_places(right), 1) for value, right in values)


def _places(amount: Decimal) -> int:
    """The decimals of an amount; below 0 for a multiple of ten."""
    return -last_digit(amount)


def _signs(states: _States) -> Iterator[StateEdit]:
    """All figures that differ, or all positions, or all balances, with the other sign."""
    turned = {
        name
        for name in states.differing
        if states.stated.get(name, ZERO) == states.other.get(name, ZERO).copy_negate()
    }
    for names in _sections(states.differing):
        if turned.issuperset(names):
            yield states.edit(CauseKind.SIGN_CONVENTION, names, "with the other sign")


def _sections(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """All names, those of the positions and those of the balances."""
    positions = tuple(filter(is_position, names))
    cash = tuple(name for name in names if not is_position(name))
    return [names, *(part for part in (positions, cash) if part and part != names)]


def _units(states: _States) -> Iterator[StateEdit]:
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


def _multipliers(states: _States) -> dict[str, tuple[Fraction, ...]]:
    found: dict[str, tuple[Fraction, ...]] = {}
    for instrument in states.recorded.instruments.values():
        factor = Fraction(instrument.multiplier)
        if factor in {0, 1}:
            continue
        for name in states.differing:
            if is_position(name) and name.split("::", 1)[1].split(",")[0] == instrument.symbol:
                found[name] = (factor, 1 / factor)
    return found


def _ratio(states: _States, name: str) -> Fraction | None:
    mine, right = states.stated.get(name, ZERO), states.other.get(name, ZERO)
    return Fraction(mine) / Fraction(right) if mine and right else None


def _is_power_of_ten(ratio: Fraction) -> bool:
    whole = ratio if ratio > 1 else 1 / ratio
    return whole.denominator == 1 and any(
        whole == 10**exponent for exponent in range(1, _LARGEST_POWER + 1)
    )


def _shown(ratio: Fraction) -> str:
    return f"{ratio.numerator}" if ratio.denominator == 1 else f"1/{ratio.denominator}"


def _splits(states: _States) -> Iterator[StateEdit]:
    """One position is a simple ratio of the other, and no cash differs."""
    if len(states.differing) != 1 or not is_position(states.differing[0]):
        return
    ratio = _ratio(states, states.differing[0])
    if (
        ratio is None
        or ratio <= 0
        or (_is_power_of_ten(ratio) and ratio not in {10, Fraction(1, 10)})
    ):
        return
    if max(ratio.numerator, ratio.denominator) <= _LARGEST_SPLIT and _stock(states):
        told = f"{ratio.denominator}:{ratio.numerator}"
        yield states.edit(CauseKind.SPLIT, states.differing, f"split {told} not applied")


def _stock(states: _States) -> bool:
    """Whether what is held is no currency of the account: currencies are not split."""
    symbol = _named(states.differing[0]).split("::", 1)[1]
    instrument = states.recorded.instruments.get(symbol)
    if instrument is None:
        return "/" not in symbol
    held = states.space.cash(instrument.base, None) in states.space.compared
    return instrument.instrument_kind is InstrumentKind.SPOT and not held


def _aliases(states: _States) -> Iterator[StateEdit]:
    """Names that only this side has, and names that only the other has, with equal amounts."""
    mine: dict[str, dict[str, Decimal]] = {}
    theirs: dict[str, dict[str, Decimal]] = {}
    for name in states.differing:
        first, second = states.stated.get(name, ZERO), states.other.get(name, ZERO)
        if not second:
            mine.setdefault(_named(name), {})[_rest(name)] = first
        if not first:
            theirs.setdefault(_named(name), {})[_rest(name)] = second
    for name, amounts in mine.items():
        equal = [one for one, others in theirs.items() if others == amounts]
        if len(equal) == 1 and name.split("::")[0] == equal[0].split("::")[0]:
            names = [f"{one}{rest}" for one in (name, equal[0]) for rest in amounts]
            first_name, second_name = (one.split("::", 1)[1] for one in (name, equal[0]))
            detail = f"{first_name} is what the other side calls {second_name}"
            edit = states.edit(CauseKind.ALIAS, tuple(names), detail)
            yield replace(edit, renamed=(first_name, second_name))


def _named(name: str) -> str:
    """A dimension without its leg and account."""
    return name.split(",", maxsplit=1)[0]


def _rest(name: str) -> str:
    return name[len(_named(name)) :]


def _kinds(states: _States, record: SideRecord, other: SideRecord) -> Iterator[StateEdit]:
    """The total of one side is another kind of balance of the other side."""
    space = states.space
    parts = {space.cash(row.currency, row.account): row for row in other.cash or ()}
    own = {space.cash(row.currency, row.account): row for row in record.cash or ()}
    found: dict[str, list[str]] = {}
    for name in states.differing:
        theirs, mine = parts.get(name), own.get(name)
        for words, amount in () if theirs is None else _parts_of(theirs):
            if amount and states.stated.get(name, ZERO) == amount:
                found.setdefault(f"its total is the other side's {words}", []).append(name)
        if mine is not None and _whole(mine) == states.other.get(name, ZERO):
            found.setdefault("its total is free without locked", []).append(name)
        for words, amount in () if mine is None else _parts_of(mine):
            if amount and states.other.get(name, ZERO) == amount:
                found.setdefault(f"the other side's total is its {words}", []).append(name)
    for words, names in found.items():
        yield states.edit(CauseKind.BALANCE_KIND, tuple(names), words)


def _whole(balance: CashBalance) -> Decimal | None:
    if balance.free is None or balance.locked is None:
        return None
    return EXACT.add(balance.free, balance.locked)


def _parts_of(balance: CashBalance) -> Iterator[tuple[str, Decimal | None]]:
    yield "free balance", balance.free
    yield "locked balance", balance.locked


def _swapped_parts(side: LedgerSide, record: SideRecord, other: SideRecord) -> Iterator[StateEdit]:
    """Free and locked change places under an equal total."""
    theirs = {(row.currency, row.account): row for row in other.cash or ()}
    for row in record.cash or ():
        right = theirs.get((row.currency, row.account))
        if right is None or row.total != right.total or None in {row.free, right.free}:
            continue
        if (row.free, row.locked) == (right.locked, right.free) and row.free != row.locked:
            fixed = replace(row, free=right.free, locked=right.locked)
            yield StateEdit(CauseKind.BALANCE_KIND, side, {}, "free and locked swapped", (fixed,))


def _netted(states: _States, other: SideRecord) -> Iterator[StateEdit]:
    """One net position where the other side keeps LONG and SHORT apart."""
    legs: dict[tuple[str, str | None], dict[Leg, Decimal]] = {}
    for row in other.positions or ():
        if row.leg is not Leg.NET:
            legs.setdefault((row.symbol, row.account), {})[row.leg] = row.quantity
    for (symbol, account), quantities in legs.items():
        names = {leg: states.space.position(symbol, leg, account) for leg in Leg}
        net = EXACT.add(quantities.get(Leg.LONG, ZERO), quantities.get(Leg.SHORT, ZERO))
        only_net = not any(states.stated.get(names[leg]) for leg in (Leg.LONG, Leg.SHORT))
        only_net = only_net and (bool(states.stated.get(names[Leg.NET])) or not net)
        wrong = tuple(name for name in names.values() if name in states.differing)
        if wrong and only_net and states.stated.get(names[Leg.NET], ZERO) == net:
            yield states.edit(CauseKind.NETTED_LEGS, wrong, "LONG and SHORT are netted")
