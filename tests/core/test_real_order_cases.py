"""Situations that users reported about fills, orders, ids and names: the rules' verdict.

Each row has the figures of the report. Where a report's own word differs from the verdict
here ("INFO by value"), the rules win and the word is what an explanation would say.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import Fill, Order
from recon_core.policy import Policy
from recon_core.policy.aliases import Aliases

from .builders import found_cases, order, reconciled, side, verdicts
from .real_rows import CASES, Case


def of(case: Case) -> Reconciliation:
    """The session that the report describes; orders only where it has some."""
    sides = []
    with_orders = any(isinstance(row, Order) for row in (*case.internal, *case.external))
    with_fills = any(isinstance(row, Fill) for row in (*case.internal, *case.external))
    for rows in (case.internal, case.external):
        fills = tuple(replace(row) for row in rows if isinstance(row, Fill))
        its_orders = tuple(replace(row) for row in rows if isinstance(row, Order))
        sides.append(
            side(fills=fills if with_fills else None, orders=its_orders if with_orders else None)
        )
    return reconciled(*sides)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fills_and_orders(case: Case) -> None:
    """The cases that are found, on the items that they are found on, and nothing else."""
    found = of(case)
    assert found_cases(found) == case.expected
    assert set(verdicts(found).values()) == case.verdicts
    assert any(case.text in judgement.message for judgement in found.judgements)


def test_filled_by_its_state_and_without_any_fill() -> None:
    """10 AAPL: the quantity came with another event, and the FILLED one had 0."""
    aapl = order("o1", "10", "10", symbol="AAPL")
    found = reconciled(side(fills=(), orders=(aapl,)), side(orders=(replace(aapl),)))
    assert found_cases(found) == {"order::o1": "order_fills"}
    assert verdicts(found) == {"order::o1": "FAIL"}


def test_rewards_under_another_name() -> None:
    """BTC against XBT.F: a FAIL on both and a note, and one match once the policy says so."""
    sides = side({}, {"BTC": "0.00382642"}), side({}, {"XBT.F": "0.00382642"})
    found = reconciled(*sides)
    assert verdicts(found) == {"cash::BTC": "FAIL", "cash::XBT.F": "FAIL"}
    assert all("probable alias" in diff.notes[0] for diff in found.diffs)
    policy = Policy(aliases=Aliases({}, {"XBT.F": "BTC"}))
    assert verdicts(reconciled(*sides, policy)) == {"cash::BTC": "match"}


def test_the_sign_of_a_rebate_is_off_by_twice_the_fee() -> None:
    """The figures of the diff say so: 16.4123597 USDT."""
    (case,) = (case for case in CASES if case.name.startswith("9 "))
    (diff,) = (diff for diff in of(case).diffs if diff.diff_type == "FILL")
    assert (diff.delta, diff.unit) == (Decimal("16.4123597"), "USDT")
