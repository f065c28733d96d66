"""Options and ini settings (design, "Names to keep"), and their values."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from pytest_recon.outputs import environment_words, own_junit_path
from recon_core.model.explanation import Effort
from recon_core.policy import settings
from recon_core.policy.settings import EXPLAIN_CHOICES, FAIL_ON_CHOICES
from recon_core.reports.writing import NamedReport, named_report, require_own_places
from recon_core.reports.written_path import is_same_file, written_path
from recon_core.values.errors import ReconError
from recon_core.values.printable import quoted

PATH_OPTIONS: Final = (
    "--recon-session",
    "--recon-policy",
    "--recon-report",
    "--recon-junit",
    "--recon-audit-log",
    "--recon-waivers",
)


def add_options(parser: pytest.Parser) -> None:
    """Declare the options and their ini settings."""
    group = parser.getgroup("recon", "reconciliation of recorded trading sessions")
    group.addoption(
        "--recon-session",
        action="append",
        default=[],
        metavar="PATH|DIR|GLOB",
        help="reconcile these recorded sessions, and turn the gate on (repeatable)",
    )
    group.addoption("--recon-policy", metavar="FILE", help="thresholds and tolerances (TOML)")
    group.addoption(
        "--recon-require-policy",
        action="store_true",
        help="refuse to judge by the built-in policy",
    )
    group.addoption(
        "--recon-waivers",
        action="append",
        default=[],
        metavar="FILE",
        help="known differences that somebody answers for (TOML, repeatable)",
    )
    group.addoption(
        "--recon-fail-on",
        choices=FAIL_ON_CHOICES,
        help="the lowest severity that fails an item (default: fail)",
    )
    group.addoption(
        "--recon-gate",
        action="store_true",
        default=None,
        help="exit non-zero unless every comparison of every session ran",
    )
    group.addoption(
        "--no-recon-gate",
        dest="recon_gate",
        action="store_false",
        help="turn that off where --recon-session or the ini turned it on",
    )
    group.addoption(
        "--recon-report",
        action="append",
        default=[],
        metavar="FORMAT:PATH",
        help="write a report: json, markdown, github, gitlab, sarif, html or junit (repeatable); "
        "- is standard output",
    )
    group.addoption("--recon-junit", metavar="PATH", help="the same as --recon-report junit:PATH")
    group.addoption("--recon-audit-log", metavar="PATH", help="append this run to an audit log")
    group.addoption(
        "--recon-audit-rotate",
        metavar="SIZE",
        help="begin a new file of the audit log at this size, such as 256MiB",
    )
    group.addoption(
        "--recon-top-n",
        type=int,
        default=10,
        metavar="N",
        help="how many diffs the summary shows per session (default: 10)",
    )
    group.addoption(
        "--recon-max-items",
        type=int,
        metavar="N",
        help="above N fills or orders of a session the equal ones are one item (default: 20000)",
    )
    group.addoption(
        "--recon-explain",
        choices=EXPLAIN_CHOICES,
        help="how far to search for what explains a difference (default: fast)",
    )
    group.addoption(
        "--recon-limit",
        action="append",
        default=[],
        metavar="NAME=N",
        help="change a limit on what an input may cost (repeatable)",
    )
    parser.addini("recon_sessions", "recorded sessions to add to every run", type="linelist")
    parser.addini("recon_policy", "thresholds and tolerances (TOML)")
    parser.addini("recon_waivers", "files of waivers (TOML)", type="linelist")
    parser.addini("recon_require_policy", "refuse the built-in policy", type="bool", default=False)
    parser.addini("recon_audit_log", "append every run to this audit log")
    parser.addini(
        "recon_check_audit_log",
        "recon check appends to recon_audit_log as well",
        type="bool",
        default=False,
    )
    parser.addini("recon_audit_rotate", "size at which a new file of the audit log begins")
    parser.addini("recon_fail_on", "fail or warn", default="fail")
    parser.addini("recon_explain", "off, fast or full", default="fast")
    parser.addini("recon_max_items", "fills or orders above which the equal ones are one item")
    parser.addini("recon_limits", "limits on what an input may cost: NAME = N", type="linelist")
    parser.addini(
        "recon_light_items",
        "run a comparison that matches in one phase where nobody looks for others",
        type="bool",
        default=True,
    )
    parser.addini("recon_gate", "turn the gate on", type="bool", default=False)


def asks_for_gate(config: pytest.Config) -> bool:
    """True if the words of the command line ask for the gate, read or not."""
    words = [str(word) for word in config.invocation_params.args]
    words += environment_words()
    named = any(word.partition("=")[0] == "--recon-session" for word in words)
    return named and "--no-recon-gate" not in words


def names_or_gates(early_config: pytest.Config) -> bool:
    """True if a run names sessions or asks for the gate, before it is configured."""
    given = early_config.known_args_namespace
    settings = ("recon_sessions", "recon_gate")
    return bool(given.recon_session or given.recon_gate or any(map(early_config.getini, settings)))


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of one run, paths made absolute."""

    command_line_sessions: tuple[str, ...]
    ini_sessions: tuple[str, ...]
    ini_directory: Path
    fail_on_warn: bool
    gate: bool
    gate_is_asked_for: bool
    reports: tuple[NamedReport, ...]
    audit_log: Path | None
    rotate_at: int | None
    top_n: int
    max_items: int
    explain: Effort
    policy_required_by: str | None
    limits: Mapping[str, int]
    sets_ini_aside: bool


