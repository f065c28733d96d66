"""Progress of many sessions: one letter for each, and no line for each.

Pytest shows a letter for an item and a line for a file: 200 sessions of 60 comparisons would be
200 lines. The letter of a session is that of its worst item, shown when its last item has ended.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from time import monotonic
from typing import Any, Final, TypeVar

from recon_core.reports.wording import MOST_IN_BLOCKS

_WORST_FIRST: Final = "EFXx"
"""Letters of items by which a session is known."""
_BETWEEN_LINES: Final = 0.1
"""Seconds between two lines that say how many sessions are read: more flicker."""
_MARKUP: Final = {"E": "red", "F": "red", "X": "yellow", "x": "yellow", ".": "green"}

Session = TypeVar("Session")
Status = tuple[str, str, Any]
"""Category, letter and word of an item, as pytest's hook has them."""


class Progress:
    """The items of each session that are expected and that have ended."""

    def __init__(self) -> None:
        self._expected: Counter[str] = Counter()
        self._ended: dict[str, dict[str, str]] = {}
        self._is_in_sessions = False

    def reading(self, reporter: Any, sessions: Collection[Session]) -> Iterator[Session]:
        """Yield sessions to read; a terminal shows how many were, under -q too."""
        shown = 0.0
        for number, session in enumerate(sessions, 1):
            if reporter is not None and reporter.isatty and monotonic() - shown >= _BETWEEN_LINES:
                reporter.rewrite(f"reading session {number} of {len(sessions)}", erase=True)
                shown = monotonic()
            yield session
        if shown:
            reporter.rewrite("", erase=True)
            reporter.rewrite("")

    def expect(self, node_ids: Iterable[str]) -> None:
        """Take the items of sessions that were collected; of one that several collected, once."""
        self._expected |= Counter(each.partition("::")[0] for each in node_ids)

    @property
    def _is_short(self) -> bool:
        return len(self._expected) > MOST_IN_BLOCKS

    def begin(self, reporter: Any, node_id: str) -> None:
        """Begin the line of all sessions where the first item of one starts."""
        if reporter is None or reporter.verbosity != 0 or not self._is_short:
            return
        is_ours = node_id.partition("::")[0] in self._expected
        if is_ours and not self._is_in_sessions:
            reporter.ensure_newline()
            reporter.write(f"{len(self._expected)} recorded sessions ")
        self._is_in_sessions = is_ours
        reporter.showfspath = False if is_ours else None

    def status(self, reporter: Any, report: Any, status: Status) -> Status:
        """Return the status of a report, its letter that of its session or none.

        Pytest asks again for the word of a report that it lists: then nothing is changed.
        """
        path = report.nodeid.partition("::")[0]
        category, letter, word = status
        is_verbose = reporter is None or reporter.verbosity > 0
        if is_verbose or not self._is_short or not letter or path not in self._expected:
            return status
        ended = self._ended.setdefault(path, {})
        if report.nodeid in ended:
            return status
        ended[report.nodeid] = letter
        if len(ended) < self._expected[path]:
            return category, "", word
        letters = set(ended.values())
        worst = next((one for one in _WORST_FIRST if one in letters), ".")
        shown = word[0] if isinstance(word, tuple) else word
        return category, worst, (shown, {_MARKUP[worst]: True})
