"""Sessions by URL: the verdicts of the same files here, lazily, verified, and without a secret."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.plugins.manager import extension_manager
from recon_core.reports.reconciliation_report import reconciliation_report
from recon_core.reports.wording import command_path, node_path, opened_path
from recon_core.sessions import find_sessions, read_session, remote
from recon_core.sessions.directory_search import Discovery
from recon_core.sessions.discovery import named_sessions
from recon_core.sessions.places import RowPlaces
from recon_core.sessions.unjudged_paths import notes_on
from recon_core.values.errors import SessionError
from recon_core.values.limits import limits_in_force
from recon_core.values.urls import url_of

from .builders import AS_OF_TEXT, document

FILL = f"f1,BTC/EUR,BUY,1,42000,{AS_OF_TEXT}\n"
CSV = f"fill_id,symbol,side,quantity,price,time\n{FILL}"
SESSION = json.dumps(document(internal={"as_of": AS_OF_TEXT, "positions": {"BTC/EUR": "1"}}))


@pytest.fixture(autouse=True)
def store() -> Iterator[MemoryFileSystem]:
    """An empty store."""
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    yield fsspec.filesystem("memory")
    MemoryFileSystem.store.clear()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that temporary files are in."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def put(store: MemoryFileSystem, **files: str) -> None:
    """Files of `day`, `__` in a name is a directory and `_` a point."""
    for name, text in files.items():
        store.pipe_file(f"/day/{path_of(name)}", text.encode())


def path_of(name: str) -> str:
    return name.replace("__", "/").replace("_", ".")


def found(url: str = "memory://day") -> Discovery:
    return named_sessions(url, Path("/nowhere"), extension_manager())


def notes(url: str = "memory://day") -> list[str]:
    return list(notes_on(found(url).unjudged, Path("/nowhere")))


def judged(url: str) -> Reconciliation:
    (anchor,) = found(url).anchors
    return reconcile_session(anchor)


def problem(url: str) -> str:
    (judgement,) = judged(url).judgements
    assert judgement.verdict == "CRITICAL"
    return judgement.message


def report_of(reconciliation: Reconciliation) -> dict[str, Any]:
    """Everything that is said of a session, but for what is another in each run."""
    report = reconciliation_report(reconciliation)
    return {**report, "summary": {**report["summary"], "run_id": "", "timestamp": ""}}


def side(**more: Any) -> str:
    return json.dumps(document(internal={"as_of": AS_OF_TEXT, **more}))


def test_a_session_is_what_its_files_are_here(
    store: MemoryFileSystem, tmp_path: Path, place: Path
) -> None:
    """Verdicts, evidence and digests of a session with a table are the same by URL."""
    files = {"a_recon_json": side(fills={"path": "rows/f.csv"}), "rows__f_csv": CSV}
    put(store, **files)
    for name, text in files.items():
        path = tmp_path / "here" / path_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    here = reconcile_session(tmp_path / "here" / "a.recon.json")
    there = judged("memory://day")
    assert report_of(there) == report_of(here)
    assert there.recorded.inputs == here.recorded.inputs
    assert len(there.recorded.inputs) == 2
    assert [path.name for path in place.iterdir()] == ["here"]


def test_a_listing_reads_no_session(
    store: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session is fetched when it is judged, and no other one with it."""
    fetched: list[str] = []
    get_file = MemoryFileSystem.get_file

    def watched(self: MemoryFileSystem, source: str, target: str, **more: Any) -> None:
        fetched.append(source)
        get_file(self, source, target, **more)

    monkeypatch.setattr(MemoryFileSystem, "get_file", watched)
    put(store, a_recon_json=SESSION, deep__er__b_recon_json=SESSION, c_txt="")
    anchors = found().anchors
    assert [url_of(anchor) for anchor in anchors] == [
        "memory://day/a.recon.json",
        "memory://day/deep/er/b.recon.json",
    ]
    assert fetched == []
    read_session(anchors[1])
    assert fetched == ["day/deep/er/b.recon.json"]


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("memory://day", 3),
        ("memory://day/", 3),
        ("memory://day/a.recon.json", 1),
        ("memory://day/*.recon.json", 2),
        ("memory://day/**/*.recon.json", 3),
        ("memory://day/deep", 1),
    ],
)
def test_a_url_names_a_file_a_directory_or_a_pattern(
    store: MemoryFileSystem, url: str, count: int
) -> None:
    """As a path does."""
    put(store, a_recon_json=SESSION, b_recon_json=SESSION, deep__c_recon_json=SESSION)
    assert len(found(url).anchors) == count


