"""Tables in columns: every answer is that of the rows, digit by digit."""

import csv
import itertools
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_core.cli import main
from recon_core.columns import database as database_module
from recon_core.columns import matching
from recon_core.columns.column_fills import ColumnFills
from recon_core.columns.column_movements import ColumnMovements
from recon_core.columns.database import database
from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain import explainer as explainer_module
from recon_core.explain.on_demand import explainer
from recon_core.ledger import postings_course
from recon_core.ledger.bookings import Category
from recon_core.model import LedgerSide
from recon_core.model.explanation import Effort
from recon_core.sessions import column_json_lines
from recon_core.values.limits import limits_in_force
from tests.matrices import matrix

from .builders import AS_OF_TEXT, document, write_session

pytest.importorskip("duckdb")

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
TIMES = [START + timedelta(microseconds=step) for step in (0, 1, 1_000_000, 86_400_000_000)]
TEXTS = ("fill_id", "symbol", "side", "fee_currency", "client_order_id", "exchange_order_id",
         "account", "leg", "position_id")  # fmt: skip
INSTRUMENTS = {
    "BTC/EUR": {"kind": "spot", "base": "BTC", "quote": "EUR"},
    "ETH/EUR": {"kind": "spot", "base": "ETH", "quote": "EUR"},
    "ETH/BTC": {"kind": "spot", "base": "ETH", "quote": "BTC"},
}
TIME_KINDS = st.sampled_from([pa.timestamp("us", "UTC"), pa.string()])
KINDS = [
    pa.decimal128(18, 8),
    pa.decimal128(38, 18),
    pa.decimal128(6, 3),
    pa.decimal128(6, 6),
    pa.string(),
    pa.int64(),
]

MARKETS = [
    INSTRUMENTS,
    INSTRUMENTS,
    {**INSTRUMENTS, "BTC/EUR": {"kind": "linear", "base": "BTC", "quote": "EUR"}},
    {
        "BTC/EUR": {"kind": "inverse", "base": "BTC", "quote": "EUR"},
        "ETH/EUR": {"kind": "linear", "base": "ETH", "quote": "EUR", "multiplier": "0.1"},
        "ETH/BTC": {"kind": "inverse", "base": "ETH", "quote": "BTC", "average": "arithmetic"},
    },
    {
        **INSTRUMENTS,
        "BTC/EUR": {"kind": "future", "base": "BTC", "quote": "EUR", "settles": "daily"},
    },
    {**INSTRUMENTS, "BTC/EUR": {"kind": "option", "base": "BTC", "quote": "EUR"}},
    {"BTC/EUR": INSTRUMENTS["BTC/EUR"]},
]
SECOND = "2026-01-01T09:00:01Z"
MORE = st.sampled_from(
    [
        {},
        {},
        {"cash": {"EUR": "1000.00", "BTC": "0.5"}, "positions": {"BTC/EUR": "0.5"}},
        {"as_of": "2026-01-01T09:00:00Z"},
        {"opening": {"as_of": SECOND, "positions": {"ETH/EUR": "1"}, "cash": {}}},
        {"opening": {"cash": [{"currency": "EUR", "total": "1", "account": "main"}]}},
        {
            "movements": [
                {"movement_id": "m", "kind": "deposit", "time": SECOND} | moved
                for moved in ({"currency": "EUR", "amount": "0.005"},)
            ]
        },
        {
            "movements": [
                {"movement_id": "m", "kind": "split", "time": SECOND, "symbol": "BTC/EUR"}
                | {"quantity": "1"}
            ]
        },
        {
            "opening": {
                "positions": [
                    {"symbol": "BTC/EUR", "quantity": "1", "average_price": "3", "account": "main"}
                ],
                "cash": [],
            }
        },
        {
            "orders": [
                {"client_order_id": "o1", "symbol": "BTC/EUR", "side": "BUY", "quantity": "1"}
                | {"filled_quantity": "1", "state": "FILLED", "time": SECOND}
            ]
        },
        {"snapshots": [{"as_of": SECOND, "positions": {"BTC/EUR": "1"}, "cash": {"EUR": "1"}}]},
    ]
)
FORMS = st.sampled_from(["parquet", "csv", "jsonl"])
Row = Mapping[str, Any]
Table = tuple[Mapping[str, pa.DataType], Sequence[Row]]
"""The types of the columns of a table by their names, and its rows."""


