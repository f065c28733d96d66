"""True sessions of eight kinds of accounts: what happened, and what either side shows of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Decimal,
)
from random import Random
from typing import Final

from .ledger import PAID, Books, Fill, Instrument, Key, Movement, State, replay, rounded

D = Decimal
ZERO: Final = D(0)
START: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
DUST: Final = D("0.00000000000728")
"""What sums of binary floats leave."""


def _things(kind: str, *rows: str) -> tuple[Instrument, ...]:
    """Instruments from lines of `symbol base quote price tick lot multiplier`."""
    made = []
    for row in rows:
        symbol, base, quote, price, tick, lot, multiplier = row.split()
        made.append(
            Instrument(
                symbol.replace("_", " "),
                kind,
                base,
                quote,
                D(price),
                D(tick),
                D(lot),
                D(multiplier),
            )
        )
    return tuple(made)


LINEAR: Final = _things(
    "linear",
    "BTCUSDT-PERP BTC USDT 42000 0.1 0.001 1",
    "ETHUSDT-PERP ETH USDT 2300 0.01 0.01 1",
    "XRPUSDT-PERP XRP USDT 0.61 0.0001 0.1 1",
    "SOL-SWAP SOL USDT 98 0.01 1 0.1",
)
THINGS: Final = {
    "spot": _things(
        "spot",
        "BTC/USDT BTC USDT 42000 0.01 0.00001 1",
        "ETH/USDT ETH USDT 2300 0.01 0.0001 1",
        "ETH/BTC ETH BTC 0.054 0.00001 0.001 1",
        "DOGE/USDT DOGE USDT 0.083 0.00001 1 1",
    ),
    "shares": _things(
        "equity",
        "KO KO USD 60 0.01 1 1",
        "MSFT MSFT USD 390 0.01 1 1",
        "SPY SPY USD 475 0.01 0.001 1",
        "PENY PENY USD 1.15 0.0001 1 1",
    ),
    "linear": LINEAR,
    "hedge": LINEAR,
    "inverse": _things(
        "inverse",
        "BTCUSD_PERP BTC USD 42000 0.1 1 100",
        "ETHUSD_PERP ETH USD 2300 0.01 1 10",
        "XBTUSD BTC USD 42000 0.5 100 1",
    ),
    "fx": _things(
        "fx",
        "EUR/USD EUR USD 1.09 0.00001 1000 1",
        "USD/JPY USD JPY 148 0.001 1000 1",
        "GBP/USD GBP USD 1.27 0.00001 1 1",
    ),
    "options": _things(
        "option",
        "SPY_260130P00470000 SPY USD 4.2 0.01 1 100",
        "SPY_260130C00490000 SPY USD 3.1 0.01 1 100",
        "KO_260220C00062500 KO USD 0.85 0.01 1 100",
    ),
}
THINGS["desk"] = THINGS["spot"][:2] + LINEAR[1:3]
WORLDS: Final = tuple(THINGS)


Fee = Callable[[Fill, Random], tuple[Decimal, str | None]]


@dataclass(frozen=True)
class Shown:
    """What a side shows: sections and how it keeps what it holds."""

    opening: bool = False
    fills: bool = False
    movements: bool = False
    orders: bool = False
    positions: bool = True
    cash: bool = True
    snapshots: int = 0
    order_ids: str = "both"
    floats: bool = False

    def figures_alone(self) -> "Shown":
        """The same without lists."""
        return replace(self, opening=False, fills=False, movements=False)


@dataclass(frozen=True)
class Side:
    """One side: `books` gave its figures, `listed` are the rows that it shows."""

    books: Books
    listed: Books
    state: State
    snapshots: tuple[tuple[datetime, State], ...]
    shown: Shown
    as_of: datetime


@dataclass(frozen=True)
class World:
    """A true session."""

    seed: int
    name: str
    instruments: dict[str, Instrument]
    precision: dict[str, int]
    declared: bool
    books: Books
    end: datetime
    times: tuple[datetime, ...]
    ledger: Shown
    exchange: Shown
    evidence: str
    schedule: str
    fee: Fee = field(compare=False, repr=False)

    @property
    def decimals(self) -> dict[str, int]:
        """The decimals that postings are rounded to."""
        return self.precision if self.declared else {}

    def side(self, books: Books, shown: Shown) -> Side:
        """A side without a fault."""
        points = self.times[: shown.snapshots] if shown.snapshots else ()
        return Side(
            books,
            books,
            self.figures(books, shown),
            tuple((time, self.figures(books.until(time), shown)) for time in points),
            shown,
            self.end,
        )

    def figures(self, books: Books, shown: Shown) -> State:
        """Figures that a side states for these books: shares and options are no balances."""
        state = replay(self.instruments, self.decimals, books)
        coins = {
            thing.base for thing in self.instruments.values() if thing.kind in {"equity", "option"}
        }
        cash = {name: amount for name, amount in state.cash.items() if name not in coins}
        positions = {key: amount for key, amount in state.positions.items() if amount}
        if shown.floats:
            cash = {name: amount + DUST for name, amount in cash.items() if amount}
        return State(positions, cash)


@dataclass
class Charge:
    """What a schedule may look at, and how far the account has come."""

    rate: Decimal
    second: Decimal
    fixed: Decimal
    value: Decimal = ZERO
    total: Decimal = ZERO
    orders: set[str | None] = field(default_factory=set)

    def part_of_order(self, order: str | None) -> bool:
        """True if a fill of the order was charged before."""
        seen = order in self.orders
        self.orders.add(order)
        return seen


Amount = Callable[[Charge, Fill, Random], Decimal]
SCHEDULES: Final[dict[str, Amount]] = {
    "free": lambda *_: D(0),
    "rate": lambda at, *_: at.value * at.rate,
    "makers": lambda at, _, rng: at.value * (at.rate if rng.random() < 0.6 else at.second),
    "rebates": lambda at, _, rng: at.value * (at.rate if rng.random() < 0.5 else -at.second / 2),
    "tiers": lambda at, *_: at.value * (at.rate if at.total < 20000 else at.rate * D("0.8")),
    "fixed+rate": lambda at, *_: at.value * at.rate + at.fixed,
    "flat": lambda at, *_: at.fixed,
    "order": lambda at, row, _: D(0) if at.part_of_order(row.order) else at.fixed,
    "unit": lambda at, row, _: row.quantity * at.fixed / 50,
    "minimum": lambda at, row, _: max(at.fixed, row.quantity * D("0.005")),
    "third": lambda at, _, rng: at.value * at.rate / (310 + D(rng.randrange(-900, 900)) / 100),
    "base": lambda at, row, _: row.quantity * at.rate,
    "received": lambda at, row, _: (row.quantity if row.side == "BUY" else at.value) * at.rate,
}
BROKERS: Final = ("rate", "flat", "fixed+rate", "unit", "free", "order", "minimum")
VENUES: Final = (
    "rate",
    "makers",
    "rebates",
    "tiers",
    "fixed+rate",
    "flat",
    "free",
    "third",
    "order",
)
ROUNDINGS: Final = (ROUND_HALF_EVEN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_CEILING, ROUND_DOWN)


def _fees(
    rng: Random, name: str, instruments: dict[str, Instrument], decimals: dict[str, int]
) -> tuple[str, Fee]:
    """A schedule of fees: its name, and the fee of a fill."""
    menu = BROKERS if name in {"shares", "options", "fx"} else VENUES
    chosen = rng.choice([*menu, "base", "received", "third"] if name == "spot" else menu)
    charge = Charge(
        D(rng.choice(["0.001", "0.0004", "0.0005", "0.00075", "0.0002", "0.0026"])),
        D(rng.choice(["0.0002", "0.0008", "0.0006", "0.00016"])),
        D(rng.choice(["1.50", "0.35", "1.00", "0.02"])),
    )
    rounding = rng.choice(ROUNDINGS)

    def fee(row: Fill, rng: Random) -> tuple[Decimal, str | None]:
        thing = instruments[row.symbol]
        currency = "BNB" if chosen == "third" else thing.settlement
        charge.value = row.quantity * row.price * thing.multiplier
        if thing.kind == "inverse" and chosen != "third":
            charge.value = row.quantity * thing.multiplier / row.price
        charge.total += charge.value
        if chosen == "base" or (chosen == "received" and row.side == "BUY"):
            currency = thing.base
        amount = SCHEDULES[chosen](charge, row, rng)
        return rounded(amount, decimals.get(currency, 8), rounding), currency

    return chosen, fee


_IDS: Final = ("both", "both", "client", "exchange", "none")
_LEDGER: Final = Shown(opening=True, fills=True, movements=True, positions=False, cash=False)
EVIDENCE: Final[dict[str, Callable[[Random, Shown, Shown], tuple[Shown, Shown]]]] = {
    "states": lambda _, ledger, exchange: (ledger, exchange),
    "positions": lambda _, ledger, exchange: (ledger, replace(exchange, cash=False)),
    "cash": lambda _, ledger, exchange: (ledger, replace(exchange, positions=False)),
    "orders": lambda _, ledger, exchange: (ledger, replace(exchange, orders=True)),
    "snapshots": lambda rng, ledger, exchange: (
        ledger,
        replace(exchange, snapshots=rng.randrange(1, 5)),
    ),
    "rows": lambda rng, ledger, exchange: (ledger, _listed(rng, exchange)),
    "all": lambda rng, ledger, exchange: (
        replace(ledger, orders=True),
        replace(_listed(rng, exchange), orders=True),
    ),
    "history": lambda _, ledger, exchange: (ledger, replace(exchange, fills=True)),
    "statement": lambda _, ledger, exchange: (ledger, replace(exchange, movements=True)),
    "stated": lambda rng, ledger, exchange: (
        replace(ledger, positions=exchange.positions, cash=True),
        replace(exchange, fills=rng.random() < 0.5, movements=True),
    ),
    "bare": lambda _, __, exchange: (Shown(positions=exchange.positions), exchange),
}
OFTEN: Final = ("states", "states", "rows", "rows", "rows")


def _listed(rng: Random, exchange: Shown) -> Shown:
    return replace(
        exchange,
        fills=True,
        movements=True,
        opening=rng.random() < 0.4,
        snapshots=rng.choice([0, 0, 2]),
        order_ids=rng.choice([exchange.order_ids, exchange.order_ids, "none"]),
    )


def _shown(rng: Random, name: str) -> tuple[str, Shown, Shown]:
    """What the sides show: the kind of evidence, the ledger, the exchange."""
    evidence = rng.choice([*EVIDENCE, *OFTEN])
    if (name == "fx" and evidence == "positions") or (name == "shares" and evidence == "cash"):
        evidence = "states"  # the one view of what is held
    ids = rng.choice(_IDS)
    wallet = name == "fx" or (name == "spot" and rng.random() < 0.3 and evidence != "positions")
    exchange = Shown(order_ids=ids, positions=not wallet)
    ledger, exchange = EVIDENCE[evidence](rng, replace(_LEDGER, order_ids=ids), exchange)
    if "none" in {ids, exchange.order_ids}:
        ledger, exchange = replace(ledger, orders=False), replace(exchange, orders=False)
    if rng.random() < 0.08 and ledger.fills:
        ledger = replace(ledger, floats=True, positions=exchange.positions, cash=exchange.cash)
    return evidence, ledger, exchange


def draw(seed: int, world: str | None = None) -> World:
    """The true session of a seed."""
    rng = Random(f"world {seed}")
    name = world or rng.choice(WORLDS)
    count = min(len(THINGS[name]), rng.choice([1, 1, 2, 3]))
    instruments = {thing.symbol: thing for thing in rng.sample(THINGS[name], count)}
    things = instruments.values()
    currencies = sorted({c for thing in things for c in (thing.base, thing.quote)})
    precision = {c: 2 if c in {"USD", "EUR", "GBP"} else 0 if c == "JPY" else 8 for c in currencies}
    precision["BNB"] = 8
    paid = all(thing.kind in PAID for thing in things)
    declared = not paid or rng.random() < 0.7
    schedule, fee = _fees(rng, name, instruments, precision)
    made = _fills(rng, name, instruments, fee)
    fills = tuple(sorted(made, key=lambda row: row.time))
    last = fills[-1].time
    movements = tuple(_movements(rng, name, instruments, last))
    end = max([last, *(row.time for row in movements)]) + timedelta(
        seconds=rng.choice([1, 30, 600, 7200])
    )
    opening = {c: _round_sum(rng, c) for c in currencies if rng.random() < 0.25}
    for thing in instruments.values():
        opening.setdefault(thing.settlement, _round_sum(rng, thing.settlement))
        if thing.kind in {"equity", "option"}:
            opening.pop(thing.base, None)
    if schedule == "third":
        opening["BNB"] = D(rng.randrange(1, 30))
    evidence, ledger, exchange = _shown(Random(f"shown {seed}"), name)
    if not exchange.cash:  # coins that no fill brought are in no position
        paid_in = {t.settlement for t in things} - {t.base for t in things}
        opening = {c: a for c, a in opening.items() if c in paid_in}
    positions: dict[Key, tuple[Decimal, Decimal]] = {}
    for thing in instruments.values():
        if thing.kind not in {"spot", "fx"} and rng.random() < 0.2:
            quantity = thing.lot * rng.randrange(1, 60)
            leg = "LONG" if name == "hedge" else "NET"
            positions[thing.symbol, leg] = (quantity, _price(rng, thing, thing.price))
    books = Books(opening, positions, fills, movements)
    books = replace(books, movements=(*movements, *_events(seed, instruments, books)))
    step = (end - START) / 6
    times = tuple(START + step * k for k in range(1, 6))
    if exchange.snapshots:
        times = tuple(sorted(rng.sample(times, exchange.snapshots)))
    times = tuple(time.replace(microsecond=0) for time in times)
    return World(
        seed, name, instruments, precision, declared, books, end, times, ledger, exchange,
        evidence, schedule, fee,
    )  # fmt: skip


def _round_sum(rng: Random, currency: str) -> Decimal:
    if currency in {"BTC", "ETH", "SOL", "XRP", "DOGE"}:
        return D(rng.choice(["1", "2.5", "10", "0.75318642"]))
    text = rng.choice(["10000", "50000", "100000", "25000", "31847.25"])
    return D(text) * (100 if currency == "JPY" else 1) // 1 if currency == "JPY" else D(text)


def _price(rng: Random, thing: Instrument, around: Decimal) -> Decimal:
    moved = around * (1 + D(rng.randrange(-400, 401)) / 100000)
    return max(thing.tick, (moved / thing.tick).to_integral_value() * thing.tick)


def _quantity(rng: Random, thing: Instrument, style: str, fixed: dict[str, Decimal]) -> Decimal:
    if style.startswith("grid"):
        return fixed.setdefault(thing.symbol, thing.lot * rng.randrange(1, 400))
    if style == "round":
        return thing.lot * rng.choice([1, 2, 5, 10, 20, 50, 100])
    return thing.lot * rng.randrange(1, 3000 if thing.lot < 1 else 300)


def _fills(rng: Random, name: str, instruments: dict[str, Instrument], fee: Fee) -> list[Fill]:
    style = rng.choice(["free", "free", "grid", "round", "grid at one price"])
    ids = rng.choice(["t{}", "{}", "T-20260105-{}", "a{}f"])
    whole = rng.random() < 0.5
    ties = rng.random() < 0.15
    fixed: dict[str, Decimal] = {}
    prices = {symbol: thing.price for symbol, thing in instruments.items()}
    held: dict[Key, Decimal] = {}
    made: list[Fill] = []
    time = START + timedelta(minutes=rng.randrange(1, 50))
    number = rng.randrange(100, 90000)
    for order in range(rng.choice([1, 2, 3, 4, 6, 8, 12, 20])):
        thing = rng.choice(list(instruments.values()))
        time += timedelta(
            seconds=rng.choice([1, 40, 900, 5000, 20000]), milliseconds=rng.randrange(1000)
        )
        leg = rng.choice(["LONG", "SHORT"]) if name == "hedge" else "NET"
        key = (thing.symbol, leg)
        side = rng.choice(["BUY", "SELL"])
        if name == "hedge" and not held.get(key):
            side = "BUY" if leg == "LONG" else "SELL"
        elif thing.kind in {"spot", "equity"} and held.get(key, D(0)) <= 0:
            side = "BUY"
        if style != "grid at one price" or rng.random() < 0.4:
            prices[thing.symbol] = _price(rng, thing, prices[thing.symbol])
        closes = name == "hedge" and (side == "SELL") == (leg == "LONG")
        for part in range(rng.choice([1, 1, 1, 2, 3])):
            quantity = _quantity(rng, thing, style, fixed)
            if closes:
                quantity = min(quantity, abs(held.get(key, D(0))))
            if not quantity:
                continue
            number += rng.randrange(1, 9)
            if part and not ties:
                time += timedelta(milliseconds=rng.randrange(1, 900))
            price = prices[thing.symbol] + thing.tick * part * rng.choice([0, 0, 1])
            row = Fill(
                ids.format(number), thing.symbol, side, quantity, price,
                time.replace(microsecond=0) if whole else time,
                order=f"c{seed_of(order)}", exchange_order=f"{7000000 + order * 13}", leg=leg,
            )  # fmt: skip
            amount, currency = fee(row, rng)
            made.append(replace(row, fee=amount, fee_currency=currency))
            held[key] = held.get(key, D(0)) + row.signed
    return made


def seed_of(order: int) -> int:
    """A number of an order that is unlike its place."""
    return 1000 + order * 7


def _movements(
    rng: Random, name: str, instruments: dict[str, Instrument], last: datetime
) -> list[Movement]:
    things = list(instruments.values())
    made: list[Movement] = []
    span = max(60, int((last - START).total_seconds()))

    def add(kind: str, currency: str, amount: Decimal, **more: object) -> None:
        time = START + timedelta(seconds=rng.randrange(span))
        row = Movement(f"m{len(made) + 1}", kind, time, currency, amount)
        made.append(replace(row, **more))

    if name in {"linear", "inverse", "hedge", "desk"} and rng.random() < 0.6:
        time = START + timedelta(hours=8)
        places = 8
        while time < last and len(made) < 9:
            thing = rng.choice([t for t in things if t.kind not in PAID] or things)
            size = D(rng.randrange(-9999999, 9999999)).scaleb(
                -6 if thing.kind != "inverse" else -places
            )
            add("funding", thing.settlement, size, time=time)
            time += timedelta(hours=8)
    for _ in range(rng.choice([0, 0, 1, 2, 3])):
        currency = rng.choice(things).settlement
        size = D(rng.choice([100, 250, 500, 1000, 1234, 5000]))
        if currency in {"BTC", "ETH"}:
            size /= 1000
        if rng.random() < 0.3:
            size += D(rng.randrange(1, 99)).scaleb(0 if currency == "JPY" else -2)
        kind = rng.choice(["deposit", "deposit", "withdrawal", "transfer", "interest", "fee"])
        if kind in {"interest", "fee"}:
            size = D(rng.randrange(1, 4000)).scaleb(0 if currency == "JPY" else -2)
        sign = (
            -1
            if kind in {"withdrawal", "fee"} or (kind == "transfer" and rng.random() < 0.5)
            else 1
        )
        add(kind, currency, sign * size)
    if name == "shares" and rng.random() < 0.4:
        thing = rng.choice(things)
        add("dividend", thing.quote, D(rng.randrange(50, 9000)).scaleb(-2))
    return made


def _events(seed: int, instruments: dict[str, Instrument], books: Books) -> Iterator[Movement]:
    """A split of shares, or the expiry of an option: quantity that moves without cash."""
    rng = Random(f"events {seed}")
    thing = rng.choice(list(instruments.values()))
    ratio = {"equity": rng.choice([2, 3, 10]), "option": 0}.get(thing.kind, 1)
    last = books.fills[-1].time
    time = last + timedelta(milliseconds=500)
    if ratio > 1:
        time = START + (last - START) * rng.random()
    held = replay(instruments, {}, books.until(time)).positions.get((thing.symbol, "NET"))
    if held and ratio != 1 and rng.random() < 0.3:
        kind = "split" if ratio else "expiry"
        yield Movement("e1", kind, time, symbol=thing.symbol, quantity=held * (ratio - 1))


def truth(world: World) -> tuple[Side, Side]:
    """Both sides without a fault."""
    return world.side(world.books, world.ledger), world.side(world.books, world.exchange)
