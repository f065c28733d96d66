"""The plan of a search: its strategies in order; the first with an answer ends the search.

Within a strategy the answers with the best evidence count; if several of them differ in kind or
amount, none is `unique`. `PLAN` is the whole list, `ONE_FAULT` the part of it that looks for a
single fault of a session, or for the second fault after the first is repaired.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Final

from recon_core.explain.answers.absent_data import deciding_rows
from recon_core.explain.answers.case import Case
from recon_core.explain.answers.doubts import has_unread_spans, is_absurd
from recon_core.explain.answers.fault_sequences import First, with_the_remainder
from recon_core.explain.answers.residuals import (
    fees_of_missing_fills,
    rounded_answers,
    tied_answers,
)
from recon_core.explain.answers.state_answers import in_doubt, of_names, or_rounding, partial_states
from recon_core.explain.answers.verdicts import (
    alternatives,
    explanations_of,
    in_part,
    not_proven,
    partial,
)
from recon_core.explain.budget import OF_A_FINGERPRINT, OF_A_PREFILTER
from recon_core.explain.causes import precedence
from recon_core.explain.causes.cumulative import Misread, misread
from recon_core.explain.causes.fills import copied
from recon_core.explain.causes.foreign import others
from recon_core.explain.causes.opening import first_balances
from recon_core.explain.causes.strengths import may_be_unique
from recon_core.explain.causes.unstated_fills import at_any_price, replayed_fills
from recon_core.explain.problem.dimensions import is_position
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.problem import Problem
from recon_core.explain.proof.attempt import Answer
from recon_core.explain.search.candidates import Found, moves_derivative
from recon_core.explain.search.fitted_faults import contradicted_by_fees, fitted, of_a_pair
from recon_core.explain.search.nested_pairs import Nested, SnapshotPairs
from recon_core.explain.search.order_interpretation import OrderInterpretation
from recon_core.explain.search.pair_search import PairSearch
from recon_core.explain.search.search import Search
from recon_core.explain.search.systematic_faults import spans, systematic
from recon_core.model import LedgerSide
from recon_core.model.explanation import Explanation, ExplanationVerdict

Strategy = Callable[[Case], tuple[Explanation, ...]]
"""One line of the plan: the explanations that it finds, none if it has no answer."""

_MOST_CANDIDATES: Final = 400
"""Most hypotheses of several rows that may be one of a pair.

Each costs the effect of all its rows; orders with several fills give one each.
"""

_MOST_FILLS: Final = 2_000
"""Most fills of a session in which pairs include wrong figures of one fill.

Each fill has several such figures: the cost grows with the fills, and the chance of a
coincidence with their square.
"""

_MOST_COPIES: Final = 8
"""Most copies of fills of contracts that are tried: each costs a replay of the session.

A session with more of them has no single fault.
"""

_OF_FITS: Final = 4
"""Operations per fill of systematic and fitted hypotheses, their posted rows not counted."""

_OF_SPANS: Final = 2
"""Operations per fill of the spans of rows of one problem, their posted rows not counted."""


def first_found(case: Case, plan: Sequence[Strategy]) -> tuple[Explanation, ...]:
    """Return the explanations of the first strategy that has any."""
    return next(filter(None, (strategy(case) for strategy in plan)), ())


def names_of_currencies(case: Case) -> tuple[Explanation, ...]:
    """Explain by currencies that the rows of the sides name otherwise, then what remains.

    Under two names every row with that currency would be wrong, and a conversion would fit.
    """
    names = case.rows.other_currencies()
    named = of_names(case.prover, names) if names else None
    if named is None:
        return ()
    first, outcome = named
    if outcome.proven:
        return (first[0],)
    return _and_the_remainder(case, [first], PLAN) or (in_part(case.prover, first[0], outcome),)


def clock_of_the_rows(case: Case) -> tuple[Explanation, ...]:
    """Explain by a clock of one side that is off, then what remains by one clock.

    By two clocks a missing row may look newer than the last one of its side.
    """
    first = case.rows.by_another_clock
    if first is None:
        return ()
    if first.outcome.proven:
        return explanations_of(case.prover, [first])
    return _and_the_remainder(case, _firsts(case, first), PLAN) or (partial(case.prover, first),)


def contradicted_rows(case: Case) -> tuple[Explanation, ...]:
    """Explain the rows that the exchange's own books contradict, then the remaining deltas.

    `partial` if the remaining deltas have no answer.
    """
    first = case.rows.contradicted
    if first is None:
        return ()
    found = explanations_of(case.prover, [first])
    if first.outcome.proven or found[0].verdict is not ExplanationVerdict.UNIQUE:
        return found
    return _and_the_remainder(case, _firsts(case, first), PLAN) or (partial(case.prover, first),)


def rows_against_the_state(case: Case) -> tuple[Explanation, ...]:
    """Explain the rows that the exchange's own state contradicts, then the remaining deltas."""
    first = case.rows.against_its_state
    return () if first is None else _and_the_remainder(case, _firsts(case, first), PLAN)


