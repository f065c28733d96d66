"""Budget of a search, in operations instead of seconds: every machine gives the same answer."""

import sys
from dataclasses import dataclass
from typing import Final

from recon_core.model import RecordedSession
from recon_core.model.explanation import Effort

OF_A_REPLAY: Final = 8
"""Operations for each fill of a replay; an operation is about a microsecond."""

OF_A_FINGERPRINT: Final = 15
"""Operations for the fingerprints of all hypotheses about one fill."""

OF_A_PREFILTER: Final = 2
"""Operations for comparing the quantity and the fee of one fill."""

OF_A_RECONCILIATION: Final = 10
"""Operations for each fill of a reconciliation."""

OF_A_POSTING: Final = 5
"""Operations for the effect of one row, posted alone."""

OF_A_SUM: Final = 1
"""Operations for each fill of a sum of fills: their trades are one sum, their fees another."""

OF_AN_INTERPRETATION: Final = 8
"""Operations for each hypothesis in a combination of interpretations of orders."""

OF_OPEN_VALUE: Final = 15
"""Operations for the open value that two hypotheses leave at the end, without a replay."""

TRADES_OF_AN_OPERATION: Final = 4
"""Trades that one further operation follows there, from one patch to the next."""

_BASE: Final = {Effort.OFF: 0, Effort.FAST: 1_000_000, Effort.FULL: 40_000_000}
"""Operations of any session, about 1 s (fast) and 40 s (full) of a processor.

A fast search runs in every failing test, a full one only on request. Of the answers that are found
with more, 1 in 100 is lost: most are found with a tenth, and the others end as `not-searched`.
"""

_PER_ROW: Final = {Effort.OFF: 0, Effort.FAST: 50, Effort.FULL: 2_000}
"""Operations in addition for each fill and movement, for passes over a large session.

50 are two reconciliations, the fingerprints of every fill, and a sum or two.
"""


MOST_ROWS: Final = 4_000_000
"""Fills and movements of both sides that are searched: each is an object, and all take 2 GiB.

They are two tables as large as `table_rows` allows by default.
"""


class BudgetError(Exception):
    """Raised when the budget ends before the search."""


@dataclass
class Budget:
    """Operations that are left for one session."""

    left: int

    @classmethod
    def of(cls, effort: Effort, rows: int, divisor: int = 1) -> "Budget":
        """Return the budget of a session with this number of fills and movements.

        It is divided by `divisor`, for a caller that asks for many explanations.
        """
        return cls((_BASE[effort] + _PER_ROW[effort] * rows) // divisor)

    @classmethod
    def unlimited(cls) -> "Budget":
        """Return a budget that does not end."""
        return cls(sys.maxsize)

    def charge(self, operations: int) -> None:
        """Take operations off that are done; the next `spend` raises if none are left."""
        self.left -= operations

    def spend(self, operations: int) -> None:
        """Take operations off; raise `BudgetError` if fewer are left."""
        if operations > self.left:
            raise BudgetError
        self.left -= operations


def rows_of(recorded: RecordedSession) -> int:
    """Return the number of fills and movements of both sides."""
    records = recorded.own_records().values()
    return sum(len(record.fill_rows) + len(record.movement_rows) for record in records)
