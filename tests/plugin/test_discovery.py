"""Which files become sessions, by what name, and what hostile names and files do."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.matrices import matrix

from .conftest import (
    CLEAR_COMPARISONS,
    CLEAR_LINE,
    REPORTS_CONFTEST,
    also_on_workers,
    final_line,
    read_reports,
    run_pytest,
    write_clear,
    write_session,
)

RECORDING = Path(__file__).parents[2] / "examples" / "nautilus" / "recording"


@pytest.fixture
def tree(pytester: pytest.Pytester) -> Path:
    """A directory with three sessions in it, and files and directories that are none.

    Of `recorded`, `deep/recorded` and a nautilus recording in `deep/run`.
    """
    root = pytester.path / "sessions"
    write_clear(root / "one.recon.json")
    write_clear(root / "deep" / "er" / "two.recon.json")
    shutil.copytree(RECORDING, root / "deep" / "run")
    write_clear(root / ".hidden" / "hidden.recon.json")
    (root / "notes.json").write_text("{}")
    (root / "recon.json").write_text("{}")
    return root


ONE = "sessions/one.recon.json"
TWO = "sessions/deep/er/two.recon.json"
RUN = "sessions/deep/run/meta.json"


def sessions_of(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    """Run pytest and return the anchors of the sessions that ran, sorted."""
    pytester.makeconftest(REPORTS_CONFTEST)
    result = run_pytest(pytester, *arguments)
    assert result.ret == 0
    return sorted({node_id.split("::")[0] for node_id in read_reports(pytester)})


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([ONE], [ONE]),
        ([f"./{ONE}"], [ONE]),
        (["sessions/deep/../one.recon.json"], [ONE]),
        (["sessions"], [RUN, TWO, ONE]),
        (["sessions/"], [RUN, TWO, ONE]),
        (["sessions/deep"], [RUN, TWO]),
        (["sessions/deep/run"], [RUN]),
        ([RUN], [RUN]),
        (["sessions/*.recon.json"], [ONE]),
        (["sessions/**/*.recon.json"], [TWO, ONE]),
        (["**/*.recon.json"], [TWO, ONE]),
        (["sessions/**/meta.json"], [RUN]),
        (["sessions/deep/*"], [RUN, TWO]),
        (["sessions/[a-z]ne.recon.json"], [ONE]),
        (["sessions/?ne.recon.json"], [ONE]),
        ([ONE, TWO], [TWO, ONE]),
        ([TWO, ONE], [TWO, ONE]),
        (["sessions/.hidden/hidden.recon.json"], ["sessions/.hidden/hidden.recon.json"]),
    ],
)
@pytest.mark.usefixtures("tree")
def test_names(pytester: pytest.Pytester, names: list[str], found: list[str]) -> None:
    """A name is a file, a directory that is searched, or a pattern; and it is repeatable."""
    assert sessions_of(pytester, *(f"--recon-session={name}" for name in names)) == sorted(found)


def test_absolute_pattern(pytester: pytest.Pytester, tree: Path) -> None:
    """A pattern may be absolute."""
    assert sessions_of(pytester, f"--recon-session={tree}/**/*.recon.json") == [TWO, ONE]


def test_pattern_that_leads_up(
    pytester: pytest.Pytester, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Conftest hooks hold for a session whose pattern leads up and down again."""
    pytester.makeini("[pytest]\n")
    pytester.makeconftest(REPORTS_CONFTEST)
    monkeypatch.chdir(tree / "deep")
    assert run_pytest(pytester, "--recon-session=../on*.recon.json").ret == 0
    assert {node_id.split("::")[0] for node_id in read_reports(pytester)} == {ONE}


@pytest.mark.parametrize(
    ("names", "workers"),
    also_on_workers(
        [
            [ONE, ONE],
            [ONE, f"sessions/../{ONE}"],
            [ONE, "sessions/*.recon.json"],
            ["sessions/*.recon.json", "sessions/o*"],
            [ONE, "{absolute}"],
            ["link.recon.json", ONE],
            ["linked/one.recon.json", ONE],
        ]
    ),
    ids=str,
)
def test_session_reached_twice(
    pytester: pytest.Pytester, tree: Path, names: list[str], workers: tuple[str, ...]
) -> None:
    """A file that is reached in two ways is one session, and its items run once."""
    (pytester.path / "link.recon.json").symlink_to(tree / "one.recon.json")
    (pytester.path / "linked").symlink_to(tree)
    named = [f"--recon-session={name.format(absolute=tree / 'one.recon.json')}" for name in names]
    result = run_pytest(pytester, *workers, *named)
    result.assert_outcomes(passed=CLEAR_COMPARISONS)
    assert final_line(result) == CLEAR_LINE


