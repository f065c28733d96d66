"""Budget of a search, in operations instead of seconds: every machine gives the same answer."""

from dataclasses import dataclass
from typing import Final

from recon_core.model import RecordedSession
from recon_core.model.explanation import Effort

OF_A_REPLAY: Final = 12
"""Operations for each fill of a replay; an operation is about a microsecond."""

OF_A_FINGERPRINT: Final = 25
"""Operations for the fingerprints of all hypotheses about one fill."""

OF_A_PREFILTER: Final = 2
"""Operations for comparing the quantity and the fee of one fill."""

OF_A_RECONCILIATION: Final = 40
"""Operations for each fill of a reconciliation."""

OF_AN_INTERPRETATION: Final = 8
"""Operations for each hypothesis in a combination of interpretations of orders."""

OF_OPEN_VALUE: Final = 12
"""Operations for the open value that two hypotheses leave at the end, without a replay."""

FILLS_OF_OPEN_VALUE: Final = 20
"""Fills that one further operation follows there.

Most positions turn soon, and the value after a turn is kept.
"""

_BASE: Final = {Effort.OFF: 0, Effort.FAST: 2_500_000, Effort.FULL: 40_000_000}
"""Operations of any session, about 2.5 s (fast) and 40 s (full).

A fast search runs in every failing test, a full one only on request. With less, the pairs
of hypotheses, which are the last step, may not be reached.
"""

_PER_ROW: Final = {Effort.OFF: 0, Effort.FAST: 150, Effort.FULL: 2_000}
"""Operations in addition for each fill and movement, for passes over a large session.

150 are three reconciliations, or six times the fingerprints of every fill.
"""


class BudgetError(Exception):
    """Raised when the budget ends before the search."""


@dataclass
class Budget:
    """Operations that are left for one session."""

    left: int

    @classmethod
    def of(cls, effort: Effort, rows: int) -> "Budget":
        """Return the budget of a session with this number of fills and movements."""
        return cls(_BASE[effort] + _PER_ROW[effort] * rows)

    def spend(self, operations: int) -> None:
        """Take operations off; raise `BudgetError` if fewer are left."""
        if operations > self.left:
            raise BudgetError
        self.left -= operations


def rows_of(recorded: RecordedSession) -> int:
    """Return the number of fills and movements of both sides."""
    records = recorded.own_records().values()
    return sum(len(record.fills or ()) + len(record.movements or ()) for record in records)
