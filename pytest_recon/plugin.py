"""The hooks of the plugin, each a few lines; the work is done beside this file."""

import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from pytest_recon.discovery import is_named, named_by_arguments
from pytest_recon.distributed import Controller, Worker
from pytest_recon.large_run import LargeRun, give_back_at_the_end
from pytest_recon.options import add_options, asks_for_gate, names_or_gates
from pytest_recon.outputs import reconciles, withdraw_early, withdraw_late, withdraw_reports
from pytest_recon.run import RUN, ReconRun, run_of
from pytest_recon.shares import DIST_IS_CHOSEN, is_dist_chosen
from pytest_recon.space_form import RESTARTED, SpaceForm
from pytest_recon.streams import guard_streams, lost_output
from recon_core.sessions.directory_search import NATIVE_SUFFIX

if TYPE_CHECKING:
    from pytest_recon.nodes import ComparisonItem, SessionDirectory, SessionFile
    from recon_core.engine.ledgers import ReconciliationEngine

_GREEN: Final = (None, pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
"""Statuses that the gate turns into a failure where it is red."""


_MOST_COMPARED: Final = 10
"""Differences that a failed comparison of lists shows."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare options and ini settings; before anything else, no earlier report holds."""
    add_options(parser)
    config = pluginmanager.get_plugin("pytestconfig")
    if config is not None:
        withdraw_early(config)
    pluginmanager.register(SpaceForm(), "recon-space-form")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, Any]:
    """A conftest that exits with 0 while it is loaded ends no run green."""
    give_back_at_the_end(early_config)
    if names_or_gates(early_config):
        guard_streams(early_config)
    try:
        return (yield)
    except SystemExit as ending:
        if ending.code in (None, 0) and reconciles(early_config):
            raise pytest.UsageError("a conftest ended the run while it was loaded") from None
        raise


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Let the gate have the last word on the exit status.

    Outside of every other hook, so that no `pytest_sessionfinish` and no option
    that ends pytest early can turn a red gate green.
    """
    config.stash[DIST_IS_CHOSEN] = is_dist_chosen(config)
    try:
        status = yield
    except SystemExit as ending:
        # A plugin's sys.exit(0) is no word of the gate.
        settled = _last_word(config, pytest.ExitCode.OK)
        if ending.code not in (None, 0) or settled == pytest.ExitCode.OK:
            raise
        return settled
    return _last_word(config, status)


def _last_word(config: pytest.Config, status: Any) -> Any:
    lost = lost_output(config)
    if lost is not None:
        sys.stderr.write(f"{lost}\n")
        status = _settled(config, status)
        return pytest.ExitCode.TESTS_FAILED if status in _GREEN else status
    return _settled(config, status)


def _settled(config: pytest.Config, status: Any) -> Any:
    if hasattr(config, "workerinput") or RESTARTED in config.stash:
        return status
    run = config.stash.get(RUN, None) or ReconRun(config)
    # After `--help` pytest reads no further, and knows of no sessions.
    unread = not run.settings.command_line_sessions and asks_for_gate(config)
    if (run.gate.red or unread) and not run.reports_written:
        # Pytest may have written its own, of a run that something took the gate out of.
        withdraw_reports(config)
    if not (run.gate.red or unread) or status not in _GREEN:
        return status
    # Something took the settled status back, or no session started (`--help`).
    sys.stderr.write(f"{run.gate.line()}\n")
    return pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set the run up: settings, named sessions, policy; mistakes in them end it here."""
    if not hasattr(config, "workerinput"):
        withdraw_late(config)
    run = config.stash[RUN] = ReconRun(config)
    run.use_limits()
    _register(config, run, "recon-run")
    config.pluginmanager.register(LargeRun(), "recon-large-run")
    if run.is_worker:
        _register(config, Worker(run), "recon-worker")
    else:
        from pytest_recon.report_hooks import InnerSummary, Recorder  # noqa: PLC0415  # not in a worker

        recorder = Recorder(run)
        _register(config, recorder, "recon-recorder")
        _register(config, InnerSummary(recorder), "recon-inner-summary")
        _register(config, Controller(run, recorder.progress), "recon-controller")
        _ = run.reporting
    if run.settings.command_line_sessions and config.args_source is not config.ArgsSource.ARGS:
        # Sessions on the command line run alone, not beside the project's tests.
        config.args = []
        config.args_source = config.ArgsSource.ARGS
    named = [config.getoption(name) for name in ("recon_policy", "recon_waivers")]
    if run.names_sessions or run.settings.policy_required_by or any(named):
        run.check_inputs()


