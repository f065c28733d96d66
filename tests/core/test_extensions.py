"""Extension points of the core: what a plugin can change, and that it cannot break a run."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pluggy import PluginManager

from recon_core import hookimpl
from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.model import Position, RecordedSession, SideRecord
from recon_core.model.comparison import Comparison, SessionCheck
from recon_core.plugins.manager import extension_manager, has_hooks
from recon_core.values.severity import Severity

from .builders import AS_OF_TEXT, at, checks, document, side, verdicts, write_session


def manager_with(**hooks: Any) -> PluginManager:
    """The core's manager and a plugin `lenient` that implements the given hooks."""
    manager = extension_manager()
    plugin = SimpleNamespace(**{name: hookimpl(hook) for name, hook in hooks.items()})
    manager.register(plugin, name="lenient")
    return manager


def reconcile(directory: Path, manager: PluginManager) -> Reconciliation:
    """A session with a FAIL of a position and one of cash, under a manager's plugins."""
    external = {"as_of": AS_OF_TEXT, "positions": {"BTC/EUR": "0.09"}, "cash": {"EUR": "4995.00"}}
    return reconcile_session(write_session(directory, document(external=external)), None, manager)


def blocked(reconciliation: Reconciliation) -> str:
    """The message of a session that a plugin's fault made CRITICAL."""
    findings = [one for one in reconciliation.judgements if one.verdict == "CRITICAL"]
    assert findings
    assert all(one.message.isprintable() for one in findings)
    return findings[0].message


def test_the_projects_own_formats_are_plugins_like_any_other() -> None:
    """Entry-point group `recon`; two managers share nothing."""
    manager = extension_manager()
    assert manager.project_name == "recon"
    assert manager.has_plugin("nautilus")
    assert extension_manager() is not manager


def test_a_plugin_may_recompute_the_internal_side(tmp_path: Path) -> None:
    """With it, recorded sessions test the ledger code that the project wrote."""

    def recon_internal_side(recorded: RecordedSession) -> SideRecord:
        assert recorded.session_id == "session_123"
        return side({"BTC/EUR": "0.09"}, {"EUR": "4995"})

    reconciliation = reconcile(tmp_path, manager_with(recon_internal_side=recon_internal_side))
    assert set(verdicts(reconciliation).values()) == {"match"}


@pytest.mark.parametrize(
    ("given", "expected", "softened"),
    [
        (None, "FAIL", None),
        (Decimal(0), "FAIL", None),
        (Decimal("0.009999999999999999999999999999"), "FAIL", None),
        (Decimal("0.01"), "INFO", "lenient"),
        (Decimal(5), "INFO", "lenient"),
    ],
)
def test_a_tolerance_that_softens_leaves_a_trace(
    tmp_path: Path, given: Decimal | None, expected: str, softened: str | None
) -> None:
    """The diff says by whom it was made milder, and only then."""

    def recon_tolerance(comparison: Comparison) -> Decimal | None:
        return given if comparison.name == "BTC/EUR" else None

    reconciliation = reconcile(tmp_path, manager_with(recon_tolerance=recon_tolerance))
    assert verdicts(reconciliation) == {"cash::EUR": "FAIL", "position::BTC/EUR": expected}
    diff = next(diff for diff in reconciliation.diffs if diff.diff_type == "POSITION")
    assert diff.softened_by == softened
    assert ("softened by lenient" in diff.description) == (softened is not None)


@pytest.mark.parametrize("marker", [hookimpl(wrapper=True), hookimpl(hookwrapper=True)])
def test_a_wrapper_gives_no_tolerance(tmp_path: Path, marker: Callable[[Any], Any]) -> None:
    """In both styles of pluggy it hands on what another plugin gave: that one is named."""

    def recon_tolerance(comparison: Comparison) -> Iterator[None]:  # noqa: ARG001
        return (yield)

    manager = manager_with(recon_tolerance=lambda comparison: Decimal(5))  # noqa: ARG005
    manager.register(SimpleNamespace(recon_tolerance=marker(recon_tolerance)), name="around")
    assert {diff.softened_by for diff in reconcile(tmp_path, manager).diffs} == {"lenient"}


def test_a_tolerance_may_be_stricter(tmp_path: Path) -> None:
    """A hook that takes the policy's tolerance away softens nothing."""
    external = {"as_of": AS_OF_TEXT, "positions": {"BTC/EUR": "0.1"}, "cash": {"EUR": "4999.99"}}
    path = write_session(tmp_path, document(external=external))
    manager = manager_with(recon_tolerance=lambda comparison: Decimal(0))  # noqa: ARG005
    assert verdicts(reconcile_session(path))["cash::EUR"] == "INFO"
    strict = reconcile_session(path, None, manager)
    assert verdicts(strict)["cash::EUR"] == "FAIL"
    assert strict.diffs[0].softened_by is None
    assert "tolerance 0 EUR (given for this item)" in strict.diffs[0].description


