"""The engine: a recorded session, or ledgers, and a policy give diffs and a summary."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from pluggy import PluginManager

from recon_core.aliases import with_aliases
from recon_core.amounts import require_amount
from recon_core.atomic import write_atomically
from recon_core.comparison import Comparison, ItemKind, Judgement, ReconDiff, SessionCheck
from recon_core.errors import ReconError, ReplayError, SessionError
from recon_core.evidence import evidence
from recon_core.extensions import extension_manager
from recon_core.external import ExternalSnapshot
from recon_core.grouping import DEFAULT_MAX_ITEMS
from recon_core.judging import cannot_judge, judge, judge_check
from recon_core.ledger import OrderLedger, PositionLedger
from recon_core.ledger.consistency import ledger_comparisons
from recon_core.ledger.location import Location
from recon_core.ledger.movement_signs import sign_notes
from recon_core.ledger.replay import replay_sides, with_derived_sections
from recon_core.ledger.snapshots import Snapshots
from recon_core.matching.matcher import match
from recon_core.matching.row_judging import judge_rows
from recon_core.model import RecordedSession, SideRecord
from recon_core.pairing import duplicate_notes, pair
from recon_core.policy.model import Policy
from recon_core.printable import printable
from recon_core.probable_aliases import with_probable_aliases
from recon_core.quick_memory import without_collecting
from recon_core.session_checks import BUILT_IN, side_notes, unreported_notes, untimely_notes
from recon_core.sessions import read_session
from recon_core.sessions.discovery import NATIVE_SUFFIX
from recon_core.sessions.files import input_files
from recon_core.severity import Severity
from recon_core.summary import DEFAULT_TOP, ReconSummary, summarise

_ANCHORLESS = Path("manual")


class Reconciliation:
    """One recorded session under one policy: its comparisons, and their verdicts on demand.

    Pairing is done at once and fails with `SessionError` where a side cannot be
    replayed; each verdict is computed when it is asked for and kept. Above `max_items`
    fills or orders the equal ones are one comparison; `folded` says how many they are.
    """

    def __init__(
        self,
        recorded: RecordedSession,
        policy: Policy,
        manager: PluginManager | None = None,
        *,
        max_items: int = DEFAULT_MAX_ITEMS,
    ) -> None:
        self.policy = policy
        self._hook = None if manager is None else manager.hook
        self._hook_notes: list[str] = []
        recorded = with_aliases(self._with_internal_side(recorded), policy.aliases)
        self._replays = replay_sides(recorded)
        self.recorded = with_derived_sections(recorded, self._replays)
        self._snapshots = Snapshots(self.recorded, self._replays)
        self._location = Location(self.recorded, self._replays, policy)
        self._matching = match(self.recorded, max_items)
        self.folded = self._matching.folded
        self.comparisons = self._all_comparisons()
        self._judgements: dict[str, Judgement] = {}
        self._notified = False

    @classmethod
    def unreadable(cls, anchor: Path, message: str, policy: Policy) -> "Reconciliation":
        """A session that cannot be judged: one CRITICAL comparison, `session::readable`.

        `message` says why; the session id is the stem of the file's name.
        """
        native = anchor.name.removesuffix(NATIVE_SUFFIX)
        name = anchor.stem if native == anchor.name else native
        recorded = RecordedSession(name or anchor.name, anchor, inputs=input_files(anchor))
        reconciliation = cls(recorded, policy)
        check = SessionCheck("readable", Severity.CRITICAL, printable(message, 1000))
        comparison = Comparison(ItemKind.SESSION, "readable", "readable", None, check=check)
        reconciliation.comparisons = (comparison,)
        return reconciliation

    def _with_internal_side(self, recorded: RecordedSession) -> RecordedSession:
        recomputed = self._hook and self._hook.recon_internal_side(recorded=recorded)
        if recomputed is None:
            return recorded
        if not isinstance(recomputed, SideRecord):
            raise SessionError("recon_internal_side gave no SideRecord")
        giver = self._giver("recon_internal_side", recorded=recorded)
        self._hook_notes.append(f"internal side recomputed by recon_internal_side of {giver}")
        return replace(recorded, internal=recomputed)

    def _all_comparisons(self) -> tuple[Comparison, ...]:
        ledger = [
            *ledger_comparisons(self.recorded, self._replays),
            *self._snapshots.comparisons,
        ]
        paired = with_probable_aliases(pair(self.recorded, self._more_checks(), ledger))
        both = [*paired, *self._matching.comparisons]
        return tuple(sorted(both, key=lambda comparison: comparison.identity))

    def _more_checks(self) -> list[SessionCheck]:
        if self._hook is None:
            return []
        results = self._hook.recon_checks(recorded=self.recorded)
        return [check for checks in results for check in checks or ()]

    def judge(self, comparison: Comparison) -> Judgement:
        """The verdict of one comparison."""
        known = self._judgements.get(comparison.identity)
        if known is not None:
            return known
        judgement = self._judge(comparison)
        self._judgements[comparison.identity] = judgement
        return judgement

    def _judge(self, comparison: Comparison) -> Judgement:
        session_id = self.recorded.session_id
        if comparison.item_kind is not ItemKind.SESSION and comparison.check is None:
            try:
                return self._located(self._judge_values(comparison, session_id))
            except Exception as error:  # noqa: BLE001  # a plugin's: not judged is CRITICAL
                return cannot_judge(comparison, error, session_id)
        check = comparison.check or BUILT_IN[comparison.name](self.recorded, self.policy)
        return judge_check(comparison, check, session_id)

    def _judge_values(self, comparison: Comparison, session_id: str) -> Judgement:
        if comparison.matched is not None:
            return judge_rows(comparison, self.policy, session_id)
        of_snapshots = self._snapshots.judge(comparison, self.policy, session_id)
        if of_snapshots is not None:
            return of_snapshots
        judgement = judge(comparison, self.policy, session_id)
        if self._hook is None or judgement.diff is None:
            return judgement
        given = self._hook.recon_tolerance(comparison=comparison)
        if given is None:
            return judgement
        absolute = require_amount(given, f"recon_tolerance of {printable(comparison.name, 60)}")
        return self._softened(judgement, absolute, session_id)

    def _located(self, judgement: Judgement) -> Judgement:
        """The judgement with notes on where its difference lies."""
        notes = () if judgement.diff is None else self._location.notes(judgement.comparison)
        if judgement.diff is None or not notes:
            return judgement
        diff = replace(judgement.diff, notes=(*judgement.diff.notes, *notes))
        return replace(judgement, diff=diff)

    def _softened(self, judgement: Judgement, given: Decimal, session_id: str) -> Judgement:
        """Judge again by a hook's tolerance, and leave a trace where that is milder."""
        assert judgement.diff is not None  # noqa: S101  # a match is not softened
        again = judge(judgement.comparison, self.policy, session_id, given)
        if again.diff is None or again.diff.severity.rank >= judgement.diff.severity.rank:
            return again
        shown = self._giver("recon_tolerance", comparison=judgement.comparison)
        description = f"{again.diff.description} (softened by {shown})"
        diff = replace(again.diff, softened_by=shown, description=description)
        return replace(again, diff=diff, message=description)

    def _giver(self, hook: str, **arguments: object) -> str:
        """Which plugin's answer counted: its name, or the end of its file's path."""
        # In pluggy's order, the last registered first; it does not say who answered.
        for each in reversed(getattr(self._hook, hook).get_hookimpls()):
            known = {name: arguments[name] for name in each.argnames}
            if not each.wrapper and not each.hookwrapper and each.function(**known) is not None:
                return printable("/".join(Path(each.plugin_name).parts[-2:]))
        return "a plugin"

    def notify(self) -> None:
        """Tell `recon_reconciled` that the session was judged, once."""
        if self._hook is not None and not self._notified:
            self._notified = True
            self._hook.recon_reconciled(reconciliation=self)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know besides the verdicts, safe to print."""
        notes = [
            *self._hook_notes,
            *self.recorded.notes,
            *(note for replayed in self._replays.values() for note in replayed.notes),
            *side_notes(self.recorded),
            *duplicate_notes(self.recorded),
            *unreported_notes(self.recorded, self.policy),
            *untimely_notes(self.recorded),
            *sign_notes(self.recorded),
            *self._matching.notes,
        ]
        return tuple(printable(note, 500) for note in notes)

    @cached_property
    def judgements(self) -> tuple[Judgement, ...]:
        """The verdicts of all comparisons, in their order."""
        return tuple(self.judge(comparison) for comparison in self.comparisons)

    @property
    def diffs(self) -> list[ReconDiff]:
        """The diffs of all judgements, in the order of the comparisons."""
        return [judgement.diff for judgement in self.judgements if judgement.diff is not None]

    def summary(
        self,
        *,
        top_n: int = DEFAULT_TOP,
        run_id: str | None = None,
        invocation_id: str | None = None,
    ) -> ReconSummary:
        """The summary of all diffs, with the evidence of the run."""
        return self.summarise(self.diffs, top_n=top_n, run_id=run_id, invocation_id=invocation_id)

    def summarise(
        self,
        diffs: Sequence[ReconDiff],
        *,
        top_n: int = DEFAULT_TOP,
        run_id: str | None = None,
        invocation_id: str | None = None,
    ) -> ReconSummary:
        """The summary of given diffs of this session, as a run that was narrowed has them."""
        return summarise(
            diffs,
            self.recorded.session_id,
            self.recorded.strategy_id,
            top_n=top_n,
            run_id=run_id,
            invocation_id=invocation_id,
            comparisons=len(self.comparisons),
            mirrored=self.recorded.mirrored,
            notes=self.notes,
            evidence=evidence(self.recorded, self.policy),
        )


def reconcile_session(
    path: Path | str,
    policy: Policy | None = None,
    manager: PluginManager | None = None,
    *,
    max_items: int = DEFAULT_MAX_ITEMS,
) -> Reconciliation:
    """Read a recorded session and pair its sides; never raises for what the file holds.

    What cannot be read or replayed is a reconciliation with one CRITICAL
    comparison. Errors of a plugin count as such too. Above `max_items` fills or orders
    the equal ones are one comparison.
    """
    anchor, policy = Path(path), policy or Policy()
    try:
        manager = extension_manager() if manager is None else manager
        with without_collecting():
            recorded = read_session(anchor, manager)
            return Reconciliation(recorded, policy, manager, max_items=max_items)
    except ReplayError as error:
        message = f"{printable(anchor.name)}: {error}"
        return Reconciliation.unreadable(anchor, message, policy)
    except ReconError as error:
        return Reconciliation.unreadable(anchor, str(error), policy)
    except Exception as error:  # noqa: BLE001  # a plugin's fault must not end the other sessions
        shown = printable(error)
        message = f"{printable(anchor.name)}: {type(error).__name__} while reading: {shown}"
        return Reconciliation.unreadable(anchor, message, policy)


class ReconciliationEngine:
    """Reconciles ledgers that a program has filled (runbook, "Recon-Run manuell triggern")."""

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
        """What the ledgers say, as the internal side of a session."""
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


def reconciliation_report(reconciliation: Reconciliation) -> dict[str, object]:
    """Summary, and every comparison with its verdict and its diff, as plain data."""
    summary = reconciliation.summary()
    return {
        "summary": summary.to_dict(),
        "comparisons": [
            {
                "kind": str(judgement.comparison.item_kind),
                "key": judgement.comparison.key,
                "verdict": judgement.verdict,
                "message": judgement.message,
                "diff": None if judgement.diff is None else judgement.diff.to_dict(),
            }
            for judgement in reconciliation.judgements
        ],
    }


def _write_json(path: Path, report: Mapping[str, Any]) -> None:
    try:
        write_atomically(path, json.dumps(report, indent=2, sort_keys=True) + "\n")
    except OSError as error:
        raise ReconError(f"{printable(path.name)}: cannot be written: {error.strerror}") from None
