"""What many small sessions cost: pytest, pytest on two workers, and `recon check`.

    python benchmarks/workers.py [--runs 5] [--fills 0] [--sessions 200]

Whole processes are measured, interleaved, the median of some runs: CPU time (user and system,
workers included) and wall clock. Wall clock says little where others use the machine. Ends with 1
where a target is missed. `--fills` are folded into one comparison a session: work without items.
Plugins of the project's own tests are off: that of hypothesis imports its library at the end of
every process.

* CPU time of pytest on 200 sessions of 60 comparisons against that of `recon check`: at most 2.5.
* Wall clock of `pytest -n 2` against that of one process: at most 0.7.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from figures import Figures, json_option, versions
from measured import Usage, session_of_positions, usage

CHECK_TARGET = 2.5
WORKERS_TARGET = 0.7
POSITIONS = 56
"""Comparisons of a session beside its checks of the session itself."""
SESSION_CHECKS = 4

PYTEST = (
    "pytest",
    "-q",
    "-p",
    "no:randomly",
    "-p",
    "no:hypothesispytest",
    "-p",
    "no:cacheprovider",
    "--recon-session=s",
    "--recon-max-items=0",
)
EMPTY = "-n 2, no item"
"""Two workers that have nothing to do: the floor of the second target."""
_BARE = ("pytest", *PYTEST[1:-2], "-p", "no:recon", "bare")
BARE, BARE_ON_WORKERS = "bare items", "bare items -n 2"
"""As many items that do nothing but pass, without the plugin: what -n 2 gives pytest itself."""
CASES = {
    "recon check": ("recon_core.cli", "check", "-j", "1", "s", "--max-items=0"),
    "pytest": PYTEST,
    "pytest -n 2": (*PYTEST, "-n2"),
    EMPTY: (*PYTEST[:-2], "-n2", "empty"),
    BARE: _BARE,
    BARE_ON_WORKERS: (*_BARE, "-n2"),
}
EXPECTED = {EMPTY: 5}
"""The status of runs that have something else than passing items: nothing."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--fills", type=int, default=0, help="fills of each side of a session")
    json_option(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        _write_sessions(directory, options.sessions, options.fills)
        usage([sys.executable, "-m", *CASES["pytest"]], directory, 0)  # compiles what is new
        runs = [
            {
                name: usage([sys.executable, "-m", *words], directory, EXPECTED.get(name, 0))
                for name, words in CASES.items()
            }
            for _ in range(options.runs)
        ]
    return _report(options, runs)


def _write_sessions(directory: Path, sessions: int, fills: int) -> None:
    (directory / "s").mkdir()
    (directory / "empty").mkdir()
    (directory / "bare").mkdir()
    count = sessions * (POSITIONS + SESSION_CHECKS)
    items = (
        f"import pytest\n@pytest.mark.parametrize('at', range({count}))\ndef test_it(at): pass\n"
    )
    (directory / "bare" / "test_bare.py").write_text(items, encoding="utf-8")
    (directory / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    for number in range(sessions):
        session = session_of_positions(POSITIONS, 0) | {"session_id": f"s{number}"}
        for side in ("internal", "external"):
            _add_fills(session[side], fills)
        path = directory / "s" / f"{number}.recon.json"
        path.write_text(json.dumps(session), encoding="utf-8")


def _add_fills(side: object, fills: int) -> None:
    if isinstance(side, dict) and fills:
        side["fills"] = [
            {
                "fill_id": f"f{number}",
                "symbol": "SYM000000/EUR",
                "side": "SELL" if number % 2 else "BUY",
                "quantity": "1.5",
                "price": "100.25",
                "time": f"2026-01-01T11:{number // 60 % 60:02}:{number % 60:02}Z",
            }
            for number in range(fills)
        ]


def _report(options: argparse.Namespace, runs: list[dict[str, Usage]]) -> int:
    cpu = {name: min(run[name].cpu for run in runs) for name in CASES}
    wall = {name: min(run[name].wall for run in runs) for name in CASES}
    print(f"{options.sessions} sessions, {options.fills} fills a side, least of {options.runs}")
    for name in CASES:
        print(f"  {name:<15} {cpu[name]:7.2f} s of CPU {wall[name]:7.2f} s of wall clock")
    ratios = [
        ("CPU of pytest against recon check", cpu["pytest"] / cpu["recon check"], CHECK_TARGET),
        ("wall clock of -n 2 against one", wall["pytest -n 2"] / wall["pytest"], WORKERS_TARGET),
    ]
    floor = wall[EMPTY] / wall["pytest"]
    print(f"wall clock of -n 2 without any item against one process with all: {floor:.2f}")
    bare = wall[BARE_ON_WORKERS] / wall[BARE]
    print(f"wall clock of -n 2 against one, for as many bare items of pytest: {bare:.2f}")
    found = Figures(
        "workers" if not options.fills else f"workers-{options.fills}-fills",
        "Sessions on workers of pytest",
        f"{options.sessions} sessions of 60 comparisons and {options.fills} fills a side: pytest, "
        "pytest on two workers, and recon check; and as many bare items of pytest.",
        f"python benchmarks/workers.py --fills {options.fills}",
        versions("pytest", "pytest-xdist"),
    )
    for name in CASES:
        found.add(name, "CPU", cpu[name], "s")
        found.add(name, "wall clock", wall[name], "wall s")
    found.add("wall clock of -n 2 against one, bare items", "ratio", bare)
    for name, ratio, target in ratios:
        found.add(name, "ratio", ratio, at_most=target)
    found.write(options.json)
    for name, ratio, target in ratios:
        word = "met" if ratio <= target else "MISSED"
        print(f"{name}: {ratio:.2f}, target at most {target}: {word}")
    return 0 if all(ratio <= target for _, ratio, target in ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
