"""What is known is said though no cause is proven, in `explain`, in `check` and below an item."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from recon_core.cli.app import main
from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain import explain
from recon_core.explain.on_demand import explainer
from recon_core.model.explanation import Effort, Explanation
from recon_core.policy.model import Policy
from recon_core.reports.side_names import SideNames
from recon_core.reports.text import diff_text
from tests.core.builders import CENTS, SPOT, at, fill, reconciled, side

from .row_books import OPENING, trades

PathOf = Callable[[str], Path]
SESSIONS = json.loads((Path(__file__).parents[1] / "data/explain/known.json").read_text())
SINCE = (
    "snapshots: internal's rows and external agree up to 2018-09-12T19:06:34Z and differ from "
    "2018-09-12T23:06:36Z on (internal 9.99603777 ETH, external 9.99563901 ETH; "
    "by -0.00039876 ETH ever since)"
)
SWAPPED = (
    "internal contradicts itself: it states 99383.57 USD, and its rows give 90499.05: as if "
    "fill h2 of 7993 had moved cash for 268, the quantity of fill h1"
)
EQUITY = "whether a side's cash is equity: the unrealised PnL of ETH/USDC:USDC"
OVERDRAWN = (
    "internal's rows take 12 AMPL out of 10 at 2026-03-02T10:00:00Z: before that, income or "
    "opening of at least 2 is missing"
)
LIQUIDATED = "USDT +7.06914292 remains, consistent with a liquidation fee of 1.25 % of its value"
SPLIT = (
    "cash BTC: all accounts add up to 0.4806368 on both sides (internal in an unnamed one, "
    "external in exchange and margin)"
)
ROUND = "a round 1000.00 USD and no row of it: a deposit, a withdrawal or the opening"
FEES = "cash USD: differs in fees: internal -1.20, external -30.04 (+28.84)"
BOTH, OUTER = (
    "the fills and movements of both sides",
    "the fills and movements of the external side",
)
KNOWN: dict[str, tuple[str, str, str]] = {
    "cash_for_another_quantity": ("unexplained", SWAPPED, "the movements of both sides"),
    "equity_or_wallet": ("unexplained", "", f"{BOTH}, and {EQUITY}"),
    "more_out_than_in": ("", OVERDRAWN, ""),
    "balances_after_every_row": ("unexplained", f"cash ETH: {SINCE}", OUTER),
    "liquidation_by_its_order": ("partial", LIQUIDATED, "the fee of what is missing"),
    "one_total_two_wallets": ("unexplained", SPLIT, BOTH),
    "premium": ("unexplained", "320.00 USD is the value of fill o1", ""),
    "round_opening": ("unexplained", ROUND, BOTH),
    "fees_of_one_side": ("unexplained", FEES, "the fills of the external side"),
}


@pytest.fixture
def path_of(tmp_path: Path) -> PathOf:
    """A function that writes one of the sessions."""

    def written(name: str) -> Path:
        path = tmp_path / f"{name}.recon.json"
        path.write_text(json.dumps(SESSIONS[name]))
        return path

    return written


def test_every_session_is_asked() -> None:
    """None of the file is left out."""
    assert SESSIONS.keys() == KNOWN.keys()


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_known_is_said(name: str, path_of: PathOf) -> None:
    """With the verdict, and what would decide: only what the session does not have."""
    verdict, fact, decides = KNOWN[name]
    found = explain(reconcile_session(path_of(name)))
    for one in found:
        assert str(one.verdict) == (verdict or str(one.verdict))
        assert fact in one.known or not fact
        assert one.decides == (decides or one.decides)
        assert Explanation.from_dict(one.to_dict()) == one


def test_a_missing_liquidation_is_named(path_of: PathOf) -> None:
    """Its order gives side, quantity and price; the fee alone is not known."""
    (one,) = explain(reconcile_session(path_of("liquidation_by_its_order")))
    (cause,) = one.causes
    assert "BUY 36568 AKE/USDT:USDT at 0.0154652; order autoclose-1785" in cause.text
    assert one.residual.cash == {"USDT": Decimal("7.06914292")}
    assert any(each.startswith("order autoclose-1785: external says") for each in one.known)


@pytest.mark.parametrize(
    ("order_type", "fee", "verdict"),
    [
        ("LIQUIDATION", "28.2", "partial"),
        ("LIQUIDATION", "28.3", "unexplained"),
        ("ADL", "7.0", "partial"),
        ("LIMIT", "5.6", "partial"),
        ("LIMIT", "5.7", "unexplained"),
        ("LIMIT", "-0.1", "partial"),
    ],
)
def test_the_fee_of_an_order_is_small(
    order_type: str, fee: str, verdict: str, tmp_path: Path
) -> None:
    """Up to 5 % of its value, 565.53, where the exchange closed the position; else up to 1 %."""
    session = json.loads(json.dumps(SESSIONS["liquidation_by_its_order"]))
    session["external"]["orders"][0]["type"] = order_type
    cash = Decimal("999.99451114") - Decimal("554.55372") - Decimal(fee)
    session["external"]["cash"]["USDT"] = str(cash)
    path = tmp_path / "order.recon.json"
    path.write_text(json.dumps(session))
    assert {str(one.verdict) for one in explain(reconcile_session(path))} == {verdict}


@pytest.mark.parametrize("command", ["explain", "check"])
def test_the_commands_say_it(
    command: str, path_of: PathOf, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, with the sides as the command calls them."""
    with pytest.raises(SystemExit):
        main([command, str(path_of("balances_after_every_row"))])
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("agree up to 2018-09-12T19:06:34Z and differ from 2018-09-12T23:06:36Z") == 1


