"""Fills of a problem that may have one fault together: their totals, each computed once.

The effect of many faults is a multiple of a total, so totals are compared before any fill is
changed. Trades that book +3 BTC book -3 with BUY and SELL exchanged: an effect of -6, factor -2.
With quantities in thousandths they book +3,000: an effect of +2,997, factor 999.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import Final

from recon_core.explain.problem.dimensions import Vector, currency_of, is_cash, is_position
from recon_core.explain.problem.problem import Problem
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill
from recon_core.values.amounts import EXACT, ZERO, exact_sum

_FINE: Final = Decimal("1e-12")
"""Unit, in currency, where no precision is declared: rounding is assumed to be no larger."""

_CURRENCY: Final = attrgetter("fee_currency")


@dataclass(frozen=True)  # no slots: cached properties keep their values
class FillGroup:
    """All fills of a problem, or those of one symbol or position."""

    problem: Problem
    fills: Sequence[Fill]

    @cached_property
    def charged(self) -> list[Fill]:
        """The fills with a fee."""
        return [fill for fill in self.fills if fill.fee]

    @cached_property
    def trades(self) -> dict[str, Decimal]:
        """The effect of the trades together, without their fees."""
        return self.problem.postings.trades(self.fills)

    @cached_property
    def fees(self) -> dict[str, Decimal]:
        """The effect of the fees together."""
        return self.problem.postings.fees(self.charged)

    @cached_property
    def may_be_fees(self) -> bool:
        """False if a position has to move and no fee is in a base currency: fees move none."""
        problem = self.problem
        bases = {instrument.base for instrument in problem.postings.instruments.values()}
        is_moved = any(
            is_position(name) and amount.copy_abs() > problem.allowed(name)
            for name, amount in problem.required.items()
        )
        return not is_moved or not bases.isdisjoint(self.fee_currencies)

    @cached_property
    def fee_currencies(self) -> set[str | None]:
        """The currencies of the fees."""
        return set(map(_CURRENCY, self.charged))

    @cached_property
    def seen(self) -> list[str]:
        """The dimensions in which the trades post an amount that is compared."""
        return [
            name for name, amount in self.problem.dimensions.seen(self.trades).items() if amount
        ]

    def is_required(self, factor: Decimal) -> bool:
        """True if `factor` times the trades may be the required effect, as far as totals show."""
        totals = self._position_totals
        if totals is None or not all(
            self._fits({name: total}, [name], factor) for name, total in totals.items() if total
        ):
            return False
        if self._are_flat and not self._fits_unknown(factor):
            return False
        return bool(self.seen) and self._fits(self.trades, self.seen, factor)

    def reduces(self, effect: Vector) -> bool:
        """True if an effect reduces the required effect in its largest dimension, positions first.

        A balance alone does not decide: other symbols may move it, too.
        """
        seen = self.problem.dimensions.seen(effect)
        if not seen:
            return False
        name = max(seen, key=lambda each: (is_position(each), seen[each].copy_abs(), each))
        required = self.problem.required.get(name, ZERO)
        return EXACT.subtract(required, seen[name]).copy_abs() < required.copy_abs()

    @cached_property
    def _position_totals(self) -> dict[str, Decimal] | None:
        """The quantities of the compared positions, `None` if one of 0 has to move.

        A flat position is flat in every unit.
        """
        problem, found = self.problem, dict[str, Decimal]()
        for name, fills in self._by_position.items():
            is_all = len(fills) == len(problem.fills)
            found[name] = exact_sum(problem.rows.signed if is_all else map(signed_quantity, fills))
            required = problem.required.get(name, ZERO).copy_abs()
            if not found[name] and required > problem.allowed(name):
                return None
        return found

    @property
    def _by_position(self) -> dict[str, Sequence[Fill]]:
        """The fills of each compared position, by dimension."""
        problem, compared = self.problem, self.problem.dimensions.compared
        if len(problem.places) == 1:
            return {name: self.fills for name in problem.places if name in compared}
        found: dict[str, list[Fill]] = {}
        for fill in self.fills:
            found.setdefault(problem.postings.position(fill), []).append(fill)
        return {name: fills for name, fills in found.items() if name in compared}

    def _fits(self, total: Vector, names: Sequence[str], factor: Decimal) -> bool:
        """True if `factor` times a total is the required effect, up to the rounding of cash."""
        problem = self.problem
        for name in names:
            expected = EXACT.multiply(total[name], factor)
            off = EXACT.subtract(problem.required.get(name, ZERO), expected).copy_abs()
            if off > problem.allowed(name) and off > self._rounding(name, factor):
                return False
        return True

    def _rounding(self, name: str, factor: Decimal) -> Decimal:
        """Return the slack of a balance: (|factor| + 2) units a fill; 0 for positions."""
        if not is_cash(name):
            return ZERO
        unit = max(self.problem.postings.resolution(currency_of(name)), _FINE)
        times = EXACT.add(factor.copy_abs(), Decimal(2))
        return EXACT.multiply(EXACT.multiply(unit, times), Decimal(len(self.problem.fills)))

    @cached_property
    def _are_flat(self) -> bool:
        """True if the fills close all that they open, by symbol, leg, account and position id."""
        held: dict[tuple[object, ...], Decimal] = {}
        for fill in self.fills:
            key = fill.symbol, fill.leg, fill.account, fill.position_id
            held[key] = EXACT.add(held.get(key, ZERO), signed_quantity(fill))
        return not any(held.values())

    def _fits_unknown(self, factor: Decimal) -> bool:
        """True if `factor` times the PnL of flat trades is required in the unknown balances."""
        problem = self.problem
        for name in problem.unknown & self.trades.keys():
            expected = EXACT.multiply(self.trades[name], factor)
            off = EXACT.subtract(problem.exact.get(name, ZERO), expected).copy_abs()
            if off > EXACT.add(self._rounding(name, factor), problem.dimensions.dust):
                return False
        return True


def groups_of(problem: Problem, most: int | None = None) -> Iterator[FillGroup]:
    """Yield all fills, those of each symbol and of each position; no group of a single fill."""
    positions = list(problem.by_symbol.values()) if len(problem.by_symbol) > 1 else []
    symbols: dict[str, list[Fill]] = {}
    for fills in positions:
        symbols.setdefault(fills[0].symbol, []).extend(fills)
    if 1 < len(symbols) < len(positions):
        positions = [*symbols.values(), *positions]
    groups = [problem.fills, *positions][:most]
    return (FillGroup(problem, fills) for fills in groups if len(fills) > 1)


def times(effect: Vector, factor: Decimal) -> dict[str, Decimal]:
    """Return an effect multiplied by a factor."""
    return {name: EXACT.multiply(amount, factor) for name, amount in effect.items()}