def amounts(kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Units of the last place, and amounts in the middle of two roundings."""
    units = st.one_of(st.integers(1, 200), st.integers(1, 10**5), st.sampled_from([5, 25, 125, 50]))
    if pa.types.is_decimal(kind):
        return st.builds(
            lambda unit, zeros: Decimal(unit * 10**zeros % 10**kind.precision or 1).scaleb(
                -kind.scale
            ),
            units,
            st.integers(0, 12),
        )
    if pa.types.is_integer(kind):
        return units
    return st.builds(
        lambda unit, places: format(Decimal(unit).scaleb(-places), "f"), units, st.integers(0, 30)
    )


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, pa.DataType], list[Row]]:
    """Rows of few ids, symbols and times, in types that hold them."""
    kinds = {name: draw(st.sampled_from(KINDS)) for name in ("quantity", "price", "fee")}
    kinds["time"] = draw(TIME_KINDS)
    optional = draw(st.sets(st.sampled_from(TEXTS[3:])))
    kinds |= {name: pa.string() for name in {*TEXTS[:3], *optional}}
    if "fee_currency" not in kinds:
        del kinds["fee"]
    rows = draw(st.lists(fills(kinds), min_size=draw(st.sampled_from([0, 1, 6])), max_size=9))
    return kinds, rows


def fills(kinds: Mapping[str, pa.DataType]) -> st.SearchStrategy[Row]:
    """A row of a table with these columns."""
    columns: dict[str, st.SearchStrategy[Any]] = {
        "fill_id": st.sampled_from(["f1", "t9", "t10", "é", 'a"b', "f2", "f3", "f4"]),
        "symbol": st.sampled_from(["BTC/EUR", "BTC/EUR", "ETH/EUR", "ETH/BTC"]),
        "side": st.sampled_from(["BUY", "SELL"]),
        "quantity": amounts(kinds["quantity"]),
        "price": amounts(kinds["price"]),
        "time": st.sampled_from(TIMES),
        "fee_currency": st.sampled_from(["EUR", "BTC", "BNB"]),
        "client_order_id": st.sampled_from([None, "o1", "o2"]),
        "exchange_order_id": st.sampled_from([None, "x1"]),
        "account": st.sampled_from([None, "main", "main", "sub"]),
        "leg": st.sampled_from([None, "NET", "NET", "LONG", "SHORT"]),
        "position_id": st.sampled_from([None, "p"]),
    }
    if "fee" in kinds:
        columns["fee"] = st.one_of(st.none(), amounts(kinds["fee"]))
    return st.fixed_dictionaries({name: columns[name] for name in kinds})


MOVES = ["deposit", "withdrawal", "funding", "funding", "fee", "settlement", "split"]


@st.composite
def movement_tables(draw: st.DrawFn) -> tuple[dict[str, pa.DataType], list[Row]]:
    """Movements of few ids, kinds and times; a row may move cash, a quantity, or both."""
    kinds = {"amount": draw(st.sampled_from(KINDS)), "time": draw(TIME_KINDS)}
    optional = draw(st.sets(st.sampled_from(["account", "group"])))
    if draw(st.integers(0, 3)) == 0:
        kinds |= {"quantity": draw(st.sampled_from(KINDS)), "symbol": pa.string()}
    kinds |= {name: pa.string() for name in {"movement_id", "kind", "currency", *optional}}
    rows = draw(st.lists(movements(kinds), min_size=draw(st.sampled_from([0, 1, 6])), max_size=9))
    return kinds, rows


@st.composite
def movements(draw: st.DrawFn, kinds: Mapping[str, pa.DataType]) -> Row:
    """A row of a table with these columns."""
    row = {
        "movement_id": draw(st.sampled_from(["m1", "m2", "m3", "m4", "m5", "m6", "é"])),
        "kind": draw(st.sampled_from(MOVES)),
        "time": draw(st.sampled_from(TIMES)),
    }
    for name, some in (("account", [None, "main", "sub"]), ("group", [None, "g"])):
        if name in kinds:
            row[name] = draw(st.sampled_from(some))
    moved = draw(st.sampled_from(["cash", "cash", "both", "quantity"]))
    if moved != "quantity" or "quantity" not in kinds:
        row["amount"] = draw(signed(kinds["amount"]))
        row["currency"] = draw(st.sampled_from(["EUR", "BTC", "BNB"]))
    if moved != "cash" and "quantity" in kinds:
        row["quantity"] = draw(signed(kinds["quantity"]))
        row["symbol"] = draw(st.sampled_from(["BTC/EUR", "ETH/EUR"]))
    return row


def signed(kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Amounts of either sign, and 0."""
    negative = amounts(kind).map(
        lambda amount: f"-{amount}" if isinstance(amount, str) else -amount
    )
    zero = {pa.int64(): 0, pa.string(): "0.00"}.get(kind, Decimal(0))
    return st.one_of(amounts(kind), negative, st.just(zero))


def cell(value: Any, kind: pa.DataType) -> Any:
    """A value as a table of this type has it."""
    if isinstance(value, datetime) and pa.types.is_string(kind):
        return f"{value.isoformat()[:-6]}Z"
    return value


def write_table(path: Path, kinds: Mapping[str, pa.DataType], rows: Sequence[Row]) -> None:
    arrays = {
        name: pa.array([cell(row.get(name), kind) for row in rows], kind)
        for name, kind in kinds.items()
    }
    pq.write_table(pa.table(arrays), path, row_group_size=3)


def write_csv(path: Path, kinds: Mapping[str, pa.DataType], rows: Sequence[Row]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(kinds)
        table.writerows([csv_cell(row.get(name)) for name in kinds] for row in rows)


def write_json_lines(path: Path, kinds: Mapping[str, pa.DataType], rows: Sequence[Row]) -> None:
    """Write the amounts of every second table as JSON numbers."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            cells = {name: csv_cell(row.get(name)) for name in kinds}
            line = json.dumps({name: cell for name, cell in cells.items() if cell},
                              ensure_ascii=False)  # fmt: skip
            if len(rows) % 2:
                line = re.sub(r'("(?:quantity|price|fee|amount)": )"([^"]*)"', r"\1\2", line)
            file.write(f"{line}\n")


WRITERS = {"parquet": write_table, "csv": write_csv, "jsonl": write_json_lines}


def csv_cell(value: Any) -> str:
    if value is None:
        return ""
    return format(value, "f") if isinstance(value, Decimal) else text_of(value)


@st.composite
def changed(
    draw: st.DrawFn,
    kinds: Mapping[str, pa.DataType],
    rows: Sequence[Row],
    row_of: Callable[[Mapping[str, pa.DataType]], st.SearchStrategy[Row]],
) -> list[Row]:
    """The rows of the other side: some missing, repeated, different, or in another order."""
    found: list[Row] = []
    for row in rows:
        change = draw(st.sampled_from(["same"] * 6 + ["drop", "repeat", "other"]))
        found += {"drop": [], "repeat": [row, row]}.get(change, [row])
        if change == "other":
            name, other = draw(st.sampled_from(sorted(row))), draw(row_of(kinds))
            # A row of another shape, such as a movement of a quantity, is another row.
            found[-1] = {**row, name: other[name]} if row.keys() == other.keys() else other
    return draw(st.permutations(found))


@st.composite
def both(
    draw: st.DrawFn,
    tables_of: st.SearchStrategy[Table],
    row_of: Callable[[Mapping[str, pa.DataType]], st.SearchStrategy[Row]],
) -> tuple[Table, Table]:
    """The tables of both sides: most of their rows are the same, or the tables are any two."""
    kinds, rows = draw(tables_of)
    if draw(st.booleans()):
        return (kinds, rows), (kinds, draw(changed(kinds, rows, row_of)))
    return (kinds, rows), draw(tables_of)


def side(directory: Path, name: str, table: Table, form: str = "parquet", **more: Any) -> Any:
    opening = {"cash": {"EUR": "1000.00"}}
    fills_of = section(directory, f"{name}-fills", table, form)
    return {"as_of": AS_OF_TEXT, "opening": opening, "fills": fills_of, **more}


def section(directory: Path, name: str, table: Table, form: str) -> dict[str, str]:
    """Write a table and return what names it in a session."""
    file = directory / f"{name}.{form}"
    WRITERS[form](file, *table)
    return {"path": file.name}


def answers(path: Path, max_items: int, **limits: int) -> dict[str, Any]:
    """All that anybody can see of a session."""
    with limits_in_force(limits):
        return shown(reconcile_session(path, max_items=max_items))


def shown(found: Reconciliation) -> dict[str, Any]:
    summary = found.summary(run_id="r", invocation_id="i").to_dict()
    del summary["timestamp"]
    return {
        "comparisons": [one.identity for one in found.comparisons],
        "messages": [one.message for one in found.judgements],
        "diffs": [repr(diff) for diff in found.diffs],
        "summary": summary,
        "replays": repr(
            {side: (one.positions, one.cash, one.flows, one.problem, one.notes)
             for side, one in found.replays.items()}
        ),
        "states": repr([(record.positions, record.cash) for record in
                        found.recorded.own_records().values()]),
    }  # fmt: skip


@settings(max_examples=max(1, settings().max_examples // 6))
@given(st.data())
def test_columns_answer_as_rows_do(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    """Verdicts, texts, notes, digests, sums and their digits are the same."""
    directory = tmp_path_factory.mktemp("columns")
    more = [{**data.draw(MORE)}, {**data.draw(MORE)}]
    if data.draw(st.booleans()):
        for name, moved, one in zip("ab", data.draw(both(movement_tables(), movements)), more,
                                    strict=True):  # fmt: skip
            one["movements"] = section(directory, f"{name}-moved", moved, data.draw(FORMS))
    ours, theirs = data.draw(both(tables(), fills))
    currencies = data.draw(
        st.dictionaries(
            st.sampled_from(["EUR", "BTC", "ETH", "BNB"]),
            st.fixed_dictionaries({"precision": st.sampled_from([0, 2, 8])}),
        )
    )
    path = write_session(
        directory,
        document(
            instruments=data.draw(st.sampled_from(MARKETS)),
            currencies=currencies,
            internal=side(directory, "a", ours, data.draw(FORMS), **more[0]),
            external=side(directory, "b", theirs, data.draw(FORMS), **more[1]),
        ),
    )
    max_items = data.draw(st.sampled_from([0, 1, 3, 100]))
    by_rows = answers(path, max_items)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "MOST_NUMBERS", data.draw(st.sampled_from([0, 2, 9])))
        patch.setattr(database_module, "_AT_ONCE", data.draw(st.sampled_from([1, 3, 100])))
        by_columns = answers(path, max_items, column_rows=1)
    assert by_columns == by_rows


ROWS = [
    {
        "fill_id": f"f{number}",
        "symbol": "BTC/EUR",
        "side": "BUY" if number % 3 else "SELL",
        "quantity": Decimal(number + 1).scaleb(-8),
        "price": Decimal("42000.50000000"),
        "fee": Decimal("0.12500000"),
        "fee_currency": "EUR",
        "time": START + timedelta(seconds=number),
    }
    for number in range(60)
]
TYPES = {
    "fill_id": pa.string(),
    "symbol": pa.dictionary(pa.int32(), pa.string()),
    "side": pa.string(),
    **dict.fromkeys(("quantity", "price", "fee"), pa.decimal128(18, 8)),
    "fee_currency": pa.string(),
    "time": pa.timestamp("us", "UTC"),
}


def session(directory: Path, ours: Any, theirs: Any, form: str = "parquet", **more: Any) -> Path:
    """A session of two tables of spot fills."""
    sides = {
        "internal": side(directory, "a", ours, form),
        "external": side(directory, "b", theirs, form),
    }
    return write_session(directory, document(instruments=INSTRUMENTS, **sides, **more))


def made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def in_columns(path: Path, **limits: int) -> Reconciliation:
    """The session with tables of one row and more in columns, which both sides are."""
    with limits_in_force({"column_rows": 1, **limits}):
        found = reconcile_session(path, max_items=0)
    assert all(isinstance(record.fills, ColumnFills) for record in sides_of(found))
    return found


def sides_of(found: Reconciliation) -> list[Any]:
    return list(found.recorded.own_records().values())


def rows_made(found: Reconciliation) -> list[int]:
    """The number of rows of each side that became objects."""
    return [
        len(record.fills) if record.fills.rows.every is not None else len(record.fills.rows.known)
        for record in sides_of(found)
    ]


@pytest.mark.large
def test_only_rows_that_differ_are_made(tmp_path: Path) -> None:
    """A clear session makes none; another makes the rows that are missing or say something else."""
    clear = in_columns(session(tmp_path, (TYPES, ROWS), (TYPES, ROWS[::-1])))
    assert not clear.diffs
    assert rows_made(clear) == [0, 0]
    other = [*ROWS[5:], {**ROWS[0], "price": Decimal("42000.51000000")}]
    apart = in_columns(session(tmp_path, (TYPES, ROWS), (TYPES, other)))
    differing = [one.key for one in apart.comparisons if one.identity.startswith("fill::BTC")]
    assert differing == [f"BTC/EUR,f{number}" for number in range(5)]
    assert rows_made(apart) == [5, 1]


WIDE: Table = (
    {**TYPES, "quantity": pa.decimal128(28, 10)},
    [{**ROWS[0], "quantity": Decimal(10**11)}, *ROWS[1:]],
)


@pytest.mark.large
@pytest.mark.parametrize(
    "theirs",
    [
        (TYPES, [{**ROWS[0], "symbol": "ETH/EUR"}, *ROWS[1:]]),
        (TYPES, [{**ROWS[0], "fee_currency": "BTC"}, *ROWS[1:]]),
        WIDE,
    ],
    ids=["a symbol", "a currency", "an amount of many digits"],
)
def test_what_one_side_alone_has_is_matched_in_columns(tmp_path: Path, theirs: Table) -> None:
    """No row is made beside the one that has it, on either side."""
    for name, tables in {"ab": ((TYPES, ROWS), theirs), "ba": (theirs, (TYPES, ROWS))}.items():
        assert rows_made(in_columns(session(made(tmp_path / name), *tables))) == [1, 1]


@pytest.mark.large
def test_the_last_comparison_is_kept_for_its_two_tables(tmp_path: Path) -> None:
    """With another table, or other keys, the question is another one."""
    (ours, same), (_, fewer) = (
        [one.fills.rows for one in sides_of(in_columns(path))]
        for path in (
            session(made(tmp_path / "same"), (TYPES, ROWS), (TYPES, ROWS)),
            session(made(tmp_path / "fewer"), (TYPES, ROWS), (TYPES, ROWS[1:])),
        )
    )
    first = ours.compared(same, plain=True)
    assert ours.compared(same, plain=True) is first
    assert ours.unlike_of(same, plain=False) is None
    assert (first.internal, first.equal) == ([], 60)
    assert ours.compared(fewer, plain=True).internal == [0]
    assert fewer.compared(ours, plain=True).external == [0]


def test_a_whole_and_its_parts_are_found_by_their_ids(tmp_path: Path) -> None:
    """The fill that others begin with is one of them; a part of nothing that is listed is none."""
    ids = ["7-A", "7", "8", "7-B", "9-A"]
    rows = [{**row, "fill_id": name} for row, name in zip(ROWS, ids, strict=False)]
    found = in_columns(session(tmp_path, (TYPES, rows), (TYPES, rows)))
    for record in sides_of(found):
        assert [one.fill_id for one in record.fills.may_be_parts()] == ["7-A", "7", "7-B"]


@pytest.mark.large
@pytest.mark.parametrize(
    ("copies", "most"),
    matrix(
        [
            ([], [], 0),
            ([], [0], 1),
            ([3], [], 1),
            ([59], [], 1),
            ([0], [59], 2),
            ([3, 3], [], 1),
        ],
        [0, 3, 100],
        every=2,
    ),
)
def test_a_copy_in_its_place_is_no_equal_row(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    copies: tuple[list[int], list[int], int],
    most: int,
) -> None:
    """A fill that either side lists once more is none of the equal ones, in place or anywhere."""
    ours, theirs, unequal = copies
    monkeypatch.setattr(matching, "MOST_NUMBERS", most)
    tables = [(TYPES, [*ROWS, *(ROWS[number] for number in more)]) for more in (ours, theirs)]
    path = session(tmp_path, *tables)
    found = in_columns(path)
    assert found.folded == {"fill": len(ROWS) - unequal}
    assert shown(found) == answers(path, 0)


@pytest.mark.large
@pytest.mark.parametrize("form", WRITERS)
def test_a_session_of_both_engines_is_told_in_the_same_words(tmp_path: Path, form: str) -> None:
    """The report in JSON has the same bytes, explanation and places included."""
    other = [*ROWS[:7], *ROWS[8:]]
    path = session(tmp_path, (TYPES, ROWS), (TYPES, other), form)
    by_rows, by_columns = (report(tmp_path, path, rows) for rows in (10**6, 1))
    assert by_rows == by_columns
    assert "fill_missing" in by_rows or "fill_orphaned" in by_rows


def report(directory: Path, path: Path, column_rows: int) -> str:
    """The report of `recon check`, without what is of its run."""
    file = directory / "report.json"
    command = ["check", str(path), "--report", f"json:{file}", "--limit",
               f"column_rows={column_rows}"]  # fmt: skip
    with pytest.raises(SystemExit, match="2"):
        main(command)
    found = json.loads(file.read_text())
    for name in ("written", "invocation_id"):
        del found[name]
    (one,) = found["sessions"]
    del one["run_id"]
    return json.dumps(
        {**found, "sessions": [{**one, "comparisons": [
            {**each, "seconds": 0} for each in one["comparisons"]]}]}
    )  # fmt: skip


@pytest.mark.large
def test_beyond_a_number_of_rows_nothing_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A red session of very many rows is judged in bounded memory, and says why it stops there."""
    monkeypatch.setattr(explainer_module, "MOST_ROWS", 100)
    monkeypatch.setattr(postings_course, "MOST_POSTINGS", 50)
    path = session(tmp_path, (TYPES, ROWS), (TYPES, ROWS[1:]))
    with limits_in_force({"column_rows": 1}):
        found = reconcile_session(path, max_items=0, explain=explainer(Effort.FAST))
    (explanation,) = found.explanations
    assert (str(explanation.verdict), explanation.text) == (
        "not-searched",
        "the session has 119 fills and movements; at most 100 are searched",
    )
    assert found.diffs
    assert rows_made(found) == [1, 0]
    path = session(tmp_path, (TYPES, ROWS), (TYPES, ROWS))
    assert reconcile_session(path, explain=explainer(Effort.FAST)).explanations == ()


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("time", pa.timestamp("ns", "UTC"), START),
        ("time", pa.timestamp("us", "Europe/Berlin"), START),
        ("time", pa.string(), "2026-01-01T10:00:00+01:00"),
        ("time", pa.string(), "2200-06-01T10:00:00Z"),
        ("symbol", pa.string(), ""),
        ("side", pa.string(), "buy"),
        ("quantity", pa.decimal128(18, 8), Decimal("0.00000000")),
        ("quantity", pa.decimal128(38, 2), Decimal(10**30)),
        ("price", pa.string(), "1e5"),
        ("price", pa.string(), "1." + "1" * 30 + "1"),
        ("price", pa.float64(), 0.5),
        ("fee_currency", pa.string(), None),
        ("unknown", pa.string(), "x"),
    ],
)
def test_what_is_not_plain_is_read_by_rows(
    tmp_path: Path, name: str, kind: pa.DataType, value: Any
) -> None:
    """A table with one such row is read, or refused, as it is without columns."""
    changed_row = {**ROWS[0], name: value}
    rows = [changed_row, *({**row, name: row.get(name)} for row in ROWS[1:])]
    if pa.types.is_string(kind) and name in ("price", "time"):
        rows = [changed_row, *({**row, name: text_of(row[name])} for row in ROWS[1:])]
    if pa.types.is_floating(kind):
        rows = [{**row, name: 0.5} for row in ROWS]
    if value == Decimal(10**30):
        rows = [{**row, name: value} for row in ROWS]
    path = session(tmp_path, ({**TYPES, name: kind}, rows), (TYPES, ROWS))
    by_rows = answers(path, 0)
    with limits_in_force({"column_rows": 1}):
        found = reconcile_session(path, max_items=0)
    assert shown(found) == by_rows
    assert not found.is_readable or isinstance(sides_of(found)[0].fills, tuple)


