"""Times of a recording: RFC 3339 with an offset, kept in UTC.

Digits beyond the microsecond are cut; fills of one microsecond keep the order in
which they were given.
"""

import re
from datetime import UTC, datetime

from recon_core.values.errors import ReconError
from recon_core.values.printable import quoted

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time; raises `ReconError` where it has no offset or is none."""
    shown = quoted(text)
    match = _TIME.fullmatch(text)
    if match is None:
        raise ReconError(f"{shown} is not a time; expected RFC 3339 like 2026-01-01T12:00:00Z")
    if match[2] is None:
        raise ReconError(f"{shown} has no offset; expected one like 2026-01-01T12:00:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ReconError(f"{shown} is no time of the calendar; expected RFC 3339") from None


def format_time(time: datetime) -> str:
    """Print a time in UTC with `Z`, with microseconds only where it has some."""
    text = (time if time.tzinfo is UTC else time.astimezone(UTC)).isoformat()
    return f"{text[:-6]}Z"


def require_time(time: datetime, name: str) -> datetime:
    """Return `time` in UTC; raises `ReconError` for a naive one, and for what is no time."""
    if not isinstance(time, datetime):
        raise ReconError(f"{name}: {quoted(time)} is no time; expected an aware datetime")
    if time.tzinfo is None:
        raise ReconError(f"{name}: {time.isoformat()} has no offset; expected an aware datetime")
    return time.astimezone(UTC)
