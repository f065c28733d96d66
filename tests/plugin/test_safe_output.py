"""Attacker text in names, files and values: refused or shown safely, and nothing leaks.

Every hostile file lies beside a good session, which must still run and pass. The
texts carry what repaints a terminal, reverses its reading direction, commands a
CI runner, breaks XML or breaks an encoder.
"""

import json
import os
import re
import socket
import subprocess
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

# In-process runs forget what they import first; these cost most of a run.
import pytest_recon.report_files  # noqa: F401
import recon_core.sessions.formats.nautilus
import recon_core.sessions.native  # noqa: F401
from tests.matrices import sample
from tests.warm import warm_python

from .conftest import (
    AS_OF,
    PLAIN,
    also_on_workers,
    final_line,
    run_pytest,
    session_document,
    write_blocked,
    write_clear,
)

CANARY = "canary-of-the-environment"
SECRET = "hunter2-do-not-print"  # noqa: S105  # no password
GOOD = "good.recon.json"
GOOD_COMPARISONS = 7
COMMAND = re.compile(r"^\s*::|##\[|##vso\[", re.MULTILINE)
HOSTILE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

# What a symbol, an id or a free text may say.
TEXTS = {
    "newline and GitHub command": "BTC\n::error file=x::y",
    "GitHub command": "::error::x",
    "GitHub command after blanks": " \t::set-output name=a::b",
    "GitHub command after a word": "BTC ::error::x",
    "GitHub command in a long word": "x" * 30 + "::error::y" * 3,
    "GitHub command after a no-break space": "\u00a0::error::x",
    "GitHub command after a line separator": "BTC\u2028::error::x",
    "GitHub command after next line": "BTC\x85::error::x",
    "old GitHub command": "##[error]x",
    "Azure command": "##vso[task.complete result=Succeeded;]",
    "carriage return": "FAIL\rPASS ##[error]x",
    "ANSI colour and title": "\x1b[31mred\x1b]0;title\x07",
    "8-bit control sequence": "BTC\x9b31m",
    "bidi override": "\u202egnp.BTC",
    "bidi isolate": "BTC\u2066EUR\u2069",
    "zero width": "B\u200bT\u200dC",
    "byte order mark": "\ufeffBTC",
    "null": "BTC\x00EUR",
    "illegal in XML": "\x01\x08\x0b\x0c\x1f\x7f\ufffe\uffff",
    "XML": "<testcase name='x'>&amp;\"</testcase>",
    "end of CDATA": "a]]>b<![CDATA[",
    "XML entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
    "brackets": "BTC[0-1]",
    "at sign": "BTC@group",
    "percent": "100%%41%0a",
    "comma parts": "BTC,leg=LONG,account=x",
    "colons": "a::b:::c:",
    "blanks": "  BTC  EUR  ",
    "only a blank": " ",
    "letters of the world": "Grüße/金\U0001f600",
    "private use and tags": "BTC\ue000\U000e0041",
    "unassigned": "BTC\u0378",
    "very long": "BTC" * 2000,
    "very long and hostile": "\n::error::" * 700,
    "leading dash": "--recon-fail-on=warn",
    "format string": "{0.__class__} %s %(x)s ${HOME} {message}",
    "shell": "$(touch x) `id` ; rm -rf . '\"",
    "path": "../../etc/passwd",
    "backslashes": "\\x1b\\n\\u202e",
}

# What a file may be called; the stem before `.recon.json`.
NAMES: dict[str, str | bytes] = {
    "newline": "desk\nx",
    "newline and GitHub command": "desk\n::error::x",
    "carriage return": "desk\r##[error]x",
    "ANSI": "\x1b[31mdesk\x1b[0m\x07",
    "8-bit control sequence": "desk\x9b31m",
    "GitHub command": "::error::x",
    "GitHub command after a blank": " ::error::x",
    "old GitHub command": "##[error]x",
    "Azure command": "##vso[task.complete]x",
    "bidi override": "desk\u202excod",
    "line separator": "desk\u2028x",
    "zero width": "de\u200bsk",
    "brackets": "desk[0-1]",
    "only brackets": "[x]",
    "at sign": "@desk@group",
    "percent": "desk%41%%",
    "blanks": " desk x ",
    "letters of the world": "Gruß-金",
    "very long": "d" * 240,
    "very long and not ASCII": "金" * 80,
    "undecodable": b"desk-\xff\xfe",
    "half an encoded surrogate": b"desk-\xed\xa0\x80",
    "leading dash": "-k",
    "an option": "--help",
    "glob": "*?",
    "colons": "a::b:",
    "dots": "...",
    "hidden": ".desk",
    "XML": "<x a='&\"'>]]>",
    "format string": "{0} %s $HOME ~",
    "backslash": "a\\n\\x1b",
}
NAMED = [pytest.param(stem, id=name) for name, stem in NAMES.items()]
IN_A_DIRECTORY = sample(NAMED, every=2)
ON_THE_COMMAND_LINE = [*NAMED[:1], *sample(NAMED[1:], every=2)]
"""Each name by one of two ways by default, and by both in `make soak`."""


