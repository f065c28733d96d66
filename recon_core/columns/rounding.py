"""Amounts of a table rounded half-even, as SQL.

0.5 * 0.25 = 0.125 is 0.12. A cast of DuckDB rounds half away from zero, to 0.13; where the amount
lies in the middle and the last digit of the cast is odd, one unit is taken back.
"""

from dataclasses import dataclass
from typing import Final

_ODD: Final = "('1', '3', '5', '7', '9')"


@dataclass(frozen=True, slots=True)
class Rounded:
    """An amount of `places` decimals, rounded half-even `to` fewer."""

    name: str
    digits: int
    places: int
    to: int

    def sql(self) -> str:
        """The rounded amount; with no fewer places it is the amount."""
        if self.to >= self.places:
            return self.name
        cast = f"{self.name}::DECIMAL({self.digits}, {self.to})"
        half = f"0.{'0' * self.to}5::DECIMAL({self.to + 1}, {self.to + 1})"
        unit = (
            "1::DECIMAL(1, 0)"
            if not self.to
            else f"0.{'0' * (self.to - 1)}1::DECIMAL({self.to}, {self.to})"
        )
        between = f"abs({cast}::DECIMAL({self.digits}, {self.places}) - {self.name})"
        return (
            f"({cast} - CASE WHEN {between} = {half} AND right({cast}::VARCHAR, 1) IN {_ODD} "
            f"THEN sign({self.name}) * {unit} ELSE 0 * {unit} END)"
        )
