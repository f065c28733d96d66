"""Pause the garbage collector while many rows are made; remember one answer for each object."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Final, TypeVar
from weakref import ref

Subject = TypeVar("Subject")
Answer = TypeVar("Answer")

MANY: Final = 50_000
"""Objects from which on a look at all of them takes too long."""

_BY_PYTHON: Final = 2_000
"""Objects that the interpreter may set aside itself (3.12.1 does, some hundreds)."""


@contextmanager
def without_collecting() -> Iterator[None]:
    """Pause the cyclic collector while rows are read, matched and written into reports.

    Rows hold no cycles, and with hundreds of thousands of them the collector takes a third
    of the time. Reference counting continues; an exception turns it on again too. Where
    many were made, they count as old: the collector looks at them when it looks at
    everything, and not at once.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if gc.get_count()[0] > MANY and gc.get_freeze_count() < _BY_PYTHON:
                _make_old()
            gc.enable()


def once_while_it_lives(
    function: Callable[[Subject], Answer],
) -> Callable[[Subject], Answer]:
    """Keep the answer of a function for each object, by identity, as long as the object lives.

    The object and the answer must never change.
    """
    known: dict[int, tuple[ref[Subject], Answer]] = {}

    @wraps(function)
    def answer(subject: Subject) -> Answer:
        key = id(subject)
        if key not in known:
            known[key] = ref(subject, lambda _: known.pop(key)), function(subject)
        return known[key][1]

    return answer


def _make_old() -> None:
    """Move every object to the oldest generation; a program must have set none aside."""
    gc.freeze()
    gc.unfreeze()
