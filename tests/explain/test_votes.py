"""Votes of the exchange's statements, and figures that a side never lists.

The sessions of the file are situations that people reported, and their neighbours.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain import apply_entries, entries_of, explain
from recon_core.explain.answers.votes import Votes, _asset
from recon_core.model.explanation import Explanation
from recon_core.policy.model import Policy
from recon_core.values.errors import ReconError
from tests.core.builders import SPOT, recorded, side
from tests.explain.real_sessions import linear
from tests.explain.row_books import Books, Fills, orders_of, trades

SESSIONS = json.loads((Path(__file__).parents[1] / "data/explain/sides.json").read_text())
SIDES: dict[str, list[tuple[str, str, list[str]]]] = {
    # Balances of both currencies follow from the row; a position of the pair is never listed.
    "pair_in_balances_with_openings": [("unique", "internal", ["missing_fill"])],
    "pair_and_shares": [("unique", "internal", ["missing_fill"])],
    "healthy_pair_in_balances": [("unique", "None", ["balance_kind"])],
    "healthy_pair_and_shares": [("unique", "None", ["balance_kind"])],
    # Both sides have shares as positions and as balances: the venue counts nothing twice.
    "spin_off": [("unique", "internal", ["missing_movement"])],
    "spin_off_without_fills": [("unique", "internal", ["missing_movement"])],
    "failed_withdrawal": [("unique", "internal", ["missing_movement"] * 2)],
    "failed_withdrawal_with_fills": [("unique", "internal", ["missing_movement"] * 2)],
    # An order report of 19 against a list of 4: the state decides, alone it does not.
    "report_alone": [
        ("ambiguous", "internal", ["wrong_quantity"]),
        ("ambiguous", "external", ["wrong_quantity"]),
    ],
    "report_against_state": [("unique", "internal", ["wrong_quantity"])],
    "report_against_cash": [("partial", "internal", ["wrong_quantity"])],
}  # fmt: skip


def told(found: tuple[Explanation, ...]) -> list[tuple[str, str, list[str]]]:
    """Verdict, side and kinds of each explanation."""
    return [
        (str(one.verdict), str(one.side), [str(cause.cause_kind) for cause in one.causes])
        for one in found
    ]


def reconciled(directory: Path, name: str) -> Reconciliation:
    """One of the sessions, read from a file of its own."""
    path = directory / f"{name}.recon.json"
    path.write_text(json.dumps(SESSIONS[name]))
    return reconcile_session(path)


@pytest.mark.parametrize("name", SESSIONS)
def test_the_side_that_its_statements_show(name: str, tmp_path: Path) -> None:
    """The exchange is at fault in none of them, and no entry is for its record."""
    before = reconciled(tmp_path, name)
    found = explain(before, repair_exchange=True)
    assert told(found) == SIDES[name]
    assert {str(entry.side) for one in found for entry in one.repair} <= {"internal"}
    for one in found:
        if one.repair:
            after = Reconciliation(
                apply_entries(before.recorded, entries_of(before, one)), Policy()
            )
            assert not {diff.identity for diff in after.diffs} & set(one.explains)


@pytest.mark.parametrize(
    ("name", "cash"),
    [("healthy_pair_in_balances", {}), ("healthy_pair_and_shares", {"ACME": Decimal(-10)})],
)
def test_an_unlisted_figure_is_named_and_not_repaired(
    name: str, cash: dict[str, Decimal], tmp_path: Path
) -> None:
    """All of its diffs are explained, each figure counts once, and there is nothing to book."""
    before = reconciled(tmp_path, name)
    (one,) = explain(before)
    assert set(one.explains) == {diff.identity for diff in before.diffs}
    (cause,) = one.causes
    assert cause.effect.position == {"EUR.USD": Decimal("15001.84988")}
    assert cause.effect.cash == cash
    assert "lists no position of EUR.USD, which is in its balances" in one.text
    with pytest.raises(ReconError, match="no booking repairs it"):
        entries_of(before, one, repair_exchange=True)


def test_a_declared_view_is_not_named_beside_a_cause(tmp_path: Path) -> None:
    """A side that says that it keeps shares as positions is not said to lack their balance."""
    session = _with_a_lost_fill(keeps={})
    assert "no balance of ACME, which is in its positions" in _text(session, tmp_path)
    session = _with_a_lost_fill(keeps={"ACME": "position"})
    assert "lacks a fill: BUY 3 ACME" in _text(session, tmp_path)
    assert "no balance" not in _text(session, tmp_path)


def _with_a_lost_fill(keeps: dict[str, str]) -> dict[str, Any]:
    """Two purchases at a broker, of which the ledger has one."""
    rows = [
        {"fill_id": f"f{number}", "symbol": "ACME", "side": "BUY", "quantity": quantity}
        | {
            "price": "10",
            "fee": "0.1",
            "fee_currency": "USD",
            "time": f"2026-01-0{number}T09:00:00Z",
        }
        for number, quantity in ((1, "2"), (2, "3"))
    ]
    side = {"as_of": "2026-01-05T09:00:00Z", "opening": {"cash": {"USD": "100"}}, "keeps": keeps}
    stated = {"positions": {"ACME": "5"}, "cash": {"USD": "49.8"}}
    return {
        "schema": "recon.session/1",
        "session_id": "shares",
        "instruments": {"ACME": {"kind": "equity", "base": "ACME", "quote": "USD"}},
        "internal": {**side, "fills": rows[:1]},
        "external": {**side, **stated, "fills": rows},
    }


def _text(session: dict[str, Any], directory: Path) -> str:
    path = directory / "shares.recon.json"
    path.write_text(json.dumps(session))
    (one,) = explain(reconcile_session(path))
    return one.text


def _larger(rows: Fills) -> Fills:
    """The fills with a quantity of 0.07 in the sixth, and the fee of that quantity."""
    fee = round(Decimal("0.07") * rows[5].price * Decimal("0.001"), 8)
    larger = replace(rows[5], quantity=Decimal("0.07"), fee=fee)
    return [*rows[:5], larger, *rows[6:]]


def _without_fee(rows: Fills) -> Fills:
    return [*rows[:5], replace(rows[5], fee=Decimal(0)), *rows[6:]]


ROWS = trades()
STATEMENTS: dict[str, tuple[Callable[[], Books], list[tuple[str, str, list[str]]]]] = {
    "no statement": (
        lambda: Books(ROWS, _larger(ROWS)),
        [("unique", "internal", ["wrong_quantity"])],
    ),
    "a state that follows from its list": (
        lambda: Books(ROWS, _larger(ROWS), stated=_larger(ROWS)),
        [("unique", "internal", ["wrong_quantity"])],
    ),
    "an order report against its list, its state with it": (
        lambda: Books(ROWS, _larger(ROWS), orders_of(ROWS), stated=_larger(ROWS)),
        [("unique", "internal", ["wrong_quantity"])],
    ),
    "position and balance against its list": (
        lambda: Books(ROWS, _larger(ROWS), stated=ROWS),
        [("unique", "external", ["wrong_quantity"])],
    ),
    "a balance against its list, and no fault of the ledger fits": (
        lambda: Books(ROWS, _without_fee(ROWS), stated=ROWS),
        [("unique", "external", ["missing_fee"])],
    ),
    "position and balance against its list, an order report with it": (
        lambda: Books(ROWS, _larger(ROWS), orders_of(_larger(ROWS)), stated=ROWS),
        [("ambiguous", "external", ["wrong_quantity"])],
    ),
}


@pytest.mark.parametrize(("build", "expected"), STATEMENTS.values(), ids=STATEMENTS)
def test_statements_vote(
    build: Callable[[], Books], expected: list[tuple[str, str, list[str]]]
) -> None:
    """Two of the exchange against its rows, and none with them, put the fault on its side."""
    assert told(explain(build().reconciled())) == expected


@pytest.mark.parametrize(
    ("ayes", "noes", "alone", "among_others"),
    [(0, 0, False, False), (1, 0, True, False), (2, 0, True, True), (3, 1, False, False)],
)
def test_votes_that_are_enough(ayes: int, noes: int, *, alone: bool, among_others: bool) -> None:
    """One statement is enough only where the ledger cannot be at fault."""
    found = Votes(ayes, noes)
    assert found.are_enough(is_only_answer=True) is alone
    assert found.are_enough(is_only_answer=False) is among_others


@pytest.mark.parametrize(
    ("name", "asset"),
    [
        ("cash::BTC", "BTC"), ("position::BTC/EUR", "BTC"), ("position::BTC", "BTC"),
        ("position::PERP", "PERP"), ("position::X/EUR", "X/EUR"),
    ],
)  # fmt: skip
def test_the_statements_about_one_asset(name: str, asset: str) -> None:
    """The position of a pair and the balance of its coins are one; a contract is another."""
    contract = replace(linear("PERP", "EUR"), base="BTC")
    known = {one.symbol: one for one in (SPOT, contract)}
    assert _asset(recorded(side(), side(), instruments=known), name) == asset
