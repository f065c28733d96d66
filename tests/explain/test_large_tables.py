"""Explanations of tables in columns: each is that of the rows, and rows are made of few fills."""

import csv
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from recon_core.columns.column_fills import ColumnFills
from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.on_demand import explainer
from recon_core.ledger.timeline import ordered_fills
from recon_core.model import Fill
from recon_core.model.explanation import Effort
from recon_core.model.fill_table import FillTable, RowTable
from recon_core.plugins.manager import extension_manager
from recon_core.policy import Policy
from recon_core.sessions import read_session
from recon_core.values.limits import limits_in_force
from tests.matrices import matrix, sample

pytest.importorskip("duckdb")

Row = dict[str, str]
START = datetime(2026, 1, 1, tzinfo=UTC)
MARKETS = {
    "spot": {"BTC/EUR": ("BTC", "EUR"), "ETH/EUR": ("ETH", "EUR"), "ETH/BTC": ("ETH", "BTC")},
    "equity": {"ACME": ("ACME", "EUR"), "EMCA": ("EMCA", "EUR")},
}
OPENING = {"EUR": "5000000.00", "BTC": "400.00000000", "ETH": "900.00000000"}
OTHERS = {"BTC/EUR": "ETH/EUR", "ETH/EUR": "BTC/EUR", "ETH/BTC": "ETH/EUR", "ACME": "EMCA",
          "EMCA": "ACME"}  # fmt: skip
UNIT = Decimal("1e-8")


