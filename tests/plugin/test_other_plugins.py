"""The terms of a comparison with plugins that run items again or stop them.

The plugins themselves are tried by the routes; here stand their options.
"""

import pytest

from .conftest import CLEAR_LINE, final_line, run_pytest, write_clear

PLUGIN = """
import pytest

def pytest_addoption(parser):
    parser.addoption("--retries", type=int)
    parser.addoption("--flake-finder", dest="flake_finder_enable", action="store_true")
    parser.addini("timeout", "seconds")

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    for item in list(items):
        if config.getoption("flake_finder_enable"):
            # As pytest-flakefinder does to an item without that attribute.
            if not getattr(item.function, "_pytest_duplicated", None):
                item._initrequest()
    marks = {str(mark.name) + str(mark.kwargs) for item in items for mark in item.iter_markers()}
    print("MARKS", sorted(marks))
"""
ONCE = "flaky{'reruns': 0, 'condition': False}"
CALL_ONLY = "timeout{'func_only': True}"


@pytest.mark.parametrize(
    ("words", "ini", "marks"),
    [
        ((), "", []),
        (("--reruns=2",), "", [ONCE]),
        (("--retries=2",), "", [ONCE]),
        ((), "timeout = 60", [CALL_ONLY]),
        (("--retries=2",), "timeout = 60", [ONCE, CALL_ONLY]),
        (("--retries=0", "--reruns=0"), "timeout = 0", [CALL_ONLY]),
        (("--flake-finder",), "", []),
    ],
)
def test_markers_of_a_comparison(
    pytester: pytest.Pytester, words: tuple[str, ...], ini: str, marks: list[str]
) -> None:
    """One where a plugin would run it again, one where it is timed, and none besides."""
    write_clear(pytester.path / "desk.recon.json")
    pytester.makeini(f"[pytest]\n{ini}\nmarkers =\n    flaky: again\n    timeout: seconds\n")
    pytester.makepyfile(again=PLUGIN)
    pytester.syspathinsert()
    result = run_pytest(pytester, "-s", "-p", "again", "--recon-session=desk.recon.json", *words)
    assert f"MARKS {marks}" in result.stdout.str()
    assert final_line(result) == CLEAR_LINE
