"""Open findings: the differences of the newest run of each account, or session of a suite."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from recon_core.audit.fields import Entry, rank_of
from recon_core.audit.suites import Suites
from recon_core.audit.tally import Run, Sink
from recon_core.audit.trend import delta_of, key_of
from recon_core.model.explanation import ExplanationVerdict
from recon_core.values.severity import Severity

INCOMPLETE: Final = "run::incomplete"
"""Identity of the finding that a run did not judge everything."""

Series = tuple[str | None, str | None]
"""A strategy, and its session where each session is followed by itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference of a run, as far as an alert is about it; `causes` are proven ones."""

    strategy_id: str | None
    session_id: str | None
    identity: str
    run_id: str
    severity: str
    delta: Decimal | None
    unit: str
    causes: tuple[str, ...]
    owner: str
    text: str

    @property
    def rank(self) -> int:
        """The rank of its severity; an unknown one is above CRITICAL."""
        return rank_of(self.severity)


@dataclass(slots=True)
class NewestRun:
    """A run with its findings by identity."""

    index: int
    run_id: str
    strategy_id: str | None
    session_id: str | None
    findings: dict[str, Finding] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """True if everything was judged, so that what it does not have is clear."""
        return INCOMPLETE not in self.findings


class OpenFindings(Sink):
    """Keeps the newest run of each session."""

    def __init__(self) -> None:
        self.suites = Suites()
        self._newest: dict[Series, NewestRun] = {}

    def summary(self, run: Run, entry: Entry) -> None:
        """Begin a run of a session, which takes the place of the one before."""
        self._of(run)
        self.suites.see(run.strategy_id, entry["details"].get("invocation_id"))

    def diff(self, run: Run, entry: Entry) -> None:
        """Take a difference of a newest run."""
        newest = self._of(run)
        if newest is not None:
            found = _finding(run, entry["details"])
            newest.findings[found.identity] = found

    def finished(self, run: Run) -> None:
        """Take the reason why a run cannot be called clear as a finding of its own."""
        newest = self._of(run)
        if newest is not None and run.doubt:
            newest.findings[INCOMPLETE] = _incomplete(run)

    def series_of(self, strategy_id: str | None, session_id: str | None) -> Series:
        """Return what is followed through time, as trends do; known when all was read."""
        return strategy_id, session_id if strategy_id in self.suites else None

    def newest(self) -> Iterator[tuple[Series, NewestRun]]:
        """The newest run of each series."""
        found: dict[Series, NewestRun] = {}
        for run in sorted(self._newest.values(), key=lambda each: each.index):
            found[self.series_of(run.strategy_id, run.session_id)] = run
        yield from found.items()

    def _of(self, run: Run) -> NewestRun | None:
        """Return the run of its session, `None` where a newer one has taken its place."""
        key = run.strategy_id, run.session_id
        known = self._newest.get(key)
        if known is None or known.index < run.index:
            known = NewestRun(run.index, run.run_id, *key)
            self._newest[key] = known
        return known if known.index == run.index else None


def _finding(run: Run, details: dict[str, Any]) -> Finding:
    found = details.get("explanation")
    explanation = found if isinstance(found, dict) else {}
    causes = _causes(explanation)
    text = explanation.get("text") if causes else details.get("description")
    return Finding(
        run.strategy_id,
        run.session_id,
        key_of(details),
        run.run_id,
        details["severity"],
        delta_of(details),
        str(details.get("unit") or ""),
        causes,
        _owner(details.get("waivers")),
        str(text or ""),
    )


def _incomplete(run: Run) -> Finding:
    who = (run.strategy_id, run.session_id, INCOMPLETE, run.run_id)
    return Finding(*who, str(Severity.FAIL), None, "", (), "", f"the run {run.doubt}")


def _causes(explanation: dict[str, Any]) -> tuple[str, ...]:
    """Return the kinds of proven causes, sorted, each once; none of what is ambiguous."""
    causes = explanation.get("causes")
    if explanation.get("verdict") != ExplanationVerdict.UNIQUE or not isinstance(causes, list):
        return ()
    return tuple(sorted({str(each.get("kind")) for each in causes if isinstance(each, dict)}))


def _owner(uses: object) -> str:
    """Return the owner of the first waiver that names the difference, covering or not."""
    named = [each for each in uses if isinstance(each, dict)] if isinstance(uses, list) else []
    return next((str(each["owner"]) for each in named if each.get("owner")), "")