@dataclass
class Draw:
    """A session that is drawn: both sides' fills and movements, and how each is stated."""

    seed: int
    count: int = 120
    walk: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.walk = random.Random(self.seed)  # noqa: S311

    def rows(self, kind: str) -> list[Row]:
        """The right fills: ids with and without separators, some times twice, orders of two."""
        walk, found = self.walk, list[Row]()
        name = walk.choice(["f{at}", "x-{at}", "{of}-{part}"])
        rate = walk.choice(["0.001", "0.00075", "0.002"])
        step = walk.choice([1, 2])
        for at in range(self.count):
            symbol = walk.choice(list(MARKETS[kind]))
            _, quote = MARKETS[kind][symbol]
            quantity = Decimal(walk.randint(1, 400)).scaleb(-2)
            price = Decimal(walk.randint(90_000, 110_000)).scaleb(-2)
            fee = (quantity * price * Decimal(rate)).quantize(UNIT)
            row = {
                "fill_id": name.format(at=at, of=at // 3, part=at % 3),
                "symbol": symbol,
                "side": walk.choice(["BUY", "SELL"]),
                "quantity": f"{quantity}",
                "price": f"{price}",
                "fee": f"{fee}",
                "fee_currency": quote,
                "time": time_of(at // step),
                "client_order_id": f"o{at // 2}",
            }
            found.append(row)
        return found


def time_of(minute: int) -> str:
    """A time as a file has it."""
    return (START + timedelta(minutes=minute)).isoformat()[:-6] + "Z"


def doubled(row: Row) -> list[Row]:
    """A fill that is listed twice."""
    return [row, row]


def redelivered(row: Row) -> list[Row]:
    """A fill that is listed again under another id."""
    return [row, {**row, "fill_id": f"{row['fill_id']}r"}]


def in_parts(row: Row) -> list[Row]:
    """A fill that is listed whole and in parts."""
    part = {**row, "quantity": f"{Decimal(row['quantity']) / 2}", "fee": "0"}
    return [row, *({**part, "fill_id": f"{row['fill_id']}-{name}"} for name in "CO")]


def with_field(name: str, change: Callable[[Row], str]) -> Callable[[Row], list[Row]]:
    """A fault of one field."""
    return lambda row: [{**row, name: change(row)}]


FAULTS: dict[str, Callable[[Row], list[Row]]] = {
    "lost": lambda _: [],
    "doubled": doubled,
    "redelivered": redelivered,
    "in parts": in_parts,
    "turned": with_field("side", lambda row: "SELL" if row["side"] == "BUY" else "BUY"),
    "double fee": with_field("fee", lambda row: f"{2 * Decimal(row['fee'])}"),
    "no fee": with_field("fee", lambda _: "0"),
    "ten times": with_field("quantity", lambda row: f"{10 * Decimal(row['quantity'])}"),
    "another price": with_field("price", lambda row: f"{Decimal(row['price']) + 7}"),
    "another id": with_field("fill_id", lambda row: f"{row['fill_id']}z"),
    "another symbol": with_field("symbol", lambda row: OTHERS[row["symbol"]]),
    "another time": with_field("time", lambda _: time_of(9)),
    "another order": with_field("client_order_id", lambda _: "other"),
}


def movements() -> list[Row]:
    """Deposits, each of another amount."""
    return [
        {
            "movement_id": f"m{at}",
            "kind": "deposit",
            "currency": "EUR",
            "amount": f"{1000 + at * 7}.00",
            "time": time_of(at * 11),
        }
        for at in range(5)
    ]


def state(rows: list[Row], moved: list[Row], kind: str) -> dict[str, Any]:
    """What right rows give: cash, and positions by symbol."""
    cash = {name: Decimal(amount) for name, amount in OPENING.items()}
    positions: dict[str, Decimal] = {}
    for row in rows:
        base, quote = MARKETS[kind][row["symbol"]]
        signed = Decimal(row["quantity"]) * (1 if row["side"] == "BUY" else -1)
        positions[row["symbol"]] = positions.get(row["symbol"], Decimal(0)) + signed
        if kind == "spot":
            cash[base] = cash.get(base, Decimal(0)) + signed
        cash[quote] -= signed * Decimal(row["price"]) + Decimal(row["fee"])
    cash["EUR"] += sum((Decimal(row["amount"]) for row in moved), Decimal(0))
    return {
        "cash": {name: f"{amount}" for name, amount in cash.items()},
        "positions": {name: f"{amount}" for name, amount in positions.items()},
    }


def written(directory: Path, name: str, rows: list[Row]) -> dict[str, str]:
    """A table beside the session file."""
    with (directory / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return {"path": f"{name}.csv"}


def with_fault(rows: list[Row], changed: Row, fault: str) -> list[Row]:
    """Return rows with a fault of one of them."""
    each = (FAULTS[fault](row) if row is changed else [row] for row in rows)
    return [row for some in each for row in some]


def session(directory: Path, seed: int) -> Path:
    """Write a session with faults on one or both sides."""
    draw = Draw(seed)
    walk, kind = draw.walk, draw.walk.choice(["spot", "spot", "equity"])
    right, moved = draw.rows(kind), movements()
    books = {"internal": list(right), "external": list(right)}
    for _ in range(walk.choice([1, 1, 1, 2])):
        side, fault = walk.choice(["internal", "internal", "external"]), walk.choice(list(FAULTS))
        at = walk.choice([0, len(right) - 1, walk.randrange(len(right))])
        books[side] = with_fault(books[side], right[at], fault)
    if walk.random() < 0.2:
        books["external"] = books["external"][: -walk.randint(1, 3)]
    if walk.random() < 0.2:
        walk.shuffle(books["internal"])
    sides: dict[str, dict[str, Any]] = {}
    for name, rows in books.items():
        listed = moved[: walk.choice([5, 5, 5, 4])]
        sides[name] = {
            "as_of": time_of(100_000),
            "opening": {"cash": OPENING},
            "fills": written(directory, name, rows),
            "movements": written(directory, f"{name}-moved", listed) if seed % 2 else listed,
        }
    form = walk.choice(["replayed", "replayed", "stated", "both", "state alone"])
    if form != "replayed":
        sides["external"] |= state(right, moved, kind)
    if form in ("stated", "state alone"):
        del sides["external"]["opening"]
    if form == "state alone":
        del sides["external"]["fills"]
    if walk.random() < 0.2:
        balances = [{"currency": name, "total": one} for name, one in OPENING.items()]
        sides["internal"]["opening"] = {"cash": [{**one, "account": "main"} for one in balances]}
    currencies = walk.choice([{}, {"EUR": {"precision": 8}, "BTC": {"precision": 8}}])
    return saved(directory, kind, sides, currencies)


def saved(directory: Path, kind: str, sides: dict[str, Any], currencies: dict[str, Any]) -> Path:
    """Write a session file."""
    symbols = MARKETS[kind].items()
    document = {
        "schema": "recon.session/1",
        "session_id": "drawn",
        "instruments": {
            name: {"kind": kind, "base": base, "quote": quote} for name, (base, quote) in symbols
        },
        "currencies": currencies,
        **sides,
    }
    path = directory / "drawn.recon.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def explained(path: Path, column_rows: int) -> tuple[Reconciliation, list[dict[str, object]]]:
    """A session, its tables from a number of rows on in columns, and its explanations."""
    with limits_in_force({"column_rows": column_rows}):
        recorded = read_session(path, extension_manager())
        found = Reconciliation(recorded, Policy(), max_items=10, explain=explainer(Effort.FAST))
        return found, [one.to_dict() for one in found.explanations]


@pytest.mark.large
@pytest.mark.parametrize("seed", sample(range(max(1, settings().max_examples // 4)), every=2))
def test_columns_are_explained_as_rows_are(tmp_path: Path, seed: int) -> None:
    """Every word of every explanation is the same, whatever the fault and the side."""
    path = session(tmp_path, seed)
    of_columns, in_columns = explained(path, 1)
    of_rows, in_rows = explained(path, 10**9)
    assert isinstance(of_columns.recorded.internal.fills, ColumnFills)  # type: ignore[union-attr]
    assert not isinstance(of_rows.recorded.internal.fills, ColumnFills)  # type: ignore[union-attr]
    assert in_columns == in_rows


ONE_FAULT = {
    "lost": "missing_fill",
    "doubled": "duplicate_fill",
    "redelivered": "duplicate_fill",
    "turned": "side_flipped",
    "double fee": "duplicate_fee",
    "no fee": "missing_fee",
    "ten times": "wrong_quantity",
    "another price": "wrong_price",
}


@pytest.mark.large
@pytest.mark.parametrize(("fault", "form"), matrix([*ONE_FAULT], ["replayed", "stated"], every=2))
def test_only_rows_near_a_fault_are_made(tmp_path: Path, fault: str, form: str) -> None:
    """One fault among 3,000 fills is explained from rows near it and a sample of fees."""
    draw = Draw(5, 3_000)
    right = draw.rows("spot")
    wrong = with_fault(right, right[1_500], fault)
    books = {"internal": wrong, "external": right}
    sides: dict[str, Any] = {
        name: {
            "as_of": time_of(100_000),
            "opening": {"cash": OPENING},
            "fills": written(tmp_path, name, rows),
            "movements": movements(),
        }
        for name, rows in books.items()
    }
    sides["external"] |= state(right, movements(), "spot") if form == "stated" else {}
    path = saved(tmp_path, "spot", sides, {})
    found, answers = explained(path, 1)
    assert [(one["verdict"], [each["kind"] for each in one["causes"]]) for one in answers] == [  # type: ignore[attr-defined]
        ("unique", [ONE_FAULT[fault]])
    ]
    for record in found.recorded.own_records().values():
        assert isinstance(record.fills, ColumnFills)
        assert record.fills.rows.every is None
        assert len(record.fills.rows.known) < 2_200
    assert answers == explained(path, 10**9)[1]


@pytest.mark.large
@pytest.mark.parametrize("seed", range(max(1, settings().max_examples // 6)))
def test_each_question_is_answered_as_rows_answer_it(tmp_path: Path, seed: int) -> None:
    """Of a table, and of one from which a repair takes rows and to which it adds others."""
    path = session(tmp_path, seed)
    with limits_in_force({"column_rows": 1}):
        record = read_session(path, extension_manager()).internal
    assert record is not None
    table = record.fills
    assert isinstance(table, ColumnFills)
    walk = random.Random(seed)  # noqa: S311
    rows = table.in_account("main") if walk.random() < 0.5 else table
    assert isinstance(rows, ColumnFills)
    asked = [rows[walk.randrange(len(rows))] for _ in range(3)]
    added = [replace(asked[0], fill_id="new"), replace(asked[1], price=Decimal("7.5"))]
    given = [rows, rows.patched(asked[:2], added)]
    given.append(given[1].patched([added[0], asked[2]], [replace(asked[2], fee=Decimal(3))]))
    answers = [questions(rows, asked)]
    assert rows.rows.every is None
    answers += [questions(one, asked) for one in given[1:]]
    for one, found in zip(given, answers, strict=True):
        assert found == questions(RowTable(tuple(one)), asked)


def questions(table: FillTable, asked: Sequence[Fill]) -> dict[str, Any]:
    """What a search asks about all fills of a side."""
    first, last = sorted(asked, key=lambda one: one.time)[::2]
    keys = {(first.account, first.symbol, str(first.leg))}
    unasked = table.prices(last.symbol, last.fill_id)  # its rows are not known yet
    having: dict[str, Any] = {
        name: table.having(**{name: {getattr(one, name) for one in asked}})
        for name in ("fill_id", "time", "order_id", "symbol", "account")
    }
    quoted = table.having(symbol={first.symbol}, price={first.price})
    return {
        **having,
        "price": quoted,
        "length": len(table),
        "latest": [table.latest(), table.latest(last.time), table.latest(first.time)],
        "after": table.after(last.time),
        "counts": (table.late(first.time), table.early(first.time), table.copies()),
        "distinct": [table.distinct(name) for name in ("symbol", "account", "fee_currency")],
        "count": table.count_of("symbol", first.symbol),
        "owned": [table.owned([*asked, *asked]), table.owned([])],
        "places": table.fee_places(),
        "samples": table.fee_samples(40),
        "prices": [unasked, *(table.prices(one.symbol, one.fill_id) for one in asked)],
        "quantities": table.quantities(),
        "charged": [table.charged(keys, side, 20, ordered_fills) for side in (None, "BUY")],
    }
