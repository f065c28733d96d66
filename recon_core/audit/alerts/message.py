"""The text of an alert: news first, a line each, then whom to ask and where to look."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from recon_core.audit.alerts.sent_alerts import News, NewsKind
from recon_core.values.amounts import format_amount
from recon_core.values.printable import printable

_MOST: Final = 20
"""News that a message lists: a phone shows no more; the report has all."""
_REPEATED: Final = "This may repeat a message: the sender before was stopped while it sent one."


@dataclass(frozen=True, slots=True)
class Message:
    """A title and a body, plain text."""

    title: str
    body: str


def message_of(
    news: Sequence[News], *, owner: str = "", report: str = "", may_repeat: bool = False
) -> Message:
    """Return the message of some news, the most urgent first.

    `owner` answers for what no waiver names an owner of; `report` is where the report is.
    """
    lines = [_line(each, owner) for each in news[:_MOST]]
    lines += [f"and {len(news) - _MOST} more"] if len(news) > _MOST else []
    lines += [f"report: {printable(report, 1000)}"] if report else []
    lines += [_REPEATED] if may_repeat else []
    return Message(f"recon: {counted_news(news)}", "\n".join(lines))


def counted_news(news: Sequence[News]) -> str:
    """`2 new, 1 resolved`."""
    counts = Counter(each.kind for each in news)
    return ", ".join(f"{counts[kind]} {kind}" for kind in NewsKind if counts[kind])


def _line(news: News, owner: str) -> str:
    """`new FAIL day cash EUR +5.00 EUR: a fee of 5.00 EUR is missing (owner ops@desk)`."""
    found = news.finding
    kind, _, key = found.identity.partition("::")
    where = f"{printable(found.session_id or found.strategy_id, 60)} {kind} {printable(key, 60)}"
    whose = found.owner or owner
    owned = f" (owner {printable(whose, 100)})" if whose else ""
    if news.kind.ends:
        severity = f", now {found.severity}" if news.kind is NewsKind.LOWER else ""
        return f"{news.kind} {where}{severity}{owned}"
    text = f": {printable(found.text, 300)}" if found.text else ""
    return f"{news.kind} {printable(found.severity)} {where}{_figure(news)}{text}{owned}"


def _figure(news: News) -> str:
    delta = news.finding.delta
    if not delta:
        return ""
    sign = "+" if delta > 0 else ""
    return f" {sign}{format_amount(delta)} {printable(news.finding.unit, 60)}".rstrip()
