"""A checkout against an older one: explanations, fills and items, by CPU time, in one run.

    git worktree add ../older COMMIT && make -C ../older same-python
    python benchmarks/against.py ../older [--runs 3] [--only WORDS] [--json DIRECTORY]

The same files are measured by turns in processes of both, each in the virtual environment of its
checkout, so that a slow spell of the machine hits both; a figure is the median of some runs. An
explanation is compared alone, fills are read, replayed and matched, items are the whole pytest
process. Ends with 1 where the cases of one kind together take more than 1.05 times as long.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import explain
import fills
from figures import Figures, json_option
from measured import cpu_seconds, session_of_positions

MOST = 1.05
HERE = Path(__file__).parents[1]
KINDS = ("linear", "inverse", "spot")


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison: its kind and name, and the CPU seconds that a checkout takes for it."""

    kind: str
    name: str
    seconds: Callable[[Path], float]


def cases(directory: Path) -> Iterator[Case]:
    """Yield every case, with its files written."""
    path = directory / "case.recon.json"
    for one in explain.cases():
        _write(path, explain.document(one))
        _write(path.with_name(explain.SMALL), explain.document(replace(one, count=20)))
        name = f"{one.name}, {one.rows}: {', '.join(one.faults)}"
        yield Case("explain", name, partial(_measured, "explain.py", path, ("explain",)))
    for kind in KINDS:
        _write(path, fills.document(100_000, kind))
        _write(path.with_name(fills.SMALL), fills.document(2_000, kind))
        measured = partial(_measured, "fills.py", path, fills.STEPS)
        yield Case("fills", f"100,000 {kind} fills a side", measured)
    (directory / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    for failures in (0, 1_000):
        _write(path, session_of_positions(10_000, failures))
        name = f"10,000 comparisons, {failures:,} of them FAIL"
        yield Case("items", name, partial(_of_items, path, int(failures > 0)))


def _of_items(path: Path, status: int, checkout: Path) -> float:
    options = ("-q", "-p", "no:cacheprovider", "--junitxml=items.xml", f"--recon-session={path}")
    return cpu_seconds([_python(checkout), "-m", "pytest", *options], path.parent, status)


def _measured(script: str, path: Path, steps: Sequence[str], checkout: Path) -> float:
    command = [_python(checkout), str(checkout / "benchmarks" / script), "--measure", str(path)]
    taken: dict[str, float] = json.loads(subprocess.check_output(command))
    return sum(taken[step] for step in steps)


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document), encoding="utf-8")


def _python(checkout: Path) -> str:
    return str(checkout / ".venv" / "bin" / "python")


def main() -> int:
    """Measure every case by turns, and say whether this checkout takes as long as the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("older", type=Path, help="a checkout with its .venv")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="cases whose kind or name has these words")
    json_option(parser)
    options = parser.parse_args()
    older = options.older.resolve()
    if not Path(_python(older)).exists():
        parser.error(f"{older}: no .venv; make -C {options.older} same-python makes it")
    found = Figures(
        "against",
        "Against an older commit",
        "CPU time of this commit against an older one, by turns in one run.",
        "python benchmarks/against.py ../older",
    )
    sums: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as directory:
        for case in cases(Path(directory)):
            if options.only not in f"{case.kind} {case.name}":
                continue
            turns = [(case.seconds(older), case.seconds(HERE)) for _ in range(options.runs)]
            old, new = map(statistics.median, zip(*turns, strict=True))
            print(f"{case.kind:<8} {case.name:<52} {old:7.3f} {new:7.3f} s {new / old:6.2f}")
            found.add(f"{case.kind}: {case.name}", "new : old", new / old)
            total = sums.setdefault(case.kind, [0.0, 0.0])
            total[:] = total[0] + old, total[1] + new
    met = True
    for kind, (old, new) in sums.items():
        print(f"{kind:<8} {'together':<52} {old:7.3f} {new:7.3f} s {new / old:6.2f}")
        met = found.add(f"{kind}: together", "new : old", new / old, at_most=MOST) and met
    found.write(options.json)
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
