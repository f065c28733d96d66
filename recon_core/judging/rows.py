"""Judging fills, orders and movements: the findings on the rows, and their severity by policy.

Source of the rules: design, "Orders and fills". The rows are in the text as both
sides give them, so that nobody has to look them up.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from recon_core.compare.rows.aggregation_texts import aggregated_movements, part_of_group
from recon_core.compare.rows.fill_rules import fill_findings
from recon_core.compare.rows.order_rules import order_findings
from recon_core.compare.rows.row_texts import fill_text, order_text, stated
from recon_core.model import Fill, Order
from recon_core.model.comparison import Comparison, Judgement, ReconDiff, diff_of
from recon_core.model.matched_rows import (
    EqualRows,
    MatchedFills,
    MatchedMovements,
    MatchedOrder,
    RowFinding,
)
from recon_core.model.policy_line import PolicyLine
from recon_core.policy.model import Policy, dust_line
from recon_core.values.amounts import EXACT, format_amount
from recon_core.values.printable import printable
from recon_core.values.severity import Severity
from recon_core.values.times import format_time

_MOST_FOUND = 8
_FIGURES = ("filled_quantity", "quantity", "price", "fee")
_DETAILS = ("side", *_FIGURES, "fee_currency", "state", "time")


def judge_rows(comparison: Comparison, policy: Policy, session_id: str) -> Judgement:
    """The verdict of a fill or an order: the worst of what was found, by the policy."""
    matched = comparison.matched
    if isinstance(matched, EqualRows):
        return Judgement(comparison, None, _folded_text(comparison, matched))
    assert matched is not None  # noqa: S101  # the engine asks for rows only
    if isinstance(matched, MatchedMovements):
        return _judge_movements(comparison, matched, policy, session_id)
    findings = row_findings(matched)
    if isinstance(matched, MatchedFills) and matched.group is not None and findings:
        matched = replace(matched, internal=matched.group.internal, external=matched.group.external)
    sides = (("internal", matched.internal), ("external", matched.external))
    # A finding says it already of a side that does not list the row.
    shown = [f"{side} {_statement(rows)}" for side, rows in sides if rows != () or not findings]
    both = "; ".join(shown)
    what = f"{comparison.item_kind} {printable(comparison.name, 150)}{_account(comparison)}"
    if not findings:
        group = matched.group if isinstance(matched, MatchedFills) else None
        match = "match" if group is None else f"match, {part_of_group(group)}"
        return Judgement(comparison, None, f"{what}: {match}, {both}")
    severity = max((_severity(each, policy) for each in findings), key=lambda each: each.rank)
    found = _found_text(findings)
    message = f"{what}: {severity}, {found}: {both}"
    rules = dict.fromkeys(_rule(each, policy) for each in findings)
    diff = replace(
        diff_of(comparison, severity, message, session_id),
        tolerance=", ".join(rules),
        diff_details=_details(matched, findings),
        order_id=_order_id(_all_rows(comparison)),
    )
    lines = tuple(dict.fromkeys(line for each in findings for line in _lines(each, policy)))
    return Judgement(comparison, _with_figures(diff, comparison, matched), message, lines)


def _judge_movements(
    comparison: Comparison, matched: MatchedMovements, policy: Policy, session_id: str
) -> Judgement:
    """The verdict of movements that the sides list in other periods, with equal sums."""
    finding = aggregated_movements(matched, comparison.unit)
    severity = policy.severity[finding.case]
    account = matched.groups[0].internal[0].account if ",account=" in comparison.key else None
    of_account = "" if account is None else f" of account {printable(account, 60)}"
    what = f"{comparison.item_kind} {printable(comparison.name, 150)}{of_account}"
    message = f"{what}: {severity}, {finding.text}"
    rows = {"internal": matched.internal, "external": matched.external}
    diff = replace(
        diff_of(comparison, severity, message, session_id),
        tolerance=_rule(finding, policy),
        diff_details={
            "cases": str(finding.case),
            **{f"{side}_rows": str(len(each)) for side, each in rows.items()},
        },
    )
    return Judgement(comparison, diff, message, tuple(_lines(finding, policy)))


def row_findings(matched: MatchedFills | MatchedOrder) -> list[RowFinding]:
    """Everything that is wrong with a fill or an order."""
    if isinstance(matched, MatchedFills):
        return fill_findings(matched)
    return order_findings(matched)


def _severity(finding: RowFinding, policy: Policy) -> Severity:
    """The policy's for the case, or INFO where all that differs is the dust of floats."""
    return Severity.INFO if _is_dust(finding, policy) else policy.severity[finding.case]


def _is_dust(finding: RowFinding, policy: Policy) -> bool:
    return bool(finding.gaps) and all(gap.is_dust(policy.float_dust) for gap in finding.gaps)


