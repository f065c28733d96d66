"""Fee schedules that fills show: their rates, their fixed part, and which fills count."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from recon_core.explain.problem.fee_schedule import (
    FeeModel,
    FeeSchedules,
    _allowed_rates,
    _roundest,
    _roundings,
    _with_fixed_part,
    fee_model,
    total_value,
)
from recon_core.explain.problem.postings import Postings
from recon_core.model import Currency, Fill
from tests.core.builders import SPOT, at, fill, recorded, side
from tests.explain.problems import problems_of, prover_of
from tests.explain.real_sessions import books

Charges = list[tuple[str, str]]


def charges(
    count: int, rate: str, first: int = 100, *, fixed: str = "0", currency: str = "EUR"
) -> Charges:
    """Values in steps of 100, and their fees at a rate, in cents."""
    values = range(first, first + 100 * count, 100)
    fees = ((Decimal(value) * Decimal(rate) + Decimal(fixed)) for value in values)
    return [(str(value), f"{round(fee, 2)} {currency}")
            for value, fee in zip(values, fees, strict=True)]  # fmt: skip


def fills_of(charged: Charges) -> list[Fill]:
    """A fill of one coin for each value."""
    return [
        fill(f"f{number}", "BUY", "1", value, fee, time=at(number - 7000))
        for number, (value, fee) in enumerate(charged)
    ]


def postings_of(rows: Sequence[Fill], precision: int | None) -> Postings:
    """The postings of a ledger with these fills; `precision` is that of EUR, if declared."""
    known = recorded(
        books(*rows, opening={"EUR": "1000000"}), side({SPOT.symbol: "-1"}),
        instruments={SPOT.symbol: SPOT},
        currencies={} if precision is None else {"EUR": Currency("EUR", precision)},
    )  # fmt: skip
    return problems_of(prover_of(known))[0].postings


def schedule(charged: Charges, precision: int | None = 2) -> FeeModel | None:
    """The schedule of fills with these values and fees."""
    rows = fills_of(charged)
    return fee_model(postings_of(rows, precision), rows)


SCHEDULES: dict[str, tuple[Charges, str]] = {
    "no fees": ([("100", "0 EUR"), ("200", "0 EUR")], ""),
    "one": (charges(1, "0.001"), "0.001"),
    "all at one rate": (charges(10, "0.001"), "0.001"),
    "four of five": ([*charges(8, "0.001"), ("1000", "7.77 EUR"), ("1100", "3.33 EUR")], "0.001"),
    "two rates, that of the larger fees first": (
        charges(6, "0.001") + charges(4, "0.0004", 1000), "0.0004 0.001",
    ),
    "three rates": (
        charges(4, "0.001", 2000) + charges(4, "0.0004", 2000) + charges(4, "0.002", 2000),
        "0.002 0.001 0.0004",
    ),
    "four rates": (
        charges(4, "0.001", 2000) + charges(4, "0.0004", 2000) + charges(4, "0.002", 2000)
        + charges(4, "0.003", 2000), "",
    ),
    "rebates": (charges(6, "0.001", 2000) + charges(4, "-0.0002", 2000), "0.001 -0.0002"),
    "two fees of the other sign": (
        charges(8, "0.001", 2000) + charges(2, "-0.001", 2000), "0.001",
    ),
    "many fees of the other sign": (charges(6, "0.001", 2000) + charges(4, "-0.001", 2000), ""),
    "a single further fee": (charges(9, "0.001", 2000) + charges(1, "0.003", 2000), "0.001"),
    "two further fees": (charges(9, "0.001", 2000) + charges(2, "0.003", 2000), "0.001 0.003"),
    "a twentieth": (charges(38, "0.001", 2000) + charges(2, "0.003", 2000), "0.001 0.003"),
    "less than a twentieth": (charges(39, "0.001", 2000) + charges(2, "0.003", 2000), "0.001"),
    "flat": (charges(4, "0", fixed="1.00"), "0 + 1"),
    "flat, of three fees": (charges(3, "0", fixed="1.00"), "0 + 1"),
    "two equal fees, of any two rates": (charges(2, "0", fixed="1.00"), "0.01 0.005"),
    "a fixed part": (charges(6, "0.001", fixed="1.50"), "0.001 + 1.5"),
    "a fixed part of four in five": (
        [*charges(8, "0.001", fixed="1.50"), ("1000", "9.01 EUR"), ("1100", "8.02 EUR")],
        "0.001 + 1.5",
    ),
    "a few cents": (
        [(str(value), f"{round(value * Decimal('0.0004'), 2)} EUR")
         for value in (20, 45, 30, 25, 40, 35, 50)], "0.0004",
    ),
    "four in five of one currency": (
        charges(8, "0.001") + charges(2, "0.001", 900, currency="BNB"), "0.001",
    ),
    "seven in ten of one currency": (
        charges(7, "0.001") + charges(3, "0.001", 900, currency="BNB"), "",
    ),
}  # fmt: skip
"""Values with their fees, and the rates of the schedule with its fixed part."""


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_schedule_of_fees(name: str) -> None:
    """At most three rates that give four of five fees, each a twentieth; else a fixed part."""
    charged, expected = SCHEDULES[name]
    model = schedule(charged)
    rates = "" if model is None else " ".join(map(str, model.rates))
    fixed = "" if model is None or not model.fixed else f" + {model.fixed}"
    assert f"{rates}{fixed}" == expected


@pytest.mark.parametrize(
    ("count", "currencies", "found"),
    [
        (10, ("EUR", "BNB"), False),
        (799, ("EUR", "BNB"), False),
        (800, ("EUR", "BNB"), True),
        (800, ("BNB", "EUR"), True),
        (802, ("EUR", "BNB"), True),
    ],
)
def test_every_other_fee_of_many_is_sampled(
    count: int, currencies: tuple[str, str], *, found: bool
) -> None:
    """From 800 fees on, so that those between are not seen; all of fewer."""
    rows = [
        replace(row, fee_currency=currencies[number % 2])
        for number, row in enumerate(fills_of(charges(count, "0.001")))
    ]
    model = fee_model(postings_of(rows[:1], 2), rows)
    assert (model is not None) is found
    assert model is None or model.currency == currencies[0]


@pytest.mark.parametrize(
    ("precision", "cents", "rounding", "places"),
    [
        (2, ["0.05", "0.06", "0.06", "0.06", "0.07"], "ROUND_HALF_EVEN", 2),
        (2, ["0.05", "0.06", "0.06", "0.07", "0.07"], "ROUND_HALF_UP", 2),
        (3, ["0.05", "0.055", "0.06", "0.065", "0.07"], "ROUND_HALF_EVEN", 3),
        (None, ["0.05", "0.055", "0.06", "0.065", "0.07"], "ROUND_HALF_EVEN", None),
    ],
)
def test_the_rounding_of_fees(
    precision: int | None, cents: list[str], rounding: str, places: int | None
) -> None:
    """Of 0.05 % on 100, 110 … 140: half-even unless half-up gives more; none if all are exact."""
    values = [str(value) for value in range(100, 150, 10)]
    model = schedule([*zip(values, (f"{cent} EUR" for cent in cents), strict=True)], precision)
    assert model is not None
    assert (model.rates, model.rounding, model.places) == ((Decimal("0.0005"),), rounding, places)


@pytest.mark.parametrize(("changed", "is_kept"), [(0, True), (1, True), (2, False)])
def test_few_changed_fills_leave_a_schedule(changed: int, *, is_kept: bool) -> None:
    """One in 40 does; of more changed fills, or of another position, it is inferred again."""
    rows, others = fills_of(charges(40, "0.001")), fills_of(charges(40, "0.002"))
    postings = postings_of(rows[:1], 2)
    before = FeeSchedules(postings, {"x": rows})
    after = FeeSchedules(postings, {"x": others, "y": others}, before, changed)
    rates = {name: after.of(name)[others[0].side] for name in ("x", "y")}
    assert {name: model and str(model.rates[0]) for name, model in rates.items()} == {
        "x": "0.001" if is_kept else "0.002", "y": "0.002",
    }  # fmt: skip


ORDERS: dict[str, tuple[str, str, str]] = {
    "one fee an order": ("a1 a0 b1 b0 b0 c1", "1 3 4", "1"),
    "of most orders": ("a1 a0 b1 b0 c1 c1", "1 3", "1"),
    "of half of the orders": ("a1 a0 b1 b1", "", "1"),
    "none of the first": ("a0 a1 b1 b0 c1 c0", "3 5", "1"),
    "without an order": ("a1 a0 -0 -0", "1", "1"),
    "of one fill each": ("a1 b0 c1", "", "1"),
    "at a rate": ("a1 a0 b1 b0", "", "0.001"),
}
"""Order and fee of each fill, the places that are rightly without, and the fee of the others."""


@pytest.mark.parametrize("name", ORDERS)
def test_a_flat_fee_of_an_order(name: str) -> None:
    """It is charged with the first fill of most orders: the later ones have none, rightly."""
    words, expected, fee = ORDERS[name]
    flat = charges(6, "0" if fee == "1" else fee, fixed=fee if fee == "1" else "0")
    rows = [
        replace(
            fills_of(flat)[number],
            fill_id=f"f{number}",
            client_order_id=None if word[0] == "-" else word[0],
            fee=Decimal(0) if word[1] == "0" else fills_of(flat)[number].fee,
        )
        for number, word in enumerate(words.split())
    ]
    # More fills, each of an order of its own, show the schedule.
    more = [replace(row, fill_id=f"m{row.fill_id}", client_order_id=f"m{row.fill_id}",
                    exchange_order_id=None) for row in fills_of(flat)]  # fmt: skip
    postings = postings_of([*rows, *more], 2)
    schedules = FeeSchedules(postings, {postings.position(rows[0]): [*rows, *more]})
    found = [str(at_) for at_, row in enumerate(rows) if schedules.leaves_without(row)]
    assert " ".join(found) == expected


def pairs(text: str) -> list[tuple[Decimal, Decimal]]:
    """Values and fees, written `20:0.01`."""
    return [(Decimal(value), Decimal(fee)) for value, fee in (w.split(":") for w in text.split())]


@pytest.mark.parametrize(
    ("charged", "rate"),
    [
        ("20:0.01 45:0.02", "0.0004"), ("45:0.02 20:0.01", "0.0004"), ("20:0.01", "0.0003"),
        ("20:0.01 45:0.02 0:0.07", ""), ("20:-0.01 45:-0.02", "-0.0004"), ("", ""),
        ("20:0.01 45:0.02 20:0.01 45:0.02 10:9", "0.0004"), ("20:0.01 45:0.02 20:0.01 10:9", ""),
        ("100:0.10 100:0.30", ""), ("100:0.10 1000:1.00 0:5 0:5", ""),
    ],
)  # fmt: skip
def test_the_rate_that_most_fees_allow(charged: str, rate: str) -> None:
    """To half a cent each, the roundest that four of five allow; a fee on no value allows none."""
    assert _allowed_rates(pairs(charged), 2) == [Decimal(text) for text in rate.split()]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ("1/3000", "1/2000", "0.0004"), ("1/2000", "1/2000", "0.0005"), ("1/3", "1/2", "0.34"),
        ("1/3", "334/1000", "0.334"), ("1/3", "1/3", "0"), ("1/10", "1/9", "0.1"),
        ("-1/2000", "-1/3000", "-0.0004"), ("1/1000", "1/1000", "0.001"),
        ("1/1000000000000", "1/1000000000000", "1E-12"), ("1E-13", "1E-13", "0"),
    ],
)  # fmt: skip
def test_the_roundest_number(low: str, high: str, expected: str) -> None:
    """The nearest to 0 with the fewest decimals, both ends included, and 12 at most."""
    assert _roundest(Fraction(low), Fraction(high)) == Decimal(expected)
    assert _roundest(-Fraction(high), -Fraction(low)) == -Decimal(expected)


@pytest.mark.parametrize(
    ("charged", "rate", "fixed"),
    [
        ("100:1.6 200:1.7 300:1.8 400:1.9", "0.001", "1.5"),
        ("400:1.9 100:1.6 300:1.8 200:1.7", "0.001", "1.5"),
        ("100:1.6 200:1.7 300:1.8 300:1.8", "", "0"), ("100:1 200:1 300:1 400:1", "0", "1"),
        ("100:0.1 200:0.2 300:0.3 400:0.4", "", "0"),
        ("100:1.6 200:1.7 300:1.8 400:1.9 500:9", "0.001", "1.5"),
        ("100:1.6 200:1.7 300:1.8 400:7 500:9", "", "0"),
        ("100:1.6 200:1.7 300:1.8 400:1.91 500:2", "0.001", "1.5"),
        ("100:1.6 200:1.7 300:1.8 400:1.92 500:2.02", "", "0"),
        ("100:1.2346 200:1.3346 300:1.4346 400:1.5346", "0.001", "1.13"),
    ],
)  # fmt: skip
def test_a_fixed_part_and_a_rate(charged: str, rate: str, fixed: str) -> None:
    """Of four values at least; both are round, and give four of five fees to a cent."""
    found = _with_fixed_part(pairs(charged), 2)
    assert found == ([Decimal(text) for text in rate.split()], Decimal(fixed))


def test_a_fixed_part_of_unrounded_fees() -> None:
    """To the noise that floats of the largest value have."""
    charged = pairs("1000000:1001.5 100:1.6 300:1.800005 200:1.7")
    assert _with_fixed_part(charged, None) == ([Decimal("0.001")], Decimal("1.5"))


MODEL = FeeModel((Decimal("0.001"), Decimal("0.0004")), "EUR", in_base=False, places=2)


@pytest.mark.parametrize(
    ("more", "fees"),
    [
        ({}, "0.12 0.05"), ({"rounding": "ROUND_HALF_UP"}, "0.13 0.05"),
        ({"fixed": Decimal("0.5")}, "0.62 0.55"), ({"places": 3}, "0.125 0.050"),
        ({"places": None}, "0.125 0.05"), ({"in_base": True}, "0.00 0.00"),
    ],
)  # fmt: skip
def test_the_fees_of_a_schedule(more: dict[str, Any], fees: str) -> None:
    """Of a value of 125: its rates, rounded as the source rounds; 0.12 is off by the nearest."""
    row = fill("f", "BUY", "1", "125", "0.12 EUR")
    postings, model = postings_of([row], 2), replace(MODEL, **more)
    assert [model.fee(postings, row, rate) for rate in model.rates] == [
        Decimal(text) for text in fees.split()
    ]
    nearest = min(abs(Decimal(text) - row.fee) for text in fees.split())
    assert model.off(postings, row) == nearest
    assert model.gives(postings, row) is (nearest == 0)
    assert not model.gives(postings, replace(row, fee_currency="BNB"))
    assert total_value(postings, [row, row], in_base=False) == 250


@pytest.mark.parametrize(
    ("rate", "fixed", "text"),
    [
        ("0.0010", "0", "the rate 0.001"), ("0.001", "1.50", "1.5 EUR and the rate 0.001"),
        ("0", "1.50", "1.5 EUR"), ("0", "0", "the rate 0"),
    ],
)  # fmt: skip
def test_a_schedule_in_words(rate: str, fixed: str, text: str) -> None:
    """Its fixed part and its rate, neither where it is 0 beside the other."""
    assert replace(MODEL, fixed=Decimal(fixed)).text(Decimal(rate)) == text


@pytest.mark.parametrize(
    ("precision", "places"), [(None, [3]), (2, [2]), (3, [3]), (4, [4, 3]), (8, [8, 3])]
)
def test_the_decimals_that_fees_may_be_rounded_to(precision: int | None, places: list[int]) -> None:
    """As declared, then fewer ones that all fees show; never more than are declared."""
    rows = fills_of([(str(value), f"0.{value} EUR") for value in range(101, 140, 2)])
    assert list(_roundings(postings_of(rows, precision), "EUR")) == places
    assert list(_roundings(postings_of(rows, precision), "USD")) == [None]
