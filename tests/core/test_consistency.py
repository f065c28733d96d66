"""Ledger comparisons: each side against what its own opening, fills and movements give."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.ledger.replay import flows_of, replay_sides
from recon_core.model import (
    CashBalance,
    Currency,
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
from recon_core.policy.model import Policy, PositionPolicy
from recon_core.reports.text import diff_text

from .builders import AS_OF, at, fill, reconciled, recorded, side, verdicts

SPOT = {
    f"{base}/EUR": Instrument(f"{base}/EUR", InstrumentKind.SPOT, base, "EUR", "EUR")
    for base in ("BTC", "ETH")
}
INVERSE = {"XBTUSD": Instrument("XBTUSD", InstrumentKind.INVERSE, "BTC", "USD", "BTC")}
OPENING = Opening(None, cash=(CashBalance("EUR", Decimal("10000.00")),))
FILLS = (fill("f1", "BUY", "0.1", "42000", "4.20 EUR"),)
RIGHT = {"BTC": "0.1", "EUR": "5795.80"}
STATE = side({"BTC/EUR": "0.1"}, RIGHT)


def speaking(positions: Any = None, cash: Any = None, **more: Any) -> SideRecord:
    """A side that states a state and the rows that it should follow from."""
    return side(positions, cash, **{"opening": OPENING, "fills": FILLS, **more})


def ledger_verdicts(found: Reconciliation) -> dict[str, str]:
    return {key: verdict for key, verdict in verdicts(found).items() if key.startswith("ledger")}


def messages(found: Reconciliation) -> dict[str, str]:
    return {one.comparison.identity: one.message for one in found.judgements}


@pytest.mark.parametrize(
    ("positions", "cash", "expected"),
    [
        ({"BTC/EUR": "0.1"}, RIGHT, {}),
        ({"BTC/EUR": "0.10000"}, {"BTC": "0.1", "EUR": "5795.8"}, {}),
        ({"BTC/EUR": "0.2"}, RIGHT, {"BTC/EUR": "FAIL"}),
        ({"BTC/EUR": "0.1005"}, RIGHT, {"BTC/EUR": "WARN"}),
        ({"BTC/EUR": "0.10005"}, RIGHT, {"BTC/EUR": "INFO"}),
        ({}, RIGHT, {"BTC/EUR": "FAIL"}),
        ({"BTC/EUR": "0.1"}, {"BTC": "0.1", "EUR": "5796.80"}, {"EUR": "INFO"}),
        ({"BTC/EUR": "0.1"}, {"BTC": "0.1", "EUR": "5796.81"}, {"EUR": "FAIL"}),
        ({"BTC/EUR": "0.1"}, {"ETH": "0", "EUR": "5795.80"}, {"BTC": "FAIL", "ETH": "match"}),
        ({"BTC/EUR": "0.1", "X": "1"}, RIGHT, {"X": "FAIL"}),
    ],
)
@pytest.mark.parametrize("name", ["internal", "external"])
def test_what_a_side_states_must_follow_from_its_rows(
    positions: dict[str, str], cash: dict[str, str], expected: dict[str, str], name: str
) -> None:
    """By the same rules as between the sides, in both directions, whatever the other says."""
    sides = {"internal": STATE, "external": STATE, name: speaking(positions, cash)}
    found = ledger_verdicts(reconciled(**sides, instruments=SPOT))
    matches = dict.fromkeys(("BTC/EUR", "BTC", "EUR"), "match")
    assert found == {f"ledger::{name}:{key}": v for key, v in (matches | expected).items()}


def test_a_diff_says_which_side_contradicts_itself() -> None:
    """Side, both values, and the waterfall in which the difference can be seen."""
    wrong = speaking({"BTC/EUR": "0.2"}, {"BTC": "0.1", "EUR": "5895.80"})
    found = reconciled(STATE, wrong, instruments=SPOT)
    assert messages(found)["ledger::external:BTC/EUR"] == (
        "ledger external:BTC/EUR: FAIL, external states 0.2 BTC, its own rows give 0.1 BTC, "
        "delta 0.1 BTC, drift 50 % (INFO below 0.1 %, FAIL above 1 %)"
    )
    diffs = {diff.identity: diff for diff in found.diffs}
    assert diffs["ledger::external:EUR"].notes == (
        (
            "external: 10000.00 opening - 4200.00 trades - 4.20 fees = 5795.80 EUR, "
            "but it states 5895.80 (+100.00 that its rows do not explain)"
        ),
    )
    assert dict(diffs["ledger::external:BTC/EUR"].diff_details) == {
        "symbol": "BTC/EUR",
        "stated_quantity": "0.2",
        "replayed_quantity": "0.1",
        "delta": "0.1",
        "drift": "0.5",
        "tolerance": "INFO below 0.1 %, FAIL above 1 %",
    }
    shown = diff_text(diffs["ledger::external:BTC/EUR"], "s")
    assert "  stated      0.2 BTC" in shown
    assert "  replayed    0.1 BTC" in shown
    assert "  drift       50 %" in shown
    assert messages(reconciled(STATE, speaking({"BTC/EUR": "0.1"}, RIGHT), instruments=SPOT))[
        "ledger::external:BTC/EUR"
    ] == ("ledger external:BTC/EUR: match, external states 0.1 BTC, its own rows give 0.1 BTC")


@pytest.mark.parametrize(
    "quiet",
    [
        {"opening": None},
        {"fills": None},
        {"positions": None, "cash": None},
    ],
    ids=["no opening", "no fills", "nothing stated"],
)
def test_a_side_that_cannot_contradict_itself_is_not_compared(quiet: dict[str, Any]) -> None:
    """It takes opening, fills and a state that was not itself replayed."""
    one = replace(speaking({"BTC/EUR": "0.1"}, RIGHT), **quiet)
    assert ledger_verdicts(reconciled(one, STATE, instruments=SPOT)) == {}


def test_a_derived_section_is_not_compared_with_itself() -> None:
    """Only what the side stated itself can contradict its rows."""
    one = speaking({"BTC/EUR": "0.1"}, None)
    assert ledger_verdicts(reconciled(one, STATE, instruments=SPOT)) == {
        "ledger::internal:BTC/EUR": "match"
    }


def test_a_mirror_does_not_speak_for_itself() -> None:
    """The copy of the internal side is not looked at twice."""
    one = speaking({"BTC/EUR": "0.1"}, RIGHT)
    found = reconciled(one, one, instruments=SPOT, mirrored=True)
    assert {key.split("::")[1].split(":")[0] for key in ledger_verdicts(found)} == {"internal"}


def test_without_instruments_only_positions_are_replayed() -> None:
    """Cash needs to know what a symbol trades; a note says that nobody looked."""
    one = speaking({"BTC/EUR": "0.3"}, RIGHT)
    found = reconciled(one, STATE)
    assert ledger_verdicts(found) == {"ledger::internal:BTC/EUR": "FAIL"}
    assert found.notes[0] == (
        "internal: cash was not replayed from its fills: instrument BTC/EUR is not declared"
    )


@pytest.mark.parametrize(
    ("symbol", "fee", "stated", "expected"),
    [
        ("BTC/EUR", "0.01 BTC", "0.09", "match"),
        ("BTC/EUR", "4.20 EUR", "0.1", "match"),
        ("BTCEUR", "4.20 EUR", "0.1", "match"),
        ("BTCEUR", "0.01 BTC", "0.09", None),
        ("BTCEUR", "0 BTC", "0.1", "match"),
    ],
)
def test_a_fee_in_the_base_without_an_instrument(
    symbol: str, fee: str, stated: str, expected: str | None
) -> None:
    """`BTC/EUR` says what its base is; of `BTCEUR` it is not known, and nothing is guessed."""
    row = replace(fill("f", "BUY", "0.1", "42000", fee), symbol=symbol)
    found = reconciled(speaking({symbol: stated}, {}, fills=(row,)), STATE)
    assert ledger_verdicts(found) == (
        {} if expected is None else {f"ledger::internal:{symbol}": expected}
    )
    doubts = [note for note in found.notes if "whether a fee in the base" in note]
    assert len(doubts) == (expected is None)


def contracts(*rows: tuple[str, str, str], **more: Any) -> tuple[Fill, ...]:
    return tuple(
        fill(str(number), *row, symbol="XBTUSD", time=at(number), **more)
        for number, row in enumerate(rows)
    )


def test_a_side_that_cannot_be_booked_is_critical_and_the_others_are_judged() -> None:
    """A PnL without finite decimals and without a precision: that side cannot be judged."""
    fills = contracts(("BUY", "1", "3"), ("SELL", "1", "7"))
    one = speaking({"XBTUSD": "0"}, {"BTC": "0"}, fills=fills, opening=Opening(None))
    other = side({"XBTUSD": "0"}, {"BTC": "0"})
    found = reconciled(one, other, instruments=INVERSE)
    assert verdicts(found) == {
        "cash::BTC": "match",
        "ledger::internal": "CRITICAL",
        "position::XBTUSD": "match",
    }
    assert messages(found)["ledger::internal"] == (
        "ledger internal: CRITICAL, cannot be judged: internal side: fill 1: its PnL in BTC has "
        "no finite decimal form; expected a declared precision of that currency"
    )
    declared = {"BTC": Currency("BTC", 8)}
    found = reconciled(one, other, instruments=INVERSE, currencies=declared)
    assert ledger_verdicts(found) == {
        "ledger::internal:XBTUSD": "match",
        "ledger::internal:BTC": "FAIL",
    }


def test_legs_and_accounts_stand_in_the_key() -> None:
    """As in the keys of positions and cash, where they are not the default."""
    fills = (
        *contracts(("BUY", "2", "4"), leg=Leg.LONG, account="a"),
        *contracts(("SELL", "2", "4"), leg=Leg.SHORT, account="b"),
    )
    positions = (
        Position("XBTUSD", Decimal(2), leg=Leg.LONG, account="a"),
        Position("XBTUSD", Decimal(-1), leg=Leg.SHORT, account="b"),
    )
    cash = (CashBalance("BTC", Decimal(1), account="a"),)
    one = speaking(positions, cash, fills=fills, opening=Opening(None, cash=cash))
    found = ledger_verdicts(reconciled(one, one, instruments=INVERSE, mirrored=True))
    assert found == {
        "ledger::internal:XBTUSD,leg=LONG,account=a": "match",
        "ledger::internal:XBTUSD,leg=SHORT,account=b": "FAIL",
        "ledger::internal:BTC,account=a": "match",
    }


def test_a_symbol_that_is_called_like_a_currency() -> None:
    """Both are compared; the key of the position says which it is."""
    stock = {"USD": Instrument("USD", InstrumentKind.LINEAR, "USD", "EUR", "EUR")}
    row = fill("f", "BUY", "1", "100", "1 USD", symbol="USD")
    one = speaking({"USD": "1"}, {"USD": "-1", "EUR": "10000"}, fills=(row,))
    found = ledger_verdicts(reconciled(one, STATE, instruments=stock))
    assert found == {
        "ledger::internal:EUR": "match",
        "ledger::internal:USD": "match",
        "ledger::internal:USD,kind=position": "match",
    }


def test_movements_belong_to_the_replay() -> None:
    """Interest that no fill shows is booked; without it the side contradicts itself."""
    interest = Movement("m", MovementKind.INTEREST, AS_OF, currency="EUR", amount=Decimal("-5.80"))
    stated = {"BTC": "0.1", "EUR": "5790.00"}
    found = [
        ledger_verdicts(
            reconciled(
                speaking({"BTC/EUR": "0.1"}, stated, movements=rows), STATE, instruments=SPOT
            )
        )["ledger::internal:EUR"]
        for rows in (None, (interest,))
    ]
    assert found == ["FAIL", "match"]


def test_the_policy_holds_for_ledger_comparisons() -> None:
    """An absolute tolerance of a symbol makes its own contradiction INFO too."""
    policy = Policy(position=PositionPolicy(absolute={"BTC/*": Decimal("0.2")}))
    one = speaking({"BTC/EUR": "0.2"}, RIGHT)
    found = ledger_verdicts(reconciled(one, STATE, policy, instruments=SPOT))
    assert found["ledger::internal:BTC/EUR"] == "INFO"


def test_a_ledger_without_another_side_is_no_coverage() -> None:
    """A side that agrees with itself has been compared with nobody."""
    found = reconciled(speaking({"BTC/EUR": "0.1"}, RIGHT), side(), instruments=SPOT)
    coverage = next(one for one in found.judgements if one.comparison.key == "coverage")
    assert coverage.verdict == "FAIL"


@pytest.mark.parametrize("named", ["fills", "opening", "state"])
def test_rows_without_an_account_belong_to_the_only_one(named: str) -> None:
    """A side's only account is its default, wherever its name stands."""
    account = "sub1"
    cash = tuple(CashBalance(code, Decimal(text)) for code, text in RIGHT.items())
    positions = (Position("BTC/EUR", Decimal("0.1")),)
    rows: dict[str, Any] = {
        "fills": FILLS,
        "opening": OPENING,
        "cash": cash,
        "positions": positions,
    }
    if named == "opening":
        balances = tuple(replace(row, account=account) for row in OPENING.cash)
        rows["opening"] = replace(OPENING, cash=balances)
    else:
        names = {"fills": ["fills"], "state": ["positions", "cash"]}[named]
        for name in names:
            rows[name] = tuple(replace(row, account=account) for row in rows[name])
    one = speaking(**rows)
    assert verdicts(reconciled(one, STATE, instruments=SPOT)) == dict.fromkeys(
        (
            "cash::BTC",
            "cash::EUR",
            "ledger::internal:BTC",
            "ledger::internal:BTC/EUR",
            "ledger::internal:EUR",
            "position::BTC/EUR",
        ),
        "match",
    )
    derived = replace(one, positions=None, cash=None)
    found = verdicts(reconciled(derived, STATE, instruments=SPOT))
    assert found == dict.fromkeys(("cash::BTC", "cash::EUR", "position::BTC/EUR"), "match")
    found = verdicts(reconciled(replace(one, cash=None), STATE, instruments=SPOT))
    assert set(found.values()) == {"match"}
    assert len(found) == 4


