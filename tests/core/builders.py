"""What the core's tests share: sides, sessions, fills, exact amounts, verdicts."""

import decimal
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation
from recon_core.judging import judge
from recon_core.ledger import PositionLedger
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Order,
    OrderSide,
    OrderState,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.model.comparison import Comparison, ItemKind, Judgement
from recon_core.policy.model import CashPolicy, Policy
from recon_core.sessions import read_session
from recon_core.values.amounts import EXACT
from recon_core.values.severity import Severity

AS_OF = datetime(2026, 1, 1, 12, tzinfo=UTC)
AS_OF_TEXT = "2026-01-01T12:00:00Z"
CENTS = {"EUR": Currency("EUR", 2), "BTC": Currency("BTC", 8)}
UNIT = "0.000000000000000000000000000001"
"""One unit in the 30th decimal, the smallest amount there is."""

SPOT = Instrument("BTC/EUR", InstrumentKind.SPOT, "BTC", "EUR", "EUR")
RANKS = {"match": -1, **{str(severity): severity.rank for severity in Severity}}
"""How bad a verdict is."""

RELATIVE_ONLY = Policy(cash=CashPolicy(absolute={"EUR": Decimal(10) ** 40}))
"""A policy by which the absolute tolerance of EUR never decides."""

Positions = Mapping[str, str] | tuple[Position, ...] | None
Cash = Mapping[str, str] | tuple[CashBalance, ...] | None


def at(seconds: float) -> datetime:
    """A time, in seconds after `AS_OF`."""
    return AS_OF + timedelta(seconds=seconds)


def side(positions: Positions = None, cash: Cash = None, **more: Any) -> SideRecord:
    """One side; mappings are symbol or currency to the text of an amount."""
    if isinstance(positions, Mapping):
        positions = tuple(Position(name, Decimal(text)) for name, text in positions.items())
    if isinstance(cash, Mapping):
        cash = tuple(CashBalance(name, Decimal(text)) for name, text in cash.items())
    return SideRecord(**{"as_of": AS_OF, "positions": positions, "cash": cash, **more})


def recorded(
    internal: SideRecord | None, external: SideRecord | None, **more: Any
) -> RecordedSession:
    """A session of two sides."""
    fields = {"session_id": "s", "anchor": Path("s.recon.json"), **more}
    return RecordedSession(internal=internal, external=external, **fields)


def reconciled(
    internal: SideRecord | None,
    external: SideRecord | None,
    policy: Policy | None = None,
    **more: Any,
) -> Reconciliation:
    """Both sides reconciled, without plugins."""
    return Reconciliation(recorded(internal, external, **more), policy or Policy())


def verdicts(reconciliation: Reconciliation) -> dict[str, str]:
    """`{"position::BTC/EUR": "WARN"}`, the session checks left out."""
    return {
        judgement.comparison.identity: judgement.verdict
        for judgement in reconciliation.judgements
        if judgement.comparison.item_kind is not ItemKind.SESSION
    }


def message(reconciliation: Reconciliation, name: str) -> str:
    """The text of one session check."""
    return next(
        judgement.message
        for judgement in reconciliation.judgements
        if judgement.comparison.identity == f"session::{name}"
    )


def checks(reconciliation: Reconciliation) -> dict[str, str]:
    """`{"coverage": "match"}` for every session check."""
    return {
        judgement.comparison.key: judgement.verdict
        for judgement in reconciliation.judgements
        if judgement.comparison.item_kind is ItemKind.SESSION
    }


def position_comparison(internal: Decimal, external: Decimal) -> Comparison:
    """A position of BTC/EUR as both sides list it."""
    sides = Position("BTC/EUR", internal), Position("BTC/EUR", external)
    return Comparison(ItemKind.POSITION, "BTC/EUR", "BTC/EUR", AS_OF, *sides, unit="BTC")


def cash_comparison(internal: CashBalance, external: CashBalance) -> Comparison:
    """A balance as both sides list it."""
    code = internal.currency
    return Comparison(ItemKind.CASH, code, code, AS_OF, internal, external, unit=code)


def judged_position(
    internal: Decimal, external: Decimal, policy: Policy | None = None
) -> Judgement:
    """The verdict of a position of BTC/EUR."""
    return judge(position_comparison(internal, external), policy or Policy(), "s")


def judged_cash(
    internal: Decimal, external: Decimal, policy: Policy | None = None, currency: str = "EUR"
) -> Judgement:
    """The verdict of a balance."""
    sides = CashBalance(currency, internal), CashBalance(currency, external)
    return judge(cash_comparison(*sides), policy or Policy(), "s")