HEADER = b"fill_id,symbol,side,quantity,price,fee,fee_currency,time\n"
LINE = b"f1,BTC/EUR,BUY,1.50,2,0,,2026-01-01T09:00:00Z\n"


@pytest.mark.large
@pytest.mark.parametrize(
    ("content", "is_plain"),
    [
        (HEADER + LINE + LINE.replace(b"f1", b"f2"), True),
        (HEADER + LINE.replace(b"f1", "\u00e9 f".encode()), True),
        (HEADER + LINE.replace(b"00Z", b"00.1234567Z").replace(b"1.50", b"-0.0"), False),
        (HEADER + LINE.replace(b"f1", b'"f1"'), False),
        (HEADER + LINE.replace(b"\n", b"\r\n"), False),
        (HEADER + LINE + b"\n" + LINE, False),
        (HEADER + LINE[:-1], False),
        (b"\xef\xbb\xbf" + HEADER + LINE, False),
        (HEADER + LINE.replace(b"f1", b"f\0"), False),
        (HEADER + LINE.replace(b"f1", b"f\xff"), False),
        (HEADER + LINE.replace(b"f1", b"f\xed\xa0\x80"), False),
        (HEADER + LINE.replace(b",,", b","), False),
        (HEADER + LINE.replace(b",,", b",,,"), False),
        (HEADER + LINE.replace(b"f1", b" f1 ").replace(b"1.50", b"1.50 "), False),
        (HEADER + LINE.replace(b"f1", b" f1 "), True),
        (HEADER + LINE.replace(b"f1", b"#f1"), True),
        (HEADER + LINE.replace(b"f1", b"NULL"), True),
        (HEADER + LINE.replace(b"f1", b"f" * 140_000), False),
        (HEADER.replace(b"price", b"prize") + LINE, False),
        (HEADER.replace(b"fee,", b"price,") + LINE, False),
        (HEADER, False),
        (b"", False),
    ],
)
def test_lines_of_csv(tmp_path: Path, content: bytes, *, is_plain: bool) -> None:
    """A table is read, or refused, as by rows; only plain lines are taken in columns."""
    path = session(tmp_path, (TYPES, ROWS), (TYPES, ROWS), form="csv")
    (tmp_path / "b-fills.csv").write_bytes(content)
    compare_lines(path, is_plain=is_plain)


