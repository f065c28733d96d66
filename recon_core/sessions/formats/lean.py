"""LEAN (QuantConnect): a result as JSON, and the order events beside it.

`lean backtest` leaves NAME.json, the result, and NAME-order-events.json. The internal side is
what the order events filled, booked on the start equity; the external side is what the result
states: its orders, and holdings and cash where it has them, as that of a live algorithm. The
result of a backtest has neither. Its positions are the sums of its filled orders, and its cash is
equity less holdings where all holdings are long: 103,600.00 - 13,680.00 = 89,920.00.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from recon_core.model import RecordedSession
from recon_core.plugins.hookspecs import hookimpl
from recon_core.sessions.files import file_head, unforeseen_refused
from recon_core.sessions.formats.directories import only_recording
from recon_core.sessions.formats.limits import limits_note
from recon_core.values.printable import printable

FORMAT: Final = "lean"
CANNOT_KNOW: Final = (
    "dividends, splits, interest and borrow fees (LEAN books them without a record)",
    "multipliers of futures and options (cash is not compared where one was traded)",
    "cash of a backtest that holds something short, or has fees or prices in several currencies",
    "currencies and holdings that a backtest begins with (its start equity is taken as cash)",
    "executed quantities of an order that was cancelled (those of its events are taken)",
)
"""Facts that a recording of this format does not state."""

EVENTS: Final = "-order-events.json"
"""End of the name of the file with the order events, after the name of the result."""
_OTHERS: Final = (EVENTS, "-summary.json", ".recon.json")
_HEAD: Final = 65_536
"""Bytes of a file in which words of LEAN are looked for; a chart begins later or ends earlier."""
_WORDS: Final = re.compile(
    rb'"(rollingWindow|totalPerformance|tradeStatistics|portfolioStatistics|runtimeStatistics'
    rb"|algorithmConfiguration|alphaRuntimeStatistics|serverStatistics|accountCurrencySymbol"
    rb'|contingentId|brokerId|permtick|priceCurrency|orderSubmissionData|profitLoss)"\s*:',
    re.IGNORECASE,
)
_FEW: Final = 2
"""Words of LEAN, each counted once, that a result has in its head at least."""


@hookimpl
def recon_anchor(path: Path) -> Path | None:
    """The result of the file at `path`: itself, or the one whose order events it holds."""
    if path.name.endswith(EVENTS):
        path = path.with_name(f"{path.name.removesuffix(EVENTS)}.json")
    return path if _is_result(path) else None


@hookimpl
def recon_read_session(path: Path) -> RecordedSession | None:
    """Read the recording at `path`, or the only one in the directory `path`."""
    found = only_recording(path, recon_anchor) if path.is_dir() else recon_anchor(path)
    if found is None:
        return None
    from recon_core.sessions.formats.lean_result import read_result  # noqa: PLC0415  # if there is one

    with unforeseen_refused(printable(found.name)):
        recorded = read_result(found, found.with_name(f"{found.stem}{EVENTS}"))
    notes = (limits_note(FORMAT, CANNOT_KNOW), *recorded.notes)
    return replace(recorded, recording_format=FORMAT, notes=notes)


def _is_result(path: Path) -> bool:
    """By the order events beside it, a damaged one too, or by words that only LEAN writes."""
    if path.suffix != ".json" or path.name.endswith(_OTHERS) or not path.is_file():
        return False
    if path.with_name(f"{path.stem}{EVENTS}").is_file():
        return True
    head = file_head(path, _HEAD)
    found = {word.lower() for word in _WORDS.findall(head)}
    return head.lstrip()[:1] == b"{" and len(found) >= _FEW
