"""Waivers applied to a verdict: the one place that decides what a waiver covers.

A diff is waived where a waiver names its session and its item, is not over, and the diff is
at or under its ceiling, of no other cause and of no higher severity. CRITICAL is never waived.
An example: `max_amount = "5.00"` covers a delta of -5.00 EUR and not one of 5.01 EUR.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from recon_core.model.comparison import Judgement, ReconDiff
from recon_core.model.explanation import CauseKind, ExplanationVerdict
from recon_core.model.waivers import WaiverState, WaiverUse
from recon_core.policy.waivers import Waiver, Waivers
from recon_core.values.amounts import format_amount
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

_FIGURES: Final = ("filled_quantity", "quantity", "price", "fee")
_DIGITS: Final = 16
"""Hexadecimal digits of a finding's digest: 64 bits, which no two diffs of a key share."""


def waived(judgement: Judgement, waivers: Waivers | None, session_id: str) -> Judgement:
    """Return the judgement with the waivers that name it, WAIVED where one of them covers it.

    `session_id` is the id as reports print it. Of a diff that is not covered the notes say why.
    """
    diff = judgement.diff
    if not waivers or diff is None or diff.severity is Severity.INFO:
        return judgement
    uses = uses_of(waivers, session_id, diff)
    if not uses:
        return judgement
    covering = next((use for use in uses if use.covers), None)
    if covering is None:
        notes = (*diff.notes, *(use.text for use in uses))
        return replace(judgement, diff=replace(diff, notes=notes, waivers=uses))
    text = f"{diff.description} ({covering.text})"
    found = replace(diff, severity=Severity.WAIVED, description=text, waivers=uses)
    return replace(judgement, diff=found, message=text)


def uses_of(waivers: Waivers, session_id: str, diff: ReconDiff) -> tuple[WaiverUse, ...]:
    """Return the waivers that name a diff of a session, each with what became of it."""
    return tuple(_use(each, diff, waivers) for each in waivers.naming(session_id, diff.identity))


def _use(waiver: Waiver, diff: ReconDiff, waivers: Waivers) -> WaiverUse:
    state, why = _state(waiver, diff, waivers)
    owner = printable(waiver.owner, 100)
    said = (
        f"WAIVED by {waiver.id} until {waiver.expires}, {owner}"
        if state is WaiverState.USED
        else f"waiver {waiver.id} does not cover it: {why}"
    )
    return WaiverUse(
        id=waiver.id,
        owner=owner,
        reason=printable(waiver.reason, 500),
        expires=waiver.expires,
        days_left=(waiver.expires - waivers.day).days,
        state=state,
        severity=diff.severity,
        finding=digest_of(diff),
        text=said,
    )


def _state(waiver: Waiver, diff: ReconDiff, waivers: Waivers) -> tuple[WaiverState, str]:
    """The state of a waiver for a diff that it names, and the reason why it does not cover it."""
    if waivers.is_over(waiver):
        return WaiverState.EXPIRED, f"it expired on {waiver.expires}"
    if diff.severity is Severity.CRITICAL:
        return WaiverState.EXCEEDED, "CRITICAL is never waived"
    if diff.severity.rank > waiver.severity.rank:
        return WaiverState.EXCEEDED, f"{diff.severity} is above its {waiver.severity}"
    above = _above_ceiling(waiver, diff)
    if above:
        return WaiverState.EXCEEDED, above
    changed = _changed(waiver, diff)
    return (WaiverState.CHANGED, changed) if changed else (WaiverState.USED, "")


def _above_ceiling(waiver: Waiver, diff: ReconDiff) -> str:
    if waiver.max_amount is None:
        return ""
    amount = amount_of(diff)
    if amount is None:
        return "the finding has no one amount that max_amount could bound; recon waive writes one"
    if amount <= waiver.max_amount:
        return ""
    unit = f" {printable(diff.unit, 60)}" if diff.unit else ""
    return f"{format_amount(amount)}{unit} is above its {format_amount(waiver.max_amount)}"


def _changed(waiver: Waiver, diff: ReconDiff) -> str:
    if waiver.finding is not None and waiver.finding != digest_of(diff):
        return f"it is for the finding {waiver.finding}, and this is {digest_of(diff)}"
    if waiver.cause is None:
        return ""
    found = proven_causes(diff)
    if found == [str(waiver.cause)]:
        return ""
    shown = f"proven is {', '.join(found)}" if found else "none is proven"
    return f"its cause is {waiver.cause}, and {shown}"


