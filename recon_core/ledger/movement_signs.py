"""Movements whose sign is not that of their kind: booked as given, and named in a note.

Source of the rule: session format, "Movements". Corrections and rebates are records
like any other, so that a sign alone refuses nothing.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from recon_core.model import Movement, MovementKind, RecordedSession
from recon_core.model.movement_table import movement_table_of
from recon_core.values.amounts import format_amount
from recon_core.values.printable import printable

_SIGNS: Final[Mapping[MovementKind, int]] = {
    MovementKind.DEPOSIT: 1,
    MovementKind.WITHDRAWAL: -1,
    MovementKind.FEE: -1,
}
_MOST_SHOWN: Final = 3
"""Movements that a note lists; more are counted."""


def sign_notes(recorded: RecordedSession) -> list[str]:
    """A note for each side that has deposits below 0, or withdrawals or fees above 0."""
    notes = []
    for side, record in recorded.own_records().items():
        rows = movement_table_of(record.movements).against(_SIGNS)
        odd = [text for one in rows if (text := _odd(one))]
        if odd:
            more = len(odd) - _MOST_SHOWN
            shown = ", ".join(odd[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
            have = "1 movement has" if len(odd) == 1 else f"{len(odd)} movements have"
            notes.append(f"{side}: {have} not the sign of the kind, booked as given: {shown}")
    return notes


def _odd(movement: Movement) -> str:
    """The movement in words where an amount or a quantity of it has the other sign."""
    sign = _SIGNS.get(movement.movement_kind, 0)
    name = f"{movement.movement_kind} {printable(movement.movement_id, 60)}"
    moved = (movement.amount, movement.currency), (movement.quantity, movement.symbol)
    texts = [
        f"{format_amount(value)} {printable(unit, 60)}"
        for value, unit in moved
        if value is not None and _sign(value) * sign < 0
    ]
    return f"{name} of {' and '.join(texts)}" if texts else ""


def _sign(amount: Decimal) -> int:
    return (amount > 0) - (amount < 0)
