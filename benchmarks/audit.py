"""What it costs to write and to ask a long audit log.

    python benchmarks/audit.py [--entries 100000] [--runs 3]

Every figure is CPU time in one process, the median of some runs; the runs to compare are
interleaved, so that a slow spell of the machine hits all of them. Each query verifies the
whole chain while it reads; it is compared with `json.loads` on every line. Ends with 1 where
a target is missed.

* the first append of a command: at most 0.2 s, however long the log is.
* `recon audit verify`: at most 4 times as long as `json.loads` on every line.
* each other query: at most 3 times; at most 5 times where the answer is the whole log
  and most of the time goes into printing it.
* memory: a query needs at most 16 MiB more for the long log than for one of 1,000 entries,
  also where its answer is most of the log (what Python holds at its peak, in a process of
  its own).
"""

import argparse
import contextlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from figures import Figures, json_option

from recon_core import AuditLog, LedgerEntry, ReconDiff, Severity
from recon_core.cli import main as recon
from recon_core.model.summary import summarise

VERIFY_TARGET = 4.0
QUERY_TARGET = 3.0
WHOLE_TARGET = 5.0
MEMORY_TARGET = 16.0  # MiB
APPEND_TARGET = 0.2  # seconds
DIFFS_PER_RUN = 97  # 100 entries a run, with its summary and its brackets
AS_OF = datetime(2026, 1, 1, 12, tzinfo=UTC)

QUERIES = {
    "verify": ["verify"],
    "summary": ["summary"],
    "summary of a session": ["summary", "--session-id", "session-7"],
    "summary as JSON": ["summary", "--format", "json"],
    "diffs of a run": ["diffs", "--run-id", "run-1"],
    "diffs, 10 of FAIL": ["diffs", "--severity", "FAIL", "--limit", "10"],
    "diffs, none found": ["diffs", "--severity", "CRITICAL", "--exit-on-findings"],
    "detailed": ["detailed", "--run-id", "run-1"],
    "trend of a session": ["trend", "--session-id", "session-7"],
    "export of a run": ["export", "--run-id", "run-1"],
}
WHOLE_ANSWERS = {
    "trend of everything": ["trend"],
    "export of everything": ["export"],
    "diffs, all 97,000": ["diffs"],
    "diffs, all as JSON": ["diffs", "--format", "json"],
}


def diff(run: int, number: int) -> ReconDiff:
    """A diff as the engine makes them, with all its figures."""
    delta = Decimal(run % 7 + number) / 1000
    severity = Severity.FAIL if number % 20 == 0 else Severity.INFO
    symbol = f"SYM{number:03d}/EUR"
    return ReconDiff(
        diff_id=f"diff-{number:016x}",
        timestamp=AS_OF,
        diff_type="POSITION",
        severity=severity,
        key=symbol,
        description=f"position {symbol}: {severity}, internal 1000, external 999, delta {delta}",
        internal=Decimal(1000),
        external=1000 - delta,
        delta=delta,
        drift=delta / 1000,
        unit=symbol[:6],
        tolerance="INFO below 0.1 %, FAIL above 1 %",
        diff_details={"symbol": symbol, "internal_quantity": "1000", "delta": str(delta)},
    )


