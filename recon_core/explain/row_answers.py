"""What the rows of both sides show, proven: all of what differs, or a part of it.

First is asked what the exchange's own books say against its rows: where they do, it is at
fault itself, and its other rows are held against the ledger only without that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from recon_core.explain.answers.sequels import First
from recon_core.explain.answers.verdicts import explained, partial
from recon_core.explain.budget import Budget
from recon_core.explain.effects.space import ORDER
from recon_core.explain.faults.edits import Edit, together
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.grounds.needs import ground_of
from recon_core.explain.proving.attempt import Answer, OwnState, attempt
from recon_core.explain.proving.proof import Prover
from recon_core.explain.reading.own_books import OwnBooks, may_stand_too_often, stands_twice
from recon_core.explain.reading.row_reading import RowReading, other_rows
from recon_core.explanation import Explanation, ExplanationVerdict
from recon_core.model import LedgerSide, SideRecord

_COUNTED: Final = "what the external side counts once: its order reports or its statement"


@dataclass
class RowAnswers:
    """The readings of one session, each worked out once."""

    prover: Prover
    budget: Budget
    _readings: dict[LedgerSide, Answer | None] = field(default_factory=dict)

    @cached_property
    def contradicted(self) -> Answer | None:
        """What the exchange has wrong by its own books; it may be a part of what differs."""
        outer = self.prover.recorded.external
        if outer is None or not (self._orders_differ or stands_twice(outer)):
            return None
        books = self._books
        if books is None:
            return None
        edits = self._edits(books.ground, books.right())
        return self._proven(books.ground, edits, self._own_state(books.ground, edits))

    def best(self) -> list[Answer]:
        """The proven reading, that of a rounding before any other; where it is in doubt, both."""
        best: list[Answer] = []
        for answer in self._read():
            if answer.outcome.proven and (answer.rounded or not best):
                best = [answer]
            if best and (best[0].rounded or not best[0].of_figures):
                break
        return [*best, *self._otherwise()] if best and best[0].decides else best

    def in_part(self) -> list[Explanation]:
        """What the rows of both sides show where it is not everything."""
        return [partial(self.prover, answer) for answer in self._partial()]

    def firsts(self) -> list[First]:
        """The same, for what is left besides; without what the books do not decide."""
        found = [(explained(self.prover, [one])[0], one) for one in self._partial()]
        return [
            (told, one.side, one.repaired)
            for told, one in found
            if told.verdict is ExplanationVerdict.UNIQUE
        ]

    def _partial(self) -> list[Answer]:
        return [answer for answer in self._read() if not answer.outcome.proven]

    def _read(self) -> Iterator[Answer]:
        """What the rows of both sides show, the ledger held against the exchange first."""
        if not self.prover.recorded.shares("fills"):
            found = map(self._reading_of, LedgerSide)
            yield from (one for one in found if one is not None and one.outcome.vanished)

    def _reading_of(self, side: LedgerSide) -> Answer | None:
        if side not in self._readings:
            ground, right, answer = self._ground(side), self._rows(side.other), None
            if ground is not None and right is not None and ground.record.fills is not None:
                answer = self._proven(ground, self._edits(ground, right))
            if answer is not None and self._is_doubtful(answer):
                answer = replace(answer, complete=False, decides=_COUNTED)
            self._readings[side] = answer
        return self._readings[side]

    def _is_doubtful(self, answer: Answer) -> bool:
        """Whether the exchange may have a row too many, where the ledger is said to lack it."""
        change = answer.change
        if answer.side is LedgerSide.EXTERNAL or not (change.added or change.added_movements):
            return False
        outer = self.prover.recorded.external
        if outer is None or not (self._orders_differ or may_stand_too_often(change, outer)):
            return False
        books = self._books
        return books is not None and books.without_doubtful() is not books.ground.record

    def _otherwise(self) -> list[Answer]:
        """The exchange without the rows that it may have too many, where that is all."""
        books = self._books
        if books is None:
            return []
        answer = self._proven(books.ground, self._edits(books.ground, books.without_doubtful()))
        return [answer] if answer is not None and answer.outcome.proven else []

    def _edits(self, ground: Ground, right: SideRecord) -> tuple[Edit, ...]:
        if right is ground.record:
            return ()
        self.budget.spend(len(ground.fills) + len(right.fills or ()))
        return tuple(RowReading(ground, right, self.prover.max_skew).edits())

    def _proven(
        self, ground: Ground, edits: Sequence[Edit], own: OwnState | None = None
    ) -> Answer | None:
        if not edits:
            return None
        rows = tuple(edit.rows for edit in edits)
        return attempt(self.prover, ground, edits, rows, self.budget, read=True, own=own)

    def _own_state(self, ground: Ground, edits: Sequence[Edit]) -> OwnState:
        """Right is what a side states if its rows give it only with the edits."""
        own = self._ground(ground.side, rows_right=True) if edits else None
        is_right = own is not None and bool(own.need) and own.reached_by(together(edits))
        return OwnState.RIGHT if is_right else OwnState.OF_ITS_ROWS

    def _ground(self, side: LedgerSide, *, rows_right: bool = False) -> Ground | None:
        prover = self.prover
        return ground_of(prover.recorded, prover.space, side, side, rows_right=rows_right)

    def _rows(self, side: LedgerSide) -> SideRecord | None:
        return other_rows(self.prover.recorded.side(side))

    @property
    def _orders_differ(self) -> bool:
        return any(each.startswith(ORDER) for each in self.prover.before)

    @cached_property
    def _books(self) -> OwnBooks | None:
        """The exchange's own books, where both sides give fills of their own."""
        other = self._rows(LedgerSide.INTERNAL)
        ground = None if other is None else self._ground(LedgerSide.EXTERNAL)
        if other is None or ground is None or ground.record.fills is None:
            return None
        if self.prover.recorded.shares("fills"):
            return None
        self.budget.spend(len(ground.fills) + len(other.fills or ()))
        return OwnBooks(ground, other)
