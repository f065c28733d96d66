"""`recon formats` and `recon convert --format`: statements by name, and files recognised."""

import json
from pathlib import Path

import pytest

from recon_core.sessions.formats.shipped import (
    mapping_text,
    sample_of,
    shipped_mapping,
    shipped_names,
)

from .conftest import Recon


def test_the_list_has_every_format_and_what_it_cannot_know(recon: Recon) -> None:
    """Those with a module, and the shipped ones."""
    answer = recon("formats")
    assert (answer.code, answer.err) == (0, "")
    names = [line.partition(":")[0] for line in answer.lines if not line.startswith(" ")]
    assert names == ["nautilus", "freqtrade", "lean", "ccxt", "table", *shipped_names()]
    for name in shipped_names():
        for limit in shipped_mapping(name).cannot_know:
            assert f"  cannot know: {limit}" in answer.lines


@pytest.mark.parametrize("name", shipped_names())
def test_a_mapping_and_a_sample_are_printed(recon: Recon, directory: Path, name: str) -> None:
    """Byte for byte; and the sample is recognised and converted, twice to equal bytes."""
    assert recon("formats", name).out == mapping_text(name)
    file, content = sample_of(name)
    assert recon("formats", name, "--sample").out.rstrip("\n") == content.decode().rstrip("\n")
    (directory / file).write_bytes(content)
    assert recon("formats", file).out == f"{file}: {name}\n"
    words = ("convert", file, "--format", name, "-o", "one.recon.json")
    assert recon(*words).code == 0
    first = (directory / "one.recon.json").read_bytes()
    assert recon(*words).code == 0
    assert (directory / "one.recon.json").read_bytes() == first
    assert set(json.loads(first)) >= {"schema", "session_id", "external"}


def test_a_file_in_no_format(recon: Recon, directory: Path) -> None:
    """The nearest format is named, and why the file is not in it; the code is 1."""
    file, content = sample_of("kraken_trades")
    (directory / file).write_bytes(content.replace(b"vol", b"volume"))
    answer = recon("formats", file)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(
        "recon: kraken_trades.csv: is in no shipped format; nearest is kraken_trades, but: "
    )
    assert "has no column 'vol'" in answer.err
    assert answer.err.endswith("did you mean volume?\n")
    (directory / "zip").write_bytes(b"PK\3\4\0\0")
    assert recon("formats", "zip").code == 1


DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (DATA / "lean" / "backtest_long" / "1700000001.json", "lean"),
        (DATA / "lean" / "backtest_long" / "1700000001-order-events.json", "lean"),
        (next(DATA.glob("freqtrade/bt_spot_ema/*.zip")), "freqtrade"),
        (next(DATA.glob("freqtrade/dry_spot_dca/*.sqlite")), "freqtrade"),
        (DATA / "nautilus" / "spot_btcusdt_cash" / "meta.json", "nautilus"),
        (DATA.parents[1] / "examples" / "minimal" / "clear.recon.json", "recon.session/1"),
    ],
)
def test_a_recording_is_recognised(recon: Recon, path: Path, name: str) -> None:
    """As the file that represents it, or one that lies beside that."""
    answer = recon("formats", str(path))
    assert (answer.code, answer.out) == (0, f"{path.name}: {name}\n")


def test_a_damaged_recording_is_refused(recon: Recon, directory: Path) -> None:
    """It is of its format by its name, and the line says what is wrong."""
    (directory / "backtest-result.json").write_text('{"strategy": {')
    answer = recon("formats", "backtest-result.json")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("recon: backtest-result.json: is not JSON: ")


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["formats", "krakn_trades"], 64, "did you mean kraken_trades?"),
        (["formats", "\0"], 64, "is no shipped format and no file"),
        (["formats", "x" * 5000], 64, "is no shipped format and no file"),
        (["convert", "a.csv", "--format", "okex", "-o", "o.recon.json"], 64, "did you mean okx?"),
        (["convert", "a.csv", "--format", "okx", "-o", "o.recon.json"], 1, "a.csv: cannot be read"),
        (["convert", "..", "--format", "okx", "-o", "o.recon.json"], 1, "cannot be converted: "),
    ],
)
def test_wrong_names(
    recon: Recon, directory: Path, words: list[str], code: int, expected: str
) -> None:
    """Wrong usage is told from a file that cannot be read, in one line."""
    answer = recon(*words)
    assert (answer.code, answer.out) == (code, "")
    assert expected in answer.err
    assert answer.err.count("\n") == 1
    assert str(directory) not in answer.err


def test_a_limit_of_no_use_is_wrong_usage(recon: Recon, directory: Path) -> None:
    """Before the file is looked at."""
    (directory / "statement.csv").write_text("a,b\n")
    words = ("formats", "statement.csv", "--limit")
    recon(*words, "json_bytes").refused(64, "json_bytes", "NAME=N")
    recon(*words, "jason_bytes=9").refused(64, "jason_bytes", "did you mean json_bytes?")


def test_a_statement_has_limits(recon: Recon, directory: Path) -> None:
    """As every file that is read."""
    file, content = sample_of("okx")
    (directory / file).write_bytes(content)
    for words in (["formats", file], ["convert", file, "--format", "okx", "-o", "o.recon.json"]):
        answer = recon(*words, "--limit", "json_bytes=9")
        assert answer.code == 1
        assert "expected at most 9 (the setting recon_limits raises it" in answer.err


@pytest.mark.parametrize("head", ["name,age", "Date,Symbol,Side,Qty,Price"])
def test_a_foreign_file_has_no_nearest_format(recon: Recon, directory: Path, head: str) -> None:
    """A file with few columns of any format is told how any table is read."""
    (directory / "own.csv").write_text(f"{head}\n")
    answer = recon("formats", "own.csv")
    answer.refused(1, "own.csv: is in no shipped format", '"format": "table"')
    assert "nearest" not in answer.err