def read_settings(config: pytest.Config) -> Settings:
    """Read the settings of a run; raises `pytest.UsageError` for values of no use."""
    named = tuple(config.getoption("recon_session"))
    gate = config.getoption("recon_gate")
    asked = bool(config.getini("recon_gate") if gate is None else gate)
    inipath = config.inipath
    ini_directory = config.rootpath if inipath is None else inipath.parent
    reports = _reports(config)
    audit_log = _written_path(config, "--recon-audit-log", ini_directory)
    _require_own_files(config, audit_log, reports)
    in_ini = tuple(config.getini("recon_sessions"))
    narrowed = bool(named) or _names_tests(config)
    return Settings(
        command_line_sessions=named,
        ini_sessions=() if narrowed else in_ini,
        ini_directory=ini_directory,
        fail_on_warn=_fail_on(config) == "warn",
        gate=asked or (bool(named) and gate is None),
        gate_is_asked_for=asked,
        reports=reports,
        audit_log=audit_log,
        rotate_at=_rotate_at(config),
        top_n=_top_n(config),
        max_items=_max_items(config),
        explain=_explain(config),
        policy_required_by=_policy_required_by(config),
        limits=_limits(config),
        sets_ini_aside=narrowed and bool(in_ini),
    )


def _names_tests(config: pytest.Config) -> bool:
    """True if every argument is a test file or a node id, and there is one.

    A directory is no single test: a run of all tests of a project keeps its sessions.
    """
    if config.args_source is not config.ArgsSource.ARGS:
        return False
    directory = config.invocation_params.dir
    return bool(config.args) and all(
        "::" in argument or (directory / argument).is_file() for argument in config.args
    )


def _reports(config: pytest.Config) -> tuple[NamedReport, ...]:
    """Return the reports that the options name, the older option last."""
    directory = config.invocation_params.dir
    junit = config.getoption("recon_junit")
    values = [("--recon-report", value) for value in config.getoption("recon_report")]
    values += [] if junit is None else [("--recon-junit", junit)]
    for option, value in values:
        if not isinstance(value, str):
            raise pytest.UsageError(f"{option}: {quoted(value)}; expected the name of one file")
    try:
        return tuple(named_report(option, value, directory) for option, value in values)
    except ReconError as error:
        raise pytest.UsageError(str(error)) from None


