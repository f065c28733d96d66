"""A fault in every row: three times as many rows take about three times as many steps."""

import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import FrameType
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind, ExplanationVerdict
from tests.core.builders import SPOT, at, fill, reconciled
from tests.explain.real_sessions import books

_FEW, _TIMES, _MOST = 100, 3, 3.2


def _at_other_prices(fills: list[Fill]) -> list[Fill]:
    return [replace(one, price=one.price + 1 + number % 17) for number, one in enumerate(fills)]


def _of_other_quantities(fills: list[Fill]) -> list[Fill]:
    return [replace(one, quantity=one.quantity * (2 + number % 3))
            for number, one in enumerate(fills)]  # fmt: skip


def _with_other_fees(fills: list[Fill]) -> list[Fill]:
    return [replace(one, fee=one.fee * Decimal("1.5")) for one in fills]


def _twice(fills: list[Fill]) -> list[Fill]:
    return [each for one in fills for each in (one, replace(one))]


def _every_second(fills: list[Fill]) -> list[Fill]:
    return fills[::2]


FAULTS: dict[str, tuple[Callable[[list[Fill]], list[Fill]], CauseKind]] = {
    "every price": (_at_other_prices, CauseKind.WRONG_PRICE),
    "every quantity": (_of_other_quantities, CauseKind.WRONG_QUANTITY),
    "every fee": (_with_other_fees, CauseKind.FEE_RATE),
    "every fill twice": (_twice, CauseKind.DUPLICATE_FILL),
    "every second fill": (_every_second, CauseKind.MISSING_FILL),
}
"""What the ledger made of the fills that the exchange lists, and the kind of cause."""


def session(count: int, booked: Callable[[list[Fill]], list[Fill]]) -> Reconciliation:
    """Return a session whose sides list their fills, at a rate of 0.1 %."""
    fills = [
        fill(f"f{number}", "BUY" if number % 3 else "SELL", f"{1 + number % 7}",
             f"{1000 + number % 13}", fee=f"{(1 + number % 7) * (1000 + number % 13)}e-3 EUR",
             time=at(number - 80_000), client_order_id=f"o{number // 2}")
        for number in range(count)
    ]  # fmt: skip
    found = reconciled(
        books(*booked(fills), orders=None),
        books(*fills, orders=None),
        instruments={SPOT.symbol: SPOT},
    )
    assert found.judgements
    return found


def steps_of(reconciliation: Reconciliation) -> tuple[int, Any]:
    """The calls of functions that an explanation takes, and the explanation."""
    calls = 0

    def count(_frame: FrameType, event: str, _given: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        answer = explain(reconciliation)
    finally:
        sys.setprofile(before)
    return calls, answer


@pytest.mark.large
@pytest.mark.parametrize("name", FAULTS)
def test_steps_grow_with_the_rows(name: str) -> None:
    """A unit that is wrong everywhere is an ordinary fault, and its session may be long."""
    booked, kind = FAULTS[name]
    few, _ = steps_of(session(_FEW, booked))
    many, answer = steps_of(session(_FEW * _TIMES, booked))
    assert answer[0].verdict is ExplanationVerdict.UNIQUE
    assert answer[0].causes[0].cause_kind is kind
    assert many <= few * _MOST
