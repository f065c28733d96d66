"""The engine: ledgers that a program has filled and a policy give diffs and a summary."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recon_core.engine.evidence import evidence
from recon_core.engine.reconciliation import Reconciliation
from recon_core.ledger import OrderLedger, PositionLedger
from recon_core.model import RecordedSession, SideRecord
from recon_core.model.comparison import ReconDiff
from recon_core.model.snapshot import ExternalSnapshot
from recon_core.model.summary import DEFAULT_TOP, ReconSummary, summarise
from recon_core.policy.model import Policy
from recon_core.reports.reconciliation_report import reconciliation_report
from recon_core.values.errors import ReconError
from recon_core.values.files import refusing, write_atomically

_ANCHORLESS = Path("manual")


class ReconciliationEngine:
    """Reconciles ledgers that a program has filled (design, "The runbook").

    Ledgers and a policy that are not given are empty and the built-in one. `reconcile`
    returns the diffs; `create_summary` counts them, and the report is that of the last call.
    """

    def __init__(
        self,
        position_ledger: PositionLedger | None = None,
        order_ledger: OrderLedger | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.position_ledger = PositionLedger() if position_ledger is None else position_ledger
        self.order_ledger = OrderLedger() if order_ledger is None else order_ledger
        self.policy = Policy() if policy is None else policy
        self._last: Reconciliation | None = None

    def reconcile(
        self,
        external_snapshot: ExternalSnapshot | None = None,
        *,
        session_id: str = "manual",
    ) -> list[ReconDiff]:
        """Compare the ledgers with a snapshot; the diffs, the worst kinds included.

        Without a snapshot the external side mirrors the internal one, as in the
        runbook's phase 0: nothing can differ, and the summary says so.
        """
        mirrored = external_snapshot is None
        external = None if external_snapshot is None else external_snapshot.record()
        as_of = datetime.now(UTC) if external is None else external.as_of
        internal = self.internal_record(as_of)
        if external is not None:
            internal = _with_empty_tables(internal, external)
        recorded = RecordedSession(
            session_id=session_id,
            anchor=_ANCHORLESS,
            internal=internal,
            external=internal if external is None else external,
            mirrored=mirrored,
        )
        self._last = Reconciliation(recorded, self.policy)
        # The mirror's coverage WARN is the summary's note here, not a diff.
        return [] if mirrored else self._last.diffs

    def internal_record(self, as_of: datetime) -> SideRecord:
        """Return the state of the ledgers, as the internal side of a session."""
        return SideRecord(
            as_of=as_of,
            source="ledger",
            positions=self.position_ledger.positions,
            cash=self.position_ledger.cash,
            orders=self.order_ledger.orders or None,
            fills=self.position_ledger.fills or None,
        )

    def create_summary(
        self,
        diffs: Sequence[ReconDiff],
        session_id: str,
        strategy_id: str = "",
        top_n: int = DEFAULT_TOP,
        run_id: str | None = None,
    ) -> ReconSummary:
        """Summarise diffs; the summary says where they came from a mirror."""
        last = self._last
        mirrored = last is not None and last.recorded.mirrored
        note = "no external snapshot: the external side mirrors the internal one"
        return summarise(
            diffs,
            session_id,
            strategy_id,
            top_n=top_n,
            run_id=run_id,
            comparisons=None if last is None else len(last.comparisons),
            mirrored=mirrored,
            notes=(note,) if mirrored else (),
            evidence=None if last is None else evidence(last.recorded, self.policy),
        )

    def export_reconciliation_report(self, path: Path | str | None = None) -> dict[str, object]:
        """The last reconciliation in full, as plain data; also written to `path` as JSON.

        Raises `ReconError` where nothing was reconciled yet or the file cannot be
        written; a file is written whole or not at all.
        """
        if self._last is None:
            raise ReconError("nothing was reconciled yet; expected a call of reconcile() first")
        report = reconciliation_report(self._last)
        if path is not None:
            _write_json(Path(path), report)
        return report


def _with_empty_tables(internal: SideRecord, external: SideRecord) -> SideRecord:
    """A ledger knows all its orders and fills: without any, it reports that there are none."""
    empty: dict[str, Any] = {
        section: ()
        for section in ("orders", "fills")
        if external.rows(section) is not None and internal.rows(section) is None
    }
    return replace(internal, **empty)


def _write_json(path: Path, report: Mapping[str, Any]) -> None:
    with refusing(path.name):
        write_atomically(path, json.dumps(report, indent=2, sort_keys=True) + "\n")
