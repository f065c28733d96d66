"""A cause and the differences that it explains, in rows, the most important first.

Cause, proven (ledger): missing a fill: SELL 0.026 BTC/USDT at 60915.37, fee 1.188 USDT
FAIL  position BTC/USDT  ledger 0.083, exchange 0.057, delta +0.026 BTC
FAIL  cash USDT          ledger 46464, exchange 48047, delta -1583 USDT
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from recon_core.model import LedgerSide
from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import Cause, Explanation, ExplanationVerdict
from recon_core.reports.explanations import (
    cause_phrase,
    certainty_text,
    effect_text,
    said,
    side_text,
)
from recon_core.reports.figures import compared_figures, figure, signed_figure, with_short_numbers
from recon_core.reports.findings import Finding
from recon_core.reports.layout import BOLD, Row
from recon_core.reports.side_names import SideNames
from recon_core.reports.text import UNREADABLE, found_text, subject_of
from recon_core.reports.wording import counted
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

_MOST: Final = 5
"""Causes of one explanation that are listed; more are counted."""
_MOST_FACTS: Final = 3
"""Facts about differences without a cause; `recon explain` shows all."""
_MOST_NOTED: Final = 2
"""Differences without a cause that are shown with their notes."""
_WIDEST_SUBJECT: Final = 32
"""Columns in which the figures of differences are aligned; a longer name moves its own."""


def finding_rows(
    finding: Finding, names: SideNames, top_n: int, *, verbose: bool = False, indent: int = 0
) -> Iterator[Row]:
    """Yield the rows of a cause: itself, its differences, and what would decide."""
    explanation = finding.explanation
    if finding.has_cause and explanation is not None:
        yield from cause_rows(explanation, names, indent)
    elif explanation is not None:
        facts = _facts(finding, explanation, names)
        yield Row(f": {facts}" if facts else "", "No cause found", BOLD, indent)
    inner = indent + 2 * (explanation is not None)
    yield from difference_rows(
        finding.diffs, names, top_n, verbose=verbose, has_cause=finding.has_cause, indent=inner
    )
    if explanation is not None:
        yield from closing_rows(finding, explanation, names, verbose=verbose, indent=inner)


def cause_rows(explanation: Explanation, names: SideNames, indent: int) -> Iterator[Row]:
    """Yield the cause: `Cause, proven (ledger): missing a fill: SELL 0.026 …`.

    Several that account for the differences together are a row each, below one heading.
    """
    causes = explanation.causes
    certainty = certainty_text(explanation)
    if len(causes) == 1:
        head = f"{certainty}{side_text(causes[0], names)}: "
        yield Row(_short_phrase(causes[0], names), head, BOLD, indent)
        return
    yield Row(":", f"{certainty}, {len(causes)} together", BOLD, indent)
    for cause in causes[:_MOST]:
        side = "" if cause.side is None else f"{names.of(cause.side)} "
        yield Row(f"{side}{_short_phrase(cause, names)}", "- ", indent=indent + 2)
    more = len(causes) - _MOST
    if more > 0:
        yield Row(f"and {counted(more, 'more cause')}", indent=indent + 2)


def _short_phrase(cause: Cause, names: SideNames) -> str:
    return with_short_numbers(cause_phrase(cause, names))


def _facts(finding: Finding, explanation: Explanation, names: SideNames) -> str:
    """Return the first facts about differences whose cause is not proven.

    A fact on a row is that of its difference, and a fact that is a note is below one: the
    reader sees both.
    """
    rows = tuple(f"{subject_of(diff)}: " for diff in finding.diffs if _is_of_rows(diff))
    noted = () if finding.has_cause else finding.diffs[:_MOST_NOTED]
    notes = tuple(note for diff in noted for note in diff.notes)
    known = [
        each for each in explanation.known if not (each.startswith(rows) or each.endswith(notes))
    ]
    facts = [said(each, names) for each in known[:_MOST_FACTS]]
    if explanation.verdict is ExplanationVerdict.NOT_SEARCHED:
        facts.insert(0, said(explanation.text, names))
    more = len(known) - _MOST_FACTS
    facts += [counted(more, "more fact")] if more > 0 else []
    return with_short_numbers("; ".join(facts))


def closing_rows(
    finding: Finding, explanation: Explanation, names: SideNames, *, verbose: bool, indent: int
) -> Iterator[Row]:
    """Yield what a cause leaves, its proof where all is shown, and what would decide."""
    if explanation.causes and explanation.residual:
        left = effect_text(explanation.residual)
        yield Row(left if verbose else with_short_numbers(left), "Remains: ", indent=indent)
    if explanation.causes and explanation.verdict is not ExplanationVerdict.UNIQUE:
        facts = _facts(finding, explanation, names)
        if facts:
            yield Row(facts, "Known: ", indent=indent)
    if verbose and explanation.proof:
        yield Row(said(explanation.proof, names), "Checked: ", indent=indent)
    if explanation.decides:
        yield Row(said(explanation.decides, names), "To find out: ", indent=indent)


def difference_rows(
    diffs: Sequence[ReconDiff],
    names: SideNames,
    top_n: int,
    *,
    verbose: bool = False,
    has_cause: bool = False,
    indent: int = 0,
) -> Iterator[Row]:
    """Yield the worst differences, one row each, and how many more there are.

    With `verbose` each is shown with all of its figures. The largest without a cause have their
    notes: the sources of the cash of both sides say where to look. A difference that a hook
    has softened is never left out.
    """
    listed = list(diffs) if verbose else [each for each in diffs if not is_quiet(each)]
    shown = [*listed[:top_n], *(each for each in listed[top_n:] if each.softened_by is not None)]
    subjects = [subject_of(each) for each in shown]
    column = max((len(each) for each in subjects if len(each) <= _WIDEST_SUBJECT), default=0)
    noted: set[str] = set()
    for place, (diff, subject) in enumerate(zip(shown, subjects, strict=True)):
        severity = f"{diff.severity!s:<{max(len(each.severity) for each in shown)}}  "
        text = (
            f"{subject}: {found_text(diff, names)}"
            if verbose
            else f"{subject:<{column}}  {difference_text(diff, names)}"
        )
        yield Row(text, severity, diff.severity, indent)
        if verbose or (not has_cause and place < _MOST_NOTED):
            # The note of a balance is that of the ledger behind it, too.
            fresh = [note for note in diff.notes if verbose or note not in noted]
            noted.update(fresh)
            yield from (Row(names.said(note), "note  ", indent=indent + 4) for note in fresh)
    more = len(listed) - len(shown)
    if more > 0:
        yield Row(f"and {more} more", indent=indent)
    quiet = len(diffs) - len(listed)
    if quiet:
        yield Row(f"{quiet} INFO, within the tolerance", indent=indent)


def is_quiet(diff: ReconDiff) -> bool:
    """True if a difference is within the tolerance of the policy, or waived, and by no hook."""
    return diff.severity.rank <= Severity.WAIVED.rank and diff.softened_by is None


def difference_text(diff: ReconDiff, names: SideNames) -> str:
    """Return a difference in one sentence, its figures with four significant digits.

    Of a file that cannot be read the names of its keys stay: there the sides are `internal` and
    `external`.
    """
    if diff.identity == UNREADABLE:
        return found_text(diff, names)
    softened = "" if diff.softened_by is None else f" (softened by {printable(diff.softened_by)})"
    if diff.internal is None or diff.external is None or diff.delta is None or _is_of_rows(diff):
        return f"{_row_text(diff, names) or with_short_numbers(found_text(diff, names))}"
    unit = f" {printable(diff.unit, 60)}" if diff.unit else ""
    of_ledger = diff.diff_type == "LEDGER"
    short = names.short
    ours, theirs = ("stated", "its rows give") if of_ledger else (short.internal, short.external)
    first, second = compared_figures(diff.internal, diff.external, diff.delta)
    remark = diff.diff_details.get("remark")
    more = f"; {with_short_numbers(names.said(remark))}" if remark else ""
    return f"{signed_figure(diff.delta)}{unit}: {ours} {first}, {theirs} {second}{more}{softened}"


def _is_of_rows(diff: ReconDiff) -> bool:
    return "internal_rows" in diff.diff_details


def _row_text(diff: ReconDiff, names: SideNames) -> str:
    """Return what a side lacks and the other has, or in what their rows differ; empty for more."""
    details = diff.diff_details
    if details.get("internal_rows") == details.get("external_rows") == "1":
        return _fields_text(details, names)
    for side in LedgerSide:
        other = LedgerSide.EXTERNAL if side is LedgerSide.INTERNAL else LedgerSide.INTERNAL
        if details.get(f"{side}_rows") == "0" and f"{other}_quantity" in details:
            row = {name: printable(details.get(f"{other}_{name}", ""), 60) for name in _OF_ROW}
            price = f" at {row['price']}" if row["price"] else ""
            fee = f", fee {figure(Decimal(row['fee']))} {row['fee_currency']}" if row["fee"] else ""
            count = details[f"{other}_rows"]
            times = "" if count == "1" else f"{count} rows such as "
            has = f"{times}{row['side']} {row['quantity']}{price}{fee.rstrip()}, {row['time']}"
            short = names.short
            return f"missing from {short.subject(side)}; {short.subject(other)} has {has}"
    return ""


def _fields_text(details: Mapping[str, str], names: SideNames) -> str:
    """Return the fields that differ, empty where there is more than these to say."""
    both = {
        name: (details[f"internal_{name}"], details[f"external_{name}"])
        for name in _FIELDS
        if f"internal_{name}" in details and f"external_{name}" in details
    }
    differing = {name: pair for name, pair in both.items() if pair[0] != pair[1]}
    if not differing or len(differing) < len(details.get("cases", "").split(",")):
        return ""
    parts = []
    for name, pair in differing.items():
        # A fee is a figure; a quantity and a price name the fill.
        ours, theirs = (_fee(each) if name == "fee" else printable(each, 60) for each in pair)
        said = f"{names.short.internal} {ours}, {names.short.external} {theirs}"
        parts.append(f"{name.replace('_', ' ')}: {said}")
    return "; ".join(parts)


def _fee(text: str) -> str:
    return figure(Decimal(text))


_FIELDS: Final = ("side", "quantity", "filled_quantity", "price", "fee", "fee_currency", "state")
"""Fields of a row that are compared, in the order of a reader's interest."""
_OF_ROW: Final = ("side", "quantity", "price", "fee", "fee_currency", "time")


