"""Fee schedules as venues publish them, and the one fee, or fill, that is off the schedule."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from recon_core.model import Fill
from tests.explain.charges import (
    LINEAR,
    SPOT,
    Charge,
    changed,
    in_quote,
    in_tiers,
    require_told,
    rounded,
    rows_of,
    session,
)


def with_fixed_part(fixed: str, rate: str) -> Charge:
    """A fixed amount and a share of what was traded."""
    return lambda _, quantity, price: (
        rounded(Decimal(fixed) + Decimal(rate) * quantity * price), "USDT",
    )  # fmt: skip


def flat(fee: str, currency: str) -> Charge:
    """The same amount for every fill."""
    return lambda *_: (Decimal(fee), currency)


SCHEDULES: dict[str, Charge] = {
    "one rate": in_quote("0.001"),
    "taker and maker": in_tiers("0.0006", "0.0002"),
    "taker, and rebates of makers": in_tiers("0.0004", "-0.0001"),
    "a fixed part and a rate": with_fixed_part("1.5", "0.001"),
    "flat, in a third currency": flat("0.001234", "BNB"),
    "flat, in the quote": flat("1.00", "USDT"),
}
FAULTS: dict[str, tuple[str, Callable[[Fill], Decimal]]] = {
    "no fee": ("missing_fee", lambda _: Decimal(0)),
    "twice": ("duplicate_fee", lambda row: row.fee * 2),
    "turned": ("fee_sign", lambda row: -row.fee),
    "a third more": ("wrong_fee", lambda row: rounded(row.fee * Decimal("1.37"))),
    "a digit less": ("wrong_fee", lambda row: rounded(row.fee / 10)),
}


@pytest.mark.parametrize("instrument", [SPOT, LINEAR], ids=lambda one: one.symbol)
@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fee_off_the_schedule_is_named(name: str, fault: str, instrument: object) -> None:
    """The schedule of the other fees gives the right one, and the books are equal with it."""
    right = rows_of(instrument, SCHEDULES[name])
    kind, fee = FAULTS[fault]
    require_told(session(right, changed(right, 11, fee=fee(right[11])), orders=False), kind, "f11")
