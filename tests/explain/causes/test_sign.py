"""The other sign: of what the exchange states, or of all fills of the ledger."""

from collections.abc import Sequence

import pytest

from recon_core.explain import explain
from recon_core.model import Fill
from tests.core.builders import at, fill, side
from tests.explain.real_sessions import books, linear, session

PERP = linear("X-PERP", "EUR")


def sold(*rows: tuple[str, str]) -> Sequence[Fill]:
    """SELL of a quantity at a price, one after the other."""
    return [
        fill(f"f{at_}", "SELL", quantity, price, symbol="X-PERP", time=at(60 * at_ - 900))
        for at_, (quantity, price) in enumerate(rows)
    ]


OPENED = sold(("1.237", "100"), ("2.411", "100"), ("4.009", "100"))
CLOSED = [*OPENED, fill("g", "BUY", "3.5", "80", symbol="X-PERP", time=at(-60))]


@pytest.mark.parametrize(
    ("rows", "cash", "verdict", "decides"),
    [
        (OPENED, {"EUR": "50"}, "ambiguous", "the fills of the external side"),
        (OPENED, None, "ambiguous", "the cash of both sides"),
        (CLOSED, {"EUR": "120"}, "unique", ""),
    ],
    ids=["what opens a contract", "without cash", "what is closed has a result"],
)
def test_a_position_of_the_other_sign(
    rows: Sequence[Fill], cash: dict[str, str] | None, verdict: str, decides: str
) -> None:
    """Fills that only open a contract cost the same turned round; what is closed does not."""
    ledger = books(*rows, opening={"EUR": "50"})
    quantity = "7.657" if rows is OPENED else "4.157"
    (one,) = explain(session(ledger, side({"X-PERP": quantity}, cash), PERP))
    assert (str(one.verdict), str(one.side)) == (verdict, "external")
    assert [str(cause.cause_kind) for cause in one.causes] == ["sign_convention"]
    assert one.decides == decides
