"""A fee that was booked in another currency, by its worth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.causes.fee_currency import (
    FAMILY,
    _charged,
    _is_at_a_rate,
    _OtherCurrencies,
    _strength,
)
from recon_core.explain.problem.fill_group import FillGroup
from recon_core.model import Currency, Fill, Instrument, InstrumentKind, OrderSide
from tests.core.builders import SPOT, at, fill, recorded
from tests.explain.charges import LEDGERS, changed, require_told, rounded, rows_of, session
from tests.explain.problems import problem_requiring, problems_of, prover_of
from tests.explain.real_sessions import linear
from tests.explain.spot_ledgers import ROWS, exchange, ledger_of

EXCHANGED: dict[str, tuple[str, Callable[[Fill], Decimal]]] = {
    "quote": ("BTC", lambda row: rounded(row.fee / row.price)),
    "received": ("USDT", lambda row: rounded(row.fee * row.price)),
    "third": ("USDT", lambda row: rounded(row.quantity * row.price * Decimal("0.00075"))),
}


@pytest.mark.parametrize("orders", [True, False])
@pytest.mark.parametrize("name", EXCHANGED)
def test_a_fee_in_another_currency_by_its_worth(name: str, orders: bool) -> None:  # noqa: FBT001
    """It is no wrong quantity, however near its effect comes to one."""
    right = rows_of(*LEDGERS[name])
    number = next(at_ for at_, row in enumerate(right) if row.side is OrderSide.BUY)
    currency, worth = EXCHANGED[name]
    wrong = changed(right, number, fee=worth(right[number]), fee_currency=currency)
    one = require_told(session(right, wrong, orders=orders), "fee_currency", right[number].fill_id)
    assert f"it was {right[number].fee:f} {right[number].fee_currency}" in one.text


@pytest.mark.parametrize(
    ("given", "allowed", "found"),
    [
        ("0.1", "0", "f1 f6"), ("0.3", "0", ""), ("0.2", "0.1", "f1 f4 f6"), ("0.2", "0.09", "f4"),
        ("0.098", "0.002", "f1 f6"), ("0.25", "0.054", "f2 f4"), ("0", "0.05", ""),
    ],
)  # fmt: skip
def test_fees_that_a_balance_may_require(given: str, allowed: str, found: str) -> None:
    """The amount itself, or as near as its tolerance; a fill without a fee has none."""
    rows = [replace(row, fee=Decimal(0)) if row.fill_id == "f3" else row for row in ROWS]
    rows = [replace(row, fee_currency="BNB") if row.fill_id == "f5" else row for row in rows]
    known = recorded(ledger_of(rows), exchange(rows[1:]), instruments={SPOT.symbol: SPOT})
    problem = problems_of(prover_of(known))[0]
    problem = replace(problem, tolerance={"cash::EUR": Decimal(allowed)})
    fees = _charged(problem, "cash::EUR", Decimal(given))
    assert " ".join(row.fill_id for row in fees) == found


@pytest.mark.parametrize(
    ("fee", "symbols", "expected"),
    [
        ("0.2", "BTC/EUR", True), ("0.3", "BTC/EUR", False), ("0.2", "ETH/EUR", False),
        ("0.2", "", False),
    ],
)  # fmt: skip
def test_a_fee_at_the_rate_of_its_symbol(fee: str, symbols: str, *, expected: bool) -> None:
    """Fills of another symbol show no rate."""
    problem = problems_of(prover_of(recorded(
        ledger_of(ROWS), exchange(ROWS[1:]), instruments={SPOT.symbol: SPOT}
    )))[0]  # fmt: skip
    one = replace(ROWS[0], price=Decimal(200), fee=Decimal(fee))
    others = [replace(row, symbol=symbol) for symbol in symbols.split() for row in ROWS]
    assert _is_at_a_rate(problem, one, others) is expected


ETH = Instrument("ETH/EUR", InstrumentKind.SPOT, "ETH", "EUR", "EUR")
PERP = linear("PERP", "EUR")
PAID = (("100", "0.2 EUR"), ("110", "0.22 EUR"), ("100", "0.5 BNB"), ("110", "0.55 BNB"))
CHARGED = [fill(f"g{at_}", "BUY", "2", price, fee, time=at(at_ - 900))
           for at_, (price, fee) in enumerate(PAID)]  # fmt: skip
STRENGTHS: dict[str, tuple[str, str, str, str, str]] = {
    "the worth in the asset": ("BTC/EUR", "100", "0.2 EUR", "0.002 BTC", "EXACT"),
    "a unit more": ("BTC/EUR", "100", "0.2 EUR", "0.00200001 BTC", "EXACT"),
    "two units more": ("BTC/EUR", "100", "0.2 EUR", "0.00200002 BTC", "None"),
    "the worth in what is paid": ("BTC/EUR", "100", "0.002 BTC", "0.2 EUR", "EXACT"),
    "a cent more than the worth": ("BTC/EUR", "100", "0.002 BTC", "0.21 EUR", "EXACT"),
    "two cents more than the worth": ("BTC/EUR", "100", "0.002 BTC", "0.22 EUR", "None"),
    "no fee in the asset": ("BTC/EUR", "100", "0.2 EUR", "0 BTC", "None"),
    "at the rate of others": ("BTC/EUR", "100", "0.5 BNB", "0.2 EUR", "FITTED"),
    "a cent from the rate of others": ("BTC/EUR", "100", "0.5 BNB", "0.21 EUR", "FITTED"),
    "off the rate of others": ("BTC/EUR", "100", "0.5 BNB", "0.23 EUR", "CHANCE"),
    "as others nearby in a third": ("BTC/EUR", "100", "0.2 EUR", "0.505 BNB", "FITTED"),
    "off by more than a price drifts": ("BTC/EUR", "100", "0.2 EUR", "0.6 BNB", "CHANCE"),
    "far from others": ("BTC/EUR", "100", "0.2 EUR", "5 BNB", "None"),
    "in a currency without fees": ("BTC/EUR", "100", "0.2 EUR", "0.5 XYZ", "None"),
    "without a price": ("BTC/EUR", "0", "0.2 EUR", "0.002 BTC", "None"),
    "of a contract": ("PERP", "100", "0.2 EUR", "0.5 BNB", "None"),
    "of an unknown symbol": ("X", "100", "0.2 EUR", "0.5 BNB", "None"),
}  # fmt: skip
"""Symbol and price of a fill of 2, its fee, the fee in another currency, and the evidence of it."""


@pytest.mark.parametrize("name", STRENGTHS)
def test_the_evidence_of_a_fee_in_another_currency(name: str) -> None:
    """The worth of the other figure, the rate of the others, or the fees nearby of a third."""
    symbol, price, fee, other, expected = STRENGTHS[name]
    units = {"currencies": {"EUR": Currency("EUR", 2), "BTC": Currency("BTC", 8)}}
    problem = problem_requiring(CHARGED, {"EUR": "1"}, PERP, **units)
    row = replace(fill("f", "BUY", "2", price, fee, time=at(-899)), symbol=symbol)
    amount, currency = other.split()
    found = _strength(problem, row, Decimal(amount), currency)
    assert (found.name if found else "None") == expected


def test_the_currencies_in_which_a_fee_may_be() -> None:
    """Base, quote, those of other fees and of required balances, if compared; in their order."""
    paid = ["BNB", "AAA", "ZZZ", "MMM", "QQQ"]
    rows = [*CHARGED, *(fill(f"h{at_}", "BUY", "1", "100", f"0.1 {one}", time=at(at_ - 800))
                        for at_, one in enumerate(paid))]  # fmt: skip
    problem = problem_requiring(rows, {"EUR": "1", "DOT": "1", "BTC/EUR": "1"})
    others = _OtherCurrencies(problem)
    for row in (rows[0], rows[2]):
        own = row.fee_currency
        known = sorted({"BTC", "EUR", "DOT", *paid} - {own})
        assert [one[0] for one in others(row)] == known
    seen = replace(problem.dimensions, compared=frozenset({"cash::EUR", "cash::QQQ"}))
    fewer = replace(problem, postings=replace(problem.postings, dimensions=seen))
    assert [one[0] for one in _OtherCurrencies(fewer)(rows[2])] == ["EUR", "QQQ"]
    unknown = _OtherCurrencies(fewer)(replace(rows[2], symbol="X", fee_currency="EUR"))
    assert [one[0] for one in unknown] == ["QQQ"]


GROUPS: dict[str, tuple[Sequence[str], Mapping[str, str], list[str]]] = {
    "all in the asset": (["0.2 EUR", "0.3 EUR"], {"EUR": "0.5", "BTC": "-0.5"}, ["BTC"]),
    "all but one in the asset": (["0.2 EUR", "0.3 BTC"], {"EUR": "0.2", "BTC": "-0.2"}, ["BTC"]),
    "fees and a rebate": (["-0.3 EUR", "0.5 EUR"], {"EUR": "0.2", "BTC": "-0.2"}, ["BTC"]),
    "rebates": (["-0.3 EUR", "-0.5 EUR"], {"EUR": "-0.8", "BTC": "0.8"}, ["BTC"]),
    "less than all": (["0.2 EUR", "0.3 EUR"], {"EUR": "0.3", "BTC": "-0.3"}, []),
    "more than all": (["0.2 EUR", "0.3 EUR"], {"EUR": "0.6", "BTC": "-0.6"}, []),
    "a single one": (["0.2 EUR"], {"EUR": "0.2", "BTC": "-0.2"}, []),
    "from a third": (["0.2 BNB", "0.3 BNB"], {"BNB": "0.5", "EUR": "-0.5"}, ["EUR"]),
    "of both symbols": (["0.2 EUR", "0.3 EUR ETH/EUR"], {"EUR": "0.5", "BTC": "-0.5"}, []),
}  # fmt: skip
"""Fees, what balances require, and the currencies in which every fee should be."""


@pytest.mark.parametrize("name", GROUPS)
def test_every_fee_in_another_currency(name: str) -> None:
    """Where the fees that are in no such currency add up to what its balance requires."""
    fees, required, expected = GROUPS[name]
    rows = []
    for at_, (amount, currency, *symbol) in enumerate(one.split() for one in fees):
        row = fill(f"f{at_}", "BUY", "2", "100", f"{amount} {currency}", time=at(at_ - 900))
        rows.append(replace(row, symbol=symbol[0] if symbol else row.symbol))
    problem = problem_requiring(rows, required, ETH)
    found = FAMILY.of_all(FillGroup(problem, rows))
    assert [one.detail for one in found] == [f"every fee in {currency}" for currency in expected]
