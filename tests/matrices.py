"""Matrices of cases: a sample by default, all of them under `RECON_TEST_SIZE=soak`."""

import os
from collections.abc import Sequence
from itertools import product
from typing import Any, Final

EVERY: Final = 5
"""One case of so many by default, where the axes are long enough."""


def matrix(*axes: Sequence[Any], every: int = EVERY) -> list[tuple[Any, ...]]:
    """The cases of a matrix: a diagonal sample, which has each value of each axis, or all."""
    return diagonal(1 if os.environ.get("RECON_TEST_SIZE") == "soak" else every, *axes)


def sample(cases: Sequence[Any], every: int = EVERY) -> Sequence[Any]:
    """One of `every` cases, the first among them, or all."""
    return cases if os.environ.get("RECON_TEST_SIZE") == "soak" else cases[::every]


def diagonal(every: int, *axes: Sequence[Any]) -> list[tuple[Any, ...]]:
    """One of `every` cases: those whose places on the axes add up to a multiple of it.

    With one value fixed the sums of the other places are all numbers from 0 to their largest
    sum, so `every` is at most one more than that sum, lest a value have no case.
    """
    lasts = [len(axis) - 1 for axis in axes]
    step = min(every, *(1 + sum(lasts) - last for last in lasts))
    places = product(*(range(len(axis)) for axis in axes))
    return [
        tuple(axis[at] for axis, at in zip(axes, place, strict=True))
        for place in places
        if sum(place) % step == 0
    ]
