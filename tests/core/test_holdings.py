"""Holdings: one asset is compared in every view that both sides keep, and in at least one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import (
    CashBalance,
    Instrument,
    InstrumentKind,
    LedgerSide,
    Movement,
    MovementKind,
    Opening,
    Position,
    SideRecord,
    Snapshot,
    View,
)
from recon_core.policy.model import CashLimit, CashPolicy, Policy
from recon_core.values.severity import Severity

from .builders import at, checks, fill, reconciled, side, verdicts

INSTRUMENTS = {
    **{f"{one}/USDT": Instrument(f"{one}/USDT", InstrumentKind.SPOT, one, "USDT", "USDT")
       for one in ("BTC", "BNB", "ADA")},
    "BTC/EUR": Instrument("BTC/EUR", InstrumentKind.SPOT, "BTC", "EUR", "EUR"),
    "ACME": Instrument("ACME", InstrumentKind.EQUITY, "ACME", "USDT", "USDT"),
    "EUR.USDT": Instrument("EUR.USDT", InstrumentKind.FX, "EUR", "USDT", "USDT"),
}  # fmt: skip
PERP = {"PERP": Instrument("PERP", InstrumentKind.LINEAR, "BTC", "USDT", "USDT")}
OPENING = Opening(None, cash=(CashBalance("USDT", Decimal(10000)),))


def of(internal: SideRecord, external: SideRecord, **more: object) -> Reconciliation:
    """A session of spot pairs, one share and one currency pair."""
    policy = more.pop("policy", None)
    assert policy is None or isinstance(policy, Policy)
    return reconciled(internal, external, policy, **{"instruments": INSTRUMENTS, **more})


def traded(*fills: object, **more: object) -> SideRecord:
    """A ledger that is replayed from its fills."""
    return side(None, None, **{"opening": OPENING, "fills": tuple(fills), **more})


BUY_BNB = fill("1", "BUY", "1", "300", symbol="BNB/USDT")
BUY_ADA = fill("2", "BUY", "100", "1", "0.1 BNB", symbol="ADA/USDT")

VIEWS: list[tuple[str, SideRecord, dict[str, str]]] = [
    ("both views", side({"BNB/USDT": "0.9", "ADA/USDT": "100"},
                        {"USDT": "9600", "BNB": "0.9", "ADA": "100"}),
     {"position::BNB/USDT": "match", "position::ADA/USDT": "match", "cash::USDT": "match",
      "cash::BNB": "match", "cash::ADA": "match"}),
    ("a wallet", side(None, {"USDT": "9600", "BNB": "0.9", "ADA": "100"}),
     {"cash::USDT": "match", "cash::BNB": "match", "cash::ADA": "match"}),
    ("positions only", side({"BNB/USDT": "0.9", "ADA/USDT": "100"}, {"USDT": "9600"}),
     {"position::BNB/USDT": "match", "position::ADA/USDT": "match", "cash::USDT": "match"}),
    # The positions do not sum up to the balance: they are what the fills of the pair traded.
    ("traded quantities", side({"BNB/USDT": "1", "ADA/USDT": "100"},
                               {"USDT": "9600", "BNB": "0.9", "ADA": "100"}),
     {"position::BNB/USDT": "match", "position::ADA/USDT": "match", "cash::USDT": "match",
      "cash::BNB": "match", "cash::ADA": "match"}),
    ("a wallet that lost a coin", side(None, {"USDT": "9600", "BNB": "0.9"}),
     {"cash::USDT": "match", "cash::BNB": "match", "cash::ADA": "FAIL"}),
    ("a wallet that lists no coin", side(None, {"USDT": "9600"}),
     {"cash::USDT": "match", "cash::BNB": "FAIL", "cash::ADA": "FAIL"}),
    ("no coin in either list", side({}, {"USDT": "9600"}, keeps={"*": View.BALANCE}),
     {"cash::USDT": "match", "cash::BNB": "FAIL", "cash::ADA": "FAIL"}),
    ("an empty list of positions", side({}, {"USDT": "9600", "BNB": "0.9", "ADA": "100"},
                                        keeps={"*": View.BOTH}),
     {"position::BNB/USDT": "FAIL", "position::ADA/USDT": "FAIL", "cash::USDT": "match",
      "cash::BNB": "match", "cash::ADA": "match"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("external", "expected"), [row[1:] for row in VIEWS], ids=[row[0] for row in VIEWS]
)
def test_a_replayed_ledger_against_every_view(
    external: SideRecord, expected: dict[str, str]
) -> None:
    """A fee that another pair paid in the coin is in what the account holds of it.

    Either side may be the one that is replayed.
    """
    assert verdicts(of(traded(BUY_BNB, BUY_ADA), external)) == expected
    assert verdicts(of(external, traded(BUY_BNB, BUY_ADA))) == expected


STATED: list[tuple[str, SideRecord, SideRecord, dict[str, str]]] = [
    ("several pairs of one coin", side({"BTC/USDT": "0.3", "BTC/EUR": "0.2"}, {"USDT": "1"}),
     side(None, {"BTC": "0.5", "USDT": "1"}), {"cash::USDT": "match", "holding::BTC": "match"}),
    ("the other way round", side(None, {"BTC": "0.5", "USDT": "1"}),
     side({"BTC/USDT": "0.3", "BTC/EUR": "0.3"}, {"USDT": "1"}),
     {"cash::USDT": "match", "holding::BTC": "FAIL"}),
    ("shares", side({"ACME": "5"}, {"USDT": "1"}), side({"ACME": "5"}, {"USDT": "1"}),
     {"cash::USDT": "match", "position::ACME": "match"}),
    ("a share that is not listed", side({"ACME": "5"}, {"USDT": "1"}), side({}, {"USDT": "1"}),
     {"cash::USDT": "match", "position::ACME": "FAIL"}),
    ("shares as balances", side({"ACME": "5"}, {"USDT": "1"}),
     side(None, {"ACME": "5", "USDT": "1"}), {"cash::USDT": "match", "holding::ACME": "match"}),
    ("currencies", side({"EUR.USDT": "7"}, {"EUR": "7", "USDT": "1"}),
     side({}, {"EUR": "7", "USDT": "1"}), {"cash::USDT": "match", "cash::EUR": "match"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("internal", "external", "expected"),
    [row[1:] for row in STATED],
    ids=[row[0] for row in STATED],
)
def test_stated_views(internal: SideRecord, external: SideRecord, expected: dict[str, str]) -> None:
    """Two statements meet in what both list, or by the sum."""
    assert verdicts(of(internal, external)) == expected


def test_one_holding_under_several_symbols() -> None:
    """A fee in the coin belongs to no pair of it: the venue says which pair has what part."""
    fills = (
        fill("1", "BUY", "0.3", "1000", symbol="BTC/USDT"),
        fill("2", "BUY", "0.2", "1000", symbol="BTC/EUR"),
        fill("3", "BUY", "1", "1", "0.01 BTC", symbol="ADA/USDT"),
    )
    cash = {"USDT": "9699", "EUR": "-200"}
    right = side({"BTC/USDT": "0.295", "BTC/EUR": "0.195", "ADA/USDT": "1"}, cash)
    assert set(verdicts(of(traded(*fills), right)).values()) == {"match"}
    wrong = side({"BTC/USDT": "0.295", "BTC/EUR": "0.2", "ADA/USDT": "1"}, cash)
    assert "FAIL" in verdicts(of(traded(*fills), wrong)).values()


def test_what_the_opening_lists_once_is_held() -> None:
    """A position of the opening is in the balance of a wallet, and a balance in no position."""
    opened = Opening(None, (Position("BTC/USDT", Decimal(2)),), OPENING.cash)
    ledger = traded(fill("1", "BUY", "1", "10", symbol="BTC/USDT"), opening=opened)
    for external in (
        side({"BTC/USDT": "3"}, {"USDT": "9990"}),
        side(None, {"USDT": "9990", "BTC": "3"}),
    ):
        assert set(verdicts(of(ledger, external)).values()) == {"match"}


def test_an_opening_balance_is_in_no_traded_position() -> None:
    """Of a bot that starts with coins and lists what it traded since."""
    opened = Opening(None, cash=(*OPENING.cash, CashBalance("BTC", Decimal(2))))
    ledger = traded(fill("1", "BUY", "1", "10", symbol="BTC/USDT"), opening=opened)
    for external in (
        side({"BTC/USDT": "1"}, {"USDT": "9990"}),
        side({"BTC/USDT": "1"}, {"USDT": "9990", "BTC": "3"}),
        side({"BTC/USDT": "3"}, {"USDT": "9990", "BTC": "3"}),
    ):
        assert set(verdicts(of(ledger, external)).values()) == {"match"}


def test_a_reward_moves_both_views() -> None:
    """By its currency or by its symbol, once."""
    by_currency = Movement("m", MovementKind.REWARD, at(9), currency="BTC", amount=Decimal(1))
    by_symbol = Movement("m", MovementKind.REWARD, at(9), symbol="BTC/USDT", quantity=Decimal(1))
    both = Movement(
        "m", MovementKind.REWARD, at(9), "BTC", Decimal(1), symbol="BTC/USDT", quantity=Decimal(1)
    )
    for movement in (by_currency, by_symbol, both):
        ledger = traded(movements=(movement,))
        for external in (
            side({"BTC/USDT": "1"}, {"USDT": "10000"}),
            side(None, {"USDT": "10000", "BTC": "1"}),
            side({"BTC/USDT": "1"}, {"USDT": "10000", "BTC": "1"}),
        ):
            assert set(verdicts(of(ledger, external)).values()) == {"match"}, movement


def test_a_list_of_derivatives_says_nothing_of_coins() -> None:
    """A unified account lists its perpetuals as positions and its coins as balances."""
    ledger = traded(fill("1", "BUY", "1", "100", symbol="BTC/USDT"))
    external = side({}, {"USDT": "9900", "BTC": "1"})
    known = {**INSTRUMENTS, **PERP}
    assert "position::BTC/USDT" not in verdicts(of(ledger, external, instruments=known))
    assert verdicts(of(ledger, external))["position::BTC/USDT"] == "FAIL"


def test_a_snapshot_shows_what_a_side_keeps() -> None:
    """A balance that a side listed once is missed where it is listed no more."""
    earlier = Snapshot(at(1), cash=(CashBalance("BNB", Decimal(1)),))
    external = side({"BNB/USDT": "1"}, {"USDT": "9700"}, snapshots=(earlier,))
    assert verdicts(of(traded(BUY_BNB), external))["cash::BNB"] == "FAIL"


def test_the_policy_says_what_a_side_keeps() -> None:
    """It overrides what the rows show, and the session's own word."""
    external = side({"BNB/USDT": "1"}, {"USDT": "9700"}, keeps={"BNB": View.POSITION})
    assert "cash::BNB" not in verdicts(of(traded(BUY_BNB), external))
    policy = Policy(keeps={LedgerSide.EXTERNAL: {"*": View.BOTH, "BNB": View.BOTH}})
    assert verdicts(of(traded(BUY_BNB), external, policy=policy))["cash::BNB"] == "FAIL"


