"""Systematic faults of pairs of rows: one fault of all fills, or of all fills of a symbol.

The fault that most pairs show is corrected in all of them; a field that still differs is a second
fault of its row. Example: of 10 pairs all quantities are 1000 times the right ones, and one price
differs, too. The answer is one `unit` fault of 10 rows and one `wrong_price` of one row.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.effects.patches import Patch
from recon_core.explain.faults.hypotheses import Hypothesis, Strength
from recon_core.explain.reading.fee_rates import at_one_rate
from recon_core.explain.reading.pair_kinds import MODES, Pair, differing_fields, fee_kind
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import decimal_places, shortest

_STEP: Final = timedelta(minutes=15)
"""Time zones differ by multiples of 15 minutes; a shift by another amount is no zone error."""

_FEWEST: Final = 2
"""Fewest rows with a systematic fault: the fault of one row is a single fault."""

_MOST: Final = Fraction(4, 5)
"""Share of the rows that must have a fault for it to be systematic. Below 1, because a row may have
a second fault that hides the first; a much smaller share would join single faults."""

_FEES: Final = {"fee", "fee_currency"}
_OF_FEES: Final = {
    CauseKind.MISSING_FEE: "no fee was booked at all",
    CauseKind.FEE_CURRENCY: "every fee",
    CauseKind.FEE_SIGN: "of every fee",
    CauseKind.DUPLICATE_FEE: "every fee",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A fill as the side at fault gives it, as corrected so far (`at`), and as it is right."""

    given: Fill
    at: Fill
    right: Fill

    @property
    def fields(self) -> list[str]:
        """Fields that still differ from the right row."""
        return differing_fields(self.at, self.right)


@dataclass(frozen=True, slots=True)
class Habit:
    """A systematic fault: the fields that it changes, and the rows that have it."""

    cause_kind: CauseKind
    detail: str
    fields: tuple[str, ...]
    rows: Sequence[Row]

    def hypothesis(self) -> Hypothesis:
        """Return the hypothesis that corrects the fields in every row."""
        patch = Patch(tuple(row.at for row in self.rows), tuple(map(self.put_right, self.rows)))
        return Hypothesis(
            self.cause_kind,
            patch,
            tuple(row.given for row in self.rows),
            Strength.SHOWN,
            self.detail,
        )

    def put_right(self, row: Row) -> Fill:
        """Return a row with the fields of the fault corrected."""
        return replace(row.at, **{name: getattr(row.right, name) for name in self.fields})


_Test = Callable[[Sequence[Row], Sequence[Fill]], Habit | None]


def habits(pairs: Sequence[Pair], fills: Sequence[Fill]) -> tuple[list[Hypothesis], list[Row]]:
    """Return the systematic faults as hypotheses, and the rows that differ after them.

    `fills` are all fills of the side at fault.
    """
    rows, hypotheses = [Row(wrong, wrong, right) for wrong, right in pairs], list[Hypothesis]()
    for test in (_alias, _legs, _shifted, _turned, _quantities, _rounded_prices, _fees):
        for habit in _shared(test, rows, fills):
            hypothesis = habit.hypothesis()
            hypotheses.append(hypothesis)
            done = dict(zip(map(id, habit.rows), hypothesis.patch.added, strict=True))
            rows = [replace(row, at=done.get(id(row), row.at)) for row in rows]
    return hypotheses, [row for row in rows if row.fields]


def _shared(test: _Test, rows: Sequence[Row], fills: Sequence[Fill]) -> Iterator[Habit]:
    """Yield the fault of all rows, or else the fault of each symbol's rows."""
    habit = test(rows, fills) if len(rows) >= _FEWEST else None
    if habit is not None:
        yield habit
        return
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.given.symbol, []).append(row)
    for symbol, some in groups.items() if len(groups) > 1 else ():
        known = [fill for fill in fills if fill.symbol == symbol]
        habit = test(some, known) if len(some) >= _FEWEST else None
        if habit is not None:
            yield habit


def _with(rows: Sequence[Row], *names: str) -> list[Row]:
    """Return the rows that differ in one of these fields."""
    return [row for row in rows if not {*names}.isdisjoint(row.fields)]


def _are_most(some: Sequence[object], all_: Sequence[object]) -> bool:
    return len(some) >= _FEWEST and len(some) >= len(all_) * _MOST


def _alias(rows: Sequence[Row], _fills: Sequence[Fill]) -> Habit | None:
    wrong = _with(rows, "symbol")
    names = {(row.at.symbol, row.right.symbol) for row in wrong}
    if len(wrong) < _FEWEST or len(names) != 1:
        return None
    ((mine, other),) = names
    return Habit(CauseKind.ALIAS, f"{mine} is {other}", ("symbol",), wrong)


def _legs(rows: Sequence[Row], _fills: Sequence[Fill]) -> Habit | None:
    wrong = _with(rows, "leg")
    if not _are_most(wrong, rows):
        return None
    return Habit(CauseKind.NETTED_LEGS, "LONG and SHORT are netted", ("leg",), wrong)


def _shifted(rows: Sequence[Row], fills: Sequence[Fill]) -> Habit | None:
    wrong = _with(rows, "time")
    shifts = {row.at.time - row.right.time for row in wrong}
    if len(wrong) != len(fills) or len(shifts) != 1:
        return None
    (shift,) = shifts
    if shift % _STEP:
        return None
    return Habit(CauseKind.AS_OF_SHIFT, f"all times are off by {_span(shift)}", ("time",), wrong)


