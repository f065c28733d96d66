"""The files of one log: how one is left for the next, and what of that is found later."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recon_core.audit import durable, log_file
from recon_core.audit.checkpoint import checkpoint_path
from recon_core.audit.entries import LedgerEntry
from recon_core.audit.log import AuditLog
from recon_core.audit.log_file import LogFile
from recon_core.values.errors import AuditError

from .audit_writers import run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log of three files with a run each, and one run in each."""
    path = tmp_path / "audit.jsonl"
    for name in "abc":
        AuditLog(path, rotate_at=1).append_recon_summary(*run(name, 1))
    return path


def names(path: Path) -> list[str]:
    """The files beside a log but its lock and its checkpoint."""
    found = {each.name.removeprefix(path.name) for each in path.parent.iterdir()}
    return sorted(found - {".lock", ".checkpoint"})


def runs(path: Path) -> list[str]:
    """The runs of all files."""
    entries = AuditLog(path).get_entries_by_event_type("RECON_SUMMARY")
    return [str(entry.details["run_id"]) for entry in entries]


def first(path: Path) -> dict[str, Any]:
    """The details of the first entry of a file."""
    details: dict[str, Any] = json.loads(path.read_bytes().splitlines()[0])["details"]
    return details


def test_a_file_is_left_at_its_size(path: Path) -> None:
    """Each new one names the file, the count and the head of the one before it."""
    assert names(path) == ["", ".1", ".2"]
    assert runs(path) == ["a", "b", "c"]
    for number, name in ((2, ""), (1, ".2")):
        before = path.with_name(f"{path.name}.{number}").read_bytes().splitlines()
        told = first(Path(f"{path}{name}"))
        last = json.loads(before[-1])
        assert (told["file"], told["number"]) == (f"audit.jsonl.{number}", number)
        assert (told["entries"], told["head"]) == (len(before), last["hash"])
        assert told["latest"] >= last["timestamp"][:19]


@pytest.mark.parametrize(("more", "files"), [(-1, 2), (0, 2), (1, 1)])
def test_the_size_is_reached(tmp_path: Path, more: int, files: int) -> None:
    """A file of exactly that size is left, one that is a byte short is not; no run is split."""
    path = tmp_path / "audit.jsonl"
    AuditLog(path).append_recon_summary(*run("a", 3))
    log = AuditLog(path, rotate_at=path.stat().st_size + more)
    log.append_runs([run("b", 3), run("c", 3)])
    assert len(names(path)) == files
    assert runs(path) == ["a", "b", "c"]


def test_by_hand(path: Path) -> None:
    """The new file has its first entry only, and is appended to."""
    said = LogFile(path, 1).rotate()
    assert (said.file, said.number, said.closed_by) == ("audit.jsonl.3", 3, None)
    assert len(path.read_bytes().splitlines()) == 1
    AuditLog(path).append_recon_summary(*run("d", 1))
    assert runs(path) == ["a", "b", "c", "d"]


def test_nothing_to_leave(tmp_path: Path) -> None:
    """Neither a log that was not begun, nor one without entries."""
    path = tmp_path / "audit.jsonl"
    with pytest.raises(AuditError, match="cannot be opened for writing: No such file"):
        LogFile(path, 1).rotate()
    path.touch()
    with pytest.raises(AuditError, match="has no entries, so there is nothing to leave"):
        LogFile(path, 1).rotate()
    assert names(path) == [""]


def test_writers_that_are_open(path: Path) -> None:
    """Each goes on in the new file, whoever began it, and however often."""
    first_log, second = AuditLog(path), AuditLog(path, rotate_at=1)
    for number in range(3):
        first_log.append(LedgerEntry("A", {"n": number}))
        second.append(LedgerEntry("B", {"n": number}))
        second.append(LedgerEntry("B", {"n": number}))
    kinds = [entry.event_type for entry in AuditLog(path).get_all_entries()]
    assert [kind for kind in kinds if len(kind) == 1] == ["A", "B", "B"] * 3


def test_a_file_that_took_the_place_of_the_log(path: Path) -> None:
    """An open writer refuses what says nothing of the file that it knows."""
    log = AuditLog(path)
    log.append(LedgerEntry("A"))
    other = path.with_name("other.jsonl")
    AuditLog(other, rotate_at=1).append(LedgerEntry("A"))
    AuditLog(other, rotate_at=1).append(LedgerEntry("A"))
    other.replace(path)
    with pytest.raises(AuditError, match="was replaced or cut since its last entry"):
        log.append(LedgerEntry("B"))


def _remove(path: Path) -> None:
    path.with_name("audit.jsonl.1").unlink()


def _change(path: Path) -> None:
    earlier = path.with_name("audit.jsonl.1")
    earlier.write_bytes(earlier.read_bytes().replace(b"S0/EUR", b"S1/EUR", 1))