def one_line(finding: Finding) -> str:
    """Return a cause in one line of a table; without a cause its largest difference.

    The usual names of the sides are short, where sources may fill the column.
    """
    names = SideNames()
    explanation, worst = finding.explanation, finding.diffs[0]
    if finding.has_cause and explanation is not None:
        cause = explanation.causes[0]
        doubt = "" if explanation.verdict is ExplanationVerdict.UNIQUE else "perhaps "
        side = "" if cause.side is None else f"{names.of(cause.side)} "
        more = len(explanation.causes) - 1
        others = f" (and {counted(more, 'more cause')})" if more else ""
        phrase = _short_phrase(cause, names)
        for words in _LEFT_OUT_OF_TABLES:
            phrase = phrase.replace(words, "", 1)
        return f"{doubt}{side}{phrase}{others}"
    return f"{subject_of(worst)}: {difference_text(worst, names)}"


_LEFT_OUT_OF_TABLES: Final = ("a fill, or several of this sum: ", "a fill: ")
"""Words in front of the trade that is missing: a column has room for the trade alone."""


def next_commands(
    findings: Sequence[Finding],
    file: str,
    options: Sequence[str] = (),
    *,
    is_explained: bool = False,
) -> Iterator[str]:
    """Yield the commands that say more of a session, and that write what would repair it.

    None for a session that cannot be read: its file has to be mended first. What `recon explain`
    says is known where it `is_explained`, but for what its search did not reach.
    """
    if not file or any(map(is_unreadable, findings)):
        return
    explained = [one.explanation for one in findings if one.explanation is not None]
    verdicts = {one.verdict for one in explained}
    # A search that failed would fail again, and says of nothing that it would decide.
    is_cut = any(
        one.verdict is ExplanationVerdict.NOT_SEARCHED and one.decides for one in explained
    )
    more = ["--effort full"] if is_cut else []
    if more or not is_explained:
        yield " ".join(["recon explain", file, *options, *more])
    if verdicts == {ExplanationVerdict.UNIQUE} and any(one.repair for one in explained):
        yield " ".join(["recon repair", file, "-o repair.json", *options])


def is_unreadable(finding: Finding) -> bool:
    """True if the session itself could not be read."""
    return finding.diffs[0].identity == UNREADABLE
