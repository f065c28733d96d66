"""States of a few coarse figures, with faults of a whole state: the rules at their edges.

Neither side gives rows. What the ledger states is what the exchange states, but for one or two
of the changes in `_CHANGES`, to one figure or to all; whether they can be told is not asked.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from pathlib import Path

from recon_core.model import (
    CashBalance,
    Instrument,
    InstrumentKind,
    LedgerSide,
    Leg,
    Opening,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.values.amounts import EXACT
from tests.trials.made_sessions import START

_SPOT, _LINEAR = InstrumentKind.SPOT, InstrumentKind.LINEAR
_INSTRUMENTS = (
    Instrument("BTC/EUR", _SPOT, "BTC", "EUR", "EUR"),
    Instrument("ACME/USD", _SPOT, "ACME", "USD", "USD"),
    Instrument("PERP", _LINEAR, "BTC", "EUR", "EUR", Decimal(5)),
    Instrument("TEN", _LINEAR, "ETH", "EUR", "EUR", Decimal(10)),
)
_SYMBOLS = (*(one.symbol for one in _INSTRUMENTS), "GONE")
_CURRENCIES = ("EUR", "BTC", "USD", "ACME")
_AMOUNTS = ("1", "2", "3", "12", "40", "100", "250", "0.5", "3.125", "90.415", "1234.5678", "-2")
_RATIOS = ("10", "0.1", "1000", "5", "0.2", "2", "3", "1.5", "20", "21", "-1", "0", "1e8", "1e-18")
_MODES = (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN, ROUND_FLOOR)
_RARELY, _OFTEN = 0.2, 0.6

Dice = random.Random
_Change = Callable[[SideRecord, Dice], SideRecord]


def _amount(dice: Dice) -> Decimal:
    return Decimal(dice.choice(_AMOUNTS))


def _balance(currency: str, dice: Dice) -> CashBalance:
    total, locked = _amount(dice), dice.choice((None, Decimal(0), Decimal(1), Decimal("0.5")))
    free = None if locked is None else EXACT.subtract(total, locked)
    return CashBalance(currency, total, free=free, locked=dice.choice((locked, locked, None)))


def _state(dice: Dice) -> SideRecord:
    symbols = dice.sample(_SYMBOLS, dice.choice((0, 1, 1, 2, 3)))
    legs = (Leg.LONG, Leg.SHORT) if dice.random() < _RARELY else (Leg.NET,)
    positions = tuple(Position(name, _amount(dice), leg=leg) for name in symbols for leg in legs)
    currencies = dice.sample(_CURRENCIES, dice.choice((0, 1, 2, 3)))
    cash = tuple(_balance(name, dice) for name in currencies)
    return SideRecord(START, "ledger", positions=positions, cash=cash)


def _mapped(record: SideRecord, dice: Dice, change: Callable[[Decimal], Decimal]) -> SideRecord:
    """The side with the change made to one figure, to a section, or to all of them."""
    positions, cash = list(record.positions or ()), list(record.cash or ())
    count, whole = len(positions) + len(cash), dice.random() < _OFTEN
    section = dice.choice(((0, count), (0, len(positions)), (len(positions), count)))
    chosen = range(*section) if whole or not count else [dice.randrange(count)]
    for at in chosen:
        if at < len(positions):
            positions[at] = replace(positions[at], quantity=change(positions[at].quantity))
        else:
            row = cash[at - len(positions)]
            cash[at - len(positions)] = replace(row, total=change(row.total))
    return replace(record, positions=tuple(positions), cash=tuple(cash))


def _times(record: SideRecord, dice: Dice) -> SideRecord:
    ratio = Decimal(dice.choice(_RATIOS))
    return _mapped(record, dice, lambda amount: EXACT.multiply(amount, ratio))


def _rounded(record: SideRecord, dice: Dice) -> SideRecord:
    unit, mode = Decimal(1).scaleb(-dice.randint(-2, 3)), dice.choice(_MODES)
    context = Context(prec=100, rounding=mode)
    return _mapped(record, dice, lambda amount: amount.quantize(unit, context=context))


def _moved(record: SideRecord, dice: Dice) -> SideRecord:
    more = _amount(dice)
    return _mapped(record, dice, lambda amount: EXACT.add(amount, more))


def _other_kind(record: SideRecord, dice: Dice) -> SideRecord:
    """Another part of a balance for the whole, or parts that are exchanged."""
    cash, way = list(record.cash or ()), dice.randrange(4)
    for at, row in enumerate(cash):
        free = row.total if row.free is None else row.free
        other = (
            replace(row, total=free),
            replace(row, total=row.locked or free, free=None),
            replace(row, free=row.locked, locked=row.free),
            replace(row, free=row.total),
        )[way]
        cash[at] = other if dice.random() < _OFTEN else row
    return replace(record, cash=tuple(cash))


def _renamed(record: SideRecord, dice: Dice) -> SideRecord:
    """Other names for some positions and balances; free names and those of others."""
    names = {"BTC": "XBT", "EUR": "ZEUR", "BTC/EUR": "BTC-EUR", "PERP": "TEN", "USD": "EUR"}
    taken = {name: other for name, other in names.items() if dice.random() < _OFTEN}
    held = tuple(
        replace(row, symbol=taken.get(row.symbol, row.symbol)) for row in record.positions or ()
    )
    cash = tuple(
        replace(row, currency=taken.get(row.currency, row.currency)) for row in record.cash or ()
    )
    return replace(record, positions=held, cash=cash)


def _netted(record: SideRecord, _: Dice) -> SideRecord:
    """One net position for the legs of each symbol."""
    sums: dict[str, Decimal] = {}
    for row in record.positions or ():
        sums[row.symbol] = EXACT.add(sums.get(row.symbol, Decimal(0)), row.quantity)
    return replace(record, positions=tuple(Position(name, held) for name, held in sums.items()))


def _lacking(record: SideRecord, dice: Dice) -> SideRecord:
    """Without some rows, or with a holding counted as cash once more."""
    if dice.random() < _OFTEN:
        held = tuple(row for row in record.positions or () if dice.random() < _OFTEN)
        return replace(record, positions=held)
    more = [row for row in record.positions or () if row.symbol == "BTC/EUR"]
    cash = tuple(
        replace(row, total=EXACT.add(row.total, more[0].quantity))
        if more and row.currency == "BTC" else row
        for row in record.cash or ()
    )  # fmt: skip
    return replace(record, cash=cash)


def _opened(record: SideRecord, dice: Dice) -> SideRecord:
    """With an opening of some of its own balances, and no rows."""
    some = tuple(row for row in record.cash or () if dice.random() < _OFTEN)
    opening = Opening(None, (), tuple(CashBalance(row.currency, row.total) for row in some))
    return replace(record, opening=opening)


_CHANGES: tuple[_Change, ...] = (
    _times, _times, _rounded, _rounded, _moved, _other_kind, _other_kind, _renamed, _netted,
    _lacking, _opened,
)  # fmt: skip


def small_states(number: int) -> RecordedSession:
    """Two sides that state a few figures each, one of them changed."""
    dice = random.Random(f"states {number}")  # noqa: S311  # figures, no secrets
    right = _state(dice)
    wrong = right
    for _ in range(dice.choice((1, 1, 2))):
        wrong = dice.choice(_CHANGES)(wrong, dice)
    sides = {str(LedgerSide.INTERNAL): wrong, str(LedgerSide.EXTERNAL): right}
    if dice.random() < _RARELY:
        sides = {str(LedgerSide.INTERNAL): right, str(LedgerSide.EXTERNAL): wrong}
    name = f"states-{number}"
    known = {one.symbol: one for one in _INSTRUMENTS}
    return RecordedSession(name, Path(f"{name}.recon.json"), instruments=known, **sides)
