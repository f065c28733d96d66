"""Correcting entries of an explanation, and their effect on a copy of the session.

An entry is a proposal: no ledger and no session is edited. Its id depends on the session, the
side, the action and the row, so that the same repair has the same entries.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import Final

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.problem.dimensions import Dimensions, dimensions_of, is_order
from recon_core.explain.problem.patches import Patch, names_of, shifted
from recon_core.explain.problem.precision import StatedDecimals
from recon_core.explain.proof.attempt import Answer
from recon_core.explain.proof.own_snapshots import with_new_snapshots
from recon_core.explain.proof.prover import Prover
from recon_core.explain.repair.application import applied
from recon_core.explain.repair.completion import diffs_of_entries
from recon_core.explain.repair.corrections import Step, row_steps, state_steps
from recon_core.explain.repair.row_text import (
    ADD_FILL,
    ADJUST_CASH,
    ADJUST_POSITION,
    digest,
    fill_of,
)
from recon_core.model import Fill, LedgerSide, RecordedSession, SideRecord
from recon_core.model.comparison import diff_id
from recon_core.model.explanation import Booking, Explanation, ExplanationVerdict
from recon_core.model.fill_table import PatchedFills
from recon_core.reports.explanations import alias_lines
from recon_core.values.amounts import EXACT, format_amount
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable

__all__ = [
    "RepairEntry",
    "apply_entries",
    "entries_for",
    "entries_of",
    "with_proven_entries",
    "with_whole_entries",
]


@dataclass(frozen=True, slots=True)
class RepairEntry:
    """One entry of a repair (docs/explain.md): an action on a row of a side.

    `row`: the fields of the row as text. `answers`: the ids of the diffs that disappear.
    """

    entry_id: str
    session_id: str
    side: LedgerSide
    action: str
    row: Mapping[str, str]
    reason: str
    answers: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {
            "entry_id": self.entry_id,
            "session_id": self.session_id,
            "side": str(self.side),
            "action": self.action,
            "row": dict(self.row),
            "reason": self.reason,
            "answers": list(self.answers),
        }


def entries_for(prover: Prover, answer: Answer, explanation: Explanation) -> tuple[Booking, ...]:
    """Return the entries that correct the faulty side, in a fixed order."""
    steps = _steps(prover, answer)
    reason, answers = explanation.text, explanation.explains
    return tuple(Booking(action, answer.side, row, reason, answers) for action, row in steps)


def _steps(prover: Prover, answer: Answer) -> Iterator[Step]:
    session_id, problem = prover.recorded.session_id, answer.problem
    if not problem.rows_right:
        yield from row_steps(answer, session_id)
        yield from state_steps(problem.record, answer.repaired, session_id)
        return
    side = prover.recorded.side(answer.side)
    if side is not None:
        yield from state_steps(side, answer.repaired, session_id)


def with_whole_entries(reconciliation: Reconciliation, explanation: Explanation) -> Explanation:
    """Return the explanation with every entry that adjusts an amount completed.

    A stated amount is given as before and after, a replayed amount as a movement.
    """
    if not any(booking.action == "adjust" for booking in explanation.repair):
        return explanation
    recorded = reconciliation.recorded
    dimensions = dimensions_of(
        recorded, reconciliation.comparisons, reconciliation.policy.float_dust
    )
    records = {side: recorded.side(side) for side in LedgerSide}
    whole: list[Booking] = []
    for (side, action), group in groupby(explanation.repair, lambda each: (each.side, each.action)):
        found, record = list(group), records[side]
        if action == "adjust" and record is not None:
            found = list(_adjusted(recorded, dimensions, record, found))
        whole += found
        records[side] = record and _stated_after(record, found)
    return replace(explanation, repair=tuple(whole))


def _adjusted(
    recorded: RecordedSession,
    dimensions: Dimensions,
    record: SideRecord,
    entries: Sequence[Booking],
) -> Iterator[Booking]:
    """Yield amounts to add, as stated amounts before and after, or as movements."""
    amounts = {}
    for booking in entries:
        section = "position" if "position" in booking.row else "cash"
        amounts[f"{section}::{booking.row[section]}"] = Decimal(booking.row["amount"])
    names = names_of(dimensions, list(recorded.own_records().values()))
    moved = shifted(replace(record, derived=frozenset()), dimensions, amounts, names)
    for action, row in state_steps(record, moved, recorded.session_id):
        yield replace(entries[0], action=action, row=row)


def _stated_after(record: SideRecord, entries: Iterable[Booking]) -> SideRecord:
    """Return the side with its stated amounts corrected and all else unchanged."""
    actions = (ADJUST_POSITION, ADJUST_CASH)
    after = applied(record, [(one.action, one.row) for one in entries if one.action in actions])
    return replace(
        record,
        positions=record.positions if "positions" in record.derived else after.positions,
        cash=record.cash if "cash" in record.derived else after.cash,
    )


def entries_of(
    reconciliation: Reconciliation, explanation: Explanation, *, repair_exchange: bool = False
) -> list[RepairEntry]:
    """Return the entries that repair one explanation, after a further proof.

    Entries for the external side are left out unless `repair_exchange`. Raises `ReconError` if the
    explanation is not `unique`, if no entry is left, if a price is implausible, and if a diff
    remains that the entries answer, or a new diff appears.
    """
    if explanation.verdict is not ExplanationVerdict.UNIQUE:
        raise ReconError(_why_not(explanation))
    if explanation.aliases:
        names = ", ".join(alias_lines(explanation.aliases))
        raise ReconError(f"no booking repairs it, but names do: in the policy, [aliases] {names}")
    proposed = explanation if repair_exchange else of_the_ledger(explanation)
    if proposed.refusal:
        raise ReconError(proposed.refusal)
    if not proposed.repair:
        if proposed.leaves_out_the_exchange:
            raise ReconError(LEFT_OUT)
        raise ReconError("no booking repairs it: what is wrong is how the side names or counts")
    return _proven(reconciliation, proposed)[0]


LEFT_OUT: Final = (
    "the external side is at fault, and its record is left as it is; "
    "--repair-exchange proposes entries for it"
)
"""Sentence on entries that are left out; in Python the option is `repair_exchange`."""


def of_the_ledger(explanation: Explanation) -> Explanation:
    """Return the explanation without entries for the external side, which keeps the truth."""
    repair = tuple(one for one in explanation.repair if one.side is LedgerSide.INTERNAL)
    return replace(explanation, repair=repair)


def with_proven_entries(
    reconciliation: Reconciliation, explanation: Explanation, *, repair_exchange: bool
) -> Explanation:
    """Return the explanation with the entries that can be written, applied and proven.

    Its text says why if there are none. Entries for the external side are left out unless
    `repair_exchange`.
    """
    proposed = explanation if repair_exchange else of_the_ledger(explanation)
    if not proposed.repair:
        return proposed
    try:
        _, explains = _proven(reconciliation, proposed)
    except ReconError as error:
        text = f"{proposed.text}; no entry is proposed: {error}"
        return replace(proposed, repair=(), text=text, refusal=str(error))
    return proposed if proposed.leaves_out_the_exchange else replace(proposed, explains=explains)


def _proven(
    reconciliation: Reconciliation, explanation: Explanation
) -> tuple[list[RepairEntry], tuple[str, ...]]:
    """Return the entries of an explanation, and the diffs that they resolve in a copy.

    The report of a corrected fill's order stays as it is: no entry is for a report. Raises
    `ReconError` if another diff that is explained remains, or a new one appears.
    """
    recorded = reconciliation.recorded
    added = [fill_of(one.row) for one in explanation.repair if one.action == ADD_FILL]
    require_near_prices(recorded, added)
    require_known_decimals(recorded, explanation.repair)
    # Applied to a copy first: the diffs that they answer are known afterwards.
    entries = [_entry(recorded.session_id, one, ()) for one in explanation.repair]
    resolved = _resolved(reconciliation, entries)
    left = {*explanation.explains} - {*resolved}
    if not (explanation.leaves_out_the_exchange or all(map(is_order, left))):
        raise ReconError(_STILL_DIFFER)
    explains = tuple(name for name in explanation.explains if name not in left)
    answers = diffs_of_entries(replace(explanation, explains=explains))
    whole = [
        _entry(recorded.session_id, booking, each)
        for booking, each in zip(explanation.repair, answers, strict=True)
    ]
    return whole, explains


def _why_not(explanation: Explanation) -> str:
    """Return the reason that an explanation has no repair, and the data that would help."""
    if not explanation.causes:
        hint = f"; what would help: {explanation.decides}" if explanation.decides else ""
        return f"{explanation.verdict}, as no cause was found{hint}"
    decides = f"; {explanation.decides} would decide" if explanation.decides else ""
    return f"the explanation is {explanation.verdict}{decides}"


def _entry(session_id: str, booking: Booking, answers: Iterable[str]) -> RepairEntry:
    name = digest(session_id, str(booking.side), booking.action, dict(booking.row))
    return RepairEntry(
        f"repair-{name}",
        session_id,
        booking.side,
        booking.action,
        booking.row,
        booking.reason,
        tuple(diff_id(session_id, each) for each in answers),
    )


def apply_entries(recorded: RecordedSession, entries: Sequence[RepairEntry]) -> RecordedSession:
    """Return a copy of a session with its entries applied; a second application changes nothing.

    Entries of other sessions are ignored. Symbols are those of the reconciled session
    (`Reconciliation.recorded`), with aliases mapped. Replayed sections are left for a new
    replay. Raises `ReconError` if an entry does not fit the session.
    """
    internal = _applied(recorded, LedgerSide.INTERNAL, entries)
    external = _applied(recorded, LedgerSide.EXTERNAL, entries)
    mirrored = recorded.mirrored and external is recorded.external
    return replace(recorded, internal=internal, external=external, mirrored=mirrored)


def _applied(
    recorded: RecordedSession, side: LedgerSide, entries: Iterable[RepairEntry]
) -> SideRecord | None:
    own = [
        (each.action, each.row)
        for each in entries
        if each.session_id == recorded.session_id and each.side is side
    ]
    record = recorded.side(side)
    if own and record is None:
        raise ReconError(f"the session has no {side} side to repair")
    return with_new_snapshots(recorded, record, applied(record, own)) if own and record else record


_STILL_DIFFER: Final = "no booking repairs it: with the entries applied the sides still differ"


def _resolved(reconciliation: Reconciliation, entries: Sequence[RepairEntry]) -> tuple[str, ...]:
    """Return the diffs that entries resolve in a copy; raise `ReconError` if any is new."""
    recorded = reconciliation.recorded
    dimensions = dimensions_of(
        recorded, reconciliation.comparisons, reconciliation.policy.float_dust
    )
    try:
        repaired = apply_entries(recorded, entries)
    except ReconError as error:
        raise ReconError(f"no booking repairs it: {error}") from None
    sides = repaired.own_records()
    outcome = Prover(reconciliation, dimensions).outcome(sides, _patch_of(recorded, sides))
    if outcome is None or outcome.new:
        raise ReconError(_STILL_DIFFER)
    return outcome.resolved


def _patch_of(recorded: RecordedSession, repaired: Mapping[LedgerSide, SideRecord]) -> Patch | None:
    """Return the fills that entries exchange on the one side that they are for, else `None`."""
    before = recorded.own_records()
    changed = [side for side, record in repaired.items() if record is not before.get(side)]
    if len(changed) != 1 or changed[0] not in before:
        return None
    return _patch_between(before[changed[0]].fill_rows, repaired[changed[0]].fill_rows)


def _patch_between(old: Sequence[Fill], new: Sequence[Fill]) -> Patch:
    """Return the rows that lists exchange: what is kept keeps its order, added rows are last."""
    if isinstance(new, PatchedFills) and new.table is old:
        return Patch(new.removed, new.added)
    left, removed = iter(new), []
    kept = next(left, None)
    for row in old:
        if row is kept:
            kept = next(left, None)
        else:
            removed.append(row)
    return Patch(tuple(removed), () if kept is None else (kept, *left))


def require_known_decimals(recorded: RecordedSession, bookings: Iterable[Booking]) -> None:
    """Raise `ReconError` that names the first amount that is finer than its currency."""
    decimals = StatedDecimals(recorded)
    for booking in bookings:
        row = booking.row
        for name, unit in (("fee", "fee_currency"), ("amount", "currency")):
            if name not in row or unit not in row:
                continue
            if decimals.is_too_fine(Decimal(row[name]), row[unit]):
                amount = f"{row[name]} {printable(row[unit], 30)}"
                raise ReconError(f"no booking repairs it: {amount} is finer than its currency")


def require_near_prices(recorded: RecordedSession, added: Iterable[Fill]) -> None:
    """Raise `ReconError` that names the first fill with an implausible price."""
    for fill in added:
        if not has_near_price(recorded, fill):
            raise ReconError(_price_text(fill, _prices(recorded, fill)))


def has_near_price(recorded: RecordedSession, fill: Fill) -> bool:
    """True if a fill has a price near the others, is the only one, or if both sides list it so."""
    prices = _prices(recorded, fill)
    if prices and is_near(fill.price, min(prices), max(prices)):
        return True
    found = [
        record.table.having(fill_id=(fill.fill_id,))
        for record in recorded.own_records().values()
        if record.fills
    ]
    if not prices:
        return any(found)
    listed = [{row.price for row in rows if row.symbol == fill.symbol} for rows in found]
    return len(listed) > 1 and all(fill.price in each for each in listed)


def _prices(recorded: RecordedSession, fill: Fill) -> list[Decimal]:
    """Return the lowest and the highest price of the session's other fills of the symbol."""
    return [
        price
        for record in recorded.own_records().values()
        for price in record.table.prices(fill.symbol, fill.fill_id)
    ]


def is_near(price: Decimal, low: Decimal, high: Decimal) -> bool:
    """True if a price is at least 2/3 of the lowest and at most 3/2 of the highest."""
    below = EXACT.multiply(EXACT.subtract(low, price), Decimal(3))
    above = EXACT.multiply(EXACT.subtract(price, high), Decimal(2))
    return below <= low.copy_abs() and above <= high.copy_abs()


def _price_text(fill: Fill, prices: Sequence[Decimal]) -> str:
    symbol, price = printable(fill.symbol, 60), format_amount(fill.price)
    text = f"implausible price: fill {printable(fill.fill_id, 60)} of {symbol} would be at {price}"
    if not prices:
        return f"{text}, and the session has no other fill of {symbol} to hold it against"
    low, high = (format_amount(each) for each in (min(prices), max(prices)))
    return f"{text}, and the session's other fills are at {low} to {high}"
