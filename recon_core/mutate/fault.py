"""The interface of a fault: what it does to a side of a session, where, and at which sizes.

A fault looks at a scene and returns an injection, `None` where the session has nothing to spoil
in that way. An injection has a scale of sizes, the smallest first: the fees of the fills that it
may take away, or whole steps of a currency by which an amount is wrong. A size is found by its
place in the scale, so that one search finds the smallest one that is caught on any scale.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final, TypeVar

from recon_core.model import RecordedSession
from recon_core.model.explanation import CauseKind
from recon_core.mutate.scene import Scene
from recon_core.reports.wording import counted
from recon_core.values.amounts import EXACT, ZERO, format_amount, shortest

Dice = random.Random
_Row = TypeVar("_Row")

_SHARES: Final = (Decimal("0.01"), Decimal("0.1"), Decimal(1))
"""Parts of the row's own amount by which it is wrong: slightly, clearly, altogether."""
_REACH: Final = 1000
"""Times the row's own amount up to which the smallest size that is caught is looked for."""
_THIRDS: Final = 3
"""Sizes of a scale of rows that are put in: a small one, a middle one, a large one."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The sizes of a fault: `count` of them, the smallest at place 0; `usual` are put in.

    `unit` follows each amount in words: `0.99 USDT`; of counted things, `1 fill` and `2 fills`,
    it is their noun.
    """

    count: int
    at: Callable[[int], Decimal]
    usual: tuple[int, ...]
    unit: str = ""
    is_counted: bool = False

    def words(self, place: int) -> str:
        """Return a size with its unit."""
        if self.is_counted:
            return counted(int(self.at(place)), self.unit)
        return f"{format_amount(shortest(self.at(place)))} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault that is ready for one place of a side: `put` makes the session at a size.

    `place` names the row or the asset, empty where it is the whole side. `put` takes the place
    in the scale and may raise `ReconError` where no ledger could post the rows.
    """

    place: str
    scale: Scale
    put: Callable[[int], RecordedSession]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a side is wrong.

    `cause_kind` is the cause that would explain it, `also` are other names of the same fault, those
    of the other side's view included: a fill that the exchange lacks is one that the ledger alone
    knows. `variant` distinguishes faults of one kind. `words` say it to a reader, `{}` in the place
    of its size.
    """

    cause_kind: CauseKind
    words: str
    inject: Callable[[Scene, Dice], Injection | None]
    also: frozenset[CauseKind] = frozenset()
    variant: str = ""

    @property
    def name(self) -> str:
        """`unit, rows`: the kind of the cause and the variant."""
        return f"{self.cause_kind}, {self.variant}" if self.variant else str(self.cause_kind)

    @property
    def causes(self) -> frozenset[CauseKind]:
        """The kinds of causes that explain it."""
        return self.also | {self.cause_kind}


def steps(step: Decimal, own: Decimal, unit: str) -> Scale:
    """Return the whole steps by which an amount can be wrong.

    The usual ones are 1 %, 10 % and all of the row's `own` amount, a step at least.
    """
    whole = int(EXACT.divide_int(own.copy_abs(), step)) or 1
    usual = dict.fromkeys(max(int(share * whole), 1) - 1 for share in _SHARES)
    return Scale(
        whole * _REACH,
        lambda place: EXACT.multiply(step, Decimal(place + 1)),
        tuple(usual),
        unit,
    )


def listed(amounts: Sequence[Decimal], unit: str, dice: Dice) -> Scale:
    """Return a scale of given sizes, the smallest first: one of each third is usual."""
    count = len(amounts)
    bounds = [count * part // _THIRDS for part in range(_THIRDS + 1)]
    pairs = pairwise(bounds)
    usual = (dice.randrange(low, high) for low, high in pairs if low < high)
    return Scale(count, amounts.__getitem__, tuple(dict.fromkeys(usual)), unit)


def by_size(
    rows: Sequence[_Row], size: Callable[[_Row], Decimal]
) -> tuple[list[_Row], list[Decimal]]:
    """Return rows and their sizes, the smallest first, one row of each size; none of size 0."""
    sizes: dict[Decimal, _Row] = {}
    for row in rows:
        amount = size(row).copy_abs()
        if amount != ZERO:
            sizes.setdefault(amount, row)
    order = sorted(sizes)
    return [sizes[amount] for amount in order], order
