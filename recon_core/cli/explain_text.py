"""A session with all that is known of its differences: the answer of `recon explain`.

3 FAIL  lost_fill (explain/lost_fill.recon.json)
  Cause, proven (ledger): missing a fill: BUY 0.061729 BTC/USDT at 42032.61, fee 2.59463098 USDT
    Kind: missing_fill
    Off by: position BTC/USDT -0.061729, cash USDT +2597.22561367
    Checked: reconciled again with 1 fill added: 2 diffs disappear, none appears
    FAIL  position BTC/USDT: ledger 1.160508 BTC, exchange 1.222237 BTC, …
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model.comparison import ItemKind, ReconDiff
from recon_core.model.explanation import Explanation, ExplanationVerdict
from recon_core.reports.explanations import explanation_rows
from recon_core.reports.finding_text import difference_rows, next_commands
from recon_core.reports.findings import findings_of, key_of
from recon_core.reports.layout import BOLD, DIM, Row
from recon_core.reports.side_names import SideNames, sources_of
from recon_core.reports.wording import counts_text
from recon_core.values.printable import printable

_STATES: Final = frozenset({ItemKind.POSITION, ItemKind.CASH, ItemKind.HOLDING})
_MOST_NOTES: Final = 10
"""Notes on a session that are shown: those of a format say more than what differs."""


def explained_session(
    reconciliation: Reconciliation, path: str, file: str, options: Sequence[str]
) -> Iterator[Row]:
    """Yield the rows of a session; `path` is shown, `file` and `options` are for commands."""
    names = SideNames.of_sources(sources_of(reconciliation.recorded))
    title = f"{printable(reconciliation.recorded.session_id)} ({path})"
    diffs = reconciliation.diffs
    if not diffs:
        yield Row(f"{title}: no differences")
        return
    worst = max((diff.severity for diff in diffs), key=lambda severity: severity.rank)
    yield Row(title, f"{counts_text(diffs)}  ", worst)
    findings = findings_of(diffs)
    whole = {key_of(each.trimmed()): each for each in reconciliation.explanations}
    if not whole and reconciliation.is_readable:
        yield Row(_why_no_search(reconciliation, names), indent=2)
    shown = [(finding, _whole(finding.explanation, whole)) for finding in findings]
    for finding, explanation in shown:
        if finding.has_cause:
            yield from _rows(explanation, finding.diffs, names)
    for explanation in whole.values():
        rows = _rows(explanation, (), names)
        is_open = explanation.verdict is ExplanationVerdict.AMBIGUOUS
        # What else fits has the same differences: its cause says it.
        yield from islice(rows, 1) if is_open else rows
    for finding, explanation in shown:
        if not finding.has_cause:
            yield from _rows(explanation, finding.diffs, names)
    notes = [names.said(note) for note in reconciliation.notes]
    yield from (Row(note, "note  ", DIM, 2) for note in notes[:_MOST_NOTES])
    for command in next_commands(findings, file, options, is_explained=True):
        yield Row(command, "Next: ", indent=2, is_whole=True)


def _whole(found: Explanation | None, whole: dict[object, Explanation]) -> Explanation | None:
    """Take an explanation out of those that are whole, by its cut copy at a difference."""
    return None if found is None else whole.pop(key_of(found), found)


def _why_no_search(reconciliation: Reconciliation, names: SideNames) -> str:
    """Say that only positions and balances have a cause, and that none of them differs."""
    sides = f"{names.internal} and {names.external}"
    kinds = {one.item_kind for one in reconciliation.comparisons}
    if kinds & _STATES:
        return f"No cause is searched for: {sides} agree in every position and balance"
    return f"No cause is searched for: {sides} have no position and no balance to compare"


def _rows(
    explanation: Explanation | None, diffs: Sequence[ReconDiff], names: SideNames
) -> Iterator[Row]:
    """Yield an explanation and below it its differences with all of their figures."""
    indent = 2
    if explanation is not None:
        notes = tuple(note for diff in diffs for note in diff.notes)
        for row in explanation_rows(explanation, names, whole=True, notes=notes):
            yield replace(row, indent=2 if row.style == BOLD else 4)
        indent = 4
    has_cause = explanation is not None and bool(explanation.causes)
    yield from difference_rows(
        diffs, names, len(diffs), verbose=True, has_cause=has_cause, indent=indent
    )
