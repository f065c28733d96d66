"""`recon audit verify`: the chain of a log, from its first entry to its head."""

import click

from recon_core.audit.chain import GENESIS, ChainReader
from recon_core.audit.query import Answer
from recon_core.audit.reading import Reading
from recon_core.audit.runs import Trail
from recon_core.audit.tally import Sink, Tally
from recon_core.cli.audit_options import Question
from recon_core.cli.audit_running import AUDIT_LOG, document, refuse_unknown_run, verdict
from recon_core.errors import AuditError
from recon_core.printable import printable
from recon_core.reports.wording import counted


def verify_chain(question: Question, expected: str | None) -> int:
    """Verify a log to its end, print where it stands; the exit code.

    `expected` is a head that was printed earlier. Raises `AuditError` where the log is
    damaged, not finished, or does not have that head.
    """
    if question.source is None:
        raise AuditError("no audit log is named; expected --json or the setting recon_audit_log")
    with question.open() as reading, reading.refusals():
        tally, found_at = _read_chain(question, reading, expected)
        chain = _intact(reading)
        refuse_unknown_run(question, reading, tally)
    notes = [*_head_notes(reading, chain, expected, found_at), *_chain_notes(chain)]
    click.echo(_chain_document(chain, notes) if question.as_json else _chain_text(chain, notes))
    return verdict(question, reading, tally)


def _read_chain(
    question: Question, reading: Reading, expected: str | None
) -> tuple[Tally, int | None]:
    """What the runs come to, and the entry at which the log had the expected head."""
    trail, found_at = Trail(question.filters, Sink()), 0 if expected == GENESIS else None
    # What an entry says matters only where it is asked for; its hash matters always.
    judged = question.exit_on_findings or question.filters.run_id is not None
    for entry in reading:
        if judged and reading.chain is not None:
            trail.take(entry)
        if expected is not None and reading.chain is not None:
            head = reading.chain.head
            found_at = head.count if head.hash == expected else found_at
    return trail.close(), found_at


def _intact(reading: Reading) -> ChainReader:
    chain = reading.chain
    if chain is None:
        raise reading.refused("an export has no hashes and cannot be verified; expected the log")
    if chain.open_run is not None:
        shown = printable(chain.open_run)
        raise reading.refused(f"run {shown} at its end was never committed")
    return chain


def _head_notes(
    reading: Reading, chain: ChainReader, expected: str | None, found_at: int | None
) -> list[str]:
    if expected is None:
        return []
    if found_at is None:
        raise reading.refused("truncated or rewritten: the expected head is not in it")
    later = chain.head.count - found_at
    return [f"{later} {'entry was' if later == 1 else 'entries were'} appended since"]


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
