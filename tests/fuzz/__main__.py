"""Fuzz the readers and the gate; ends with 1 where an input breaks a promise.

PYTHONPATH=tests python -m fuzz [--executions 5000] [--seed 11] [--only KIND] [--keep DIRECTORY]
"""

import argparse
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from .execution import Finding, Tally, drawn, execute, kind_of, peak_memory
from .kinds import KINDS

MEMORY = 512
"""MiB that a process may have at its peak."""
_BATCH = 500


@dataclass(slots=True)
class Result:
    """The figures of some executions, by kind, and the inputs that broke a promise."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    memory: int = 0

    def add(self, other: "Result") -> None:
        """Take in the figures of a later batch."""
        for name, more in other.tallies.items():
            tally = self.tallies.setdefault(name, Tally())
            tally.counts += more.counts
            tally.slowest = max(tally.slowest, more.slowest)
            tally.digest = bytes(
                a ^ b for a, b in zip(tally.digest or bytes(32), more.digest, strict=True)
            )
        self.findings += other.findings
        self.memory = max(self.memory, other.memory)


def batch(start: int, *, seed: int, executions: int, only: str) -> Result:
    """The executions from one number on."""
    result = Result()
    for number in range(start, min(start + _BATCH, executions)):
        kind = kind_of(number, seed)
        if only not in kind.name:
            continue
        files = drawn(kind, number, seed)
        answer, seconds, reason = execute(kind, files, number)
        if answer is not None:
            result.tallies.setdefault(kind.name, Tally()).add(answer, seconds)
        if reason:
            result.findings.append(Finding(kind.name, number, reason, files))
    result.memory = peak_memory()
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 where every promise held, 1 also where it was interrupted."""
    options = _options(arguments)
    work = partial(batch, seed=options.seed, executions=options.executions, only=options.only)
    starts = range(0, options.executions, _BATCH)
    total, whole = Result(), False
    with ProcessPoolExecutor(options.processes) as pool:
        try:
            for result in pool.map(work, starts):
                total.add(result)
            whole = True
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
    _print(total)
    if options.keep is not None:
        for finding in total.findings:
            _keep(options.keep, finding)
    return 0 if whole and not total.findings and total.memory <= MEMORY else 1


def _print(total: Result) -> None:
    columns = ("executions", "refused", "clear", "not told")
    print(f"{'kind':14}", *(f"{name:>10}" for name in columns), f"{'slowest':>9}  digest")
    for kind in KINDS:
        tally = total.tallies.get(kind.name, Tally())
        figures = (f"{tally.counts[name]:10}" for name in columns)
        print(f"{kind.name:14}", *figures, f"{tally.slowest:7.2f} s  {tally.digest.hex()[:8]}")
    executions = sum(tally.counts["executions"] for tally in total.tallies.values())
    memory = f"at most {total.memory} MiB (allowed: {MEMORY})"
    print(f"{executions} answers, {len(total.findings)} findings, {memory}")
    for finding in total.findings[:20]:
        print(f"{finding.kind} {finding.number}: {finding.reason}")


def _keep(directory: Path, finding: Finding) -> None:
    files: Mapping[str, bytes] = finding.files
    for name, content in files.items():
        path = directory / finding.kind / str(finding.number) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--executions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="kinds whose name contains this text")
    parser.add_argument("--keep", type=Path, help="where inputs that break a promise are written")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