def _span(shift: timedelta) -> str:
    hours = Fraction(shift // timedelta(minutes=1), 60)
    return f"{'+' if shift > timedelta() else ''}{float(hours):g} h"


def _turned(rows: Sequence[Row], fills: Sequence[Fill]) -> Habit | None:
    wrong = _with(rows, "side")
    if len(wrong) != len(fills):
        return None
    return Habit(CauseKind.SIGN_CONVENTION, "BUY and SELL of every fill", ("side",), wrong)


def _quantities(rows: Sequence[Row], fills: Sequence[Fill]) -> Habit | None:
    """Return the fault of quantities in another unit, or with too few decimals."""
    wrong = [row for row in _with(rows, "quantity") if row.right.quantity]
    return _unit(wrong) or _rounded(wrong, fills, "quantity")


def _unit(rows: Sequence[Row]) -> Habit | None:
    ratios = Counter(Fraction(row.at.quantity) / Fraction(row.right.quantity) for row in rows)
    if not ratios:
        return None
    ratio, _ = ratios.most_common(1)[0]
    whole = ratio if ratio >= 1 or not ratio else 1 / ratio
    some = [
        row for row in rows if Fraction(row.at.quantity) == ratio * Fraction(row.right.quantity)
    ]
    if not ratio or whole.denominator != 1 or not _are_most(some, rows):
        return None
    detail = f"quantities are {ratio} times what they should be"
    return Habit(CauseKind.UNIT, detail, _following(some), some)


def _rounded_prices(rows: Sequence[Row], fills: Sequence[Fill]) -> Habit | None:
    return _rounded(_with(rows, "price"), fills, "price")


def _rounded(rows: Sequence[Row], fills: Sequence[Fill], name: str) -> Habit | None:
    """Return the fault of figures that are the right ones rounded to fewer decimals.

    At least `_MOST` of all fills must have no more decimals than the rounded figures.
    """
    if len(rows) < _FEWEST:
        return None
    given = Counter(decimal_places(shortest(getattr(fill, name))) for fill in fills)
    most = max(decimal_places(shortest(getattr(row.at, name))) for row in rows)
    finer = sum(count for places, count in given.items() if places > most)
    if not _are_most(fills[: len(fills) - finer], fills):
        return None
    for places in {most, _usual_places(rows, name)}:
        unit = Decimal((0, (1,), -places))
        for mode in MODES:
            context = Context(prec=1000, rounding=mode)
            some = [
                row
                for row in rows
                if getattr(row.right, name).quantize(unit, context=context) == getattr(row.at, name)
            ]
            if _are_most(some, rows):
                fields = _following(some) if name == "quantity" else (name,)
                return Habit(CauseKind.ROUNDING, f"{name} to {places} decimals", fields, some)
    return None


def _usual_places(rows: Sequence[Row], name: str) -> int:
    places = sorted(decimal_places(shortest(getattr(row.at, name))) for row in rows)
    return places[len(places) * 4 // 5]


def _following(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the fields of a quantity fault, with the fee if most fees are wrong as well."""
    charged = [row for row in rows if row.right.fee]
    if charged and _are_most(_with(charged, "fee"), charged):
        return ("quantity", "fee", "fee_currency")
    return ("quantity",)


def _fees(rows: Sequence[Row], fills: Sequence[Fill]) -> Habit | None:
    """Return the fault of the fees of nearly all fills with a fee."""
    wrong = [row for row in _with(rows, *_FEES) if {*row.fields} <= _FEES | {"side", "time"}]
    charged = [row for row in wrong if row.at.fee or row.right.fee]
    if rated := _at_another_rate(charged):
        return Habit(CauseKind.FEE_RATE, "", ("fee", "fee_currency"), rated)
    if not charged:
        return None
    kind, _ = Counter(map(_kind, charged)).most_common(1)[0]
    some = [row for row in charged if _kind(row) is kind]
    if not _are_most(some, [fill for fill in fills if fill.fee] or some):
        return None
    return Habit(kind, _OF_FEES.get(kind, ""), ("fee", "fee_currency"), some)


def _at_another_rate(charged: Sequence[Row]) -> list[Row]:
    """Return the rows whose fees are at one wrong rate, unless all fees are just doubled."""
    kinds = {CauseKind.DUPLICATE_FEE, CauseKind.FEE_RATE}
    rows = [row for row in charged if row.right.fee and _kind(row) in kinds]
    some = at_one_rate(rows, lambda row: (row.at.fee, row.right.fee))
    is_a_rate = len(some) > _FEWEST and any(_kind(row) is CauseKind.FEE_RATE for row in some)
    return some if is_a_rate and _are_most(some, rows) else []


def _kind(row: Row) -> CauseKind:
    if row.at.fee and row.right.fee and row.at.fee_currency != row.right.fee_currency:
        return CauseKind.FEE_CURRENCY
    return fee_kind(row.at.fee, row.right.fee)


def unit_or_rounding(pairs: Sequence[Pair], fills: Sequence[Fill]) -> Hypothesis | None:
    """Return the unit or rounding fault that makes all these quantities wrong, if there is one."""
    rows = [Row(wrong, wrong, right) for wrong, right in pairs]
    habit = _quantities(rows, fills)
    return None if habit is None or len(habit.rows) < len(rows) else habit.hypothesis()
