"""What holds for every format: clear samples, conversions, and files that are none of it.

A statement is the external side of a session whose ledger has the same rows; a recording has
both sides.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.sessions import read_session
from recon_core.sessions.formats.shipped import (
    recognised,
    sample_of,
    shipped_mapping,
    shipped_names,
    statement_session,
)
from recon_core.sessions.formats.table_source import mapped_tables, required_columns
from recon_core.sessions.native_text import session_text

from .recordings import DATA
from .refusals import refusal

LEAN = DATA / "lean" / "backtest_long"
BACKTEST = DATA / "freqtrade" / "bt_spot_ema" / "backtest-result-2026-11-22_14-02-45.zip"


def unpacked() -> bytes:
    """The plain JSON of a backtest, as older versions of freqtrade write it."""
    with zipfile.ZipFile(BACKTEST) as archive:
        return archive.read(f"{BACKTEST.stem}.json")


@dataclass(frozen=True, slots=True)
class Source:
    """A format with a good file of it, and files that lie beside; a statement has none."""

    name: str
    file: str
    content: bytes
    amount: tuple[str, str]
    """An amount in the file, as a text of it and the same with NaN."""
    beside: tuple[Path, ...] = ()
    is_statement: bool = False

    def placed(self, directory: Path, content: bytes | None = None) -> Path:
        """The path of a session that reads the file, or other bytes under its name."""
        good = directory / self.file
        good.write_bytes(self.content)
        for path in self.beside:
            (directory / path.name).write_bytes(path.read_bytes())
        ledger = self._ledger(good) if self.is_statement else {}
        if content is not None:
            good.write_bytes(content)
        if not self.is_statement:
            return good
        external = {"from": {"format": self.name, "path": self.file}}
        session = {"schema": "recon.session/1", "session_id": "s", "external": external}
        path = directory / "s.recon.json"
        path.write_text(json.dumps(session | {"internal": ledger}))
        return path

    def _ledger(self, path: Path) -> Any:
        side = json.loads(session_text(statement_session(path, self.name)))["external"]
        return side | {"source": "ledger"}

    @property
    def suffix(self) -> str:
        return Path(self.file).suffix


AMOUNTS = {
    "alpaca": ('"qty": "100"', '"qty": "NaN"'),
    "binance_futures_income": ('"250.00000000"', '"NaN"'),
    "binance_spot": ("142.50", "NaN"),
    "bitvavo": ("2510.5", "NaN"),
    "bybit": ('"2499.50"', '"NaN"'),
    "coinbase": ("0.02,", "NaN,"),
    "hummingbot": ("2511.25", "NaN"),
    "ibkr_flex": ('"48.25"', '"NaN"'),
    "ibkr_flex_csv": ('"48.25"', '"NaN"'),
    "kraken_ledgers": ("-240.0000", "NaN"),
    "kraken_trades": ("60000.00000", "NaN"),
    "okx": ('"60000.1"', '"NaN"'),
}
STATEMENTS = [
    Source(name, *sample_of(name), AMOUNTS[name], is_statement=True) for name in shipped_names()
]
RECORDINGS = [
    Source(
        "freqtrade", "backtest-result.json", unpacked(), ('"safe_price":1.3136', '"safe_price":NaN')
    ),
    Source(
        "lean",
        "1700000001.json",
        (LEAN / "1700000001.json").read_bytes(),
        ('"quantity": 100.0', '"quantity": NaN'),
        (LEAN / "1700000001-order-events.json",),
    ),
    Source(
        "lean events",
        "1700000001-order-events.json",
        (LEAN / "1700000001-order-events.json").read_bytes(),
        ('"fillPrice": 48.25', '"fillPrice": NaN'),
        (LEAN / "1700000001.json",),
    ),
]
SOURCES = [*STATEMENTS, *RECORDINGS]
every_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
every_statement = pytest.mark.parametrize("source", STATEMENTS, ids=lambda source: source.name)


def verdicts_of(reconciliation: Reconciliation) -> dict[str, str]:
    """The verdict of every comparison by its name."""
    return {one.comparison.identity: str(one.verdict) for one in reconciliation.judgements}


def worst(reconciliation: Reconciliation) -> set[str]:
    """Verdicts of all comparisons but the coverage of a statement that has states on no side."""
    found = verdicts_of(reconciliation)
    found.pop("session::coverage")
    return set(found.values())


@every_source
def test_a_sample_is_clear(tmp_path: Path, source: Source) -> None:
    """The file as it came blocks nothing."""
    assert worst(reconcile_session(source.placed(tmp_path))) <= {"match", "INFO"}


@every_source
def test_a_conversion_gives_equal_bytes_and_the_same_verdicts(
    tmp_path: Path, source: Source
) -> None:
    """Twice the same text, of a good session and of one with a fault on one side."""
    path = source.placed(tmp_path)
    if source.is_statement:
        document = json.loads(path.read_text())
        internal = document["internal"]
        internal["cash"] = [{"currency": "USD", "total": "5"}]
        internal.get("fills", [{}]).pop()
        faulty = tmp_path / "faulty.recon.json"
        faulty.write_text(json.dumps(document))
    else:
        old, _ = source.amount
        changed = source.content.replace(old.encode(), re.sub(r"\d", "9", old, count=1).encode(), 1)
        (tmp_path / "changed").mkdir()
        faulty = source.placed(tmp_path / "changed", changed)
    for one in (path, faulty):
        text = session_text(read_session(one))
        assert session_text(read_session(one)) == text
        written = tmp_path / "written.recon.json"
        written.write_text(text)
        found = reconcile_session(one)
        assert verdicts_of(reconcile_session(written)) == verdicts_of(found)
    assert set(verdicts_of(found).values()) & {"FAIL", "CRITICAL"}


def marked(source: Source) -> bytes:
    return b"\xef\xbb\xbf" + source.content


def not_a_number(source: Source) -> bytes:
    old, new = source.amount
    assert old in source.content.decode()
    return source.content.replace(old.encode(), new.encode(), 1)


def doubled(source: Source) -> bytes:
    """A name twice: in the header of a table, in an object, among the attributes of an element."""
    text = source.content.decode()
    if source.suffix == ".csv":
        name = max(required_columns(next(mapped_tables(shipped_mapping(source.name)))), key=len)
        lines = text.splitlines(keepends=True)
        header = next(place for place, line in enumerate(lines) if name in line)
        width = len(next(csv.reader([lines[header]])))
        cells = [(line.rstrip("\r\n"), len(next(csv.reader([line]), []))) for line in lines]
        extra = [name if place == header else "1" for place in range(len(lines))]
        return "".join(
            f"{line},{more}\n" if count == width else f"{line}\n"
            for (line, count), more in zip(cells, extra, strict=True)
        ).encode()
    pattern = r'\s(\w+="[^"]*")' if source.suffix == ".xml" else r'("\w+":\s*[^,{}\[\]]+),'
    found = [
        match for match in re.finditer(pattern, text) if "xml" not in text[: match.end()][-60:]
    ]
    last = found[-1]
    glue = " " if source.suffix == ".xml" else ", "
    return (text[: last.end(1)] + glue + last[1] + text[last.end(1) :]).encode()


MALFORMED: dict[str, Callable[[Source], bytes]] = {
    "empty": lambda _source: b"",
    "half": lambda source: source.content[: len(source.content) // 2],
    "wrong columns": lambda source: (
        b"a,b\n1,2\n" if source.suffix == ".csv" else
        b"<a><b c='1'/></a>" if source.suffix == ".xml" else b'{"a": [{"b": 1}]}'
    ),
    "binary": lambda _source: bytes(range(256)) * 4,
    "another encoding": lambda source: source.content.decode().encode("utf-16"),
    "an amount that is none": not_a_number,
    "a name twice": doubled,
    "a zip": lambda _source: BACKTEST.read_bytes(),
}  # fmt: skip


@pytest.mark.parametrize("make", MALFORMED.values(), ids=MALFORMED)
@every_source
def test_a_malformed_file_is_refused_in_one_line(
    tmp_path: Path, source: Source, make: Callable[[Source], bytes]
) -> None:
    """CRITICAL, one safe line that names the file."""
    assert source.file in refusal(source.placed(tmp_path, make(source)))


@every_source
def test_a_byte_order_mark(tmp_path: Path, source: Source) -> None:
    """A spreadsheet leaves one in a table, and no program in JSON; XML allows it."""
    path = source.placed(tmp_path, marked(source))
    if source.suffix == ".json":
        assert "starts with a UTF-8 byte order mark; expected plain UTF-8" in refusal(path)
    else:
        assert worst(reconcile_session(path)) <= {"match", "INFO"}


def without(source: Source, column: str) -> bytes:
    """The file without a column of its tables."""
    text = source.content.decode()
    if source.suffix == ".json":
        return json.dumps(_dropped(json.loads(text), column)).encode()
    if source.suffix == ".xml":
        return re.sub(rf'\s{column}="[^"]*"', "", text).encode()
    rows = list(csv.reader(io.StringIO(text)))
    header = next(row for row in rows if column in row)
    place = header.index(column)
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(
        row[:place] + row[place + 1 :] if len(row) == len(header) else row for row in rows
    )
    return written.getvalue().encode()


def _dropped(value: Any, column: str) -> Any:
    if isinstance(value, list):
        return [_dropped(one, column) for one in value]
    if isinstance(value, dict):
        return {key: _dropped(value[key], column) for key in value if key != column}
    return value


def misspelt(source: Source, column: str) -> bytes:
    """The file with a column under another name."""
    pattern = rf"(?<!\w){re.escape(column)}(?!\w)"
    return re.sub(pattern, f"{column[:-1]}qq", source.content.decode()).encode()


@pytest.mark.parametrize("change", [without, misspelt])
@every_statement
def test_a_file_without_a_column_is_near_to_its_format(
    tmp_path: Path, source: Source, change: Callable[[Source, str], bytes]
) -> None:
    """No format reads it; the nearest is its own, and the reason names the column."""
    tables = list(mapped_tables(shipped_mapping(source.name)))
    columns = {column for table in tables for column in required_columns(table)}
    assert columns
    path = tmp_path / source.file
    for column in sorted(columns):
        path.write_bytes(change(source, column))
        nearest = recognised(path)[0]
        assert nearest.name == source.name, column
        assert column in nearest.problem, (column, nearest.problem)
        assert nearest.problem.splitlines() == [nearest.problem]


@every_statement
def test_a_statement_that_is_named_as_a_session(tmp_path: Path, source: Source) -> None:
    """It is refused, and the line says how a statement is read."""
    source.placed(tmp_path)
    message = refusal(tmp_path / source.file)
    assert "a statement or a table is taken with from" in message
    assert f"recon formats {source.file} says if it is in a shipped format" in message


def test_a_zip_that_is_no_backtest(tmp_path: Path) -> None:
    """It is named as what it is."""
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ledgers.csv", "txid")
    assert "export.zip: is a zip without a backtest result" in refusal(path)
