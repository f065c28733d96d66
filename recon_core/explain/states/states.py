"""The stated figures of two sides where they differ, and the faults that would correct them."""

from collections.abc import Iterator
from dataclasses import dataclass

from recon_core.explain.effects.dimensions import Dimensions, Vector
from recon_core.model import CashBalance, LedgerSide, RecordedSession
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO


@dataclass(frozen=True, slots=True)
class StateHypothesis:
    """A fault of a whole state; `correction` is to be added to what the side states.

    `parts` are corrected balances where only free and locked are wrong. `renamed` is the side's
    symbol or currency and the other side's name for it. `words` describe the side's error where the
    words of the kind are too general.
    """

    cause_kind: CauseKind
    side: LedgerSide
    correction: Vector
    detail: str
    parts: tuple[CashBalance, ...] = ()
    renamed: tuple[str, str] | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class States:
    """The figures that a side and the other side state, and the dimensions that differ."""

    dimensions: Dimensions
    recorded: RecordedSession
    side: LedgerSide
    stated: Vector
    other: Vector
    differing: tuple[str, ...]

    def hypothesis(
        self, kind: CauseKind, names: Iterator[str] | tuple[str, ...], detail: str
    ) -> StateHypothesis:
        """Build the hypothesis that some dimensions should be what the other side states."""
        wrong = tuple(names)
        correction = {
            name: EXACT.subtract(self.other.get(name, ZERO), self.stated.get(name, ZERO))
            for name in wrong
        }
        return StateHypothesis(kind, self.side, correction, detail)


def bare_name(name: str) -> str:
    """Return a dimension without its leg and account."""
    return name.split(",", maxsplit=1)[0]
