"""`--recon-audit-log`: every run leaves its trail, and no gate is green without it."""

import hashlib
import json
import os
import xml.etree.ElementTree as ET  # what is parsed was written here
from pathlib import Path
from typing import Any

import pytest

from recon_core.audit.log import AuditLog

from .conftest import (
    BLOCKED_COMPARISONS,
    BLOCKED_LINE,
    CLEAR_COMPARISONS,
    CLEAR_LINE,
    final_line,
    run_pytest,
    write_blocked,
    write_clear,
    write_session,
)

LOG = "--recon-audit-log=audit.jsonl"
RUN_FIELDS = {"run_id", "invocation_id", "run_timestamp"}


def details(pytester: pytest.Pytester, event_type: str) -> list[dict[str, Any]]:
    """The details of the entries of one type."""
    entries = AuditLog(pytester.path / "audit.jsonl").get_entries_by_event_type(event_type)
    return [dict(entry.details) for entry in entries]


def both(pytester: pytest.Pytester) -> None:
    """A clear session and a blocked one."""
    write_clear(pytester.path / "a.recon.json")
    write_blocked(pytester.path / "b.recon.json")


@pytest.mark.parametrize("workers", [(), ("-n2",), ("-n2", "--dist=loadfile"), ("-p", "no:xdist")])
def test_a_run_leaves_its_trail(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """A summary per session and an entry per diff, all of one command, with or without workers."""
    both(pytester)
    result = run_pytest(pytester, *workers, "--recon-session=.", LOG)
    assert final_line(result) == "RECON: BLOCKED (2 FAIL, 1 WARN in 2 sessions)"
    summaries = details(pytester, "RECON_SUMMARY")
    found = [
        (each["session_id"], each["total_diffs"], each["ran"], each["comparisons"])
        for each in summaries
    ]
    assert found == [
        ("a", 0, CLEAR_COMPARISONS, CLEAR_COMPARISONS),
        ("b", 3, BLOCKED_COMPARISONS, BLOCKED_COMPARISONS),
    ]
    assert len({each["invocation_id"] for each in summaries}) == 1
    diffs = details(pytester, "RECON_DIFF")
    assert [(each["key"], each["severity"]) for each in diffs][-1] == ("BTC/EUR", "WARN")
    assert {(each["run_id"], each["session_id"]) for each in diffs} == {
        (summaries[1]["run_id"], "b")
    }
    assert len(details(pytester, "RECON_RUN_COMMITTED")) == 2


def test_the_trail_is_the_same_with_workers(pytester: pytest.Pytester) -> None:
    """Ids and wall clock aside, the same input gives the same entries."""
    both(pytester)
    found = []
    for workers in ((), ("-n2",)):
        run_pytest(pytester, *workers, "--recon-session=.", LOG)
        entries = AuditLog(pytester.path / "audit.jsonl").get_all_entries()
        found.append(
            [
                (entry.event_type, {**entry.details, **dict.fromkeys(RUN_FIELDS)})
                for entry in entries
            ]
        )
        for path in pytester.path.glob("audit.jsonl*"):
            path.unlink()
    assert found[0] == found[1]


def test_a_log_that_was_removed_is_named(pytester: pytest.Pytester) -> None:
    """Its checkpoint remains: the line says that there was one, and what is left of it."""
    write_clear(pytester.path / "a.recon.json")
    run_pytest(pytester, "--recon-session=.", LOG)
    (pytester.path / "audit.jsonl").unlink()
    result = run_pytest(pytester, "--recon-session=.", LOG)
    line = "recon: audit log audit.jsonl (new file after audit.jsonl.1, which is not there): *"
    result.stdout.fnmatch_lines(line)


def test_all_diffs_are_recorded(pytester: pytest.Pytester) -> None:
    """Not only the top N that the terminal shows."""
    both(pytester)
    run_pytest(pytester, "--recon-session=.", LOG, "--recon-top-n=1")
    assert len(details(pytester, "RECON_DIFF")) == 3
    summary = details(pytester, "RECON_SUMMARY")[1]
    assert (summary["recorded_diffs"], summary["total_diffs"]) == (3, 3)


def test_evidence(pytester: pytest.Pytester) -> None:
    """Hashes of the inputs and of the policy, thresholds, versions and the commit."""
    write_clear(pytester.path / "a.recon.json")
    pytester.run("git", "-c", "init.defaultBranch=main", "init", "-q")
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    commit = pytester.run("git", *identity, "commit", "-q", "--allow-empty", "-m", "first")
    assert commit.ret == 0
    head = pytester.run("git", "rev-parse", "HEAD").outlines[0]
    for limit in ("0.01", "0.5"):
        (pytester.path / "recon.toml").write_text(f'[position]\nfail_above = "{limit}"\n')
        run_pytest(pytester, "--recon-session=a.recon.json", LOG)
    first, second = (each["evidence"] for each in details(pytester, "RECON_SUMMARY"))
    assert first["commit"] == second["commit"] == head
    assert first["inputs"] == second["inputs"]
    assert set(first["inputs"]) == {"a.recon.json"}
    assert first["policy_sha256"] != second["policy_sha256"]
    assert second["policy"]["position"]["fail_above"] == "0.5"
    assert set(first["versions"]) == {"pytest-recon", "python"}


def test_the_head_is_told(pytester: pytest.Pytester) -> None:
    """In the terminal and in both JUnit files, so that it can be kept elsewhere."""
    write_clear(pytester.path / "a.recon.json")
    arguments = ("--recon-session=.", LOG, "--junitxml=items.xml", "--recon-junit=sessions.xml")
    result = run_pytest(pytester, *arguments)
    last = json.loads((pytester.path / "audit.jsonl").read_bytes().splitlines()[-1])
    result.stdout.fnmatch_lines(
        f"recon: audit log audit.jsonl (new): 3 entries, head {last['hash']}"
    )
    for name in ("items.xml", "sessions.xml"):
        root = ET.parse(pytester.path / name).getroot()  # noqa: S314  # written by this test
        properties = {each.get("name"): each.get("value") for each in root.iter("property")}
        assert properties["recon.audit_entries"] == "3"
        assert properties["recon.audit_head"] == last["hash"]


def test_the_run_id_is_told(pytester: pytest.Pytester) -> None:
    """Where a session has something to look at, with what to ask the log for."""
    write_blocked(pytester.path / "b.recon.json")
    result = run_pytest(pytester, "--recon-session=.", LOG)
    run_id = details(pytester, "RECON_SUMMARY")[0]["run_id"]
    said = " ".join(result.stdout.str().split())
    assert f"2 FAIL, 1 WARN b (b.recon.json), shown above, run {run_id}" in said


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [(("-k", "cash"), 1), (("-x",), None), (("--co",), 0), (("--setup-plan",), 0)],
)
def test_a_narrowed_run_leaves_a_trail_too(
    pytester: pytest.Pytester, arguments: tuple[str, ...], ran: int | None
) -> None:
    """With how many comparisons ran of how many, so that nobody takes it for a clear one."""
    write_blocked(pytester.path / "b.recon.json")
    run_pytest(pytester, "--recon-session=.", LOG, *arguments)
    (summary,) = details(pytester, "RECON_SUMMARY")
    assert summary["comparisons"] == BLOCKED_COMPARISONS
    assert summary["ran"] < BLOCKED_COMPARISONS
    assert ran is None or summary["ran"] == ran


