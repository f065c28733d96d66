"""The comparison of two commands as a person reads it: a line a change, then the counts."""

from collections.abc import Iterator
from typing import Final

from recon_core.audit.run_comparison import Change, ChangeKind, RunComparison
from recon_core.judging.waiving import judged_severity
from recon_core.model.comparison import ReconDiff
from recon_core.reports.wording import counted
from recon_core.values.amounts import format_amount
from recon_core.values.printable import printable

_MOST: Final = 20
"""Changes of one kind that are shown; JSON has all of them."""
_MOST_SESSIONS: Final = 5
"""Sessions of only one command that a line names."""


def comparison_lines(found: RunComparison, before: str, after: str) -> Iterator[str]:
    """Yield the changes, the most urgent first, and how many there are of each kind."""
    for kind in found.counts:
        if kind is ChangeKind.SAME:
            continue
        changes = [change for change in found.changes if change.kind is kind]
        yield from (_line(change) for change in changes[:_MOST])
        if len(changes) > _MOST:
            yield f"{kind:<8} and {len(changes) - _MOST} more"
    for place, names in ((before, found.only_before), (after, found.only_after)):
        if names:
            more = len(names) - _MOST_SESSIONS
            shown = ", ".join(printable(name, 60) for name in names[:_MOST_SESSIONS])
            yield (
                f"only in {printable(place)}: {counted(len(names), 'session')}: {shown}"
                + (f" and {more} more" if more > 0 else "")
            )
    counts = ", ".join(f"{count} {kind}" for kind, count in found.counts.items())
    yield f"{printable(before)} -> {printable(after)}: {counts or 'no differences'}"


def _line(change: Change) -> str:
    """`grew     FAIL day cash EUR: +5.00 EUR -> +7.50 EUR`."""
    kind, _, key = change.identity.partition("::")
    shown = change.shown
    figures = [_figure(each) for each in (change.before, change.after)]
    ends = " -> ".join(figures) if all(figures) else printable(shown.description, 200)
    waived = f" ({shown.severity})" if shown.waiver is not None else ""
    return (
        f"{change.kind:<8} {judged_severity(shown)}{waived} {printable(change.session, 60)} "
        f"{kind} {printable(key)}: {ends}"
    )


def _figure(diff: ReconDiff | None) -> str:
    if diff is None:
        return "none"
    if not diff.delta:
        return ""
    sign = "+" if diff.delta > 0 else ""
    unit = f" {printable(diff.unit, 60)}" if diff.unit else ""
    return f"{sign}{format_amount(diff.delta)}{unit}"