@pytest.fixture(autouse=True)
def hostile_context() -> Iterator[None]:
    """No figure may come from the decimal context that a strategy has set."""
    with decimal.localcontext(decimal.Context(prec=1, rounding=decimal.ROUND_UP)):
        yield


def booked(*fills: Fill, **more: Any) -> PositionLedger:
    """The fills in a ledger that starts with 1000 EUR."""
    ledger = PositionLedger({"EUR": Decimal(1000)}, **more)
    ledger.apply_fills(fills)
    return ledger


def fill(
    fill_id: str, order_side: str, quantity: str, price: str, fee: str = "0 EUR", **more: Any
) -> Fill:
    """A fill of BTC/EUR; `fee` is written `0.10 EUR`."""
    amount, _, currency = fee.partition(" ")
    fields = {
        "fill_id": fill_id,
        "symbol": "BTC/EUR",
        "side": OrderSide(order_side),
        "quantity": Decimal(quantity),
        "price": Decimal(price),
        "fee": Decimal(amount),
        "fee_currency": currency,
        "time": AS_OF,
    }
    return Fill(**{**fields, **more})


def order(order_id: str, quantity: str, filled: str, state: str = "FILLED", **more: Any) -> Order:
    """A BUY order of BTC/EUR, by its client's id."""
    fields = {
        "client_order_id": order_id,
        "symbol": "BTC/EUR",
        "side": OrderSide.BUY,
        "quantity": Decimal(quantity),
        "filled_quantity": Decimal(filled),
        "state": OrderState(state),
        "time": AS_OF,
    }
    return Order(**{**fields, **more})


def found_cases(reconciliation: Reconciliation) -> dict[str, str]:
    """`{"fill::BTC/EUR,f1": "fill_fee, fill_time"}` for every fill and order that differs."""
    return {
        diff.identity: diff.diff_details["cases"]
        for diff in reconciliation.diffs
        if diff.diff_type in ("FILL", "ORDER")
    }


def document(**more: Any) -> dict[str, Any]:
    """A valid session file in which both sides agree; `more` replaces keys."""
    one_side = {
        "as_of": AS_OF_TEXT,
        "positions": {"BTC/EUR": "0.1"},
        "cash": {"EUR": "5000.00"},
    }
    base = {"schema": "recon.session/1", "session_id": "session_123"}
    return {**base, "internal": dict(one_side), "external": dict(one_side), **more}


def write_session(directory: Path, content: Any, name: str = "bad.recon.json") -> Path:
    """Write a session: a document, or the file's text or bytes as they are."""
    path = directory / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8", newline="")
    return path


def read(directory: Path, **more: Any) -> RecordedSession:
    """Read the session of a document, in which `more` replaces keys."""
    return read_session(write_session(directory, document(**more), "good.recon.json"))


def read_side(directory: Path, **sections: Any) -> SideRecord:
    """Read an internal side of some sections."""
    read_internal = read(directory, internal={"as_of": AS_OF_TEXT, **sections}).internal
    assert read_internal is not None
    return read_internal


def source(recording_format: str, path: str, **more: Any) -> dict[str, Any]:
    """A side of a document that is read from a recording."""
    return {"from": {"format": recording_format, "path": path, **more}}


def scaled(units: int, places: int = 30) -> Decimal:
    """An integer of units in the given decimal, exactly."""
    return EXACT.scaleb(Decimal(units), -places)


def amounts(*, positive: bool = False) -> st.SearchStrategy[Decimal]:
    """Legal amounts of every size: up to 30 digits before the point and 30 after it."""
    lowest = 1 if positive else None
    sizes = [st.integers(lowest or -(10**digits), 10**digits - 1) for digits in (2, 12, 60)]
    return st.builds(scaled, st.one_of(sizes), st.sampled_from([30, 30, 8, 2, 0])).filter(
        lambda amount: abs(amount) < Decimal(10) ** 30
    )


@st.composite
def fill_lists(draw: st.DrawFn) -> list[Fill]:
    """Fills of one time, with fees in base, quote and a third currency."""
    rows = st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.integers(0, 10**14).map(lambda units: scaled(units, 8)),
        st.integers(0, 10**9).map(lambda units: scaled(units, 4)),
        st.integers(-(10**6), 10**6).map(lambda units: scaled(units, 10)),
        st.sampled_from(["EUR", "BTC", "BNB"]),
    )
    return [
        fill(str(number), order_side, str(quantity), str(price), f"{fee:f} {currency}")
        for number, (order_side, quantity, price, fee, currency) in enumerate(
            draw(st.lists(rows, max_size=12))
        )
    ]


def half_even(amount: Fraction, places: int | None) -> Fraction:
    """`round` of a fraction is half-even by definition."""
    return amount if places is None else Fraction(round(amount * 10**places), 10**places)
