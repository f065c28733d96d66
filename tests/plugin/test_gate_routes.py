"""Whatever narrows a run of `--recon-session`: a FAIL never ends 0, nor does a gap."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.matrices import matrix

from .conftest import (
    BLOCKED_LINE,
    CLEAR_LINE,
    HALF_WAIVED_LINE,
    PYTESTS_PROTOCOL,
    WAIVED_LINE,
    final_line,
    run_pytest,
    write_blocked,
    write_clear,
    write_half_waived,
    write_waived,
)

NAME = "desk.recon.json"
IMPORTS = "import os, signal, sys\nimport pytest\n"


@dataclass(frozen=True)
class Route:
    """One way to run less than everything, or to have a say in the exit status.

    `narrows` says whether a clear session becomes incomplete; `status` is what that
    run may end with. A route that is `silent` has no terminal to print a line on.
    """

    name: str
    arguments: tuple[str, ...] = ()
    conftest: str = ""
    ini: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    cache: dict[str, Any] | None = None
    narrows: bool = True
    status: tuple[int, ...] = (1,)
    silent: bool = False
    subprocess: bool = False


# Where `--stepwise` stopped: a node id until pytest 8.3, and more since.
STALE_STOP: Any = (
    f"{NAME}::session::as-of"
    if pytest.version_tuple < (8, 4)
    else {
        "last_failed": f"{NAME}::session::as-of",
        "last_test_count": 7,
        "last_cache_date_str": "2100-01-01T00:00:00",
    }
)

SELECTION = [
    Route("keyword", ("-k", "SOL or BTC")),
    Route("keyword of nothing", ("-k", "nothing")),
    Route("marker", ("-m", "slow")),
    Route("negated marker", ("-m", "not slow"), narrows=False),
    Route("deselect an item", (f"--deselect={NAME}::cash::EUR",)),
    Route("deselect a kind", (f"--deselect={NAME}::session",)),
    Route("deselect a file", (f"--deselect={NAME}",)),
    Route("node id", (f"{NAME}::position::BTC/EUR",)),
    Route("node id of a kind", (f"{NAME}::position",)),
    Route("positional file", (NAME,), narrows=False),
    Route("ignore", (f"--ignore={NAME}",), narrows=False),
    Route("ignore by pattern", ("--ignore-glob=*",), narrows=False),
    Route("exit first", ("-x",), narrows=False),
    Route("maxfail", ("--maxfail=1",), narrows=False),
]

CACHED = [
    Route(
        "last failed of this session",
        ("--lf",),
        cache={"lastfailed": {f"{NAME}::session::as-of": True}},
    ),
    Route(
        "last failed of another session",
        ("--lf",),
        cache={"lastfailed": {"other.recon.json::cash::EUR": True}},
        narrows=False,
    ),
    Route(
        "last failed of a removed item",
        ("--lf",),
        cache={"lastfailed": {f"{NAME}::cash::GBP": True}},
        narrows=False,
    ),
    Route("last failed of nothing", ("--lf", "--lfnf=none"), cache={}),
    Route(
        "failed first",
        ("--ff",),
        cache={"lastfailed": {f"{NAME}::session::as-of": True}},
        narrows=False,
    ),
    Route("new first", ("--nf",), cache={}, narrows=False),
    Route("stepwise", ("--sw",), cache={}, narrows=False),
    Route(
        "stepwise from a stale stop",
        ("--sw",),
        cache={"stepwise": STALE_STOP},
    ),
    Route("stepwise skip", ("--sw-skip",), cache={}, narrows=False),
    Route("cache show", ("--cache-show",), cache={}),
]

NOTHING_RUNS = [
    Route("collect only", ("--co",)),
    Route("collect only quietly", ("-q", "--co")),
    Route("setup only", ("--setup-only",)),
    Route("setup plan", ("--setup-plan",)),
    Route("fixtures", ("--fixtures",)),
    Route("fixtures per test", ("--fixtures-per-test",)),
    Route("markers", ("--markers",)),
    Route("help", ("--help",)),
    Route("version beside a session", ("-VV",)),
    Route("plugin turned off", ("-p", "no:recon"), status=(4,), silent=True),
]

CONFIGURED = [
    Route("keyword in the environment", environment={"PYTEST_ADDOPTS": "-k BTC"}),
    Route("collect only in the environment", environment={"PYTEST_ADDOPTS": "--co -q"}),
    Route(
        "no plugins from the environment",
        environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        status=(4,),
        silent=True,
    ),
    Route("keyword in the ini", ini="[pytest]\naddopts = -k BTC\n"),
    Route("setup only in the ini", ini="[pytest]\naddopts = --setup-only\n"),
    Route("deselect in the ini", ini=f"[pytest]\naddopts = --deselect={NAME}::cash\n"),
]

LESS_OUTPUT = [
    Route("runxfail", ("--runxfail",), narrows=False),
    Route("no terminal", ("-p", "no:terminal"), narrows=False, silent=True),
    Route("no summary", ("--no-summary",), narrows=False),
    Route("quieter than quiet", ("-qq",), narrows=False),
    Route("no traceback", ("--tb=no",), narrows=False),
    Route("no warnings", ("--disable-warnings",), narrows=False),
    Route("no summary, no terminal, one item", ("-p", "no:terminal", "-k", "SOL"), silent=True),
]

CONFTEST = [
    Route(
        "trimmed items",
        conftest="def pytest_collection_modifyitems(items):\n    items[:] = items[-1:]\n",
    ),
    Route(
        "no items",
        conftest="""
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.clear()
""",
    ),
    Route(
        "one item instead of all",
        conftest="def pytest_collection_modifyitems(items):\n    items[:] = items[-1:] * 8\n",
    ),
    Route(
        "items reported as deselected",
        conftest="""
