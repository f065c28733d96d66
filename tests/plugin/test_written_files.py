"""What pytest itself writes under the gate: links, missing and closed directories, full disks."""

import sys
from pathlib import Path

import pytest

from .conftest import final_line, run_pytest

CLOSED = Path("/sys")
"""A directory in which nobody may make a file, root included."""

SMALL_DISK = """
import resource

LIMITS = resource.getrlimit(resource.RLIMIT_FSIZE)

def pytest_sessionstart():
    resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, LIMITS[1]))

def pytest_unconfigure():
    resource.setrlimit(resource.RLIMIT_FSIZE, LIMITS)
"""
"""A conftest under which no file grows beyond `room` bytes while the run lasts."""

OPTIONS = pytest.mark.parametrize("option", ["--recon-junit", "--recon-audit-log"])


def run(pytester: pytest.Pytester, option: str, target: Path | str) -> pytest.RunResult:
    """Run the gate on a clear session, with one file to write."""
    return run_pytest(pytester, "--recon-session=clear.recon.json", "-q", f"{option}={target}")


def is_incomplete(result: pytest.RunResult, name: str) -> None:
    """The run ended with 1 and one line that names the file."""
    assert result.ret == 1
    problems = [line for line in result.outlines if line.startswith("recon: ") and name in line]
    assert len(problems) == 1
    assert final_line(result).startswith("RECON: INCOMPLETE (7 of 7 comparisons ran")


@OPTIONS
@pytest.mark.usefixtures("clear_session")
def test_a_link_is_never_written_through(pytester: pytest.Pytester, option: str) -> None:
    """It is refused before anything runs."""
    own = pytester.path / "own"
    own.write_text("mine")
    (pytester.path / "link").symlink_to(own)
    assert run(pytester, option, "link").ret == pytest.ExitCode.USAGE_ERROR
    assert own.read_text() == "mine"


@OPTIONS
@pytest.mark.usefixtures("clear_session")
def test_a_missing_directory_is_made(pytester: pytest.Pytester, option: str) -> None:
    """A report of a first run has none yet."""
    assert run(pytester, option, "new/er/file").ret == 0
    assert (pytester.path / "new" / "er" / "file").stat().st_size


@OPTIONS
@pytest.mark.skipif(not CLOSED.is_dir(), reason="a directory of Linux")
@pytest.mark.usefixtures("clear_session")
def test_a_directory_that_takes_no_file(pytester: pytest.Pytester, option: str) -> None:
    """The run is not complete without its report."""
    is_incomplete(run(pytester, option, CLOSED / "recon.out"), "recon.out")


@OPTIONS
@pytest.mark.skipif(sys.platform != "linux", reason="a limit of Linux")
@pytest.mark.usefixtures("clear_session")
def test_a_full_disk_leaves_the_old_file(pytester: pytest.Pytester, option: str) -> None:
    """A log keeps its entries; a report that cannot be replaced is whole."""
    assert run(pytester, option, "recon.out").ret == 0
    target = pytester.path / "recon.out"
    before, files = target.read_bytes(), {*pytester.path.iterdir(), pytester.path / "__pycache__"}
    room = 100 if option == "--recon-junit" else len(before) + 100
    pytester.makeconftest(SMALL_DISK.format(room=room))
    files.add(pytester.path / "conftest.py")
    result = run(pytester, option, "recon.out")
    is_incomplete(result, "recon.out")
    assert set(pytester.path.iterdir()) <= files
    if option == "--recon-audit-log":
        assert target.read_bytes() == before