def hostile_document(text: str) -> dict[str, Any]:
    """A session that says `text` wherever free text is allowed, and fails in it."""

    def side(quantity: str, total: str) -> dict[str, Any]:
        fill = {
            "fill_id": text,
            "client_order_id": text,
            "symbol": text,
            "side": "BUY",
            "quantity": "1",
            "price": "1",
            "fee": "0.1",
            "fee_currency": text,
            "time": AS_OF,
            "account": text,
        }
        order = {
            "exchange_order_id": text,
            "symbol": text,
            "side": "SELL",
            "type": text,
            "quantity": "1",
            "filled_quantity": "1",
            "state": "FILLED",
            "time": AS_OF,
        }
        return {
            "as_of": AS_OF,
            "source": text,
            "positions": [
                {"symbol": text, "quantity": quantity, "account": text, "leg": "LONG"},
                {"symbol": text, "quantity": "0.995" if quantity == "1" else "1"},
            ],
            "cash": [{"currency": text, "total": total, "account": text}],
            "fills": [fill, fill],
            "orders": [order],
            "movements": [
                {
                    "movement_id": text,
                    "kind": "deposit",
                    "time": AS_OF,
                    "currency": text,
                    "amount": "1",
                }
            ],
        }

    return {
        "schema": "recon.session/1",
        "session_id": text,
        "strategy_id": text,
        "instruments": {text: {"kind": "spot", "base": text, "quote": text}},
        "currencies": {text: {"precision": 2}},
        "internal": side("1", "10"),
        "external": side("0.5", "0"),
    }


def altered(change: Callable[[dict[str, Any]], Any]) -> bytes:
    """A clear session after `change`."""
    document = session_document("desk")
    change(document)
    return json.dumps(document, indent=2).encode()


def with_key(key: str, value: Any, *path: str) -> bytes:
    """A clear session with one key more, in the object at `path`."""

    def change(document: dict[str, Any]) -> None:
        for part in path:
            document = document[part]
        document[key] = value

    return altered(change)


CLEAR_BYTES = json.dumps(session_document("desk"), indent=2).encode()
KITCHEN = "\n::error::x\x1b[31m##[error]\u202e]]>\x00"
FILL = {
    "fill_id": "1",
    "symbol": "BTC/EUR",
    "side": "BUY",
    "quantity": "1",
    "price": "1",
    "time": AS_OF,
}

