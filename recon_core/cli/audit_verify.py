"""`recon audit verify`: the chain of a log, from its first entry to its head."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from recon_core.audit.chain import GENESIS, ChainReader, entries_text
from recon_core.audit.database import DatabaseLog, require_sql
from recon_core.audit.entries import RECON_SUMMARY, RUN_OPENED
from recon_core.audit.entry_source import EntrySource
from recon_core.audit.fields import Entry, utc_time
from recon_core.audit.query import Answer
from recon_core.audit.runs import Trail
from recon_core.audit.tally import Sink, Tally
from recon_core.cli.audit_options import Question, require_log
from recon_core.cli.audit_steps import (
    AUDIT_LOG,
    document,
    refuse_unknown_run,
    verdict,
    without_collector,
)
from recon_core.reports.wording import counted
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable

if TYPE_CHECKING:
    from recon_core.audit.database.comparing import StoredHeads


@without_collector()
def verify_chain(question: Question, database: DatabaseLog | None, expected: str | None) -> int:
    """Verify a log to its end, print its head, and return the exit code.

    `expected` is a head that was printed earlier. Raises `AuditError` where the log is
    damaged, not finished, does not have that head, or is another one in `database`.
    """
    require_log(question.source)
    last = question.last_place()
    clocks = _Clocks()
    stored = None if database is None else _stored_heads(database)
    with question.open() as reading, reading.refusals():
        entries = reading if stored is None else stored.watched(reading)
        tally, later = _read_chain(question, reading, entries, expected, last, clocks)
        refuse_broken(reading)
        refuse_unknown_run(question, reading, tally)
    if expected is not None and later is None:
        raise reading.refused("truncated or rewritten: the expected head is not in it")
    if stored is not None and (problem := stored.problem()):
        raise reading.refused(f"the log in the database is another one: {problem}")
    chains = [chain for _, chain in reading.chains]
    notes = [] if later is None else [_later_note(later)]
    notes += [*_chain_notes(chains), *clocks.notes(), *_file_notes(reading)]
    if stored is not None and not isinstance(question.source, DatabaseLog):
        notes.append("the database has the same entries, and its tables fit")
    shown = _chain_document if question.as_json else _chain_text
    click.echo(shown(reading, chains, notes, clocks))
    return verdict(question, reading, tally)


def _read_chain(
    question: Question,
    reading: EntrySource,
    entries: Iterable[Entry],
    expected: str | None,
    last: int,
    clocks: "_Clocks",
) -> tuple[Tally, int | None]:
    """Judge the runs, and count the entries after the expected head, `None` without it."""
    trail = Trail(question.filters, Sink(), last)
    count, found_at = 0, 0 if expected == GENESIS else None
    # What an entry says matters only where it is asked for; its hash matters always.
    judged = question.exit_on_findings or question.filters.run_id is not None
    for count, entry in enumerate(entries, start=1):
        if reading.chain is None:
            continue  # an export: it is refused at its end, if not before
        if judged:
            trail.take(entry)
        clocks.take(entry)
        if expected is not None and entry["hash"] == expected:
            found_at = count
    return trail.close(), None if found_at is None else count - found_at


def _stored_heads(database: DatabaseLog) -> "StoredHeads":
    require_sql()
    from recon_core.audit.database.comparing import stored_heads  # noqa: PLC0415  # an extra

    return stored_heads(database)


def refuse_broken(reading: EntrySource) -> None:
    """Raise `AuditError` for an export, a log that is not finished, or one with a gap."""
    if reading.chain is None:
        raise reading.refused("an export has no hashes and cannot be verified; expected the log")
    if reading.chain.open_run is not None:
        shown = printable(reading.chain.open_run)
        raise reading.refused(f"run {shown} at its end was never committed")
    if reading.files.gap and not reading.files.signed_off:
        raise reading.refused(f"{reading.files.gap}; --archive DIR names where it was moved")


@dataclass(slots=True)
class _Clocks:
    """Backward steps in the times of runs: of judging, and of writing.

    Commands that run at the same time are written in another order than they are judged in;
    a time of writing before an earlier one is a clock that was set back.
    """

    back: int = 0
    first: str = ""
    _latest: dict[str, str] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Compare an entry with the latest of its kind."""
        kind, text = entry["event_type"], entry["timestamp"]
        if kind not in _TIMED:
            return
        latest = self._latest.setdefault(kind, text)
        if _is_back(text, latest):
            self.back += 1
            self.first = self.first or f"first {printable(text)} after {printable(latest)}"
        else:
            self._latest[kind] = text

    def notes(self) -> list[str]:
        """Return the number of backward steps, and the place of the first."""
        return [f"times of runs go back, {counted(self.back, 'time')}: {self.first}"] * bool(
            self.back
        )


def _is_back(text: str, latest: str) -> bool:
    """True if a time is before another; what is no time is passed over."""
    # Nearly all times are printed alike, and then their texts are in their order.
    if len(text) == len(latest) and text >= latest and text.endswith("Z"):
        return False
    try:
        return utc_time(text) < utc_time(latest)
    except AuditError:
        return False


_TIMED = (RECON_SUMMARY, RUN_OPENED)


def _later_note(later: int) -> str:
    return f"{later} {'entry was' if later == 1 else 'entries were'} appended since"


def _chain_notes(chains: Iterable[ChainReader]) -> list[str]:
    notes = [
        f"run {printable(run)} was never committed" for chain in chains for run in chain.abandoned
    ]
    recoveries = sum(chain.recoveries for chain in chains)
    if recoveries:
        times = counted(recoveries, "time")
        notes.append(f"the log was repaired {times} after a writer had ended too early")
    return notes


def _file_notes(reading: EntrySource) -> list[str]:
    parts = [
        f"{name}: {entries_text(chain.head.count)}, head {chain.head.hash}"
        for name, chain in reading.chains[:-1]
        if chain.head.count
    ]
    return [*parts, *reading.file_notes()]


def _chain_text(
    _reading: EntrySource, chains: list[ChainReader], notes: list[str], _clocks: _Clocks
) -> str:
    count, run_count = _totals(chains)
    runs = f"{run_count:,} {'run' if run_count == 1 else 'runs'}"
    files = f" in {len(chains)} files" if len(chains) > 1 else ""
    return "\n".join(
        [
            f"OK: {entries_text(count)}, {runs}{files}, head {chains[-1].head.hash}",
            *(f"note: {note}" for note in notes),
        ]
    )


def _totals(chains: list[ChainReader]) -> tuple[int, int]:
    return sum(chain.head.count for chain in chains), sum(chain.runs for chain in chains)


def _chain_document(
    reading: EntrySource, chains: list[ChainReader], notes: list[str], clocks: _Clocks
) -> str:
    entries, runs = _totals(chains)
    item = {
        "entries": entries,
        "runs": runs,
        "head": chains[-1].head.hash,
        "abandoned_runs": [run for chain in chains for run in chain.abandoned],
        "recoveries": sum(chain.recoveries for chain in chains),
        "times_back": clocks.back,
        "files": [
            {"file": name, "entries": chain.head.count, "head": chain.head.hash}
            for name, chain in reading.chains
        ],
    }
    return document(Answer(AUDIT_LOG, [item], 1, notes))
