"""Every file that is written: links, missing and closed directories, full disks.

One line, a status or an error that is documented, the old content whole, nothing left behind.
"""

import resource
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from recon_core import AuditLog, ExternalSnapshot, ReconciliationEngine, ReconError, SessionRecorder
from recon_core.cli import main
from recon_core.engine.reconciliation import reconcile_session
from recon_core.explain import entries_of
from recon_core.explain.on_demand import explainer
from recon_core.explain.repair.repair_file import write_repair
from recon_core.model.explanation import Effort
from recon_core.sessions.formats.nautilus_writer import write_nautilus_recording

from .test_nautilus_writer import Engine
from .test_recorder import fill

EXAMPLES = Path(__file__).parents[2] / "examples"
SESSIONS = {
    1: EXAMPLES / "explain" / "double_fee.recon.json",
    2: EXAMPLES / "explain" / "lost_fill.recon.json",
}
CLOSED = Path("/sys")
"""A directory in which nobody may make a file, root included."""


def recon(*words: object) -> int:
    """The status of `recon`, without the process ending."""
    with pytest.raises(SystemExit) as ending:
        main([str(word) for word in words])
    assert isinstance(ending.value.code, int)
    return ending.value.code


def check_junit(target: Path, number: int) -> int:
    return recon("check", SESSIONS[number], "--junit", target)


def check_audit_log(target: Path, number: int) -> int:
    return recon("check", SESSIONS[number], "--audit-log", target)


def repair(target: Path, number: int) -> int:
    return recon("repair", SESSIONS[number], "-o", target)


def convert(target: Path, number: int) -> int:
    return recon("convert", SESSIONS[number], "-o", target, "--force")


def audit_export(target: Path, number: int) -> int:
    return recon("audit", "export", "--json", f"log{number}.jsonl", "--output", target)


def append_summary(target: Path, number: int) -> int:
    summary = reconcile_session(SESSIONS[number]).summary()
    AuditLog(target).append_recon_summary(summary)
    return 0


def export_to_file(target: Path, number: int) -> int:
    log = AuditLog()
    log.append_recon_summary(reconcile_session(SESSIONS[number]).summary())
    log.export_to_file(target)
    return 0


def export_report(target: Path, number: int) -> int:
    engine = ReconciliationEngine()
    engine.reconcile(ExternalSnapshot(positions={}, cash={"EUR": number}))
    engine.export_reconciliation_report(target)
    return 0


def write_entries(target: Path, number: int) -> int:
    reconciliation = reconcile_session(SESSIONS[number], explain=explainer(Effort.FAST))
    explanations = reconciliation.explanations
    write_repair(target, [one for each in explanations for one in entries_of(reconciliation, each)])
    return 0


def nautilus(target: Path, number: int) -> int:
    assert number
    write_nautilus_recording(Engine(), target)
    return 0


def recorder(target: Path, number: int) -> int:
    with SessionRecorder(target) as recording:
        fills_of(recording, [number])
    return 0


@dataclass(frozen=True)
class Writer:
    """Something that writes to a path: the statuses where it succeeds, and what it does else.

    `number` makes one of two different contents. A file that is withdrawn first does not
    outlive a run that fails.
    """

    write: Callable[[Path, int], int]
    name: str
    done: int = 0
    makes_parents: bool = False
    is_directory: bool = False
    replaces_links: bool = False
    is_withdrawn: bool = False


WRITERS = {
    "check --junit": Writer(check_junit, "r.xml", done=2, makes_parents=True, is_withdrawn=True),
    "check --audit-log": Writer(check_audit_log, "l.jsonl", done=2, makes_parents=True),
    "repair": Writer(repair, "r.json"),
    "convert": Writer(convert, "c.recon.json"),
    "audit export": Writer(audit_export, "e.json"),
    "AuditLog": Writer(append_summary, "l.jsonl", makes_parents=True),
    "export_to_file": Writer(export_to_file, "e.json", replaces_links=True),
    "export_reconciliation_report": Writer(export_report, "e.json", replaces_links=True),
    "write_repair": Writer(write_entries, "r.json", replaces_links=True),
    "write_nautilus_recording": Writer(nautilus, "n", makes_parents=True, is_directory=True),
    "SessionRecorder": Writer(recorder, "s", makes_parents=True, is_directory=True),
}
BY_NAME = pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
OF_FILES = {name: writer for name, writer in WRITERS.items() if not writer.is_directory}
FILES_BY_NAME = pytest.mark.parametrize("writer", OF_FILES.values(), ids=OF_FILES)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two audit logs to be exported."""
    place = tmp_path_factory.mktemp("logs")
    for number in SESSIONS:
        append_summary(place / f"log{number}.jsonl", number)
    return place


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: Path) -> Path:
    """The working directory of a test, which is a project without settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").write_text("", encoding="utf-8")
    for log in logs.glob("*.jsonl"):
        shutil.copy(log, tmp_path)
    return tmp_path


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def refused(
    writer: Writer, target: Path, capsys: pytest.CaptureFixture[str], number: int = 2
) -> None:
    """A writer fails with one line that names the file, and no path of the machine."""
    capsys.readouterr()
    try:
        status, text = writer.write(target, number), capsys.readouterr()
    except ReconError as error:
        line = str(error)
    else:
        assert status in {1, 64}
        lines = [line for line in "".join(text).splitlines() if target.name in line]
        (line,) = lines
    assert "\n" not in line
    assert target.name in line
    assert "Traceback" not in line


