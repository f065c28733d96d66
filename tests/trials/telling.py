"""What the data of a session can tell: for every fault an empty text, or the reason why not."""

from collections.abc import Sequence
from fractions import Fraction

from recon_core.model import Fill, InstrumentKind
from recon_core.model.explanation import CauseKind as Kind
from recon_core.model.explanation import Effect
from tests.trials.bases import Base, Evidence
from tests.trials.book_faults import OTHER_SIGN
from tests.trials.books import difference, state_of
from tests.trials.coincidences import is_coincidence
from tests.trials.fault import Fault
from tests.trials.fill_faults import payload
from tests.trials.placing import Placement
from tests.trials.state_faults import IN_LOTS
from tests.trials.twins import FEES, has_doubles, has_other_bogus_rows

NOT_SHOWN = "no row of either side shows the amount: a movement or another opening would do too"
NO_PRICE = "price, fee and time of a fill that no row shows do not follow from what it left"
MORE_OF_ONE = "more of another fill of its price and side, and of its fee, would be the same"
NO_RATE = "no fee or order contradicts the row: it is too small, or the fees follow no rate"
SEVERAL = "several rows, mistyped in one digit or more, give the same amounts"
NOT_LEFT = "what the rows were before they were rounded stands nowhere"
OTHER_ROUNDING = "the engine rounded its fees otherwise than half-even: no rate gives them exactly"
SEVERAL_RATES = "the right fees follow several rates, and no row shows any of them"
BOGUS = "the row that was booked stands nowhere any more"
NO_ROWS_LATER = "which rows the side had not yet seen, no row shows"
TWO_UNKNOWN = "two unknown amounts have one sum"
COINCIDENCE = "other rows, or two of them, would leave the same amount"
DOUBLES = "at so few decimals another fill, which is not equal, leaves the same amounts"
ROUNDED = "the state was rounded after the other fault, whose amounts are lost"
ENTANGLED = "both faults change one amount, and one of them as a whole"
COARSE = "at so few decimals many pairs of faults leave the same amounts"
SMALL = "the cash is but a few units for each fill: many a fill realises as much"
NO_LOT = "which lot was meant nothing says, and a lot of no power of ten cuts off no digits"
CONVERSION = "a conversion of one currency to the other, of one worth, would be stated alike"
ONE_FIGURE = "one position with the other sign is a single fill with the other side as well"
NO_OWN_ROWS = "no row of the side that states 0 shows that its amount is negative"
NO_LEGS = "which leg a fill was for, no row shows"

_FEW_PLACES = 4
_UNITS_EACH = 2

_OF_ONE_WORTH = {"USD", "ETH2"}
"""Names that a currency of the sessions and its other name have letters in common with."""

_MISTYPED = {
    Kind.WRONG_QUANTITY,
    Kind.WRONG_PRICE,
    Kind.CUMULATIVE_QUANTITY,
    Kind.MISSING_FEE,
    Kind.DUPLICATE_FEE,
    Kind.FEE_SIGN,
    Kind.WRONG_FEE,
}
_GONE = {
    Kind.WRONG_FEE: SEVERAL,
    Kind.WRONG_PRICE: SEVERAL,
    Kind.ORPHAN_FILL: BOGUS,
    Kind.FOREIGN_ACTIVITY: BOGUS,
}
_OF_MOVEMENTS = {Kind.MISSING_MOVEMENT, Kind.DUPLICATE_MOVEMENT, Kind.WRONG_MOVEMENT}
_SPOT = InstrumentKind.SPOT


