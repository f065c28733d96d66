"""Bots on ccxt: the trades that a bot heard of, against the account at the exchange.

While the recording is open, the methods of the bot's exchange that answer with own trades or
orders are listened to. The ledger is each trade that was in an answer, on the balances at the
start; of an order without one it is what the order says that it filled. The statement is a snapshot
of the account at the end, asked by an exchange of its own with exact numbers, as `recon snapshot`
does. An order that filled while the bot was not looking is in the account alone.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final

from recon_core.recorders.engine_run import EngineRun, require_engine, require_object
from recon_core.sessions.formats.ccxt_trading import fees, fills
from recon_core.sessions.json_text import parse_json
from recon_core.snapshot.exchange import error_text, exact_class
from recon_core.snapshot.queries import MY_TRADES
from recon_core.snapshot.recording import Recording, record_account
from recon_core.snapshot.writing import prepare, write
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable

_TRADES: Final = ("fetch_my_trades", "fetch_order_trades", "watch_my_trades")
"""Methods that answer with trades of the account."""
_ORDERS: Final = (
    "create_order", "create_orders", "edit_order", "cancel_order", "fetch_order", "fetch_orders",
    "fetch_open_orders", "fetch_closed_orders", "watch_orders",
    "create_order_ws", "edit_order_ws", "cancel_order_ws", "fetch_order_ws",
)  # fmt: skip
"""Methods that answer with orders of the account, and trades in them."""
_SHARED: Final = (
    "urls", "options", "headers", "hostname", "timeout", "rateLimit",
    "httpProxy", "httpsProxy", "socksProxy",
)  # fmt: skip
"""Settings of the bot's exchange that the other one has too."""
_ACCOUNT: Final = "account"
"""Directory of the snapshot, inside that of the recording."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Row = dict[str, Any]


@contextmanager
def record_ccxt(
    exchange: Any,
    directory: Path | str,
    symbols: Sequence[str],
    *,
    session_id: str | None = None,
    strategy_id: str = "",
) -> Iterator[None]:
    """Record a bot that trades on a spot account by `exchange`, of ccxt or its async version.

    `symbols` are all that the bot trades. The account is asked for its balances at the start, and
    for everything at the end, without floats; the bot's own exchange is asked nothing. Raises
    `ReconError` for what is no exchange, for a directory in use, a symbol that the exchange does
    not have or that is no spot pair, and at the end for a symbol that was traded and not named. A
    body that raises leaves a session that is not complete.
    """
    ccxt = require_engine("ccxt")
    require_object(exchange, "ccxt", "Exchange")
    asked = _exact(ccxt, exchange)
    try:
        markets = _spot_markets(asked, symbols)
        begun = _now(asked)
        balances = asked.fetch_balance()["total"]
    except ccxt.BaseError as error:
        raise ReconError(f"{exchange.id}: {error_text(asked, error)}") from None
    run = EngineRun(
        directory,
        "ccxt",
        heard_by="bot",
        stated_by=exchange.id,
        instruments={
            name: {"kind": "spot", "base": one["base"], "quote": one["quote"]}
            for name, one in markets.items()
        },
        session_id=session_id,
        strategy_id=strategy_id,
        mode="PAPER" if exchange.isSandboxModeEnabled else "LIVE",
    )
    run.ledger.opening(cash=_known(balances), as_of=begun)
    heard = Heard()
    with _listening(exchange, heard):
        yield
    _refuse_unnamed(heard, markets)
    account = _snapshot(asked, list(markets), begun, run.path.with_name(_ACCOUNT))
    traded = (row for one in account.asked if one.query == MY_TRADES for row in one.rows)
    _write_ledger(run, heard.timed(traded))
    run.finish(account.as_of, external={"from": {"format": "ccxt", "path": _ACCOUNT}})


class Heard:
    """The trades and orders that a bot heard of, each as it was heard last."""

    def __init__(self) -> None:
        self._trades: dict[tuple[str, str], Row] = {}
        self._orders: dict[tuple[str, str], Row] = {}

    def trades(self, answer: Any) -> None:
        """Keep the trades of an answer."""
        for row in _rows(answer):
            self._trades[row["symbol"], row["id"]] = row

    def orders(self, answer: Any) -> None:
        """Keep the orders of an answer, and the trades in them as far as they are not known."""
        for row in _rows(answer):
            self._orders[row["symbol"], row["id"]] = row
            for trade in row.get("trades") or ():
                if trade.get("id"):
                    of_order = {"order": row["id"], "symbol": row["symbol"], "side": row["side"]}
                    whole = of_order | _times(row) | _known(trade)
                    whole["untimed"] = not trade.get("timestamp")
                    self._trades.setdefault((row["symbol"], trade["id"]), whole)

    def rows(self) -> list[Row]:
        """Return every trade, and each order of which no trade was heard as one trade."""
        traded = {(row["symbol"], row.get("order")) for row in self._trades.values()}
        alone = [_as_trade(row) for key, row in self._orders.items() if key not in traded]
        return [*self._trades.values(), *(row for row in alone if row["amount"])]

    def timed(self, account: Iterable[Mapping[str, Any]]) -> list[Row]:
        """Return the rows, those that were heard without a time with that of the account's row."""
        times = {(row["symbol"], row["id"]): row["timestamp"] for row in account}
        return [
            row | {"timestamp": times.get((row["symbol"], row["id"]), row["timestamp"])}
            if row.get("untimed")
            else row
            for row in self.rows()
        ]


