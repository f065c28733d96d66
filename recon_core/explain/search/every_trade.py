"""Faults of every trade at once: BUY and SELL exchanged, another unit, rounded quantities.

The effect of the first two is a multiple of the total, so totals are compared before any fill
is changed. Trades that book +3 BTC book -3 with BUY and SELL exchanged: an effect of -6, factor
-2 (`TURNED`). With quantities in thousandths they book +3,000: an effect of +2,997, factor 999.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from recon_core.explain.causes.rounding import rounded_quantities
from recon_core.explain.causes.sign import TURNED, turned_trades
from recon_core.explain.causes.unit import in_another_unit, multipliers
from recon_core.explain.problem.dimensions import currency_of, is_cash
from recon_core.explain.problem.figures import POWERS
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.problem import Problem
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill
from recon_core.values.amounts import EXACT, ZERO, exact_sum

_FINE: Final = Decimal("1e-12")
"""Unit, in currency, where no precision is declared: rounding is assumed to be no larger."""


def of_every_trade(problem: Problem, fills: Sequence[Fill]) -> Iterator[Hypothesis]:
    """Yield every quantity in another unit, every side flipped, every quantity rounded.

    Only hypotheses that may have the required effect are yielded; roundings only if rows are right.
    """
    factors = _factors(problem, fills)
    if not factors and not problem.rows_right:
        return
    total = problem.postings.trades(fills)
    if _are_flat(fills):
        factors = [each for each in factors if _may_settle(problem, total, each)]
    seen = [name for name, amount in problem.dimensions.seen(total).items() if amount]
    if not seen:
        return
    if TURNED in factors and _may(problem, total, seen, TURNED):
        yield turned_trades(fills)
    for factor in (*POWERS, *multipliers(problem, fills)):
        more = EXACT.subtract(factor, Decimal(1))
        if more in factors and _may(problem, total, seen, more):
            yield in_another_unit(problem, fills, factor)
    if problem.rows_right:
        yield from rounded_quantities(problem, fills)


def _factors(problem: Problem, fills: Sequence[Fill]) -> list[Decimal]:
    """Return the factors of the total effect that the compared positions allow."""
    more = [EXACT.subtract(each, Decimal(1)) for each in (*POWERS, *multipliers(problem, fills))]
    factors = [TURNED, *more]
    for name, some in _by_position(problem, fills).items():
        is_all = len(some) == len(problem.fills)
        total = {name: exact_sum(problem.rows.signed if is_all else map(signed_quantity, some))}
        if total[name]:
            factors = [each for each in factors if _may(problem, total, [name], each)]
        elif problem.required.get(name, ZERO).copy_abs() > problem.allowed(name):
            return []  # a flat position is flat in every unit
    return factors


def _by_position(problem: Problem, fills: Sequence[Fill]) -> dict[str, Sequence[Fill]]:
    """Return the fills of each compared position, by dimension."""
    if len(problem.places) == 1:
        return {name: fills for name in problem.places if name in problem.dimensions.compared}
    found: dict[str, list[Fill]] = {}
    for fill in fills:
        found.setdefault(problem.postings.position(fill), []).append(fill)
    return {name: some for name, some in found.items() if name in problem.dimensions.compared}


def _may(problem: Problem, total: dict[str, Decimal], seen: list[str], factor: Decimal) -> bool:
    """True if `factor` times the total is the required effect, up to the rounding of cash."""
    for name in seen:
        expected = EXACT.multiply(total[name], factor)
        off = EXACT.subtract(problem.required.get(name, ZERO), expected).copy_abs()
        if off > problem.allowed(name) and off > _rounding(problem, name, factor):
            return False
    return True


def _rounding(problem: Problem, name: str, factor: Decimal) -> Decimal:
    """Return the slack of a balance in currency: (|factor| + 2) units a fill; 0 for positions."""
    if not is_cash(name):
        return ZERO
    unit = max(problem.postings.resolution(currency_of(name)), _FINE)
    times = EXACT.add(factor.copy_abs(), Decimal(2))
    return EXACT.multiply(EXACT.multiply(unit, times), Decimal(len(problem.fills)))


def _are_flat(fills: Sequence[Fill]) -> bool:
    """True if the fills close all that they open, by symbol, leg, account and position id."""
    held: dict[tuple[object, ...], Decimal] = {}
    for fill in fills:
        key = fill.symbol, fill.leg, fill.account, fill.position_id
        held[key] = EXACT.add(held.get(key, ZERO), signed_quantity(fill))
    return not any(held.values())


def _may_settle(problem: Problem, total: dict[str, Decimal], factor: Decimal) -> bool:
    """True if `factor` times the PnL of flat trades is what unknown balances require."""
    for name in problem.unknown & total.keys():
        expected = EXACT.multiply(total[name], factor)
        off = EXACT.subtract(problem.exact.get(name, ZERO), expected).copy_abs()
        if off > EXACT.add(_rounding(problem, name, factor), problem.dimensions.dust):
            return False
    return True