def _lines(finding: RowFinding, policy: Policy) -> Iterator[PolicyLine]:
    """Yield the lines that keep a finding as mild as each says."""
    if _is_dust(finding, policy):
        yield dust_line(policy.float_dust)
    severity = policy.severity[finding.case]
    yield PolicyLine.of(severity, severity, "severity", finding.case)


def _rule(finding: RowFinding, policy: Policy) -> str:
    """Return the deciding rule: `fill_payload is INFO up to 0.000001 (float_dust), else FAIL`."""
    severity = policy.severity[finding.case]
    if not finding.gaps:
        return f"{finding.case} is {severity}"
    prices = ", of a price also relative to it" if any(g.of_price for g in finding.gaps) else ""
    dust = f"{format_amount(policy.float_dust)} (float_dust{prices})"
    return f"{finding.case} is INFO up to {dust}, else {severity}"


def _found_text(findings: Sequence[RowFinding]) -> str:
    """Return the findings in words; of a hundred rows of one id the first few are enough."""
    texts = list(dict.fromkeys(finding.text for finding in findings))
    more = len(texts) - _MOST_FOUND
    return ", ".join(texts[:_MOST_FOUND]) + (f", and {more} more" if more > 0 else "")


def _folded_text(comparison: Comparison, folded: EqualRows) -> str:
    rows = f"{comparison.item_kind}s are" if folded.count != 1 else f"{comparison.item_kind} is"
    return (
        f"{comparison.item_kind} {comparison.name}: match, "
        f"{folded.count} {rows} equal on both sides, sha256 {folded.digest}"
    )


def _account(comparison: Comparison) -> str:
    """The account, where the key names it."""
    rows = _all_rows(comparison)
    if not rows or ",account=" not in comparison.key:
        return ""
    return f" of account {printable(rows[0].account, 60)}"


def _all_rows(comparison: Comparison) -> list[Fill | Order]:
    matched = comparison.matched
    if matched is None or isinstance(matched, EqualRows | MatchedMovements):
        return []
    return [*(matched.internal or ()), *(matched.external or ())]


def _statement(rows: Sequence[Fill | Order] | None) -> str:
    if rows is None:
        return "reports no orders"
    return stated((_row_text(row) for row in rows), len(rows))


def _row_text(row: Fill | Order) -> str:
    return fill_text(row) if isinstance(row, Fill) else order_text(row)


def _with_figures(
    diff: ReconDiff, comparison: Comparison, matched: MatchedFills | MatchedOrder
) -> ReconDiff:
    """The diff with the first amount that both sides give once and do not agree on."""
    ours, theirs = matched.internal or (), matched.external or ()
    is_of_group = isinstance(matched, MatchedFills) and matched.group is not None
    if len(ours) != 1 or len(theirs) != 1 or is_of_group:
        return diff
    named = [getattr(row, "fee_currency", None) for row in (ours[0], theirs[0])]
    currencies = {str(currency) for currency in named if currency is not None}
    for name in _FIGURES:
        one, other = getattr(ours[0], name, None), getattr(theirs[0], name, None)
        of_two_currencies = name == "fee" and len(currencies) > 1
        if one is None or other is None or one == other or of_two_currencies:
            continue
        units = {"price": "", "fee": next(iter(currencies), "")}
        unit = units.get(name, comparison.unit)
        delta = EXACT.subtract(one, other)
        return replace(diff, internal=one, external=other, delta=delta, unit=unit)
    return diff


def _order_id(rows: Iterable[Fill | Order]) -> str | None:
    order_ids = (row.order_id for row in rows)
    return next(filter(None, order_ids), None)


def _details(
    matched: MatchedFills | MatchedOrder, findings: Sequence[RowFinding]
) -> dict[str, str]:
    """Return the findings and the rows' values as text, `internal_quantity` and so on."""
    details = {"cases": ", ".join(dict.fromkeys(str(each.case) for each in findings))}
    for side, rows in (("internal", matched.internal or ()), ("external", matched.external or ())):
        details[f"{side}_rows"] = str(len(rows))
        if rows:
            details |= {f"{side}_{name}": text for name, text in _values(rows[0]).items()}
    rows = (*(matched.internal or ()), *(matched.external or ()))
    details["symbol"] = rows[0].symbol if rows else ""
    if rows and isinstance(rows[0], Fill):
        details["fill_id"] = rows[0].fill_id
    return details


def _values(row: Fill | Order) -> dict[str, str]:
    values = {name: getattr(row, name, None) for name in _DETAILS}
    values["time"] = format_time(row.time)
    return {
        name: format_amount(value) if isinstance(value, Decimal) else str(value)
        for name, value in values.items()
        if value is not None
    }
