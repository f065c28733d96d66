"""Fills against fills: by account, symbol and id, then field by field."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.compare.rows.fill_rules import differing_fields, same_fill
from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import Fill, Leg, OrderSide
from recon_core.model.matched_rows import RowCase
from recon_core.policy import Policy
from recon_core.values.severity import JUDGED, Severity

from .builders import AS_OF, at, checks, fill, fill_lists, found_cases, reconciled, side, verdicts

F1 = fill("f1", "BUY", "0.10", "42000.00", "4.20 EUR")
F2 = fill("f2", "SELL", "0.05", "43000.00", "2.15 EUR")


def of_fills(internal: Any, external: Any, policy: Policy | None = None) -> Reconciliation:
    """Two sides that report nothing but fills."""
    return reconciled(side(fills=tuple(internal)), side(fills=tuple(external)), policy)


def only(reconciliation: Reconciliation) -> str:
    """The one-line text of the only diff."""
    (diff,) = (diff for diff in reconciliation.diffs if diff.diff_type == "FILL")
    return diff.description


CASES = [
    ("equal", [F1], [F1], {}),
    ("equal values with other zeros", [F1], [replace(F1, quantity=Decimal("0.1"))], {}),
    ("in another order", [F1, F2], [F2, F1], {}),
    ("missing", [F1], [F1, F2], {"f2": "fill_missing"}),
    ("orphaned", [F1, F2], [F1], {"f2": "fill_orphaned"}),
    ("all missing", [], [F1, F2], {"f1": "fill_missing", "f2": "fill_missing"}),
    ("twice on one side", [F1, F1], [F1], {"f1": "fill_duplicate"}),
    ("twice on the other", [F1], [F1, F1], {"f1": "fill_duplicate"}),
    ("twice on both", [F1, F1], [F1, F1], {"f1": "fill_duplicate"}),
    ("twice, and nowhere else", [F1, F1], [], {"f1": "fill_orphaned, fill_duplicate"}),
    (
        "twice with another payload",
        [F1, replace(F1, quantity=Decimal("0.2"))],
        [F1],
        {"f1": "fill_duplicate, fill_payload"},
    ),
    ("quantity", [F1], [replace(F1, quantity=Decimal("0.11"))], {"f1": "fill_payload"}),
    ("price", [F1], [replace(F1, price=Decimal("42000.01"))], {"f1": "fill_payload"}),
    ("order side", [F1], [replace(F1, side="SELL")], {"f1": "fill_payload"}),
    ("fee", [F1], [replace(F1, fee=Decimal("4.21"))], {"f1": "fill_fee"}),
    ("fee's sign", [F1], [replace(F1, fee=Decimal("-4.20"))], {"f1": "fill_fee"}),
    ("fee's currency", [F1], [replace(F1, fee_currency="BNB")], {"f1": "fill_fee"}),
    ("no fee", [F1], [replace(F1, fee=Decimal(0), fee_currency=None)], {"f1": "fill_fee"}),
    ("time", [F1], [replace(F1, time=at(0.000001))], {"f1": "fill_time"}),
    (
        "everything",
        [F1],
        [replace(F2, fill_id="f1", time=at(1))],
        {"f1": "fill_payload, fill_fee, fill_time"},
    ),
    ("leg", [replace(F1, leg=Leg.LONG)], [replace(F1, leg=Leg.SHORT)], {"f1": "fill_payload"}),
    ("a leg that one side does not tell", [replace(F1, leg=Leg.LONG)], [F1], {}),
    (
        "order id",
        [replace(F1, client_order_id="c1")],
        [replace(F1, client_order_id="c2")],
        {"f1": "fill_payload"},
    ),
    (
        "order ids of two kinds",
        [replace(F1, client_order_id="c1")],
        [replace(F1, exchange_order_id="e1")],
        {},
    ),
    (
        "no fee in two currencies",
        [replace(F1, fee=Decimal(0))],
        [replace(F1, fee=Decimal(0), fee_currency="BNB")],
        {},
    ),
]


@pytest.mark.parametrize(
    ("internal", "external", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_cases(internal: list[Fill], external: list[Fill], expected: dict[str, str]) -> None:
    """Every case by its key of the policy; each fill key is one comparison."""
    reconciliation = of_fills(internal, external)
    ids = {each.fill_id for each in (*internal, *external)}
    assert set(verdicts(reconciliation)) == {f"fill::BTC/EUR,{name}" for name in ids}
    assert found_cases(reconciliation) == {
        f"fill::BTC/EUR,{name}": cases for name, cases in expected.items()
    }
    # The same from the other side, missing and orphaned exchanged.
    swapped = {"fill_missing": "fill_orphaned", "fill_orphaned": "fill_missing"}
    assert found_cases(of_fills(external, internal)) == {
        f"fill::BTC/EUR,{name}": ", ".join(swapped.get(case, case) for case in cases.split(", "))
        for name, cases in expected.items()
    }


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (F1, "match"),
        (replace(F1, fee=Decimal(5)), "WARN"),
        (replace(F1, time=at(1)), "WARN"),
        (replace(F1, time=at(1), fee=Decimal(5)), "WARN"),
        (replace(F1, time=at(1), price=Decimal(1)), "FAIL"),
        (F2, "FAIL"),
    ],
)
def test_default_severities(other: Fill, expected: str) -> None:
    """FAIL, but WARN where only the fee or the time differs; the worst of several counts."""
    found = verdicts(of_fills([F1], [other]))
    assert set(found.values()) == {expected}


@pytest.mark.parametrize("severity", JUDGED)
def test_the_policy_gives_every_case_its_severity(severity: Severity) -> None:
    """INFO is the lowest: a diff stays a diff."""
    policy = Policy(severity={"fill_missing": severity, "fill_fee": severity})
    other = replace(F1, fee=Decimal(5))
    found = of_fills([F1], [other, F2], policy)
    assert set(verdicts(found).values()) == {str(severity)}
    assert {diff.tolerance for diff in found.diffs if diff.diff_type == "FILL"} == {
        f"fill_missing is {severity}",
        f"fill_fee is {severity}",
    }


def test_both_payloads_are_in_the_text() -> None:
    """Nobody has to look a fill up in two systems."""
    text = only(of_fills([F1], [replace(F1, quantity=Decimal("0.2"), client_order_id="c\x1b1")]))
    assert text == (
        "fill f1 of BTC/EUR: FAIL, quantity differs: "
        "internal BUY 0.10 at 42000.00, fee 4.20 EUR, 2026-01-01T12:00:00Z; "
        "external BUY 0.2 at 42000.00, fee 4.20 EUR, 2026-01-01T12:00:00Z, of order c\\x1b1"
    )


def test_order_ids_that_differ_are_in_the_text() -> None:
    """The line of a fill has one id of its order, so that two equal lines would explain nothing."""
    ours, theirs = (
        replace(F1, client_order_id="c1", exchange_order_id=told) for told in ("e1", "e2")
    )
    assert "exchange_order_id (e1 and e2) differs" in only(of_fills([ours], [theirs]))


def test_a_missing_fill_is_told_from_an_orphan() -> None:
    """Missing is what the system did not book, orphaned what the exchange does not know."""
    payload = "BUY 0.10 at 42000.00, fee 4.20 EUR, 2026-01-01T12:00:00Z"
    assert only(of_fills([], [F1])) == (
        f"fill f1 of BTC/EUR: FAIL, missing, internal does not list it: external {payload}"
    )
    assert only(of_fills([F1], [])) == (
        f"fill f1 of BTC/EUR: FAIL, orphaned, external does not list it: internal {payload}"
    )


def test_a_text_stays_short_however_often_an_id_stands() -> None:
    """A source that gives every fill one id makes one diff, and no endless line."""
    rows = [fill("same", "BUY", str(number + 1), "1") for number in range(5000)]
    text = only(of_fills(rows, [rows[0]]))
    assert "stated 5000 times by internal" in text
    assert "and 4997 more" in text
    assert len(text) < 1000


def test_figures_of_a_diff_are_the_amount_that_differs() -> None:
    """Quantity before price before fee; none where rows are missing or doubled."""
    (diff,) = of_fills([F1], [replace(F1, quantity=Decimal("0.2"), fee=Decimal(5))]).diffs
    assert (diff.internal, diff.external, diff.delta, diff.unit) == (
        Decimal("0.10"),
        Decimal("0.2"),
        Decimal("-0.10"),
        "BTC",
    )
    (diff,) = of_fills([F1], [replace(F1, fee=Decimal(5))]).diffs
    assert (diff.delta, diff.unit) == (Decimal("-0.80"), "EUR")
    (diff,) = of_fills([F1], [replace(F1, fee_currency="BNB", fee=Decimal(5))]).diffs
    assert (diff.internal, diff.delta, diff.drift) == (None, None, None)
    (diff,) = of_fills([replace(F1, exchange_order_id="e1")], []).diffs
    assert (diff.internal, diff.external, diff.order_id) == (None, None, "e1")
    assert diff.diff_details["internal_quantity"] == "0.10"
    assert diff.diff_details["fill_id"] == "f1"


def test_keys_name_the_account_where_a_side_has_several() -> None:
    """As those of positions do; an id counts within its account and symbol."""
    rows = [replace(F1, account="a"), replace(F1, account="b"), replace(F1, symbol="x,y")]
    assert set(verdicts(of_fills(rows, rows[:1]))) == {
        "fill::BTC/EUR,f1,account=a",
        "fill::BTC/EUR,f1,account=b",
        "fill::x%2Cy,f1",
    }
    one_each = of_fills([replace(F1, account="a")], [replace(F1, account="other")])
    assert verdicts(one_each) == {"fill::BTC/EUR,f1": "match"}


def test_fills_that_one_side_does_not_report_are_no_comparisons() -> None:
    """Absent is not empty: a note, and a FAIL where the policy requires fills."""
    sides = side({"X": "1"}, fills=(F1,)), side({"X": "1"})
    assert verdicts(reconciled(*sides)) == {"position::X": "match"}
    assert checks(reconciled(*sides))["coverage"] == "match"
    assert checks(reconciled(*sides, Policy(require=("fills",))))["coverage"] == "FAIL"


def test_a_mirror_is_not_compared_with_itself() -> None:
    """The copy of a side proves nothing about its fills."""
    one = side({"X": "1"}, fills=(F1, F1))
    assert verdicts(reconciled(one, one, mirrored=True)) == {"position::X": "match"}


def test_fills_of_one_source_are_not_compared_with_themselves() -> None:
    """Both sides took them from one file, or from one table in memory."""
    ours = side({"X": "1"}, fills=(F1,), origins={"fills": "run fills"})
    theirs = side({"X": "1"}, fills=(replace(F1),), origins={"fills": "run fills"})
    other = side({"X": "1"}, fills=(replace(F1),), origins={"fills": "other"})
    for external in (theirs, replace(ours, origins={})):
        found = reconciled(ours, external)
        assert verdicts(found) == {"position::X": "match"}
        assert "fills: both sides were read from one source" in found.notes[-1]
        assert checks(reconciled(ours, external, Policy(require=("fills",))))["coverage"] == "FAIL"
    assert verdicts(reconciled(ours, other))["fill::BTC/EUR,f1"] == "match"


def test_equal_fills_are_something_compared() -> None:
    """A session of fills alone is covered; empty ones on both sides are not."""
    assert checks(of_fills([F1], [replace(F1)]))["coverage"] == "match"
    assert checks(of_fills([], []))["coverage"] == "FAIL"


@given(fill_lists(), st.data())
def test_the_order_of_rows_decides_nothing(rows: list[Fill], data: st.DataObject) -> None:
    """Any permutation of either side gives the same names and verdicts."""
    shuffled = data.draw(st.permutations(rows))
    dropped = shuffled[:-1]
    assert verdicts(of_fills(rows, dropped)) == verdicts(
        of_fills(reversed(rows), reversed(dropped))
    )
    assert set(verdicts(of_fills(rows, shuffled)).values()) <= {"match"}


ONE = fill("f", "BUY", "1", "2", "0.1 EUR")
ORDERS = [None, "o", "x", "NET"]


@st.composite
def changes(draw: st.DrawFn) -> Fill:
    """One fill with a few of its fields changed, or told in other words."""
    values: dict[str, list[Any]] = {
        "side": [OrderSide.SELL],
        "quantity": [Decimal("1.00"), Decimal(2)],
        "price": [Decimal("2.0"), Decimal(3)],
        "fee": [Decimal("0.10"), Decimal(0), Decimal("0.2")],
        "fee_currency": ["BNB"],
        "time": [at(1)],
        "client_order_id": ORDERS,
        "exchange_order_id": ORDERS,
        "leg": list(Leg),
        "account": ["a"],
        "position_id": ["p"],
    }
    chosen = draw(st.sets(st.sampled_from(sorted(values)), max_size=3))
    return replace(ONE, **{name: draw(st.sampled_from(values[name])) for name in chosen})


@given(changes(), changes())
def test_equal_at_once_is_equal_field_by_field(one: Fill, other: Fill) -> None:
    """The quick look that many rows get finds nothing else than the thorough one."""
    assert same_fill(one, other) == (not list(differing_fields((one, other))))


def test_an_order_may_be_called_like_a_leg() -> None:
    """Its id is told, other than the leg NET."""
    rows = [replace(ONE, client_order_id=name) for name in ("NET", "o")]
    assert list(differing_fields(rows)) == [(RowCase.FILL_PAYLOAD, "client_order_id")]
    assert not same_fill(*rows)


@given(fill_lists(), st.data())
def test_one_change_is_one_diff(rows: list[Fill], data: st.DataObject) -> None:
    """Whatever field of whatever fill is changed, exactly that fill differs."""
    if not rows:
        return
    index = data.draw(st.integers(0, len(rows) - 1))
    change = data.draw(
        st.sampled_from(
            [
                {"quantity": rows[index].quantity + 1},
                {"price": rows[index].price + 1},
                {"fee": rows[index].fee + 1},
                {"time": at(data.draw(st.integers(1, 10**6)))},
            ]
        )
    )
    changed = [*rows[:index], replace(rows[index], **change), *rows[index + 1 :]]
    found = verdicts(of_fills(rows, changed))
    different = {identity for identity, verdict in found.items() if verdict != "match"}
    assert different == {f"fill::BTC/EUR,{rows[index].fill_id}"}


def test_a_diff_has_the_time_of_the_external_side() -> None:
    """Like every other comparison of the session."""
    external = side(fills=(), as_of=at(30))
    (diff,) = (d for d in reconciled(side(fills=(F1,)), external).diffs if d.diff_type == "FILL")
    assert (diff.timestamp, diff.timestamp != AS_OF) == (at(30), True)
