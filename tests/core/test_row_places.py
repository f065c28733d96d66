"""Lines of rows in the files of every format that has lines."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import SECTIONS, LedgerSide, RecordedSession, SideRecord
from recon_core.model.records import WHOLE_FILE
from recon_core.sessions import files, read_session
from recon_core.sessions.formats.shipped import sample_of, shipped_names, statement_session
from recon_core.sessions.places import RowPlaces

from .builders import document, write_session
from .mapped_tables import recorded, side_of
from .test_ccxt import balance, order, position, take, trade

ROOT = Path(__file__).parents[2]
RECORDINGS = (
    "examples/nautilus/recording/meta.json",
    "tests/data/engines/inverse/meta.json",
    "tests/data/nautilus/hedge_mode_ethperp/meta.json",
    "tests/data/nautilus/two_strategies_linear/meta.json",
)
FILLS = """[[fills]]
path = "{path}"
{more}
columns.fill_id = "id"
columns.symbol = "pair"
columns.side = "side"
columns.quantity = "amount"
columns.price = "price"
columns.time = "time"
"""
COLUMNS = ("id", "pair", "side", "amount", "price", "time", "note")


def row(number: int, note: str = "") -> dict[str, str]:
    """A row of a table in words of its own."""
    time = f"2026-01-01T09:0{number}:00Z"
    values = (f"t{number}", "BTC/EUR", "BUY", "0.01", "40000", time, note)
    return dict(zip(COLUMNS, values, strict=True))


def csv_text(*rows: dict[str, str], before: str = "") -> str:
    lines = [",".join(f'"{cell}"' for cell in each.values()) for each in rows]
    return "\n".join([before + ",".join(COLUMNS), *lines]) + "\n"


def located(record: SideRecord, section: str) -> dict[str, tuple[Path, int]]:
    """Where a side says that its rows are, the first of each name."""
    assert record.locator is not None
    found: dict[str, tuple[Path, int]] = {}
    for name, path, line in record.locator(section):
        found.setdefault(name, (path, line))
    return found


def names(record: SideRecord, section: str) -> list[str]:
    fields = ("fill_id", "order_id", "movement_id", "symbol", "currency")
    rows: Any = record.rows(section) or ()
    return [next(getattr(one, name) for name in fields if hasattr(one, name)) for one in rows]


def stated(recording: RecordedSession) -> Iterator[tuple[SideRecord, str]]:
    """The sections of a recording that its files state."""
    for record in recording.own_records().values():
        for section in SECTIONS:
            if record.rows(section) and section not in record.derived:
                yield record, section


def begins_at(path: Path, line: int, name: str) -> bool:
    """True if the row that begins in a line has its name, or is named by the line."""
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    text = "\n".join(lines[line - 1 : line + (0 if path.suffix == ".csv" else 12)])
    return name == f"row {line}" or name.partition(" fee")[0].rpartition("-")[2] in text


@pytest.mark.parametrize("name", RECORDINGS)
def test_rows_of_a_recording_have_their_lines(name: str) -> None:
    """Each row of each section that the reports state, in its report."""
    recording = read_session(ROOT / name)
    sections = 0
    for record, section in stated(recording):
        found = located(record, section)
        assert set(names(record, section)) <= found.keys(), section
        assert all(begins_at(*found[each], each) for each in names(record, section)), section
        sections += 1
    assert sections >= 3


def test_rows_of_a_lean_result_have_their_lines() -> None:
    """Fills in the file of the order events, orders in the result."""
    recording = read_session(ROOT / "tests/data/lean/backtest_long/1700000001.json")
    for record, section in stated(recording):
        if section in ("fills", "orders"):
            found = located(record, section)
            assert set(names(record, section)) <= found.keys(), section
            assert all(begins_at(*found[each], each) for each in names(record, section))
            assert {path.name.endswith("events.json") for path, _ in found.values()} == {
                section == "fills"
            }


@pytest.mark.parametrize("name", shipped_names())
def test_rows_of_a_statement_have_their_lines(tmp_path: Path, name: str) -> None:
    """Of every shipped format, CSV, JSON and XML."""
    file, data = sample_of(name)
    (tmp_path / file).write_bytes(data)
    recording = statement_session(tmp_path / file, name)
    lines = data.decode("utf-8-sig").count("\n") + 1
    for record, section in stated(recording):
        found = located(record, section)
        assert set(names(record, section)) <= found.keys(), section
        assert all(1 < line <= lines for _, line in found.values())
        exact = [each for each in found if begins_at(*found[each], each)]
        assert len(exact) >= len(found) - 1, found  # a joined row is named in one of its two lines


def test_ccxt_results_have_lines(tmp_path: Path) -> None:
    """Each in the file of its call, an order by either of its ids."""
    results = (balance(), [position()], [trade(), trade(id="t2")], [order(), order(id="o2")])
    record = take(tmp_path, *(json.dumps(each, indent=1) for each in results))
    for section, number, wanted in (
        ("cash", 0, {"USDT", "ETH"}),
        ("positions", 1, {"BTC/USDT:USDT"}),
        ("fills", 2, {"t1", "t2"}),
        ("orders", 3, {"o1", "o2", "c1"}),
    ):
        found = located(record, section)
        assert found.keys() == wanted
        assert {path.name for path, _ in found.values()} == {f"{number}.json"}
        assert all(begins_at(path, line, name) for name, (path, line) in found.items())
    assert located(record, "fills")["t2"][1] > located(record, "fills")["t1"][1]


def test_a_further_fee_of_ccxt_is_in_its_trade(tmp_path: Path) -> None:
    """It is a movement of ours, and no row of its own."""
    fees = [{"cost": 0.1, "currency": "BNB"}, {"cost": 0.2, "currency": "USDT"}]
    record = take(tmp_path, json.dumps([trade(), trade(id="t2", fee=None, fees=fees)], indent=1))
    (name,) = names(record, "movements")
    assert located(record, "movements")[name] == located(record, "fills")["t2"]


TABLES = {
    "csv": ("t_csv", csv_text(row(1), row(2), row(3)), "", [2, 3, 4]),
    "line breaks between quotation marks": (
        "t_csv",
        csv_text(row(1, "a\nb"), row(2, "c\r\nd\n\ne"), row(3)),
        "",
        [2, 4, 8],
    ),
    "lines before the header": (
        "t_csv",
        csv_text(row(1), row(2), row(3), before="Statement\nof,the desk\n\n"),
        "",
        [5, 6, 7],
    ),
    "json lines": (
        "t_jsonl",
        "".join(f"{json.dumps(row(n))}\n" for n in (1, 2)) + f"\n{json.dumps(row(3))}\n",
        "",
        [1, 2, 4],
    ),
    "json": ("t_json", json.dumps([row(1), row(2), row(3)], indent=1), "", [2, 11, 20]),
    "json at a place": (
        "t_json",
        json.dumps({"a": [row(4)], "b": {"c": [row(1), row(2), row(3)]}}),
        'at = "/b/c"',
        [1, 1, 1],
    ),
    "json on lines of its own": (
        "t_json",
        '{"x": [\n\n' + ",\n".join(json.dumps(row(n)) for n in (1, 2, 3)) + "\n]}",
        'at = "/x"',
        [3, 4, 5],
    ),
}
"""Tables by how they are written: file, text, more of the mapping, lines of the three rows."""


@pytest.mark.parametrize("name", TABLES)
def test_lines_are_those_of_an_editor(tmp_path: Path, name: str) -> None:
    """Counted from 1, the header and every line break included."""
    file, text, more, lines = TABLES[name]
    head = 'file.header = "found"\n' if "before" in name else ""
    mapping = head + FILLS.format(path=file.replace("_", "."), more=more)
    found = located(side_of(tmp_path, mapping, **{file: text}), "fills")
    assert [line for _, line in found.values()] == lines
    assert list(found) == ["t1", "t2", "t3"]


def places_of_fills(directory: Path) -> set[tuple[str, int]]:
    """Where the fills are that the mapped side has and the other has not."""
    reconciliation = reconcile_session(write_session(directory, FILLS_ON_ONE_SIDE))
    found = (reconciliation.placed(each).diff for each in reconciliation.judgements)
    diffs = [each for each in found if each is not None and each.diff_type == "FILL"]
    assert diffs
    return {(place.file, place.line) for each in diffs for place in each.places}


FILLS_ON_ONE_SIDE = document(
    internal={"from": {"format": "table", "path": "map.toml"}},
    external={"as_of": "2026-01-02T00:00:00Z", "fills": []},
)


def test_a_finding_points_to_the_row_of_its_mapping(tmp_path: Path) -> None:
    """Seen from the session, also where the table lies deeper."""
    (tmp_path / "deep").mkdir()
    table = {"deep/t_csv": csv_text(row(1), row(2, "a\nb"), row(3))}
    recorded(tmp_path, FILLS.format(path="deep/t.csv", more=""), **table)
    assert places_of_fills(tmp_path) == {("deep/t.csv", 2), ("deep/t.csv", 3), ("deep/t.csv", 5)}


def test_rows_of_parquet_point_to_their_file(tmp_path: Path) -> None:
    """It has no lines; an annotation is at its first."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = {name: [str(row(n)[name]) for n in (1, 2)] for name in COLUMNS}
    parquet.write_table(pyarrow.table(table), tmp_path / "t.parquet")
    side = side_of(tmp_path, FILLS.format(path="t.parquet", more=""))
    assert located(side, "fills") == {WHOLE_FILE: (tmp_path / "t.parquet", 1)}
    assert places_of_fills(tmp_path) == {("t.parquet", 1)}


