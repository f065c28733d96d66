"""Rivals beside a second fault, and of what lies at an end of the ledger.

Each session is one in which the true cause was lost: an exchange that is behind, an opening that
counts the first fill already, a row that only the exchange's own list lacks.
"""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain import apply_entries, entries_of, explain
from recon_core.explain.problem.hypotheses import fill_content
from recon_core.ledger.replay import replay
from recon_core.model import Fill, SideRecord
from recon_core.model.explanation import Explanation, ExplanationVerdict
from tests.core.builders import SPOT, order, recorded
from tests.explain.real_sessions import books, session
from tests.explain.spot_ledgers import RICH, ROWS, exchange, ledger_of, trade
from tests.explain.test_snapshots import Faulty, faulty

SESSIONS = json.loads((Path(__file__).parents[1] / "data/explain/lost_rivals.json").read_text())
IN, OUT = "internal", "external"
Said = list[tuple[str, str]]
"""The side and the kind of each cause."""

ORPHAN, DUPLICATE, BEHIND = (IN, "orphan_fill"), (IN, "duplicate_fill"), (OUT, "stale_side")
OPENED = (IN, "opening_balance")
RIVALS: dict[str, list[Said]] = {
    "first_fill_in_the_opening": [[ORPHAN], [OPENED]],
    "first_fill_in_the_opening_by_snapshots": [[ORPHAN], [OPENED]],
    # The state of the exchange shows the row that its list lacks; the newest fill may be unseen.
    "lost_payment_of_the_exchange": [
        [(OUT, "missing_movement"), ORPHAN], [(OUT, "missing_movement"), BEHIND],
    ],
    "repeated_row_of_the_exchange": [
        [(OUT, "duplicate_fill"), ORPHAN], [(OUT, "duplicate_fill"), BEHIND],
    ],
    "behind_beside_a_duplicate": [[DUPLICATE, ORPHAN], [DUPLICATE, BEHIND]],
    "behind_beside_a_name": [[ORPHAN, (OUT, "alias")], [BEHIND, (OUT, "alias")]],
    "behind_beside_a_bust": [[ORPHAN, ORPHAN], [ORPHAN, BEHIND]],
    "behind_by_its_reports": [[ORPHAN], [BEHIND]],
    "behind_within_an_order": [[ORPHAN], [BEHIND]],
    # A report of 72, three fills of 36 that move no cash: their prices count once they are closed.
    "any_fill_of_an_order": [[ORPHAN]],
    "behind_by_a_copy": [[DUPLICATE], [BEHIND]],
    "behind_by_a_twin": [[ORPHAN], [BEHIND], [OPENED]],
    "unit_beside_a_flip": [
        [OPENED, (IN, "side_flipped")], [(IN, "side_flipped"), (OUT, "unit")],
    ],
    "newest_beside_a_fee": [[(IN, "missing_fee"), ORPHAN], [(IN, "missing_fee"), OPENED]],
    "newest_beside_a_bust": [
        [ORPHAN, ORPHAN], [ORPHAN, ORPHAN], [ORPHAN, BEHIND], [OPENED], [ORPHAN, OPENED],
    ],
    # Neither a fee nor cash in cents says which of two prices is right.
    "price_that_cents_hide": [
        [(IN, "missing_fee"), (IN, "wrong_price")], [(IN, "missing_fee"), (OUT, "wrong_price")],
    ],
    # Two executions in one order: their average has more decimals than a price.
    "order_at_its_average": [[(IN, "missing_fill")]],
    # Two executions of one order, whose average is a price; orders have several executions.
    "two_fills_as_one": [[(IN, "missing_fill")]],
    # Three fills, of which two are one order; a single price is known, and its tick of 0.5.
    "two_orders_or_three_fills": [[(IN, "missing_fill"), (IN, "missing_fill")]],
    # A false fill before the span: what the reports count is neither then nor now.
    "reports_against_a_span": [[BEHIND]],
}  # fmt: skip
PROVEN: dict[str, Said] = {
    "lost_row_of_the_exchange": [(OUT, "missing_fill"), OPENED],
    "turned_row_of_the_exchange": [(OUT, "side_flipped"), OPENED],
}


def found_in(directory: Path, name: str) -> tuple[Explanation, ...]:
    """The explanations of one of the sessions, read from a file of its own."""
    path = directory / f"{name}.recon.json"
    path.write_text(json.dumps(SESSIONS[name]))
    return explain(reconcile_session(path))


def said(one: Explanation) -> Said:
    """The causes of an explanation."""
    return [(str(cause.side), str(cause.cause_kind)) for cause in one.causes]


def test_every_session_is_asked() -> None:
    """None of the file is left out."""
    assert SESSIONS.keys() == {*RIVALS, *PROVEN}


