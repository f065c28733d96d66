"""Shared parts of the benchmarks: a session of positions, and the use of a process."""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Step = Callable[[str, Callable[[], Any]], Any]
"""Takes a step by its name, and returns its result."""


def options_or_measure(
    parser: argparse.ArgumentParser, measure: Callable[[Path], dict[str, Any]]
) -> argparse.Namespace:
    """Return the options of a benchmark that measures in a process of its own.

    In that process, which is this command with `--measure PATH`, print the figures and end.
    """
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        raise SystemExit(0)
    return options


def steps(taken: dict[str, Any]) -> Step:
    """Return what takes a step, and writes its CPU seconds into `taken` by its name."""

    def step(name: str, action: Callable[[], Any]) -> Any:
        before = time.process_time()
        result = action()
        taken[name] = time.process_time() - before
        return result

    return step


def session_of_positions(count: int, failures: int) -> dict[str, object]:
    """Return a session of `count` positions, of which the first `failures` are a FAIL."""
    internal = {f"SYM{number:06d}/EUR": "1.5" for number in range(count)}
    external = {
        symbol: "1.4" if number < failures else "1.5" for number, symbol in enumerate(internal)
    }
    moment = "2026-01-01T12:00:00Z"
    return {
        "schema": "recon.session/1",
        "session_id": "benchmark",
        "internal": {"as_of": moment, "positions": internal, "cash": {}},
        "external": {"as_of": moment, "positions": external, "cash": {}},
    }


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of a process and of its own: CPU and wall-clock seconds, MiB of the largest."""

    cpu: float
    wall: float
    mib: float


def usage(command: Sequence[str], directory: Path, status: int) -> Usage:
    """Return what a process took, which must end with `status`."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTEST_ADDOPTS": ""}
    start = time.perf_counter()
    with (
        tempfile.TemporaryFile("w+") as output,
        subprocess.Popen(
            command, cwd=directory, stdout=output, stderr=subprocess.STDOUT, env=environment
        ) as process,
    ):
        _, ended, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(ended)
        if process.returncode != status:
            output.seek(0)
            shown = " ".join(command[1:])
            raise SystemExit(f"{shown}: ended {process.returncode}\n{output.read()[-2000:]}")
    return Usage(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def least(runs: Iterable[Usage]) -> Usage:
    """Return the least of each figure in some runs."""
    cpu, wall, mib = zip(*((one.cpu, one.wall, one.mib) for one in runs), strict=True)
    return Usage(min(cpu), min(wall), min(mib))


def cpu_seconds(command: Sequence[str], directory: Path, status: int) -> float:
    """Return the CPU seconds of a process and of its own, which must end with `status`."""
    return usage(command, directory, status).cpu