OBJECT = (
    b'{"fill_id": "f1", "symbol": "BTC/EUR", "side": "BUY", "quantity": "1.50", "price": 2, '
    b'"time": "2026-01-01T09:00:00Z"}\n'
)


@pytest.mark.large
@pytest.mark.parametrize(
    ("content", "is_plain"),
    [
        (OBJECT + OBJECT.replace(b"f1", b"f2"), True),
        (OBJECT.replace(b"f1", "\u00e9 f}\u2028{,".encode()), True),
        (OBJECT.replace(b": 2,", b" :2.50 ,"), True),
        (OBJECT.replace(b": 2,", b': "2.50",'), True),
        (OBJECT + OBJECT.replace(b'"1.50"', b"1.50").replace(b"f1", b"f2"), True),
        (OBJECT + OBJECT.replace(b'"1.50", ', b"").replace(b": 2,", b': 2, "quantity": 1,'), False),
        (OBJECT + OBJECT.replace(b'"1.50", ', b'"1.50, '), False),
        (OBJECT.replace(b'"1.50"', b"1") + OBJECT.replace(b'"1.50", ', b'"1.50, '), False),
        (OBJECT.replace(b'"f1"', b'": 1,"'), True),
        (OBJECT.replace(b'"f1"', b'"price: 1,"'), True),
        (OBJECT.replace(b"}", b', "fee": null, "account": null}'), True),
        (OBJECT.replace(b"}", b', "fee": 1, "fee_currency": "EUR", "leg": "NET"}'), True),
        (OBJECT.replace(b"}", b', "leg": null}'), False),
        (OBJECT.replace(b"}", b', "fee": 1}'), False),
        (OBJECT.replace(b"}", b', "price": 2}'), False),
        (OBJECT.replace(b"}", b', "account": null, "account": "a"}'), False),
        (OBJECT.replace(b"}", b', "more": "x"}'), False),
        (OBJECT.replace(b"f1", b"f\\u0031"), False),
        (OBJECT.replace(b"f1", b"f\xff"), False),
        (OBJECT.replace(b"f1", b"f\xed\xa0\x80"), False),
        (OBJECT.replace(b"f1", b"f\t"), False),
        (OBJECT.replace(b"f1", b""), False),
        (OBJECT.replace(b'"f1"', b"1"), False),
        (OBJECT.replace(b'"f1"', b"true"), False),
        (OBJECT.replace(b'"f1"', b'["f1"]'), False),
        (OBJECT.replace(b'"f1"', b'{"fill_id": "f1"}'), False),
        (OBJECT.replace(b'"f1"', b'"price": 1'), False),
        (OBJECT.replace(b": 2,", b": 2e1,"), False),
        (OBJECT.replace(b": 2,", b": 02,"), False),
        (OBJECT.replace(b": 2,", b": NaN,"), False),
        (OBJECT.replace(b": 2,", b": 1.2.3,"), False),
        (OBJECT.replace(b": 2,", b": -,"), False),
        (OBJECT.replace(b": 2,", b": 1." + b"1" * 31 + b","), False),
        (OBJECT.replace(b": 2,", b': "",'), False),
        (OBJECT.replace(b": 2,", b": null,"), False),
        (OBJECT.replace(b"}\n", b"} \n"), False),
        (OBJECT.replace(b"{", b" {"), False),
        (OBJECT.replace(b"\n", b"\r\n"), False),
        (OBJECT + b"\n" + OBJECT, False),
        (OBJECT[:-1], False),
        (OBJECT[:-2] + b"\n", False),
        (OBJECT[:-1] + OBJECT + OBJECT.replace(b", ", b",\n"), False),
        (OBJECT[:-1] * 2 + b"\n" + OBJECT.replace(b'"side"', b'\n"side"'), False),
        (OBJECT.replace(b'"side"', b'}\n{"side"'), False),
        (b"[" + OBJECT[:-1] + b"]\n", False),
        (b"\xef\xbb\xbf" + OBJECT, False),
        (OBJECT.replace(b"f1", b"f" * 140_000), False),
        (OBJECT.replace(b": 2,", b": " + b" " * 1_100_000 + b"2,"), False),
        (b"{}\n", False),
        (b"", False),
    ],
)
def test_lines_of_json(tmp_path: Path, content: bytes, *, is_plain: bool) -> None:
    """A table is read, or refused, as by rows; only plain lines are taken in columns."""
    path = session(tmp_path, (TYPES, ROWS), (TYPES, ROWS), form="jsonl")
    (tmp_path / "b-fills.jsonl").write_bytes(content)
    compare_lines(path, is_plain=is_plain)


