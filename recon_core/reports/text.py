"""Text for people: plain, complete without the source, safe to print."""

from collections.abc import Iterable
from typing import Final

from recon_core.model.comparison import ReconDiff
from recon_core.model.escalation import REHEARSALS, escalation_text
from recon_core.reports.explanations import explanation_facts
from recon_core.values.amounts import format_amount, larger_magnitude, percent_text
from recon_core.values.printable import printable

UNREADABLE: Final = "session::readable"
"""The identity of the difference of a session that cannot be read."""


def diff_text(diff: ReconDiff, session_id: str, node_id: str = "", mode: str | None = None) -> str:
    """A diff in full: what, both sides, delta, drift or tolerance, escalation, and why.

    The escalation is of a session that may be live: by its `mode` it is not a rehearsal.
    """
    lines = [diff.description, f"  session     {printable(session_id)}"]
    if node_id:
        lines.append(f"  item        {node_id}")
    lines += [f"  {name:<11} {value}" for name, value in _figures(diff)]
    if diff.waiver is not None:
        lines.append(f"  waived for  {diff.waiver.reason}")
    lines += [f"  note        {note}" for note in diff.notes]
    if diff.softened_by is not None:
        lines.append(f"  softened by {printable(diff.softened_by)}")
    if diff.identity == UNREADABLE:
        lines.append("  action      fix the file")
    elif mode not in REHEARSALS:
        lines.append(f"  escalation  {escalation_text({diff.severity: 1})}")
    why = () if diff.explanation is None else explanation_facts(diff.explanation)
    lines += [
        f"  {name:<11} {value}"
        for name, value in why
        if name != "known" or not value.endswith(diff.notes)  # a note above says it
    ]
    return "\n".join(lines)


def _figures(diff: ReconDiff) -> Iterable[tuple[str, str]]:
    if diff.internal is None or diff.external is None or diff.delta is None:
        if diff.tolerance:
            yield "tolerance", diff.tolerance
        return
    unit = f" {printable(diff.unit, 60)}" if diff.unit else ""
    ours, theirs = (
        ("stated", "replayed") if diff.diff_type == "LEDGER" else ("internal", "external")
    )
    yield ours, f"{format_amount(diff.internal)}{unit}"
    yield theirs, f"{format_amount(diff.external)}{unit}"
    delta = diff.diff_details.get("delta", format_amount(diff.delta))
    yield "delta", f"{delta}{unit} ({ours} - {theirs})"
    if "symbol" in diff.diff_details:
        larger = larger_magnitude(diff.internal, diff.external)
        yield "drift", percent_text(diff.delta.copy_abs(), larger)
    yield "tolerance", diff.tolerance
