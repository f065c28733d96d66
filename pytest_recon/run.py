"""One pytest run: its settings, its policy, its sessions and its gate."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from pluggy import PluginValidationError

from pytest_recon.discovery import declared_sessions
from pytest_recon.gate import Gate, SessionPromise
from pytest_recon.options import Settings, policy_source, read_settings, waiver_sources
from pytest_recon.other_plugins import is_multiplied, item_markers
from recon_core.plugins.manager import extension_manager, has_hooks, unmarked_hooks
from recon_core.policy.settings import BUILT_IN, PolicyInForce, effective_policy, effective_waivers
from recon_core.reports.wording import node_path
from recon_core.sessions.directory_search import Discovery
from recon_core.sessions.discovery import identity
from recon_core.values.errors import PolicyError
from recon_core.values.limits import use_limits
from recon_core.values.printable import printable

if TYPE_CHECKING:
    from pluggy import PluginManager

    from pytest_recon.junitxml import MatchReporting
    from pytest_recon.light_protocol import LightProtocol
    from pytest_recon.matches import WaitingMatches
    from recon_core.engine.reconciliation import Reconciliation
    from recon_core.policy.model import Policy
    from recon_core.policy.waivers import Waivers

RUN = pytest.StashKey["ReconRun"]()


class ReconRun:
    """Everything of one run that outlives a hook call.

    A worker of pytest-xdist takes the sessions, their names and the policy from
    the controlling process, so that all processes speak of the same.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.settings: Settings = read_settings(config)
        self.from_controller: Mapping[str, Any] | None = getattr(config, "workerinput", {}).get(
            "recon"
        )
        self.is_worker = hasattr(config, "workerinput")
        self.gate = Gate(
            active=self.settings.gate,
            asked_for=self.settings.gate_is_asked_for,
            fails_on_warn=self.settings.fail_on_warn,
        )
        self._modules: list[ModuleType] = []
        self._reconciliations: dict[Path, Reconciliation] = {}
        self._unsent: dict[str, SessionPromise] = {}
        self.reports_written = False

    @pytest.hookimpl
    def pytest_plugin_registered(self, plugin: object) -> None:
        """Note conftest modules and plugins that implement hooks of the core."""
        self.__dict__.pop("light_protocol", None)
        if not isinstance(plugin, ModuleType):
            return
        place = "/".join(Path(str(getattr(plugin, "__file__", plugin.__name__))).parts[-2:])
        # Pytest takes its own hooks without a marker; one of ours would be silent for ever.
        for name in unmarked_hooks(plugin):
            self.gate.add_problem(
                f"{printable(place)}: {name} is not marked; expected @recon_core.hookimpl above it"
            )
        if has_hooks(plugin):
            self._modules.append(plugin)
            if "manager" in self.__dict__:
                self._register(self.manager, plugin)
                # What was read without its hooks is read again with them.
                self._reconciliations.clear()

    @cached_property
    def manager(self) -> "PluginManager":
        """The core's plugin manager with the project's hooks.

        Raises `pytest.UsageError` for a hook that is misspelled or takes what it is
        not given: it would be silent for ever.
        """
        manager = extension_manager()
        for module in self._modules:
            self._register(manager, module)
        return manager

    def _register(self, manager: "PluginManager", module: ModuleType) -> None:
        try:
            if not manager.is_registered(module):
                # Not by its module name: every conftest is called conftest.
                manager.register(module, getattr(module, "__file__", None))
            manager.check_pending()
        except PluginValidationError as error:
            reason = printable(" ".join(str(error).split()))
            raise pytest.UsageError(f"recon hook: {reason}") from None

    @property
    def names_sessions(self) -> bool:
        """True if the command line or the ini names sessions."""
        return bool(self.settings.command_line_sessions or self.settings.ini_sessions)

    @cached_property
    def discovery(self) -> Discovery:
        """The named sessions, and what the search for them passed over."""
        directory = self.config.invocation_params.dir
        return declared_sessions(self.settings, directory, self.manager)

    @cached_property
    def declared(self) -> dict[Path, str]:
        """The anchors of the named sessions, with their path in node ids."""
        if self.from_controller is not None:
            return {
                Path(os.fsdecode(anchor)): name for anchor, name in self.from_controller["sessions"]
            }
        if not self.names_sessions:
            return {}
        root = self.config.rootpath
        return {anchor: node_path(anchor, root) for anchor in self.discovery.anchors}

    def check_inputs(self) -> None:
        """Read the policy and find the named sessions; `pytest.UsageError` for mistakes."""
        _ = self.policy, self.waivers, self.declared

    def use_limits(self) -> None:
        """Put the limits of the run into force until pytest is unconfigured."""
        worker = self.from_controller
        limits = self.settings.limits if worker is None else worker["limits"]
        self.config.add_cleanup(use_limits(limits))

    def node_path(self, anchor: Path) -> str:
        """The node id of a session; one file has one, whichever way it was reached."""
        own = node_path(anchor, self.config.rootpath)
        return self._node_paths.setdefault(identity(anchor), own)

    @cached_property
    def _node_paths(self) -> dict[Path, str]:
        return {identity(anchor): path for anchor, path in self.declared.items()}

    @cached_property
    def policy_path(self) -> Path | None:
        """The file that the policy is read from, `None` for the built-in one."""
        if self.from_controller is not None:
            path = self.from_controller["policy"]
            return None if path is None else Path(os.fsdecode(path))
        return policy_source(self.config)

    @cached_property
    def policy(self) -> "Policy":
        """The effective policy; raises `pytest.UsageError` where its file is no use."""
        return self._policy_and_name[0]

    @property
    def policy_name(self) -> str:
        """The policy's name in the header."""
        return self._policy_and_name[1]

    @property
    def policy_in_force(self) -> PolicyInForce:
        """The place where the policy was read, and the policy files near it."""
        return PolicyInForce(
            None if self.policy_name == BUILT_IN else self.policy_path,
            self.config.invocation_params.dir,
            self.config.rootpath,
            [Path(os.fsdecode(promise.anchor)) for promise in self.gate.sessions],
        )

    @cached_property
    def _policy_and_name(self) -> "tuple[Policy, str]":
        try:
            return effective_policy(self.policy_path, self.settings.policy_required_by)
        except PolicyError as error:
            raise pytest.UsageError(f"recon policy: {error}") from None

    @cached_property
    def waivers(self) -> "Waivers":
        """The waivers of the run; `pytest.UsageError` for a file of no use.

        A worker has those of the controlling process, entries and day: a file that changes or
        vanishes between processes changes no verdict.
        """
        from recon_core.policy.waivers import Waivers  # noqa: PLC0415  # not at pytest's start

        if self.from_controller is not None:
            return Waivers.from_dict(self.from_controller["waivers"])
        try:
            return effective_waivers(waiver_sources(self.config), self.policy)
        except PolicyError as error:
            raise pytest.UsageError(f"recon waivers: {error}") from None

    @cached_property
    def item_markers(self) -> tuple[pytest.MarkDecorator, ...]:
        """The markers of every comparison, for plugins that would run it again."""
        return item_markers(self.config)

    @cached_property
    def multiplies_items(self) -> bool:
        """True if a plugin copies every item that does not say it was copied."""
        return is_multiplied(self.config)

    @cached_property
    def light_protocol(self) -> "LightProtocol":
        """The protocol of comparisons that match; made anew where a plugin is registered."""
        from pytest_recon.light_protocol import LightProtocol  # noqa: PLC0415  # brings the nodes

        return LightProtocol(self)

    @property
    def lets_items_be_light(self) -> bool:
        """True if nobody in the controlling process hears of the phases of an item."""
        return self.from_controller is None or bool(self.from_controller["light_items"])

    def reconciliation(self, anchor: Path) -> "Reconciliation":
        """Read and pair a session, once in a process."""
        from recon_core.engine.reconciliation import reconcile_session  # noqa: PLC0415  # as that
        from recon_core.explain.on_demand import explainer  # noqa: PLC0415  # not at pytest's start

        known = self._reconciliations.get(anchor)
        if known is None:
            known = reconcile_session(
                anchor,
                self.policy,
                self.manager,
                max_items=self.settings.max_items,
                explain=explainer(self.settings.explain),
                waivers=self.waivers,
            )
            self._reconciliations[anchor] = known
        return known

    def promise(self, anchor: Path, path: str) -> "Reconciliation":
        """Read a session, and promise its comparisons to the gate."""
        from recon_core.engine.evidence import evidence  # noqa: PLC0415  # not at pytest's start
        from recon_core.reports.side_names import sources_of  # noqa: PLC0415  # as that

        reconciliation = self.reconciliation(anchor)
        recorded = reconciliation.recorded
        promise = SessionPromise(
            path=path,
            anchor=os.fsencode(anchor),
            session_id=printable(recorded.session_id),
            strategy_id=printable(recorded.strategy_id),
            comparisons=len(reconciliation.comparisons),
            mirrored=recorded.mirrored,
            notes=reconciliation.notes,
            folded=dict(reconciliation.folded),
            evidence=evidence(recorded, reconciliation.policy, reconciliation.waivers),
            fills=self._fills(reconciliation),
            mode=str(recorded.mode or ""),
            sources=sources_of(recorded),
            names=reconciliation.policy_names,
        )
        self.gate.promise(promise)
        self._unsent[path] = promise
        return reconciliation

    def _fills(self, reconciliation: "Reconciliation") -> tuple[dict[str, Any], ...]:
        """Return the marks of a session's fills, where a report will draw them."""
        if not self.settings.reports:
            return ()
        from recon_core.reports.session_result import fill_marks  # noqa: PLC0415  # only there

        return tuple(asdict(mark) for mark in fill_marks(reconciliation.comparisons))

    def expect_promises(self) -> None:
        """Have the gate expect the sessions that other processes will read, with their digests."""
        from recon_core.sessions.files import input_files  # noqa: PLC0415  # not at pytest's start

        for anchor, path in self.declared.items():
            self.gate.expect(path, {file.name: file.sha256 for file in input_files(anchor)})

    def unsent_promises(self) -> list[dict[str, Any]]:
        """The promises of a worker since it was last asked: it may die before its end."""
        unsent, self._unsent = self._unsent, {}
        return [one.to_dict() for one in unsent.values()] if self.is_worker else []

    @cached_property
    def waiting(self) -> "WaitingMatches":
        """The matches of a worker that wait for a report to carry them."""
        from pytest_recon.matches import WaitingMatches  # noqa: PLC0415  # not at pytest's start

        return WaitingMatches()

    @cached_property
    def reporting(self) -> "MatchReporting":
        """The way of matches to all plugins; asked for first when pytest is configured."""
        from pytest_recon.junitxml import MatchReporting  # noqa: PLC0415  # brings XML

        return MatchReporting(self.config)

    @property
    def _directories(self) -> list[Path]:
        """The directories of all named sessions, those of other workers too."""
        if self.from_controller is not None:
            return [Path(os.fsdecode(each)) for each in self.from_controller["directories"]]
        return list(dict.fromkeys(anchor.parent for anchor in self.declared))

    def load_conftests(self) -> None:
        """Load the conftests of the named sessions' directories before any is read.

        pytest loads them when it collects a directory: in the order of collection, and
        in the controlling process of pytest-xdist never.
        """
        for directory in self._directories:
            # As pytest itself calls it; it offers no other way. What goes wrong with a
            # conftest is reported where its directory is collected.
            with contextlib.suppress(Exception):
                self.config.pluginmanager._loadconftestmodules(  # noqa: SLF001
                    directory,
                    self.config.getoption("importmode"),
                    rootpath=self.config.rootpath,
                    consider_namespace_packages=self.config.getini("consider_namespace_packages"),
                )

    def notify_completed(self) -> None:
        """Call `recon_reconciled` with every session that ran completely."""
        if not self.gate.sessions or not self.manager.hook.recon_reconciled.get_hookimpls():
            return
        for promise in self.gate.completed:
            try:
                self.reconciliation(Path(os.fsdecode(promise.anchor))).notify()
            except Exception as error:  # noqa: BLE001  # a plugin's: the run is no longer sure
                reason = f"{type(error).__name__}: {printable(error)}"
                self.gate.add_problem(f"recon_reconciled: {promise.path}: {reason}")

    def for_workers(self) -> dict[str, Any]:
        """The input of every worker: the policy's file, limits, waivers, where conftests are."""
        policy = self.policy_path
        return {
            "directories": list(map(os.fsencode, self._directories)),
            "policy": None if policy is None else os.fsencode(policy),
            "limits": dict(self.settings.limits),
            "waivers": self.waivers.to_dict(),
            "light_items": self.light_protocol.is_on,
        }


def run_of(config: pytest.Config) -> ReconRun:
    """The run of a configured pytest."""
    return config.stash[RUN]
