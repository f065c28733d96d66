"""The light protocol: one report for a comparison that matches.

pytest runs an item in three phases of some sixteen hook calls each, for fixtures, captured
output and debuggers. A comparison has none of these, so one that matches takes a short way:

    pytest's own            setup -> report, call -> report, teardown -> report
    light                   judge            -> report

`pytest_runtest_logstart`, `logreport` (once, `when` is `call`) and `logfinish` are called as ever.
`pytest_runtest_protocol` is not where pytest's own loop would run the items: by that call pytest
catches warnings and time-outs of code under test, and a match has none. Anything that is not
plainly a match takes pytest's own way from the beginning: whatever differs, is marked, is
replaced, or is the last item of a run. So does every comparison where somebody sees the three
phases, see `LightProtocol`. The light way only ever passes an item whose verdict is `match`.
"""

from collections.abc import Iterable
from functools import cached_property
from itertools import zip_longest
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_recon.matches import MatchReport
from pytest_recon.nodes import ComparisonGroup, ComparisonItem, SessionDirectory, SessionFile
from pytest_recon.other_plugins import OF_XDIST_WORKER, asked, silent_modules
from pytest_recon.results import sent_report

if TYPE_CHECKING:
    from pytest_recon.run import ReconRun

_PHASES: Final = (
    "pytest_runtest_protocol",
    "pytest_runtest_setup",
    "pytest_runtest_call",
    "pytest_runtest_teardown",
    "pytest_runtest_makereport",
    "pytest_runtest_logreport",
)
"""Hooks whose implementers see three phases of an item, or its run as a whole."""

_OF_EVERY_ITEM: Final = ("pytest_runtest_protocol", "pytest_runtest_logreport")
"""Those of them that a plugin of another process, or of another directory, hears of ours."""

_WATCHING: Final = ("usepdb", "trace", "setuponly", "setupshow", "setupplan")
"""Options of pytest by which somebody watches the phases."""

_PLAIN: Final = (
    pytest.Session,
    pytest.Dir,
    SessionDirectory,
    SessionFile,
    ComparisonGroup,
    ComparisonItem,
)
"""Nodes that have nothing to set up."""

_ORDERLY_LOOPS: Final = ("_pytest.", "pytest_recon.", OF_XDIST_WORKER)
"""The loops over items of these modules run each item once, here and in order."""

_WATCHED_TIME: Final = "faulthandler_timeout"
"""A setting of pytest by which it watches the time around each item."""

_REPLACED: Final = frozenset({"runtest", "setup", "teardown", "repr_failure"})
"""Methods of an item that somebody may have replaced on the item itself."""


class LightProtocol:
    """The protocol of comparisons that match.

    It holds for all sessions of a run unless an option or a setting has it otherwise
    (`recon_light_items = false`, debuggers, `--setup-show` and its like, `--durations`), a plugin
    runs items again or stops them, or a hook of the project may be called while a comparison is
    judged. It holds for one session unless a hook that sees items is implemented for it by
    anybody but pytest itself, or one of the directories above it has something to set up.
    """

    def __init__(self, run: "ReconRun") -> None:
        self._run = run
        self._hooks: dict[pytest.Collector, Any] = {}

    @cached_property
    def is_on(self) -> bool:
        """True if no option, no setting and no hook that hears of every item forbids it."""
        run, config = self._run, self._run.config
        return (
            run.lets_items_be_light
            and bool(config.getini("recon_light_items"))
            and not any(config.getoption(name, default=False) for name in _WATCHING)
            and config.getoption("durations", None) is None
            and asked(config, "console_output_style") != "times"
            and not run.manager.hook.recon_tolerance.get_hookimpls()
            and not is_watched(config, config.hook, _OF_EVERY_ITEM)
        )

    def run(self, item: ComparisonItem, nextitem: pytest.Item | None) -> bool | None:
        """Run an item, or return `None` where pytest's own protocol has to."""
        session, group = item.session, item.parent
        if nextitem is None or session.shouldfail or session.shouldstop:
            return None
        hook = self._hook_of(group)
        if hook is None or not _is_untouched(item):
            return None
        start, began = time(), perf_counter()
        try:
            if not item.judge_match():
                return None
        except Exception:  # noqa: BLE001  # pytest's own way meets it again and reports it
            return None
        seconds = perf_counter() - began
        match = item.match(start, seconds)
        if not self._run.is_worker:
            self._run.reporting.report(MatchReport(group.matches, match), hook)
        elif self._waits_for(item, nextitem):
            self._run.waiting.add(group.matches, match)
        else:
            hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            report = sent_report(MatchReport(group.matches, match), self._run)
            hook.pytest_runtest_logreport(report=report)
            hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if nextitem.parent is not group:
            # What was set up before: directories and sessions, which have nothing to end.
            session._setupstate.teardown_exact(nextitem)  # noqa: SLF001  # as pytest's runner
        return True

    def may_loop(self, session: pytest.Session) -> bool:
        """True if all items may run in a loop of ours in place of the one that would run them."""
        return self.is_on and _may_loop(session) and not asked(session.config, _WATCHED_TIME)

    def run_all(self, session: pytest.Session) -> bool | None:
        """Run all items as pytest's own loop does; `None` where another loop has to."""
        if self._run.is_worker or not self.may_loop(session):
            return None
        for item, nextitem in zip_longest(session.items, session.items[1:]):
            self.run_or_call(item, nextitem)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        return True

    def run_or_call(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Run an item, or have pytest's own protocol run it."""
        if not (isinstance(item, ComparisonItem) and self.run(item, nextitem)):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)

    def _waits_for(self, item: ComparisonItem, nextitem: pytest.Item) -> bool:
        """True if the next item certainly has a report that can carry the one of an item."""
        return (
            getattr(nextitem, "session_path", None) == item.session_path
            and self._hook_of(nextitem.parent) is not None
            and _is_untouched(nextitem)
        )

    def _hook_of(self, group: Any) -> Any:
        """The hooks to call for the items of a group, `None` where it does not hold for them."""
        if group not in self._hooks:
            hook = group.ihook
            holds = (
                self.is_on and _is_plain(group) and not is_watched(self._run.config, hook, _PHASES)
            )
            self._hooks[group] = hook if holds else None
        return self._hooks[group]


def _may_loop(session: pytest.Session) -> bool:
    """True if the loop that would run the items of a session is pytest's own."""
    loops = session.config.hook.pytest_runtestloop.get_hookimpls()
    own = (each for each in loops if not (each.wrapper or each.hookwrapper))
    return (
        not session.testsfailed
        and not session.config.option.collectonly
        and all(each.function.__module__.startswith(_ORDERLY_LOOPS) for each in own)
    )


def is_watched(config: pytest.Config, hook: Any, names: Iterable[str] = _PHASES) -> bool:
    """True if a plugin that is not silent implements one of some hooks."""
    silent = silent_modules(config)
    return any(
        not each.function.__module__.startswith(silent)
        for name in names
        for each in getattr(hook, name).get_hookimpls()
    )


def _is_plain(group: pytest.Collector) -> bool:
    return all(type(node) in _PLAIN and not node.own_markers for node in group.iter_parents())


def _is_untouched(item: pytest.Item) -> bool:
    """True if nobody marked an item, or replaced what pytest calls of it."""
    own = vars(item)
    return not own or (_REPLACED.isdisjoint(own) and not item.own_markers)
