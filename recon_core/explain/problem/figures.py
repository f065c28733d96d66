"""Slips of the pen: errors that turn a right number into a wrong one."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import gcd
from typing import Final

from recon_core.values.amounts import EXACT, ZERO, decimal_places, exact_sum, shortest

_FEWEST_DIGITS: Final = 3
"""Fewest digits of the longer number.

With fewer, a coincidence looks like a slip: any two numbers of one digit differ in one digit.
"""

_MOST_ADDED: Final = 2
"""Most decimals that one number has more than the other.

A slip may end in zeros that are not written, as 1.25 for 1.205. A longer tail is the result
of a division and not of a pen.
"""

POWERS: Final = tuple(Decimal(1).scaleb(exponent) for exponent in range(-9, 10) if exponent)
"""Factors between units, 10^-9 (nano) to 10^9: each is one comparison of totals."""

MODES: Final = (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN, ROUND_FLOOR, ROUND_CEILING)

_TICKS: Final = (25, 5, 2, 1)
"""Units of the last digit in a tick, as venues have them, the largest first."""

LARGEST_POWER: Final = 18
"""Exponent of the largest unit: 10^18 wei are an ether, the finest unit in wide use."""


def slip(wrong: Decimal, right: Decimal) -> str | None:
    """Return the slip that turns one positive number into the other, in words, or `None`.

    A power of ten (12.5 for 1.25), one wrong digit, or two digits exchanged.
    """
    if wrong <= 0 or right <= 0 or wrong == right:
        return None
    power = power_of_ten(wrong, right)
    if power is not None:
        return f"{power} times"
    first, second = _aligned(wrong, right)
    if len(first) != len(second) or not _typed(wrong, right):
        return None
    differing = [at for at in range(len(first)) if first[at] != second[at]]
    if len(differing) == 1:
        return "one digit differs"
    if len(differing) == 2 and _swapped(first, second, differing):  # noqa: PLR2004  # a pair
        return "two digits are swapped"
    return None


def _typed(wrong: Decimal, right: Decimal) -> bool:
    """True if one number may be the other mistyped: both have digits enough, and like decimals."""
    one, other = shortest(wrong), shortest(right)
    added = abs(decimal_places(one) - decimal_places(other))
    digits = max(len(number.normalize(EXACT).as_tuple().digits) for number in (one, other))
    return added <= _MOST_ADDED and digits >= _FEWEST_DIGITS


def power_of_ten(wrong: Decimal, right: Decimal) -> str | None:
    """Return the power of ten by which one number is the other, in words, or `None`."""
    one, other = wrong.normalize(EXACT), right.normalize(EXACT)
    if one.as_tuple().digits != other.as_tuple().digits:
        return None
    return f"10^{one.adjusted() - other.adjusted()}"


def _aligned(wrong: Decimal, right: Decimal) -> tuple[str, str]:
    """Return the digits of both numbers, padded to the same number of decimals."""
    places = max(decimal_places(shortest(wrong)), decimal_places(shortest(right)))
    first, second = (f"{number:.{places}f}".replace(".", "") for number in (wrong, right))
    return first, second


def _swapped(first: str, second: str, at: list[int]) -> bool:
    one, other = at
    return first[one] == second[other] and first[other] == second[one]


def last_digit(amount: Decimal) -> int:
    """Return the power of ten of the last digit that is not 0: -1 of 1.50, 3 of 5000."""
    return int(amount.normalize(EXACT).as_tuple().exponent)


def units_of(amount: Decimal, lot: Decimal = ZERO) -> int:
    """Return how many units an amount is: of its last digit, or of a lot if that is larger.

    500 is 5 units and 0.123 is 123. In lots of 0.061 the amount 0.122 is 2 units.
    """
    own = Decimal(1).scaleb(last_digit(amount))
    unit = max(own, common_lot((lot, amount))) if lot else own
    return int(EXACT.divide_int(amount.copy_abs(), unit))


def common_lot(amounts: Iterable[Decimal]) -> Decimal:
    """Return the largest amount of which all are whole multiples, 0 if all are 0."""
    given = list(filter(None, amounts))
    if not given:
        return ZERO
    unit, lot = _unit_of_all(given), 0
    for amount in given:
        lot = gcd(lot, int(EXACT.divide_int(amount, unit)))
        if lot == 1:  # no smaller one
            break
    return EXACT.normalize(EXACT.multiply(Decimal(lot), unit))


def _unit_of_all(amounts: Iterable[Decimal]) -> Decimal:
    """Return a power of ten of which all amounts are whole multiples: a sum has the last digit."""
    exponent = exact_sum(amounts).as_tuple().exponent
    return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)


def tick_of(prices: Iterable[Decimal]) -> Decimal:
    """Return the largest usual tick of which all prices are whole multiples, 0 without a price.

    A tick is 1, 2, 5 or 25 times a power of ten: 0.5 of 100.5 and 102, though both are in 1.5.
    """
    lot = common_lot(prices)
    if not lot:
        return ZERO
    unit = Decimal(1).scaleb(last_digit(lot))
    count = int(EXACT.divide_int(lot, unit))
    return EXACT.multiply(unit, Decimal(next(one for one in _TICKS if count % one == 0)))


def is_power_of_ten(ratio: Fraction) -> bool:
    """True if a positive ratio is a power of ten up to 10^18, or the inverse of one, and not 1."""
    whole = ratio if ratio > 1 else 1 / ratio
    return any(whole == 10**exponent for exponent in range(1, LARGEST_POWER + 1))
