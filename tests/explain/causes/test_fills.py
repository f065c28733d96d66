"""A fill too few or too many, where the exchange gives its state and its orders, and no fills."""

from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.ledger.replay import replay
from recon_core.model import (
    Currency,
    Leg,
    OrderSide,
    SideRecord,
)
from recon_core.policy.model import Policy
from tests.core.builders import AS_OF, recorded
from tests.explain.charges import (
    COUNT,
    CURRENCIES,
    LEDGERS,
    LINEAR,
    SPOT,
    START,
    in_quote,
    kinds,
    orders_of,
    require_told,
    rows_of,
    session,
)


@pytest.mark.parametrize("number", [0, 11, COUNT - 1])
@pytest.mark.parametrize("name", LEDGERS)
def test_a_fill_that_its_order_lacks(name: str, number: int) -> None:
    """Its price and its fee follow, though no order says its average price."""
    right = rows_of(*LEDGERS[name])
    lost = right[number]
    one = require_told(session(right, [*right[:number], *right[number + 1 :]]), "missing_fill")
    (booking,) = one.repair
    texts = ("side", "fee_currency", "client_order_id")
    amounts = ("quantity", "price", "fee")
    assert [booking.row[name] for name in texts] == [getattr(lost, name) for name in texts]
    assert [Decimal(booking.row[name]) for name in amounts] == [
        getattr(lost, name) for name in amounts
    ]


@pytest.mark.parametrize("leg", [Leg.LONG, Leg.SHORT])
def test_a_fill_of_one_leg(leg: Leg) -> None:
    """Legs are averaged apart: the fill is of the one whose position lacks it."""
    other = Leg.SHORT if leg is Leg.LONG else Leg.LONG
    sides = {Leg.LONG: OrderSide.BUY, Leg.SHORT: OrderSide.SELL}
    right = [
        replace(row, leg=each, side=sides[each])
        for number, row in enumerate(rows_of(LINEAR, in_quote("0.0005")))
        for each in [leg if number % 2 else other]
    ]
    require_told(session(right, [*right[:11], *right[12:]]), "missing_fill")


def test_a_fill_is_lacked_by_an_order_of_its_own_side() -> None:
    """A duplicate SELL is no BUY that its order lacks."""
    right = rows_of(*LEDGERS["quote"])
    number = next(at_ for at_, row in enumerate(right) if row.side is OrderSide.SELL)
    bare = replace(right[number], fee=Decimal(0), fee_currency=None)
    wrong = [*right[:number], bare, replace(bare), *right[number + 1 :]]
    (one,) = explain(session(right, wrong))
    assert "missing_fill" not in [cause.cause_kind for cause in one.causes]
    assert sorted(kinds([one])[0][1]) == ["duplicate_fill", "missing_fee"]


def test_a_price_in_cents_is_not_proven() -> None:
    """Where a cent is the price of many ticks the fill is named, and not proven."""
    cents = {**CURRENCIES, "USDT": Currency("USDT", 2)}
    right = [
        replace(row, fee=row.fee.quantize(Decimal("0.01"))) for row in rows_of(*LEDGERS["quote"])
    ]
    known = {"instruments": {SPOT.symbol: SPOT}, "currencies": cents}
    given = orders_of(right)
    ledger = SideRecord(AS_OF, opening=START, fills=tuple(right[:11] + right[12:]), orders=given)
    whole = replay(recorded(ledger, None, **known), replace(ledger, fills=tuple(right)))
    state = SideRecord(AS_OF, positions=whole.positions, cash=whole.cash, orders=given)
    (one,) = explain(Reconciliation(recorded(ledger, state, **known), Policy()))
    assert kinds([one]) == [("ambiguous", ["missing_fill"])]
    assert "order o11 lacks it" in one.text


def test_two_fills_of_one_id_are_no_copies() -> None:
    """A duplicate is one execution listed again: the same side, quantity and price."""
    right = rows_of(*LEDGERS["quote"])
    ghosts = [
        replace(right[number], fill_id="ghost", client_order_id="g", quantity=Decimal(quantity))
        for number, quantity in ((3, "0.01234"), (9, "0.04321"))
    ]
    bare = [replace(ghost, fee=Decimal(0), fee_currency=None) for ghost in ghosts]
    (one,) = explain(session(right, [*right, *bare]))
    assert kinds([one]) == [("unique", ["orphan_fill", "orphan_fill"])]


def test_both_copies_of_a_fill_that_nobody_knows() -> None:
    """One of them was no copy."""
    right = rows_of(*LEDGERS["quote"])
    ghost = replace(right[3], fill_id="ghost", client_order_id="g", quantity=Decimal("0.01234"))
    (one,) = explain(session(right, [*right, ghost, replace(ghost)]))
    assert sorted(kinds([one])[0][1]) == ["duplicate_fill", "orphan_fill"]
    assert one.verdict == "unique"
