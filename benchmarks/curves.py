"""Curves over the number of sessions, and the cost of one session by its size.

    python benchmarks/curves.py [--most 2000] [--runs 3]

CPU time (user and system) of whole processes, the least of some runs. The cost of one session is
the slope between few and many of them, so that the start of the command is not in it, and so is
the memory that its results hold until the end. Nothing here is a target: `report.py` draws the
curves and calculates a night of a million sessions from the costs.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from figures import Figures, json_option, versions
from fills import document
from measured import Usage, session_of_positions, usage

POSITIONS = 56
"""Comparisons of a session beside its four checks of the session itself."""
COUNTS = (1, 10, 100, 500, 2_000)
SIZES = {
    "60 comparisons": (200, 1_200),
    "1,000 fills a side": (20, 120),
    "10,000 fills a side": (4, 16),
}
"""Few and many sessions of each size."""
PYTEST = ("pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--recon-session=s")
COMMANDS = {
    "recon check -j 1": ("recon_core.cli", "check", "-j", "1", "s"),
    "pytest": PYTEST,
    "pytest -n 2": (*PYTEST, "-n2"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--most", type=int, default=COUNTS[-1], help="sessions of a curve")
    parser.add_argument("--runs", type=int, default=3)
    json_option(parser)
    options = parser.parse_args()
    found = Figures(
        "curves",
        "Many sessions",
        "Sessions of 60 comparisons (56 positions a side), all equal; and the cost of one session "
        "of recon check -j 1 by its size, with the memory that its results hold.",
        "python benchmarks/curves.py",
        versions("pytest", "pytest-xdist"),
    )
    counts = [count for count in COUNTS if count <= options.most]
    for name, words in COMMANDS.items():
        _least(words, _small(1), 1)  # compiles what is new
        points = [(count, _least(words, _small(count), options.runs).cpu) for count in counts]
        print(name, *(f"{count}: {seconds:.2f} s" for count, seconds in points), sep="  ")
        found.add_curve(name, "sessions", "CPU seconds", points)
    for size, (few, many) in SIZES.items():
        _add_costs(found, size, few, many, options.runs)
    found.write(options.json)
    return 0


def _add_costs(found: Figures, size: str, few: int, many: int, runs: int) -> None:
    words = COMMANDS["recon check -j 1"]
    texts = _texts(size, many)
    less, more = _least(words, texts[:few], runs), _least(words, texts, runs)
    seconds = (more.cpu - less.cpu) / (many - few)
    kept = max(0.0, (more.mib - less.mib) / (many - few))
    kib = len(texts[0]) / 1024
    found.add(size, "a session", seconds * 1000, "ms")
    found.add(size, "its file", kib, "KiB")
    found.add(size, "its results in memory", kept * 1024, "KiB")
    print(f"{size}: {seconds * 1000:.2f} ms, {kib:.0f} KiB, {kept * 1024:.1f} KiB kept")


def _texts(size: str, count: int) -> list[str]:
    if "fills" not in size:
        return list(_small(count))
    session = document(int(size.partition(" ")[0].replace(",", "")), "spot")
    return [json.dumps(session | {"session_id": f"s{number}"}) for number in range(count)]


def _small(count: int) -> Iterable[str]:
    for number in range(count):
        yield json.dumps(session_of_positions(POSITIONS, 0) | {"session_id": f"s{number}"})


def _least(words: tuple[str, ...], texts: Iterable[str], runs: int) -> Usage:
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        (directory / "s").mkdir()
        (directory / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        for number, text in enumerate(texts):
            (directory / "s" / f"{number}.recon.json").write_text(text, encoding="utf-8")
        used = [usage([sys.executable, "-m", *words], directory, 0) for _ in range(runs)]
    return min(used, key=lambda each: each.cpu)


if __name__ == "__main__":
    sys.exit(main())
