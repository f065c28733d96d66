"""The position ledger: what a spot fill moves, exactly, and what it refuses by name."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.ledger import PositionLedger
from recon_core.ledger.replay import replay
from recon_core.ledger.timeline import ordered_fills
from recon_core.model import (
    Fill,
    Instrument,
    InstrumentKind,
    Leg,
    Movement,
    MovementKind,
    Opening,
)
from recon_core.values.errors import AmountError, ReconError, ReplayError

from .builders import (
    AS_OF,
    CENTS,
    SPOT,
    at,
    booked,
    fill,
    fill_lists,
    half_even,
    hostile_context,  # noqa: F401  # every test of the module has it
    recorded,
    side,
)


def cash(ledger: PositionLedger) -> dict[str, Decimal]:
    return {balance.currency: balance.total for balance in ledger.cash}


@pytest.mark.parametrize(
    ("one", "quantity", "expected"),
    [
        (fill("f", "BUY", "2", "100"), "2", {"EUR": "800", "BTC": "2"}),
        (fill("f", "SELL", "2", "100"), "-2", {"EUR": "1200", "BTC": "-2"}),
        (fill("f", "BUY", "2", "100", "0.25 EUR"), "2", {"EUR": "799.75", "BTC": "2"}),
        (fill("f", "SELL", "2", "100", "0.25 EUR"), "-2", {"EUR": "1199.75", "BTC": "-2"}),
        (
            fill("f", "BUY", "2.54", "100", "0.00254 BTC"),
            "2.53746",
            {"EUR": "746", "BTC": "2.53746"},
        ),
        (fill("f", "SELL", "2", "100", "0.01 BTC"), "-2.01", {"EUR": "1200", "BTC": "-2.01"}),
        (fill("f", "BUY", "2", "100", "0.1 BNB"), "2", {"EUR": "800", "BTC": "2", "BNB": "-0.1"}),
        (fill("f", "BUY", "2", "100", "-0.5 EUR"), "2", {"EUR": "800.5", "BTC": "2"}),
        (fill("f", "BUY", "2", "100", "-0.1 BTC"), "2.1", {"EUR": "800", "BTC": "2.1"}),
        (fill("f", "BUY", "0", "100", "0.01 EUR"), "0", {"EUR": "999.99", "BTC": "0"}),
        (fill("f", "BUY", "2", "-37.63"), "2", {"EUR": "1075.26", "BTC": "2"}),
    ],
)
def test_what_a_spot_fill_moves(one: Fill, quantity: str, expected: dict[str, str]) -> None:
    """Base and quote move; a fee leaves its own currency, and the position if that is the base."""
    ledger = booked(one)
    assert ledger.quantity("BTC/EUR") == Decimal(quantity)
    assert cash(ledger) == {currency: Decimal(text) for currency, text in expected.items()}


@pytest.mark.parametrize(
    ("price", "fee", "expected"),
    [
        ("0.005", "0 EUR", "1000.00"),
        ("0.015", "0 EUR", "999.98"),
        ("0.0150000000000000000000000001", "0 EUR", "999.98"),
        ("0.025", "0 EUR", "999.98"),
        ("0.005", "0.005 EUR", "1000.00"),
        ("0.004", "0.004 EUR", "1000.00"),
        ("0", "0.015 EUR", "999.98"),
        ("0", "-0.025 EUR", "1000.02"),
    ],
)
def test_every_amount_is_rounded_half_even_on_its_own(price: str, fee: str, expected: str) -> None:
    """Notional and fee are two bookings: 0.004 and 0.004 are nothing, not 0.01."""
    ledger = booked(fill("f", "BUY", "1", price, fee), currencies=CENTS)
    assert str(ledger.balance("EUR")) == expected


def test_rounding_is_per_fill_and_not_of_the_sum() -> None:
    """Three fills of 0.005 are 0; without a declared precision they stay 0.015."""
    fills = [fill(str(number), "BUY", "1", "0.005") for number in range(3)]
    assert booked(*fills, currencies=CENTS).balance("EUR") == 1000
    assert booked(*fills).balance("EUR") == Decimal("999.985")


def test_the_position_keeps_the_instruments_decimals() -> None:
    """Declared precision rounds cash; a quantity is what was traded."""
    ledger = booked(fill("f", "BUY", "0.123456789", "1"), currencies=CENTS)
    assert ledger.quantity("BTC/EUR") == Decimal("0.123456789")
    assert ledger.balance("BTC") == Decimal("0.12345679")


def test_a_fill_that_stands_twice_is_booked_twice_and_reported() -> None:
    """Never dropped: the exchange may have meant it, and the diff must show."""
    one = fill("f1", "BUY", "1", "100")
    other_account, other_symbol = replace(one, account="b"), replace(one, symbol="BTC/USD")
    ledger = booked(one, one, other_account, other_symbol)
    assert ledger.quantity("BTC/EUR") == 2
    assert ledger.duplicate_fills == [one]
    assert len(ledger.fills) == 4


def instrument(**changes: object) -> Instrument:
    fields = {"symbol": "XBTUSD", "instrument_kind": InstrumentKind.SPOT, "base": "BTC"}
    return Instrument(**{**fields, "quote": "USD", "settlement": "USD", **changes})


@pytest.mark.parametrize(
    ("declared", "one", "expected"),
    [
        ({}, {}, "instrument BTC/EUR is not declared"),
        (None, {"symbol": "BTCUSDT"}, "instrument BTCUSDT is not declared"),
        (None, {"symbol": "BTC/USDT:USDT"}, "instrument BTC/USDT:USDT is not declared"),
        (
            {"instrument_kind": InstrumentKind.INVERSE},
            {},
            "instrument XBTUSD is inverse and settles in USD; expected its base currency BTC",
        ),
        (
            {"instrument_kind": InstrumentKind.INVERSE, "settlement": "BTC"},
            {"price": Decimal(0)},
            "fill f: price 0 of inverse XBTUSD; expected one above 0",
        ),
        ({"multiplier": Decimal(10)}, {}, "instrument XBTUSD has multiplier 10"),
        (
            {"settlement": "USDT"},
            {},
            "instrument XBTUSD is spot and settles in USDT; expected its quote currency USD",
        ),
        ({"base": "BTC"}, {"leg": Leg.LONG}, "instrument XBTUSD has a fill on leg LONG"),
        (None, {"symbol": "a\n::error::b"}, r"a\x0a\x3a:error\x3a:b"),
    ],
)
def test_what_cannot_be_replayed_is_refused_by_name(
    declared: dict[str, object] | None, one: dict[str, object], expected: str
) -> None:
    """An instrument that is not understood is not guessed, and books nothing."""
    instruments: dict[str, Instrument] | None = None if declared is None else {}
    if declared:
        instruments = {"XBTUSD": instrument(**declared)}
        one = {"symbol": "XBTUSD", **one}
    ledger = PositionLedger(instruments=instruments)
    with pytest.raises(ReplayError) as raised:
        ledger.apply_fill(replace(fill("f", "BUY", "1", "2"), **one))
    assert expected in str(raised.value)
    assert str(raised.value).isprintable()
    assert (ledger.positions, ledger.cash, ledger.fills) == ((), (), ())


@pytest.mark.parametrize(
    ("given_cash", "more", "expected"),
    [
        (None, {}, {}),
        (Decimal(5000), {}, {"EUR": "5000"}),
        (5000, {}, {"EUR": "5000"}),
        (Decimal("5000.00"), {"base_currency": "USDT"}, {"USDT": "5000.00"}),
        ({"EUR": Decimal(1), "BTC": 2}, {}, {"EUR": "1", "BTC": "2"}),
        ({}, {}, {}),
    ],
)
def test_initial_cash_is_a_mapping_or_one_amount(
    given_cash: object, more: dict[str, str], expected: dict[str, str]
) -> None:
    """The forms of `PositionLedger(initial_cash=…)`."""
    ledger = PositionLedger(given_cash, **more)
    assert cash(ledger) == {currency: Decimal(text) for currency, text in expected.items()}


@pytest.mark.parametrize(
    "refused", [1.5, {"EUR": 1.5}, Decimal("NaN"), {"EUR": Decimal("Infinity")}, True]
)
def test_initial_cash_that_is_not_exact_is_refused(refused: object) -> None:
    """A float has already lost the digits that the comparison would be about."""
    with pytest.raises(AmountError, match="initial cash"):
        PositionLedger(refused)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"quantity": 0.1}, "fill f: quantity: 0.1 is not an exact amount"),
        ({"price": float("nan")}, "fill f: price: nan is not an exact amount"),
        ({"quantity": Decimal(-1)}, "fill f: quantity -1 is below 0; the side says SELL"),
        ({"fee": Decimal(1), "fee_currency": None}, "fill f: fee 1 has no fee_currency"),
        ({"side": "LONG"}, "fill f: side 'LONG'; expected one of BUY, SELL"),
        ({"time": AS_OF.replace(tzinfo=None)}, "fill f: time: 2026-01-01T12:00:00 has no offset"),
    ],
)
def test_a_fill_is_checked_where_it_is_made(changes: dict[str, object], expected: str) -> None:
    """A fill given from Python is as exact as one from a file."""
    with pytest.raises(ReconError, match=expected):
        replace(fill("f", "BUY", "1", "2"), **changes)


def test_a_movement_moves_cash_or_quantity() -> None:
    """Interest moves cash without a fill; a split changes quantity and entry price, never cash."""
    ledger = booked(fill("1", "BUY", "1", "100"), currencies=CENTS)
    ledger.apply_movement(
        Movement("m1", MovementKind.INTEREST, at(1), currency="EUR", amount=Decimal("-3.345"))
    )
    ledger.apply_movement(
        Movement("m2", MovementKind.SPLIT, at(2), symbol="BTC/EUR", quantity=Decimal(6))
    )
    assert ledger.balance("EUR") == Decimal("896.66")
    assert ledger.quantity("BTC/EUR") == 7
    assert ledger.average_price("BTC/EUR") == Decimal("14.285714285714285714285714285714")
    ledger.apply_movement(
        Movement("m3", MovementKind.DEPOSIT, at(3), symbol="BTC/EUR", quantity=Decimal(1))
    )
    assert (ledger.quantity("BTC/EUR"), ledger.average_price("BTC/EUR")) == (8, None)


@given(fill_lists().flatmap(lambda fills: st.tuples(st.just(fills), st.permutations(fills))))
def test_fills_of_one_time_may_come_in_any_order(pair: tuple[list[Fill], list[Fill]]) -> None:
    """Each fill is rounded on its own, so a permutation gives the same state."""
    ledgers = [
        replay(
            recorded(None, None, instruments={"BTC/EUR": SPOT}, currencies=CENTS),
            side(fills=tuple(fills), opening=Opening(None)),
        )
        for fills in pair
    ]
    one, other = ({(row.currency, row.total) for row in ledger.cash} for ledger in ledgers)
    assert one == other
    assert ledgers[0].quantity("BTC/EUR") == ledgers[1].quantity("BTC/EUR")


@given(fill_lists(), st.booleans())
def test_balances_agree_with_fractions(fills: list[Fill], declared: bool) -> None:  # noqa: FBT001
    """The bookings once more, with fractions instead of decimals."""
    places = {"EUR": 2, "BTC": 8} if declared else {}
    expected = {"EUR": Fraction(1000), "BTC": Fraction(0), "BNB": Fraction(0)}
    quantity = Fraction(0)
    for one in fills:
        traded = Fraction(one.quantity) * (1 if one.side == "BUY" else -1)
        fee_currency = one.fee_currency or "EUR"
        quantity += traded - (Fraction(one.fee) if fee_currency == "BTC" else 0)
        for currency, moved in (
            ("BTC", traded),
            ("EUR", -traded * Fraction(one.price)),
            (fee_currency, -Fraction(one.fee)),
        ):
            expected[currency] += half_even(moved, places.get(currency))
    ledger = booked(*fills, currencies=CENTS if declared else {})
    assert Fraction(ledger.quantity("BTC/EUR")) == quantity
    assert {code: Fraction(ledger.balance(code)) for code in expected} == expected


@given(st.permutations(range(4)))
def test_fills_that_differ_in_their_position_only_have_an_order(places: list[int]) -> None:
    """Two equal fills of two positions are booked alike in whatever order they come."""
    one = fill("f", "BUY", "1", "100")
    rows = [replace(one, position_id=name) for name in (None, "a", "b", "c")]
    assert ordered_fills(rows[place] for place in places) == rows


def test_a_symbol_that_is_not_declared_is_answered_with_the_nearest() -> None:
    """A misspelt symbol is the likeliest reason."""
    ledger = PositionLedger(instruments={"BTC/EUR": instrument(symbol="BTC/EUR")})
    with pytest.raises(ReplayError, match=r"BTC/EURO is not declared; .*; did you mean BTC/EUR\?"):
        ledger.apply_fill(fill("f1", "BUY", "1", "100", symbol="BTC/EURO"))
