"""`recon audit export`: the runbook's list of entries, printed or written."""

import shutil
import sys
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Final

import click

from recon_core.audit.entry_source import EntrySource
from recon_core.audit.exports import ExportSink, WholeExport, numbered
from recon_core.audit.filters import Filters
from recon_core.audit.query import Answer, limit_note
from recon_core.audit.runs import Trail
from recon_core.audit.succession import succession_entry
from recon_core.audit.tally import Sink, Tally
from recon_core.cli.audit_options import Question
from recon_core.cli.audit_steps import (
    AUDIT_LOG,
    document,
    print_remarks,
    refuse_unknown_run,
    sorted_into,
    verdict,
)
from recon_core.values.errors import AuditError
from recon_core.values.files import write_atomically
from recon_core.values.printable import printable

_IN_MEMORY: Final = 8 << 20
"""Bytes that are kept in memory; a longer export is a temporary file."""


def export_runs(question: Question, output: Path | None) -> int:
    """Print or write the export; nothing is printed of a log that turns out damaged."""
    last = question.last_place()
    with SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="ascii") as spool:
        with question.open() as reading, reading.refusals():
            count, notes, tally = _export(question, reading, last, WholeExport(spool.write))
            refuse_unknown_run(question, reading, tally)
        spool.seek(0)
        print_remarks([*notes, *reading.file_notes()])
        if output is None:
            shutil.copyfileobj(spool, sys.stdout)
        else:
            _write(output, spool)
            _print_written(question, output, count)
    return verdict(question, reading, tally)


def _export(
    question: Question, reading: EntrySource, last: int, whole: WholeExport
) -> tuple[int, list[str], Tally]:
    filters = question.filters
    if filters == Filters() and question.limit is None:
        trail = Trail(filters, Sink())
        for entry in reading:
            whole.take(entry)
            # A copy is no answer: what an entry says matters where it is judged.
            if question.exit_on_findings:
                trail.take(entry)
        whole.close()
        return whole.count, [], trail.close()
    sink = ExportSink(filters, question.limit)
    tally = sorted_into(Trail(filters, sink, last), numbered(reading))
    if reading.files.missing is not None:
        # A reader of the export sees it, too.
        whole.take(succession_entry(reading.files.missing).stored(1).to_dict())
    for line in sink.entries().lines():
        whole.take_line(line)
    whole.close()
    return whole.count, limit_note(tally.runs - sink.left_out, tally.runs), tally


def _write(output: Path, spool: IO[str]) -> None:
    try:
        write_atomically(output, spool.read())
    except OSError as error:
        shown = printable(output.name)
        raise AuditError(f"{shown}: cannot be written: {error.strerror}") from None


def _print_written(question: Question, output: Path, count: int) -> None:
    shown = printable(output.name)
    if question.as_json:
        item = {"output": str(output), "entries": count}
        click.echo(document(Answer(AUDIT_LOG, [item], 1)))
    else:
        click.echo(f"{count:,} {'entry' if count == 1 else 'entries'} written to {shown}")
