"""`recon repair`: a list of correcting entries that only grows, and what it refuses."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain import apply_entries
from recon_core.explain.repair.repair_file import read_repair

from .conftest import EXAMPLES, Recon, write_session

SESSIONS = EXAMPLES / "explain"
NAMES = ("lost_fill", "double_fee", "stale_exchange")


def session(name: str) -> Path:
    """An example session with a fault."""
    return SESSIONS / f"{name}.recon.json"


def fills_session(path: Path, **changes: Any) -> Path:
    """A ledger without its second of three fills, against an exchange that has all of them."""
    rows = [
        fill("f1", "BUY", "1", "100"),
        {**fill("f2", "SELL", "0.5", "110"), **changes},
        fill("f3", "BUY", "0.25", "90"),
    ]
    opening = {"as_of": "2026-01-01T00:00:00Z", "cash": {"EUR": "1000"}}
    side = {"as_of": "2026-01-01T12:00:00Z", "opening": opening}
    spot = {"kind": "spot", "base": "A", "quote": "EUR"}
    return write_session(
        path,
        instruments={"A/EUR": spot},
        internal={**side, "fills": [rows[0], rows[2]]},
        external={**side, "fills": rows},
    )


def fill(fill_id: str, side: str, quantity: str, price: str) -> dict[str, str]:
    minute = fill_id[1:]
    trade = {"symbol": "A/EUR", "side": side, "quantity": quantity, "price": price}
    return {"fill_id": fill_id, "time": f"2026-01-01T11:0{minute}:00Z", **trade}


@pytest.mark.parametrize("name", NAMES)
def test_the_entries_repair_the_session(recon: Recon, directory: Path, name: str) -> None:
    """Applied to a copy every diff is gone, and applied again nothing changes."""
    assert recon("repair", session(name), "-o", "repair.json", "--repair-exchange").code == 0
    entries = read_repair(directory / "repair.json")
    before = reconcile_session(session(name))
    repaired = apply_entries(before.recorded, entries)
    assert apply_entries(repaired, entries) == repaired
    after = Reconciliation(repaired, before.policy)
    assert after.diffs == []
    assert {answer for entry in entries for answer in entry.answers} == {
        diff.diff_id for diff in before.diffs
    }


def test_what_an_entry_says(recon: Recon, directory: Path) -> None:
    """An id, what to do with which row of which side, why, and the diffs it answers."""
    answer = recon("repair", session("lost_fill"), "-o", "repair.json")
    assert answer.lines[0] == "repair.json: 1 entry written"
    assert answer.lines[1].startswith("  ledger: add fill repair-fill-")
    document = json.loads((directory / "repair.json").read_text())
    assert document["schema"] == "recon.repair/1"
    (entry,) = document["entries"]
    assert entry["entry_id"].startswith("repair-")
    assert (entry["session_id"], entry["side"], entry["action"]) == (
        "lost_fill", "internal", "add_fill",
    )  # fmt: skip
    assert entry["row"]["price"] == "42032.61"
    assert entry["reason"].startswith("the internal side lacks a fill")
    assert len(entry["answers"]) == 3
    Draft202012Validator(recon("schema", "repair").json).validate(document)


@pytest.mark.parametrize("name", NAMES)
def test_twice_is_once(recon: Recon, directory: Path, name: str) -> None:
    """The same bytes, also in another file, and the second run says so."""
    assert recon("repair", session(name), "-o", "repair.json", "--repair-exchange").code == 0
    first = (directory / "repair.json").read_bytes()
    again = recon("repair", session(name), "-o", "repair.json", "--repair-exchange")
    assert again.code == 0
    assert "0 entries written, " in again.lines[0]
    assert (directory / "repair.json").read_bytes() == first
    recon("repair", session(name), "-o", "other.json", "--repair-exchange")
    assert (directory / "other.json").read_bytes() == first


def test_the_exchange_keeps_the_truth(recon: Recon, directory: Path) -> None:
    """Without the option its record is left as it is: status 1, one line, no file."""
    answer = recon("repair", session("stale_exchange"), "-o", "repair.json")
    answer.refused(1, "the exchange is at fault", "--repair-exchange proposes entries")
    assert not (directory / "repair.json").exists()
    shown = recon("explain", session("stale_exchange"))
    assert "Repair: " not in shown.out
    assert "To do: ask the exchange again" in shown.out
    assert "--repair-exchange" in shown.out
    shown = recon("explain", session("stale_exchange"), "--repair-exchange")
    assert "Repair: exchange: adjust position BTC/USDT by 0.185187" in shown.out
    assert shown.lines[-1].endswith("-o repair.json --repair-exchange")


def test_entries_of_the_ledger_are_written_alone(recon: Recon, directory: Path) -> None:
    """An id twice at the exchange and a fill missing from the ledger: the fill is proposed."""
    path = fills_session(directory / "both.recon.json")
    document = json.loads(path.read_text())
    document["external"]["fills"].append(document["external"]["fills"][0])
    path.write_text(json.dumps(document))
    answer = recon("repair", path, "-o", "repair.json")
    assert answer.code == 0
    assert answer.lines[0] == "repair.json: 1 entry written"
    assert answer.lines[1].startswith("  ledger: add fill f2")
    assert "exchange: its record is left as it is; --repair-exchange" in answer.lines[2]
    both = recon("repair", path, "-o", "all.json", "--repair-exchange")
    assert both.lines[0] == "all.json: 2 entries written"


def test_a_list_only_grows(recon: Recon, directory: Path) -> None:
    """What stands in it stays, in its place and as it is."""
    path = directory / "repair.json"
    recon("repair", session("lost_fill"), "-o", path.name)
    first = json.loads(path.read_text())["entries"]
    recon("repair", session("double_fee"), "-o", path.name)
    both = json.loads(path.read_text())["entries"]
    assert both[: len(first)] == first
    assert {entry["session_id"] for entry in both[len(first) :]} == {"double_fee"}
    recon("repair", session("lost_fill"), "-o", path.name)
    assert json.loads(path.read_text())["entries"] == both


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        "not json",
        '{"schema": "recon.repair/2", "entries": []}',
        '{"schema": "recon.repair/1"}',
        '{"schema": "recon.repair/1", "entries": [{}]}',
        '{"schema": "recon.repair/1", "entries": [], "more": 1}',
        '{"schema": "recon.repair/1", "schema": "recon.repair/1", "entries": []}',
        "\udcff",
    ],
    ids=repr,
)
def test_any_other_file_is_left_alone(recon: Recon, directory: Path, content: str) -> None:
    """One line, status 1, and the file as it was."""
    path = directory / "other.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    recon("repair", session("lost_fill"), "-o", path.name).refused(1, "other.json")
    assert path.read_bytes() == content.encode("utf-8", "surrogateescape")


def test_an_entry_twice_is_refused(recon: Recon, directory: Path) -> None:
    """A list that somebody doubled is no list of ours."""
    path = directory / "repair.json"
    recon("repair", session("lost_fill"), "-o", path.name)
    document = json.loads(path.read_text())
    document["entries"] *= 2
    path.write_text(json.dumps(document))
    recon("repair", session("lost_fill"), "-o", path.name).refused(1, "duplicate entry")


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        ([session("positions_only"), "-o", "r.json"], 1, ["ambiguous", "would decide"]),
        ([EXAMPLES / "minimal/blocked.recon.json", "-o", "r.json"], 1, ["unexplained"]),
        ([EXAMPLES / "suite/blocked/truncated.recon.json", "-o", "r.json"], 1, ["is not JSON"]),
        ([SESSIONS, "-o", "r.json"], 64, ["matches 5 sessions"]),
        (["missing", "-o", "r.json"], 64, ["missing"]),
        ([session("lost_fill")], 64, ["-o"]),
        ([session("lost_fill"), "-o", "x.recon.json"], 64, ["which is no session"]),
        ([session("lost_fill"), "-o", "."], 64, ["-o"]),
        ([session("lost_fill"), "-o", "-"], 64, ["-o: '-'", "expected its name"]),
        ([session("lost_fill"), "-o", "no/r.json"], 1, ["recon: no/r.json: cannot be written"]),
        ([session("lost_fill"), "-o", "r.json", "--effort", "off"], 64, ["--effort"]),
    ],
)
def test_what_is_refused(
    recon: Recon, directory: Path, words: list[object], code: int, parts: list[str]
) -> None:
    """Only what is proven is written; one line says why not."""
    recon("repair", *words).refused(code, *parts)
    assert [each.name for each in directory.iterdir()] == ["pytest.ini"]


def test_the_session_is_no_list(recon: Recon, directory: Path) -> None:
    """A recording of an engine has a file of any name."""
    shutil.copytree(EXAMPLES / "nautilus/recording", directory / "run")
    before = (directory / "run/meta.json").read_bytes()
    answer = recon("repair", "run", "-o", "run/../run/meta.json")
    answer.refused(64, "-o: names the session; expected a file of its own")
    assert (directory / "run/meta.json").read_bytes() == before


def test_diffs_of_rows_alone_have_no_entry(recon: Recon, directory: Path) -> None:
    """Every position and balance agrees; a row that says something else moves none of them."""
    row = fill("f1", "BUY", "1", "100")
    side = {"as_of": "2026-01-01T12:00:00Z", "positions": {"A/EUR": "1"}, "cash": {"EUR": "5"}}
    write_session(
        directory / "day.recon.json",
        internal={**side, "fills": [row]},
        external={**side, "fills": [{**row, "time": "2026-01-01T10:00:00Z"}]},
    )
    said = "no position or balance differs; no entry repairs the other diffs"
    recon("repair", "day.recon.json", "-o", "r.json").refused(1, said)
    assert not (directory / "r.json").exists()


def test_a_long_list_is_cut_where_it_is_shown(recon: Recon, directory: Path) -> None:
    """The file has every entry, the text the first ten."""
    rows = [fill(f"f{minute:02}", "BUY", "1", str(100 + minute)) for minute in range(10, 40)]
    for row in rows:
        row["time"] = f"2026-01-01T11:{row['fill_id'][1:]}:00Z"
    opening = {"as_of": "2026-01-01T00:00:00Z", "cash": {"EUR": "10000"}}
    side = {"as_of": "2026-01-01T12:00:00Z", "opening": opening}
    write_session(
        directory / "day.recon.json",
        instruments={"A/EUR": {"kind": "spot", "base": "A", "quote": "EUR"}},
        internal={**side, "fills": rows[:18]},
        external={**side, "fills": rows},
    )
    answer = recon("repair", "day.recon.json", "-o", "r.json")
    assert answer.code == 0, answer.err
    assert len(read_repair(directory / "r.json")) == 12
    assert answer.lines[0] == "r.json: 12 entries written"
    assert sum(": add fill f" in line for line in answer.lines) == 10
    assert "  and 2 more" in answer.lines


def test_a_list_is_called_as_it_was_given(recon: Recon, directory: Path) -> None:
    """Two directories may hold lists of one name."""
    path = directory / "lists" / "r.json"
    path.parent.mkdir()
    path.write_text("{}")
    words = session("lost_fill"), "-o", "lists/r.json"
    recon("repair", *words).refused(1, "recon: lists/r.json: holds something else")


def test_a_name_is_no_booking(recon: Recon, directory: Path) -> None:
    """The policy mends it, by the line that is given; nothing is written."""
    path = write_session(
        directory / "names.recon.json", {"XBT": "1"}, external_positions={"BTC": "1"}
    )
    answer = recon("repair", path.name, "-o", "r.json")
    answer.refused(1, "names.recon.json: not repaired: ", '[aliases] internal = { "XBT" = "BTC" }')
    assert not (directory / "r.json").exists()


def test_without_a_diff_nothing_is_written(recon: Recon, directory: Path) -> None:
    """There is nothing to repair, and that is an answer."""
    answer = recon("repair", EXAMPLES / "minimal/clear.recon.json", "-o", "r.json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.endswith(": no diff to repair\n")
    assert not (directory / "r.json").exists()


@pytest.mark.parametrize(
    ("price", "plausible"),
    [("110", True), ("150", True), ("150.01", False), ("60", True), ("59.99", False)],
)
def test_an_implausible_price_is_refused(
    recon: Recon, directory: Path, price: str, *, plausible: bool
) -> None:
    """The other fills are at 90 to 100: at most 1.5 times as much, at least 1/1.5."""
    path = fills_session(directory / "day.recon.json", price=price)
    answer = recon("repair", path, "-o", "r.json")
    if plausible:
        assert answer.code == 0, answer.err
        assert read_repair(directory / "r.json")[0].row["price"] == price
    else:
        answer.refused(1, "implausible price", "f2", price, "90 to 100")
        assert not (directory / "r.json").exists()


def test_no_session_is_edited(recon: Recon, directory: Path) -> None:
    """Neither its file nor a table beside it."""
    path = fills_session(directory / "day.recon.json")
    before = path.read_bytes()
    assert recon("repair", path, "-o", "r.json").code == 0
    assert path.read_bytes() == before
    assert sorted(each.name for each in directory.iterdir()) == [
        "day.recon.json", "pytest.ini", "r.json",
    ]  # fmt: skip