def test_the_same_balance_with_and_without_an_account_is_two() -> None:
    """Nothing is merged that a side itself keeps apart."""
    cash = (CashBalance("EUR", Decimal(1)), CashBalance("EUR", Decimal(2), account="a"))
    found = reconciled(side((), cash), side((), {"EUR": "3"}))
    assert verdicts(found) == {"cash::EUR": "FAIL", "cash::EUR,account=a": "FAIL"}


FEE = Movement("m", MovementKind.FEE, AS_OF, currency="EUR", amount=Decimal(-1))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"fills": (replace(FILLS[0]),)},
        {"fills": (replace(FILLS[0], exchange_order_id="x"),)},
        {"fills": (replace(FILLS[0], fee=Decimal("4.21")),)},
        {"fills": (FILLS[0], FILLS[0])},
        {"fills": ()},
        {"fills": (replace(FILLS[0], account="main"),)},
        {"opening": replace(OPENING, cash=())},
        {"opening": replace(OPENING, cash=(CashBalance("EUR", Decimal("10000.000")),))},
        {"movements": (FEE,)},
        {"movements": (replace(FEE, amount=Decimal("-1.0")),)},
    ],
)
def test_what_both_sides_state_is_replayed_as_for_one_of_them(more: dict[str, Any]) -> None:
    """Also where one replay serves both: each has what it would have alone."""
    given = {"movements": (replace(FEE, amount=Decimal("-1.00")),)} if "movements" in more else {}
    sides = {LedgerSide.INTERNAL: speaking(**given), LedgerSide.EXTERNAL: speaking(**more)}
    found = replay_sides(recorded(*sides.values(), instruments=SPOT))
    for name, one in sides.items():
        (alone,) = replay_sides(recorded(one, None, instruments=SPOT)).values()
        assert repr(found[name]) == repr(alone)


def test_a_ledger_comparison_has_the_unit_of_its_amounts() -> None:
    """A balance is in its currency, a position in the instrument's base."""
    one = speaking({"BTC/EUR": "0.1"}, RIGHT)
    found = reconciled(one, STATE, instruments=SPOT)
    units = {each.comparison.key: each.comparison.unit for each in found.judgements}
    assert units["internal:EUR"] == "EUR"
    assert units["internal:BTC"] == "BTC"
    assert units["internal:BTC/EUR"] == "BTC"


def test_the_flows_of_a_side_that_has_movements_only() -> None:
    """Unnamed movements are in the side's only account, also where there are no fills."""
    deposit = Movement("m", MovementKind.DEPOSIT, AS_OF, "EUR", Decimal(10))
    cash = (CashBalance("EUR", Decimal(1010), account="sub1"),)
    session = recorded(side(None, cash, movements=(deposit,)), STATE, instruments=SPOT)
    assert flows_of(session, LedgerSide.INTERNAL) is not None
    assert flows_of(session, LedgerSide.EXTERNAL) is None
