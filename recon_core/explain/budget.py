"""The budget of a search: operations and not seconds, so that every machine answers alike."""

from dataclasses import dataclass
from typing import Final

from recon_core.explanation import Effort
from recon_core.model import RecordedSession

OF_A_REPLAY: Final = 12
"""Operations for a fill in a replay; one is about a microsecond."""

OF_A_PRINT: Final = 25
"""Operations for the prints of a fill's edits."""

OF_A_SIEVE: Final = 2
"""Operations for comparing the quantity and the fee of a fill."""

OF_A_RECONCILIATION: Final = 40
"""Operations for a fill in a reconciliation."""

OF_A_READING: Final = 8
"""Operations for a changed fill where readings of orders are put together."""

OF_SETTLING: Final = 12
"""Operations where only what is open in the end is worked out, for two edits."""

FILLS_OF_SETTLING: Final = 20
"""Fills that such a look follows in one operation more: most positions turn soon."""

_BASE: Final = {Effort.OFF: 0, Effort.FAST: 2_500_000, Effort.FULL: 40_000_000}
_PER_ROW: Final = {Effort.OFF: 0, Effort.FAST: 150, Effort.FULL: 2_000}


class BudgetError(Exception):
    """The budget has ended before the search."""


@dataclass
class Budget:
    """What is left to spend on one session."""

    left: int

    @classmethod
    def of(cls, effort: Effort, rows: int) -> "Budget":
        """The budget of a session of so many fills and movements."""
        return cls(_BASE[effort] + _PER_ROW[effort] * rows)

    def spend(self, operations: int) -> None:
        """Take operations off; raises `BudgetError` where there are not so many left."""
        if operations > self.left:
            raise BudgetError
        self.left -= operations


def rows_of(recorded: RecordedSession) -> int:
    """How many fills and movements both sides give."""
    records = recorded.own_records().values()
    return sum(len(record.fills or ()) + len(record.movements or ()) for record in records)
