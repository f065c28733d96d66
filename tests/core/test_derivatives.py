"""Linear and inverse derivatives: cash moves by fee and realised PnL, exactly."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.ledger import PositionLedger
from recon_core.ledger.replay import replay
from recon_core.ledger.timeline import in_order, in_steps, natural_key
from recon_core.model import (
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Leg,
    Movement,
    MovementKind,
    Opening,
    OrderSide,
    Position,
)
from recon_core.model.fill_table import PositionSums, RowTable
from recon_core.values.errors import ReplayError

from .builders import (
    SPOT,
    UNIT,
    at,
    fill,
    hostile_context,  # noqa: F401  # every test of the module has it
    recorded,
    scaled,
    side,
)
from .fraction_ledger import FractionLedger

LINEAR = Instrument("PERP", InstrumentKind.LINEAR, "ETH", "USDT", "USDT")
TENFOLD = replace(LINEAR, symbol="FUT", multiplier=Decimal(10))
QUANTO = replace(LINEAR, symbol="QUANTO", settlement="BTC", multiplier=Decimal("0.000001"))
INVERSE = Instrument("XBTUSD", InstrumentKind.INVERSE, "BTC", "USD", "BTC")
INSTRUMENTS = {one.symbol: one for one in (SPOT, LINEAR, TENFOLD, QUANTO, INVERSE)}
PLACES = {"EUR": 2, "BTC": 8, "USDT": 6, "BNB": 8}
CURRENCIES = {code: Currency(code, places) for code, places in PLACES.items()}


def booked(*fills: Fill, **more: Any) -> PositionLedger:
    """The fills in a ledger that starts without cash and knows `INSTRUMENTS`."""
    ledger = PositionLedger(**{"instruments": INSTRUMENTS, "currencies": CURRENCIES, **more})
    ledger.apply_fills(fills)
    return ledger


def fills_of(symbol: str, *rows: str, **more: Any) -> list[Fill]:
    """Fills written `BUY 2 @ 100`, one after the other."""
    words = [row.split() for row in rows]
    return [
        fill(str(number), order_side, quantity, price, symbol=symbol, time=at(number), **more)
        for number, (order_side, quantity, _, price) in enumerate(words)
    ]


@pytest.mark.parametrize(
    ("symbol", "rows", "quantity", "average", "cash"),
    [
        ("PERP", ["BUY 2 @ 100"], "2", "100", None),
        ("PERP", ["BUY 2 @ 100", "SELL 1 @ 130"], "1", "100", "30"),
        ("PERP", ["BUY 2 @ 100", "SELL 2 @ 90"], "0", None, "-20"),
        ("PERP", ["SELL 2 @ 100", "BUY 5 @ 90"], "3", "90", "20"),
        ("PERP", ["BUY 1 @ 100", "BUY 2 @ 101", "SELL 1 @ 101"], "2", "100.6…", "0.333333"),
        ("FUT", ["BUY 2 @ 100", "SELL 1 @ 130"], "1", "100", "300"),
        ("QUANTO", ["BUY 2 @ 3000", "SELL 2 @ 3100"], "0", None, "0.00020000"),
        ("XBTUSD", ["BUY 100 @ 50000", "SELL 100 @ 40000"], "0", None, "-0.00050000"),
        ("XBTUSD", ["SELL 100 @ 50000", "BUY 100 @ 40000"], "0", None, "0.00050000"),
        ("XBTUSD", ["BUY 100 @ 40000", "BUY 100 @ 50000"], "200", "44444.4…", None),
        (
            "XBTUSD",
            ["BUY 100 @ 40000", "BUY 100 @ 50000", "SELL 300 @ 50000"],
            "-100",
            "50000",
            "0.00050000",
        ),
    ],
)
def test_what_a_derivative_books(
    symbol: str, rows: list[str], quantity: str, average: str | None, cash: str | None
) -> None:
    """Only the settlement currency moves, by what was realised; crossing zero opens anew."""
    ledger = booked(*fills_of(symbol, *rows))
    assert ledger.quantity(symbol) == Decimal(quantity)
    price = ledger.average_price(symbol)
    if average is None:
        assert price is None
    else:
        assert str(price).startswith(average.removesuffix("…"))
        assert average.endswith("…") or price == Decimal(average)
    settled = {row.currency: row.total for row in ledger.cash}
    expected = {} if cash is None else {INSTRUMENTS[symbol].settlement: Decimal(cash)}
    assert settled == expected
    assert ledger.realised_pnl(symbol) == Decimal(cash or 0)


@pytest.mark.parametrize(
    ("fee", "expected"),
    [
        ("1.5 USDT", {"USDT": "-1.5"}),
        ("-0.5 USDT", {"USDT": "0.5"}),
        ("0.01 BNB", {"BNB": "-0.01"}),
        ("0.001 ETH", {"ETH": "-0.001"}),
        ("0 USDT", {}),
    ],
)
def test_a_fee_leaves_its_currency_and_never_the_position(
    fee: str, expected: dict[str, str]
) -> None:
    """A derivative is no holding of its base, so that no fee makes it smaller."""
    ledger = booked(fill("f", "BUY", "2", "100", fee, symbol="PERP"))
    assert ledger.quantity("PERP") == 2
    assert {row.currency: row.total for row in ledger.cash} == {
        currency: Decimal(text) for currency, text in expected.items()
    }


def test_legs_and_accounts_are_kept_apart() -> None:
    """A hedging account holds both legs, each with its own entry; the net is their sum."""
    ledger = booked(
        *fills_of("PERP", "BUY 3 @ 100", "SELL 1 @ 110", leg=Leg.LONG),
        *fills_of("PERP", "SELL 2 @ 200", leg=Leg.SHORT),
        *fills_of("PERP", "SELL 7 @ 50", account="other"),
    )
    assert ledger.quantity("PERP", leg=Leg.LONG) == 2
    assert ledger.quantity("PERP", leg=Leg.SHORT) == -2
    assert (ledger.net_quantity("PERP"), ledger.quantity("PERP", account="other")) == (0, -7)
    assert ledger.average_price("PERP", leg=Leg.SHORT) == 200
    assert (ledger.balance("USDT"), ledger.balance("USDT", account="other")) == (10, 0)


def test_positions_that_the_source_averages_apart_are_averaged_apart() -> None:
    """Two strategies hold one instrument: each closes at its own entry, not at the mean."""
    one = fills_of("PERP", "BUY 1 @ 100", "SELL 1 @ 120", position_id="a")
    other = fills_of("PERP", "BUY 1 @ 300", position_id="b")
    ledger = booked(one[0], *other, one[1])
    assert (ledger.balance("USDT"), ledger.average_price("PERP")) == (20, 300)
    pooled = booked(*(replace(row, position_id=None) for row in (one[0], *other, one[1])))
    assert (pooled.balance("USDT"), pooled.average_price("PERP")) == (-80, 200)


@pytest.mark.parametrize(
    ("row", "average"),
    [
        ("BUY 3 @ 300", "250"),
        (f"BUY {UNIT} @ 100", "100"),
        ("SELL 3 @ 300", None),
        ("SELL 1 @ 300", None),
        (f"SELL {UNIT} @ 100", None),
    ],
)
def test_positions_of_one_direction_have_one_average(row: str, average: str | None) -> None:
    """By their quantities; of a long and a short one there is none."""
    ledger = booked(
        *fills_of("PERP", "BUY 1 @ 100", position_id="a"), *fills_of("PERP", row, position_id="b")
    )
    expected = None if average is None else Decimal(average)
    assert ledger.average_price("PERP") == expected


class Summed(RowTable):
    """Fills whose table has sums at hand: here those of no fill."""

    def sums(self, *_: object) -> PositionSums:
        """Return the sums."""
        return {}


@pytest.mark.parametrize(
    ("symbols", "quantity"), [(["BTC/EUR"], 0), (["PERP"], 2), (["BTC/EUR", "PERP"], 2)]
)
def test_sums_of_a_table_are_enough_for_what_is_paid_for(symbols: list[str], quantity: int) -> None:
    """A derivative realises its gains fill by fill, whatever sums its table has."""
    fills = [one for symbol in symbols for one in fills_of(symbol, "BUY 2 @ 100")]
    record = side(fills=Summed(fills), opening=Opening(None))
    ledger = replay(recorded(record, None, instruments=INSTRUMENTS), record)
    assert [ledger.net_quantity(symbol) for symbol in symbols] == [quantity for _ in symbols]


def test_a_pnl_without_finite_decimals_needs_a_precision() -> None:
    """It is refused by name, and books nothing."""
    fills = fills_of("XBTUSD", "BUY 1 @ 3", "SELL 1 @ 7")
    ledger = PositionLedger(instruments=INSTRUMENTS)
    ledger.apply_fill(fills[0])
    with pytest.raises(ReplayError, match="fill 1: its PnL in BTC has no finite decimal form"):
        ledger.apply_fill(fills[1])
    assert (ledger.quantity("XBTUSD"), ledger.average_price("XBTUSD")) == (1, 3)
    finite = fills_of("XBTUSD", "BUY 1 @ 4", "SELL 1 @ 8")
    assert booked(*finite, currencies={}).balance("BTC") == Decimal("0.125")


@pytest.mark.parametrize(
    ("average", "cash"), [("90", "20"), (None, None)], ids=["with price", "without"]
)
def test_an_opening_position_needs_its_price_once_it_is_closed(
    average: str | None, cash: str | None
) -> None:
    """What came without a price cannot be closed; until then nothing has to be known."""
    price = None if average is None else Decimal(average)
    opening = Opening(None, (Position("PERP", Decimal(2), price),))
    ledger = booked(*fills_of("PERP", "BUY 2 @ 110"), opening=opening)
    close = fill("c", "SELL", "2", "110", symbol="PERP")
    if cash is None:
        with pytest.raises(ReplayError, match="fill c closes a position of PERP that came without"):
            ledger.apply_fill(close)
    else:
        ledger.apply_fill(close)
        assert (ledger.balance("USDT"), ledger.quantity("PERP")) == (Decimal(cash), 2)


MOVES: list[tuple[str, MovementKind, str, str, str | None]] = [
    ("split 1:10", MovementKind.SPLIT, "18", "20", "10"),
    ("reverse split", MovementKind.SPLIT, "-1", "1", "200"),
    ("part transferred out", MovementKind.TRANSFER, "-1", "1", "100"),
    ("all transferred out", MovementKind.TRANSFER, "-2", "0", None),
    ("transferred in", MovementKind.TRANSFER, "1", "3", None),
    ("split to nothing", MovementKind.SPLIT, "-2", "0", None),
]


@pytest.mark.parametrize("symbol", ["PERP", "BTC/EUR"])
@pytest.mark.parametrize(
    ("movement_kind", "moved", "quantity", "average"),
    [row[1:] for row in MOVES],
    ids=[row[0] for row in MOVES],
)
def test_a_quantity_that_moves_keeps_or_loses_its_price(
    symbol: str, movement_kind: MovementKind, moved: str, quantity: str, average: str | None
) -> None:
    """A split keeps the cost; what leaves, leaves at the average entry."""
    ledger = booked(*fills_of(symbol, "BUY 2 @ 100"))
    cash = {row.currency: row.total for row in ledger.cash}
    movement = Movement("m", movement_kind, at(9), symbol=symbol, quantity=Decimal(moved))
    ledger.apply_movement(movement)
    assert ledger.quantity(symbol) == Decimal(quantity)
    assert {row.currency: row.total for row in ledger.cash} == cash
    expected = None if average is None else Decimal(average)
    assert ledger.average_price(symbol) == expected


def test_a_split_of_an_inverse_contract_keeps_its_cost() -> None:
    """Ten for one at a tenth of the price: closing at the old price's tenth realises nothing."""
    ledger = booked(*fills_of("XBTUSD", "BUY 100 @ 50000"))
    ledger.apply_movement(
        Movement("m", MovementKind.SPLIT, at(1), symbol="XBTUSD", quantity=Decimal(900))
    )
    assert ledger.average_price("XBTUSD") == 500000
    ledger.apply_fill(fill("c", "SELL", "1000", "500000", symbol="XBTUSD"))
    assert ledger.balance("BTC") == 0


