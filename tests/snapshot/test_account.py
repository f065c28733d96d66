"""What a snapshot of an account holds: digits, times, roll-off, keys, and files."""

import json
import shutil
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.model import MovementKind, Numbers, SideRecord
from recon_core.sessions import read_session
from recon_core.snapshot.exchange import open_exchange
from recon_core.snapshot.recording import Recording, record_account
from recon_core.snapshot.writing import prepare, write
from recon_core.values.errors import ReconError
from tests.core.builders import message
from tests.servers.binance import Account, Reply, serving, settings_of
from tests.snapshot.accounts import (
    BEGUN,
    HEAD,
    KEYS,
    account,
    all_verdicts,
    gate,
    order,
    recorded,
    session_of,
    trade,
)

pytest.importorskip("ccxt", reason="needs the extra exchange: make exchange")

LONG = "12345678.123456789012345678"
"""A quantity whose last nine digits a binary float loses."""


def external(directory: Path, recording: Recording) -> SideRecord:
    """The side that a session takes from a snapshot."""
    record = read_session(session_of(directory, recording)).external
    assert record is not None
    return record


def test_no_digit_is_lost_on_the_way(tmp_path: Path) -> None:
    """Amounts arrive as they were sent, as text and as JSON numbers; a sum of parts is exact."""
    assert str(float(LONG)) != LONG
    rows = [trade(0, qty=LONG, price="0.000000010000000001", commission=LONG)]
    given = account(1, trades=rows, orders=[order(0, origQty=LONG, executedQty=LONG)])
    given.balances[0] |= {"free": LONG, "locked": "0.000000000000000001"}
    body = json.dumps(rows).replace(f'"{LONG}"', LONG)
    given.faults.append(lambda name, *_: Reply(text=body) if name == "myTrades" else None)
    record = external(tmp_path, recorded(given, ("BTC/USDT",))[0])
    assert record.numbers is Numbers.DECIMAL
    assert record.fills is not None
    assert record.cash is not None
    assert record.orders is not None
    fill = record.fills[0]
    assert (fill.quantity, fill.fee) == (Decimal(LONG), Decimal(LONG))
    assert fill.price == Decimal("0.000000010000000001")
    assert record.cash[0].total == Decimal("12345678.123456789012345679")
    assert record.orders[0].filled_quantity == Decimal(LONG)


def test_the_time_is_that_of_the_exchange(tmp_path: Path) -> None:
    """A balance that Binance dates by its last change has the time at which it was answered."""
    recording, _ = recorded(account(clock=3_600_000))
    late = recording.as_of.timestamp() - time.time() - 3600
    assert abs(late) < 5
    assert external(tmp_path, recording).as_of == recording.as_of
    assert recording.clock is not None
    assert abs(recording.clock.offset - 3_600_000) <= recording.clock.uncertainty + 1000


def _later(given: Account, *rows: dict[str, Any]) -> None:
    """Let an account trade, once its balance was answered."""

    def fault(name: str, number: int, _given: dict[str, str]) -> Reply | None:
        if name == "allOrders" and number == 1:
            now = given.now() + 0
            time.sleep(0.05)
            given.trades += [row | {"time": now + 30} for row in rows]
            for found in given.orders:
                found.update(updateTime=now + 40, executedQty="1", status="FILLED")
        return None

    given.faults.append(fault)


def test_fills_after_the_balance_are_rolled_off(tmp_path: Path) -> None:
    """They are left out by id, and their order has the state and the quantity of before."""
    begun = order(7, status="PARTIALLY_FILLED", executedQty="0.25")
    given = account(0, trades=[trade(7, qty="0.25")], orders=[begun])
    _later(given, trade(8, qty="0.75", orderId=7))
    recording, _ = recorded(given)
    assert recording.faults == []
    assert [row["id"] for row in recording.rolled_off] == ["8"]
    record = external(tmp_path, recording)
    assert [fill.fill_id for fill in record.fills or ()] == ["7"]
    assert [(each.filled_quantity, each.state) for each in record.orders or ()] == [
        (Decimal("0.25"), "PARTIALLY_FILLED")
    ]
    assert "rows later than the balance were left out: 1" in " ".join(record.notes)


def test_a_fill_in_the_moment_of_the_balance_is_asked_about_again(tmp_path: Path) -> None:
    """Nobody can say if the balance has it; after three such moments the balance is CRITICAL."""

    def busy(times: int) -> Account:
        given = account()

        def fault(name: str, number: int, _given: dict[str, str]) -> Reply | None:
            if name == "account" and number <= times:
                given.trades.append(trade(100 + number, time=given.now() + 1, orderId=100))
                time.sleep(0.03)
            return None

        given.faults.append(fault)
        return given

    assert recorded(busy(1))[0].faults == []
    recording, _ = recorded(busy(3))
    assert "balance: my trades 103 happened while it was asked" in recording.faults[0]
    assert all_verdicts(gate(tmp_path, recording))["session::complete"] == "CRITICAL"


