"""Delivery by apprise: one URL a target, which no output and no error repeats."""

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from recon_core.audit.alerts.message import Message
from recon_core.audit.alerts.sent_alerts import News
from recon_core.audit.fields import rank_of
from recon_core.values.errors import ReconError
from recon_core.values.severity import Severity

if TYPE_CHECKING:
    import apprise

_STATUS: Final = re.compile(r"error=([0-9]{3})\b")
"""The status of an answer, all that is taken of a log of apprise: it may hold the URL."""


@dataclass(frozen=True, slots=True)
class Target:
    """One URL that is alerted, by the variable of the environment that holds it.

    `problem` says why nothing can be sent to it.
    """

    name: str
    url: str = field(repr=False)
    problem: str = ""


def require_apprise() -> None:
    """Raise `ReconError` where the library of the extra `alerts` is missing."""
    if find_spec("apprise") is None:
        raise ReconError(
            "alerts need apprise, which is not installed; pip install 'pytest-recon[alerts]'"
        )


def targets_of(
    variables: Sequence[str], environment: Mapping[str, str] = os.environ
) -> list[Target]:
    """Return the targets of some variables, usable or not; a second URL of one is `NAME#2`."""
    targets = []
    for variable in dict.fromkeys(variables):
        urls = environment.get(variable, "").split()
        if not urls:
            problem = "is not set; expected URLs of apprise in it"
            targets.append(Target(variable, "", problem))
        for number, url in enumerate(urls, start=1):
            name = variable if number == 1 else f"{variable}#{number}"
            with _heard():
                known = _sender().add(url)
            unknown = "is no URL that apprise knows; expected one such as slack://… or mailto://…"
            targets.append(Target(name, url, "" if known else unknown))
    return targets


def deliver(target: Target, message: Message, news: Sequence[News]) -> str:
    """Send a message; return what went wrong, empty where it was taken."""
    sender = _sender()
    with _heard() as records:
        try:
            sender.add(target.url)
            if sender.notify(message.body, message.title, _kind(news), body_format="text"):
                return ""
        except Exception as error:  # noqa: BLE001  # of a service; its text may hold the URL
            return f"was not delivered: {type(error).__name__}"
    statuses = [match[1] for record in records if (match := _STATUS.search(record))]
    return "was not delivered" + (f": answer {statuses[-1]}" if statuses else "")


def _sender() -> "apprise.Apprise":
    """Return a sender that names itself, and no picture of a third party."""
    import apprise  # noqa: PLC0415  # an extra

    asset = apprise.AppriseAsset(app_id="recon", app_desc="recon alert", image_url_mask="")
    return apprise.Apprise(asset=asset)


def _kind(news: Sequence[News]) -> str:
    """Return the kind of a message, which gives it its colour."""
    ranks = [rank_of(each.finding.severity) for each in news if not each.kind.ends]
    if not ranks:
        return "success"
    return "failure" if max(ranks) >= Severity.FAIL.rank else "warning"


class _Kept(logging.Handler):
    """Keeps what apprise logs."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.records.append(record.getMessage())


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Keep what apprise logs from the terminal: it names URLs."""
    logger, kept = logging.getLogger("apprise"), _Kept()
    before = logger.propagate, logger.handlers
    logger.propagate, logger.handlers = False, [kept]
    try:
        yield kept.records
    finally:
        logger.propagate, logger.handlers = before
