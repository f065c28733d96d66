"""The recorder of the controlling process: it hears every report and has the reports written."""

import contextlib
import sys
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_recon import terminal
from pytest_recon.exit_status import settled_status
from pytest_recon.gate import ATTRIBUTE, ItemResult, SessionPromise
from pytest_recon.junitxml import add_to_junitxml, end_case, junit_report
from pytest_recon.matches import MATCH, MatchReport, carried_reports
from pytest_recon.progress import Progress
from pytest_recon.run import ReconRun
from pytest_recon.shares import deals_sessions
from pytest_recon.summaries import Summaries
from recon_core.audit.trail import AuditTrail
from recon_core.reports.explanations import EXPLANATION
from recon_core.reports.waivers import WAIVER
from recon_core.reports.wording import FOLDED_PROPERTIES

if TYPE_CHECKING:
    from pytest_recon.face import Face
    from recon_core.model.summary import ReconSummary
    from recon_core.reports.session_text import SessionReport

_MORE_PROPERTIES = (*FOLDED_PROPERTIES, EXPLANATION, WAIVER)
_FINAL = ("passed", "failed", "skipped")
_NOTHING_MORE: Mapping[str, str] = {}

_OF_WORKER = ("node", "worker_id", "testrun_uid")
"""Attributes of a report by which pytest-xdist and others know where an item ran."""


