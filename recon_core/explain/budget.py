"""The budget of a search: operations and not seconds, so that every machine answers alike."""

from dataclasses import dataclass
from typing import Final

from recon_core.explanation import Effort

OPERATIONS: Final = {Effort.OFF: 0, Effort.FAST: 2_000_000, Effort.FULL: 100_000_000}
"""How many look-ups and fills of a replay a session may cost."""


class BudgetError(Exception):
    """The budget has ended before the search."""


@dataclass
class Budget:
    """What is left to spend on one session."""

    left: int

    def spend(self, operations: int) -> None:
        """Take operations off; raises `BudgetError` where there are not so many left."""
        if operations > self.left:
            raise BudgetError
        self.left -= operations
