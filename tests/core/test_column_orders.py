"""Tables of orders in columns: every answer is that of the rows, digit by digit."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import settings

from recon_core.columns import database as database_module
from recon_core.columns import matching, order_fills, table_columns
from recon_core.columns.column_fills import ColumnFills
from recon_core.columns.column_orders import ColumnOrders
from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain.on_demand import explainer
from recon_core.model.explanation import Effort
from recon_core.values.limits import limits_in_force
from tests.matrices import sample

from .builders import AS_OF_TEXT, document, write_session
from .test_columns import INSTRUMENTS, START, Table, answers, section, shown, sides_of

pytest.importorskip("duckdb")

Row = dict[str, Any]
Books = tuple[list[Row], list[Row]]
"""The orders of one side, and its fills."""
SYMBOLS = ("BTC/EUR", "ETH/EUR")
IDS = ("client_order_id", "exchange_order_id")
UNIT = Decimal("0.00000001")
EXACT = pa.decimal128(18, 8)
TYPES = {
    **{name: pa.string() for name in (*IDS, "symbol", "side", "state", "type", "account")},
    **dict.fromkeys(("quantity", "filled_quantity", "price", "average_fill_price"), EXACT),
    "time": pa.timestamp("us", "UTC"),
}
FILL_TYPES = {
    **{name: pa.string() for name in ("fill_id", "symbol", "side", *IDS, "account")},
    **dict.fromkeys(("quantity", "price"), EXACT),
    "time": pa.timestamp("us", "UTC"),
}


def right(walk: random.Random, count: int) -> Books:
    """Orders that agree with their fills, in all states that an order may end in."""
    orders, fills = list[Row](), list[Row]()
    for number in range(count):
        names = {"client_order_id": f"o{number}", "exchange_order_id": f"x{number}"}
        common = {"symbol": walk.choice(SYMBOLS), "side": walk.choice(["BUY", "SELL"]), **names}
        time = START + timedelta(seconds=number)
        own: list[Row] = [
            {**common, "fill_id": f"f{number}-{part}", "quantity": walk.randint(1, 500) * UNIT,
             "price": Decimal("2.5"), "time": time}
            for part in range(walk.choice([0, 1, 1, 2, 3]))
        ]  # fmt: skip
        filled = sum((row["quantity"] for row in own), Decimal(0))
        states = ["FILLED", "CANCELLED", "PARTIALLY_FILLED"] if own else ["CANCELLED", "REJECTED"]
        state = walk.choice(states)
        quantity = filled if state == "FILLED" else filled + UNIT
        orders.append(
            {**common, "type": "limit", "quantity": quantity, "filled_quantity": filled,
             "price": walk.choice([None, Decimal("2.5")]), "state": state, "time": time,
             "average_fill_price": Decimal("2.5") if own else None}
        )  # fmt: skip
        fills += own
    return orders, fills


def changed_order(walk: random.Random, orders: list[Row], _: list[Row]) -> None:
    """One field of an order is another one, or absent."""
    row = walk.choice(orders)
    name = walk.choice(["symbol", "side", "state", "type", "quantity", "filled_quantity", "price",
                        "time", "account"])  # fmt: skip
    other = {
        "side": "SELL", "state": walk.choice(["FILLED", "PARTIALLY_FILLED", "REJECTED"]),
        "type": walk.choice(["market", None, '"']), "account": walk.choice(["main", "sub"]),
        "price": walk.choice([None, Decimal(7)]), "time": START,
    }  # fmt: skip
    row[name] = other.get(name, row["quantity"] + UNIT if "quantity" in name else SYMBOLS[0])


def other_order_id(walk: random.Random, orders: list[Row], _: list[Row]) -> None:
    """An order has the id of another one, of the client or the exchange, or lacks one."""
    row = walk.choice(orders)
    known = [one for each in orders for name in IDS if (one := each.get(name))]
    row[walk.choice(IDS)] = walk.choice([None, "new", walk.choice(known)])
    if not any(row.get(name) for name in IDS):
        row["exchange_order_id"] = walk.choice(known)


def listed_again(walk: random.Random, orders: list[Row], _: list[Row]) -> None:
    """An order is listed once more."""
    orders.append(dict(walk.choice(orders)))


def lost_order(walk: random.Random, orders: list[Row], _: list[Row]) -> None:
    """An order is missing."""
    orders.pop(walk.randrange(len(orders)))


def lost_fill(walk: random.Random, _: list[Row], fills: list[Row]) -> None:
    """A fill is missing."""
    fills.pop(walk.randrange(len(fills)))


def doubled_fill(walk: random.Random, _: list[Row], fills: list[Row]) -> None:
    """A fill is listed twice."""
    fills.append(dict(walk.choice(fills)))


def changed_fill(walk: random.Random, _: list[Row], fills: list[Row]) -> None:
    """A fill has another quantity, side, symbol or account."""
    row = walk.choice(fills)
    row |= walk.choice(
        [{"quantity": row["quantity"] + UNIT}, {"side": "SELL"}, {"symbol": SYMBOLS[0]},
         {"account": "sub"}]
    )  # fmt: skip


def other_fill_id(walk: random.Random, orders: list[Row], fills: list[Row]) -> None:
    """A fill names another order, none, an unknown one, or two."""
    row = walk.choice(fills)
    known = [one for each in orders for name in IDS if (one := each.get(name))]
    for name in walk.choice([IDS[:1], IDS[1:], IDS]):
        row[name] = walk.choice([None, None, "unknown", walk.choice(known)])


def in_another_order(walk: random.Random, orders: list[Row], fills: list[Row]) -> None:
    """Rows are listed in another order."""
    walk.shuffle(orders)
    walk.shuffle(fills)


CHANGES: list[Callable[[random.Random, list[Row], list[Row]], None]] = [
    changed_order, changed_order, other_order_id, other_order_id, listed_again, lost_order,
    lost_fill, doubled_fill, changed_fill, other_fill_id, other_fill_id, in_another_order,
]  # fmt: skip


def change(walk: random.Random, orders: list[Row], fills: list[Row]) -> None:
    """Make one change, if there are rows to change."""
    if orders and fills:
        walk.choice(CHANGES)(walk, orders, fills)


def both_sides(walk: random.Random, count: int, changes: int) -> tuple[Books, Books]:
    """Both sides of a session: some changes are made before the sides differ, others after."""
    orders, fills = right(walk, count)
    if walk.random() < 0.3:
        for row in (*orders, *fills):
            row["account"] = "main"
    absent = walk.choice(["", "", "", *IDS])
    for row in (*orders, *fills):
        row.pop(absent, None)
    for _ in range(walk.randint(0, changes)):
        change(walk, orders, fills)
    sides = [([dict(row) for row in orders], [dict(row) for row in fills]) for _ in "ab"]
    for _ in range(walk.randint(0, changes)):
        change(walk, *walk.choice(sides))
    if walk.random() < 0.2:
        for row in (*sides[1][0], *sides[1][1]):
            row["account"] = "other"  # each side names its one account in its own words
    return sides[0], sides[1]


def session(
    directory: Path, books: tuple[Books, Books], forms: Sequence[str], kind: Any = EXACT
) -> Path:
    """Write a session whose orders and fills are tables, with amounts of one type."""
    sides: dict[str, Any] = {}
    for name, (orders, fills), form in zip(("internal", "external"), books, forms, strict=True):
        rows = {"orders": (TYPES, orders), "fills": (FILL_TYPES, fills)}
        of_side = {
            part: section(directory, f"{name}-{part}", table_of(*table, kind), form)
            for part, table in rows.items()
        }
        sides[name] = {"as_of": AS_OF_TEXT, "opening": {"cash": {"EUR": "1000.00"}}, **of_side}
    return write_session(directory, document(instruments=INSTRUMENTS, **sides))


def table_of(kinds: dict[str, pa.DataType], rows: Sequence[Row], kind: Any = EXACT) -> Table:
    """A table with the columns of which any row has a value, and amounts of a type."""
    kinds = {name: kind if one == EXACT else one for name, one in kinds.items()}
    if pa.types.is_string(kind):
        rows = [
            {name: f"{value:f}" if isinstance(value, Decimal) else value
             for name, value in row.items()}
            for row in rows
        ]  # fmt: skip
    named = {name: one for name, one in kinds.items() if any(row.get(name) for row in rows)}
    return named, rows


@pytest.mark.large
@pytest.mark.parametrize("seed", sample(range(max(1, settings().max_examples // 2)), every=2))
def test_orders_in_columns_answer_as_rows_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Verdicts, texts, notes and digests are the same, whatever shares an id or does not sum up."""
    walk = random.Random(seed)  # noqa: S311
    books = both_sides(walk, walk.choice([2, 4, 12]), walk.choice([1, 3, 6]))
    forms = [walk.choice(["parquet", "parquet", "csv", "jsonl"]) for _ in "ab"]
    kind = walk.choice([EXACT, EXACT, pa.decimal128(38, 18), pa.decimal128(38, 30), pa.string()])
    path = session(tmp_path, books, forms, kind)
    max_items = walk.choice([0, 1, 3, 100])
    by_rows = answers(path, max_items)
    for module in (matching, order_fills):
        monkeypatch.setattr(module, "MOST_NUMBERS", walk.choice([2, 9, 1000, 1000]))
    assert answers(path, max_items, column_rows=1) == by_rows


