"""Kinds of instruments beside spot and perpetuals: how their fills move cash."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.ledger import PositionLedger
from recon_core.model import (
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Movement,
    MovementKind,
    Opening,
    Position,
)
from recon_core.values.errors import ReplayError

from .builders import at, fill

KIND = InstrumentKind
OPTION = Instrument("PUT", KIND.OPTION, "SPY", "USD", "USD", Decimal(100))
FUTURE = Instrument("PL", KIND.FUTURE, "PL", "USD", "USD", Decimal(50), settles_daily=True)
INVERSE = Instrument("XBTUSD", KIND.INVERSE, "BTC", "USD", "BTC", arithmetic_average=True)
FLOATS = Instrument("ETH/BTC", KIND.SPOT, "ETH", "BTC", "BTC", float_notional=True)
CURRENCIES = {"BTC": Currency("BTC", 8), "USD": Currency("USD", 2)}


def booked(instrument: Instrument, *fills: Fill, **more: object) -> PositionLedger:
    """A ledger of one instrument after some fills."""
    known = {instrument.symbol: instrument}
    ledger = PositionLedger(instruments=known, currencies=CURRENCIES, **more)
    ledger.apply_fills(fills)
    return ledger


def of(instrument: Instrument, *texts: str) -> list[Fill]:
    """Fills by texts such as `BUY 2 @ 100`, one minute apart."""
    found = []
    for number, text in enumerate(texts):
        side, quantity, _, price = text.split()
        row = fill(str(number), side, quantity, price, symbol=instrument.symbol)
        found.append(row)
    return found


@pytest.mark.parametrize(
    ("texts", "cash", "held"),
    [
        (["SELL 1 @ 3.20"], "320", "-1"),
        (["BUY 2 @ 1.05", "SELL 2 @ 0.95"], "-20", "0"),
    ],
)
def test_an_option_is_paid_for_by_its_premium(texts: list[str], cash: str, held: str) -> None:
    """The premium times the multiplier is cash, and no underlying is delivered."""
    ledger = booked(OPTION, *of(OPTION, *texts))
    assert ledger.balance("USD") == Decimal(cash)
    assert ledger.quantity("PUT") == Decimal(held)
    assert ledger.balance("SPY") == 0


@pytest.mark.parametrize(
    ("texts", "mark", "cash"),
    [
        (["BUY 1 @ 979.0"], "1001.5", "1125"),
        (["BUY 1 @ 979.0", "BUY 1 @ 1000", "SELL 1 @ 1010"], "1001.5", "1625"),
        (["SELL 2 @ 979.0", "BUY 2 @ 970"], None, "900"),
        (["BUY 1 @ 100", "SELL 3 @ 110"], "90", "2500"),
    ],
)
def test_a_future_that_settles_daily_has_its_gain_in_cash(
    texts: list[str], mark: str | None, cash: str
) -> None:
    """What is open counts at its mark price, what is closed at what it was closed at."""
    ledger = booked(FUTURE, *of(FUTURE, *texts))
    if mark is not None:
        with pytest.raises(ReplayError, match="expected the mark_price of its position"):
            _ = ledger.cash
        ledger.marks["PL"] = Decimal(mark)
    assert ledger.balance("USD") == Decimal(cash)
    assert ledger.realised_pnl("PL") == Decimal(cash)


def test_settlements_that_are_stated_are_the_gain() -> None:
    """Nothing is worked out beside the rows that the side gives."""
    ledger = booked(FUTURE, *of(FUTURE, "BUY 1 @ 979.0"), settled_in=frozenset({"USD"}))
    row = Movement("s", MovementKind.SETTLEMENT, at(9), currency="USD", amount=Decimal(1125))
    ledger.apply_movement(row)
    assert ledger.balance("USD") == 1125
    assert ledger.realised_pnl("PL") is None


def test_an_opening_of_a_future_is_entered_at_its_price() -> None:
    """At the last settlement's; without a price the gain cannot be told."""
    priced = Opening(None, (Position("PL", Decimal(2), Decimal(1000)),))
    ledger = booked(FUTURE, *of(FUTURE, "SELL 1 @ 1010"), opening=priced)
    ledger.marks["PL"] = Decimal(990)
    assert (ledger.balance("USD"), ledger.quantity("PL")) == (Decimal(0), 1)
    assert ledger.average_price("PL") == 1000
    bare = booked(FUTURE, opening=Opening(None, (Position("PL", Decimal(2)),)))
    with pytest.raises(ReplayError, match="came or went without a price"):
        _ = bare.cash


@pytest.mark.parametrize(
    ("kind", "moved", "fills", "cash"),
    [
        (MovementKind.SPLIT, "2", ["BUY 2 @ 100"], "1000"),
        (MovementKind.SPLIT, "-1", ["BUY 2 @ 100"], "-7250"),
        (MovementKind.TRANSFER, "1", [], None),
        (MovementKind.TRANSFER, "1", ["BUY 2 @ 100"], None),
        (MovementKind.TRANSFER, "-2", ["BUY 2 @ 100"], None),
    ],
)
def test_a_quantity_of_a_future_that_moves_without_a_fill(
    kind: MovementKind, moved: str, fills: list[str], cash: str | None
) -> None:
    """A split keeps what was entered; of any other quantity the gain cannot be told."""
    ledger = booked(FUTURE, *of(FUTURE, *fills))
    ledger.marks["PL"] = Decimal(55)
    ledger.apply_movement(Movement("m", kind, at(1), symbol="PL", quantity=Decimal(moved)))
    if cash is None:
        with pytest.raises(ReplayError, match="came or went without a price"):
            _ = ledger.cash
    else:
        assert ledger.balance("USD") == Decimal(cash)