def compare_lines(path: Path, *, is_plain: bool) -> None:
    """Compare a session by rows with the same in columns, which take the external side or not."""
    by_rows = answers(path, 0)
    before = set(Path(database_module.directory()).iterdir())
    with limits_in_force({"column_rows": 1}):
        found = reconcile_session(path, max_items=0)
    kept = set(Path(database_module.directory()).iterdir()) - before
    assert shown(found) == by_rows
    in_columns = found.is_readable and isinstance(sides_of(found)[1].fills, ColumnFills)
    assert in_columns is is_plain
    assert len(kept) == (1 + is_plain if found.is_readable else 0)


@pytest.mark.large
def test_lines_of_json_are_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part ends with a line, wherever the bytes read at once end; a longer line is for rows."""
    path = session(tmp_path, (TYPES, ROWS), (TYPES, ROWS[1:]), form="jsonl")
    by_rows = answers(path, 0)
    for size in (300, 301, 1000):
        monkeypatch.setattr(column_json_lines, "_AT_ONCE", size)
        assert shown(in_columns(path)) == by_rows
    monkeypatch.setattr(column_json_lines, "_AT_ONCE", 100)
    assert answers(path, 0, column_rows=1) == by_rows


def text_of(value: Any) -> str:
    return f"{value.isoformat()[:-6]}Z" if isinstance(value, datetime) else str(value)


def test_without_duckdb_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the extra gives the same answer, and says nothing of it."""
    path = session(tmp_path, (TYPES, ROWS), (TYPES, ROWS))
    monkeypatch.setitem(sys.modules, "duckdb", None)
    database.cache_clear()
    try:
        with limits_in_force({"column_rows": 1}):
            found = reconcile_session(path)
    finally:
        database.cache_clear()
    assert [type(record.fills) for record in sides_of(found)] == [tuple, tuple]
    assert not found.diffs


