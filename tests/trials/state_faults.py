"""Faults of a state that no row explains: units, signs, rounding, names, kinds, legs."""

from dataclasses import replace
from decimal import Decimal

from recon_core.ledger.bookings import is_derivative
from recon_core.model import CashBalance, Leg, Position, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.mutate.changes import another_name
from recon_core.values.amounts import EXACT, ZERO, round_to_places
from tests.trials.bases import Base
from tests.trials.books import State, state_of
from tests.trials.fault import Dice, Fault

_NAMES = {"BTC": "XBT", "ETH": "ETH2", "USDT": "USD", "USD": "ZUSD", "EUR": "ZEUR", "ADA": "XADA"}
_OF_ONE_WORTH = {"USDT": "USDC", "USD": "USDT", "EUR": "EURC", "BTC": "WBTC", "ETH": "WETH"}

IN_LOTS = "state in lots of"


def _state(base: Base, book: SideRecord) -> State:
    return base.right if book is base.book else state_of(base.recorded, book)


def _held(state: State) -> list[Position]:
    return [row for row in state.positions if row.quantity]


def unit(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A position or a balance in another unit: satoshi, thousands, contracts."""
    state = _state(base, book)
    rows: list[Position | CashBalance] = [*_held(state), *(row for row in state.cash if row.total)]
    if not rows:
        return None
    row = dice.choice(rows)
    factor = Decimal(1).scaleb(dice.choice((-8, -6, -3, -2, -1, 1, 2, 3, 6, 8)))
    if isinstance(row, Position):
        multiplier = base.recorded.instruments[row.symbol].multiplier
        factor = multiplier if multiplier != 1 and dice.random() < 0.5 else factor
        new: Position | CashBalance = replace(row, quantity=EXACT.multiply(row.quantity, factor))
    else:
        total = EXACT.multiply(row.total, factor)
        new = replace(row, total=total, free=None, locked=None)
    return Fault(CauseKind.UNIT, f"state x {factor:f}", state=_with_row(state, row, new))


def _with_row(state: State, old: object, new: Position | CashBalance) -> State:
    return State(
        tuple(new if row is old else row for row in state.positions),  # type: ignore[misc]
        tuple(new if row is old else row for row in state.cash),  # type: ignore[misc]
    )


def sign_convention(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """Positions with the other sign, or shorts written as positive."""
    state = _state(base, book)
    is_absolute = dice.random() < 0.5
    positions = tuple(
        replace(row, quantity=abs(row.quantity) if is_absolute else row.quantity.copy_negate())
        for row in state.positions
    )
    how = "shorts positive" if is_absolute else "all turned"
    return Fault(CauseKind.SIGN_CONVENTION, how, state=replace(state, positions=positions))


def rounding(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """The stated amounts rounded to so many decimals."""
    state, places = _state(base, book), dice.randint(0, 4)
    positions = tuple(
        replace(row, quantity=round_to_places(row.quantity, places)) for row in state.positions
    )
    cash = tuple(
        replace(row, total=round_to_places(row.total, places), free=None, locked=None)
        for row in state.cash
    )
    return Fault(CauseKind.ROUNDING, f"state to {places} decimals", state=State(positions, cash))


def in_lots(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """The stated positions in whole lots, what is left cut off."""
    state, lot = _state(base, book), Decimal(dice.choice(("0.05", "0.5", "5", "10", "100")))
    positions = tuple(
        replace(row, quantity=EXACT.multiply(EXACT.divide_int(row.quantity, lot), lot))
        for row in state.positions
    )
    lots = replace(state, positions=positions)
    return Fault(CauseKind.ROUNDING, f"{IN_LOTS} {lot:f}", state=lots)


def alias(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A symbol or a currency under another name."""
    state = _state(base, book)
    if dice.random() < 0.5:
        row = dice.choice(state.cash or (None,))
        if row is None or not row.total or row.currency not in _NAMES:
            return None
        renamed = replace(row, currency=_NAMES[row.currency])
        if renamed.currency in {one.currency for one in state.cash}:
            return None
        return Fault(CauseKind.ALIAS, renamed.currency, state=_with_row(state, row, renamed))
    held = _held(state)
    if not held:
        return None
    symbol = dice.choice(held).symbol
    name = another_name(symbol)
    positions = tuple(
        replace(row, symbol=name) if row.symbol == symbol else row for row in state.positions
    )
    return Fault(CauseKind.ALIAS, name, state=replace(state, positions=positions))


def conversion(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A part of a balance in another currency of one worth, which the other side has not."""
    state = _state(base, book)
    rows = [row for row in state.cash if row.total > 1 and row.currency in _OF_ONE_WORTH]
    if not rows:
        return None
    row = dice.choice(rows)
    name = _OF_ONE_WORTH[row.currency]
    part = round_to_places(row.total * Decimal(dice.randrange(1003, 9997, 2)) / 10_000, 4)
    if name in {one.currency for one in state.cash}:
        return None
    left = replace(row, total=EXACT.subtract(row.total, part), free=None, locked=None)
    moved = replace(row, currency=name, total=part, free=None, locked=None)
    cash = (*(left if one is row else one for one in state.cash), moved)
    return Fault(CauseKind.CONVERSION, f"{row.currency} to {name}", state=replace(state, cash=cash))


def balance_kind(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """Free stated as total, or the total without what is locked or owed.

    The other side says what is free and what is locked.
    """
    state = _state(base, book)
    rows = [row for row in state.cash if row.total > 1]
    if not rows:
        return None
    row = dice.choice(rows)
    locked = round_to_places(row.total * Decimal(dice.randrange(3, 60)) / 100, 4)
    free = EXACT.subtract(row.total, locked)
    new = replace(row, total=free, free=None, locked=None)
    return Fault(
        CauseKind.BALANCE_KIND,
        f"{row.currency} {locked:f}",
        state=_with_row(state, row, new),
        parts=replace(row, free=free, locked=locked),
    )


def netted_legs(base: Base, book: SideRecord, _dice: Dice) -> Fault | None:
    """LONG and SHORT stated as one NET position."""
    state = _state(base, book)
    legs = [row for row in state.positions if row.leg is not Leg.NET]
    if not any(row.quantity for row in legs):
        return None
    nets: dict[tuple[str | None, str], Decimal] = {}
    for row in legs:
        key = (row.account, row.symbol)
        nets[key] = EXACT.add(nets.get(key, ZERO), row.quantity)
    net = [Position(symbol, amount, account=account) for (account, symbol), amount in nets.items()]
    others = [row for row in state.positions if row.leg is Leg.NET]
    return Fault(CauseKind.NETTED_LEGS, "net", state=replace(state, positions=(*others, *net)))


def multiplier(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """The cash of a contract counted with another multiplier; the quantities are right."""
    instruments = base.recorded.instruments
    traded = {fill.symbol for fill in book.fills or () if fill.symbol in instruments}
    symbols = sorted(symbol for symbol in traded if is_derivative(instruments[symbol]))
    if not symbols or book.opening is None:
        return None
    symbol, factor = dice.choice(symbols), Decimal(dice.choice(("0.001", "0.1", "10", "100")))
    other = EXACT.multiply(instruments[symbol].multiplier, factor)
    changed = {**instruments, symbol: replace(instruments[symbol], multiplier=other)}
    state = state_of(replace(base.recorded, instruments=changed), book)
    right = _state(base, book)
    if state.cash == right.cash:
        return None
    fault = replace(right, cash=state.cash)
    return Fault(CauseKind.MULTIPLIER, f"{symbol} x {factor:f}", state=fault)


def clipped_balance(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A negative balance, or a short position, stated as 0."""
    state = _state(base, book)
    rows: list[Position | CashBalance] = [row for row in state.positions if row.quantity < 0]
    rows += [row for row in state.cash if row.total < 0]
    if not rows:
        return None
    row = dice.choice(rows)
    new: Position | CashBalance = (
        replace(row, quantity=ZERO)
        if isinstance(row, Position)
        else replace(row, total=ZERO, free=None, locked=None)
    )
    return Fault(CauseKind.CLIPPED_BALANCE, "stated as 0", state=_with_row(state, row, new))