def _firsts(case: Case, answer: Answer) -> Iterator[First]:
    """Yield the explanations of an answer that leaves a part of the deltas."""
    for one in explanations_of(case.prover, [answer]):
        yield one, answer.side, answer.repaired


def _and_the_remainder(
    case: Case, firsts: Iterable[First], plan: Sequence[Strategy]
) -> tuple[Explanation, ...]:
    """Return the partial explanations, each with what a plan finds for the remaining deltas."""
    joined = with_the_remainder(
        case.prover, firsts, lambda repaired: first_found(replace(case, prover=repaired), plan)
    )
    return alternatives(case.prover, joined)


def whole_state(case: Case) -> tuple[Explanation, ...]:
    """Explain by faults of a whole state, unless it is a rounding, which many amounts would fit.

    A figure that a single row may have made wrong as well is no proof while such a row fits, and
    neither is a figure that fits by chance.
    """
    if precedence.are_roundings(case.states):
        return ()
    if not (precedence.may_be_rows(case.states) or case.of_states.are_chance):
        return case.states
    shown = case.rows.best()
    if shown and _are_shown(found := explanations_of(case.prover, shown), shown):
        return found
    rows = shown or _first(
        case.best.proven(search.problem, _each(search.single_faults())) for search in case.searches
    )
    if not rows and precedence.may_be_all_rows(case.states):
        own = [one for one in case.searches if one.problem.side is LedgerSide.INTERNAL]
        rows = _first(case.best.proven(one.problem, _fits(case, one)) for one in own)
    found = explanations_of(case.prover, rows) if rows else ()
    if found and precedence.is_less_than_rows(case.states):
        return found
    return _or_states(case, found) or (() if case.of_states.are_chance else case.states)


def _are_shown(found: Sequence[Explanation], answers: Sequence[Answer]) -> bool:
    """True if rows of both sides show one answer, and no figure of a state is better evidence."""
    is_shown = all(answer.strength is Strength.SHOWN for answer in answers)
    return is_shown and [one.verdict for one in found] == [ExplanationVerdict.UNIQUE]


def rows_of_both_sides(case: Case) -> tuple[Explanation, ...]:
    """Explain by pairs of rows; nothing is searched for."""
    return _exact(case, case.rows.best())


def opening(case: Case) -> tuple[Explanation, ...]:
    """Explain by another opening that both openings or the first snapshot show."""
    found = (case.best.proven(problem, _each(first_balances(problem))) for problem in case.problems)
    return _exact(case, _first(found))


def stale_side(case: Case) -> tuple[Explanation, ...]:
    """Explain by a side that states nothing of the last rows of the other.

    A single fault of the ledger that moves as much, such as a fill that is booked twice, is named
    beside it: the other rows may cancel.
    """
    stale = (problem for problem in case.problems if problem.stale_only)
    answers = _first(case.best.proven(one, _spans(case, one)) for one in stale)
    found = _exact(case, answers)
    is_proven = [one.verdict for one in found] == [ExplanationVerdict.UNIQUE]
    others = _single_faults(case) if is_proven else []
    return _exact(case, [*answers, *others]) if others else found


def _single_faults(case: Case) -> list[Answer]:
    """Return the answers by one exact fault of a row of the ledger, without those of chance."""
    own = (one for one in case.searches if one.problem.side is LedgerSide.INTERNAL)
    found = _first(case.best.proven(one.problem, _each(one.single_faults())) for one in own)
    return [one for one in found if may_be_unique(one.strength)]