@pytest.mark.parametrize(
    ("arguments", "workers"),
    also_on_workers(
        [
            (ONE, f"--recon-session={ONE}"),
            ("sessions", "--recon-session=sessions/one.recon.json"),
            ("sessions", "--recon-session=sessions/*.recon.json"),
            (".", "--recon-session=sessions"),
        ]
    ),
    ids=str,
)
def test_session_named_and_collected(
    pytester: pytest.Pytester, arguments: tuple[str, ...], workers: tuple[str, ...]
) -> None:
    """A session that is collected besides being named is one session, and runs once."""
    write_clear(pytester.path / ONE)
    result = run_pytest(pytester, *workers, *arguments)
    result.assert_outcomes(passed=CLEAR_COMPARISONS)
    assert final_line(result) == CLEAR_LINE


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["here", "workers"])
def test_session_and_a_part_of_it_collected(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    """A file and a part of it are the file; pytest 8 runs the part, and the gate says so."""
    write_clear(pytester.path / ONE)
    result = run_pytest(pytester, *workers, ONE, f"{ONE}::cash", f"--recon-session={ONE}")
    if pytest.version_tuple >= (9,):
        result.assert_outcomes(passed=CLEAR_COMPARISONS)
        assert final_line(result) == CLEAR_LINE
    else:
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        assert final_line(result) == f"RECON: INCOMPLETE (1 of {CLEAR_COMPARISONS} comparisons ran)"


@pytest.mark.parametrize(
    "arguments",
    [
        ("link.recon.json", f"--recon-session={ONE}"),
        (ONE, "--recon-session=link.recon.json"),
        ("link.recon.json", ONE),
        (".", f"--recon-session={ONE}"),
    ],
)
def test_session_named_and_collected_by_a_link(
    pytester: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    """The same by a symbolic link: one file is one session."""
    write_clear(pytester.path / ONE)
    (pytester.path / "link.recon.json").symlink_to(pytester.path / ONE)
    result = run_pytest(pytester, *arguments)
    assert result.ret == 0
    assert final_line(result) == CLEAR_LINE


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("sessions",), [TWO, ONE]),
        ((), [TWO, ONE]),
        (("sessions/deep",), [TWO]),
        (("sessions/deep/run",), []),
        ((ONE,), [ONE]),
        ((RUN,), [RUN]),
        ((f"{RUN}::position",), [RUN]),
        ((f"{ONE}::position::BTC/EUR", f"{TWO}::cash::EUR"), [TWO, ONE]),
    ],
)
@pytest.mark.usefixtures("tree")
def test_plain_collection(
    pytester: pytest.Pytester, arguments: tuple[str, ...], found: list[str]
) -> None:
    """Plain pytest collects `*.recon.json`, and the anchor of a recording that is named."""
    pytester.makepyfile(test_project="def test_passes(): pass")
    pytester.makeconftest(REPORTS_CONFTEST)
    run_pytest(pytester, *arguments)
    paths = {node_id.split("::")[0] for node_id in read_reports(pytester)} - {"test_project.py"}
    assert sorted(paths) == found


@pytest.mark.parametrize(
    "key",
    [
        "position",
        "position::BTCUSDT.BINANCE",
        "cash::USDT",
        "session::coverage",
    ],
)
@pytest.mark.usefixtures("tree")
def test_node_id_of_a_recording(pytester: pytest.Pytester, key: str) -> None:
    """A part of a foreign recording is named by its anchor file."""
    result = run_pytest(pytester, f"{RUN}::{key}", "-v")
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"{RUN}::{key}* PASSED *"])
    passed = result.parseoutcomes()["passed"]
    assert passed == 1


