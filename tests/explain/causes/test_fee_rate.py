"""Fees that differ in the rows of both sides: which are one fault, and what is said of it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.model import Numbers
from recon_core.model.explanation import ExplanationVerdict
from tests.core.builders import at, fill
from tests.explain.charges import LEDGERS, SPOT, in_tiers, kinds, rows_of, session
from tests.explain.real_sessions import books, silent
from tests.explain.real_sessions import session as session_of
from tests.explain.row_books import Books, Fills, trades


def _at_rate(rows: Fills, times: str, places: int = 8) -> Fills:
    """The fills with fees at another rate, worked out from their values."""
    rate = Decimal(times) / 1000
    return [replace(row, fee=round(row.quantity * row.price * rate, places)) for row in rows]


def _with_fee(rows: Fills, number: int, fee: str) -> Fills:
    return [*rows[:number], replace(rows[number], fee=Decimal(fee)), *rows[number + 1 :]]


def _doubled(rows: Fills) -> Fills:
    return [replace(row, fee=row.fee * 2) for row in rows]


ALL = [f"f{number}" for number in range(40)]
RATES: dict[str, tuple[Callable[[], tuple[Fills, Fills]], list[tuple[str, list[str]]]]] = {
    "twice the rate": (
        lambda: (_at_rate(trades(40), "2"), trades(40)), [("fee_rate", ALL)],
    ),
    "twice the rate, in cents": (
        lambda: (_at_rate(trades(40), "2", 2), trades(40, places=2)), [("fee_rate", ALL)],
    ),
    "twice the rate of a rebate": (
        lambda: (_at_rate(trades(40), "-0.2"), trades(40, "-0.0001")), [("fee_rate", ALL)],
    ),
    "twice the rate, and an outlier": (
        lambda: (_with_fee(_at_rate(trades(40), "2"), 7, "0.5"), trades(40)),
        [("fee_rate", [one for one in ALL if one != "f7"]), ("wrong_fee", ["f7"])],
    ),
    "three quarters of the rate, and an outlier": (
        lambda: (_with_fee(_at_rate(trades(40), "0.75"), 7, "0.5"), trades(40)),
        [("fee_rate", [one for one in ALL if one != "f7"]), ("wrong_fee", ["f7"])],
    ),
    "another rate in four fills": (
        lambda: ([*trades(40)[:36], *_at_rate(trades(40), "0.75")[36:]], trades(40)),
        [("fee_rate", ALL[36:])],
    ),
    "twice the rate from a time on": (
        lambda: ([*trades(40)[:20], *_at_rate(trades(40), "2")[20:]], trades(40)),
        [("fee_rate", ALL[20:])],
    ),
    "every fee twice": (
        lambda: (_doubled(trades(40)), trades(40)), [("duplicate_fee", ALL)],
    ),
    "every fee twice, and an outlier": (
        lambda: (_with_fee(_doubled(trades(40)), 7, "0.5"), trades(40)),
        [("duplicate_fee", [one for one in ALL if one != "f7"]), ("wrong_fee", ["f7"])],
    ),
    "one fee twice": (
        lambda: ([*trades(40)[:7], *_doubled(trades(40)[7:8]), *trades(40)[8:]], trades(40)),
        [("duplicate_fee", ["f7"])],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RATES)
def test_fees_at_another_rate_are_one_fault(name: str) -> None:
    """Which of them are exactly twice what they should be is a matter of their rounding."""
    build, causes = RATES[name]
    (found,) = explain(Books(*build()).reconciled())
    assert found.verdict is ExplanationVerdict.UNIQUE, found.text
    given = [(str(one.cause_kind), len(one.ids), one.side) for one in found.causes]
    assert given == [(kind, len(ids), "internal") for kind, ids in causes], found.text
    assert "of them" not in found.text


def test_a_count_is_said_once() -> None:
    """Many faults of one kind are told as one, with how many rows have it."""
    (found,) = explain(Books(trades(40)[:5] + trades(40)[16:], trades(40)).reconciled())
    assert "11 fills (f5, f6, f7, f8, f9 and 6 more)" in found.text
    assert "of them" not in found.text


@pytest.mark.parametrize("share", ["0.5", "0.75", "2"])
def test_all_fees_of_another_tier(share: str) -> None:
    """Makers and takers are charged in one proportion to what is right."""
    right = rows_of(*LEDGERS["tiers"])
    rates = (Decimal(rate) * Decimal(share) for rate in ("0.0006", "0.0002"))
    wrong = rows_of(SPOT, in_tiers(*map(str, rates)))
    (one,) = explain(session(right, wrong))
    assert kinds([one]) == [("unique", ["fee_rate"])]
    assert "instead of the rates 0.0006, 0.0002)" in one.text


@pytest.mark.parametrize("noise", ["0.00000000000001", "0"])
def test_fees_with_the_noise_of_a_float_price_keep_it(noise: str) -> None:
    """They are products to the last digit, and so are those at the right rate."""
    prices = [Decimal(100 + 7 * at_) + (Decimal(noise) if at_ % 3 else 0) for at_ in range(12)]
    rows = [
        fill(f"f{at_}", "BUY", f"{at_ + 1}.25", str(price), time=at(60 * at_ - 900))
        for at_, price in enumerate(prices)
    ]
    wrong, right = (
        books(*(replace(row, fee=row.quantity * row.price * Decimal(rate)) for row in rows),
              numbers=Numbers.FLOAT)
        for rate in ("0.0004", "0.001")
    )  # fmt: skip
    (one,) = explain(session_of(wrong, silent(right, numbers=Numbers.FLOAT)))
    assert kinds([one]) == [("unique", ["fee_rate"])]
    added = {entry.row["fill_id"]: Decimal(entry.row["fee"])
             for entry in one.repair if entry.action == "add_fill"}  # fmt: skip
    assert added == {row.fill_id: row.fee for row in right.fills or ()}
