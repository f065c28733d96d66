"""Amounts as statements write them: with a unit, grouping, or the sign at the end.

A cell is split by what the mapping declares, and by nothing else: `1,259` is refused
until the mapping says that the comma groups thousands. Example, with `unit`, `thousands = ","`
and `signs = ["parentheses"]`: `($1,259.59)` has the amount -1259.59 and the unit `$`.
"""

import decimal
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from recon_core.sessions.formats.table_schema import AmountShape
from recon_core.values.amounts import (
    EXACT,
    MOST_DIGITS,
    decimal_places,
    parse_amount,
    require_amount,
    round_to_places,
    shortest_amount,
)
from recon_core.values.errors import SessionError
from recon_core.values.printable import quoted

_BEFORE: Final = r"[^\d\s.,'+()_-]{1,12}"
_AFTER: Final = r"[^\d\s.,'+()_-][^\s,'+()-]{0,19}"
_PRICING: Final = decimal.Context(
    prec=100, traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
)
_SPACE: Final = r"[ \u00a0\u202f]?"
_SIGNS: Final = {
    "plus": "a sign +",
    "trailing": "a sign at the end",
    "parentheses": "parentheses for a minus",
}


@dataclass(frozen=True, slots=True)
class Notation:
    """Reader of the amounts of one mapping.

    `assets` are the source's words for currencies; a unit that it lists is the currency.
    """

    shape: AmountShape
    assets: Mapping[str, str]
    floats: bool
    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, shape: AmountShape, assets: Mapping[str, str], *, floats: bool) -> "Notation":
        """Return the reader for what a mapping declares; raises `SessionError`."""
        if shape.thousands == shape.decimal:
            raise SessionError(f"amounts: thousands and decimal are both {shape.decimal!r}")
        plain = AmountShape() == shape
        return cls(shape, assets, floats, None if plain else re.compile(_pattern(shape)))

    def amount(self, text: str) -> Decimal:
        """Read the amount of a cell; raises `ReconError`."""
        if self.pattern is None:
            return shortest_amount(text) if self.floats else parse_amount(text)
        return self._signed(self._parts(text))

    def unit(self, text: str) -> str:
        """Read the unit of a cell as a currency; raises `ReconError` where it has none."""
        word = "" if self.pattern is None else self._parts(text)["unit"]
        if not word:
            raise SessionError(
                f"{quoted(text)} has no unit; expected one like 0.18SOL, and amounts.unit = true"
            )
        return self.assets.get(word, word)

    def _parts(self, text: str) -> dict[str, str]:
        own = next((unit for unit in self.shape.units or () if text.endswith(unit)), "")
        # A unit that begins with a digit would lose it to the amount.
        body = text[: len(text) - len(own)] if own else text
        assert self.pattern is not None  # noqa: S101  # both callers have looked
        match = self.pattern.fullmatch(body.strip())
        if match is None:
            raise SessionError(f"{quoted(text)} is not an amount; expected {_expected(self.shape)}")
        found = {name: part for name, part in match.groupdict().items() if part}
        unit = own or found.get("before") or found.get("after") or ""
        return {**found, "unit": unit}

    def _signed(self, parts: Mapping[str, str]) -> Decimal:
        signs = [parts[name] for name in ("first", "second", "last") if name in parts]
        if len(signs) > 1 or (signs and "open" in parts):
            raise SessionError("has two signs; expected one")
        digits = parts["whole"].replace(self.shape.thousands or "", "")
        plain = digits + parts.get("fraction", "").replace(self.shape.decimal, ".")
        minus = "-" if "-" in signs or "open" in parts else ""
        text = minus + plain
        if self.floats:
            return shortest_amount(text + parts.get("exponent", ""))
        if "exponent" in parts:
            return require_amount(Decimal(text + parts["exponent"]), "amount")
        return parse_amount(text)


def _pattern(shape: AmountShape) -> str:
    group = re.escape(shape.thousands or "")
    whole = r"[0-9]{1,40}"
    if shape.thousands is not None:
        whole = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}}){{1,13}}|{whole}"
    exponent = r"(?P<exponent>[eE][+-]?[0-9]{1,3})?" if shape.exponent else ""
    point = re.escape(shape.decimal)
    number = rf"(?P<whole>{whole})(?P<fraction>{point}[0-9]{{1,40}})?{exponent}"
    sign = "[+-]" if "plus" in shape.signs else "-"
    last = f"(?P<last>{sign})?" if "trailing" in shape.signs else ""
    if shape.unit:
        number = rf"(?:(?P<before>{_BEFORE}){_SPACE})?(?P<second>{sign})?{number}{last}"
        number += rf"(?:{_SPACE}(?P<after>{_AFTER}))?"
    else:
        number += last
    number = rf"(?P<first>{sign})?{number}"
    if "parentheses" in shape.signs:
        return rf"(?P<open>\()?{number}(?(open)\))"
    return number


def _expected(shape: AmountShape) -> str:
    """Return the declared way of writing in words, with an example."""
    words = [f"digits with {shape.decimal!r} before the decimals"]
    if shape.thousands is not None:
        words.append(f"{shape.thousands!r} between groups of three digits")
    if shape.unit:
        words.append("a unit before or after")
    words += [_SIGNS[sign] for sign in shape.signs]
    if shape.exponent:
        words.append("an exponent")
    return ", ".join(words)


def shortest_price(value: Decimal, quantity: Decimal) -> Decimal:
    """Return the price of the fewest decimals whose value is `value` to its last digit.

    A statement that gives 24.9998 paid for 0.00037615 does not give the price; 66462.3 is the
    shortest that makes 24.9998 of this quantity again, rounded half-even to four decimals.
    Raises `SessionError` where no price of 30 decimals does.
    """
    if not quantity:
        raise SessionError("quantity is 0; expected one that a value can be divided by")
    whole, part = _PRICING.divide(value, quantity), decimal_places(value)
    for places in range(MOST_DIGITS + 1):
        price = round_to_places(whole, places)
        if round_to_places(EXACT.multiply(price, quantity), part) == value:
            return price
    raise SessionError(f"no price of 30 decimals makes {value:f} of {quantity:f}")
