"""Entries of a repair: applied to a copy they do away with what they answer, once and twice."""

from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain import RepairEntry, apply_entries, entries_of, explain
from recon_core.explain.repair.application import applied
from recon_core.explain.repair.completion import diffs_of_entries
from recon_core.explain.repair.entries import require_near_prices
from recon_core.explain.repair.row_text import fill_of, movement_of, row_values
from recon_core.model import CashBalance, Fill, LedgerSide, Leg, Movement, MovementKind, OrderSide
from recon_core.model.comparison import diff_id
from recon_core.model.explanation import Booking, Effort, Explanation, ExplanationVerdict
from recon_core.policy.model import Policy
from recon_core.values.errors import ReconError
from tests.core.builders import AS_OF, SPOT, recorded, side
from tests.explain.real_sessions import books, moved, session

EXAMPLES = Path(__file__).parents[2] / "examples/explain"


def test_a_session_with_a_repaired_copy_has_no_diffs() -> None:
    """The same for the examples, whose entries answer every diff."""
    for path in sorted(EXAMPLES.glob("*.recon.json")):
        before = reconcile_session(path)
        (first, *more) = explain(before, Effort.FULL, repair_exchange=True)
        if first.verdict is not ExplanationVerdict.UNIQUE:
            with pytest.raises(ReconError, match="would decide"):
                entries_of(before, first)
            continue
        assert not more
        entries = entries_of(before, first, repair_exchange=True)
        assert Reconciliation(apply_entries(before.recorded, entries), Policy()).diffs == []
        assert set(entries[0].answers) == {
            diff_id(before.recorded.session_id, identity) for identity in first.explains
        }


def test_each_entry_answers_its_own_diffs() -> None:
    """The diffs of positions and cash, and of a row the one that the entry is about."""
    postings = tuple(
        Booking("add_fill", LedgerSide.INTERNAL, {"symbol": "A/EUR", "fill_id": name}, "lost")
        for name in ("f1", "f 2")
    )
    explains = ("cash::EUR", "fill::A/EUR,f1", "fill::A/EUR,f%202,account=sub", "fill::A/EUR,f3")
    explanation = Explanation(ExplanationVerdict.UNIQUE, explains=explains, repair=postings)
    assert list(diffs_of_entries(explanation)) == [
        ["cash::EUR", "fill::A/EUR,f3", "fill::A/EUR,f1"],
        ["cash::EUR", "fill::A/EUR,f3", "fill::A/EUR,f%202,account=sub"],
    ]


FILL = Fill("f1", "A/EUR", OrderSide.BUY, Decimal(1), Decimal(100), AS_OF)
WHOLE = (
    replace(
        FILL, fee=Decimal("0.1"), fee_currency="BNB", client_order_id="c1", account="main",
        exchange_order_id="x1", leg=Leg.LONG, position_id="p1",
    ),
    Movement(
        "m1", MovementKind.CONVERSION, AS_OF, "EUR", Decimal("-1.5"), "A/EUR", Decimal("0.1"),
        "main", "g1",
    ),
)  # fmt: skip


@pytest.mark.parametrize("row", WHOLE)
def test_a_row_is_written_whole(row: Fill | Movement) -> None:
    """An entry removes the row that has all of its figures, the group of a movement among them."""
    read = fill_of if isinstance(row, Fill) else movement_of
    assert read(row_values(row)) == row
    assert all(getattr(row, one.name) not in {None, one.default} for one in fields(row))


def test_a_copy_of_a_movement_in_a_group_is_removed() -> None:
    """The entry names its group."""
    legs = [
        moved("m1", "conversion", "-123.45 EUR", -60), moved("m2", "conversion", "2 BTC", -60),
    ]  # fmt: skip
    legs = [replace(row, group="c") for row in legs]
    right = books(*legs)
    wrong = books(*legs, replace(legs[0], movement_id="m3"))
    before = session(wrong, right, SPOT)
    (one,) = explain(before)
    (entry,) = entries_of(before, one)
    assert (entry.action, entry.row["group"]) == ("remove_movement", "c")
    assert Reconciliation(apply_entries(before.recorded, [entry]), Policy()).diffs == []


@pytest.mark.parametrize(
    ("there", "action", "copies", "expected"),
    [
        (2, "remove_fill", 1, 1),
        (1, "remove_fill", 1, 1),
        (1, "remove_fill", 0, 0),
        (0, "remove_fill", 0, 0),
        (0, "add_fill", 1, 1),
        (1, "add_fill", 1, 1),
        (1, "add_fill", 2, 2),
        (2, "add_fill", 2, 2),
    ],
)
def test_a_row_is_recognised(there: int, action: str, copies: int, expected: int) -> None:
    """A fill with a twin is removed once, and one that is there is not added again."""
    record = replace(side(), fills=(FILL,) * there)
    values = {**row_values(FILL), "copies": str(copies)}
    assert applied(record, [(action, values)]).fills == (FILL,) * expected


