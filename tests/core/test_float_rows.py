"""Dust in fills and orders: where a side computed in binary floats, and nothing else differs."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.model import Fill, LedgerSide, Numbers, Order, SideRecord
from recon_core.model.matched_rows import Gap
from recon_core.policy import Policy
from recon_core.values.amounts import EXACT

from .builders import (
    AS_OF_TEXT,
    amounts,
    at,
    document,
    fill,
    found_cases,
    order,
    reconciled,
    recorded,
    scaled,
    side,
    verdicts,
    write_session,
)

FILL = fill("f", "BUY", "0.3", "42000", "4.2 EUR")
ORDER = order("o", "0.3", "0.3")
DUST = Decimal("0.000001")
FLOAT_SIDES = [("internal",), ("external",), ("internal", "external")]
SWAPPED = {"internal": "external", "external": "internal"}


def sides(ours: Any, theirs: Any, floats: tuple[str, ...]) -> list[SideRecord]:
    """Two sides of the same sections, `floats` of them in binary floats."""
    return [
        side(
            numbers=Numbers.FLOAT if name in floats else Numbers.DECIMAL,
            **{section: tuple(rows) for section, rows in given.items()},
        )
        for name, given in zip(LedgerSide, (ours, theirs), strict=True)
    ]


def changed(row: Fill | Order, **amounts: str) -> Any:
    return replace(row, **{name: Decimal(text) for name, text in amounts.items()})


def of_rows(ours: Any, theirs: Any, floats: tuple[str, ...]) -> Reconciliation:
    """Two lists of fills or of orders against each other."""
    section = "fills" if isinstance((*ours, *theirs)[0], Fill) else "orders"
    return reconciled(*sides({section: ours}, {section: theirs}, floats))


CASES: list[tuple[str, list[Any], list[Any], str, str]] = [
    # what, internal, external, the verdict of exact sides, and where a side is float
    ("equal", [FILL], [FILL], "match", "match"),
    ("quantity", [FILL], [changed(FILL, quantity="0.30000000000000004")], "FAIL", "INFO"),
    ("the last dust", [FILL], [changed(FILL, quantity="0.300001")], "FAIL", "INFO"),
    (
        "the first beyond",
        [FILL],
        [changed(FILL, quantity="0.300001000000000000000000000001")],
        "FAIL",
        "FAIL",
    ),
    ("price", [FILL], [changed(FILL, price="42000.000001")], "FAIL", "INFO"),
    ("a price beyond", [FILL], [changed(FILL, price="42000.0000011")], "FAIL", "FAIL"),
    (
        "a price as small as dust",
        [changed(FILL, price="0.0000012")],
        [changed(FILL, price="0.0000018")],
        "FAIL",
        "FAIL",
    ),
    (
        "dust of a price as small as dust",
        [changed(FILL, price="0.0000012")],
        [changed(FILL, price="0.0000012000000000001")],
        "FAIL",
        "INFO",
    ),
    ("fee", [FILL], [changed(FILL, fee="4.2000000000000002")], "WARN", "INFO"),
    ("a fee beyond", [FILL], [changed(FILL, fee="4.21")], "WARN", "WARN"),
    (
        "no fee",
        [changed(FILL, fee="0.00000000000000001")],
        [replace(FILL, fee=Decimal(0), fee_currency=None)],
        "WARN",
        "INFO",
    ),
    (
        "the fee's currency",
        [changed(FILL, fee="0.0000001")],
        [replace(FILL, fee=Decimal("0.0000001"), fee_currency="BNB")],
        "WARN",
        "WARN",
    ),
    (
        "quantity, price and fee",
        [FILL],
        [changed(FILL, quantity="0.3000001", price="42000.0000001", fee="4.2000001")],
        "FAIL",
        "INFO",
    ),
    (
        "one of them beyond",
        [FILL],
        [changed(FILL, quantity="0.3000001", price="42001")],
        "FAIL",
        "FAIL",
    ),
    (
        "dust and the order side",
        [FILL],
        [changed(replace(FILL, side="SELL"), quantity="0.3000001")],
        "FAIL",
        "FAIL",
    ),
    (
        "dust and the time",
        [FILL],
        [changed(replace(FILL, time=at(1)), quantity="0.3000001")],
        "FAIL",
        "WARN",
    ),
    ("stated twice", [FILL, changed(FILL, quantity="0.3000001")], [FILL], "FAIL", "FAIL"),
    ("orphaned", [changed(FILL, quantity="0.0000001")], [], "FAIL", "FAIL"),
    ("an order's quantity", [ORDER], [changed(ORDER, quantity="0.3000001")], "FAIL", "FAIL"),
    (
        "an order's quantities",
        [ORDER],
        [changed(ORDER, quantity="0.3000001", filled_quantity="0.3000001")],
        "FAIL",
        "INFO",
    ),
    (
        "an order's price",
        [changed(ORDER, price="100")],
        [changed(ORDER, price="100.00000000000001")],
        "FAIL",
        "INFO",
    ),
    (
        "an order's price as small as dust",
        [changed(ORDER, price="0.0000012")],
        [changed(ORDER, price="0.0000013")],
        "FAIL",
        "FAIL",
    ),
    (
        "dust and a state",
        [ORDER],
        [order("o", "0.3", "0.2999999", "PARTIALLY_FILLED")],
        "FAIL",
        "FAIL",
    ),
    (
        "dust and an order's id",
        [replace(ORDER, exchange_order_id="1")],
        [changed(replace(ORDER, exchange_order_id="2"), quantity="0.3", price="1")],
        "FAIL",
        "FAIL",
    ),
]
ONE_SIDED = {"an order's quantity"}
"""Where one side contradicts itself: FILLED with less than its quantity."""


@pytest.mark.parametrize("floats", FLOAT_SIDES, ids="-".join)
@pytest.mark.parametrize(
    ("what", "internal", "external", "exact", "dusty"), CASES, ids=[case[0] for case in CASES]
)
def test_dust_of_rows_is_info(
    what: str, internal: Any, external: Any, exact: str, dusty: str, floats: tuple[str, ...]
) -> None:
    """As of positions: INFO, never a match, and as before between exact sides."""
    expected = "INFO" if what in ONE_SIDED and "external" in floats else dusty
    swapped = tuple(SWAPPED[name] for name in floats)
    for ours, theirs, of in ((internal, external, floats), (external, internal, swapped)):
        assert set(verdicts(of_rows(ours, theirs, ())).values()) == {exact}
        assert set(verdicts(of_rows(ours, theirs, of)).values()) == {expected}


FILLED = order("o", "0.3", "0.3")
PART = [fill("a", "BUY", "0.1", "1", client_order_id="o")]
WHOLE = [*PART, fill("b", "BUY", "0.2", "1", client_order_id="o")]
OVER = [*PART, fill("b", "BUY", "0.20000000000000004", "1", client_order_id="o")]
UNDER = [*PART, fill("b", "BUY", "0.1999999", "1", client_order_id="o")]


@pytest.mark.parametrize(
    ("internal", "external", "floats", "expected"),
    [
        # a side: its order and its fills
        ((FILLED, WHOLE), (FILLED, None), "both", "match"),
        ((FILLED, UNDER), (FILLED, None), "internal", "INFO"),
        ((FILLED, UNDER), (FILLED, None), "external", "FAIL"),
        ((FILLED, UNDER), (FILLED, None), "none", "FAIL"),
        ((FILLED, PART), (FILLED, None), "both", "FAIL"),
        ((FILLED, OVER), (FILLED, None), "internal", "INFO"),
        ((FILLED, OVER), (FILLED, None), "none", "FAIL"),
        ((FILLED, None), (None, UNDER), "internal", "INFO"),
        ((FILLED, None), (None, UNDER), "external", "INFO"),
        ((FILLED, None), (None, UNDER), "none", "FAIL"),
        ((changed(FILLED, filled_quantity="0.3000001"), None), (FILLED, None), "internal", "INFO"),
        ((changed(FILLED, filled_quantity="0.3000001"), None), (FILLED, None), "external", "FAIL"),
        ((changed(FILLED, filled_quantity="0.2999999"), None), (FILLED, None), "internal", "INFO"),
        ((changed(FILLED, filled_quantity="0.2999999"), None), (FILLED, None), "external", "FAIL"),
        ((changed(FILLED, filled_quantity="0.31"), None), (FILLED, None), "both", "FAIL"),
        ((order("o", "0.3", "0.3", "CANCELLED"), None), (FILLED, None), "both", "FAIL"),
        ((order("o", "0.3", "0.3", "PARTIALLY_FILLED"), None), (FILLED, None), "both", "FAIL"),
    ],
)
def test_dust_of_what_was_filled(internal: Any, external: Any, floats: str, expected: str) -> None:
    """An order against its own word, the other side's, and the fills of both."""
    of = {"none": (), "both": ("internal", "external")}.get(floats, (floats,))
    given = [
        {
            name: rows
            for name, rows in (("orders", None if one is None else [one]), ("fills", fills))
            if rows is not None
        }
        for one, fills in (internal, external)
    ]
    found = verdicts(reconciled(*sides(given[0], given[1], of)))
    assert found["order::o"] == expected