# What a file may hold, and words of the line that refuses it.
CONTENTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is not JSON"),
    "truncated": (CLEAR_BYTES[:-40], "is not JSON"),
    "truncated in a text": (CLEAR_BYTES[:90] + SECRET.encode(), "is not JSON"),
    "no JSON": (f"password={SECRET}\n::error::x".encode(), "is not JSON"),
    "two documents": (CLEAR_BYTES * 2, "is not JSON"),
    "a list": (b"[]", "is not a session"),
    "null": (b"null", "is not a session"),
    "a text": (json.dumps(SECRET).encode(), "is not a session"),
    "duplicate key": (CLEAR_BYTES.replace(b'"mode"', b'"session_id"'), "duplicate key"),
    "duplicate hostile key": (
        b'{"schema": 1, "\\n::error::\\u001b": 1, "\\n::error::\\u001b": 2}',
        "duplicate key",
    ),
    "NaN": (CLEAR_BYTES.replace(b'"5000.00"', b"NaN"), "NaN is not an amount"),
    "Infinity": (CLEAR_BYTES.replace(b'"5000.00"', b"-Infinity"), "-Infinity is not an amount"),
    "exponent": (CLEAR_BYTES.replace(b'"5000.00"', b"5e3"), "5e3"),
    "endless number": (CLEAR_BYTES.replace(b'"5000.00"', b"9" * 6000), "9999"),
    "byte order mark": (b"\xef\xbb\xbf" + CLEAR_BYTES, "byte order mark"),
    "UTF-16": (CLEAR_BYTES.decode().encode("utf-16"), "byte order mark"),
    "UTF-16 without a mark": (CLEAR_BYTES.decode().encode("utf-16-le"), "is NUL; expected UTF-8"),
    "Latin-1": (CLEAR_BYTES.replace(b"desk", b"d\xe9sk"), "is not UTF-8"),
    "encoded surrogate": (CLEAR_BYTES.replace(b"desk", b"d\xed\xa0\x80sk"), "is not UTF-8"),
    "raw null": (CLEAR_BYTES.replace(b"desk", b"de\x00sk"), "is NUL; expected UTF-8"),
    "raw escape": (CLEAR_BYTES.replace(b"desk", b"de\x1b[31msk"), "is not JSON"),
    "nested 65 deep": (with_key("x", json.loads("[" * 65 + "]" * 65)), "nested deeper"),
    "nested 100000 deep": (b"[" * 100_000, "nested deeper"),
    "objects nested 100000 deep": (b'{"a":' * 100_000, "nested deeper"),
    "surrogate in a value": (CLEAR_BYTES.replace(b"desk", b"\\ud800"), "lone surrogate"),
    "surrogate in a symbol": (CLEAR_BYTES.replace(b"BTC", b"\\udfff"), "lone surrogate"),
    "surrogate in a key": (with_key("\ud800", 1), "lone surrogate"),
    "surrogate in the value of an unknown key": (
        with_key("api_secret", f"{SECRET}\ud800"),
        "lone surrogate",
    ),
    "unknown key": (with_key("api_secret", SECRET), "api_secret: unknown key"),
    "unknown key with an object": (with_key("keys", {"api": [SECRET]}), "keys: unknown key"),
    "unknown key in a side": (with_key("token", SECRET, "internal"), "internal.token: unknown"),
    "unknown key in a position": (
        with_key("positions", [{"symbol": "X", "quantity": "1", "key": SECRET}], "internal"),
        "internal.positions[0].key: unknown key",
    ),
    "unknown key in a fill": (
        with_key("fills", [{**FILL, "secret": SECRET}], "external"),
        "external.fills[0].secret: unknown key",
    ),
    "unknown key of a mirror": (
        with_key("external", {"mirror": "internal", "secret": SECRET}),
        "external.secret: unknown key",
    ),
    "hostile unknown key": (with_key(KITCHEN, SECRET), "unknown key"),
    "an object with a secret for a text": (with_key("session_id", {"s": SECRET}), "session_id"),
    "a list with a secret for an amount": (
        with_key("cash", {"EUR": [SECRET]}, "internal"),
        "internal.cash.EUR",
    ),
    "no schema": (altered(lambda document: document.pop("schema")), "schema: is missing"),
    "another schema": (with_key("schema", KITCHEN), "expected 'recon.session/1'"),
    "hostile mode": (with_key("mode", KITCHEN), "mode: "),
    "hostile amount": (with_key("cash", {"EUR": KITCHEN}, "internal"), "internal.cash.EUR"),
    "hostile time": (with_key("as_of", KITCHEN, "internal"), "internal.as_of"),
    "hostile mirror": (with_key("external", {"mirror": KITCHEN}), "external.mirror"),
    "amount like a template": (with_key("cash", {"EUR": "{ctx} {0}"}, "internal"), "{ctx} {0}"),
    "naive time": (with_key("as_of", "2026-01-01T12:00:00", "internal"), "internal.as_of"),
    "empty id": (with_key("session_id", ""), "session_id"),
    "hostile position twice": (
        with_key("positions", [{"symbol": KITCHEN, "quantity": "1"}] * 2, "internal"),
        ": duplicate ",
    ),
    "table outside": (with_key("fills", {"path": "../secret.csv"}, "internal"), "leads out"),
    "table at an absolute path": (
        with_key("fills", {"path": "/etc/passwd"}, "internal"),
        "leads out",
    ),
    "table behind a link": (with_key("fills", {"path": "link.csv"}, "internal"), "leads out"),
    "table that is missing": (with_key("fills", {"path": "no.csv"}, "internal"), "cannot be read"),
    "table with a null in its name": (with_key("fills", {"path": "a\0b"}, "internal"), "path"),
    "hostile table name": (with_key("fills", {"path": f"{KITCHEN}.csv"}, "internal"), "path"),
    "table that is a pipe": (with_key("fills", {"path": "pipe.csv"}, "internal"), "regular file"),
    "table with a secret column": (
        with_key("fills", {"path": "secret.csv"}, "internal"),
        "column 'api_secret' is no field",
    ),
    "ragged table": (with_key("fills", {"path": "ragged.csv"}, "internal"), "row 2 has 1 cells"),
    "broken lines": (with_key("fills", {"path": "broken.jsonl"}, "internal"), "is not JSON"),
    "table of an unknown format": (
        with_key("fills", {"path": "notes.txt"}, "internal"),
        "expected one of .csv, .jsonl, .parquet",
    ),
    "no recording": (
        with_key("internal", {"from": {"format": KITCHEN, "path": "."}}),
        "is no recording of format",
    ),
    "recording outside": (
        with_key("internal", {"from": {"format": "nautilus", "path": ".."}}),
        "leads out",
    ),
}


