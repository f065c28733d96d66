"""A fee that was not booked, booked twice, or booked with the wrong sign."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Final

from recon_core.explain.causes.copies import Copies
from recon_core.explain.causes.family import (
    CauseFamily,
    FeeOperator,
    FillOperator,
    OtherFee,
)
from recon_core.explain.causes.fee_pairs import most_fees
from recon_core.explain.causes.strengths import may_be_unique, of_one_amount
from recon_core.explain.problem.dimensions import negated
from recon_core.explain.problem.fee_evidence import at_rates_of, at_usual_rate
from recon_core.explain.problem.figures import common_lot
from recon_core.explain.problem.fill_group import FillGroup, times
from recon_core.explain.problem.hypotheses import (
    Hypothesis,
    Strength,
    fee_change,
    half,
    of_all,
    with_fee,
)
from recon_core.explain.problem.pairs import PairRow, SharedFault
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, exact_sum

_TURNED: Final = Decimal(-2)
"""Factor of an exchanged sign: the turned fee less the fee itself is -2 times it."""

_GROUPS: Final = 3
"""Faults of all fees that are tried: turned, not booked, and charged."""

_OF_PAIRS: Final = {
    CauseKind.MISSING_FEE: "no fee was booked at all",
    CauseKind.FEE_SIGN: "of every fee",
    CauseKind.DUPLICATE_FEE: "every fee",
}
_ROWS: Final = frozenset({FaultIn.ROWS})
_STATEMENT: Final = frozenset({FaultIn.STATEMENT})


def charged(problem: Problem, fill: Fill, at: int) -> Fill:
    """Return a fill without a fee, charged at the rate `at` of its fee model."""
    model = problem.schedules.model(fill)
    assert model is not None  # noqa: S101  # only models with rates are offered
    fee = model.fee(problem.postings, fill, model.rates[at])
    return replace(fill, fee=fee, fee_currency=model.currency)


def lost_fees(problem: Problem, name: str | None = None) -> set[Decimal]:
    """Return the fees that fills without one may lack, at each rate; of one position if named."""
    schedules = problem.schedules
    fills = problem.fills if name is None else problem.by_symbol.get(name, ())
    bare = [one for one in fills if not one.fee and not schedules.leaves_without(one)]
    return {
        charged(problem, one, at).fee.copy_abs()
        for one in bare
        for at in range(len(schedules.rates(one)))
    }


def _without_fee(problem: Problem, _copies: Copies, fill: Fill) -> Hypothesis:
    return at_usual_rate(problem, fee_change(fill, CauseKind.MISSING_FEE, ZERO))


def _duplicated(problem: Problem, _copies: Copies, fill: Fill) -> Hypothesis:
    duplicated = EXACT.add(fill.fee, fill.fee)
    return at_usual_rate(problem, fee_change(fill, CauseKind.DUPLICATE_FEE, duplicated))


def _turned(problem: Problem, _copies: Copies, fill: Fill) -> Hypothesis:
    turned = at_usual_rate(problem, fee_change(fill, CauseKind.FEE_SIGN, fill.fee.copy_negate()))
    return replace(turned, strength=Strength.CHANCE) if _are_paid(problem, 1) else turned


def _half_of(_problem: Problem) -> Callable[[Fill], Iterable[OtherFee]]:
    return lambda fill: (("half", half(fill.fee), fill.charged_in),)


def _with_half(problem: Problem, fill: Fill, fee: Decimal, _currency: str) -> Hypothesis:
    return at_usual_rate(problem, fee_change(fill, CauseKind.DUPLICATE_FEE, fee))


def _fees_at_rates(problem: Problem) -> Callable[[Fill], Iterable[OtherFee]]:
    """Return the function that gives the fees of a fill without one, at each known rate."""

    def fees(fill: Fill) -> Iterator[OtherFee]:
        schedules = problem.schedules
        if schedules.leaves_without(fill) or schedules.is_charged_with_another(fill):
            return
        for at in range(len(problem.schedules.rates(fill))):
            other = charged(problem, fill, at)
            yield f"rate {at}", other.fee, other.charged_in

    return fees


def _charged(problem: Problem, fill: Fill, fee: Decimal, currency: str) -> Hypothesis:
    is_doubtful = (
        _is_one_of_the_bare(problem, fill)
        or _may_be_of_an_unseen_fill(problem, fill)
        or _is_at_the_rate_of_one(problem, fill, fee)
    )
    strength = Strength.CHANCE if is_doubtful else Strength.SHOWN
    return fee_change(fill, CauseKind.MISSING_FEE, fee, currency, strength)


def _is_one_of_the_bare(problem: Problem, fill: Fill) -> bool:
    """True if the fee may be flat, and other fills have none: theirs may be missing, or is not due.

    A fee of each order is that of its first fill. Equal fees may be flat, or at a rate of trades
    that are worth the same. Where a rate is rounded to one unit or two, it looks flat, and less
    than half a unit is 0.
    """
    model = problem.schedules.model(fill)
    fills = problem.by_symbol.get(problem.postings.position(fill), ())
    if model is None or (any(model.rates) and _have_several_fees(fills)):
        return False
    others = [one for one in fills if one is not fill]
    alike = [one for one in others if one.quantity == fill.quantity]
    is_small = bool(alike) and not any(one.fee for one in alike)
    apart = (
        one
        for one in (*others, *_few_elsewhere(problem, fill))
        if not one.fee and not (one.order_id and one.order_id == fill.order_id)
    )
    is_only = all(map(problem.schedules.is_charged_with_another, apart))
    return is_small or not is_only


def _may_be_of_an_unseen_fill(problem: Problem, fill: Fill) -> bool:
    """True if the fee may be flat, and a lost fill of a contract would show nothing else."""
    name = problem.postings.position(fill)
    is_seen = problem.dimensions.shows(name) or not problem.postings.derivative(fill.symbol)
    return not is_seen and not _have_several_fees(problem.by_symbol.get(name, ()))


def _is_at_the_rate_of_one(problem: Problem, fill: Fill, fee: Decimal) -> bool:
    """True if a fee is at the one of several rates that a single fill has, whose fee may be wrong.

    0.30 among fees of 0.35 leaves 0.05: the fee that is missing here, or booked too low there.
    """
    model = problem.schedules.model(fill)
    if model is None or len(model.rates) == 1:
        return False
    fills = problem.by_symbol.get(problem.postings.position(fill), ())
    others = (one for one in fills if one is not fill)
    shown = at_rates_of(problem, model, replace(fill, fee=fee), others)
    return len(list(islice(shown, 2))) < 2  # noqa: PLR2004  # a second fill is a witness


def _have_several_fees(fills: Iterable[Fill]) -> bool:
    fees = filter(None, (one.fee for one in fills))
    first = next(fees, None)
    return any(fee != first for fee in fees)


def _few_elsewhere(problem: Problem, fill: Fill) -> Iterator[Fill]:
    """Yield the fills of other markets, without those of several fills of which none has a fee."""
    own = problem.postings.position(fill)
    for name, fills in problem.by_symbol.items():
        if name != own and (len(fills) == 1 or any(one.fee for one in fills)):
            yield from fills


def _of_all(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield all fees turned, not booked, or charged, if that may have the required effect."""
    if not group.may_be_fees:
        return
    problem = group.problem
    if len(group.charged) > 1:
        if problem.reached_by_effect(times(group.fees, _TURNED)):
            yield _all_turned(group)
        if problem.fault_in is FaultIn.STATEMENT and problem.reached_by_effect(negated(group.fees)):
            yield _all_missing(group.charged)
    yield from _all_charged(group)


