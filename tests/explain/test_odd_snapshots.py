"""One snapshot that contradicts the others: no row is then proven by them."""

from dataclasses import replace

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.model.explanation import ExplanationVerdict
from recon_core.policy import Policy
from tests.core.builders import SPOT, recorded
from tests.explain.test_accounts import ROWS, TIMES, TWICE, exchange, ledger_of, state


@pytest.mark.parametrize("odd", [None, *TIMES])
def test_one_odd_snapshot_is_enough(odd: int | None) -> None:
    """A fill is booked twice, and at one time the exchange states what another fault would give."""
    others = [row for row in ROWS if row.fill_id != "f1"] if (odd or 0) < -500 else TWICE
    snapshots = tuple(state(others if time == odd else ROWS, time, None) for time in TIMES)
    external = replace(exchange(None, None), snapshots=snapshots)
    known = recorded(ledger_of(None), external, instruments={SPOT.symbol: SPOT})
    (one,) = explain(Reconciliation(known, Policy()))
    assert (one.verdict is ExplanationVerdict.UNIQUE) == (odd is None), one.text
    assert one.causes[0].ids == (("x",) if odd is None else ("f1", "x"))