def one_fault_of_rows(case: Case) -> tuple[Explanation, ...]:
    """Explain by one exact fault of the rows, nothing fitted: of a span, or of a single row.

    What fits by chance is named with the faults that fit with a fitted number.
    """
    found = (
        case.best.proven(
            search.problem,
            [
                *_spans(case, search.problem),
                *_each(search.single_faults()),
                *_each(_copied(search.problem)),
                *_each(_shown_by_fees(case, search.problem, Strength.SHOWN)),
            ],
        )
        for search in case.searches
    )
    answers = _first(found)
    if answers and not any(may_be_unique(answer.strength) for answer in answers):
        answers += _first(case.best.proven(one.problem, _fits(case, one)) for one in case.searches)
    return _exact(case, answers)


def fitted_fault(case: Case) -> tuple[Explanation, ...]:
    """Explain by a fault of all rows, a fitted number, or the reports of orders.

    Nothing if a rounding of a whole state fits, unless by chance: it is the better evidence.
    """
    are_chance = case.of_states.are_chance
    searches = () if case.states and not are_chance else case.searches
    found = (case.best.proven(one.problem, _fits(case, one)) for one in searches)
    fitted_ones = case.best.explanations(_first(found))
    return (_or_states(case, fitted_ones) or fitted_ones) if are_chance else fitted_ones


def remaining_state(case: Case) -> tuple[Explanation, ...]:
    """Explain by the rounding of a whole state, or by a fault that fits a single figure."""
    return case.states


def part_then_remainder(case: Case) -> tuple[Explanation, ...]:
    """Explain a part of the deltas by a state or by rows, then the remaining ones by one fault."""
    firsts = [*partial_states(case.prover), *case.rows.firsts()]
    return _and_the_remainder(case, firsts, ONE_FAULT)


def shown_fault_and_ties(case: Case) -> tuple[Explanation, ...]:
    """Explain all but what ties may round by one fault that rows show: no number is fitted."""
    return tied_answers(
        case.prover,
        case.searches,
        lambda search: _each(_shown_by_fees(case, search.problem, Strength.SHOWN)),
        case.budget,
        Strength.SHOWN,
    )


def one_fault_and_ties(case: Case) -> tuple[Explanation, ...]:
    """Explain all but what ties may round by one fault."""
    return tied_answers(case.prover, case.searches, lambda search: _fits(case, search), case.budget)


def pairs_of_faults(case: Case) -> tuple[Explanation, ...]:
    """Explain by two hypotheses together, the cheapest searches first.

    Where a single missing fill fits at some price, it is named beside them.
    """
    found = (
        [one for one in answers if not is_absurd(one)]
        for search in case.searches
        for pairs in _pairs(case, search)
        for answers in [case.best.proven(search.problem, map(precedence.with_doubt_of_pair, pairs))]
    )
    answers = _first(found)
    are_trades = bool(answers) and all(
        part.hypothesis.patch.removed and any(map(is_position, part.effect))
        for part in answers[0].parts
    )
    return case.best.explanations([*answers, *(_of_any_price(case) if are_trades else ())])


def part_of_the_rows(case: Case) -> tuple[Explanation, ...]:
    """Explain a part of the deltas by rows, and leave the others."""
    return tuple(case.rows.in_part()[:1])


def fill_at_any_price(case: Case) -> tuple[Explanation, ...]:
    """Explain by a missing fill at any price, which fits almost any effect."""
    return case.best.explanations(_of_any_price(case))


def _of_any_price(case: Case) -> list[Answer]:
    found = (
        case.best.proven(search.problem, _each(at_any_price(search.problem)))
        for search in case.searches
    )
    return _first(found)


def residual(case: Case) -> tuple[Explanation, ...]:
    """Explain all but a fee, or the digits that cash was rounded by."""
    shown = fees_of_missing_fills(case.prover, case.searches, case.budget)
    if shown is not None:
        return (partial(case.prover, shown),)
    return rounded_answers(
        case.prover, case.searches, lambda search: _fits(case, search), case.budget
    )


def against_snapshots(case: Case) -> tuple[Explanation, ...]:
    """Explain the end of the session by causes that a snapshot contradicts."""
    return case.best.against_snapshots()


