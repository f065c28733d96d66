"""The quick lane: what is in it, and what is not."""

import pytest

from tests.quick import MOST, TRIALS, QuickLane

SUITE = """
    import subprocess, sys
    import pytest

    @pytest.mark.parametrize("number", range(100))
    def test_of_a_table(number):
        print("row", number)

    def test_that_starts_a_process():
        subprocess.run([sys.executable, "-c", "0"])

    def test_that_asks_git():
        subprocess.run(["git", "--version"])

    def test_that_hides_its_failures():
        try:
            subprocess.run([sys.executable, "-c", "0"])
        except Exception:
            pass

    def test_that_runs_pytest(pytester):
        pass
"""


def test_what_a_test_does_decides(pytester: pytest.Pytester) -> None:
    """Rows of a table are sampled, processes are refused, tests of pytest are left out."""
    pytester.makepyfile(SUITE)
    result = pytester.inline_run("-p", "pytester", plugins=[QuickLane()])
    result.assertoutcome(passed=MOST + 1, skipped=2)


def test_rows_are_spread(pytester: pytest.Pytester) -> None:
    """The first row is run, and others from the whole of the table."""
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_inprocess(
        "-s", "-k", "table", "-p", "no:randomly", plugins=[QuickLane()]
    )
    rows = [int(line.split()[-1]) for line in result.outlines if "row " in line]
    assert rows[0] == 0
    assert max(rows) >= 100 - 100 / MOST - 1


def test_trials_are_left_out(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new one is recognised by its directory, without any mark."""
    trials = sorted(map(str, TRIALS.glob("test_*.py")))
    assert trials
    monkeypatch.setenv("RECON_TEST_SIZE", "quick")
    result = pytester.runpytest_subprocess("--collect-only", "-q", *trials)
    assert result.parseoutcomes().keys() == {"deselected"}
