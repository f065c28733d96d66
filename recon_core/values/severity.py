"""Severity of a difference (design, "Severity levels")."""

from enum import StrEnum


class Severity(StrEnum):
    """INFO < WARN < FAIL < CRITICAL; the value is what logs and reports print."""

    INFO = "INFO"
    WARN = "WARN"
    FAIL = "FAIL"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """0 for INFO up to 3 for CRITICAL."""
        return _RANKS[self]

    @property
    def blocks(self) -> bool:
        """True if one diff of this severity blocks a deployment by itself."""
        return self.rank >= Severity.FAIL.rank


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
