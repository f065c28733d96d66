"""Draw mutants, try them and say which survived; ends with 1 below a bar.

PYTHONPATH=tests python -m mutation [--outside 60] [--inside 20] [--seed 7] [--only WORD]
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from .equivalents import read_equivalents, unknown
from .mutants import ROOT, Mutant, all_mutants
from .score import Score
from .trial import TYPES, Outcome, Trial
from .type_check import copied_packages, refused

TESTS = tuple(
    f"tests/{name}"
    for name in ("core", "explain", "trials", "cli", "plugin", "reports", "snapshot")
)
_WITHOUT = ("randomly", "cacheprovider", "xdist", "recon")
_PYTEST = ("-q", "--strict-config", *(word for name in _WITHOUT for word in ("-p", f"no:{name}")))


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 where both bars are reached, 1 below one, 2 for a wrong list."""
    options = _options(arguments)
    os.environ.setdefault("RECON_TEST_SIZE", "mutation")
    mutants = all_mutants()
    listed = read_equivalents()
    gone = unknown(listed, mutants)
    for key in gone:
        print(f"equivalents.toml: no such mutant any more: {key}", file=sys.stderr)
    if gone:
        return 2
    trial = Trial(plan(mutants, options), options.at_once, options.survey)
    pytest.main([*_PYTEST, *(str(ROOT / tests) for tests in options.tests)], plugins=[trial])
    score = Score(with_types(trial.outcomes), listed)
    print(*score.lines(), sep="\n")
    return 0 if len(trial.outcomes) and score.passes else 1


def plan(mutants: list[Mutant], options: argparse.Namespace) -> list[Mutant]:
    """The mutants to try: so many outside and inside the explanations, by the seed."""
    drawn: list[Mutant] = []
    for count, explains in ((options.outside, False), (options.inside, True)):
        area = [
            mutant
            for mutant in mutants
            if mutant.explains is explains and options.only in str(mutant)
        ]
        drawn += sorted(area, key=partial(_lot, options.seed))[:count]
    return drawn


def _lot(seed: int, mutant: Mutant) -> bytes:
    """The place of a mutant in the draw of a seed: it stays what it is while others come and go."""
    return sha256(repr((seed, *mutant.key)).encode()).digest()


def with_types(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes, with the survivors that the type checker refuses killed by it."""
    survivors = [one.mutant for one in outcomes if not one.killed]
    if not survivors:
        return [*outcomes]
    with copied_packages() as place:
        typed = [*refused(survivors, place)]
    return [replace(one, killer=TYPES) if one.mutant in typed else one for one in outcomes]


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mutation", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--outside", type=int, default=60, help="mutants outside explain")
    parser.add_argument("--inside", type=int, default=20, help="mutants inside explain")
    parser.add_argument("--seed", type=int, default=7, help="which ones are drawn")
    parser.add_argument("--only", default="", help="those whose line contains this text")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="the tests to ask")
    parser.add_argument("--survey", type=Path, help="where the survey of the tests is kept")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="processes")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
