"""Explanations: causes that account for the diffs of a session, with proof.

Values only; they are found in `recon_core.explain`. All amounts are exact and signed.
Source of the rules: docs/explain.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from recon_core.model import LedgerSide
from recon_core.values.amounts import format_amount
from recon_core.values.printable import printable

_MOST: Final = 20
"""Causes, ids, amounts, diffs or entries that a log's entry of an explanation keeps."""
_LONGEST: Final = 1000
"""Characters of a text that a log's entry keeps; ids of any length must not fill the log."""


class CauseKind(StrEnum):
    """Kind of a fault of a side."""

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
    WRONG_FEE = "wrong_fee"
    MISSING_MOVEMENT = "missing_movement"
    DUPLICATE_MOVEMENT = "duplicate_movement"
    WRONG_MOVEMENT = "wrong_movement"
    CONVERSION = "conversion"
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
    MULTIPLIER = "multiplier"
    CLIPPED_BALANCE = "clipped_balance"


class ExplanationVerdict(StrEnum):
    """Degree to which an explanation is proven.

    `unique`: one set of causes accounts for every delta. `ambiguous`: several do, and
    `decides` names the datum that would distinguish them. `partial`: the causes are proven
    by the rows, and `residual` remains. `unexplained`: nothing accounts for the deltas.
    `not-searched`: the budget of operations ended before an answer.
    """

    UNIQUE = "unique"
    AMBIGUOUS = "ambiguous"
    PARTIAL = "partial"
    UNEXPLAINED = "unexplained"
    NOT_SEARCHED = "not-searched"


class Effort(StrEnum):
    """Budget of operations for an explanation; `off` asks for none."""

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
        """True if anything is different from 0."""
        return any(self.position.values()) or any(self.cash.values())

    def to_dict(self) -> dict[str, dict[str, str]]:
        """Amounts as text, by key; what is 0 is left out."""
        return {"position": _texts(self.position), "cash": _texts(self.cash)}

    def trimmed(self) -> "Effect":
        """The effect with no more than the first amounts of each kind."""
        return Effect(_first(self.position), _first(self.cash))

    @property
    def may_be_trimmed(self) -> bool:
        """True if a kind has as many amounts as a trimmed effect keeps: there may be others."""
        return _MOST in {len(self.position), len(self.cash)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Effect":
        """The effect that `to_dict` wrote."""
        return cls(_amounts(data["position"]), _amounts(data["cash"]))


@dataclass(frozen=True, slots=True)
class Cause:
    """One fault of one side; `side` is `None` where the books of neither side decide.

    `ids` are the fills, orders or movements concerned, twins included; `effect` is the
    side's excess because of it; `text` is a sentence that is safe to print.
    """

    cause_kind: CauseKind
    side: LedgerSide | None
    ids: tuple[str, ...]
    effect: Effect
    text: str

    def to_dict(self) -> dict[str, object]:
        """Return plain data for JSON, as in `recon explain --format json`."""
        return {
            "kind": str(self.cause_kind),
            "side": None if self.side is None else str(self.side),
            "ids": list(self.ids),
            "effect": self.effect.to_dict(),
            "text": self.text,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Cause":
        """The cause that `to_dict` wrote."""
        effect = Effect.from_dict(data["effect"])
        kind = CauseKind(data["kind"])
        return cls(kind, _side(data["side"]), tuple(data["ids"]), effect, data["text"])

    def trimmed(self) -> "Cause":
        """The cause with no more than the first ids; its text says how many there are."""
        return replace(self, ids=self.ids[:_MOST], text=printable(self.text, _LONGEST))


@dataclass(frozen=True, slots=True)
class Booking:
    """One correcting entry of a side: rows to remove, add or change, or amounts to add.

    `action` says what to do and `row` with what; `reason` and `answers` (the diffs) say
    why. An entry is a proposal: nothing here changes a ledger.
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
    would decide where the books do not; `known` are facts about a difference whose cause is not
    proven, each a sentence that is safe to print; `repair` corrects the side. Where a side has
    another name for something no entry does: `aliases` are its names and those of the other
    side, as a policy's `[aliases]` would have them.
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
    aliases: Mapping[LedgerSide, Mapping[str, str]] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def leaves_out_the_exchange(self) -> bool:
        """True if a proven cause is on the external side, and no entry is for that side."""
        external = LedgerSide.EXTERNAL
        is_at_fault = any(cause.side is external for cause in self.causes)
        is_proven = self.verdict is ExplanationVerdict.UNIQUE and not (self.aliases or self.refusal)
        return is_proven and is_at_fault and all(one.side is not external for one in self.repair)

    def to_dict(self) -> dict[str, object]:
        """Return plain data for JSON, as in `recon explain --format json`.

        Entries of the repair leave out `reason` and `answers`: these are `text` and
        `explains`, and repeated for each of thousands of entries they would be all of it.
        """
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
                {"action": each.action, "side": str(each.side), "row": dict(each.row)}
                for each in self.repair
            ],
            "aliases": {str(side): dict(names) for side, names in self.aliases.items()},
            "known": list(self.known),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Explanation":
        """The explanation that `to_dict` wrote, for reports that crossed a process."""
        text, explains = data["text"], tuple(data["explains"])
        return cls(
            ExplanationVerdict(data["verdict"]),
            _side(data["side"]),
            tuple(Cause.from_dict(cause) for cause in data["causes"]),
            Effect.from_dict(data["residual"]),
            explains,
            text,
            data["proof"],
            data["decides"],
            data["alternatives"],
            tuple(
                Booking(each["action"], LedgerSide(each["side"]), each["row"], text, explains)
                for each in data["repair"]
            ),
            {LedgerSide(side): names for side, names in data["aliases"].items()},
            tuple(data["known"]),
        )

    def trimmed(self) -> "Explanation":
        """The explanation as each of many diffs carries it: the first 20 of every list.

        Its causes may have thousands of ids and its residual thousands of amounts, and so many
        diffs would repeat them.
        """
        return replace(
            self,
            causes=tuple(cause.trimmed() for cause in self.causes[:_MOST]),
            residual=self.residual.trimmed(),
            explains=self.explains[:_MOST],
            text=printable(self.text, _LONGEST),
            known=tuple(printable(each, _LONGEST) for each in self.known[:_MOST]),
            repair=tuple(
                replace(each, reason=printable(each.reason, _LONGEST), answers=each.answers[:_MOST])
                for each in self.repair[:_MOST]
            ),
        )


def _first(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return dict(islice(((key, amount) for key, amount in amounts.items() if amount), _MOST))


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {key: format_amount(amount) for key, amount in amounts.items() if amount}


def _amounts(texts: Mapping[str, str]) -> dict[str, Decimal]:
    return {key: Decimal(text) for key, text in texts.items()}


def _side(name: str | None) -> LedgerSide | None:
    return None if name is None else LedgerSide(name)
