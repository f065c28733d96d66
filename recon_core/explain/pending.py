"""What a side is known to book only later: no fault, and no part of what is explained."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from recon_core.amounts import exact_sum, format_amount
from recon_core.explain.effects.changes import names_of, shifted
from recon_core.explain.effects.space import add_to
from recon_core.explain.proving.proof import Prover
from recon_core.explanation import Explanation
from recon_core.model import LedgerSide, Movement, SideRecord
from recon_core.printable import printable


def with_pending(prover: Prover) -> tuple[Prover, list[Movement]]:
    """The session as if its sides had booked what is pending, and what that is."""
    sides: dict[LedgerSide, SideRecord] = {}
    pending: list[Movement] = []
    for side, record in prover.recorded.own_records().items():
        if record.pending and "cash" not in record.derived:
            sides[side] = _booked(prover, record)
            pending += record.pending
    repaired = prover.repaired(sides) if sides else None
    return (prover, []) if repaired is None else (repaired, pending)


def _booked(prover: Prover, record: SideRecord) -> SideRecord:
    space = prover.space
    amounts: dict[str, Decimal] = {}
    for movement in record.pending:
        if movement.currency is not None and movement.amount is not None:
            add_to(amounts, space.cash(movement.currency, movement.account), movement.amount)
    names = names_of(space, list(prover.recorded.own_records().values()))
    return replace(shifted(record, space, amounts, names), pending=())


def and_pending(explanation: Explanation, pending: Sequence[Movement]) -> Explanation:
    """The explanation with a word on what is pending besides."""
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
    text = f"{explanation.text}; besides, {shown} is booked only later, as this format does"
    return replace(explanation, text=text)
