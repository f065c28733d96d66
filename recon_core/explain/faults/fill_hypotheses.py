"""Exact hypotheses on one fill: their fingerprints, patches and evidence strengths.

Their effects are multiples of the fill's trade and fee, so the fingerprints follow without a
patch. A trade with the fingerprint +100 and a fee with -1: removed -99, side flipped -200, fee
turned +2. A patch is built only for the names that a look-up finds.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import Any, Final

from recon_core.explain.effects.dimensions import currency_of, is_cash
from recon_core.explain.faults.hypotheses import (
    NEAR_TWIN,
    Hypothesis,
    Strength,
    fee_change,
    flip,
    half,
    removal,
    repetition,
)
from recon_core.explain.faults.told_in_parts import told_in_parts
from recon_core.explain.problems.fingerprints import Fingerprints
from recon_core.explain.problems.problem import Problem
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO

_ID: Final = attrgetter("fill_id")
_KEY: Final = attrgetter("account", "symbol", "fill_id", "side", "quantity", "price")
_TIME: Final = attrgetter("time")


@dataclass
class Copies:
    """The fills of one side that state one execution more than once, each question asked once."""

    fills: Sequence[Fill]
    _moments: dict[datetime, Counter[tuple[Any, ...]]] = field(default_factory=dict)
    _executions: dict[str, dict[tuple[Any, ...], list[Fill]]] = field(default_factory=dict)

    def twice(self, fill: Fill) -> bool:
        """True if a fill is a duplicate: the same id, side, quantity and price."""
        if self._ids[fill.fill_id] == 1:
            return False
        return self._repeated[_KEY(fill)] > 1

    @cached_property
    def _ids(self) -> Counter[str]:
        return Counter(map(_ID, self.fills))

    @cached_property
    def _repeated(self) -> Counter[tuple[object, ...]]:
        return Counter(_KEY(fill) for fill in self.fills if self._ids[fill.fill_id] > 1)

    def parts(self, fill: Fill) -> str:
        """Return the words on a fill that is stated whole and in parts, else an empty text."""
        return self._in_parts.get(id(fill), "")

    @cached_property
    def _in_parts(self) -> Mapping[int, str]:
        return told_in_parts(self.fills)

    def near(self, fill: Fill) -> bool:
        """True if an equal fill is near in the same order, or at the same time in any order."""
        near = self._executions_of(fill.order_id).get(twin(fill), [])
        if sum(abs(other.time - fill.time) <= NEAR_TWIN for other in near) > 1:
            return True
        return self._at(fill.time)[twin(fill)] > 1

    def _at(self, time: datetime) -> Counter[tuple[Any, ...]]:
        """Count the equal fills at one time, in any order."""
        if time not in self._moments:
            fills = self.fills
            start, end = bisect_left(fills, time, key=_TIME), bisect_right(fills, time, key=_TIME)
            self._moments[time] = Counter(map(twin, fills[start:end]))
        return self._moments[time]

    def _executions_of(self, order: str) -> dict[tuple[Any, ...], list[Fill]]:
        """Group the equal fills of one order, which may be one execution delivered twice."""
        if order not in self._executions:
            found: dict[tuple[Any, ...], list[Fill]] = {}
            for fill in self._orders.get(order, ()):
                found.setdefault(twin(fill), []).append(fill)
            self._executions[order] = found
        return self._executions[order]

    @cached_property
    def _orders(self) -> dict[str, list[Fill]]:
        found: dict[str, list[Fill]] = {}
        for fill in self.fills:
            order = fill.order_id
            if order:
                found.setdefault(order, []).append(fill)
        return found


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


def removed(problem: Problem, copies: Copies, fill: Fill) -> Hypothesis:
    """Build the removal of a fill: a duplicate if there are copies of it, else an orphan.

    If the rows are right, the fill was never booked.
    """
    parts = "" if problem.rows_right else copies.parts(fill)
    hypothesis = removal(
        fill,
        rows_right=problem.rows_right,
        twice=copies.twice(fill),
        close=bool(parts) or copies.near(fill),
    )
    if parts:
        hypothesis = replace(hypothesis, detail=parts)
    if _may_be_unseen(problem, hypothesis, fill):
        return replace(hypothesis, strength=Strength.CHANCE)
    return hypothesis


def _may_be_unseen(problem: Problem, hypothesis: Hypothesis, fill: Fill) -> bool:
    """True if an orphan is the last fill, and no row shows that the other side saw it."""
    orphan = hypothesis.cause_kind is CauseKind.ORPHAN_FILL and not problem.orders
    gives_rows = all(record.fills is not None for record in problem.recorded.own_records().values())
    return orphan and not gives_rows and fill.time == problem.fills[-1].time


def at_usual_rate(problem: Problem, hypothesis: Hypothesis) -> Hypothesis:
    """Return the hypothesis, shown by the row if only its new fee is at a usual rate."""
    patch = hypothesis.patch
    if problem.rows_right or not patch.removed:
        return hypothesis
    old, new = (_charge(fill) for fill in (*patch.removed, *patch.added))
    model = None if old == new else problem.schedules.model(patch.removed[0])
    if model is None:
        return hypothesis
    fill = patch.removed[0]
    usual = {(model.fee(problem.postings, fill, rate), model.currency) for rate in model.rates}
    if new in usual and old not in usual:
        return replace(hypothesis, strength=Strength.SHOWN)
    return hypothesis


def charged(problem: Problem, fill: Fill, at: int) -> Fill:
    """Return a fill without a fee, charged at the rate `at` of its fee model.

    If a fee computed in floats is within dust of the required fee, it is the required one.
    """
    model = problem.schedules.model(fill)
    assert model is not None  # noqa: S101  # only models with rates are offered
    fee = model.fee(problem.postings, fill, model.rates[at])
    cash = problem.postings.cash(model.currency, fill.account)
    required, dust = problem.required.get(cash, ZERO).copy_negate(), problem.dimensions.dust
    if dust and EXACT.subtract(required, fee).copy_abs() <= dust:
        fee = required
    return replace(fill, fee=fee, fee_currency=model.currency)


_WHOLE: Final[dict[str, Callable[[Fill], Hypothesis]]] = {
    "repeat": repetition,
    "flip": flip,
    "nofee": lambda fill: fee_change(fill, CauseKind.MISSING_FEE, ZERO),
    "double": lambda fill: fee_change(fill, CauseKind.DUPLICATE_FEE, EXACT.add(fill.fee, fill.fee)),
    "half": lambda fill: fee_change(fill, CauseKind.DUPLICATE_FEE, half(fill.fee)),
    "negate": lambda fill: fee_change(fill, CauseKind.FEE_SIGN, fill.fee.copy_negate()),
}


def _charge(fill: Fill) -> tuple[Decimal, str | None]:
    return fill.fee, fill.fee_currency


def twin(fill: Fill) -> tuple[Any, ...]:
    """Return the key that interchangeable fills share: all but id, order and time."""
    return (
        fill.account,
        fill.symbol,
        fill.leg,
        fill.side,
        fill.quantity,
        fill.price,
        fill.fee,
        fill.fee_currency if fill.fee else None,
    )