@pytest.mark.parametrize(
    ("there", "fits"), [("5", True), ("4", True), ("3", True), ("6", False), ("0", False)]
)
def test_an_amount_is_recognised(there: str, *, fits: bool) -> None:
    """Entries 5 to 4 and 4 to 3 of one balance; what is neither is refused by name."""
    record = replace(side(), cash=(CashBalance("EUR", Decimal(there)),))
    steps = [
        ("adjust_cash", {"currency": "EUR", "amount": "-1", "stated": "5", "corrected": "4"}),
        ("adjust_cash", {"currency": "EUR", "amount": "-1", "stated": "4", "corrected": "3"}),
    ]
    if not fits:
        with pytest.raises(ReconError, match=f"'EUR' from 5 to 3, and it is {there}"):
            applied(record, steps)
    else:
        assert applied(record, steps).cash == (CashBalance("EUR", Decimal(3)),)


@pytest.mark.parametrize(
    ("action", "values", "problem"),
    [
        ("add", {}, "action: 'add'"),
        ("add_fill", {"copies": "1"}, "has no fill_id"),
        ("add_fill", {**row_values(FILL)}, "has no copies"),
        ("add_fill", {**row_values(FILL), "copies": "many"}, "copies: 'many'"),
        ("add_fill", {**row_values(FILL), "copies": "٣"}, "copies: '٣'"),
        ("add_fill", {**row_values(FILL), "copies": "-1"}, "copies: '-1'"),
        ("add_fill", {**row_values(FILL), "copies": "1" * 10}, "copies: '1111111111'"),
        ("add_fill", {**row_values(FILL), "copies": "1", "side": "LONG"}, "side: 'LONG'"),
        ("add_fill", {**row_values(FILL), "copies": "1", "price": "1e5"}, "price: '1e5'"),
        ("add_fill", {**row_values(FILL), "copies": "1", "time": "now"}, "now"),
        ("add_movement", {"copies": "1", "movement_id": "m", "kind": "gift"}, "kind: 'gift'"),
        ("adjust_cash", {"currency": "EUR"}, "has no stated|has no corrected"),
        ("adjust_cash", {"stated": "1", "corrected": "2"}, "has no currency"),
    ],
)
def test_an_entry_that_is_none_is_refused(
    action: str, values: dict[str, str], problem: str
) -> None:
    """By the field that is wrong."""
    with pytest.raises(ReconError, match=problem):
        applied(side(), [(action, values)])


AMOUNTS = st.decimals(0, 10**9, places=8)
ACCOUNTS = st.sampled_from([None, "main", "sub,1"])
IDS = st.text("abc-_é:", min_size=1, max_size=8)


@given(
    IDS,
    st.sampled_from(OrderSide),
    AMOUNTS,
    AMOUNTS,
    AMOUNTS,
    st.sampled_from(Leg),
    st.none() | IDS,
)
def test_a_fill_survives_its_text(
    name: str, order_side: OrderSide, quantity: Decimal, price: Decimal, fee: Decimal, leg: Leg,
    account: str | None,
) -> None:  # fmt: skip
    """Every field, so that a row is found again in the session it came from."""
    fill = Fill(
        name, "A/EUR", order_side, quantity, price, AS_OF,
        fee=fee, fee_currency="EUR", client_order_id=account,
        account=account, leg=leg, position_id=account,
    )  # fmt: skip
    assert fill_of(row_values(fill)) == fill


@given(IDS, st.sampled_from(MovementKind), AMOUNTS)
def test_a_movement_survives_its_text(name: str, kind: MovementKind, amount: Decimal) -> None:
    """Of cash and of a quantity."""
    of_cash = Movement(name, kind, AS_OF, currency="EUR", amount=amount)
    of_quantity = Movement(name, kind, AS_OF, symbol="A/EUR", quantity=amount)
    for movement in (of_cash, of_quantity):
        assert movement_of(row_values(movement)) == movement


def test_entries_of_another_session_are_passed_over() -> None:
    """A list may hold those of many sessions."""
    before = reconcile_session(EXAMPLES / "lost_fill.recon.json")
    entries = entries_of(before, explain(before)[0])
    other = reconcile_session(EXAMPLES / "double_fee.recon.json").recorded
    assert apply_entries(other, entries) == other
    assert apply_entries(before.recorded, entries).external is before.recorded.external
    without = replace(before.recorded, internal=None)
    with pytest.raises(ReconError, match="no internal side"):
        apply_entries(without, entries)
    assert {entry.side for entry in entries} == {LedgerSide.INTERNAL}


