"""What the file system can do to a session: pipes, devices, links, sizes, tables beside it."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.values.limits import limits_in_force

from .builders import AS_OF_TEXT, document, verdicts, write_session
from .refusals import SECRET, refusal

RECORDING = Path(__file__).parents[1] / "data" / "nautilus" / "spot_btcusdt_quotes_partial"
HEADER = "fill_id,symbol,side,quantity,price,time\n"
ROW = f"f1,BTC/EUR,BUY,1,2,{AS_OF_TEXT}\n"


def is_directory(path: Path) -> None:
    path.mkdir()


def dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def no_file(_path: Path) -> None:
    """Leave the place empty."""


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (no_file, "cannot be read: No such file or directory"),
    "directory": (is_directory, "is a directory; expected a file"),
    "pipe": (os.mkfifo, "is not a regular file; expected a file"),
    "dangling link": (dangling_link, "cannot be read: No such file or directory"),
    "link to itself": (link_to_itself, "cannot be read: Too many levels of symbolic links"),
    "device": (device, "is not a regular file"),
}


@pytest.mark.parametrize(("make", "expected"), FILES.values(), ids=FILES)
def test_what_is_no_readable_file_is_refused(
    tmp_path: Path, make: Callable[[Path], object], expected: str
) -> None:
    """Nothing hangs, nothing is read without end, and the message names the file."""
    path = tmp_path / "bad.recon.json"
    make(path)
    message = refusal(path)
    assert f"bad.recon.json: {expected}" in message


def test_a_file_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's reason is passed on; root may read everything, hence the stand-in."""

    def deny(path: str, flags: int) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path, flags)

    path = write_session(tmp_path, document())
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", deny)
        assert "bad.recon.json: cannot be read: Permission denied" in refusal(path)


def test_a_device_that_is_no_file_is_refused() -> None:
    """`/dev/zero` given directly would never end."""
    assert "zero: is not a regular file" in refusal(Path("/dev/zero"))


def test_a_file_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    """The limit is looked at before a byte is read; a file of exactly that size is read."""
    path = write_session(tmp_path, document())
    size = path.stat().st_size
    with limits_in_force({"json_bytes": size - 1}):
        assert f"has {size} bytes; expected at most {size - 1}" in refusal(path)
    with limits_in_force({"json_bytes": size}):
        assert set(verdicts(reconcile_session(path)).values()) == {"match"}


def test_a_directory_without_a_recording_is_refused(tmp_path: Path) -> None:
    """A directory given by name that holds no session cannot be judged."""
    assert "is a directory without a recording" in refusal(tmp_path)


def with_fills(directory: Path, table: Any) -> Path:
    internal = {"as_of": AS_OF_TEXT, "fills": table}
    return write_session(directory, document(internal=internal))


PATHS = {
    "up": ("../x.csv", "leads out of the session's directory"),
    "up and in again": ("sub/../../x.csv", "leads out of the session's directory"),
    "absolute": ("/etc/passwd", "path '/etc/passwd' leads out of the session's directory"),
    "missing": ("fills.csv", "fills.csv: cannot be read: No such file"),
    "the directory itself": (".", "is a directory; expected a file"),
    "empty": ("", "internal.fills.path: ''; expected text that is not empty"),
    "a NUL": ("a\0b.csv", "cannot be resolved"),
    "an escape": ("\x1b[2J\n::error::x.csv", "cannot be read"),
    "too long": ("x" * 5000 + ".csv", "… (5004 characters)"),
    "no table": (
        "bad.recon.json",
        "is not a table that can be read; expected one of .csv, .jsonl, .parquet",
    ),
}


@pytest.mark.parametrize(("path", "expected"), PATHS.values(), ids=PATHS)
def test_a_table_stays_inside_the_directory(tmp_path: Path, path: str, expected: str) -> None:
    """A path in a session file names a file beside it and nothing else."""
    (tmp_path / "x.csv").write_text(HEADER + ROW)
    inner = tmp_path / "inner"
    (inner / "sub").mkdir(parents=True)
    message = refusal(with_fills(inner, {"path": path}))
    assert "bad.recon.json: internal" in message
    assert expected in message


