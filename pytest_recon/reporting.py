"""What the controlling process tells: header, summary, the final line, the JUnit file."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pytest_recon.audit_trail import AuditTrail, add_to_junitxml
from pytest_recon.gate import ItemResult, SessionPromise
from pytest_recon.nodes import ComparisonItem
from pytest_recon.run import ReconRun
from recon_core.reports.wording import counted, node_path

if TYPE_CHECKING:
    from recon_core.comparison import ReconDiff
    from recon_core.summary import ReconSummary

_ATTRIBUTE = "recon"


def attach_result(item: pytest.Item, report: pytest.TestReport) -> None:
    """Give the report of an item what the controlling process needs to know of it."""
    if isinstance(item, ComparisonItem) and item.judgement is not None and report.when == "call":
        diff = item.judgement.diff
        attached = {
            "path": item.session_path,
            "verdict": item.judgement.verdict,
            "diff": None if diff is None else diff.to_dict(),
        }
        setattr(report, _ATTRIBUTE, attached)


class Recorder:
    """Hears every report in the controlling process and tells the gate."""

    def __init__(self, run: ReconRun) -> None:
        self._run = run
        self._run_ids: dict[str, str] = {}
        self._invocation_id = str(uuid4())
        path = run.settings.audit_log
        self._trail = None if path is None else AuditTrail(path)
        self._started = self._finished = self._final_line_printed = False

    def pytest_sessionstart(self) -> None:
        """Take the promises of all named sessions, whatever will be collected of them."""
        self._started = True
        self._run.load_conftests()
        for anchor, path in self._run.declared.items():
            self._run.promise(anchor, path)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a comparison that ran; keep the terminal's failure section linear."""
        attached: dict[str, Any] | None = getattr(report, _ATTRIBUTE, None)
        # pytest-rerunfailures reports what it will run again with an outcome of its own.
        if attached is not None and str(report.outcome) != "rerun":
            self._run.gate.report(attached["path"], _result(report, attached))
        if report.when != "call" and _is_ours(report):
            self._forget_phase(report)

    def _forget_phase(self, report: pytest.TestReport) -> None:
        """Take a passed setup or teardown out of what the terminal keeps.

        For every failure the terminal searches all of them for captured output;
        with thousands of items that is quadratic, and ours never capture any.
        """
        terminal: Any = self._run.config.pluginmanager.get_plugin("terminalreporter")
        kept = None if terminal is None else terminal.stats.get("")
        if kept and kept[-1] is report:
            kept.pop()

    def pytest_report_header(self) -> str | None:
        """`recon: 3 sessions, 48 comparisons, policy recon.toml`."""
        run = self._run
        if not run.names_sessions:
            return None
        sessions = counted(len(run.gate.sessions), "session")
        comparisons = counted(run.gate.promised, "comparison")
        header = f"recon: {sessions}, {comparisons}, policy {run.policy_name}"
        return "\n".join([header, *self._folded_lines()])

    def _folded_lines(self) -> list[str]:
        """`recon: 99990 equal fills are 1 item (--recon-max-items=20000)`."""
        folded = [promise.folded for promise in self._run.gate.sessions]
        kinds = sorted({kind for each in folded for kind in each})
        most = self._run.settings.max_items
        lines = []
        for kind in kinds:
            rows = sum(each.get(kind, 0) for each in folded)
            items = sum(kind in each for each in folded)
            verb = "is" if rows == 1 else "are"
            lines.append(
                f"recon: {counted(rows, f'equal {kind}')} {verb} {counted(items, 'item')} "
                f"(--recon-max-items={most})"
            )
        return lines

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell plugins, write the report, settle the status; the line where no summary will."""
        self._run.notify_completed()
        self._write_audit_log()
        self._write_junit()
        self._finished = True
        session.exitstatus = settled_status(self._run, session.exitstatus, session)
        terminal: Any = self._run.config.pluginmanager.get_plugin("terminalreporter")
        if self._summary_is_skipped():
            # pytest has not ended its line of dots yet.
            terminal.write_line("")
            self._print_final_line()

    def _summary_is_skipped(self) -> bool:
        """Whether `--no-summary` keeps this pytest from asking plugins for theirs."""
        terminal = self._run.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or not self._run.config.getoption("no_summary", default=False):
            return False
        # Newer versions ask all the same; the older ones look at the option here.
        names: tuple[str, ...] = type(terminal).pytest_sessionfinish.__code__.co_names
        return "no_summary" in names

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Any:
        """After everything else, pytest's short summary included: table, diffs, line."""
        result = yield
        self._print_summary(terminalreporter)
        self._print_final_line()
        return result

    def pytest_unconfigure(self) -> None:
        """Print the line also where pytest ended without a summary."""
        if not self._started:
            return
        gate = self._run.gate
        if not (self._finished or gate.blocked or gate.incomplete):
            self._run.gate.problems.append("the run ended before its reports were written")
            terminal: Any = self._run.config.pluginmanager.get_plugin("terminalreporter")
            if terminal is not None and self._run.gate.concerned:
                terminal.ensure_newline()
                terminal.write_line(f"recon: {self._run.gate.problems[-1]}")
        self._print_final_line()

    def _print_final_line(self) -> None:
        terminal: Any = self._run.config.pluginmanager.get_plugin("terminalreporter")
        if self._final_line_printed or terminal is None or not self._run.gate.concerned:
            return
        self._final_line_printed = True
        terminal.ensure_newline()
        terminal.write_line(self._run.gate.line())

    def _print_summary(self, terminal: Any) -> None:
        gate = self._run.gate
        if not gate.concerned:
            return
        terminal.ensure_newline()
        if terminal.verbosity >= 0:
            terminal.section("recon", sep="=")
        for line in self._summary_lines():
            terminal.write_line(line)

    def _summary_lines(self) -> list[str]:
        gate = self._run.gate
        lines = self._session_lines() if gate.sessions else []
        lines += self._terms()
        if gate.asked_for and not gate.sessions:
            lines.append("recon: the gate is on and no recorded session was collected")
        return lines + [f"recon: {problem}" for problem in gate.problems]

    def _session_lines(self) -> list[str]:
        from recon_core.reports.session_text import (  # noqa: PLC0415  # brings tabulate
            SessionReport,
            summary_lines,
        )

        reports = [
            SessionReport(promise.path, self._summary(promise), self._diffs(promise))
            for promise in self._run.gate.sessions
        ]
        # With a log, what `recon audit detailed --run-id` asks for.
        named = self._trail is not None
        return summary_lines(reports, self._run.settings.top_n, name_runs=named)

    def _terms(self) -> list[str]:
        """What the verdicts rest on besides the sessions, where that is not the default."""
        run = self._run
        lines = []
        if run.gate.sessions and run.policy_path is not None and run.policy_name != "built-in":
            directory = run.config.invocation_params.dir
            lines.append(f"recon: policy {node_path(run.policy_path, directory)}")
        if run.settings.command_line_sessions and not run.gate.active:
            lines.append("recon: the gate is off: a run that is narrowed does not fail")
        if self._trail is not None and self._trail.line is not None:
            lines.append(f"recon: {self._trail.line}")
        return lines

    def _diffs(self, promise: SessionPromise) -> "list[ReconDiff]":
        from recon_core.comparison import ReconDiff  # noqa: PLC0415  # not at pytest's start

        results = self._run.gate.results(promise.path)
        return [ReconDiff.from_dict(result.diff) for result in results if result.diff is not None]

    def _summary(self, promise: SessionPromise) -> "ReconSummary":
        from recon_core.summary import summarise  # noqa: PLC0415  # not at pytest's start

        return summarise(
            self._diffs(promise),
            promise.session_id,
            promise.strategy_id,
            top_n=self._run.settings.top_n,
            run_id=self._run_ids.setdefault(promise.path, str(uuid4())),
            comparisons=promise.comparisons,
            ran=len(self._run.gate.results(promise.path)),
            invocation_id=self._invocation_id,
            mirrored=promise.mirrored,
            notes=promise.notes,
            problems=self._run.gate.problems_of(promise),
            evidence=promise.evidence,
        )

    def _write_audit_log(self) -> None:
        """Append what was found, also of a run that was narrowed or stopped."""
        sessions = self._run.gate.sessions
        if self._trail is None or not sessions:
            return
        from recon_core.summary import sorted_diffs  # noqa: PLC0415  # not at pytest's start

        runs = [
            (self._summary(promise), sorted_diffs(self._diffs(promise))) for promise in sessions
        ]
        problem = self._trail.write(runs)
        if problem is not None:
            self._run.gate.problems.append(problem)
        add_to_junitxml(self._run.config, self._trail.properties)

    def _write_junit(self) -> None:
        path = self._run.settings.junit
        if path is None:
            return
        from pytest_recon.junit_file import write_junit  # noqa: PLC0415  # only with the option

        suites = [
            (promise, self._summary(promise), self._run.gate.results(promise.path))
            for promise in self._run.gate.sessions
        ]
        head = {} if self._trail is None else self._trail.properties
        problem = write_junit(path, suites, head)
        if problem is not None:
            self._run.gate.problems.append(problem)


