"""Faults in pairs of rows that both sides list: of most pairs alike, or of a single row.

The fault that most pairs show is corrected in all of them; a field that still differs is a second
fault of its row. Example: of 10 pairs all quantities are 1000 times the right ones, and one price
differs, too. The answer is one `unit` fault of 10 rows and one `wrong_price` of one row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from recon_core.explain import causes
from recon_core.explain.causes.rounding import (
    rounding_of_pairs,
)
from recon_core.explain.causes.unit import unit_of_pairs
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.pairs import (
    FEWEST_PAIRS,
    Pair,
    PairRow,
    PairTest,
    SharedFault,
    differing_fields,
    differing_in,
)
from recon_core.explain.problem.patches import Patch
from recon_core.model import Fill


def shared_faults(
    pairs: Sequence[Pair], fills: Sequence[Fill]
) -> tuple[list[Hypothesis], list[PairRow]]:
    """Return the systematic faults as hypotheses, and the rows that differ after them.

    `fills` are all fills of the side at fault.
    """
    rows, hypotheses = [PairRow(wrong, wrong, right) for wrong, right in pairs], list[Hypothesis]()
    for test in (test for cause in causes.CAUSES for test in cause.in_pairs):
        for shared in _shared(test, rows, fills):
            hypothesis = shared.hypothesis()
            hypotheses.append(hypothesis)
            done = dict(zip(map(id, shared.rows), hypothesis.patch.added, strict=True))
            rows = [_corrected(row, done) for row in rows]
    return hypotheses, [row for row in rows if row.fields]


def _corrected(row: PairRow, done: Mapping[int, Fill]) -> PairRow:
    """Return a row as it is corrected; the same object if it is not, as others may name it yet."""
    return replace(row, at=done[id(row)]) if id(row) in done else row


def _shared(
    test: PairTest, rows: Sequence[PairRow], fills: Sequence[Fill]
) -> Iterator[SharedFault]:
    """Yield the fault of all rows, or else the fault of each symbol's rows."""
    shared = test(rows, fills) if len(rows) >= FEWEST_PAIRS else None
    if shared is not None:
        yield shared
        return
    groups: dict[str, list[PairRow]] = {}
    for row in rows:
        groups.setdefault(row.given.symbol, []).append(row)
    for symbol, members in groups.items():
        if len(members) < FEWEST_PAIRS:
            continue
        shared = test(members, [fill for fill in fills if fill.symbol == symbol])
        if shared is not None:
            yield shared


def unit_or_rounding(pairs: Sequence[Pair], fills: Sequence[Fill]) -> Hypothesis | None:
    """Return the unit or rounding fault that makes all these quantities wrong, if there is one."""
    rows = [PairRow(wrong, wrong, right) for wrong, right in pairs]
    wrong = [row for row in differing_in(rows, "quantity") if row.right.quantity]
    shared = unit_of_pairs(wrong) or rounding_of_pairs(wrong, fills, "quantity")
    return None if shared is None or len(shared.rows) < len(rows) else shared.hypothesis()


def faults_of_row(given: Fill, at: Fill, right: Fill) -> Iterator[Hypothesis]:
    """Yield a hypothesis per wrong field of a fill, each on top of the previous one.

    `at` is the fill `given` by the side, as corrected so far. A wrong time alone is no cause.
    """
    names, wrong = differing_fields(at, right), at
    fields = {name: fault for cause in causes.CAUSES for name, fault in cause.fields.items()}
    with_fee = "fee" in names and bool({"quantity", "price"} & set(names)) and wrong.fee
    for name in names:
        if name == "time" or (name == "fee" and (with_fee or "fee_currency" in names)):
            continue
        changed = replace(at, **_values(right, name, with_fee=bool(with_fee)))
        fault = fields[name](wrong, right)
        patch = Patch((at,), (changed,))
        yield Hypothesis(
            fault.cause_kind, patch, (given,), Strength.SHOWN, fault.detail, facts=fault.facts
        )
        at = changed


def _values(right: Fill, name: str, *, with_fee: bool) -> dict[str, Any]:
    values = {name: getattr(right, name)}
    if name in {"fee", "fee_currency"} or (with_fee and name in {"quantity", "price"}):
        values |= {"fee": right.fee, "fee_currency": right.fee_currency}
    return values
