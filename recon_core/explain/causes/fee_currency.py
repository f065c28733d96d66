"""A fee in the wrong currency: with its number, or with its value.

A fee of 0.1 USDT at a price of 50,000 is worth 0.000002 BTC. If the USDT balance requires +0.1
and the BTC balance -0.000002, the fee should be in BTC. In a currency that is not traded its
value has to be near that of the other fees there. A fee that keeps its number is an exact
hypothesis: its effect is its amount in two balances.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import compress
from operator import attrgetter
from typing import Final

from recon_core.explain.causes.family import CauseFamily, FeeOperator, FieldFault, OtherFee
from recon_core.explain.causes.fee_pairs import most_fees
from recon_core.explain.problem.dimensions import currency_of, is_cash
from recon_core.explain.problem.fee_evidence import FeeContradiction, at_usual_rate
from recon_core.explain.problem.fee_schedule import fee_model
from recon_core.explain.problem.fill_group import FillGroup
from recon_core.explain.problem.hypotheses import Hypothesis, Strength, fee_change, of_all, with_fee
from recon_core.explain.problem.pairs import PairRow, SharedFault
from recon_core.explain.problem.postings import to_decimal
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.wording import sentence_of
from recon_core.ledger.bookings import is_derivative
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, exact_sum

_ABOUT: Final = 2
"""Factor between fee shares: a third currency's price moves, a fault is off by far more."""

_DRIFT: Final = Fraction(1, 50)
"""Fraction by which a third currency's price moves between fills that are near in time."""

_NEIGHBOURS: Final = 4
"""Fills near in time whose fees are a witness: more would leave a wider range of prices."""

_FEE: Final = attrgetter("fee")

_SYMBOL: Final = attrgetter("symbol")

_ACCOUNT: Final = attrgetter("account")


def _of_two_balances(problem: Problem, _tried: int) -> Iterator[Hypothesis]:
    """Yield the fees that are too much in one balance and, by value, too little in another."""
    balances = {name: amount for name, amount in problem.required.items() if is_cash(name)}
    if len(balances) != 2:  # noqa: PLR2004  # the booked currency and the right one
        return
    for name, given in balances.items():
        ((other, amount),) = ((one, left) for one, left in balances.items() if one != name)
        for fill in _charged(problem, name, given):
            yield from _in_other_balance(problem, fill, other, amount.copy_negate())


def _charged(problem: Problem, name: str, given: Decimal) -> Iterator[Fill]:
    """Yield the fills whose fee is the amount that a balance requires, within its tolerance."""
    allowed = problem.allowed(name)
    low, high = EXACT.subtract(given, allowed), EXACT.add(given, allowed)
    fees = map(_FEE, problem.fills)
    fits = [low <= fee <= high for fee in fees] if allowed else map(given.__eq__, fees)
    for fill in compress(problem.fills, fits):
        if fill.fee and problem.postings.cash(fill.charged_in, fill.account) == name:
            yield fill


def _in_other_balance(
    problem: Problem, fill: Fill, other: str, fee: Decimal
) -> Iterator[Hypothesis]:
    """Yield the fee of a fill in another balance, if it has evidence and the required effect."""
    currency = currency_of(other)
    strength = _strength(problem, fill, fee, currency)
    if strength is None or problem.postings.cash(currency, fill.account) != other:
        return
    words = "it was {}" if problem.fault_in is FaultIn.ROWS else "as {}"
    hypothesis = fee_change(fill, CauseKind.FEE_CURRENCY, fee, currency, strength)
    if problem.reached_by(hypothesis.patch):
        yield replace(hypothesis, detail=words.format(f"{fee:f} {currency}"))


def share_of(fill: Fill) -> Fraction:
    """Return a fee divided by quantity times price, 0 if these are 0."""
    worth = Fraction(fill.quantity) * Fraction(fill.price)
    return Fraction(fill.fee) / worth if worth else Fraction(0)


def is_about(share: Fraction, fills: list[Fill]) -> bool:
    """True if a share is within a factor of `_ABOUT` of the shares of other fills."""
    shares = [share_of(fill) for fill in fills]
    if not shares or share <= 0:
        return False
    return min(shares) <= share * _ABOUT and share <= max(shares) * _ABOUT


def _strength(problem: Problem, fill: Fill, fee: Decimal, currency: str) -> Strength | None:
    """Return the evidence strength of a fee in another currency, `None` without evidence."""
    instrument = problem.postings.instruments.get(fill.symbol)
    if instrument is None or is_derivative(instrument) or not fill.price:
        return None
    price, posted = Fraction(fill.price), Fraction(fill.fee)
    if (fill.fee_currency, currency) == (instrument.quote, instrument.base):
        return Strength.EXACT if _is_rounded_value(problem, fee, posted / price, currency) else None
    if (fill.fee_currency, currency) == (instrument.base, instrument.quote):
        return Strength.EXACT if _is_rounded_value(problem, fee, posted * price, currency) else None
    others = [one for one in problem.fills if one.fee_currency == currency and one.fee]
    worth = Fraction(fill.quantity) * price
    if not worth or not is_about(Fraction(fee) / worth, others):
        return None
    is_traded = currency in {instrument.base, instrument.quote}
    charged = with_fee(fill, fee, currency)
    is_fit = _is_at_a_rate(problem, charged, others) if is_traded else _is_near(charged, others)
    return Strength.FITTED if is_fit else Strength.CHANCE


