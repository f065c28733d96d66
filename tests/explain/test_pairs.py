"""Faults that most pairs of rows share: which fields differ, and how many rows are most."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recon_core.explain.causes.rounding import _is_cut_off, _usual_places, rounding_of_pairs
from recon_core.explain.causes.unit import unit_of_pairs
from recon_core.explain.problem.hypotheses import Facts
from recon_core.explain.problem.pairs import (
    PairRow,
    SharedFault,
    are_most,
    differing_fields,
    differing_in,
    quantity_fields,
)
from recon_core.explain.search.pair_faults import unit_or_rounding
from recon_core.model import Fill, Leg, OrderSide
from recon_core.model.explanation import CauseKind
from tests.core.builders import at, fill

RIGHT = fill("f", "BUY", "1.5", "100.25", "0.1 EUR")


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({}, []), ({"fill_id": "g"}, []), ({"symbol": "X"}, ["symbol"]),
        ({"side": OrderSide.SELL}, ["side"]), ({"quantity": Decimal("1.50")}, []),
        ({"quantity": Decimal(2), "price": Decimal(1)}, ["quantity", "price"]),
        ({"fee": Decimal(0)}, ["fee"]), ({"fee": Decimal(0), "fee_currency": "BNB"}, ["fee"]),
        ({"fee_currency": "BNB"}, ["fee_currency"]), ({"leg": Leg.LONG}, ["leg"]),
        ({"time": at(-9)}, ["time"]),
    ],
)  # fmt: skip
def test_the_fields_in_which_two_rows_differ(changed: dict[str, Any], fields: list[str]) -> None:
    """The currency of a fee counts where both rows have one; ids do not count."""
    other = replace(RIGHT, **changed)
    assert differing_fields(other, RIGHT) == fields
    assert differing_fields(RIGHT, other) == fields
    row = PairRow(RIGHT, other, RIGHT)
    assert differing_in([row], *fields) == ([row] if fields else [])
    assert differing_in([row], "account") == []


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(0, 0, False), (1, 1, False), (2, 2, True), (2, 3, False), (4, 5, True), (7, 9, False)],
)
def test_most_rows(part: int, whole: int, *, expected: bool) -> None:
    """Four of five, and two at least."""
    assert are_most([0] * part, [0] * whole) is expected


def rows(texts: str, name: str = "price", fees: str = "0.1/0.1") -> list[PairRow]:
    """Pairs of rows, each with a figure written `given/right`."""
    found = []
    charged = dict(zip(("at", "right"), fees.split("/"), strict=True))
    for text in texts.split():
        given, _, right = text.partition("/")
        first, second = (
            replace(RIGHT, **{name: Decimal(amount), "fee": Decimal(fee)})
            for amount, fee in ((given, charged["at"]), (right, charged["right"]))
        )
        found.append(PairRow(first, first, second))
    return found


@pytest.mark.parametrize(
    ("fees", "count", "fields"),
    [("0.1/0.2", 2, 3), ("0.1/0.1", 3, 1), ("0.1/0", 3, 1), ("0.1/0.2", 1, 1)],
)
def test_a_quantity_and_its_fee(fees: str, count: int, fields: int) -> None:
    """The fee is of the fault where most right rows with a fee have another one."""
    pairs = rows(" ".join(["1/2"] * count), "quantity", fees)
    assert quantity_fields(pairs) == ("quantity", "fee", "fee_currency")[:fields]


ROUNDED: dict[str, tuple[str, Sequence[str], str]] = {
    "half-even": ("1.2/1.25 1.3/1.31 1.4/1.35", [], "1"),
    "half-up": ("1.3/1.25 1.3/1.31 1.4/1.35", [], "1"),
    "cut off": ("1.2/1.29 1.3/1.31 1.4/1.45", [], "1"),
    "rounded up": ("1.3/1.21 1.4/1.32 1.5/1.41", [], "1"),
    "off by one amount": ("1.2/1.22 1.3/1.32 1.4/1.42", [], ""),
    "equal figures": ("1.2/1.22 1.2/1.22 1.2/1.22", [], "1"),
    "no rounding": ("1.2/1.29 1.3/1.31 1.5/1.41", [], ""),
    "a single one": ("1.2/1.25", [], ""),
    "four of five": ("1.2/1.25 1.3/1.31 1.4/1.35 1.4/1.41 9/1.51", [], "1"),
    "three of five": ("1.2/1.25 1.3/1.31 1.4/1.35 8/1.41 9/1.51", [], ""),
    "one of more decimals": (
        "1.2/1.25 1.3/1.31 1.4/1.35 1.4/1.41 1.6/1.58 1.512/1.5123", ["1"] * 9, "1",
    ),
    "other fills have more decimals": ("1.2/1.25 1.3/1.31 1.4/1.35", ["1.25"], ""),
    "one of many fills has more decimals": (
        "1.2/1.25 1.3/1.31 1.4/1.35", ["1.25", "1.5", "1.4"], "1",
    ),
    "to whole numbers": ("1/1.25 1/1.31 2/1.75", [], "0"),
}  # fmt: skip
"""Prices of pairs of rows, prices of further fills, and the decimals that are left."""


@pytest.mark.parametrize("name", ROUNDED)
@pytest.mark.parametrize("figure", ["price", "quantity"])
def test_figures_that_are_rounded(name: str, figure: str) -> None:
    """Most of the pairs in one way, and most of all fills have no more decimals."""
    texts, more, places = ROUNDED[name]
    pairs = rows(texts, figure)
    fills: list[Fill] = [row.at for row in pairs]
    fills += [replace(RIGHT, **{figure: Decimal(text)}) for text in more]
    found = rounding_of_pairs(pairs, fills, figure)
    assert (found and found.detail) == (f"{figure} to {places} decimals" if places else None)
    assert found is None or (found.fields, found.facts.rounded) == ((figure,), figure)


@pytest.mark.parametrize(
    ("texts", "places"),
    [
        ("1/9", 0), ("1.5/9 1/9", 1), ("1/9 1/9 1/9 1/9 1.25/9", 2), ("1.50/9", 1),
        ("1/9 1/9 1/9 1/9 1/9 1.25/9", 0),
    ],
)  # fmt: skip
def test_the_decimals_of_most_figures(texts: str, places: int) -> None:
    """Of all but the fifth with the most."""
    assert _usual_places(rows(texts), "price") == places


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("1.2/1.29 1.3/1.31 1.4/1.45", True), ("1.2/1.25 1.3/1.35 1.4/1.45", False),
        ("1.2/1.29 1.3/1.31 1.5/1.45", False), ("1.2/1.251 1.3/1.31 1.4/1.41", True),
        ("1.2/1.2 1.3/1.36 1.4/1.4", True),
    ],
)  # fmt: skip
def test_digits_that_are_cut_off(texts: str, *, expected: bool) -> None:
    """None is too large, and one is too small by more than half a unit."""
    pairs = rows(texts)
    shared = SharedFault(CauseKind.ROUNDING, "", ("price",), pairs, Facts(rounded="price"))
    hypothesis = shared.hypothesis()
    assert _is_cut_off(hypothesis) is expected
    assert not _is_cut_off(replace(hypothesis, facts=Facts()))


@pytest.mark.parametrize(
    ("texts", "ratio"),
    [
        ("10/1 20/2 35/3.5", "10"), ("1/10 2/20 3.5/35", "1/10"), ("3/1 6/2", "3"),
        ("1.5/1 3/2", ""),
        ("0/1 0/2", ""), ("10/1 20/2 30/3 40/4 1/5", "10"), ("10/1 20/2 30/3 9/4 1/5", ""),
        ("", ""), ("10/1", ""),
    ],
)  # fmt: skip
def test_quantities_in_another_unit(texts: str, ratio: str) -> None:
    """Most are one whole multiple of the right ones, or one whole part."""
    found = unit_of_pairs(rows(texts, "quantity"))
    words = f"quantities are {ratio} times what they should be"
    assert (found and found.detail) == (words if ratio else None)


@pytest.mark.parametrize(
    ("quantities", "kind"),
    [
        ("10/1 20/2", CauseKind.UNIT),
        ("1/1.25 3/2.75", CauseKind.ROUNDING),
        ("10/1 21/2", None),
        ("10/1 20/0", None),
        ("10/0 20/0", None),
    ],
)
def test_one_fault_of_all_quantities(quantities: str, kind: CauseKind | None) -> None:
    """In every pair, or it is none; nothing is a multiple of a quantity of 0."""
    pairs = [(row.given, row.right) for row in rows(quantities, "quantity")]
    found = unit_or_rounding(pairs, [given for given, _ in pairs])
    assert (None if found is None else found.cause_kind) is kind
