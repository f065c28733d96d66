"""Damaged and hostile freqtrade recordings: one clear line each, and no trace on the disk."""

import json
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.sessions.formats.freqtrade import recon_anchor
from recon_core.sessions.native_text import session_text

from .builders import checks, message
from .recordings import DATA, writable_copy
from .refusals import refusal

FREQTRADE = DATA / "freqtrade"
SPOT = FREQTRADE / "bt_spot_ema" / "backtest-result-2026-11-22_14-02-45.zip"
BOT = FREQTRADE / "dry_spot_dca" / "tradesv3.dryrun.sqlite"
NAME = "backtest-result-x.zip"
MEMBER = "backtest-result-x.json"


def document(**changes: Any) -> dict[str, Any]:
    """A backtest of one trade; a change of `trade` or `order` is a change inside it."""
    entry = {"amount": 1.0, "safe_price": 2.0, "order_filled_timestamp": 1640995200000}
    entry |= {"ft_order_side": "buy", "ft_is_entry": True}
    leave = {**entry, "ft_order_side": "sell", "ft_is_entry": False}
    trade = {"pair": "A/B", "fee_open": 0.001, "fee_close": 0.001, "is_open": False}
    trade |= {"amount": 1.0, "is_short": False, "open_timestamp": 1640995200000}
    trade["orders"] = [entry | changes.pop("order", {}), leave]
    result = {"trades": [trade | changes.pop("trade", {})], "stake_currency": "B"}
    result |= {"starting_balance": 10, "final_balance": 9.996, **changes}
    return {"strategy": {"S": result}}


def packed(path: Path, *members: tuple[str, Any], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            text = content if isinstance(content, str | bytes) else json.dumps(content)
            archive.writestr(name, text)
    return path


def test_the_small_document_is_a_good_one(tmp_path: Path) -> None:
    """What the cases below change reconciles as it is."""
    reconciliation = reconcile_session(packed(tmp_path / NAME, (MEMBER, document())))
    assert [judgement.verdict for judgement in reconciliation.judgements] == ["match"] * 6
    internal = reconciliation.recorded.internal
    assert internal is not None
    assert [row.fill_id for row in internal.fills or ()] == ["1.1", "1.2"]


BESIDE = {
    "backtest-result-x.meta.json": {"S": {"run_id": "1"}},
    "backtest-result-x_config.json": {"strategy": "S"},
    "backtest-result-x_S.json": {"strategy_name": "S"},
    "backtest-result-x_S.py": "class S: ...",
    "backtest-result-x_market_change.feather": b"ARROW1\0\0",
}


@pytest.mark.parametrize("is_first", [False, True])
def test_what_else_is_in_a_zip_is_not_looked_at(tmp_path: Path, *, is_first: bool) -> None:
    """Configuration, strategy and notes, before or after the result."""
    members = [(MEMBER, document()), *BESIDE.items()]
    path = packed(tmp_path / NAME, *(members if is_first else members[::-1]))
    assert [one.verdict for one in reconcile_session(path).judgements] == ["match"] * 6


def without_orders(**changes: Any) -> dict[str, Any]:
    """The same trade as freqtrade wrote it before 2022."""
    trade = {"orders": None, "open_rate": 2.0, "close_rate": 2.0, "close_timestamp": 1640995260000}
    return document(trade=trade | changes)


@pytest.mark.parametrize(
    ("changes", "sides"),
    [
        ({}, ["BUY", "SELL"]),
        ({"is_short": True}, ["SELL", "BUY"]),
        ({"is_open": True, "close_rate": None, "close_timestamp": None}, ["BUY"]),
    ],
)
def test_a_trade_without_orders(tmp_path: Path, changes: dict[str, Any], sides: list[str]) -> None:
    """Its entry and its exit are one fill each, of its whole amount; an open one has no exit."""
    path = tmp_path / "backtest-result.json"
    path.write_text(json.dumps(without_orders(**changes)))
    internal = reconcile_session(path).recorded.internal
    assert internal is not None
    assert [(str(row.side), row.quantity, row.price) for row in internal.fills or ()] == [
        (side, 1, 2) for side in sides
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"open_rate": None}, "open_rate: is missing; expected a number"),
        ({"close_rate": "2,5"}, "close_rate: '2,5' is not an amount"),
        ({"close_timestamp": None}, "close_timestamp: is missing; expected milliseconds"),
        ({"orders": {}}, "orders: is missing or no list; expected a list"),
        ({"is_short": 2}, "is_short: '2'; expected true or false"),
    ],
)
def test_a_damaged_plain_result_is_refused(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    """One line names the file, the trade and the field."""
    path = tmp_path / "backtest-result.json"
    path.write_text(json.dumps(without_orders(**changes)))
    message = refusal(path)
    assert "backtest-result.json: trades: row 1: " in message
    assert expected in message


def test_a_result_without_trades_needs_its_end(tmp_path: Path) -> None:
    """There is no other time that its state could have."""
    document = without_orders()
    (result,) = document["strategy"].values()
    result |= {"trades": []}
    path = tmp_path / "backtest-result.json"
    path.write_text(json.dumps(document))
    assert refusal(path).endswith("backtest_end_ts: is missing; expected milliseconds")
    result |= {"backtest_end_ts": 1}
    path.write_text(json.dumps(document))
    internal = reconcile_session(path).recorded.internal
    assert internal is not None
    assert internal.as_of == datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)