@pytest.mark.parametrize("named", [(None, "main"), ("main", None), (None, None), ("main", "main")])
@pytest.mark.parametrize("of_entry", [None, "main"])
@pytest.mark.parametrize(("action", "copies", "left"), [
    ("remove_fill", 1, 1), ("remove_fill", 0, 0), ("add_fill", 3, 3), ("add_fill", 1, 2),
])  # fmt: skip
def test_a_row_that_names_no_account_is_of_the_only_one(
    named: tuple[str | None, str | None],
    of_entry: str | None,
    action: str,
    copies: int,
    left: int,
) -> None:
    """Equal fills are counted together, whichever of them names it and in whatever order."""
    fill = Fill("f1", "BTC/EUR", OrderSide.BUY, Decimal(1), Decimal(100), AS_OF)
    record = side((), (CashBalance("EUR", Decimal(5), account="main"),))
    record = replace(record, fills=tuple(replace(fill, account=account) for account in named))
    row = {**row_values(replace(fill, account=of_entry)), "copies": str(copies)}
    assert len(applied(record, [(action, row)]).fills or ()) == left


PLAUSIBLE: list[tuple[str, list[str], bool]] = [
    ("100", ["100"], True),
    ("60", ["90", "100"], True),
    ("59.99", ["90", "100"], False),
    ("150", ["90", "100"], True),
    ("150.01", ["90", "100"], False),
    ("-60", ["-90", "-100"], True),
    ("-45", ["-90", "-100"], True),
    ("-44.99", ["-90", "-100"], False),
    ("-133", ["-90", "-100"], True),
    ("-134", ["-90", "-100"], False),
    ("100", [], False),
]
"""The price of a new fill, those of the session's other fills, and if it may be right."""


@pytest.mark.parametrize(("price", "others", "expected"), PLAUSIBLE)
@pytest.mark.parametrize("at_side", list(LedgerSide))
def test_a_price_far_from_all_others_is_refused(
    price: str, others: list[str], at_side: LedgerSide, *, expected: bool
) -> None:
    """Below 2/3 of the lowest, above 3/2 of the highest, or where there is no other."""
    known = [replace(FILL, fill_id=f"g{at}", price=Decimal(one)) for at, one in enumerate(others)]
    known.append(replace(FILL, fill_id="other", symbol="B/EUR", price=Decimal(price)))
    sides = {str(at_side): replace(side(), fills=tuple(known)), str(at_side.other): side()}
    added = [replace(FILL, price=Decimal(price))]
    if expected:
        require_near_prices(recorded(**sides), added)
        return
    words = "no other fill" if not others else "other fills are at"
    with pytest.raises(ReconError, match=f"implausible price: fill f1 of A/EUR .*{words}"):
        require_near_prices(recorded(**sides), added)


def test_a_row_of_a_side_may_be_alone() -> None:
    """It is no new price; beside others it is held against them all the same."""
    there = replace(side(), fills=(FILL,))
    require_near_prices(recorded(there, side()), [FILL])
    near = replace(FILL, fill_id="f2", price=Decimal(9))
    with pytest.raises(ReconError, match="implausible"):
        require_near_prices(recorded(replace(there, fills=(FILL, near)), side()), [FILL])


def test_a_price_of_both_sides_is_no_new_one() -> None:
    """A corrected fee leaves it as both list it, however far the other rows are."""
    near = replace(FILL, fill_id="f2", price=Decimal(9))
    both = replace(side(), fills=(FILL, near))
    require_near_prices(recorded(both, both), [FILL])
    other = replace(side(), fills=(replace(FILL, price=Decimal(8)), near))
    with pytest.raises(ReconError, match="implausible"):
        require_near_prices(recorded(both, other), [FILL])


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("at_side", list(LedgerSide))
def test_a_mirror_is_none_after_a_repair_of_it(at_side: LedgerSide, *, mirrored: bool) -> None:
    """An exchange that repeats the ledger does so until it is repaired itself."""
    given = replace(recorded(side(), side()), mirrored=mirrored)
    entry = RepairEntry("e", "s", at_side, "add_fill", {**row_values(FILL), "copies": "1"}, "", ())
    found = apply_entries(given, [entry])
    assert found.mirrored is (mirrored and at_side is LedgerSide.INTERNAL)
