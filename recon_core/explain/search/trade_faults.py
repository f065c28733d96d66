"""Faults in a trade that the sides list in another number of rows.

The exchange lists an order as one row of 100 at 50.017, the ledger two executions, 40 at 50.00 and
35 at 50.02. No execution is false, and the order's row is not to be booked: what the ledger lacks
is the difference of the sums, 25 at 50.04 with the fee that remains. Where the quantities are
equal in sum, one execution has a wrong fee or a wrong price, by what the sums differ.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from recon_core.compare.rows.aggregation import Trades
from recon_core.explain.problem.hypotheses import MISSING_ID
from recon_core.explain.problem.market import on_tick
from recon_core.explain.problem.problem import Problem
from recon_core.explain.search.matched_rows import Matched
from recon_core.model import Fill, InstrumentKind
from recon_core.values.amounts import EXACT, ZERO, decimal_places, exact_sum, shortest_places


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of the fills of one trade; `fees` are by currency, without those that sum to 0."""

    quantity: Decimal
    value: Decimal
    fees: dict[str | None, Decimal]

    def minus(self, other: "_Sums") -> "_Sums":
        """Return the difference of two sums."""
        currencies = self.fees.keys() | other.fees.keys()
        fees = {
            currency: EXACT.subtract(self.fees.get(currency, ZERO), other.fees.get(currency, ZERO))
            for currency in currencies
        }
        return _Sums(
            EXACT.subtract(self.quantity, other.quantity),
            EXACT.subtract(self.value, other.value),
            {currency: fee for currency, fee in fees.items() if fee},
        )

    def is_of(self, row: Fill, slack: Fraction) -> bool:
        """True if a row has these amounts, its value to an error of `slack`."""
        off = self.minus(_sums([row]))
        return not off.quantity and not off.fees and abs(Fraction(off.value)) <= slack


@dataclass
class TradeFaults:
    """Faults of the side at fault in trades that the sides list in another number of rows.

    `lost`: parts that it lacks. `surplus`: parts that it has too much. `changed`: parts with a
    wrong fee or price, each with the right one. `others`: the rows that are in no such trade.
    """

    others: Matched[Fill]
    lost: list[Fill] = field(default_factory=list)
    surplus: list[Fill] = field(default_factory=list)
    changed: list[tuple[Fill, Fill]] = field(default_factory=list)


def trade_faults(problem: Problem, found: Matched[Fill], trades: Trades) -> TradeFaults:
    """Return the faults in trades of which the sides list a different number of rows.

    A trade whose sums differ otherwise stays among the `others`, unless its quantity is equal in
    sum: then no row of it is orphaned or missing, whatever its fault is.
    """
    faults = TradeFaults(found)
    taken: set[int] = set()
    for mine, right in trades.by_order(found.surplus, found.missing):
        if len(mine) == len(right) or _is_inverse(trades, mine[0]):
            continue  # no sign that a side lists it in other parts
        if _add(faults, problem, mine, right):
            taken.update(map(id, (*mine, *right)))
    if taken:
        faults.others = replace(
            found,
            surplus=tuple(row for row in found.surplus if id(row) not in taken),
            missing=tuple(row for row in found.missing if id(row) not in taken),
        )
    return faults


def _add(
    faults: TradeFaults, problem: Problem, mine: Sequence[Fill], right: Sequence[Fill]
) -> bool:
    """Add what is wrong with one trade; True if no row of it is orphaned or missing."""
    less, slack = _sums(right).minus(_sums(mine)), _slack(mine, right)
    if not less.quantity:
        changed = list(_changed(problem, mine, less, slack)) if len(mine) > len(right) else []
        faults.changed += changed if len(changed) == 1 else []
        return True
    if less.quantity > 0:
        lost = next((row for row in right if less.is_of(row, slack)), None)
        if lost is None and len(mine) > len(right) == 1:
            lost = _difference(less, mine, right[0], slack)
        faults.lost += [] if lost is None else [lost]
        return lost is not None
    more = _sums(mine).minus(_sums(right))
    extra = next((row for row in mine if more.is_of(row, slack)), None)
    faults.surplus += [] if extra is None else [extra]
    return extra is not None


def _is_inverse(trades: Trades, fill: Fill) -> bool:
    instrument = trades.recorded.instruments.get(fill.symbol)
    return instrument is not None and instrument.instrument_kind is InstrumentKind.INVERSE


def _slack(mine: Sequence[Fill], right: Sequence[Fill]) -> Fraction:
    """Return the largest error of a value by the digits that the price of a single row has.

    0 where it has no more digits than its executions: then it is no rounded average.
    """
    fine, coarse = (mine, right) if len(mine) > len(right) else (right, mine)
    places = decimal_places(coarse[0].price)
    if len(coarse) > 1 or places <= _tick_places(fine):
        return Fraction(0)
    return Fraction(coarse[0].quantity) * Fraction(1, 10**places) / 2


def _tick_places(fills: Iterable[Fill]) -> int:
    return max(shortest_places(row.price) for row in fills)


def _difference(less: _Sums, mine: Sequence[Fill], whole: Fill, slack: Fraction) -> Fill | None:
    """Return the fill of a difference, `None` if it has no price on the tick, or two fees."""
    price = Fraction(less.value) / Fraction(less.quantity)
    rounded = on_tick(price, _tick_places(mine))
    off = abs(Fraction(rounded) - price) * Fraction(less.quantity)
    if rounded <= 0 or off > slack or len(less.fees) > 1:
        return None
    fee_currency, fee = next(iter(less.fees.items()), (None, ZERO))
    return replace(
        whole,
        fill_id=MISSING_ID,
        quantity=less.quantity,
        price=rounded,
        fee=fee,
        fee_currency=fee_currency,
    )


def _changed(
    problem: Problem, mine: Sequence[Fill], less: _Sums, slack: Fraction
) -> Iterator[tuple[Fill, Fill]]:
    """Yield each execution with the fee or the price that makes the sums equal, at a known rate."""
    is_of_fee = abs(Fraction(less.value)) <= slack
    if is_of_fee is not bool(less.fees) or len(less.fees) > 1:
        return
    for row in mine:
        other = _with_fee(row, less) if is_of_fee else _with_price(row, less, slack, mine)
        if other is not None and _is_charged(problem, other):
            yield row, other


def _with_fee(row: Fill, less: _Sums) -> Fill | None:
    ((currency, fee),) = less.fees.items()
    if row.fee and row.fee_currency != currency:
        return None
    return replace(row, fee=EXACT.add(row.fee, fee), fee_currency=currency)


def _with_price(row: Fill, less: _Sums, slack: Fraction, mine: Sequence[Fill]) -> Fill | None:
    if not row.quantity:
        return None
    price = Fraction(row.price) + Fraction(less.value) / Fraction(row.quantity)
    rounded = on_tick(price, _tick_places(mine))
    off = abs(Fraction(rounded) - price) * Fraction(row.quantity)
    return replace(row, price=rounded) if rounded > 0 and off <= slack else None


def _is_charged(problem: Problem, row: Fill) -> bool:
    """True if the fee of a fill is at a rate that the fills of its side have."""
    model = problem.schedules.model(row)
    return model is not None and not model.off(problem.postings, row)


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
