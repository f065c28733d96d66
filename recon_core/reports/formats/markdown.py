"""Markdown for GitHub's step summary, a comment of a pull request or a chat.

Verdict first, then each cause once with what it explains, then the differences without one,
then the sessions. Whole rows are left out at the end where the text would be too long.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from recon_core.reports.report_rows import NO_CAUSE, Row, by_cause, rows
from recon_core.reports.run_report import RunReport, SessionResult
from recon_core.reports.wording import counted
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

MOST_BYTES: Final = 60_000
"""Bytes of a summary: a check run and a comment take 64 KiB, a step summary 1 MiB."""
_RESERVED: Final = 400
"""Bytes of the lines at the end that say how much was left out."""
_LONGEST: Final = 400
"""Characters of one text; ids of any length must not fill the summary."""
_MOST_ITEMS: Final = 10
"""Differences that one cause lists."""
_MOST_SESSIONS: Final = 20
"""Sessions of the table: each takes up to 2 KB where its name is as long as names may be."""
_SIGN: Final = {
    "INFO": "ℹ️ INFO",
    "WAIVED": "🔕 WAIVED",
    "WARN": "⚠️ WARN",
    "FAIL": "❌ FAIL",
    "CRITICAL": "🛑 CRITICAL",
}
_HEADS: Final = {"CLEAR": "✅", "BLOCKED": "❌", "INCOMPLETE": "🛑"}
_ACTIVE: Final = re.compile(r"""[&<>"'|`*_\[\]#~!\\{}$^]|:(?![ 0-9])|(?<=www)\.""")
"""Characters that begin markup, a link or an emoji; no text begins a line."""


def render(run: RunReport) -> str:
    """Return the summary, at most `MOST_BYTES` long."""
    parts = ["<!-- recon report -->", f"## {_HEADS[run.verdict]} {safe(run.line)}", ""]
    parts += [f"**INCOMPLETE:** {safe(problem)}\n" for problem in run.problems[:_MOST_ITEMS]]
    if len(run.problems) > _MOST_ITEMS:
        parts.append(f"and {counted(len(run.problems) - _MOST_ITEMS, 'more problem')}\n")
    ending = [*_sessions(run), *_terms(run)]
    used, left_out = sum(map(_size, (*parts, *ending))) + _RESERVED, 0
    for block, findings in _blocks(run):
        if used + _size(block) > MOST_BYTES:
            left_out += findings
            continue
        parts.append(block)
        used += _size(block)
    if left_out:
        parts.append(f"\nand {left_out} more: the JSON and HTML reports list them\n")
    return "\n".join([*parts, *ending]) + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass")) + 1


def safe(text: str, limit: int = _LONGEST) -> str:
    """Return a text that Markdown shows as it is: nothing in it is markup, link or mention."""
    shown = _ACTIVE.sub(lambda match: f"&#{ord(match[0])};", printable(text, limit))
    return shown.replace("@", "&#64;\u200b")


def _blocks(run: RunReport) -> Iterator[tuple[str, int]]:
    """The parts that can be left out, the most urgent first, each with its number of findings."""
    found = [row for row in rows(run) if row.session is not None]
    shown = [row for row in found if row.blocks or row.severity is not Severity.INFO]
    for group in by_cause(shown):
        yield _cause(group), len(group)
    unexplained = [row for row in shown if row.explained is None]
    if unexplained:
        yield "### Differences\n\n| | item | difference | file |\n|---|---|---|---|", 0
        yield from ((_difference(row), 1) for row in unexplained)
        yield "", 0


def _cause(items: Sequence[Row]) -> str:
    session = items[0].session
    lines = [f"### {_SIGN[items[0].severity]}: {safe(items[0].cause or NO_CAUSE)}", ""]
    lines += [f"- {_SIGN[row.severity]} {safe(row.stated)}" for row in items[:_MOST_ITEMS]]
    if len(items) > _MOST_ITEMS:
        lines.append(f"- and {len(items) - _MOST_ITEMS} more")
    commands = () if session is None else session.next
    lines += ["", *(f"Next: {_code(command)}" for command in commands[-1:]), ""]
    return "\n".join(lines)


def _code(text: str) -> str:
    return f"<code>{safe(text)}</code>"


def _difference(row: Row) -> str:
    place = f"{row.file}:{row.line}" if row.line > 1 else row.file
    item = f"{row.kind} {row.key}".strip()
    return f"| {_SIGN[row.severity]} | {_code(item)} | {safe(row.text)} | {_code(place)} |"


def _sessions(run: RunReport) -> Iterator[str]:
    differing = [
        one for one in run.sessions if one.max_severity != "match" or one.ran < one.promised
    ]
    if differing:
        head = " | ".join(map(str, reversed(Severity)))
        columns = "---|" * (len(Severity) + 3)
        yield f"### Sessions\n\n| session | ran | {head} | next |\n|{columns}"
        yield from map(_session, differing[:_MOST_SESSIONS])
    if len(differing) > _MOST_SESSIONS:
        yield f"\nand {counted(len(differing) - _MOST_SESSIONS, 'more session')}"
    matching = len(run.sessions) - len(differing)
    if matching:
        yield f"\n{counted(matching, 'session')} {'matches' if matching == 1 else 'match'}."


def _session(session: SessionResult) -> str:
    counts = " | ".join(str(session.counts.get(each, 0)) for each in reversed(Severity))
    action = safe(session.action or "none")
    return f"| {_code(session.file)} | {session.ran}/{session.promised} | {counts} | {action} |"


def _terms(run: RunReport) -> Iterator[str]:
    yield f"\nPolicy: {safe(run.policy)}"
    if run.audit is not None:
        yield f"\nAudit log: {run.audit.entries} entries, head {_code(run.audit.head)}"
