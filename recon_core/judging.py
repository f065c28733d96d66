"""Judging: the verdict of one comparison, by the runbook's severity levels.

Every decision is a comparison of exact products; ratios are rounded for the eye
only. Source of the rules: the runbook, "Severity Levels", and the design's
"Position drift" and "Cash".
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from recon_core.amounts import (
    EXACT,
    ZERO,
    decimal_places,
    display_ratio,
    format_amount,
    larger_magnitude,
    pad_to_places,
    percent_text,
)
from recon_core.comparison import Comparison, Figures, ItemKind, Judgement, SessionCheck, diff_of
from recon_core.errors import ReconError
from recon_core.model import CashBalance, LedgerSide, Leg, Position
from recon_core.policy.model import Policy, PositionPolicy, Tolerance
from recon_core.printable import printable
from recon_core.severity import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """What judging two values gave: `severity` is `None` where they are equal."""

    severity: Severity | None
    internal: Decimal
    external: Decimal
    tolerance: str
    remark: str = ""

    @property
    def delta(self) -> Decimal:
        """Internal minus external."""
        return EXACT.subtract(self.internal, self.external)

    @property
    def reference(self) -> Decimal:
        """What the delta is relative to: the larger of both magnitudes."""
        return larger_magnitude(self.internal, self.external)


def judge(
    comparison: Comparison, policy: Policy, session_id: str, absolute: Decimal | None = None
) -> Judgement:
    """The verdict of a position, cash or ledger comparison.

    `absolute` replaces the policy's absolute tolerance, in the unit of the
    comparison; a delta at or below it is INFO.
    """
    finding = judge_values(comparison, policy, absolute)
    message = _message(comparison, finding)
    if finding.severity is None:
        return Judgement(comparison, None, message)
    figures = _figures(comparison, finding)
    diff = diff_of(comparison, finding.severity, message, session_id, figures)
    return Judgement(comparison, diff, message)


def judge_values(
    comparison: Comparison, policy: Policy, absolute: Decimal | None = None
) -> Finding:
    """Compare the two values of a position, cash or ledger comparison."""
    dust = policy.float_dust if comparison.in_floats and absolute is None else None
    if is_position(comparison):
        internal, external = (_quantity(value) for value in _values(comparison))
        return judge_position(comparison.name, internal, external, policy.position, absolute, dust)
    internal_balance, external_balance = (
        _balance(value, comparison) for value in _values(comparison)
    )
    return judge_cash(internal_balance, external_balance, policy, absolute, dust)


def is_position(comparison: Comparison) -> bool:
    """Whether quantities are compared, and not balances."""
    value = comparison.internal or comparison.external
    return comparison.item_kind is ItemKind.POSITION or isinstance(value, Position)


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
    message = f"{_what(comparison)}: {Severity.CRITICAL}, cannot be judged: {printable(reason)}"
    diff = diff_of(comparison, Severity.CRITICAL, message, session_id)
    return Judgement(comparison, diff, message)


def judge_position(
    symbol: str,
    internal: Decimal,
    external: Decimal,
    policy: PositionPolicy,
    absolute: Decimal | None = None,
    dust: Decimal | None = None,
) -> Finding:
    """Drift = |internal - external| / max of both; `absolute` makes small deltas INFO.

    So does `dust`, the policy's `float_dust`, where a side computed in binary floats.
    """
    delta = EXACT.subtract(internal, external).copy_abs()
    reference = larger_magnitude(internal, external)
    tolerance = _position_tolerance(symbol, policy, absolute)
    if tolerance is None and dust is not None:
        tolerance = Tolerance(dust, f"INFO up to {format_amount(dust)} (float_dust)")
    elif tolerance is not None:
        tolerance = tolerance.with_dust(dust)
    thresholds = policy.thresholds_text()
    text = f"{tolerance.text}, else {thresholds}" if tolerance else thresholds
    if not delta:
        return Finding(None, internal, external, text)
    if tolerance is not None and tolerance.covers(delta):
        return Finding(Severity.INFO, internal, external, text)
    return Finding(_by_drift(delta, reference, policy), internal, external, text)


def _by_drift(delta: Decimal, reference: Decimal, policy: PositionPolicy) -> Severity:
    if delta < EXACT.multiply(policy.info_below, reference):
        return Severity.INFO
    if delta <= EXACT.multiply(policy.fail_above, reference):
        return Severity.WARN
    return Severity.FAIL


def _position_tolerance(
    symbol: str, policy: PositionPolicy, absolute: Decimal | None
) -> Tolerance | None:
    if absolute is not None:
        return Tolerance(absolute, f"INFO up to {format_amount(absolute)} (given for this item)")
    found = policy.absolute_tolerance(symbol)
    if found is None:
        return None
    pattern, limit = found
    return Tolerance(limit, f"INFO up to {format_amount(limit)} ({printable(pattern, 60)})")


def judge_cash(
    internal: CashBalance,
    external: CashBalance,
    policy: Policy,
    absolute: Decimal | None = None,
    dust: Decimal | None = None,
) -> Finding:
    """Total against the tolerance: above it FAIL, else INFO; then free and locked.

    Free and locked, where both sides give them, are WARN when they differ under an
    equal total, and also when a total within tolerance hides a larger shift. `dust`,
    where a side computed in binary floats, is tolerated in the total and in the parts.
    """
    code = internal.currency
    tolerance = policy.cash.tolerance(code, internal.total, external.total)
    if absolute is not None:
        text = f"{format_amount(absolute)} {printable(code, 60)} (given for this item)"
        tolerance = Tolerance(absolute, text)
    tolerance = tolerance.with_dust(dust)
    delta = EXACT.subtract(internal.total, external.total)
    if not tolerance.covers(delta):
        return Finding(Severity.FAIL, internal.total, external.total, tolerance.text)
    severity = Severity.INFO if delta else None
    hidden = tolerance if delta else Tolerance(dust or ZERO, "")
    remark = _shift(internal, external, hidden)
    if remark:
        severity = Severity.WARN
    elif severity is None and (remark := _shift(internal, external, Tolerance(ZERO, ""))):
        severity = Severity.INFO
    return Finding(severity, internal.total, external.total, tolerance.text, remark)


def _shift(internal: CashBalance, external: CashBalance, tolerance: Tolerance) -> str:
    """Where free or locked differ by more than `tolerance` covers, in words."""
    remarks = []
    for name in ("free", "locked"):
        ours, theirs = getattr(internal, name), getattr(external, name)
        if ours is None or theirs is None:
            continue
        delta = EXACT.subtract(ours, theirs)
        if not tolerance.covers(delta):
            remarks.append(
                f"{name}: internal {format_amount(ours)}, external {format_amount(theirs)}"
            )
    return "; ".join(remarks)


def _values(
    comparison: Comparison,
) -> tuple[Position | CashBalance | None, Position | CashBalance | None]:
    return comparison.internal, comparison.external


def _quantity(value: Position | CashBalance | None) -> Decimal:
    return value.quantity if isinstance(value, Position) else ZERO


def _balance(value: Position | CashBalance | None, comparison: Comparison) -> CashBalance:
    # A currency that a reported section does not list is 0, and nothing is known
    # of its parts.
    return value if isinstance(value, CashBalance) else CashBalance(comparison.name, ZERO)


def _message(comparison: Comparison, finding: Finding) -> str:
    """One line in an operator's words: what, both sides, delta, drift or tolerance."""
    what = _what(comparison)
    unit = f" {printable(comparison.unit, 60)}" if comparison.unit else ""
    ours, theirs = labels(comparison.side)
    both = (
        f"{ours} {_stated(finding.internal, comparison.internal, unit)}, "
        f"{theirs} {_stated(finding.external, comparison.external, unit)}"
    )
    if finding.severity is None:
        return f"{what}: match, {both}"
    parts = [both, f"delta {delta_text(finding)}{unit}"]
    if is_position(comparison):
        parts.append(f"drift {drift_text(finding)} ({finding.tolerance})")
    else:
        parts.append(f"tolerance {finding.tolerance}")
    if finding.remark:
        parts.append(finding.remark)
    return f"{what}: {finding.severity}, {', '.join(parts)}"


