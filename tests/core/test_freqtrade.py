"""freqtrade: backtest zips and the bot's SQLite file, to the last digit, and their faults."""

import hashlib
import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import (
    InstrumentKind,
    MovementKind,
    Numbers,
    OrderState,
    RecordedSession,
    SessionMode,
)
from recon_core.plugins.manager import extension_manager
from recon_core.sessions import find_sessions, read_session
from recon_core.sessions.formats.freqtrade_rows import read_order, read_trade
from recon_core.sessions.formats.freqtrade_trades import contradictions
from recon_core.values.errors import SessionError

from .builders import checks
from .recordings import BESIDE, DATA, needs_recordings, states, writable_copy

FREQTRADE = DATA / "freqtrade"
SPOT = FREQTRADE / "bt_spot_ema" / "backtest-result-2026-11-22_14-02-45.zip"
FUTURES = FREQTRADE / "bt_futures_ema_funding" / "backtest-result-2026-11-22_14-04-59.zip"
BOT = FREQTRADE / "dry_spot_dca" / "tradesv3.dryrun.sqlite"
VARIANTS: list[dict[str, Any]] = json.loads((FREQTRADE / "faults.json").read_text())["variants"]
ALL_MATCH = dict.fromkeys(("as-of", "complete", "coverage", "readable"), "match")

FIGURES = {
    SPOT: {
        "cash::USDT": ("9772.78710628743867759892", "9772.78710625"),
        "position::ADA/USDT": ("0", "0"),
        "position::BTC/USDT": ("0", "0"),
        "position::ETH/USDT": ("0", "0"),
    },
    FUTURES: {
        "cash::USDT": ("9517.48983881", "9517.48983884"),
        "position::BTC/USDT:USDT": ("0", "0"),
        "position::ETH/USDT:USDT": ("0", "0"),
    },
    BOT: {
        "cash::USDT": ("9711.8037272930", "9712.02604875"),
        "cash::ADA": ("0", "0"),
        "cash::BTC": ("0.0048", "0.0048"),
        "cash::ETH": ("0", "0"),
        "position::ADA/USDT": ("0", "0"),
        "position::BTC/USDT": ("0.0048", "0.0048"),
        "position::ETH/USDT": ("0", "0"),
    },
}


def internal_of(recorded: RecordedSession) -> Any:
    assert recorded.internal is not None
    return recorded.internal


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.parent.name)
def test_a_recording_reconciles_but_for_what_is_known(path: Path) -> None:
    """Positions and coins are equal; the stake currency differs by a known INFO."""
    reconciliation = reconcile_session(path)
    expected = dict.fromkeys(FIGURES[path], "match") | {"cash::USDT": "INFO"}
    assert states(reconciliation) == expected
    assert checks(reconciliation) == ALL_MATCH
    (diff,) = reconciliation.diffs
    assert (str(diff.internal), str(diff.external)) == FIGURES[path]["cash::USDT"]
    for comparison in reconciliation.comparisons:
        if comparison.check is None and comparison.identity in FIGURES[path]:
            sides = (comparison.internal, comparison.external)
            values = [getattr(one, "total", getattr(one, "quantity", 0)) for one in sides]
            assert values == [Decimal(text) for text in FIGURES[path][comparison.identity]]


@needs_recordings
@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.parent.name)
def test_the_copy_says_what_the_recording_says(path: Path) -> None:
    """The recording as the engine left it gives the same session as its smaller copy."""
    original = BESIDE / "recordings" / "freqtrade" / path.parent.name / path.name
    first, second = read_session(original), read_session(path)
    assert (first.internal, first.external) == (second.internal, second.external)
    assert (first.session_id, first.notes) == (second.session_id, second.notes)


def test_the_open_entry_fee_is_what_the_dry_run_wallet_lacks() -> None:
    """0.222321456 USDT, and 10**-9 from profits that freqtrade rounds to 8 decimals."""
    (diff,) = reconcile_session(BOT).diffs
    open_fee = Decimal("0.0048") * Decimal("46316.97") * Decimal("0.001")
    assert open_fee == Decimal("0.222321456")
    assert diff.delta == -open_fee - Decimal("0.000000001")


