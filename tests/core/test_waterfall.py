"""The cash waterfall: every booking in its category, and where two sides differ."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from recon_core.ledger import PositionLedger
from recon_core.ledger.bookings import Category, covered_categories
from recon_core.ledger.waterfall import Waterfall, located, waterfall
from recon_core.model import (
    CashBalance,
    Fill,
    Instrument,
    InstrumentKind,
    LedgerSide,
    Leg,
    Movement,
    MovementKind,
    Opening,
    Position,
    SideRecord,
)
from recon_core.values.amounts import exact_sum

from .builders import AS_OF, at, fill, fill_lists, reconciled, side

SPOT = {"BTC/EUR": Instrument("BTC/EUR", InstrumentKind.SPOT, "BTC", "EUR", "EUR")}
OPENING = Opening(None, cash=(CashBalance("EUR", Decimal("10000.00")),))
CATEGORIES = {
    "deposit": "deposits",
    "withdrawal": "withdrawals",
    "transfer": "transfers",
    "funding": "funding",
    "interest": "interest",
    "fee": "fees",
    "dividend": "dividends",
    "split": "cash in lieu",
    "conversion": "conversions",
    "adjustment": "adjustments",
    "reward": "rewards",
    "rename": "renames",
    "settlement": "settlements",
    "assignment": "assignments",
    "exercise": "exercises",
    "expiry": "expiries",
}


ALL = frozenset(Category)


def moved(movement_kind: str, amount: str, **more: Any) -> Movement:
    return Movement(
        "m", MovementKind(movement_kind), at(9), currency="EUR", amount=Decimal(amount), **more
    )


def of(ledger: PositionLedger, **more: Any) -> Waterfall:
    found = waterfall(LedgerSide.INTERNAL, ledger.flows, "EUR", None, **{"covered": ALL, **more})
    assert found is not None
    return found


@pytest.mark.parametrize("movement_kind", MovementKind)
def test_every_kind_of_movement_has_its_line(movement_kind: MovementKind) -> None:
    """A movement is booked by its name, and in no other category."""
    ledger = PositionLedger(opening=OPENING)
    ledger.apply_movement(moved(movement_kind, "-3.34"))
    name = CATEGORIES[movement_kind]
    assert of(ledger).text() == f"internal: 10000.00 opening - 3.34 {name} = 9996.66 EUR"


def test_a_waterfall_adds_up() -> None:
    """Trades, fees and movements in the order of the report; zero lines are left out."""
    ledger = PositionLedger(opening=OPENING)
    ledger.apply_fill(fill("1", "BUY", "0.1", "42000.00", "4.20 EUR"))
    ledger.apply_fill(fill("2", "SELL", "0.1", "42000.00", "-1.00 EUR"))
    for row in (moved("interest", "0.50"), moved("deposit", "7"), moved("transfer", "0")):
        ledger.apply_movement(row)
    assert of(ledger).text() == (
        "internal: 10000.000000 opening - 3.200000 fees + 0.500000 interest "
        "+ 7.000000 deposits = 10004.300000 EUR"
    ).replace("0000 ", " ").replace("000000", "00")


@given(fill_lists())
def test_the_closing_of_a_waterfall_is_the_balance(fills: list[Fill]) -> None:
    """Whatever is booked stands in exactly one line."""
    ledger = PositionLedger({"EUR": Decimal(1000)})
    ledger.apply_fills(fills)
    assert of(ledger).closing == ledger.balance("EUR")
    assert of(ledger).steps[Category.OPENING] == 1000
    assert exact_sum(of(ledger).steps.values()) == ledger.balance("EUR")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"covered": ALL - {Category.OPENING}}, "internal: opening not stated; - 5 fees = -5 EUR"),
        (
            {"stated": CashBalance("EUR", Decimal("3.00"))},
            ("internal: - 5 fees = -5 EUR, but it states 3.00 (+8 that its rows do not explain)"),
        ),
        ({"stated": CashBalance("EUR", Decimal(-5))}, "internal: - 5 fees = -5 EUR"),
        (
            {"covered": ALL - {Category.OPENING}, "stated": CashBalance("EUR", Decimal("3.00"))},
            "internal: opening not stated; - 5 fees = -5 EUR",
        ),
    ],
)
def test_what_a_side_states_beside_its_rows(changes: dict[str, Any], expected: str) -> None:
    """A contradiction is named; without an opening there is none to be seen."""
    ledger = PositionLedger()
    ledger.apply_movement(moved("fee", "-5.00"))
    assert of(ledger, **changes).text() == expected


def test_nothing_booked_is_no_waterfall() -> None:
    """And a balance of another account is another one."""
    balance = CashBalance("EUR", Decimal(1), account="a")
    ledger = PositionLedger(opening=Opening(None, cash=(balance,)))
    assert waterfall(LedgerSide.INTERNAL, ledger.flows, "USD", None, covered=ALL) is None
    assert waterfall(LedgerSide.INTERNAL, ledger.flows, "EUR", "b", covered=ALL) is None
    assert of(ledger, any_account=True).closing == 1


def steps(**amounts: str) -> dict[Category, Decimal]:
    return {Category[name]: Decimal(text) for name, text in amounts.items()}


@pytest.mark.parametrize(
    ("ours", "theirs", "silent", "expected"),
    [
        (
            steps(FEES="-8.20617985"),
            steps(FEES="8.20617985"),
            "",
            "differs in fees: internal -8.20617985, external 8.20617985 (-16.41235970)",
        ),
        (
            steps(TRADES="1", FUNDING="0"),
            steps(TRADES="2.5", FUNDING="-8.1"),
            "",
            (
                "differs in trades: internal 1.0, external 2.5 (-1.5); "
                "funding: internal 0.0, external -8.1 (+8.1)"
            ),
        ),
        (
            steps(OPENING="1"),
            steps(OPENING="2"),
            "",
            "differs in opening: internal 1, external 2 (-1)",
        ),
        (
            steps(OPENING="1", FEES="-1"),
            steps(FEES="-1.0"),
            "OPENING",
            "the rows of both sides agree in every category",
        ),
        (
            steps(DEPOSITS="5", FEES="-1"),
            steps(FEES="-1"),
            "DEPOSITS",
            "the rows of both sides agree in every category that both report",
        ),
        (
            steps(DEPOSITS="5", FEES="-1"),
            steps(FEES="-2"),
            "DEPOSITS",
            "differs in fees: internal -1, external -2 (+1)",
        ),
    ],
)
def test_a_difference_is_located_in_a_category(
    ours: dict[Category, Decimal], theirs: dict[Category, Decimal], silent: str, expected: str
) -> None:
    """Category by category; one that a side does not report is no difference."""
    covered = ALL - ({Category[silent]} if silent else set())
    internal = Waterfall(LedgerSide.INTERNAL, "EUR", ALL, ours)
    external = Waterfall(LedgerSide.EXTERNAL, "EUR", covered, theirs)
    assert located(internal, external) == expected


@pytest.mark.parametrize(
    ("record", "covered", "silent"),
    [
        (side({}, {}), set(), {Category.FEES, Category.DEPOSITS, Category.OPENING}),
        (side({}, {}, fills=()), {Category.TRADES, Category.FEES}, {Category.FUNDING}),
        (side({}, {}, movements=()), {Category.FUNDING}, {Category.TRADES, Category.FEES}),
        (side({}, {}, fills=(), derived=frozenset({"cash"})), {Category.DEPOSITS}, set()),
    ],
)
def test_a_side_reports_what_it_lists(
    record: SideRecord, covered: set[Category], silent: set[Category]
) -> None:
    """Balances that were replayed report everything: what no row moved did not move."""
    assert covered <= covered_categories(record)
    assert not silent & covered_categories(record)


def cash_notes(internal: Any, external: Any) -> tuple[str, ...]:
    found = reconciled(internal, external, instruments=SPOT)
    return next(diff.notes for diff in found.diffs if diff.identity == "cash::EUR")


def test_the_notes_of_a_cash_diff_show_both_waterfalls() -> None:
    """Of the side that gives bookings, or of both, with the category that differs."""
    fills = [(fill("1", "BUY", "0.1", "42000", fee),) for fee in ("4.20 EUR", "-4.20 EUR")]
    ours = side(opening=OPENING, fills=fills[0])
    theirs = side(opening=OPENING, fills=fills[1])
    mine = "internal: 10000.00 opening - 4200.00 trades - 4.20 fees = 5795.80 EUR"
    assert cash_notes(ours, theirs) == (
        mine,
        "external: 10000.00 opening - 4200.00 trades + 4.20 fees = 5804.20 EUR",
        "differs in fees: internal -4.20, external 4.20 (-8.40)",
    )
    assert cash_notes(ours, side({"BTC/EUR": "0.1"}, {"EUR": "1"})) == (mine,)
    without_opening = side({"BTC/EUR": "0.1"}, {"EUR": "1"}, fills=fills[1])
    assert cash_notes(ours, without_opening)[1:] == (
        "external: opening not stated; - 4200.0 trades + 4.2 fees = -4195.8 EUR",
        "differs in fees: internal -4.20, external 4.20 (-8.40)",
    )
    assert cash_notes(side({}, {"EUR": "1"}), side({}, {"EUR": "9"})) == ()


def test_the_note_of_a_leg_shows_the_net() -> None:
    """Legs are compared apart; a net that agrees shows a leg on the wrong side."""
    ours, theirs = (
        tuple(
            Position("X", Decimal(quantity), leg=leg)
            for quantity, leg in zip(quantities, (Leg.LONG, Leg.SHORT), strict=True)
        )
        for quantities in ((3, -1), (2, 0))
    )
    found = reconciled(side(ours, {}), side(theirs, {}))
    assert {diff.notes for diff in found.diffs} == {("net of all legs: internal 2, external 2",)}
    assert found.recorded.internal is not None
    assert found.recorded.internal.as_of == AS_OF


def test_the_net_of_legs_is_of_the_account() -> None:
    """Of the one that is compared, or of all where one side names none."""

    def legs(account: str | None, *quantities: int) -> tuple[Position, ...]:
        pairs = zip(quantities, (Leg.LONG, Leg.SHORT), strict=True)
        return tuple(Position("X", Decimal(one), leg=leg, account=account) for one, leg in pairs)

    two = (*legs("a", 3, -1), *legs("b", 5, -5))
    found = reconciled(side(two, {}), side((*legs("a", 2, 0), *legs("b", 5, -5)), {}))
    assert {diff.notes for diff in found.diffs} == {("net of all legs: internal 2, external 2",)}
    found = reconciled(side(two, {}), side(legs(None, 7, -5), {}))
    assert ("net of all legs: internal 2, external 2",) in {diff.notes for diff in found.diffs}