def _make_socket(path: Path) -> None:
    directory = Path.cwd()
    os.chdir(path.parent)  # the address of a socket has a short limit
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(directory)


# What may stand in the place of a file, made at the path that is given.
PLACES: dict[str, tuple[Callable[[Path], object], str | None]] = {
    "pipe": (os.mkfifo, "is not a regular file"),
    "directory": (Path.mkdir, None),
    "link to nothing": (lambda path: path.symlink_to("nothing"), "cannot be read"),
    "link to itself": (lambda path: path.symlink_to(path.name), "cannot be read"),
    "link to an endless device": (
        lambda path: path.symlink_to("/dev/zero"),
        "is not a regular file",
    ),
    "link to a directory": (lambda path: path.symlink_to("../elsewhere"), None),
    "socket": (_make_socket, "cannot be read"),
}


@dataclass(frozen=True)
class Output:
    """What a run left: status, both streams as they were written, both reports."""

    status: int
    streams: str
    lines: list[str]
    last: str
    reports: dict[str, str]

    @property
    def everything(self) -> str:
        return "\n".join([self.streams, *self.reports.values()])

    def cases(self, report: str) -> list[tuple[str, str]]:
        """Class name and name of every case in a report, sorted."""
        root = ET.fromstring(self.reports[report])  # noqa: S314  # from this run
        return sorted(
            (case.attrib["classname"], case.attrib["name"]) for case in root.iter("testcase")
        )

    def outcomes(self) -> dict[str, str]:
        """The outcome of every item, from the lines that `-v` prints."""
        found = (re.fullmatch(r"(\S+::\S+) ([A-Z]+)\s.*", line) for line in self.lines)
        return {match[1]: match[2] for match in found if match}


Runner = Callable[..., Output]


@pytest.fixture
def run(
    pytester: pytest.Pytester,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Runner:
    """Run pytest with both reports and a canary in the environment."""
    monkeypatch.setenv("RECON_CANARY", CANARY)
    write_clear(pytester.path / "sessions" / GOOD)
    (pytester.path / "elsewhere").mkdir(exist_ok=True)

    def run_once(*arguments: str, reports: bool = True) -> Output:
        named = ("--junitxml=items.xml", "--recon-junit=sessions.xml") if reports else ()
        capsys.readouterr()
        result = run_pytest(pytester, *named, *arguments)
        captured = capsys.readouterr()
        return _output(
            int(result.ret), captured.out + captured.err, final_line(result), pytester.path
        )

    return run_once


def run_in_subprocess(directory: Path, *arguments: str, **environment: str) -> Output:
    """Run pytest in a process of its own, so that bytes can be looked at, and a hang ends."""
    options = [*PLAIN, "-p", "no:cacheprovider"]
    named = ["--junitxml=items.xml", "--recon-junit=sessions.xml"]
    done = subprocess.run(
        [warm_python(), "-m", "pytest", *options, *named, *arguments],
        cwd=directory,
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, "RECON_CANARY": CANARY, **environment},
    )
    streams = (done.stdout + done.stderr).decode("utf-8")
    last = [line for line in streams.split("\n") if line.startswith("RECON:")]
    return _output(done.returncode, streams, last[-1] if last else "", directory)


def _output(status: int, streams: str, last: str, directory: Path) -> Output:
    reports = {
        name: (directory / name).read_bytes().decode("utf-8")
        for name in ("items.xml", "sessions.xml")
        if (directory / name).exists()
    }
    return Output(status, streams, streams.split("\n"), last, reports)