def test_one_view_is_noted() -> None:
    """A reader learns what was not compared, and why."""
    wallet = of(traded(BUY_BNB), side(None, {"USDT": "9700", "BNB": "1"}))
    assert "BNB: compared as balances; external lists no position of them" in wallet.notes
    assert checks(wallet)["coverage"] == "match"


def test_positions_that_no_balance_shows_are_a_gap() -> None:
    """A derivative is in no balance, and a side that says that it lists positions lists none."""
    ledger = side({"PERP": "1"}, {"USDT": "1"})
    known = {**INSTRUMENTS, **PERP}
    found = of(ledger, side(None, {"USDT": "1"}), instruments=known)
    assert checks(found)["coverage"] == "FAIL"
    wallet = side(None, {"USDT": "9700", "BNB": "1"}, keeps={"*": View.BOTH})
    assert checks(of(traded(BUY_BNB), wallet))["coverage"] == "FAIL"


def accounts(**totals: str) -> tuple[CashBalance, ...]:
    """Balances of BTC by account."""
    return tuple(
        CashBalance("BTC", Decimal(total), account=None if name == "none" else name)
        for name, total in totals.items()
    )


DIVIDED: list[tuple[str, dict[str, str], dict[str, str], dict[str, str]]] = [
    ("equal sums", {"none": "0.5"}, {"a": "0.3", "b": "0.2"}, {"cash::BTC": "match"}),
    ("mirrored", {"a": "0.3", "b": "0.2"}, {"main": "0.5"}, {"cash::BTC": "match"}),
    ("other sums", {"none": "0.5"}, {"a": "0.3", "b": "0.3"}, {"cash::BTC": "FAIL"}),
    ("one of the same accounts", {"a": "0.5"}, {"a": "0.3", "b": "0.2"},
     {"cash::BTC,account=a": "FAIL", "cash::BTC,account=b": "FAIL"}),
    ("two each", {"a": "0.3", "b": "0.2"}, {"c": "0.3", "d": "0.2"},
     {f"cash::BTC,account={name}": "FAIL" for name in "abcd"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("internal", "external", "expected"),
    [row[1:] for row in DIVIDED],
    ids=[row[0] for row in DIVIDED],
)
def test_one_account_against_several(
    internal: dict[str, str], external: dict[str, str], expected: dict[str, str]
) -> None:
    """Sums are compared where one side does not divide, and one finding says so."""
    found = reconciled(side((), accounts(**internal)), side((), accounts(**external)))
    assert verdicts(found) == expected
    if "cash::BTC" in expected:
        assert checks(found)["accounts"] == "WARN"
        policy = Policy(account_split=Severity.FAIL)
        sides = side((), accounts(**internal)), side((), accounts(**external))
        assert checks(reconciled(*sides, policy))["accounts"] == "FAIL"
    else:
        assert "accounts" not in checks(found)


def test_the_balances_of_a_replayed_ledger_divide_as_others_do() -> None:
    """What is replayed for it names no account, and states none."""
    ours = side(None, accounts(a="0.3", b="0.2"), opening=OPENING, fills=())
    assert verdicts(reconciled(ours, side((), accounts(none="0.5"))))["cash::BTC"] == "match"


def test_the_larger_limit_may_hold() -> None:
    """A policy chooses which of both limits of a balance holds."""
    sides = side((), {"BTC": "0.083"}), side((), {"BTC": "0.109"})
    absolute = {"BTC": Decimal("0.03")}
    for limit, verdict in ((CashLimit.MIN, "FAIL"), (CashLimit.MAX, "INFO")):
        policy = Policy(cash=CashPolicy(absolute=absolute, limit=limit))
        assert verdicts(reconciled(*sides, policy))["cash::BTC"] == verdict


@pytest.mark.parametrize("name", ["debt", "settled"])
def test_parts_of_a_balance_are_compared(name: str) -> None:
    """Equal totals of which another part is borrowed or has settled are to be looked at."""
    one, other = ((CashBalance("USD", Decimal(9), **{name: Decimal(part)}),) for part in (1, 2))
    assert verdicts(reconciled(side((), one), side((), other))) == {"cash::USD": "WARN"}


QUANTITIES = st.integers(min_value=0, max_value=3).map(Decimal)


@st.composite
def listings(draw: st.DrawFn) -> tuple[SideRecord, dict[str, Decimal]]:
    """One side that lists what it holds in one view or in both, and what it holds."""
    held = {asset: draw(QUANTITIES) for asset in ("BTC", "BNB", "ADA")}
    view = draw(st.sampled_from([View.POSITION, View.BALANCE, View.BOTH]))
    positions = {f"{asset}/USDT": str(one) for asset, one in held.items() if one}
    cash = {"USDT": "1", **{asset: str(one) for asset, one in held.items() if one}}
    record = side(
        None if view is View.BALANCE else positions,
        {"USDT": "1"} if view is View.POSITION else cash,
        keeps={"*": view} if draw(st.booleans()) else {},
    )
    return record, held


@given(listings(), listings())
def test_nothing_that_is_held_is_left_uncompared(
    one: tuple[SideRecord, dict[str, Decimal]], other: tuple[SideRecord, dict[str, Decimal]]
) -> None:
    """In whatever views: another amount of any asset is a FAIL, and equal ones are clear."""
    found = of(one[0], other[0])
    wrong = {asset for asset in one[1] if one[1][asset] != other[1][asset]}
    failed = {key for key, verdict in verdicts(found).items() if verdict != "match"}
    seen = {key.partition("::")[2].partition("/")[0] for key in failed}
    if checks(found)["coverage"] == "FAIL":
        assert wrong
        assert seen <= wrong
    else:
        assert seen == wrong
