"""Severity of a difference of two values: positions by drift, balances by a tolerance.

Every decision is a comparison of exact products; ratios are rounded for the eye only.
Source of the rules: design, "Severity levels", "Position drift" and "Cash".
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from recon_core.model import CashBalance
from recon_core.model.policy_line import PolicyLine
from recon_core.policy.model import Policy, PositionPolicy, Tolerance, dust_line
from recon_core.values.amounts import EXACT, ZERO, format_amount, larger_magnitude
from recon_core.values.printable import printable
from recon_core.values.severity import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of judging two values: `severity` is `None` where they are equal.

    `lines` are those of the policy that keep it no worse, each of them alone.
    """

    severity: Severity | None
    internal: Decimal
    external: Decimal
    tolerance: str
    remark: str = ""
    lines: tuple[PolicyLine, ...] = ()

    @property
    def delta(self) -> Decimal:
        """Internal minus external."""
        return EXACT.subtract(self.internal, self.external)

    @property
    def reference(self) -> Decimal:
        """The magnitude that the delta is relative to: the larger of both."""
        return larger_magnitude(self.internal, self.external)


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
        text = f"INFO up to {format_amount(dust)} (float_dust)"
        tolerance = Tolerance(dust, text, ((dust, dust_line(dust)),))
    elif tolerance is not None:
        tolerance = tolerance.with_dust(dust)
    thresholds = policy.thresholds_text()
    text = f"{tolerance.text}, else {thresholds}" if tolerance else thresholds
    if not delta:
        return Finding(None, internal, external, text)
    severity, lines = _by_drift(delta, reference, policy)
    if tolerance is not None and tolerance.covers(delta):
        severity, lines = Severity.INFO, (*tolerance.covering(delta), *lines)
    return Finding(severity, internal, external, text, lines=lines)


def _by_drift(
    delta: Decimal, reference: Decimal, policy: PositionPolicy
) -> tuple[Severity, tuple[PolicyLine, ...]]:
    """Return the severity of a drift, and the thresholds that it is below."""
    info, warn = (
        delta < EXACT.multiply(policy.info_below, reference),
        delta <= EXACT.multiply(policy.fail_above, reference),
    )
    lines = []
    if info:
        value = policy.info_below
        lines.append(PolicyLine.of(Severity.INFO, value, "position", "info_below"))
    if warn:
        value = policy.fail_above
        lines.append(PolicyLine.of(Severity.WARN, value, "position", "fail_above"))
    severity = Severity.INFO if info else Severity.WARN if warn else Severity.FAIL
    return severity, tuple(lines)


def _position_tolerance(
    symbol: str, policy: PositionPolicy, absolute: Decimal | None
) -> Tolerance | None:
    if absolute is not None:
        return Tolerance(absolute, f"INFO up to {format_amount(absolute)} (given for this item)")
    found = policy.absolute_tolerance(symbol)
    if found is None:
        return None
    pattern, limit = found
    text = f"INFO up to {format_amount(limit)} ({printable(pattern, 60)})"
    line = PolicyLine.of(Severity.INFO, limit, "position", "absolute", pattern)
    return Tolerance(limit, text, ((limit, line),))


def judge_cash(
    internal: CashBalance,
    external: CashBalance,
    policy: Policy,
    absolute: Decimal | None = None,
    dust: Decimal | None = None,
) -> Finding:
    """Total against the tolerance: above it FAIL, else INFO; then the parts of the total.

    Free, locked, debt and settled, where both sides give them, are WARN when they differ under an
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
    lines = tolerance.covering(delta) if delta else ()
    hidden = tolerance if delta else Tolerance(dust or ZERO, "")
    remark = _shift(internal, external, hidden)
    if remark:
        severity = Severity.WARN
    elif severity is None and (remark := _shift(internal, external, Tolerance(ZERO, ""))):
        severity = Severity.INFO
    return Finding(severity, internal.total, external.total, tolerance.text, remark, lines)


_PARTS: Final = ("free", "locked", "debt", "settled")
"""Parts of a balance that are compared; what is unrealised depends on the mark prices."""


def _shift(internal: CashBalance, external: CashBalance, tolerance: Tolerance) -> str:
    """Return the parts in words where they differ by more than `tolerance` covers."""
    remarks = []
    for name in _PARTS:
        ours, theirs = getattr(internal, name), getattr(external, name)
        if ours is None or theirs is None:
            continue
        delta = EXACT.subtract(ours, theirs)
        if not tolerance.covers(delta):
            remarks.append(
                f"{name}: internal {format_amount(ours)}, external {format_amount(theirs)}"
            )
    return "; ".join(remarks)