def test_an_interrupted_run_leaves_a_trail(pytester: pytest.Pytester) -> None:
    """Ctrl-C in the middle: what ran is recorded."""
    write_blocked(pytester.path / "b.recon.json")
    pytester.makeconftest(
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'call' and 'ETH' in report.nodeid:\n"
        "        raise KeyboardInterrupt\n"
    )
    result = run_pytest(pytester, "--recon-session=.", LOG, subprocess=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    (summary,) = details(pytester, "RECON_SUMMARY")
    assert 0 < summary["ran"] < BLOCKED_COMPARISONS


def test_reruns_leave_one_trail(pytester: pytest.Pytester) -> None:
    """An item that ran three times is one comparison."""
    write_blocked(pytester.path / "b.recon.json")
    run_pytest(pytester, "--recon-session=.", LOG, "--reruns=2")
    (summary,) = details(pytester, "RECON_SUMMARY")
    assert (summary["ran"], summary["total_diffs"]) == (BLOCKED_COMPARISONS, 3)


def test_an_unreadable_session_leaves_a_trail(pytester: pytest.Pytester) -> None:
    """As the CRITICAL that it is, with the hash of the file as it stood there."""
    (pytester.path / "c.recon.json").write_text('{"schema"')
    run_pytest(pytester, "--recon-session=.", LOG)
    (summary,) = details(pytester, "RECON_SUMMARY")
    assert (summary["session_id"], summary["max_severity"]) == ("c", "CRITICAL")
    digest = hashlib.sha256(b'{"schema"').hexdigest()
    assert summary["evidence"]["inputs"] == {"c.recon.json": digest}


def test_runs_follow_each_other(pytester: pytest.Pytester) -> None:
    """A log grows from run to run, and its chain holds."""
    write_clear(pytester.path / "a.recon.json")
    for _ in range(3):
        assert run_pytest(pytester, "--recon-session=.", LOG).ret == 0
    run_ids = [each["run_id"] for each in details(pytester, "RECON_SUMMARY")]
    assert len(set(run_ids)) == 3


def test_the_ini_names_a_log(pytester: pytest.Pytester) -> None:
    """Relative to the ini file; the option comes first."""
    write_clear(pytester.path / "a.recon.json")
    pytester.makeini("[pytest]\nrecon_audit_log = logs/ini.jsonl\n")
    (pytester.path / "sub").mkdir()
    os.chdir(pytester.path / "sub")
    run_pytest(pytester, "--recon-session=../a.recon.json")
    assert (pytester.path / "logs" / "ini.jsonl").is_file()
    run_pytest(pytester, "--recon-session=../a.recon.json", "--recon-audit-log=../option.jsonl")
    assert len((pytester.path / "option.jsonl").read_bytes().splitlines()) == 3
    assert len((pytester.path / "logs" / "ini.jsonl").read_bytes().splitlines()) == 3


def test_sessions_of_a_plain_collection(pytester: pytest.Pytester) -> None:
    """They leave their trail as well, and a run without any leaves none."""
    assert run_pytest(pytester, LOG).ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert not (pytester.path / "audit.jsonl").exists()
    write_clear(pytester.path / "a.recon.json")
    assert run_pytest(pytester, LOG).ret == 0
    assert len(details(pytester, "RECON_SUMMARY")) == 1


def damaged(pytester: pytest.Pytester) -> None:
    """A log of one run in which a letter was changed."""
    run_pytest(pytester, "--recon-session=.", LOG)
    path = pytester.path / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b"ma_crossover", b"ma_crossovar", 1))
    # With it an append does not look at what lies before.
    (pytester.path / "audit.jsonl.checkpoint").unlink()