def _what(comparison: Comparison) -> str:
    """Kind, side of a ledger comparison, name, leg and account: `ledger internal:BTC/EUR`."""
    side = "" if comparison.side is None else f"{comparison.side}:"
    name = printable(comparison.name, 100)
    return f"{comparison.item_kind} {side}{name}{_qualifier(comparison)}"


def labels(side: LedgerSide | None) -> tuple[str, str]:
    """What the two values of a comparison are called in words."""
    if side is None:
        return "internal", "external"
    return f"{side} states", "its own rows give"


def _qualifier(comparison: Comparison) -> str:
    """The leg and the account, where the key names them: ` LONG of account sub1`."""
    value = comparison.internal or comparison.external
    if value is None or "," not in comparison.key:
        return ""
    leg = f" {value.leg}" if isinstance(value, Position) and value.leg is not Leg.NET else ""
    named = value.account is not None and ",account=" in comparison.key
    return f"{leg} of account {printable(value.account, 60)}" if named else leg


def _stated(amount: Decimal, value: Position | CashBalance | None, unit: str) -> str:
    shown = f"{format_amount(amount)}{unit}"
    return shown if value is not None else f"{shown} (not listed)"


def delta_text(finding: Finding) -> str:
    """Internal minus external, with the decimals of both sides."""
    places = max(decimal_places(finding.internal), decimal_places(finding.external))
    return format_amount(pad_to_places(finding.delta, places))


def drift_text(finding: Finding) -> str:
    """The drift as a percentage, `0.5 %`."""
    return percent_text(finding.delta.copy_abs(), finding.reference)


def _figures(comparison: Comparison, finding: Finding) -> Figures:
    delta = finding.delta
    drift = display_ratio(delta.copy_abs(), finding.reference) if finding.reference else ZERO
    return Figures(
        internal=finding.internal,
        external=finding.external,
        delta=delta,
        drift=drift,
        unit=comparison.unit,
        tolerance=finding.tolerance,
        details=_details(comparison, finding, drift),
    )


def _details(comparison: Comparison, finding: Finding, drift: Decimal) -> dict[str, str]:
    """The figures as text, under the names of the runbook's audit log."""
    quantities = is_position(comparison)
    value = "quantity" if quantities else "cash"
    ours, theirs = ("internal", "external") if comparison.side is None else ("stated", "replayed")
    details = {
        "symbol" if quantities else "currency": comparison.name,
        f"{ours}_{value}": format_amount(finding.internal),
        f"{theirs}_{value}": format_amount(finding.external),
        "delta": delta_text(finding),
        "drift": format_amount(drift),
        "tolerance": finding.tolerance,
    }
    return {**details, "remark": finding.remark} if finding.remark else details