def test_a_split_of_a_future_changes_its_average_price() -> None:
    """The same worth over more contracts."""
    ledger = booked(FUTURE, *of(FUTURE, "BUY 2 @ 100"))
    ledger.apply_movement(
        Movement("m", MovementKind.SPLIT, at(1), symbol="PL", quantity=Decimal(2))
    )
    assert ledger.average_price("PL") == 50


def test_the_mean_of_entries_is_arithmetic_where_the_source_says_so() -> None:
    """100 at 40,000 and 100 at 60,000 were entered at 50,000."""
    ledger = booked(INVERSE, *of(INVERSE, "BUY 100 @ 40000", "BUY 100 @ 60000"))
    assert ledger.average_price("XBTUSD") == 50000
    ledger.apply_fill(fill("c", "SELL", "300", "40000", symbol="XBTUSD"))
    assert ledger.balance("BTC") == Decimal("-0.00100000")
    assert (ledger.quantity("XBTUSD"), ledger.average_price("XBTUSD")) == (-100, 40000)


@pytest.mark.parametrize(
    ("kind", "moved", "quantity", "average"),
    [
        (MovementKind.SPLIT, "900", "1000", "500000"),
        (MovementKind.TRANSFER, "-40", "60", "50000"),
        (MovementKind.TRANSFER, "-99.5", "0.5", "50000"),
        (MovementKind.TRANSFER, "-100", "0", None),
        (MovementKind.TRANSFER, "-150", "-50", None),
        (MovementKind.TRANSFER, "-99.5 -1", "-0.5", None),
        (MovementKind.TRANSFER, "50", "150", None),
    ],
)
def test_a_quantity_that_moves_without_a_fill(
    kind: MovementKind, moved: str, quantity: str, average: str | None
) -> None:
    """A split keeps what the contracts cost; what comes in comes without a price."""
    ledger = booked(INVERSE, *of(INVERSE, "BUY 100 @ 50000"))
    for one in map(Decimal, moved.split()):
        ledger.apply_movement(Movement("m", kind, at(1), symbol="XBTUSD", quantity=one))
    assert ledger.quantity("XBTUSD") == Decimal(quantity)
    expected = None if average is None else Decimal(average)
    assert ledger.average_price("XBTUSD") == expected


def test_a_price_without_an_inverse_is_refused() -> None:
    """And so is a close of what came without a price."""
    with pytest.raises(ReplayError, match="price 0 of inverse XBTUSD; expected one above 0"):
        booked(INVERSE, *of(INVERSE, "BUY 1 @ 0"))
    opening = Opening(None, (Position("XBTUSD", Decimal(5)),))
    with pytest.raises(ReplayError, match="came without a price"):
        booked(INVERSE, *of(INVERSE, "SELL 1 @ 50000"), opening=opening)


ENTRIES = st.lists(
    st.tuples(st.integers(-9, 9).filter(bool), st.integers(20000, 60000)), min_size=1, max_size=8
)


@given(ENTRIES)
def test_the_gain_is_what_fractions_give(entries: list[tuple[int, int]]) -> None:
    """An independent ledger in fractions, rounded once per fill."""
    ledger = booked(INVERSE)
    cash, held, entry = Fraction(0), 0, Fraction(1)
    for number, (quantity, price) in enumerate(entries):
        side = "BUY" if quantity > 0 else "SELL"
        row = fill(str(number), side, str(abs(quantity)), str(price), symbol="XBTUSD")
        ledger.apply_fill(row)
        if held * quantity >= 0:
            entry = (abs(held) * entry + abs(quantity) * Fraction(price)) / abs(held + quantity)
        else:
            closed = min(abs(held), abs(quantity)) * (1 if held > 0 else -1)
            cash += round(closed * (1 / entry - 1 / Fraction(price)) * 10**8) / Fraction(10**8)
            entry = Fraction(price) if abs(quantity) > abs(held) else entry
        held += quantity
    assert (ledger.quantity("XBTUSD"), Fraction(ledger.balance("BTC"))) == (held, cash)


TIES = [
    ("1447.16625", "0.000028", "0.04052065"),
    ("16.74375", "0.0000312", "0.00052241"),
    ("0.5425", "0.03489", "0.01892782"),
    ("0.3543", "0.03495", "0.01238279"),
]
"""Quantity, price, and what an engine made of their product, which is a tie at 8 decimals."""


@pytest.mark.parametrize(("quantity", "price", "worth"), TIES)
def test_a_tie_falls_as_in_the_engine(quantity: str, price: str, worth: str) -> None:
    """Its float product is rounded half away from zero, for a BUY and a SELL alike."""
    for side, sign in (("BUY", -1), ("SELL", 1)):
        ledger = booked(FLOATS, fill("1", side, quantity, price, symbol="ETH/BTC"))
        assert ledger.balance("BTC") == sign * Decimal(worth)