def test_a_path_of_a_url_is_searched_too(store: MemoryFileSystem) -> None:
    """Python's users have paths."""
    put(store, a_recon_json=SESSION, deep__b_recon_json=SESSION)
    assert len(find_sessions(Path("memory://day"), extension_manager())) == 2


def test_what_is_not_judged_is_named(store: MemoryFileSystem) -> None:
    """Files beside or below a session may be its tables; no other is passed over in silence."""
    store.pipe_file("/day/.old/b.recon.json", b"")
    put(store, one__a_recon_json=SESSION, one__f_csv=CSV, one__x__g_csv=CSV, b_recon_JSON="")
    put(store, two__backtest_zip="")
    assert notes() == [
        "not searched (hidden): memory://day/.old",
        "not read (expected a name like NAME.recon.json): memory://day/b.recon.JSON",
        "not looked at (by URL only session files are found): memory://day/two/backtest.zip",
    ]


def test_a_source_is_fetched_with_its_neighbours(store: MemoryFileSystem) -> None:
    """A mapping names its tables in a file of its own; sessions beside it are not fetched."""
    mapping = '[fills]\npath = "trades.csv"\n'
    columns = "".join(
        f'{name} = "{name}"\n'
        for name in ("fill_id", "symbol", "side", "quantity", "price", "time")
    )
    put(store, m__map_toml=f"{mapping}[fills.columns]\n{columns}")
    source = {"format": "table", "path": "m/map.toml", "as_of": AS_OF_TEXT}
    text = json.dumps(document(internal={"from": source}))
    put(store, a_recon_json=text, m__trades_csv=CSV, m__b_recon_json=SESSION)
    with remote.fetched("memory://day/a.recon.json") as local:
        below = sorted(path.name for path in local.parent.rglob("*") if path.is_file())
    assert below == ["a.recon.json", "map.toml", "trades.csv"]
    assert not local.exists()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("no.csv", "no.csv: cannot be read: No such file or directory"),
        ("../other/f.csv", "leads out of the session's directory"),
        ("/day/f.csv", "leads out of the session's directory"),
    ],
)
def test_what_a_session_names_is_refused_as_here(
    store: MemoryFileSystem, path: str, expected: str
) -> None:
    """A path that leads out of the directory of its session is not fetched."""
    store.pipe_file("/other/f.csv", CSV.encode())
    put(store, a_recon_json=side(fills={"path": path}), f_csv=CSV)
    assert expected in problem("memory://day")


def sums(**texts: str) -> str:
    lines = [
        f"{hashlib.sha256(text.encode()).hexdigest()}  {path_of(name)}\n"
        for name, text in texts.items()
    ]
    return "".join(lines)