@pytest.mark.parametrize("link", ["file", "directory", "chain"])
def test_no_link_leads_out(tmp_path: Path, link: str) -> None:
    """A symbolic link inside the directory is followed before it is judged."""
    (tmp_path / "secret.csv").write_text(f"{HEADER}{SECRET},BTC/EUR,BUY,1,2,{AS_OF_TEXT}\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "out").symlink_to("..")
    (inner / "direct.csv").symlink_to(tmp_path / "secret.csv")
    (inner / "second.csv").symlink_to("direct.csv")
    path = {"file": "direct.csv", "directory": "out/secret.csv", "chain": "second.csv"}[link]
    assert "leads out of the session's directory" in refusal(with_fills(inner, {"path": path}))


def test_a_link_that_stays_inside_is_followed(tmp_path: Path) -> None:
    """Only leaving the directory is refused."""
    (tmp_path / "real.csv").write_text(HEADER + ROW)
    (tmp_path / "fills.csv").symlink_to("real.csv")
    session = reconcile_session(with_fills(tmp_path, {"path": "fills.csv"})).recorded
    assert session.internal is not None
    assert len(session.internal.fills or ()) == 1


CSV = {
    "empty": (b"", "fills.csv: is empty; expected a header line"),
    "ragged": (f"{HEADER}{ROW}f2,BTC/EUR\n".encode(), "fills.csv: row 3 has 2 cells; expected 6"),
    "too wide": (f"{HEADER}{ROW[:-1]},{SECRET}\n".encode(), "row 2 has 7 cells; expected 6"),
    "a column twice": (b"fill_id,fill_id\n1,2\n", "duplicate column in the header"),
    "an unknown column": (
        f"{HEADER[:-1]},token\n{ROW[:-1]},{SECRET}\n".encode(),
        "fills.csv: column 'token' is no field",
    ),
    "a missing column": (b"fill_id\nf1\n", "fills.csv: [0].symbol: is missing"),
    "a float": (
        f"{HEADER}{ROW}".replace(",1,2,", ",1e0,2,").encode(),
        "fills.csv: [0].quantity: '1e0' is not an amount",
    ),
    "an open quote": (f'{HEADER}"f1\n'.encode(), "fills.csv: is not CSV"),
    "a last line without end": (f"{HEADER}{ROW[:-1]}".encode(), "fills.csv: ends in the middle"),
    "a mark": (b"\xef\xbb\xbf" + HEADER.encode(), "starts with a UTF-8 byte order mark"),
    "latin-1": (HEADER.encode() + "é".encode("latin-1"), "is not UTF-8"),
    "a cell without end": (
        f"{HEADER}{'x' * 200_000}\n".encode(),
        "a cell in line 2 has at least 131073",
    ),
    "escapes": (
        f"{HEADER}f1,B,\x1b[2J,1,2,{AS_OF_TEXT}\n".encode(),
        "fills.csv: [0].side: ",
    ),
}
LINES = {
    "a cut line": ('{"fill_id": "f1"', "fills.jsonl line 1: is not JSON"),
    "a list": ("\n[1]", "fills.jsonl: [0]: a list; expected an object"),
    "a key twice": ('\n{"a": "1", "a": "2"}', "fills.jsonl line 2: duplicate key 'a'"),
    "NaN": ('{"quantity": NaN}', "fills.jsonl line 1: NaN is not an amount"),
    "deep": ("[" * 70 + "]" * 70, "fills.jsonl line 1: is nested deeper than 64 levels"),
    "an unknown key": (f'{{"token": "{SECRET}"}}', "fills.jsonl: [0]"),
}


@pytest.mark.parametrize(("content", "expected"), CSV.values(), ids=CSV)
def test_a_damaged_csv_table_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    """The message names the session file, the section, the table and the row."""
    (tmp_path / "fills.csv").write_bytes(content)
    message = refusal(with_fills(tmp_path, {"path": "fills.csv"}))
    assert "bad.recon.json: internal.fills: " in message
    assert expected in message


@pytest.mark.parametrize(("content", "expected"), LINES.values(), ids=LINES)
def test_damaged_json_lines_are_refused(tmp_path: Path, content: str, expected: str) -> None:
    """Every line is read as strictly as the session file itself."""
    (tmp_path / "fills.jsonl").write_text(content + "\n")
    message = refusal(with_fills(tmp_path, {"path": "fills.jsonl"}))
    assert "bad.recon.json: internal.fills: " in message
    assert expected in message


FROM = {
    "another format": ({"format": "freqtrade", "path": "run"}, "is no recording of format 'fre"),
    "no recording": ({"format": "nautilus", "path": "empty"}, "is no recording of format 'naut"),
    "nothing there": ({"format": "nautilus", "path": "nowhere"}, "is no recording of format"),
    "outside": ({"format": "nautilus", "path": "../run"}, "leads out of the session's directory"),
    "another side": ({"format": "nautilus", "path": "run", "side": "both"}, "external.from.side"),
    "no path": ({"format": "nautilus"}, "external.from.path: is missing"),
    "the session itself": ({"format": "recon.session/1", "path": "."}, "is no recording of"),
}


@pytest.mark.parametrize(("source", "expected"), FROM.values(), ids=FROM)
def test_a_side_comes_from_a_recording_inside(
    tmp_path: Path, source: dict[str, str], expected: str
) -> None:
    """`from` is as strict about its path as a table is, and knows what it was promised."""
    shutil.copytree(RECORDING, tmp_path / "run")
    (tmp_path / "empty").mkdir()
    path = write_session(tmp_path, document(external={"from": source}))
    message = refusal(path)
    assert "bad.recon.json: external" in message
    assert expected in message