@pytest.mark.parametrize(
    ("path", "session_id", "strategy", "mode", "kind", "fills", "orders", "movements"),
    [
        (SPOT, SPOT.stem, "SpotEma", SessionMode.SIM, InstrumentKind.SPOT, 566, None, 0),
        (FUTURES, FUTURES.stem, "FutEma", SessionMode.SIM, InstrumentKind.LINEAR, 502, None, 50),
        (
            BOT,
            "dry_spot_dca-tradesv3.dryrun",
            "SpotEmaDca",
            SessionMode.PAPER,
            InstrumentKind.SPOT,
            72,
            180,
            0,
        ),
    ],
)
def test_what_a_recording_holds(
    path: Path,
    session_id: str,
    strategy: str,
    mode: SessionMode,
    kind: InstrumentKind,
    fills: int,
    orders: int | None,
    movements: int,
) -> None:
    """Identity, evidence, and how many rows of each kind."""
    recorded = read_session(path)
    internal = internal_of(recorded)
    assert recorded.external is not None
    assert (recorded.session_id, recorded.strategy_id) == (session_id, strategy)
    assert (recorded.mode, recorded.recording_format) == (mode, "freqtrade")
    assert recorded.anchor == path
    assert {one.instrument_kind for one in recorded.instruments.values()} == {kind}
    assert internal.numbers is recorded.external.numbers is Numbers.FLOAT
    assert internal.as_of == recorded.external.as_of
    assert len(internal.fills) == fills
    assert (None if internal.orders is None else len(internal.orders)) == orders
    assert len(internal.movements or ()) == movements
    hashes = {file.name: file.sha256 for file in recorded.inputs}
    assert hashes[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert set(hashes) - {path.name} == ({"rpc_balance.json"} if path is BOT else set())


def test_funding_is_a_movement_per_trade() -> None:
    """Its sum is that of the trades, and it moves the futures account."""
    movements = internal_of(read_session(FUTURES)).movements
    assert {one.movement_kind for one in movements} == {MovementKind.FUNDING}
    assert sum(one.amount for one in movements) == Decimal("3.4836096208321995513")
    assert {one.currency for one in movements} == {"USDT"}


def test_the_orders_of_a_bot_have_their_states() -> None:
    """Cancelled orders stand beside filled ones; a fill is named like its order."""
    internal = internal_of(read_session(BOT))
    states = [order.state for order in internal.orders]
    assert states.count(OrderState.FILLED) == 72
    assert states.count(OrderState.CANCELLED) == 108
    filled = {order.exchange_order_id for order in internal.orders if order.filled_quantity}
    assert {fill.exchange_order_id for fill in internal.fills} == filled


def faulty(variant: dict[str, Any], directory: Path) -> Path:
    """A copy of the bot's directory with the SQL of a fault run on it."""
    path = writable_copy(BOT.parent, directory / "bot") / BOT.name
    if variant["sql"] is not None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(variant["sql"])
    return path


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda one: one["fault"])
def test_a_fault_is_seen(variant: dict[str, Any], tmp_path: Path) -> None:
    """Each known fault gives the known verdicts, beside the INFO of the recording itself."""
    reconciliation = reconcile_session(faulty(variant, tmp_path))
    assert states(reconciliation) == variant["expected_verdicts"]
    usdt = next(diff for diff in reconciliation.diffs if diff.key == "USDT")
    assert usdt.delta == Decimal(variant["usdt_delta"])
    told = [note for note in reconciliation.notes if not note.startswith("not told by")]
    # Within the tolerance or not, freqtrade's own trade contradicts its orders.
    assert bool(told) is not variant["expected_clean"]


@needs_recordings
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda one: one["fault"])
def test_the_recorded_fault_gives_the_same(variant: dict[str, Any], tmp_path: Path) -> None:
    """The faulty file as it was recorded, beside the wallet's answer."""
    recorded = BESIDE / "faults" / variant["id"] / BOT.name
    if not recorded.exists():
        pytest.skip("a control has no file of its own")
    path = writable_copy(BOT.parent, tmp_path / "bot") / BOT.name
    shutil.copyfile(recorded, path)
    assert states(reconcile_session(path)) == variant["expected_verdicts"]


