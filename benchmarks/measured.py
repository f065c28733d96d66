"""Shared parts of the benchmarks: a session of positions, and the CPU time of a process."""

import os
import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path


def session_of_positions(count: int, failures: int) -> dict[str, object]:
    """Return a session of `count` positions, of which the first `failures` are a FAIL."""
    internal = {f"SYM{number:06d}/EUR": "1.5" for number in range(count)}
    external = {
        symbol: "1.4" if number < failures else "1.5" for number, symbol in enumerate(internal)
    }
    time = "2026-01-01T12:00:00Z"
    return {
        "schema": "recon.session/1",
        "session_id": "benchmark",
        "internal": {"as_of": time, "positions": internal, "cash": {}},
        "external": {"as_of": time, "positions": external, "cash": {}},
    }


def cpu_seconds(command: Sequence[str], directory: Path, status: int) -> float:
    """Return the CPU seconds of a process and of its own, which must end with `status`."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTEST_ADDOPTS": ""}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, check=False, env=environment
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != status:
        shown = " ".join(command[1:])
        raise SystemExit(f"{shown}: ended {done.returncode}\n{done.stdout[-2000:]}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