def _reducing(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield all fees turned, or not booked, if that reduces the required effect."""
    if len(group.charged) < 2:  # noqa: PLR2004  # the fee of a single fill is no group
        return
    if group.reduces(times(group.fees, _TURNED)):
        yield _all_turned(group)
    if group.problem.fault_in is FaultIn.STATEMENT and group.reduces(negated(group.fees)):
        yield _all_missing(group.charged)


def _all_turned(group: FillGroup) -> Hypothesis:
    """Build all fees of a group turned: by chance where they would be the only rebates."""
    fills = group.charged
    turned = [with_fee(fill, fill.fee.copy_negate()) for fill in fills]
    hypothesis = of_all(CauseKind.FEE_SIGN, fills, turned, "of every fee")
    is_flat = len(fills) > 1 and len({fill.fee for fill in fills}) == 1 and fills[0].fee > 0
    is_chance = _are_paid(group.problem, len(fills)) or is_flat or _are_of_few_lots(fills)
    return replace(hypothesis, strength=Strength.CHANCE) if is_chance else hypothesis


def _are_of_few_lots(fills: Sequence[Fill]) -> bool:
    """True if fees are of so few lots that they are a price of another fill by coincidence.

    13 fees of 1.00 and one of 3.00 turned round are 32.00, and a contract's price moves cash by
    1.00 as well.
    """
    fees = [fill.fee for fill in fills]
    turned = EXACT.multiply(exact_sum(fees), _TURNED)
    return not may_be_unique(of_one_amount(turned, _GROUPS, common_lot(fees)))


def _are_paid(problem: Problem, count: int) -> bool:
    """True if `count` fees and others, which may be wrong, are all paid: none is a rebate."""
    fees = problem.rows.fees
    return problem.fault_in is FaultIn.ROWS and len(fees) > count and fees[0] > 0


def _all_missing(fills: Sequence[Fill]) -> Hypothesis:
    none = [with_fee(fill, ZERO) for fill in fills]
    return of_all(CauseKind.MISSING_FEE, fills, none, "no fee was booked at all")


def _all_charged(group: FillGroup) -> Iterator[Hypothesis]:
    """Yield the fills without a fee, charged at the most frequent rate of those with one."""
    problem = group.problem
    leaves = problem.schedules.leaves_without
    bare = [fill for fill in group.fills if not fill.fee and fill.quantity and not leaves(fill)]
    if problem.fault_in is FaultIn.STATEMENT or not 1 < len(bare) < len(group.fills):
        return
    if all(map(problem.schedules.rates, bare)):
        other = [charged(problem, fill, 0) for fill in bare]
        hypothesis = of_all(CauseKind.MISSING_FEE, bare, other, f"of {len(bare)} fills")
        is_due = not any(map(problem.schedules.is_charged_with_another, bare))
        yield replace(hypothesis, strength=Strength.SHOWN if is_due else Strength.CHANCE)


def _in_pairs(rows: Sequence[PairRow], fills: Sequence[Fill]) -> SharedFault | None:
    """Return the fault that most fees share: none booked, turned, or doubled."""
    found = (most_fees(rows, fills, kind, detail) for kind, detail in _OF_PAIRS.items())
    return next(filter(None, found), None)


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.MISSING_FEE: sentence_of("{subject} has not booked the fee of {rows}"),
        CauseKind.DUPLICATE_FEE: sentence_of("{subject} has booked the fee of {rows} twice"),
        CauseKind.FEE_SIGN: sentence_of(
            "{subject} has booked the fee of {rows} with the wrong sign"
        ),
    },
    operators=(
        FillOperator("negate", 0, -2, _turned),
        FillOperator("nofee", 0, -1, _without_fee, _STATEMENT),
        FillOperator("double", 0, 1, _duplicated, _STATEMENT),
    ),
    fee_operators=(
        FeeOperator(_half_of, _with_half, faults=_ROWS),
        FeeOperator(_fees_at_rates, _charged, charged=False, faults=_ROWS),
    ),
    of_all=_of_all,
    reducing=_reducing,
    in_pairs=(_in_pairs,),
)
