"""Trades in another number of rows: sums, and how exact the price of a single row is."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from recon_core.compare.rows.aggregation import Trades
from recon_core.explain.search.matched_rows import Matched
from recon_core.explain.search.trade_faults import (
    _changed,
    _difference,
    _slack,
    _sums,
    _with_fee,
    _with_price,
    trade_faults,
)
from recon_core.model import Fill, InstrumentKind
from tests.core.builders import SPOT, fill, recorded
from tests.explain.problems import problems_of, prover_of
from tests.explain.spot_ledgers import ROWS, exchange, ledger_of


def rows(text: str) -> list[Fill]:
    """Fills written `2@50.01/0.1EUR`."""
    found = []
    for word in text.split():
        trade, _, fee = word.partition("/")
        quantity, _, price = trade.partition("@")
        charged = f"{fee[:-3]} {fee[-3:]}" if fee else "0 EUR"
        found.append(fill("f", "BUY", quantity, price, charged))
    return found


@pytest.mark.parametrize(
    ("mine", "right", "slack"),
    [
        ("1@50.01 2@50.02", "3@50.017", "3/2000"),
        ("3@50.017", "1@50.01 2@50.02", "3/2000"),
        ("1@50.01 2@50.02", "4@50.0175", "4/20000"),
        ("1@50.01 2@50.02", "3@50.02", "0"),
        ("1@50.01 2@50.02", "3@50.0", "0"),
        ("1@50.01 2@50.02", "3@50.010", "3/2000"),
        ("1@50.010 2@50.02", "3@50.017", "3/2000"),
        ("1@50.017 2@50.02", "3@50.017", "0"),
        ("1@50.01 1@50.02 1@50", "2@50.017 1@50.017", "0"),
        ("2@50.017 1@50.017", "1@50.01 1@50.02 1@50", "0"),
    ],
)
def test_the_error_of_an_average_price(mine: str, right: str, slack: str) -> None:
    """Half of its last digit, times the quantity; none of several rows, or on the other tick."""
    assert _slack(rows(mine), rows(right)) == Fraction(slack)


@pytest.mark.parametrize(
    ("trade", "row", "slack", "expected"),
    [
        ("1@50/0.1EUR 2@51/0.2EUR", "3@50.67/0.3EUR", "1/100", True),
        ("1@50/0.1EUR 2@51/0.2EUR", "3@50.67/0.3EUR", "9/1000", False),
        ("1@50/0.1EUR 2@51/0.2EUR", "3@50.66/0.3EUR", "2/100", True),
        ("1@50/0.1EUR 2@51/0.2EUR", "3@50.67/0.4EUR", "1", False),
        ("1@50/0.1EUR 2@51/0.2EUR", "3@50.67/0.3USD", "1", False),
        ("1@50/0.1EUR 2@51/-0.1EUR", "3@50.67", "1", True),
        ("1@50 2@51", "4@38", "1", False),
    ],
)  # fmt: skip
def test_sums_of_one_row(trade: str, row: str, slack: str, *, expected: bool) -> None:
    """Its quantity and its fees, and its value but for the error of an average price."""
    assert _sums(rows(trade)).is_of(rows(row)[0], Fraction(slack)) is expected


def text_of(row: Fill | None) -> str:
    """A fill as `rows` reads it, empty for none."""
    if row is None:
        return ""
    fee = f"/{row.fee}{row.fee_currency}" if row.fee else ""
    return f"{row.quantity}@{row.price}{fee}"


@pytest.mark.parametrize(
    ("mine", "whole", "slack", "lost"),
    [
        ("40@50.00 35@50.02", "100@50.017", "1/20", "25@50.04"),
        ("40@50.00/1EUR 35@50.02/1EUR", "100@50.017/3EUR", "1/20", "25@50.04/1EUR"),
        ("40@50.00/1EUR 35@50.02/1BNB", "100@50.017/3EUR", "1/20", ""),
        ("40@50.00 35@50.02", "100@50.017", "0", "25@50.04"),
        ("40@50.00 35@50.02", "100@50.018", "1/20", ""),
        ("40@50.00 35@50.02", "100@50.018", "1/10", "25@50.04"),
        ("40@50.00 35@50.02", "100@37.5", "1/20", ""),
        ("40@50.00 35@50.02", "100@37.507", "0", ""),
    ],
)  # fmt: skip
def test_the_difference_of_a_trade(mine: str, whole: str, slack: str, lost: str) -> None:
    """A fill at a price on the tick, above 0, with the one fee that remains."""
    given, (right,) = rows(mine), rows(whole)
    less = _sums([right]).minus(_sums(given))
    assert text_of(_difference(less, given, right, Fraction(slack))) == lost


@pytest.mark.parametrize(
    ("row", "fee", "expected"),
    [
        ("1@50/0.1EUR", "0.2EUR", "1@50/0.3EUR"), ("1@50", "0.2BNB", "1@50/0.2BNB"),
        ("1@50/0.1EUR", "0.2BNB", ""), ("1@50/0.1EUR", "-0.3EUR", "1@50/-0.2EUR"),
    ],
)  # fmt: skip
def test_a_fee_that_makes_sums_equal(row: str, fee: str, expected: str) -> None:
    """In the currency of the row's own, if it has one."""
    (one,), more = rows(row), _sums(rows(f"0@1/{fee}"))
    assert text_of(_with_fee(one, more)) == expected


