"""The quick lane: what is in it, and what is not."""

from pathlib import Path

import pytest

from tests.quick import MOST, QuickLane, is_command

TESTS = Path(__file__).parents[1]

SUITE = """
    import multiprocessing, subprocess, sys
    import pytest

    @pytest.mark.parametrize("number", range(100))
    def test_of_a_table(number):
        print("row", number)

    def test_that_starts_a_process():
        subprocess.run([sys.executable, "-c", "0"])

    def test_that_starts_a_new_interpreter():
        multiprocessing.get_context("spawn").Process(target=print).start()

    def test_that_asks_git():
        subprocess.run(["git", "--version"])

    def test_that_hides_its_failures():
        try:
            subprocess.run([sys.executable, "-c", "0"])
        except Exception:
            pass

    def test_that_runs_pytest(pytester):
        pass

    @pytest.mark.large
    def test_of_many_rows():
        pass
"""


def test_what_a_test_does_decides(pytester: pytest.Pytester) -> None:
    """Rows of a table are sampled, processes refused, tests of pytest and of many rows left out."""
    pytester.makepyfile(SUITE)
    pytester.makeini("[pytest]\nmarkers = large")
    result = pytester.inline_run("-p", "pytester", plugins=[QuickLane()])
    result.assertoutcome(passed=MOST + 1, skipped=3)


def test_rows_are_spread(pytester: pytest.Pytester) -> None:
    """The first row is run, and others from the whole of the table."""
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_inprocess(
        "-s", "-k", "table", "-p", "no:randomly", plugins=[QuickLane()]
    )
    rows = [int(line.split()[-1]) for line in result.outlines if "row " in line]
    assert rows[0] == 0
    assert max(rows) >= 100 - 100 / MOST - 1


def test_the_tests_of_commands_are_left_out(pytester: pytest.Pytester) -> None:
    """A new one is recognised by its `__main__.py`, without any mark, and is not imported."""
    trials = pytester.mkpydir("trials")
    (trials / "__main__.py").touch()
    (trials / "test_trials.py").write_text("raise SystemExit", encoding="utf-8")
    pytester.makepyfile("def test_of_a_rule(): pass")
    result = pytester.inline_run(plugins=[QuickLane()])
    result.assertoutcome(passed=1)


def test_the_trials_are_a_command() -> None:
    """So are the mutation tests, the fuzzer and the examination; the tests of rooms are not."""
    commands = {path.name for path in TESTS.iterdir() if is_command(path)}
    assert commands == {"examination", "fuzz", "mutation", "trials"}
