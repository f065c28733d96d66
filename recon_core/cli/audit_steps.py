"""Steps that the modes of `recon audit` share: read once, answer, and end with a verdict."""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from recon_core.audit.entry_source import EntrySource
from recon_core.audit.fields import Entry
from recon_core.audit.filters import Filters
from recon_core.audit.query import Answer
from recon_core.audit.runs import Trail
from recon_core.audit.spool import SpooledItems, one_line
from recon_core.audit.tally import Tally
from recon_core.cli.app import CLEAR, FINDINGS
from recon_core.cli.audit_options import Question
from recon_core.reports.wording import counted
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable, quoted

AUDIT_LOG: Final = "AUDIT_LOG"
"""The event type of answers about a log itself."""

_CHUNK: Final = 1 << 20
"""Characters that are written at once."""


@contextmanager
def without_collector() -> Iterator[None]:
    """Pause the garbage collector: entries are trees, and many of them are made."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@without_collector()
def ask(
    question: Question,
    new_sink: Callable[[Filters, int | None], Any],
    text: Callable[[Answer], Iterable[str]],
    *,
    one_run: bool,
) -> int:
    """Answer in text or JSON; the exit code. Raises `AuditError` for what cannot be judged."""
    sink = new_sink(question.filters, question.limit)
    last = question.last_place()
    with question.open() as reading:
        with reading.refusals():
            tally = sorted_into(Trail(question.filters, sink, last), reading)
        refuse_unknown_run(question, reading, tally, always=one_run)
    answer: Answer = sink.answer()
    if answer.items or answer.summary is not None:
        answer.notes += [*reading.notes(), *_tally_notes(tally)]
    else:
        print_remarks([*answer.notes, *reading.file_notes(), *_aside(question, tally)])
        answer.notes = [answer.empty_text]
    shown = pieces(answer, detailed=one_run) if question.as_json else _spaced(text(answer))
    try:
        for chunk in _chunks(shown):
            click.echo(chunk, nl=False)
    except RecursionError:
        raise reading.refused("an entry is nested too deep") from None
    click.echo()
    return verdict(question, reading, tally)


def _chunks(parts: Iterable[str]) -> Iterator[str]:
    """The same text in pieces of a size that is worth a write; a short one in one piece."""
    kept, size = [], 0
    for part in parts:
        kept.append(part)
        size += len(part)
        if size > _CHUNK:
            yield "".join(kept)
            kept, size = [], 0
    yield "".join(kept)


def _spaced(blocks: Iterable[str]) -> Iterator[str]:
    """Blocks with an empty line between them."""
    for number, block in enumerate(blocks):
        yield f"\n\n{block}" if number else block


def verdict(question: Question, reading: EntrySource, tally: Tally) -> int:
    """The exit code of an answered question; raises `AuditError` where it has to be 1."""
    if not question.exit_on_findings:
        return CLEAR
    if tally.findings:
        found = counted(tally.findings, "finding")
        print_remarks([f"{found} in {counted(tally.runs_with_findings, 'run')}"])
        return FINDINGS
    if question.source is None:
        raise AuditError(
            "no audit log is named, so there is nothing to judge; expected --json or the setting "
            "recon_audit_log"
        )
    if not tally.runs:
        reason = "no run passes the filters" if tally.any_run else "it has no run"
        raise reading.refused(f"{reason}, so there is nothing to judge")
    if gap := _gap(question, reading, tally):
        raise reading.refused(f"{gap}, so it cannot be called clear; --archive DIR names its place")
    if tally.doubts:
        raise reading.refused(f"{tally.doubts[0]}, so it cannot be called clear")
    return CLEAR


def _gap(question: Question, reading: EntrySource, tally: Tally) -> str:
    """The earlier file that is missing, empty where the verdict does not depend on it."""
    missing, filters = reading.files.missing, question.filters
    if missing is None or reading.files.signed_off or tally.run_id_known:
        return ""
    if filters.since and missing.latest and missing.latest < filters.since:
        return ""
    return reading.files.gap


def sorted_into(trail: Trail, entries: Iterable[Entry]) -> Tally:
    """Read all entries, and return the totals of their runs."""
    for entry in entries:
        trail.take(entry)
    return trail.close()


def refuse_unknown_run(
    question: Question, reading: EntrySource, tally: Tally, *, always: bool = False
) -> None:
    """A run id that a log with runs does not know is a mistake, not an empty answer."""
    wanted = question.filters.run_id
    if wanted is not None and not tally.run_id_known and (always or tally.any_run):
        gap = f"; {reading.files.gap}" if reading.files.gap else ""
        raise reading.refused(f"there is no run {quoted(wanted, 200)}{gap}")


def _tally_notes(tally: Tally) -> list[str]:
    notes = list(tally.doubts)
    if tally.doubted > len(notes):
        notes.append(f"and {tally.doubted - len(notes)} more runs cannot be called clear")
    if tally.repeated:
        notes.append(f"{counted(tally.repeated, 'run')} with more than one summary")
    return notes


def _aside(question: Question, tally: Tally) -> list[str]:
    """Return the reason why an answer may be empty, where the verdict will not say it."""
    if question.exit_on_findings:
        return []
    if tally.any_run and not tally.runs:
        return [f"no run passes the filters, of {counted(tally.seen, 'run')} in the log"]
    return _tally_notes(tally)


def print_remarks(remarks: Iterable[str]) -> None:
    """Say on stderr what belongs to no answer."""
    for remark in remarks:
        click.echo(f"recon: {printable(remark, 2000)}", err=True)


def document(answer: Answer) -> str:
    """The runbook's JSON of a short answer."""
    return "".join(pieces(answer))


def pieces(answer: Answer, *, detailed: bool = False) -> Iterator[str]:
    """The runbook's JSON, one item a line, so that long answers are written as they are read."""
    yield f'{{\n  "count": {len(answer.items)},\n  "event_type": {one_line(answer.event_type)}'
    yield ',\n  "items": '
    kept = answer.items
    lines = kept.lines() if isinstance(kept, SpooledItems) else map(one_line, kept)
    before = "[\n    "
    for line in lines:
        yield before + line
        before = ",\n    "
    yield "\n  ]" if answer.items else "[]"
    more: dict[str, object] = {"summary": answer.summary} if detailed else {}
    more |= {"notes": "; ".join(answer.notes)} if answer.notes else {}
    for name, value in more.items():
        yield f",\n  {one_line(name)}: {one_line(value)}"
    yield "\n}"
