"""Hooks of the core in a conftest: the project's own ledger, and a check of its own.

With `recon_internal_side`, recorded sessions are regression tests of the ledger
code: what the exchange said then must still be what the code computes today.
`OUR_LEDGER=broken` puts a ledger with a fault in its place, to see the gate close.
"""

import os
from dataclasses import replace

from broken_ledger import BrokenLedger
from our_ledger import OurLedger

import recon_core
from recon_core import RecordedSession, SessionCheck, Severity, SideRecord


@recon_core.hookimpl
def recon_internal_side(recorded: RecordedSession) -> SideRecord | None:
    """Replay the recorded fills with the ledger of this project."""
    internal = recorded.internal
    if internal is None or internal.fills is None or internal.opening is None:
        return None
    is_broken = os.environ.get("OUR_LEDGER") == "broken"
    ledger = (BrokenLedger if is_broken else OurLedger)(internal.opening)
    ledger.book(internal.fills)
    return replace(internal, positions=ledger.positions(), cash=ledger.cash())


@recon_core.hookimpl
def recon_checks(recorded: RecordedSession) -> list[SessionCheck]:
    """Fail a session that left an order open: `session::no-open-orders`."""
    external = recorded.external
    if external is None or external.orders is None:
        return [SessionCheck("no-open-orders", Severity.WARN, "the exchange reports no orders")]
    still_open = sorted(
        order.order_id
        for order in external.orders
        if order.state in ("ACKNOWLEDGED", "PARTIALLY_FILLED")
    )
    if still_open:
        return [SessionCheck("no-open-orders", Severity.FAIL, f"open: {', '.join(still_open)}")]
    return [SessionCheck("no-open-orders", None, "every order is done")]
