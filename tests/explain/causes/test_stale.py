"""A state that is behind: stale, or of an hour before the time that it says."""

import pytest

from recon_core.explain import explain
from recon_core.model import Fill, LedgerSide
from recon_core.model.explanation import ExplanationVerdict
from tests.core.builders import at, fill
from tests.explain.real_sessions import books, session, silent


def fills(*seconds: int) -> list[Fill]:
    """Purchases of different sizes at these times."""
    return [
        fill(f"f{number}", "BUY", f"{number + 1}.25", f"{100 + number}", f"0.{number + 1} EUR",
             time=at(time), client_order_id=f"o{number}")
        for number, time in enumerate(seconds)
    ]  # fmt: skip


HOUR, DAY = -3600, -86400
EDGES = {
    "an hour": (HOUR - 100, HOUR + 1, "as_of_shift", "of one hour before its as_of"),
    "the last at the hour": (HOUR, HOUR + 1, "as_of_shift", "of one hour before its as_of"),
    "the first at the hour": (HOUR - 1, HOUR, "stale_side", "the last that is has the time"),
    "more than an hour": (HOUR - 2, HOUR - 1, "stale_side", "the last that is has the time"),
    "less than an hour": (HOUR + 1, HOUR + 2, "stale_side", "the last that is has the time"),
}
"""Times of the last fill that the exchange knows and of the first that it does not."""


@pytest.mark.parametrize("name", EDGES)
def test_an_hour_is_an_hour(name: str) -> None:
    """A fill of the very second belongs to the state of that second."""
    last, first, kind, words = EDGES[name]
    rows = fills(-8000, -7000, last, first, -2000, -1000)
    (one,) = explain(session(books(*rows), silent(books(*rows[:3]))))
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    (cause,) = one.causes
    assert (str(cause.cause_kind), cause.ids) == (kind, ("f3", "f4", "f5")), one.text
    assert cause.side is LedgerSide.EXTERNAL
    assert words in one.text
