"""The extension points of the core, implemented in a conftest."""

import re
from pathlib import Path

import pytest

from .conftest import (
    CLEAR_LINE,
    REPORTS_CONFTEST,
    final_line,
    read_reports,
    run_pytest,
    write_blocked,
    write_clear,
    write_session,
)

IMPORTS = """
from dataclasses import replace
from decimal import Decimal
import os
import recon_core
from recon_core import CashBalance, RecordedSession, SessionCheck, SessionError, Severity
"""

RECOMPUTED_CASH = """
@recon_core.hookimpl
def recon_internal_side(recorded):
    return replace(recorded.internal, cash=(CashBalance("EUR", Decimal("{total}")),))
"""
TOLERANCE = """
@recon_core.hookimpl
def recon_tolerance(comparison):
    return Decimal("{limit}") if comparison.name == "{name}" else None
"""
CHECK = """
@recon_core.hookimpl
def recon_checks(recorded):
    return [SessionCheck("{name}", {severity}, "orders are open")]
"""
RECONCILED = """
@recon_core.hookimpl
def recon_reconciled(reconciliation):
    with open(os.environ["TOLD"], "a") as file:
        names = {judgement.verdict for judgement in reconciliation.judgements}
        print(reconciliation.recorded.session_id, sorted(names), os.getpid(), file=file)
"""
WORKERS = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["here", "workers"])


def conftest(pytester: pytest.Pytester, *hooks: str) -> None:
    """Write a conftest with these hooks into pytester's directory."""
    pytester.makeconftest(IMPORTS + "\n".join(hooks))


