"""Times of a recording: RFC 3339 with an offset, and nothing else."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.values.errors import ReconError
from recon_core.values.times import format_time, parse_time, require_time


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z"),
        ("2026-01-01t12:00:00z", "2026-01-01T12:00:00Z"),
        ("2026-01-01 12:00:00+00:00", "2026-01-01T12:00:00Z"),
        ("2026-01-01T13:30:00+01:30", "2026-01-01T12:00:00Z"),
        ("2025-12-31T19:00:00-05:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01T12:00:00.5Z", "2026-01-01T12:00:00.500000Z"),
        ("2026-01-01T12:00:00.123456Z", "2026-01-01T12:00:00.123456Z"),
        ("2026-01-01T12:00:00.123456789Z", "2026-01-01T12:00:00.123456Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_time_is_read_with_its_offset_and_kept_in_utc(text: str, shown: str) -> None:
    """Digits beyond the microsecond are cut."""
    time = parse_time(text)
    assert (time.tzinfo, format_time(time)) == (UTC, shown)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T12:00:00", "has no offset; expected one like 2026-01-01T12:00:00Z"),
        ("", "is not a time"),
        ("now", "is not a time"),
        ("2026-01-01", "is not a time"),
        ("12:00:00Z", "is not a time"),
        ("2026-01-01T12:00Z", "is not a time"),
        ("20260101T120000Z", "is not a time"),
        ("2026-W01-4T12:00:00Z", "is not a time"),
        ("2026-01-01T12:00:00,5Z", "is not a time"),
        ("2026-01-01T12:00:00.Z", "is not a time"),
        ("2026-01-01T12:00:00.1234567890Z", "is not a time"),
        ("2026-01-01T12:00:00+0100", "is not a time"),
        ("2026-01-01T12:00:00+01", "is not a time"),
        ("2026-01-01T12:00:00 Z", "is not a time"),
        (" 2026-01-01T12:00:00Z", "is not a time"),
        ("2026-01-01T12:00:00Z\n", "is not a time"),
        ("+2026-01-01T12:00:00Z", "is not a time"),
        ("٢٠٢٦-٠١-٠١T١٢:٠٠:٠٠Z", "is not a time"),
        ("1767268800", "is not a time"),
        ("20260918;085905", "is not a time"),
        ("2026-13-01T12:00:00Z", "is no time of the calendar"),
        ("2026-02-29T12:00:00Z", "is no time of the calendar"),
        ("2026-01-01T24:00:00Z", "is no time of the calendar"),
        ("2026-01-01T12:60:00Z", "is no time of the calendar"),
        ("2026-01-01T12:00:60Z", "is no time of the calendar"),
        ("2026-01-01T12:00:00+24:00", "is no time of the calendar"),
        ("0000-01-01T00:00:00Z", "is no time of the calendar"),
        ("0001-01-01T00:00:00+01:00", "is no time of the calendar"),
        ("9999-12-31T23:59:59-01:00", "is no time of the calendar"),
    ],
)
def test_what_is_no_time_is_refused(text: str, expected: str) -> None:
    """One line with the text, made safe, and what would be accepted."""
    with pytest.raises(ReconError, match=expected) as raised:
        parse_time(text)
    assert str(raised.value).isprintable()


AWARE = st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001  # hypothesis adds the zone
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours))),
)


@given(AWARE)
def test_a_time_survives_printing(time: datetime) -> None:
    """Whatever its offset, it is the same moment, printed in UTC."""
    text = format_time(time)
    assert text.endswith("Z")
    assert parse_time(text) == time
    assert parse_time(time.isoformat()) == time


def test_a_time_from_python_needs_an_offset() -> None:
    """Naive times are refused by the name of what they are for."""
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  # that is the point
    with pytest.raises(ReconError, match="as_of: 2026-01-01T00:00:00 has no offset"):
        require_time(naive, "as_of")
    berlin = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    assert require_time(berlin, "as_of") == datetime(2026, 1, 1, tzinfo=UTC)