def why_not(base: Base, faults: Sequence[Fault], placement: Placement, effect: Effect) -> str:
    """Why the data cannot tell the faults of a session; empty where they can."""
    reasons = [_why_not(base, fault, placement) for fault in faults]
    if not effect.cash:  # the net of all legs is the one that is stated
        reasons = [reason for reason in reasons if reason != NO_LEGS]
    if any(
        fault.cause_kind is Kind.SIGN_CONVENTION and fault.state is not None for fault in faults
    ):
        reasons += [ONE_FIGURE] if len(effect.position) == 1 and not effect.cash else []
    found = next((reason for reason in reasons if reason), "")
    if found or _by_rows(base, placement):
        return found
    if len(faults) > 1 and (found := _why_not_both(base, faults, placement)):
        return found
    if _is_small(base, faults, effect):
        return SMALL
    if placement is not Placement.ROW and is_coincidence(base, effect, len(faults)):
        return COINCIDENCE
    return ""


def _why_not_both(base: Base, faults: Sequence[Fault], placement: Placement) -> str:
    """Why two faults cannot be told that could be told alone."""
    if faults[-1].state is not None:
        return _why_not_with_state(base, *faults)
    if placement is Placement.ROW:
        return TWO_UNKNOWN if all(fault.unknowns for fault in faults) else ""
    return COARSE if _is_coarse(base) else ""


def _why_not_with_state(base: Base, first: Fault, second: Fault) -> str:
    """Why a fault of the rows and one of the state that they give cannot be told."""
    if second.cause_kind is Kind.ROUNDING:
        return ROUNDED
    assert first.book is not None
    assert second.state is not None
    between = state_of(base.recorded, first.book)
    one = difference(between, base.right, plain=True)
    other = difference(second.state, between, plain=True)
    shared = one.position.keys() & other.position.keys() or one.cash.keys() & other.cash.keys()
    return ENTANGLED if shared else COARSE if _is_coarse(base) else ""


def _is_coarse(base: Base) -> bool:
    """Whether a derivative is settled in a currency of few decimals."""
    places = [
        base.places(instrument.settlement)
        for instrument in base.recorded.instruments.values()
        if instrument.instrument_kind is not _SPOT
    ]
    return any(found is not None and found <= _FEW_PLACES for found in places)


def _is_small(base: Base, faults: Sequence[Fault], effect: Effect) -> bool:
    """Whether the PnL of derivatives is too small to tell which of the fills made it."""
    instruments = base.recorded.instruments
    moved = {key.partition(",")[0] for key, amount in effect.position.items() if amount}
    if len(faults) > 1:  # two may cancel in a position
        moved |= {fill.symbol for fault in faults for fill in fault.fills}
    settled = {
        instruments[symbol].settlement
        for symbol in moved & instruments.keys()
        if instruments[symbol].instrument_kind is not _SPOT
    }
    least = _UNITS_EACH * len(base.fills) ** len(faults)
    units = [
        amount.copy_abs().scaleb(base.places(key.partition(",")[0]) or 12)
        for key, amount in effect.cash.items()
        if key.partition(",")[0] in settled
    ]
    return bool(settled) and bool(units) and sum(units) < least


def _by_rows(base: Base, placement: Placement) -> bool:
    """Whether both sides give rows and those of one are wrong: causes are read off."""
    is_shown = placement in (Placement.ROW, Placement.LIST, Placement.END)
    return is_shown and base.evidence is Evidence.ROWS


def _why_not(base: Base, fault: Fault, placement: Placement) -> str:
    if fault.variant.startswith(IN_LOTS):
        return NO_LOT
    if fault.cause_kind is Kind.ALIAS and fault.variant in _OF_ONE_WORTH:
        return CONVERSION
    if fault.cause_kind is Kind.UNIT and not (base.fills or base.book.movements):
        return NOT_SHOWN  # all that there is, is the opening
    is_listed = base.evidence is Evidence.STATEMENT and fault.cause_kind in _OF_MOVEMENTS
    if _by_rows(base, placement) or is_listed or fault.state is not None:
        is_clipped = fault.cause_kind is Kind.CLIPPED_BALANCE
        return NO_OWN_ROWS if is_clipped and not _has_own_rows(base, placement) else ""
    if placement is Placement.ROW:
        return _from_wrong_rows(base, fault)
    return _from_right_rows(base, fault)


