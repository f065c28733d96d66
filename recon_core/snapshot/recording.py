"""All queries of an account, at one time of the exchange's clock.

Balances and positions are asked for first; the time at which they were answered is the snapshot's
`as_of`. What happened later is rolled off: later fills, movements and orders are left out, an
order has its fills up to then, and one that changed later was open. A fill between request and
answer may be in the balance or not, so everything is asked again, three times at most.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from recon_core.snapshot.asking import Asked, Asker, Row
from recon_core.snapshot.exchange import error_text
from recon_core.snapshot.queries import (
    BALANCE,
    DEPOSITS,
    FUNDING_HISTORY,
    LEDGER,
    MY_TRADES,
    OPEN_ORDERS,
    PAID_IS_POSITIVE,
    POSITIONS,
    WITHDRAWALS,
    Query,
    offered_queries,
)
from recon_core.values.amounts import EXACT, ZERO
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable, quoted
from recon_core.values.suggestions import did_you_mean

QUIET_TRIES: Final = 3
"""Snapshots that are tried where fills fall into the moment of the balance."""
CLOCK_DRIFT: Final = 1000
"""Milliseconds that both clocks may part during a snapshot, beside the time of the requests."""
_CLOCK: Final = Query("time", "")
_MARKETS: Final = Query("markets", "")
_DEPTH: Final = 8
"""Levels of an answer that are searched for balances; Bybit has them six levels deep."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """The exchange's clock less ours in milliseconds, and how far that may be wrong."""

    offset: int
    uncertainty: int


@dataclass(slots=True)
class Recording:
    """The queries of one account, and the time that they are of."""

    symbols: tuple[str, ...]
    since: datetime
    as_of: datetime
    clock: Clock | None = None
    asked: list[Asked] = field(default_factory=list)
    markets: dict[str, Row] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    rolled_off: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Everything that is not covered, one line each."""
        failed = [f"{one.title}: {one.error}" for one in self.asked if one.status == "failed"]
        return [*failed, *self.gaps]


def record_account(
    exchange: Any,
    symbols: Sequence[str],
    since: datetime,
    sleep: Callable[[float], None] = time.sleep,
) -> Recording:
    """Ask an exchange for everything that it offers of an account.

    `symbols` are names of ccxt or of the exchange. Raises `ReconError` for a symbol that the
    exchange does not have; everything else that fails is in what is returned.
    """
    asker = Asker(exchange, sleep)
    # Codes and sizes are in the markets; the list of currencies is one more way to fail.
    exchange.has = {**exchange.has, "fetchCurrencies": False}
    recording = Recording((), since, datetime.now(UTC))
    recording.clock = _clock(asker, recording)
    if not _load_markets(asker, recording):
        return recording
    recording.symbols = tuple(dict.fromkeys(_symbol(exchange, name) for name in symbols))
    recording.markets = {name: _market(exchange, name) for name in recording.symbols}
    kept = list(recording.asked)
    for attempt in range(1, QUIET_TRIES + 1):
        recording.asked = list(kept)
        moment = _ask_all(asker, recording)
        disturbing = _disturbing(recording, moment)
        if not disturbing:
            break
        if attempt == QUIET_TRIES:
            recording.gaps.append(
                f"balance: {disturbing} happened while it was asked, {QUIET_TRIES} times"
            )
    _list_orders_once(recording)
    _cross_check(recording)
    _roll_off(recording)
    _second_clock(asker, recording)
    return recording


def _clock(asker: Asker, recording: Recording) -> Clock | None:
    """Measure the exchange's clock, and sign further requests by it."""
    exchange = asker.exchange
    if not exchange.has.get("fetchTime"):
        return None
    asked = asker.whole(_CLOCK, "", {})
    recording.asked.append(asked)
    if asked.status != "whole" or asked.result is None or asked.answered is None:
        return None
    sent, answered = exchange.lastRestRequestTimestamp, _milliseconds(asked.answered)
    clock = Clock(
        int(asked.result["milliseconds"]) - (sent + answered) // 2, max(answered - sent, 1) // 2 + 1
    )
    if "timeDifference" in exchange.options:
        exchange.options["timeDifference"] = -clock.offset
    return clock


def _second_clock(asker: Asker, recording: Recording) -> None:
    if recording.clock is None:
        return
    again = _clock(asker, recording)
    if again is None:
        return
    moved = abs(again.offset - recording.clock.offset)
    if moved > CLOCK_DRIFT + again.uncertainty + recording.clock.uncertainty:
        recording.gaps.append(f"time: a clock moved by {moved} ms during the snapshot")


def _load_markets(asker: Asker, recording: Recording) -> bool:
    exchange = asker.exchange
    asked = Asked(_MARKETS, requested=datetime.now(UTC), pages=1, requests=1)
    try:
        markets = exchange.load_markets()
        if not markets:
            asked.status, asked.error = "failed", "the exchange lists no market"
    except Exception as error:  # noqa: BLE001  # as every other query
        asked.status, asked.error = "failed", error_text(exchange, error)
    asked.answered = datetime.now(UTC)
    recording.asked.append(asked)
    return asked.status == "whole"