def test_unknown_node_id(pytester: pytest.Pytester, clear_session: Path) -> None:
    """An item that a session does not have is pytest's usage error."""
    result = run_pytest(pytester, f"{clear_session.name}::position::DOGE/EUR")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_directory_of_one_session(pytester: pytest.Pytester) -> None:
    """A directory with `session.recon.json` in it is a session too."""
    write_clear(pytester.path / "run" / "session.recon.json")
    assert sessions_of(pytester, "--recon-session=run") == ["run/session.recon.json"]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["meta.json"], '{"engine": "nautilus_tr'),
        (["1700000001.json", "1700000001-order-events.json"], '{"rollingW'),
        (["backtest-result.json"], '{"strat'),
        (["backtest-result-x.zip"], "PK"),
        (["tradesv3.sqlite"], "SQLite f"),
    ],
    ids=["nautilus", "lean", "freqtrade JSON", "freqtrade zip", "freqtrade bot"],
)
def test_damaged_recording_is_seen(
    pytester: pytest.Pytester, tree: Path, names: list[str], text: str
) -> None:
    """A recording whose anchor is damaged is CRITICAL and not passed over."""
    if names != ["meta.json"]:
        shutil.rmtree(tree / "deep" / "run")
        (tree / "deep" / "run").mkdir()
    for name in names:
        (tree / "deep" / "run" / name).write_text(text)
    result = run_pytest(pytester, "--recon-session=sessions")
    result.assert_outcomes(passed=2 * CLEAR_COMPARISONS, failed=1)
    assert final_line(result) == "RECON: BLOCKED (1 CRITICAL in 3 sessions)"


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _directory(path: Path) -> None:
    path.mkdir()
    (path / "note.txt").touch()