def test_transfers_are_movements(tmp_path: Path) -> None:
    """Deposits and withdrawals that went through, with their fees; others moved nothing."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(BEGUN / 1000))
    sent = {"coin": "USDT", "address": "x", "network": "ETH", "applyTime": moment}
    rows = [("w1", 6), ("w2", 3)]
    given = account(
        withdrawals=[
            sent
            | {"id": name, "amount": "5", "transactionFee": "0.1", "status": status, "txId": name}
            for name, status in rows
        ]
    )
    record = external(tmp_path, recorded(given)[0])
    assert [(each.movement_kind, each.amount) for each in record.movements or ()] == [
        (MovementKind.DEPOSIT, Decimal(100)),
        (MovementKind.WITHDRAWAL, Decimal(-5)),
        (MovementKind.FEE, Decimal("-0.1")),
    ]


def test_keys_are_in_no_file_and_no_message(tmp_path: Path) -> None:
    """Neither those of a snapshot that failed everywhere, whose errors repeat the request."""
    given = account()
    secrets = [*KEYS.values()]
    given.faults.append(
        lambda name, *_: (
            Reply({"code": -2014, "msg": f"bad {secrets[0]} {secrets[1]}"}, 400)
            if name != "exchangeInfo"
            else None
        )
    )
    recording, _ = recorded(given)
    assert len(recording.faults) > 5
    session_of(tmp_path, recording)
    written = "".join(path.read_text() for path in sorted(tmp_path.rglob("*.json")))
    assert "bad *** ***" in written
    assert not [secret for secret in secrets if secret in written + str(recording.faults)]
    assert "signature" not in written


def test_each_query_leaves_its_facts(tmp_path: Path) -> None:
    """Times of request and answer, pages, requests, rows and status."""
    recording, _ = recorded(account())
    session_of(tmp_path, recording)
    manifest = json.loads((tmp_path / "account" / "coverage.json").read_text())
    entries = {(entry["query"], entry["of"]): entry for entry in manifest["queries"]}
    trades = entries["my_trades", "BTC/USDT"]
    assert (trades["status"], trades["rows"], trades["section"]) == ("whole", 7, "fills")
    assert trades["pages"] == trades["requests"] > 3
    assert trades["requested"] < trades["answered"]
    assert entries["ledger", ""]["status"] == "not offered"
    assert entries["positions", ""]["status"] == "not asked"
    assert manifest["markets"]["BTC/USDT"]["precision"]["amount"] == "0.00001"
    assert set(manifest["clock"]) == {"offset_ms", "uncertainty_ms"}


def _remove(place: Path) -> None:
    next(place.glob("*my_trades*")).unlink()


def _add(place: Path) -> None:
    shutil.copyfile(next(place.glob("*my_trades*")), place / "more.json")


def _edit(place: Path) -> None:
    path = next(place.glob("*my_trades-BTC*"))
    path.write_text(path.read_text().replace('"price": "2"', '"price": "3"'))


@pytest.mark.parametrize(
    ("change", "text"),
    [(_remove, "is missing"), (_add, "is no file of the snapshot"), (_edit, "was changed after")],
)
def test_files_that_are_not_those_of_the_snapshot_are_critical(
    change: Callable[[Path], None], text: str, tmp_path: Path
) -> None:
    """One that is gone, one that came later, one that was edited."""
    recording, _ = recorded(account())
    session = session_of(tmp_path, recording)
    change(session.parent / "account")
    from recon_core.engine.reconciliation import reconcile_session

    reconciliation = reconcile_session(session)
    assert all_verdicts(reconciliation)["session::complete"] == "CRITICAL"
    assert text in message(reconciliation, "complete")


def test_a_snapshot_that_was_not_finished_is_refused(tmp_path: Path) -> None:
    """A crash between the first and the last file leaves no account that is green."""
    recording, _ = recorded(account())
    session = session_of(tmp_path, recording)
    prepare(tmp_path / "account", HEAD)
    with pytest.raises(ReconError, match=r"coverage.json: the snapshot was not finished"):
        read_session(session)
    assert [path.name for path in (tmp_path / "account").iterdir()] == ["coverage.json"]
    write(tmp_path / "account", HEAD, recording)
    assert read_session(session).external is not None


def test_a_directory_of_other_files_is_left_alone(tmp_path: Path) -> None:
    """Only an earlier snapshot is replaced."""
    (tmp_path / "notes.json").write_text("[]")
    with pytest.raises(ReconError, match="holds something else"):
        prepare(tmp_path, HEAD)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.json"]


def test_symbols_are_known_by_both_names() -> None:
    """That of ccxt and that of the exchange; another one is refused with the nearest."""
    given = account(0)
    recording, _ = recorded(given, ("BTCUSDT", "BTC/USDT"))
    assert recording.symbols == ("BTC/USDT",)
    with pytest.raises(ReconError, match=r"'BTC/USDX' is no symbol of binance; did you mean"):
        recorded(given, ("BTC/USDX",))


def test_the_limit_of_requests_is_kept() -> None:
    """Requests are as far apart as ccxt's limiter says for the weight of each."""
    given = account(0)
    begun = time.monotonic()
    recorded(given, ("BTC/USDT",), rateLimit=20)
    weights = sum(given.counts.values())
    assert time.monotonic() - begun > 0.02 * (weights - 1)


