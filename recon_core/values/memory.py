"""Pause the garbage collector while many rows are made at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

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


def _make_old() -> None:
    """Move every object to the oldest generation; a program must have set none aside."""
    gc.freeze()
    gc.unfreeze()