def _has_own_rows(base: Base, placement: Placement) -> bool:
    """Whether the side whose state is wrong gives its fills."""
    if placement is Placement.EXCHANGE:
        return base.evidence is Evidence.ROWS
    return placement is not Placement.BLIND


def _from_wrong_rows(base: Base, fault: Fault) -> str:
    """The rows of one side hold the fault, and the other side gives its state alone."""
    kind = fault.cause_kind
    if kind is Kind.MISSING_FILL and not _has_orders(base):
        return _of_a_lost_fill(base, fault.fills[0])
    if kind in _MISTYPED and fault.ids:
        by_orders = _has_orders(base) and kind in (Kind.WRONG_QUANTITY, Kind.CUMULATIVE_QUANTITY)
        return "" if by_orders or _is_contradicted(base, fault) else NO_RATE
    if kind is Kind.ORPHAN_FILL and _is_coarse(base) and has_other_bogus_rows(base, fault):
        return DOUBLES
    if kind in (Kind.MISSING_FEE, Kind.FEE_RATE) and not fault.ids:
        if len(set(base.rates.values())) > 1:
            return SEVERAL_RATES
        return "" if base.has_exact_rates else OTHER_ROUNDING
    return {
        Kind.MISSING_MOVEMENT: NOT_SHOWN,
        Kind.WRONG_MOVEMENT: "" if fault.variant == OTHER_SIGN else NOT_SHOWN,
        Kind.SPLIT: NOT_SHOWN,
        Kind.OPENING_BALANCE: NOT_SHOWN,
        Kind.NETTED_LEGS: NO_LEGS,
        Kind.ROUNDING: NOT_LEFT,
        Kind.STALE_SIDE: NO_ROWS_LATER,
        Kind.AS_OF_SHIFT: NO_ROWS_LATER,
    }.get(kind, "")


def _of_a_lost_fill(base: Base, lost: Fill) -> str:
    """A fill that neither a row nor an order tells, only the amounts that it left."""
    is_spot = base.recorded.instruments[lost.symbol].instrument_kind is _SPOT
    if not is_spot or lost.symbol not in base.rates:
        return NO_PRICE
    place = lost.symbol, lost.price, lost.side, lost.account
    others = (fill for fill in base.fills if fill.fill_id != lost.fill_id)
    same = any((fill.symbol, fill.price, fill.side, fill.account) == place for fill in others)
    return MORE_OF_ONE if same else ""


def _is_contradicted(base: Base, fault: Fault) -> bool:
    """Whether the fee of a row is not the one that its quantity and price give."""
    row = fault.now
    if row is None or row.symbol not in base.rates:
        return all(fill.symbol in base.rates for fill in fault.fills)
    rate = Fraction(base.rates[row.symbol])
    return abs(Fraction(row.fee) - rate * base.size(row)) > base.unit(row)


def _from_right_rows(base: Base, fault: Fault) -> str:
    """The rows are right, and a state was booked otherwise."""
    kind = fault.cause_kind
    if kind is Kind.WRONG_QUANTITY:
        fill = fault.fills[0]
        same = {payload(row) for row in base.fills if _is_like(fill, row)}
        is_spot = base.recorded.instruments[fill.symbol].instrument_kind is _SPOT
        return "" if is_spot and len(same) == 1 else SEVERAL
    if fault.again and kind not in FEES and _is_coarse(base) and has_doubles(base, fault):
        return DOUBLES
    if kind is Kind.OPENING_BALANCE:
        return "" if fault.variant == "missing" else NOT_SHOWN
    if kind is Kind.FEE_RATE:
        return "" if base.has_exact_rates else OTHER_ROUNDING
    if kind is Kind.WRONG_MOVEMENT:
        return "" if fault.variant == OTHER_SIGN else NOT_SHOWN
    return _GONE.get(kind, "")


def _is_like(fill: object, row: object) -> bool:
    return (fill.symbol, fill.price) == (row.symbol, row.price)  # type: ignore[attr-defined]


def _has_orders(base: Base) -> bool:
    return bool(base.book.orders or base.external.orders)