def _register(config: pytest.Config, plugin: object, name: str) -> None:
    if config.pluginmanager.register(plugin, name) is None:
        raise pytest.UsageError(f"-p no:{name}: the gate does not work without it")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add the named sessions to what the arguments collect."""
    report = yield
    if isinstance(collector, pytest.Session):
        report.result = [*report.result, *_declared_nodes(collector)]
    return report


def _declared_nodes(session: pytest.Session) -> "list[SessionDirectory]":
    declared = run_of(session.config).declared
    if not declared:
        return []
    from pytest_recon.nodes import SessionDirectory  # noqa: PLC0415  # not at pytest's start

    # A file that an argument names is collected there, whole or in the named part.
    named = named_by_arguments(session.config)
    directories: dict[Path, dict[Path, str]] = {}
    for anchor, path in declared.items():
        if not is_named(anchor, named):
            directories.setdefault(anchor.parent, {})[anchor] = path
    return [SessionDirectory.of(session, *item) for item in directories.items()]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "SessionFile | None":
    """Collect `*.recon.json`, and the anchor of a recording that an argument names."""
    if not file_path.name.endswith(NATIVE_SUFFIX):
        # A module is no recording: `pytest tests/test_x.py` starts without loading the formats.
        if file_path.suffix == ".py" or not parent.session.isinitpath(file_path):
            return None
        manager = run_of(parent.config).manager
        if manager.hook.recon_anchor(path=file_path) != file_path:
            return None
    from pytest_recon.nodes import SessionFile  # noqa: PLC0415  # not at pytest's start

    return SessionFile.of(parent, file_path, run_of(parent.config).node_path(file_path))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run a session once that was reached twice."""
    if not run_of(config).gate.sessions:
        return
    from pytest_recon.nodes import ComparisonItem  # noqa: PLC0415  # not at pytest's start

    seen: set[str] = set()
    kept = []
    for item in items:
        if not isinstance(item, ComparisonItem) or item.nodeid not in seen:
            kept.append(item)
            seen.add(item.nodeid)
    items[:] = kept


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the items where there are comparisons and nobody else has a say in how."""
    run = run_of(session.config)
    return run.light_protocol.run_all(session) if run.gate.sessions else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a comparison that matches in one phase, where nobody looks for the others."""
    if not hasattr(item, "comparison"):
        return None
    return run_of(item.config).light_protocol.run(cast("ComparisonItem", item), nextitem)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the verdict to the report, so that it reaches the controlling process."""
    report = yield
    if hasattr(item, "comparison"):
        from pytest_recon.results import attach_result  # noqa: PLC0415  # not at pytest's start

        attach_result(item, report)
    return report


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Show the differences of `assert engine.reconcile(...) == []` a line each."""
    if op != "==" or not isinstance(left, list) or right != [] or not left:
        return None
    if type(left[0]).__name__ != "ReconDiff":
        return None
    from recon_core.reports.findings import by_size  # noqa: PLC0415  # only for a failure
    from recon_core.reports.side_names import SideNames  # noqa: PLC0415  # as that
    from recon_core.reports.text import description_text  # noqa: PLC0415  # as that
    from recon_core.reports.wording import counted  # noqa: PLC0415  # as that

    shown = by_size(left)[:_MOST_COMPARED]
    more = [f"and {len(left) - len(shown)} more"] if len(left) > len(shown) else []
    texts = [description_text(diff, SideNames()) for diff in shown]
    return [counted(len(left), "difference"), *texts, *more]


@pytest.fixture
def recon_engine(request: pytest.FixtureRequest) -> "ReconciliationEngine":
    """A `ReconciliationEngine` with empty ledgers under the policy of the run.

    Fill `recon_engine.position_ledger`, or put your own there, and call
    `recon_engine.reconcile(snapshot)`.
    """
    from recon_core.engine.ledgers import ReconciliationEngine  # noqa: PLC0415  # only where used

    return ReconciliationEngine(policy=run_of(request.config).policy)
