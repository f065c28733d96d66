"""Reports of comparisons that match: what those of one kind in a session share is kept once.

A run of 100,000 comparisons keeps 100,000 reports until its end, and nobody but a summary looks
at most of what pytest's own class keeps in each. So a report of a match knows its group, its key
and its times; everything else is made when it is asked for, and kept where it can be changed:

    group      session path, kind, keywords, properties
    report     group, key, start, seconds

`as_plain` makes pytest's own report of it, for whoever sends it to another process.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

import pytest

Named = tuple[str, object]
"""Name and value of a property of an item."""

MATCH: Final = "match"


@dataclass(frozen=True, slots=True, eq=False)
class MatchGroup:
    """Everything that the matches of one kind in a session have in common."""

    node_id: str
    session_path: str
    kind: str
    drift: str
    keywords: Sequence[str]
    properties: Sequence[Named]

    def properties_of(self, key: str) -> list[Named]:
        """Return the properties of the match with a key."""
        return [
            *self.properties,
            ("recon.key", key),
            ("recon.severity", MATCH),
            ("recon.drift", self.drift),
        ]

    def to_json(self) -> list[Any]:
        """The group for another process."""
        words = [self.node_id, self.session_path, self.kind, self.drift]
        return [*words, list(self.keywords), list(self.properties)]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> "MatchGroup":
        """The group that another process sent."""
        node_id, session_path, kind, drift, keywords, properties = data
        return cls(node_id, session_path, kind, drift, keywords, _pairs(properties))


class Match(NamedTuple):
    """One match: its key, when and how long it was judged.

    `keywords` and `properties` are there where they are not those that the group gives. `id` is
    the item's own, of a pytest that keeps it in parts, where both are in one process.
    """

    key: str
    start: float
    seconds: float
    keywords: Sequence[str] | None = None
    properties: Sequence[Named] | None = None
    id: Any = None


class _Made:
    """An attribute that is made whenever it is asked for, until somebody sets it."""

    def __init__(self, made: Callable[[Any], Any]) -> None:
        self._made = made

    def __get__(self, report: Any, _: type | None = None) -> Any:
        return self if report is None else self._made(report)


class MatchReport(pytest.TestReport):
    """The one report of a comparison that matches; no setup and no teardown surround it."""

    __slots__ = ("group", "has_own_properties", "key")
    __test__ = False

    outcome = "passed"
    when = "call"
    longrepr = None

    def __init__(self, group: MatchGroup, match: Match) -> None:
        # Not pytest's constructor: what it keeps is made below when it is asked for.
        self.group = group
        self.key = match.key
        if match.id is None:
            self.nodeid = f"{group.node_id}::{match.key}"
        else:
            self._id = match.id
        self.start = match.start
        self.duration = match.seconds
        if match.keywords is not None:
            self.keywords = dict.fromkeys(match.keywords, 1)
        self.has_own_properties = match.properties is not None
        """True if its properties are not those that the group gives."""
        if match.properties is not None:
            self.user_properties = _pairs(match.properties)

    stop = _Made(lambda report: report.start + report.duration)
    location = _Made(
        lambda report: location_of(report.group.session_path, report.group.kind, report.key)
    )

    @cached_property
    def keywords(self) -> Mapping[str, Literal[1]]:  # type: ignore[override]  # as `stop`
        """The names of the item and of the nodes above it."""
        return dict.fromkeys((self.key, *self.group.keywords), 1)

    @cached_property
    def user_properties(self) -> list[Named]:  # type: ignore[override]  # as `stop`
        """The properties, those of the verdict among them."""
        return self.group.properties_of(self.key)

    @cached_property
    def sections(self) -> list[tuple[str, str]]:  # type: ignore[override]  # as `stop`
        """Captured output, of which there is none."""
        return []

    def as_plain(self) -> pytest.TestReport:
        """Return a report of pytest's own class that says the same."""
        more = {name: value for name, value in vars(self).items() if name not in _MADE}
        plain = pytest.TestReport(
            nodeid=self.nodeid,
            location=self.location,
            keywords=self.keywords,
            outcome=self.outcome,
            longrepr=self.longrepr,
            when=self.when,
            sections=self.sections,
            duration=self.duration,
            start=self.start,
            stop=self.stop,
            user_properties=self.user_properties,
        )
        vars(plain).update(more)
        return plain


_MADE: Final = frozenset({"location", "keywords", "user_properties", "sections", "stop"})
"""Attributes that are made when they are asked for."""


def location_of(session_path: str, kind: str, key: str) -> tuple[str, int | None, str]:
    """Return the place and the heading of an item, made safe: pytest shows both.

    The heading must not be the end of the node id, whose full stops pytest would then
    print as double colons.
    """
    return session_path, None, f"{kind} {key} ({session_path})"


def _pairs(properties: Sequence[Sequence[Any]]) -> list[Named]:
    """Return properties that JSON may have made lists of."""
    return [(name, value) for name, value in properties]


class WaitingMatches:
    """The matches of a worker that wait for a report to carry them, in their order."""

    def __init__(self) -> None:
        self._groups: dict[MatchGroup, int] = {}
        self._matches: list[tuple[int, Match]] = []

    def __bool__(self) -> bool:
        """True if a match waits."""
        return bool(self._matches)

    def add(self, group: MatchGroup, match: Match) -> None:
        """Keep a match until it is carried."""
        place = self._groups.setdefault(group, len(self._groups))
        self._matches.append((place, match._replace(id=None)))

    def taken(self) -> str:
        """Return all that wait as one text, empty for none; they wait no longer."""
        if not self._matches:
            return ""
        text = json.dumps([[group.to_json() for group in self._groups], self._matches])
        self._groups, self._matches = {}, []
        return text


def carried_reports(text: str) -> Iterator[MatchReport]:
    """Yield the reports of the matches that waited in another process."""
    groups, matches = json.loads(text)
    known = list(map(MatchGroup.from_json, groups))
    return (MatchReport(known[place], Match(*match)) for place, match in matches)
