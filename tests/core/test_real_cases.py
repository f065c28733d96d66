"""Situations that users of trading systems reported: the verdict that the rules give them."""

from decimal import Decimal

import pytest

from recon_core.ledger import PositionLedger
from recon_core.model import CashBalance, Leg, Position

from .builders import fill, reconciled, side, verdicts

POSITIONS = [
    ("a fee in the base coin, not deducted", "2.54", "2.53746", "WARN"),
    ("two coins less the fee", "2", "1.998", "WARN"),
    ("a residue after selling whole lots", "0", "0.30696933", "FAIL"),
    ("a commission applied to the quantity", "100000", "99998", "INFO"),
    ("a funding row read as a fill", "932", "0", "FAIL"),
    ("a contract size not applied", "100", "10", "FAIL"),
    ("a short of 1.17 closed by 1.15", "0", "-0.02", "FAIL"),
    ("ordered quantity kept instead of filled", "235.17", "234.93", "WARN"),
    ("two bots on one account", "10", "30", "FAIL"),
    ("fills before the look-back", "75", "-65", "FAIL"),
    ("settlement dust", "0", "0.003", "FAIL"),
    ("a broker's liquidation", "314", "83", "FAIL"),
    ("requested 87, available 48", "87", "48", "FAIL"),
    ("one fill booked after a restart again", "0.2", "0.1", "FAIL"),
    ("both paths execute", "-1", "-2", "FAIL"),
    ("a redelivered flip", "-2.000", "-0.500", "FAIL"),
    ("a source that rounds to whole shares", "57.68", "58", "WARN"),
    ("a price scale lost", "0.00000423", "0.000004", "FAIL"),
    ("quantised up", "633.68156280", "633.6816", "INFO"),
    ("a residue of binary floats", "0", "0.000000000001", "FAIL"),
    ("minus zero", "-0", "0", "match"),
    ("raw values not scaled", "1000000", "1", "FAIL"),
    ("sold 0.99999998 of 1.0", "0.00000002", "0", "FAIL"),
]
CASH = [
    ("a rebate booked as a fee", "USDT", "32808.3073598", "32824.7195", "FAIL"),
    ("funding of one trade lost", "USDT", "103.737", "95.61796836", "FAIL"),
    ("fifty cents of a large account", "EUR", "46807.98", "46807.48", "INFO"),
    ("one cent of 25", "EUR", "25.00", "25.01", "INFO"),
    ("a liquidation's proceeds", "USD", "-51991.757979", "-13696.2576", "FAIL"),
    ("interest of 3.34", "USD", "1000000", "999996.66", "FAIL"),
    ("rewards under another name", "BTC", "0.00382642", "0", "FAIL"),
    ("margin counted twice", "BTC", "0.06", "0.32", "FAIL"),
    ("balance of one unit", "BTC", "1.00000000", "1.00000001", "FAIL"),
]


@pytest.mark.parametrize(
    ("internal", "external", "expected"),
    [row[1:] for row in POSITIONS],
    ids=[row[0] for row in POSITIONS],
)
def test_positions(internal: str, external: str, expected: str) -> None:
    """One reported quantity against the other, without any absolute tolerance."""
    found = verdicts(reconciled(side({"X": internal}, {}), side({"X": external}, {})))
    assert found == {"position::X": expected}


@pytest.mark.parametrize(
    ("currency", "internal", "external", "expected"),
    [row[1:] for row in CASH],
    ids=[row[0] for row in CASH],
)
def test_cash(currency: str, internal: str, external: str, expected: str) -> None:
    """One reported balance against the other, by the default tolerance."""
    found = verdicts(reconciled(side({}, {currency: internal}), side({}, {currency: external})))
    assert found == {f"cash::{currency}": expected}


def test_free_and_used_swapped_is_warn() -> None:
    """The total is right, the parts are exchanged."""
    ours = CashBalance("USDT", Decimal("24.204227"), Decimal("13.204227"), Decimal("11.0"))
    theirs = CashBalance("USDT", Decimal("24.204227"), Decimal("11.0"), Decimal("13.204227"))
    found = reconciled(side((), (ours,)), side((), (theirs,)))
    assert verdicts(found) == {"cash::USDT": "WARN"}


def test_equal_hedge_legs_do_not_cancel_out() -> None:
    """Equal legs against nothing: the net of 0 would hide both."""
    long, short = (
        Position("ETHUSDT", Decimal(quantity), leg=leg)
        for quantity, leg in (("0.002", Leg.LONG), ("-0.002", Leg.SHORT))
    )
    assert verdicts(reconciled(side((long, short), ()), side((), ()))) == {
        "position::ETHUSDT,leg=LONG": "FAIL",
        "position::ETHUSDT,leg=SHORT": "FAIL",
    }


def test_two_accounts_are_not_summed() -> None:
    """10 and 20 are not 20 and 10."""
    sides = (
        side(
            tuple(
                Position("X", Decimal(quantity), account=account)
                for account, quantity in (("a", first), ("b", second))
            ),
            (),
        )
        for first, second in ((10, 20), (20, 10))
    )
    assert set(verdicts(reconciled(*sides)).values()) == {"FAIL"}


def test_a_fee_in_the_base_coin_explains_itself_when_it_is_booked() -> None:
    """The same purchase with its fee booked agrees with the wallet to the last digit."""
    ledger = PositionLedger()
    ledger.apply_fill(fill("1", "BUY", "2.54", "1", "0.00254 BTC"))
    internal = side(ledger.positions, ledger.cash)
    external = side({"BTC/EUR": "2.53746"}, {"BTC": "2.53746", "EUR": "-2.54"})
    assert set(verdicts(reconciled(internal, external)).values()) == {"match"}


def test_a_fee_currency_that_runs_out_changes_within_one_order() -> None:
    """One order's fills charged in two currencies: each leaves its own balance."""
    ledger = PositionLedger({"BNB": Decimal("0.0021485"), "EUR": Decimal(100)})
    ledger.apply_fill(fill("1", "BUY", "5", "1", "0.0021485 BNB"))
    ledger.apply_fill(fill("2", "BUY", "5", "1", "0.005 BTC"))
    assert (ledger.balance("BNB"), ledger.balance("BTC")) == (0, Decimal("9.995"))
    assert ledger.quantity("BTC/EUR") == Decimal("9.995")
