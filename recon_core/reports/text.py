"""Text for people: plain, complete without the source, safe to print."""

from collections.abc import Iterable
from typing import Final

from recon_core.model.comparison import ReconDiff
from recon_core.model.escalation import REHEARSALS, escalation_text
from recon_core.reports.explanations import explanation_rows
from recon_core.reports.side_names import SideNames
from recon_core.values.amounts import format_amount, larger_magnitude, percent_text
from recon_core.values.printable import printable

UNREADABLE: Final = "session::readable"
"""The identity of the difference of a session that cannot be read."""


def subject_of(diff: ReconDiff) -> str:
    """Return the thing that differs: `cash USDT`, `fill t17 of BTC/USDT`."""
    subject, found, _ = diff.description.partition(f": {diff.severity}, ")
    return subject if found else f"{diff.diff_type.lower()} {printable(diff.key, 100)}"


def found_text(diff: ReconDiff, names: SideNames) -> str:
    """Return the description behind subject and severity, with the names of the sides.

    Of a file that cannot be read the names of its keys stay: there the sides are `internal` and
    `external`.
    """
    _, found, text = diff.description.partition(f": {diff.severity}, ")
    text = text if found else diff.description
    return text if diff.identity == UNREADABLE else names.said(text)


def description_text(diff: ReconDiff, names: SideNames) -> str:
    """Return a diff in one line: `cash USDT: FAIL, ledger 2 USDT, exchange 1 USDT, …`."""
    head = f"{subject_of(diff)}: {diff.severity}, "
    found = found_text(diff, names)
    return f"{head}{found}" if diff.description.startswith(head) else found


def diff_text(
    diff: ReconDiff,
    session_id: str,
    node_id: str = "",
    mode: str | None = None,
    names: SideNames | None = None,
) -> str:
    """A diff in full: what, both sides, delta, drift or tolerance, escalation, and why.

    The escalation is of a session that may be live: by its `mode` it is not a rehearsal.
    """
    names = names or SideNames()
    lines = [description_text(diff, names), f"  session     {printable(session_id)}"]
    if node_id:
        lines.append(f"  item        {node_id}")
    lines += [f"  {name:<11} {value}" for name, value in _figures(diff, names.short)]
    if diff.waiver is not None:
        lines.append(f"  waived for  {diff.waiver.reason}")
    lines += [f"  note        {names.said(note)}" for note in diff.notes]
    if diff.softened_by is not None:
        lines.append(f"  softened by {printable(diff.softened_by)}")
    if diff.identity == UNREADABLE:
        lines.append("  action      fix the file")
    elif mode not in REHEARSALS:
        lines.append(f"  escalation  {escalation_text({diff.severity: 1})}")
    if diff.explanation is not None:
        why = explanation_rows(diff.explanation, names, notes=diff.notes)
        lines += [f"  {row.head}{row.text}" for row in why]
    return "\n".join(lines)


def _figures(diff: ReconDiff, names: SideNames) -> Iterable[tuple[str, str]]:
    if diff.internal is None or diff.external is None or diff.delta is None:
        if diff.tolerance:
            yield "tolerance", diff.tolerance
        return
    unit = f" {printable(diff.unit, 60)}" if diff.unit else ""
    of_ledger = diff.diff_type == "LEDGER"
    ours, theirs = ("stated", "replayed") if of_ledger else (names.internal, names.external)
    yield ours, f"{format_amount(diff.internal)}{unit}"
    yield theirs, f"{format_amount(diff.external)}{unit}"
    delta = diff.diff_details.get("delta", format_amount(diff.delta))
    yield "delta", f"{delta}{unit} ({ours} - {theirs})"
    if "symbol" in diff.diff_details:
        larger = larger_magnitude(diff.internal, diff.external)
        yield "drift", percent_text(diff.delta.copy_abs(), larger)
    yield "tolerance", diff.tolerance
