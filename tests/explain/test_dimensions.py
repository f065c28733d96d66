"""Dimensions and vectors: what is compared, under which name, and which amounts count."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.problem.dimensions import (
    Dimensions,
    add_to,
    deltas,
    effect_of,
    instrument_of,
    key_of,
    label_of,
    minus,
    negated,
    plus,
    signed,
    state_part,
    vector_of,
)
from recon_core.model import CashBalance, LedgerSide, Leg, Position
from tests.core.builders import SPOT, recorded, side
from tests.explain.problems import prover_of

Amounts = Mapping[str, str]


def vector(amounts: Amounts) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in amounts.items()}


VECTOR = vector({
    "position::X": "1", "position::Y": "0", "cash::EUR": "-2", "cash::USD": "0", "order::o": "3",
    "position::A": "4", "cash::BTC": "5",
})  # fmt: skip


def test_the_effect_of_a_vector() -> None:
    """Positions and balances by name, none of 0, and no orders."""
    effect = effect_of(VECTOR)
    assert list(effect.position.items()) == [("A", 4), ("X", 1)]
    assert list(effect.cash.items()) == [("BTC", 5), ("EUR", -2)]
    assert vector_of(effect) == state_part(VECTOR)
    assert state_part(VECTOR) == vector(
        {"position::X": "1", "cash::EUR": "-2", "position::A": "4", "cash::BTC": "5"}
    )


def test_sums_of_vectors() -> None:
    """Dimension by dimension; an absent one is 0."""
    first, second = vector({"a": "1", "b": "2"}), vector({"b": "-2", "c": "3"})
    assert plus(first, second) == vector({"a": "1", "b": "0", "c": "3"})
    assert minus(first, second) == vector({"a": "1", "b": "4", "c": "-3"})
    assert first == vector({"a": "1", "b": "2"})
    assert negated(first) == vector({"a": "-1", "b": "-2"})
    assert signed(first, LedgerSide.INTERNAL) == first
    assert signed(first, LedgerSide.EXTERNAL) == negated(first)
    add_to(first, "d", Decimal(1))
    assert first["d"] == 1


@pytest.mark.parametrize(
    ("plain", "leg", "account", "position", "cash", "label"),
    [
        (False, Leg.NET, None, "position::X", "cash::EUR", "X"),
        (
            False, Leg.LONG, "a", "position::X,leg=LONG,account=a", "cash::EUR,account=a",
            "X LONG of account a",
        ),
        (True, Leg.SHORT, "a", "position::X,leg=SHORT", "cash::EUR", "X SHORT"),
    ],
)  # fmt: skip
def test_the_names_of_rows(
    leg: Leg, account: str | None, position: str, cash: str, label: str, *, plain: bool
) -> None:
    """With leg and account; `plain` names have no account."""
    known = Dimensions(frozenset(), plain)
    assert known.position("X", leg, account) == position
    assert known.cash("EUR", account) == cash
    assert key_of(position) == position.removeprefix("position::")
    assert label_of(position) == label


@pytest.mark.parametrize(
    ("symbol", "label"),
    [
        ("KO 260220C00062500", "KO 260220C00062500"), ("A@B,C%20::D", "A@B,C%20\\x3a:D"),
        ("Ä", "Ä"), ("X\x1b[31m", "X\\x1b[31m"), ("L" * 300, None),
    ],
)  # fmt: skip
def test_a_symbol_is_told_as_it_is_written(symbol: str, label: str | None) -> None:
    """Names are encoded, and their instruments are found; what a terminal obeys is made visible."""
    name = Dimensions(frozenset(), plain=False).position(symbol, Leg.NET, None)
    own = replace(SPOT, symbol=symbol)
    known = recorded(side({}), side({}), instruments={symbol: own, "other": SPOT})
    assert instrument_of(known, f"{name},leg=LONG,account=a") == own
    assert instrument_of(known, f"cash::{symbol}") is None
    assert instrument_of(recorded(side({}), side({})), name) is None
    if label is not None:
        assert label_of(name) == label


def test_a_state_as_a_vector() -> None:
    """Rows of one name add up; what an account holds of an asset counts once."""
    balances = [CashBalance("EUR", Decimal(5)), CashBalance("BTC", Decimal(2))]
    held = [Position("BTC/EUR", Decimal(2)), Position("X", Decimal(1)), Position("X", Decimal(3))]
    known = Dimensions(frozenset(), plain=True, held={"BTC/EUR": "BTC"})
    assert known.state(held, balances) == vector(
        {"cash::EUR": "5", "cash::BTC": "2", "position::X": "4"}
    )
    assert known.state(held, balances[:1]) == vector(
        {"cash::EUR": "5", "cash::BTC": "2", "position::X": "4"}
    )
    both = [Position("BTC/EUR", Decimal(2)), Position("BTC/USD", Decimal(1))]
    two = replace(known, held={"BTC/EUR": "BTC", "BTC/USD": "BTC"})
    assert two.state(both, []) == vector({"cash::BTC": "3"})
    assert two.state(None, None) == {}


def test_what_is_seen() -> None:
    """What is compared, and not 0; what is real exceeds the dust of floats."""
    known = Dimensions(
        frozenset({"cash::EUR", "position::X", "position::Y"}), plain=True, dust=Decimal("0.5"),
        otherwise=frozenset({"position::Z"}), unlisted=frozenset({"position::W"}),
    )  # fmt: skip
    amounts = vector(
        {"cash::EUR": "-0.5", "position::X": "0", "position::Y": "-0.6", "cash::USD": "9"}
    )
    assert known.seen(amounts) == vector({"cash::EUR": "-0.5", "position::Y": "-0.6"})
    assert known.real(amounts) == vector({"position::Y": "-0.6"})
    names = ("cash::EUR", "cash::USD", "position::Z", "position::Z,account=a", "position::W")
    assert [name for name in names if known.shows(name)] == [names[0], names[2], names[3]]
    assert known.is_unlisted("position::W,leg=LONG,account=a")
    assert not known.is_unlisted("position::Z")


def test_the_deltas_of_two_sides() -> None:
    """Ledger minus exchange where they differ; none without either side."""
    ledger, exchange = side({"X": "3", "Y": "1"}, {"EUR": "5"}), side({"X": "1"}, {"EUR": "5"})
    prover = prover_of(recorded(ledger, exchange))
    assert deltas(prover.dimensions, prover.recorded) == vector(
        {"position::X": "2", "position::Y": "1"}
    )
    for lacking in (recorded(ledger, None), recorded(None, exchange)):
        assert deltas(prover.dimensions, lacking) == {}
