"""Fees that differ in the rows of both sides: which are one fault, and what is said of it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.explain.causes.fee_rate import (
    _base,
    _charged_as,
    _in_pairs,
    _listed,
    _unit,
    at_other_rate,
)
from recon_core.explain.problem.fee_schedule import FeeModel
from recon_core.explain.problem.pairs import PairRow
from recon_core.model import Currency, Fill, Instrument, InstrumentKind, Numbers
from recon_core.model.explanation import CauseKind, ExplanationVerdict
from tests.core.builders import SPOT as BTC
from tests.core.builders import at, fill
from tests.explain.charges import LEDGERS, SPOT, in_tiers, kinds, rows_of, session
from tests.explain.problems import problem_requiring
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


HALF = "booked at the rate 0.002 instead of the rate 0.001"
OTHER: dict[str, tuple[str, str, bool, list[tuple[str, str, int]]]] = {
    "at twice the rate": ("200 400 600 800", "1000", False, [("fee_rate", HALF, 4)],
    ),
    "of two fills": (
        "200 400", "300", False, [("fee_rate", HALF, 2)],
    ),
    "of one fill": ("200", "100", False, []),
    "of a statement": (
        "100 200 300 400", "-1000", True, [("fee_rate", HALF, 4)],
    ),
    "missing": ("0 0 0 0", "-1000", False, [("missing_fee", "at the rate 0.001", 4)]),
    "missing in a statement": ("100 200 300 400", "1000", True, []),
    "none of which is booked by the right rows": (
        "0 0 0 0", "-1000", True, [("fee_rate", "at the rate 0.001", 4)],
    ),
    "turned round": ("100 200 300 400", "2000", False, []),
    "of no round rate": ("200 400 600 800", "1077.77", False, []),
    "half of them right": ("100 200 600 800", "700", False, []),
    "most of them wrong": (
        "100 400 600 800", "900", False,
        [("fee_rate", "booked at the rates 0.002, 0.001 instead of the rate 0.001", 3)],
    ),
    "above a tenth": ("200 400 600 800", "-198000", False, []),
    "a fixed part": (
        "250 350 450 550", "800", False,
        [("fee_rate",
          "booked at 150 EUR and the rate 0.001 instead of 75 EUR and the rate 0.0005", 4)],
    ),
}  # fmt: skip
"""Fees on 100,000, 200,000, 300,000 and 400,000, what the balance requires, true if the rows are
right; and each hypothesis: its kind, its words, and the number of its rows."""


CENTS = {"currencies": {"EUR": Currency("EUR", 2)}}


@pytest.mark.parametrize("name", OTHER)
def test_all_fees_at_the_rate_that_a_balance_requires(name: str) -> None:
    """A round one, of several fees without a fixed part, most of which it changes."""
    fees, required, rows_right, expected = OTHER[name]
    rows = [
        fill(f"f{at_}", "BUY", "1", f"{at_ + 1}00000", f"{fee} EUR", time=at(at_ - 900))
        for at_, fee in enumerate(fees.split())
    ]
    problem = problem_requiring(rows, {"EUR": required}, rows_right=rows_right, **CENTS)
    found = at_other_rate(problem, problem.fills, "cash::EUR")
    told = dict.fromkeys((str(one.cause_kind), one.detail, len(one.rows)) for one in found)
    assert [*told] == expected  # the same with half-even and half-up


PERP = Instrument("BTC-PERP", InstrumentKind.LINEAR, "BTC", "EUR", "USDT")


@pytest.mark.parametrize(
    ("symbol", "fee", "charged_as", "base"),
    [
        ("BTC/EUR", "1 EUR", "cash::EUR", "BTC"), ("BTC/EUR", "1 BNB", "cash::BNB", "BTC"),
        ("BTC/EUR", "0 BNB", "cash::EUR", "BTC"), ("BTC/EUR", "0", "cash::EUR", "BTC"),
        ("BTC-PERP", "0 BNB", "cash::USDT", None), ("BTC-PERP", "1 BNB", "cash::BNB", None),
        ("X/Y", "1 BNB", "cash::BNB", None), ("X/Y", "0 BNB", "cash::", None),
    ],
)  # fmt: skip
def test_the_balance_of_a_fee(symbol: str, fee: str, charged_as: str, base: str | None) -> None:
    """That of its currency; without a fee the one that the fill is paid in."""
    problem = problem_requiring([fill("f", "BUY", "1", "100", "0.1 EUR")], {"EUR": "1"}, **CENTS)
    known = {one.symbol: one for one in (BTC, PERP)}
    problem = replace(problem, postings=replace(problem.postings, instruments=known))
    row = replace(fill("f", "BUY", "1", "100", fee), symbol=symbol)
    assert _charged_as(problem, row) == charged_as
    assert _base(problem, row) == base


def test_the_unit_of_a_fee() -> None:
    """That of its currency, a trillionth of one whose fees show none."""
    problem = problem_requiring([fill("f", "BUY", "1", "100", "0.1 EUR")], {"EUR": "1"}, **CENTS)
    assert [_unit(problem, currency) for currency in ("EUR", "BNB")] == [
        Decimal("0.01"), Decimal("1e-12"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("schedules", "words"),
    [
        (["0.001 0"], "the rate 0.001"), (["0.0002 0", "0.0005 0"], "the rates 0.0005, 0.0002"),
        (["0.0005 1", "0.0005 1"], "1 EUR and the rate 0.0005"),
        (["0.0002 0", "0.0005 1"], "the rate 0.0002, 1 EUR and the rate 0.0005"),
        ([], ""),
    ],
)  # fmt: skip
def test_schedules_in_words(schedules: list[str], words: str) -> None:
    """Rates together, the highest first; each by itself where one has a fixed part."""
    given = [
        (FeeModel((rate,), "EUR", in_base=False, fixed=fixed), rate)
        for rate, fixed in (map(Decimal, one.split()) for one in schedules)
    ]
    assert _listed(given) == words


IN_PAIRS: dict[str, tuple[str, str, str, list[int]]] = {
    "at one rate": ("15 30 45 60", "10 20 30 40", "fee_rate", [0, 1, 2, 3]),
    "just doubled": ("20 40 60 80", "10 20 30 40", "", []),
    "at one rate, three of four": ("15 30 45 60 99", "10 20 30 40 50", "fee_rate", [0, 1, 2, 3]),
    "each at another": ("15 31 48 90", "10 20 30 40", "fee_rate", [0, 1, 2, 3]),
    "two at one rate": ("15 30 0 0", "10 20 0 0", "fee_rate", [0, 1]),
    "a single one": ("15 20 30 40", "10 20 30 40", "", []),
    "two of many": ("15 30 30 40 50 60", "10 20 30 40 50 60", "", []),
    "rightly without any": ("15 30 45 60", "0 0 0 0", "fee_rate", [0, 1, 2, 3]),
    "of the other sign": ("-10 -20 -30 -40", "10 20 30 40", "", []),
    "beside fees that are missing": ("15 30 45 60 0", "10 20 30 40 50", "fee_rate", [0, 1, 2, 3]),
}  # fmt: skip
"""Posted and right fees, the fault that they share, and the places of the fills that have it."""


@pytest.mark.parametrize("name", IN_PAIRS)
def test_fees_of_pairs_at_another_rate(name: str) -> None:
    """Most of them at one wrong rate, or most of them wrong by any."""
    posted, right, kind, places = IN_PAIRS[name]
    fills: list[Fill] = []
    pairs: list[PairRow] = []
    for at_, (wrong, true) in enumerate(zip(posted.split(), right.split(), strict=True)):
        row = fill(f"f{at_}", "BUY", "1", "1000", f"{wrong} EUR", time=at(at_))
        fills.append(row)
        pairs.append(PairRow(row, row, replace(row, fee=Decimal(true))))
    found = _in_pairs([pair for pair in pairs if pair.at.fee != pair.right.fee], fills)
    if found is None:
        assert not kind
        return
    assert found.cause_kind is CauseKind(kind)
    assert [fills.index(row.given) for row in found.rows] == places
