"""Routes by which a run that holds a FAIL might end green, each with the end it must have.

`test_gate_routes.py` has those that one process shows by itself; these start a process, with
a green report of an earlier run in both places. An end is

* `RED`: a status other than 0, and no report without a failing case;
* `ANNOUNCED`: somebody chose otherwise, and the output says so in the words of `announced`;
  where these are the gate's own line, no report is without a failing case either;
* `REFUSED_FIRST`: pytest refuses the command line before it loads any plugin, with a status
  other than 0, so the reports are untouched;
* `NOT_HELD`: the process is ended under the gate. No status helps; the line
  `RECON: CLEAR`, which docs/gate.md says to ask for, is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final


class End(StrEnum):
    """The end that a route must have."""

    RED = "red"
    ANNOUNCED = "announced"
    REFUSED_FIRST = "refused first"
    NOT_HELD = "not held"


@dataclass(frozen=True)
class Route:
    """One way to run the gate on `s/`, which holds a clear session and a blocked one.

    `words` follow `--recon-session=s`, or `recon check s` with `check`; `modules` are the plugins
    to load, with no other. `after` follows the command line, `before` precedes it.
    """

    name: str
    words: tuple[str, ...] = ()
    end: End = End.RED
    announced: str = ""
    conftest: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    ini: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], object] | None = None
    modules: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    check: bool = False


def _plugins() -> list[Route]:
    """Plugins that select, repeat, stop or report items in their own way, one at a time."""
    table: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("retry", "pytest_retry.retry_plugin", ("--retries=3",)),
        ("flakefinder", "pytest_flakefinder", ("--flake-finder", "--flake-runs=3")),
        ("repeat", "pytest_repeat", ("--count=3",)),
        ("tiny time-out", "pytest_timeout", ("--timeout=0.00001",)),
        (
            "tiny time-out of a thread",
            "pytest_timeout",
            ("--timeout=0.00001", "--timeout-method=thread"),
        ),
        ("split 1", "pytest_split.plugin", ("--splits=2", "--group=1")),
        ("split 2", "pytest_split.plugin", ("--splits=2", "--group=2")),
        ("shard 0", "pytest_shard.pytest_shard", ("--num-shards=2", "--shard-id=0")),
        ("shard 1", "pytest_shard.pytest_shard", ("--num-shards=2", "--shard-id=1")),
        ("picked", "pytest_picked.plugin", ("--picked",)),
        ("order", "pytest_order.plugin", ("--order-scope=session",)),
        ("flaky", "flaky.flaky_pytest_plugin", ("--force-flaky", "--max-runs=3", "--min-passes=1")),
        ("ignored flakiness", "pytest_ignore_flaky", ("--ignore-flaky",)),
        ("checks", "pytest_check.plugin", ()),
        ("dependencies", "pytest_dependency", ()),
        ("sockets", "pytest_socket", ("--disable-socket",)),
        ("coverage", "pytest_cov.plugin", ("--cov=.",)),
        ("report log", "pytest_reportlog.plugin", ("--report-log=log.jsonl",)),
        ("failures at once", "pytest_instafail", ("--instafail",)),
        ("sugar", "pytest_sugar", ()),
        ("reruns", "pytest_rerunfailures", ("--reruns=3",)),
        ("reruns of one error", "pytest_rerunfailures", ("--reruns=3", "--only-rerun=Comparison")),
    )
    return [Route(f"plugin: {name}", words, modules=(module,)) for name, module, words in table]


KILLED: Final = """
import os, pathlib, signal
def pytest_runtest_setup(item):
    once = pathlib.Path("once")
    if "A/EUR" in item.nodeid and os.environ.get("PYTEST_XDIST_WORKER") and {condition}:
        once.write_text("")
        os.kill(os.getpid(), signal.SIG{name})
"""
LEFT: Final = """
import os
def pytest_runtest_setup(item):
    if os.environ.get("PYTEST_XDIST_WORKER"):
        os._exit(0)
"""
OTHER_SIDE: Final = """
import os, recon_core
@recon_core.hookimpl
def recon_internal_side(recorded):
    return recorded.external if os.environ.get("PYTEST_XDIST_WORKER") == "gw1" else None
"""
REPLACED_BY_WORKERS: Final = """
import os, pathlib, pytest
@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        new = pathlib.Path(worker)
        new.write_text(pathlib.Path("s/clear.recon.json").read_text())
        new.replace("s/blocked.recon.json")