def _is_near(fill: Fill, others: Sequence[Fill]) -> bool:
    """True if the share of a fee is that of a fill nearby in time, but for the price's drift."""
    share = share_of(fill)
    nearest = sorted(others, key=lambda other: abs(other.time - fill.time))[:_NEIGHBOURS]
    return any(abs(share_of(other) - share) <= share * _DRIFT for other in nearest)


def _is_at_a_rate(problem: Problem, fill: Fill, others: Sequence[Fill]) -> bool:
    """True if a fee is at a rate of the fees of its symbol in its currency.

    In a currency that is traded a fee follows from the fill: another amount would fit anything.
    """
    model = fee_model(problem.postings, [one for one in others if one.symbol == fill.symbol])
    if model is None:
        return False
    return model.is_near(problem.postings, fill)


def _is_rounded_value(problem: Problem, fee: Decimal, worth: Fraction, currency: str) -> bool:
    """True if a fee is a value to one unit of its currency: both are rounded."""
    unit = Fraction(problem.postings.fee_unit(currency, to_decimal(worth)))
    return bool(fee) and abs(Fraction(fee) - worth) <= unit


def _of_all(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield every fee in the base, and in the quote, currency, if their balances require it."""
    return (
        _all_in(group, currency)
        for currency in _currencies(group)
        if _is_required_in(group.problem, group.charged, currency)
    )


def _reducing(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield every fee in the base, and in the quote, currency."""
    return (_all_in(group, currency) for currency in _currencies(group))


def _currencies(group: FillGroup) -> Iterator[str]:
    """Yield the compared currencies in which all fees may be; none for several symbols."""
    problem, charged = group.problem, group.charged
    if len(charged) < 2:  # noqa: PLR2004  # the fee of a single fill is no group
        return
    instrument = problem.postings.instruments.get(charged[0].symbol)
    if instrument is None or len(set(map(_SYMBOL, charged))) > 1:
        return
    for currency in sorted({instrument.base, instrument.quote}):
        known = problem.postings.cash(currency, charged[0].account) in problem.dimensions.compared
        if known and group.fee_currencies != {currency}:
            yield currency


def _all_in(group: FillGroup, currency: str) -> Hypothesis:
    other = [with_fee(fill, fill.fee, currency) for fill in group.charged]
    return of_all(CauseKind.FEE_CURRENCY, group.charged, other, f"every fee in {currency}")


def _is_required_in(problem: Problem, charged: Sequence[Fill], currency: str) -> bool:
    """True if the fees in other currencies add up to the amount that a balance requires."""
    if len(set(map(_ACCOUNT, charged))) > 1:
        return True
    name, roundings = (
        problem.postings.cash(currency, charged[0].account),
        problem.postings.roundings,
    )
    fees = [fill.fee for fill in charged if fill.fee_currency != currency]
    more = exact_sum(roundings.each(currency, fees))
    return EXACT.add(problem.required.get(name, ZERO), more).copy_abs() <= problem.allowed(name)


class _OtherCurrencies:
    """The other compared currencies in which a fee may be: base, quote, and those of other fees."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._known: dict[tuple[str | None, ...], tuple[str, ...]] = {}

    def __call__(self, fill: Fill) -> Iterator[OtherFee]:
        """Yield the fee of a fill with its number, in each other currency."""
        return ((currency, fill.fee, currency) for currency in self._of(fill))

    def _of(self, fill: Fill) -> tuple[str, ...]:
        key = (fill.symbol, fill.account, fill.fee_currency)
        known = self._known.get(key)
        if known is None:
            problem = self._problem
            instrument = problem.postings.instruments.get(fill.symbol)
            traded = set() if instrument is None else {instrument.base, instrument.quote}
            cash, compared = problem.postings.cash, problem.dimensions.compared
            known = self._known[key] = tuple(
                currency
                for currency in sorted(traded | self._charged_in)
                if currency != fill.fee_currency and cash(currency, fill.account) in compared
            )
        return known

    @cached_property
    def _charged_in(self) -> set[str]:
        """The currencies of all fees, and those of balances with a required effect."""
        problem = self._problem
        in_required = {currency_of(name) for name in problem.required if is_cash(name)}
        return in_required | problem.table.distinct("fee_currency") - {None, ""}


def _in_other_currency(problem: Problem, fill: Fill, fee: Decimal, currency: str) -> Hypothesis:
    return at_usual_rate(problem, fee_change(fill, CauseKind.FEE_CURRENCY, fee, currency))


def _by_fee(one: FeeContradiction) -> Iterator[Hypothesis]:
    """Yield the fee of a fill in the usual currency, at each known rate."""
    fill, model = one.fill, one.model
    for rate in () if fill.fee_currency == model.currency else model.rates:
        fee = model.fee(one.problem.postings, fill, rate)
        hypothesis = fee_change(fill, CauseKind.FEE_CURRENCY, fee, model.currency, Strength.SHOWN)
        yield replace(hypothesis, detail=f"it was {fee:f} {model.currency}")


def _in_pairs(rows: Sequence[PairRow], fills: Sequence[Fill]) -> SharedFault | None:
    """Return the fault that most fees are in the wrong currency."""
    return most_fees(rows, fills, CauseKind.FEE_CURRENCY, "every fee")


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.FEE_CURRENCY: sentence_of(
            "{subject} has booked the fee of {rows} in the wrong currency"
        ),
    },
    fee_operators=(FeeOperator(_OtherCurrencies, _in_other_currency),),
    of_all=_of_all,
    reducing=_reducing,
    fitted=_of_two_balances,
    by_fee=_by_fee,
    in_pairs=(_in_pairs,),
    fields={"fee_currency": lambda _wrong, _right: FieldFault(CauseKind.FEE_CURRENCY)},
)
