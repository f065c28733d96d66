"""Amounts as people read them: four significant digits, and no digit before the point lost.

`1.18784972` is shown as `1.188`, `48932.91060449` as `48933`. The exact amounts are in the JSON,
the JUnit files and the audit log, and in the terminal with `-v`.
"""

import re
from decimal import Decimal
from typing import Final

from recon_core.values.amounts import decimal_places, format_amount, round_to_places, shortest

SIGNIFICANT: Final = 4
"""Significant digits of an amount: as many as a reader compares at a glance."""

_LONG_NUMBER: Final = re.compile(
    r"(?<![\w.:/])(?<!BUY )(?<!SELL )(?<! at )[-+]?[0-9]{1,30}\.[0-9]{5,30}(?![\w.:/-])", re.ASCII
)
"""A number in a sentence with more than four decimals; a quantity and a price name their fill."""


def figure(amount: Decimal) -> str:
    """Return an amount with four significant digits: `0.06173`, `48933`, `5`."""
    return _text(amount, shown_places(amount))


def signed_figure(amount: Decimal) -> str:
    """Return an amount with its sign: `+5`, `-0.06173`."""
    return f"{'+' if amount > 0 else ''}{figure(amount)}"


def compared_figures(first: Decimal, second: Decimal, delta: Decimal) -> tuple[str, str]:
    """Return two amounts with the decimals of their delta, so that both are tellable."""
    places = shown_places(delta)
    return _text(first, places), _text(second, places)


def shown_places(amount: Decimal) -> int:
    """Return the decimals that four significant digits of an amount have."""
    return max(0, SIGNIFICANT - 1 - amount.adjusted()) if amount else 0


def with_short_numbers(sentence: str) -> str:
    """Return a sentence with four significant digits in its long numbers."""
    return _LONG_NUMBER.sub(_shortened, sentence)


def _shortened(match: re.Match[str]) -> str:
    shown = figure(Decimal(match[0]))
    return f"+{shown}" if match[0].startswith("+") else shown


def _text(amount: Decimal, places: int) -> str:
    rounded = round_to_places(amount, places) if decimal_places(amount) > places else amount
    return format_amount(shortest(rounded))
