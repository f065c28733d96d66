"""The chain: whatever is changed, cut, removed or inserted is found."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_core.audit.chain import ChainReader, Head, chained_line
from recon_core.audit.entries import LedgerEntry
from recon_core.audit.log import AuditLog
from recon_core.values.errors import AuditError

from .audit_writers import run

ENTRIES = 50
SOAK = settings().max_examples > 1000


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A log of 50 entries: six runs, and two single entries."""
    path = tmp_path_factory.mktemp("chain") / "audit.jsonl"
    log = AuditLog(path)
    for index in range(6):
        log.append_recon_summary(*run(f"r{index}", 5))
    log.append_many([LedgerEntry("ORDER_EVENT", {"text": "hash"})] * 2)
    assert log.head.count == ENTRIES
    return path.read_bytes()


def read(content: bytes, reader: ChainReader | None = None) -> ChainReader:
    """Verify a log."""
    reader = reader or ChainReader()
    for line in content.splitlines(keepends=True):
        reader.take(line)
    return reader


def _heads(content: bytes) -> list[tuple[int, ChainReader]]:
    """Before each line, its place and what a reader knows there."""
    found, offset = [], 0
    for line in content.split(b"\n")[:-1]:
        found.append((offset, read(content[:offset])))
        offset += len(line) + 1
    return found


def _copy(reader: ChainReader) -> ChainReader:
    return ChainReader(
        reader.head, reader.open_run, list(reader.abandoned), reader.runs, 0, reader._opened_at
    )


def test_a_log_as_it_was_written(content: bytes) -> None:
    """It verifies, and its runs are counted."""
    reader = read(content)
    assert (reader.head.count, reader.runs, reader.open_run) == (ENTRIES, 6, None)


@pytest.mark.large
def test_every_single_bit_flip_is_found(content: bytes) -> None:
    """Each bit of 50 entries; the lines before it are what they were, and are read once.

    `make test` tries the bits of a tenth of the places, other ones in each line.
    """
    flips, dice = 0, random.Random(5)  # noqa: S311  # places, no secrets
    for offset, reader in _heads(content):
        rest = content[offset:]
        length = rest.index(b"\n") + 1
        following = rest[length : rest.find(b"\n", length) + 1]
        for place in range(length) if SOAK else dice.sample(range(length), length // 10):
            for bit in range(8):
                changed = bytearray(rest[:length] + following)
                changed[place] ^= 1 << bit
                with pytest.raises(AuditError):
                    read(bytes(changed), _copy(reader))
                flips += 1
    assert flips == 8 * len(content) if SOAK else flips > len(content) // 2


@pytest.mark.large
def test_every_cut_is_found(content: bytes) -> None:
    """Within a line the last one is torn; between lines the head is another one."""
    boundaries = 0
    whole = read(content).head
    for offset, reader in _heads(content):
        assert reader.head != whole
        assert reader.head.count < whole.count
        boundaries += 1
        line = content[offset : content.index(b"\n", offset) + 1]
        for cut in range(1, len(line)):
            with pytest.raises(AuditError, match="is cut off"):
                _copy(reader).take(line[:cut])
    assert boundaries == ENTRIES


@given(data=st.data())
def test_lines_that_are_moved(content: bytes, data: st.DataObject) -> None:
    """A line that is removed, doubled or exchanged with another breaks the chain there."""
    lines = content.splitlines(keepends=True)
    first = data.draw(st.integers(0, ENTRIES - 2))
    second = data.draw(st.integers(first + 1, ENTRIES - 1))
    removed = lines[:first] + lines[first + 1 :]
    doubled = lines[: second + 1] + lines[first:]
    exchanged = list(lines)
    exchanged[first], exchanged[second] = lines[second], lines[first]
    for changed in (removed, doubled, exchanged):
        with pytest.raises(AuditError, match=r"line [0-9]+: "):
            read(b"".join(changed))


def test_a_line_that_was_rewritten_with_its_hash(content: bytes) -> None:
    """Who computes the hash anew breaks the next line; the last one has another head."""
    lines = content.splitlines(keepends=True)
    for index in (10, ENTRIES - 1):
        before = read(b"".join(lines[:index])).head
        forged, _ = chained_line(LedgerEntry("FORGED").stored(index + 1), before)
        changed = b"".join([*lines[:index], forged, *lines[index + 1 :]])
        if index < ENTRIES - 1:
            with pytest.raises(AuditError):
                read(changed)
        else:
            assert read(changed).head != read(content).head


def test_a_committing_entry_speaks_of_its_run() -> None:
    """A run that lacks entries between its brackets is damage, also with good hashes."""
    opened = LedgerEntry("RECON_RUN_OPENED", {"run_id": "r"})
    for run_id, entries in (("r", 1), ("other", 0)):
        committed = LedgerEntry("RECON_RUN_COMMITTED", {"run_id": run_id, "entries": entries})
        first, head = chained_line(opened.stored(1), Head())
        second, _ = chained_line(committed.stored(2), head)
        with pytest.raises(AuditError, match="commits another run than the one that was opened"):
            read(first + second)


def test_a_run_that_was_never_committed(tmp_path: Path, content: bytes) -> None:
    """The reader names it; the next writer records it, and the log goes on."""
    path = tmp_path / "audit.jsonl"
    lines = content.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:12]))
    assert read(path.read_bytes()).open_run == "r1"
    log = AuditLog(path)
    log.append(LedgerEntry("ORDER_EVENT"))
    entries = log.get_all_entries()
    assert [entry.event_type for entry in entries[12:]] == ["RECON_LOG_RECOVERED", "ORDER_EVENT"]
    assert entries[12].details["abandoned_run"] == "r1"
    reader = read(path.read_bytes())
    assert (reader.open_run, reader.abandoned, reader.recoveries) == (None, ["r1"], 1)


@pytest.mark.parametrize("cut", [1, 20, 300])
def test_a_torn_last_line_is_moved_aside(tmp_path: Path, content: bytes, cut: int) -> None:
    """The next writer keeps it in a file of its own and says so in the log."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(content[:-cut])
    with pytest.raises(AuditError, match=r"audit\.jsonl: line 50: is cut off"):
        AuditLog(path).get_all_entries()
    AuditLog(path).append(LedgerEntry("ORDER_EVENT"))
    entries = AuditLog(path).get_all_entries()
    assert len(entries) == ENTRIES + 1
    details = entries[-2].details
    torn = content[:-cut].rpartition(b"\n")[2]
    kept = tmp_path / str(details["quarantined"])
    assert kept.read_bytes() == torn
    assert (details["bytes"], kept.stat().st_mode & 0o777) == (len(torn), 0o600)


@pytest.mark.parametrize("line", [0, 10, ENTRIES - 1])
def test_damage_in_the_middle_is_refused(tmp_path: Path, content: bytes, line: int) -> None:
    """Nothing is appended to a log whose past was changed."""
    path = tmp_path / "audit.jsonl"
    lines = content.splitlines(keepends=True)
    lines[line] = lines[line].replace(b"session", b"sessioN").replace(b'"hash"}', b'"hAsh"}')
    path.write_bytes(b"".join(lines))
    message = rf"audit\.jsonl: line {line + 1}: its hash does not fit its content"
    with pytest.raises(AuditError, match=message):
        AuditLog(path).append(LedgerEntry("A"))
    assert path.read_bytes() == b"".join(lines)