def test_a_bot_without_its_wallet_is_one_sided(tmp_path: Path) -> None:
    """Nobody but the ledger speaks: a coverage FAIL, and nothing is mirrored."""
    path = writable_copy(BOT.parent, tmp_path / "bot") / BOT.name
    (path.parent / "rpc_balance.json").unlink()
    reconciliation = reconcile_session(path)
    assert reconciliation.recorded.external is None
    assert checks(reconciliation)["coverage"] == "FAIL"
    assert states(reconciliation) == {}


def test_without_an_opening_balance_cash_is_not_told(tmp_path: Path) -> None:
    """Older files have no wallet_history: positions are compared, cash is a coverage FAIL."""
    path = writable_copy(BOT.parent, tmp_path / "bot") / BOT.name
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("drop table wallet_history")
    reconciliation = reconcile_session(path)
    assert checks(reconciliation)["coverage"] == "FAIL"
    assert states(reconciliation) == {
        "position::ADA/USDT": "match",
        "position::BTC/USDT": "match",
        "position::ETH/USDT": "match",
    }
    assert "the opening balance is not known: no wallet_history before the first fill" in (
        reconciliation.notes
    )


def test_a_bot_that_has_not_traded(tmp_path: Path) -> None:
    """Without a filled order the first balance is the opening, and nothing is open."""
    path = writable_copy(BOT.parent, tmp_path / "bot") / BOT.name
    (path.parent / "rpc_balance.json").unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("delete from orders")
        connection.execute("delete from trades")
    internal = internal_of(read_session(path))
    assert internal.opening is not None
    assert [row.currency for row in internal.opening.cash] == ["USDT"]
    assert internal.fills == ()


def test_reading_leaves_the_directory_as_it_was(tmp_path: Path) -> None:
    """Opened read-only: no journal, no lock, no other time of change; also where it may not."""
    path = writable_copy(BOT.parent, tmp_path / "bot") / BOT.name
    before = {one.name: (one.read_bytes(), one.stat().st_mtime_ns) for one in path.parent.iterdir()}
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        assert checks(reconcile_session(path)) == ALL_MATCH
    finally:
        path.parent.chmod(0o700)
    after = {one.name: (one.read_bytes(), one.stat().st_mtime_ns) for one in path.parent.iterdir()}
    assert before == after


@pytest.mark.large
def test_recordings_are_found_without_options(tmp_path: Path) -> None:
    """By name, or by what they hold where they were renamed; nothing else is taken."""
    shutil.copyfile(SPOT, tmp_path / SPOT.name)
    shutil.copyfile(FUTURES, tmp_path / "renamed.zip")
    shutil.copyfile(BOT, tmp_path / "bot.db")
    for name in ("tradesv3.sqlite", "backtest-result-x.zip"):
        (tmp_path / name).write_text("damaged, and not to be passed over")
    for name in ("other.zip", "other.sqlite", "other.db", "readme.txt"):
        (tmp_path / name).write_text("not ours")
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection, connection:
        connection.execute("create table orders (id integer)")
    found = [path.name for path in find_sessions(tmp_path, extension_manager())]
    assert found == sorted(
        ["backtest-result-x.zip", SPOT.name, "bot.db", "renamed.zip", "tradesv3.sqlite"]
    )
    assert read_session(tmp_path / "renamed.zip").session_id == "renamed"


def test_a_directory_with_one_recording_is_that_recording(tmp_path: Path) -> None:
    """As the `path` of a side that is taken from it; with two it would be a guess."""
    shutil.copyfile(SPOT, tmp_path / SPOT.name)
    assert read_session(tmp_path).session_id == SPOT.stem
    shutil.copyfile(FUTURES, tmp_path / FUTURES.name)
    assert checks(reconcile_session(tmp_path)) == {"readable": "CRITICAL"}


