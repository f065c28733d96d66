"""Severity of a difference (design, "Severity levels")."""

from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """INFO < WAIVED < WARN < FAIL < CRITICAL; the value is what logs and reports print.

    WAIVED is the severity of a WARN or a FAIL that a waiver covers: a known difference, shown
    everywhere, that blocks nothing. No rule and no plugin gives it (docs/waivers.md).
    """

    INFO = "INFO"
    WAIVED = "WAIVED"
    WARN = "WARN"
    FAIL = "FAIL"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """0 for INFO up to 4 for CRITICAL."""
        return _RANKS[self]

    @property
    def blocks(self) -> bool:
        """True if one diff of this severity blocks a deployment by itself."""
        return self.rank >= Severity.FAIL.rank


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}

JUDGED: Final = tuple(severity for severity in Severity if severity is not Severity.WAIVED)
"""The severities that rules, policies and plugins give."""
