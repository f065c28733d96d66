"""What the two sides state where they differ, and what a fault of a whole state would add."""

from collections.abc import Iterator
from dataclasses import dataclass

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.effects.space import Space, Vector
from recon_core.explanation import CauseKind
from recon_core.model import CashBalance, LedgerSide, RecordedSession


@dataclass(frozen=True, slots=True)
class StateEdit:
    """A fault of a whole state: what is to be added to what the side states.

    `parts` are corrected balances where only free and locked are wrong; `renamed` is the
    side's symbol and what the other side calls it; `words` say what the side did, where those
    of the kind are too general.
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
    """What a side states, and what the other has, in the dimensions that differ."""

    space: Space
    recorded: RecordedSession
    side: LedgerSide
    stated: Vector
    other: Vector
    differing: tuple[str, ...]

    def edit(
        self, kind: CauseKind, names: Iterator[str] | tuple[str, ...], detail: str
    ) -> StateEdit:
        """The fault that some dimensions are not what the other side has."""
        wrong = tuple(names)
        correction = {
            name: EXACT.subtract(self.other.get(name, ZERO), self.stated.get(name, ZERO))
            for name in wrong
        }
        return StateEdit(kind, self.side, correction, detail)


def bare_name(name: str) -> str:
    """A dimension without its leg and account."""
    return name.split(",", maxsplit=1)[0]