"""

DISTRIBUTED: Final = [
    *(
        Route(f"workers: {' '.join(words)}", words)
        for words in (
            ("--dist=each", "--tx=2*popen"),
            ("-n2", "--dist=loadgroup"),
            ("-n2", "--dist=worksteal"),
            ("-n2", "--dist=loadscope", "--maxfail=1"),
            ("-n2", "--dist=no"),
            ("-n2", "--maxschedchunk=1"),
            ("-n4", "--maxprocesses=1"),
            ("-n2", "-x"),
            ("-n2", "-k", "clear"),
            ("-n0",),
        )
    ),
    *(
        Route(
            f"workers: one ended by {name} and replaced",
            ("-n2",),
            conftest=KILLED.format(name=name, condition="not once.exists()"),
        )
        for name in ("KILL", "TERM", "SEGV")
    ),
    Route(
        "workers: one that dies again and again",
        ("-n2", "--max-worker-restart=0"),
        conftest=KILLED.format(name="KILL", condition="True"),
    ),
    Route("workers: one that leaves with 0", ("-n2",), conftest=LEFT),
    Route("workers: each has its own ledger", ("--dist=each", "--tx=2*popen"), conftest=OTHER_SIDE),
    Route("workers: files replaced before they read", ("-n2",), conftest=REPLACED_BY_WORKERS),
]

HOOK: Final = "import os, sys, pytest\n@pytest.hookimpl({how})\ndef {signature}:\n    {body}\n"


def _hook(name: str, signature: str, body: str, how: str = "", announced: str = "") -> Route:
    conftest = HOOK.format(how=how, signature=signature, body=body)
    end = End.ANNOUNCED if announced else End.RED
    return Route(f"conftest: {name}", end=end, announced=announced, conftest=conftest)


OUTER: Final = "wrapper=True, tryfirst=True"
CORE_HOOK: Final = "import recon_core\nfrom decimal import Decimal\n@recon_core.hookimpl\n{body}\n"

CONFTESTS: Final = [
    _hook(
        "main wrapped", "pytest_cmdline_main(config)", "yield; return 0", OUTER, "RECON: BLOCKED"
    ),
    _hook("main replaced", "pytest_cmdline_main(config)", "return 0", "tryfirst=True"),
    _hook("pytest.exit at the end", "pytest_unconfigure(config)", "pytest.exit('', returncode=0)"),
    _hook("failing stopped", "pytest_collection_finish(session)", "session.shouldfail = 'no'"),
    _hook("statuses renamed", "pytest_report_teststatus(report)", "return 'passed', '.', 'PASSED'"),
    _hook(
        "collection emptied",
        "pytest_make_collect_report(collector)",
        "report = yield; report.result = []; return report",
        OUTER,
    ),
    _hook(
        "verdicts dropped from reports",
        "pytest_runtest_makereport(item, call)",
        "report = yield; report.__dict__.pop('recon', None); "
        "report.outcome = 'passed'; return report",
        OUTER,
    ),
    _hook(
        "reports called rerun",
        "pytest_runtest_makereport(item, call)",
        "report = yield; report.outcome = 'rerun' if report.failed else report.outcome; "
        "return report",
        OUTER,
    ),
    _hook(
        "reports without text",
        "pytest_runtest_logreport(report)",
        "report.outcome, report.longrepr = 'passed', None",
        "tryfirst=True",
    ),
    _hook(
        "the plugin unregistered",
        "pytest_sessionstart(session)",
        "manager = session.config.pluginmanager; "
        "[manager.unregister(name=name) for name in ('recon-recorder', 'recon')]",
    ),
    _hook(
        "the report of pytest unregistered",
        "pytest_sessionstart(session)",
        "from _pytest.junitxml import xml_key; "
        "session.config.pluginmanager.unregister(session.config.stash[xml_key])",
    ),
    _hook(
        "sessions forgotten",
        "pytest_configure(config)",
        "config.option.recon_session.clear()",
        "tryfirst=True",
    ),
    _hook(
        "both reports forgotten",
        "pytest_configure(config)",
        "config.option.recon_junit = config.option.xmlpath = None",
        "tryfirst=True",
    ),
    _hook(
        "a keyword set late",
        "pytest_configure(config)",
        "config.option.keyword = 'clear'",
        "tryfirst=True",
    ),
    _hook("items left out", "pytest_ignore_collect(collection_path)", "return True"),
    _hook("runs ended at the first item", "pytest_runtest_setup(item)", "os._exit(1)"),
    Route("conftest: files left out", conftest="collect_ignore_glob = ['*']\n"),
    Route(
        "conftest: short decimals",
        conftest="import decimal\n"
        "for one in (decimal.getcontext(), decimal.DefaultContext):\n"
        "    one.prec, one.traps = 2, dict.fromkeys(one.traps, False)\n",
    ),
    Route(
        "conftest: warnings ignored", conftest="import warnings\nwarnings.simplefilter('ignore')\n"
    ),
    Route(
        "conftest: SIGTERM means success",
        conftest="import os, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "def pytest_runtest_teardown(item):\n    os.kill(os.getpid(), signal.SIGTERM)\n",
    ),
    Route(
        "conftest: SIGTERM means success between items",
        conftest="import os, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "def pytest_runtest_logfinish():\n    os.kill(os.getpid(), signal.SIGTERM)\n",
    ),
    Route(
        "conftest: files replaced after they were read",
        conftest="import pathlib\ndef pytest_collection_finish(session):\n"
        "    clear = pathlib.Path('s/clear.recon.json').read_text()\n"
        "    pathlib.Path('s/blocked.recon.json').write_text(clear)\n",
    ),
    Route(
        "conftest: files removed after they were read",
        conftest="import os\ndef pytest_collection_finish(session):\n"
        "    os.remove('s/blocked.recon.json')\n",
    ),
    *(
        Route(f"conftest: {name}", conftest=CORE_HOOK.format(body=body))
        for name, body in (
            ("checks that leave", "def recon_checks(recorded): raise SystemExit(0)"),
            ("a ledger that leaves", "def recon_internal_side(recorded): raise SystemExit(0)"),
            ("a reader that leaves", "def recon_read_session(path): raise SystemExit(0)"),
            ("a listener that leaves", "def recon_reconciled(reconciliation): raise SystemExit(0)"),
            ("a tolerance of NaN", "def recon_tolerance(comparison): return Decimal('NaN')"),
            ("an endless tolerance", "def recon_tolerance(comparison): return Decimal('Infinity')"),
        )
    ),
    Route(
        "conftest: a wide tolerance",
        end=End.ANNOUNCED,
        announced="softened|recon_tolerance",
        conftest=CORE_HOOK.format(body="def recon_tolerance(comparison): return Decimal('1E9')"),
    ),
    Route(
        "conftest: the exchange as ledger",
        end=End.ANNOUNCED,
        announced="recon_internal_side|recomputed",
        conftest=CORE_HOOK.format(
            body="def recon_internal_side(recorded): return recorded.external"
        ),
    ),
    Route(
        "conftest: leaves at the end of the process",
        end=End.ANNOUNCED,
        announced="RECON: BLOCKED",
        conftest="import atexit, os\natexit.register(os._exit, 0)\n",
    ),
    Route(
        "conftest: leaves from a thread",
        end=End.NOT_HELD,
        conftest="import os, threading, time\n"
        "def pytest_runtest_setup(item):\n"
        "    threading.Thread(target=os._exit, args=(0,)).start()\n    time.sleep(5)\n",
    ),
]

LEAVING: Final = {"leaving.py": "import sys\nsys.exit(0)\n"}
ENVIRONMENT: Final = [
    Route("python -O", python=("-O",)),
    Route("python -W error", python=("-W", "error")),
    Route("python -X dev", python=("-X", "dev")),
    *(
        Route(f"environment: {name}={value}", environment={name: value})
        for name, value in (
            ("PYTHONOPTIMIZE", "2"),
            ("PYTHONWARNINGS", "ignore"),
            ("PYTHONIOENCODING", "ascii"),
            ("LC_ALL", "C"),
            ("COLUMNS", "1"),
            ("CI", "true"),
            ("NO_COLOR", "1"),
            ("PYTEST_DEBUG", "1"),
            ("TMPDIR", "/nonexistent"),
            ("HOME", "/nonexistent"),
            ("PYTEST_ADDOPTS", "--co"),
            ("PYTEST_ADDOPTS", "-k clear"),
            ("PYTEST_ADDOPTS", "--recon-junit=elsewhere.xml --co"),
        )
    ),
    Route("environment: a gate turned off", environment={"PYTEST_ADDOPTS": "--no-recon-gate"}),
    Route(
        "environment: a gate turned off for some",
        ("-k", "clear"),
        end=End.ANNOUNCED,
        announced="the gate is off",
        environment={"PYTEST_ADDOPTS": "--no-recon-gate"},
    ),
    Route(
        "environment: a gate turned off, and every failure expected",
        end=End.ANNOUNCED,
        announced="RECON: BLOCKED",
        conftest="import pytest\ndef pytest_collection_modifyitems(items):\n"
        "    [item.add_marker(pytest.mark.xfail) for item in items]\n",
        environment={"PYTEST_ADDOPTS": "--no-recon-gate"},
    ),
    Route(
        "the plugin is not loaded, and the ini alone has the gate",
        ("-p", "no:recon"),
        end=End.REFUSED_FIRST,
        ini="recon_gate = true\nrecon_sessions = s\n",
    ),
    Route(
        "environment: words that do not end",
        end=End.REFUSED_FIRST,
        environment={"PYTEST_ADDOPTS": "'-k"},
    ),
    Route("a plugin that is not there", ("-p", "nothing_of_that_name"), end=End.REFUSED_FIRST),
    Route("without a part of pytest", ("-p", "no:runner"), end=End.REFUSED_FIRST),
    Route("a wrong choice of pytest", ("--tb=bogus",), end=End.REFUSED_FIRST),
    Route("a directory as pytest's report", ("--junitxml=s",), end=End.REFUSED_FIRST),
    Route("a configuration that is not there", ("-c", "none.ini"), end=End.REFUSED_FIRST),
    Route("a newer pytest asked for", end=End.REFUSED_FIRST, ini="minversion = 99\n"),
    Route("a plugin asked for that is not there", ini="required_plugins = nothing-of-that-name\n"),
    Route(
        "a plugin from the environment that is not there",
        environment={"PYTEST_PLUGINS": "nothing_of_that_name"},
    ),
    Route(
        "a plugin that leaves",
        ("-p", "leaving"),
        end=End.NOT_HELD,
        files=LEAVING,
        environment={"PYTHONPATH": "."},
    ),
    Route(
        "a plugin from the environment that leaves",
        end=End.NOT_HELD,
        files=LEAVING,
        environment={"PYTEST_PLUGINS": "leaving", "PYTHONPATH": "."},
    ),
    *(
        Route(f"without {name}", ("-p", f"no:{name}"))
        for name in ("recon-recorder", "recon-run", "recon-controller", "junitxml", "skipping")
    ),
    Route("a shadowed writer of reports", files={"junit_xml.py": "raise SystemExit(0)\n"}),
    Route("a shadowed writer of tables", files={"tabulate.py": "raise SystemExit(0)\n"}),
    Route(
        "a test that leaves",
        ("test_it.py",),
        end=End.NOT_HELD,
        files={"test_it.py": "import os\ndef test(): os._exit(0)\n"},
    ),
    Route(
        "a test that leaves its worker",
        ("test_it.py", "-n2"),
        files={"test_it.py": "import os\ndef test(): os._exit(0)\n"},
    ),
]

LOOSE: Final = '[position]\ninfo_below = "0.9999"\nfail_above = "0.9999"\n'
SETTINGS: Final = [
    *(
        Route(f"ini: {line}", ini=f"{line}\n")
        for line in (
            "addopts = --co",
            "addopts = -x -k clear",
            "addopts = --junit-prefix=clear",
            "junit_family = legacy",
            "junit_logging = all",
            "xfail_strict = false",
            "filterwarnings = ignore",
            "norecursedirs = *",
            "testpaths = nothing",
            "recon_gate = false",
            "recon_fail_on = nothing",
            "recon_max_items = 0",
            "recon_session = s",
        )
    ),
    *(
        Route(f"options: {' '.join(words)}", words)
        for words in (
            ("--recon-policy=",),
            ("--recon-policy=s",),
            ("--recon-policy=/dev/null",),
            ("--recon-fail-on=critical",),
            ("--recon-max-items=0",),
            ("--recon-top-n=0", "--maxfail=0"),
            ("--recon-junit=items.xml",),
            ("--junitxml=sessions.xml",),
            ("--recon-junit=s",),
            ("--lf", "--lfnf=none"),
            ("--cache-show",),
            ("--setup-plan",),
            ("--debug",),
            ("--runxfail",),
            ("-p", "no:terminal"),
            ("--help",),
            ("-o", "recon_gate=false"),
            ("-o", "addopts=--co"),
            ("@words.txt",),
        )
    ),
    Route(
        "options: a loose policy",
        ("--recon-policy=loose.toml",),
        end=End.ANNOUNCED,
        announced="policy loose.toml",
        files={"loose.toml": LOOSE},
    ),
    Route(
        "environment: a loose policy",
        end=End.ANNOUNCED,
        announced="policy loose.toml",
        files={"loose.toml": LOOSE},
        environment={"PYTEST_ADDOPTS": "--recon-policy=loose.toml"},
    ),
]

STREAMS: Final = [
    *(
        Route(f"streams: {after}", after=after)
        for after in (
            ">&-",
            "2>&-",
            "<&- >&- 2>&-",
            "> /dev/full",
            "2> /dev/full",
            "| true; exit ${PIPESTATUS[0]}",
            "-v | head -c 10; exit ${PIPESTATUS[0]}",
        )
    ),
    Route("streams: a pipeline", end=End.ANNOUNCED, announced="RECON: BLOCKED", after="| cat"),
    Route("disks: no file may grow", ("--recon-audit-log=log.jsonl",), before="ulimit -f 0"),
    Route("disks: no more files", before="ulimit -n 12"),
]


def _write(name: str, text: str) -> Callable[[Path], object]:
    return lambda directory: (directory / name).write_text(text, encoding="utf-8")


def _linked(directory: Path) -> None:
    (directory / "s").rename(directory / "real")
    (directory / "s").symlink_to(directory / "real")


def _linked_session(directory: Path) -> None:
    (directory / "s" / "blocked.recon.json").rename(directory / "real.json")
    (directory / "s" / "blocked.recon.json").symlink_to(directory / "real.json")


FILES: Final = [
    Route("files: a directory that is linked", prepare=_linked),
    Route("files: a session that is linked", prepare=_linked_session),
    Route("files: half a session", prepare=_write("s/blocked.recon.json", '{"schema": "rec')),
    Route("files: an empty session", prepare=_write("s/blocked.recon.json", "")),
    Route("files: a list", prepare=_write("s/blocked.recon.json", "[]")),
    Route(
        "files: the report is a session",
        ("--recon-junit=s/blocked.recon.json",),
    ),
    Route(
        "files: the log is a report",
        ("--recon-audit-log=sessions.xml",),
    ),
]

CHECKED: Final = [
    Route("check", check=True),
    Route("check: a misspelt option", ("--jnuit=x.xml",), check=True),
    Route("check: a wrong choice", ("--fail-on=nothing",), check=True),
    Route("check: a name that matches nothing", ("nothing",), check=True),
    Route("check: a policy that is not there", ("--policy=none.toml",), check=True),
    Route("check: a log that is not written", ("--audit-log=/proc/no/log",), check=True),
    Route("check: optimised", check=True, environment={"PYTHONOPTIMIZE": "1"}),
    Route("check: streams closed", check=True, after=">&-"),
    Route("check: streams full", check=True, after="> /dev/full"),
    Route("check: a reader that leaves", check=True, after="| true; exit ${PIPESTATUS[0]}"),
    Route("check: no file may grow", check=True, before="ulimit -f 0"),
    Route(
        "check: short decimals",
        check=True,
        files={"sitecustomize.py": "import decimal\ndecimal.getcontext().prec = 2\n"},
        environment={"PYTHONPATH": "."},
    ),
    Route(
        "check: a shadowed writer of tables",
        check=True,
        end=End.NOT_HELD,
        files={"tabulate.py": "raise SystemExit(0)\n"},
        environment={"PYTHONPATH": "."},
    ),
    Route("check: --help", ("--help",), check=True, end=End.ANNOUNCED, announced="Usage: "),
    Route(
        "check: a loose policy",
        ("--policy=loose.toml",),
        check=True,
        end=End.ANNOUNCED,
        announced="policy loose.toml",
        files={"loose.toml": LOOSE},
    ),
]

ROUTES: Final = [
    *_plugins(),
    *DISTRIBUTED,
    *CONFTESTS,
    *ENVIRONMENT,
    *SETTINGS,
    *STREAMS,
    *FILES,
    *CHECKED,
]
