"""Text of a verdict on two values: one line for an operator, and figures as text."""

from decimal import Decimal

from recon_core.judging.values import Finding
from recon_core.model import CashBalance, LedgerSide, Leg, Position
from recon_core.model.comparison import Comparison
from recon_core.values.amounts import decimal_places, format_amount, pad_to_places, percent_text
from recon_core.values.printable import printable


def verdict_text(comparison: Comparison, finding: Finding) -> str:
    """One line in an operator's words: what, both sides, delta, drift or tolerance."""
    what = subject_text(comparison)
    unit = f" {printable(comparison.unit, 60)}" if comparison.unit else ""
    ours, theirs = _labels(comparison.side)
    both = (
        f"{ours} {_stated(finding.internal, comparison.internal, unit)}, "
        f"{theirs} {_stated(finding.external, comparison.external, unit)}"
    )
    if finding.severity is None:
        return f"{what}: match, {both}"
    parts = [both, f"delta {_delta_text(finding)}{unit}"]
    if comparison.of_position:
        parts.append(f"drift {_drift_text(finding)} ({finding.tolerance})")
    else:
        parts.append(f"tolerance {finding.tolerance}")
    if finding.remark:
        parts.append(finding.remark)
    return f"{what}: {finding.severity}, {', '.join(parts)}"


def figure_texts(comparison: Comparison, finding: Finding, drift: Decimal) -> dict[str, str]:
    """The figures as text, under the names of the runbook's audit log."""
    quantities = comparison.of_position
    value = "quantity" if quantities else "cash"
    ours, theirs = ("internal", "external") if comparison.side is None else ("stated", "replayed")
    texts = {
        "symbol" if quantities else "currency": comparison.name,
        f"{ours}_{value}": format_amount(finding.internal),
        f"{theirs}_{value}": format_amount(finding.external),
        "delta": _delta_text(finding),
        "drift": format_amount(drift),
        "tolerance": finding.tolerance,
    }
    return {**texts, "remark": finding.remark} if finding.remark else texts


def subject_text(comparison: Comparison) -> str:
    """Kind, side of a ledger comparison, name, leg and account: `ledger internal:BTC/EUR`."""
    side = "" if comparison.side is None else f"{comparison.side}:"
    name = printable(comparison.name, 100)
    return f"{comparison.item_kind} {side}{name}{_qualifier(comparison)}"


def _labels(side: LedgerSide | None) -> tuple[str, str]:
    """Return the names of the two values of a comparison in words."""
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


def _delta_text(finding: Finding) -> str:
    """Internal minus external, with the decimals of both sides."""
    places = max(decimal_places(finding.internal), decimal_places(finding.external))
    return format_amount(pad_to_places(finding.delta, places))


def _drift_text(finding: Finding) -> str:
    """The drift as a percentage, `0.5 %`."""
    return percent_text(finding.delta.copy_abs(), finding.reference)
