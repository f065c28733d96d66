"""The policy: what is required of a session, and how much difference is tolerated.

Source of the defaults: design, "Severity levels", "Position drift" and "Cash". Relative
limits are fractions, absolute ones are in the unit of the comparison (quantity of the
instrument, amount of the currency).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from recon_core.model import LedgerSide, View
from recon_core.model.policy_line import PolicyLine
from recon_core.policy.aliases import Aliases
from recon_core.policy.severities import effective_severities
from recon_core.values.amounts import (
    EXACT,
    ZERO,
    decimal_places,
    format_amount,
    larger_magnitude,
    pad_to_places,
    percent_text,
    shortest,
)
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

DEFAULT_REQUIRE: Final = ("positions", "cash")
DEFAULT_MAX_SKEW: Final = timedelta(seconds=60)
"""Both sides are asked one after the other; a longer pause compares two moments."""
DEFAULT_FLOAT_DUST: Final = Decimal("0.000001")
"""Unit of the comparison: above the noise of binary floats, below any traded amount."""
DEFAULT_INFO_BELOW: Final = Decimal("0.001")
"""Fraction of the larger quantity: a smaller drift is INFO (design, "Position drift")."""
DEFAULT_FAIL_ABOVE: Final = Decimal("0.01")
"""Fraction of the larger quantity: a larger drift is FAIL (design, "Position drift")."""
DEFAULT_WAIVER_DAYS: Final = 90
"""Days ahead that a waiver may expire: after a quarter somebody looks at it again."""
MOST_WAIVER_DAYS: Final = 3660
"""Days ahead that a policy may allow: ten years, beyond which a waiver is a rule."""
DEFAULT_CASH_RELATIVE: Final = Decimal("0.005")
"""Fraction of the larger balance that a delta may be (design, "Cash")."""
# "1 EUR" is a value and 1 BTC is not: other currencies tolerate nothing until a
# policy names them.
DEFAULT_CASH_ABSOLUTE: Final = MappingProxyType(
    {code: Decimal(1) for code in ("EUR", "USD", "GBP", "CHF", "USDT", "USDC")}
)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The largest delta that is still INFO, its origin in words, and the lines that say so.

    `lines` have each their own limit; one alone makes a delta up to it INFO.
    """

    limit: Decimal
    text: str
    lines: tuple[tuple[Decimal, PolicyLine], ...] = ()

    def covers(self, delta: Decimal) -> bool:
        """True if a delta is at or under the limit."""
        return delta.copy_abs() <= self.limit

    def with_dust(self, dust: Decimal | None) -> "Tolerance":
        """The same, or the policy's `float_dust` where that is larger."""
        if dust is None:
            return self
        lines = (*self.lines, (dust, dust_line(dust)))
        text = f"{self.text}, float_dust {format_amount(dust)}"
        return Tolerance(max(self.limit, dust), text, lines)

    def covering(self, delta: Decimal) -> tuple[PolicyLine, ...]:
        """The lines that cover a delta, each of them alone."""
        return tuple(line for limit, line in self.lines if delta.copy_abs() <= limit)


def dust_line(dust: Decimal) -> PolicyLine:
    """The line of the policy that tolerates the noise of binary floats."""
    return PolicyLine.of(Severity.INFO, dust, "float_dust")


@dataclass(frozen=True, slots=True)
class PositionPolicy:
    """Drift below `info_below` is INFO, above `fail_above` FAIL, WARN in between.

    Both are fractions of the larger quantity: 0.001 is 0.1 %. `absolute` maps a symbol, or a
    pattern such as `BTC/*`, to a delta in units of the instrument up to which it is INFO.
    """

    info_below: Decimal = DEFAULT_INFO_BELOW
    fail_above: Decimal = DEFAULT_FAIL_ABOVE
    absolute: Mapping[str, Decimal] = field(default_factory=dict)

    def absolute_tolerance(self, symbol: str) -> tuple[str, Decimal] | None:
        """The pattern and the absolute tolerance that hold for `symbol`, if any.

        The symbol itself precedes a pattern, a longer pattern before a shorter one, and of
        two equally long ones the stricter holds.
        """
        if symbol in self.absolute:
            return symbol, self.absolute[symbol]
        matching = [item for item in self.absolute.items() if fnmatchcase(symbol, item[0])]
        return min(matching, key=lambda item: (-len(item[0]), item[1]), default=None)

    def thresholds_text(self) -> str:
        """The drift thresholds in words: `INFO below 0.1 %, FAIL above 1 %`."""
        return _thresholds_text(self.info_below, self.fail_above)


@lru_cache(maxsize=8)  # policies in one process: every comparison of a position asks
def _thresholds_text(info_below: Decimal, fail_above: Decimal) -> str:
    one = Decimal(1)
    info, fail = percent_text(info_below, one), percent_text(fail_above, one)
    return f"INFO below {info}, FAIL above {fail}"


