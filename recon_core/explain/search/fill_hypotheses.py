"""Exact hypotheses on one fill: their fingerprints; each is built on request.

Their effects are multiples of the fill's trade and fee, so the fingerprints follow without a
patch. A trade with the fingerprint +100 and a fee with -1: removed -99, side flipped -200, fee
turned +2. The multiples are those of the operators of all causes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from recon_core.explain import causes
from recon_core.explain.causes.copies import Copies
from recon_core.explain.causes.family import FeeOperator, FillOperator, OtherFee
from recon_core.explain.problem.fingerprints import Fingerprints
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.problem import Problem
from recon_core.model import Fill

_Fees = Callable[[Fill], Iterable[OtherFee]]


@dataclass
class FillHypotheses:
    """The hypotheses on the fills of one problem, by name: `remove`, `flip`, `negate` and so on."""

    problem: Problem
    fingerprints: Fingerprints

    @cached_property
    def copies(self) -> Copies:
        """The fills that state one execution more than once."""
        return Copies.of(self.problem)

    def options(self, fill: Fill, trade: int, fee: int) -> Iterator[tuple[str, int]]:
        """Yield the names of a fill's hypotheses with their fingerprints.

        `trade` and `fee` are the fingerprints of the fill's trade and of its fee.
        """
        for name, trades, fees in self._of_trades:
            yield name, trades * trade + fees * fee
        if fee:
            for name, fees in self._of_fees:
                yield name, fees * fee
        elif fill.fee:
            return
        of_fee = self.fingerprints.of_fee
        for _, other_fees in self._with_fee if fee else self._without_fee:
            for name, amount, currency in other_fees(fill):
                yield name, of_fee(fill, amount, currency) - fee

    def hypothesis(self, fill: Fill, name: str) -> Hypothesis:
        """Build the hypothesis of a name that `options` yields."""
        operator = self._operators.get(name)
        if operator is not None:
            return operator.build(self.problem, self.copies, fill)
        build, amount, currency = self._other_fee(fill, name)
        return build(self.problem, fill, amount, currency)

    def names(self, *names: str) -> list[str]:
        """Return those of some names whose operator applies in this problem."""
        return [name for name in names if name in self._operators]

    def _other_fee(
        self, fill: Fill, name: str
    ) -> tuple[Callable[[Problem, Fill, Decimal, str], Hypothesis], Decimal, str]:
        for operator, other_fees in self._with_fee if fill.fee else self._without_fee:
            for each, amount, currency in other_fees(fill):
                if each == name:
                    return operator.build, amount, currency
        raise KeyError(name)

    @cached_property
    def _operators(self) -> dict[str, FillOperator]:
        return {
            operator.name: operator
            for cause in causes.CAUSES
            for operator in cause.operators
            if self.problem.fault_in in operator.faults
        }

    @cached_property
    def _of_trades(self) -> list[tuple[str, int, int]]:
        found = self._operators.values()
        return [(one.name, one.trade, one.fee) for one in found if one.trade]

    @cached_property
    def _of_fees(self) -> list[tuple[str, int]]:
        return [(one.name, one.fee) for one in self._operators.values() if not one.trade]

    @cached_property
    def _with_fee(self) -> list[tuple[FeeOperator, _Fees]]:
        """The operators of other fees for fills with a fee, each with its fees in this problem."""
        return fee_operators(self.problem, charged=True)

    @cached_property
    def _without_fee(self) -> list[tuple[FeeOperator, _Fees]]:
        """The same for fills without a fee."""
        return fee_operators(self.problem, charged=False)


@dataclass(frozen=True)  # no slots: a cached property keeps its value
class FirstFees:
    """The fees that fills without one may have, by the operators of all causes."""

    problem: Problem

    def of(self, fill: Fill) -> Iterator[OtherFee]:
        """Yield the fees that a fill without one may have."""
        return (each for _, fees in self._operators for each in fees(fill))

    def may_be_in(self, fill: Fill, currency: str | None = None) -> bool:
        """True if a fill without a fee may have one, in the currency if one is given."""
        return any(currency in (None, each) for _, _, each in self.of(fill))

    @cached_property
    def _operators(self) -> list[tuple[FeeOperator, _Fees]]:
        return fee_operators(self.problem, charged=False)


def fee_operators(problem: Problem, *, charged: bool) -> list[tuple[FeeOperator, _Fees]]:
    """Return the operators of other fees that apply in a problem, each with its fees there."""
    return [
        (operator, operator.fees(problem))
        for family in causes.CAUSES
        for operator in family.fee_operators
        if operator.charged is charged and problem.fault_in in operator.faults
    ]
