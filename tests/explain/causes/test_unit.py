"""Contracts counted in another unit: by a power of ten, or by the multiplier of the contract."""

from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.model import Fill
from recon_core.model.explanation import ExplanationVerdict
from tests.core.builders import at, fill
from tests.explain.real_sessions import books, linear, session, silent

SIZES = (("BUY", "20", "100"), ("BUY", "40", "103"), ("SELL", "30", "104"), ("SELL", "30", "99"))


def trades(count: int) -> list[Fill]:
    """Trades of a contract, of which the last one closes what is open."""
    return [
        fill(f"p{number}", *size, "0.2 EUR", symbol="PERP", time=at(number - 900))
        for number, size in enumerate(SIZES[:count])
    ]


UNITS = [
    ("5", "5", "5"),
    ("5", "0.2", "1/5"),
    ("0.25", "4", "4"),
    ("0.001", "1000", "1000"),
    ("1", "100", "100"),
    ("100", "0.01", "1/100"),
]
"""The multiplier, the factor by which the ledger's quantities are wrong, and that in words."""


@pytest.mark.parametrize("count", [3, 4])
@pytest.mark.parametrize(("multiplier", "factor", "words"), UNITS)
def test_every_quantity_in_another_unit(
    multiplier: str, factor: str, words: str, count: int
) -> None:
    """One fault of all fills; the cash of a closed position is that of a multiplier as well."""
    contract, rows = linear("PERP", "EUR", multiplier), trades(count)
    wrong = [replace(row, quantity=row.quantity * Decimal(factor)) for row in rows]
    *others, one = explain(session(books(*wrong), silent(books(*rows), contract), contract))
    (cause,) = one.causes
    assert (str(cause.cause_kind), len(cause.ids), str(cause.side)) == ("unit", count, "internal")
    assert f"(quantities are {words} times what they should be)" in one.text
    is_closed = count == len(SIZES)
    kinds = [str(cause.cause_kind) for other in others for cause in other.causes]
    assert kinds == ["multiplier"] * is_closed
    assert (one.verdict is ExplanationVerdict.UNIQUE) is not is_closed, one.text


@pytest.mark.parametrize("factor", ["10", "0.1", "100"])
def test_beside_a_position_without_a_price(factor: str) -> None:
    """What another contract is worth is unknown; the trades are closed, and their PnL shows it."""
    contracts = linear("PERP", "EUR"), linear("OTHER", "EUR")
    rows, held = trades(4), {"OTHER": "5"}
    wrong = [replace(row, quantity=row.quantity * Decimal(factor)) for row in rows]
    truth = silent(books(*rows, held=held), *contracts)
    found = explain(session(books(*wrong, held=held), truth, *contracts))
    kinds = [str(cause.cause_kind) for one in found for cause in one.causes]
    assert kinds == ["multiplier", "unit"]


@pytest.mark.parametrize("factor", ["3", "0.5", "7"])
def test_another_factor_is_no_unit(factor: str) -> None:
    """Neither a power of ten nor the multiplier: nothing shows that all are wrong alike."""
    contract, rows = linear("PERP", "EUR", "5"), trades(3)
    wrong = [replace(row, quantity=row.quantity * Decimal(factor)) for row in rows]
    found = explain(session(books(*wrong), silent(books(*rows), contract), contract))
    kinds = {str(cause.cause_kind) for one in found for cause in one.causes}
    assert "unit" not in kinds


def test_without_a_fault_no_unit_is_named() -> None:
    """A multiplier of 1 is no other unit."""
    contract = linear("PERP", "EUR")
    assert explain(session(books(*trades(3)), silent(books(*trades(3)), contract), contract)) == ()
