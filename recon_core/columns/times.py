"""Times as columns have them: microseconds since 1970, in UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def time_text(microseconds: int) -> str:
    """Return a time as a file has it."""
    return time_of(microseconds).isoformat()


def time_of(microseconds: int) -> datetime:
    """Return a time of columns."""
    return _EPOCH + microseconds * _MICROSECOND


def microseconds_of(time: datetime) -> int:
    """Return a time as columns have it."""
    return (time - _EPOCH) // _MICROSECOND