def pytest_collection_modifyitems(config, items):
    config.hook.pytest_deselected(items=items[:-1])
    items[:] = items[-1:]
""",
    ),
    Route("collection replaced", conftest="def pytest_collection():\n    return True\n"),
    Route("loop replaced", conftest="def pytest_runtestloop():\n    return True\n"),
    Route("protocol replaced", conftest="def pytest_runtest_protocol():\n    return True\n"),
    Route(
        "call replaced",
        conftest="""
def pytest_collection_modifyitems(items):
    for item in items:
        item.runtest = lambda: None
""",
    ),
    Route(
        "skip markers",
        conftest="""
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.skip)
""",
    ),
    Route("skip in setup", conftest="def pytest_runtest_setup():\n    pytest.skip()\n"),
    Route(
        "skip in call",
        conftest="""
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call():
    pytest.skip()
""",
    ),
    Route(
        "xfail markers",
        conftest="""
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xfail)
""",
        narrows=False,
    ),
    Route(
        "xfail markers that run nothing",
        conftest="""
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xfail(run=False))
""",
    ),
    Route(
        "reports say passed",
        conftest="""
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport():
    report = yield
    report.outcome, report.longrepr = "passed", None
    return report
""",
        narrows=False,
    ),
    Route(
        "log reports say passed",
        conftest="""
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    report.outcome, report.longrepr = "passed", None
""",
        narrows=False,
    ),
    Route(
        "reports replaced",
        conftest="""
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    yield
    passed = (item.nodeid, item.location, {}, "passed", None, call.when)
    return pytest.TestReport(*passed)
""",
    ),
    Route(
        "stop after one item",
        conftest="""
def pytest_runtest_teardown(item):
    item.session.shouldstop = "enough"
""",
    ),
    Route(
        "collect only set late",
        conftest="def pytest_configure(config):\n    config.option.collectonly = True\n",
    ),
    Route(
        "keyboard interrupt",
        conftest="def pytest_runtest_call():\n    raise KeyboardInterrupt\n",
        status=(2,),
        subprocess=True,
    ),
]

STATUS_SET = """
{marker}
def pytest_sessionfinish(session):
    session.exitstatus = 0
"""
STATUS_SET_IN_WRAPPER = """
{marker}
def pytest_sessionfinish(session):
    yield
    session.exitstatus = 0
