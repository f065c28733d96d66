"""An assertion for tests of a simulator in Python."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pytest_recon.drift_warning import ReconDriftWarning
from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.on_demand import explainer
from recon_core.ledger import PositionLedger
from recon_core.model import RecordedSession, SessionMode, SideRecord
from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import Effort, Explanation
from recon_core.model.snapshot import ExternalSnapshot
from recon_core.model.summary import sorted_diffs
from recon_core.policy import Policy
from recon_core.reports.side_names import SideNames
from recon_core.reports.text import description_text, diff_text
from recon_core.values.amounts import parse_amount, require_amount
from recon_core.values.errors import ReconError
from recon_core.values.printable import quoted
from recon_core.values.severity import Severity
from recon_core.values.suggestions import did_you_mean

State = PositionLedger | ExternalSnapshot | SideRecord | Mapping[str, Any]
"""A state to compare; a mapping has `positions` and `cash`, each symbol → amount."""

_SECTIONS: Final = ("positions", "cash")


def assert_reconciles(
    internal: State,
    external: State,
    policy: Policy | None = None,
    *,
    session_id: str = "assertion",
) -> None:
    """Fail where two states differ by a FAIL, warn where they differ by a WARN.

    Amounts of a mapping are `Decimal`, `int` or text such as `"0.1"`. The text of the failure is
    that of an item of a recorded session, an explanation once. A section that only one state
    reports is a difference too. States without a time are compared as of one time. Raises
    `AssertionError`, and `ReconError` for states that cannot be compared.
    """
    __tracebackhide__ = True
    try:
        diffs = _differences(internal, external, policy or Policy(), session_id)
    except ReconError as error:
        # From here: the frames of the library say nothing of the test.
        raise type(error)(str(error)) from None
    for diff in diffs:
        if diff.severity is Severity.WARN:
            text = description_text(diff, SideNames())
            warnings.warn(text, ReconDriftWarning, stacklevel=2)
    blocking = [diff for diff in diffs if diff.severity.blocks]
    if blocking:
        raise AssertionError("\n\n".join(_texts(blocking, session_id)))


def _texts(diffs: Iterable[ReconDiff], session_id: str) -> Iterator[str]:
    """Yield each difference in full, an explanation with the first that it explains."""
    said: list[Explanation] = []
    for diff in diffs:
        found = diff.explanation
        is_new = found is not None and found not in said
        if found is not None and is_new:
            said.append(found)
        shown = diff if is_new else replace(diff, explanation=None)
        yield diff_text(shown, session_id, mode=SessionMode.SIM)


def _differences(
    internal: State, external: State, policy: Policy, session_id: str
) -> list[ReconDiff]:
    stated = [getattr(state, "as_of", None) for state in (internal, external)]
    now = next((time for time in stated if time is not None), datetime.now(UTC))
    recorded = RecordedSession(
        session_id=session_id,
        anchor=Path(session_id),
        internal=_record(internal, now, "internal"),
        external=_record(external, now, "external"),
    )
    reconciliation = Reconciliation(recorded, policy, explain=explainer(Effort.FAST))
    return sorted_diffs(reconciliation.diffs)


def _record(state: State, now: datetime, name: str) -> SideRecord:
    if isinstance(state, SideRecord):
        return state
    if isinstance(state, PositionLedger):
        return SideRecord(as_of=now, positions=state.positions, cash=state.cash)
    if isinstance(state, Mapping):
        state = _snapshot(state, name)
    if not isinstance(state, ExternalSnapshot):
        expected = "a PositionLedger, an ExternalSnapshot, a SideRecord or a mapping"
        raise ReconError(f"{name}: is {type(state).__name__}; expected {expected}")
    return state.record() if state.as_of else replace(state, as_of=now).record()


def _snapshot(state: Mapping[str, Any], name: str) -> ExternalSnapshot:
    unknown = sorted(set(map(str, state)) - set(_SECTIONS))
    if unknown:
        near = did_you_mean(unknown[0], _SECTIONS)
        raise ReconError(f"{name}: {quoted(unknown[0])} is an unknown key; {near}")
    positions, cash = (_section(state.get(each), f"{name}: {each}") for each in _SECTIONS)
    return ExternalSnapshot(positions, cash)


def _section(rows: object, name: str) -> dict[str, Decimal] | None:
    if rows is None:
        return None
    if not isinstance(rows, Mapping):
        raise ReconError(f"{name}: is {type(rows).__name__}; expected a mapping")
    return {key: _amount(value, f"{name} {quoted(key)}") for key, value in rows.items()}


def _amount(value: object, name: str) -> Decimal:
    if not isinstance(value, str):
        return require_amount(value, name)
    try:
        return parse_amount(value)
    except ReconError as error:
        raise type(error)(f"{name}: {error}") from None
