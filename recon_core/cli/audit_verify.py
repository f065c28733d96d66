"""`recon audit verify`: the chain of a log, from its first entry to its head."""

import click

from recon_core.audit.chain import GENESIS, ChainReader
from recon_core.audit.query import Answer
from recon_core.audit.reading import Reading
from recon_core.audit.runs import Trail
from recon_core.audit.tally import Sink
from recon_core.cli.audit_options import Question
from recon_core.cli.audit_running import AUDIT_LOG, document, refuse_unknown_run, verdict
from recon_core.errors import AuditError
from recon_core.printable import printable
from recon_core.reports.wording import counted


def verify_chain(question: Question, expected: str | None) -> int:
    """Verify a log to its end, print where it stands; the exit code."""
    if question.source is None:
        raise AuditError("no audit log is named; expected --json or the setting recon_audit_log")
    trail, found_at = Trail(question.filters, Sink()), 0 if expected == GENESIS else None
    with question.open() as reading:
        with reading.refusals():
            for entry in reading:
                trail.take(entry)
                if reading.chain is not None and reading.chain.head.hash == expected:
                    found_at = reading.chain.head.count
            tally = trail.close()
        chain = _intact(reading)
        refuse_unknown_run(question, reading, tally)
    notes = _chain_notes(chain)
    if expected is not None:
        if found_at is None:
            raise AuditError(
                f"{reading.name}: truncated or rewritten: the expected head is not in it"
            )
        later = chain.head.count - found_at
        notes.insert(0, f"{later} {'entry was' if later == 1 else 'entries were'} appended since")
    click.echo(_chain_document(chain, notes) if question.as_json else _chain_text(chain, notes))
    return verdict(question, reading, tally)


def _intact(reading: Reading) -> ChainReader:
    chain = reading.chain
    if chain is None:
        raise AuditError(
            f"{reading.name}: an export has no hashes and cannot be verified; expected the log"
        )
    if chain.open_run is not None:
        shown = printable(chain.open_run)
        raise AuditError(f"{reading.name}: run {shown} at its end was never committed")
    return chain


def _chain_notes(chain: ChainReader) -> list[str]:
    notes = [f"run {printable(run)} was never committed" for run in chain.abandoned]
    if chain.recoveries:
        times = counted(chain.recoveries, "time")
        notes.append(f"the log was repaired {times} after a writer had ended too early")
    return notes


def _chain_text(chain: ChainReader, notes: list[str]) -> str:
    entries = f"{chain.head.count:,} {'entry' if chain.head.count == 1 else 'entries'}"
    runs = f"{chain.runs:,} {'run' if chain.runs == 1 else 'runs'}"
    return "\n".join(
        [f"OK: {entries}, {runs}, head {chain.head.hash}", *(f"note: {note}" for note in notes)]
    )


def _chain_document(chain: ChainReader, notes: list[str]) -> str:
    item = {
        "entries": chain.head.count,
        "runs": chain.runs,
        "head": chain.head.hash,
        "abandoned_runs": chain.abandoned,
        "recoveries": chain.recoveries,
    }
    return document(Answer(AUDIT_LOG, [item], 1, notes))
