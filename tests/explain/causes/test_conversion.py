"""One asset for another: between names alike, in the rows of the venue, and what else it may be."""

from decimal import Decimal

import pytest

from recon_core.explain import entries_of, explain
from recon_core.model import Instrument, InstrumentKind, Movement, MovementKind
from recon_core.values.errors import ReconError
from tests.core.builders import at, fill, reconciled, side
from tests.explain.charges import kinds
from tests.explain.real_sessions import books, session

PAIR = Instrument("USDC/USDT", InstrumentKind.SPOT, "USDC", "USDT", "USDT")
ALIAS, CONVERSION = ("ambiguous", ["alias"]), ("ambiguous", ["conversion"])
UNIQUE = ("unique", ["conversion"])

STATES: dict[str, tuple[dict[str, str], dict[str, str], list[tuple[str, list[str]]]]] = {
    "a name of one side each": ({"USDT": "81.161849"}, {"USDC": "81.161849"}, [ALIAS, CONVERSION]),
    "wrapped": ({"ETH": "2.5"}, {"WETH": "2.5"}, [ALIAS, CONVERSION]),
    "the notation of a venue": ({"EUR": "81.16"}, {"ZEUR": "81.16"}, [("unique", ["alias"])]),
    "names not alike": ({"BTC": "81.16"}, {"XBT": "81.16"}, [("unique", ["alias"])]),
    "both names listed": (
        {"USDT": "81.161849", "USDC": "0"}, {"USDC": "81.161849", "USDT": "0"}, [UNIQUE],
    ),
    "a part of a balance": (
        {"USDT": "181.161849", "USDC": "50"}, {"USDT": "100", "USDC": "131.161849"}, [UNIQUE],
    ),
    "a round part": ({"USDT": "200", "USDC": "50"}, {"USDT": "100", "USDC": "150"}, [CONVERSION]),
    "two amounts": ({"USDT": "7.125", "USDC": "5"}, {"USDT": "6", "USDC": "6.126"}, []),
    "assets that are not alike": ({"BTC": "7.125", "EUR": "5"}, {"BTC": "6", "EUR": "6.125"}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_balances_show_a_conversion_or_another_name(name: str) -> None:
    """A name needs all of a balance, a conversion an amount of some digits and names alike."""
    mine, theirs, answers = STATES[name]
    found = explain(reconciled(side({}, mine), side({}, theirs)))
    assert [one for one in kinds(found) if one[1]] == answers, found


def test_what_is_proven_is_repaired_in_both_balances() -> None:
    """The entries move both, and what is doubted has no entry."""
    listed = reconciled(
        side({}, {"USDT": "81.161849", "USDC": "0"}), side({}, {"USDC": "81.161849", "USDT": "0"})
    )
    (one,) = explain(listed)
    assert [entry.row["amount"] for entry in entries_of(listed, one)] == ["81.161849", "-81.161849"]
    apart = reconciled(side({}, {"USDT": "81.161849"}), side({}, {"USDC": "81.161849"}))
    for one in explain(apart):
        with pytest.raises(ReconError, match="would decide"):
            entries_of(apart, one)


def test_two_assets_that_are_traded_may_have_been_bought() -> None:
    """A fill at 1 has the same amounts: nothing is claimed."""
    mine, theirs = {"USDT": "9.125", "USDC": "5"}, {"USDT": "8", "USDC": "6.125"}
    found = explain(reconciled(side({}, mine), side({}, theirs), instruments={PAIR.symbol: PAIR}))
    assert kinds(found) == [CONVERSION]


def test_a_fee_in_the_other_currency_is_no_conversion() -> None:
    """The row that has both amounts is the better evidence."""
    rows = [
        fill(f"f{at_}", "BUY", "1", f"{900 + 7 * at_}", f"{0.9 + 0.007 * at_:.3f} USDT",
             time=at(60 * at_ - 3600), symbol="BTC/USDT")
        for at_ in range(8)
    ]  # fmt: skip
    market = Instrument("BTC/USDT", InstrumentKind.SPOT, "BTC", "USDT", "USDT")
    paid = sum(row.quantity * row.price + row.fee for row in rows)
    wrong = [*rows[:5], fill("f5", "BUY", "1", "935", "0.935 USDC", time=rows[5].time,
                             symbol="BTC/USDT"), *rows[6:]]  # fmt: skip
    ledger = side({"BTC/USDT": "8"}, {"BTC": "8", "USDT": f"{-paid + rows[5].fee}",
                                      "USDC": "-0.935"}, fills=tuple(wrong))  # fmt: skip
    exchange = side({"BTC/USDT": "8"}, {"BTC": "8", "USDT": f"{-paid}", "USDC": "0"})
    found = explain(reconciled(ledger, exchange, instruments={"BTC/USDT": market}))
    assert "conversion" not in {str(cause.cause_kind) for one in found for cause in one.causes}
    assert found[0].causes[0].cause_kind == "fee_currency", found


def legs(*amounts: str, seconds: int = -500) -> list[Movement]:
    """The rows of a conversion, each an amount and its currency."""
    found = []
    for number, one in enumerate(amounts):
        amount, currency = _split(one)
        kind = MovementKind.CONVERSION
        found.append(Movement(f"c{number}", kind, at(seconds), currency, amount))
    return found


def _split(text: str) -> tuple[Decimal, str]:
    amount, currency = text.split()
    return Decimal(amount), currency


ROWS = {
    "at its price": (["-1000 EUR", "1082.35 USD"], ["conversion"]),
    "with its fee": (["-1000 EUR", "1082.35 USD", "-1.85 EUR"], ["conversion"]),
    "of less than one": (["-0.5123 EUR", "0.5541 USD"], ["conversion"]),
    "one leg alone": (["-1000 EUR"], ["missing_movement"]),
    "two receipts": (["10 EUR", "20 USD"], ["missing_movement", "missing_movement"]),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_rows_of_one_time_are_one_conversion(name: str) -> None:
    """What an account gives and receives at once is one cause, at any price."""
    amounts, expected = ROWS[name]
    opening = {"EUR": "5000", "USD": "10"}
    ledger = books(opening=opening)
    (one,) = explain(session(ledger, books(*legs(*amounts), opening=opening)))
    assert kinds([one]) == [("unique", expected)], one.text