PROFIT = {"profit_abs": -0.004}
MISCOUNTED: dict[str, tuple[dict[str, Any], str]] = {
    "a trade that is lost": ({"total_trades": 2}, "total_trades is 2, and trades lists 1"),
    "of a pair": (
        {"results_per_pair": [{"key": "A/B", "trades": 2}, {"key": "TOTAL", "trades": 9}]},
        "results_per_pair gives A/B 2 trades, and trades lists 1",
    ),
    "a trade that is lost, with its pair": (
        {"total_trades": 2, "results_per_pair": [{"key": "A/B", "trades": 2}]},
        (
            "total_trades is 2, and trades lists 1; internal contradicts itself: "
            "results_per_pair gives A/B 2 trades, and trades lists 1"
        ),
    ),
    "a trade twice": (
        {"total_trades": 0, "results_per_pair": []},
        "total_trades is 0, and trades lists 1",
    ),
    "of a pair that no trade has": (
        {"results_per_pair": [{"key": "X/B", "trades": 1}]},
        "results_per_pair gives X/B 1 trades, and trades lists 0",
    ),
    "a profit": (
        {"profit_total_abs": -0.008, "trade": PROFIT},
        "profit_total_abs is -0.008, and the profits of its trades give -0.004",
    ),
}


@pytest.mark.parametrize(("changes", "text"), MISCOUNTED.values(), ids=MISCOUNTED)
def test_a_result_that_contradicts_its_trades(
    changes: dict[str, Any], text: str, tmp_path: Path
) -> None:
    """A lost trade may move no balance; the result's own counts show it, before and after."""
    path = packed(tmp_path / NAME, (MEMBER, document(**changes)))
    found = reconcile_session(path)
    assert checks(found)["complete"] == "CRITICAL"
    assert f"internal contradicts itself: {text}" in message(found, "complete")
    native = tmp_path / "x.recon.json"
    native.write_text(session_text(found.recorded))
    assert message(reconcile_session(native), "complete") == message(found, "complete")


@pytest.mark.parametrize(
    "changes",
    [
        {"total_trades": 1, "profit_total_abs": -0.0040000001, "trade": PROFIT},
        {"results_per_pair": [{"key": "A/B", "trades": 1}, {"key": "TOTAL", "trades": 1}]},
        {"results_per_pair": None, "total_trades": None, "profit_total_abs": None},
    ],
)
def test_a_result_that_counts_right(changes: dict[str, Any], tmp_path: Path) -> None:
    """Within the noise of binary floats; what an older version does not count is no fault."""
    found = reconcile_session(packed(tmp_path / NAME, (MEMBER, document(**changes))))
    assert checks(found)["complete"] == "match"


