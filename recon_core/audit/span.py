"""The part of a log between `--since` and `--until`, by the log's order and not by the clock.

A run is asked for from the first run at or after `since` on, and up to the last run at or
before `until`, whatever its own time says: a clock that was set back or forth removes no
run from a question. An example, with the times of four runs in the log's order:

10:00 12:00 09:00 11:00 --since 11:30 is the last three --until 10:30 is the first three
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from recon_core.audit.entries import RECON_SUMMARY
from recon_core.audit.fields import Entry, utc_time


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a log: if `--since` has begun there, and `--until` has not ended."""

    begun: bool = False
    continues: bool = False


@dataclass(slots=True)
class Span:
    """Follows a log, whose current entry has a `number`.

    `last` is the number of the last summary at or before `until`.
    """

    since: datetime | None = None
    until: datetime | None = None
    last: int = 0
    number: int = 0
    _begun: bool = False

    def mark(self, when: datetime) -> None:
        """Take the time of the summary at this place, of any run."""
        self._begun |= self.since is not None and when >= self.since

    @property
    def place(self) -> Place:
        """The place of the current entry."""
        return Place(self._begun, self.number <= self.last)

    def holds(self, when: datetime, place: Place) -> bool:
        """True if a run at a place, with a time of its own, is asked for."""
        return (self.since is None or place.begun or when >= self.since) and (
            self.until is None or place.continues or when <= self.until
        )

    def contradicts(self, earliest: datetime, latest: datetime) -> bool:
        """True if the times of a run lie outside: its clock and the log's order disagree."""
        before = self.since is not None and latest < self.since
        return before or (self.until is not None and earliest > self.until)


def last_at_or_before(until: datetime, entries: Iterable[Entry]) -> int:
    """The number of the last summary that is not later than `until`, 0 without one."""
    last = 0
    for number, entry in enumerate(entries, start=1):
        if entry["event_type"] == RECON_SUMMARY and utc_time(entry["timestamp"]) <= until:
            last = number
    return last