def write_log(path: Path, entries: int) -> None:
    """A log of as many entries, in runs of 100."""
    log = AuditLog(path)
    log.append_runs(
        (
            summarise(
                diffs,
                f"session-{run % 50}",
                "ma_crossover",
                run_id=f"run-{run}",
                comparisons=DIFFS_PER_RUN,
            ),
            diffs,
        )
        for run in range(entries // 100)
        for diffs in [[diff(run, number) for number in range(DIFFS_PER_RUN)]]
    )


def seconds(action: Callable[[], object]) -> float:
    """The CPU time of one call."""
    before = time.process_time()
    action()
    return time.process_time() - before


def load_lines(path: Path) -> None:
    """What every reader of the file has to do."""
    with path.open("rb") as file:
        for line in file:
            json.loads(line)


def ask(arguments: list[str], path: Path) -> None:
    """Run a query in this process, its answer thrown away."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        recon(["audit", *arguments, "--json", str(path)])


def peak(arguments: list[str], path: Path) -> float:
    """The most memory that a query holds at one time, in a process of its own, in MiB."""
    script = (
        "import contextlib, io, sys, tracemalloc\n"
        "from recon_core.cli import main\n"
        "tracemalloc.start()\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main(sys.argv[1:])\n"
        "print(tracemalloc.get_traced_memory()[1])\n"
    )
    words = [sys.executable, "-c", script, "audit", *arguments, "--json", str(path)]
    answer = subprocess.run(words, capture_output=True, text=True, check=True)
    return int(answer.stdout) / 2**20


def measure_time(path: Path, runs: int, found: Figures) -> bool:
    """Print what each query costs; whether all are within their targets."""
    load_lines(path)  # the file is in the cache of the system from here on
    loads: list[float] = []
    queries = {**QUERIES, **WHOLE_ANSWERS}
    asked: dict[str, list[float]] = {name: [] for name in queries}
    for _ in range(runs):
        for name, arguments in queries.items():
            loads.append(seconds(lambda: load_lines(path)))
            asked[name].append(seconds(lambda words=arguments: ask(words, path)))
    baseline = statistics.median(loads)
    print(f"{'json.loads on every line':<28} {baseline:6.2f} s")
    met = True
    for name, times in asked.items():
        target = WHOLE_TARGET if name in WHOLE_ANSWERS else QUERY_TARGET
        target = VERIFY_TARGET if name == "verify" else target
        ratio = statistics.median(times) / baseline
        met &= ratio <= target
        found.add(name, "time", statistics.median(times), "s")
        found.add(name, "against json.loads", ratio, at_most=target)
        print(f"{name:<28} {statistics.median(times):6.2f} s  {ratio:5.2f} (target {target:g})")
    return met


def measure_append(path: Path, runs: int) -> bool:
    """Print what the first append of a command costs; whether it is within its target."""

    def append() -> None:
        AuditLog(path).append(LedgerEntry("ORDER_EVENT"))

    needed = statistics.median(seconds(append) for _ in range(runs))
    print(f"{'first append':<28} {needed:8.4f} s (target {APPEND_TARGET:g} s)")
    return needed <= APPEND_TARGET


def measure_memory(path: Path, small: Path) -> bool:
    """Print what memory queries with a small result need; whether they stay below the target."""
    met = True
    for name in (
        "verify",
        "diffs of a run",
        "diffs, 10 of FAIL",
        "detailed",
        "summary of a session",
        "summary as JSON",
        "diffs, all as JSON",
    ):
        arguments = QUERIES.get(name) or WHOLE_ANSWERS[name]
        needed, usual = peak(arguments, path), peak(arguments, small)
        met &= needed - usual <= MEMORY_TARGET
        print(f"{name:<28} {needed:6.1f} MiB, {usual:.1f} for the short log")
    return met


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    json_option(parser)
    options = parser.parse_args()
    found = Figures(
        "audit",
        "The audit log",
        f"Questions to a log of {options.entries:,} entries in one process; the whole chain is "
        "verified while it is read. The baseline is json.loads on every line.",
        "python benchmarks/audit.py",
    )
    with tempfile.TemporaryDirectory() as directory:
        path, small = Path(directory, "long.jsonl"), Path(directory, "short.jsonl")
        write_log(path, options.entries)
        write_log(small, 1000)
        print(f"{options.entries:,} entries, {path.stat().st_size / 2**20:.0f} MiB")
        met = measure_append(path, options.runs)
        met &= measure_time(path, options.runs, found)
        met &= measure_memory(path, small)
    found.write(options.json)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