def test_the_text_of_an_item_says_it_once(path_of: PathOf) -> None:
    """The note of the diff has it; it is not told again in what is known."""
    found = reconcile_session(
        path_of("balances_after_every_row"),
        explain=explainer(Effort.FAST),
    )
    (diff,) = found.diffs
    assert diff_text(diff, "s").count(SideNames().said(SINCE)) == 1


def test_a_proven_cause_needs_no_facts() -> None:
    """Where it lies, and since when, is in the cause."""
    rows = trades()
    books = [side(opening=OPENING, fills=tuple(some)) for some in (rows[1:], rows)]
    (one,) = explain(reconciled(*books, instruments={SPOT.symbol: SPOT}, currencies=CENTS))
    assert (str(one.verdict), one.known) == ("unique", ())


def test_a_precision_that_was_inferred_is_noted() -> None:
    """Beside any answer, be it proven."""
    rows = trades()
    books = [side(opening=OPENING, fills=tuple(some)) for some in (rows[1:], rows)]
    (one,) = explain(reconciled(*books, instruments={SPOT.symbol: SPOT}))
    assert str(one.verdict) == "unique"
    (fact,) = one.known
    assert fact.startswith(
        "fees in EUR are taken to be rounded to 8 decimals, as those of internal"
    )


def lonely(**more: object) -> Reconciliation:
    """A ledger whose balance nothing explains."""
    return reconciled(side({}, {"EUR": "17.31"}, **more), side({}, {"EUR": "4.99"}), Policy())


def test_what_a_source_says_against_itself_is_known() -> None:
    """A reader's finding, in the summary as well as in the explanation."""
    text = "trade 7 is closed with a profit of 5; its orders and fees leave 66.7 open and give 4"
    found = lonely(contradictions=(text,))
    (one,) = explain(found)
    assert f"internal: {text}" in one.known
    assert f"internal: {text}" in found.notes


@pytest.mark.parametrize(
    ("price", "side_", "stated"),
    [("2.00", "BUY", "14"), ("2.00", "SELL", "-14"), ("0.333", "BUY", "2.331")],
)
def test_another_quantity_is_found_by_its_cash(price: str, side_: str, stated: str) -> None:
    """10 booked for 3: 7 x the price too much after a BUY, too little after a SELL."""
    rows = (fill("a", side_, "3", "2.00"), fill("b", side_, "10", price, time=at(1)))
    sign = -1 if side_ == "BUY" else 1
    cash = Decimal(100) + sum(sign * row.quantity * row.price for row in rows) + Decimal(stated)
    opening = replace(OPENING, cash=(replace(OPENING.cash[0], total=Decimal(100)),))
    ledger = side({"BTC/EUR": str(-sign * 13)}, {"EUR": f"{cash}", "BTC": str(-sign * 13)},
                  opening=opening, fills=rows)  # fmt: skip
    exchange = side({"BTC/EUR": str(-sign * 13)}, {"EUR": "1", "BTC": str(-sign * 13)})
    found = explain(reconciled(ledger, exchange, instruments={SPOT.symbol: SPOT}))
    assert any("as if fill b of 10 had moved cash for 3" in each
               for one in found for each in one.known)  # fmt: skip


@pytest.mark.parametrize(
    ("currency", "known"), [("USD", "1000.00 USD is that of deposit m1"), ("EUR", ROUND)]
)
def test_a_row_has_the_amount_in_its_own_currency(
    currency: str, known: str, tmp_path: Path
) -> None:
    """The same number of another one is not named."""
    document = json.loads(json.dumps(SESSIONS["round_opening"]))
    document["internal"]["movements"] = [
        {"movement_id": "m1", "kind": "deposit", "currency": currency, "amount": "1000.00"}
        | {"time": "2026-03-02T10:00:00Z"}
    ]
    path = tmp_path / "round.recon.json"
    path.write_text(json.dumps(document))
    said = [fact for one in explain(reconcile_session(path)) for fact in one.known]
    assert [fact for fact in said if "1000.00 USD" in fact] == [known]