@pytest.mark.parametrize(
    "more",
    [
        [{"leg": Leg.LONG}, {"leg": Leg.SHORT}],
        [{"position_id": "a"}, {"position_id": "b"}],
    ],
)
def test_a_movement_that_could_mean_two_positions_is_refused(more: list[dict[str, Any]]) -> None:
    """A movement names neither leg nor position; one that is held is meant."""
    rows = [fills_of("PERP", "BUY 2 @ 100", **one)[0] for one in more]
    split = Movement("m7", MovementKind.SPLIT, at(9), symbol="PERP", quantity=Decimal(2))
    alone = booked(rows[0])
    alone.apply_movement(split)
    assert alone.net_quantity("PERP") == 4
    with pytest.raises(ReplayError, match="movement m7 moves a quantity of PERP, which is held"):
        booked(*rows).apply_movement(split)
    paid = Movement("m8", MovementKind.FUNDING, at(9), "USDT", Decimal(-1), symbol="PERP")
    both = booked(*rows)
    both.apply_movement(paid)
    assert both.balance("USDT") == -1


def test_events_are_booked_in_time_order() -> None:
    """A split between two fills; at one time fills come first, and ids count as numbers."""
    fills = [
        fill("t10", "SELL", "1", "1", time=at(5)),
        fill("t9", "BUY", "1", "1", time=at(5)),
        fill("z", "BUY", "1", "1", time=at(1)),
    ]
    movements = [
        Movement(name, MovementKind.FUNDING, at(when), currency="EUR", amount=Decimal(1))
        for name, when in (("late", 5), ("later", 5), ("early", 0), ("between", 3))
    ]
    steps = [
        one.movement_id if isinstance(one, Movement) else [each.fill_id for each in one]
        for one in in_steps(fills, movements)
    ]
    assert steps == [[], "early", ["z"], "between", ["t9", "t10"], "late", [], "later", []]
    events = [
        one.movement_id if isinstance(one, Movement) else one.fill_id
        for one in in_order(fills, movements)
    ]
    assert events == ["early", "z", "between", "t9", "t10", "late", "later"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("t9", "t10"), ("9", "10"), ("a", "b"), ("t", "t0"), ("t01", "t1"), ("9" * 5000, "1" * 5001)],
)
def test_ids_are_ordered_as_people_read_them(first: str, second: str) -> None:
    """Digits as numbers, however many there are; equal numbers by their text."""
    assert sorted([second, first], key=natural_key) == [first, second]


