"""One trade, or the movements of one period, as several rows here and as one there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import Fill, InstrumentKind, Leg, Movement, MovementKind, Opening, OrderSide
from recon_core.model.comparison import ItemKind
from recon_core.policy import Policy
from recon_core.values.amounts import EXACT
from recon_core.values.severity import JUDGED, Severity

from .builders import AS_OF, CENTS, SPOT, at, fill, found_cases, order, reconciled, side, verdicts

E1 = fill("e1", "BUY", "40", "50.00", "0.40 EUR", exchange_order_id="A")
E2 = fill("e2", "BUY", "35", "50.02", "0.35 EUR", exchange_order_id="A", time=at(1))
E3 = fill("e3", "BUY", "25", "50.04", "0.25 EUR", exchange_order_id="A", time=at(3))
EXECUTIONS = [E1, E2, E3]
ROW = fill("a", "BUY", "100", "50.017", "1.00 EUR", exchange_order_id="A", time=at(3))
OTHER = fill("b", "BUY", "7", "51.00", "0.07 EUR", exchange_order_id="B")
INVERSE = replace(SPOT, instrument_kind=InstrumentKind.INVERSE)


def with_no_order(*fills: Fill) -> list[Fill]:
    """The fills without the ids of their orders."""
    return [replace(one, client_order_id=None, exchange_order_id=None) for one in fills]


def of_fills(ours: Sequence[Fill], theirs: Sequence[Fill], **more: Any) -> Reconciliation:
    """Two sides that report nothing but fills."""
    return reconciled(side(fills=tuple(ours)), side(fills=tuple(theirs)), **more)


def is_one_trade(ours: Sequence[Fill], theirs: Sequence[Fill], **more: Any) -> bool:
    """True if all that is found is one trade in other parts, from either side alike."""
    found = [found_cases(of_fills(*sides, **more)) for sides in ((ours, theirs), (theirs, ours))]
    if set(found[0].values()) != {"fill_aggregated"}:
        assert "fill_aggregated" not in (*found[0].values(), *found[1].values())
        return False
    assert found[0] == found[1]
    return len(found[0]) == 1


def test_one_order_in_other_parts_is_one_finding() -> None:
    """INFO on the single row, which names both groups; the executions match."""
    found = of_fills(EXECUTIONS, [ROW])
    names = [f"fill::BTC/EUR,{name}" for name in ("a", "e1", "e2", "e3")]
    assert verdicts(found) == dict(zip(names, ("INFO", "match", "match", "match"), strict=True))
    (diff,) = (one for one in found.diffs if one.diff_type == "FILL")
    assert diff.tolerance == "fill_aggregated is INFO"
    assert diff.order_id == "A"
    for said in (
        "internal 3 rows (e1, e2, e3), external 1 row (a)",
        "quantity 100, value 5001.7, fee 1.00 EUR",
        "BUY 25 at 50.04",
        "external BUY 100 at 50.017",
    ):
        assert said in diff.description
    matches = [one.message for one in found.judgements if one.comparison.key == "BTC/EUR,e2"]
    assert "match, part of one trade in another number of rows" in matches[0]


def test_the_rows_of_one_trade_are_in_the_order_of_time() -> None:
    """However the file lists them; those of one time by their ids."""
    first = replace(E2, time=E1.time)
    (diff,) = (one for one in of_fills([E3, first, E1], [ROW]).diffs if one.diff_type == "FILL")
    assert "internal 3 rows (e1, e2, e3)" in diff.description


@pytest.mark.parametrize("severity", JUDGED)
def test_the_policy_decides_how_bad_it_is(severity: Severity) -> None:
    """One key of `[severity]`, as for every case of a fill."""
    found = of_fills(EXECUTIONS, [ROW], policy=Policy(severity={"fill_aggregated": severity}))
    assert verdicts(found)["fill::BTC/EUR,a"] == severity


ONE: list[tuple[str, list[Fill], list[Fill]]] = [
    ("one order", EXECUTIONS, [ROW]),
    ("beside equal rows", [*EXECUTIONS, OTHER], [OTHER, ROW]),
    ("fewer rows, and more than one", EXECUTIONS, [
        replace(E1, fill_id="x", quantity=Decimal(75), price=Decimal("50.02"), fee=Decimal(0)),
        replace(E3, fill_id="y", price=Decimal("50.008"), fee=Decimal(1)),
    ]),
    ("the id of the first execution", EXECUTIONS, [replace(ROW, fill_id="e1")]),
    ("no order named, one minute", with_no_order(*EXECUTIONS), with_no_order(ROW)),
    ("no order named on one side", EXECUTIONS, with_no_order(ROW)),
    ("ids of two kinds", [replace(one, exchange_order_id=None, client_order_id="c")
                          for one in EXECUTIONS], [ROW]),
    ("a leg that one side does not state", [replace(one, leg=Leg.LONG) for one in EXECUTIONS],
     [ROW]),
    ("hours apart", [replace(one, time=at(-7200)) for one in EXECUTIONS], [ROW]),
    ("an average without end, rounded", [
        fill("e1", "BUY", "1", "33.00", client_order_id="c"),
        fill("e2", "BUY", "2", "33.01", client_order_id="c"),
    ], [fill("x", "BUY", "3", "33.006667", client_order_id="c")]),
    # 33.00857 and 33.00889 in thousandths: one unit of each price would show.
    *(("an average rounded to its next digit", [
        fill("e1", "BUY", "1", "33.00", client_order_id="c"),
        fill("e2", "BUY", more, "33.01", client_order_id="c"),
    ], [fill("x", "BUY", whole, "33.009", client_order_id="c")])
      for more, whole in (("6", "7"), ("8", "9"))),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), [row[1:] for row in ONE], ids=[row[0] for row in ONE])
def test_equal_sums_are_one_trade(ours: list[Fill], theirs: list[Fill]) -> None:
    """Of one order; of one minute where the sides name no orders of one kind."""
    assert is_one_trade(ours, theirs)


def changed(row: Fill, **fields: Any) -> list[Fill]:
    """The executions with other fields of one of them."""
    return [replace(one, **fields) if one is row else one for one in EXECUTIONS]


NOT: list[tuple[str, list[Fill], list[Fill]]] = [
    ("the quantity of one", changed(E2, quantity=Decimal("35.01")), [ROW]),
    ("the price of one", changed(E2, price=Decimal("50.03")), [ROW]),
    ("the fee of one", changed(E2, fee=Decimal("0.36")), [ROW]),
    ("the currency of a fee", changed(E2, fee_currency="BTC"), [ROW]),
    ("the side of one", changed(E2, side=OrderSide.SELL), [ROW]),
    ("the symbol of one", changed(E2, symbol="ETH/EUR"), [ROW]),
    ("the order of one", changed(E2, exchange_order_id="B"), [ROW]),
    ("another leg", changed(E2, leg=Leg.SHORT), [replace(ROW, leg=Leg.LONG)]),
    ("one of them missing", [E1, E2], [ROW]),
    ("another account", [replace(one, account="x") for one in EXECUTIONS]
     + [replace(OTHER, account="y")], [replace(ROW, account="y")]),
    ("one row for one row", [E1], [replace(E1, fill_id="x")]),
    ("as many rows", [E1, E2], [replace(E1, fill_id="x"), replace(E2, fill_id="y")]),
    ("another minute, no order named", with_no_order(*changed(E3, time=at(61))),
     with_no_order(ROW)),
    ("an average cut to too few digits", [
        fill("e1", "BUY", "1", "33", client_order_id="c"),
        fill("e2", "BUY", "2", "34", client_order_id="c"),
    ], [fill("x", "BUY", "3", "34", client_order_id="c")]),
    ("an average that is not the nearest", [
        fill("e1", "BUY", "1", "33.00", client_order_id="c"),
        fill("e2", "BUY", "2", "33.01", client_order_id="c"),
    ], [fill("x", "BUY", "3", "33.006666", client_order_id="c")]),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), [row[1:] for row in NOT], ids=[row[0] for row in NOT])
def test_other_sums_keep_their_verdicts(ours: list[Fill], theirs: list[Fill]) -> None:
    """Whatever is off by anything, or of two orders, symbols, sides or accounts."""
    assert not is_one_trade(ours, theirs)
    assert "FAIL" in verdicts(of_fills(ours, theirs)).values()


def test_a_fill_listed_alike_keeps_its_own_finding() -> None:
    """Another fee or time of a fill is a WARN, though its order is in other parts besides."""
    late = replace(E1, time=at(0.5), fee=Decimal("0.41"))
    others = [E2, replace(E3, price=Decimal("50.05"))]
    whole = replace(ROW, quantity=Decimal(60), price=Decimal("50.0325"), fee=Decimal("0.60"))
    found = found_cases(of_fills([E1, *others], [late, whole]))
    assert found == {
        "fill::BTC/EUR,a": "fill_aggregated",
        "fill::BTC/EUR,e1": "fill_fee, fill_time",
    }


def test_a_duplicate_stays_one() -> None:
    """A fill that a side lists more than once is in no group."""
    twice = [E1, E1, replace(E2, quantity=Decimal(20)), E3]
    found = found_cases(of_fills(twice, [ROW]))
    assert "fill_duplicate" in found["fill::BTC/EUR,e1"]
    assert found["fill::BTC/EUR,a"] == "fill_missing"


def test_orders_say_which_ids_are_one() -> None:
    """The ledger names its own ids, the exchange its own, and a report has both."""
    ours = [replace(one, exchange_order_id=None, client_order_id="c", time=at(-600))
            for one in EXECUTIONS]  # fmt: skip
    reports = (order("c", "100", "100", exchange_order_id="A"),)
    found = reconciled(side(fills=tuple(ours), orders=reports), side(fills=(ROW,)))
    assert set(verdicts(found).values()) == {"INFO", "match"}
    assert "FAIL" in verdicts(of_fills(ours, [ROW])).values()


def test_the_average_of_an_inverse_contract_is_harmonic() -> None:
    """Its value is quantity by price: 100 at 20 and 100 at 30 are 200 at 24."""
    ours = [fill(f"e{price}", "BUY", "100", price, client_order_id="c") for price in ("20", "30")]
    for price, kind, expected in (
        ("24", INVERSE, True), ("25", INVERSE, False), ("25", SPOT, True), ("24", SPOT, False),
    ):  # fmt: skip
        row = fill("x", "BUY", "200", price, client_order_id="c")
        assert is_one_trade(ours, [row], instruments={"BTC/EUR": kind}) is expected
    free = [*ours[:1], replace(ours[1], price=Decimal(0))]
    row = fill("x", "BUY", "200", "40", client_order_id="c")
    assert not is_one_trade(free, [row], instruments={"BTC/EUR": INVERSE})


@st.composite
def split_fills(draw: st.DrawFn) -> tuple[Fill, list[Fill]]:
    """A fill, and the executions that it consists of, at prices of their own."""
    parts = draw(
        st.lists(
            st.tuples(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(-(10**4), 10**4)),
            min_size=2, max_size=5,
        )
    )  # fmt: skip
    scale = Decimal("0.0001")
    executions = [
        fill(f"e{at_}", "SELL", str(quantity * scale), str(price * scale), f"{fee * scale} EUR",
             client_order_id="c", time=at(at_))
        for at_, (quantity, price, fee) in enumerate(parts)
    ]  # fmt: skip
    # Equal prices of all: the average always has an end.
    if draw(st.booleans()):
        executions = [replace(one, price=executions[0].price) for one in executions]
    total = sum((one.quantity for one in executions), Decimal(0))
    value = sum((one.quantity * one.price for one in executions), Decimal(0))
    price = (value / total).quantize(Decimal("1e-20"))
    whole = fill(
        "w", "SELL", str(total), f"{price:f}",
        f"{sum((one.fee for one in executions), Decimal(0))} EUR", client_order_id="c",
    )  # fmt: skip
    return whole, executions


@given(split_fills(), st.randoms(use_true_random=False))
def test_any_split_of_a_fill_is_info(drawn: tuple[Fill, list[Fill]], random: Any) -> None:
    """However many parts there are, in any order, from either side."""
    whole, executions = drawn
    random.shuffle(executions)
    assert is_one_trade(executions, [whole])


@given(
    split_fills(),
    st.integers(0, 4),
    st.sampled_from(["quantity", "price", "fee"]),
    st.integers(-(10**7), 10**7).filter(bool),
    st.integers(0, 12),
)
def test_any_change_of_a_part_fails(
    drawn: tuple[Fill, list[Fill]], which: int, name: str, units: int, places: int
) -> None:
    """By any amount of any of its figures, however small: its sums are no longer equal."""
    whole, executions = drawn
    row = executions[which % len(executions)]
    value = EXACT.add(getattr(row, name), Decimal(units).scaleb(-places))
    if name != "fee":
        value = max(value, Decimal("0.00005"))
    other = [replace(one, **{name: value}) if one is row else one for one in executions]
    assert not is_one_trade(other, [whole])
    assert "FAIL" in verdicts(of_fills(other, [whole])).values()


@given(split_fills())
def test_no_position_and_no_balance_differs(drawn: tuple[Fill, list[Fill]]) -> None:
    """The replay of both sides is the same wherever the average has an end."""
    whole, executions = drawn
    exact = whole.quantity * whole.price == sum(one.quantity * one.price for one in executions)
    opening = Opening(AS_OF - timedelta(days=1))
    sides = [side(fills=tuple(fills), opening=opening) for fills in (executions, [whole])]
    found = reconciled(*sides, instruments={"BTC/EUR": SPOT})
    bad = {name: one for name, one in verdicts(found).items() if one not in ("match", "INFO")}
    assert not bad
    if exact:
        assert all(
            one.diff is None for one in found.judgements
            if one.comparison.item_kind is not ItemKind.FILL
            and one.comparison.item_kind is not ItemKind.SESSION
        )  # fmt: skip


def moved(name: str, hours: float, amount: str | None, **more: Any) -> Movement:
    """A funding of EUR, hours after midnight."""
    fields: dict[str, Any] = {"movement_kind": MovementKind.FUNDING, "currency": "EUR", **more}
    value = None if amount is None else Decimal(amount)
    return Movement(name, time=at(-12 * 3600 + hours * 3600), amount=value, **fields)


HOURLY = [moved(f"h{hour}", hour, f"-0.0{hour % 7 + 1}") for hour in range(48)]
SUMS = [sum((row.amount or Decimal(0) for row in HOURLY[24 * day : 24 * day + 24]), Decimal(0))
        for day in range(2)]  # fmt: skip
ENDS = [moved(f"d{day}", 24 * day + 23.5, str(SUMS[day])) for day in range(2)]


def of_movements(ours: Sequence[Movement], theirs: Sequence[Movement], **more: Any) -> Any:
    """Two sides that agree in their cash, and list movements."""
    sides = [side(cash={"EUR": "5.00"}, movements=tuple(rows)) for rows in (ours, theirs)]
    return reconciled(*sides, **more)


def sums(ours: Sequence[Movement], theirs: Sequence[Movement]) -> dict[str, str]:
    """The findings on movements, which are the same with the sides exchanged."""
    found = [
        {diff.identity: diff.description for diff in of_movements(*sides).diffs
         if diff.diff_type == "MOVEMENT"}
        for sides in ((ours, theirs), (theirs, ours))
    ]  # fmt: skip
    assert found[0].keys() == found[1].keys()
    return found[0]


def test_funding_hourly_and_daily_is_one_finding() -> None:
    """INFO, named by its kind and its currency, with both groups and their sum."""
    found = of_movements(HOURLY, ENDS)
    assert verdicts(found) == {"cash::EUR": "match", "movement::funding,EUR": "INFO"}
    (text,) = sums(HOURLY, ENDS).values()
    assert text.startswith("movement funding EUR: INFO, 2 times several rows against one")
    assert "internal 24 rows (h0, h1, h2, h3, h4 and 19 more)" in text
    assert f"sum to {SUMS[0]} EUR on both sides" in text
    strict = Policy(severity={"movement_aggregated": Severity.FAIL})
    assert "FAIL" in verdicts(of_movements(HOURLY, ENDS, policy=strict)).values()


@pytest.mark.parametrize(
    "time_of",
    [lambda day: 24 * day + 23.9, lambda day: 24 * day, lambda day: 24 * day + 12.5],
    ids=["end", "start", "noon"],
)
def test_a_period_ends_or_begins_with_its_row(time_of: Callable[[int], float]) -> None:
    """Or it is the day of it, in UTC."""
    daily = [moved(f"d{day}", time_of(day), str(SUMS[day])) for day in range(2)]
    (text,) = sums(HOURLY, daily).values()
    assert "2 times" in text
    assert "in no equal sum" not in text


def test_a_day_that_is_off_is_in_no_sum() -> None:
    """The other one is; the text counts what is left."""
    wrong = [ENDS[0], replace(ENDS[1], amount=SUMS[1] + Decimal("0.00000001"))]
    (text,) = sums(HOURLY, wrong).values()
    assert "24 rows" in text
    assert "in no equal sum: 24 of internal and 1 of external" in text


NO_SUMS: list[tuple[str, list[Movement], list[Movement]]] = [
    ("another amount", HOURLY, [replace(ENDS[0], amount=SUMS[0] + SUMS[1] + 1)]),
    ("equal rows", HOURLY, HOURLY),
    ("equal rows with other ids", HOURLY, [replace(row, movement_id="x") for row in HOURLY]),
    ("one for one", HOURLY[:1], [replace(HOURLY[0], movement_id="x", time=at(0))]),
    ("another kind", HOURLY[:24], [replace(ENDS[0], movement_kind=MovementKind.INTEREST)]),
    ("another currency", HOURLY[:24], [replace(ENDS[0], currency="BTC")]),
    ("a symbol that one side names", HOURLY[:24], [replace(ENDS[0], symbol="BTC/EUR")]),
    ("another account", [replace(row, account="x") for row in HOURLY[:24]]
     + [replace(row, account="y") for row in HOURLY[24:]], [replace(ENDS[0], account="y")]),
    ("nothing on one side", HOURLY, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs"), [row[1:] for row in NO_SUMS], ids=[row[0] for row in NO_SUMS]
)
def test_other_movements_are_no_finding(ours: list[Movement], theirs: list[Movement]) -> None:
    """Equal sums of one kind, currency, symbol and account alone are."""
    assert not sums(ours, theirs)


def test_quantities_are_summed_as_well() -> None:
    """Shares that came in two parts, and their cash in lieu."""
    parts = [moved(f"s{hour}", hour, "0.5", symbol="T", quantity=Decimal(3)) for hour in (1, 2)]
    whole = moved("s", 3, "1.0", symbol="T", quantity=Decimal(6))
    assert list(sums(parts, [whole])) == ["movement::funding,EUR,symbol=T"]
    assert not sums(parts, [replace(whole, quantity=Decimal(7))])
    only = [replace(row, currency=None, amount=None) for row in (*parts, whole)]
    assert list(sums(only[:2], only[2:])) == ["movement::funding,symbol=T"]


@given(st.lists(st.integers(-(10**6), 10**6), min_size=4, max_size=30), st.data())
def test_any_sums_of_movements_are_found(units: list[int], data: st.DataObject) -> None:
    """Whatever their order in the file; one unit of one row more, and its sum is off."""
    rows = [moved(f"h{hour}", hour, f"{number}e-6") for hour, number in enumerate(units)]
    edges = sorted({0, len(rows), *data.draw(st.lists(st.integers(0, len(rows) // 2), max_size=3))})
    edges = [edge for edge in edges if edge == 0 or edge % 2 == 0 or edge == len(rows)]
    periods = [rows[start:end] for start, end in pairwise(edges)]
    daily = [
        moved(f"d{number}", units_ - 0.5, str(sum((row.amount or Decimal(0) for row in period),
                                                  Decimal(0))))
        for number, (period, units_) in enumerate(zip(periods, edges[1:], strict=True))
    ]  # fmt: skip
    shuffled = data.draw(st.permutations(rows))
    found = of_movements(shuffled, daily[::-1])
    (judged,) = (one for one in found.judgements
                 if one.comparison.item_kind is ItemKind.MOVEMENT)  # fmt: skip
    assert judged.verdict == "INFO"
    assert "in no equal sum" not in judged.message
    row = data.draw(st.sampled_from(rows))
    off = replace(row, amount=(row.amount or Decimal(0)) + Decimal("1e-9"))
    again = [off if one is row else one for one in rows]
    texts = sums(again, daily).values()
    assert all("in no equal sum" in text for text in texts)


def test_mirrors_and_one_source_are_not_compared() -> None:
    """As with fills: a copy proves nothing."""
    rows = tuple(HOURLY)
    one, other = side(cash={}, movements=rows), side(cash={}, movements=tuple(ENDS))
    shared = {"movements": "ledger.csv"}
    found = reconciled(replace(one, origins=shared), replace(other, origins=shared))
    assert not [name for name in verdicts(found) if name.startswith("movement")]
    found = reconciled(one, other, mirrored=True)
    assert not [name for name in verdicts(found) if name.startswith("movement")]


def test_replays_in_cents_agree() -> None:
    """Executions of whole cents and their order's row book the same."""
    sides = [side(fills=tuple(fills), opening=Opening(None)) for fills in (EXECUTIONS, [ROW])]
    found = reconciled(*sides, instruments={"BTC/EUR": SPOT}, currencies=CENTS)
    assert set(verdicts(found).values()) == {"match", "INFO"}
