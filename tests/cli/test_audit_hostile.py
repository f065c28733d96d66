"""Sources that are damaged, of another kind, or out to deceive: one line, never a verdict."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recon_core.audit import entry_source
from recon_core.audit.chain import LONGEST_LINE
from tests.matrices import matrix

from .audit_cases import (
    EXPORTS,
    NOON,
    asked,
    batch,
    diff,
    entry,
    opened,
    summary,
    write_export,
    write_log,
)

MODES = ("summary", "diffs", "detailed", "trend", "verify", "export")
ANSWERING = ("summary", "diffs", "detailed", "trend", "export")
EXPECTED = "expected a list of entries (an export), or the JSON Lines of an audit log"
GATE = "--exit-on-findings"
HOSTILE = "\x1b[2J\u202e\n::error::x\r##[group]\ud800\x00\U0001f600"
DEEP = 100_000
DIFF = '"RECON_DIFF"'
TEXTS = (
    *("session_id", "strategy_id", "diff_type", "diff_id", "description", "unit", "tolerance"),
    *("internal", "external", "delta", "drift", "order_id", "softened_by", "key"),
)


def one(details: str = "{}", event_type: str = '"OTHER"', time: str = f'"{NOON}"') -> bytes:
    """The text of an export of one entry."""
    return f'[{{"event_type":{event_type},"timestamp":{time},"details":{details}}}]'.encode()


def without(name: str, **more: Any) -> bytes:
    """A summary with a field that is missing or another one."""
    found = summary()
    found["details"] = {**found["details"], **more}
    if not more:
        del found["details"][name]
    return json.dumps([found]).encode()


UNREADABLE: list[tuple[bytes, str]] = [
    (b"", f"is empty; {EXPECTED}"),
    (b" \r\n\t", f"is empty; {EXPECTED}"),
    (b"\xef\xbb\xbf[]", "starts with a byte order mark or is binary; expected plain UTF-8"),
    (b"\xff\xfe[\x00]\x00", "starts with a byte order mark or is binary; expected plain UTF-8"),
    (b"\x7fELF\x02\x01", rf"starts with '\x7f'; {EXPECTED}"),
    (b"PK\x03\x04", f"starts with 'P'; {EXPECTED}"),
    (b"null", f"starts with 'n'; {EXPECTED}"),
    (b'"text"', f"starts with '\"'; {EXPECTED}"),
    (b"{}", f"is a JSON object without a hash; {EXPECTED}"),
    (b"{}\n", f"is a JSON object without a hash; {EXPECTED}"),
    (b'{\n "entries": []\n}\n', f"is a JSON object without a hash; {EXPECTED}"),
    (b'{"event_type":"RECON_SUMMARY"}\n', f"is a JSON object without a hash; {EXPECTED}"),
    (b'{"client_order_id":"","det', "line 1: is cut off; expected a line end"),
    (b'{"hash":1}\n', "line 1: is no entry of an audit log"),
    (b'{"hash":' + b"[" * DEEP + b"\n", "line 1: is not JSON; expected an entry of an audit log"),
    (b"[", "ends in line 1 in the middle of the list; expected entry 1, a JSON object"),
    (b"[]]", "line 1: ']'; expected nothing after the list"),
    (b"[][]", "line 1: '['; expected nothing after the list"),
    (b"[]\n[]\n", "line 2: '['; expected nothing after the list"),
    (b"[1]", "line 1: '1'; expected entry 1, a JSON object"),
    (b"\n\n[\n[]]", "line 4: '['; expected entry 1, a JSON object"),
    (b"[{},]", "entry 1: has no event_type; expected text such as RECON_SUMMARY"),
    (one()[:-1], "ends in line 1 in the middle of the list; expected , or ]"),
    (one()[:-1] + b";", "line 1: ';'; expected , or ]"),
    (one()[:-1] + b",]", "line 1: ']'; expected entry 2, a JSON object"),
    (one()[:-4], "ends in line 1 in the middle of entry 1; expected a whole export"),
    (one('{"a":tru}'), f"line 1: entry 1 is not JSON: expecting value; {EXPECTED}"),
    (one('{"a":NaN}'), "entry 1: NaN is no number; expected a plain one"),
    (one('{"a":-Infinity}'), "entry 1: -Infinity is no number; expected a plain one"),
    (one('{"a":1,"b":2,"a":1}'), "entry 1: duplicate key 'a' in one object"),
    (one('{"a":1,"b":2,"b":3}'), "entry 1: duplicate key 'b' in one object"),
    (one('{"a":' + "[" * DEEP + "]" * DEEP + "}"), "entry 1: is nested too deep"),
    (one()[:30] + b"\xff" + one()[30:], "is not UTF-8 after line 1; expected UTF-8 text"),
    (one(event_type="1"), "entry 1: has no usable event_type; expected text such as RECON_SUMMARY"),
    (one("[]"), "entry 1: has no usable details; expected an object"),
    (one(time="0"), f"entry 1: has no usable timestamp; expected a time such as {NOON}"),
    (
        one(time='"yesterday"', event_type=DIFF),
        f"entry 1: timestamp: 'yesterday' is no time; expected one like {NOON}",
    ),
    (
        one(time='"2026-02-30T12:00:00"', event_type=DIFF),
        f"entry 1: timestamp: '2026-02-30T12:00:00' is no time; expected one like {NOON}",
    ),
]
NO_ANSWER: list[tuple[bytes, str]] = [
    (without("run_id"), "run_id: is missing; expected text"),
    (without("", run_id=7), "run_id: is '7'; expected text"),
    (without("", run_id=["x"]), "run_id: is '['x']'; expected text"),
    (without("", session_id=1), "session_id: is '1'; expected text"),
    (without("total_diffs"), "total_diffs: is missing; expected a whole number"),
    (without("", total_diffs=-1), "total_diffs: is '-1'; expected a whole number"),
    (without("", total_diffs=True), "total_diffs: is 'True'; expected a whole number"),
    (without("", total_diffs="0"), "total_diffs: is '0'; expected a whole number"),
    (without("", total_diffs=2**60), f"total_diffs: is '{2**60}'; expected a whole number"),
    (without("counts_by_severity"), "counts_by_severity: is missing; expected counts by severity"),
    (
        without("", counts_by_severity={"": 1}),
        "counts_by_severity: is ''; expected INFO or WARN or FAIL or CRITICAL",
    ),
    (without("", counts_by_severity={"FAIL": None}), "FAIL: is 'None'; expected a whole number"),
    (without("", has_fail="no"), "has_fail: is 'no'; expected true or false"),
    (
        without("", max_severity=4),
        "max_severity: is '4'; expected INFO or WARN or FAIL or CRITICAL",
    ),
    (without("", comparisons=7, ran="7"), "ran: is '7'; expected a whole number"),
    (
        json.dumps([diff(severity=None)]).encode(),
        "severity: is 'None'; expected INFO or WARN or FAIL or CRITICAL",
    ),
    (
        json.dumps([summary(), diff(severity="")]).encode(),
        "severity: is ''; expected INFO or WARN or FAIL or CRITICAL",
    ),
    (
        json.dumps([diff(severity=[])]).encode(),
        "severity: is '[]'; expected INFO or WARN or FAIL or CRITICAL",
    ),
]


@pytest.mark.parametrize(
    ("content", "problem", "mode"),
    [(*case, mode) for case, mode in matrix(UNREADABLE, MODES)],
    ids=lambda value: "content" if isinstance(value, bytes) else None,
)
def test_what_cannot_be_read(content: bytes, problem: str, mode: str, tmp_path: Path) -> None:
    """In every mode, from a file and from standard input."""
    path = tmp_path / "audit.json"
    path.write_bytes(content)
    for words in ([], [GATE], ["--format", "json"]):
        asked(mode, "--json", path, *words).refused(1, f"recon: audit.json: {problem}\n")
    asked(mode, "--json", "-", stdin=content).refused(1, f"recon: standard input: {problem}\n")


@pytest.mark.parametrize(
    ("content", "problem", "mode"),
    [(*case, mode) for case, mode in matrix(NO_ANSWER, ANSWERING)],
    ids=lambda value: "content" if isinstance(value, bytes) else None,
)
def test_what_no_answer_can_rest_on(
    content: bytes, problem: str, mode: str, tmp_path: Path
) -> None:
    """A field that decides and is of no use: its entry is named, nothing is guessed."""
    path = tmp_path / "audit.json"
    path.write_bytes(content)
    place = f"recon: audit.json: entry {content.count(b'event_type')}: "
    for words in ([GATE],) if mode == "export" else ([], [GATE]):
        asked(mode, "--json", path, *words).refused(1, place, problem)
    if mode == "export":
        # A copy is no answer; what is wrong with it is left in.
        kept = json.dumps(json.loads(content)).replace(str(2**60), f'"{2**60}"')
        assert json.loads(asked(mode, "--json", path).out) == json.loads(kept)


def test_the_same_in_a_log_names_the_line(tmp_path: Path) -> None:
    """A hand-made entry whose hash is right."""
    path = write_log(tmp_path / "audit.jsonl", [summary(), summary("run_2", total_diffs="none")])
    problem = "recon: audit.jsonl: line 2: total_diffs: is 'none'; expected a whole number\n"
    for mode in MODES:
        asked(mode, "--json", path, GATE).refused(1, problem)
    for mode in ("summary", "diffs", "detailed", "trend"):
        asked(mode, "--json", path).refused(1, problem)
    # The chain is in order; nobody asked what the entries say.
    for mode in ("verify", "export"):
        assert asked(mode, "--json", path).code == 0


@pytest.mark.parametrize("mode", MODES)
def test_what_is_no_file(mode: str, tmp_path: Path) -> None:
    """Nothing waits for a pipe that nobody writes to, or reads a device for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    no_file = "there is no such file; expected an audit log"
    for path, problem in [
        (tmp_path / "missing.jsonl", no_file),
        (link, no_file),
        (tmp_path, "is a directory; expected the file of an audit log or an export"),
        (pipe, "is not a regular file; expected the file of an audit log or an export"),
        (Path(os.devnull), "is not a regular file; expected the file of an audit log or an export"),
        (tmp_path / "x" / "y", no_file),
        (Path("x" * 300), "cannot be read: File name too long"),
        (Path("a\0b"), "cannot be read: embedded null byte"),
    ]:
        asked(mode, "--json", path).refused(1, problem)
        asked(mode, "--json", path, GATE).refused(1, problem)


