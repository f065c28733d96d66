"""What an item costs: recorded sessions against bare pytest items, by CPU time.

    python benchmarks/items.py [--runs 5] [--xdist] [--python PATH]

Every figure is the CPU time (user and system) of a whole pytest process and of
its workers, the least of some runs; the runs to compare are interleaved, so
that a slow spell of the machine hits all of them. Ends with 1 where a target is
missed.

* 10,000 comparisons with `--junitxml` against 10,000 bare custom items: at most 0.35.
* 2,000 failures of 20,000 against 1,000 of 10,000: below 2.6, so no quadratic part.
* The peak memory of 100,000 comparisons against that of 100,000 bare items: at most 0.7.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from figures import Figures, json_option, versions
from measured import Usage, session_of_positions, usage

ITEMS_TARGET = 0.35
FAILURES_TARGET = 2.6
MEMORY_TARGET = 0.7
MANY = 100_000
SESSION_CHECKS = 4

BARE_PLUGIN = '''\
"""Bare custom items: a file holds their number and how many of them fail."""

import pytest


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".bare":
        return BareFile.from_parent(parent, path=file_path)


class BareFailure(Exception):
    pass


class BareFile(pytest.File):
    def collect(self):
        count, failing = map(int, self.path.read_text().split())
        for number in range(count):
            name = f"SYM{number:06d}/EUR"
            yield BareItem.from_parent(self, name=name, fails=number < failing)


class BareItem(pytest.Item):
    def __init__(self, *, fails, **node):
        super().__init__(**node)
        self.fails = fails

    def runtest(self):
        if self.fails:
            raise BareFailure

    def repr_failure(self, excinfo, style=None):
        return "not equal"

    def reportinfo(self):
        return self.path, None, self.name
'''


@dataclass(frozen=True, slots=True)
class Case:
    """One pytest run to measure: its arguments, and what must come of it."""

    name: str
    arguments: tuple[str, ...]
    items: int
    failures: int


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        _write_inputs(directory)
        *cases, bare, ours = _cases(("-n2",) if options.xdist else ())
        _usage(options.python, directory, cases[0])  # compiles what is new
        runs = [
            {case.name: _usage(options.python, directory, case).cpu for case in cases}
            for _ in range(options.runs)
        ]
        memory = {case.name: _usage(options.python, directory, case).mib for case in (bare, ours)}
        seconds = {case.name: min(run[case.name] for run in runs) for case in cases}
        imports = min(_import_seconds(options.python) for _ in range(5))
    return _report(options, seconds, imports, memory)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--xdist", action="store_true", help="measure with -n 2")
    parser.add_argument("--python", default=sys.executable, help="another environment's python")
    json_option(parser)
    return parser.parse_args()


def _cases(workers: tuple[str, ...]) -> list[Case]:
    shared = ("-q", "-p", "no:randomly", "-p", "no:cacheprovider", *workers)
    bare, ours = (*shared, "-p", "bare", "-p", "no:recon"), shared

    def bare_case(count: int, failures: int) -> Case:
        name = f"bare {count} {failures}"
        return Case(
            name, (*bare, "--junitxml=bare.xml", f"{count}-{failures}.bare"), count, failures
        )

    def our_case(count: int, failures: int) -> Case:
        session = f"--recon-session={count}-{failures}.recon.json"
        total = count + SESSION_CHECKS
        return Case(
            f"recon {count} {failures}", (*ours, session, "--junitxml=recon.xml"), total, failures
        )

    return [
        Case("bare empty", (*bare, "empty"), 0, 0),
        Case("recon empty", (*shared, "-p", "bare", "empty"), 0, 0),
        Case("bare file", (*bare, "0-0.bare"), 0, 0),
        Case("recon file", (*shared, "-p", "bare", "0-0.bare"), 0, 0),
        bare_case(10_000, 0),
        our_case(10_000, 0),
        bare_case(20_000, 0),
        our_case(20_000, 0),
        our_case(10_000, 1_000),
        our_case(20_000, 2_000),
        bare_case(MANY, 0),
        our_case(MANY, 0),
    ]


def _write_inputs(directory: Path) -> None:
    (directory / "empty").mkdir()
    (directory / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (directory / "bare.py").write_text(BARE_PLUGIN, encoding="utf-8")
    for count, failures in (
        (0, 0),
        (10_000, 0),
        (20_000, 0),
        (10_000, 1_000),
        (20_000, 2_000),
        (MANY, 0),
    ):
        bare, session = f"{count}-{failures}.bare", f"{count}-{failures}.recon.json"
        (directory / bare).write_text(f"{count} {failures}", encoding="utf-8")
        (directory / session).write_text(
            json.dumps(session_of_positions(count, failures)), encoding="utf-8"
        )


def _usage(python: str, directory: Path, case: Case) -> Usage:
    """The use of one run, after checking that it did what it is measured for."""
    used = usage([python, "-m", "pytest", *case.arguments], directory, _expected_status(case))
    if case.items:
        _check_report(directory, case)
    print(f"  {case.name:<24} {used.cpu:7.2f} s {used.mib:7.0f} MiB", file=sys.stderr)
    return used


def _expected_status(case: Case) -> int:
    if not case.items:
        return 5  # nothing was collected
    return 1 if case.failures else 0


def _check_report(directory: Path, case: Case) -> None:
    path = directory / f"{case.name.partition(' ')[0]}.xml"
    suites = ET.parse(path).getroot().findall("testsuite")  # noqa: S314  # written by the run
    found = [(int(suite.attrib["tests"]), int(suite.attrib["failures"])) for suite in suites]
    if found != [(case.items, case.failures)]:
        raise SystemExit(f"{case.name}: the report holds {found}")
    path.unlink()


def _import_seconds(python: str) -> float:
    """Wall-clock seconds that `import pytest_recon.plugin` takes after `import pytest`."""
    code = (
        "import time, pytest; start = time.perf_counter(); import pytest_recon.plugin; "
        "print(time.perf_counter() - start)"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _report(
    options: argparse.Namespace, seconds: dict[str, float], imports: float, memory: dict[str, float]
) -> int:
    items = seconds["recon 10000 0"] / seconds["bare 10000 0"]
    failures = seconds["recon 20000 2000"] / seconds["recon 10000 1000"]
    print(f"CPU seconds, least of {options.runs} runs{', -n 2' if options.xdist else ''}")
    for name, value in seconds.items():
        print(f"  {name:<24} {value:7.2f}")
    for what in ("empty", "file"):
        added = seconds[f"recon {what}"] - seconds[f"bare {what}"]
        print(f"  the plugin adds {added:.2f} s to a run without sessions ({what})")
    for name, value in memory.items():
        print(f"  {name:<24} {value:7.0f} MiB at the peak")
    print(f"  import of the plugin takes {imports:.3f} s of wall clock, pytest aside")
    for count, failing in ((10_000, 1_000), (20_000, 2_000)):
        ratio = seconds[f"recon {count} {failing}"] / seconds[f"bare {count} 0"]
        print(f"  {failing} failures of {count} are {ratio:.2f} times {count} bare items that pass")
    peaks = memory[f"recon {MANY} 0"] / memory[f"bare {MANY} 0"]
    _write(options, seconds, memory, (items, failures, peaks))
    targets = [
        _verdict(
            "10,000 comparisons against 10,000 bare items",
            items,
            lambda r: r <= ITEMS_TARGET,
            f"at most {ITEMS_TARGET}",
        ),
        _verdict(
            "2,000 failures of 20,000 against 1,000 of 10,000",
            failures,
            lambda r: r < FAILURES_TARGET,
            f"below {FAILURES_TARGET}",
        ),
        _verdict(
            "peak memory of 100,000 comparisons against 100,000 bare items",
            peaks,
            lambda r: r <= MEMORY_TARGET,
            f"at most {MEMORY_TARGET}",
        ),
    ]
    return 0 if all(targets) else 1


def _write(
    options: argparse.Namespace,
    seconds: dict[str, float],
    memory: dict[str, float],
    ratios: tuple[float, float, float],
) -> None:
    workers = " --xdist" if options.xdist else ""
    found = Figures(
        "items-xdist" if options.xdist else "items",
        "Items of pytest",
        "Whole pytest processes with --junitxml: comparisons of one session against bare items "
        "that do nothing, each by their number and how many of them fail.",
        f"python benchmarks/items.py{workers}",
        versions("pytest", "pytest-xdist"),
    )
    for name, value in seconds.items():
        found.add(name, "time", value, "s")
    for name, value in memory.items():
        found.add(name, "memory", value, "MiB")
    items, failures, peaks = ratios
    found.add("10,000 comparisons : bare items", "ratio", items, at_most=ITEMS_TARGET)
    linear = "20,000 with 2,000 failures : 10,000 with 1,000"
    found.add(linear, "ratio", failures, at_most=FAILURES_TARGET)
    found.add("peak of 100,000 comparisons : bare items", "ratio", peaks, at_most=MEMORY_TARGET)
    found.write(options.json)


def _verdict(what: str, ratio: float, met: Callable[[float], bool], target: str) -> bool:
    word = "met" if met(ratio) else "MISSED"
    print(f"{what}: {ratio:.2f}, target {target}: {word}")
    return met(ratio)


if __name__ == "__main__":
    sys.exit(main())