DOCUMENTS = {
    "not JSON": ("{", "is not JSON"),
    "a list": ([], "the result: is missing or no object"),
    "no strategy": ({}, "strategy: is missing or no object"),
    "two strategies": ({"strategy": {"A": {}, "B": {}}}, "strategy: holds 2 ('A', 'B')"),
    "no trades": ({"strategy": {"A": {}}}, "trades: is missing or no list"),
    "a trade that is a text": (document(trades=["x"]), "trades: row 1: row: is missing or no"),
    "NaN": (document(final_balance=float("nan")), "final_balance: 'NaN' is not a finite number"),
    "a balance as a list": (document(final_balance=[1]), "final_balance: '[NumberText"),
    "no balance": (document(final_balance=None), "final_balance: is missing"),
    "margin": (document(trading_mode="margin"), "trading_mode: 'margin'; expected spot or"),
    "a pair without quote": (document(trade={"pair": "BTC"}), "row 1: pair: 'BTC'; expected one"),
    "an inverse pair": (document(trade={"pair": "A/B:A"}), "settles in another currency"),
    "a side": (document(order={"ft_order_side": "hold"}), "ft_order_side: 'hold'; expected buy"),
    "a text for a flag": (document(trade={"is_short": "no"}), "is_short: 'no'; expected true or"),
    "an amount too large": (document(order={"amount": 1e40}), "amount: '1e+40' is too large"),
    "a negative amount": (document(order={"amount": -1}), "quantity -1 is below 0"),
    "a time out of the calendar": (
        document(order={"order_filled_timestamp": 10**20}),
        "order_filled_timestamp: 100000000000000000000 is no time",
    ),
}


