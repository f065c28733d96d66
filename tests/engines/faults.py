"""Faults of a ledger, and the gate's answer to a session that has one.

Each fault is put into the side whose fills are heard, as a bug of a strategy's bookkeeping
would. The fill in question is the one of the largest fee: a smaller one may be a WARN or an INFO
within the tolerance of the policy.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.model import CashBalance, Fill, LedgerSide, OrderSide, RecordedSession
from recon_core.model.explanation import Explanation, ExplanationVerdict
from recon_core.mutate.faults import FAULTS as MUTATIONS
from recon_core.mutate.scene import Scene
from recon_core.plugins.manager import extension_manager
from recon_core.policy.model import Policy
from recon_core.sessions import find_sessions, read_session
from recon_core.values.severity import Severity

PROVEN = {ExplanationVerdict.UNIQUE, ExplanationVerdict.PARTIAL}
Rows = list[Fill]


def recorded(directory: Path) -> RecordedSession:
    """The one session of a directory."""
    (anchor,) = find_sessions(directory, extension_manager())
    return read_session(anchor)


def judged(session: RecordedSession) -> tuple[list[Severity], tuple[Explanation, ...]]:
    """The severities of what differs, and what explains it."""
    reconciliation = Reconciliation(session, Policy())
    severities = [diff.severity for diff in reconciliation.diffs]
    return severities, explain(reconciliation)


def is_clear(session: RecordedSession) -> bool:
    """True if nothing differs but dust, which is INFO."""
    return all(diff.severity is Severity.INFO for diff in Reconciliation(session, Policy()).diffs)


def _on_rows(change: Callable[[Rows, int], object]) -> Callable[[RecordedSession], RecordedSession]:
    """A fault of the ledger's fills, at the fill of the largest fee."""

    def put(session: RecordedSession) -> RecordedSession:
        ledger = session.internal
        assert ledger is not None
        rows = list(ledger.fills or ())
        largest = max(range(len(rows)), key=lambda at: abs(rows[at].fee))
        change(rows, largest)
        return replace(session, internal=replace(ledger, fills=tuple(rows), counts={}))

    return put


def _changed(**fields: Callable[[Fill], object]) -> Callable[[RecordedSession], RecordedSession]:
    """A fault of fields of one fill."""

    def change(rows: Rows, at: int) -> None:
        rows[at] = replace(rows[at], **{name: of(rows[at]) for name, of in fields.items()})

    return _on_rows(change)


def _times(name: str, factor: str) -> Callable[[RecordedSession], RecordedSession]:
    return _changed(**{name: lambda fill: getattr(fill, name) * Decimal(factor)})


def _every_fee(rows: Rows, _at: int) -> None:
    rows[:] = [replace(fill, fee=fill.fee * Decimal("0.75")) for fill in rows]


def _other(fill: Fill) -> OrderSide:
    return fill.side.other


def _opening(session: RecordedSession) -> RecordedSession:
    """1000 more than the run began with."""
    ledger = session.internal
    assert ledger is not None
    assert ledger.opening is not None
    first, *others = ledger.opening.cash or ()
    more: Iterable[CashBalance] = (replace(first, total=first.total + 1000), *others)
    return replace(
        session, internal=replace(ledger, opening=replace(ledger.opening, cash=tuple(more)))
    )


def _stale(session: RecordedSession) -> RecordedSession:
    """A statement from before the last fills, as `recon mutate` makes it, without orders."""
    scene = Scene(session, LedgerSide.EXTERNAL, Policy().aliases)
    (fault,) = (one for one in MUTATIONS if one.name == "stale_side")
    injection = fault.inject(scene, random.Random(1))  # noqa: S311  # rows, no secrets
    assert injection is not None
    old = injection.put(injection.scale.usual[0])
    assert old.external is not None
    return replace(old, external=replace(old.external, orders=None, counts={}))


FAULTS: dict[str, tuple[frozenset[str], Callable[[RecordedSession], RecordedSession]]] = {
    name: (frozenset(kinds.split()), put)
    for name, kinds, put in (
        ("a fill is lost", "missing_fill", _on_rows(lambda rows, at: rows.pop(at))),
        (
            "a fill is there twice",
            "duplicate_fill",
            _on_rows(lambda rows, at: rows.insert(at, rows[at])),
        ),
        (
            "a fill is there twice, with two ids",
            "duplicate_fill orphan_fill",
            _on_rows(lambda rows, at: rows.insert(at, replace(rows[at], fill_id="again"))),
        ),
        ("a BUY is a SELL", "side_flipped", _changed(side=_other)),
        ("no fee", "missing_fee", _times("fee", "0")),
        ("the fee twice", "duplicate_fee", _times("fee", "2")),
        ("a rebate", "fee_sign", _times("fee", "-1")),
        ("another fee", "wrong_fee", _times("fee", "1.37")),
        ("three quarters of all fees", "fee_rate", _on_rows(_every_fee)),
        ("more by a quarter", "wrong_quantity", _times("quantity", "1.25")),
        ("a price of 1 % more", "wrong_price", _times("price", "1.01")),
        ("a statement from before", "stale_side as_of_shift", _stale),
        ("an opening of 1000 more", "opening_balance", _opening),
    )
}
"""The kinds of causes that are right, and what puts the fault into a session."""


def wrongly_proven(found: Iterable[Explanation], right: frozenset[str]) -> list[str]:
    """The proven causes that are others than the fault."""
    return [
        one.text
        for one in found
        if one.verdict in PROVEN and not all(str(cause.cause_kind) in right for cause in one.causes)
    ]


def named(found: Iterable[Explanation], right: frozenset[str]) -> bool:
    """True if the fault is proven, or among those that the data leave open."""
    return any(str(cause.cause_kind) in right for one in found for cause in one.causes)
