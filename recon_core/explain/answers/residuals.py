"""Answers that leave a residual: the fee of a missing fill, or the digits that cash was rounded by.

They are never unique: the lost digits would have separated the causes. Digits are lost where a side
states fewer, and where a trade is worth a number of units and a half, which sources round to
either side. If a side states 48,932.91
USDT and the other 48,930.33479036, the required effect is known within 0.005 USDT.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from recon_core.explain.answers.absent_data import absent, absent_rows
from recon_core.explain.answers.verdicts import largest_fee, rounded_explanations
from recon_core.explain.budget import Budget
from recon_core.explain.causes.fills import are_missing
from recon_core.explain.problem.dimensions import (
    Vector,
    currency_of,
    deltas,
    is_cash,
    label_of,
)
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.problems import contradictions
from recon_core.explain.problem.ties import tied_amounts
from recon_core.explain.problem.wording import vector_text
from recon_core.explain.proof.attempt import Answer, attempt
from recon_core.explain.proof.prover import Prover
from recon_core.explain.search.candidates import Found, candidates
from recon_core.explain.search.order_interpretation import OrderInterpretation
from recon_core.explain.search.search import Search
from recon_core.ledger.bookings import is_derivative
from recon_core.model import LedgerSide, RecordedSession
from recon_core.model.explanation import Explanation
from recon_core.values.amounts import EXACT, ZERO, decimal_places, shortest
from recon_core.values.printable import printable

_MOST_TRIED: Final = 12
"""Most candidates that are tried; each costs a reconciliation.

