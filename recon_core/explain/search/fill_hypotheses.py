"""Exact hypotheses on one fill: their fingerprints, patches and evidence strengths.

Their effects are multiples of the fill's trade and fee, so the fingerprints follow without a
patch. A trade with the fingerprint +100 and a fee with -1: removed -99, side flipped -200, fee
turned +2. A patch is built only for the names that a look-up finds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from recon_core.explain.causes.fee_amount import charged
from recon_core.explain.causes.fills import Copies, removed, repetition
from recon_core.explain.causes.side import flip
from recon_core.explain.problem.dimensions import currency_of, is_cash
from recon_core.explain.problem.fee_evidence import at_usual_rate
from recon_core.explain.problem.fingerprints import Fingerprints
from recon_core.explain.problem.hypotheses import Hypothesis, Strength, fee_change, half
from recon_core.explain.problem.problem import Problem
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO

_WHOLE: Final[dict[str, Callable[[Fill], Hypothesis]]] = {
    "repeat": repetition,
    "flip": flip,
    "nofee": lambda fill: fee_change(fill, CauseKind.MISSING_FEE, ZERO),
    "double": lambda fill: fee_change(fill, CauseKind.DUPLICATE_FEE, EXACT.add(fill.fee, fill.fee)),
    "half": lambda fill: fee_change(fill, CauseKind.DUPLICATE_FEE, half(fill.fee)),
    "negate": lambda fill: fee_change(fill, CauseKind.FEE_SIGN, fill.fee.copy_negate()),
}


@dataclass
class FillHypotheses:
    """The hypotheses on the fills of one problem, by name: `remove`, `flip`, `negate` and so on."""

    problem: Problem
    fingerprints: Fingerprints
    _currencies: dict[tuple[str | None, ...], tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def copies(self) -> Copies:
        """The fills that state one execution more than once."""
        return Copies(self.problem.fills)

    def offers(self, fill: Fill, trade: int, fee: int) -> Iterator[tuple[str, int]]:
        """Yield the names of a fill's hypotheses with their fingerprints.

        `trade` and `fee` are the fingerprints of the fill's trade and of its fee.
        """
        yield "remove", -trade - fee
        yield "flip", -2 * trade
        if self.problem.rows_right:
            yield "repeat", trade + fee
        if fee:
            yield "negate", -2 * fee
            yield from self._fee_amounts(fill, fee)
            for currency in self._other_currencies(fill):
                yield currency, self.fingerprints.of_fee(fill, fill.fee, currency) - fee
        elif not fill.fee and not self.problem.rows_right:
            for at in range(len(self.problem.schedules.rates(fill))):
                other = charged(self.problem, fill, at)
                currency = other.fee_currency or ""
                yield f"rate {at}", self.fingerprints.of_fee(fill, other.fee, currency)

    def _fee_amounts(self, fill: Fill, fee: int) -> Iterator[tuple[str, int]]:
        if self.problem.rows_right:
            yield "nofee", -fee
            yield "double", fee
        else:
            yield (
                "half",
                self.fingerprints.of_fee(fill, half(fill.fee), fill.fee_currency or "") - fee,
            )

    def hypothesis(self, fill: Fill, name: str) -> Hypothesis:
        """Build the hypothesis of a name that `offers` yields."""
        if name == "remove":
            return removed(self.problem, self.copies, fill)
        if name in _WHOLE:
            return at_usual_rate(self.problem, _WHOLE[name](fill))
        if name.startswith("rate "):
            other = charged(self.problem, fill, int(name.removeprefix("rate ")))
            return fee_change(
                fill, CauseKind.MISSING_FEE, other.fee, other.fee_currency, Strength.SHOWN
            )
        return at_usual_rate(self.problem, fee_change(fill, CauseKind.FEE_CURRENCY, fill.fee, name))

    def _other_currencies(self, fill: Fill) -> tuple[str, ...]:
        """Return the other compared currencies in which a fee may be: base, quote, other fees'."""
        key = (fill.symbol, fill.account, fill.fee_currency)
        known = self._currencies.get(key)
        if known is None:
            instrument = self.problem.postings.instruments.get(fill.symbol)
            traded = set() if instrument is None else {instrument.base, instrument.quote}
            cash, compared = self.problem.postings.cash, self.problem.dimensions.compared
            known = self._currencies[key] = tuple(
                currency
                for currency in sorted(traded | self._charged_in)
                if currency != fill.fee_currency and cash(currency, fill.account) in compared
            )
        return known

    @cached_property
    def _charged_in(self) -> set[str]:
        """The currencies of all fees, and those of balances with a required effect."""
        in_required = {currency_of(name) for name in self.problem.required if is_cash(name)}
        return in_required | {fill.fee_currency for fill in self.problem.fills if fill.fee_currency}
