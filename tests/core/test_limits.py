"""Limits on an input: their settings, their messages, and where they are in force."""

import json
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.policy.settings import find_settings, limits_of
from recon_core.values.errors import ReconError
from recon_core.values.limits import (
    JSON_BYTES,
    LIMITS,
    Limit,
    LimitError,
    changed_limits,
    limits_in_force,
    limits_line,
    lines_of,
    read_limits,
    refuse_above,
    use_limits,
)

from .builders import AS_OF_TEXT, document, verdicts, write_session
from .recordings import DATA, writable_copy
from .refusals import refusal

ROOT = Path(__file__).parents[2]


def test_every_limit_is_named_once() -> None:
    """A name is a setting: lower case, with a unit and a reason."""
    names = [limit.name for limit in LIMITS]
    assert len(set(names)) == len(names)
    assert all(limit.unit and limit.reason and limit.default > 0 for limit in LIMITS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("json_bytes=1", {"json_bytes": 1}),
        (" json_bytes = 1_000 ", {"json_bytes": 1000}),
        ("toml_dots=999999999999999", {"toml_dots": 999999999999999}),
    ],
)
def test_a_limit_is_read(line: str, expected: dict[str, int]) -> None:
    """`NAME = N`, as Python writes whole numbers."""
    assert read_limits([line], "--limit") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("json_byte=1", "--limit: 'json_byte' is no limit; did you mean json_bytes?"),
        ("zzz=1", "--limit: 'zzz' is no limit; expected one of file_bytes, json_bytes"),
        ("json_bytes", "--limit: 'json_bytes'; expected NAME=N"),
        ("json_bytes=", "--limit: json_bytes: ''; expected a whole number above 0"),
        ("json_bytes=0", "json_bytes: '0'; expected a whole number above 0"),
        ("json_bytes=-1", "json_bytes: '-1'; expected a whole number above 0"),
        ("json_bytes=1e9", "json_bytes: '1e9'; expected a whole number above 0"),
        ("json_bytes=٣", "expected a whole number above 0"),
        ("json_bytes=" + "1" * 5000, "… (5000 characters)'; expected a whole number above 0"),
        ("\x1b[2J=1", r"'\x1b[2J' is no limit"),
    ],
)
def test_a_limit_of_no_use_is_refused(line: str, expected: str) -> None:
    """The message names the option, the value made safe, and what is accepted."""
    with pytest.raises(ReconError) as caught:
        read_limits([line], "--limit")
    assert expected in str(caught.value)


@pytest.mark.parametrize("value", [1, {"json_bytes": 1}, [1], None])
def test_a_setting_that_is_no_list_of_lines_is_refused(value: object) -> None:
    """TOML has other types; a limit that is not understood is not passed over."""
    with pytest.raises(ReconError, match=r"recon_limits: .*; expected lines NAME = N"):
        lines_of(value, "recon_limits")


def test_options_hold_over_the_setting() -> None:
    """Each limit by itself; the last option of a name holds."""
    found = limits_of("json_keys = 1\ntoml_dots = 2", ["json_keys=3", "json_keys=4"], "--limit")
    assert found == {"json_keys": 4, "toml_dots": 2}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pytest.ini", "[pytest]\nrecon_limits =\n    json_keys = 7\n    toml_dots = 8\n"),
        ("pytest.toml", '[pytest]\nrecon_limits = ["json_keys = 7", "toml_dots=8"]\n'),
        ("setup.cfg", "[tool:pytest]\nrecon_limits =\n    json_keys = 7\n    toml_dots = 8\n"),
    ],
)
def test_the_setting_of_each_file(tmp_path: Path, name: str, content: str) -> None:
    """As pytest reads a list of lines."""
    (tmp_path / name).write_text(content)
    assert find_settings(tmp_path).limits == {"json_keys": 7, "toml_dots": 8}


