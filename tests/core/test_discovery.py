"""Finding recorded sessions: native files, and what the formats recognise."""

import os
import shutil
from pathlib import Path

import pytest
from pluggy import PluginManager

from recon_core import hookimpl
from recon_core.extensions import extension_manager
from recon_core.sessions import find_sessions

from .builders import document, write_session

RECORDING = Path(__file__).parents[1] / "data" / "nautilus" / "spot_btcusdt_quotes_partial"


class Zips:
    """A format whose recordings are single files."""

    @hookimpl
    def recon_anchor(self, path: Path) -> Path | None:
        return path if path.suffix == ".zip" else None


@pytest.fixture
def manager() -> PluginManager:
    made = extension_manager()
    made.register(Zips())
    return made


def found(directory: Path, manager: PluginManager) -> list[str]:
    anchors = find_sessions(directory, manager)
    assert anchors == sorted(anchors)
    return [anchor.relative_to(directory).as_posix() for anchor in anchors]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["notes.txt", "a.json", "recon.json"], []),
        (["b.recon.json", "a.recon.json"], ["a.recon.json", "b.recon.json"]),
        (["deep/er/a.recon.json"], ["deep/er/a.recon.json"]),
        (["run/session.recon.json"], ["run/session.recon.json"]),
        ([".hidden/a.recon.json", ".git/x/a.recon.json"], []),
        ([".a.recon.json"], [".a.recon.json"]),
        (["run.zip", "sub/run.zip"], ["run.zip", "sub/run.zip"]),
        (["x\ny.recon.json", "a b[1]::c.recon.json"], ["a b[1]::c.recon.json", "x\ny.recon.json"]),
        (["A.RECON.JSON", "a.recon.json.bak"], []),
    ],
)
def test_a_directory_is_searched(
    tmp_path: Path, manager: PluginManager, names: list[str], expected: list[str]
) -> None:
    """`*.recon.json` at any depth outside hidden directories, and single-file recordings."""
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not looked into")
    assert found(tmp_path, manager) == expected


def test_a_recording_is_found_by_its_meta_file(tmp_path: Path, manager: PluginManager) -> None:
    """Its inside is not searched for single files of other formats; native files count."""
    run = tmp_path / "runs" / "one"
    shutil.copytree(RECORDING, run)
    (run / "inner").mkdir()
    for name in ("export.zip", "inner/deep.zip", "inner/a.recon.json", "b.recon.json"):
        (run / name).write_text("")
    assert found(tmp_path, manager) == ["runs/one/b.recon.json", "runs/one/meta.json"]


@pytest.mark.parametrize("removed", ["meta.json", "fills.csv", "instruments.json", "positions.csv"])
def test_a_damaged_recording_does_not_go_unseen(
    tmp_path: Path, manager: PluginManager, removed: str
) -> None:
    """A recording that lost a file is still found, so that it can fail."""
    shutil.copytree(RECORDING, tmp_path / "run")
    (tmp_path / "run" / removed).unlink()
    assert found(tmp_path, manager) == ["run/meta.json"]


@pytest.mark.parametrize("content", [b"", b'{"engine": "nautilus', b"\xff\xfe"])
def test_a_recording_with_a_damaged_meta_file_is_found(
    tmp_path: Path, manager: PluginManager, content: bytes
) -> None:
    """Truncated, empty, another encoding: its other files give it away."""
    shutil.copytree(RECORDING, tmp_path / "run")
    (tmp_path / "run" / "meta.json").write_bytes(content)
    assert found(tmp_path, manager) == ["run/meta.json"]


def test_another_programs_meta_file_is_left_alone(tmp_path: Path, manager: PluginManager) -> None:
    """A file of that name is no recording by itself."""
    (tmp_path / "meta.json").write_text('{"title": "notes"}')
    (tmp_path / "table.csv").write_text("a\n1\n")
    assert found(tmp_path, manager) == []


@pytest.mark.parametrize("name", ["a.recon.json", "anything.txt", "missing.recon.json"])
def test_a_file_given_by_name_is_always_a_session(
    tmp_path: Path, manager: PluginManager, name: str
) -> None:
    """What was asked for is judged, whatever it is called."""
    path = write_session(tmp_path, document(), name)
    assert find_sessions(path, manager) == [path]


@pytest.mark.parametrize("given", ["run", "run/meta.json"])
def test_a_recording_has_one_anchor(tmp_path: Path, manager: PluginManager, given: str) -> None:
    """Directory and anchor are the same session."""
    shutil.copytree(RECORDING, tmp_path / "run")
    assert find_sessions(tmp_path / given, manager) == [tmp_path / "run" / "meta.json"]


def test_links_to_directories_are_not_entered(tmp_path: Path, manager: PluginManager) -> None:
    """A loop does not hang the search; a linked file is found like any other."""
    (tmp_path / "loop").symlink_to(tmp_path)
    write_session(tmp_path, document(), "a.recon.json")
    (tmp_path / "b.recon.json").symlink_to("a.recon.json")
    (tmp_path / "c.recon.json").symlink_to("nowhere")
    os.mkfifo(tmp_path / "d.recon.json")
    assert found(tmp_path, manager) == [f"{name}.recon.json" for name in "abcd"]


def test_a_directory_that_cannot_be_read_is_an_error(
    tmp_path: Path, manager: PluginManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What might be in it must not go unseen; root may read everything, hence the stand-in."""
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def deny(path: str | os.PathLike[str]) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(OSError, match="Permission denied"):
        find_sessions(tmp_path, manager)