"""
EXIT_STATUS = (
    [
        Route(
            f"status set {name}",
            conftest=template.format(marker=f"@pytest.hookimpl({marker})" if marker else ""),
            narrows=False,
        )
        for name, template, marker in (
            ("in a plain hook", STATUS_SET, ""),
            ("in a first hook", STATUS_SET, "tryfirst=True"),
            ("in a last hook", STATUS_SET, "trylast=True"),
            ("in an outer wrapper", STATUS_SET_IN_WRAPPER, "hookwrapper=True, tryfirst=True"),
            ("in an inner wrapper", STATUS_SET_IN_WRAPPER, "hookwrapper=True, trylast=True"),
        )
    ]
    + [
        Route(
            f"{code} in {hook}",
            conftest=f"def {hook}():\n    {code}\n",
            narrows=narrows,
            status=(status,),
        )
        for code, hook, narrows, status in (
            ('pytest.exit("done", returncode=0)', "pytest_sessionstart", True, 1),
            ('pytest.exit("done", returncode=0)', "pytest_collection_finish", True, 1),
            ('pytest.exit("done", returncode=0)', "pytest_runtest_setup", True, 1),
            ('pytest.exit("done", returncode=0)', "pytest_runtest_call", True, 1),
            ('pytest.exit("done", returncode=0)', "pytest_sessionfinish", False, 0),
            ("sys.exit(0)", "pytest_collection_finish", True, 3),
        )
    ]
    + [
        Route(
            "sys.exit(0) while a conftest is loaded",
            conftest="sys.exit(0)\n",
            status=(4,),
            silent=True,
            subprocess=True,
        ),
        Route(
            "sys.exit(0) in pytest_unconfigure",
            conftest="def pytest_unconfigure():\n    sys.exit(0)\n",
            narrows=False,
            subprocess=True,
        ),
    ]
)

ROUTES = SELECTION + CACHED + NOTHING_RUNS + CONFIGURED + LESS_OUTPUT + CONFTEST + EXIT_STATUS

DISTRIBUTED = [
    *(
        route
        for route in ROUTES
        if route.name
        in {
            "keyword",
            "deselect an item",
            "node id",
            "exit first",
            "last failed of this session",
            "collect only",
            "setup only",
            "keyword in the environment",
            "runxfail",
            "no terminal",
            "trimmed items",
            "skip markers",
            "reports say passed",
            "reports replaced",
            "status set in an outer wrapper",
        }
    ),
    Route(
        "killed worker",
        conftest="""
def pytest_runtest_call(item):
    if item.nodeid.endswith("session::as-of"):
        os.kill(os.getpid(), signal.SIGKILL)
""",
    ),
    Route(
        "killed worker that is not replaced",
        ("--max-worker-restart=0",),
        conftest="""
def pytest_runtest_call(item):
    if item.nodeid.endswith("session::as-of"):
        os.kill(os.getpid(), signal.SIGKILL)
""",
    ),
    Route(
        "worker killed while it collects",
        conftest="""
def pytest_collection_finish(session):
    if hasattr(session.config, "workerinput"):
        os.kill(os.getpid(), signal.SIGKILL)
