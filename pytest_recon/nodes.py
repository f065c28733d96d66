"""Collection nodes: a session file, the kinds of comparison in it, and the items."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from pytest_recon.drift_warning import ReconDriftWarning
from pytest_recon.other_plugins import Multiplied
from pytest_recon.outcomes import ComparisonFailed, apply_outcome
from pytest_recon.run import run_of
from recon_core.engine.reconciliation import Reconciliation
from recon_core.model.comparison import Comparison, ItemKind, Judgement
from recon_core.reports.explanations import EXPLANATION, explanation_properties
from recon_core.reports.side_names import SideNames, sources_of
from recon_core.reports.text import diff_text
from recon_core.reports.waivers import WAIVER, waiver_properties
from recon_core.reports.wording import (
    FOLDED_PROPERTIES,
    drift_text,
    folded_properties,
    node_path,
)


class SessionDirectory(pytest.Directory):
    """The directory of named sessions: pytest loads its conftest for it.

    Without that, the hooks of every conftest would be hidden from the items.
    """

    @classmethod
    def of(
        cls, parent: pytest.Collector, directory: Path, anchors: Mapping[Path, str]
    ) -> "SessionDirectory":
        """The node for sessions, given as anchors with their node ids, in one directory."""
        path = node_path(directory, parent.config.rootpath)
        name = path.rpartition("/")[2]
        node = cls.from_parent(parent, path=directory, name=name, nodeid=path)
        assert isinstance(node, SessionDirectory)  # noqa: S101  # from_parent is typed loosely
        node.anchors = anchors
        return node

    anchors: Mapping[Path, str]

    def collect(self) -> Iterator["SessionFile"]:
        """The sessions that were named, and nothing else of the directory."""
        for anchor, path in self.anchors.items():
            yield SessionFile.of(self, anchor, path)


class SessionFile(pytest.File):
    """One recorded session, named by its anchor file.

    The node id is given and not derived: outside the rootdir pytest would leave it
    empty, and a hostile file name would reach the terminal.
    """

    @classmethod
    def of(cls, parent: pytest.Collector, anchor: Path, path: str) -> "SessionFile":
        """The node for `anchor`, whose node id is `path`."""
        node = cls.from_parent(parent, path=anchor, name=path.rpartition("/")[2], nodeid=path)
        assert isinstance(node, SessionFile)  # noqa: S101  # from_parent is typed loosely
        return node

    def collect(self) -> Iterable["ComparisonGroup"]:
        """One collector per kind, so that node ids can be given on the command line."""
        reconciliation = run_of(self.config).promise(self.path, self.nodeid)
        by_kind = groupby(reconciliation.comparisons, lambda comparison: comparison.item_kind)
        for item_kind, comparisons in by_kind:
            yield ComparisonGroup.from_parent(
                self,
                name=str(item_kind),
                reconciliation=reconciliation,
                comparisons=tuple(comparisons),
            )

    def repr_failure(  # type: ignore[override]  # as pytest.Collector has it, without style
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> Any:
        """A mistake in the policy in one line: it is read here where no session is named."""
        if isinstance(excinfo.value, pytest.UsageError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class ComparisonGroup(pytest.Collector):
    """All comparisons of one kind in a session."""

    def __init__(
        self, *, reconciliation: Reconciliation, comparisons: tuple[Comparison, ...], **node: Any
    ) -> None:
        super().__init__(**node)
        self.reconciliation = reconciliation
        self._comparisons = comparisons
        self.session_path = self.nodeid.partition("::")[0]
        self.properties = (
            ("recon.session_id", reconciliation.session_id),
            ("recon.kind", self.name),
        )

    @cached_property
    def names(self) -> SideNames:
        """The names of the sides of the session."""
        return SideNames.of_sources(sources_of(self.reconciliation.recorded))

    def collect(self) -> Iterator["ComparisonItem"]:
        """One item per comparison."""
        run = run_of(self.config)
        for comparison in self._comparisons:
            item = ComparisonItem.from_parent(self, name=comparison.key, comparison=comparison)
            for marker in run.item_markers:
                item.add_marker(marker)
            if run.multiplies_items:
                item.function = Multiplied()
            yield item


class ComparisonItem(pytest.Item):
    """One comparison; it is judged when the item runs."""

    parent: ComparisonGroup
    function: Multiplied

    def __init__(self, *, parent: ComparisonGroup, comparison: Comparison, **node: Any) -> None:
        super().__init__(parent=parent, **node)
        self.comparison = comparison
        self.judgement: Judgement | None = None
        self._reconciliation = parent.reconciliation
        self.session_path = parent.session_path
        self.user_properties = [*parent.properties, ("recon.key", comparison.key)]

    def runtest(self) -> None:
        """Judge the comparison, and pass, xfail or fail."""
        judgement = self._reconciliation.judge(self.comparison)
        self._note(judgement)
        fail_on_warn = run_of(self.config).settings.fail_on_warn
        apply_outcome(
            self, judgement, self.failure_text(), self.session_path, fail_on_warn=fail_on_warn
        )

    def judge_match(self) -> bool:
        """Judge the comparison; True if it is a match, which is then noted."""
        judgement = self._reconciliation.judge_alone(self.comparison)
        if judgement.diff is not None:
            return False
        self._note(judgement)
        return True

    def _note(self, judgement: Judgement) -> None:
        """Keep a verdict, and its properties in place of those of an earlier run."""
        self.judgement = judgement
        own = ("recon.severity", "recon.drift", EXPLANATION, WAIVER, *FOLDED_PROPERTIES)
        self.user_properties[:] = [pair for pair in self.user_properties if pair[0] not in own]
        drift = "" if self.comparison.item_kind is ItemKind.SESSION else drift_text(judgement.diff)
        self.user_properties += [("recon.severity", judgement.verdict), ("recon.drift", drift)]
        self.user_properties += folded_properties(self.comparison).items()
        self.user_properties += explanation_properties(judgement.diff, self.parent.names).items()
        self.user_properties += waiver_properties(judgement.diff).items()

    def placed_judgement(self) -> Judgement:
        """Return the judgement with the places of its rows; the item has run."""
        assert self.judgement is not None  # noqa: S101  # it has run
        return self._reconciliation.placed(self.judgement)

    def failure_text(self) -> str:
        """The diff in full; empty for a match."""
        judgement = self.judgement
        if judgement is None or judgement.diff is None:
            return ""
        recorded = self._reconciliation.recorded
        return diff_text(
            judgement.diff, recorded.session_id, self.nodeid, recorded.mode, self.parent.names
        )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The diff as plain text; anything else is a plugin's fault and shown as such."""
        if isinstance(excinfo.value, ComparisonFailed | ReconDriftWarning):
            return self.failure_text()
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, int, str]:
        """Return the place of the item, made safe: pytest shows it for a skipped item.

        A line number is demanded there; the text of that line is never read.
        """
        return self.session_path, 0, self.name

    @cached_property
    def location(self) -> tuple[str, int | None, str]:
        """The place and the heading of a failure, made safe: pytest shows both.

        The heading must not be the end of the node id, whose full stops pytest would then
        print as double colons.
        """
        item_kind = self.comparison.item_kind
        return self.session_path, None, f"{item_kind} {self.name} ({self.session_path})"
