"""Orders against orders, and against the fills of both sides."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.compare.rows.matcher import Matching, match
from recon_core.engine.reconciliation import Reconciliation
from recon_core.ledger import OrderLedger
from recon_core.model import Fill, Order, OrderSide, OrderState
from recon_core.model.matched_rows import MatchedOrder
from recon_core.policy import Policy
from recon_core.values.errors import ReconError
from recon_core.values.severity import Severity

from .builders import at, checks, fill, found_cases, order, reconciled, recorded, side, verdicts


def of_orders(
    internal: Any, external: Any, fills: tuple[Any, Any] = (None, None), **more: Any
) -> Reconciliation:
    """Two sides that report orders, and fills where they are given."""
    sides = [
        side(
            {"X": "1"},
            orders=None if orders is None else tuple(orders),
            fills=None if each is None else tuple(each),
        )
        for orders, each in zip((internal, external), fills, strict=True)
    ]
    return reconciled(*sides, **more)


def orders_only(reconciliation: Reconciliation) -> dict[str, str]:
    """What was found on orders, by their key."""
    return {
        identity.removeprefix("order::"): cases
        for identity, cases in found_cases(reconciliation).items()
        if identity.startswith("order::")
    }


def text_of(reconciliation: Reconciliation) -> str:
    """The one-line text of the only diff of an order."""
    (diff,) = (diff for diff in reconciliation.diffs if diff.diff_type == "ORDER")
    return diff.description


def part(number: int, quantity: str, of: str = "o1", **more: Any) -> Fill:
    """The fill of an order, by the client's id."""
    fields = {"client_order_id": of, "time": at(number), **more}
    return fill(f"f{number}", "BUY", quantity, "100", **fields)


O1 = order("o1", "10", "10")
OPEN = order("o1", "10", "0", "ACKNOWLEDGED")
HALF = order("o1", "10", "5", "PARTIALLY_FILLED")

CASES: list[tuple[str, list[Order], list[Order], str]] = [
    ("filled", [O1], [O1], ""),
    ("open", [OPEN], [OPEN], ""),
    ("partially filled", [HALF], [HALF], ""),
    ("cancelled after a part", [replace(HALF, state="CANCELLED")] * 1, [], "order_orphaned"),
    ("missing", [], [O1], "order_missing"),
    ("orphaned", [O1], [], "order_orphaned"),
    ("stated twice", [O1, O1], [O1], "order_duplicate"),
    (
        "stated twice with two states",
        [OPEN, O1],
        [O1],
        "order_duplicate, order_filled, order_state",
    ),
    ("quantity", [OPEN], [replace(OPEN, quantity=Decimal(11))], "order_payload"),
    ("order side", [OPEN], [replace(OPEN, side=OrderSide.SELL)], "order_payload"),
    ("symbol", [OPEN], [replace(OPEN, symbol="ETH/EUR")], "order_payload"),
    (
        "price",
        [replace(OPEN, price=Decimal(1))],
        [replace(OPEN, price=Decimal(2))],
        "order_payload",
    ),
    ("a price that one side does not tell", [replace(OPEN, price=Decimal(1))], [OPEN], ""),
    (
        "a type in other words",
        [replace(OPEN, order_type="LIMIT")],
        [replace(OPEN, order_type="limit")],
        "",
    ),
    ("time", [OPEN], [replace(OPEN, time=at(1))], "order_time"),
    ("state", [OPEN], [replace(OPEN, state="CANCELLED")], "order_state"),
    (
        "filled for one side, open for the other",
        [replace(OPEN, state="SUBMITTED")],
        [O1],
        "order_filled, order_state",
    ),
    ("partial for one side", [HALF], [O1], "order_filled, order_partial"),
    (
        "filled with less",
        [replace(O1, filled_quantity=Decimal(9))],
        [O1],
        "order_filled, order_partial",
    ),
    (
        "partially filled with nothing",
        [replace(HALF, filled_quantity=Decimal(0))],
        [replace(HALF, filled_quantity=Decimal(0))],
        "order_state",
    ),
    (
        "partially filled with all",
        [replace(HALF, filled_quantity=Decimal(10))],
        [replace(HALF, filled_quantity=Decimal(10))],
        "order_state",
    ),
    (
        "open and filled with all",
        [replace(OPEN, filled_quantity=Decimal(10))],
        [replace(OPEN, filled_quantity=Decimal(10))],
        "order_state",
    ),
    (
        "cancelled for one side, filled for the other",
        [replace(OPEN, state="CANCELLED")],
        [O1],
        "order_filled, order_state, order_cancelled_filled",
    ),
    (
        "cancelled with all filled",
        [replace(O1, state="CANCELLED")],
        [replace(O1, state="CANCELLED")],
        "order_cancelled_filled",
    ),
    (
        "rejected with some filled",
        [replace(HALF, state="REJECTED")],
        [replace(HALF, state="REJECTED")],
        "order_cancelled_filled",
    ),
    (
        "overfilled",
        [replace(O1, filled_quantity=Decimal(20))],
        [replace(O1, filled_quantity=Decimal(20))],
        "order_overfilled",
    ),
]


