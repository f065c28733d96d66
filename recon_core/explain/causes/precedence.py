"""Precedence: the rules that decide between causes of different kinds, each with its reason."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final

from recon_core.explain.causes.stale import is_span
from recon_core.explain.problem.dimensions import Vector, is_position
from recon_core.explain.problem.hypotheses import Hypothesis, Row, Strength, fill_content
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.stated_figures import StateHypothesis
from recon_core.model import Fill
from recon_core.model.explanation import Cause, CauseKind, Explanation

_OF_ORDERS: Final = frozenset(
    {
        CauseKind.MISSING_FILL,
        CauseKind.WRONG_QUANTITY,
        CauseKind.CUMULATIVE_QUANTITY,
        CauseKind.SIDE_FLIPPED,
    }
)
_TIME: Final = attrgetter("time")
_OF_A_ROW: Final = frozenset(
    {
        CauseKind.SIGN_CONVENTION,
        CauseKind.UNIT,
        CauseKind.SPLIT,
        CauseKind.MULTIPLIER,
        CauseKind.CONVERSION,
    }
)
"""Faults of stated figures that are one wrong row just as well: flipped, tenfold, missing."""

_FIGURES: Final = frozenset({CauseKind.WRONG_QUANTITY, CauseKind.WRONG_PRICE, CauseKind.WRONG_FEE})


_PAIR: Final = 2
"""Fills of an order that was misread: with more of them, more running sums have to fit."""


def may_be_of_a_pair(hypothesis: Hypothesis) -> bool:
    """True if the interpretation of an order may be one of two faults.

    A removed fill is among the hypotheses on single fills already.
    """
    return hypothesis.cause_kind in _OF_ORDERS


def is_rounding(one: Hypothesis | StateHypothesis | Cause) -> bool:
    """True if a cause is a rounding, which fits many amounts."""
    return one.cause_kind is CauseKind.ROUNDING


def are_roundings(explanations: Iterable[Explanation]) -> bool:
    """True if all causes are roundings: an exact fault of the rows is better evidence."""
    return all(is_rounding(cause) for one in explanations for cause in one.causes)


def may_be_rows(explanations: Sequence[Explanation]) -> bool:
    """True if a wrong row may cause the figures of all explanations as well."""
    causes = [cause.cause_kind for one in explanations for cause in one.causes]
    return bool(causes) and all(kind in _OF_A_ROW for kind in causes)


def is_less_than_rows(explanations: Iterable[Explanation]) -> bool:
    """True if an exact fault of a row is better evidence: two balances alone show a conversion."""
    kinds = {cause.cause_kind for one in explanations for cause in one.causes}
    return kinds == {CauseKind.CONVERSION}


def may_be_a_multiplier(problem: Problem, hypothesis: Hypothesis, effect: Vector) -> bool:
    """True if a unit of quantities moves no position, and no row of the other side denies it.

    The cash of contracts that are closed is that of another multiplier as well.
    """
    if hypothesis.cause_kind is not CauseKind.UNIT or any(map(is_position, effect)):
        return False
    lists_fills = problem.statement_of(problem.owner.other).fills is not None
    if problem.fault_in is FaultIn.ROWS and (problem.orders or lists_fills):
        return False
    return any(problem.postings.derivative(fill.symbol) for fill in hypothesis.patch.removed)


def may_be_all_rows(explanations: Iterable[Explanation]) -> bool:
    """True if a cause is a multiplier: all quantities in another unit move as much cash."""
    kinds = {cause.cause_kind for one in explanations for cause in one.causes}
    return CauseKind.MULTIPLIER in kinds


def are_of_one_kind(one: Explanation, others: Iterable[Explanation]) -> bool:
    """True if an explanation has the same kinds of causes as another."""
    kinds = {cause.cause_kind for cause in one.causes}
    return any(kinds == {cause.cause_kind for cause in other.causes} for other in others)


def is_one_figure_of_rows(hypothesis: StateHypothesis) -> bool:
    """True if a figure, or a pair of balances, is wrong in a way that a row causes as well."""
    is_pair = hypothesis.cause_kind is CauseKind.CONVERSION
    return is_pair or (hypothesis.cause_kind in _OF_A_ROW and len(hypothesis.correction) == 1)


def has_extra_rounding(found: Sequence[Cause]) -> bool:
    """True if a rounded figure is a cause among others, which its many amounts would hide."""
    rounded = [one for one in found if is_rounding(one) and not one.ids]
    return 0 < len(rounded) < len(found)


def is_behind(cause: Cause) -> bool:
    """True if a cause is that a side is behind: its books end before rows of the other side.

    A clock that is off for all rows moves no amount.
    """
    is_late = cause.cause_kind in {CauseKind.STALE_SIDE, CauseKind.AS_OF_SHIFT}
    return is_late and bool(cause.effect)


def is_foreign(cause: Cause) -> bool:
    """True if a cause is a row that the other side does not know."""
    return cause.cause_kind in {CauseKind.FOREIGN_ACTIVITY, CauseKind.ORPHAN_FILL}


def has_opposites(found: Iterable[Cause]) -> bool:
    """True if two causes of one side cancel: a fault, and its opposite."""
    known: set[tuple[object, ...]] = set()
    for one in found:
        amounts = (*one.effect.position.items(), *one.effect.cash.items())
        if (one.side, *((name, amount.copy_negate()) for name, amount in amounts)) in known:
            return True
        if amounts:
            known.add((one.side, *amounts))
    return False


def without_names_of_legs(hypotheses: Sequence[StateHypothesis]) -> list[StateHypothesis]:
    """Return the hypotheses without other names for the legs of one name."""
    netted = {
        name
        for hypothesis in hypotheses
        if hypothesis.cause_kind is CauseKind.NETTED_LEGS
        for name in hypothesis.correction
    }
    return [
        hypothesis
        for hypothesis in hypotheses
        if not is_alias(hypothesis) or netted.isdisjoint(hypothesis.correction)
    ]


def is_alias(hypothesis: StateHypothesis) -> bool:
    """True if a hypothesis is another name; several of a side are one fault."""
    return hypothesis.cause_kind is CauseKind.ALIAS


def is_conversion(hypothesis: StateHypothesis) -> bool:
    """True if a hypothesis is a conversion, which another name of either side may be as well."""
    return hypothesis.cause_kind is CauseKind.CONVERSION


def is_misread_order(hypotheses: Iterable[Hypothesis]) -> bool:
    """True if a hypothesis is a misread order: as sure as a wrong quantity of the same repair."""
    return any(one.cause_kind is CauseKind.CUMULATIVE_QUANTITY for one in hypotheses)


def is_quantity(hypothesis: Hypothesis) -> bool:
    """True if a hypothesis is a wrong quantity of a fill."""
    return hypothesis.cause_kind is CauseKind.WRONG_QUANTITY


def has_wrong_quantity(hypotheses: Iterable[Hypothesis]) -> bool:
    """True if a hypothesis is a wrong quantity."""
    return any(map(is_quantity, hypotheses))


def figure_count(hypotheses: Iterable[Hypothesis]) -> int:
    """Return the number of causes that only name a wrong figure: of one repair, the fewest win."""
    return sum(one.cause_kind in _FIGURES for one in hypotheses)


def is_unread_span(problem: Problem, hypothesis: Hypothesis) -> bool:
    """True if only a state, and no row, shows that rows are missing from a time on."""
    return problem.fault_in is FaultIn.STATEMENT and is_span(hypothesis)


def with_doubt_of_pair(found: tuple[Hypothesis, ...]) -> tuple[Hypothesis, ...]:
    """Return two hypotheses, a chance if they book one row twice more.

    A required amount that is twice that of some row is common, and no row shows two copies.
    """
    repeated = [row for one in found if not one.patch.rows_removed for row in one.patch.rows_added]
    contents = [_content(row) for row in repeated]
    if len(set(contents)) == len(contents):
        return found
    return (replace(found[0], strength=Strength.CHANCE), *found[1:])


def _content(row: Row) -> tuple[object, ...]:
    return (row.fill_id, *fill_content(row)) if isinstance(row, Fill) else row.content


def is_one_figure(hypothesis: Hypothesis, effect: Vector) -> bool:
    """True if one figure is the only evidence of a cause.

    That is a fitted quantity whose fill moved no cash, two quantities of an order that did not, or
    the sign of all fills that one figure shows: the side that states it may have the other sign.
    """
    is_fitted = hypothesis.strength > Strength.SHOWN
    if hypothesis.cause_kind is CauseKind.SIGN_CONVENTION:
        return is_fitted and len(effect) == 1
    is_misread = is_misread_order([hypothesis]) and len(hypothesis.rows) == _PAIR
    return (is_quantity(hypothesis) or is_misread) and is_fitted and all(map(is_position, effect))
