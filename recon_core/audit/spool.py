"""Items of an answer that are kept in a temporary file instead of in memory.

Each item is one line of JSON, written when it is met and read in the order of the answer;
of each only its place in the file and what it is sorted by stay in memory.
"""

import json
from array import array
from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, Final
from weakref import finalize

from recon_core.values.errors import AuditError

_IN_MEMORY: Final = 8 << 20
"""Bytes that are kept in memory; a longer spool is a temporary file."""

# One for all entries: making an encoder costs as much as an entry.
_ENCODER: Final = json.JSONEncoder(allow_nan=False)


def one_line(value: object) -> str:
    """JSON on one line, ASCII only; raises `AuditError` for what JSON cannot say."""
    try:
        return _ENCODER.encode(value)
    except ValueError:
        raise AuditError("an entry holds a number that JSON has no word for") from None
    except RecursionError:
        raise AuditError("an entry is nested too deep") from None


class Spool:
    """Lines of JSON by the number under which they were added, from 0 on."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed with this object
        finalize(self, self._file.close)
        self._starts = array("Q", [0])

    def __len__(self) -> int:
        return len(self._starts) - 1

    def add(self, value: object) -> int:
        """Keep a value of JSON; its number. Raises `AuditError` for what JSON cannot say."""
        line = one_line(value).encode()
        self._file.write(line)
        self._starts.append(self._starts[-1] + len(line))
        return len(self) - 1

    def line(self, number: int) -> str:
        """The JSON of a value that was added."""
        start, end = self._starts[number], self._starts[number + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode()


class SpooledItems(Sequence[Any]):
    """Some values of a spool in an order of their own, decoded when they are looked at."""

    def __init__(self, spool: Spool, numbers: Sequence[int]) -> None:
        self._spool, self._numbers = spool, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: Any) -> Any:
        return json.loads(self._spool.line(self._numbers[place]))

    def lines(self) -> Iterator[str]:
        """The JSON of each."""
        return map(self._spool.line, self._numbers)