def _symbol(exchange: Any, name: str) -> str:
    """Return ccxt's name of a symbol, which may be given by the exchange's own."""
    if name in exchange.markets:
        return name
    by_id = [market["symbol"] for market in exchange.markets_by_id.get(name, ())]
    if len(by_id) == 1:
        return str(by_id[0])
    if by_id:
        raise ReconError(f"{quoted(name)} is the id of {', '.join(sorted(by_id))}; expected one")
    near = did_you_mean(name, sorted(exchange.markets), 8)
    raise ReconError(f"{quoted(name)} is no symbol of {exchange.id}; {near}")


def _market(exchange: Any, name: str) -> Row:
    fields = ("id", "type", "base", "quote", "settle", "linear", "inverse", "contractSize")
    market = exchange.markets[name]
    return {field: market.get(field) for field in (*fields, "precision")}


def _ask_all(asker: Asker, recording: Recording) -> tuple[int, int]:
    """Ask every query; return the moment of the balances, in milliseconds of the exchange."""
    begun = _exchange_time(recording, datetime.now(UTC))
    ended = begun
    for query, offered in offered_queries(asker.exchange):
        for asked in _ask(asker, recording, query, offered=offered):
            recording.asked.append(asked)
        if query in (BALANCE, POSITIONS):
            ended = _exchange_time(recording, datetime.now(UTC))
    spread = 0 if recording.clock is None else recording.clock.uncertainty
    recording.as_of = _EPOCH + timedelta(milliseconds=ended)
    return begun - spread, ended + spread


def _ask(asker: Asker, recording: Recording, query: Query, *, offered: bool) -> Iterable[Asked]:
    contracts = [name for name, market in recording.markets.items() if market["type"] != "spot"]
    symbols = contracts if query.of_contracts else list(recording.symbols)
    if not offered:
        yield Asked(query, status="not offered")
    elif query.of_symbols and not symbols:
        yield Asked(query, status="not asked", error="no symbol of its kind")
    elif query in (DEPOSITS, WITHDRAWALS) and contracts == list(recording.symbols):
        yield Asked(query, status="not asked", error="they are of the spot wallet")
    elif query.of_symbols:
        yield from (_one(asker, recording, query, name) for name in symbols)
    else:
        yield _one(asker, recording, query, "")


def _one(asker: Asker, recording: Recording, query: Query, of: str) -> Asked:
    if query.paged:
        until = _exchange_time(recording, datetime.now(UTC))
        # An exchange bounds its ledger as its trades, which ccxt does not state.
        bounded_as = recording.symbols[0] if query is LEDGER else of
        asked = asker.paged(query, of, _milliseconds(recording.since), until, bounded_as)
        if query is FUNDING_HISTORY and asker.exchange.id in PAID_IS_POSITIVE:
            asked.rows = [_received(row, recording.markets[of]) for row in asked.rows]
        return asked
    arguments: dict[str, Any] = {"symbol": of} if of else {}
    asked = asker.whole(query, of, {"symbols": [of]} if query is POSITIONS else arguments)
    if query is BALANCE and asked.status == "whole":
        _check_balance(asked)
        contracts = any(market["type"] != "spot" for market in recording.markets.values())
        _take_wallet(asker.exchange, asked, required=contracts)
    return asked


def _received(row: Row, market: Row) -> Row:
    """Return a payment of funding as it moves the wallet, in the currency that it settles in."""
    amount = Decimal(str(row["amount"])).copy_negate()
    return {**row, "amount": f"{amount:f}", "code": market["settle"]}


def _check_balance(asked: Asked) -> None:
    """Refuse a balance without a currency, or with one whose total is unknown."""
    totals = (asked.result or {}).get("total")
    if not isinstance(totals, dict) or not totals:
        asked.status, asked.error = "failed", "the answer lists no currency"
        return
    unknown = [name for name, total in totals.items() if total is None]
    if unknown:
        shown = printable(", ".join(unknown[:5]), 100)
        asked.status, asked.error = "failed", f"the answer does not state all of {shown}"


def _take_wallet(exchange: Any, asked: Asked, *, required: bool) -> None:
    """Make the balance of an account that of its wallet, which an account with contracts must have.

    ccxt's total has the gain of open positions in it at some exchanges, which is no cash. Binance
    and Bybit state `walletBalance` beside it; elsewhere nobody can say what the total is.
    """
    if asked.status != "whole" or asked.result is None:
        return
    try:
        wallets = dict(_wallets(exchange, asked.result.get("info"), _DEPTH))
    except ArithmeticError:
        asked.status, asked.error = "failed", "a balance of the wallet is no number"
        return
    missing = [name for name in asked.result["total"] if name not in wallets]
    if missing and not required:
        return
    if missing:
        asked.status = "not offered"
        asked.error = "the total of an account with contracts may have the gain of positions in it"
        return
    asked.result = {"info": asked.result.get("info"), "total": wallets}