@pytest.mark.parametrize(
    ("internal", "external", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_cases(internal: list[Order], external: list[Order], expected: str) -> None:
    """Every case by its key of the policy; each order is one comparison."""
    found = of_orders(internal, external)
    assert list(verdicts(found)) == ["order::o1", "position::X"]
    assert set(orders_only(found).get("o1", "").split(", ")) == set(expected.split(", "))
    mirrored = {"order_missing": "order_orphaned", "order_orphaned": "order_missing"}
    swapped = orders_only(of_orders(external, internal)).get("o1", "")
    assert {mirrored.get(case, case) for case in swapped.split(", ")} == set(expected.split(", "))


NO_FILLS = (None, None)
SALE = replace(part(1, "10"), side=OrderSide.SELL)
SALE_OF_6 = replace(part(2, "6"), side=OrderSide.SELL)
SUMS: list[tuple[str, Order, Order, tuple[Any, Any], str]] = [
    ("the fills are the order", O1, O1, ([part(1, "4"), part(2, "6")], [part(1, "10")]), ""),
    ("neither side reports fills", O1, O1, NO_FILLS, ""),
    ("filled without any fill", O1, O1, ([], None), "order_fills"),
    (
        "a fill is lost on one side",
        O1,
        O1,
        ([part(1, "4")], [part(1, "4"), part(2, "6")]),
        "order_fills",
    ),
    ("only the other side has fills", O1, O1, (None, [part(1, "4")]), "order_fills"),
    (
        "a fill too many",
        O1,
        O1,
        ([part(1, "4"), part(2, "6"), part(3, "6")], None),
        "order_fills, order_overfilled",
    ),
    (
        "cancelled, and filled by its fills",
        replace(OPEN, state="CANCELLED"),
        replace(OPEN, state="CANCELLED"),
        ([part(1, "10")], None),
        "order_fills, order_cancelled_filled",
    ),
    ("an open order with a fill", OPEN, OPEN, (None, [part(1, "1")]), "order_fills"),
    ("fills that name no order", O1, O1, ([part(1, "4", of="")], None), ""),
    ("fills of another order", O1, O1, ([part(1, "4", of="o2")], None), "order_fills"),
    ("a sale of an order to buy", O1, O1, ([SALE], [SALE]), "order_fills"),
    ("half of it is a sale", O1, O1, ([part(1, "4"), SALE_OF_6], None), "order_fills"),
    ("of another symbol", O1, O1, (None, [part(1, "10", symbol="ETH/EUR")]), "order_fills"),
    (
        "an order to sell for the other side only",
        O1,
        replace(O1, side=OrderSide.SELL),
        ([part(1, "10")], [SALE]),
        "order_payload",
    ),
    (
        "fills of either symbol where the sides disagree",
        O1,
        replace(O1, symbol="X"),
        ([part(1, "10")], [part(1, "10", symbol="X")]),
        "order_payload",
    ),
    (
        "fills by the exchange's id",
        replace(O1, exchange_order_id="e1"),
        O1,
        ([part(1, "10", of="", exchange_order_id="e1")], None),
        "",
    ),
]


@pytest.mark.parametrize(
    ("internal", "external", "fills", "expected"),
    [row[1:] for row in SUMS],
    ids=[row[0] for row in SUMS],
)
def test_fills_of_an_order(
    internal: Order, external: Order, fills: tuple[Any, Any], expected: str
) -> None:
    """Each side's order against its own fills, and against the other side's."""
    found = orders_only(of_orders([internal], [external], fills)).get("o1", "")
    assert set(found.split(", ")) == set(expected.split(", "))


def test_a_fill_that_cannot_be_of_its_order_is_named() -> None:
    """The sum agrees; the text says which fill it is and what is wrong with it."""
    fills = [replace(SALE, fill_id=f"f{number}", quantity=Decimal(2)) for number in range(5)]
    text = text_of(of_orders([O1], [O1], (None, fills)))
    shown = "; ".join(f"f{number}, a SELL of BTC/EUR" for number in range(3))
    assert "internal's order cannot have" not in text
    assert f"external's order cannot have external's fill {shown}; and 2 more" in text


def test_a_stray_fill_is_held_against_the_order_of_the_other_side() -> None:
    """A side that reports no orders may have fills of another order side and symbol."""
    one_sided = of_orders(None, [O1], ([replace(SALE, symbol="X")], None))
    assert "external's order cannot have internal's fill f1, a SELL of X" in text_of(one_sided)
    assert orders_only(of_orders(None, [O1], ([part(1, "10")], None))) == {}


def test_a_fill_of_two_orders_is_held_against_both() -> None:
    """By the client's id of one and the exchange's id of the other: one of them is wrong."""
    one = replace(O1, exchange_order_id="e1")
    other = order("o2", "10", "0", "CANCELLED", exchange_order_id="e2")
    fills = [part(1, "10", exchange_order_id="e2")]
    found = orders_only(of_orders([one, other], [one, other], (fills, fills)))
    assert found == {"o2": "order_cancelled_filled, order_fills"}
    # A changed order may have a new id at the exchange, and an id may be of no order at all.
    assert orders_only(of_orders([one], [one], (fills, fills))) == {}


@pytest.mark.parametrize(
    ("filled", "internal", "external", "text"),
    [
        # The callbacks of one order gave its cumulative quantity.
        ("124", ["24", "124"], None, "their quantities run up to it"),
        ("124", ["24", "124"], ["24", "100"], "their quantities run up to it"),
        ("10", ["4", "8", "12"], ["4", "4", "4"], "the running sums of the other side's"),
        ("24", ["4", "4", "4"], None, "the sum of their running sum"),
    ],
)
def test_a_cumulative_quantity_read_as_increment_is_named(
    filled: str, internal: list[str], external: list[str] | None, text: str
) -> None:
    """The sum of running sums is no accident, and the text says so."""
    fills = [
        None if each is None else [part(number, quantity) for number, quantity in enumerate(each)]
        for each in (internal, external)
    ]
    one = order("o1", filled, filled)
    found = text_of(of_orders([one], [one], (fills[0], fills[1])))
    assert text in found
    assert "cumulative quantities read as increments" in found


def test_an_average_price_is_kept_and_not_compared() -> None:
    """Each system averages and rounds in its own way."""
    averages = [replace(O1, average_fill_price=Decimal(price)) for price in (1, 2)]
    found = of_orders([averages[0]], [averages[1]])
    assert orders_only(found) == {}
    assert found.recorded.external is not None
    assert found.recorded.external.orders == (averages[1],)


def test_a_doubled_fill_is_not_called_cumulative() -> None:
    """Twice the whole order is a duplicate fill."""
    found = text_of(of_orders([O1], [O1], ([part(1, "10"), part(1, "10")], None)))
    assert "2 fills of it sum to 20 (an id is listed more than once among them)" in found
    assert "cumulative" not in found
    equal = text_of(of_orders([O1], [O1], ([part(1, "10"), part(2, "10")], None)))
    assert "cumulative" not in equal


def test_an_ordinary_loss_is_not_called_cumulative() -> None:
    """Two of three equal fills are a loss like any other."""
    found = text_of(of_orders([O1], [O1], ([part(1, "4"), part(2, "4")], None)))
    assert "2 fills of it sum to 8" in found
    assert "cumulative" not in found


def test_both_payloads_are_in_the_text() -> None:
    """What each side says, in one line."""
    other = replace(O1, quantity=Decimal(11), order_type="LI\x1bMIT", price=Decimal("1.50"))
    assert text_of(of_orders([O1], [other])) == (
        "order o1: FAIL, quantity differs, external says FILLED with 10 of 11 filled: "
        "internal BUY 10 BTC/EUR, 10 filled, FILLED, 2026-01-01T12:00:00Z; "
        "external BUY 11 BTC/EUR LI\\x1bMIT at 1.50, 10 filled, FILLED, 2026-01-01T12:00:00Z"
    )


@pytest.mark.parametrize("name", ["client_order_id", "exchange_order_id"])
def test_ids_that_differ_are_in_the_text(name: str) -> None:
    """The line of an order has no id in it, so that two equal lines would explain nothing."""
    both = replace(O1, exchange_order_id="e1")
    text = text_of(of_orders([both], [replace(both, **{name: "e\n9"})]))
    told = "o1" if name == "client_order_id" else "e1"
    assert f"{name} ({told} and e\\x0a9) differs" in text


def test_severities_are_the_policy_s() -> None:
    """FAIL, WARN for a time alone; a policy changes each by its name."""
    assert verdicts(of_orders([OPEN], [replace(OPEN, time=at(1))]))["order::o1"] == "WARN"
    assert verdicts(of_orders([OPEN], [O1]))["order::o1"] == "FAIL"
    policy = Policy(severity={"order_state": Severity.INFO, "order_filled": Severity.CRITICAL})
    found = of_orders([OPEN], [O1], policy=policy)
    assert verdicts(found)["order::o1"] == "CRITICAL"
    (diff,) = found.diffs
    assert diff.tolerance == "order_filled is CRITICAL, order_state is INFO"
    assert (diff.internal, diff.external, diff.order_id) == (0, 10, "o1")


EX = replace(O1, client_order_id=None, exchange_order_id="e1")
IDS = [
    ("the exchange's id alone", [EX], [EX], {"e1": ""}),
    (
        "one side knows both ids",
        [replace(O1, exchange_order_id="e1")],
        [EX],
        {"o1": ""},
    ),
    (
        "one exchange id under two client ids",
        [replace(O1, exchange_order_id="e1")],
        [replace(O1, client_order_id="x-o1", exchange_order_id="e1")],
        {"o1": "order_payload"},
    ),
    (
        "one client id under two exchange ids",
        [replace(O1, exchange_order_id="e1")],
        [replace(O1, exchange_order_id="e2")],
        {"o1": "order_payload"},
    ),
    (
        "an exchange id of two orders joins nothing",
        [
            replace(O1, exchange_order_id="e1"),
            replace(O1, client_order_id="o2", exchange_order_id="e1"),
        ],
        [EX],
        {"o1": "order_orphaned", "o2": "order_orphaned", "e1": "order_missing"},
    ),
    (
        "an exchange's id that reads like a client's",
        [O1, replace(EX, exchange_order_id="o1")],
        [O1, replace(EX, exchange_order_id="o1")],
        {"o1": "", "o1,id=exchange": ""},
    ),
    (
        "an order called equal",
        [order("equal", "1", "1")],
        [order("equal", "1", "1")],
        {"%65qual": ""},
    ),
]


@pytest.mark.parametrize(
    ("internal", "external", "expected"), [row[1:] for row in IDS], ids=[row[0] for row in IDS]
)
def test_orders_are_matched_by_either_id(
    internal: list[Order], external: list[Order], expected: dict[str, str]
) -> None:
    """The client's id, else the exchange's; what could be two orders is never made one."""
    found = of_orders(internal, external)
    names = {name.removeprefix("order::") for name in verdicts(found) if name.startswith("order")}
    assert names == set(expected)
    assert orders_only(found) == {name: cases for name, cases in expected.items() if cases}


def test_two_orders_never_become_one() -> None:
    """Whatever ids are shared crosswise, every row stays in some comparison."""
    mine = [replace(O1, exchange_order_id="e1"), replace(O1, exchange_order_id="e2")]
    others = [
        replace(O1, client_order_id=name, exchange_order_id=exchange_id)
        for name, exchange_id in (("x1", "e1"), ("x2", "e2"))
    ]
    found = of_orders(mine, others)
    assert {"order::o1", "order::x2"} <= set(verdicts(found))
    assert orders_only(found)["x2"] == "order_missing"


def test_orders_of_two_accounts_are_two_orders() -> None:
    """An id counts within its account."""
    rows = [replace(O1, account="a"), replace(OPEN, account="b")]
    fills = [part(1, "10", account="a")]
    found = of_orders(rows, rows[::-1], (fills, None))
    assert orders_only(found) == {}
    assert {"order::o1,account=a", "order::o1,account=b"} <= set(verdicts(found))


@pytest.mark.parametrize(
    ("orders", "fills", "expected"),
    [
        # The engine's order report against the ledger's fills.
        ((None, [O1]), ([part(1, "10")], None), {"o1": ""}),
        ((None, [O1]), ([part(1, "4")], None), {"o1": "order_fills"}),
        ((None, [O1]), ([], None), {"o1": "order_fills"}),
        (([O1], None), (None, [part(1, "4")]), {"o1": "order_fills"}),
        # Nothing on the other side speaks of orders.
        ((None, [O1]), ([part(1, "4", of="")], None), {}),
        ((None, [O1]), (None, [part(1, "4")]), {}),
        ((None, [O1]), (None, None), {}),
        ((None, None), ([part(1, "4")], [part(1, "4")]), {}),
    ],
)
def test_orders_of_one_side_against_fills_of_the_other(
    orders: tuple[Any, Any], fills: tuple[Any, Any], expected: dict[str, str]
) -> None:
    """A side that reports no orders misses none; its fills are held against the other's orders."""
    found = of_orders(*orders, fills)
    names = {name.removeprefix("order::") for name in verdicts(found) if name.startswith("order")}
    assert names == set(expected)
    assert orders_only(found) == {name: cases for name, cases in expected.items() if cases}


def test_orders_against_fills_are_something_compared() -> None:
    """An engine's order report against a ledger that filled nothing."""
    rejected = order("o1", "10", "0", "REJECTED")
    found = reconciled(side(fills=()), side(orders=(rejected,)))
    assert (checks(found)["coverage"], verdicts(found)) == ("match", {"order::o1": "match"})
    assert checks(reconciled(side(fills=()), side(orders=())))["coverage"] == "FAIL"


def test_a_side_without_orders_says_so_in_the_text() -> None:
    """`not listed` would be a claim that it does not make."""
    found = text_of(of_orders(None, [O1], ([part(1, "4")], None)))
    assert "internal reports no orders; external BUY 10" in found


def test_fills_that_cannot_be_placed_are_notes() -> None:
    """A fill without an order, and one of an order that nobody lists."""
    fills = [part(1, "4", of=""), part(2, "1", of="gone"), part(3, "1", of="", symbol="A\nB")]
    found = of_orders([O1], [O1], (fills, None))
    assert orders_only(found) == {}
    assert found.notes[-2] == "internal: 1 of 3 fills name an order that no side lists"
    assert found.notes[-1] == (
        "internal: not every fill of A\\x0aB, BTC/EUR names its order; "
        "their sum is not held against orders"
    )


def test_orders_of_one_source_are_not_compared_with_themselves() -> None:
    """Neither a mirror's nor those that both sides read from one recording."""
    ours = side({"X": "1"}, orders=(O1,), origins={"orders": "run"})
    theirs = replace(ours, orders=(replace(OPEN),))
    assert verdicts(reconciled(ours, theirs)) == {"position::X": "match"}
    assert verdicts(reconciled(ours, ours, mirrored=True)) == {"position::X": "match"}
    assert checks(reconciled(ours, theirs, Policy(require=("orders",))))["coverage"] == "FAIL"


def test_orders_that_one_side_does_not_report_are_no_comparisons() -> None:
    """A note, unless the policy requires them."""
    found = of_orders([O1], None)
    assert verdicts(found) == {"position::X": "match"}
    required = of_orders([O1], None, policy=Policy(require=("orders",)))
    assert checks(required)["coverage"] == "FAIL"


def test_a_text_stays_short_however_often_an_order_stands() -> None:
    """A history of 3,000 states under one id makes one diff, and no endless line."""
    rows = [order("o1", str(number), str(number + 1)) for number in range(3000)]
    found = text_of(of_orders(rows, [], ([part(1, "1")], None)))
    assert "stated 3000 times by internal" in found
    assert "more" in found
    assert len(found) < 2000


IDS_OF_BOTH_KINDS = st.tuples(
    st.sampled_from([None, "a", "b", "c"]), st.sampled_from([None, "a", "e", "f"])
).filter(any)


@st.composite
def order_lists(draw: st.DrawFn) -> list[Order]:
    """Orders whose ids are shared in every way, with a few states and quantities."""
    rows = st.tuples(
        IDS_OF_BOTH_KINDS,
        st.sampled_from(["FILLED", "CANCELLED", "PARTIALLY_FILLED", "SUBMITTED"]),
        st.integers(0, 2),
    )
    return [
        order("x", "2", str(filled), state, client_order_id=client, exchange_order_id=exchange)
        for (client, exchange), state, filled in draw(st.lists(rows, max_size=6))
    ]


@st.composite
def order_fills(draw: st.DrawFn) -> list[Fill]:
    """Fills that name such orders, or none."""
    ids = draw(st.lists(st.one_of(IDS_OF_BOTH_KINDS, st.just((None, None))), max_size=6))
    return [
        fill(str(number), "BUY", "1", "1", client_order_id=client, exchange_order_id=exchange)
        for number, (client, exchange) in enumerate(ids)
    ]


@given(order_lists(), order_lists(), order_fills(), order_fills(), st.data())
def test_no_row_is_lost_and_no_order_of_rows_decides(
    ours: list[Order],
    theirs: list[Order],
    our_fills: list[Fill],
    their_fills: list[Fill],
    data: st.DataObject,
) -> None:
    """Every row of either side stands in exactly one comparison, in whatever order they come."""
    found = of_orders(ours, theirs, (our_fills, their_fills))
    kept = [
        row
        for comparison in found.comparisons
        if isinstance(comparison.matched, MatchedOrder)
        for row in (*(comparison.matched.internal or ()), *(comparison.matched.external or ()))
    ]
    assert sorted(map(repr, kept)) == sorted(map(repr, [*ours, *theirs]))
    names = [comparison.identity for comparison in found.comparisons]
    assert len(set(names)) == len(names)
    shuffled = [data.draw(st.permutations(rows)) for rows in (ours, theirs, our_fills, their_fills)]
    again = of_orders(shuffled[0], shuffled[1], (shuffled[2], shuffled[3]))
    assert verdicts(again) == verdicts(found)


@pytest.mark.parametrize("state", ["CANCELLED", "EXPIRED", "FAILED", "REJECTED"])
@pytest.mark.parametrize("filled", ["0", "4", "10", "11"])
@pytest.mark.parametrize("by_fills", [None, "0", "4", "10", "11"])
def test_an_order_that_ended_for_both_sides_was_not_filled(
    state: str, filled: str, by_fills: str | None
) -> None:
    """All of it filled, by its own count or by its fills, is a FAIL though the sides agree."""
    row = order("o1", "10", filled, state)
    fills = None if by_fills is None else [] if by_fills == "0" else [part(1, by_fills)]
    found = of_orders([row], [row], (fills, fills))
    most = max(Decimal(filled), Decimal(by_fills or "0"))
    wrong = most >= 10 or (state == "REJECTED" and most > 0)
    assert ("order_cancelled_filled" in orders_only(found).get("o1", "")) is wrong
    if wrong:
        assert verdicts(found)["order::o1"] == "FAIL"


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"quantity": 1.5}, "order o1: quantity: 1.5 is not an exact amount"),
        ({"filled_quantity": "1"}, "order o1: filled_quantity: '1' is not an exact amount"),
        ({"side": "LONG"}, "order o1: side 'LONG'; expected"),
        ({"state": "DONE"}, "order o1: state 'DONE'; expected"),
        ({"client_order_id": None}, "an order has neither client_order_id nor exchange_order_id"),
    ],
)
def test_an_order_of_no_use_is_refused(wrong: dict[str, Any], expected: str) -> None:
    """Where it is made, by its name and field."""
    with pytest.raises(ReconError) as caught:
        replace(O1, **wrong)
    assert str(caught.value).startswith(expected)


