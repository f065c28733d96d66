"""Sending what is news to every target, one sender at a time, and recording it in the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recon_core.audit.alerts.delivery import Target, deliver
from recon_core.audit.alerts.message import Message, message_of
from recon_core.audit.alerts.open_findings import OpenFindings
from recon_core.audit.alerts.sent_alerts import Fate, News, SentAlerts, alert_entry
from recon_core.audit.alerts.throttle import Throttle
from recon_core.audit.entries import plain
from recon_core.audit.entry_source import open_source
from recon_core.audit.filters import Filters
from recon_core.audit.log import AuditLog
from recon_core.audit.log_lock import locked
from recon_core.audit.runs import Trail

_PATIENCE: Final = 120.0
"""Seconds that a sender waits for another one: apprise gives up on a target after some."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The news for a target, and what went wrong with them, if anything did."""

    target: str
    news: Sequence[News]
    problem: str = ""

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON, amounts as text."""
        items = [plain(each.to_dict(), "items") for each in self.news]
        return {"target": self.target, "problem": self.problem, "items": items}


@dataclass(frozen=True, slots=True)
class Alerting:
    """The making of alerts: when something is news, who answers, and where the report is."""

    throttle: Throttle
    owner: str = ""
    report: str = ""

    def send(self, path: Path, targets: Sequence[Target]) -> list[Outcome]:
        """Send its news to every target, one that has a problem left out; raises `AuditError`."""
        with locked(Path(f"{path}.alerts"), _PATIENCE):
            found, sent = read_alerts(path)
            log = AuditLog(path)
            return [self._send_one(log, target, found, sent) for target in targets]

    def outlook(self, path: Path, targets: Sequence[str]) -> list[Outcome]:
        """Return what would be sent to some targets; nothing is sent or recorded."""
        found, sent = read_alerts(path)
        return [Outcome(name, self.throttle.news(name, found, sent)) for name in targets]

    def message(self, news: Sequence[News], *, may_repeat: bool = False) -> Message:
        """Return the message of some news."""
        return message_of(news, owner=self.owner, report=self.report, may_repeat=may_repeat)

    def _send_one(
        self, log: AuditLog, target: Target, found: OpenFindings, sent: SentAlerts
    ) -> Outcome:
        if target.problem:
            return Outcome(target.name, (), target.problem)
        news = self.throttle.news(target.name, found, sent)
        if not news:
            return Outcome(target.name, news)
        message = self.message(news, may_repeat=target.name in sent.unknown)
        log.append(alert_entry(target.name, Fate.SENDING))
        problem = deliver(target, message, news)
        fate = Fate.FAILED if problem else Fate.DELIVERED
        log.append(alert_entry(target.name, fate, news, problem))
        return Outcome(target.name, news, problem)


def read_alerts(path: Path) -> tuple[OpenFindings, SentAlerts]:
    """Read what a log has open and what was sent; raises `AuditError`."""
    found, sent = OpenFindings(), SentAlerts()
    trail = Trail(Filters(), found)
    with open_source(path) as reading, reading.refusals():
        for entry in reading:
            trail.take(entry)
            sent.take(entry)
        trail.close()
    return found, sent