def test_the_tolerance_says_so() -> None:
    """Whoever reads a diff sees which limit held for which case."""
    other = changed(replace(FILL, time=at(1)), price="42001", fee="4.2000001")
    (diff,) = of_rows([FILL], [other], ("internal",)).diffs
    assert diff.tolerance == (
        "fill_payload is INFO up to 0.000001 (float_dust, of a price also relative to it), "
        "else FAIL, fill_fee is INFO up to 0.000001 (float_dust), else WARN, fill_time is WARN"
    )
    (diff,) = of_rows([FILL], [other], ()).diffs
    assert diff.tolerance == "fill_payload is FAIL, fill_fee is WARN, fill_time is WARN"


@pytest.mark.parametrize(
    ("dust", "severity", "expected"),
    [
        ("0.000001", "CRITICAL", "INFO"),
        ("0.0000001", "CRITICAL", "CRITICAL"),
        ("0", "WARN", "WARN"),
        ("1", "FAIL", "INFO"),
    ],
)
def test_a_policy_changes_the_limit(
    tmp_path: Path, dust: str, severity: str, expected: str
) -> None:
    """And a session file marks its own sides."""
    policy = Policy(float_dust=Decimal(dust), severity={"fill_payload": severity})
    row = {"fill_id": "f", "symbol": "A/B", "side": "BUY", "time": AS_OF_TEXT, "price": "1"}
    states: list[dict[str, Any]] = [
        {"as_of": AS_OF_TEXT, "fills": [{**row, "quantity": text}]} for text in ("1", "1.0000005")
    ]
    states[1]["numbers"] = "float"
    path = write_session(tmp_path, document(internal=states[0], external=states[1]))
    assert verdicts(reconcile_session(path, policy)) == {"fill::A/B,f": expected}