def _cut(path: Path) -> None:
    earlier = path.with_name("audit.jsonl.1")
    earlier.write_bytes(b"".join(earlier.read_bytes().splitlines(keepends=True)[:-1]))


def _tear(path: Path) -> None:
    earlier = path.with_name("audit.jsonl.1")
    earlier.write_bytes(earlier.read_bytes()[:-2])


def _exchange(path: Path) -> None:
    one, two = (path.with_name(f"audit.jsonl.{number}") for number in (1, 2))
    one.rename(path.with_name("x"))
    two.rename(one)
    path.with_name("x").rename(two)


def _same(path: Path) -> None:
    shutil.copy(path.with_name("audit.jsonl.2"), path.with_name("audit.jsonl.1"))


def _another(path: Path) -> None:
    other = path.with_name("other.jsonl")
    AuditLog(other).append_recon_summary(*run("a", 1))
    other.replace(path.with_name("audit.jsonl.1"))


def _empty(path: Path) -> None:
    path.with_name("audit.jsonl.1").write_bytes(b"")


DAMAGE = [
    (_remove, r"earlier file audit\.jsonl\.1 \(4 entries, head [0-9a-f]+\) is not there"),
    (_change, r"earlier file audit\.jsonl\.1: line \d: its hash does not fit"),
    (_cut, r"earlier file audit\.jsonl\.1: has 3 entries, head .*; the file after it continues"),
    (_tear, r"earlier file audit\.jsonl\.1: line 4: is cut off"),
    (_exchange, r"earlier file audit\.jsonl\.2: is file 1 of a log; expected file 2"),
    (_same, r"earlier file audit\.jsonl\.1: is file 2 of a log; expected file 1"),
    (_another, r"earlier file audit\.jsonl\.1: has 4 entries, head .*; the file after it"),
    (_empty, r"earlier file audit\.jsonl\.1: has 0 entries"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_earlier_files_that_are_not_what_they_were(
    path: Path, damage: Callable[[Path], None], message: str
) -> None:
    """Missing, changed, cut, torn, exchanged or replaced: whoever reads them finds it."""
    damage(path)
    with pytest.raises(AuditError, match=message):
        AuditLog(path).get_all_entries()


@pytest.mark.parametrize("damage", [damage for damage, _ in DAMAGE])
def test_damage_that_is_signed_off(path: Path, damage: Callable[[Path], None]) -> None:
    """What is known is no error any more; what is left is read, and new damage is found."""
    damage(path)
    said = LogFile(path, 1).close("me", "as agreed")
    assert said.problem is not None
    assert (said.closed_by, said.reason, said.file) == ("me", "as agreed", "audit.jsonl.3")
    AuditLog(path).append_recon_summary(*run("d", 1))
    left = runs(path)
    assert left[-1] == "d"
    assert "c" in left
    last = path.with_name("audit.jsonl.3")
    last.write_bytes(last.read_bytes().replace(b"S0/EUR", b"S1/EUR", 1))
    with pytest.raises(AuditError, match=r"earlier file audit\.jsonl\.3: line"):
        AuditLog(path).get_all_entries()


def test_a_log_whose_own_lines_are_damaged(path: Path) -> None:
    """It is named by its size and SHA-256, its entries are not read, and it may not change."""
    damaged = path.read_bytes().replace(b"S0/EUR", b"S1/EUR", 1)
    path.write_bytes(damaged)
    with pytest.raises(AuditError, match=r"audit\.jsonl: line \d: its hash does not fit"):
        AuditLog(path, rotate_at=1).append(LedgerEntry("A"))
    said = LogFile(path, 1).close("me", "a bad disk")
    assert (said.head, said.size) == (None, len(damaged))
    AuditLog(path).append_recon_summary(*run("d", 1))
    assert runs(path) == ["a", "b", "d"]
    assert path.with_name("audit.jsonl.3").read_bytes() == damaged
    path.with_name("audit.jsonl.3").write_bytes(damaged + b"\n")
    with pytest.raises(AuditError, match=r"audit\.jsonl\.3: was changed after it was closed"):
        runs(path)


def test_a_copy_that_was_restored(path: Path) -> None:
    """An older copy is signed off, its entries count, and what follows goes on from it."""
    older = path.read_bytes()
    AuditLog(path).append_recon_summary(*run("lost", 1))
    path.write_bytes(older)
    with pytest.raises(AuditError, match="it was cut, or an older copy was put in its place"):
        AuditLog(path).append_recon_summary(*run("d", 1))
    said = LogFile(path, 1).close("me", "restored from the backup of Monday")
    assert said.head is not None
    AuditLog(path).append_recon_summary(*run("d", 1))
    assert runs(path) == ["a", "b", "c", "d"]


def test_a_log_that_is_in_order(path: Path) -> None:
    """Nobody signs off what has no problem."""
    before = names(path)
    with pytest.raises(AuditError, match="is in order, so there is nothing to sign off"):
        LogFile(path, 1).close("me", "why not")
    assert names(path) == before


def test_a_log_that_was_removed(path: Path) -> None:
    """Its checkpoint is left, and the next log names what is missing."""
    path.unlink()
    AuditLog(path).append_recon_summary(*run("d", 1))
    assert first(path)["file"] == "audit.jsonl.3"
    with pytest.raises(AuditError, match=r"earlier file audit\.jsonl\.3 \(5 entries, head "):
        runs(path)
    for each in path.parent.glob("audit.jsonl*"):
        each.unlink()
    AuditLog(path).append_recon_summary(*run("d", 1))
    assert runs(path) == ["d"]


def test_a_log_that_was_renamed(path: Path) -> None:
    """As other tools do it: under the next number it is found."""
    path.rename(path.with_name("audit.jsonl.3"))
    AuditLog(path).append_recon_summary(*run("d", 1))
    assert runs(path) == ["a", "b", "c", "d"]


STEPS = ["write_file", "read_checkpoint", "_keep", "sync_directory", "write_checkpoint"]


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("step", [*STEPS, "replace"])
@pytest.mark.parametrize("after", [True, False])
def test_a_crash_at_every_step(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str, *, after: bool, links: bool
) -> None:
    """Before it and behind it: nothing is lost, named twice or in doubt, also without links."""

    class Crash(BaseException):
        pass

    owner: Any = Path if step == "replace" else log_file
    real = getattr(owner, step)

    def crashing(*words: Any, **named: Any) -> None:
        if step != "replace" or str(words[0]).endswith("audit.jsonl.new"):
            if after:
                real(*words, **named)
            raise Crash
        real(*words, **named)

    def refuses(*_words: Any, **_named: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as broken:
        broken.setattr(owner, step, crashing)
        if not links:
            broken.setattr(os, "link", refuses)
        with pytest.raises(Crash):
            AuditLog(path, rotate_at=1).append_recon_summary(*run("d", 1))
    AuditLog(path, rotate_at=1).append_recon_summary(*run("e", 1))
    assert runs(path) in (["a", "b", "c", "d", "e"], ["a", "b", "c", "e"])
    assert [name for name in names(path) if name != ".new"] in (
        ["", ".1", ".2", ".3"],
        ["", ".1", ".2", ".3", ".4"],
    )


@pytest.mark.parametrize("step", ["write_file", "_keep"])
def test_a_disk_that_refuses_a_new_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The writer hears of it, and the log is as it was."""

    def refuses(*_words: Any, **_named: Any) -> None:
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    with monkeypatch.context() as broken:
        broken.setattr(log_file, step, refuses)
        with pytest.raises(AuditError, match="a new file cannot be begun: No space left"):
            AuditLog(path, rotate_at=1).append_recon_summary(*run("d", 1))
    assert (path.read_bytes(), names(path)) == (before, ["", ".1", ".2"])
    AuditLog(path).append_recon_summary(*run("d", 1))
    assert runs(path) == ["a", "b", "c", "d"]


def test_a_torn_line_before_a_new_file(path: Path) -> None:
    """It is moved aside and recorded in the file that it stood in."""
    with path.open("ab") as file:
        file.write(b'{"torn')
    AuditLog(path, rotate_at=1).append_recon_summary(*run("d", 1))
    assert b"RECON_LOG_RECOVERED" in path.with_name("audit.jsonl.3").read_bytes()
    assert runs(path) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("name", ["../audit.jsonl", "a/b", "", ".", "..", "a\0b", "a\\b"])
def test_a_name_that_leads_elsewhere(tmp_path: Path, name: str) -> None:
    """A log names files beside it only."""
    path = tmp_path / "audit.jsonl"
    details = {"file": name, "number": 1, "entries": 1, "head": "0" * 64, "latest": None}
    LogFile(path, 1).append([LedgerEntry("RECON_LOG_CONTINUED", details)])
    with pytest.raises(AuditError, match=r"audit\.jsonl: file: .*; expected the name of a file"):
        AuditLog(path).get_all_entries()


@pytest.mark.parametrize("event_type", ["RECON_LOG_CONTINUED", "RECON_LOG_CLOSED"])
def test_these_entries_are_the_logs_own(tmp_path: Path, event_type: str) -> None:
    """Nobody else writes them."""
    with pytest.raises(AuditError, match="is written by the log only"):
        AuditLog(tmp_path / "audit.jsonl").append(LedgerEntry(event_type))


def test_directories_that_are_made_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each level, or a log in a new directory could vanish as a whole."""
    synced: list[Path] = []
    monkeypatch.setattr(durable, "sync_directory", synced.append)
    AuditLog(tmp_path / "a" / "b" / "audit.jsonl").append(LedgerEntry("A"))
    assert synced == [tmp_path, tmp_path / "a"]
    assert checkpoint_path(tmp_path / "a" / "b" / "audit.jsonl").exists()
