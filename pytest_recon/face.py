"""The items of sessions in pytest's own sections: each cause once.

A report keeps its whole text, for JUnit files and for other plugins. While pytest writes its
sections, its terminal reporter has copies: the item that carries a cause with all that the cause
explains, the others with a heading that points to it. Where too many failed, the last section
lists them, and pytest's sections none.
"""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any, Final

from pytest_recon.drift_warning import ReconDriftWarning
from pytest_recon.gate import ATTRIBUTE
from pytest_recon.terminal import screen_of
from recon_core.reports.finding_text import finding_rows
from recon_core.reports.findings import Finding, findings_of
from recon_core.reports.layout import lines_of
from recon_core.reports.session_text import SessionReport

MOST_FAILURES: Final = 10
"""Failed items that pytest's sections show: with more, the causes would leave the screen."""


class Shown:
    """The text of a failure in a terminal; pytest takes no line of it for its short summary."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        """The text."""
        return self._text

    def toterminal(self, out: Any) -> None:
        """Write the text, as pytest asks a representation of a failure to."""
        for line in self._text.splitlines():
            out.line(line)


class Pointer(Shown):
    """The text of a failure whose heading says it all."""

    def __init__(self) -> None:
        super().__init__("")


@dataclass(frozen=True, slots=True)
class _Carried:
    """A finding, and the item that carries it: the first of its differences that failed."""

    finding: Finding
    carrier: str


class Face:
    """The copies of reports that a terminal reporter has while pytest writes its sections.

    `sessions` are those of the run by their path in node ids.
    """

    def __init__(self, reporter: Any, sessions: Mapping[str, SessionReport], top_n: int) -> None:
        self._reporter, self._sessions, self._top_n = reporter, sessions, top_n
        self._whole: dict[str, list[Any]] = {}
        self._carried: dict[tuple[str, str], _Carried] = {}
        failed = reporter.stats.get("failed", [])
        own = [each for each in failed if says_its_difference(each)]
        self._shows_all = self._is_verbose or len(own) <= MOST_FAILURES
        if self._shows_all:
            self._carried = self._carriers(each.nodeid for each in own)
        copies = [self._copy(each) for each in failed if self._is_shown(each)]
        self._failures = self._carriers_first(copies)

    @property
    def _is_verbose(self) -> bool:
        return bool(self._reporter.verbosity > 0)

    def shown(self, path: str) -> frozenset[str]:
        """Return the identities of the differences of a session that pytest's sections show."""
        config = self._reporter.config
        if config.option.tbstyle == "no" or config.getoption("no_summary", default=False):
            return frozenset()
        return frozenset(identity for of, identity in self._carried if of == path)

    @contextmanager
    def put_on(self) -> Generator[None]:
        """Give the reporter the copies for its failures and warnings, and the whole back."""
        self._give(self._failures)
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def lifted(self) -> Generator[None]:
        """Give back the whole while other plugins look, then the copies for the short summary."""
        self._give_back()
        try:
            yield
        finally:
            self._give([each for each in self._failures if not isinstance(each.longrepr, Pointer)])

    def _give(self, failures: list[Any]) -> None:
        stats = self._reporter.stats
        self._whole = {name: stats[name] for name in ("failed", "warnings") if name in stats}
        if "failed" in stats:
            stats["failed"] = failures
        if "warnings" in stats and not self._is_verbose:
            stats["warnings"] = [each for each in stats["warnings"] if not self._is_drift(each)]

    def _give_back(self) -> None:
        stats = self._reporter.stats
        for name, whole in self._whole.items():
            # Warnings that were heard of meanwhile.
            known = {id(each) for each in (*whole, *self._failures)}
            whole += [each for each in stats[name] if id(each) not in known]
            stats[name] = whole

    def _is_drift(self, warning: Any) -> bool:
        """True if a warning is of a difference that the last section shows."""
        path = str(warning.nodeid or "").partition("::")[0]
        return path in self._sessions and ReconDriftWarning.__name__ in str(warning.message)

    def _carriers(self, failed: Iterable[str]) -> dict[tuple[str, str], _Carried]:
        """Return the finding of each difference that failed, or shares a cause with one."""
        by_path: dict[str, set[str]] = {}
        for node_id in failed:
            path, _, identity = node_id.partition("::")
            by_path.setdefault(path, set()).add(identity)
        found: dict[tuple[str, str], _Carried] = {}
        for path, identities in by_path.items():
            for finding in findings_of(self._sessions[path].diffs):
                every = [diff.identity for diff in finding.diffs]
                carrier = next((each for each in every if each in identities), None)
                if carrier is not None:
                    found |= {(path, each): _Carried(finding, carrier) for each in every}
        return found

    def _carriers_first(self, reports: list[Any]) -> list[Any]:
        """Return failures in their order, the carrier of a cause in front of what points to it."""
        first: dict[object, int] = {}
        for place, report in enumerate(reports):
            first.setdefault(self._cause_of(report), place)
        return sorted(
            reports,
            key=lambda report: (
                first[self._cause_of(report)],
                isinstance(report.longrepr, Pointer),
            ),
        )

    def _cause_of(self, report: Any) -> object:
        path, _, identity = report.nodeid.partition("::")
        carried = self._carried.get((path, identity))
        return report.nodeid if carried is None else (path, carried.carrier)

    def _is_shown(self, report: Any) -> bool:
        """True if a failure is not ours, says more than the last section does, or fits."""
        return self._shows_all or not says_its_difference(report)

    def _copy(self, report: Any) -> Any:
        path, _, identity = report.nodeid.partition("::")
        carried = self._carried.get((path, identity))
        if carried is None or not says_its_difference(report):
            return report
        made, session = copy(report), self._sessions[path]
        # Pytest would name the worker that found it.
        vars(made).pop("node", None)
        if carried.carrier == identity:
            rows = finding_rows(
                carried.finding, session.names, self._top_n, verbose=self._is_verbose
            )
            made.longrepr = Shown("\n".join(lines_of(rows, screen_of(self._reporter))))
        else:
            fspath, line, domain = report.location
            made.location = fspath, line, f"{domain}: as {carried.carrier.replace('::', ' ', 1)}"
            made.longrepr = Pointer()
        return made


def says_its_difference(report: Any) -> bool:
    """True if a failure is that of a difference, and not of a plugin that failed beside it."""
    diff = getattr(report, ATTRIBUTE, {}).get("diff")
    if not diff:
        return False
    subject, _, _ = diff["description"].partition(f": {diff['severity']}, ")
    return str(report.longrepr).startswith(subject)
