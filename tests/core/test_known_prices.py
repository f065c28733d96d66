"""Prices of fills whose source states what they were worth, and no price."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.model import Fill, OrderSide, SideRecord
from recon_core.sessions import read_session
from recon_core.sessions.known_prices import with_known_prices
from recon_core.sessions.native_text import session_text
from recon_core.values.amounts import round_to_places

from .builders import AS_OF

HEADER = "txid,refid,time,type,subtype,aclass,asset,amount,fee,balance\n"
ROWS = (
    "L1,T1,2026-05-02 08:20:02,trade,tradespot,currency,EUR,-{value},0.0156,993.9832\n"
    "L2,T1,2026-05-02 08:20:02,trade,tradespot,currency,BTC,0.0001000000,0,0.0001000000\n"
)
NOTE = "external: fills at a price of the other side: 1; the source states what they were worth"


def session(directory: Path, price: str, value: str = "6.0012", **changes: Any) -> Reconciliation:
    """A ledger with one fill, and Kraken's two rows of it."""
    (directory / "ledgers.csv").write_text(HEADER + ROWS.format(value=value))
    fill = {"fill_id": "T1", "symbol": "BTC/EUR", "side": "BUY", "quantity": "0.0001"}
    fill |= {"price": price, "fee": "0.0156", "fee_currency": "EUR", "time": "2026-05-02T08:20:02Z"}
    ledger = {"as_of": "2026-05-02T08:20:02Z", "fills": [fill | changes]}
    external = {"from": {"format": "kraken_ledgers", "path": "ledgers.csv"}}
    document = {"schema": "recon.session/1", "session_id": "s", "external": external}
    path = directory / "s.recon.json"
    path.write_text(json.dumps(document | {"internal": ledger}))
    return reconcile_session(path)


def verdict(reconciliation: Reconciliation) -> str:
    (found,) = [
        str(one.verdict)
        for one in reconciliation.judgements
        if one.comparison.identity.startswith("fill::")
    ]
    return found


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("60012", "match"),
        ("60012.3", "match"),
        ("60011.5", "match"),
        ("60012.5", "match"),
        ("60011.49", "FAIL"),
        ("60012.51", "FAIL"),
        ("60021", "FAIL"),
        ("6001.2", "FAIL"),
    ],
)
def test_a_price_that_makes_the_value_is_no_difference(
    tmp_path: Path, price: str, expected: str
) -> None:
    """6.0012 EUR for 0.0001 BTC are each price from 60011.5 to 60012.5, and no other."""
    found = session(tmp_path, price)
    assert verdict(found) == expected
    assert (NOTE in found.notes) == (expected == "match" and price != "60012")


@pytest.mark.parametrize(
    "changes", [{"quantity": "0.0002"}, {"side": "SELL"}, {"fee": "0.02"}, {"fill_id": "T2"}]
)
def test_another_difference_remains(tmp_path: Path, changes: dict[str, str]) -> None:
    """The price alone is taken."""
    found = session(tmp_path, "60012.3", **changes)
    assert any(
        one.comparison.identity.startswith("fill::") and str(one.verdict) != "match"
        for one in found.judgements
    )


def test_a_conversion_has_the_price_that_was_taken(tmp_path: Path) -> None:
    """Twice the same bytes, and the same verdicts."""
    found = session(tmp_path, "60012.3")
    path = tmp_path / "s.recon.json"
    text = session_text(read_session(path))
    assert session_text(read_session(path)) == text
    written = tmp_path / "written.recon.json"
    written.write_text(text)
    assert verdict(reconcile_session(written)) == verdict(found) == "match"


@given(
    quantity=st.decimals("0.00000001", "1000", places=8),
    price=st.decimals("0.01", "100000", places=2),
    places=st.integers(0, 10),
)
def test_the_price_that_was_paid_is_always_taken(
    quantity: Decimal, price: Decimal, places: int
) -> None:
    """Whatever the sizes, a value that was rounded from it contradicts it never."""
    value = round_to_places(quantity * price, places)

    def side(stated: Decimal, values: dict[str, Decimal]) -> SideRecord:
        fill = Fill("f", "A/B", OrderSide.BUY, quantity, stated, AS_OF)
        return SideRecord(as_of=AS_OF, fills=(fill,), values=values)

    found = with_known_prices(side(price + 1, {"f": value}), side(price, {}))
    assert found is not None
    assert [fill.price for fill in found.fills or ()] == [price]