class Recorder:
    """Hears every report in the controlling process and informs the gate."""

    def __init__(self, run: ReconRun) -> None:
        self._run = run
        self._summaries = Summaries(run)
        path, rotate_at = run.settings.audit_log, run.settings.rotate_at
        self._trail = None if path is None else AuditTrail(path, "--recon-audit-log", rotate_at)
        self._started = self._final_line_printed = False
        self._printed = ""
        self.face: Face | None = None
        self.progress = Progress()

    def pytest_sessionstart(self) -> None:
        """Take the promises of all named sessions, whatever will be collected of them."""
        self._started = True
        self._run.load_conftests()
        if deals_sessions(self._run):
            self._run.expect_promises()
            return
        self._run.gate.is_reading = True
        declared = self._run.declared.items()
        for anchor, path in self.progress.reading(self._terminal(), declared):
            self._run.promise(anchor, path)
        self._run.gate.is_reading = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know how many items there are of each session."""
        self.progress.expect(item.nodeid for item in session.items if hasattr(item, "comparison"))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Keep a line for each of many sessions from the terminal."""
        self.progress.begin(self._terminal(), nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> Generator[None, tuple[str, str, Any], tuple[str, str, Any]]:
        """One letter for each of many sessions."""
        return self.progress.status(self._terminal(), report, (yield))

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a comparison that ran; keep the terminal's failure section linear."""
        if isinstance(report, MatchReport):
            self._run.gate.report(report.group.session_path, _result_of_match(report))
            return
        attached: dict[str, Any] | None = getattr(report, ATTRIBUTE, None)
        # What a plugin will run again it reports with an outcome of its own.
        if attached is not None and str(report.outcome) in _FINAL:
            for promise in attached["promises"]:
                self._run.gate.promise(SessionPromise.from_dict(promise))
            self._run.gate.report(attached["path"], _result(report, attached))
        if attached is not None and attached["matches"]:
            self._report_carried(report)
        if attached is not None and attached["is_only"]:
            end_case(junit_report(self._run.config), report)
        if report.when != "call" and _is_own(report):
            self._forget_phase(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_to_serializable(
        self, config: pytest.Config, report: pytest.TestReport
    ) -> dict[str, Any] | None:
        """Write the report of a match as pytest writes its own, which it can read again."""
        if not isinstance(report, MatchReport):
            return None
        plain = report.as_plain()
        written: dict[str, Any] = config.hook.pytest_report_to_serializable(
            config=config, report=plain
        )
        return written

    def _report_carried(self, carrier: pytest.TestReport) -> None:
        """Report the matches that a report of a worker carries."""
        hook = self._run.config.hook
        for each in carried_reports(getattr(carrier, ATTRIBUTE)["matches"]):
            for name in _OF_WORKER:
                if hasattr(carrier, name):
                    setattr(each, name, getattr(carrier, name))
            self._run.reporting.report(each, hook)

    def _forget_phase(self, report: pytest.TestReport) -> None:
        """Take a passed setup or teardown out of what the terminal keeps.

        For every failure the terminal searches all of them for captured output;
        with thousands of items that is quadratic, and ours never capture any.
        """
        reporter = self._terminal()
        kept = None if reporter is None else reporter.stats.get("")
        if kept and kept[-1] is report:
            kept.pop()

    def pytest_report_header(self) -> str | None:
        """`recon: 3 sessions, 48 comparisons, policy recon.toml`."""
        return terminal.header(self._run) if self._run.names_sessions else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Notify plugins, write the reports, settle the status; the line where no summary will."""
        self._run.notify_completed()
        self._write_audit_log()
        self._write_reports()
        self._run.reports_written = True
        session.exitstatus = settled_status(self._run, session.exitstatus, session)
        if self._summary_is_skipped():
            # pytest has not ended its line of dots yet.
            self._terminal().write_line("")
            self._print_final_line()

    def _summary_is_skipped(self) -> bool:
        """True if `--no-summary` keeps this pytest from asking plugins for theirs."""
        reporter = self._terminal()
        if reporter is None or not self._run.config.getoption("no_summary", default=False):
            return False
        # Newer versions ask all the same; the older ones look at the option here.
        names: tuple[str, ...] = type(reporter).pytest_sessionfinish.__code__.co_names
        return "no_summary" in names

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Any:
        """After everything else, pytest's short summary included: causes, terms, line."""
        if not self._run.gate.concerned:
            return (yield)
        from pytest_recon.face import Face  # noqa: PLC0415  # not at pytest's start

        sessions = terminal.session_reports(self._run, self._summaries)
        self.face = Face(terminalreporter, sessions, self._run.settings.top_n)
        with self.face.put_on():
            result = yield
        shown = [replace(one, shown=self.face.shown(path)) for path, one in sessions.items()]
        self._print_summary(terminalreporter, shown)
        self._print_final_line()
        return result

    def pytest_unconfigure(self) -> None:
        """Print the line also where pytest ended without a summary."""
        if not self._started:
            return
        gate = self._run.gate
        if not (self._run.reports_written or gate.blocked or gate.incomplete):
            problem = "the run ended before its reports were written"
            gate.add_problem(problem)
            reporter = self._terminal()
            if reporter is not None and gate.concerned:
                reporter.write_line(f"recon: {problem}")
        self._print_final_line()

    def _terminal(self) -> Any:
        """Pytest's terminal reporter, `None` where a run has none."""
        return self._run.config.pluginmanager.get_plugin("terminalreporter")

    def _print_final_line(self) -> None:
        reporter = self._terminal()
        if self._final_line_printed or reporter is None or not self._run.gate.concerned:
            return
        self._final_line_printed = True
        from recon_core.reports.session_text import verdict_line  # noqa: PLC0415  # brings tabulate

        reporter.write_line(verdict_line(self._run.gate.tally(), terminal.screen_of(reporter)))

    def _print_summary(self, reporter: Any, sessions: "list[SessionReport]") -> None:
        reporter.ensure_newline()
        if reporter.verbosity >= 0:
            reporter.section("recon", sep="=")
        # On lines of their own: GitHub takes no annotation from the middle of a line.
        for line in self._printed.splitlines():
            reporter.write_line(line)
        lines = terminal.summary_lines(
            self._run,
            self._summaries,
            sessions,
            self._trail,
            terminal.screen_of(reporter),
            verbose=reporter.verbosity > 0,
        )
        for line in lines:
            reporter.write_line(line)

    def _write_audit_log(self) -> None:
        """Append what was found, also of a run that was narrowed or stopped."""
        if self._trail is None or not self._run.gate.sessions:
            return
        verdict = self._run.gate.tally().verdict
        problem = self._trail.write(
            (replace(summary, verdict=verdict), self._summaries.diffs(promise))
            for promise, summary in self._sessions()
        )
        if problem is not None:
            self._run.gate.add_problem(problem)

    def _sessions(self) -> "list[tuple[SessionPromise, ReconSummary]]":
        return [(one, self._summaries.summary(one)) for one in self._run.gate.sessions]

    def _write_reports(self) -> None:
        """Write all reports; a failure to write one is reported in the others."""
        gate, config = self._run.gate, self._run.config
        own = config.getoption("xmlpath", default=None)
        if not gate.concerned or not (self._run.settings.reports or own is not None):
            return
        # Only with the options.
        from recon_core.reports.session_suites import (  # noqa: PLC0415
            RUN_SUITE,
            gate_case,
            shortage_case,
        )

        sessions = self._sessions()
        if self._run.settings.reports:
            from pytest_recon.report_files import write_named  # noqa: PLC0415

            invocation_id = self._summaries.invocation_id
            reports = terminal.session_reports(self._run, self._summaries)
            self._printed = write_named(self._run, invocation_id, reports, self._trail)
            if self._terminal() is None:
                sys.stdout.write(self._printed)
        cases = [
            case
            for promise, summary in sessions
            for case in shortage_case(
                promise.path, summary.ran or 0, promise.comparisons, fails=gate.fails_reports
            )
        ]
        cases += gate_case(RUN_SUITE, gate.problems, fails=gate.fails_reports)
        head = {} if self._trail is None else self._trail.properties
        add_to_junitxml(config, head, cases)


class InnerSummary:
    """Gives other plugins the whole reports while these print their parts of the summary."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_terminal_summary(self) -> Any:
        """Inside of every other wrapper, pytest's own sections included."""
        face = self._recorder.face
        with contextlib.nullcontext() if face is None else face.lifted():
            return (yield)


def _is_own(report: pytest.TestReport) -> bool:
    properties = report.user_properties
    return bool(properties) and str(properties[0][0]) == "recon.session_id"


def _description(attached: dict[str, Any]) -> str:
    """The diff in short, for a report that lost its text."""
    return str((attached["diff"] or {}).get("description", ""))


def _result_of_match(report: MatchReport) -> ItemResult:
    folded = report.user_properties if report.has_own_properties else ()
    more = {str(name): str(value) for name, value in folded if name in FOLDED_PROPERTIES}
    return ItemResult(
        node_id=report.nodeid,
        kind=report.group.kind,
        key=report.key,
        verdict=MATCH,
        failed=report.failed,
        seconds=report.duration,
        text="",
        drift=report.group.drift,
        diff=None,
        more=more or _NOTHING_MORE,
    )


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
        text=str(report.longrepr or getattr(report, "wasxfail", "") or _description(attached)),
        drift=properties.get("recon.drift", ""),
        diff=attached["diff"],
        more={name: properties[name] for name in _MORE_PROPERTIES if name in properties},
    )
