"""Pairs of rows: a fill as the side at fault states it, and as it is right.

A fault that most pairs share is one fault of all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from recon_core.explain.problem.hypotheses import NO_FACTS, Facts, Hypothesis, Strength
from recon_core.explain.problem.patches import Patch
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind

FEWEST_PAIRS: Final = 2
"""Fewest rows with a systematic fault: the fault of one row is a single fault."""

MOST_PAIRS: Final = Fraction(4, 5)
"""Share of the rows that must have a fault for it to be systematic. Below 1, because a row may have
a second fault that hides the first; a much smaller share would join single faults."""

Pair = tuple[Fill, Fill]
"""A fill as the side at fault has it, and as it is right."""


@dataclass(frozen=True, slots=True)
class PairRow:
    """A fill as the side at fault gives it, as corrected so far (`at`), and as it is right."""

    given: Fill
    at: Fill
    right: Fill

    @property
    def fields(self) -> list[str]:
        """Fields that still differ from the right row."""
        return differing_fields(self.at, self.right)


@dataclass(frozen=True, slots=True)
class SharedFault:
    """A systematic fault: the fields that it changes, and the rows that have it."""

    cause_kind: CauseKind
    detail: str
    fields: tuple[str, ...]
    rows: Sequence[PairRow]
    facts: Facts = NO_FACTS

    def hypothesis(self) -> Hypothesis:
        """Return the hypothesis that corrects the fields in every row."""
        patch = Patch(tuple(row.at for row in self.rows), tuple(map(self.correct, self.rows)))
        return Hypothesis(
            self.cause_kind,
            patch,
            tuple(row.given for row in self.rows),
            Strength.SHOWN,
            self.detail,
            facts=self.facts,
        )

    def correct(self, row: PairRow) -> Fill:
        """Return a row with the fields of the fault corrected."""
        return replace(row.at, **{name: getattr(row.right, name) for name in self.fields})


PairTest = Callable[[Sequence[PairRow], Sequence[Fill]], SharedFault | None]
"""A function that finds the fault that rows share; it is given all fills of the side, too."""


def differing_in(rows: Sequence[PairRow], *names: str) -> list[PairRow]:
    """Return the rows that differ in one of these fields."""
    return [row for row in rows if not {*names}.isdisjoint(row.fields)]


def are_most(part: Sequence[object], all_: Sequence[object]) -> bool:
    """True if some rows are at least `MOST_PAIRS` of all, and no single one."""
    return are_many(len(part), len(all_))


def are_many(part: int, count: int) -> bool:
    """True if so many rows are at least `MOST_PAIRS` of a count, and no single one."""
    return part >= FEWEST_PAIRS and part >= count * MOST_PAIRS


def quantity_fields(rows: Sequence[PairRow]) -> tuple[str, ...]:
    """Return the fields of a quantity fault, with the fee if most fees are wrong as well."""
    charged = [row for row in rows if row.right.fee]
    if charged and are_most(differing_in(charged, "fee"), charged):
        return ("quantity", "fee", "fee_currency")
    return ("quantity",)


def shown_by_pairs(kind: CauseKind, pairs: Sequence[Pair]) -> Hypothesis:
    """Build the correction of wrong rows by the right ones."""
    patch = Patch(tuple(wrong for wrong, _ in pairs), tuple(right for _, right in pairs))
    return Hypothesis(kind, patch, patch.removed, Strength.SHOWN)


def differing_fields(wrong: Fill, right: Fill) -> list[str]:
    """Return the names of the fields in which two rows of one fill differ.

    The fee currency counts only if both rows have a fee.
    """
    names = [
        name
        for name in ("symbol", "side", "quantity", "price", "fee", "leg", "time")
        if getattr(wrong, name) != getattr(right, name)
    ]
    if wrong.fee and right.fee and wrong.fee_currency != right.fee_currency:
        names.append("fee_currency")
    return names
