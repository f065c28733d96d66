"""Exact amounts: `Decimal` from text to verdict, never a binary float.

Source of the rules: session format, "Amounts and times", and design, "Exactness". Every
operation uses `EXACT`, whose precision no sum or product of legal amounts reaches and which
raises instead of rounding. A posting is rounded in one place, `round_to_places` (`rounding` and
`each_rounded` are the same for many), as a source rounds by `round_by`, and nothing else is.
"""

import decimal
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import repeat
from typing import Final

from recon_core.values.errors import AmountError
from recon_core.values.printable import printable, quoted

ZERO: Final = Decimal(0)

EXACT: Final = decimal.Context(
    prec=1000,
    Emax=decimal.MAX_EMAX,
    Emin=decimal.MIN_EMIN,
    traps=[
        decimal.Inexact,
        decimal.Overflow,
        decimal.InvalidOperation,
        decimal.DivisionByZero,
        decimal.FloatOperation,
    ],
)
_BY_MODE: Final = {
    mode: decimal.Context(
        prec=1000,
        rounding=mode,
        traps=[decimal.Overflow, decimal.InvalidOperation, decimal.DivisionByZero],
    )
    for mode in (
        decimal.ROUND_HALF_EVEN,
        decimal.ROUND_HALF_UP,
        decimal.ROUND_DOWN,
        decimal.ROUND_FLOOR,
        decimal.ROUND_CEILING,
    )
}
_ROUNDING: Final = _BY_MODE[decimal.ROUND_HALF_EVEN]
_DISPLAY: Final = decimal.Context(prec=12, rounding=decimal.ROUND_HALF_EVEN, traps=[])

MOST_DIGITS: Final = 30
"""Digits that an amount may have before the point, and after it."""

MOST_STATE_DIGITS: Final = 100
"""The same for a state: sums and products of amounts have more digits than they."""

AMOUNT_PATTERN: Final = r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?"
"""An amount of the session format, as a regular expression."""

_AMOUNT = re.compile(AMOUNT_PATTERN, re.ASCII)
_FLOAT = re.compile(r"[-+]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][-+]?[0-9]{1,3})?", re.ASCII)
_EXPONENT = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60})?[eE][-+]?[0-9]{1,3}", re.ASCII)
_FLOAT_DIGITS: Final = 17
"""Significant digits; the shortest text of a binary float has no more."""
_ACCEPTED = (
    "a plain decimal of at most 30 digits before and 30 after the point, "
    "without exponent, plus sign or grouping"
)


@dataclass(frozen=True, slots=True)
class NumberText:
    """The text of a JSON or TOML number as written in the file; no float touched it."""

    text: str

    def __str__(self) -> str:
        """The text itself."""
        return self.text


def parse_amount(text: str) -> Decimal:
    """Read an amount from its text, exactly; `-0` is `0`.

    Raises `AmountError` for anything the session format does not allow.
    """
    if _AMOUNT.fullmatch(text) is None:
        plain = without_exponent(text)
        meant = f"; did you mean '{plain}'?" if plain is not None else ""
        raise AmountError(f"{quoted(text)} is not an amount; expected {_ACCEPTED}{meant}")
    amount = Decimal(text)
    return amount or amount.copy_abs()


def without_exponent(text: str) -> str | None:
    """Write an amount with an exponent plainly: `7.7E-7`, the text of a `Decimal`, is 0.00000077.

    `None` for text without an exponent, and for what is too long for an amount.
    """
    if _EXPONENT.fullmatch(text) is None:
        return None
    plain = format(Decimal(text), "f")
    return plain if _AMOUNT.fullmatch(plain) else None


def shortest_amount(number: float | str) -> Decimal:
    """The shortest decimal that names a binary float: 0.1 for the float that is shown as 0.1.

    For sources that compute in floats: `number` is the float, or its text as the source
    printed it, an exponent included. Decimals beyond the 30th are rounded half-even; no
    float of everyday size has any. Raises `AmountError` for NaN, infinity and what is no
    number.
    """
    if isinstance(number, int) and not isinstance(number, bool):
        return require_amount(number, "number")
    text = str(number)  # numpy's own floats have a longer `repr`
    if _FLOAT.fullmatch(text) is None:
        raise AmountError(f"{quoted(text)} is not a finite number; expected one like 0.1 or 1e-05")
    amount = Decimal(text)
    if isinstance(number, str) and len(amount.as_tuple().digits) > _FLOAT_DIGITS:
        # Printed with more digits than a float has: what the float was is shorter.
        amount = Decimal(repr(float(text)))
    if amount.adjusted() >= MOST_DIGITS:
        raise AmountError(f"{quoted(text)} is too large; expected {_ACCEPTED}")
    if decimal_places(amount) > MOST_DIGITS:
        amount = round_to_places(amount, MOST_DIGITS)
    return shortest(amount) if amount else ZERO


