"""The tables of a session: every field of fills, orders and movements, in and beside the file."""

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import (
    Fill,
    Leg,
    MovementKind,
    Numbers,
    OrderSide,
    OrderState,
)
from recon_core.values.errors import SessionError

from .builders import (
    AS_OF,
    AS_OF_TEXT,
    at,
    checks,
    document,
    read,
    read_side,
    verdicts,
    write_session,
)

RECORDING = Path(__file__).parents[1] / "data" / "nautilus" / "spot_btcusdt_quotes_partial"


FILL = {
    "fill_id": "f1",
    "symbol": "BTC/EUR",
    "side": "SELL",
    "quantity": "0.1",
    "price": "50000",
    "fee": "-0.5",
    "fee_currency": "EUR",
    "time": "2026-01-01T13:00:00.5+01:00",
    "account": "a",
    "client_order_id": "c1",
    "exchange_order_id": "e1",
}
READ_FILL = Fill(
    fill_id="f1",
    symbol="BTC/EUR",
    side=OrderSide.SELL,
    quantity=Decimal("0.1"),
    price=Decimal(50000),
    time=at(0.5),
    fee=Decimal("-0.5"),
    fee_currency="EUR",
    client_order_id="c1",
    exchange_order_id="e1",
    account="a",
)


def test_every_section_of_a_side_arrives(tmp_path: Path) -> None:
    """Fills, orders, movements, opening, snapshots, counts: all fields, all exact."""
    side = read_side(
        tmp_path,
        source="ledger",
        numbers="float",
        complete=False,
        fills=[FILL],
        orders=[
            {
                "exchange_order_id": "e1",
                "symbol": "BTC/EUR",
                "side": "SELL",
                "type": "LIMIT",
                "quantity": "0.2",
                "filled_quantity": "0.1",
                "price": "50000",
                "state": "PARTIALLY_FILLED",
                "time": AS_OF_TEXT,
            }
        ],
        movements=[
            {
                "movement_id": "m1",
                "kind": "funding",
                "time": AS_OF_TEXT,
                "currency": "EUR",
                "amount": "-3.34",
            }
        ],
        opening={"as_of": AS_OF_TEXT, "cash": {"EUR": "10"}},
        snapshots=[{"as_of": AS_OF_TEXT, "positions": {}}],
        counts={"fills": 1, "orders": 1},
    )
    assert (side.source, side.numbers, side.complete) == ("ledger", Numbers.FLOAT, False)
    assert side.fills == (READ_FILL,)
    assert side.orders is not None
    assert (side.orders[0].order_id, side.orders[0].state) == ("e1", OrderState.PARTIALLY_FILLED)
    assert side.movements is not None
    assert side.movements[0].movement_kind is MovementKind.FUNDING
    assert side.opening is not None
    assert (side.opening.as_of, side.opening.cash[0].total) == (AS_OF, 10)
    assert side.snapshots is not None
    assert (side.snapshots[0].positions, side.snapshots[0].cash) == ((), None)
    assert side.counts == {"fills": 1, "orders": 1}


CSV = "fill_id,symbol,side,quantity,price,fee,fee_currency,time,account,client_order_id,leg\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("fills.jsonl", json.dumps(FILL) + "\n\n"),
        (
            "deep/fills.csv",
            ",".join(FILL) + "\r\n" + ",".join(FILL.values()) + "\r\n",
        ),
    ],
)
def test_a_table_may_stand_beside_the_file(tmp_path: Path, name: str, content: str) -> None:
    """CSV and JSON Lines give the same rows as the list in the file, and are evidence too."""
    (tmp_path / "deep").mkdir()
    (tmp_path / name).write_bytes(content.encode())
    session = read(tmp_path, internal={"as_of": AS_OF_TEXT, "fills": {"path": name}})
    assert session.internal is not None
    assert session.internal.fills == (READ_FILL,)
    assert len(session.inputs) == 2


def test_an_empty_cell_is_an_absent_value(tmp_path: Path) -> None:
    """CSV knows no null: an empty fee is no fee."""
    (tmp_path / "fills.csv").write_text(f"{CSV}f1,BTC/EUR,BUY,1,2,,,{AS_OF_TEXT},,,\n")
    (fill,) = read_side(tmp_path, fills={"path": "fills.csv"}).fills or ()
    assert (fill.fee, fill.fee_currency, fill.account, fill.leg) == (0, None, None, Leg.NET)


