"""Limits on an input under pytest: option, setting, workers, and one run after the other."""

import pytest

from recon_core.values.limits import changed_limits

from .conftest import CLEAR_LINE, final_line, run_pytest, write_clear

SESSION = "--recon-session=s.recon.json"
LOW = "json_bytes = 300"


@pytest.fixture
def long(pytester: pytest.Pytester) -> None:
    """A session of more bytes than a lowered limit allows."""
    write_clear(pytester.path / "s.recon.json")


@pytest.mark.usefixtures("long")
@pytest.mark.parametrize(
    ("ini", "options", "status"),
    [
        ("", (), 0),
        (LOW, (), 1),
        ("", ("--recon-limit=json_bytes=300",), 1),
        (LOW, ("--recon-limit=json_bytes=3000",), 0),
        (LOW, ("--recon-limit", "toml_dots=5", "--recon-limit", "json_bytes=3000"), 0),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["one process", "a worker"])
def test_the_option_holds_over_the_setting(
    pytester: pytest.Pytester, ini: str, options: tuple[str, ...], workers: tuple[str], status: int
) -> None:
    """The controlling process and its workers read under the same limits."""
    pytester.makeini(f"[pytest]\nrecon_limits =\n    {ini}\n")
    result = run_pytest(pytester, SESSION, "-q", *options, *workers)
    assert result.ret == status
    text = " ".join(result.stdout.str().split())
    assert (" bytes; expected at most 300" in text) is bool(status)
    assert ("recon: limits " in text) is bool(ini or options)


def test_a_run_leaves_no_limit_behind(pytester: pytest.Pytester) -> None:
    """Two runs in one process: the second has its own limits, and the process none."""
    write_clear(pytester.path / "s.recon.json")
    first = pytester.runpytest_inprocess(SESSION, "--recon-limit=json_bytes=10")
    assert first.ret == 1
    assert changed_limits() == {}
    second = pytester.runpytest_inprocess(SESSION)
    assert second.ret == 0
    assert final_line(second) == CLEAR_LINE
    assert "recon: limits" not in second.stdout.str()


@pytest.mark.parametrize(
    ("ini", "option", "message"),
    [
        ("", "json_byte=1", "--recon-limit: 'json_byte' is no limit; did you mean json_bytes?"),
        ("json_byte = 1", "json_bytes=1", "recon_limits: 'json_byte' is no limit; did you mean*"),
        ("", "json_bytes=x", "--recon-limit: json_bytes: 'x'; expected a whole number above 0"),
    ],
)
def test_a_limit_of_no_use_is_wrong_usage(
    pytester: pytest.Pytester, ini: str, option: str, message: str
) -> None:
    """One line, before anything runs."""
    write_clear(pytester.path / "s.recon.json")
    pytester.makeini(f"[pytest]\nrecon_limits =\n    {ini}\n")
    result = run_pytest(pytester, SESSION, f"--recon-limit={option}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