def test_an_open_trade_is_as_old_as_its_latest_order() -> None:
    """A bot without a closed trade still says when: by the last order that was filled."""
    opened = {"order_id": "o", "filled": 1.0, "average": 2.0, "ft_order_side": "buy"}
    orders = [{**opened, "order_filled_date": f"2026-01-01 1{hour}:00:00"} for hour in (1, 3, 2)]
    row = {"id": 1, "pair": "A/B", "is_short": False, "is_open": True, "amount": 3.0}
    row |= {"fee_open": 0.001, "fee_close": 0.001, "open_date": "2026-01-01 10:00:00"}
    assert read_trade(row, orders).time.isoformat() == "2026-01-01T13:00:00+00:00"
    assert read_trade(row, []).time.isoformat() == "2026-01-01T10:00:00+00:00"


def test_a_profit_is_no_contradiction_where_an_order_was_charged_in_the_coin() -> None:
    """Freqtrade estimates the profit of such a trade, be it one order of many."""
    row = {
        "order_id": "o",
        "filled": 1.0,
        "average": 2.0,
        "order_filled_date": "2026-01-01 11:00:00",
    }
    enter, leave = {**row, "ft_order_side": "buy"}, {**row, "ft_order_side": "sell"}
    trade = {"id": 1, "pair": "A/B", "is_short": False, "is_open": False, "amount": 1.0}
    trade |= {"fee_open": 0.001, "fee_close": 0.001, "open_date": "2026-01-01 10:00:00"}
    trade |= {"close_date": "2026-01-01 12:00:00", "close_profit_abs": 5.0}
    assert len(contradictions([read_trade(trade, [enter, leave])])) == 1
    in_coin = {**enter, "ft_fee_base": 0.001}
    assert contradictions([read_trade(trade, [in_coin, leave])]) == []


@pytest.mark.parametrize(
    ("count", "last"), [(5, "trade 5 is closed"), (6, "and 1 trades more like")]
)
def test_many_contradictions_are_counted(count: int, last: str) -> None:
    """Five are named; of more the others are a number."""
    row = {
        "order_id": "o",
        "filled": 1.0,
        "average": 2.0,
        "order_filled_date": "2026-01-01 11:00:00",
    }
    orders = [{**row, "ft_order_side": side} for side in ("buy", "sell")]
    trade = {"pair": "A/B", "is_short": False, "is_open": False, "amount": 1.0, "fee_open": 0.001}
    trade |= {"fee_close": 0.001, "open_date": "2026-01-01 10:00:00", "close_profit_abs": 5.0}
    trade |= {"close_date": "2026-01-01 12:00:00"}
    trades = [read_trade({**trade, "id": number}, orders) for number in range(1, count + 1)]
    notes = contradictions(trades)
    assert len(notes) == min(count, 6)
    assert notes[-1].startswith(last)


def plain(path: Path, directory: Path, **changes: Any) -> Path:
    """The JSON of a zip as a file, with changes of every trade."""
    with zipfile.ZipFile(path) as archive:
        document = json.loads(archive.read(f"{path.stem}.json"))
    for result in document["strategy"].values():
        for trade in result["trades"]:
            trade.update(changes)
    target = directory / f"{path.stem}.json"
    target.write_text(json.dumps(document))
    return target


@pytest.mark.large
@pytest.mark.parametrize("path", [SPOT, FUTURES], ids=["spot", "futures"])
def test_a_plain_result_says_what_its_zip_says(tmp_path: Path, path: Path) -> None:
    """Freqtrade before 2025 leaves the file that a zip holds now."""
    file = plain(path, tmp_path)
    first, second = read_session(path), read_session(file)
    assert (first.internal, first.external) == (second.internal, second.external)
    assert (first.session_id, first.notes) == (second.session_id, second.notes)
    assert [one.name for one in second.inputs] == [file.name]


