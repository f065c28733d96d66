"""`python -m tests.examination`: the table, or one session by its seed."""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from .faults import drawn
from .judge import OUTCOMES, Judgement, judged
from .session import document, written
from .shrink import shrunken
from .worlds import WORLDS, draw

Row = tuple[int, str, str, tuple[str, ...], Judgement]


def examined(seed: int) -> Row:
    """The judgement of the session of a seed, with its world, evidence and faults."""
    case = drawn(seed, draw(seed))
    faults = tuple(f"{fault.side[:3]}:{fault.name}" for fault in case.faults)
    try:
        verdict = judged(case)
    except Exception as error:  # noqa: BLE001  # a crash of the product is a finding as well
        verdict = Judgement("wrong", f"error: {error!r}")
    return seed, case.world.name, case.world.evidence, faults, verdict


def main(words: list[str] | None = None) -> int:
    """Examine, or show; 1 where an answer is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.examination", description=__doc__)
    parser.add_argument("--seeds", default="0:200", help="A:B, the seeds from A to B - 1")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", type=int, metavar="SEED", help="write the session of a seed")
    parser.add_argument(
        "--shrink", type=int, metavar="SEED", help="write it as small as it is wrong"
    )
    parser.add_argument("-o", "--output", type=Path, default=Path())
    options = parser.parse_args(words)
    for seed in (options.show, options.shrink):
        if seed is not None:
            return _show(seed, options.output, small=options.shrink is not None)
    first, _, last = options.seeds.partition(":")
    return _table(range(int(first), int(last)), options.jobs)


def _show(seed: int, output: Path, *, small: bool) -> int:
    case = drawn(seed, draw(seed))
    if small:
        case = shrunken(case)
    path = output / f"examination-{seed}.recon.json"
    path.write_text(written(document(case.world, *case.sides(), case.multipliers)))
    print(path)
    print(described(seed, case, judged(case)))
    return 0


def described(seed: int, case: Any, verdict: Judgement) -> str:
    """The truth and the answer, in lines."""
    lines = [f"seed {seed}: {case.world.name}, {case.world.evidence}, fees {case.world.schedule}"]
    lines += [f"  true  {f.side} {f.name} {' '.join(sorted(f.ids))}" for f in case.faults]
    lines += [f"  diff  {text}" for text in verdict.diffs]
    for answer in verdict.answers:
        lines.append(f"  {answer['verdict']}  {answer['text']}")
        lines += [f"    {e['side']} {e['action']} {e['row']}" for e in answer["repair"]]
    return "\n".join([*lines, f"  -> {verdict.outcome}: {verdict.reason}"])


def _examinations(seeds: range, jobs: int) -> Iterator[Row]:
    if jobs == 1:
        yield from map(examined, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(examined, seeds, chunksize=10)


def _table(seeds: range, jobs: int) -> int:
    worlds: dict[str, Counter[str]] = defaultdict(Counter)
    faults: dict[str, Counter[str]] = defaultdict(Counter)
    wrong = 0
    for seed, world, evidence, names, verdict in _examinations(seeds, jobs):
        worlds[world][verdict.outcome] += 1
        faults[names[0].partition(":")[2] if len(names) == 1 else "two faults"][
            verdict.outcome
        ] += 1
        if verdict.outcome == "wrong":
            wrong += 1
            answer = f"{_causes(verdict)}: {verdict.reason}"
            print("WRONG", seed, world, evidence, " + ".join(names), "->", answer, flush=True)
    for title, rows in (("world", worlds), ("fault", faults)):
        print(f"\n{title:20} {'n':>6}" + "".join(f"{name:>9}" for name in OUTCOMES))
        total: Counter[str] = Counter()
        for name in sorted(
            rows, key=lambda name: (WORLDS.index(name) if name in WORLDS else 0, name)
        ):
            total += rows[name]
            _line(name, rows[name])
        _line("all", total)
    return int(wrong > 0)


def _causes(verdict: Judgement) -> str:
    unique = [answer for answer in verdict.answers if answer["verdict"] == "unique"]
    causes = [cause for answer in unique for cause in answer["causes"]]
    return " + ".join(f"{cause['side']}:{cause['kind']}" for cause in causes)


def _line(name: str, counts: Counter[str]) -> None:
    print(f"{name:20} {counts.total():>6}" + "".join(f"{counts[o]:>9}" for o in OUTCOMES))


if __name__ == "__main__":
    sys.exit(main())