def test_a_mirror_is_not_compared_row_by_row() -> None:
    """A mirror has no orders and fills of its own: nothing is compared, and nothing noted."""
    one, other = (side({"X": "1"}, orders=(replace(O1),), fills=(part(1, "10"),)) for _ in range(2))
    assert len(match(recorded(one, other)).comparisons) == 2
    assert match(recorded(one, other, mirrored=True)) == Matching()


def test_a_fill_by_an_id_of_two_orders_is_held_against_neither() -> None:
    """The exchange's id of two orders names no one order; the note says so."""
    orders = [order(name, "10", "10", exchange_order_id="x") for name in ("o1", "o2")]
    fills = [part(1, "10", client_order_id=None, exchange_order_id="x")]
    found = of_orders(orders, orders, (fills, fills))
    assert orders_only(found) == {}
    assert [note for note in found.notes if "not every fill of BTC/EUR names its order" in note]


def test_a_ledger_of_orders_has_their_latest_states() -> None:
    """By account and id; a report that comes late is not the latest."""
    begun, filled = replace(O1, state=OrderState.SUBMITTED), replace(O1, time=at(5))
    other = replace(begun, account="b")
    ledger = OrderLedger([begun, other])
    assert ledger.open_orders == ledger.orders == (begun, other)
    ledger.apply_order(filled)
    ledger.apply_order(begun)
    assert ledger.orders == (filled, other)
    assert ledger.open_orders == (other,)
    ledger.apply_order(again := replace(filled, price=Decimal(7)))
    assert ledger.get("o1") == again
    assert ledger.get("o1", account="b") == other
    assert ledger.get("o2") is ledger.get("o1", account="c") is None


@pytest.mark.parametrize("state", OrderState)
def test_an_open_order_can_still_be_filled(state: OrderState) -> None:
    """Every state is either open or an end."""
    ends = {"FILLED", "CANCELLED", "REJECTED", "EXPIRED", "FAILED"}
    ledger = OrderLedger([replace(O1, state=state)])
    assert bool(ledger.open_orders) is (str(state) not in ends)
