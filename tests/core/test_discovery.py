"""Finding recorded sessions: native files, and what the formats recognise."""

import json
import os
import shutil
from pathlib import Path

import pytest
from pluggy import PluginManager

from recon_core import SessionError, hookimpl
from recon_core.plugins.manager import extension_manager
from recon_core.sessions import find_sessions
from recon_core.sessions.discovery import joined, named_sessions, search
from recon_core.sessions.unjudged_paths import notes_on

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


def test_a_recording_is_searched_on(tmp_path: Path, manager: PluginManager) -> None:
    """Other sessions beside its anchor, and any below its directory, are found as well."""
    run = tmp_path / "runs" / "one"
    shutil.copytree(RECORDING, run)
    shutil.copytree(RECORDING, run / "inner" / "again")
    for name in ("export.zip", "inner/deep.zip", "inner/a.recon.json", "b.recon.json"):
        (run / name).write_text("")
    assert found(tmp_path, manager) == [
        "runs/one/b.recon.json",
        "runs/one/export.zip",
        "runs/one/inner/a.recon.json",
        "runs/one/inner/again/meta.json",
        "runs/one/inner/deep.zip",
        "runs/one/meta.json",
    ]


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


def notes(directory: Path, manager: PluginManager) -> list[str]:
    return list(notes_on(search(directory, manager).unjudged, directory))


def test_links_to_directories_are_not_entered(tmp_path: Path, manager: PluginManager) -> None:
    """A loop does not hang the search; a linked file is found like any other."""
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "round").symlink_to("round")
    write_session(tmp_path, document(), "a.recon.json")
    (tmp_path / "b.recon.json").symlink_to("a.recon.json")
    (tmp_path / "c.recon.json").symlink_to("nowhere")
    os.mkfifo(tmp_path / "d.recon.json")
    assert found(tmp_path, manager) == [f"{name}.recon.json" for name in "abcd"]