def _require_own_files(
    config: pytest.Config, audit_log: Path | None, reports: tuple[NamedReport, ...]
) -> None:
    """No report may replace the log, and no two have one place."""
    own = config.getoption("xmlpath", default=None)
    pytests = None if own is None else config.invocation_params.dir / own_junit_path(str(own))
    if is_same_file(audit_log, pytests):
        raise pytest.UsageError(
            "--recon-audit-log: names a JUnit file of this run too; expected a file of its own"
        )
    try:
        require_own_places(reports, [("the audit log", audit_log)])
    except ReconError as error:
        raise pytest.UsageError(str(error)) from None


def _fail_on(config: pytest.Config) -> str:
    value = str(config.getoption("recon_fail_on") or config.getini("recon_fail_on"))
    if value not in FAIL_ON_CHOICES:
        raise pytest.UsageError(f"recon_fail_on: {quoted(value)}; expected fail or warn")
    return value


def _rotate_at(config: pytest.Config) -> int | None:
    given = config.getoption("recon_audit_rotate")
    try:
        return settings.rotate_at(given, str(config.getini("recon_audit_rotate") or ""))
    except ReconError as error:
        raise pytest.UsageError(str(error)) from None


def _explain(config: pytest.Config) -> Effort:
    given = config.getoption("recon_explain")
    try:
        return settings.effort(given, str(config.getini("recon_explain") or ""))
    except ReconError as error:
        raise pytest.UsageError(str(error)) from None


def _limits(config: pytest.Config) -> Mapping[str, int]:
    options = config.getoption("recon_limit")
    try:
        return settings.limits_of(config.getini("recon_limits"), options, "--recon-limit")
    except ReconError as error:
        raise pytest.UsageError(str(error)) from None


def _written_path(config: pytest.Config, option: str, ini_directory: Path) -> Path | None:
    """The file to write that an option names, or the ini."""
    name = option.lstrip("-").replace("-", "_")
    value, directory = config.getoption(name), config.invocation_params.dir
    if value is None and config.getini(name):
        value, directory, option = config.getini(name), ini_directory, name
    if value is None:
        return None
    if not isinstance(value, str):
        raise pytest.UsageError(f"{option}: {quoted(value)}; expected the name of one file")
    try:
        return written_path(value, directory)
    except ReconError as error:
        raise pytest.UsageError(f"{option}: {error}") from None


def _top_n(config: pytest.Config) -> int:
    top_n = int(config.getoption("recon_top_n"))
    if top_n < 0:
        raise pytest.UsageError(f"--recon-top-n: {top_n}; expected 0 or more")
    return top_n


def _max_items(config: pytest.Config) -> int:
    given: int | None = config.getoption("recon_max_items")
    if given is not None and given < 0:
        raise pytest.UsageError(f"--recon-max-items: {given}; expected 0 or more")
    try:
        return settings.most_items(given, str(config.getini("recon_max_items") or ""))
    except (ReconError, TypeError) as error:  # a TypeError where TOML has it as a number
        raise pytest.UsageError(str(error)) from None


def _policy_required_by(config: pytest.Config) -> str | None:
    """The option or the setting that refuses the built-in policy, `None` where it will do."""
    if config.getoption("recon_require_policy"):
        return "--recon-require-policy"
    return "recon_require_policy" if config.getini("recon_require_policy") else None


def policy_source(config: pytest.Config) -> Path | None:
    """The policy file that holds: option, ini, `recon.toml`, `pyproject.toml`; else none."""
    option, ini = config.getoption("recon_policy"), config.getini("recon_policy")
    inipath = config.inipath
    ini_directory = config.rootpath if inipath is None else inipath.parent
    return settings.policy_source(
        None if option is None else config.invocation_params.dir / str(option),
        ini_directory / str(ini) if ini else None,
        config.rootpath,
    )


def waiver_sources(config: pytest.Config) -> list[Path]:
    """The files of waivers that hold: options, ini, else those of the rootdir."""
    inipath = config.inipath
    ini_directory = config.rootpath if inipath is None else inipath.parent
    return settings.waiver_sources(
        [config.invocation_params.dir / str(each) for each in config.getoption("recon_waivers")],
        [ini_directory / str(each) for each in config.getini("recon_waivers")],
        config.rootpath,
    )
