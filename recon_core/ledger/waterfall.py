"""The cash waterfall: opening + trades + fees + … = closing, per side and currency.

It says in which category a difference of cash lies before anybody looks at rows.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from recon_core.ledger.bookings import Category
from recon_core.model import CashBalance, LedgerSide
from recon_core.model.figures import CashSteps
from recon_core.values.amounts import (
    EXACT,
    ZERO,
    decimal_places,
    exact_sum,
    format_amount,
    pad_to_places,
    shortest,
)
from recon_core.values.printable import printable

Flows = Mapping[tuple[str | None, str], Mapping[Category, Decimal]]
"""The sum of the postings of each (account, currency) by category."""

_ORDER: Final = tuple(Category)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Steps that lead to one balance, in units of `currency`.

    `steps` are the categories that have postings, `covered` those that the side reports at all;
    `stated` is the total that the side itself gives, if it gives one that was not replayed from
    these steps.
    """

    side: LedgerSide
    currency: str
    covered: AbstractSet[Category]
    steps: Mapping[Category, Decimal]
    stated: Decimal | None = None

    @property
    def opened(self) -> bool:
        """True if the opening was stated."""
        return Category.OPENING in self.covered

    @property
    def closing(self) -> Decimal:
        """The sum of the steps: without a stated opening, only the movements."""
        return exact_sum(self.steps.values())

    @property
    def unexplained(self) -> Decimal:
        """Excess of the stated total over the side's own rows; 0 where the opening is not known."""
        if self.stated is None or not self.opened:
            return ZERO
        return EXACT.subtract(self.stated, self.closing)

    @property
    def places(self) -> int:
        """The decimals that the steps have; the opening keeps those it was given with."""
        given = decimal_places(self.steps.get(Category.OPENING, ZERO))
        return max(given, *(decimal_places(shortest(amount)) for amount in self.steps.values()))

    def figures(self) -> CashSteps:
        """Return the steps as a diff carries them, in the order of a waterfall."""
        steps = {
            str(category): pad_to_places(shortest(self.steps[category]), self.places)
            for category in _ORDER
            if category in self.steps
        }
        closing = pad_to_places(shortest(self.closing), self.places)
        return CashSteps(self.side, self.currency, self.opened, steps, closing, self.stated)

    def text(self) -> str:
        """`internal: 10000.00 opening - 4200.00 trades - 4.20 fees = 5795.80 EUR`."""
        places = self.places
        steps = [(category, self.steps[category]) for category in _ORDER if category in self.steps]
        written = "".join(
            f" {'-' if amount < 0 else '+'} {_plain(amount.copy_abs(), places)} {category}"
            for category, amount in steps
            if amount or category is Category.OPENING
        )
        sum_text = f"{_plain(self.closing, places)} {printable(self.currency, 60)}"
        start = "" if self.opened else " opening not stated;"
        return f"{self.side}:{start}{_first(written)} = {sum_text}{self._contradiction()}"

    def _contradiction(self) -> str:
        if not self.unexplained or self.stated is None:
            return ""
        return (
            f", but it states {format_amount(self.stated)} "
            f"({_signed(self.unexplained, self.places)} that its rows do not explain)"
        )


def waterfall(
    side: LedgerSide,
    flows: Flows,
    currency: str,
    account: str | None,
    *,
    covered: AbstractSet[Category],
    stated: CashBalance | None = None,
    any_account: bool = False,
) -> Waterfall | None:
    """The waterfall of one balance, `None` where nothing was booked in it.

    With `any_account` the accounts of the side count as one: it has only one.
    """
    steps: dict[Category, Decimal] = {}
    for (owner, code), sums in flows.items():
        if code == currency and (any_account or owner == account):
            for category, amount in sums.items():
                steps[category] = EXACT.add(steps.get(category, ZERO), amount)
    if not steps:
        return None
    total = None if stated is None else stated.total
    return Waterfall(side, currency, covered, steps, total)


def located(internal: Waterfall, external: Waterfall) -> str:
    """Return the categories in which two waterfalls differ, in words, or that none does.

    A category that one side does not report is no difference.
    """
    compared = internal.covered & external.covered
    differing = [
        _difference(category, internal, external)
        for category in _ORDER
        if category in compared
        and internal.steps.get(category, ZERO) != external.steps.get(category, ZERO)
    ]
    if differing:
        return f"differs in {'; '.join(differing)}"
    alone = (internal.covered ^ external.covered) - {Category.OPENING}
    both = " that both report" if alone else ""
    return f"the rows of both sides agree in every category{both}"


def _difference(category: Category, internal: Waterfall, external: Waterfall) -> str:
    ours, theirs = (one.steps.get(category, ZERO) for one in (internal, external))
    places = max(internal.places, external.places)
    shown = [_plain(amount, places) for amount in (ours, theirs)]
    delta = _signed(shortest(EXACT.subtract(ours, theirs)), places)
    return f"{category}: internal {shown[0]}, external {shown[1]} ({delta})"


def _first(written: str) -> str:
    """The first step has no `+` before it."""
    return f" {written[3:]}" if written.startswith(" + ") else written or " nothing moved"


def _plain(amount: Decimal, places: int) -> str:
    return format_amount(pad_to_places(shortest(amount), places))


def _signed(amount: Decimal, places: int) -> str:
    return f"{'+' if amount > 0 else ''}{_plain(amount, places)}"