def test_below_the_number_of_rows_they_are_read_one_by_one(tmp_path: Path) -> None:
    """The limit is the first number of rows that are read in columns."""
    path = session(tmp_path, (TYPES, ROWS), (TYPES, ROWS[1:]))
    with limits_in_force({"column_rows": len(ROWS)}):
        found = reconcile_session(path)
    assert [type(record.fills) for record in sides_of(found)] == [ColumnFills, tuple]


def test_a_side_of_floats_is_read_by_rows(tmp_path: Path) -> None:
    """Its amounts are the shortest that name a float, which no column is."""
    path = session(tmp_path, (TYPES, ROWS), (TYPES, ROWS))
    content = json.loads(path.read_text())
    content["internal"]["numbers"] = "float"
    path.write_text(json.dumps(content))
    with limits_in_force({"column_rows": 1}):
        found = reconcile_session(path)
    assert [type(record.fills) for record in sides_of(found)] == [tuple, ColumnFills]


def test_a_file_that_changes_is_refused(tmp_path: Path) -> None:
    """What was read and what is judged are the same bytes, or the session is CRITICAL."""
    found = in_columns(session(tmp_path, (TYPES, ROWS), (TYPES, ROWS)))
    write_table(tmp_path / "a-fills.parquet", TYPES, ROWS[1:])
    judged = {one.comparison.identity: one for one in found.judgements}["fill::equal"]
    assert judged.verdict == "CRITICAL"
    assert "changes while it is read" in judged.message
    assert found.notes  # asked before


