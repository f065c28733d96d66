"""What the core's tests share: sides, sessions, fills, exact amounts, verdicts."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from recon_core.amounts import EXACT
from recon_core.comparison import Comparison, ItemKind
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Order,
    OrderSide,
    OrderState,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.policy.model import Policy
from recon_core.reconciliation import Reconciliation

AS_OF = datetime(2026, 1, 1, 12, tzinfo=UTC)
AS_OF_TEXT = "2026-01-01T12:00:00Z"
CENTS = {"EUR": Currency("EUR", 2), "BTC": Currency("BTC", 8)}
UNIT = "0.000000000000000000000000000001"
"""One unit in the 30th decimal, the smallest amount there is."""

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
