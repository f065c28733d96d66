"""The checks of a session as a whole: coverage, as-of, complete, readable.

Source of the rules: design, "Absent is not zero", "What cannot be judged is
CRITICAL" and "As-of".
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from recon_core.compare.rows.order_links import orders_compare
from recon_core.compare.views import balances_stand_in, compared_views
from recon_core.model import SECTIONS, STATES, LedgerSide, RecordedSession, SideRecord
from recon_core.model.comparison import SessionCheck
from recon_core.model.fill_table import table_of
from recon_core.model.movement_table import movement_table_of
from recon_core.policy.model import Policy
from recon_core.values.severity import Severity
from recon_core.values.times import format_time

_ROW_SECTIONS: Final = ("orders", "fills")
"""Sections whose rows are compared one by one, and never with themselves."""


def readable(recorded: RecordedSession, _policy: Policy) -> SessionCheck:
    """A session that got here was read; what could not be read never gets here."""
    return SessionCheck("readable", None, f"read as {recorded.recording_format}", recorded.notes)


def coverage(recorded: RecordedSession, policy: Policy) -> SessionCheck:
    """Return the check that both sides report everything that has to be compared."""
    missing = [side for side in LedgerSide if recorded.side(side) is None]
    if missing:
        message = f"the session has no {' and no '.join(missing)} side"
        return SessionCheck("coverage", Severity.FAIL, message)
    faults, notes = _sections(recorded, policy)
    if not faults and _nothing_compared(recorded):
        faults = ["both sides are empty or report nothing in common: nothing was compared"]
    if faults:
        return SessionCheck("coverage", Severity.FAIL, "; ".join(faults), tuple(notes))
    if recorded.mirrored:
        message = "the external side mirrors the internal one: no exchange was asked"
        return SessionCheck("coverage", Severity.WARN, message, tuple(notes))
    return SessionCheck("coverage", None, "both sides report what is required", tuple(notes))


def _sections(recorded: RecordedSession, policy: Policy) -> tuple[list[str], list[str]]:
    faults: list[str] = []
    notes: list[str] = []
    for section in SECTIONS:
        reporting = [side for side in LedgerSide if _reports(recorded, side, section)]
        if not reporting:
            notes.append(f"{section}: reported by neither side")
        elif len(reporting) == 1:
            silent = reporting[0].other
            text = f"{section}: reported by {reporting[0]}, not by {silent}"
            shown = section == "positions" and balances_stand_in(recorded, silent)
            if shown:
                text = f"{text}, whose balances show what it holds"
            (faults if section in policy.require and not shown else notes).append(text)
        elif _is_self_comparison(recorded, section):
            text = f"{section}: both sides were read from one source, which proves nothing"
            (faults if section in policy.require else notes).append(text)
    return faults, notes


def _is_self_comparison(recorded: RecordedSession, section: str) -> bool:
    """True if a section would be compared with itself, though no mirror was declared.

    A state that a hook computed anew on one side may differ from the state that was read.
    """
    if recorded.mirrored or not recorded.shares(section):
        return False
    if section in _ROW_SECTIONS:
        return True
    internal, external = recorded.internal, recorded.external
    assert internal is not None and external is not None  # noqa: S101, PT018  # shared by both
    return section in STATES and internal.rows(section) == external.rows(section)


def _reports(recorded: RecordedSession, side: LedgerSide, section: str) -> bool:
    record = recorded.side(side)
    return record is not None and record.rows(section) is not None


def _nothing_compared(recorded: RecordedSession) -> bool:
    internal, external = recorded.internal, recorded.external
    assert internal is not None and external is not None  # noqa: S101, PT018  # none is missing
    compared = [section for section in STATES if not _is_self_comparison(recorded, section)]
    if not recorded.mirrored:
        compared += ["fills"] if not recorded.shares("fills") else []
        if orders_compare(recorded) and (internal.orders or external.orders):
            return False
    for section in compared:
        rows = [record.rows(section) for record in (internal, external)]
        if None not in rows and any(rows):
            return False
    views = None if recorded.mirrored else compared_views(recorded)
    return views is None or not views.apart()


def unreported_notes(recorded: RecordedSession, policy: Policy) -> list[str]:
    """A note on every required section that neither side reports: nothing looked at it."""
    if recorded.internal is None or recorded.external is None:
        return []
    return [
        f"{section}: required, and reported by neither side"
        for section in policy.require
        if not any(_reports(recorded, side, section) for side in LedgerSide)
    ]


def side_notes(recorded: RecordedSession) -> list[str]:
    """Return the notes of the readers of both sides, and what contradicts itself in a source."""
    return [
        f"{side}: {note}"
        for side, record in recorded.own_records().items()
        for note in (*record.notes, *record.contradictions)
    ]


def untimely_notes(recorded: RecordedSession) -> list[str]:
    """A note on the fills and movements of a side that lie outside of what it says it covers."""
    notes = []
    for side, record in recorded.own_records().items():
        opened = None if record.opening is None else record.opening.as_of
        tables = table_of(record.fills), movement_table_of(record.movements)
        for name, rows in zip(("fills", "movements"), tables, strict=True):
            late = rows.late(record.as_of)
            early = 0 if opened is None else rows.early(opened)
            for count, what in ((late, "after its as_of"), (early, "before its opening")):
                if count:
                    of_all = f"{count} of {len(rows)} {name}"
                    notes.append(f"{side}: {of_all} are {what}; each is counted")
    return notes


def as_of(recorded: RecordedSession, policy: Policy) -> SessionCheck:
    """Return the check that both sides speak of the same time."""
    if recorded.internal is None or recorded.external is None:
        return SessionCheck("as-of", None, "one side only: see coverage")
    times = recorded.internal.as_of, recorded.external.as_of
    stated = f"internal {format_time(times[0])}, external {format_time(times[1])}"
    skew, allowed = abs(times[0] - times[1]), policy.max_skew
    if skew > allowed:
        message = f"{stated}: {skew} apart, tolerance {allowed}"
        return SessionCheck("as-of", Severity.WARN, message)
    return SessionCheck("as-of", None, stated)


def complete(recorded: RecordedSession, _policy: Policy) -> SessionCheck:
    """Return the check that no side says of itself that rows are lost."""
    faults = []
    for side, record in recorded.own_records().items():
        faults += [f"{side} does not cover {text}" for text in record.gaps]
        if not record.complete and not record.gaps:
            faults.append(f"{side} was cut off while it was recorded")
        faults += [
            f"{side} counted {count} {section} and gives {_row_count(record, section)}"
            for section, count in sorted(record.counts.items())
            if count != _row_count(record, section)
        ]
        faults += [f"{side} contradicts itself: {text}" for text in record.miscounts]
    if faults:
        return SessionCheck("complete", Severity.CRITICAL, "; ".join(faults))
    return SessionCheck("complete", None, "no side says that rows are lost")


def _row_count(record: SideRecord, section: str) -> int:
    """Return the number of rows that the source itself gives; replayed rows are not counted."""
    return 0 if section in record.derived else len(record.rows(section) or ())


BUILT_IN: Final[Mapping[str, Callable[[RecordedSession, Policy], SessionCheck]]] = MappingProxyType(
    {"as-of": as_of, "complete": complete, "coverage": coverage, "readable": readable}
)