def test_files_have_the_digests_that_their_directory_lists(store: MemoryFileSystem) -> None:
    """A session that is as listed is judged like any other."""
    files = {"a_recon_json": side(fills={"path": "x/f.csv"}), "x__f_csv": CSV}
    put(store, **files, SHA256SUMS=sums(**files))
    assert judged("memory://day").is_readable


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ({"x__g_csv": ""}, "x/f.csv' is not in day/SHA256SUMS, as others beside it are"),
        ({"a_recon_json": "", "x__f_csv": CSV}, "a.recon.json' has not the digest that day/SHA256"),
        ({"a_recon_json": SESSION, "x__f_csv": ""}, "x/f.csv' has not the digest that day/SHA256"),
        ({"b_recon_json": SESSION}, "a.recon.json' is not in day/SHA256SUMS, as others beside it"),
    ],
)
def test_a_file_that_is_not_as_listed_is_critical(
    store: MemoryFileSystem, listed: dict[str, str], expected: str
) -> None:
    """Whatever a session fetches is verified, and nothing of it is judged otherwise."""
    session = side(fills={"path": "x/f.csv"})
    listed = {name: session if text == SESSION else text for name, text in listed.items()}
    put(store, a_recon_json=session, x__f_csv=CSV, SHA256SUMS=sums(**listed))
    assert expected in problem("memory://day/a.recon.json")


def test_a_list_above_covers_the_directories_that_it_lists(store: MemoryFileSystem) -> None:
    """It holds for files below, as `find` gives them, and says nothing about other directories."""
    put(store, one__a_recon_json=SESSION, two__a_recon_json=SESSION)
    put(store, SHA256SUMS=sums(one__a_recon_json="other").replace("  one", "  ./one"))
    assert "has not the digest that day/SHA256SUMS" in problem("memory://day/one")
    assert judged("memory://day/two").is_readable
    put(store, SHA256SUMS=sums(one__a_recon_json=SESSION))
    assert judged("memory://day/one").is_readable


def test_a_directory_that_may_not_be_seen_has_no_list(
    store: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may read one directory of a bucket is not kept from it by those above."""
    put(store, deep__a_recon_json=SESSION)
    info = MemoryFileSystem.info

    def denied(self: MemoryFileSystem, path: str, **more: Any) -> Any:
        if path in ("day/SHA256SUMS", "day/b.recon.json"):
            raise PermissionError("for hunter2")
        return info(self, path, **more)

    monkeypatch.setattr(MemoryFileSystem, "info", denied)
    assert judged("memory://day/deep/a.recon.json").is_readable
    unseen = reconcile_session("memory://day/b.recon.json")
    assert "cannot be read: the store denies access" in unseen.judgements[0].message


def test_a_table_below_has_the_digest_of_its_own_directory_too(store: MemoryFileSystem) -> None:
    """Of two lists both hold."""
    files = {"a_recon_json": side(fills={"path": "x/f.csv"}), "x__f_csv": CSV}
    put(store, **files, SHA256SUMS=sums(**files), x__SHA256SUMS=sums(f_csv="other"))
    assert "x/f.csv' has not the digest" in problem("memory://day")


def test_a_session_that_is_listed_and_missing_is_critical(store: MemoryFileSystem) -> None:
    """An upload that ended early is not clear."""
    put(store, a_recon_json=SESSION, SHA256SUMS=sums(a_recon_json=SESSION, b_recon_json="{}"))
    assert len(found().anchors) == 2
    missing = reconcile_session(found().anchors[1])
    assert [each.verdict for each in missing.judgements] == ["CRITICAL"]
    assert "'memory://day/b.recon.json' is missing" in missing.judgements[0].message


def test_a_list_of_another_form_is_refused(store: MemoryFileSystem) -> None:
    """Nothing is verified by half of it."""
    put(store, a_recon_json=SESSION, SHA256SUMS=sums(a_recon_json=SESSION) + "a.recon.json\n")
    with pytest.raises(SessionError, match="line 2: expected a digest and a name of sha256sum"):
        found()


def test_an_object_that_changes_meanwhile_is_critical(
    store: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of one state and half of another is none."""
    put(store, a_recon_json=SESSION)
    info = MemoryFileSystem.info
    monkeypatch.setattr(
        MemoryFileSystem, "info", lambda *words, **more: {**info(*words, **more), "size": 5}
    )
    assert "has another size than its store says" in problem("memory://day/a.recon.json")


@pytest.mark.parametrize(
    "url",
    ["s3://key:hunter2@bucket/day", "ftp://hunter2@host/day", "https://host/day?token=hunter2"],
)
def test_a_secret_in_a_url_is_refused_and_not_shown(url: str) -> None:
    """Credentials belong where the library of the store reads them."""
    with pytest.raises(SessionError, match="with a user, a password or a query") as caught:
        found(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["info", "ls", "get_file"])
def test_no_word_of_a_library_is_shown(
    store: MemoryFileSystem, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of a library may quote a signed request."""
    put(store, a_recon_json=SESSION)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Signature=hunter2")

    monkeypatch.setattr(MemoryFileSystem, name, fail)
    try:
        text = problem("memory://day")
    except SessionError as error:
        text = str(error)
    assert "cannot be read: RuntimeError of its library" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("memory://", "is no plain URL; expected one like s3://bucket/day"),
        ("memory://day//x", "is no plain URL"),
        ("memory://day/../x", "is no plain URL"),
        ("simplecache::memory://day", "matches no recorded session"),
        ("memory://day::memory://x", "is no plain URL"),
        ("mermory://day", "mermory://: is no scheme that fsspec knows; expected one like s3 or gs"),
        ("memory://nothing", "'memory://nothing' matches no recorded session"),
        ("memory://day/*.x", "matches no recorded session"),
    ],
)
def test_a_url_of_no_use_is_refused_in_one_line(url: str, expected: str) -> None:
    """Before anything is judged."""
    with pytest.raises(SessionError) as caught:
        found(url)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (
            "fsspec",
            "memory://: sessions by URL need the extra url: pip install 'pytest-recon[url]'",
        ),
        ("fsspec.implementations.memory", "memory://: its package is missing"),
    ],
)
def test_a_package_that_is_missing_is_named(
    missing: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra, or what the store needs beside it."""
    import sys

    monkeypatch.setitem(sys.modules, missing, None)
    if missing != "fsspec":
        monkeypatch.setattr(fsspec, "filesystem", lambda *_, **__: __import__(missing))
    with pytest.raises(SessionError) as caught:
        found()
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("url_bytes", "with what it names has"), ("url_files", "'memory://day': has 2 files")],
)
def test_limits_hold(store: MemoryFileSystem, limit: str, expected: str) -> None:
    """A store that holds too much costs one message, and not the disk."""
    put(store, a_recon_json=side(fills={"path": "f.csv"}), f_csv=CSV)
    with limits_in_force({limit: len(SESSION) if limit == "url_bytes" else 1}):
        try:
            text = problem("memory://day")
        except SessionError as error:
            text = str(error)
    assert expected in text


