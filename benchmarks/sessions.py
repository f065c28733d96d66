"""What many sessions cost: `recon check` in one process, in several, and on a local cluster.

    python benchmarks/sessions.py [--runs 5] [--cluster] [--python PATH]

Every figure is the least of some runs, which are interleaved. Before them two busy loops are
timed, one after the other and at once: a machine that others use has less than two cores to
give, and no ratio of wall times below that one can be reached. Ends with 1 where a target is
missed.

* 200 sessions of 60 comparisons, wall time of `-j 2` against `-j 1`: at most 0.6.
* with `--cluster`: 2,000 sessions, two local workers against one: at least 1.6 times as fast.
* with `--cluster`: CPU time of scheduler, client and one worker beyond that of `-j 1`: at most
  3 ms a session; the start of either command is left out.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import Pool
from pathlib import Path

from figures import Figures, json_option, versions
from measured import Usage, least, session_of_positions, usage

PROCESSES_TARGET = 0.6
CLUSTER_TARGET = 1.6
OVERHEAD_TARGET = 3.0
"""Milliseconds of CPU that a session may cost beyond its judging."""
MANY = 2000
COMPARISONS = 60
SESSION_CHECKS = 4
BLOCKED = 2
"""Exit status of a run with a FAIL."""
FAILING = 20
"""Every so many sessions one has a FAIL, so that explanations are searched for."""
_FIRST = "s0.recon.json"
"""A session with a FAIL: one of them alone shows the time before and after all others."""


def main() -> int:
    options = _options()
    alone, together = _busy(1), _busy(2)
    print(f"two busy loops at once take {together / (2 * alone):.2f} of one after the other")
    found = Figures(
        "sessions-cluster" if options.cluster else "sessions",
        "Processes and a cluster",
        "recon check on sessions of 60 comparisons, every twentieth with a FAIL: the least "
        "use of several processes or workers against one.",
        f"python benchmarks/sessions.py{' --cluster' if options.cluster else ''}",
        versions("distributed"),
    )
    found.add("two busy loops at once : in turn", "ratio", together / (2 * alone))
    met = [_processes(options, found)]
    if options.cluster:
        met.append(_cluster(options, found))
    found.write(options.json)
    return 0 if all(met) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cluster", action="store_true", help="measure dask.distributed too")
    parser.add_argument("--python", default=sys.executable, help="another environment's python")
    json_option(parser)
    return parser.parse_args()


def _busy(count: int) -> float:
    with Pool(count) as pool:
        pool.map(_loop, [1] * count)  # starts the processes
        return _seconds(lambda: pool.map(_loop, [5_000_000] * count, chunksize=1))


def _loop(count: int) -> None:
    for _ in range(count):
        pass


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _processes(options: argparse.Namespace, found: Figures) -> bool:
    one, two, start = _least(options, 200, ["-j1"], ["-j2"], ["-j1", _FIRST])
    print(f"200 sessions: -j 1 {one.wall:.2f} s, -j 2 {two.wall:.2f} s", end="")
    print(f", ratio {two.wall / one.wall:.2f}")
    floor = (start.wall + (one.wall - start.wall) / 2) / one.wall
    print(f"one session takes {start.wall:.2f} s, so that two processes that share the others")
    print(f"  and start in no time take {floor:.2f}")
    found.add("200 sessions, -j 1", "wall clock", one.wall, "wall s")
    found.add("200 sessions, -j 2", "wall clock", two.wall, "wall s")
    found.add("one session, -j 1", "wall clock", start.wall, "wall s")
    found.add("one session, -j 1", "CPU", start.cpu, "s")
    found.add("200 sessions, two processes that start in no time", "ratio", floor)
    ratio = two.wall / one.wall
    return found.add("200 sessions, -j 2 : -j 1", "ratio", ratio, at_most=PROCESSES_TARGET)


def _cluster(options: argparse.Namespace, found: Figures) -> bool:
    words = ["--scheduler=local", "-j"]
    one, two, alone, first, first_alone = _least(
        options,
        MANY,
        [*words, "1"],
        [*words, "2"],
        ["-j1"],
        [*words, "1", _FIRST],
        ["-j1", _FIRST],
    )
    print(f"{MANY} sessions on a cluster: 1 worker {one.wall:.2f} s", end="")
    print(f", 2 workers {two.wall:.2f} s, {one.wall / two.wall:.2f} times as fast")
    judging = (alone.cpu - first_alone.cpu) / MANY * 1000
    overhead = (one.cpu - first.cpu) / MANY * 1000 - judging
    print(f"CPU a session: {judging:.2f} ms with -j 1, {overhead:.2f} ms more on a cluster")
    found.add("2,000 sessions, 1 worker", "wall clock", one.wall, "wall s")
    found.add("2,000 sessions, 2 workers", "wall clock", two.wall, "wall s")
    found.add("a session, -j 1", "CPU", judging, "ms")
    light = found.add(
        "a session, 1 worker beyond -j 1", "CPU", overhead, "ms", at_most=OVERHEAD_TARGET
    )
    gain = "2,000 sessions, 1 worker : 2 workers"
    faster = found.add(gain, "ratio", one.wall / two.wall, at_least=CLUSTER_TARGET)
    return light and faster


def _least(options: argparse.Namespace, count: int, *cases: list[str]) -> list[Usage]:
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        (directory / "pytest.ini").write_text("")
        for number in range(count):
            session = session_of_positions(COMPARISONS - SESSION_CHECKS, not number % FAILING)
            session["session_id"] = f"s{number}"
            (directory / f"s{number}.recon.json").write_text(json.dumps(session))
        runs = [
            [_check(options.python, directory, case) for case in cases] for _ in range(options.runs)
        ]
    return [least(used) for used in zip(*runs, strict=True)]


def _check(python: str, directory: Path, words: list[str]) -> Usage:
    named = [] if _FIRST in words else ["."]
    return usage([python, "-m", "recon_core.cli", "check", *named, *words], directory, BLOCKED)


if __name__ == "__main__":
    raise SystemExit(main())