def test_a_plugins_checks_become_items(tmp_path: Path) -> None:
    """Findings and matches of all plugins, beside the checks that always exist."""

    def recon_checks(recorded: RecordedSession) -> Iterator[SessionCheck]:
        yield SessionCheck("fees paid", Severity.WARN, f"{recorded.session_id} paid none")
        yield SessionCheck("clock", None, "runs")

    reconciliation = reconcile(tmp_path, manager_with(recon_checks=recon_checks))
    found = checks(reconciliation)
    assert (found["fees%20paid"], found["clock"], len(found)) == ("WARN", "match", 6)
    (diff,) = (diff for diff in reconciliation.diffs if diff.diff_type == "SESSION")
    assert diff.description == "session fees paid: WARN, session_123 paid none"


@pytest.mark.parametrize("name", ["coverage", "readable", "extra"])
def test_a_finding_of_a_plugin_is_never_lost(tmp_path: Path, name: str) -> None:
    """Two checks of one name, or one that a built-in check has: the finding still shows."""

    def recon_checks(recorded: RecordedSession) -> list[SessionCheck]:
        return [
            SessionCheck(name, Severity.CRITICAL, f"lost in {recorded.session_id}"),
            SessionCheck(name, None, "fine"),
        ]

    assert blocked(reconcile(tmp_path, manager_with(recon_checks=recon_checks)))


def test_plugins_are_told_once_and_by_request(tmp_path: Path) -> None:
    """`notify` hands over the reconciliation with all its judgements."""
    told: list[Reconciliation] = []

    def remember(reconciliation: Reconciliation) -> None:
        told.append(reconciliation)

    manager = manager_with(recon_reconciled=remember)
    reconciliation = reconcile(tmp_path, manager)
    assert len(reconciliation.judgements) == 6
    assert told == []
    reconciliation.notify()
    reconciliation.notify()
    assert told == [reconciliation]


def fail_recorded(recorded: RecordedSession) -> None:
    raise RuntimeError(f"plugin\nbroke ::error:: {recorded.session_id}")


def fail_comparison(comparison: Comparison) -> None:
    raise RuntimeError(f"plugin\nbroke ::error:: {comparison.key}")


@pytest.mark.parametrize(
    ("hook", "implementation"),
    [
        ("recon_internal_side", fail_recorded),
        ("recon_checks", fail_recorded),
        ("recon_tolerance", fail_comparison),
    ],
)
def test_a_plugin_that_raises_is_critical_and_no_crash(
    tmp_path: Path, hook: str, implementation: Callable[..., None]
) -> None:
    """The other sessions still run; the message names the error on one line."""
    message = blocked(reconcile(tmp_path, manager_with(**{hook: implementation})))
    assert "RuntimeError" in message
    assert r"plugin\x0abroke" in message


@pytest.mark.parametrize(
    ("hook", "result"),
    [
        ("recon_internal_side", {"positions": {}}),
        ("recon_checks", ["coverage"]),
        ("recon_checks", 5),
        ("recon_tolerance", 0.5),
        ("recon_tolerance", "0.5"),
        ("recon_tolerance", Decimal("NaN")),
        ("recon_tolerance", Decimal("Infinity")),
        ("recon_tolerance", True),
    ],
)
def test_a_plugin_that_gives_nonsense_is_critical(
    tmp_path: Path, hook: str, result: object
) -> None:
    """A float or NaN as a tolerance would decide a verdict; it is refused."""
    implementations = {
        "recon_internal_side": lambda recorded: result,  # noqa: ARG005
        "recon_checks": lambda recorded: result,  # noqa: ARG005
        "recon_tolerance": lambda comparison: result,  # noqa: ARG005
    }
    blocked(reconcile(tmp_path, manager_with(**{hook: implementations[hook]})))


def test_a_recomputed_side_with_floats_is_critical(tmp_path: Path) -> None:
    """The ledger code under test may compute in floats; that is found, not compared."""

    def recon_internal_side(recorded: RecordedSession) -> SideRecord:
        quantity: Any = 0.1
        return side((Position(recorded.session_id, quantity),), {"EUR": "5000"})

    blocked(reconcile(tmp_path, manager_with(recon_internal_side=recon_internal_side)))


def test_a_module_with_hooks_is_recognised() -> None:
    """How a conftest is told from one that has nothing to do with reconciliation."""

    @hookimpl
    def recon_checks() -> None:
        """Implement nothing."""

    assert has_hooks(SimpleNamespace(recon_checks=recon_checks, other=1))
    assert not has_hooks(SimpleNamespace(recon_checks=lambda: None, at=at))