def test_rows_with_dust_are_never_folded() -> None:
    """They are not equal: an item each, whatever the number is."""
    dusty = changed(FILL, quantity="0.3000001")
    late = changed(ORDER, price="1.0000001")
    internal = {
        "fills": [FILL, replace(FILL, fill_id="g")],
        "orders": [ORDER, changed(replace(ORDER, client_order_id="p"), price="1")],
    }
    external = {
        "fills": [dusty, replace(FILL, fill_id="g")],
        "orders": [ORDER, replace(late, client_order_id="p")],
    }
    session = recorded(*sides(internal, external, ("internal",)))
    found = Reconciliation(session, Policy(), max_items=0)
    assert verdicts(found) == {
        "fill::BTC/EUR,f": "INFO",
        "fill::equal": "match",
        "order::equal": "match",
        "order::p": "INFO",
    }
    assert found_cases(found) == {"fill::BTC/EUR,f": "fill_payload", "order::p": "order_payload"}
    assert dict(found.folded) == {"fill": 1, "order": 1}


@given(amounts(positive=True), st.integers(0, 3 * 10**24), st.sampled_from(FLOAT_SIDES))
def test_a_quantity_is_dust_up_to_the_limit(
    quantity: Decimal, units: int, floats: tuple[str, ...]
) -> None:
    """Whatever the size: equal is a match, up to the limit INFO, beyond it FAIL."""
    delta = scaled(units)
    more = EXACT.add(quantity, delta)
    assume(more < 10**30)
    own, other = replace(FILL, quantity=quantity), replace(FILL, quantity=more)
    (verdict,) = verdicts(of_rows([own], [other], floats)).values()
    assert verdict == ("match" if not delta else "INFO" if delta <= DUST else "FAIL")


@given(amounts(), amounts(), amounts(positive=True))
def test_the_dust_of_a_price(one: Decimal, two: Decimal, dust: Decimal) -> None:
    """The limit of a price is never the wider one, and the same from both sides of zero."""
    least, largest = sorted((one, two))
    gap, price = Gap(least, largest), Gap(least, largest, of_price=True)
    assert gap.is_dust(dust) or not price.is_dust(dust)
    assert price.is_dust(dust) == Gap(
        largest.copy_negate(), least.copy_negate(), of_price=True
    ).is_dust(dust)
