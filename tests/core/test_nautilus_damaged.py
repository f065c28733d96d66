"""Damaged nautilus_trader recordings: refused by name, or compared as what is left."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session

from .builders import checks, verdicts
from .recordings import states
from .refusals import refusal

DATA = Path(__file__).parents[1] / "data" / "nautilus"


def copy_of(name: str, directory: Path) -> Path:
    return Path(shutil.copytree(DATA / name, directory / name))


def without(name: str) -> Callable[[Path], object]:
    return lambda directory: (directory / name).unlink()


def replaced(name: str, old: str, new: str) -> Callable[[Path], object]:
    def change(directory: Path) -> None:
        text = (directory / name).read_text(encoding="utf-8")
        assert old in text
        (directory / name).write_text(text.replace(old, new), encoding="utf-8", newline="")

    return change


def text(name: str, content: str) -> Callable[[Path], object]:
    return lambda directory: (directory / name).write_text(content, encoding="utf-8")


def meta(**changes: Any) -> Callable[[Path], object]:
    def change(directory: Path) -> None:
        table = json.loads((directory / "meta.json").read_text(encoding="utf-8")) | changes
        (directory / "meta.json").write_text(json.dumps(table), encoding="utf-8")

    return change


def venue(name: str) -> Callable[[Path], object]:
    return meta(configured_starting_balances={name: ["1.00 BTC"]})


OPENING = "configured_starting_balances"
HOSTILE = {
    "no meta": (without("meta.json"), "meta.json: cannot be read: No such file"),
    "truncated meta": (text("meta.json", '{"engine": "nautilus_tra'), "meta.json: is not JSON"),
    "meta of another engine": (meta(engine="freqtrade"), "is a directory without a recording"),
    "meta is a list": (text("meta.json", "[]"), "is a directory without a recording"),
    "no opening": (meta(configured_starting_balances=None), f"meta.json: {OPENING}"),
    "empty opening": (meta(configured_starting_balances={}), f"meta.json: {OPENING}"),
    "opening of floats": (meta(configured_starting_balances={"BINANCE": [1.5]}), OPENING),
    "opening with a float": (
        meta(configured_starting_balances={"BINANCE": ["1.00 BTC", 1.5]}),
        f"meta.json: {OPENING}: is missing or no lists of text",
    ),
    "opening without currency": (
        meta(configured_starting_balances={"BINANCE": ["100"]}),
        f"meta.json: {OPENING}: '100'; expected an amount and a currency",
    ),
    "opening in exponents": (
        meta(configured_starting_balances={"BINANCE": ["1e5 USDT"]}),
        "'1e5' is not an amount",
    ),
    "venue of nowhere": (venue("KRAKEN"), "account_KRAKEN.csv: cannot be read"),
    "venue that climbs": (venue("../x"), "x.csv: cannot be read"),
    "venue that climbs out": (venue("/../../x"), "leads out of the session's directory"),
    "venue with an escape": (venue("\x1b[2J\nx"), r"account_\x1b[2J\x0ax.csv: cannot be read"),
    "no fills": (without("fills.csv"), "fills.csv: is missing; expected the fills report"),
    "empty fills file": (text("fills.csv", ""), "fills.csv: is empty; expected a header"),
    "negative quantity": (
        replaced("fills.csv", "BUY,MARKET,0.000001", "BUY,MARKET,-0.000001"),
        "fills.csv: row 1: fill T-9803615f2c573e6f-001: quantity -0.000001 is below 0",
    ),
    "quantity is no number": (
        replaced("fills.csv", "BUY,MARKET,0.000001", "BUY,MARKET,nan"),
        "fills.csv: row 1: last_qty: 'nan' is not an amount",
    ),
    "side of nowhere": (replaced("fills.csv", ",SELL,", ",SHORT,"), "fills.csv: row 3: "),
    "commission without currency": (
        replaced("fills.csv", "0.00003945 USDT", "0.00003945"),
        "fills.csv: row 1: commission: '0.00003945'",
    ),
    "naive fill time": (
        replaced("fills.csv", "00:00:03.552+00:00", "00:00:03.552"),
        "fills.csv: row 1: '2021-01-08 00:00:03.552' has no offset",
    ),
    "fills without a column": (
        replaced("fills.csv", ",commission,", ",commissions,"),
        "fills.csv: row 1: commission: is missing or empty",
    ),
    "account without a column": (
        replaced("account_BINANCE.csv", ",currency,", ",coin,"),
        "currency: is missing or empty",
    ),
    "account without ids": (
        replaced("account_BINANCE.csv", ",account_id,", ",account,"),
        "account_id: is missing or empty",
    ),
    "account without rows": (
        text("account_BINANCE.csv", ",total,locked,free,currency,account_id,account_type\n"),
        "account_BINANCE.csv: has no rows",
    ),
    "ragged account": (
        replaced("account_BINANCE.csv", "USDT,BINANCE-001,CASH", "USDT,BINANCE-001"),
        "account_BINANCE.csv: row 2 has 10 cells; expected 11",
    ),
    "positions of no side": (
        replaced("positions.csv", "0.750000,0.750000", "x,0.750000"),
        "positions.csv: row",
    ),
    "orders without a column": (
        replaced("orders.csv", ",filled_qty,", ",filled,"),
        "orders.csv: row 1: filled_qty: is missing or empty",
    ),
    "orders cut off": (
        lambda directory: (directory / "orders.csv").write_bytes(
            (directory / "orders.csv").read_bytes()[:-9]
        ),
        "orders.csv: ",
    ),
    "an order of a state of nowhere": (
        replaced("orders.csv", ",FILLED,", ",GONE,"),
        "orders.csv: row 1: status: 'GONE'; expected one of INITIALIZED, ",
    ),
    "an order below 0": (
        replaced("orders.csv", "MARKET,BUY,0.750000", "MARKET,BUY,-0.750000"),
        "orders.csv: row 1: quantity: -0.750000 is below 0; the side says SELL",
    ),
    "an average price that is no number": (
        replaced("orders.csv", "39454.73999998667", "inf"),
        "orders.csv: row 1: avg_px: 'inf' is not a finite number",
    ),
    "an order without a time": (
        replaced("orders.csv", "1610064003552000000\n", "yesterday\n"),
        "orders.csv: row 1: 'yesterday' is not a time",
    ),
    "an order without an id": (
        replaced("orders.csv", "O-20210108-000003-001-000-1,", ","),
        "orders.csv: row 1: client_order_id: is missing or empty",
    ),
    "instruments in an object": (text("instruments.json", "{}"), "instruments.json: expected a"),
    "instrument without id": (text("instruments.json", "[{}]"), "instruments.json: row 1: id: is"),
    "no instruments": (
        text("instruments.json", "[]"),
        "instrument BTCUSDT.BINANCE is not declared",
    ),
}


@pytest.mark.parametrize(("change", "expected"), HOSTILE.values(), ids=HOSTILE)
def test_a_damaged_recording_is_refused(
    tmp_path: Path, change: Callable[[Path], object], expected: str
) -> None:
    """Whatever is missing or wrong becomes one CRITICAL item that names it."""
    directory = copy_of("spot_btcusdt_quotes_partial", tmp_path)
    change(directory)
    assert expected in refusal(directory)


def test_without_a_positions_report_positions_are_not_reported(tmp_path: Path) -> None:
    """Absent is not zero: a missing report is a coverage FAIL, an empty one is a statement."""
    directory = copy_of("spot_btcusdt_quotes_partial", tmp_path)
    for name in ("positions.csv", "positions.json"):
        (directory / name).unlink()
    absent = reconcile_session(directory)
    assert (checks(absent)["coverage"], "position::BTCUSDT.BINANCE" in verdicts(absent)) == (
        "FAIL",
        False,
    )
    (directory / "positions.json").write_text("[]")
    empty = reconcile_session(directory)
    assert (checks(empty)["coverage"], verdicts(empty)["position::BTCUSDT.BINANCE"]) == (
        "match",
        "FAIL",
    )


def test_a_recording_without_fills_needs_orders_that_say_so(tmp_path: Path) -> None:
    """The engine writes no fills report where nothing was filled; orders are the evidence."""
    directory = copy_of("spot_btcusdt_quotes_partial", tmp_path)
    (directory / "fills.csv").unlink()
    header = "client_order_id,instrument_id,type,side,quantity,filled_qty,status,ts_last\n"
    row = "O-1,BTCUSDT.BINANCE,MARKET,BUY,0.000001,{},1610064003552000000\n"
    (directory / "orders.csv").write_text(header + row.format("0.000000,CANCELED"))
    found = reconcile_session(directory)
    assert verdicts(found).pop("order::O-1") == "match"
    assert set(states(found).values()) == {"FAIL"}
    (directory / "orders.csv").write_text(header + row.format("0.000001,FILLED"))
    assert "fills.csv: is missing" in refusal(directory)


def test_an_account_of_another_type_moves_cash_in_another_way(tmp_path: Path) -> None:
    """Called a margin account, the same fills move cash by fee and PnL: both balances differ."""
    directory = copy_of("spot_btcusdt_quotes_partial", tmp_path)
    replaced("account_BINANCE.csv", ",CASH,", ",MARGIN,")(directory)
    assert states(reconcile_session(directory)) == {
        "cash::BTC": "FAIL",
        "cash::USDT": "FAIL",
        "position::BTCUSDT.BINANCE": "match",
    }


def test_a_hostile_venue_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    """A file whose very name carries an escape: what is wrong in it is said on one line."""
    directory = copy_of("spot_btcusdt_quotes_partial", tmp_path)
    name = "\x1b[2J\nx"
    venue(name)(directory)
    account = directory / f"account_{name}.csv"
    account.write_text("a\n")
    assert r"account_\x1b[2J\x0ax.csv: has no rows" in refusal(directory)
    account.write_text(",total\nyesterday,1\n")
    assert r"account_\x1b[2J\x0ax.csv: row 1: " in refusal(directory)