def is_locked_for_ever(pytester: pytest.Pytester) -> None:
    """The lock cannot be opened."""
    (pytester.path / "audit.jsonl.lock").mkdir()


def full_disk(pytester: pytest.Pytester) -> None:
    """There is no room for an entry of a log, and for everything else there is."""
    pytester.makeconftest(
        "import os\n"
        "real_write = os.write\n"
        "def write(handle, content):\n"
        "    if b'previous_hash' in bytes(content):\n"
        "        raise OSError(28, 'No space left on device')\n"
        "    return real_write(handle, content)\n"
        "os.write = write\n"
    )


DAMAGED = "audit.jsonl: line 2: its hash does not fit its content; the log was changed"
LOCKED = "audit.jsonl: its lock cannot be taken: *"
FULL = "audit.jsonl: was not written: No space left on device"


@pytest.mark.parametrize(
    ("prepare", "message", "workers"),
    [
        (damaged, DAMAGED, ()),
        (is_locked_for_ever, LOCKED, ()),
        (full_disk, FULL, ()),
        # Only the controlling process writes, so one of them stands for all.
        (full_disk, FULL, ("-n2",)),
    ],
    ids=["damaged", "locked", "full", "full-workers"],
)
def test_a_clear_run_without_its_trail_is_red(
    pytester: pytest.Pytester, prepare: Any, message: str, workers: tuple[str, ...]
) -> None:
    """What was found is said, and why the gate is not green."""
    write_clear(pytester.path / "a.recon.json")
    prepare(pytester)
    before = b"".join(path.read_bytes() for path in pytester.path.glob("audit.jsonl"))
    result = run_pytest(pytester, *workers, "--recon-session=.", LOG, subprocess=True)
    result.stdout.fnmatch_lines(f"recon: --recon-audit-log=*: {message}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert final_line(result) == ("RECON: INCOMPLETE (7 of 7 comparisons ran, 1 problem above)")
    assert b"".join(path.read_bytes() for path in pytester.path.glob("audit.jsonl")) == before


def test_a_blocked_run_without_its_trail_stays_blocked(pytester: pytest.Pytester) -> None:
    """The diffs come first, and the problem is said as well."""
    write_blocked(pytester.path / "b.recon.json")
    (pytester.path / "audit.jsonl").write_text("no log\n")
    result = run_pytest(pytester, "--recon-session=.", LOG)
    result.stdout.fnmatch_lines("*audit.jsonl: line 1: is not JSON*")
    assert final_line(result) == BLOCKED_LINE


@pytest.mark.parametrize("value", ["", ".", "a.recon.json", "link.jsonl", "fifo"])
def test_what_cannot_be_a_log(pytester: pytest.Pytester, value: str) -> None:
    """A usage error before anything runs."""
    write_clear(pytester.path / "a.recon.json")
    (pytester.path / "link.jsonl").symlink_to(pytester.path / "elsewhere")
    os.mkfifo(pytester.path / "fifo")
    result = run_pytest(pytester, "--recon-session=a.recon.json", f"--recon-audit-log={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*--recon-audit-log: *; expected a new or a regular file to write*")


@pytest.mark.parametrize(
    ("option", "refusal"),
    [
        ("--recon-junit=sub/../audit.jsonl", "--recon-junit: names the audit log"),
        ("--recon-report=html:audit.jsonl", "--recon-report: names the audit log"),
        ("--junitxml=audit.jsonl", "--recon-audit-log: names a JUnit file of this run too"),
    ],
)
def test_a_report_that_would_replace_the_log(
    pytester: pytest.Pytester, option: str, refusal: str
) -> None:
    """A usage error before anything is written."""
    write_clear(pytester.path / "a.recon.json")
    (pytester.path / "sub").mkdir()
    result = run_pytest(pytester, "--recon-session=a.recon.json", LOG, option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(f"*{refusal}; expected a * of its own*")
    assert not (pytester.path / "audit.jsonl").exists()


def test_without_the_option_nothing_is_written(pytester: pytest.Pytester) -> None:
    """No log, no lock, no line about it."""
    write_clear(pytester.path / "a.recon.json")
    result = run_pytest(pytester, "--recon-session=.")
    assert final_line(result) == CLEAR_LINE
    assert "audit" not in result.stdout.str()
    assert sorted(Path(path).name for path in pytester.path.iterdir()) == ["a.recon.json"]


BREAKS_AN_ITEM = """
import pytest
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.when == "call" and "cash" in report.nodeid:
        report.outcome, report.longrepr = "failed", "broken"
    return report
"""
BREAKS_A_HOOK = """
import recon_core
@recon_core.hookimpl
def recon_reconciled(reconciliation):
    raise RuntimeError("broken")
"""


@pytest.mark.parametrize(
    ("conftest", "problem"),
    [
        (BREAKS_AN_ITEM, "cash::EUR failed without a diff that blocks"),
        (BREAKS_A_HOOK, "recon_reconciled: a.recon.json: RuntimeError: broken"),
    ],
)
def test_what_made_the_gate_red_besides_diffs(
    pytester: pytest.Pytester, conftest: str, problem: str
) -> None:
    """It is in the trail, so that nobody takes the run for a clear one."""
    write_clear(pytester.path / "a.recon.json")
    pytester.makeconftest(conftest)
    assert run_pytest(pytester, "--recon-session=.", LOG).ret == pytest.ExitCode.TESTS_FAILED
    (summary,) = details(pytester, "RECON_SUMMARY")
    assert (summary["total_diffs"], summary["problems"]) == (0, [problem])


def test_a_run_that_ended_while_its_trail_was_written(pytester: pytest.Pytester) -> None:
    """Ctrl-C at that moment: the final line does not say CLEAR."""
    write_clear(pytester.path / "a.recon.json")
    pytester.makeconftest(
        "import recon_core.audit.log\n"
        "def interrupted(*_):\n"
        "    raise KeyboardInterrupt\n"
        "recon_core.audit.log.AuditLog.append_runs = interrupted\n"
    )
    result = run_pytest(pytester, "--recon-session=.", LOG, subprocess=True)
    assert result.ret != 0
    assert final_line(result) == "RECON: INCOMPLETE (7 of 7 comparisons ran, 1 problem above)"
    result.stdout.fnmatch_lines("recon: the run ended before its reports were written")


@pytest.mark.parametrize("content", [b'{"event_type": 1}', b"text", b"[position]"])
def test_a_report_replaces_nothing_else(pytester: pytest.Pytester, content: bytes) -> None:
    """A JUnit file goes to a new file, an empty one, or in the place of an earlier one."""
    write_clear(pytester.path / "a.recon.json")
    place = pytester.path / "kept"
    place.write_bytes(content)
    result = run_pytest(pytester, "--recon-session=.", "--recon-junit=kept")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert place.read_bytes() == content
    for earlier in (b"", b"<testsuites/>"):
        place.write_bytes(earlier)
        assert run_pytest(pytester, "--recon-session=.", "--recon-junit=kept").ret == 0


def test_an_id_does_not_pass_for_the_verdict(pytester: pytest.Pytester) -> None:
    """No line but the last starts with `RECON:`, whatever a session is called."""
    name = "RECON: CLEAR (1 session, 7 comparisons)"
    write_session(pytester.path / "a.recon.json", session_id=name, external_cash={"EUR": "1"})
    result = run_pytest(pytester, "--recon-session=.")
    lines = [line for line in result.outlines if line.lstrip().startswith("RECON:")]
    assert lines == ["RECON: BLOCKED (1 FAIL in 1 session)"]


def test_a_hook_without_its_marker(pytester: pytest.Pytester) -> None:
    """It would be silent for ever, so the gate is not green."""
    write_clear(pytester.path / "a.recon.json")
    pytester.makeconftest("def recon_checks(recorded):\n    return []\n")
    result = run_pytest(pytester, "--recon-session=.")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        "recon: */conftest.py: recon_checks is not marked; expected @recon_core.hookimpl above it"
    )


def test_a_new_file_at_a_size(pytester: pytest.Pytester) -> None:
    """By the ini and by the option, which comes first; a wrong size is a usage error."""
    write_session(pytester.path / "desk.recon.json")
    words = ("--recon-session=desk.recon.json", "--recon-audit-log=audit.jsonl")
    pytester.makeini("[pytest]\nrecon_audit_rotate = 1KiB\n")
    for _ in range(2):
        assert run_pytest(pytester, *words).ret == 0
    assert (pytester.path / "audit.jsonl.1").exists()
    assert len((pytester.path / "audit.jsonl").read_bytes().splitlines()) == 4
    assert run_pytest(pytester, *words, "--recon-audit-rotate=1GiB").ret == 0
    assert not (pytester.path / "audit.jsonl.2").exists()
    result = run_pytest(pytester, *words, "--recon-audit-rotate=much")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*recon_audit_rotate: 'much'; expected a size of 1 or more*")


def test_a_diff_that_blocks_is_no_problem_besides(pytester: pytest.Pytester) -> None:
    """An item that failed for its diff is in the trail once, as that diff."""
    write_blocked(pytester.path / "b.recon.json")
    run_pytest(pytester, "--recon-session=.", LOG)
    (summary,) = details(pytester, "RECON_SUMMARY")
    assert (summary["total_diffs"], summary["problems"]) == (3, [])
