"""The recorder of bots on ccxt, with the real ccxt and an exchange on this machine."""

import asyncio
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.recorders import record_ccxt
from recon_core.values.errors import ReconError
from recon_core.values.severity import Severity
from tests.engines.ccxt_runs import SYMBOL, exchange_of, market_orders, paper, trade
from tests.engines.faults import is_clear, judged, named, recorded
from tests.servers.binance import Reply


def test_a_bot_that_hears_of_every_fill_is_clear(tmp_path: Path) -> None:
    """The account at the end is the one at the start with all that the calls answered."""
    market_orders(tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.internal is not None
    assert len(session.internal.fills or ()) == 50
    assert session.external is not None
    assert len(session.external.orders or ()) == 25
    assert str(session.mode) == "LIVE"
    assert judged(session)[0] == []  # a trade in an order has no time: it is the account's


def test_an_order_that_filled_unseen_is_found(tmp_path: Path) -> None:
    """A limit order was filled, and the bot never asked again: both its fills are missing."""
    with paper() as (account, exchange), record_ccxt(exchange, tmp_path / "run", [SYMBOL]):
        trade(exchange, account, 9)
        exchange.create_order(SYMBOL, "limit", "buy", 0.3, 90.0)
        account.fill(account.orders[-1], Decimal(90))
        time.sleep(0.01)
        trade(exchange, account, 9)
    session = recorded(tmp_path / "run")
    assert not is_clear(session)
    found = judged(session)[1]
    assert [str(one.verdict) for one in found] == ["unique"]
    assert named(found, frozenset({"missing_fill"}))


def test_a_bot_that_polls_hears_each_trade_once(tmp_path: Path) -> None:
    """The same trades come again with every poll, by either name of the method."""
    with paper() as (account, exchange), record_ccxt(exchange, tmp_path / "run", [SYMBOL]):
        since = account.now()
        trade(exchange, account, 9)
        exchange.create_order(SYMBOL, "limit", "sell", 0.3, 110.0)
        account.fill(account.orders[-1], Decimal(110))
        for _ in range(2):
            assert len(exchange.fetchMyTrades(SYMBOL, since)) == 20
            time.sleep(0.01)
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.internal is not None
    assert len(session.internal.fills or ()) == 20


def test_a_bot_that_goes_by_orders_has_one_fill_for_each(tmp_path: Path) -> None:
    """No answer has trades: what an order says that it filled is its fill, at the average."""
    run = tmp_path / "run"
    with paper(names_fills=False) as (account, exchange), record_ccxt(exchange, run, [SYMBOL]):
        trade(exchange, account, 6)
    session = recorded(run)
    assert session.internal is not None
    assert [fill.fill_id[:6] for fill in session.internal.fills or ()] == ["order "] * 6
    severities, _ = judged(session)
    assert Severity.CRITICAL not in severities


def test_a_bot_that_is_asynchronous(tmp_path: Path) -> None:
    """Calls that are awaited are heard when they answer."""
    aio = pytest.importorskip("ccxt.async_support")

    async def main() -> None:
        with paper() as (_, exchange):
            bot = aio.binance({name: getattr(exchange, name) for name in ("apiKey", "secret")})
            bot.urls, bot.options, bot.has = exchange.urls, exchange.options, exchange.has
            with record_ccxt(bot, tmp_path / "run", [SYMBOL]):
                for side in ("buy", "sell", "buy"):
                    await bot.create_order(SYMBOL, "market", side, 0.25)
            await bot.close()

    asyncio.run(main())
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.internal is not None
    assert len(session.internal.fills or ()) == 6


def test_a_bot_that_crashes_is_never_complete(tmp_path: Path) -> None:
    """The error is the bot's own, its exchange is as before, and the gate is red."""
    with paper() as (_, exchange):
        with pytest.raises(ZeroDivisionError), record_ccxt(exchange, tmp_path / "run", [SYMBOL]):
            raise ZeroDivisionError
        assert "create_order" not in vars(exchange)
        assert "createOrder" not in vars(exchange)
    assert not is_clear(recorded(tmp_path / "run"))


def test_an_account_that_cannot_be_asked_whole_is_critical(tmp_path: Path) -> None:
    """What the exchange does not answer is never taken for nothing."""
    with paper() as (account, exchange), record_ccxt(exchange, tmp_path / "run", [SYMBOL]):
        trade(exchange, account, 3)
        account.faults.append(
            lambda name, *_: Reply({"code": -1, "msg": "x"}, 400) if name == "myTrades" else None
        )
    assert Severity.CRITICAL in judged(recorded(tmp_path / "run"))[0]


def test_every_symbol_must_be_named(tmp_path: Path) -> None:
    """A pair that was traded and not named would be missing on both sides, and cash be off."""
    with (
        paper() as (_, exchange),
        pytest.raises(ReconError, match="symbols: ETH/USDT was traded too; expected every symbol"),
        record_ccxt(exchange, tmp_path / "run", [SYMBOL]),
    ):
        exchange.create_order("ETH/USDT", "market", "buy", 0.25)
    assert not is_clear(recorded(tmp_path / "run"))


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        (["BTC/EUR"], "symbols: BTC/EUR is no symbol of binance"),
        (["BTC/USDT:USDT"], "symbols: BTC/USDT:USDT is no symbol of binance"),
    ],
)
def test_a_symbol_that_is_none_is_refused(symbols: list[str], message: str, tmp_path: Path) -> None:
    """Before the bot trades."""
    with (
        paper() as (_, exchange),
        pytest.raises(ReconError, match=message),
        record_ccxt(exchange, tmp_path / "run", symbols),
    ):
        pytest.fail("the bot has begun")


def test_an_exchange_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    """No key is in it."""
    with paper() as (account, _):
        exchange: Any = exchange_of("http://127.0.0.1:9")
        with (
            pytest.raises(ReconError, match="binance: ") as refused,
            record_ccxt(exchange, tmp_path / "run", [SYMBOL]),
        ):
            pytest.fail("the bot has begun")
    assert "secret" not in str(refused.value)
    assert account.asked == []


def test_what_is_no_exchange_is_refused(tmp_path: Path) -> None:
    """The mistake is the name of the exchange in its place, most often."""
    with (
        pytest.raises(ReconError, match="of type str; expected Exchange of ccxt"),
        record_ccxt("binance", tmp_path / "run", [SYMBOL]),
    ):
        pytest.fail("the bot has begun")


def test_no_key_is_written(tmp_path: Path) -> None:
    """The recording is a thing to share."""
    market_orders(tmp_path / "run")
    texts = [path.read_text() for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert len(texts) > 5
    assert not any('"secret"' in text or "X-MBX" in text for text in texts)
    assert json.loads((tmp_path / "run" / "session.recon.json").read_text())["external"] == {
        "from": {"format": "ccxt", "path": "account"}
    }