REFUSED: dict[str, tuple[str, dict[str, Any], dict[str, str], str]] = {
    "an exchange": ("binanse", {}, KEYS, r"'binanse' is no exchange of ccxt; did you mean"),
    "no key": ("binance", {}, {}, "RECON_PAPER_API_KEY: is not set; expected the apiKey of"),
    "half a key": (
        "binance",
        {},
        {"RECON_PAPER_API_KEY": "x"},
        "RECON_PAPER_SECRET: is not set",
    ),
    "a key in a file": ("binance", {"secret": "x"}, KEYS, "'secret' is a key"),
    "a chatty exchange": ("binance", {"verbose": True}, KEYS, "'verbose' cannot be set"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_opened_is_one_line(name: str) -> None:
    """It says what is missing, by the name of its variable, and never a key."""
    exchange, settings, keys, text = REFUSED[name]
    with pytest.raises(ReconError, match=text):
        open_exchange(exchange, "paper", settings=settings, environment=keys)


def test_the_sandbox_is_asked_where_the_exchange_has_one() -> None:
    """Binance has addresses of a testnet; bitstamp has none."""
    exchange = open_exchange("binance", "paper", sandbox=True, environment=KEYS)
    assert "testnet" in exchange.urls["api"]["private"]
    with pytest.raises(ReconError, match="bitstamp: has no sandbox in ccxt"):
        open_exchange(
            "bitstamp", "paper", sandbox=True, environment={**KEYS, "RECON_PAPER_UID": "1"}
        )


def test_a_session_that_is_read_again_is_the_same(tmp_path: Path) -> None:
    """Both exchanges are ccxt's own class: its markets are loaded once for a snapshot."""
    given = account()
    with serving(given) as address:
        exchange = open_exchange(
            "binance", "paper", settings=settings_of(address), environment=KEYS
        )
        since = recorded(account(0))[0].since
        first = record_account(exchange, ("BTC/USDT",), since)
        second = record_account(exchange, ("BTC/USDT",), since)
        exchange.session.close()
    assert given.counts["exchangeInfo"] == 1
    (tmp_path / "again").mkdir()
    assert external(tmp_path, first).fills == external(tmp_path / "again", second).fills


@pytest.mark.parametrize(("count", "fault"), [(2, ""), (3, "cut: 3 rows, as many as")])
def test_open_orders_that_fill_their_answer_are_cut(count: int, fault: str) -> None:
    """They have no pages: where ccxt knows how many an exchange gives, more may be behind them."""
    given = account(0, orders=[order(n, status="NEW", executedQty="0") for n in range(count)])
    with serving(given) as address:
        exchange = open_exchange(
            "binance", "paper", settings=settings_of(address), environment=KEYS
        )
        stated = exchange.feature_value
        exchange.feature_value = lambda symbol, name, *more: (
            3 if (name, more[0]) == ("fetchOpenOrders", "limit") else stated(symbol, name, *more)
        )
        since = recorded(account(0))[0].since
        recording = record_account(exchange, ("BTC/USDT",), since)
        exchange.session.close()
    assert [fault in each for each in recording.faults] == ([True] if fault else [])


def test_a_state_that_is_not_supported_is_a_fault() -> None:
    """Transfers may be missing from a testnet; the trades of an account never are."""
    import ccxt

    given = account(1)
    with serving(given) as address:
        exchange = open_exchange(
            "binance", "paper", settings=settings_of(address), environment=KEYS
        )

        def refuse(*_: object, **__: object) -> None:
            raise ccxt.NotSupported("binance: not on a testnet")

        exchange.fetch_deposits = exchange.fetch_my_trades = refuse
        recording = record_account(exchange, ("BTC/USDT",), recorded(account(0))[0].since)
        exchange.session.close()
    status = {asked.query.name: asked.status for asked in recording.asked}
    assert (status["deposits"], status["my_trades"]) == ("not offered", "failed")
