"""Precision that a session does not declare: inferred from what the side of the rows states."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.explain.problem.precision import FeePrecision
from recon_core.ledger.replay import replay
from recon_core.model import Currency, Instrument, InstrumentKind, Numbers, SideRecord
from recon_core.model.explanation import ExplanationVerdict
from tests.core.builders import SPOT, fill, reconciled, recorded, side
from tests.explain.row_books import EXACT_CENTS, OPENING, Fills, trades

INSTRUMENTS = {SPOT.symbol: SPOT}


def lacking(rows: Fills, lost: int, currencies: Any) -> Reconciliation:
    """A ledger without one of the fills, against the state that all of them give."""
    exchange = side(opening=OPENING, fills=tuple(rows))
    state = replay(
        recorded(exchange, None, instruments=INSTRUMENTS, currencies=currencies), exchange
    )
    return reconciled(
        side(opening=OPENING, fills=tuple(rows[:lost] + rows[lost + 1 :])),
        side(tuple(state.positions), tuple(state.cash)),
        instruments=INSTRUMENTS, currencies=currencies,
    )  # fmt: skip


DECLARED = {"EUR": Currency("EUR", 8), "BTC": Currency("BTC", 8)}


def charged(rate: str, places: int | None) -> Fills:
    """Fills of many lots, so that a tick shows in cash; their fees are rounded, or as they are."""
    rows = [
        replace(row, price=round(row.price, 1), quantity=row.quantity + Decimal("0.00001"))
        for row in trades()
    ]
    fees = [row.quantity * row.price * Decimal(rate) for row in rows]
    return [replace(row, fee=fee if places is None else round(fee, places))
            for row, fee in zip(rows, fees, strict=True)]  # fmt: skip


@pytest.mark.parametrize("currencies", [{}, DECLARED], ids=["not declared", "declared finer"])
@pytest.mark.parametrize("places", [3, 4, 6, 8])
@pytest.mark.parametrize("lost", [0, 5, 11])
def test_a_lost_fill_is_found_by_the_digits_of_fees(
    lost: int, places: int, currencies: dict[str, Currency]
) -> None:
    """With quantity, price and fee, the fee rounded as the other fees are."""
    rows = charged("0.00075", places)
    (found,) = explain(lacking(rows, lost, currencies))
    assert found.verdict is ExplanationVerdict.UNIQUE
    (entry,) = found.repair
    assert entry.action == "add_fill"
    shown = (rows[lost].quantity, rows[lost].price, rows[lost].fee)
    assert tuple(Decimal(entry.row[name]) for name in ("quantity", "price", "fee")) == shown


@given(st.integers(0, 11), st.sampled_from(["0.001", "0.00075", "0.0004"]))
def test_fees_that_nobody_rounds_stay_exact(lost: int, rate: str) -> None:
    """A rate gives all of them to the last digit, so none is rounded to the digits of others."""
    rows = charged(rate, None)
    (found,) = explain(lacking(rows, lost, {}))
    assert found.verdict is ExplanationVerdict.UNIQUE
    assert Decimal(found.repair[0].row["fee"]) == rows[lost].fee


def record(fees: int = 3, **more: Any) -> SideRecord:
    """Fees and a balance of EUR."""
    rows = [fill(f"f{number}", "BUY", "1", "1", f"{number}.{'12340'[:number + 2]} EUR")
            for number in range(fees)]  # fmt: skip
    return side({}, {"EUR": "1.20000"}, **{"fills": tuple(rows), **more})


@pytest.mark.parametrize(("lots", "verdict"), [("8", "ambiguous"), ("812", "unique")])
def test_few_shares_prove_no_price(lots: str, verdict: str) -> None:
    """Whole shares at prices in cents: one of eight amounts in cents is eight shares at a price."""
    quantities = ["3", "11", lots, "24", "5"]
    rows = [
        fill(f"f{at}", "BUY", each, f"17{at}.{at}7", "1 EUR", symbol="ACME")
        for at, each in enumerate(quantities)
    ]
    shares = {"ACME": Instrument("ACME", InstrumentKind.EQUITY, "ACME", "EUR", "EUR")}
    state = replay(recorded(None, None, instruments=shares), side(opening=OPENING, fills=rows))
    found = explain(
        reconciled(
            side(opening=OPENING, fills=(*rows[:2], *rows[3:])),
            side(tuple(state.positions), tuple(state.cash)),
            instruments=shares,
        )
    )
    assert {str(one.verdict) for one in found} == {verdict}


PLACES: list[tuple[str, SideRecord, int | None]] = [
    ("the most of all fees", record(), 4),
    ("a zero that is written", record(4), 5),
    ("too few", record(2), None),
    ("too small", record(fills=tuple(replace(row, fee=Decimal(number))
                                     for number, row in enumerate(trades()))), None),
    ("no fills", record(fills=None), None),
    ("binary floats", record(numbers=Numbers.FLOAT), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given_", "expected"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES]
)
def test_what_is_inferred(given_: SideRecord, expected: int | None) -> None:
    """The decimals that the fees of a side have at most; what is declared holds before it."""
    assert FeePrecision({}, given_).places("EUR") == expected
    assert FeePrecision({}, given_).places("USD") is None
    assert FeePrecision(EXACT_CENTS, given_).places("EUR") == EXACT_CENTS["EUR"].precision
