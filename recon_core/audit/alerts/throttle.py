"""News for a target: what is open now beside what it was sent.

A difference that it knows is news again only when its severity is higher, its delta is a tenth
larger or of the other sign, another cause is proven, or the interval is over and a new run has
it. An example: 5.00 EUR was sent; 5.40 is no news, 5.50 is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from recon_core.audit.alerts.open_findings import Finding, NewestRun, OpenFindings
from recon_core.audit.alerts.sent_alerts import News, NewsKind, Sent, SentAlerts
from recon_core.values.amounts import EXACT
from recon_core.values.severity import Severity

GROWTH: Final = Decimal("1.1")
"""Factor from which on a delta has grown: less is the noise of a position that is traded."""


@dataclass(frozen=True, slots=True)
class Throttle:
    """The lowest rank that is alerted, and the time after which what is open is said again."""

    lowest: Severity
    interval: timedelta
    now: datetime

    def news(self, target: str, found: OpenFindings, sent: SentAlerts) -> list[News]:
        """Return the news for a target, the most urgent first."""
        known = sent.known_to(target, found)
        news = [
            each
            for series, run in found.newest()
            for identity in dict.fromkeys(
                (*run.findings, *(key for of, key in known if of == series))
            )
            for each in self._of_one(run, identity, known.get((series, identity)))
        ]
        return sorted(news, key=_urgency)

    def _of_one(self, run: NewestRun, identity: str, sent: Sent | None) -> Iterator[News]:
        finding = run.findings.get(identity)
        if finding is not None and finding.rank >= self.lowest.rank:
            known = sent is not None and not sent.is_waived
            kind = self._again(finding, sent) if sent is not None and known else NewsKind.NEW
            if kind is not None:
                yield News(kind, finding)
        elif sent is not None and finding is not None:
            is_waived = finding.severity == Severity.WAIVED
            if not (is_waived and sent.is_waived):
                yield News(NewsKind.WAIVED if is_waived else NewsKind.LOWER, finding)
        elif sent is not None and run.is_complete:
            over = replace(sent.finding, run_id=run.run_id, session_id=run.session_id)
            yield News(NewsKind.RESOLVED, over)

    def _again(self, finding: Finding, sent: Sent) -> NewsKind | None:
        before = sent.finding
        if finding.rank > before.rank or _has_grown(finding.delta, before.delta):
            return NewsKind.GREW
        if finding.causes and finding.causes != before.causes:
            return NewsKind.CHANGED
        if _has_turned(finding.delta, before.delta):
            return NewsKind.CHANGED
        is_over = self.now - sent.time >= self.interval and finding.run_id != before.run_id
        return NewsKind.OPEN if is_over else None


def _has_grown(delta: Decimal | None, before: Decimal | None) -> bool:
    """True if a delta is a tenth larger than the one that was sent, or where none was."""
    if not delta:
        return False
    return not before or delta.copy_abs() >= EXACT.multiply(GROWTH, before.copy_abs())


def _has_turned(delta: Decimal | None, before: Decimal | None) -> bool:
    return bool(delta and before) and (delta > 0) != (before > 0)  # type: ignore[operator]  # both are amounts


_ORDER: Final = tuple(NewsKind)


def _urgency(news: News) -> tuple[bool, int, int, str, str]:
    finding = news.finding
    place = (str(finding.session_id or ""), finding.identity)
    return (news.kind.ends, -finding.rank, _ORDER.index(news.kind), *place)
