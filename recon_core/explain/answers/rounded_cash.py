"""Cash that one side rounded: what fits is looked for within half a unit of its last digit.

Never a unique answer: what the rounding took away would have told the causes apart.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from recon_core.amounts import EXACT, ZERO, decimal_places, shortest
from recon_core.explain.answers.verdicts import FILLS, nearly_explained
from recon_core.explain.budget import Budget
from recon_core.explain.effects.space import Vector, deltas, is_cash
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.grounds.grounds import contradictions
from recon_core.explain.proving.attempt import Answer, attempt
from recon_core.explain.proving.proof import Prover
from recon_core.explain.searching.candidates import Found, candidates
from recon_core.explain.searching.search import Search
from recon_core.explanation import Explanation
from recon_core.model import LedgerSide, RecordedSession

_MOST_TRIED: Final = 12

Looks = Callable[[Search], Iterable[Found]]
"""What a search finds besides its single edits."""


@dataclass(frozen=True, slots=True)
class RoundedCash:
    """Balances that a side states with fewer decimals than the other: half a unit of each."""

    side: LedgerSide
    half_units: Mapping[str, Decimal]

    @property
    def digits(self) -> str:
        """The datum that is missing, in words."""
        names = ", ".join(name.split("::", 1)[1] for name in sorted(self.half_units)[:3])
        return f"the digits that the {self.side} side cut off its cash {names}"


def rounded_cash(prover: Prover) -> RoundedCash | None:
    """The balances among those that differ that one side rounded, `None` where none is."""
    recorded, space = prover.recorded, prover.space
    differing = [name for name in deltas(space, recorded) if is_cash(name)]
    exact = _exact(recorded, prover)
    for side in _likeliest(recorded, prover):
        record = recorded.side(side)
        if record is None or "cash" in record.derived:
            continue
        stated = space.stated(record)
        found = {
            name: Decimal((0, (5,), -decimal_places(stated[name]) - 1))
            for name in differing
            if name in stated and _is_coarser(stated[name], (other.get(name) for other in exact))
        }
        if found:
            return RoundedCash(side, found)
    return None


def _likeliest(recorded: RecordedSession, prover: Prover) -> list[LedgerSide]:
    """A side that contradicts its own rows first, then the exchange."""
    wrong = contradictions(recorded, prover.space, prover.reconciliation.replays)
    return [*wrong, *(side for side in (LedgerSide.EXTERNAL, LedgerSide.INTERNAL)
                      if side not in wrong)]  # fmt: skip


def _exact(recorded: RecordedSession, prover: Prover) -> list[Vector]:
    """What both sides state, and what their rows give."""
    space = prover.space
    sides = prover.reconciliation.replays.values()
    replays = [space.state(each.positions, each.cash) for each in sides]
    return [*map(space.stated, recorded.own_records().values()), *replays]


def _is_coarser(stated: Decimal, others: Iterable[Decimal | None]) -> bool:
    places = decimal_places(stated)
    return any(decimal_places(shortest(each)) > places for each in others if each is not None)


def lacking(prover: Prover) -> str:
    """What would decide where nothing is found: rows, and the cash or the digits besides."""
    rounded = rounded_cash(prover)
    if rounded is not None:
        return f"{FILLS}, and {rounded.digits}"
    has_cash = any(map(is_cash, prover.space.compared))
    return FILLS if has_cash else f"{FILLS}, and their cash"


def rounded_answers(
    prover: Prover, searches: Sequence[Search], looks: Looks, budget: Budget
) -> tuple[Explanation, ...]:
    """What fits within the rounding: partial where it is one, ambiguous where several do."""
    rounded = rounded_cash(prover)
    if rounded is None:
        return ()
    for search in searches:
        near = replace(search, ground=_within(search.ground, rounded.half_units))
        found = [*((one,) for one in near.singles()), *looks(near)]
        answers = _proven(prover, near.ground, found, rounded.half_units, budget)
        if answers:
            return nearly_explained(prover, answers, rounded.digits)
    return ()


def _within(ground: Ground, half_units: Vector) -> Ground:
    """The same ground, with the rounding as tolerance."""
    tolerance = dict(ground.tolerance)
    for name, half in half_units.items():
        tolerance[name] = EXACT.add(half, tolerance.get(name, ZERO))
    return replace(ground, tolerance=tolerance)


def _proven(
    prover: Prover, ground: Ground, found: list[Found], half_units: Vector, budget: Budget
) -> list[Answer]:
    tried = candidates(ground, found)[:_MOST_TRIED]
    answers = [
        attempt(prover, ground, each.edits, each.rows, budget, nearly=half_units) for each in tried
    ]
    return [answer for answer in answers if answer is not None]
