"""What keeps a proven answer from being the only one: what no side states, or what is chance."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import compress
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, ZERO, decimal_places
from recon_core.explain.effects.changes import total_of
from recon_core.explain.effects.space import is_position
from recon_core.explain.faults.chances import is_much
from recon_core.explain.faults.edits import SOLVED, UNPROVEN
from recon_core.explain.proving.attempt import Answer, Part
from recon_core.explain.proving.proof import Prover
from recon_core.explain.proving.since import besides, is_untold
from recon_core.explanation import CauseKind

_PRICE: Final = attrgetter("price")


def unseen_amounts(prover: Prover, answer: Answer) -> list[str]:
    """What an answer books where nothing is compared: it cannot be proven there.

    A name that is empty stands for what is doubtful whatever is compared.
    """
    if all(part.edit.rank == 0 and not _is_unread_span(answer, part) for part in answer.parts):
        return []
    space = prover.space
    unseen = [
        name
        for part in answer.parts
        for name, amount in part.effect.items()
        if amount and name not in space.compared
    ]
    doubtful = answer.rank >= UNPROVEN or any(map(_is_one_number, answer.parts))
    doubtful = doubtful or _below_digits(prover, answer)
    doubtful = doubtful or any(_is_one_of_two(answer, part) for part in answer.parts)
    return [*unseen, ""] if doubtful or _cancels(answer) else unseen


def _is_unread_span(answer: Answer, part: Part) -> bool:
    """Whether rows from a time on are said to be lacking by a state, and by no rows."""
    spans = {CauseKind.STALE_SIDE, CauseKind.AS_OF_SHIFT}
    return answer.ground.rows_right and part.edit.cause_kind in spans


def has_unread_spans(answers: Sequence[Answer]) -> bool:
    """Whether any answer is a span of rows that a state alone shows to be lacking."""
    return any(_is_unread_span(answer, part) for answer in answers for part in answer.parts)


def _below_digits(prover: Prover, answer: Answer) -> bool:
    """Whether all cash that speaks for causes is less than half a unit of what a side states."""
    total = total_of(part.effect for part in answer.parts)
    moved = {name: amount.copy_abs() for name, amount in total.items() if amount}
    units: dict[str, Decimal] = {}
    for record in prover.recorded.own_records().values():
        for row in () if "cash" in record.derived else record.cash or ():
            name = prover.space.cash(row.currency, row.account)
            units[name] = max(units.get(name, ZERO), Decimal((0, (1,), -decimal_places(row.total))))
    return bool(moved) and all(
        EXACT.add(amount, amount) <= units.get(name, ZERO) for name, amount in moved.items()
    )


def _is_one_number(part: Part) -> bool:
    """Whether a solved quantity is all that speaks for a cause: its fill moved no cash."""
    solved = part.edit.cause_kind is CauseKind.WRONG_QUANTITY and part.edit.rank > 0
    return solved and not any(
        amount for name, amount in part.effect.items() if not is_position(name)
    )


def _is_one_of_two(answer: Answer, part: Part) -> bool:
    """Whether a fill that no row tells, and more of one that is told, would be the same.

    They are where both have one price and side, and the snapshots allow both. A fill that
    turns round one of its price and quantity may undo that one instead, but for a fee;
    one without a fee may be too large, and lack it.
    """
    change = part.edit.change
    if part.edit.rank != SOLVED or len(change.added) != 1:
        return False
    (fill,) = change.added
    if part.edit.cause_kind is CauseKind.WRONG_QUANTITY:
        old = change.removed[0]
        return fill.quantity > old.quantity and fill.fee != old.fee
    if not is_untold(part.edit):
        return False
    ground = answer.ground
    left = besides(ground, (other.edit for other in answer.parts if other is not part))
    others = ground.by_symbol.get(ground.bookings.position(fill), ())
    same = compress(others, map(fill.price.__eq__, map(_PRICE, others)))
    return any(
        (other.side is fill.side or other.quantity == fill.quantity or not other.fee)
        and left.may_begin(other.time)
        for other in same
    )


def _cancels(answer: Answer) -> bool:
    """Whether causes that move positions cancel there, and little cash speaks for them."""
    total = total_of(part.effect for part in answer.parts)
    moved = [name for part in answer.parts for name, amount in part.effect.items()
             if amount and is_position(name)]  # fmt: skip
    cancels = len(answer.parts) > 1 and bool(moved) and not any(total[name] for name in moved)
    return cancels and not is_much(answer.ground, total)