@pytest.mark.parametrize("name", RIVALS)
def test_the_rival_is_named_beside_the_answer(name: str, tmp_path: Path) -> None:
    """All causes but those that it replaces stay, and nothing is repaired."""
    found = found_in(tmp_path, name)
    assert {one.verdict for one in found} == {ExplanationVerdict.AMBIGUOUS}
    assert [said(one) for one in found] == RIVALS[name]
    assert all(one.decides and not one.repair for one in found)


@pytest.mark.parametrize("name", PROVEN)
def test_two_statements_prove_a_fault(name: str, tmp_path: Path) -> None:
    """The exchange's own state and the ledger's row, or both openings, say which row is wrong."""
    (one,) = found_in(tmp_path, name)
    assert (one.verdict, said(one)) == (ExplanationVerdict.UNIQUE, PROVEN[name])


def test_fills_at_other_prices_are_not_equal(tmp_path: Path) -> None:
    """All of which one is false are named, and none is removed."""
    (one,) = found_in(tmp_path, "any_fill_of_an_order")
    assert one.causes[0].ids == ("a", "b", "c")
    assert one.text.endswith("; one of 3 fills")


def test_several_lost_fills_have_the_sum_of_one(tmp_path: Path) -> None:
    """The books are the same, so the cause names both."""
    (one,) = found_in(tmp_path, "two_fills_as_one")
    assert "lacks a fill, or several of this sum: SELL 0.123458 BTC/USDT at 42162.5" in one.text


FIRST = trade("z", "BUY", "4", "97.0001", -950)
SHOWN: dict[str, SideRecord] = {
    "its opening": replace(exchange(ROWS), opening=books(*ROWS, opening={"EUR": RICH}).opening),
    "a snapshot before": exchange(ROWS, (-970,)),
    "its reports": replace(exchange(ROWS), orders=tuple(
        order(row.order_id, str(row.quantity), str(row.quantity), side=row.side, time=row.time)
        for row in ROWS
    )),
    "its fills": books(*ROWS, opening={"EUR": RICH}),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_a_first_fill_that_the_exchange_denies_is_no_opening(name: str) -> None:
    """Its opening, its rows or a snapshot from before the fill show that it is false."""
    ledger = ledger_of([FIRST, *ROWS])
    assert [said(one) for one in explain(session(ledger, exchange(ROWS)))] == [[ORPHAN], [OPENED]]
    (one,) = explain(session(ledger, SHOWN[name]))
    assert (one.verdict, said(one)) == (ExplanationVerdict.UNIQUE, [ORPHAN])


EVIDENCE = ("states", "reports", "rows", "lists")


def behind(rows: list[Fill], evidence: str) -> SideRecord:
    """An exchange that knows these fills, and gives its state, reports or rows of them."""
    given_ = books(*rows, opening={"EUR": RICH})
    ledger = replay(recorded(given_, None, instruments={SPOT.symbol: SPOT}), given_)
    known = replace(given_, positions=ledger.positions, cash=ledger.cash, opening=None)
    if evidence == "rows":
        return replace(known, opening=given_.opening)
    if evidence == "lists":
        return known
    reports = [
        order(row.order_id, str(row.quantity), str(row.quantity), side=row.side, time=row.time)
        for row in rows
    ]
    return replace(
        known, fills=None, movements=None, orders=tuple(reports) if evidence == "reports" else None
    )


def _removed_late(reconciliation: Reconciliation, one: Explanation, late: list[Fill]) -> bool:
    """True if a repair leaves fewer of these fills than the ledger has."""
    before = reconciliation.recorded.internal
    entries = entries_of(reconciliation, one)
    after = apply_entries(reconciliation.recorded, entries).internal
    assert before is not None
    assert after is not None
    had, has = (Counter(map(fill_content, record.fills or ())) for record in (before, after))
    true = Counter(map(fill_content, late))
    return any(has[content] < min(had[content], count) for content, count in true.items())


@pytest.mark.large
@given(faulty(1), st.sampled_from(EVIDENCE), st.integers(1, 3))
def test_true_fills_that_the_exchange_has_not_seen_are_kept(
    drawn: Faulty, evidence: str, unseen: int
) -> None:
    """The exchange is cut at a time, and any row of the ledger has a fault besides.

    From a state alone two unseen fills may be one fault of a third; one is.
    """
    rows, wrong, ((_, spoilt),) = drawn
    unseen = unseen if evidence in {"rows", "lists"} else 1
    assume(unseen < len(rows))
    late = [row for row in rows[-unseen:] if row.fill_id != spoilt]
    reconciliation = session(ledger_of(wrong), behind(rows[:-unseen], evidence))
    for one in explain(reconciliation):
        event(f"{evidence}: {one.verdict}")
        if one.verdict is ExplanationVerdict.UNIQUE and one.repair:
            assert not _removed_late(reconciliation, one, late), one.text