def test_a_parquet_table_beside_a_session_is_pointed_to(tmp_path: Path) -> None:
    """It is no table of a mapping, and has no lines either."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    fields = ("fill_id", "symbol", "side", "quantity", "price", "time")
    table = {field: [row(1)[name]] for field, name in zip(fields, COLUMNS, strict=False)}
    parquet.write_table(pyarrow.table(table), tmp_path / "t.parquet")
    sides = {
        "internal": {"as_of": "2026-01-02T00:00:00Z", "fills": {"path": "t.parquet"}},
        "external": {"as_of": "2026-01-02T00:00:00Z", "fills": []},
    }
    reconciliation = reconcile_session(write_session(tmp_path, document(**sides)))
    found = [reconciliation.placed(each).diff for each in reconciliation.judgements]
    (diff,) = (each for each in found if each is not None and each.diff_type == "FILL")
    assert [(place.file, place.line) for place in diff.places] == [("t.parquet", 1)]


def test_what_was_replayed_has_no_line() -> None:
    """The positions report is the exchange's, and the ledger's position is the sum of its fills."""
    recording = read_session(ROOT / RECORDINGS[0])
    reconciliation = reconcile_session(ROOT / RECORDINGS[0])
    (comparison,) = (one for one in reconciliation.comparisons if one.item_kind == "position")
    sides = [one.side for one in RowPlaces(reconciliation.recorded).of(comparison)]
    assert recording.internal is not None
    assert sides == [LedgerSide.EXTERNAL]


def test_a_clear_session_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read again only where something differs."""
    read: list[str] = []
    original = files.read_bytes

    def counting(path: Path, *limit: Any) -> bytes:
        read.append(path.name)
        return original(path, *limit)

    monkeypatch.setattr(files, "read_bytes", counting)
    shutil.copytree(ROOT / "examples/nautilus/recording", tmp_path / "recording")
    reconciliation = reconcile_session(tmp_path / "recording" / "meta.json")
    for judgement in reconciliation.judgements:
        reconciliation.placed(judgement)
    assert reconciliation.diffs == []
    tables = [name for name in read if name.endswith(".csv")]
    assert len(tables) == len(set(tables)) == 4


@pytest.mark.parametrize("text", ["id", "a,b\n1,2\n", csv_text(row(4)), None])
def test_a_file_that_changed_gives_no_error(tmp_path: Path, text: str | None) -> None:
    """The verdict stays, and a row that is not found any more has no line."""
    recorded(tmp_path, FILLS.format(path="t.csv", more=""), t_csv=csv_text(row(1)))
    reconciliation = reconcile_session(write_session(tmp_path, FILLS_ON_ONE_SIDE))
    judgements = reconciliation.judgements
    (tmp_path / "t.csv").unlink()
    if text is not None:
        (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    found = [reconciliation.placed(each).diff for each in judgements]
    assert [each.places for each in found if each is not None and each.diff_type == "FILL"] == [()]
