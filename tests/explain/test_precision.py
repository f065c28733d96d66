"""Precision that a session does not declare: inferred from what the side of the rows states."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.explain.problem.precision import CashStep, FeePrecision, StatedDecimals
from recon_core.ledger.replay import replay
from recon_core.model import Currency, Instrument, InstrumentKind, Numbers, SideRecord
from recon_core.model.explanation import ExplanationVerdict
from tests.core.builders import AS_OF, SPOT, fill, reconciled, recorded, side
from tests.explain.real_sessions import books, moved
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


@pytest.mark.parametrize(
    ("fees", "places"),
    [
        ("0.25 0.30 0.41", 2), ("0.25 0.41", None), ("0.25 0.3 0.4", 2), ("0.20 0.30 0.19", 2),
        ("0.20 0.19 0.19", None), ("0.20 0.19 0.19 -0.20", 2), ("1 2 30", None), ("20 30 1", 0),
        ("0.0250 0.0300 0.1", 4),
    ],
)  # fmt: skip
def test_the_decimals_of_fees(fees: str, places: int | None) -> None:
    """The most of three fees or more, half of which are of 20 units."""
    rows = tuple(fill("f", "BUY", "1", "1", f"{fee} EUR") for fee in fees.split())
    record = SideRecord(as_of=OPENING.as_of or AS_OF, positions=None, cash=None, fills=rows)
    assert FeePrecision({}, record).places("EUR") == places
    assert FeePrecision({"EUR": Currency("EUR", 5)}, record).places("EUR") == 5
    assert FeePrecision({}, replace(record, numbers=Numbers.FLOAT)).inferred == {}


FEW = {"BTC": Currency("BTC", 3)}


@pytest.mark.parametrize(
    ("amount", "declared", "shown", "expected"),
    [
        ("0.0012", FEW, "0.001", True), ("0.001", FEW, "0.001", False), ("0.0012", FEW, "", True),
        ("0.0012", FEW, "0.0001", False), ("0.0010", FEW, "0.01", False), ("12", {}, "1", False),
        ("0.0012", {}, "", False), ("0.0012", {}, "0.001", True), ("0.0012", {}, "0.0015", False),
    ],
)  # fmt: skip
def test_an_amount_too_fine_for_its_currency(
    amount: str, declared: dict[str, Currency], shown: str, *, expected: bool
) -> None:
    """More decimals than it declares, and than any fee, movement or balance has."""
    cash = side(None, {"BTC": shown} if shown else {"EUR": "1"})
    fees = side(None, {"EUR": "1"}, fills=(fill("f", "BUY", "1", "1", f"{shown or 0} BTC"),))
    paid = side(None, {"EUR": "1"},
                movements=(moved("m", "interest", f"{shown or 0} BTC", -9),))  # fmt: skip
    opened = side(None, {"EUR": "1"}, opening=books(opening={"BTC": shown or "0"}).opening)
    given = (cash, fees, paid, opened) if shown else (cash, fees)
    for one in given:
        for known in (recorded(one, side(), currencies=declared),
                      recorded(side(), one, currencies=declared)):  # fmt: skip
            decimals = StatedDecimals(known)
            assert decimals.is_too_fine(Decimal(amount), "BTC") is expected
            assert not decimals.is_too_fine(Decimal(amount), None)


def test_the_step_of_cash() -> None:
    """What all postings of three fills are multiples of; not finer than a declared precision."""
    rows = tuple(fill("f", "BUY", quantity, "0.50", "0.30 EUR", time=AS_OF)
                 for quantity in ("100", "300", "400"))  # fmt: skip
    given = side({}, {}, fills=rows)
    step = CashStep({}, {SPOT.symbol: SPOT}, given)
    assert [str(step.of(name)) for name in ("EUR", "BTC", "USD")] == ["0.1", "1E+2", "1E-8"]
    assert CashStep({"EUR": Currency("EUR", 0)}, {SPOT.symbol: SPOT}, given).of("EUR") == 1
    two = replace(given, fills=rows[:2])
    for other in (two, replace(given, numbers=Numbers.FLOAT)):
        assert str(CashStep({}, {SPOT.symbol: SPOT}, other).of("EUR")) == "1E-8"
    bare = CashStep({}, {}, given)
    assert [str(bare.of(name)) for name in ("EUR", "BTC")] == ["0.3", "1E-8"]