ONE_FAULT: Final[tuple[Strategy, ...]] = (
    whole_state,
    rows_of_both_sides,
    opening,
    stale_side,
    one_fault_of_rows,
    shown_fault_and_ties,
    fitted_fault,
    remaining_state,
)
PLAN: Final[tuple[Strategy, ...]] = (
    names_of_currencies,
    clock_of_the_rows,
    contradicted_rows,
    rows_against_the_state,
    *ONE_FAULT,
    one_fault_and_ties,
    part_then_remainder,
    pairs_of_faults,
    part_of_the_rows,
    fill_at_any_price,
    residual,
    against_snapshots,
)


def _exact(case: Case, answers: Sequence[Answer]) -> tuple[Explanation, ...]:
    """Return the explanations of exact answers, in doubt where a rounding would fit as well."""
    if not answers:
        return ()
    found = explanations_of(case.prover, answers)
    near = residual(case) if has_unread_spans(answers) else ()
    return in_doubt((*found, *near)) if near else or_rounding(found, case.states)


def _or_states(case: Case, found: Sequence[Explanation]) -> tuple[Explanation, ...]:
    """Return the faults of a state and of rows that fit as well, none if these are no others."""
    others = [one for one in found if not precedence.are_of_one_kind(one, case.states)]
    both = (*case.states, *others)
    decides = next(
        (one.decides for one in case.states if one.decides), deciding_rows(case.prover.recorded)
    )
    return tuple(not_proven(one, decides, len(both)) for one in both) if others else ()


def _first(found: Iterable[list[Answer]]) -> list[Answer]:
    return next(filter(None, found), [])


def _each(hypotheses: Iterable[Hypothesis]) -> Iterator[Found]:
    return ((hypothesis,) for hypothesis in hypotheses)


def _shown_by_fees(
    case: Case, problem: Problem, weakest: Strength = Strength.CHANCE
) -> Iterator[Hypothesis]:
    case.budget.spend(len(problem.fills) * OF_A_PREFILTER)
    found = (one for one in contradicted_by_fees(problem) if one.strength <= weakest)
    return (one for one in found if problem.reached_by(one.patch))


def _copied(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the copies that account for the deltas once all rows are booked again.

    No prefilter finds those of contracts whose position nobody compares.
    """
    of_contracts = (one for one in copied(problem) if moves_derivative(problem, one.patch))
    for one in islice(of_contracts, _MOST_COPIES):
        after = problem.replayed_after(one.patch)
        if after is not None and not after.required:
            yield one


def _spans(case: Case, problem: Problem) -> Iterator[Found]:
    case.budget.spend(len(problem.fills) * _OF_SPANS)
    return _each(spans(problem, case.prover.max_skew))


def _fits(case: Case, search: Search) -> list[Found]:
    """Return the hypotheses on all rows, with fitted numbers, and by the reports of orders."""
    problem, hypotheses = search.problem, search.fill_hypotheses
    case.budget.spend(len(problem.fills) * _OF_FITS)
    whole = (one for one in systematic(problem) if problem.reached_by(one.patch))
    found = [*_each(whole), *_each(fitted(problem)), *_each(replayed_fills(problem, case.budget))]
    found += _each(_shown_by_fees(case, problem))
    read = OrderInterpretation(problem, hypotheses, case.budget, search.max_skew).interpretations()
    found += [one for one in read if len(one) == 1 or not found]
    return found


def _pairs(case: Case, search: Search) -> Iterator[Iterable[Found]]:
    """Yield pairs of hypotheses step by step, the cheapest step first."""
    nested = Nested(search)
    yield SnapshotPairs(search).pairs()
    if search.problem.unknown:
        yield nested.after_positions()
    yield PairSearch(search.with_extra(_pair_candidates(case, search))).pairs()
    yield from nested.pairs()


def _pair_candidates(case: Case, search: Search) -> list[Hypothesis | Misread]:
    """Return further hypotheses for pairs: of several rows, and of a wrong figure of one fill.

    Such figures contradict the fill's fee, are off by a power of ten, or give the required
    quantity.
    """
    problem = search.problem
    interpretation = OrderInterpretation(problem, search.fill_hypotheses, case.budget)
    found: list[Hypothesis | Misread] = [*interpretation.of_each_order()]
    case.budget.spend(len(problem.fills) * OF_A_PREFILTER)
    found += islice(chain(others(problem), misread(problem)), _MOST_CANDIDATES)
    if len(problem.fills) <= _MOST_FILLS:
        case.budget.spend(len(problem.fills) * OF_A_FINGERPRINT * 2)
        found += contradicted_by_fees(problem)
        found += of_a_pair(problem)
    return found
