"""The correcting entries that an explanation asks for, and what they do to a copy.

An entry is a proposal: nothing here edits a ledger or a session. Its id depends on the
session, the side and what it does, so that making it again gives the same entry.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby

from recon_core.comparison import diff_id
from recon_core.errors import ReconError
from recon_core.explain.effects.changes import names_of, shifted
from recon_core.explain.effects.space import Space, space_of
from recon_core.explain.proving.attempt import Answer
from recon_core.explain.proving.proof import Prover
from recon_core.explain.proving.restating import restated
from recon_core.explain.repairing.answered import answered
from recon_core.explain.repairing.applying import applied
from recon_core.explain.repairing.booking_rows import (
    ADD_FILL,
    ADJUST_CASH,
    ADJUST_POSITION,
    digest,
    fill_of,
    row_values,
)
from recon_core.explain.repairing.corrections import Step, row_steps, state_steps
from recon_core.explain.repairing.plausible import require_plausible
from recon_core.explanation import Booking, Explanation, ExplanationVerdict
from recon_core.model import LedgerSide, RecordedSession, SideRecord
from recon_core.reconciliation import Reconciliation
from recon_core.reports.explanations import alias_lines

__all__ = [
    "RepairEntry",
    "apply_entries",
    "bookings_for",
    "entries_of",
    "row_values",
    "with_whole_bookings",
]


@dataclass(frozen=True, slots=True)
class RepairEntry:
    """One entry of a repair (docs/explain.md): what to do with which row of which side.

    `row` has the fields of a row as text; `answers` are the ids of the diffs that go.
    """

    entry_id: str
    session_id: str
    side: LedgerSide
    action: str
    row: Mapping[str, str]
    reason: str
    answers: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "entry_id": self.entry_id,
            "session_id": self.session_id,
            "side": str(self.side),
            "action": self.action,
            "row": dict(self.row),
            "reason": self.reason,
            "answers": list(self.answers),
        }


def bookings_for(prover: Prover, answer: Answer, explanation: Explanation) -> tuple[Booking, ...]:
    """The bookings that put the faulty side right, in a fixed order."""
    steps = _steps(prover, answer)
    reason, answers = explanation.text, explanation.explains
    return tuple(Booking(action, answer.side, row, reason, answers) for action, row in steps)


def _steps(prover: Prover, answer: Answer) -> Iterator[Step]:
    session_id, ground = prover.recorded.session_id, answer.ground
    if not ground.rows_right:
        yield from row_steps(answer, session_id)
        yield from state_steps(ground.record, answer.repaired, session_id)
        return
    side = prover.recorded.side(answer.side)
    if side is not None:
        yield from state_steps(side, answer.repaired, session_id)


def with_whole_bookings(reconciliation: Reconciliation, explanation: Explanation) -> Explanation:
    """The explanation with bookings that say what was stated, and move what was replayed."""
    if not any(booking.action == "adjust" for booking in explanation.repair):
        return explanation
    recorded = reconciliation.recorded
    space = space_of(recorded, reconciliation.comparisons, reconciliation.policy.float_dust)
    records = {side: recorded.side(side) for side in LedgerSide}
    whole: list[Booking] = []
    for (side, action), group in groupby(explanation.repair, lambda each: (each.side, each.action)):
        found, record = list(group), records[side]
        if action == "adjust" and record is not None:
            found = list(_adjusted(recorded, space, record, found))
        whole += found
        records[side] = record and _stating_after(record, found)
    return replace(explanation, repair=tuple(whole))


def _adjusted(
    recorded: RecordedSession, space: Space, record: SideRecord, bookings: Sequence[Booking]
) -> Iterator[Booking]:
    """Amounts to add, as what the side states before and after, or as movements."""
    amounts = {}
    for booking in bookings:
        section = "position" if "position" in booking.row else "cash"
        amounts[f"{section}::{booking.row[section]}"] = Decimal(booking.row["amount"])
    names = names_of(space, list(recorded.own_records().values()))
    moved = shifted(replace(record, derived=frozenset()), space, amounts, names)
    for action, row in state_steps(record, moved, recorded.session_id):
        yield replace(bookings[0], action=action, row=row)


def _stating_after(record: SideRecord, bookings: Iterable[Booking]) -> SideRecord:
    """The side with what it states corrected, and all else as it is."""
    actions = (ADJUST_POSITION, ADJUST_CASH)
    after = applied(record, [(one.action, one.row) for one in bookings if one.action in actions])
    return replace(
        record,
        positions=record.positions if "positions" in record.derived else after.positions,
        cash=record.cash if "cash" in record.derived else after.cash,
    )


def entries_of(reconciliation: Reconciliation, explanation: Explanation) -> list[RepairEntry]:
    """The entries that repair what one explanation explains, proven once more.

    Raises `ReconError` where it is not `unique`, where nothing can be booked, for a price
    that is implausible, and where the entries do not do away with all diffs they answer.
    """
    recorded = reconciliation.recorded
    if explanation.verdict is not ExplanationVerdict.UNIQUE:
        raise ReconError(_why_not(explanation))
    if explanation.aliases:
        told = ", ".join(alias_lines(explanation.aliases))
        raise ReconError(f"no booking repairs it, but names do: in the policy, [aliases] {told}")
    if not explanation.repair:
        raise ReconError("no booking repairs it: what is wrong is how the side names or counts")
    entries = [
        _entry(recorded.session_id, booking, answers)
        for booking, answers in zip(explanation.repair, answered(explanation), strict=True)
    ]
    added = (fill_of(entry.row) for entry in entries if entry.action == ADD_FILL)
    require_plausible(recorded, added)
    _require_proof(reconciliation, explanation, entries)
    return entries


def _why_not(explanation: Explanation) -> str:
    """What keeps an explanation from being repaired, and what would help."""
    if not explanation.causes:
        helps = f"; what would help: {explanation.decides}" if explanation.decides else ""
        return f"{explanation.verdict}, as no cause was found{helps}"
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
    """A copy of a session with its entries applied; applying them twice changes nothing.

    Entries of other sessions are passed over. Symbols are those of the reconciled session
    (`Reconciliation.recorded`), whose aliases are mapped. Sections that were replayed are
    left to be replayed again. Raises `ReconError` where an entry does not fit the session.
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
    return restated(recorded, record, applied(record, own)) if own and record else record


def _require_proof(
    reconciliation: Reconciliation, explanation: Explanation, entries: Sequence[RepairEntry]
) -> None:
    recorded = reconciliation.recorded
    space = space_of(recorded, reconciliation.comparisons, reconciliation.policy.float_dust)
    try:
        repaired = apply_entries(recorded, entries)
    except ReconError as error:
        raise ReconError(f"no booking repairs it: {error}") from None
    outcome = Prover(reconciliation, space).outcome(repaired.own_records())
    left = None if outcome is None else sorted({*explanation.explains} - {*outcome.vanished})
    if outcome is None or left or outcome.appeared:
        raise ReconError("no booking repairs it: with the entries applied the sides still differ")
