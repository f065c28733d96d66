"""Standard output and error that are closed, full or read by nobody."""

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from recon_core.audit.log import AuditLog
from tests.matrices import matrix
from tests.warm import warm_python

from .conftest import CLEAR_LINE, PLAIN, write_blocked, write_clear

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")

REASONS = {
    ">&-": "Bad file descriptor",
    ">/dev/full": "No space left on device",
    "": "Broken pipe",  # of which nobody reads
}


def redirected(
    directory: Path, *arguments: str, redirection: str
) -> subprocess.CompletedProcess[str]:
    """Run pytest whose standard output is a pipe that nobody reads, or is redirected."""
    reading, writing = os.pipe()
    os.close(reading)
    options = [*PLAIN, "-p", "no:cacheprovider"]
    command = shlex.join([warm_python(), "-m", "pytest", *options, *arguments])
    try:
        return subprocess.run(
            ["sh", "-c", f"{command} {redirection}"],
            cwd=directory,
            check=False,
            text=True,
            stdout=writing,
            stderr=subprocess.PIPE,
        )
    finally:
        os.close(writing)


@pytest.mark.parametrize(
    ("way", "write"),
    matrix(
        [*zip(REASONS, [(), ("-n1",), ("-q", "-s")], strict=True)], [write_clear, write_blocked]
    ),
)
def test_output_that_is_not_taken_is_one_line(
    tmp_path: Path, way: tuple[str, tuple[str, ...]], write: Callable[[Path], Path]
) -> None:
    """A clear run ends with 1; its reports and its trail are written as ever."""
    redirection, arguments = way
    (tmp_path / "pytest.ini").write_text("")
    write(tmp_path / "s.recon.json")
    options = ["--recon-audit-log=log.jsonl", "--recon-junit=recon.xml", *arguments]
    result = redirected(tmp_path, "--recon-session=.", *options, redirection=redirection)
    assert result.returncode == 1
    assert result.stderr == f"recon: output cannot be written: {REASONS[redirection]}\n"
    assert "<testsuite" in (tmp_path / "recon.xml").read_text(encoding="utf-8")
    log = AuditLog(tmp_path / "log.jsonl")
    (summary,) = log.get_entries_by_event_type("RECON_SUMMARY")
    assert not summary.details["problems"]


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_standard_error_is_missed_where_it_is_written_to(tmp_path: Path, redirection: str) -> None:
    """A clear run says nothing there; a usage error is never 0."""
    (tmp_path / "pytest.ini").write_text("")
    write_clear(tmp_path / "s.recon.json")
    clear = redirected(tmp_path, "--recon-session=.", redirection=f">out {redirection}")
    assert clear.returncode == 0
    assert CLEAR_LINE in (tmp_path / "out").read_text(encoding="utf-8")
    assert redirected(tmp_path, "--recon-session=gone", redirection=redirection).returncode != 0


def test_a_remark_that_is_not_taken_is_not_0(tmp_path: Path) -> None:
    """Whoever writes to standard error under the gate had something to say."""
    (tmp_path / "pytest.ini").write_text("")
    write_clear(tmp_path / "s.recon.json")
    (tmp_path / "conftest.py").write_text(
        "import sys\n\ndef pytest_unconfigure():\n    sys.stderr.write('careful')\n"
    )
    for redirection, status in {"2>err": 0, "2>/dev/full": 1}.items():
        result = redirected(tmp_path, "--recon-session=.", redirection=f">out {redirection}")
        assert result.returncode == status
