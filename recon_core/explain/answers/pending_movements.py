"""Movements that a side is known to post only later: no fault, and no part of an explanation."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from recon_core.explain.problem.dimensions import add_to
from recon_core.explain.problem.patches import names_of, shifted
from recon_core.explain.proof.prover import Prover
from recon_core.model import LedgerSide, Movement, SideRecord
from recon_core.model.explanation import Explanation
from recon_core.values.amounts import exact_sum, format_amount
from recon_core.values.printable import printable


def with_pending(prover: Prover) -> tuple[Prover, list[Movement]]:
    """Return the session as if its sides had posted their pending movements, and these movements.

    Only sides that state their cash are concerned. The session is returned unchanged, without
    movements, if there are none or if it cannot be replayed.
    """
    sides: dict[LedgerSide, SideRecord] = {}
    pending: list[Movement] = []
    for side, record in prover.recorded.own_records().items():
        if record.pending and "cash" not in record.derived:
            sides[side] = _after_posting(prover, record)
            pending += record.pending
    repaired = prover.repaired(sides) if sides else None
    return (prover, []) if repaired is None else (repaired, pending)


def _after_posting(prover: Prover, record: SideRecord) -> SideRecord:
    dimensions = prover.dimensions
    amounts: dict[str, Decimal] = {}
    for movement in record.pending:
        if movement.currency is not None and movement.amount is not None:
            add_to(amounts, dimensions.cash(movement.currency, movement.account), movement.amount)
    names = names_of(dimensions, list(prover.recorded.own_records().values()))
    return replace(shifted(record, dimensions, amounts, names), pending=())


def and_pending(explanation: Explanation, pending: Sequence[Movement]) -> Explanation:
    """Add a sentence about pending movements to an explanation."""
    sums: dict[str, list[Decimal]] = {}
    for movement in pending:
        if movement.currency is not None and movement.amount is not None:
            sums.setdefault(movement.currency, []).append(movement.amount)
    if not sums:
        return explanation
    shown = ", ".join(
        f"{format_amount(exact_sum(amounts))} {printable(currency, 30)}"
        for currency, amounts in sorted(sums.items())
    )
    text = f"{explanation.text}; {shown} is booked only later, as this format does"
    return replace(explanation, text=text)
