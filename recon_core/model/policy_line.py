"""A line of the policy: a key that keeps a verdict mild, and its value."""

from dataclasses import dataclass
from decimal import Decimal

from recon_core.values.amounts import format_amount
from recon_core.values.severity import Severity


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A key of the policy, such as `cash.absolute.USDT` by its parts, and its value as text.

    `severity` is the verdict that the line alone allows: no worse one, whatever others say.
    """

    key: tuple[str, ...]
    value: str
    severity: Severity

    @classmethod
    def of(cls, severity: Severity, value: Decimal | str, *key: str) -> "PolicyLine":
        """Return the line of a key with its value."""
        text = format_amount(value) if isinstance(value, Decimal) else str(value)
        return cls(key, text, severity)