def test_the_message_says_what_raises_the_limit() -> None:
    """The value found, the limit, the setting; a count that was stopped says so."""
    limit = Limit("toml_dots", 2, "dots", "")
    refuse_above(limit, 2)
    with pytest.raises(LimitError) as caught:
        refuse_above(limit, 3, "a.toml: ")
    assert str(caught.value) == (
        "a.toml: has 3 dots; expected at most 2 (the setting recon_limits raises it: toml_dots = 3)"
    )
    with pytest.raises(LimitError, match=r"has at least 3 dots; .*: toml_dots = N\)$"):
        refuse_above(limit, 3, at_least=True)


def test_limits_are_in_force_in_the_process_and_restored() -> None:
    """Nested changes replace all others, and end in the reverse order; threads see them."""
    seen: list[int] = []
    with limits_in_force({"json_bytes": 5}):
        restore = use_limits({"toml_dots": 6})
        assert changed_limits() == {"toml_dots": 6}
        assert limits_line() == "limits toml_dots = 6 (default 32)"
        restore()
        thread = Thread(target=lambda: seen.append(JSON_BYTES.most))
        thread.start()
        thread.join()
    assert seen == [5]
    assert changed_limits() == {}
    assert limits_line() is None


def test_a_changed_limit_is_evidence(tmp_path: Path) -> None:
    """The audit log says which limits decided what was readable."""
    path = write_session(tmp_path, document())
    with limits_in_force({"json_keys": 1234}):
        assert reconcile_session(path).summary().evidence["limits"] == {"json_keys": 1234}
    assert "limits" not in reconcile_session(path).summary().evidence


@pytest.mark.large
def test_a_raised_limit_lets_a_file_pass(tmp_path: Path) -> None:
    """What one limit refuses is read where the setting allows it."""
    cash = {f"C{number}": "1" for number in range(1500)}
    path = write_session(tmp_path, document(internal={"as_of": AS_OF_TEXT, "cash": cash}))
    with limits_in_force({"json_keys": 1499}):
        assert "an object has 1500 keys; expected at most 1499" in refusal(path)
    with limits_in_force({"json_keys": 1500}):
        assert "cash::C1499" in verdicts(reconcile_session(path))


@pytest.mark.parametrize(
    ("limit", "said"), [("json_objects", "objects and lists"), ("json_values", "values")]
)
def test_lines_of_json_have_the_limits_of_one_file(tmp_path: Path, limit: str, said: str) -> None:
    """Their rows and their values are counted before the first line is read."""
    rows = "".join(f'{{"currency": "C{number}", "total": "1"}}\n' for number in range(8))
    (tmp_path / "cash.jsonl").write_text(rows)
    side = {"as_of": AS_OF_TEXT, "cash": {"path": "cash.jsonl"}}
    path = write_session(tmp_path, document(internal=side))
    with limits_in_force({limit: 7}):
        assert f"cash.jsonl: has 8 {said}; expected at most 7" in refusal(path)
    with limits_in_force({limit: 8}):
        assert "cash::C7" in verdicts(reconcile_session(path))


def nautilus(directory: Path, **changes: Any) -> Path:
    run = directory / "run"
    writable_copy(DATA / "nautilus" / "spot_btcusdt_cash", run)
    path = run / "instruments.json"
    table = json.loads(path.read_text())
    table[0] |= changes
    path.write_text(json.dumps(table))
    return run / "meta.json"


WRONG: tuple[Any, ...] = ([], {}, ["x"], {"x": "y"}, 1, True)


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("name", ["type", "quote_currency", "base_currency", "settlement_currency"])
def test_an_instrument_whose_text_is_none(tmp_path: Path, name: str, value: Any) -> None:
    """The message names the file, the row and the field of an instrument of nautilus_trader."""
    message = refusal(nautilus(tmp_path, **{name: value}))
    assert f"instruments.json: row 1: {name}: " in message
    assert message.endswith("; expected text")