@st.composite
def traded(draw: st.DrawFn) -> tuple[list[Fill], list[Movement], list[Fill]]:
    """Fills on a few times, legs, accounts and positions, movements, and a permutation."""
    rows = st.tuples(
        st.sampled_from(["PERP", "FUT", "QUANTO", "XBTUSD", "BTC/EUR"]),
        st.sampled_from(list(OrderSide)),
        st.integers(1, 10**4).map(lambda units: scaled(units, 3)),
        st.integers(1, 10**6).map(lambda units: scaled(units, 2)),
        st.integers(-(10**4), 10**4).map(lambda units: scaled(units, 10)),
        st.sampled_from(["USDT", "BTC", "BNB"]),
        st.integers(0, 2),
        st.sampled_from([("main", None), ("sub", None), ("main", Leg.LONG), ("main", Leg.SHORT)]),
    )
    fills = [
        Fill(
            str(number),
            symbol,
            order_side,
            quantity,
            price,
            at(seconds),
            fee,
            currency,
            account=account,
            leg=Leg.NET if leg is None or symbol == "BTC/EUR" else leg,
        )
        for number, (
            symbol,
            order_side,
            quantity,
            price,
            fee,
            currency,
            seconds,
            (account, leg),
        ) in enumerate(draw(st.lists(rows, max_size=14)))
    ]
    kinds = [kind for kind in MovementKind if kind is not MovementKind.SPLIT]
    moved = st.tuples(st.sampled_from(kinds), st.integers(-(10**6), 10**6), st.integers(0, 2))
    movements = [
        Movement(f"m{number}", kind, at(seconds), "USDT", scaled(units, 7), account="main")
        for number, (kind, units, seconds) in enumerate(draw(st.lists(moved, max_size=4)))
    ]
    return fills, movements, draw(st.permutations(fills))


