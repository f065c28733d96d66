"""The correcting entries that an explanation asks for."""

from collections.abc import Iterator, Mapping
from typing import Any

from recon_core.amounts import format_amount
from recon_core.explain.attempt import Answer
from recon_core.explain.edits import Row
from recon_core.explain.proof import Prover
from recon_core.explain.space import is_position, state_part
from recon_core.explanation import Booking, Explanation
from recon_core.model import Fill, Movement
from recon_core.times import format_time


def bookings_for(prover: Prover, answer: Answer, explanation: Explanation) -> tuple[Booking, ...]:
    """The entries that put the faulty side right, in a fixed order."""
    reason, answers = explanation.text, explanation.explains
    right = answer.ground.rows_right
    entries = _amounts(prover, answer) if right else _rows(answer)
    return tuple(Booking(action, answer.side, row, reason, answers) for action, row in entries)


def _rows(answer: Answer) -> Iterator[tuple[str, dict[str, str]]]:
    change = answer.change
    removed: list[Row] = [*change.removed, *change.removed_movements]
    added: list[Row] = [*change.added, *change.added_movements]
    yield from (("remove", row_values(row)) for row in removed)
    yield from (("add", row_values(row)) for row in added)
    if change.opening is not None:
        yield "correct-opening", {}


def _amounts(prover: Prover, answer: Answer) -> Iterator[tuple[str, dict[str, str]]]:
    total: dict[str, Any] = {}
    for part in answer.parts:
        for name, amount in part.effect.items():
            total[name] = total.get(name, 0) + amount
    for name, amount in sorted(state_part(total).items()):
        if name in prover.space.compared:
            section = "position" if is_position(name) else "cash"
            amount_text = format_amount(amount.copy_negate())
            yield "adjust", {section: name.split("::", 1)[1], "amount": amount_text}


def row_values(row: Fill | Movement) -> dict[str, str]:
    """The fields of a row as text, those that are not given left out."""
    fields: Mapping[str, Any]
    if isinstance(row, Fill):
        fields = {
            "fill_id": row.fill_id,
            "client_order_id": row.client_order_id,
            "exchange_order_id": row.exchange_order_id,
            "symbol": row.symbol,
            "side": str(row.side),
            "quantity": format_amount(row.quantity),
            "price": format_amount(row.price),
            "fee": format_amount(row.fee),
            "fee_currency": row.fee_currency,
            "time": format_time(row.time),
            "account": row.account,
        }
    else:
        fields = {
            "movement_id": row.movement_id,
            "kind": str(row.movement_kind),
            "time": format_time(row.time),
            "currency": row.currency,
            "amount": None if row.amount is None else format_amount(row.amount),
            "symbol": row.symbol,
            "quantity": None if row.quantity is None else format_amount(row.quantity),
            "account": row.account,
        }
    return {name: value for name, value in fields.items() if value is not None}