def in_columns(path: Path) -> Reconciliation:
    """The session with all tables in columns."""
    with limits_in_force({"column_rows": 1}):
        found = reconcile_session(path, max_items=0)
    for record in sides_of(found):
        assert isinstance(record.orders, ColumnOrders)
        assert isinstance(record.fills, ColumnFills)
    return found


def made(found: Reconciliation, name: str) -> list[int]:
    """The number of rows of a section of each side that became objects."""
    tables = [getattr(record, name) for record in sides_of(found)]
    return [len(table if table.rows.every is not None else table.rows.known) for table in tables]


@pytest.mark.large
def test_only_orders_that_differ_and_their_fills_are_made(tmp_path: Path) -> None:
    """A clear session makes no row; another the orders that differ and the fills that name them."""
    orders, fills = right(random.Random(1), 40)  # noqa: S311
    clear = in_columns(session(tmp_path, ((orders, fills), (orders[::-1], fills)), ["csv", "csv"]))
    assert clear.folded == {"order": 40, "fill": len(fills)}
    assert [made(clear, name) for name in ("orders", "fills")] == [[0, 0], [0, 0]]
    other = [*orders[1:30], {**orders[30], "state": "EXPIRED"}, *orders[31:]]
    path = session(tmp_path, ((orders, fills), (other, fills)), ["parquet", "parquet"])
    apart = in_columns(path)
    named = [row for row in fills if row["client_order_id"] in ("o0", "o30")]
    assert made(apart, "orders") == [2, 1]
    assert made(apart, "fills") == [len(named), len(named)]
    assert shown(apart) == answers(path, 0)


