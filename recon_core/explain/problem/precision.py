"""Precision of the amounts of a side, inferred from its rows where the session declares none.

Fees of 2.59463098, 1.04 and 5.15162826 USDT have 8 decimals at most: their source rounds them to
8 decimals. It is inferred for explanations alone: a replay books amounts as they are, and no
verdict depends on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from recon_core.explain.problem.figures import common_lot
from recon_core.model import (
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Numbers,
    RecordedSession,
    SideRecord,
)
from recon_core.values.amounts import EXACT, ZERO, decimal_places, shortest, unit_at

_LEAST_FEES: Final = 3
"""Fees from which the precision of a currency is inferred.

One fee of ten ends in a 0 that a source may leave out: that all of three do is one of 1,000.
"""

_MOST_SAMPLED: Final = 400
"""Fees that are sampled, evenly over the fills (fewer than twice as many).

That all of them end in a 0 that most others have not, does not happen; more cost time.
"""

_UNITS_OF_A_FEE: Final = 20
"""Units of the last digit that half of the fees must have.

A rate gives a fee of 1 or 2 units by coincidence: a flat fee of 1 USD would have any rate.
"""

FLOAT_NOISE: Final = Decimal("1e-11")
"""Unit of a fee without a declared precision, as a fraction of the value it is charged on.

Above the error of a product of binary floats, about 10^-16 of it; below the step of a usual
rate, 10^-6 of it.
"""


@dataclass(frozen=True)  # no slots: what was inferred is kept
class FeePrecision:
    """Decimals of fees in each currency: as `declared`, else inferred from those of `record`."""

    declared: Mapping[str, Currency]
    record: SideRecord

    def places(self, currency: str) -> int | None:
        """Return the decimals of a currency, `None` if they are neither declared nor inferred."""
        known = self.declared.get(currency)
        return self.inferred.get(currency) if known is None else known.precision

    @cached_property
    def inferred(self) -> dict[str, int]:
        """The decimals of the currencies in which fees are charged: the most that a fee has.

        Empty where the side computes in binary floats: the digits of a float are no rounding.
        """
        if self.record.numbers is Numbers.FLOAT:
            return {}
        fees = self.record.table.fee_samples(_MOST_SAMPLED)
        found = ((currency, _places(charged)) for currency, charged in fees.items())
        return {currency: places for currency, places in found if places is not None}


FINEST: Final = Decimal("1e-8")
"""Step of cash, in currency, where rows show none: most venues book 8 decimals."""

_LEAST_FILLS: Final = 3
"""Fills from which the step of cash is inferred: one or two may have round figures."""


@dataclass(frozen=True)  # no slots: what was inferred is kept
class CashStep:
    """Steps in which trades and fees move the cash of each currency.

    Whole shares at prices in cents move whole cents, options on 100 shares whole dollars. A step is
    not finer than a declared precision, or `FINEST` where none is declared.
    """

    declared: Mapping[str, Currency]
    instruments: Mapping[str, Instrument]
    record: SideRecord

    def of(self, currency: str) -> Decimal:
        """Return the step of a currency."""
        known = self.declared.get(currency)
        finest = FINEST if known is None else unit_of(known.precision)
        return max(finest, self._shown.get(currency, ZERO))

    def of_fees(self, currency: str) -> Decimal:
        """Return the step of the fees of a currency: they are rounded where trades are not."""
        places = self._fee_places.get(currency)
        return self.of(currency) if places is None else max(self.of(currency), unit_at(places))

    @cached_property
    def _fee_places(self) -> dict[str | None, int]:
        return self.record.table.fee_places()

    @cached_property
    def _shown(self) -> dict[str, Decimal]:
        """The largest amounts of which all postings are whole multiples, of a sample of fills."""
        fills = self.record.fill_rows
        if self.record.numbers is Numbers.FLOAT or len(fills) < _LEAST_FILLS:
            return {}
        posted: dict[str, set[Decimal]] = {}
        for fill in fills[:: max(1, len(fills) // _MOST_SAMPLED)]:
            for currency, amount in self._posted(fill):
                posted.setdefault(currency, set()).add(amount)
        return {currency: common_lot(amounts) for currency, amounts in posted.items()}

    def _posted(self, fill: Fill) -> Iterator[tuple[str, Decimal]]:
        if fill.fee_currency is not None:
            yield fill.fee_currency, fill.fee
        instrument = self.instruments.get(fill.symbol)
        if instrument is None:
            return
        worth = EXACT.multiply(EXACT.multiply(fill.quantity, fill.price), instrument.multiplier)
        is_inverse = instrument.instrument_kind is InstrumentKind.INVERSE
        yield instrument.settlement, FINEST if is_inverse else worth
        if instrument.instrument_kind.delivers:
            yield instrument.base, fill.quantity


def _places(fees: Sequence[Decimal]) -> int | None:
    """Return the most decimals of some fees, `None` if they are too few or too small."""
    places = max(map(decimal_places, fees))
    least = Decimal(_UNITS_OF_A_FEE).scaleb(-places, EXACT)
    large = sum(fee.copy_abs() >= least for fee in fees)
    return places if len(fees) >= _LEAST_FEES and large * 2 >= len(fees) else None


@dataclass(frozen=True)  # no slots: what the rows show is found once
class StatedDecimals:
    """The decimals that a session declares for its currencies, and those that its rows show."""

    recorded: RecordedSession

    def is_too_fine(self, amount: Decimal, currency: str | None) -> bool:
        """True if an amount has more decimals than its currency has.

        A fee of 0.000001445 BTC is too fine where BTC is declared with 8 decimals and no amount of
        either side has more, or where no declaration says so and the amounts have 8 at most.
        """
        declared = self.recorded.currencies.get(currency or "")
        places = decimal_places(shortest(amount))
        if currency is None or not places or (declared and places <= declared.precision):
            return False
        shown = self._shown.get(currency)
        return declared is not None if shown is None else shown < places

    @cached_property
    def _shown(self) -> dict[str, int]:
        """The most decimals of the fees, movements and balances of both sides, by currency."""
        found: dict[str, int] = {}
        for record in self.recorded.own_records().values():
            for currency, places in _places_of(record):
                found[currency] = max(found.get(currency, 0), places)
        return found


def _places_of(record: SideRecord) -> Iterator[tuple[str, int]]:
    for currency, places in record.table.fee_places().items():
        if currency is not None:
            yield currency, places
    for row in record.movement_rows:
        if row.currency is not None and row.amount is not None:
            yield row.currency, decimal_places(row.amount)
    opening = () if record.opening is None else record.opening.cash
    for balance in (*record.cash_rows, *opening):
        yield balance.currency, decimal_places(balance.total)


def unit_of(places: int | None, value: Decimal = ZERO) -> Decimal:
    """Return the unit of the last of some decimals; if they are not known, that of floats.

    The noise of floats is a fraction of `value`, the value that a fee is charged on, in its
    currency: 0 without a value.
    """
    if places is None:
        return EXACT.multiply(value.copy_abs(), FLOAT_NOISE)
    return unit_at(places)
