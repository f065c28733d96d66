"""Postings: the names under which cash moves, and the rounding of each posting.

Source of the rules: design, "Exactness" and "Ledger comparisons". Cash amounts are rounded
half-even to the currency's declared precision, per posting; without a declared precision
they stay exact. The postings of a fill are made in `recon_core.ledger.holdings`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Final, NamedTuple

from recon_core.model import (
    Currency,
    Fill,
    Instrument,
    Movement,
    MovementKind,
    OrderSide,
    SideRecord,
)
from recon_core.model.movement_table import MovementSum, movement_table_of
from recon_core.values.amounts import EXACT, each_rounded, round_half_away, rounding


class Category(StrEnum):
    """Category of a posting of cash: a line of a cash waterfall, in the order of the report."""

    OPENING = "opening"
    TRADES = "trades"
    REALISED_PNL = "realised PnL"
    FEES = "fees"
    FUNDING = "funding"
    INTEREST = "interest"
    DIVIDENDS = "dividends"
    DEPOSITS = "deposits"
    WITHDRAWALS = "withdrawals"
    TRANSFERS = "transfers"
    CONVERSIONS = "conversions"
    SPLITS = "cash in lieu"
    ADJUSTMENTS = "adjustments"
    REWARDS = "rewards"
    RENAMES = "renames"
    SETTLEMENTS = "settlements"
    ASSIGNMENTS = "assignments"
    EXERCISES = "exercises"
    EXPIRIES = "expiries"


_CATEGORIES: Final[Mapping[MovementKind, Category]] = {
    MovementKind.DEPOSIT: Category.DEPOSITS,
    MovementKind.WITHDRAWAL: Category.WITHDRAWALS,
    MovementKind.TRANSFER: Category.TRANSFERS,
    MovementKind.FUNDING: Category.FUNDING,
    MovementKind.INTEREST: Category.INTEREST,
    MovementKind.FEE: Category.FEES,
    MovementKind.DIVIDEND: Category.DIVIDENDS,
    MovementKind.SPLIT: Category.SPLITS,
    MovementKind.CONVERSION: Category.CONVERSIONS,
    MovementKind.ADJUSTMENT: Category.ADJUSTMENTS,
    MovementKind.REWARD: Category.REWARDS,
    MovementKind.RENAME: Category.RENAMES,
    MovementKind.SETTLEMENT: Category.SETTLEMENTS,
    MovementKind.ASSIGNMENT: Category.ASSIGNMENTS,
    MovementKind.EXERCISE: Category.EXERCISES,
    MovementKind.EXPIRY: Category.EXPIRIES,
}
_OF_FILLS: Final = frozenset({Category.TRADES, Category.REALISED_PNL, Category.FEES})


def covered_categories(record: SideRecord) -> frozenset[Category]:
    """Return the categories of cash that a side reports: absent is not zero."""
    covered = {Category.OPENING} if record.opening is not None else set[Category]()
    if record.covers("fills"):
        covered |= _OF_FILLS
    if record.covers("movements"):
        covered |= set(_CATEGORIES.values()) - _OF_FILLS
        kinds = movement_table_of(record.movements).distinct("movement_kind")
        covered |= {_CATEGORIES[kind] for kind in kinds}
    return frozenset(covered)


class CashBooking(NamedTuple):
    """A signed change of one balance, and why."""

    currency: str
    amount: Decimal
    category: Category


_fee, _currency = attrgetter("fee"), attrgetter("fee_currency")

Round = Callable[[Decimal], Decimal]
"""Rounds an amount to the precision of one currency."""


class Roundings(dict[str, Round]):
    """The rounding of each currency; one that is not declared stays exact."""

    def __init__(self, currencies: Mapping[str, Currency]) -> None:
        super().__init__()
        self.currencies = currencies

    def __missing__(self, currency: str) -> Round:
        """Work out a rounding at its first use."""
        declared = self.currencies.get(currency)
        found = EXACT.plus if declared is None else rounding(declared.precision)
        self[currency] = found
        return found

    def places(self, currency: str) -> int | None:
        """The declared decimal places of a currency, `None` where there are none."""
        declared = self.currencies.get(currency)
        return None if declared is None else declared.precision

    def each(self, currency: str, amounts: Iterable[Decimal]) -> Iterator[Decimal]:
        """Many amounts of one currency, each rounded on its own."""
        places = self.places(currency)
        return map(EXACT.plus, amounts) if places is None else each_rounded(amounts, places)


def signed_quantity(fill: Fill) -> Decimal:
    """The quantity as it changes the position: negative for a SELL."""
    return fill.quantity if fill.side is OrderSide.BUY else fill.quantity.copy_negate()


def signed_quantities(fills: Iterable[Fill]) -> list[Decimal]:
    """`signed_quantity` of each fill."""
    buy = OrderSide.BUY
    return [fill.quantity if fill.side is buy else fill.quantity.copy_negate() for fill in fills]


def fees_by_currency(fills: Sequence[Fill]) -> dict[str, list[Decimal]]:
    """The fees that are not 0."""
    charged: defaultdict[str, list[Decimal]] = defaultdict(list)
    currencies = set(map(_currency, fills))
    if len(currencies) == 1:  # as nearly always
        fees = list(filter(None, map(_fee, fills)))
        return {currencies.pop() or "": fees} if fees else {}
    for fill in fills:
        if fill.fee:
            charged[fill.fee_currency or ""].append(fill.fee)
    return charged


def held_quantity(fill: Fill, instrument: Instrument) -> Decimal:
    """Return the quantity that a fill adds to a position: less a fee in the asset it delivers."""
    quantity = signed_quantity(fill)
    charged = fill.fee and charged_in_kind(instrument, fill.fee_currency)
    return EXACT.subtract(quantity, fill.fee) if charged else quantity


def is_derivative(instrument: Instrument) -> bool:
    """True if fills move cash by fee and realised PnL only."""
    return instrument.instrument_kind.derivative


def notional(
    instrument: Instrument, places: int | None, quantity: Decimal, price: Decimal
) -> Decimal:
    """Return what a quantity costs at a price, in quote currency and before it is rounded.

    Exact. Where the source multiplies in binary floats, it is the float product in units of the
    last of `places` decimals, rounded half away from zero, as such engines make money of it.
    """
    if instrument.float_notional and places is not None:
        worth = _float_product(quantity, price, places)
    else:
        worth = EXACT.multiply(quantity, price)
    if instrument.multiplier == 1:
        return worth
    return EXACT.multiply(worth, instrument.multiplier)


@lru_cache(maxsize=1 << 14)  # a search asks for the same products again and again
def _float_product(quantity: Decimal, price: Decimal, places: int) -> Decimal:
    units = Decimal(float(quantity) * float(price) * 10.0**places)
    return round_half_away(units).scaleb(-places, EXACT)


def charged_in_kind(instrument: Instrument | None, currency: str | None) -> bool:
    """True if a fee in `currency` is taken from the asset that a fill delivers."""
    return (
        instrument is not None
        and instrument.base == currency
        and instrument.instrument_kind.delivers
    )


def sum_booking(moved: MovementSum) -> CashBooking:
    """The sum of several movements, each rounded on its own."""
    return CashBooking(moved.currency, moved.amount, _CATEGORIES[MovementKind(moved.kind)])


def movement_booking(movement: Movement, roundings: Roundings) -> CashBooking | None:
    """The amount of a movement; its quantity moves a position and never cash."""
    if movement.currency is None or movement.amount is None:
        return None
    amount = roundings[movement.currency](movement.amount)
    return CashBooking(movement.currency, amount, _CATEGORIES[movement.movement_kind])