def test_a_side_may_be_taken_from_a_recording(tmp_path: Path) -> None:
    """`from` reads a foreign recording beside the file, its instruments and precisions too."""
    shutil.copytree(RECORDING, tmp_path / "run")
    sides = {
        name: {"from": {"format": "nautilus", "path": "run/", "side": side}}
        for name, side in (("internal", "internal"), ("external", "external"))
    }
    del sides["internal"]["from"]["side"]
    reconciliation = reconcile_session(write_session(tmp_path, document(**sides)))
    assert set(verdicts(reconciliation).values()) == {"match"}
    assert reconciliation.recorded.instruments.keys() == {"BTCUSDT.BINANCE"}
    assert len(reconciliation.recorded.inputs) > 5


WHOLE = {
    "fills.csv": f"{CSV}f1,BTC/EUR,BUY,1,2,,,{AS_OF_TEXT},,,\n",
    "quoted.csv": f'{CSV}f1,BTC/EUR,BUY,1,2,,,{AS_OF_TEXT},"a,\nb",,\r\n',
    "fills.jsonl": json.dumps(FILL) + "\n" + json.dumps({**FILL, "fill_id": "f2"}) + "\n",
}


@pytest.mark.large
@pytest.mark.parametrize("name", WHOLE)
def test_a_table_that_ends_in_the_middle_is_critical(tmp_path: Path, name: str) -> None:
    """Cut anywhere but behind a whole row, it is refused; a cut value reads like a value.

    What is cut behind a whole row shows in the `counts` of the side alone.
    """
    whole = WHOLE[name]
    content = document(internal={"as_of": AS_OF_TEXT, "fills": {"path": name}})
    path = write_session(tmp_path, content, "good.recon.json")
    for length in range(1, len(whole)):
        (tmp_path / name).write_bytes(whole[:length].encode())
        found = reconcile_session(path)
        cut = {judgement.comparison.key: judgement for judgement in found.judgements}
        if whole[:length].endswith(("\r", "\n")) and len(cut) > 1:
            continue
        assert [judgement.verdict for judgement in cut.values()] == ["CRITICAL"], whole[:length]
        assert name in cut["readable"].message
    (tmp_path / name).write_bytes(whole.encode())
    assert checks(reconcile_session(path))["readable"] == "match"


def test_a_value_that_is_cut_is_named(tmp_path: Path) -> None:
    """0.1 of 0.125 would be a quantity; the missing line break tells."""
    text = json.dumps(FILL)
    (tmp_path / "fills.jsonl").write_text(text, encoding="utf-8")
    content = document(internal={"as_of": AS_OF_TEXT, "fills": {"path": "fills.jsonl"}})
    found = reconcile_session(write_session(tmp_path, content, "good.recon.json"))
    assert "internal.fills: fills.jsonl: ends in the middle" in found.judgements[0].message


def test_one_table_on_both_sides_is_not_compared_with_itself(tmp_path: Path) -> None:
    """Also under two spellings of its path; a copy under another name is other evidence."""
    fields = {"client_order_id", "exchange_order_id", "account"}
    row = {name: value for name, value in FILL.items() if name not in fields}
    (tmp_path / "t").mkdir()
    for name in ("a.jsonl", "t/b.jsonl"):
        (tmp_path / name).write_text(json.dumps(row) + "\n", encoding="utf-8")
    for other, expected in (("./a.jsonl", set()), ("t/b.jsonl", {"fill::BTC/EUR,f1"})):
        sides = {
            name: {"as_of": AS_OF_TEXT, "positions": {"X": "1"}, "fills": {"path": path}}
            for name, path in (("internal", "a.jsonl"), ("external", other))
        }
        found = reconcile_session(write_session(tmp_path, document(**sides), "good.recon.json"))
        assert set(verdicts(found)) == {"position::X", *expected}


def test_one_side_of_a_recording_on_both_sides(tmp_path: Path) -> None:
    """Its fills prove nothing about themselves."""
    shutil.copytree(RECORDING, tmp_path / "run")
    one = {"from": {"format": "nautilus", "path": "run/", "side": "internal"}}
    sides = {"internal": one, "external": one}
    found = reconcile_session(write_session(tmp_path, document(**sides)))
    assert not any(name.startswith(("fill::", "order::")) for name in verdicts(found))
    assert any(
        note.startswith("fills: both sides were read from one source") for note in found.notes
    )


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("fill_id,quantitty,price", "column 'quantitty' is no field; did you mean quantity?"),
        ("fill_id,xyz,price", "column 'xyz' is no field; expected one of fill_id, client_order_id"),
        ("fill_id;quantity;price", "expected columns between commas, not ';'"),
    ],
)
def test_a_column_that_is_no_field_is_named(tmp_path: Path, header: str, expected: str) -> None:
    """Before any row is read, with the near field or all of them."""
    (tmp_path / "fills.csv").write_text(f"{header}\n1,2,3\n")
    with pytest.raises(SessionError) as caught:
        read_side(tmp_path, fills={"path": "fills.csv"})
    assert "internal.fills: fills.csv: column " in str(caught.value)
    assert expected in str(caught.value)
