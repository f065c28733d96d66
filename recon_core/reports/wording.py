"""The words that pytest's summary, `recon check` and the JUnit files share."""

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recon_core.compare.keys import encode_key
from recon_core.model.comparison import Comparison, ReconDiff
from recon_core.model.matched_rows import EqualRows
from recon_core.model.summary import count_severities
from recon_core.values.printable import printable
from recon_core.values.severity import Severity
from recon_core.values.urls import url_of

CLEAR: Final = "CLEAR"
BLOCKED: Final = "BLOCKED"
INCOMPLETE: Final = "INCOMPLETE"

MOST_IN_BLOCKS: Final = 5
"""Sessions that are shown one by one: about one screen of the usual ones."""

FOLDED_PROPERTIES: Final = ("recon.folded", "recon.sha256")
"""Properties of an item that represents many: their number, and a digest of them."""


@dataclass(frozen=True, slots=True)
class Tally:
    """A whole run in figures, and its verdict.

    `counts` are the diffs of all sessions by severity, the worst first; `problems` is how
    many other reasons there are not to trust the run.
    """

    sessions: int
    promised: int
    ran: int
    counts: Mapping[Severity, int]
    blocked: bool
    incomplete: bool
    problems: int = 0

    @property
    def verdict(self) -> str:
        """`BLOCKED` before `INCOMPLETE`, and `CLEAR` where neither holds."""
        if self.blocked:
            return BLOCKED
        return INCOMPLETE if self.incomplete else CLEAR

    def line(self) -> str:
        """The last line of a run: `RECON: CLEAR (3 sessions, 48 comparisons)`."""
        return f"RECON: {self.verdict} ({self._figures()})"

    def _figures(self) -> str:
        sessions = counted(self.sessions, "session")
        diffs = [item for item in self.counts.items() if item[0] is not Severity.INFO]
        found = ", ".join(f"{count} {severity}" for severity, count in diffs)
        if self.blocked:
            return f"{found or 'an item failed'} in {sessions}"
        if self.incomplete:
            problems = f", {counted(self.problems, 'problem')} above" if self.problems else ""
            return ran_of(self.ran, self.promised) + problems
        return ", ".join(filter(None, (sessions, counted(self.promised, "comparison"), found)))


def ran_of(ran: int, promised: int) -> str:
    """`1 of 7 comparisons ran`; a run that found nothing to compare says so."""
    return f"{ran} of {promised} comparisons ran" if promised else "no comparison ran"


def counted(count: int, noun: str) -> str:
    """`1 session`, `3 sessions`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def counts_text(diffs: Iterable[ReconDiff]) -> str:
    """`1 FAIL, 15 WARN`, the worst first."""
    return ", ".join(f"{count} {severity}" for severity, count in count_severities(diffs).items())


def node_path(anchor: Path, directory: Path) -> str:
    """The anchor relative to `directory`, or its URL, as in node ids, made safe to print."""
    url = url_of(anchor)
    parts = Path(_relative(anchor, directory)).parts if url is None else url.split("/")
    return "/".join(map(encode_key, parts))


def opened_path(anchor: Path, directory: Path) -> str:
    """The anchor relative to `directory` as a person or a forge opens it, with `/`.

    Nothing in it is encoded or made safe to show.
    """
    whole = _relative(anchor, directory).encode("utf-8", "surrogateescape")
    text = whole.decode("utf-8", "backslashreplace")
    return text if url_of(anchor) is not None else Path(text).as_posix()


def command_path(anchor: Path, directory: Path) -> str:
    """The anchor as a word of a shell, seen from `directory`; empty where it cannot be printed."""
    relative = _relative(anchor, directory)
    return shlex.quote(relative) if printable(relative, len(relative)) == relative else ""


def _relative(anchor: Path, directory: Path) -> str:
    url = url_of(anchor)
    if url is not None:
        return url
    try:
        return os.path.relpath(anchor, directory)
    except ValueError:  # another drive
        return str(anchor)


def drift_text(diff: ReconDiff | None) -> str:
    """The drift as a plain fraction; `0` on a match, empty where it has no meaning."""
    if diff is None:
        return "0"
    return "" if diff.drift is None else format(diff.drift, "f")


def folded_properties(comparison: Comparison) -> dict[str, str]:
    """Return the properties of an item that represents many; nothing for any other."""
    folded = comparison.matched
    if not isinstance(folded, EqualRows):
        return {}
    return dict(zip(FOLDED_PROPERTIES, (str(folded.count), folded.digest), strict=True))
