"""Folding: above a number of fills or orders, the equal ones are one item."""

import contextlib
import gc
import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import Fill
from recon_core.model.matched_rows import EqualRows
from recon_core.policy import Policy
from recon_core.values import memory as quick_memory
from recon_core.values.amounts import EXACT
from recon_core.values.memory import without_collecting
from recon_core.values.severity import Severity
from recon_core.values.times import format_time

from .builders import at, fill, fill_lists, order, recorded, side, verdicts


def folded(
    internal: Sequence[Fill], external: Sequence[Fill], max_items: int, policy: Policy | None = None
) -> Reconciliation:
    """Two sides of fills and one position."""
    sides = (side({"X": "1"}, fills=tuple(rows)) for rows in (internal, external))
    return Reconciliation(recorded(*sides), policy or Policy(), max_items=max_items)


def fills(count: int) -> list[Fill]:
    return [fill(f"f{number}", "BUY", "1", "2") for number in range(count)]


def digest_of(reconciliation: Reconciliation, identity: str) -> str:
    (matched,) = (
        comparison.matched
        for comparison in reconciliation.comparisons
        if comparison.identity == identity
    )
    assert isinstance(matched, EqualRows)
    return matched.digest


@pytest.mark.parametrize(
    ("count", "max_items", "items"),
    [(3, 3, 3), (3, 4, 3), (4, 3, 1), (4, 0, 1), (0, 0, 0), (1, 0, 1)],
)
def test_above_the_number_equal_fills_are_one(count: int, max_items: int, items: int) -> None:
    """At the number itself each is an item of its own; positions never fold."""
    found = folded(fills(count), [replace(each) for each in fills(count)], max_items)
    names = [identity for identity in verdicts(found) if identity.startswith("fill::")]
    assert len(names) == items
    assert (names == ["fill::equal"]) == (count > max_items)
    assert dict(found.folded) == ({"fill": count} if count > max_items else {})
    assert "position::X" in verdicts(found)


def test_what_differs_stays_an_item_of_its_own() -> None:
    """Missing, orphaned, doubled or different, each under its own name."""
    ours, theirs = fills(6), fills(6)
    theirs[0] = replace(theirs[0], quantity=Decimal(9))
    theirs[1] = replace(theirs[1], time=at(1))
    del theirs[2]
    theirs += [theirs[-1], fill("new", "SELL", "1", "1")]
    found = folded(ours, theirs, 2)
    assert verdicts(found) == {
        "fill::BTC/EUR,f0": "FAIL",
        "fill::BTC/EUR,f1": "WARN",
        "fill::BTC/EUR,f2": "FAIL",
        "fill::BTC/EUR,f5": "FAIL",
        "fill::BTC/EUR,new": "FAIL",
        "fill::equal": "match",
        "position::X": "match",
    }
    assert found.folded == {"fill": 2}


def test_a_policy_changes_no_name() -> None:
    """What is INFO by the policy stays an item of its own."""
    theirs = [replace(each, time=at(1)) for each in fills(3)]
    policy = Policy(severity={"fill_time": Severity.INFO})
    found = folded(fills(3), theirs, 1, policy)
    assert verdicts(found)["fill::BTC/EUR,f0"] == "INFO"
    assert set(verdicts(found)) == set(verdicts(folded(fills(3), theirs, 1)))
    assert found.folded == {"fill": 0}


@given(fill_lists(), st.data())
def test_folding_hides_no_diff(rows: list[Fill], data: st.DataObject) -> None:
    """The diffs, and all figures of the summary but the number of items, are the same."""
    theirs = [replace(each) for each in data.draw(st.lists(st.sampled_from(rows or fills(1))))]
    whole, folding = folded(rows, theirs, 10**6), folded(rows, theirs, 0)
    assert [diff.to_dict() for diff in whole.diffs] == [diff.to_dict() for diff in folding.diffs]
    matches = [name for name, verdict in verdicts(whole).items() if verdict == "match"]
    equal = folding.folded.get("fill", 0)
    assert equal == sum(name.startswith("fill::") for name in matches)


def test_orders_fold_by_themselves() -> None:
    """Each kind has its own number; an order with a contradiction of its own stays."""
    orders = [order(f"o{number}", "1", "1") for number in range(4)]
    orders.append(order("bad", "1", "2"))
    orders.append(order("equal", "1", "3"))
    both = (side({"X": "1"}, orders=tuple(replace(each) for each in orders)) for _ in "ab")
    found = Reconciliation(recorded(*both), Policy(), max_items=5)
    assert verdicts(found) == {
        "order::%65qual": "FAIL",
        "order::bad": "FAIL",
        "order::equal": "match",
        "position::X": "match",
    }
    assert found.folded == {"order": 4}
    both = (side({"X": "1"}, orders=tuple(map(replace, orders))) for _ in "ab")
    assert not Reconciliation(recorded(*both), Policy(), max_items=len(orders)).folded