@given(traded())
def test_replay_agrees_with_fractions_in_any_order(
    given_rows: tuple[list[Fill], list[Movement], list[Fill]],
) -> None:
    """Replay is a pure function of what the rows say, and exact to the last digit."""
    fills, movements, permuted = given_rows
    session = recorded(None, None, instruments=INSTRUMENTS, currencies=CURRENCIES)
    expected = FractionLedger(INSTRUMENTS, PLACES)
    expected.replay(fills, movements)
    for order in (fills, permuted):
        ledger = replay(
            session,
            side(fills=tuple(order), movements=tuple(movements), opening=Opening(None)),
        )
        cash = {(row.account, row.currency): Fraction(row.total) for row in ledger.cash}
        assert {key: total for key, total in cash.items() if total} == {
            key: total for key, total in expected.cash.items() if total
        }
        held = {
            (row.account, row.symbol, str(row.leg)): Fraction(row.quantity)
            for row in ledger.positions
        }
        assert held == {
            (account, symbol, str(leg)): quantity
            for (account, symbol, leg), quantity in expected.quantities.items()
        }


def told(ledger: PositionLedger) -> str:
    """Everything a ledger says, digit by digit."""
    cash = {(row.currency, row.account): row for row in ledger.cash}
    prices = [
        (one.symbol, ledger.average_price(one.symbol, account=one.account, leg=one.leg))
        for one in ledger.positions
    ]
    flows = {key: dict(sums) for key, sums in ledger.flows.items()}
    gains: list[object] = []
    for one in ledger.positions:
        try:
            gains.append(ledger.realised_pnl(one.symbol, account=one.account, leg=one.leg))
        except ReplayError as error:
            gains.append(str(error))
    return repr((ledger.positions, cash, flows, prices, gains, ledger.fills))


