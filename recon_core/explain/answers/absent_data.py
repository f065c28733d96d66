"""Data that would decide between causes, and that the session does not have.

Only what a side does not report is named: who gives fills is not asked for them.
"""

from collections.abc import Sequence
from typing import Final

from recon_core.model import LedgerSide, RecordedSession

_ROWS: Final = ("fills", "movements")
_SNAPSHOTS: Final = ("snapshots",)
_WORDS: Final = {"snapshots": "balances in between (snapshots)"}
_ANYTHING: Final = "a further statement of the exchange"


def absent(recorded: RecordedSession, sections: Sequence[str]) -> str:
    """Return the sections that sides do not report: `the fills of the external side`, or nothing.

    A section that a side did not report and that was replayed counts as reported.
    """
    lacking: dict[tuple[LedgerSide, ...], list[str]] = {}
    for section in sections:
        sides = tuple(
            side
            for side, record in recorded.own_records().items()
            if getattr(record, section) is None
        )
        if sides:
            lacking.setdefault(sides, []).append(_WORDS.get(section, section))
    return " and ".join(
        f"the {' and '.join(names)} of {sides_text(sides)}" for sides, names in lacking.items()
    )


def sides_text(sides: Sequence[LedgerSide]) -> str:
    """Return one side or both in words: `the external side`."""
    return f"the {sides[0]} side" if len(sides) == 1 else "both sides"


def deciding_rows(recorded: RecordedSession, *, of_movements: bool = False) -> str:
    """Return what would decide between causes: absent fills, else movements, else snapshots.

    With `of_movements`, where the causes are movements, those first.
    """
    rows = reversed(_ROWS) if of_movements else iter(_ROWS)
    found = (absent(recorded, [section]) for section in (*rows, *_SNAPSHOTS))
    return next(filter(None, found), _ANYTHING)


def absent_rows(recorded: RecordedSession) -> str:
    """Return what would decide if nothing is found: all rows that are absent, else snapshots."""
    return absent(recorded, _ROWS) or absent(recorded, _SNAPSHOTS) or _ANYTHING


def rows_hint(recorded: RecordedSession) -> str:
    """Return a clause on the sides that list no rows at all, empty if both list some."""
    without = [
        side
        for side, record in recorded.own_records().items()
        if record.fills is None and record.movements is None
    ]
    if len(without) != 1:
        return "; neither side gives rows" if without else ""
    record = recorded.side(without[0])
    if record is not None and record.orders is not None:
        return f"; the {without[0]} side gives orders, and neither fills nor movements"
    return f"; the {without[0]} side gives no rows"
