"""The summary of each session of a run, from what its items reported."""

from typing import TYPE_CHECKING
from uuid import uuid4

from pytest_recon.gate import SessionPromise
from pytest_recon.run import ReconRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recon_core.model.comparison import ReconDiff
    from recon_core.model.summary import ReconSummary


class Summaries:
    """The summaries of one invocation; every session keeps its run id."""

    def __init__(self, run: ReconRun) -> None:
        self._run = run
        self._run_ids: dict[str, str] = {}
        self.invocation_id = str(uuid4())

    def diffs(self, promise: SessionPromise) -> "list[ReconDiff]":
        """The diffs that the items of a session reported."""
        from recon_core.model.comparison import ReconDiff  # noqa: PLC0415  # not at pytest's start

        return [ReconDiff.from_dict(diff) for diff in self._run.gate.diffs(promise.path)]

    def account(self, promise: SessionPromise) -> dict[str, list[str]]:
        """The waivers that name a session, by what became of them."""
        return self._account(promise, self.diffs(promise))

    def _account(
        self, promise: SessionPromise, diffs: "Sequence[ReconDiff]"
    ) -> dict[str, list[str]]:
        from recon_core.judging.waiving import account  # noqa: PLC0415  # as the diffs

        return account(self._run.waivers, promise.session_id, diffs)

    def summary(self, promise: SessionPromise) -> "ReconSummary":
        """The summary of a session as far as it ran."""
        from recon_core.model.summary import summarise  # noqa: PLC0415  # not at pytest's start

        diffs = self.diffs(promise)
        return summarise(
            diffs,
            promise.session_id,
            promise.strategy_id,
            top_n=self._run.settings.top_n,
            run_id=self._run_ids.setdefault(promise.path, str(uuid4())),
            comparisons=promise.comparisons,
            ran=self._run.gate.ran(promise.path),
            invocation_id=self.invocation_id,
            mirrored=promise.mirrored,
            notes=promise.notes,
            problems=self._run.gate.problems_of(promise),
            evidence=promise.evidence,
            waivers=self._account(promise, diffs),
        )
