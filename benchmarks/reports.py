"""Cost of reports: 10,000 comparisons with all formats against the same run without, by CPU time.

    python benchmarks/reports.py [--runs 3] [--command]

Every figure is the CPU time (user and system) of a whole process, the median of some runs; the
runs to compare are interleaved. The first is pytest with `--recon-session`, with `--command`
it is `recon check`. Ends with 1 where a target is missed:

Nothing is explained, so that the run without reports costs as little as it can.

* all formats on: at most 1.5 times the run without, of a clear session and of 100 failures.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from figures import Figures, json_option, versions
from measured import cpu_seconds, session_of_positions

from recon_core.reports.formats import FORMATS

TARGET = 1.5
COMPARISONS = 10_000
FAILURES = (0, 100)


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        (directory / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        for count in FAILURES:
            path = directory / f"{count}.recon.json"
            path.write_text(json.dumps(session_of_positions(COMPARISONS, count)), encoding="utf-8")
        _cpu_seconds(directory, options, 0, with_reports=True)  # compiles what is new
        kinds = [(count, each) for count in FAILURES for each in (False, True)]
        runs = [
            {
                (count, each): _cpu_seconds(directory, options, count, with_reports=each)
                for count, each in kinds
            }
            for _ in range(options.runs)
        ]
    medians = {kind: statistics.median(run[kind] for run in runs) for kind in kinds}
    met = True
    name = "recon check" if options.command else "pytest"
    found = Figures(
        "reports-command" if options.command else "reports",
        "Reports",
        f"{COMPARISONS:,} comparisons with all {len(FORMATS)} formats of reports, against the same "
        "run without.",
        f"python benchmarks/reports.py{' --command' if options.command else ''}",
        versions("pytest", "jinja2"),
    )
    for count in FAILURES:
        plain, reported = medians[count, False], medians[count, True]
        ratio = reported / plain
        met = met and ratio <= TARGET
        case = f"{name}, {count} failures"
        found.add(case, "without reports", plain, "s")
        found.add(case, "with reports", reported, "s")
        found.add(case, "ratio", ratio, at_most=TARGET)
        word = "met" if ratio <= TARGET else "MISSED"
        print(
            f"{COMPARISONS} comparisons, {count} failures: {plain:.2f} s without reports, "
            f"{reported:.2f} s with {len(FORMATS)}: {ratio:.2f}, at most {TARGET}: {word}"
        )
    found.write(options.json)
    return 0 if met else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--command", action="store_true", help="measure recon check")
    json_option(parser)
    return parser.parse_args()


def _cpu_seconds(
    directory: Path, options: argparse.Namespace, failures: int, *, with_reports: bool
) -> float:
    """CPU seconds of one run, after checking that it ended as it must and wrote its reports."""
    session, option = f"{failures}.recon.json", "--report" if options.command else "--recon-report"
    command = [sys.executable, "-m", "recon_core.cli", "check", session, "--explain=off"]
    if not options.command:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly"]
        command += ["-p", "no:cacheprovider", f"--recon-session={session}"]
        command += ["--recon-explain=off"]
    if with_reports:
        command += [f"{option}={name}:out/{name}" for name in FORMATS]
    red = 2 if options.command else 1
    seconds = cpu_seconds(command, directory, red if failures else 0)
    if with_reports and {path.name for path in (directory / "out").iterdir()} != set(FORMATS):
        raise SystemExit("a report is missing")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