def assert_safe(output: Output) -> None:
    """Nothing that repaints, commands, crashes or leaks, wherever it was written."""
    assert "INTERNALERROR" not in output.streams
    assert "Traceback" not in output.streams
    for name, text in {"terminal": output.streams, **output.reports}.items():
        hostile = {
            character
            for character in set(text) - {"\n"}
            if unicodedata.category(character) in HOSTILE_CATEGORIES
        }
        assert not hostile, f"{name}: {hostile}"
    command = COMMAND.search(output.streams)
    assert command is None, f"a CI command: {command}"
    assert CANARY not in output.everything
    assert SECRET not in output.everything


def assert_complete(output: Output, items: int) -> None:
    """Both reports are well-formed and hold every item."""
    assert len(output.outcomes()) == items
    assert len(output.cases("items.xml")) == items
    assert len(output.cases("sessions.xml")) == items


def assert_good_session_passed(output: Output) -> None:
    passed = [
        node_id
        for node_id, outcome in output.outcomes().items()
        if node_id.startswith(f"sessions/{GOOD}::") and outcome == "PASSED"
    ]
    assert len(passed) == GOOD_COMPARISONS


def assert_no_source_line(output: Output, content: bytes) -> None:
    """No line of a session file is printed, as a traceback or a warning would."""
    lines = (line.strip() for line in content.decode("utf-8", "replace").splitlines())
    printed = [line for line in lines if len(line) > 12 and line in output.everything]
    assert not printed


def file_name(stem: str | bytes) -> str:
    return os.fsdecode(os.fsencode(stem) + b".recon.json")


def write_hostile_text(path: Path, text: str) -> bytes:
    content = json.dumps(hostile_document(text), indent=2).encode()
    path.write_bytes(content)
    return content


def write_tables(directory: Path) -> None:
    """What the table references of `CONTENTS` point to."""
    (directory.parent / "secret.csv").write_text(f"fill_id\n{SECRET}\n", encoding="utf-8")
    (directory / "link.csv").symlink_to("../secret.csv")
    os.mkfifo(directory / "pipe.csv")
    columns, cells = ",".join(FILL), ",".join(FILL.values())
    (directory / "secret.csv").write_text(
        f"{columns},api_secret\n{cells},{SECRET}\n", encoding="utf-8"
    )
    (directory / "ragged.csv").write_text(f"{columns}\n{SECRET}\n", encoding="utf-8")
    (directory / "broken.jsonl").write_text(f"{{{SECRET}\n", encoding="utf-8")
    (directory / "notes.txt").write_text(SECRET, encoding="utf-8")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_hostile_text_in_every_field(pytester: pytest.Pytester, run: Runner, text: str) -> None:
    """A FAIL in a hostile symbol is told in full, and safely."""
    content = write_hostile_text(pytester.path / "sessions" / "desk.recon.json", text)
    output = run("--recon-session=sessions", "-v", "-rA")
    assert_safe(output)
    assert_no_source_line(output, content)
    assert_good_session_passed(output)
    assert_complete(output, GOOD_COMPARISONS + 9)
    assert output.last == "RECON: BLOCKED (4 FAIL, 1 WARN in 2 sessions)"
    assert output.status == 1


FIELDS = ("session_id", "strategy_id", "source", "symbol", "currency", "account", "fill_id", "base")


@pytest.mark.parametrize("field", FIELDS)
def test_hostile_text_in_one_field(pytester: pytest.Pytester, run: Runner, field: str) -> None:
    """One hostile field among plain ones: its neighbours do not make it safe."""
    document = session_document(
        positions=[{"symbol": "BTC/EUR", "quantity": "1", "account": "a"}],
        cash=[{"currency": "EUR", "total": "10", "account": "b"}],
        external_positions=[{"symbol": "BTC/EUR", "quantity": "2", "account": "a"}],
        external_cash=[{"currency": "EUR", "total": "20", "account": "b"}],
        instruments={"BTC/EUR": {"kind": "spot", "base": "BTC", "quote": "EUR"}},
    )
    document["internal"]["fills"] = [dict(FILL), dict(FILL)]
    text = json.dumps(document)
    plain = {
        "session_id": '"session"',
        "strategy_id": '"ma_crossover"',
        "source": '"ledger"',
        "symbol": '"BTC/EUR"',
        "currency": '"EUR"',
        "account": '"a"',
        "fill_id": '"1"',
        "base": '"BTC"',
    }[field]
    if field == "fill_id":
        text = text.replace('"fill_id": "1"', f'"fill_id": {json.dumps(KITCHEN)}')
    else:
        text = text.replace(plain, json.dumps(KITCHEN))
    (pytester.path / "sessions" / "desk.recon.json").write_text(text, encoding="utf-8")
    output = run("--recon-session=sessions", "-v", "-rA")
    assert_safe(output)
    assert_good_session_passed(output)
    assert_complete(output, GOOD_COMPARISONS + 6)
    assert output.last == "RECON: BLOCKED (2 FAIL in 2 sessions)"


