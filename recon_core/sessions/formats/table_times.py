"""Times of the cells of a table: ISO 8601, patterns, counts since 1970, and time zones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from recon_core.values.amounts import parse_amount
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable, quoted
from recon_core.values.times import format_time

_UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ISO: Final = "iso"
_MIDNIGHT: Final = time(0)
_TWO: Final = 2
"""Times from which on it says something that all of them are midnight."""


@dataclass(slots=True)
class Clock:
    """Reader of times that remembers if all of them were midnight."""

    formats: Sequence[str]
    zone: ZoneInfo | None
    count: int = 0
    midnights: int = 0

    @property
    def only_midnights(self) -> bool:
        """True if every time of several was midnight where it was written."""
        return self.count == self.midnights >= _TWO

    def text(self, cell: str, formats: Sequence[str] | None, zone: ZoneInfo | None) -> str:
        """Return a cell as RFC 3339; `formats` and `zone` are the column's own. Raises."""
        moment = _moment(cell, formats or self.formats)
        self.count += 1
        self.midnights += moment.time() == _MIDNIGHT
        try:
            return format_time(_aware(moment, cell, zone or self.zone))
        except OverflowError:
            raise SessionError(f"{quoted(cell)} is no time of the calendar") from None


def _moment(text: str, formats: Sequence[str]) -> datetime:
    for pattern in formats:
        try:
            if pattern in _UNITS:
                since = Fraction(parse_amount(text)) * 10**6 / _UNITS[pattern]
                return _EPOCH + timedelta(microseconds=int(since))
            if pattern == _ISO:
                return datetime.fromisoformat(text)
            return datetime.strptime(text, pattern)  # noqa: DTZ007  # the zone comes next
        except (ArithmeticError, ValueError, re.error):
            continue
    wanted = " or ".join("ISO 8601" if one == _ISO else quoted(one) for one in formats)
    raise SessionError(f"{quoted(text)} is no time; expected {wanted}")


def _aware(moment: datetime, text: str, zone: ZoneInfo | None) -> datetime:
    """The moment with an offset; a local time that the clocks show twice or never is refused."""
    if moment.tzinfo is not None:
        return moment
    if zone is None:
        raise SessionError(f"{quoted(text)} has no offset; expected one, or a timezone")
    local = moment.replace(tzinfo=zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise SessionError(f"{quoted(text)} is no single moment in {printable(zone.key, 60)}")
    return local


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name; raises `SessionError` for what is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        shown = quoted(name)
        raise SessionError(f"timezone: {shown} is not known; expected a name like UTC") from None
