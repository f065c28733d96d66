"""One recorded session under one policy: what is compared, the verdicts, the report."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pluggy import PluginManager

from recon_core.compare.accounts import accounts_are_one
from recon_core.compare.aliases import with_aliases
from recon_core.compare.compared_names import compared_names, own_names
from recon_core.compare.holdings import with_meant_views
from recon_core.compare.keys import duplicate_notes, pair
from recon_core.compare.probable_aliases import with_probable_aliases
from recon_core.compare.rows.matcher import Matching, match
from recon_core.compare.session_checks import BUILT_IN, side_notes, unreported_notes, untimely_notes
from recon_core.compare.views import with_policy_views
from recon_core.engine.diff_explanations import DiffExplanations
from recon_core.engine.evidence import evidence
from recon_core.judging import cannot_judge, judge, judge_check
from recon_core.judging.confirming import Seen, confirmed
from recon_core.judging.rows import judge_rows
from recon_core.judging.waiving import account, waived
from recon_core.ledger.consistency import ledger_comparisons
from recon_core.ledger.location import Location
from recon_core.ledger.movement_signs import sign_notes
from recon_core.ledger.replay import SideReplay, replay_sides, with_derived_sections
from recon_core.ledger.snapshots import Snapshots
from recon_core.model import LedgerSide, RecordedSession
from recon_core.model.comparison import Comparison, ItemKind, Judgement, ReconDiff, SessionCheck
from recon_core.model.explanation import Explanation, ExplanationVerdict
from recon_core.model.summary import DEFAULT_TOP, ReconSummary, summarise
from recon_core.plugins.answers import PluginAnswers
from recon_core.plugins.manager import extension_manager
from recon_core.policy.model import Policy
from recon_core.policy.names import Names
from recon_core.policy.settings import DEFAULT_MAX_ITEMS
from recon_core.policy.waivers import Waivers
from recon_core.sessions import read_session
from recon_core.sessions.directory_search import NATIVE_SUFFIX
from recon_core.sessions.files import TOO_LARGE, input_files
from recon_core.values.errors import ReconError, ReplayError
from recon_core.values.memory import without_collecting
from recon_core.values.printable import printable, without_paths
from recon_core.values.severity import Severity

if TYPE_CHECKING:
    from recon_core.sessions.places import RowPlaces

Explain = Callable[["Reconciliation"], tuple[Explanation, ...]]
"""A search for explanations of a session, such as `recon_core.explain.explain`."""


class Reconciliation:
    """One recorded session under one policy: its comparisons, and their verdicts on demand.

    Pairing is done at once and fails with `SessionError` where a side cannot be
    replayed; each verdict is computed when it is asked for and kept. Above `max_items`
    fills or orders the equal ones are one comparison; `folded` says how many they are.
    `replays` and `matching` are what is known of a session before it is reconciled: a
    repaired copy of another has most of it in common with that one.
    `explain` is asked why the sides differ when the first diff is judged
    (`recon_core.explain.on_demand`); without it no diff is explained. `waivers` are applied to
    each verdict after it is explained; `seen` is what earlier looks at the account found, which
    confirms it (`recon_core.judging.confirming`).
    """

    def __init__(
        self,
        recorded: RecordedSession,
        policy: Policy,
        manager: PluginManager | None = None,
        *,
        max_items: int = DEFAULT_MAX_ITEMS,
        replays: Mapping[LedgerSide, SideReplay] | None = None,
        matching: Matching | None = None,
        explain: Explain | None = None,
        waivers: Waivers | None = None,
        seen: Seen | None = None,
    ) -> None:
        self.policy = policy
        self.waivers = waivers
        self._seen = seen
        self._explain = explain
        self._plugins = PluginAnswers(manager)
        recorded, self._plugin_notes = self._plugins.with_internal_side(recorded)
        self._own_names = own_names(recorded, policy)
        recorded = with_aliases(recorded, policy.aliases)
        recorded = with_policy_views(recorded, policy.keeps)
        self.replays = replay_sides(recorded, replays)
        recorded = with_derived_sections(recorded, self.replays)
        plain = accounts_are_one(recorded)
        self.recorded, self._views = with_meant_views(recorded, plain=plain)
        self._snapshots = Snapshots(self.recorded, self.replays)
        self._location = Location(self.recorded, self.replays, policy)
        self._matching = match(self.recorded, max_items) if matching is None else matching
        self.folded = self._matching.folded
        self.comparisons = self._all_comparisons()
        self._judgements: dict[str, Judgement] = {}
        self._located_judgements: dict[str, Judgement] = {}
        self._notified = False
        self.is_readable = True

    @classmethod
    def unreadable(
        cls, anchor: Path, message: str, policy: Policy, waivers: Waivers | None = None
    ) -> "Reconciliation":
        """A session that cannot be judged: one CRITICAL comparison, `session::readable`.

        `message` says why; the session id is the stem of the file's name.
        """
        native = anchor.name.removesuffix(NATIVE_SUFFIX)
        name = anchor.stem if native == anchor.name else native
        recorded = RecordedSession(name or anchor.name, anchor, inputs=input_files(anchor))
        reconciliation = cls(recorded, policy, waivers=waivers)
        check = SessionCheck("readable", Severity.CRITICAL, printable(message, 1000))
        comparison = Comparison(ItemKind.SESSION, "readable", "readable", None, check=check)
        reconciliation.comparisons = (comparison,)
        reconciliation.is_readable = False
        return reconciliation

    def _all_comparisons(self) -> tuple[Comparison, ...]:
        ledger = [
            *ledger_comparisons(self.recorded, self.replays),
            *self._snapshots.comparisons,
        ]
        more = self._plugins.checks(self.recorded)
        split = self.policy.account_split
        paired = with_probable_aliases(pair(self.recorded, self._views, more, ledger, split))
        both = [*paired, *self._matching.comparisons]
        return tuple(sorted(both, key=lambda comparison: comparison.identity))

    def judge(self, comparison: Comparison) -> Judgement:
        """The verdict of one comparison; its diff with location, explanation and waivers."""
        judgement = waived(self._explained(comparison), self.waivers, self.session_id)
        return confirmed(judgement, self._seen)

    @property
    def session_id(self) -> str:
        """The id of the session as reports print it."""
        return printable(self.recorded.session_id)

    def _explained(self, comparison: Comparison) -> Judgement:
        judgement = self._located(comparison)
        if self._explain is None or judgement.diff is None:
            return judgement
        return judgement if comparison.check is not None else self._diff_explanations.to(judgement)

    @cached_property
    def explanations(self) -> tuple[Explanation, ...]:
        """Explanations of the differences, searched for once; empty without an `explain`."""
        if self._explain is None:
            return ()
        try:
            return tuple(self._explain(self))
        except Exception as error:  # noqa: BLE001  # an answer too: the diffs remain
            reason = f"{type(error).__name__}: {printable(error)}"
            failed = f"the search failed, which changes no verdict: {reason}"
            return (Explanation(ExplanationVerdict.NOT_SEARCHED, text=failed),)

    @cached_property
    def _diff_explanations(self) -> DiffExplanations:
        return DiffExplanations(self.explanations)

    def facts(self, comparison: Comparison) -> tuple[str, ...]:
        """Return what is known of where the difference of a comparison lies, safe to print."""
        return self._location.facts(comparison)

    def _located(self, comparison: Comparison) -> Judgement:
        """Return the verdict of one comparison with notes on where its difference lies."""
        identity = comparison.identity
        if identity not in self._located_judgements:
            judgement = self.judge_alone(comparison)
            self._located_judgements[identity] = self._location.located(judgement)
        return self._located_judgements[identity]

    def judge_alone(self, comparison: Comparison) -> Judgement:
        """Return the verdict of one comparison alone; the search for explanations asks for it."""
        identity = comparison.identity
        if identity not in self._judgements:
            self._judgements[identity] = self._judge(comparison)
        return self._judgements[identity]

    def _judge(self, comparison: Comparison) -> Judgement:
        session_id = self.recorded.session_id
        if comparison.item_kind is not ItemKind.SESSION and comparison.check is None:
            try:
                return self._judge_values(comparison, session_id)
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
        given = None if judgement.diff is None else self._plugins.tolerance(comparison)
        return judgement if given is None else self._softened(judgement, given, session_id)

    def _softened(self, judgement: Judgement, given: Decimal, session_id: str) -> Judgement:
        """Judge again by a hook's tolerance, and leave a trace where that is milder."""
        assert judgement.diff is not None  # noqa: S101  # a match is not softened
        again = judge(judgement.comparison, self.policy, session_id, given)
        if again.diff is None or again.diff.severity.rank >= judgement.diff.severity.rank:
            return again
        shown = self._plugins.tolerance_giver(judgement.comparison)
        description = f"{again.diff.description} (softened by {shown})"
        diff = replace(again.diff, softened_by=shown, description=description)
        return replace(again, diff=diff, message=description)

    def placed(self, judgement: Judgement) -> Judgement:
        """Return a judgement whose diff says where its rows are, as far as the files show it."""
        if judgement.diff is None:
            return judgement
        places = self._places.of(judgement.comparison)
        return replace(judgement, diff=replace(judgement.diff, places=places))

    @cached_property
    def _places(self) -> "RowPlaces":
        from recon_core.sessions.places import RowPlaces  # noqa: PLC0415  # brings pydantic

        return RowPlaces(self.recorded)

    def notify(self) -> None:
        """Call `recon_reconciled` with this judged session, once."""
        if not self._notified:
            self._notified = True
            self._plugins.reconciled(self)

    @cached_property
    def policy_names(self) -> Names | None:
        """Names that the policy's keys could match here; `None` where nothing could be read."""
        if not self.is_readable:
            return None
        return self._own_names | compared_names(self.recorded, self.comparisons, self.policy)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Notes for a reader that no verdict says, safe to print."""
        notes = [
            *self._plugin_notes,
            *self.recorded.notes,
            *(note for replayed in self.replays.values() for note in replayed.notes),
            *side_notes(self.recorded),
            *duplicate_notes(self.recorded),
            *(() if self._views is None else self._views.notes()),
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
            evidence=evidence(self.recorded, self.policy, self.waivers),
            waivers=account(self.waivers, self.session_id, diffs),
        )


def reconcile_session(
    path: Path | str,
    policy: Policy | None = None,
    manager: PluginManager | None = None,
    *,
    max_items: int = DEFAULT_MAX_ITEMS,
    explain: Explain | None = None,
    waivers: Waivers | None = None,
    seen: Seen | None = None,
) -> Reconciliation:
    """Read a recorded session and pair its sides; never raises for contents of a file.

    `path` is a session file, or a recording of a format in `manager` (by default the
    built-in and the installed formats). Without `policy` the built-in one holds. A session
    that cannot be read or replayed, and an error of a plugin, give a reconciliation with one
    CRITICAL comparison. Above `max_items` fills or orders the equal ones are one comparison.
    `explain`, `waivers` and `seen` as in `Reconciliation`.
    """
    anchor, policy = Path(path), policy or Policy()
    return reconcile_read(
        anchor,
        lambda plugins: read_session(anchor, plugins),
        policy,
        manager,
        max_items=max_items,
        explain=explain,
        waivers=waivers,
        seen=seen,
    )


def reconcile_read(
    anchor: Path,
    read: Callable[[PluginManager], RecordedSession],
    policy: Policy,
    manager: PluginManager | None,
    *,
    max_items: int = DEFAULT_MAX_ITEMS,
    explain: Explain | None = None,
    waivers: Waivers | None = None,
    seen: Seen | None = None,
) -> Reconciliation:
    """Pair the sides of a session that `read` returns; never raises for its contents.

    The other arguments and the result are those of `reconcile_session`.
    """
    try:
        manager = extension_manager() if manager is None else manager
        with without_collecting():
            recorded = read(manager)
            found = Reconciliation(
                recorded,
                policy,
                manager,
                max_items=max_items,
                explain=explain,
                waivers=waivers,
                seen=seen,
            )
            found.notes  # noqa: B018  # the last that is asked of tables: they can be refused here
            return found
    except ReplayError as error:
        message = f"{printable(anchor.name)}: {error}"
    except ReconError as error:
        message = str(error)
    except MemoryError:
        message = f"{printable(anchor.name)}: {TOO_LARGE}"
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"{printable(anchor.name)}: cannot be read: {reason}"
    except Exception as error:  # noqa: BLE001  # a plugin's fault must not end the other sessions
        shown = printable(without_paths(str(error)))
        message = f"{printable(anchor.name)}: {type(error).__name__} while reading: {shown}"
    return Reconciliation.unreadable(anchor, message, policy, waivers)