def require_amount(value: object, name: str, most_digits: int = MOST_DIGITS) -> Decimal:
    """Return `value`, given from Python as `Decimal` or `int`, as a legal amount.

    `name` says in the error what the value was for. A float is refused: it has
    already lost the digits that the comparison would be about.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        shown = printable(repr(value), 60)
        raise AmountError(f"{name}: {shown} is not an exact amount; expected a Decimal or an int")
    if value.adjusted() >= most_digits or decimal_places(value) > most_digits:
        raise AmountError(f"{name}: {printable(value, 60)} is too long; expected {_ACCEPTED}")
    return value or value.copy_abs()


def format_amount(amount: Decimal) -> str:
    """Print an amount without exponent, with the decimals it was given with."""
    return format(amount or amount.copy_abs(), "f")


def decimal_places(amount: Decimal) -> int:
    """The number of digits after the point, trailing zeros included."""
    text = str(amount)  # a third of the time that a tuple of all digits takes
    if "E" not in text:
        return len(text.partition(".")[2])
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def pad_to_places(amount: Decimal, places: int) -> Decimal:
    """The same amount with at least `places` decimals; no digit is ever lost."""
    if decimal_places(amount) >= places:
        return amount
    return EXACT.quantize(amount, unit_at(places))


def with_places(amount: Decimal, places: int) -> Decimal:
    """The same amount with exactly `places` decimals; raises where a digit would be lost."""
    return EXACT.quantize(amount, unit_at(places))


def shortest(amount: Decimal) -> Decimal:
    """The same amount without trailing zeros after the point, and without exponent."""
    normal = EXACT.normalize(amount)
    return normal if decimal_places(normal) else EXACT.quantize(normal, Decimal(1))


def shortest_places(amount: Decimal) -> int:
    """The number of digits after the point without trailing zeros."""
    whole, point, digits = str(amount).partition(".")
    if "E" in digits or "E" in whole:
        return decimal_places(shortest(amount))
    return len(digits.rstrip("0")) if point else 0


def round_half_away(amount: Decimal) -> Decimal:
    """Return a whole number: the nearest, and of two the one that is farther from zero."""
    return amount.quantize(Decimal(1), decimal.ROUND_HALF_UP, _ROUNDING)


def round_to_places(amount: Decimal, places: int) -> Decimal:
    """Round half-even to `places` decimals: the rounding of one posting."""
    return _ROUNDING.quantize(amount, unit_at(places))


def round_by(amount: Decimal, places: int, mode: str) -> Decimal:
    """Round to `places` decimals as a source does; `mode` is one of those of `decimal`."""
    return _BY_MODE[mode].quantize(amount, unit_at(places))


def rounding(places: int) -> Callable[[Decimal], Decimal]:
    """`round_to_places` with the places given once, for the many postings of a replay."""
    quantize, unit = _ROUNDING.quantize, unit_at(places)

    def rounded(amount: Decimal) -> Decimal:
        return quantize(amount, unit)

    return rounded


def each_rounded(amounts: Iterable[Decimal], places: int) -> Iterator[Decimal]:
    """`round_to_places` of each amount, quicker than one by one."""
    return map(_ROUNDING.quantize, amounts, repeat(unit_at(places)))


def unit_at(places: int) -> Decimal:
    """Return the unit of the last of some decimals: `0.01` for 2, `100` for -2."""
    return Decimal((0, (1,), -places))


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Add amounts without loss."""
    return reduce(EXACT.add, amounts, ZERO)


def larger_magnitude(first: Decimal, second: Decimal) -> Decimal:
    """`max(|first|, |second|)`, the reference of every relative tolerance."""
    return max(first.copy_abs(), second.copy_abs())


def display_ratio(numerator: Decimal, denominator: Decimal) -> Decimal:
    """`numerator / denominator` to 12 significant digits, for display only.

    Verdicts are decided by cross-multiplication, never from this number.
    """
    ratio = _DISPLAY.divide(numerator, denominator)
    return ratio.normalize(_DISPLAY) if ratio else ZERO


def percent_text(numerator: Decimal, denominator: Decimal) -> str:
    """The ratio as a percentage, `0.5 %`; an ellipsis where digits were cut."""
    percent = display_ratio(EXACT.multiply(numerator, Decimal(100)), denominator)
    back = EXACT.multiply(percent, denominator)
    exact = back == EXACT.multiply(numerator, Decimal(100))
    shown = format_amount(percent)
    if exact:
        return f"{shown} %"
    places = max(0, 11 - percent.adjusted())
    return f"{format_amount(pad_to_places(percent, places))}… %"
