"""The checkpoint: it saves reading, it is never believed, and it shows what was cut."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.audit import chain, checkpoint
from recon_core.audit.chain import ChainReader
from recon_core.audit.checkpoint import (
    Checkpoint,
    checkpoint_path,
    read_checkpoint,
    write_checkpoint,
)
from recon_core.audit.entries import LedgerEntry
from recon_core.audit.log import AuditLog
from recon_core.values.errors import AuditError

from .audit_writers import run

CUT = r"audit\.jsonl: has 4 entries and had 12: it was cut, or an older copy .*; recon audit close"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log of three runs, and its checkpoint."""
    path = tmp_path / "audit.jsonl"
    for name in "abc":
        AuditLog(path).append_recon_summary(*run(name, 1))
    return path


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sequence of every line that is verified."""
    lines: list[int] = []
    real = chain.next_entry

    def counting(line: bytes, head: chain.Head) -> dict[str, Any]:
        lines.append(head.count + 1)
        return real(line, head)

    monkeypatch.setattr(chain, "next_entry", counting)
    monkeypatch.setattr(checkpoint, "next_entry", counting)
    return lines


def verified(path: Path) -> ChainReader:
    """What a reader of the whole file knows at its end."""
    reader = ChainReader()
    for line in path.read_bytes().splitlines(keepends=True):
        reader.take(line)
    return reader


def test_the_first_append_reads_one_line(path: Path, taken: list[int]) -> None:
    """The one before the checkpoint, and its own; however long the log is."""
    AuditLog(path).append(LedgerEntry("A"))
    assert taken == [12, 13]
    known = read_checkpoint(path)
    assert known is not None
    assert (known.head, known.offset) == (verified(path).head, path.stat().st_size)


def test_what_others_appended_is_read(path: Path, taken: list[int]) -> None:
    """A checkpoint that is older than the log is where the reading begins."""
    old = checkpoint_path(path).read_bytes()
    AuditLog(path).append_many([LedgerEntry("A"), LedgerEntry("B")])
    checkpoint_path(path).write_bytes(old)
    del taken[:]
    AuditLog(path).append(LedgerEntry("C"))
    assert taken == [12, 13, 14, 15]
    assert verified(path).head.count == 15


def _field(name: str, value: object) -> Callable[[Path], None]:
    """Forge a field, and the digest to it."""

    def forge(path: Path) -> None:
        known = json.loads(checkpoint_path(path).read_bytes())
        fields = {each: known[each] for each in Checkpoint.__slots__} | {name: value}
        checkpoint_path(path).write_bytes(checkpoint._line(fields))

    return forge


def _at_line(count: int) -> Callable[[Path], None]:
    """Put it after another line, with all that belongs to it."""

    def forge(path: Path) -> None:
        lines = path.read_bytes().splitlines(keepends=True)[:count]
        digest, status = json.loads(lines[-1])["hash"], path.stat()
        offset = sum(map(len, lines))
        write_checkpoint(path, Checkpoint(offset, count, digest, status.st_dev, status.st_ino))

    return forge


def _content(content: bytes) -> Callable[[Path], None]:
    def forge(path: Path) -> None:
        checkpoint_path(path).write_bytes(content)

    return forge


def _torn(path: Path) -> None:
    checkpoint_path(path).write_bytes(checkpoint_path(path).read_bytes()[:-9])


def _link(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    checkpoint_path(path).rename(elsewhere)
    checkpoint_path(path).symlink_to(elsewhere)


def _directory(path: Path) -> None:
    checkpoint_path(path).unlink()
    checkpoint_path(path).mkdir()


def _pipe(path: Path) -> None:
    checkpoint_path(path).unlink()
    os.mkfifo(checkpoint_path(path))


def _copied(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


@pytest.mark.parametrize(
    ("forge", "lines"),
    [
        (lambda path: checkpoint_path(path).unlink(), 12),
        (_torn, 12),
        (_content(b""), 12),
        (_content(b"{}"), 12),
        (_content(b"[" * 4000), 12),
        (_content(b"\xff" * 9000), 12),
        (_link, 12),
        (_directory, 12),
        (_pipe, 12),
        (_copied, 12),
        (_field("offset", 7), 12),
        (_field("offset", 10**9), 12),
        (_field("offset", -1), 12),
        (_field("offset", value=True), 12),
        (_field("offset", "1"), 12),
        (_field("device", 0), 12),
        (_field("inode", 0), 12),
        (_at_line(1), 12),  # a run is open there
        (_at_line(2), 12),  # in the middle of a run
        (_at_line(4), 9),
    ],
)
def test_a_wrong_checkpoint(
    path: Path, taken: list[int], forge: Callable[[Path], None], lines: int
) -> None:
    """Torn, foreign, stale or forged: the log is read whole, and goes on as it would have."""
    forge(path)
    AuditLog(path).append(LedgerEntry("A"))
    assert sorted(set(taken)) == list(range(13 - lines, 14))
    reader = verified(path)
    assert (reader.head.count, reader.runs, reader.abandoned) == (13, 3, [])


@given(data=st.data())
def test_any_bit_of_a_checkpoint(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    """Its own digest shows the change."""
    path = tmp_path_factory.getbasetemp() / "bits.jsonl"
    if not path.exists():
        AuditLog(path).append(LedgerEntry("A"))
    whole = checkpoint_path(path).read_bytes()
    place = data.draw(st.integers(0, 8 * len(whole) - 1))
    changed = bytearray(whole)
    changed[place // 8] ^= 1 << place % 8
    try:
        checkpoint_path(path).write_bytes(changed)
        assert read_checkpoint(path) is None
    finally:
        checkpoint_path(path).write_bytes(whole)


def cut(path: Path) -> None:
    """Cut the log between two runs, which the chain alone cannot show."""
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:4]))


def test_a_log_that_was_cut(path: Path) -> None:
    """It is shorter than its checkpoint: nothing is appended, and it cannot be mistaken."""
    cut(path)
    before, log = path.read_bytes(), AuditLog(path)
    for writer in (log, log, AuditLog(path)):
        with pytest.raises(AuditError, match=CUT):
            writer.append(LedgerEntry("A"))
    assert path.read_bytes() == before


def test_a_log_that_was_emptied(path: Path) -> None:
    """As cut as any other."""
    path.write_bytes(b"")
    with pytest.raises(AuditError, match="has 0 entries and had 12: it was cut"):
        AuditLog(path).append(LedgerEntry("A"))


@pytest.mark.parametrize("count", [12, 16])
def test_another_log_in_its_place(path: Path, tmp_path: Path, count: int) -> None:
    """A chain that is whole in itself, as long or longer, is not the one that was written."""
    other = tmp_path / "other.jsonl"
    for number in range(count // 4):
        AuditLog(other).append_recon_summary(*run(f"other-{number}", 1))
    path.write_bytes(other.read_bytes())
    with pytest.raises(AuditError, match=r"entry 12 was another one: it was replaced"):
        AuditLog(path).append(LedgerEntry("A"))


def test_a_change_before_the_checkpoint(path: Path) -> None:
    """An append does not see it; a reader of the whole chain does, and so does a rotation."""
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"run_id":"a"', b'"run_id":"x"', 1))
    AuditLog(path).append(LedgerEntry("A"))
    with pytest.raises(AuditError, match=r"line 1: its hash does not fit its content"):
        AuditLog(path).get_all_entries()
    with pytest.raises(AuditError, match=r"line 1: its hash does not fit its content"):
        AuditLog(path, rotate_at=1).append(LedgerEntry("A"))


def test_a_crash_between_log_and_checkpoint(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next writer reads on from the older one."""

    def refuses(*_names: object, **_options: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", refuses)
        AuditLog(path).append_recon_summary(*run("d", 1))
    known = read_checkpoint(path)
    assert known is not None
    assert known.count == 12
    AuditLog(path).append_recon_summary(*run("e", 1))
    assert (verified(path).runs, verified(path).abandoned) == (5, [])


def test_a_run_that_was_cut_short_after_the_checkpoint(path: Path) -> None:
    """It is recorded as it is without a checkpoint."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:9]) + lines[9][:20])
    _at_line(8)(path)
    AuditLog(path).append(LedgerEntry("A"))
    reader = verified(path)
    assert (reader.recoveries, reader.abandoned) == (1, ["c"])


def test_its_mode_and_what_is_left(path: Path) -> None:
    """The owner's only, and no other file remains."""
    names = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    beside = ("audit.jsonl", "audit.jsonl.lock", "audit.jsonl.checkpoint")
    assert names == dict.fromkeys(beside, 0o600)