@pytest.mark.large
@pytest.mark.parametrize(("digits", "places"), [(18, 0), (18, 2), (38, 1), (38, 30)])
def test_each_amount_is_rounded_half_even(tmp_path: Path, digits: int, places: int) -> None:
    """Products in the middle of two roundings, of both signs, in words and in wide numbers."""
    rows = [
        {**ROWS[0], "fill_id": f"f{number}", "side": one, "price": Decimal(units).scaleb(-4)}
        for number, (units, one) in enumerate(itertools.product(range(-60, 60), ["BUY", "SELL"]))
    ]
    rows = [{**row, "quantity": Decimal("0.50000000"), "fee": row["price"]} for row in rows]
    types = {**TYPES, **dict.fromkeys(("quantity", "price", "fee"), pa.decimal128(digits, 8))}
    currencies = {"EUR": {"precision": places}, "BTC": {"precision": 0}}
    path = session(tmp_path, (types, rows), (types, rows), currencies=currencies)
    by_rows = answers(path, 0)
    assert shown(in_columns(path)) == by_rows


DERIVATIVES = [
    {"kind": "linear"},
    {"kind": "linear", "multiplier": "0.01"},
    {"kind": "inverse"},
    {"kind": "inverse", "average": "arithmetic"},
    {"kind": "future", "settles": "daily"},
]