@pytest.mark.large
@pytest.mark.parametrize("seed", range(max(1, settings().max_examples // 10)))
def test_differences_of_orders_in_columns_are_explained_as_of_rows(
    tmp_path: Path, seed: int
) -> None:
    """Every word of every explanation is the same; it looks at all orders."""
    walk = random.Random(seed)  # noqa: S311
    books = right(walk, 20)
    sides = [([dict(row) for row in books[0]], [dict(row) for row in books[1]]) for _ in "ab"]
    walk.choice([lost_fill, changed_fill, doubled_fill])(walk, *sides[0])
    walk.choice([changed_order, lost_order, other_fill_id])(walk, *walk.choice(sides))
    path = session(tmp_path, (sides[0], sides[1]), ["parquet", "csv"])
    found = []
    for column_rows in (1, 10**6):
        with limits_in_force({"column_rows": column_rows}):
            judged = reconcile_session(path, max_items=0, explain=explainer(Effort.FAST))
            found.append([one.to_dict() for one in judged.explanations])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "values",
    [
        {"client_order_id": None, "exchange_order_id": None},
        {"client_order_id": ""},
        {"state": "filled"},
        {"state": None},
        {"side": "buy"},
        {"symbol": ""},
        {"quantity": -UNIT},
        {"filled_quantity": -UNIT},
        {"quantity": None},
        {"type": ""},
    ],
)
def test_an_order_that_is_not_plain_is_read_by_rows(tmp_path: Path, values: Row) -> None:
    """A table with one such order is read, or refused, as it is without columns."""
    orders, fills = right(random.Random(2), 9)  # noqa: S311
    other = [{**orders[0], **values}, *orders[1:]]
    path = session(tmp_path, ((other, fills), (orders, fills)), ["parquet", "parquet"])
    by_rows = answers(path, 0)
    with limits_in_force({"column_rows": 1}):
        found = reconcile_session(path, max_items=0)
    assert shown(found) == by_rows
    assert not found.is_readable or isinstance(sides_of(found)[0].orders, tuple)


@pytest.mark.large
@pytest.mark.parametrize("places", [(0, 8), (8, 2), (30, 0), (2, 18)])
def test_quantities_of_orders_and_fills_in_other_digits(
    tmp_path: Path, places: tuple[int, int]
) -> None:
    """An order and its fills are the same quantity however many decimals the tables have."""
    orders, fills = right(random.Random(3), 12)  # noqa: S311
    names = ("quantity", "filled_quantity")
    rows = [{**row, **{name: row[name] // UNIT for name in names}} for row in orders]
    parts = [{**row, "quantity": row["quantity"] // UNIT} for row in fills]
    path = session(tmp_path, ((rows, parts), (rows, parts)), ["parquet", "parquet"])
    for side in ("internal", "external"):
        kinds = {**TYPES, **dict.fromkeys(names, pa.decimal128(38, places[0]))}
        section(tmp_path, f"{side}-orders", table_of(kinds, rows), "parquet")
        kinds = {**FILL_TYPES, "quantity": pa.decimal128(38, places[1])}
        section(tmp_path, f"{side}-fills", table_of(kinds, parts), "parquet")
    found = in_columns(path)
    assert found.folded["order"] == len(orders)
    assert shown(found) == answers(path, 0)


@pytest.mark.large
def test_no_query_compares_each_row_with_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Joins of orders and fills look rows up by their ids, however few differ."""
    asked: list[str] = []

    def answer(query: str) -> list[tuple[Any, ...]]:
        asked.append(query)
        return database_module.answer(query)

    monkeypatch.setattr(table_columns, "answer", answer)
    orders, fills = right(random.Random(1), 40)  # noqa: S311
    path = session(tmp_path, ((orders, fills), (orders[1:], fills[30:])), ["parquet", "parquet"])
    assert in_columns(path).diffs
    cursor = database_module.database().cursor()
    plans = ["\n".join(cursor.execute(f"EXPLAIN {query}").fetchone()) for query in asked]
    assert any("Hash Join" in plan for plan in plans)
    assert not [plan for plan in plans if "Cross Product" in plan or "Nested Loop" in plan]