@pytest.mark.parametrize("stem", IN_A_DIRECTORY)
def test_hostile_file_name_in_a_directory(
    pytester: pytest.Pytester, run: Runner, stem: str | bytes
) -> None:
    """A file found in a named directory; its name stands in node ids and messages."""
    write_blocked_as(pytester.path / "sessions" / file_name(stem))
    output = run("--recon-session=sessions", "-v", "-rA")
    assert_safe(output)
    assert_good_session_passed(output)
    assert_complete(output, GOOD_COMPARISONS + 8)
    assert output.last == "RECON: BLOCKED (2 FAIL, 1 WARN in 2 sessions)"
    assert output.status == 1


@pytest.mark.parametrize("stem", ON_THE_COMMAND_LINE)
def test_hostile_file_name_on_the_command_line(
    pytester: pytest.Pytester, run: Runner, stem: str | bytes
) -> None:
    """The same files named one by one, and damaged: the message names the file."""
    (pytester.path / file_name(stem)).write_bytes(CLEAR_BYTES[:-9])
    session = f"--recon-session={file_name(stem)}"
    output = run(session, f"--recon-session=sessions/{GOOD}", "-v", "-rA")
    assert_safe(output)
    assert_good_session_passed(output)
    assert_complete(output, GOOD_COMPARISONS + 1)
    assert output.last == "RECON: BLOCKED (1 CRITICAL in 2 sessions)"
    assert output.status == 1


def write_blocked_as(path: Path) -> None:
    """`write_blocked` under a name that JSON cannot hold as a session id."""
    made = write_blocked(path.with_name("blocked.recon.json"))
    made.rename(path)


@pytest.mark.parametrize(("content", "reason"), CONTENTS.values(), ids=CONTENTS)
def test_broken_file(pytester: pytest.Pytester, run: Runner, content: bytes, reason: str) -> None:
    """One CRITICAL item says in a line why; the session beside it runs."""
    sessions = pytester.path / "sessions"
    write_tables(sessions)
    (sessions / "desk.recon.json").write_bytes(content)
    output = run("--recon-session=sessions", "-v", "-rA")
    assert_safe(output)
    assert_no_source_line(output, content)
    assert_good_session_passed(output)
    assert_complete(output, GOOD_COMPARISONS + 1)
    assert output.outcomes()["sessions/desk.recon.json::session::readable"] == "FAILED"
    assert reason in _told(output)
    assert output.last == "RECON: BLOCKED (1 CRITICAL in 2 sessions)"
    assert output.status == 1


def _told(output: Output) -> str:
    """The one row of the failure, with the lines that it continues on."""
    start = "CRITICAL  session readable: "
    (first,) = [n for n, line in enumerate(output.lines) if line.startswith(start)]
    continued = takewhile(lambda line: line.startswith("    "), output.lines[first + 1 :])
    told = " ".join([output.lines[first], *(line.strip() for line in continued)])
    assert len(told) < 500
    return told