def held(directory: Path) -> dict[str, bytes]:
    """Everything below a directory; a lock beside a log stays where it is."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files if path.suffix != ".lock"}


@FILES_BY_NAME
def test_a_link_is_never_written_through(
    directory: Path, capsys: pytest.CaptureFixture[str], writer: Writer
) -> None:
    """A command refuses it; the functions that replace a file replace the link."""
    (directory / "elsewhere").mkdir()
    own = directory / "elsewhere" / writer.name
    own.write_bytes(b"mine")
    target = directory / writer.name
    target.symlink_to(own)
    if writer.replaces_links:
        assert writer.write(target, 1) == writer.done
        assert not target.is_symlink()
    else:
        refused(writer, target, capsys)
        assert target.is_symlink()
    assert held(own.parent) == {str(own): b"mine"}


@BY_NAME
def test_a_missing_directory(
    directory: Path, capsys: pytest.CaptureFixture[str], writer: Writer
) -> None:
    """It is made for logs, reports and recordings, as documented, and else refused."""
    target = directory / "new" / "er" / writer.name
    if writer.makes_parents:
        assert writer.write(target, 1) == writer.done
        assert target.exists()
    else:
        refused(writer, target, capsys)
        assert not (directory / "new").exists()


@pytest.mark.skipif(not CLOSED.is_dir(), reason="a directory of Linux")
@BY_NAME
def test_a_directory_that_takes_no_file(capsys: pytest.CaptureFixture[str], writer: Writer) -> None:
    """One line."""
    refused(writer, CLOSED / writer.name, capsys)


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of Linux")
@pytest.mark.parametrize("room", [0, 1, 100])
@FILES_BY_NAME
def test_a_full_disk_leaves_the_old_file(
    directory: Path, capsys: pytest.CaptureFixture[str], writer: Writer, room: int
) -> None:
    """Whole, and with nothing beside it; no report of an earlier run, which is withdrawn."""
    place = directory / "place"
    place.mkdir()
    target = place / writer.name
    assert writer.write(target, 1) == writer.done
    before = held(place)
    # A log grows; any other file is written anew.
    room += target.stat().st_size if target.suffix == ".jsonl" else 0
    with disk_of(room):
        refused(writer, target, capsys)
    if writer.is_withdrawn:
        assert not before.items() & held(place).items()
    else:
        assert held(place) == before
    assert writer.write(target, 2) == writer.done
    assert held(place) != before


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of Linux")
@pytest.mark.parametrize("room", [0, 1, 100])
@FILES_BY_NAME
def test_a_full_disk_leaves_no_new_file(
    directory: Path, capsys: pytest.CaptureFixture[str], writer: Writer, room: int
) -> None:
    """Nor a part of one; a log that was made and took nothing is empty."""
    place = directory / "place"
    place.mkdir()
    target = place / writer.name
    with disk_of(room):
        refused(writer, target, capsys)
    assert held(place) in ({}, {str(target): b""})
    assert writer.write(target, 2) == writer.done


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of Linux")
def test_a_full_disk_leaves_no_part_of_a_recording(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reports of an engine are written all or none."""
    place = directory / "place"
    place.mkdir()
    with disk_of(100):
        refused(WRITERS["write_nautilus_recording"], place / "n", capsys)
    assert list(place.iterdir()) == []


def fills_of(recording: SessionRecorder, numbers: Iterable[int]) -> None:
    for number in numbers:
        recording.internal.fill(**fill(number))


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of Linux")
@pytest.mark.filterwarnings("ignore::recon_core.ReconWarning")
@pytest.mark.parametrize("room", [1, 100, 250])
def test_a_full_disk_leaves_whole_rows(directory: Path, room: int) -> None:
    """A row that was cut off is taken back, and the recording says that it is not complete."""
    with SessionRecorder(directory / "s") as recording:
        recording.internal.fill(**fill(1))
        table = directory / "s" / "internal-fills.jsonl"
        before = table.read_bytes()
        with disk_of(len(before) + room), pytest.raises(ReconError) as refusal:
            fills_of(recording, range(2, 9))
        assert str(refusal.value) == "internal-fills.jsonl: cannot be written: File too large"
        assert table.read_bytes().startswith(before)
        assert table.read_bytes().endswith(b"}\n")
        recording.internal.fill(**fill(9))
    assert b'"complete": false' in recording.path.read_bytes()
    assert len(table.read_bytes().splitlines()) >= 2
