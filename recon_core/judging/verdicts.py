"""The verdict of one comparison: of two values, of a check, or that it cannot be judged."""

from dataclasses import replace
from decimal import Decimal

from recon_core.judging.texts import figure_texts, subject_text, verdict_text
from recon_core.judging.values import Finding, judge_cash, judge_position
from recon_core.model import CashBalance, Position
from recon_core.model.comparison import Comparison, Judgement, ReconDiff, SessionCheck, diff_of
from recon_core.policy.model import Policy
from recon_core.values.amounts import ZERO, display_ratio
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable
from recon_core.values.severity import Severity


def judge(
    comparison: Comparison, policy: Policy, session_id: str, absolute: Decimal | None = None
) -> Judgement:
    """The verdict of a position, cash or ledger comparison.

    `absolute` replaces the policy's absolute tolerance, in the unit of the
    comparison; a delta at or below it is INFO.
    """
    finding = judge_values(comparison, policy, absolute)
    message = verdict_text(comparison, finding)
    if finding.severity is None:
        return Judgement(comparison, None, message)
    diff = diff_of(comparison, finding.severity, message, session_id)
    diff = _with_figures(diff, comparison, finding)
    return Judgement(comparison, diff, message, finding.lines)


def judge_values(
    comparison: Comparison, policy: Policy, absolute: Decimal | None = None
) -> Finding:
    """Compare the two values of a position, cash or ledger comparison."""
    dust = policy.float_dust if comparison.in_floats and absolute is None else None
    name, internal, external = comparison.name, comparison.internal, comparison.external
    if comparison.of_position:
        ours, theirs = _quantity(internal), _quantity(external)
        return judge_position(name, ours, theirs, policy.position, absolute, dust)
    return judge_cash(_balance(internal, name), _balance(external, name), policy, absolute, dust)


def judge_check(comparison: Comparison, check: SessionCheck, session_id: str) -> Judgement:
    """The verdict of a check: of the session as a whole, or of a side that cannot be replayed."""
    name = printable(check.name, 60)
    notes = tuple(printable(note, 500) for note in check.notes)
    what = f"{comparison.item_kind} {name}"
    message = f"{what}: {check.severity or 'match'}, {printable(check.message, 1000)}"
    noted = replace(comparison, notes=notes)
    if check.severity is None:
        return Judgement(noted, None, message)
    return Judgement(comparison, diff_of(noted, check.severity, message, session_id), message)


def cannot_judge(comparison: Comparison, error: Exception, session_id: str) -> Judgement:
    """The CRITICAL verdict of a comparison whose judging failed, by a plugin's fault."""
    reason = str(error) if isinstance(error, ReconError) else f"{type(error).__name__}: {error}"
    what = subject_text(comparison)
    message = f"{what}: {Severity.CRITICAL}, cannot be judged: {printable(reason)}"
    diff = diff_of(comparison, Severity.CRITICAL, message, session_id)
    return Judgement(comparison, diff, message)


def _quantity(value: Position | CashBalance | None) -> Decimal:
    return value.quantity if isinstance(value, Position) else ZERO


def _balance(value: Position | CashBalance | None, currency: str) -> CashBalance:
    # A currency that a reported section does not list is 0, and nothing is known
    # of its parts.
    return value if isinstance(value, CashBalance) else CashBalance(currency, ZERO)


def _with_figures(diff: ReconDiff, comparison: Comparison, finding: Finding) -> ReconDiff:
    delta = finding.delta
    drift = display_ratio(delta.copy_abs(), finding.reference) if finding.reference else ZERO
    return replace(
        diff,
        internal=finding.internal,
        external=finding.external,
        delta=delta,
        drift=drift,
        unit=comparison.unit,
        tolerance=finding.tolerance,
        diff_details=figure_texts(comparison, finding, drift),
    )
