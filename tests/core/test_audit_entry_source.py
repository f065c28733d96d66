"""EntrySource a source: the same entries in any pieces, an error or entries and nothing else."""

import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.audit.entry_source import EntrySource, open_source
from recon_core.audit.export_text import read_export
from recon_core.audit.log import AuditLog
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable

from .audit_writers import run

WHOLE_NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE_NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
ENTRIES = st.lists(st.dictionaries(st.text(max_size=6), VALUES, max_size=4), max_size=5)


def from_bytes(content: bytes) -> list[dict[str, Any]]:
    """The entries of standard input."""
    with open_source("-", io.BytesIO(content)) as reading:
        return list(reading)


@given(ENTRIES, st.data())
def test_an_export_is_the_same_in_any_pieces(
    entries: list[dict[str, Any]], data: st.DataObject
) -> None:
    """However it is laid out, wherever a read ends: in a number, a character, an escape."""
    indent = data.draw(st.sampled_from([None, 0, 2]))
    text = json.dumps(entries, indent=indent, ensure_ascii=data.draw(st.booleans()))
    # Half a surrogate pair has no bytes of its own.
    file = io.BytesIO(text.encode("utf-8", "surrogatepass")[1:])
    if "\ud800" <= max(text) <= "\udfff":
        return
    size = data.draw(st.integers(1, 20))
    assert list(read_export(lambda _wanted: file.read(size))) == entries


@given(ENTRIES.filter(bool), st.data())
def test_a_part_of_an_export_is_refused(entries: list[dict[str, Any]], data: st.DataObject) -> None:
    """Every beginning of it that is not all of it."""
    content = json.dumps(entries).encode()
    part = content[1 : data.draw(st.integers(1, len(content) - 1))]
    with pytest.raises(AuditError, match=r"^ends in line 1 in the middle of"):
        list(read_export(io.BytesIO(part).read))


def problem_of(content: bytes) -> tuple[int, str]:
    """How many entries were handed out, and the error after them, if any."""
    count = 0
    try:
        with open_source("-", io.BytesIO(content)) as reading:
            for _ in reading:
                count += 1
    except AuditError as error:
        return count, str(error)
    return count, ""


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_refused_in_one_line(content: bytes) -> None:
    """Or they are an empty list."""
    for start in (b"", b"[", b'[{"event_type":', b'{"hash":"', b"[{}"):
        count, problem = problem_of(start + content)
        assert count == 0
        if (start + content).strip() != b"[]":
            assert problem.startswith("standard input: ")
            assert printable(problem, 1000) == problem


@given(st.integers(0, 2**31), st.integers(1, 255))
def test_no_flipped_byte_of_a_log_is_read_over(place: int, flip: int) -> None:
    """Entries up to it are handed out, then there is an error."""
    place %= len(LOG)
    damaged = bytearray(LOG)
    damaged[place] ^= flip
    count, problem = problem_of(bytes(damaged))
    assert count <= LOG.count(b"\n", 0, place)
    assert "standard input: " in problem


def _log() -> bytes:
    """A log of some runs."""
    with TemporaryDirectory() as directory:
        log = AuditLog(Path(directory, "audit.jsonl"))
        log.append_runs(run(f"run_{number}", number) for number in range(4))
        return Path(directory, "audit.jsonl").read_bytes()


LOG = _log()


def test_a_log_hands_out_what_was_appended(tmp_path: Path) -> None:
    """In order, with its hashes, and knows where it stands."""
    log = AuditLog(tmp_path / "audit.jsonl")
    log.append_runs(run(f"run_{number}", number) for number in range(3))
    with open_source(tmp_path / "audit.jsonl") as reading:
        entries = list(reading)
        assert reading.chain is not None
        assert (reading.chain.head, reading.chain.runs) == (log.head, 3)
    stored = [entry.to_dict() for entry in log.get_all_entries()]
    assert [{name: entry[name] for name in stored[0]} for entry in entries] == stored
    assert reading.notes() == []


def test_no_source_is_an_empty_one() -> None:
    """Whoever judges must ask whether there was one."""
    with open_source(None) as reading:
        assert list(reading) == []
    assert (reading.name, reading.chain) == ("no audit log", None)


def test_errors_of_whoever_looks_at_an_entry_name_its_place() -> None:
    """Once, and with the source."""
    content = b'[{"event_type":"A","timestamp":"","details":{}}]'
    reading = EntrySource("a\nb", io.BytesIO(content))
    assert len(list(reading)) == 1
    with pytest.raises(AuditError) as caught, reading.refusals():
        raise AuditError("is odd")
    assert str(caught.value) == r"a\x0ab: entry 1: is odd"
    with pytest.raises(AuditError) as again, reading.refusals():
        raise caught.value
    assert again.value is caught.value
