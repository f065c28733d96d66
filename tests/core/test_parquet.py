"""Parquet tables: every value as the text that a session file would have."""

import builtins
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recon_core.model import RecordedSession
from recon_core.sessions import parquet, read_session
from recon_core.values.errors import SessionError
from recon_core.values.limits import limits_in_force

from .builders import AS_OF_TEXT, document, write_session
from .refusals import refusal

TIME = datetime(2026, 1, 1, 10, tzinfo=UTC)
ROW: dict[str, Any] = {
    "fill_id": pa.array(["f1"]),
    "symbol": pa.array(["BTC/EUR"]).dictionary_encode(),
    "side": pa.array(["BUY"]),
    "quantity": pa.array([Decimal("0.10")], pa.decimal128(10, 2)),
    "price": pa.array([42000], pa.int64()),
    "fee": pa.array([None], pa.string()),
    "time": pa.array([TIME], pa.timestamp("us", "UTC")),
}


def packed(**changes: Any) -> bytes:
    columns = {name: column for name, column in {**ROW, **changes}.items() if column is not None}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def session(directory: Path, data: bytes, numbers: str = "decimal") -> Path:
    (directory / "t.parquet").write_bytes(data)
    side = {"as_of": AS_OF_TEXT, "numbers": numbers, "fills": {"path": "t.parquet"}}
    return write_session(directory, document(internal=side))


def fill_of(recorded: RecordedSession) -> Any:
    assert recorded.internal is not None
    return (recorded.internal.fills or ())[0]


def test_a_table_beside_the_file(tmp_path: Path) -> None:
    """Text, decimals, integers and times come as they are; a null is absent."""
    recorded = read_session(session(tmp_path, packed()))
    fill = fill_of(recorded)
    assert (fill.fill_id, fill.symbol, str(fill.side)) == ("f1", "BTC/EUR", "BUY")
    assert (str(fill.quantity), str(fill.price), fill.fee) == ("0.10", "42000", 0)
    assert fill.time == TIME
    assert [file.name for file in recorded.inputs] == ["bad.recon.json", "t.parquet"]


@pytest.mark.parametrize(
    "time",
    [
        pa.array([TIME], pa.timestamp("s", "UTC")),
        pa.array([TIME], pa.timestamp("ms", "America/New_York")),
        pa.array([1767261600000000999], pa.timestamp("ns", "UTC")),
        pa.array(["2026-01-01T11:00:00+01:00"], pa.large_string()),
    ],
)
def test_times_of_every_unit(tmp_path: Path, time: pa.Array) -> None:
    """In UTC; digits beyond the microsecond are cut."""
    assert fill_of(read_session(session(tmp_path, packed(time=time)))).time == TIME


def test_floats_are_for_sides_that_say_so(tmp_path: Path) -> None:
    """A column of doubles is no exact amount; a float side takes its shortest text."""
    data = packed(quantity=pa.array([0.1]), fee=pa.array([float("nan")]))
    assert (
        "internal.fills: t.parquet: column 'quantity': holds binary floats; expected text or "
        'decimals, or a side with "numbers": "float"'
    ) in refusal(session(tmp_path, data))
    fill = fill_of(read_session(session(tmp_path, data, "float")))
    assert (str(fill.quantity), fill.fee) == ("0.1", 0)


def test_a_table_as_the_text_that_csv_would_have(tmp_path: Path) -> None:
    """For recordings that may be either; a float says that it is one."""
    path = tmp_path / "t.parquet"
    path.write_bytes(packed(price=pa.array([0.5]), __index_level_0__=pa.array([3])))
    rows, evidence = parquet.parquet_rows(path)
    assert rows == [
        {
            "fill_id": "f1",
            "symbol": "BTC/EUR",
            "side": "BUY",
            "quantity": "0.10",
            "price": "float 0.5",
            "fee": "",
            "time": "2026-01-01T10:00:00+00:00",
            "": "3",
        }
    ]
    assert evidence.name == "t.parquet"


def test_a_value_that_is_refused_as_text_too(tmp_path: Path) -> None:
    """The same line where a recording may be CSV or Parquet."""
    path = tmp_path / "t.parquet"
    path.write_bytes(packed(time=pa.array([2**61], pa.timestamp("ms"))))
    with pytest.raises(SessionError, match=r"^t\.parquet: column 'time': holds a value of type"):
        parquet.parquet_rows(path)


BAD = {
    "no Parquet": (b"PAR1 nothing PAR1", "is not Parquet"),
    "empty": (b"", "is not Parquet"),
    "cut off": (packed()[:-20], "is not Parquet"),
    "bytes": (packed(fill_id=pa.array([b"f1"])), "column 'fill_id': has type binary; expected"),
    "a list": (packed(price=pa.array([[1]])), "column 'price': has type list<"),
    "a time without offset": (
        packed(time=pa.array([TIME.replace(tzinfo=None)])),
        "'2026-01-01T10:00:00' has no offset",
    ),
    "a time that no clock shows": (
        packed(time=pa.array([2**61], pa.timestamp("ms"))),
        "column 'time': holds a value of type timestamp[ms] that cannot be taken over",
    ),
    "a time in no known zone": (
        packed(time=pa.array([0], pa.timestamp("ms", "Mars/Base"))),
        "column 'time': holds a value of type timestamp[ms, tz=Mars/Base] that cannot be",
    ),
    "infinity": (packed(price=pa.array([float("inf")])), "'inf' is not a finite number"),
    "a field": (packed(quantity=pa.array([-1])), "[0].quantity: -1; expected an amount above 0"),
    "no field": (packed(symbol=None), "[0].symbol: is missing"),
    "an unknown field": (packed(note=pa.array(["x"])), "column 'note' is no field"),
}


@pytest.mark.parametrize(("data", "expected"), BAD.values(), ids=BAD)
def test_a_table_that_is_refused(tmp_path: Path, data: bytes, expected: str) -> None:
    """One line that names the table and the column."""
    numbers = "float" if "finite" in expected else "decimal"
    message = refusal(session(tmp_path, data, numbers))
    assert "internal.fills: " in message
    assert "t.parquet: " in message
    assert expected in message


def test_a_huge_table_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A million equal values take no space in the file."""
    data = packed(**{name: pa.array(["x"] * 200_000) for name in ROW})
    assert len(data) < 20_000
    with limits_in_force({"table_values": 1_000_000}):
        message = refusal(session(tmp_path, data))
    assert "t.parquet: has 1400000 values; expected at most 1000000" in message


@pytest.mark.parametrize(("limit", "is_refused"), [(250, True), (5000, False)])
def test_the_columns_of_a_table_count_together(
    tmp_path: Path, limit: int, *, is_refused: bool
) -> None:
    """Seven columns of less than 100 bytes each, and of texts of less than 20 together."""
    path = session(tmp_path, packed())
    with limits_in_force({"parquet_bytes": limit, "parquet_column_bytes": 100}):
        if is_refused:
            assert f"bytes; expected at most {limit}" in refusal(path)
        else:
            assert fill_of(read_session(path)).fill_id == "f1"


def test_without_pyarrow_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is for those who need it."""
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SessionError, match=r"^t: reading Parquet needs pyarrow; install"):
        parquet.parquet_table(b"", "t", floats=False)
