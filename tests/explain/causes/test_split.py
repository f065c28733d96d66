"""A split that no row tells: the quantities are in a simple ratio, and no cash differs."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.explain.search.states import state_hypotheses
from recon_core.model import SideRecord
from recon_core.model.explanation import CauseKind, Explanation
from tests.core.builders import at, fill, recorded, side
from tests.explain.problems import prover_of
from tests.explain.real_sessions import books, linear, session, silent
from tests.explain.spot_ledgers import require_repaired, trade

ROWS = (trade("f1", "BUY", "1", "100", -900), trade("f2", "BUY", "0.23457", "110", -800))
PERP = linear("BTC-PERP", "EUR")
IN_LOTS = linear("BTC-PERP", "EUR", "5")


def contracts(first: str, second: str, one: str = "1.01018", two: str = "2.02") -> SideRecord:
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


def splits(found: tuple[Explanation, ...]) -> list[str]:
    """What is said of splits."""
    causes = [cause for one in found for cause in one.causes]
    return [cause.text for cause in causes if str(cause.cause_kind) == "split"]


@pytest.mark.parametrize(
    ("ledger", "quantity", "ratio"),
    [
        (books(*ROWS), "4.93828", "4:1"),
        (books(*ROWS), "1.851855", "3:2"),
        (books(*ROWS), "0.617285", "1:2"),
        (books(*ROWS), "24.6914", "20:1"),
        (contracts("0.2", "0.103"), "6.06036", "2:1"),
        (contracts("0.2", "0.103"), "1.01006", "1:3"),
    ],
)
def test_a_split_that_was_not_applied(ledger: SideRecord, quantity: str, ratio: str) -> None:
    """Coins are on a balance as well, and the balances agree: no trade was lost.

    That a split is the cause of one position that differs, nothing proves.
    """
    found = explain(session(ledger, exchange(ledger, quantity), PERP))
    assert splits(found) == [f"the internal side has not applied a split ({ratio})"]
    assert {str(one.verdict) for one in found} == {"ambiguous"}


def test_a_split_that_its_own_rows_deny() -> None:
    """The exchange states a quantity of before the split; its rows are the second witness."""
    ledger = books(*ROWS)
    stated = silent(ledger)
    held = tuple(replace(row, quantity=row.quantity * 4) for row in stated.positions or ())
    before = session(ledger, replace(books(*ROWS), positions=held, cash=stated.cash))
    (one,) = explain(before, repair_exchange=True)
    assert splits((one,)) == ["the external side has not applied a split (1:4)"]
    assert require_repaired(before, one).diffs == []


FEW: dict[str, Reconciliation] = {
    "fills of one size": session(
        contracts("0.2", "0.103", "1.01018", "2.02036"),
        exchange(contracts("0.2", "0.103", "1.01018", "2.02036"), "6.06108"), PERP,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FEW)
def test_a_ratio_of_a_few_lots_is_no_proof(name: str) -> None:
    """Another error of some lots is as likely: the split is named, and proven by nothing."""
    found = explain(FEW[name])
    assert {str(one.verdict) for one in found} == {"ambiguous"}
    assert "split" in {str(cause.cause_kind) for one in found for cause in one.causes}


NO_SPLITS: dict[str, Reconciliation] = {
    "no simple ratio": session(books(*ROWS), exchange(books(*ROWS), "1.2341")),
    "ten times as many coins is a unit": session(books(*ROWS), exchange(books(*ROWS), "12.3457")),
    "more than 20 for 1": session(books(*ROWS), exchange(books(*ROWS), "25.92597")),
    "the other side is short": session(books(*ROWS), exchange(books(*ROWS), "-2.46914")),
    "cash differs": session(
        books(*ROWS), exchange(books(*ROWS), "2.46914", {"BTC": "1.23457", "EUR": "999000"})
    ),
    "coins differ": session(
        books(*ROWS), exchange(books(*ROWS), "2.46914", {"BTC": "2.46914", "EUR": "999874.0714973"})
    ),
    "no fee would tell": session(
        contracts("0", "0"), exchange(contracts("0", "0"), "6.06036"), PERP
    ),
    "all fees are the same": session(
        contracts("0.2", "0.2"), exchange(contracts("0.2", "0.2"), "6.06036"), PERP
    ),
    "the size of a contract": session(
        contracts("0.2", "0.103"), exchange(contracts("0.2", "0.103"), "15.1509"), IN_LOTS
    ),
    "a few lots": session(
        contracts("0.2", "0.103", "1", "2"),
        exchange(contracts("0.2", "0.103", "1", "2"), "6"), PERP,
    ),
    "no cash is compared": session(
        contracts("0.2", "0.103"),
        replace(exchange(contracts("0.2", "0.103"), "6.06036"), cash=None), PERP,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_SPLITS)
def test_no_split_is_claimed(name: str) -> None:
    """Where a trade may be wrong instead, or the ratio says nothing."""
    assert NO_SPLITS[name].diffs
    assert splits(explain(NO_SPLITS[name])) == []


def test_a_split_has_40_forms() -> None:
    """2 to 20 for 1, and 1 for as many: so many ratios would each be a split."""
    prover = prover_of(recorded(side({"X": "10.0037"}), side({"X": "20.0074"})))
    forms = {
        one.forms
        for one in state_hypotheses(prover.dimensions, prover.recorded, {})
        if one.cause_kind is CauseKind.SPLIT
    }
    assert forms == {40}
