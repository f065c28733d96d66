"""The memory of what a target was sent: the RECON_ALERT entries of a log.

An entry is written before a message is sent and one when its fate is known. Where the second is
missing, the sender was stopped in between: nobody knows whether the message arrived, so that it
is sent again, and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from recon_core.audit.alerts.open_findings import Finding, OpenFindings, Series
from recon_core.audit.entries import LedgerEntry
from recon_core.audit.fields import Entry, utc_time
from recon_core.values.errors import AuditError

ALERT: Final = "RECON_ALERT"
"""The event type of an entry about a message."""


class Fate(StrEnum):
    """Fate of a message."""

    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


class NewsKind(StrEnum):
    """News of a difference since the last message to a target, the most urgent first."""

    NEW = "new"
    GREW = "grew"
    CHANGED = "changed"
    OPEN = "still open"
    LOWER = "lower"
    WAIVED = "waived"
    RESOLVED = "resolved"

    @property
    def ends(self) -> bool:
        """True if the difference is not open any more for those who are alerted."""
        return self in (NewsKind.LOWER, NewsKind.WAIVED, NewsKind.RESOLVED)


@dataclass(frozen=True, slots=True)
class News:
    """News of one finding: as it is now, or as it was last where it is over."""

    kind: NewsKind
    finding: Finding

    def to_dict(self) -> dict[str, object]:
        """Plain data for an entry and for JSON; a text that another run repeats is left out."""
        found = self.finding
        return {
            "news": str(self.kind),
            "strategy_id": found.strategy_id,
            "session_id": found.session_id,
            "key": found.identity,
            "run_id": found.run_id,
            "severity": found.severity,
            "delta": found.delta,
            "unit": found.unit,
            "causes": list(found.causes),
            "owner": found.owner,
        }


@dataclass(frozen=True, slots=True)
class Sent:
    """A finding as a target knows it, since `time`, covered by a waiver or not."""

    finding: Finding
    time: datetime
    is_waived: bool = False


@dataclass(slots=True)
class SentAlerts:
    """Takes the alerts of a log in their order.

    `unknown` are the targets whose last message may have arrived or not.
    """

    unknown: set[str] = field(default_factory=set)
    _delivered: dict[str, list[tuple[News, datetime]]] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Take an entry of any type; what is no alert of ours is passed over."""
        details = entry["details"]
        target, fate, items = (details.get(name) for name in ("target", "fate", "items"))
        if entry["event_type"] != ALERT or not isinstance(target, str):
            return
        if fate == Fate.SENDING:
            self.unknown.add(target)
            return
        self.unknown.discard(target)
        if fate == Fate.DELIVERED and isinstance(items, list):
            time = utc_time(entry["timestamp"])
            self._delivered.setdefault(target, []).extend((_news(item), time) for item in items)

    def known_to(self, target: str, found: OpenFindings) -> dict[tuple[Series, str], Sent]:
        """Return what a target takes for open or waived, by series and identity."""
        known: dict[tuple[Series, str], Sent] = {}
        for news, time in self._delivered.get(target, ()):
            finding = news.finding
            series = found.series_of(finding.strategy_id, finding.session_id)
            is_waived = news.kind is NewsKind.WAIVED
            if news.kind.ends and not is_waived:
                known.pop((series, finding.identity), None)
            else:
                known[series, finding.identity] = Sent(finding, time, is_waived)
        return known


def alert_entry(
    target: str, fate: Fate, news: Sequence[News] = (), problem: str = ""
) -> LedgerEntry:
    """Return the entry about a message; `problem` says why it was not delivered."""
    details: dict[str, object] = {"target": target, "fate": str(fate)}
    details |= {"items": [each.to_dict() for each in news]} if news else {}
    details |= {"problem": problem} if problem else {}
    return LedgerEntry(ALERT, details)


def _news(item: Mapping[str, Any]) -> News:
    try:
        names = ("strategy_id", "session_id", "key", "run_id", "severity")
        ids = [None if item[name] is None else str(item[name]) for name in names]
        delta = None if item["delta"] is None else Decimal(item["delta"])
        causes = tuple(map(str, item["causes"]))
        rest = (str(item["unit"]), causes, str(item["owner"]), "")
        strategy, session, key, run, severity = ids
        finding = Finding(strategy, session, str(key), str(run), str(severity), delta, *rest)
        return News(NewsKind(item["news"]), finding)
    except (LookupError, TypeError, ValueError, InvalidOperation):
        raise AuditError("items: is not as recon alert writes it; expected another form") from None