def test_a_log_without_permission_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the system says about it; an administrator may read everything."""

    def refuse(_path: str, _flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    path = write_export(tmp_path / "audit.json", [summary()])
    monkeypatch.setattr(entry_source, "open_without_waiting", refuse)
    problem = "recon: audit.json: cannot be read: Permission denied\n"
    asked("summary", "--json", path).refused(1, problem)


def test_a_disk_that_fails_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a log as well."""

    def fail(_file: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    path = write_export(tmp_path / "audit.json", [summary()])
    monkeypatch.setattr(entry_source, "_start", fail)
    problem = "recon: audit.json: cannot be read: Input/output error\n"
    asked("summary", "--json", path, GATE).refused(1, problem)


def test_no_standard_input_is_no_empty_log(tmp_path: Path) -> None:
    """A process that was started without one."""
    code = "import sys; sys.stdin = None; from recon_core.cli import main; main(sys.argv[1:])"
    words = ["audit", "summary", "--json", "-", GATE]
    ended = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "recon: standard input: there is none; expected an audit log or an export\n"
    )


@pytest.mark.parametrize("space", ["\r\n", "\n\n \t", " " * 3000])
def test_white_space_means_nothing_in_an_export(space: str, tmp_path: Path) -> None:
    """Also the line ends of another system."""
    text = (EXPORTS / "z_suffix.json").read_text(encoding="utf-8")
    path = tmp_path / "audit.json"
    path.write_bytes((space + text.replace("\n", space) + space).encode())
    assert asked("diffs", "--json", path) == asked("diffs", "--json", EXPORTS / "z_suffix.json")


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_an_export_is_read_in_pieces(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any size, wherever a piece ends."""
    content = json.dumps([summary("größe 😀"), diff("größe 😀"), summary("run_2")]).encode()
    raw = json.dumps(json.loads(content), ensure_ascii=False).encode()
    monkeypatch.setattr("recon_core.audit.export_text._CHUNK", step)
    whole = asked("detailed", "--format", "json", "--run-id", "größe 😀", "--json", "-", stdin=raw)
    assert whole.json["summary"]["run_id"] == "größe 😀"
    assert whole.json["count"] == 1


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0.1", 0.1),
        ("-50.0", -50.0),
        ("1000", 1000),
        ("9007199254740991", 9007199254740991),
        ("9007199254740993", "9007199254740993"),
        ("1" * 5000, "1" * 5000),
        ("0.10", "0.10"),
        ("1e5", "1e5"),
        ("-0", "-0"),
        ("1e400", "1e400"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
    ],
)
def test_numbers_keep_every_digit(written: str, kept: object) -> None:
    """As a number where that prints the same again, as text where it would not."""
    details = json.dumps(summary()["details"])[:-1] + f', "figure": {written}}}'
    source = one(details, event_type='"RECON_SUMMARY"')
    found = asked("summary", "--format", "json", "--json", "-", stdin=source).json
    assert found["items"][0]["figure"] == kept
    assert type(found["items"][0]["figure"]) is type(kept)


@pytest.mark.parametrize("mode", ["summary", "diffs", "detailed", "trend"])
def test_text_from_a_log_cannot_deceive(mode: str, tmp_path: Path) -> None:
    """No control character, no other direction, no command to a CI runner, one line each."""
    more = dict.fromkeys(TEXTS, HOSTILE)
    lists = {"notes": [HOSTILE, {HOSTILE: HOSTILE}], "escalation": [HOSTILE]}
    first, second = (
        summary(
            f"{name}{HOSTILE}",
            {"FAIL": 1},
            **{name: more[name] for name in ("session_id", "strategy_id")},
            **lists,
            counts_by_type={HOSTILE: 1},
            comparisons=3,
            ran=2,
            evidence={"policy_sha256": name, "policy": {HOSTILE: {HOSTILE: name}}},
        )
        for name in "ab"
    )
    figures = {"delta": None, "diff_details": {HOSTILE: HOSTILE}}
    diffs = [diff(f"b{HOSTILE}", **{**more, **lists}), diff(f"b{HOSTILE}", **{**more, **figures})]
    path = write_export(tmp_path / "audit\u202e\n::x.json", [first, second, *diffs])
    answer = asked(mode, "--json", path, GATE)
    assert answer.code == 2
    for text in (answer.out, answer.err):
        hidden = {each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs")}
        assert hidden <= {"\n"}
        assert "##[" not in text
        assert not [line for line in text.splitlines() if "::" in line]
    printed = asked(mode, "--json", path, "--format", "json")
    assert printed.out.isascii()
    json.loads(printed.out)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("depth", range(700, 1000, 20))
def test_what_is_too_deep_to_print_is_refused(form: str, depth: int) -> None:
    """What can just be read may be too deep to print."""
    text = json.dumps([summary(notes=["deep"])])
    content = text.replace('"deep"', "[" * depth + "]" * depth).encode()
    answer = asked("summary", "--format", form, "--json", "-", stdin=content)
    if answer.code:
        answer.refused(1, "is nested too deep")


@pytest.mark.parametrize("mode", MODES)
def test_a_number_that_json_has_no_word_for(mode: str, tmp_path: Path) -> None:
    """A hand-made line of a log may hold one; what is printed stays JSON."""
    data = {**summary(more=0), "sequence": 1, "previous_hash": "0" * 64}
    text = json.dumps(data, sort_keys=True, separators=(",", ":")).replace('"more":0', '"more":NaN')
    digest = hashlib.sha256(text.encode()).hexdigest()
    line = text.replace('"new_state"', f'"hash":"{digest}","new_state"')
    path = tmp_path / "audit.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    answer = asked(mode, "--json", path, "--format", "json")
    if mode in ("diffs", "trend", "verify"):
        assert answer.code == 0
    else:
        answer.refused(1, "holds a number that JSON has no word for")


def test_a_list_of_thousands_of_keys_twice_is_refused_fast() -> None:
    """Finding the duplicate key takes one look at each."""
    keys = ",".join(f'"k{number}":0' for number in range(50_000))
    content = one("{" + keys + ',"k0":1}')
    asked("summary", "--json", "-", stdin=content).refused(1, "duplicate key 'k0'")


def cut_log(path: Path, cut: int) -> bytes:
    """Write a log whose last bytes are missing; those bytes."""
    entries = [*batch(summary("run_1")), *batch(summary("run_2"))]
    content = write_log(path, entries).read_bytes()
    path.write_bytes(content[:-cut])
    return content[-cut:]


@pytest.mark.parametrize("mode", MODES)
def test_a_torn_log_is_read_again_after_its_writer(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader may come in the middle of a line; the lock says when it is finished."""
    path = tmp_path / "audit.jsonl"
    rest = cut_log(path, 50)
    waited: list[Path] = []

    def finish(waited_for: Path) -> None:
        waited.append(waited_for)
        with path.open("ab") as file:
            file.write(rest)

    monkeypatch.setattr(entry_source, "settle", finish)
    assert asked(mode, "--json", path, GATE).code == 0
    assert waited == [path]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lines", [1, 2])
def test_a_run_in_the_middle_of_being_written_is_waited_for(
    mode: str, lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole lines of it stand there already, the committing one does not."""
    path = tmp_path / "audit.jsonl"
    content = write_log(path, [*batch(summary("run_1")), *batch(summary("run_2"))]).read_bytes()
    rest = b"".join(content.splitlines(keepends=True)[-lines:])
    path.write_bytes(content[: -len(rest)])
    monkeypatch.setattr(entry_source, "settle", appending(path, rest))
    assert asked(mode, "--json", path, GATE).code == 0


def appending(path: Path, rest: bytes) -> Callable[[Path], None]:
    """What a writer does who is waited for."""

    def finish(_path: Path) -> None:
        with path.open("ab") as file:
            file.write(rest)

    return finish


@pytest.mark.parametrize("mode", MODES)
def test_a_torn_log_without_a_writer_is_refused(mode: str, tmp_path: Path) -> None:
    """Its place is named; from standard input too, which nobody can wait for."""
    path = tmp_path / "audit.jsonl"
    cut_log(path, 50)
    problem = "line 6: is cut off; expected a line end"
    asked(mode, "--json", path).refused(1, f"recon: audit.jsonl: {problem}\n")
    asked(mode, "--json", "-", stdin=path.read_bytes()).refused(1, problem)


def test_a_file_without_line_ends_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line may be long, but not of any length."""
    assert LONGEST_LINE <= 1 << 26
    monkeypatch.setattr(entry_source, "LONGEST_LINE", 1000)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b'{"hash":"' + b"x" * 100_000)
    asked("summary", "--json", path).refused(1, "line 1: is cut off; expected a line end")


def test_entries_of_others_are_no_runs(tmp_path: Path) -> None:
    """The log of a whole system holds more than reconciliations."""
    others = [entry("ORDER_FILLED", {"run_id": 5}), entry("RECON", {}), entry("recon_diff", {})]
    path = write_export(tmp_path / "audit.json", others)
    assert asked("summary", "--json", path).out == "No RECON_SUMMARY events found.\n"
    asked_for = asked("diffs", "--json", path, GATE)
    assert asked_for.code == 1
    assert asked_for.err == "recon: audit.json: it has no run, so there is nothing to judge\n"


def test_an_opened_run_alone_is_something_that_cannot_be_clear(tmp_path: Path) -> None:
    """It is neither nothing nor a clean run."""
    path = write_export(tmp_path / "audit.json", [opened("run_1")])
    answer = asked("summary", "--json", path, GATE)
    assert answer.code == 1
    assert answer.err == (
        "recon: audit.json: run run_1 was never committed, so it cannot be called clear\n"
    )
