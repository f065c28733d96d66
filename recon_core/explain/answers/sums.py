"""Fills that no row states: one, or several fills of their sum.

A position that lacks 0.3 BTC and a balance that has 12,600 USDT too much are one lost fill of 0.3
at 42,000, or two of 0.1 at 41,000 and 0.2 at 42,500: the books are the same. A quantity of less
than twice the smallest of its symbol is one fill. The price of a larger one may be the average of
several if it is no whole number of the ticks that the other prices show. An average is one by
coincidence: of two equal fills once in two cases, of 0.234 in lots of 0.001 once in 234. So a
quantity of few lots may be several fills as well where no fill of its order is known, unless the
orders that are known have one fill each.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from operator import attrgetter
from typing import Final

from recon_core.explain.answers.absent_data import deciding_rows
from recon_core.explain.problem.figures import common_lot, tick_of, units_of
from recon_core.explain.problem.hypotheses import Hypothesis, unstated_fill
from recon_core.explain.problem.problem import Problem
from recon_core.explain.proof.attempt import Answer
from recon_core.model import Fill, RecordedSession
from recon_core.values.amounts import EXACT, shortest_places

_FEWEST_LOTS: Final = 50
"""Lots of a quantity from which on the average of several prices is hardly a whole number of ticks:
once in as many cases."""

_FEWEST_ORDERS: Final = 4
"""Orders of one fill each that show that orders are filled at once: where a third is not, one of
five ledgers shows as many, and few of these have such an average."""

_ORDER: Final = attrgetter("order_id")
_PRICE: Final = attrgetter("price")
_QUANTITY: Final = attrgetter("quantity")
_TWO: Final = Decimal(2)


def with_sums(answer: Answer) -> Answer:
    """Return an answer whose unstated fills are known as one fill, or as several of their sum."""
    parts = tuple(
        replace(part, hypothesis=_with_sum(answer.problem, part.hypothesis))
        for part in answer.parts
    )
    return replace(answer, parts=parts)


def executions_of(recorded: RecordedSession, answers: Sequence[Answer]) -> str:
    """Return the executions that would decide between several fills and their sum, else empty."""
    orders = {
        fill.order_id
        for answer in answers
        for part in answer.parts
        if part.hypothesis.facts.is_average
        for fill in part.hypothesis.patch.added
    }
    if not orders:
        return ""
    return "the executions of these orders" if any(orders) else deciding_rows(recorded)


def _with_sum(problem: Problem, one: Hypothesis) -> Hypothesis:
    fill = unstated_fill(one.patch)
    if fill is None:
        return one
    known = problem.by_symbol.get(problem.postings.position(fill), ())
    may_be_several = not known or fill.quantity >= EXACT.multiply(_TWO, min(map(_QUANTITY, known)))
    is_average = bool(known) and (
        _is_finer(fill, known) or (may_be_several and _may_be_a_sum(problem, fill, known))
    )
    facts = replace(one.facts, is_average=is_average, may_be_several=may_be_several)
    return replace(one, facts=facts)


def _is_finer(fill: Fill, known: Sequence[Fill]) -> bool:
    """True if the price of a fill has more decimals than all prices of its symbol."""
    places = shortest_places(fill.price)
    return all(shortest_places(price) < places for price in map(_PRICE, known))


def _may_be_a_sum(problem: Problem, fill: Fill, known: Sequence[Fill]) -> bool:
    """True if the price of a fill is on no tick, or is on one by coincidence in a whole order."""
    if EXACT.remainder(fill.price, tick_of(map(_PRICE, known))):
        return True
    lots = units_of(fill.quantity, common_lot(map(_QUANTITY, known)))
    return lots < _FEWEST_LOTS and _may_be_an_order(fill, problem.fills)


def _may_be_an_order(fill: Fill, known: Iterable[Fill]) -> bool:
    """True if no fill of the order of this one is known, and orders may have several fills.

    So they may unless enough orders are known, each of one fill.
    """
    counts = Counter(filter(None, map(_ORDER, known)))
    is_at_once = len(counts) >= _FEWEST_ORDERS and max(counts.values()) == 1
    return not is_at_once and not counts[fill.order_id]