""",
        status=(1, 3),  # pytest-xdist can fall over this by itself
    ),
]


def take(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    route: Route,
    write: Callable[[Path], Path],
    *options: str,
) -> pytest.RunResult:
    """Run pytest on a session that `write` writes, along a route."""
    write(pytester.path / NAME)
    if route.conftest:
        pytester.makeconftest(IMPORTS + route.conftest)
    if route.ini:
        pytester.makeini(route.ini)
    for name, value in route.environment.items():
        monkeypatch.setenv(name, value)
    for name, value in (route.cache or {}).items():
        file = pytester.path / ".pytest_cache" / "v" / "cache" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    return run_pytest(
        pytester,
        *options,
        f"--recon-session={NAME}",
        *route.arguments,
        cache=route.cache is not None,
        subprocess=route.subprocess,
    )


def check_clear(route: Route, result: pytest.RunResult, clear: str) -> None:
    """A clear session is incomplete where the route narrows, and clear where it does not."""
    assert result.ret in (route.status if route.narrows else (0,))
    line = final_line(result)
    if route.silent:
        return
    if route.narrows:
        assert line.startswith("RECON: INCOMPLETE (")
        assert line.endswith((" comparisons ran)", "(no comparison ran)"))
    else:
        assert line == clear


def check_blocked(route: Route, result: pytest.RunResult, blocked: str) -> None:
    """A blocked session never ends 0, and is never called clear."""
    assert result.ret not in (0, pytest.ExitCode.NO_TESTS_COLLECTED)
    line = final_line(result)
    if not route.silent:
        assert line.startswith(("RECON: BLOCKED (", "RECON: INCOMPLETE ("))
        if not route.narrows and not {"-x", "--maxfail=1", "--sw"} & set(route.arguments):
            assert line == blocked


Check = Callable[[Route, pytest.RunResult, str], None]
SESSIONS: dict[str, tuple[Callable[[Path], Path], Check, str]] = {
    "clear": (write_clear, check_clear, CLEAR_LINE),
    "blocked": (write_blocked, check_blocked, BLOCKED_LINE),
    "half waived": (write_half_waived, check_blocked, HALF_WAIVED_LINE),
    "waived": (write_waived, check_clear, WAIVED_LINE),
}
"""How a session is written and judged, and the last line of a run that narrows nothing."""

PROTOCOLS = [("", ()), (" by phases", (PYTESTS_PROTOCOL,))]
"""The protocol of a comparison, ours where it may be and that of pytest for every item."""

OTHERWISE = [("stepwise from a stale stop", "waived"), ("runxfail", "waived")]
"""The stale stop is of a session of 7 comparisons; under --runxfail an xfail fails."""


def cases(pairs: Iterable[tuple[str, Route]]) -> list[Any]:
    """Routes with their sessions, each with a name, by one protocol in turn, or by both."""
    allowed = [pair for pair in pairs if (pair[1].name, pair[0]) not in OTHERWISE]
    return [
        pytest.param(route, session, protocol, id=f"{route.name}-{session}{by}")
        for (session, route), (by, protocol) in matrix(allowed, PROTOCOLS, every=2)
    ]


@pytest.mark.parametrize(
    ("route", "session", "protocol"),
    cases(
        [
            *matrix(["clear", "blocked"], ROUTES, every=2),
            *matrix(["half waived", "waived"], ROUTES),
        ]
    ),
)
def test_no_route_is_clear_that_left_something_out(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    route: Route,
    session: str,
    protocol: tuple[str, ...],
) -> None:
    """A route that narrows is INCOMPLETE and non-zero; no route ends 0 with a FAIL left."""
    write, check, line = SESSIONS[session]
    check(route, take(pytester, monkeypatch, route, write, *protocol), line)


@pytest.mark.parametrize(
    ("route", "session", "protocol"), cases(matrix(["clear", "blocked"], DISTRIBUTED, every=10))
)
def test_workers_change_no_route(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    route: Route,
    session: str,
    protocol: tuple[str, ...],
) -> None:
    """The same where two workers run the items."""
    write, check, line = SESSIONS[session]
    check(route, take(pytester, monkeypatch, route, write, "-n2", *protocol), line)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("-k", "SOL"), "RECON: INCOMPLETE (1 of 8 comparisons ran)"),
        (("-x",), "RECON: BLOCKED (1 FAIL in 1 session)"),
        (("-k", "SOL", "--no-recon-gate"), "RECON: INCOMPLETE (1 of 8 comparisons ran)"),
        (("--co",), "RECON: INCOMPLETE (0 of 8 comparisons ran)"),
    ],
)
def test_line_of_a_narrowed_run(
    pytester: pytest.Pytester, blocked_session: Path, arguments: tuple[str, ...], line: str
) -> None:
    """The line counts what ran of what was promised; BLOCKED comes first where both hold."""
    result = run_pytest(pytester, f"--recon-session={blocked_session}", *arguments)
    assert final_line(result) == line


def test_broken_module_beside_a_session(pytester: pytest.Pytester, clear_session: Path) -> None:
    """A test module that cannot be collected keeps pytest's status, and nothing is clear."""
    pytester.makepyfile(test_broken="import nothing_of_that_name")
    result = run_pytest(pytester, f"--recon-session={clear_session}", "test_broken.py")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert final_line(result) == "RECON: INCOMPLETE (0 of 7 comparisons ran)"


def test_passing_tests_do_not_hide_a_narrowed_session(
    pytester: pytest.Pytester, clear_session: Path
) -> None:
    """Other tests that pass make no session complete."""
    pytester.makepyfile(test_project="def test_passes(): pass")
    session = f"--recon-session={clear_session}"
    result = run_pytest(pytester, session, "test_project.py", "-k", "passes")
    result.assert_outcomes(passed=1, deselected=7)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert final_line(result) == "RECON: INCOMPLETE (0 of 7 comparisons ran)"


def test_failing_test_beside_a_clear_session(
    pytester: pytest.Pytester, clear_session: Path
) -> None:
    """A failing test of the project fails the run; the sessions are clear nevertheless."""
    pytester.makepyfile(test_project="def test_fails(): assert False")
    result = run_pytest(pytester, f"--recon-session={clear_session}", "test_project.py")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert final_line(result) == CLEAR_LINE
