"""Parts of a trade that one side lacks, where the sides list it in another number of rows.

The exchange lists an order as one row of 100 at 50.017, the ledger two executions, 40 at 50.00 and
35 at 50.02. No execution is false, and the order's row is not to be booked: what the ledger lacks
is the difference of the sums, 25 at 50.04 with the fee that remains.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.compare.rows.aggregation import Trades
from recon_core.explain.problem.hypotheses import MISSING_ID
from recon_core.explain.search.matched_rows import Matched
from recon_core.model import Fill, InstrumentKind
from recon_core.values.amounts import EXACT, ZERO, exact_sum, shortest_places

_MOST_PLACES: Final = 12
"""Most decimals of the price of a difference: with more it is no price but a quotient."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of the fills of one trade; `fees` are by currency, without those that sum to 0."""

    quantity: Decimal
    value: Decimal
    fees: dict[str | None, Decimal]


def without_lost_parts(found: Matched[Fill], trades: Trades) -> tuple[list[Fill], Matched[Fill]]:
    """Return the parts of trades that the side at fault lacks, and the rows of no such trade.

    A part is an execution of the right side whose amounts are the whole difference; or, where the
    right side lists fewer rows, the difference itself.
    """
    parts: list[Fill] = []
    taken: set[int] = set()
    for mine, right in trades.by_order(found.surplus, found.missing):
        part = None if _is_inverse(trades, mine[0]) else _part(mine, right)
        if part is not None:
            parts.append(part)
            taken.update(map(id, (*mine, *right)))
    if not parts:
        return [], found
    return parts, replace(
        found,
        surplus=tuple(row for row in found.surplus if id(row) not in taken),
        missing=tuple(row for row in found.missing if id(row) not in taken),
    )


def _is_inverse(trades: Trades, fill: Fill) -> bool:
    instrument = trades.recorded.instruments.get(fill.symbol)
    return instrument is not None and instrument.instrument_kind is InstrumentKind.INVERSE


def _part(mine: Sequence[Fill], right: Sequence[Fill]) -> Fill | None:
    """Return what the rows of the side at fault lack of a trade, `None` if they lack nothing."""
    if len(mine) == len(right):
        return None  # no sign that a side lists it in other parts
    ours, theirs = _sums(mine), _sums(right)
    currencies = ours.fees.keys() | theirs.fees.keys()
    less = _Sums(
        EXACT.subtract(theirs.quantity, ours.quantity),
        EXACT.subtract(theirs.value, ours.value),
        {
            currency: fee
            for currency in currencies
            if (fee := EXACT.subtract(theirs.fees.get(currency, ZERO),
                                      ours.fees.get(currency, ZERO)))
        },
    )  # fmt: skip
    if less.quantity <= 0 or less.value <= 0:
        return None
    if len(right) > len(mine):
        return next((row for row in right if _sums([row]) == less), None)
    return _difference(less, mine, right)


def _difference(less: _Sums, mine: Sequence[Fill], right: Sequence[Fill]) -> Fill | None:
    """Return the fill of a difference, `None` if it has no price near the others, or two fees."""
    price = Fraction(less.value) / Fraction(less.quantity)
    places = max(shortest_places(row.price) for row in mine)
    scaled = price * 10**places
    if scaled.denominator != 1 or places > _MOST_PLACES or len(less.fees) > 1:
        return None
    fee_currency, fee = next(iter(less.fees.items()), (None, ZERO))
    whole = right[-1]
    return replace(
        whole,
        fill_id=MISSING_ID,
        quantity=less.quantity,
        price=Decimal(scaled.numerator).scaleb(-places, EXACT),
        fee=fee,
        fee_currency=fee_currency,
    )


def _sums(fills: Iterable[Fill]) -> _Sums:
    rows = list(fills)
    fees: dict[str | None, Decimal] = {}
    for row in rows:
        if row.fee:
            fees[row.fee_currency] = EXACT.add(fees.get(row.fee_currency, ZERO), row.fee)
    return _Sums(
        exact_sum(row.quantity for row in rows),
        exact_sum(EXACT.multiply(row.quantity, row.price) for row in rows),
        {currency: fee for currency, fee in fees.items() if fee},
    )
