"""Fills that no row states: one, or several fills of their sum.

A position that lacks 0.3 BTC and a balance that has 12,600 USDT too much are one lost fill of 0.3
at 42,000, or two of 0.1 at 41,000 and 0.2 at 42,500: the books are the same. A quantity of less
than twice the smallest of its symbol is one fill. A price with more decimals than all others of
its symbol may be the average of several.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from operator import attrgetter
from typing import Final

from recon_core.explain.answers.absent_data import deciding_rows
from recon_core.explain.problem.hypotheses import MISSING_ID, Hypothesis
from recon_core.explain.problem.problem import Problem
from recon_core.explain.proof.attempt import Answer
from recon_core.model import Fill, RecordedSession
from recon_core.values.amounts import EXACT, shortest_places

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
    if len(one.patch.added) != 1 or one.patch.added[0].fill_id != MISSING_ID:
        return one
    (fill,) = one.patch.added
    known = problem.by_symbol.get(problem.postings.position(fill), ())
    is_average = bool(known) and _is_finer(fill, known)
    may_be_several = not known or fill.quantity >= EXACT.multiply(_TWO, min(map(_QUANTITY, known)))
    facts = replace(one.facts, is_average=is_average, may_be_several=may_be_several)
    return replace(one, facts=facts)


def _is_finer(fill: Fill, known: Sequence[Fill]) -> bool:
    """True if the price of a fill has more decimals than all prices of its symbol."""
    places = shortest_places(fill.price)
    return all(shortest_places(price) < places for price in map(_PRICE, known))