More would be no better: within a rounding many candidates fit, and no answer is unique.
"""

_TIES: Final = "the rounding of amounts that end in half a unit"

Finder = Callable[[Search], Iterable[Found]]
"""A function that finds further hypotheses of a search, of many rows or fitted."""


@dataclass(frozen=True, slots=True)
class RoundedCash:
    """Balances that a side states with fewer decimals than the other, and half a unit of each."""

    side: LedgerSide
    half_units: Mapping[str, Decimal]

    @property
    def digits(self) -> str:
        """The missing digits, in words."""
        names = ", ".join(label_of(name) for name in sorted(self.half_units)[:3])
        return f"the digits that the {self.side} side cut off its cash {names}"


def rounded_cash(prover: Prover) -> RoundedCash | None:
    """Return the differing balances that one side has rounded, `None` without any."""
    recorded, dimensions = prover.recorded, prover.dimensions
    differing = [name for name in deltas(dimensions, recorded) if is_cash(name)]
    exact = _exact(recorded, prover)
    for side in _sides_in_order(recorded, prover):
        record = recorded.side(side)
        if record is None or "cash" in record.derived:
            continue
        stated = dimensions.stated(record)
        found = {
            name: Decimal((0, (5,), -decimal_places(stated[name]) - 1))
            for name in differing
            if name in stated
            and _has_fewer_places(stated[name], (other.get(name) for other in exact))
        }
        if found:
            return RoundedCash(side, found)
    return None


def _sides_in_order(recorded: RecordedSession, prover: Prover) -> list[LedgerSide]:
    """Return both sides: a side that contradicts its own rows first, then the exchange."""
    wrong = contradictions(recorded, prover.dimensions, prover.reconciliation.replays)
    return [*wrong, *(side for side in (LedgerSide.EXTERNAL, LedgerSide.INTERNAL)
                      if side not in wrong)]  # fmt: skip


def _exact(recorded: RecordedSession, prover: Prover) -> list[Vector]:
    """Return the stated amounts of both sides, and the amounts that their rows give."""
    dimensions = prover.dimensions
    sides = prover.reconciliation.replays.values()
    replays = [dimensions.state(each.positions, each.cash) for each in sides]
    return [*map(dimensions.stated, recorded.own_records().values()), *replays]


def _has_fewer_places(stated: Decimal, others: Iterable[Decimal | None]) -> bool:
    places = decimal_places(stated)
    return any(decimal_places(shortest(each)) > places for each in others if each is not None)


def missing_data(prover: Prover) -> str:
    """Return the absent data that would decide if nothing is found, in words.

    Rows, and cash where none is compared; digits where no more than digits differ; equity where
    an open derivative has PnL that no row shows.
    """
    delta = deltas(prover.dimensions, prover.recorded)
    rounded, found = rounded_cash(prover), [absent_rows(prover.recorded)]
    if rounded is not None and all(
        amount.copy_abs() <= rounded.half_units.get(name, ZERO) for name, amount in delta.items()
    ):
        found.append(rounded.digits)
    if not any(map(is_cash, prover.dimensions.compared)):
        found.append(absent(prover.recorded, ["cash"]))
    return ", and ".join(filter(None, (*found, _equity(prover, delta))))


def _equity(prover: Prover, delta: Vector) -> str:
    """Return the datum that a balance may be equity: only cash differs, and a contract is open.

    Empty if both sides list their fills, which show what was realised.
    """
    recorded = prover.recorded
    if not all(map(is_cash, delta)) or all(
        record.fills is not None for record in recorded.own_records().values()
    ):
        return ""
    paid = {currency_of(name) for name in delta}
    open_symbols = {
        row.symbol
        for record in recorded.own_records().values()
        for row in record.position_rows
        if row.quantity
        and (instrument := recorded.instruments.get(row.symbol)) is not None
        and is_derivative(instrument)
        and instrument.settlement in paid
    }
    if not open_symbols:
        return ""
    named = ", ".join(printable(symbol, 60) for symbol in sorted(open_symbols)[:3])
    return f"whether a side's cash is equity: the unrealised PnL of {named}"


def rounded_answers(
    prover: Prover, searches: Sequence[Search], find: Finder, budget: Budget
) -> tuple[Explanation, ...]:
    """Return explanations within the rounding: `partial` if a single answer leaves a residual."""
    rounded = rounded_cash(prover)
    if rounded is None:
        return ()
    for search in searches:
        near = replace(search, problem=_within(search.problem, rounded.half_units))
        found = [*((one,) for one in near.single_faults()), *find(near)]
        answers = _proven(prover, near.problem, found, rounded.half_units, budget)
        if answers:
            return rounded_explanations(prover, answers, rounded.digits)
    return ()


def tied_answers(
    prover: Prover,
    searches: Sequence[Search],
    find: Finder,
    budget: Budget,
    weakest: Strength = Strength.FITTED,
) -> tuple[Explanation, ...]:
    """Return explanations that leave no more than ties may round, by the strongest evidence.

    `partial` if a single answer leaves a residual; none with weaker evidence than `weakest`.
    """
    for search in searches:
        tied = tied_amounts(search.problem)
        if not tied:
            continue
        near = replace(search, problem=_within(search.problem, tied))
        found = [*((one,) for one in near.single_faults()), *find(near)]
        best = min((_weakest(one) for one in found), default=Strength.CHANCE)
        strong = [one for one in found if best <= weakest and _weakest(one) is best]
        answers = _proven(prover, near.problem, strong, tied, budget)
        if answers:
            return rounded_explanations(prover, answers, _TIES)
    return ()


def _weakest(found: Found) -> Strength:
    return max(hypothesis.strength for hypothesis in found)


def _within(problem: Problem, half_units: Vector) -> Problem:
    """Return the problem with the rounding added to its tolerance."""
    tolerance = dict(problem.tolerance)
    for name, half in half_units.items():
        tolerance[name] = EXACT.add(half, tolerance.get(name, ZERO))
    near = replace(problem, tolerance=tolerance)
    near.share_rows(problem)
    return near


def _proven(
    prover: Prover, problem: Problem, found: list[Found], half_units: Vector, budget: Budget
) -> list[Answer]:
    tried = candidates(problem, found)[:_MOST_TRIED]
    answers = [
        attempt(prover, problem, each.hypotheses, each.rows, budget, limits=half_units)
        for each in tried
    ]
    return [answer for answer in answers if answer is not None]


def fees_of_missing_fills(
    prover: Prover, searches: Sequence[Search], budget: Budget
) -> Answer | None:
    """Return the missing fills that order reports show with a price; their fees remain in cash.

    `None` if no interpretation of the reports is confirmed, or if several leave different
    amounts.
    """
    for search in searches:
        problem = search.problem.without_cash()
        answers = [
            answer
            for hypotheses in OrderInterpretation(
                problem, search.fill_hypotheses, budget
            ).interpretations()
            if are_missing(hypotheses)
            and not any(fill.fee for one in hypotheses for fill in one.patch.added)
            for answer in [_attempt(prover, search.problem, hypotheses, budget)]
            if answer is not None
        ]
        found = {vector_text(answer.outcome.remaining): answer for answer in answers}
        if len(found) == 1:
            return answers[0]
    return None


def _attempt(
    prover: Prover, problem: Problem, hypotheses: Sequence[Hypothesis], budget: Budget
) -> Answer | None:
    rows = [hypothesis.rows for hypothesis in hypotheses]
    return attempt(prover, problem, hypotheses, rows, budget, limits=_fees(problem, hypotheses))


def _fees(problem: Problem, hypotheses: Iterable[Hypothesis]) -> dict[str, Decimal]:
    """Return the largest fees that missing fills may have, by balance that they move."""
    most: dict[str, Decimal] = {}
    for hypothesis in hypotheses:
        share = largest_fee(problem, hypothesis.patch.added)
        for name, amount in hypothesis.patch.vector(problem.postings).items():
            if is_cash(name):
                fee = EXACT.multiply(amount.copy_abs(), share)
                most[name] = EXACT.add(most.get(name, ZERO), fee)
    return most
