"""What an explanation is: causes that account for the diffs of a session, with proof.

Values only; they are found in `recon_core.explain`. All amounts are exact and signed.
Source of the rules: docs/explain.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from recon_core.amounts import format_amount
from recon_core.model import LedgerSide


class CauseKind(StrEnum):
    """What went wrong on a side."""

    MISSING_FILL = "missing_fill"
    ORPHAN_FILL = "orphan_fill"
    DUPLICATE_FILL = "duplicate_fill"
    SIDE_FLIPPED = "side_flipped"
    WRONG_QUANTITY = "wrong_quantity"
    WRONG_PRICE = "wrong_price"
    CUMULATIVE_QUANTITY = "cumulative_quantity"
    MISSING_FEE = "missing_fee"
    DUPLICATE_FEE = "duplicate_fee"
    FEE_SIGN = "fee_sign"
    FEE_CURRENCY = "fee_currency"
    FEE_RATE = "fee_rate"
    MISSING_MOVEMENT = "missing_movement"
    DUPLICATE_MOVEMENT = "duplicate_movement"
    OPENING_BALANCE = "opening_balance"
    STALE_SIDE = "stale_side"
    ROUNDING = "rounding"
    UNIT = "unit"
    SIGN_CONVENTION = "sign_convention"
    SPLIT = "split"
    ALIAS = "alias"
    BALANCE_KIND = "balance_kind"
    NETTED_LEGS = "netted_legs"
    FOREIGN_ACTIVITY = "foreign_activity"
    AS_OF_SHIFT = "as_of_shift"


class ExplanationVerdict(StrEnum):
    """How far an explanation is proven.

    `unique`: one set of causes accounts for every delta. `ambiguous`: several do, and
    `decides` says what would tell them apart. `partial`: the causes are proven by the
    rows, and `residual` remains. `unexplained`: nothing accounts for the deltas.
    `not-searched`: the budget of operations ended before an answer.
    """

    UNIQUE = "unique"
    AMBIGUOUS = "ambiguous"
    PARTIAL = "partial"
    UNEXPLAINED = "unexplained"
    NOT_SEARCHED = "not-searched"


class Effort(StrEnum):
    """How many operations an explanation may cost; `off` asks for none."""

    OFF = "off"
    FAST = "fast"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Effect:
    """Signed amounts by comparison key: `BTC/EUR` of positions, `EUR` of cash.

    The effect of a cause is what its side has too much because of it. The residual of
    an explanation is the part of the deltas, internal minus external, that is left.
    """

    position: Mapping[str, Decimal] = field(default_factory=dict)
    cash: Mapping[str, Decimal] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is different from 0."""
        return any(self.position.values()) or any(self.cash.values())

    def to_dict(self) -> dict[str, dict[str, str]]:
        """Amounts as text, by key; what is 0 is left out."""
        return {"position": _texts(self.position), "cash": _texts(self.cash)}


@dataclass(frozen=True, slots=True)
class Cause:
    """One fault of one side, `None` where neither side's books tell which.

    `ids` are the fills, orders or movements concerned, twins included; `effect` is what
    the side has too much because of it; `text` is a sentence that is safe to print.
    """

    cause_kind: CauseKind
    side: LedgerSide | None
    ids: tuple[str, ...]
    effect: Effect
    text: str

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON, as `recon explain` prints it."""
        return {
            "kind": str(self.cause_kind),
            "side": None if self.side is None else str(self.side),
            "ids": list(self.ids),
            "effect": self.effect.to_dict(),
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Booking:
    """One correcting entry of a side: rows to remove, add or change, or amounts to add.

    `action` says what to do and `row` with what; `reason` and `answers` (the diffs) say
    why. An entry is a proposal: nothing here edits a ledger.
    """

    action: str
    side: LedgerSide
    row: Mapping[str, str]
    reason: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Causes that together account for diffs of a session.

    `explains` are the diffs that disappear when the repair is applied, by identity
    (`position::BTC/EUR`); `proof` says how that was seen; `decides` names the datum that
    would decide where the books do not; `repair` corrects the side.
    """

    verdict: ExplanationVerdict
    side: LedgerSide | None = None
    causes: tuple[Cause, ...] = ()
    residual: Effect = field(default_factory=Effect)
    explains: tuple[str, ...] = ()
    text: str = ""
    proof: str = ""
    decides: str = ""
    alternatives: int = 0
    repair: tuple[Booking, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON, as `recon explain` prints it."""
        return {
            "verdict": str(self.verdict),
            "side": None if self.side is None else str(self.side),
            "causes": [cause.to_dict() for cause in self.causes],
            "residual": self.residual.to_dict(),
            "explains": list(self.explains),
            "text": self.text,
            "proof": self.proof,
            "decides": self.decides,
            "alternatives": self.alternatives,
            "repair": [
                {
                    "action": booking.action,
                    "side": str(booking.side),
                    "row": dict(booking.row),
                    "reason": booking.reason,
                    "answers": list(booking.answers),
                }
                for booking in self.repair
            ],
        }


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {key: format_amount(amount) for key, amount in amounts.items() if amount}
