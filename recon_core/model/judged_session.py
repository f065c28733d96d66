"""A recorded session with its verdicts, as plugins and reports see it."""

from typing import Protocol

from recon_core.model.comparison import Comparison, Judgement, ReconDiff
from recon_core.model.explanation import Explanation
from recon_core.model.records import RecordedSession
from recon_core.model.summary import ReconSummary


class JudgedSession(Protocol):
    """The part of a `Reconciliation` that its readers see.

    The engine makes it; the rooms below the engine name it by this type.
    """

    @property
    def recorded(self) -> RecordedSession:
        """The session as it was compared: aliases applied, replayed sections filled in."""

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Everything that is compared, in the order of its keys."""

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """The verdicts of all comparisons, in their order."""

    @property
    def diffs(self) -> list[ReconDiff]:
        """The diffs of all judgements, in the order of the comparisons."""

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        """Explanations of the differences, where they were asked for."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks beside the verdicts, safe to print."""

    def summary(self) -> ReconSummary:
        """The summary of all diffs, with the evidence of the run."""
