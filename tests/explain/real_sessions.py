"""Sessions of the situations that users reported, from their own rows and numbers.

Where a report gives no price its fills cost 1, and an account starts with enough cash: neither
is a number that any of the conclusions rests on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from recon_core.engine.reconciliation import Reconciliation
from recon_core.ledger.replay import replay
from recon_core.model import (
    CashBalance,
    Fill,
    Instrument,
    InstrumentKind,
    Movement,
    MovementKind,
    Opening,
    Order,
    Position,
    SideRecord,
)
from recon_core.policy import Policy
from tests.core.builders import at, recorded, side
from tests.core.real_rows import CASES, Case

Row = Fill | Order | Movement


@dataclass(frozen=True)
class Caused:
    """A cause: its kind, the ids concerned, what its side has too much, and a side of its own."""

    kind: str
    ids: tuple[str, ...] = ()
    effect: Mapping[str, str] | None = None
    side: str | None = None


@dataclass(frozen=True)
class Told:
    """A row of the table: its session, and what is said of it.

    `causes` are those of all explanations, one after the other; `effect` is written
    `{"position::BTC/EUR": "1", "cash::EUR": "-1"}`, and `phrase` stands in the text.
    """

    name: str
    build: Callable[[], Reconciliation]
    verdict: str
    side: str | None
    causes: tuple[Caused, ...]
    phrase: str
    decides: str = ""


INSTRUMENTS = tuple(
    Instrument(f"{base}/{quote}", InstrumentKind.SPOT, base, quote, quote)
    for base, quote in (
        ("BTC", "EUR"), ("WTC", "BTC"), ("PIVX", "BTC"), ("BTC", "USDT"), ("LTC", "EUR"),
        ("SPY", "USD"), ("ETH", "USD"), ("AAPL", "USD"),
    )
)  # fmt: skip


def linear(symbol: str, settlement: str, multiplier: str = "1") -> Instrument:
    """A contract that settles in a currency."""
    kind, size = InstrumentKind.LINEAR, Decimal(multiplier)
    return Instrument(symbol, kind, symbol, settlement, settlement, size)


def books(
    *rows: Row,
    opening: Mapping[str, str] | None = None,
    held: Mapping[str, str] | None = None,
    **more: Any,
) -> SideRecord:
    """A side with its rows; `opening` cash and `held` positions before them.

    What it does not state (`positions`, `cash`) follows from the rows.
    """
    cash = {"EUR": "1000000"} if opening is None else opening
    start = Opening(
        at(-86400),
        tuple(Position(symbol, Decimal(text)) for symbol, text in (held or {}).items()),
        tuple(CashBalance(currency, Decimal(text)) for currency, text in cash.items()),
    )
    orders = tuple(row for row in rows if isinstance(row, Order))
    sections = {
        "positions": None,
        "cash": None,
        "opening": start,
        "fills": tuple(row for row in rows if isinstance(row, Fill)),
        "movements": tuple(row for row in rows if isinstance(row, Movement)),
        "orders": orders or None,
    }
    return side(**{**sections, **more})


def silent(truth: SideRecord, *instruments: Instrument, **more: Any) -> SideRecord:
    """An exchange that gives the state of its books, and none of their rows."""
    known = {one.symbol: one for one in (*INSTRUMENTS, *instruments)}
    ledger = replay(recorded(truth, None, instruments=known), truth)
    return side(ledger.positions, ledger.cash, **more)


def moved(
    movement_id: str, kind: str, amount: str = "", seconds: float = 0, **more: Any
) -> Movement:
    """A movement; `amount` is written `-8.11 USDT`."""
    number, _, currency = amount.partition(" ")
    cash = {"currency": currency, "amount": Decimal(number)} if amount else {}
    return Movement(movement_id, MovementKind(kind), at(seconds), **{**cash, **more})


def session(internal: SideRecord, external: SideRecord, *instruments: Instrument) -> Reconciliation:
    """Both sides, reconciled."""
    known = {one.symbol: one for one in (*INSTRUMENTS, *instruments)}
    return Reconciliation(recorded(internal, external, instruments=known), Policy())


def stated(
    internal: Mapping[str, str], external: Mapping[str, str], *instruments: Instrument
) -> Reconciliation:
    """Positions of both sides that agree on their cash, and nothing else."""
    return session(side(internal, {}), side(external, {}), *instruments)


def coins(symbol: str, quantity: str, paid: str) -> dict[str, str]:
    """The effect of a spot trade: coins on both their position and their balance, and cash."""
    base, quote = symbol.split("/")
    return {f"position::{symbol}": quantity, f"cash::{base}": quantity, f"cash::{quote}": paid}


def balances(internal: Sequence[CashBalance], external: Sequence[CashBalance]) -> Reconciliation:
    """Balances of both sides that hold nothing else."""
    return session(side((), tuple(internal)), side((), tuple(external)))


def case(number: int) -> Case:
    """The fills and orders of a row of the table."""
    (found,) = (one for one in CASES if one.name.split()[0] == str(number))
    return found


def told_by_both(number: int, **more: Any) -> Reconciliation:
    """The fills and orders of a row, as both sides have them."""
    row = case(number)
    return session(books(*row.internal, **more), books(*row.external, **more))


def told_by_the_ledger(number: int, **more: Any) -> Reconciliation:
    """The rows of the ledger, and what the exchange's rows add up to."""
    row = case(number)
    orders = tuple(one for one in row.external if isinstance(one, Order)) or None
    return session(
        books(*row.internal, **more), silent(books(*row.external, **more), orders=orders)
    )