@pytest.mark.parametrize(("content", "expected"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_result_that_cannot_be_judged(tmp_path: Path, content: Any, expected: str) -> None:
    """The line names the zip, the place and what would be accepted."""
    message = refusal(packed(tmp_path / NAME, (MEMBER, content)))
    assert message.startswith(f"session readable: CRITICAL, {NAME}: ")
    assert expected in message


def patched(path: Path, *changes: tuple[bytes, int, bytes]) -> Path:
    """Overwrite bytes at an offset from the last place of a signature."""
    content = bytearray(path.read_bytes())
    for signature, offset, new in changes:
        start = content.rindex(signature) + offset
        content[start : start + len(new)] = new
    path.write_bytes(content)
    return path


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


def good(path: Path) -> Path:
    return packed(path, (MEMBER, document()))


ARCHIVES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no zip": (lambda path: _written(path, b"nothing"), "is no readable zip"),
    "empty": (lambda path: _written(path, b""), "is no readable zip"),
    "cut off": (lambda path: _written(path, SPOT.read_bytes()[:-100]), "is no readable zip"),
    "no members": (packed, "holds no backtest result; expected a member like"),
    "two results": (
        lambda path: packed(path, ("a.json", "{}"), ("b.json", "{}")),
        "holds no backtest result",
    ),
    "a path that leads out": (
        lambda path: packed(path, (f"../{MEMBER}", document())),
        "holds no backtest result",
    ),
    "an absolute path": (
        lambda path: packed(path, (f"/etc/{MEMBER}", document())),
        "holds no backtest result",
    ),
    "a path of Windows": (
        lambda path: packed(path, (f"..\\{MEMBER}", document())),
        "holds no backtest result",
    ),
    "encrypted": (
        lambda path: patched(good(path), (CENTRAL, 8, b"\x01"), (LOCAL, 6, b"\x01")),
        f"{MEMBER}: is encrypted; expected a plain zip",
    ),
    "another method": (
        lambda path: packed(path, (MEMBER, document()), method=zipfile.ZIP_LZMA),
        f"{MEMBER}: is compressed by method 14",
    ),
    "a bomb": (
        lambda path: packed(path, (MEMBER, b" " * 50_000_000)),
        "to 50000000 bytes; expected at most 100 times",
    ),
    "a huge member": (
        lambda path: patched(
            packed(path, (MEMBER, document()), method=zipfile.ZIP_STORED),
            (CENTRAL, 20, struct.pack("<II", 1 << 30, 1 << 30)),
        ),
        "has 1073741824 bytes; expected at most 201326592",
    ),
    "a bomb that lies about its size": (
        lambda path: patched(
            packed(path, (MEMBER, b" " * 50_000_000)), (CENTRAL, 24, struct.pack("<I", 1000))
        ),
        "is no readable zip: Bad CRC-32",
    ),
    "a wrong checksum": (
        lambda path: patched(good(path), (CENTRAL, 16, b"\0\0\0\0")),
        "is no readable zip: Bad CRC-32",
    ),
    "damaged content": (
        lambda path: patched(good(path), (LOCAL, 60, b"\xff" * 40)),
        "is no readable zip",
    ),
    "not UTF-8": (lambda path: packed(path, (MEMBER, b"\xff{}")), "byte 0 is not UTF-8"),
}


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.large
@pytest.mark.parametrize(("make", "expected"), ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_that_is_refused(
    tmp_path: Path, make: Callable[[Path], Path], expected: str
) -> None:
    """Nothing is unpacked, and no size is believed."""
    message = refusal(make(tmp_path / NAME))
    assert message.startswith(f"session readable: CRITICAL, {NAME}: ")
    assert expected in message
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Which of the two was meant is nobody's guess."""
    path = packed(tmp_path / NAME, (MEMBER, document()), (MEMBER, document(final_balance=1)))
    assert f"{MEMBER}: duplicate in the archive" in refusal(path)


def sql(*commands: str) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            for command in commands:
                connection.execute(command)

    return change


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 200] = b"\xff" * 200
    path.write_bytes(content)


def beside(suffix: str) -> Callable[[Path], object]:
    return lambda path: path.with_name(path.name + suffix).write_bytes(b"unmerged")


ENDLESS = (
    "create view trades as with recursive n(i) as (select 1 union all select i + 1 from n) "
    "select i as id from n"
)
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no SQLite": (lambda path: path.write_bytes(b"no database at all" * 100), "is no readable"),
    "empty": (lambda path: path.write_bytes(b""), "has no table trades"),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:50_000]), "malformed"),
    "damaged pages": (damaged, "malformed"),
    "no trades": (sql("drop table trades"), "has no table trades; expected the file of a"),
    "no orders": (sql("drop table orders"), "has no table orders"),
    "an endless view": (sql("drop table trades", ENDLESS), "has no table trades"),
    "a log that is not merged": (beside("-wal"), "not merged; expected the file of a bot that"),
    "a transaction cut off": (beside("-journal"), "tradesv3.dryrun.sqlite-journal that are not"),
    "text for a number": (
        sql("update orders set filled = 'many' where id = 7"),
        "row 7: filled: 'many' is not an amount",
    ),
    "bytes for a number": (
        sql("update orders set filled = x'00' where id = 7"),
        "row 7: filled: 'b'\\x00''; expected a number",
    ),
    "infinity": (
        sql("update trades set fee_open = 9e999 where id = 2"),
        "trades: row 2: fee_open: 'inf' is not a finite number",
    ),
    "no text at all": (
        sql("update orders set order_id = cast(x'ff' as text) where id = 3"),
        "Could not decode to UTF-8",
    ),
    "a malformed name that is no text": (
        sql(
            "pragma writable_schema = on",
            "update sqlite_master set name = cast(x'c328' as text), sql = 'create xable t (a)' "
            "where name = 'pairlocks'",
        ),
        "is no readable SQLite file",
    ),
    "a status": (sql("update orders set status = 'odd' where id = 1"), "status: 'odd'; expected"),
    "a time": (
        sql("update orders set order_date = 'noon', order_update_date = null"),
        "order_date",
    ),
    "a pair": (sql("update trades set pair = 'BTC' where id = 1"), "row 1: pair: 'BTC'; expected"),
    "an order of no trade": (
        sql("update orders set ft_trade_id = 99 where id = 5"),
        "orders: row 5: ft_trade_id: '99' names no trade",
    ),
    "nothing recorded": (
        sql("delete from orders", "delete from trades", "delete from wallet_history"),
        "nothing was recorded",
    ),
}


