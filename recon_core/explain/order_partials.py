"""What an order report shows of positions where the cash is off by as much as a fee."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from recon_core.amounts import EXACT
from recon_core.explain.budget import Budget
from recon_core.explain.effects.space import Vector, is_cash
from recon_core.explain.faults.edits import Edit
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.proving.attempt import Answer, attempt
from recon_core.explain.proving.proof import Prover
from recon_core.explain.proving.texts import vector_text
from recon_core.explain.reading.order_reading import OrderReading
from recon_core.explain.searching.search import Search
from recon_core.explanation import CauseKind

_LARGEST_FEE: Final = Decimal("0.01")


def ordered(prover: Prover, searches: Sequence[Search], budget: Budget) -> Answer | None:
    """Missing fills that order reports show, with a price, where one balance is not reached.

    `None` where nothing of the kind is borne out, or more than one reading is.
    """
    for search in searches:
        ground = search.ground.but_for_cash()
        answers = [
            answer
            for edits in OrderReading(ground, search.fill_edits, budget).readings()
            if all(edit.cause_kind is CauseKind.MISSING_FILL for edit in edits)
            for answer in [_attempt(prover, search.ground, edits, budget)]
            if answer is not None
        ]
        found = {vector_text(answer.outcome.remaining): answer for answer in answers}
        if len(found) == 1:
            return answers[0]
    return None


def _attempt(
    prover: Prover, ground: Ground, edits: Sequence[Edit], budget: Budget
) -> Answer | None:
    rows = [edit.rows for edit in edits]
    nearly = _fees([edit.change.vector(ground.bookings) for edit in edits])
    return attempt(prover, ground, edits, rows, budget, nearly=nearly)


def _fees(effects: Sequence[Vector]) -> dict[str, Decimal]:
    """What the fees of fills may be at most, in the balances that they move."""
    most: dict[str, Decimal] = {}
    for effect in effects:
        for name, amount in effect.items():
            if is_cash(name):
                fee = EXACT.multiply(amount.copy_abs(), _LARGEST_FEE)
                most[name] = EXACT.add(most.get(name, Decimal(0)), fee)
    return most
