"""A split that no row tells: the quantities are in a simple ratio, and no cash differs."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.model import SideRecord
from recon_core.model.explanation import Explanation
from tests.core.builders import at, fill, side
from tests.explain.real_sessions import books, linear, session, silent
from tests.explain.spot_ledgers import require_repaired, trade

ROWS = (trade("f1", "BUY", "1", "100", -900), trade("f2", "BUY", "0.234", "110", -800))
PERP = linear("BTC-PERP", "EUR")
IN_LOTS = linear("BTC-PERP", "EUR", "5")


def contracts(first: str, second: str, one: str = "1.01", two: str = "2.02") -> SideRecord:
    """A ledger of two fills of a contract, with the fee of each and how much they buy."""
    more = {"symbol": PERP.symbol}
    return books(
        fill("p1", "BUY", two, "100", f"{first} EUR", time=at(-900), **more),
        fill("p2", "BUY", one, "103", f"{second} EUR", time=at(-500), **more),
    )


def exchange(
    ledger: SideRecord, quantity: str, cash: Mapping[str, str] | None = None
) -> SideRecord:
    """The state of a ledger with another quantity, and other balances."""
    given = silent(ledger, PERP)
    held = tuple(replace(row, quantity=Decimal(quantity)) for row in given.positions or ())
    balances = given.cash if cash is None else side((), cash).cash
    return replace(given, positions=held, cash=balances)


def after_split(ledger: SideRecord, quantity: str) -> SideRecord:
    """The state of a ledger with another quantity, in the balance of its coins as well."""
    given = exchange(ledger, quantity)
    cash = (
        replace(row, total=Decimal(quantity)) if row.currency == "BTC" else row
        for row in given.cash or ()
    )
    return replace(given, cash=tuple(cash))


def splits(found: tuple[Explanation, ...]) -> list[str]:
    """What is said of splits."""
    causes = [cause for one in found if str(one.verdict) == "unique" for cause in one.causes]
    return [cause.text for cause in causes if str(cause.cause_kind) == "split"]


@pytest.mark.parametrize(
    ("ledger", "quantity", "ratio"),
    [
        (books(*ROWS), "4.936", "4:1"),
        (books(*ROWS), "1.851", "3:2"),
        (books(*ROWS), "0.617", "1:2"),
        (books(*ROWS), "24.68", "20:1"),
        (contracts("0.2", "0.103"), "6.06", "2:1"),
        (contracts("0.2", "0.103"), "1.01", "1:3"),
    ],
)
def test_a_split_that_was_not_applied(ledger: SideRecord, quantity: str, ratio: str) -> None:
    """Coins are on a balance as well, and what they are paid in agrees: no trade was lost."""
    before = session(ledger, after_split(ledger, quantity), PERP)
    (one,) = explain(before)
    assert splits((one,)) == [f"the internal side has not applied a split ({ratio})"]
    assert require_repaired(before, one).diffs == []


NO_SPLITS: dict[str, Reconciliation] = {
    "no simple ratio": session(books(*ROWS), after_split(books(*ROWS), "1.2341")),
    "ten times as many coins is a unit": session(books(*ROWS), after_split(books(*ROWS), "12.34")),
    "more than 20 for 1": session(books(*ROWS), after_split(books(*ROWS), "25.914")),
    "the other side is short": session(books(*ROWS), after_split(books(*ROWS), "-2.468")),
    "cash differs": session(
        books(*ROWS), exchange(books(*ROWS), "2.468", {"BTC": "2.468", "EUR": "999000"})
    ),
    "coins are as they were": session(books(*ROWS), exchange(books(*ROWS), "2.468")),
    "coins are in another ratio": session(
        books(*ROWS), exchange(books(*ROWS), "2.468", {"BTC": "3.702", "EUR": "999874.13426"})
    ),
    "no fee would tell": session(
        contracts("0", "0"), exchange(contracts("0", "0"), "6.06"), PERP
    ),
    "all fees are the same": session(
        contracts("0.2", "0.2"), exchange(contracts("0.2", "0.2"), "6.06"), PERP
    ),
    "the size of a contract": session(
        contracts("0.2", "0.103"), exchange(contracts("0.2", "0.103"), "15.15"), IN_LOTS
    ),
    "a few lots": session(
        contracts("0.2", "0.103", "1", "2"),
        exchange(contracts("0.2", "0.103", "1", "2"), "6"), PERP,
    ),
    "no cash is compared": session(
        contracts("0.2", "0.103"),
        replace(exchange(contracts("0.2", "0.103"), "6.06"), cash=None), PERP,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_SPLITS)
def test_no_split_is_claimed(name: str) -> None:
    """Where a trade may be wrong instead, or the ratio says nothing."""
    assert NO_SPLITS[name].diffs
    assert splits(explain(NO_SPLITS[name])) == []