@pytest.mark.large
@pytest.mark.parametrize("path", [SPOT, FUTURES], ids=["spot", "futures"])
def test_trades_without_orders_are_an_entry_and_an_exit(tmp_path: Path, path: Path) -> None:
    """As freqtrade before 2022 writes them: the same fills, and the same verdicts."""
    older = reconcile_session(plain(path, tmp_path, orders=None))
    assert states(older) == dict.fromkeys(FIGURES[path], "match") | {"cash::USDT": "INFO"}
    assert checks(older) == ALL_MATCH
    fills, known = (
        [
            (fill.symbol, fill.side, fill.quantity, round(fill.price, 9), fill.time)
            for fill in internal_of(recorded).fills
        ]
        for recorded in (older.recorded, read_session(path))
    )
    assert fills == known


@pytest.mark.parametrize(
    ("name", "head", "is_one"),
    [
        ("backtest-result.json", "{", True),
        ("backtest-result-2026-11-22_14-02-45.json", "{", True),
        ("mine.json", '{"strategy": {"A \\u00e9": {"trades": [', True),
        ("mine.json", '\n{ "strategy" :{"A":{ "trades" :', True),
        ("mine.json", '{"strategy": "A", "trades": []}', False),
        ("mine.json", "", False),
        ("backtest-result-2026-11-22_14-02-45.meta.json", '{"A": {}}', False),
        ("backtest-result.meta.json", '{"strategy": {"A": {"trades": [', False),
        ("backtest-result-2026-11-22_14-02-45_config.json", '{"strategy": "A"}', False),
        ("backtest-result-2026-11-22_14-02-45_A.json", '{"strategy_name": "A"}', False),
        ("backtest-result.txt", '{"strategy": {"A": {"trades": [', False),
    ],
)
def test_a_plain_result_is_known_by_its_name_or_its_beginning(
    tmp_path: Path, name: str, head: str, *, is_one: bool
) -> None:
    """Not what lies beside it: configuration, parameters, the time of the run."""
    path = tmp_path / name
    path.write_text(head)
    assert find_sessions(tmp_path, extension_manager()) == ([path] if is_one else [])


ORDER: dict[str, Any] = {
    "order_id": "x1",
    "ft_pair": "BTC/EUR",
    "ft_order_side": "buy",
    "side": "buy",
    "status": "open",
    "amount": 2,
    "ft_amount": 3,
    "filled": 0,
    "order_date": "2026-01-01 09:00:00",
    "order_update_date": None,
    "order_filled_date": None,
}
LAST_SEEN: list[tuple[dict[str, Any], str]] = [
    ({}, "BUY 2 ACKNOWLEDGED 09:00"),
    ({"filled": None}, "BUY 2 ACKNOWLEDGED 09:00"),
    ({"filled": 1}, "BUY 2 PARTIALLY_FILLED 09:00"),
    ({"filled": 2, "status": "closed"}, "BUY 2 FILLED 09:00"),
    ({"filled": 1, "status": "canceled"}, "BUY 2 CANCELLED 09:00"),
    ({"status": "expired", "order_filled_date": "2026-01-01 09:05:00"}, "BUY 2 EXPIRED 09:05"),
    ({"order_update_date": "2026-01-01 09:07:00"}, "BUY 2 ACKNOWLEDGED 09:07"),
    ({"amount": None}, "BUY 3 ACKNOWLEDGED 09:00"),
    ({"ft_order_side": "stoploss", "side": "sell"}, "SELL 2 ACKNOWLEDGED 09:00"),
    ({"status": "lost"}, "status: 'lost'; expected one of open, closed, canceled"),
    ({"amount": None, "ft_amount": None}, "ft_amount: is missing"),
    ({"order_date": None}, "order_date: is missing; expected a time"),
    ({"order_date": "noon"}, "order_date: 'noon' is no time in UTC without offset"),
]


@pytest.mark.parametrize(("changes", "shown"), LAST_SEEN)
def test_an_order_as_it_last_stood(changes: dict[str, Any], shown: str) -> None:
    """An open one may be filled in part; the bot's own figure is where the exchange's is not."""
    row = {**ORDER, **changes}
    if not shown.startswith(("BUY", "SELL")):
        with pytest.raises(SessionError) as caught:
            read_order(row)
        assert str(caught.value).startswith(shown)
    else:
        found = read_order(row)
        said = f"{found.side} {found.quantity} {found.state} {found.time:%H:%M}"
        assert said == shown