@pytest.mark.parametrize(("change", "expected"), FILES.values(), ids=FILES)
def test_a_file_that_is_refused(
    tmp_path: Path, change: Callable[[Path], object], expected: str
) -> None:
    """A damaged file is never an empty one, and reading it leaves nothing behind."""
    path = writable_copy(BOT.parent, tmp_path / "bot") / BOT.name
    change(path)
    names = sorted(one.name for one in path.parent.iterdir())
    message = refusal(path)
    assert message.startswith(f"session readable: CRITICAL, {BOT.name}: ")
    assert expected in message
    assert sorted(one.name for one in path.parent.iterdir()) == names


def test_a_database_whose_schema_is_no_text_is_judged_as_a_file(tmp_path: Path) -> None:
    """Asking such a file for its columns does not end a search for sessions; it is refused."""
    path = tmp_path / "some.db"
    sql("create table orders (id integer)")(path)
    content = path.read_bytes().replace(b"tableordersorders", b"tableord\xc3\x28rsord\xc3\x28rs")
    path.write_bytes(content.replace(b"CREATE TABLE orders", b"CREATE XABLE orders"))
    assert recon_anchor(path) is None
    assert "some.db" in refusal(path)


ANSWERS = {
    "not JSON": ("[", "is not JSON"),
    "a list": ("[]", "the answer: is missing or no object"),
    "no currencies": ('{"stake": "USDT"}', "currencies: is missing or no list"),
    "an empty balance": ('{"stake": "USDT", "currencies": []}', "currencies: is empty; expected"),
    "no amount": (
        '{"stake": "USDT", "currencies": [{"currency": "USDT", "balance": null}]}',
        "currencies: row 1: balance: is missing",
    ),
    "a side": (
        """{"stake": "U", "currencies": [
            {"currency": "A", "is_position": true, "position": 1, "side": "up"}]}""",
        "side: 'up'; expected long or short",
    ),
}


@pytest.mark.parametrize(("text", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_of_the_wallet_that_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """It names the wallet's file, which is the one to repair."""
    path = writable_copy(BOT.parent, tmp_path / "bot") / BOT.name
    (path.parent / "rpc_balance.json").write_text(text)
    message = refusal(path)
    assert message.startswith("session readable: CRITICAL, rpc_balance.json: ")
    assert expected in message


def test_a_wallet_of_futures_has_signed_positions(tmp_path: Path) -> None:
    """A short position is negative; other balances are no positions there."""
    path = writable_copy(BOT.parent, tmp_path / "bot") / BOT.name
    rows = [
        {"currency": "U", "balance": 5, "free": 4, "used": 1, "is_bot_managed": True},
        {"currency": "BNB", "balance": 1, "is_bot_managed": True, "bot_owned": 1},
        {"currency": "A/U:U", "is_position": True, "position": 2.5, "side": "short"},
        {"currency": "C/U:U", "is_position": True, "position": 1, "side": "long"},
    ]
    (path.parent / "rpc_balance.json").write_text(
        json.dumps({"stake": "U", "currencies": rows, "note": ""})
    )
    recorded = reconcile_session(path).recorded
    assert recorded.external is not None
    assert {one.symbol: str(one.quantity) for one in recorded.external.positions or ()} == {
        "A/U:U": "-2.5",
        "C/U:U": "1",
    }
    assert [one.currency for one in recorded.external.cash or ()] == ["U", "BNB"]
    assert str(recorded.mode) == "LIVE"
