"""The sign of a movement against its kind: noted where it is unusual, refused nowhere."""

from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import CashBalance, Movement, MovementKind, Opening

from .builders import AS_OF, reconciled, side, verdicts

EITHER = set(MovementKind) - {MovementKind.DEPOSIT, MovementKind.WITHDRAWAL, MovementKind.FEE}
SIGNED = [
    ("deposit", "5", ""),
    ("deposit", "-5", "deposit m1 of -5 EUR"),
    ("withdrawal", "-5", ""),
    ("withdrawal", "5", "withdrawal m1 of 5 EUR"),
    ("fee", "-5", ""),
    ("fee", "5", "fee m1 of 5 EUR"),
    *((kind, "0", "") for kind in ("deposit", "withdrawal", "fee")),
    *((str(kind), amount, "") for kind in sorted(EITHER) for amount in ("5", "-5")),
]


def moved(kind: str, amount: str, name: str = "m1") -> Movement:
    """Cash that moved."""
    return Movement(name, MovementKind(kind), AS_OF, "EUR", Decimal(amount))


def of(*movements: Movement, total: str = "100") -> Reconciliation:
    """A side with these movements, against one that states a total."""
    opening = Opening(None, cash=(CashBalance("EUR", Decimal(100)),))
    ours = side(opening=opening, fills=(), movements=movements)
    return reconciled(ours, side({}, {"EUR": total}))


def odd_notes(found: Reconciliation) -> list[str]:
    """The notes on signs."""
    return [note for note in found.notes if "not the sign of the kind" in note]


@pytest.mark.parametrize(("kind", "amount", "text"), SIGNED)
def test_the_sign_of_a_kind(kind: str, amount: str, text: str) -> None:
    """Either way the amount is booked as it stands, so that cash tells who is wrong."""
    total = str(100 + int(amount))
    found = of(moved(kind, amount), total=total)
    assert verdicts(found)["cash::EUR"] == "match"
    expected = f"internal: 1 movement has not the sign of the kind, booked as given: {text}"
    assert odd_notes(found) == ([expected] if text else [])


def test_a_quantity_has_a_sign_too() -> None:
    """Shares that are taken out; both that are wrong are named."""
    one = Movement("m1", MovementKind.WITHDRAWAL, AS_OF, "EUR", Decimal(5), "X", Decimal(2))
    assert odd_notes(of(one))[0].endswith(": withdrawal m1 of 5 EUR and 2 X")


def test_many_are_one_note_on_one_safe_line() -> None:
    """The first three by name, the others counted."""
    odd = [moved("fee", "1", name) for name in ("a\x1b[2J", "b", "c", "d", "e")]
    assert odd_notes(of(*odd, moved("fee", "-1"))) == [
        (
            "internal: 5 movements have not the sign of the kind, booked as given: "
            r"fee a\x1b[2J of 1 EUR, fee b of 1 EUR, fee c of 1 EUR and 2 more"
        )
    ]


def test_both_sides_are_looked_at_and_a_mirror_once() -> None:
    """Each side is named; a copy does not speak for itself."""
    rows = (moved("fee", "1"),)
    ours = side({}, {"EUR": "1"}, movements=rows)
    starts = [note.partition(":")[0] for note in odd_notes(reconciled(ours, ours))]
    assert starts == ["internal", "external"]
    assert len(odd_notes(reconciled(ours, ours, mirrored=True))) == 1