def test_a_url_of_this_machine_is_its_path(tmp_path: Path) -> None:
    """It needs no library, and finds what a search of the directory finds."""
    (tmp_path / "a b.recon.json").write_text(SESSION, encoding="utf-8")
    assert found(f"file://{tmp_path}").anchors == [tmp_path / "a b.recon.json"]
    by_url = reconcile_session(f"file://{tmp_path}/a%20b.recon.json")
    assert by_url.is_readable
    assert by_url.recorded == read_session(tmp_path / "a b.recon.json")


def test_paths_that_are_shown_are_urls() -> None:
    """In node ids, reports and commands, wherever the run was started."""
    anchor, here = Path("s3://bucket/a day/x.recon.json"), Path("/somewhere")
    assert node_path(anchor, here) == "s3://bucket/a%20day/x.recon.json"
    assert opened_path(anchor, here) == "s3://bucket/a day/x.recon.json"
    assert command_path(anchor, here) == "'s3://bucket/a day/x.recon.json'"


def test_rows_by_url_have_no_lines(store: MemoryFileSystem) -> None:
    """Their files are gone when a report asks."""
    put(store, a_recon_json=side(fills={"path": "f.csv"}), f_csv=CSV)
    reconciliation = judged("memory://day")
    places = RowPlaces(reconciliation.recorded)
    assert [places.of(each) for each in reconciliation.comparisons if places.of(each)] == []