def _wallets(exchange: Any, answer: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield currency and wallet balance of every row of an answer that states both.

    What was borrowed to trade is in the wallet of Bybit, and is not owned.
    """
    inner = answer.values() if isinstance(answer, dict) else answer
    if not isinstance(inner, Iterable) or isinstance(inner, str) or not depth:
        return
    if isinstance(answer, dict) and "walletBalance" in answer:
        name = answer.get("asset") or answer.get("coin")
        if name:
            wallet, borrowed = answer["walletBalance"], answer.get("spotBorrow") or "0"
            owned = EXACT.subtract(Decimal(str(wallet)), Decimal(str(borrowed)))
            yield exchange.safe_currency_code(name), f"{owned:f}"
            return
    for value in inner:
        yield from _wallets(exchange, value, depth - 1)


def _rows_of(recording: Recording, *sections: str) -> Iterable[tuple[Asked, Row]]:
    for asked in recording.asked:
        if asked.query.section in sections and asked.status == "whole" and asked.query.paged:
            yield from ((asked, row) for row in asked.rows)


def _disturbing(recording: Recording, moment: tuple[int, int]) -> str:
    """Return the fill or movement that happened while the balance was asked, or nothing."""
    for asked, row in _rows_of(recording, "fills", "movements"):
        if moment[0] <= row["timestamp"] <= moment[1]:
            return f"{asked.query.title} {printable(row['id'], 60)}"
    return ""


def _list_orders_once(recording: Recording) -> None:
    """Leave out open orders that the later answer of all orders lists, too."""
    listed = {(asked.of, row["id"]) for asked, row in _rows_of(recording, "orders")}
    for asked in recording.asked:
        if asked.query is OPEN_ORDERS:
            asked.rows = [row for row in asked.rows if (asked.of, row["id"]) not in listed]


def _cross_check(recording: Recording) -> None:
    """Note orders that filled more than the trades of their symbol give.

    Trades are asked for after the orders, so they are never fewer on an exchange that has all.
    """
    whole = {a.of for a in recording.asked if a.query is MY_TRADES and a.status == "whole"}
    # Trades without an order cannot be added up.
    whole -= {asked.of for asked, row in _rows_of(recording, "fills") if not row.get("order")}
    traded = _traded(recording)
    since = _milliseconds(recording.since)
    for asked, row in _rows_of(recording, "orders"):
        filled, sum_of_trades = Decimal(str(row["filled"])), traded[asked.of, str(row["id"])]
        if asked.of in whole and row["timestamp"] >= since and sum_of_trades < filled:
            whole.discard(asked.of)
            name = printable(row["id"], 60)
            recording.gaps.append(
                f"my trades of {asked.of}: order {name} filled {filled:f}, its trades give "
                f"{sum_of_trades:f}"
            )


def _roll_off(recording: Recording) -> None:
    """Leave out what happened after `as_of`, and keep a note of each row."""
    as_of = _milliseconds(recording.as_of)
    later = _traded(recording, after=as_of)
    for asked in recording.asked:
        section = asked.query.section
        if section == "orders":
            asked.rows = [
                _order_before(row, as_of, later[asked.of, str(row["id"])]) for row in asked.rows
            ]
        if section != "positions":
            after = [row for row in asked.rows if row.get("timestamp", 0) > as_of]
            asked.rows = [row for row in asked.rows if row.get("timestamp", 0) <= as_of]
            recording.rolled_off += [
                {"query": asked.query.name, "of": asked.of, "id": row.get("id")} for row in after
            ]


def _traded(
    recording: Recording, after: int | None = None
) -> defaultdict[tuple[str, str], Decimal]:
    """Return the exact sum of the trades of each order by symbol and id, or of those after a time.

    An order without trades has 0.
    """
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for asked, row in _rows_of(recording, "fills"):
        if after is None or row["timestamp"] > after:
            key = asked.of, str(row.get("order"))
            found[key] = EXACT.add(found[key], Decimal(str(row["amount"])))
    return found


def _order_before(row: Row, as_of: int, later: Decimal) -> Row:
    """Return an order as it was at a time, without the quantity that was filled later."""
    changed = max((row.get(name) or 0) for name in ("lastUpdateTimestamp", "lastTradeTimestamp"))
    if not later and changed <= as_of:
        return row
    filled = max(EXACT.subtract(Decimal(str(row["filled"])), later), ZERO)
    state = {"status": "open", "filled": f"{filled:f}", "lastUpdateTimestamp": None}
    state |= {"lastTradeTimestamp": None, "average": None if later else row.get("average")}
    return {**row, **state, "rolledOff": f"{later:f}"}


def _exchange_time(recording: Recording, moment: datetime) -> int:
    offset = 0 if recording.clock is None else recording.clock.offset
    return _milliseconds(moment) + offset


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