@pytest.mark.parametrize(
    ("row", "value", "slack", "expected"),
    [
        ("2@50.01", "0.02", "0", "2@50.02"), ("2@50.01", "0.03", "0", ""),
        ("2@50.01", "0.03", "1/100", "2@50.02"), ("2@50.01", "-100.02", "0", ""),
        ("2@50.01", "-100", "0", "2@0.01"), ("0@50.01", "1", "9", ""),
    ],
)  # fmt: skip
def test_a_price_that_makes_sums_equal(row: str, value: str, slack: str, expected: str) -> None:
    """On the tick and above 0, but for the error of an average price."""
    (one,) = rows(row)
    less = replace(_sums([]), value=Decimal(value))
    assert text_of(_with_price(one, less, Fraction(slack), [one])) == expected


@pytest.mark.parametrize(
    ("mine", "right", "changed"),
    [
        ("1@100/0.2EUR 2@100/0.2EUR", "3@100/0.3EUR", "1@100/0.1EUR"),
        ("1@100/0.1EUR 2@102/0.2EUR", "3@100/0.3EUR", "2@100/0.2EUR"),
        ("1@100/0.2EUR 2@102/0.2EUR", "3@100/0.3EUR", ""), ("1@100 2@100", "3@100", ""),
        ("1@100/0.1EUR 2@100/0.2BNB", "3@100/0.3EUR", ""),
    ],
)  # fmt: skip
def test_the_changed_row_of_a_trade(mine: str, right: str, changed: str) -> None:
    """One fee or one price makes the sums equal, at the rate of the others."""
    known = recorded(ledger_of(ROWS), exchange(ROWS[1:]), instruments={SPOT.symbol: SPOT})
    problem = problems_of(prover_of(known))[0]
    given = rows(mine)
    less = _sums(rows(right)).minus(_sums(given))
    found = [text_of(other) for _, other in _changed(problem, given, less, Fraction(0))]
    assert found[:1] == ([changed] if changed else [])


@pytest.mark.parametrize(
    ("mine", "right", "kind", "is_apart"),
    [
        ("1@50 2@51", "3@50.7", InstrumentKind.SPOT, False),
        ("1@50 2@51", "3@50.7", InstrumentKind.INVERSE, True),
        ("1@50 2@51", "2@50 1@51", InstrumentKind.SPOT, True),
    ],
)  # fmt: skip
def test_trades_that_no_side_lists_in_parts(
    mine: str, right: str, kind: InstrumentKind, *, is_apart: bool
) -> None:
    """Of as many rows, or of inverse contracts, whose value is no sum: their rows stay apart."""
    given, other = ([replace(row, client_order_id="o") for row in rows(text)]
                    for text in (mine, right))  # fmt: skip
    problem = problems_of(prover_of(recorded(ledger_of(given), exchange(ROWS[1:]),
                                             instruments={SPOT.symbol: SPOT})))[0]  # fmt: skip
    known = recorded(None, None, instruments={SPOT.symbol: replace(SPOT, instrument_kind=kind)})
    found = Matched((), tuple(given), tuple(other))
    faults = trade_faults(problem, found, Trades(known, plain=True))
    assert (faults.others == found) is is_apart