@pytest.mark.large
@pytest.mark.parametrize("at_once", [1, 7, 1000])
@pytest.mark.parametrize("kind", DERIVATIVES, ids=repr)
def test_derivatives_are_posted_without_keeping_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: dict[str, str], at_once: int
) -> None:
    """Averages, gains rounded one by one, legs and position ids are those of rows; none remains."""
    monkeypatch.setattr(database_module, "_AT_ONCE", at_once)
    symbols = {
        symbol: {"base": symbol[:3], "quote": "EUR", **kind} for symbol in ("BTC/EUR", "ETH/EUR")
    }
    rows = [
        {
            **row,
            "symbol": "BTC/EUR" if number % 5 else "ETH/EUR",
            "price": Decimal(42_000_00000000 + number**3 % 977).scaleb(-8),
            "leg": ("LONG", "SHORT", "NET")[number % 3],
            "position_id": "p" if number % 4 else None,
            "time": START + timedelta(seconds=number // 3 % 17),
        }
        for number, row in enumerate(ROWS)
    ]
    types = {**TYPES, "leg": pa.string(), "position_id": pa.string()}
    moved = {"movement_id": "m", "kind": "funding", "time": SECOND}
    more = {
        "movements": [{**moved, "currency": "EUR", "amount": "0.005"}],
        "positions": [
            {"symbol": symbol, "quantity": "0", "mark_price": "43000"} for symbol in symbols
        ],
    }
    sides = {
        "internal": side(tmp_path, "a", (types, rows), **more),
        "external": side(tmp_path, "b", (types, rows[::-1]), **more),
    }
    precisions = {"EUR": {"precision": 4}, "BTC": {"precision": 8}, "ETH": {"precision": 8}}
    path = write_session(tmp_path, document(instruments=symbols, currencies=precisions, **sides))
    found = in_columns(path)
    assert found.is_readable, [one.message for one in found.judgements]
    assert rows_made(found) == [0, 0]
    assert all(one.cash and not one.problem for one in found.replays.values())
    assert shown(found) == answers(path, 0)


def test_a_fill_that_cannot_be_posted_is_named_as_by_rows(tmp_path: Path) -> None:
    """The first of all that close what came without a price, over all positions."""
    symbols = {
        symbol: {"base": symbol[:3], "quote": "EUR", "kind": "linear"}
        for symbol in ("BTC/EUR", "ETH/EUR")
    }
    rows = [{**row, "symbol": "ETH/EUR" if number == 1 else "BTC/EUR", "side": "SELL"}
            for number, row in enumerate(ROWS[1:5])]  # fmt: skip
    opening = {"positions": {"BTC/EUR": "1", "ETH/EUR": "1"}, "cash": {}}
    sides = {
        name: side(tmp_path, name, (TYPES, rows), opening=opening)
        for name in ("internal", "external")
    }
    path = write_session(tmp_path, document(instruments=symbols, **sides))
    by_rows = answers(path, 0)
    assert "came without a price" in str(by_rows["messages"])
    with limits_in_force({"column_rows": 1}):
        assert shown(reconcile_session(path, max_items=0)) == by_rows


def test_digits_beyond_columns_are_posted_by_rows(tmp_path: Path) -> None:
    """A product of 40 digits is exact: rows post it where columns cannot."""
    amount = Decimal("12345678901234567890.12345678901")
    types = {**TYPES, **dict.fromkeys(("quantity", "price"), pa.decimal128(38, 11))}
    rows = [{**ROWS[0], "quantity": amount, "price": amount}]
    path = session(tmp_path, (types, rows), (types, rows))
    by_rows = answers(path, 0)
    found = in_columns(path)
    assert shown(found) == by_rows
    assert rows_made(found) == [1, 1]


MOVED = [
    {
        "movement_id": f"m{number}",
        "kind": "funding" if number % 5 else "deposit",
        "currency": "EUR",
        "amount": Decimal(number * 25 - 300 if number % 5 else number + 1).scaleb(-3),
        "time": START + timedelta(seconds=number // 2),
    }
    for number in range(40)
]
MOVED_TYPES = {
    **{name: pa.string() for name in ("movement_id", "kind", "currency")},
    "amount": pa.decimal128(18, 8),
    "time": pa.timestamp("us", "UTC"),
}


def moved_session(
    directory: Path, ours: Table, theirs: Table, form: str = "parquet", **more: Any
) -> Path:
    """A session of equal fills, and of movements in two tables."""
    sides = {
        name: side(directory, letter, (TYPES, ROWS), form,
                   movements=section(directory, f"{letter}-moved", table, form))
        for name, letter, table in (("internal", "a", ours), ("external", "b", theirs))
    }  # fmt: skip
    return write_session(directory, document(instruments=INSTRUMENTS, **sides, **more))


def movements_made(found: Reconciliation) -> list[int]:
    """The number of movements of each side that became objects."""
    tables = [record.movements for record in sides_of(found)]
    assert all(isinstance(table, ColumnMovements) for table in tables)
    return [len(table if table.rows.every is not None else table.rows.known) for table in tables]


@pytest.mark.large
@pytest.mark.parametrize("form", WRITERS)
def test_only_movements_that_differ_are_made(tmp_path: Path, form: str) -> None:
    """Equal movements of cash are added and matched without a row of them; others are rows."""
    more = {"currencies": {"EUR": {"precision": 2}}}
    clear = in_columns(
        moved_session(tmp_path, (MOVED_TYPES, MOVED), (MOVED_TYPES, MOVED[::-1]), form, **more)
    )
    assert not clear.diffs
    assert movements_made(clear) == [0, 0]
    flows = clear.replays[LedgerSide.INTERNAL].flows
    assert flows
    assert flows[None, "EUR"][Category.FUNDING]
    other = [*MOVED[2:], {**MOVED[0], "amount": Decimal("0.002")}, MOVED[5]]
    path = moved_session(tmp_path, (MOVED_TYPES, MOVED), (MOVED_TYPES, other), form, **more)
    apart = in_columns(path)
    assert movements_made(apart) == [3, 3]
    assert shown(apart) == answers(path, 0)


@pytest.mark.parametrize(
    ("kinds", "values"),
    [
        ({"symbol": pa.string()}, {"symbol": "BTC/EUR"}),
        ({"quantity": pa.string()}, {"quantity": "1"}),
        ({}, {"currency": None}),
        ({}, {"amount": None}),
        ({}, {"currency": None, "amount": None}),
        ({}, {"kind": "Funding"}),
        ({}, {"kind": None}),
        ({}, {"movement_id": ""}),
        ({}, {"movement_id": None}),
        ({"group": pa.string()}, {"group": ""}),
        ({"fee": pa.string()}, {"fee": "1"}),
        ({"time": pa.string()}, {"time": "2026-01-01T10:00:00+01:00"}),
    ],
)
def test_a_movement_that_is_not_plain_is_read_by_rows(
    tmp_path: Path, kinds: Mapping[str, pa.DataType], values: Row
) -> None:
    """A table with one such movement is read, or refused, as it is without columns."""
    rows = [{**MOVED[0], **values}, *MOVED[1:]]
    if pa.types.is_string(kinds.get("time", pa.int64())):
        rows = [rows[0], *({**row, "time": text_of(row["time"])} for row in MOVED[1:])]
    path = moved_session(tmp_path, ({**MOVED_TYPES, **kinds}, rows), (MOVED_TYPES, MOVED))
    by_rows = answers(path, 0)
    with limits_in_force({"column_rows": 1}):
        found = reconcile_session(path, max_items=0)
    assert shown(found) == by_rows
    assert not found.is_readable or isinstance(sides_of(found)[0].movements, tuple)


@pytest.mark.large
def test_a_sum_of_movements_that_does_not_fit_is_posted_by_rows(tmp_path: Path) -> None:
    """38 digits are all that a sum may have; each amount is posted alone then."""
    large = Decimal(6 * 10**29).scaleb(0)
    rows = [{**row, "kind": "deposit", "amount": large + number} for number, row in
            enumerate(MOVED)]  # fmt: skip
    kinds = {**MOVED_TYPES, "amount": pa.decimal128(38, 8)}
    path = moved_session(tmp_path, (kinds, rows), (kinds, rows))
    found = in_columns(path)
    assert movements_made(found) == [40, 40]
    assert shown(found) == answers(path, 0)


@pytest.mark.large
def test_movements_of_a_quantity_fall_between_fills(tmp_path: Path) -> None:
    """A split finds the position that the fills before it made, so that all are posted in order."""
    kinds = {**MOVED_TYPES, "symbol": pa.string(), "quantity": pa.decimal128(18, 8)}
    split = {"movement_id": "s", "kind": "split", "time": MOVED[9]["time"], "symbol": "BTC/EUR"}
    rows = [*MOVED, {**split, "quantity": Decimal("0.5")}]
    path = moved_session(tmp_path, (kinds, rows), (kinds, rows[::-1]))
    found = in_columns(path)
    for record in sides_of(found):
        assert [row.movement_id for row in record.movements.with_quantity()] == ["s"]
    assert shown(found) == answers(path, 0)


def test_rows_of_few_fills_and_many_movements(tmp_path: Path) -> None:
    """Movements of cash are summed where the fills are rows, and have the same flows."""
    path = moved_session(tmp_path, (MOVED_TYPES, MOVED), (MOVED_TYPES, MOVED))
    for fills_of in ("a-fills.parquet", "b-fills.parquet"):
        write_table(tmp_path / fills_of, TYPES, ROWS[:20])
    with limits_in_force({"column_rows": 30}):
        found = reconcile_session(path, max_items=0)
    assert [type(record.fills) for record in sides_of(found)] == [tuple, tuple]
    assert movements_made(found) == [0, 0]
    assert shown(found) == answers(path, 0)