def proven_causes(diff: ReconDiff) -> list[str]:
    """Return the kinds of the proven causes of a diff, sorted, each once."""
    found = diff.explanation
    if found is None or found.verdict is not ExplanationVerdict.UNIQUE:
        return []
    return sorted({str(cause.cause_kind) for cause in found.causes})


def amount_of(diff: ReconDiff) -> Decimal | None:
    """The size of a diff whose delta is all that is wrong, in its unit; else `None`.

    A missing row, a state, several contradicting snapshots and parts of a balance under an
    equal total are no one amount: one that was compared could stay while another grows.
    """
    details = diff.diff_details
    if not diff.delta or "remark" in details or "snapshots" in details:
        return None
    if "cases" in details and ("," in details["cases"] or len(_differing(diff)) != 1):
        return None
    return diff.delta.copy_abs()


def _differing(diff: ReconDiff) -> list[str]:
    """The figures of a row that the sides give differently, or that one side does not give."""
    details = diff.diff_details
    pairs = {
        name: (details.get(f"internal_{name}"), details.get(f"external_{name}"))
        for name in (*_FIGURES, "side", "fee_currency", "state")
    }
    return [name for name, (ours, theirs) in pairs.items() if ours != theirs]


def digest_of(diff: ReconDiff) -> str:
    """A digest of a finding with all its figures: another figure gives another digest."""
    known = next((use.finding for use in diff.waivers), None)
    if known is not None:
        return known
    figures = [diff.internal, diff.external, diff.delta]
    content = [
        diff.identity,
        sorted(diff.diff_details.items()) or diff.description,
        [None if figure is None else format_amount(figure) for figure in figures],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_DIGITS]


def ceiling_of(diff: ReconDiff) -> dict[str, Any]:
    """Return the ceiling of a waiver that covers a diff as it is, and its proven cause.

    `max_amount` where the diff has one amount, else `finding`; `cause` where one kind is proven.
    """
    amount, causes = amount_of(diff), proven_causes(diff)
    return {
        "max_amount": amount,
        "finding": digest_of(diff) if amount is None else None,
        "cause": CauseKind(causes[0]) if len(causes) == 1 else None,
        "severity": judged_severity(diff),
    }


def judged_severity(diff: ReconDiff) -> Severity:
    """The severity of a diff without the waivers that cover it."""
    return diff.severity if diff.waiver is None else diff.waiver.severity


def account(
    waivers: Waivers | None, session_id: str, diffs: Iterable[ReconDiff]
) -> dict[str, list[str]]:
    """Return the ids of the waivers that name a session, by state, in the order of the files.

    A waiver that is over is `expired`; one that covers a diff is `used`, whatever it does not
    cover in addition is `exceeded` or `changed`, too.
    """
    if not waivers:
        return {}
    states: dict[str, set[WaiverState]] = {}
    for diff in diffs:
        for use in diff.waivers:
            states.setdefault(use.id, set()).add(use.state)
    found: dict[str, list[str]] = {}
    for waiver in waivers.of_session(session_id):
        unseen = WaiverState.EXPIRED if waivers.is_over(waiver) else WaiverState.UNUSED
        for state in sorted(states.get(waiver.id, {unseen}), key=_ORDER.index):
            found.setdefault(str(state), []).append(waiver.id)
    return {str(state): found[state] for state in _ORDER if state in found}


_ORDER: Final = tuple(WaiverState)


def whole_account(
    waivers: Waivers | None, accounts: Iterable[Mapping[str, Sequence[str]]]
) -> dict[WaiverState, list[Waiver]]:
    """Return the waivers of a whole run by state, from the accounts of its sessions.

    A waiver that names none of the sessions is unused, or expired.
    """
    if not waivers:
        return {}
    states: dict[str, set[WaiverState]] = {}
    for of_session in accounts:
        for state, ids in of_session.items():
            for each in ids:
                states.setdefault(each, set()).add(WaiverState(state))
    found: dict[WaiverState, list[Waiver]] = {state: [] for state in _ORDER}
    for waiver in waivers.entries:
        unseen = WaiverState.EXPIRED if waivers.is_over(waiver) else WaiverState.UNUSED
        seen = states.get(waiver.id, set()) - {WaiverState.UNUSED} or {unseen}
        for state in seen:
            found[state].append(waiver)
    return {state: each for state, each in found.items() if each}