def _rows(answer: Any) -> Iterable[Row]:
    """Return the rows of an answer: one alone, or a list; what has no id is none."""
    listed = [answer] if isinstance(answer, dict) else answer or ()
    return (row for row in listed if row.get("id") and row.get("symbol"))


def _known(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def _times(order: Row) -> Row:
    moment = order.get("lastTradeTimestamp") or order.get("timestamp")
    return {"timestamp": moment, "datetime": order.get("datetime")}


def _as_trade(order: Row) -> Row:
    """Return what an order says that it filled as one trade at its average price."""
    names = ("symbol", "side", "fee", "fees")
    filled = {"id": f"order {order['id']}", "order": order["id"], "amount": order.get("filled")}
    price = {"price": order.get("average") or order.get("price")}
    return {name: order.get(name) for name in names} | filled | price | _times(order)


@contextmanager
def _listening(exchange: Any, heard: Heard) -> Iterator[None]:
    """Hear the answers of an exchange's methods, under both of their names."""
    places = [(name, heard.trades) for name in _TRADES] + [(name, heard.orders) for name in _ORDERS]
    there = [(name, hear) for name, hear in places if hasattr(exchange, name)]
    wrapped = [(alias, hear) for name, hear in there for alias in {name, _humped(name)}]
    for name, hear in wrapped:
        setattr(exchange, name, _heard_call(getattr(exchange, name), hear))
    try:
        yield
    finally:
        for name, _ in wrapped:
            delattr(exchange, name)


def _humped(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


def _heard_call(method: Callable[..., Any], hear: Callable[[Any], None]) -> Callable[..., Any]:
    async def awaited(answer: Any) -> Any:
        found = await answer
        hear(found)
        return found

    def call(*arguments: Any, **named: Any) -> Any:
        answer = method(*arguments, **named)
        if isawaitable(answer):
            return awaited(answer)
        hear(answer)
        return answer

    return call


def _exact(ccxt: Any, exchange: Any) -> Any:
    """Return an exchange with the keys and settings of the bot's, and exact numbers."""
    settings = {name: getattr(exchange, name, None) for name in _SHARED}
    made = exact_class(getattr(ccxt, exchange.id))(_known(settings))
    for name, is_required in exchange.requiredCredentials.items():
        if is_required:
            setattr(made, name, getattr(exchange, name))
    made.has = {**made.has, "fetchCurrencies": False}  # one more way to fail, and not of use here
    return made


def _spot_markets(exchange: Any, symbols: Sequence[str]) -> dict[str, Row]:
    exchange.load_markets()
    found = {}
    for name in symbols:
        shown = printable(name, 60)
        if name not in exchange.markets:
            raise ReconError(f"symbols: {shown} is no symbol of {exchange.id}")
        found[name] = exchange.markets[name]
        if not found[name]["spot"]:
            raise ReconError(
                f"symbols: {shown} is a {found[name]['type']}; expected spot pairs, or a ledger of "
                "your own beside recon snapshot"
            )
    return found


def _now(exchange: Any) -> datetime:
    has_clock = exchange.has.get("fetchTime")
    moment = exchange.fetch_time() if has_clock else exchange.milliseconds()
    return _EPOCH + timedelta(milliseconds=int(moment))


def _refuse_unnamed(heard: Heard, markets: Iterable[str]) -> None:
    unnamed = sorted({row["symbol"] for row in heard.rows()} - set(markets))
    if unnamed:
        shown = printable(", ".join(unnamed), 100)
        raise ReconError(f"symbols: {shown} was traded too; expected every symbol of the bot")


def _write_ledger(run: EngineRun, heard: Iterable[Row]) -> None:
    plain = [{name: one for name, one in row.items() if name != "info"} for row in heard]
    exact = parse_json(json.dumps(plain), "the trades")
    for fill in fills(exact, {}):
        run.ledger.fill(fill)
    for movement in fees(exact):
        run.ledger.movement(movement)


def _snapshot(exchange: Any, symbols: list[str], since: datetime, place: Path) -> Recording:
    """Ask for the account, and write it into a directory."""
    head = {"exchange": exchange.id, "account": "bot", "sandbox": False}
    prepare(place, head)
    recording = record_account(exchange, symbols, since)
    write(place, head, recording)
    return recording