@pytest.mark.parametrize(
    ("made", "noted"),
    [
        (["notes.json", "recon.json", "a.json.recon", "meta.json", "a.reconciled.json"], []),
        ([".hidden/a.txt"], ["not searched (hidden): .hidden"]),
        ([".git/x/a", "deep/.b/c/.d/e"], ["not searched (hidden): .git, deep/.b"]),
        (["link -> ../outside"], ["not searched (linked): link"]),
        (["link -> ../gone"], ["not searched (linked): link"]),
        (["link -> .."], ["not searched (linked): link"]),
        (["link -> day", "day/a.txt"], []),
        (
            ["link -> .b/day", ".b/day/a.txt"],
            ["not searched (hidden): .b", "not searched (linked): link"],
        ),
        ([".link -> ../outside"], ["not searched (hidden): .link"]),
        (
            [f"{n}/.x/a" for n in range(8)],
            ["not searched (hidden): 0/.x, 1/.x, 2/.x, 3/.x, 4/.x and 3 more"],
        ),
        (["x\x1b[2J/.h/a"], ["not searched (hidden): x\\x1b[2J/.h"]),
    ],
    ids=str,
)
def test_what_is_not_searched_is_noted(
    tmp_path: Path, manager: PluginManager, made: list[str], noted: list[str]
) -> None:
    """Hidden directories and links by name, but for links to what is searched anyway."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    for each in made:
        name, _, target = each.partition(" -> ")
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if target:
            (root / name).symlink_to(target)
        else:
            (root / name).write_text("")
    assert notes(root, manager) == noted


@pytest.mark.parametrize(
    "name",
    [
        "x.recon.JSON",
        "X.RECON.JSON",
        "x.recon.json.1",
        "x.recon.json.bak",
        "x.recon.json~",
        "x.recon.json.gz",
        "x.recon.jsonl",
        "x.recon.json5",
        "x.recon.1.json",
        "x.recon (1).json",
        "x.recon.json ",
        ".x.recon.json.abc.tmp",
    ],
)
def test_a_name_that_resembles_a_sessions_is_noted(
    tmp_path: Path, manager: PluginManager, name: str
) -> None:
    """It was meant as one or was one; a recording of a format that has such names is none."""
    (tmp_path / name).write_text("")
    (tmp_path / "x.recon.json.zip").write_text("")
    assert found(tmp_path, manager) == ["x.recon.json.zip"]
    assert notes(tmp_path, manager) == [f"not read (expected a name like NAME.recon.json): {name}"]


RUN = {"from": {"format": "nautilus", "path": "run"}}
HERE = {"from": {"format": "nautilus", "path": "."}}


@pytest.mark.parametrize(
    ("place", "session", "sides", "is_source"),
    [
        ("run", "a.recon.json", {"internal": RUN, "external": RUN}, True),
        ("run", "a.recon.json", {"internal": RUN}, True),
        ("run", "a.recon.json", {"internal": {"from": {"path": "run/meta.json"}}}, True),
        ("deep/run", "deep/a.recon.json", {"external": RUN}, True),
        ("run", "run/session.recon.json", {"internal": HERE, "external": HERE}, True),
        ("run", "a.recon.json", {"external": {"orders": {"path": "run/meta.json"}}}, True),
        # Not that recording, no side, not as a recording, or not in a session that is read.
        ("run", "a.recon.json", {}, False),
        ("run", "run/session.recon.json", {"internal": {"fills": {"path": "f.csv"}}}, False),
        ("run", "b/a.recon.json", {"internal": RUN}, False),
        ("run", "a.recon.json", {"internal": {"from": {"format": "x", "path": ".."}}}, False),
        ("run", "a.recon.json", {"internal": {"from": {"format": "ccxt", "path": "run"}}}, False),
        ("run", "a.recon.json", {"side": RUN}, False),
        ("run", "a.recon.json", {"internal": [RUN]}, False),
        ("run", "a.recon.json", {"internal": {"from": {"path": 1}}}, False),
    ],
    ids=str,
)
def test_a_recording_that_a_session_reads_is_its_source(
    tmp_path: Path,
    manager: PluginManager,
    place: str,
    session: str,
    sides: dict[str, object],
    is_source: bool,  # noqa: FBT001  # a column of the table
) -> None:
    """It is not judged twice, and a note names both; any other is judged by itself."""
    shutil.copytree(RECORDING, tmp_path / place)
    (tmp_path / session).parent.mkdir(exist_ok=True)
    (tmp_path / session).write_text(json.dumps(sides))
    meta = f"{place}/meta.json"
    assert found(tmp_path, manager) == sorted([session, *([] if is_source else [meta])])
    note = f"not judged by itself (a session reads it): {meta} by {session}"
    assert notes(tmp_path, manager) == ([note] if is_source else [])


@pytest.mark.parametrize("content", [b"", b'{"internal": {"from": {"path": "run"}', b"\xff", b"[]"])
def test_a_session_that_cannot_be_read_has_no_source(
    tmp_path: Path, manager: PluginManager, content: bytes
) -> None:
    """What it would have read is judged by itself."""
    shutil.copytree(RECORDING, tmp_path / "run")
    (tmp_path / "a.recon.json").write_bytes(content)
    assert found(tmp_path, manager) == ["a.recon.json", "run/meta.json"]


def test_of_two_recordings_in_a_directory_none_is_the_source(
    tmp_path: Path, manager: PluginManager
) -> None:
    """Which of them a session means by their directory shows only when it is read."""
    shutil.copytree(RECORDING, tmp_path / "run")
    (tmp_path / "run" / "export.zip").write_text("")
    (tmp_path / "a.recon.json").write_text(json.dumps({"internal": RUN}))
    assert found(tmp_path, manager) == ["a.recon.json", "run/export.zip", "run/meta.json"]


@pytest.mark.parametrize(
    ("names", "noted"),
    [
        (["s"], 3),
        (["s", "s/.h"], 2),
        (["s/.h", "s"], 2),
        (["s", "s/run"], 2),
        (["s/x.recon.json.1", "s"], 2),
        (["s", "s"], 3),
    ],
    ids=str,
)
def test_what_was_named_otherwise_is_not_passed_over(
    tmp_path: Path, manager: PluginManager, names: list[str], noted: int
) -> None:
    """Of several names, one may lead to what the search of another leaves out."""
    shutil.copytree(RECORDING, tmp_path / "s" / "run")
    write_session(tmp_path / "s", {"internal": RUN}, "a.recon.json")
    (tmp_path / "s" / ".h").mkdir()
    write_session(tmp_path / "s" / ".h", document(), "h.recon.json")
    (tmp_path / "s" / "x.recon.json.1").write_text("")
    joint = joined(named_sessions(name, tmp_path, manager) for name in names)
    assert len(joint.unjudged) == noted
    assert joint.anchors == sorted(set(joint.anchors))


def test_a_name_that_finds_nothing_says_what_was_passed_over(
    tmp_path: Path, manager: PluginManager
) -> None:
    """It is most often the reason."""
    (tmp_path / "s" / ".h").mkdir(parents=True)
    (tmp_path / "s" / "x.recon.JSON").write_text("")
    with pytest.raises(SessionError) as refusal:
        named_sessions("s", tmp_path, manager)
    assert str(refusal.value).endswith(
        "; not searched (hidden): s/.h"
        "; not read (expected a name like NAME.recon.json): s/x.recon.JSON"
    )


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

    # Set back at once: old directories of tests are removed with the same function.
    with monkeypatch.context() as denied:
        denied.setattr(os, "scandir", deny)
        with pytest.raises(OSError, match="Permission denied"):
            find_sessions(tmp_path, manager)
