"""Runs and diffs that a question is about (design, "The `recon` command").

Run filters (run, session, strategy, time of the run) select runs; severities select diffs.
A run that is looked at and has no diff of such a severity is still looked at.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

from recon_core.audit.fields import RANKS
from recon_core.values.errors import ReconError
from recon_core.values.printable import quoted
from recon_core.values.severity import Severity

ALL_SEVERITIES: Final = frozenset(RANKS)


@dataclass(frozen=True, slots=True)
class Filters:
    """The runs that are asked for; `None` is anything.

    Both ends of the time are included, by the order of the log (`recon_core.audit.span`).
    """

    run_id: str | None = None
    session_id: str | None = None
    strategy_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    severities: frozenset[str] = ALL_SEVERITIES

    @property
    def by_severity(self) -> bool:
        """True if some severities are left out."""
        return self.severities != ALL_SEVERITIES

    @property
    def passing(self) -> "Passing":
        """The severities that pass; one that nobody knows passes always."""
        return Passing(self.severities)

    def pass_run(self, session_id: str | None, strategy_id: str | None) -> bool:
        """True if a run is asked for by its session and strategy; only these two are looked at."""
        if self.session_id is not None and session_id != self.session_id:
            return False
        return self.strategy_id is None or strategy_id == self.strategy_id


@dataclass(frozen=True, slots=True)
class Passing(Container[object]):
    """The severities that are asked for, and each that is not known: it may be worse than any."""

    severities: frozenset[str]

    def __contains__(self, name: object) -> bool:
        """True if a diff of a severity passes."""
        return name in self.severities or name not in RANKS


def chosen_severities(exact: Iterable[str], lowest: str | None) -> frozenset[str]:
    """The severities that are named, all where none is, from `lowest` upward.

    Raises `ReconError` where that leaves none.
    """
    named = frozenset(exact) or ALL_SEVERITIES
    rank = 0 if lowest is None else Severity(lowest).rank
    chosen = frozenset(name for name in named if RANKS[name] >= rank)
    if not chosen:
        raise ReconError("no severity named is as high as the lowest one asked for")
    return chosen


def first_moment(text: str) -> datetime:
    """The moment a date or time starts; without an offset it is UTC. Raises `ReconError`."""
    return _moment(text, time.min)


def last_moment(text: str) -> datetime:
    """The last moment of a date, or a time itself; without an offset it is UTC."""
    return _moment(text, time.max)


def _moment(text: str, of_day: time) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), of_day, UTC)
    except ValueError:
        pass  # no date alone
    try:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ReconError(
            f"{quoted(text)} is no time; expected a date or a time like 2026-01-01T12:00:00Z"
        ) from None