@WORKERS
@pytest.mark.usefixtures("clear_session")
def test_internal_side(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """A project recomputes the internal side: what its code gives now is compared."""
    conftest(pytester, RECOMPUTED_CASH.format(total="4990.00"))
    result = run_pytest(pytester, *workers, "--recon-session=clear.recon.json")
    result.stdout.fnmatch_lines(["  FAIL  cash EUR  -10 EUR: ledger 4990, exchange 5000"])
    assert result.ret == 1
    assert final_line(result) == "RECON: BLOCKED (1 FAIL in 1 session)"


@pytest.mark.usefixtures("clear_session")
def test_internal_side_left_as_it_is(pytester: pytest.Pytester) -> None:
    """A hook that answers `None` leaves the recorded side."""
    conftest(pytester, "@recon_core.hookimpl\ndef recon_internal_side(recorded): return None")
    result = run_pytest(pytester, "--recon-session=clear.recon.json")
    assert final_line(result) == CLEAR_LINE


def test_internal_side_makes_a_fail_good(pytester: pytest.Pytester) -> None:
    """A recording of a fault is clear once the code under test is repaired."""
    write_session(pytester.path / "old.recon.json", external_cash={"EUR": "4995.00"})
    assert run_pytest(pytester, "--recon-session=old.recon.json").ret == 1
    conftest(pytester, RECOMPUTED_CASH.format(total="4995.00"))
    assert run_pytest(pytester, "--recon-session=old.recon.json").ret == 0


@WORKERS
@pytest.mark.usefixtures("blocked_session")
def test_softening_tolerance(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """A hook that lowers a severity leaves its name on the diff, in the summary too."""
    conftest(
        pytester,
        TOLERANCE.format(name="EUR", limit="5.00"),
    )
    result = run_pytest(pytester, *workers, "--recon-session=blocked.recon.json", "-rA")
    result.stdout.fnmatch_lines(["PASSED blocked.recon.json::cash::EUR"])
    said = r"INFO cash EUR \+5 EUR: ledger 5000, exchange 4995 \(softened by \S*conftest\S*\)"
    assert re.search(said, " ".join(result.stdout.str().split()))
    assert final_line(result) == "RECON: BLOCKED (1 FAIL, 1 WARN in 1 session)"


@pytest.mark.usefixtures("blocked_session")
def test_softened_but_still_a_diff(pytester: pytest.Pytester) -> None:
    """The report of the item says INFO, and the note of who softened is in `-rA`'s summary."""
    conftest(pytester, TOLERANCE.format(name="ETH/EUR", limit="0.05"), REPORTS_CONFTEST)
    run_pytest(pytester, "--recon-session=blocked.recon.json")
    report = read_reports(pytester)["blocked.recon.json::position::ETH/EUR"]
    assert report["outcome"] == "passed"
    assert dict(report["properties"])["recon.severity"] == "INFO"


@pytest.mark.parametrize("limit", ["0", "0.49"])
def test_stricter_tolerance(pytester: pytest.Pytester, limit: str) -> None:
    """A hook may be stricter than the policy, and then softened nothing."""
    write_session(pytester.path / "one.recon.json", external_cash={"EUR": "4999.50"})
    assert run_pytest(pytester, "--recon-session=one.recon.json").ret == 0
    conftest(pytester, TOLERANCE.format(name="EUR", limit=limit))
    result = run_pytest(pytester, "--recon-session=one.recon.json")
    assert final_line(result) == "RECON: BLOCKED (1 FAIL in 1 session)"
    assert "softened" not in result.stdout.str()


@pytest.mark.usefixtures("blocked_session")
def test_who_softened(pytester: pytest.Pytester) -> None:
    """Only the plugin whose tolerance holds is named, not one that gave none."""
    conftest(pytester, 'pytest_plugins = ["lenient", "silent"]')
    lenient = IMPORTS + TOLERANCE.format(name="EUR", limit="5")
    silent = IMPORTS + TOLERANCE.format(name="GBP", limit="5")
    pytester.makepyfile(lenient=lenient, silent=silent)
    pytester.syspathinsert()
    result = run_pytest(pytester, "--recon-session=blocked.recon.json")
    said = r"INFO cash EUR [^()]* \(softened by \S*lenient\S*\)"
    assert re.search(said, " ".join(result.stdout.str().split()))
    assert "silent" not in result.stdout.str()


@WORKERS
@pytest.mark.parametrize(
    ("severity", "outcome", "line"),
    [
        ("None", "PASSED", "RECON: CLEAR (1 session, 8 comparisons)"),
        ("Severity.INFO", "PASSED", "RECON: CLEAR (1 session, 8 comparisons)"),
        ("Severity.WARN", "XFAIL", "RECON: CLEAR (1 session, 8 comparisons, 1 WARN)"),
        ("Severity.FAIL", "FAILED", "RECON: BLOCKED (1 FAIL in 1 session)"),
        ("Severity.CRITICAL", "FAILED", "RECON: BLOCKED (1 CRITICAL in 1 session)"),
    ],
)
@pytest.mark.usefixtures("clear_session")
def test_checks(
    pytester: pytest.Pytester,
    severity: str,
    outcome: str,
    line: str,
    workers: tuple[str, ...],
) -> None:
    """A project's check is an item of its own, promised and counted."""
    conftest(pytester, CHECK.format(name="open orders", severity=severity))
    result = run_pytest(pytester, *workers, "--recon-session=clear.recon.json", "-rA")
    result.stdout.fnmatch_lines([f"{outcome} clear.recon.json::session::open%20orders*"])
    assert final_line(result) == line


@pytest.mark.parametrize("name", ["coverage", "readable"])
@pytest.mark.usefixtures("clear_session")
def test_check_by_a_name_that_is_taken(pytester: pytest.Pytester, name: str) -> None:
    """A failing check is not lost where its name is that of a built-in check."""
    conftest(pytester, CHECK.format(name=name, severity="Severity.FAIL"))
    result = run_pytest(pytester, "--recon-session=clear.recon.json")
    assert result.ret == 1
    assert final_line(result).startswith("RECON: BLOCKED (")


@pytest.mark.usefixtures("clear_session")
def test_checks_of_one_name(pytester: pytest.Pytester) -> None:
    """Of two checks with one name a failing one is not lost."""
    conftest(
        pytester,
        """
@recon_core.hookimpl
def recon_checks(recorded):
    return [
        SessionCheck("orders", Severity.FAIL, "an order is open"),
        SessionCheck("orders", None, "every order is done"),
    ]
""",
    )
    result = run_pytest(pytester, "--recon-session=clear.recon.json")
    assert result.ret == 1
    assert final_line(result).startswith("RECON: BLOCKED (")


@WORKERS
@pytest.mark.usefixtures("clear_session", "blocked_session")
def test_reconciled(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    """Every session is told of once, with all its judgements, by one process."""
    told = pytester.path / "told.txt"
    monkeypatch.setenv("TOLD", str(told))
    conftest(pytester, RECONCILED)
    run_pytest(pytester, *workers, f"--recon-session={pytester.path}")
    lines = [line.rpartition(" ") for line in told.read_text().splitlines()]
    assert [line for line, _, _ in lines] == [
        "blocked ['FAIL', 'WARN', 'match']",
        "clear ['match']",
    ]
    assert len({process for _, _, process in lines}) == 1


@pytest.mark.parametrize(
    "arguments",
    # How far workers get before `-x` stops them is a race.
    [("-k", "EUR"), ("--co",), ("-x",), ("-n2", "-k", "EUR"), ("-n2", "--co")],
)
@pytest.mark.usefixtures("blocked_session")
def test_not_reconciled(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    """A session that did not run completely is not told of."""
    monkeypatch.setenv("TOLD", str(pytester.path / "told.txt"))
    conftest(pytester, RECONCILED)
    run_pytest(pytester, "--recon-session=blocked.recon.json", *arguments)
    assert not (pytester.path / "told.txt").exists()


def test_reconciled_of_plain_collection(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, clear_session: Path
) -> None:
    """A session that pytest collects by itself is told of as well."""
    monkeypatch.setenv("TOLD", str(pytester.path / "told.txt"))
    conftest(pytester, RECONCILED)
    run_pytest(pytester, clear_session)
    assert (pytester.path / "told.txt").read_text().startswith("clear ['match'] ")


CSV_FORMAT = """
@recon_core.hookimpl
def recon_anchor(path):
    return path if path.suffix == ".desk" else None

@recon_core.hookimpl
def recon_read_session(path):
    if path.suffix != ".desk":
        return None
    if path.read_text() == "broken":
        raise SessionError(f"{path.name}: is broken")
    side = recon_core.ExternalSnapshot(
        positions={}, cash={"EUR": Decimal(path.read_text())}
    ).record()
    return RecordedSession(session_id=path.stem, anchor=path, internal=side, external=side)
"""


@WORKERS
def test_format_of_a_project(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """A project's own format is read, and found in a directory."""
    conftest(pytester, CSV_FORMAT)
    folder = pytester.mkdir("days")
    (folder / "monday.desk").write_text("100.00")
    (folder / "tuesday.desk").write_text("broken")
    result = run_pytest(pytester, *workers, "--recon-session=days", "-rA")
    result.stdout.fnmatch_lines(
        [
            "PASSED days/monday.desk::cash::EUR",
            "FAILED days/tuesday.desk::session::readable*",
            "1 CRITICAL  tuesday (days/tuesday.desk), shown above",
        ]
    )
    assert final_line(result) == "RECON: BLOCKED (1 CRITICAL in 2 sessions)"


@WORKERS
@pytest.mark.parametrize(
    ("hook", "arguments", "line"),
    [
        ("recon_internal_side", "recorded", "RECON: BLOCKED (2 CRITICAL in 2 sessions)"),
        ("recon_checks", "recorded", "RECON: BLOCKED (2 CRITICAL in 2 sessions)"),
        ("recon_tolerance", "comparison", "RECON: BLOCKED (3 CRITICAL in 2 sessions)"),
        ("recon_reconciled", "reconciliation", "RECON: BLOCKED (2 FAIL, 1 WARN in 2 sessions)"),
    ],
)
@pytest.mark.usefixtures("clear_session", "blocked_session")
def test_hook_that_raises(
    pytester: pytest.Pytester, hook: str, arguments: str, line: str, workers: tuple[str, ...]
) -> None:
    """A hook that raises makes its sessions red, and says in one line what it raised."""
    conftest(
        pytester,
        f"@recon_core.hookimpl\ndef {hook}({arguments}):\n    raise RuntimeError('out of order')",
    )
    result = run_pytest(pytester, *workers, f"--recon-session={pytester.path}")
    assert result.ret == 1
    assert "INTERNALERROR" not in result.stdout.str()
    said = " ".join(result.stdout.str().split())
    assert re.search("RuntimeError.*out of order", said)
    assert final_line(result) == line


@WORKERS
@pytest.mark.usefixtures("clear_session")
def test_notification_that_raises(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """A clear session of which a plugin could not be told is not clear."""
    conftest(
        pytester,
        "@recon_core.hookimpl\n"
        "def recon_reconciled(reconciliation):\n    raise RuntimeError('out of order')",
    )
    result = run_pytest(pytester, *workers, "--recon-session=clear.recon.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["recon: recon_reconciled: clear.recon.json: RuntimeError: out of order"]
    )
    assert final_line(result).startswith("RECON: INCOMPLETE (")


@pytest.mark.parametrize(
    ("hook", "arguments"), [("recon_anchor", "path"), ("recon_read_session", "path")]
)
def test_format_that_raises(pytester: pytest.Pytester, hook: str, arguments: str) -> None:
    """A format that raises where it is asked never makes a run clear."""
    conftest(
        pytester,
        CSV_FORMAT,
        f"@recon_core.hookimpl\ndef {hook}({arguments}):\n    raise RuntimeError('out of order')",
    )
    folder = pytester.mkdir("days")
    (folder / "monday.desk").write_text("100.00")
    result = run_pytest(pytester, "--recon-session=days")
    assert result.ret != 0
    text = result.stdout.str() + result.stderr.str()
    assert "out of order" in " ".join(text.split())
    assert "INTERNALERROR" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("answer", "hook", "argument"),
    [
        ("0.5", "recon_tolerance", "comparison"),
        ("'5'", "recon_tolerance", "comparison"),
        ("Decimal('NaN')", "recon_tolerance", "comparison"),
        ("Decimal('Infinity')", "recon_tolerance", "comparison"),
        ("{}", "recon_internal_side", "recorded"),
        ("[1]", "recon_checks", "recorded"),
        ("3", "recon_checks", "recorded"),
    ],
)
@pytest.mark.usefixtures("blocked_session")
def test_answer_of_no_use(pytester: pytest.Pytester, answer: str, hook: str, argument: str) -> None:
    """An answer that is not what the hook gives is CRITICAL, a binary float included."""
    conftest(pytester, f"@recon_core.hookimpl\ndef {hook}({argument}):\n    return {answer}\n")
    result = run_pytest(pytester, "--recon-session=blocked.recon.json")
    assert result.ret == 1
    assert "INTERNALERROR" not in result.stdout.str()
    assert "CRITICAL in 1 session)" in final_line(result)


@pytest.mark.parametrize(
    "hook",
    [
        "@recon_core.hookimpl\ndef recon_tolerence(comparison): return None",
        "@recon_core.hookimpl\ndef recon_tolerance(comparison, config): return None",
    ],
)
@pytest.mark.usefixtures("clear_session")
def test_misspelled_hook(pytester: pytest.Pytester, hook: str) -> None:
    """A hook that would be silent for ever is a usage error."""
    conftest(pytester, hook)
    result = run_pytest(pytester, "--recon-session=clear.recon.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: recon hook: *"])


@WORKERS
@pytest.mark.parametrize("session", ["--recon-session=desk/one.recon.json", "desk/one.recon.json"])
def test_hooks_of_two_conftests(
    pytester: pytest.Pytester, session: str, workers: tuple[str, ...]
) -> None:
    """Hooks of the conftest beside a session hold besides those of the root's."""
    write_blocked(pytester.path / "desk" / "one.recon.json")
    conftest(pytester, TOLERANCE.format(name="ETH/EUR", limit="1"))
    beside = IMPORTS + TOLERANCE.format(name="EUR", limit="5")
    (pytester.path / "desk" / "conftest.py").write_text(beside)
    result = run_pytest(pytester, *workers, session, "--recon-gate")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "1 WARN, 2 INFO  one (desk/one.recon.json)",
            "RECON: CLEAR (1 session, 8 comparisons, 1 WARN)",
        ]
    )


@WORKERS
def test_check_of_a_conftest_beside(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """A check of the conftest beside a named session is promised, counted and judged."""
    write_clear(pytester.path / "desk" / "one.recon.json")
    check = IMPORTS + CHECK.format(name="orders", severity="Severity.FAIL")
    (pytester.path / "desk" / "conftest.py").write_text(check)
    result = run_pytest(pytester, *workers, "--recon-session=desk")
    assert result.ret == 1
    assert final_line(result) == "RECON: BLOCKED (1 FAIL in 1 session)"
    result.stdout.fnmatch_lines(["1 FAIL  one (desk/one.recon.json), shown above"])


@pytest.mark.parametrize("session", ["--recon-session=desk/one.recon.json", "desk/one.recon.json"])
@pytest.mark.parametrize("place", [".", "desk"])
def test_pytest_hooks_of_a_conftest(pytester: pytest.Pytester, session: str, place: str) -> None:
    """Hooks of pytest in a conftest above a session see its items, named or collected."""
    write_clear(pytester.path / "desk" / "one.recon.json")
    (pytester.path / place / "conftest.py").write_text(
        "def pytest_runtest_setup(item):\n    print('SEEN', item.nodeid)\n"
    )
    result = run_pytest(pytester, session, "-s", "-k", "coverage", "--no-recon-gate")
    result.stdout.fnmatch_lines(["*SEEN desk/one.recon.json::session::coverage*"])


@WORKERS
def test_reconciled_with_hooks_beside(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    """What is told are the verdicts of the items, those of a conftest beside included."""
    write_session(pytester.path / "desk" / "one.recon.json", external_cash={"EUR": "4995.00"})
    monkeypatch.setenv("TOLD", str(pytester.path / "told.txt"))
    conftest(pytester, RECONCILED)
    beside = IMPORTS + RECOMPUTED_CASH.format(total="4995.00")
    (pytester.path / "desk" / "conftest.py").write_text(beside)
    result = run_pytest(pytester, *workers, "--recon-session=desk")
    assert result.ret == 0
    assert (pytester.path / "told.txt").read_text().startswith("one ['match'] ")


@WORKERS
def test_notification_of_a_conftest_beside(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    """A conftest beside a session is told of it."""
    write_clear(pytester.path / "desk" / "one.recon.json")
    monkeypatch.setenv("TOLD", str(pytester.path / "told.txt"))
    (pytester.path / "desk" / "conftest.py").write_text(IMPORTS + RECONCILED)
    assert run_pytest(pytester, *workers, "--recon-session=desk").ret == 0
    assert (pytester.path / "told.txt").read_text().startswith("one ['match'] ")
