"""Precedence: the rules that decide between causes of different kinds, each with its reason."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final

from recon_core.explain.causes.stale import is_span
from recon_core.explain.problem.dimensions import Vector, is_position
from recon_core.explain.problem.hypotheses import Hypothesis, Row, Strength, fill_content
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.stated_figures import StateHypothesis
from recon_core.model import Fill, SideRecord
from recon_core.model.explanation import Cause, CauseKind, Explanation, ExplanationVerdict

_OF_ORDERS: Final = frozenset(
    {CauseKind.MISSING_FILL, CauseKind.WRONG_QUANTITY, CauseKind.CUMULATIVE_QUANTITY}
)
_TIME: Final = attrgetter("time")
_OF_A_ROW: Final = frozenset(
    {CauseKind.SIGN_CONVENTION, CauseKind.UNIT, CauseKind.SPLIT, CauseKind.CONVERSION}
)
"""Faults of stated figures that are one wrong row just as well: flipped, tenfold, missing."""

_FIGURES: Final = frozenset({CauseKind.WRONG_QUANTITY, CauseKind.WRONG_PRICE, CauseKind.WRONG_FEE})


def may_be_of_a_pair(hypothesis: Hypothesis) -> bool:
    """True if the interpretation of an order may be one of two faults.

    A removed or flipped fill is among the hypotheses on single fills already.
    """
    return hypothesis.cause_kind in _OF_ORDERS


def is_rounding(one: Hypothesis | StateHypothesis | Cause) -> bool:
    """True if a cause is a rounding, which fits many amounts."""
    return one.cause_kind is CauseKind.ROUNDING


def are_roundings(explanations: Iterable[Explanation]) -> bool:
    """True if all causes are roundings: an exact fault of the rows is better evidence."""
    return all(is_rounding(cause) for one in explanations for cause in one.causes)


def may_be_rows(explanations: Sequence[Explanation]) -> bool:
    """True if a single explanation of figures that a wrong row may cause as well is unique.

    Of a conversion a row is better evidence, also where other doubts leave it ambiguous.
    """
    causes = [cause.cause_kind for one in explanations for cause in one.causes]
    is_unique = [one.verdict for one in explanations] == [ExplanationVerdict.UNIQUE]
    return is_less_than_rows(explanations) or (
        is_unique and all(kind in _OF_A_ROW for kind in causes)
    )


def is_less_than_rows(explanations: Iterable[Explanation]) -> bool:
    """True if an exact fault of a row is better evidence: two balances alone show a conversion."""
    kinds = {cause.cause_kind for one in explanations for cause in one.causes}
    return kinds == {CauseKind.CONVERSION}


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


def ends_before(hypotheses: Iterable[Hypothesis], other: SideRecord) -> bool:
    """True if all rows that are removed are later than the last row of the other side's lists.

    The other side may then be behind: its lists end before these rows, and say nothing of them.
    """
    gone = [one.patch for one in hypotheses if not (one.patch.added or one.patch.added_movements)]
    removed = [row for patch in gone for row in patch.rows_removed]
    if other.fills is None or not any(isinstance(row, Fill) for row in removed):
        return False
    listed = (*other.fills, *(other.movements or ()))
    return not listed or min(map(_TIME, removed)) > max(map(_TIME, listed))


def fee_supports_given(problem: Problem, hypotheses: Iterable[Hypothesis]) -> bool:
    """True if the fee of a changed fill is that of its given figures, and not of the other ones.

    Both sides state this fee, at a rate that fills without a fault have, so the figure of the other
    side is the one that contradicts it.
    """
    pairs = [
        (given, other)
        for one in hypotheses
        if len(one.patch.removed) == len(one.patch.added)
        for given, other in zip(one.patch.removed, one.patch.added, strict=True)
    ]
    changed = {id(given) for given, _ in pairs}
    return any(_is_charged_as(problem, given, other, changed) for given, other in pairs)


def _is_charged_as(problem: Problem, given: Fill, other: Fill, changed: Collection[int]) -> bool:
    if not given.fee or given.fee != other.fee:
        return False
    model, postings = problem.schedules.model(given), problem.postings
    if model is None:
        return False
    alike = [one for one in problem.fills if one.symbol == given.symbol and id(one) not in changed]
    rates = [
        rate
        for rate in model.rates
        if any(one.fee and model.fee(postings, one, rate) == one.fee for one in alike)
    ]
    fees = {model.fee(postings, given, rate) for rate in rates}
    return given.fee in fees and model.off(postings, other) > model.unit(postings, other)


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
    """True if a fitted quantity is the only evidence of a cause: its fill moved no cash."""
    is_fitted = hypothesis.strength > Strength.SHOWN
    return (
        is_quantity(hypothesis)
        and is_fitted
        and not any(amount for name, amount in effect.items() if not is_position(name))
    )
