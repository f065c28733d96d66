"""The exit status of a run."""

import pytest

from pytest_recon.run import ReconRun


def settled_status(run: ReconRun, status: int, session: pytest.Session | None = None) -> int:
    """The exit status of a run: a red gate turns 0 into 1 and leaves real errors alone."""
    if not run.gate.red:
        return status
    if status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return pytest.ExitCode.TESTS_FAILED
    # `--stepwise` and its like stop a run by themselves; Ctrl-C and a broken test
    # module keep their own status.
    stopped = session is not None and bool(session.shouldstop)
    if status == pytest.ExitCode.INTERRUPTED and stopped:
        return pytest.ExitCode.TESTS_FAILED
    return status
