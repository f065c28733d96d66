"""The stated figures of two sides where they differ, and the faults that would correct them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from recon_core.explain.problem.dimensions import (
    Dimensions,
    Vector,
    bare_name,
    instruments_by_key,
    is_position,
    key_of,
)
from recon_core.explain.problem.hypotheses import Strength
from recon_core.ledger.replay import SideReplay
from recon_core.model import CashBalance, LedgerSide, RecordedSession, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO


@dataclass(frozen=True, slots=True)
class StateHypothesis:
    """A fault of a whole state; `correction` is to be added to the stated amounts.

    `parts` are corrected balances where only free and locked are wrong. `renamed` is the side's
    symbol or currency and the other side's name for it. `words` describe the side's error where the
    words of the kind are too general. `forms` is the number of forms of
    the fault that a figure is compared with, 0 if one figure proves it. `strength` is the evidence.
    """

    cause_kind: CauseKind
    side: LedgerSide
    correction: Vector
    detail: str
    parts: tuple[CashBalance, ...] = ()
    renamed: tuple[str, str] | None = None
    words: str = ""
    forms: int = 0
    strength: Strength = Strength.EXACT


@dataclass(frozen=True, slots=True)
class States:
    """Figures of a side and of the other side, and the dimensions in which they differ.

    `record` and `other_record` are the sides, `stated` and `other` their figures. `replays` are
    the figures that the rows of a side give. `is_stated_only`: a fault is of the statement alone.
    """

    dimensions: Dimensions
    recorded: RecordedSession
    side: LedgerSide
    record: SideRecord
    other_record: SideRecord
    stated: Vector
    other: Vector
    differing: tuple[str, ...]
    replays: Mapping[LedgerSide, SideReplay] = field(default_factory=dict)
    is_stated_only: bool = False

    @property
    def stated_only(self) -> "States":
        """The same with the differing figures that the side itself states, none of a replay.

        A stated figure that the side's own rows give is as good as one of a replay.
        """
        of_rows = {
            name
            for name in self.differing
            if ("positions" if is_position(name) else "cash") in self.record.derived
            or self._gives(self.side, name, self.stated)
        }
        differing = tuple(name for name in self.differing if name not in of_rows)
        return replace(self, differing=differing, is_stated_only=True)

    def is_of_rows(self, name: str) -> bool:
        """True if the other side's figure is what its opening and its rows give by replay."""
        if ("positions" if is_position(name) else "cash") in self.other_record.derived:
            return True
        return self._gives(self.side.other, name, self.other)

    def is_of_own_rows(self, name: str) -> bool:
        """True if the other side's figure is what the rows of this side give by replay."""
        return self._gives(self.side, name, self.other)

    def is_given_by_the_other(self, name: str) -> bool:
        """True if the other side's rows give this side's figure by replay."""
        return self._gives(self.side.other, name, self.stated)

    def _is_confirmed(self, name: str) -> bool:
        """True if the rows of the other side give this side's figure, which it states otherwise."""
        return self.is_stated_only and self.is_given_by_the_other(name)

    def _gives(self, side: LedgerSide, name: str, figures: Vector) -> bool:
        """True if the rows of a side give a figure by replay, but for the dust of floats."""
        replayed = self.replays.get(side)
        if replayed is None or replayed.positions is None:
            return False
        given = self.dimensions.state(replayed.positions, replayed.cash)
        off = EXACT.subtract(given.get(name, ZERO), figures.get(name, ZERO)).copy_abs()
        return off <= self.dimensions.dust

    def hypothesis(
        self, kind: CauseKind, names: Iterator[str] | tuple[str, ...], detail: str, forms: int = 0
    ) -> StateHypothesis:
        """Build the hypothesis that the other side is right in some dimensions.

        Chance, if that side's own rows say that it is not.
        """
        wrong = tuple(names)
        strength = Strength.CHANCE if any(map(self._is_confirmed, wrong)) else Strength.EXACT
        correction = {
            name: EXACT.subtract(self.other.get(name, ZERO), self.stated.get(name, ZERO))
            for name in wrong
        }
        return StateHypothesis(kind, self.side, correction, detail, forms=forms, strength=strength)


def multipliers_of(states: States) -> dict[str, tuple[Fraction, ...]]:
    """Return the contract multiplier and its inverse of each differing position that has one."""
    found: dict[str, tuple[Fraction, ...]] = {}
    instruments = instruments_by_key(states.recorded)
    for name in filter(is_position, states.differing):
        instrument = instruments.get(key_of(bare_name(name)))
        factor = Fraction(1 if instrument is None else instrument.multiplier)
        if factor not in {0, 1}:
            found[name] = (factor, 1 / factor)
    return found


def ratio_of(states: States, name: str) -> Fraction | None:
    """Return a figure divided by the other side's, `None` if either is 0.

    A power of ten but for the dust of floats is that power.
    """
    mine, right = states.stated.get(name, ZERO), states.other.get(name, ZERO)
    if not mine or not right:
        return None
    if states.dimensions.dust:
        power = mine.adjusted() - right.adjusted()
        for exponent in (power - 1, power, power + 1):
            figures = mine.scaleb(-exponent, EXACT), right
            if EXACT.subtract(*figures).copy_abs() <= states.dimensions.dust:
                return Fraction(10) ** exponent
    return Fraction(mine) / Fraction(right)