@pytest.mark.parametrize("place", PLACES)
def test_no_file_at_all(pytester: pytest.Pytester, run: Runner, place: str) -> None:
    """What is no file is refused at once; a directory is searched and not read."""
    make, reason = PLACES[place]
    make(pytester.path / "sessions" / "desk.recon.json")
    if place in ("pipe", "link to an endless device"):  # what would wait for ever
        output = run_in_subprocess(pytester.path, "--recon-session=sessions", "-v", "-rA")
    else:
        output = run("--recon-session=sessions", "-v", "-rA")
    assert_safe(output)
    assert_good_session_passed(output)
    assert_complete(output, GOOD_COMPARISONS + (reason is not None))
    if reason is None:
        assert output.last == "RECON: CLEAR (1 session, 7 comparisons)"
    else:
        assert reason in _told(output)
        assert output.last == "RECON: BLOCKED (1 CRITICAL in 2 sessions)"
    assert output.status == (reason is not None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission_to_read(pytester: pytest.Pytester, run: Runner) -> None:
    """A file and a directory that this user may not read."""
    path = write_clear(pytester.path / "sessions" / "desk.recon.json")
    path.chmod(0)
    output = run("--recon-session=sessions", "-v", "-rA")
    assert_safe(output)
    assert_good_session_passed(output)
    assert "cannot be read" in _told(output)
    assert output.status == 1


def write_everything(directory: Path, share: int, shares: int) -> int:
    """One share of all hostile files of the tables above; returns how many items.

    The session ids and the names of the files come from the same tables.
    """
    sessions = directory / "sessions"
    write_clear(sessions / GOOD)
    (directory / "elsewhere").mkdir(exist_ok=True)
    write_tables(sessions)
    files: list[tuple[int, Callable[[Path], object], str]] = [
        *((9, partial(write_hostile_text, text=text), "text") for text in TEXTS.values()),
        *((8, write_blocked_as, file_name(stem)) for stem in NAMES.values()),
        *((1, partial(Path.write_bytes, data=data), "content") for data, _ in CONTENTS.values()),
        *((int(reason is not None), make, "place") for make, reason in PLACES.values()),
    ]
    written = [file for number, file in enumerate(files) if number % shares == share]
    for number, (_, write, name) in enumerate(written):
        named = name if name.endswith(".recon.json") else f"{name}-{number}.recon.json"
        write(sessions / named)
    return GOOD_COMPARISONS + sum(items for items, _, _ in written)


SHARES = 1 if os.environ.get("RECON_TEST_SIZE") == "soak" else 3
"""Each way to print has one share of the hostile files, in turn: each file meets a third."""


def test_everything_at_once_with_two_workers(pytester: pytest.Pytester) -> None:
    """The same items with the same outcomes and reports, in one process and in two."""
    everything_at_once = write_everything(pytester.path, 0, SHARES)
    alone = run_in_subprocess(pytester.path, "--recon-session=sessions", "-v", "-rA")
    spread = run_in_subprocess(pytester.path, "--recon-session=sessions", "-v", "-rA", "-n2")
    for output in (alone, spread):
        assert_safe(output)
        assert output.status == 1
        assert len(output.cases("items.xml")) == everything_at_once
        assert len(output.cases("sessions.xml")) == everything_at_once
    assert len(alone.outcomes()) == everything_at_once
    assert_good_session_passed(alone)
    assert alone.last == spread.last
    assert alone.cases("items.xml") == spread.cases("items.xml")
    assert alone.cases("sessions.xml") == spread.cases("sessions.xml")


MODES = [
    ("-q",),
    ("-qq", "-rA"),
    ("-vv", "-ra", "--durations=5", "--durations-min=0"),
    ("--tb=line",),
    ("--tb=short", "-l"),
    ("--tb=no", "-rfE"),
    ("--tb=native",),
    ("--co",),
    ("--co", "-q"),
    ("--setup-plan",),
    ("--no-header", "--no-summary"),
    ("--runxfail", "-rx"),
    ("-W", "error::pytest_recon.ReconDriftWarning"),
    ("--capture=no", "--showlocals"),
    ("--recon-top-n=1000",),
    ("-o", "console_output_style=classic"),
]


@pytest.mark.parametrize(("number", "mode"), sample([*enumerate(MODES)], every=4), ids=str)
def test_everything_at_once_in_every_mode(
    pytester: pytest.Pytester, run: Runner, number: int, mode: tuple[str, ...]
) -> None:
    """Whatever is printed, it is safe, and the run is red."""
    write_everything(pytester.path, number % SHARES, SHARES)
    output = run("--recon-session=sessions", *mode)
    assert_safe(output)
    assert output.last.startswith("RECON: ")
    assert output.status == 1


@pytest.mark.parametrize(
    ("number", "columns"), sample([*enumerate([16, 33, 61, 120])], every=2), ids=str
)
def test_everything_at_once_on_a_narrow_terminal(
    pytester: pytest.Pytester,
    run: Runner,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    columns: int,
) -> None:
    """With `-vv` pytest breaks long reasons, in the middle of a word too."""
    write_everything(pytester.path, number % SHARES, SHARES)
    monkeypatch.setenv("COLUMNS", str(columns))
    output = run("--recon-session=sessions", "-vv", "-rA")
    assert_safe(output)
    assert output.status == 1


def test_everything_at_once_on_a_terminal_without_unicode(pytester: pytest.Pytester) -> None:
    """A CI log that takes ASCII only gets no traceback."""
    write_everything(pytester.path, 1 % SHARES, SHARES)
    output = run_in_subprocess(
        pytester.path, "--recon-session=sessions", "-v", "-rA", PYTHONIOENCODING="ascii"
    )
    assert_safe(output)
    assert output.status == 1


def test_everything_at_once_by_plain_collection(pytester: pytest.Pytester, run: Runner) -> None:
    """`pytest DIR` without the gate: the same files, as safe."""
    write_everything(pytester.path, 2 % SHARES, SHARES)
    output = run("sessions", "-v", "-rA")
    assert_safe(output)
    assert_good_session_passed(output)
    assert output.last.startswith("RECON: BLOCKED")
    assert output.status == 1


HOOKS = """\
from decimal import Decimal

import recon_core
from recon_core import model

KITCHEN = {kitchen!r}


@recon_core.hookimpl
def {hook}
"""
HOOK_BODIES = {
    "a check": (
        "recon_checks(recorded):\n"
        "    check = recon_core.SessionCheck\n"
        "    return [check(KITCHEN, recon_core.Severity.FAIL, KITCHEN, (KITCHEN,))]"
    ),
    "a reader that fails": "recon_read_session(path):\n    raise RuntimeError(KITCHEN)",
    "a reader that refuses": (
        "recon_read_session(path):\n    raise recon_core.SessionError(KITCHEN)"
    ),
    "a side that fails": "recon_internal_side(recorded):\n    raise RuntimeError(KITCHEN)",
    "a side with half a character": (
        "recon_internal_side(recorded):\n"
        "    row = model.Position(KITCHEN + chr(0xD800), Decimal(1))\n"
        "    return model.SideRecord(recorded.internal.as_of, positions=(row,), cash=())"
    ),
    "a tolerance that fails": "recon_tolerance(comparison):\n    raise RuntimeError(KITCHEN)",
}


@pytest.mark.parametrize(("hook", "workers"), also_on_workers([*HOOK_BODIES]), ids=str)
def test_hostile_text_by_a_hook(
    pytester: pytest.Pytester, run: Runner, hook: str, workers: tuple[str, ...]
) -> None:
    """A project's hook repeats what it read; its text is as hostile as the file."""
    pytester.makeconftest(HOOKS.format(kitchen=KITCHEN, hook=HOOK_BODIES[hook]))
    write_blocked(pytester.path / "sessions" / "desk.recon.json")
    (pytester.path / "sessions" / "other.txt").write_text("x", encoding="utf-8")
    arguments = ["--recon-session=sessions", "--recon-session=sessions/other.txt", "-v", "-rA"]
    output = run(*arguments, *workers)
    assert_safe(output)
    assert len(output.cases("items.xml")) == len(output.cases("sessions.xml"))
    assert output.last.startswith("RECON: BLOCKED")
    assert output.status == 1


USAGE = {
    "session": ("--recon-session={}",),
    "session after a space": ("--recon-session", "{}"),
    "policy": (f"--recon-session=sessions/{GOOD}", "--recon-policy={}"),
    "report": (f"--recon-session=sessions/{GOOD}", "--recon-junit=no/{}\0"),
    "fail-on in the ini": (f"--recon-session=sessions/{GOOD}", "-o", "recon_fail_on={}"),
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
@pytest.mark.parametrize(
    "text", ["no\n::error::x\x1b[31m", "##[error]\u202e", "a\udcff"], ids=ascii
)
def test_hostile_argument(run: Runner, arguments: tuple[str, ...], text: str) -> None:
    """A mistake on the command line is one safe line and a usage error."""
    output = run(*(argument.format(text) for argument in arguments), reports=False)
    assert_safe(output)
    assert output.status in (1, 4)


def test_hostile_policy(pytester: pytest.Pytester, run: Runner) -> None:
    """The value of an unknown key of a policy is not printed; its name is made safe."""
    key = json.dumps("\n::error::\x1b")
    (pytester.path / "recon.toml").write_text(f'{key} = "{SECRET}"\n', encoding="utf-8")
    output = run(f"--recon-session=sessions/{GOOD}", reports=False)
    assert_safe(output)
    assert "unknown key" in output.streams
    assert output.status == 4