ORDER = {"id": "1", "timestamp": 1767268800000, "symbol": "A/B", "side": "buy", "amount": 1}
ORDER |= {"filled": 0, "price": 1, "status": "open"}
TRADE = {"id": "1", "timestamp": 1767268800000, "symbol": "A/B", "side": "buy", "amount": 1}
TRADE |= {"price": 1, "order": "o", "takerOrMaker": "maker"}


@pytest.mark.parametrize("value", WRONG[:4], ids=repr)
@pytest.mark.parametrize(
    ("row", "name"),
    [(ORDER, name) for name in (*ORDER, "clientOrderId", "type", "average")]
    + [(TRADE, name) for name in TRADE if name != "takerOrMaker"],
)
def test_a_ccxt_row_of_nested_values(
    tmp_path: Path, row: dict[str, Any], name: str, value: Any
) -> None:
    """An object or a list in any field is named with its file, row and field."""
    (tmp_path / "c.json").write_text(json.dumps([{**row, name: value}]))
    source = {"format": "ccxt", "path": "c.json", "as_of": AS_OF_TEXT}
    message = refusal(write_session(tmp_path, document(external={"from": source})))
    assert "external.from: c.json: " in message or "external.from: " in message
    assert f"row 1: {name}: " in message
    assert "expected" in message


@pytest.mark.parametrize("where", ["from", "table", "mapping", "venue"])
def test_an_overlong_name_says_no_path_of_the_machine(tmp_path: Path, where: str) -> None:
    """A name that no file can have is refused by the reader, without the directory."""
    name = "x" * 300
    if where == "venue":
        path = nautilus(tmp_path)
        meta = json.loads(path.read_text())
        meta["configured_starting_balances"] = {name: ["1 USDT"]}
        path.write_text(json.dumps(meta))
    elif where == "table":
        internal = {"as_of": AS_OF_TEXT, "fills": {"path": f"{name}.csv"}}
        path = write_session(tmp_path, document(internal=internal))
    else:
        kind = "ccxt" if where == "from" else "table"
        source = {"format": kind, "path": name, "as_of": AS_OF_TEXT}
        if where == "mapping":
            (tmp_path / "m.toml").write_text(f'[fills]\npath = "{name}.csv"\n')
            source["path"] = "m.toml"
        path = write_session(tmp_path, document(internal={"from": source}))
    message = refusal(path)
    assert str(tmp_path) not in message
    assert "while reading" not in message
    assert "cannot be resolved" in message


@pytest.mark.parametrize(
    ("settings", "row"),
    [
        ('time_format = "%Y%Y"', "2026"),
        ('time_format = "%"', "2026"),
        ('time_format = "ns"', "9" * 30),
        ('timezone = "UTC"', "0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_time_of_a_mapping_that_is_none(tmp_path: Path, settings: str, row: str) -> None:
    """A pattern that is none, and a moment outside of the calendar, are named by column."""
    columns = "".join(f'{name} = "{name}"\n' for name in ("symbol", "quantity", "price", "time"))
    (tmp_path / "m.toml").write_text(
        f'{settings}\n[fills]\npath = "f.csv"\n[fills.columns]\n{columns}'
    )
    (tmp_path / "f.csv").write_text(f"symbol,quantity,price,time\nA,1,1,{row}\n")
    source = {"format": "table", "path": "m.toml", "as_of": AS_OF_TEXT}
    message = refusal(write_session(tmp_path, document(internal={"from": source})))
    assert "f.csv: row 2: column time: " in message
    assert "is no time" in message


def test_the_documented_table_is_that_of_the_module() -> None:
    """Every limit with its default, its unit and its reason, in the order of the module."""
    text = (ROOT / "docs" / "session-format.md").read_text(encoding="utf-8")
    section = text.partition("## Limits\n")[2].partition("\n## ")[0]
    found = [line for line in section.splitlines() if line.startswith("| `")]
    assert found == [
        f"| `{limit.name}` | {limit.default:,} {limit.unit} | {limit.reason} |" for limit in LIMITS
    ]
