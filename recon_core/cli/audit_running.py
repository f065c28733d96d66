"""What the modes of `recon audit` share: read once, answer, and end with a verdict."""

import gc
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from recon_core.audit.exporting import one_line
from recon_core.audit.fields import Entry
from recon_core.audit.filters import Filters
from recon_core.audit.query import Answer
from recon_core.audit.reading import Reading
from recon_core.audit.runs import Trail
from recon_core.audit.tally import Tally
from recon_core.cli.app import CLEAR, FINDINGS
from recon_core.cli.audit_options import Question
from recon_core.errors import AuditError
from recon_core.printable import printable, quoted
from recon_core.reports.wording import counted

AUDIT_LOG: Final = "AUDIT_LOG"
"""The event type of answers about a log itself."""


@contextmanager
def _without_collector() -> Iterator[None]:
    """Entries are trees; looking for cycles among many costs more than reading them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_without_collector()
def ask(
    question: Question,
    new_sink: Callable[[Filters, int | None], Any],
    text: Callable[[Answer], str],
    *,
    needs_run: bool,
) -> int:
    """Answer in text or JSON; the exit code. Raises `AuditError` for what cannot be judged."""
    sink = new_sink(question.filters, question.limit)
    with question.open() as reading:
        with reading.refusals():
            tally = sorted_into(Trail(question.filters, sink), reading)
        refuse_unknown_run(question, reading, tally, always=needs_run)
    answer: Answer = sink.answer()
    if answer.items or answer.summary is not None:
        answer.notes += [*reading.notes(), *_tally_notes(tally)]
    else:
        tell_aside([*answer.notes, *_aside(question, tally)])
        answer.notes = [answer.empty_text]
    try:
        shown = document(answer, detailed=needs_run) if question.as_json else text(answer)
    except RecursionError:
        raise reading.refused("an entry is nested too deep") from None
    click.echo(shown)
    return verdict(question, reading, tally)


def verdict(question: Question, reading: Reading, tally: Tally) -> int:
    """The exit code of an answered question; raises `AuditError` where it has to be 1."""
    if not question.exit_on_findings:
        return CLEAR
    if tally.findings:
        found = counted(tally.findings, "finding")
        tell_aside([f"{found} in {counted(tally.runs_with_findings, 'run')}"])
        return FINDINGS
    if question.source is None:
        raise AuditError(
            "no audit log is named, so there is nothing to judge; expected --json or the setting "
            "recon_audit_log"
        )
    if not tally.runs:
        reason = "no run passes the filters" if tally.any_run else "it has no run"
        raise reading.refused(f"{reason}, so there is nothing to judge")
    if tally.doubts:
        raise reading.refused(f"{tally.doubts[0]}, so it cannot be called clear")
    return CLEAR


def sorted_into(trail: Trail, entries: Iterable[Entry]) -> Tally:
    """Read all entries; what the runs come to."""
    for entry in entries:
        trail.take(entry)
    return trail.close()


def refuse_unknown_run(
    question: Question, reading: Reading, tally: Tally, *, always: bool = False
) -> None:
    """A run id that a log with runs does not know is a mistake, not an empty answer."""
    wanted = question.filters.run_id
    if wanted is not None and not tally.run_id_known and (always or tally.any_run):
        raise reading.refused(f"there is no run {quoted(wanted, 200)}")


def _tally_notes(tally: Tally) -> list[str]:
    notes = list(tally.doubts)
    if tally.doubted > len(notes):
        notes.append(f"and {tally.doubted - len(notes)} more runs cannot be called clear")
    if tally.repeated:
        notes.append(f"{counted(tally.repeated, 'run')} with more than one summary")
    return notes


def _aside(question: Question, tally: Tally) -> list[str]:
    """Why an answer may be empty, where the verdict will not say it."""
    if question.exit_on_findings:
        return []
    if tally.any_run and not tally.runs:
        return [f"no run passes the filters, of {counted(tally.seen, 'run')} in the log"]
    return _tally_notes(tally)


def tell_aside(remarks: Iterable[str]) -> None:
    """Say on stderr what belongs to no answer."""
    for remark in remarks:
        click.echo(f"recon: {printable(remark, 2000)}", err=True)


def document(answer: Answer, *, detailed: bool = False) -> str:
    """The runbook's JSON; one item a line, so that long answers are written fast."""
    items = ",\n    ".join(one_line(item) for item in answer.items)
    members = {
        "count": str(len(answer.items)),
        "event_type": one_line(answer.event_type),
        "items": f"[\n    {items}\n  ]" if items else "[]",
    }
    if detailed:
        members["summary"] = one_line(answer.summary)
    if answer.notes:
        members["notes"] = one_line("; ".join(answer.notes))
    body = ",\n  ".join(f"{json.dumps(name)}: {text}" for name, text in members.items())
    return f"{{\n  {body}\n}}"
