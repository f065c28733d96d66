"""Collection nodes: a session file, the kinds of comparison in it, and the items."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pytest

from pytest_recon.drift_warning import ReconDriftWarning
from pytest_recon.matches import Match, MatchGroup, location_of
from pytest_recon.other_plugins import Multiplied
from pytest_recon.outcomes import ComparisonFailed, apply_outcome
from pytest_recon.run import run_of
from recon_core.engine.reconciliation import Reconciliation
from recon_core.model.comparison import Comparison, ItemKind, Judgement, ReconDiff
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

    @cached_property
    def matches(self) -> MatchGroup:
        """The part of a report that all matches of the group share; once items have run."""
        return MatchGroup(
            self.nodeid,
            self.session_path,
            self.name,
            _drift(self.name, None),
            tuple(self.keywords),
            self.properties,
        )

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


_MADE_AT_ONCE: Final = frozenset({"name", "parent"})
_OF_FUNCTIONS: Final = frozenset({"callspec", "cls", "fixturenames", "function", "module", "obj"})
"""Attributes that pytest and plugins ask every item for, and only test functions have."""

_HAS_STRUCTURED_ID: Final = hasattr(pytest.Item, "id")
"""True for a pytest whose nodes keep their id in parts, as 9.2 does, and not as text."""


class ComparisonItem(pytest.Item):
    """One comparison; it is judged when the item runs.

    It has its place in the tree at once. What else pytest gives a node, such as markers,
    keywords and properties, pytest's own constructor makes when somebody asks for the first of
    them: for most of 100,000 items nobody does.
    """

    __slots__ = ("comparison", "judgement")

    parent: ComparisonGroup
    function: Multiplied
    comparison: Comparison
    judgement: Judgement | None

    def __init__(self, *, name: str, parent: ComparisonGroup, comparison: Comparison) -> None:
        # Not pytest's constructor, see `__getattr__`.
        self.name = name
        self.parent = parent
        self.config = parent.config
        self.session = parent.session
        self.path = parent.path
        if _HAS_STRUCTURED_ID:
            self._id = parent.id.child(name)
        else:
            self._nodeid = f"{parent.nodeid}::{name}"
        self.comparison = comparison
        self.judgement = None

    def __getattr__(self, name: str) -> Any:
        """Have pytest make the attributes of a node, and return the one that is asked for."""
        absent = name in _MADE_AT_ONCE or name in _OF_FUNCTIONS or name.startswith("__")
        if absent or self.is_whole:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        super().__init__(self.name, self.parent, nodeid=self.nodeid)
        self.user_properties = [*self.parent.properties, ("recon.key", self.comparison.key)]
        if self.judgement is not None:
            self._note_properties(self.judgement)
        return getattr(self, name)

    @property
    def is_whole(self) -> bool:
        """True if pytest has made all attributes of the node."""
        return "own_markers" in vars(self)

    @property
    def session_path(self) -> str:
        """The path of the session in node ids."""
        return self.parent.session_path

    def runtest(self) -> None:
        """Judge the comparison, and pass, xfail or fail."""
        judgement = self.parent.reconciliation.judge(self.comparison)
        self._note(judgement)
        fail_on_warn = run_of(self.config).settings.fail_on_warn
        apply_outcome(
            self, judgement, self.failure_text(), self.session_path, fail_on_warn=fail_on_warn
        )

    def judge_match(self) -> bool:
        """Judge the comparison; True if it is a match, which is then noted."""
        judgement = self.parent.reconciliation.judge_alone(self.comparison)
        if judgement.diff is not None:
            return False
        self._note(judgement)
        return True

    def match(self, start: float, seconds: float) -> Match:
        """Return the data of the one report of the item, which was judged a match."""
        match = Match(self.name, start, seconds, id=self._id if _HAS_STRUCTURED_ID else None)
        if not (self.is_whole or folded_properties(self.comparison)):
            return match
        return match._replace(keywords=list(self.keywords), properties=self.user_properties)

    def _note(self, judgement: Judgement) -> None:
        """Keep a verdict."""
        self.judgement = judgement
        if self.is_whole:
            self._note_properties(judgement)

    def _note_properties(self, judgement: Judgement) -> None:
        """Keep the properties of a verdict in place of those of an earlier run."""
        own = ("recon.severity", "recon.drift", EXPLANATION, WAIVER, *FOLDED_PROPERTIES)
        self.user_properties[:] = [pair for pair in self.user_properties if pair[0] not in own]
        drift = _drift(self.parent.name, judgement.diff)
        self.user_properties += [("recon.severity", judgement.verdict), ("recon.drift", drift)]
        self.user_properties += folded_properties(self.comparison).items()
        self.user_properties += explanation_properties(judgement.diff, self.parent.names).items()
        self.user_properties += waiver_properties(judgement.diff).items()

    def placed_judgement(self) -> Judgement:
        """Return the judgement with the places of its rows; the item has run."""
        assert self.judgement is not None  # noqa: S101  # it has run
        return self.parent.reconciliation.placed(self.judgement)

    def failure_text(self) -> str:
        """The diff in full; empty for a match."""
        judgement = self.judgement
        if judgement is None or judgement.diff is None:
            return ""
        recorded = self.parent.reconciliation.recorded
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

    @property
    def location(self) -> tuple[str, int | None, str]:
        """The place and the heading of a failure, made safe: pytest shows both."""
        return location_of(self.session_path, self.parent.name, self.name)


def _drift(kind: str, diff: ReconDiff | None) -> str:
    """The drift as a property; a check of the session as a whole has none."""
    return "" if kind == ItemKind.SESSION else drift_text(diff)