@given(traded(), st.sets(st.sampled_from(sorted(CURRENCIES))))
def test_fills_booked_together_are_booked_as_one_by_one(
    given_rows: tuple[list[Fill], list[Movement], list[Fill]], undeclared: set[str]
) -> None:
    """To the last digit, zeros behind the point included."""
    fills, _, _ = given_rows
    kept = {code: one for code, one in CURRENCIES.items() if code not in undeclared}
    try:
        single = booked(*fills, currencies=kept)
    except ReplayError:
        with pytest.raises(ReplayError):
            booked(currencies=kept).apply_together(fills)
        return
    together = booked(currencies=kept)
    together.apply_together(fills)
    assert told(together) == told(single)


def test_the_first_fill_that_cannot_be_booked_is_named() -> None:
    """In the order of booking, whatever position it belongs to."""
    without_price = Opening(None, (Position("PERP", Decimal(1)),))
    rows = [
        *fills_of("PERP", "BUY 1 @ 1", "BUY 1 @ 1", "SELL 1 @ 1"),
        replace(fill("bad", "BUY", "1", "0", symbol="XBTUSD"), time=at(1)),
    ]
    session = recorded(None, None, instruments=INSTRUMENTS, currencies=CURRENCIES)
    with pytest.raises(ReplayError, match=r"^fill bad: price 0 of inverse XBTUSD"):
        replay(session, side(fills=tuple(rows), opening=without_price))
    with pytest.raises(ReplayError, match=r"^fill 2 closes a position of PERP that came without"):
        replay(session, side(fills=tuple(rows[:3]), opening=without_price))


def test_a_fill_that_cannot_be_booked_leaves_the_ledger_as_it_was() -> None:
    """A program may go on with the next one."""
    ledger = booked(*fills_of("XBTUSD", "BUY 100 @ 100", "SELL 50 @ 110", fee="0.1 BTC"))
    before = told(ledger)
    with pytest.raises(ReplayError, match="price 0"):
        ledger.apply_fill(fill("3", "BUY", "1", "0", symbol="XBTUSD"))
    assert told(ledger) == before


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 50), st.integers(1, 999)), max_size=12),
    st.sampled_from(["PERP", "XBTUSD"]),
    st.integers(2, 9),
)
def test_splits_between_fills_agree_with_fractions(
    rows: list[tuple[bool, int, int]], symbol: str, factor: int
) -> None:
    """After every fill the position is split; the cost, and so every PnL, is as by fractions."""
    fills, movements, held = [], [], 0
    for number, (bought, quantity, price) in enumerate(rows):
        order_side = "BUY" if bought else "SELL"
        one = fill(str(number), order_side, str(quantity), str(price), symbol=symbol)
        fills.append(replace(one, time=at(number)))
        held += quantity if bought else -quantity
        if held:
            added = Decimal(held * (factor - 1))
            held *= factor
            movements.append(
                Movement(
                    f"m{number}",
                    MovementKind.SPLIT,
                    at(number + 0.5),
                    symbol=symbol,
                    quantity=added,
                )
            )
    expected = FractionLedger(INSTRUMENTS, PLACES)
    expected.replay(fills, movements)
    session = recorded(None, None, instruments=INSTRUMENTS, currencies=CURRENCIES)
    ledger = replay(session, side(fills=tuple(fills), movements=tuple(movements)))
    settlement = INSTRUMENTS[symbol].settlement
    assert Fraction(ledger.balance(settlement)) == expected.cash[(None, settlement)]
    assert ledger.quantity(symbol) == held
