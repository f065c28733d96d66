"""Rounded cash of one side: a search within half a unit of its last digit.

Its answers are never unique: the lost digits would have separated the causes. If a side states
48,932.91 USDT and the other 48,930.33479036, the required effect is known within 0.005 USDT.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from recon_core.explain.answers.verdicts import FILLS, nearly_explained
from recon_core.explain.budget import Budget
from recon_core.explain.effects.dimensions import Vector, deltas, is_cash
from recon_core.explain.problems.problem import Problem
from recon_core.explain.problems.problems import contradictions
from recon_core.explain.proving.attempt import Answer, attempt
from recon_core.explain.proving.proof import Prover
from recon_core.explain.searching.candidates import Found, candidates
from recon_core.explain.searching.search import Search
from recon_core.model import LedgerSide, RecordedSession
from recon_core.model.explanation import Explanation
from recon_core.values.amounts import EXACT, ZERO, decimal_places, shortest

_MOST_TRIED: Final = 12
"""Most candidates that are tried; each costs a reconciliation.

More would be no better: within a rounding many candidates fit, and no answer is unique.
"""

Looks = Callable[[Search], Iterable[Found]]
"""A function that finds further hypotheses of a search, of many rows or fitted."""


@dataclass(frozen=True, slots=True)
class RoundedCash:
    """Balances that a side states with fewer decimals than the other, and half a unit of each."""

    side: LedgerSide
    half_units: Mapping[str, Decimal]

    @property
    def digits(self) -> str:
        """The missing digits, in words."""
        names = ", ".join(name.split("::", 1)[1] for name in sorted(self.half_units)[:3])
        return f"the digits that the {self.side} side cut off its cash {names}"


def rounded_cash(prover: Prover) -> RoundedCash | None:
    """Return the differing balances that one side has rounded, `None` without any."""
    recorded, dimensions = prover.recorded, prover.dimensions
    differing = [name for name in deltas(dimensions, recorded) if is_cash(name)]
    exact = _exact(recorded, prover)
    for side in _likeliest(recorded, prover):
        record = recorded.side(side)
        if record is None or "cash" in record.derived:
            continue
        stated = dimensions.stated(record)
        found = {
            name: Decimal((0, (5,), -decimal_places(stated[name]) - 1))
            for name in differing
            if name in stated and _is_coarser(stated[name], (other.get(name) for other in exact))
        }
        if found:
            return RoundedCash(side, found)
    return None


def _likeliest(recorded: RecordedSession, prover: Prover) -> list[LedgerSide]:
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


def _is_coarser(stated: Decimal, others: Iterable[Decimal | None]) -> bool:
    places = decimal_places(stated)
    return any(decimal_places(shortest(each)) > places for each in others if each is not None)


def lacking(prover: Prover) -> str:
    """Return what would decide if nothing is found: rows, and missing cash or digits."""
    rounded = rounded_cash(prover)
    if rounded is not None:
        return f"{FILLS}, and {rounded.digits}"
    has_cash = any(map(is_cash, prover.dimensions.compared))
    return FILLS if has_cash else f"{FILLS}, and their cash"


def rounded_answers(
    prover: Prover, searches: Sequence[Search], looks: Looks, budget: Budget
) -> tuple[Explanation, ...]:
    """Return explanations within the rounding: `partial` if a single answer leaves a residual."""
    rounded = rounded_cash(prover)
    if rounded is None:
        return ()
    for search in searches:
        near = replace(search, problem=_within(search.problem, rounded.half_units))
        found = [*((one,) for one in near.singles()), *looks(near)]
        answers = _proven(prover, near.problem, found, rounded.half_units, budget)
        if answers:
            return nearly_explained(prover, answers, rounded.digits)
    return ()


def _within(problem: Problem, half_units: Vector) -> Problem:
    """Return the problem with the rounding added to its tolerance."""
    tolerance = dict(problem.tolerance)
    for name, half in half_units.items():
        tolerance[name] = EXACT.add(half, tolerance.get(name, ZERO))
    return replace(problem, tolerance=tolerance)


def _proven(
    prover: Prover, problem: Problem, found: list[Found], half_units: Vector, budget: Budget
) -> list[Answer]:
    tried = candidates(problem, found)[:_MOST_TRIED]
    answers = [
        attempt(prover, problem, each.hypotheses, each.rows, budget, nearly=half_units)
        for each in tried
    ]
    return [answer for answer in answers if answer is not None]
