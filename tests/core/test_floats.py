"""Sides that computed in binary floats: the shortest text, and what counts as dust."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import CashBalance, Numbers, SideRecord
from recon_core.policy import CashPolicy, Policy, PositionPolicy
from recon_core.values.amounts import shortest_amount
from recon_core.values.errors import AmountError

from .builders import AS_OF_TEXT, document, reconciled, side, verdicts, write_session

FLOAT = {"numbers": Numbers.FLOAT}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-05, "0.00001"),
        (-1.5, "-1.5"),
        (-0.0, "0"),
        (1e22, "10000000000000000000000"),
        (7, "7"),
        ("1e-05", "0.00001"),
        ("8.6141e-06", "0.0000086141"),
        ("+2.50", "2.5"),
        ("0.1000000000000000055511151231257827", "0.1"),
        ("1041274.4241512516", "1041274.4241512516"),
        # Seventeen digits may be all that a float has; eighteen never are.
        ("0.10000000000000001", "0.10000000000000001"),
        ("0.100000000000000006", "0.1"),
        (1.1102230246251565e-16, "0.000000000000000111022302462516"),
        (5e-324, "0"),
    ],
)
def test_a_float_is_its_shortest_text(number: float | str, expected: str) -> None:
    """What the source would print, without exponent, cut at the 30th decimal."""
    assert format(shortest_amount(number), "f") == expected


@given(st.floats(-1e15, 1e15, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-12))
def test_the_shortest_text_names_the_same_float(number: float) -> None:
    """Nothing is lost: the amount read as a float again is the float, number or text."""
    assert float(shortest_amount(number)) == number
    assert shortest_amount(repr(number)) == shortest_amount(number)
    assert shortest_amount(f"{number:.20e}") == shortest_amount(number)


@pytest.mark.parametrize(
    "number", [float("nan"), float("inf"), "nan", "", "0x1", "1_0", "1e31", True]
)
def test_what_is_no_finite_number_is_refused(number: float | str) -> None:
    """NaN never compares, so it must not pass as a value."""
    with pytest.raises(AmountError):
        shortest_amount(number)


DUST = [
    # internal, external, position, cash BTC, cash EUR
    ("1", "1", "match", "match", "match"),
    ("1", "1.000001", "INFO", "INFO", "INFO"),
    ("1", "1.0000010000000000000001", "INFO", "FAIL", "INFO"),
    ("0", "0.000001", "INFO", "INFO", "INFO"),
    ("0", "0.0000011", "FAIL", "FAIL", "FAIL"),
    ("-0.0000005", "0.0000005", "INFO", "INFO", "INFO"),
    ("100000", "100000.000002", "INFO", "FAIL", "INFO"),
    ("1", "2", "FAIL", "FAIL", "FAIL"),
]


@pytest.mark.parametrize("floats", ["internal", "external", "both"])
@pytest.mark.parametrize(("internal", "external", "position", "btc", "eur"), DUST)
def test_dust_is_info_where_a_side_is_float(
    internal: str, external: str, position: str, btc: str, eur: str, floats: str
) -> None:
    """At or below 0.000001 nothing is worse than INFO; above it the usual rules hold."""
    ours = side({"BTC/EUR": internal}, {"BTC": internal, "EUR": internal})
    theirs = side({"BTC/EUR": external}, {"BTC": external, "EUR": external})
    if floats != "external":
        ours = replace(ours, numbers=Numbers.FLOAT)
    if floats != "internal":
        theirs = replace(theirs, numbers=Numbers.FLOAT)
    assert verdicts(reconciled(ours, theirs)) == {
        "position::BTC/EUR": position,
        "cash::BTC": btc,
        "cash::EUR": eur,
    }


def test_exact_sides_know_no_dust() -> None:
    """The same residue between two exact sides is a difference like any other."""
    ours = side({"BTC/EUR": "0.000000000001"}, {"BTC": "0.000000000001"})
    theirs = side({"BTC/EUR": "0"}, {"BTC": "0"})
    found = verdicts(reconciled(ours, theirs))
    assert found == {"position::BTC/EUR": "FAIL", "cash::BTC": "FAIL"}


@pytest.mark.parametrize(
    ("policy", "position", "cash"),
    [
        (Policy(), "INFO up to 0.000001 (float_dust), else INFO below", "float_dust 0.000001"),
        (Policy(float_dust=Decimal(0)), "INFO up to 0 (float_dust), else", "float_dust 0"),
        (
            Policy(position=PositionPolicy(absolute={"B*": Decimal(1)})),
            "INFO up to 1 (B*), float_dust 0.000001, else INFO below",
            "min(0 BTC, 0.5 % of 3), float_dust 0.000001",
        ),
    ],
)
def test_the_tolerance_says_so(policy: Policy, position: str, cash: str) -> None:
    """Whoever reads a diff sees which limit held."""
    three, one = (side({"BTC/EUR": text}, {"BTC": text}, **FLOAT) for text in ("3", "1"))
    texts = [diff.tolerance for diff in reconciled(three, one, policy).diffs]
    assert cash in texts[0]
    assert position in texts[1]


@pytest.mark.parametrize(
    ("free", "numbers", "expected"),
    [
        ("1", Numbers.FLOAT, "match"),
        ("1.0000001", Numbers.FLOAT, "INFO"),
        ("1.1", Numbers.FLOAT, "WARN"),
        ("1.0000001", Numbers.DECIMAL, "WARN"),
    ],
)
def test_dust_in_the_parts_of_a_balance(free: str, numbers: Numbers, expected: str) -> None:
    """Under an equal total a part may differ by dust; it is still told."""
    ours = side({}, (CashBalance("BTC", Decimal(2), Decimal(1)),), numbers=numbers)
    theirs = side({}, (CashBalance("BTC", Decimal(2), Decimal(free)),))
    found = reconciled(ours, theirs)
    assert verdicts(found) == {"cash::BTC": expected}
    assert all(free in diff.description for diff in found.diffs)


def test_a_policy_widens_it_and_an_exact_limit_stays(tmp_path: Path) -> None:
    """The larger of both limits holds, and a session file marks its own sides."""
    policy = Policy(float_dust=Decimal("0.5"), cash=CashPolicy(absolute={"BTC": Decimal("0.01")}))
    states: list[dict[str, Any]] = [
        {"as_of": AS_OF_TEXT, "positions": {}, "cash": {"BTC": text}} for text in ("10", "10.4")
    ]
    exact = write_session(
        tmp_path, document(internal=states[0], external=states[1]), "a.recon.json"
    )
    assert verdicts(reconcile_session(exact, policy)) == {"cash::BTC": "FAIL"}
    states[0]["numbers"] = "float"
    floats = write_session(
        tmp_path, document(internal=states[0], external=states[1]), "b.recon.json"
    )
    assert json.loads(floats.read_text())["internal"]["numbers"] == "float"
    assert verdicts(reconcile_session(floats, policy)) == {"cash::BTC": "INFO"}


def test_a_mirror_of_a_float_side_is_equal() -> None:
    """A mirror has no numbers of its own, and nothing to tolerate."""
    ours: SideRecord = side({"A/B": "0.1"}, {"B": "1"}, **FLOAT)
    assert set(verdicts(reconciled(ours, ours, mirrored=True)).values()) == {"match"}
