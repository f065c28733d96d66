"""A line of the policy: the key that decided a verdict, and its value."""

from dataclasses import dataclass
from decimal import Decimal

from recon_core.values.amounts import format_amount


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A key of the policy, such as `cash.absolute.USDT` by its parts, and its value as text."""

    key: tuple[str, ...]
    value: str

    @classmethod
    def of(cls, value: Decimal | str, *key: str) -> "PolicyLine":
        """Return the line of a key with its value."""
        text = format_amount(value) if isinstance(value, Decimal) else str(value)
        return cls(key, text)