def _unreadable_bytes(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


HOSTILE_FILES: dict[str, Callable[[Path], None]] = {
    "pipe": _pipe,
    "dangling": _dangling,
    "loop": _loop,
    "bytes": _unreadable_bytes,
}


@pytest.mark.parametrize(
    ("by", "hostile"), matrix(["directory", "name", "pattern"], [*HOSTILE_FILES])
)
def test_what_is_no_file(pytester: pytest.Pytester, by: str, hostile: str) -> None:
    """What cannot be read is CRITICAL, nothing hangs, and the good session still runs."""
    name = f"{hostile}.recon.json"
    folder = pytester.mkdir("desk")
    write_clear(folder / "clear.recon.json")
    HOSTILE_FILES[hostile](folder / name)
    given = {"directory": ["desk"], "pattern": ["desk/*.recon.json"]}
    names = given.get(by, [f"desk/{name}", "desk/clear.recon.json"])
    result = run_pytest(pytester, *(f"--recon-session={it}" for it in names), subprocess=True)
    result.assert_outcomes(passed=CLEAR_COMPARISONS, failed=1)
    assert result.ret == 1
    assert final_line(result) == "RECON: BLOCKED (1 CRITICAL in 2 sessions)"
    result.stdout.fnmatch_lines([f"CRITICAL  session readable  {name}: *"])


def test_directory_named_as_a_session(pytester: pytest.Pytester) -> None:
    """A directory is searched, whatever it is called."""
    write_clear(pytester.path / "odd.recon.json" / "clear.recon.json")
    assert sessions_of(pytester, "--recon-session=odd.recon.json") == [
        "odd.recon.json/clear.recon.json"
    ]


HOSTILE_NAMES = [
    ("a[b].recon.json", "a%5Bb%5D.recon.json"),
    ("a::b.recon.json", "a%3A%3Ab.recon.json"),
    ("a\nb.recon.json", "a%0Ab.recon.json"),
    ("a b.recon.json", "a%20b.recon.json"),
    ("a@b.recon.json", "a%40b.recon.json"),
    ("a,b.recon.json", "a%2Cb.recon.json"),
    ("a%41b.recon.json", "a%2541b.recon.json"),
    ("\x1b[31mred.recon.json", "%1B%5B31mred.recon.json"),
    ("a\u202eb.recon.json", "a%E2%80%AEb.recon.json"),
    ("a\udcffb.recon.json", "a%ED%B3%BFb.recon.json"),
    ("::error file=x::a.recon.json", "%3A%3Aerror%20file=x%3A%3Aa.recon.json"),
    ("##[error]a.recon.json", "##%5Berror%5Da.recon.json"),
    ("-x.recon.json", "-x.recon.json"),
    ("*.recon.json", "*.recon.json"),
    ("ä.recon.json", "%C3%A4.recon.json"),
]


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["here", "workers"])
def test_hostile_names(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """Sessions with such names run beside others, and no raw name is ever printed."""
    for name, _ in HOSTILE_NAMES:
        write_session(pytester.path / "desk" / name, session_id="desk")
    pytester.makeconftest(REPORTS_CONFTEST)
    result = run_pytest(pytester, *workers, "--recon-session=desk", "-v", "--junitxml=junit.xml")
    result.assert_outcomes(passed=CLEAR_COMPARISONS * len(HOSTILE_NAMES))
    assert result.ret == 0
    found = {node_id.split("::")[0] for node_id in read_reports(pytester)}
    assert found == {f"desk/{encoded}" for _, encoded in HOSTILE_NAMES}
    check_safe(result)


@pytest.mark.parametrize(("name", "encoded"), HOSTILE_NAMES, ids=[it for _, it in HOSTILE_NAMES])
def test_hostile_name(pytester: pytest.Pytester, name: str, encoded: str) -> None:
    """Named on the command line and unreadable, it is shown safely beside a good session."""
    desk = pytester.mkdir("desk")
    (desk / name).write_text("{")
    write_clear(desk / "clear.recon.json")
    names = [f"--recon-session=desk/{name}", "--recon-session=desk/clear.recon.json"]
    result = run_pytest(pytester, *names, "-vv", "-rA")
    result.assert_outcomes(passed=CLEAR_COMPARISONS, failed=1)
    assert final_line(result) == "RECON: BLOCKED (1 CRITICAL in 2 sessions)"
    assert f"desk/{encoded}::session::readable FAILED" in result.stdout.str()
    check_safe(result)


@pytest.mark.parametrize(("name", "encoded"), HOSTILE_NAMES, ids=[it for _, it in HOSTILE_NAMES])
def test_hostile_name_in_plain_collection(
    pytester: pytest.Pytester, name: str, encoded: str
) -> None:
    """The same for a session that pytest finds by itself in a directory."""
    desk = pytester.mkdir("desk")
    (desk / name).write_text("{")
    write_clear(desk / "clear.recon.json")
    result = run_pytest(pytester, "desk", "--recon-gate", "-v")
    result.assert_outcomes(passed=CLEAR_COMPARISONS, failed=1)
    assert f"desk/{encoded}::session::readable FAILED" in result.stdout.str()
    assert final_line(result) == "RECON: BLOCKED (1 CRITICAL in 2 sessions)"
    check_safe(result)


@pytest.mark.parametrize(("name", "encoded"), HOSTILE_NAMES, ids=[it for _, it in HOSTILE_NAMES])
def test_hostile_name_that_matches_nothing(
    pytester: pytest.Pytester, name: str, encoded: str
) -> None:
    """A name that matches nothing is shown safely too."""
    result = run_pytest(pytester, f"--recon-session=missing/{name}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert not encoded.isprintable() or "matches no recorded session" in result.stderr.str()
    assert len([line for line in result.errlines if line]) == 1
    check_safe(result)


def check_safe(result: pytest.RunResult) -> None:
    """No control or bidi character, no lone surrogate, no line that a CI runner obeys."""
    for line in result.outlines + result.errlines:
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_overlong_key(pytester: pytest.Pytester) -> None:
    """A key that is too long for a node id is cut, and two such keys stay apart."""
    symbols = {"X" * 300 + end: "1" for end in ("a", "b")}
    write_session(pytester.path / "long.recon.json", positions=symbols)
    pytester.makeconftest(REPORTS_CONFTEST)
    result = run_pytest(pytester, "--recon-session=long.recon.json")
    result.assert_outcomes(passed=7)
    keys = [it.split("::")[2] for it in read_reports(pytester) if "::position::" in it]
    assert len(set(keys)) == 2
    assert {len(key) for key in keys} == {200}


def test_symbols_in_node_ids(pytester: pytest.Pytester) -> None:
    """Symbols are percent-encoded where pytest would trip, and can be named so."""
    symbols = ["A[1]", "A::B", "A@B", "A B", "A%B", "A,B", "Ä", "A\nB", "A/B:C-1"]
    write_session(pytester.path / "odd.recon.json", positions=dict.fromkeys(symbols, "1"))
    pytester.makeconftest(REPORTS_CONFTEST)
    run_pytest(pytester, "--recon-session=odd.recon.json").assert_outcomes(passed=14)
    node_ids = [it for it in read_reports(pytester) if "::position::" in it]
    assert sorted(it.partition("::position::")[2] for it in node_ids) == sorted(
        ["A%5B1%5D", "A%3A%3AB", "A%40B", "A%20B", "A%25B", "A%2CB", "%C3%84", "A%0AB", "A/B:C-1"]
    )
    for node_id in node_ids:
        run_pytest(pytester, node_id).assert_outcomes(passed=1)