def _is_ours(report: pytest.TestReport) -> bool:
    properties = report.user_properties
    return bool(properties) and str(properties[0][0]) == "recon.session_id"


def _result(report: pytest.TestReport, attached: dict[str, Any]) -> ItemResult:
    properties = {str(name): str(value) for name, value in report.user_properties}
    return ItemResult(
        node_id=report.nodeid,
        kind=properties.get("recon.kind", ""),
        key=properties.get("recon.key", ""),
        verdict=attached["verdict"],
        failed=report.failed,
        seconds=report.duration,
        # Not longreprtext, which starts with the name of the worker.
        text=str(report.longrepr or getattr(report, "wasxfail", "")),
        drift=properties.get("recon.drift", ""),
        diff=attached["diff"],
    )


def settled_status(run: ReconRun, status: int, session: pytest.Session | None = None) -> int:
    """The exit status of a run: a red gate turns 0 into 1 and leaves real errors alone."""
    if not run.gate.red:
        return status
    if status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return pytest.ExitCode.TESTS_FAILED
    # `--stepwise` and its like stop a run by themselves; Ctrl-C and a broken test
    # module keep their own status.
    stopped = session is not None and bool(session.shouldstop)
    if status == pytest.ExitCode.INTERRUPTED and stopped:
        return pytest.ExitCode.TESTS_FAILED
    return status