def test_the_item_says_what_it_stands_for() -> None:
    """The count and a digest that anybody can compute again; a note announces it."""
    rows = [fill("b", "BUY", "1.50", "100", "0.10 EUR"), fill("a", "SELL", "2", "3", "0 EUR")]
    found = folded(rows, [replace(each) for each in rows], 1)
    time = "2026-01-01T12:00:00Z"
    lines = [
        ["a", "BTC/EUR", "SELL", "2", "3", time, "0", "EUR", None, None, None, "NET", None],
        ["b", "BTC/EUR", "BUY", "1.5", "1E+2", time, "0.1", "EUR", None, None, None, "NET", None],
    ]
    expected = hashlib.sha256(json.dumps(lines).encode()).hexdigest()
    assert digest_of(found, "fill::equal") == expected
    (message,) = (
        judgement.message
        for judgement in found.judgements
        if judgement.comparison.identity == "fill::equal"
    )
    assert message == f"fill equal: match, 2 fills are equal on both sides, sha256 {expected}"
    assert found.notes[-1] == (
        "fills: 2 that are equal on both sides are one item, called 'equal': there are more than 1"
    )


@given(fill_lists(), st.data())
def test_the_digest_depends_on_values_alone(rows: list[Fill], data: st.DataObject) -> None:
    """Not on the order of the rows, nor on zeros behind the point; any change shows."""
    if not rows:
        return
    shuffled = data.draw(st.permutations(rows))
    padded = [replace(each, price=each.price + Decimal("0.00000")) for each in shuffled]
    digest = EqualRows(tuple(rows)).digest
    assert EqualRows(tuple(padded)).digest == digest
    changed = (replace(rows[0], quantity=rows[0].quantity + 1), *rows[1:])
    assert EqualRows(changed).digest != digest


@given(fill_lists(), st.data())
def test_the_digest_is_that_of_one_json_list(rows: list[Fill], data: st.DataObject) -> None:
    """As documented, row by row and value by value; what is not told is null and comes first."""
    told = st.sampled_from([None, "", "a"])
    rows = [
        replace(each, account=data.draw(told), client_order_id=data.draw(told)) for each in rows * 2
    ]
    lines = [[json_value(getattr(row, field.name)) for field in fields_of(Fill)] for row in rows]
    lines.sort(key=lambda line: [value or "" for value in line])
    expected = hashlib.sha256(json.dumps(lines).encode()).hexdigest()
    assert EqualRows(tuple(rows)).digest == expected


def json_value(value: object) -> str | None:
    if isinstance(value, Decimal):
        return str(EXACT.normalize(value))
    if isinstance(value, datetime):
        return format_time(value)
    return None if value is None else str(value)


def test_an_id_cannot_take_the_item_s_name() -> None:
    """A fill's key has a comma, which no id can bring along; an order's is encoded further."""
    rows = [
        fill(name, "BUY", "1", "1", symbol=symbol)
        for name, symbol in (("", "equal"), ("equal", ""))
    ]
    found = folded(rows, [], 0)
    assert set(verdicts(found)) == {
        "fill::equal,",
        "fill::,equal",
        "fill::equal",
        "position::X",
    }


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_left_as_it_was(*, was_on: bool) -> None:
    """Paused while rows are made; an error turns it on again, too."""
    before = gc.isenabled()
    try:
        (gc.enable if was_on else gc.disable)()
        seen = []
        with contextlib.suppress(ZeroDivisionError), without_collecting():
            seen.append(gc.isenabled())
            seen.append(1 // 0 == 0)
        assert seen == [False]
        assert gc.isenabled() == was_on
    finally:
        (gc.enable if before else gc.disable)()


def test_many_objects_are_not_collected_again_at_once() -> None:
    """They count as old; what a program has set aside itself stays there."""
    assert gc.isenabled()
    with without_collecting():
        made = [[number] for number in range(quick_memory.MANY + 1)]
    assert gc.get_count()[0] < quick_memory.MANY
    assert any(each is made for each in gc.get_objects(generation=2))
    assert gc.get_freeze_count() == 0
    gc.freeze()
    try:
        with without_collecting():
            assert len([[number] for number in range(quick_memory.MANY + 1)]) > quick_memory.MANY
        assert gc.get_freeze_count() > 0
        assert not any(each is made for each in gc.get_objects())
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("listed", ["internal", "external", "both"])
def test_orders_fold_where_one_side_lists_them(listed: str) -> None:
    """Orders that agree with the other side's fills are one item, whichever side has them."""
    orders = tuple(order(f"o{number}", "1", "1") for number in range(3))
    rows = tuple(
        fill(f"f{number}", "BUY", "1", "2", client_order_id=f"o{number}") for number in range(3)
    )
    sides = {
        name: side(
            {"X": "1"},
            fills=tuple(map(replace, rows)),
            orders=tuple(map(replace, orders)) if listed in (name, "both") else None,
        )
        for name in ("internal", "external")
    }
    found = Reconciliation(recorded(**sides), Policy(), max_items=2)
    assert verdicts(found)["order::equal"] == "match"