class CashLimit(StrEnum):
    """Choice between the absolute and the relative limit of a balance."""

    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class CashPolicy:
    """Tolerance of a balance by an absolute and a relative limit; above it is FAIL.

    `relative` is a fraction of the larger total: 0.005 is 0.5 %. `absolute` maps a currency to
    an amount in it, 0 for one that it does not name. The smaller of both limits holds, with
    the `limit` `max` the larger.
    """

    relative: Decimal = DEFAULT_CASH_RELATIVE
    absolute: Mapping[str, Decimal] = field(default_factory=lambda: dict(DEFAULT_CASH_ABSOLUTE))
    limit: CashLimit = CashLimit.MIN

    def tolerance(self, currency: str, internal: Decimal, external: Decimal) -> Tolerance:
        """The effective tolerance of one balance, exact, with the formula in words."""
        absolute = self.absolute.get(currency, ZERO)
        reference = larger_magnitude(internal, external)
        relative = EXACT.multiply(self.relative, reference)
        limit = (max if self.limit is CashLimit.MAX else min)(absolute, relative)
        shown = printable(currency, 60)
        places = max(decimal_places(internal), decimal_places(external))
        formula = (
            f"{self.limit}({format_amount(absolute)} {shown}, "
            f"{percent_text(self.relative, Decimal(1))} of {format_amount(reference)})"
        )
        held = ": the fraction holds" if absolute and limit == relative != absolute else ""
        lines: tuple[tuple[Decimal, PolicyLine], ...] = (
            (absolute, PolicyLine.of(Severity.INFO, absolute, "cash", "absolute", currency)),
            (relative, PolicyLine.of(Severity.INFO, self.relative, "cash", "relative")),
        )
        if self.limit is CashLimit.MIN:  # the smaller one alone decides
            lines = tuple(each for each in lines if each[0] == limit)[:1]
        return Tolerance(limit, f"{_plain(limit, places)} {shown} = {formula}{held}", lines)


def _plain(amount: Decimal, places: int) -> str:
    """Print with `places` decimals, more only where digits would be lost."""
    return format_amount(pad_to_places(shortest(amount), places))


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules that decide the verdicts on a session's two states.

    `require` names the sections that both sides must report. `max_skew` is the largest
    difference of the times of both sides without a WARN. `float_dust` is the largest delta
    that is INFO where a side computed in binary floats, in the unit of the comparison; it
    has no meaning for exact sides. `position` and `cash` hold the tolerances of quantities
    and balances. `severity` maps cases such as `fill_missing` to severities; the others
    keep their defaults. `aliases` renames symbols and currencies of a side before they are
    compared. `account_split` is the severity of equal sums that the sides have in other
    accounts; `keeps` says for each side in which view it lists an asset. `waiver_days` is
    the number of days ahead that a waiver may expire. Raises `PolicyError` for a case or a
    severity that does not exist.
    """

    require: tuple[str, ...] = DEFAULT_REQUIRE
    max_skew: timedelta = DEFAULT_MAX_SKEW
    float_dust: Decimal = DEFAULT_FLOAT_DUST
    position: PositionPolicy = field(default_factory=PositionPolicy)
    cash: CashPolicy = field(default_factory=CashPolicy)
    severity: Mapping[str, Severity] = field(default_factory=dict)
    aliases: Aliases = field(default_factory=Aliases)
    account_split: Severity = Severity.WARN
    keeps: Mapping[LedgerSide, Mapping[str, View]] = field(default_factory=dict)
    waiver_days: int = DEFAULT_WAIVER_DAYS

    def __post_init__(self) -> None:
        object.__setattr__(self, "severity", effective_severities(self.severity))

    def to_dict(self) -> dict[str, object]:
        """The effective policy as plain data: the evidence of a run."""
        return {
            "require": list(self.require),
            "max_skew_seconds": format_amount(Decimal(str(self.max_skew.total_seconds()))),
            "float_dust": format_amount(self.float_dust),
            "position": {
                "info_below": format_amount(self.position.info_below),
                "fail_above": format_amount(self.position.fail_above),
                "absolute": _amounts(self.position.absolute),
            },
            "cash": {
                "relative": format_amount(self.cash.relative),
                "absolute": _amounts(self.cash.absolute),
                "limit": str(self.cash.limit),
            },
            "severity": {str(case): str(each) for case, each in self.severity.items()},
            "aliases": self.aliases.to_dict(),
            "account_split": str(self.account_split),
            "keeps": {
                str(side): {asset: str(view) for asset, view in sorted(named.items())}
                for side, named in sorted(self.keeps.items())
            },
            "waiver_days": self.waiver_days,
        }


def _amounts(table: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: format_amount(amount) for name, amount in sorted(table.items())}
