"""Fees of pairs of rows: the kind of a wrong fee, and the fault that most fees share."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from recon_core.explain.problem.pairs import PairRow, SharedFault, are_most, differing_in
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT

_FEES: Final = {"fee", "fee_currency"}


def fee_kind(wrong: Decimal, right: Decimal) -> CauseKind:
    """Return the kind of fault of a fee in the right currency."""
    if not wrong:
        return CauseKind.MISSING_FEE
    if wrong == right.copy_negate():
        return CauseKind.FEE_SIGN
    if wrong == EXACT.add(right, right):
        return CauseKind.DUPLICATE_FEE
    return CauseKind.WRONG_FEE


def fee_fault(row: PairRow) -> CauseKind:
    """Return the kind of fault of a fee; the currency counts before the amount."""
    if row.at.fee and row.right.fee and row.at.fee_currency != row.right.fee_currency:
        return CauseKind.FEE_CURRENCY
    return fee_kind(row.at.fee, row.right.fee)


def wrong_fees(rows: Sequence[PairRow]) -> list[PairRow]:
    """Return the rows with a wrong fee and no other fault that a fee would follow."""
    wrong = [row for row in differing_in(rows, *_FEES) if {*row.fields} <= _FEES | {"side", "time"}]
    return [row for row in wrong if row.at.fee or row.right.fee]


def most_fees(
    rows: Sequence[PairRow],
    fills: Sequence[Fill],
    kind: CauseKind,
    detail: str,
    shared: CauseKind | None = None,
) -> SharedFault | None:
    """Return the fault of most fills with a fee, `None` if the rows do not have it.

    `kind` is the fault of each row, `shared` that of all of them, if it is another.
    """
    kinds = Counter(map(fee_fault, wrong_fees(rows)))
    if not kinds or kinds.most_common(1)[0][0] is not kind:
        return None
    members = [row for row in wrong_fees(rows) if fee_fault(row) is kind]
    if not are_most(members, [fill for fill in fills if fill.fee] or members):
        return None
    return SharedFault(shared or kind, detail, ("fee", "fee_currency"), members)
