"""What the rows of both sides show, proven: all of what differs, or a part of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from recon_core.explain.answers.sequels import First
from recon_core.explain.answers.verdicts import partial
from recon_core.explain.budget import Budget
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.grounds.needs import ground_of
from recon_core.explain.proving.attempt import Answer, attempt
from recon_core.explain.proving.proof import Prover
from recon_core.explain.reading.row_reading import RowReading, other_rows
from recon_core.model import LedgerSide, SideRecord


@dataclass
class RowAnswers:
    """The readings of one session, each worked out once."""

    prover: Prover
    budget: Budget
    _readings: dict[LedgerSide, Answer | None] = field(default_factory=dict)

    def best(self) -> list[Answer]:
        """The proven reading, that of a rounding before any other."""
        best: list[Answer] = []
        for answer in self._read():
            if answer.outcome.proven and (answer.rounded or not best):
                best = [answer]
            if best and (best[0].rounded or not best[0].of_figures):
                break
        return best

    def in_part(self) -> list[First]:
        """What the rows of both sides show where it is not everything."""
        return [
            (partial(self.prover, answer), answer.side, answer.repaired)
            for answer in self._read()
            if not answer.outcome.proven
        ]

    def _read(self) -> Iterator[Answer]:
        """What the rows of both sides show, the ledger held against the exchange first."""
        if not self.prover.recorded.shares("fills"):
            found = map(self._reading_of, LedgerSide)
            yield from (one for one in found if one is not None and one.outcome.vanished)

    def _reading_of(self, side: LedgerSide) -> Answer | None:
        if side not in self._readings:
            recorded, space = self.prover.recorded, self.prover.space
            right, answer = other_rows(recorded.side(side.other)), None
            if right is not None:
                ground = ground_of(recorded, space, side, side, rows_right=False)
                answer = self._reading(ground, right)
            self._readings[side] = answer
        return self._readings[side]

    def _reading(self, ground: Ground | None, right: SideRecord) -> Answer | None:
        if ground is None or ground.record.fills is None:
            return None
        self.budget.spend(len(ground.fills) + len(right.fills or ()))
        edits = tuple(RowReading(ground, right, self.prover.max_skew).edits())
        rows = tuple(edit.rows for edit in edits)
        return attempt(self.prover, ground, edits, rows, self.budget, read=True) if edits else None
