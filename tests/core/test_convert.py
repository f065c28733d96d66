"""recon convert: lossless, the same bytes twice, and the same verdicts as the source."""

import contextlib
import io
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.cli import main
from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Leg,
    Movement,
    MovementKind,
    Numbers,
    Opening,
    Order,
    OrderSide,
    OrderState,
    Position,
    RecordedSession,
    SessionMode,
    SideRecord,
    Snapshot,
)
from recon_core.policy import Policy
from recon_core.sessions import read_session, schema
from recon_core.sessions.native_text import ROW_TYPES, session_text
from recon_core.values.amounts import decimal_places
from recon_core.values.errors import SessionError
from tests.warm import warm_python

from . import builders
from .builders import AS_OF, AS_OF_TEXT, document, verdicts, write_session
from .recordings import BESIDE, DATA, needs_recordings

EXAMPLES = Path(__file__).parents[2] / "examples"
SOURCES = {
    "nautilus": DATA / "nautilus" / "multi_spot_cash",
    "nautilus with orders": DATA / "nautilus" / "spot_btcusdt_quotes_partial",
    "freqtrade spot": DATA / "freqtrade" / "bt_spot_ema",
    "freqtrade futures": DATA / "freqtrade" / "bt_futures_ema_funding",
    "freqtrade bot": DATA / "freqtrade" / "dry_spot_dca",
    "lean": DATA / "lean" / "backtest_long",
    "backtrader": EXAMPLES / "tables" / "backtrader",
    "vectorbt": EXAMPLES / "tables" / "vectorbt",
    "native": EXAMPLES / "minimal" / "blocked.recon.json",
    "native with replay": EXAMPLES / "suite" / "clear" / "replayed.recon.json",
}


def converted(recorded: RecordedSession, directory: Path) -> RecordedSession:
    path = directory / "converted.recon.json"
    path.write_text(session_text(recorded), encoding="utf-8")
    return read_session(path)


def stripped(record: SideRecord | None) -> SideRecord | None:
    """What a side says of the session; notes are of its format, origins of its files."""
    return None if record is None else replace(record, notes=(), origins={})


def assert_same(first: RecordedSession, second: RecordedSession) -> None:
    assert stripped(first.internal) == stripped(second.internal)
    assert stripped(first.external) == stripped(second.external)
    for name in ("session_id", "strategy_id", "mode", "instruments", "currencies", "mirrored"):
        assert getattr(first, name) == getattr(second, name), name


@pytest.mark.large
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_converted_session_is_the_same_session(source: Path, tmp_path: Path) -> None:
    """Nothing that the source knows is lost, and converting again gives equal bytes."""
    recorded = read_session(source)
    again = converted(recorded, tmp_path)
    assert_same(recorded, again)
    assert session_text(again) == session_text(recorded) == session_text(read_session(source))


@pytest.mark.large
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_converted_session_has_the_verdicts_of_its_source(source: Path, tmp_path: Path) -> None:
    """Every comparison, its message included."""
    first = reconcile_session(read_session(source).anchor)
    second = Reconciliation(converted(first.recorded, tmp_path), Policy())
    told = [(one.comparison.identity, one.verdict, one.message) for one in first.judgements]
    assert [(one.comparison.identity, one.verdict) for one in second.judgements] == [
        (identity, verdict) for identity, verdict, _ in told
    ]
    values = {one[0]: one[2] for one in told if not one[0].startswith("session::")}
    assert {
        one.comparison.identity: one.message
        for one in second.judgements
        if one.comparison.identity in values
    } == values


@pytest.mark.large
@pytest.mark.parametrize("side", ["internal", "external"])
@pytest.mark.parametrize("name", [name for name in SOURCES if not name.startswith("native")])
def test_one_session_through_two_formats_has_no_diffs(name: str, side: str, tmp_path: Path) -> None:
    """A side of the source against the same side of the converted file: all match."""
    recorded = read_session(SOURCES[name])
    record = recorded.internal if side == "internal" else recorded.external
    other = converted(recorded, tmp_path)
    theirs = other.internal if side == "internal" else other.external
    both = replace(recorded, internal=record, external=stripped(theirs))
    reconciliation = Reconciliation(both, Policy())
    assert reconciliation.diffs == []
    assert verdicts(reconciliation)


@needs_recordings
def test_every_recording_beside_the_project_converts(tmp_path: Path) -> None:
    """Also those that are too large to copy, as far as they can be read."""
    found = [
        path
        for pattern in ("freqtrade/*/*.zip", "freqtrade/*/*.sqlite", "nautilus_trader/*/meta.json")
        for path in sorted((BESIDE / "recordings").glob(pattern))
    ]
    assert len(found) >= 10
    for path in found:
        recorded = read_session(path)
        assert_same(recorded, converted(recorded, tmp_path))


TIMES = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
OPTIONAL = st.none() | NAMES
SIZES = builders.amounts(positive=True).filter(lambda amount: decimal_places(amount) <= 30)
AMOUNTS = builders.amounts()


def rows(row: st.SearchStrategy[Any], key: Any = None) -> st.SearchStrategy[Any]:
    return st.none() | st.lists(row, max_size=3, unique_by=key).map(tuple)


POSITIONS = st.builds(
    Position, NAMES, AMOUNTS, st.none() | AMOUNTS, account=OPTIONAL, leg=st.sampled_from(Leg)
)
BALANCES = st.builds(CashBalance, NAMES, AMOUNTS, st.none() | AMOUNTS, account=OPTIONAL)
FILLS = st.builds(
    Fill,
    NAMES,
    NAMES,
    st.sampled_from(OrderSide),
    SIZES,
    AMOUNTS,
    TIMES,
    AMOUNTS,
    NAMES,
    OPTIONAL,
    OPTIONAL,
    OPTIONAL,
    st.sampled_from(Leg),
)
ORDERS = st.builds(
    Order,
    NAMES,
    st.sampled_from(OrderSide),
    SIZES,
    SIZES,
    st.sampled_from(OrderState),
    TIMES,
    NAMES,
    OPTIONAL,
    OPTIONAL,
    st.none() | AMOUNTS,
    OPTIONAL,
    st.none() | AMOUNTS,
)
MOVEMENTS = st.builds(
    Movement, NAMES, st.sampled_from(MovementKind), TIMES, NAMES, AMOUNTS, account=OPTIONAL
)
HELD = rows(POSITIONS, lambda one: (one.account, one.symbol, one.leg))
CASH = rows(BALANCES, lambda one: (one.account, one.currency))
SIDES = st.builds(
    SideRecord,
    TIMES,
    OPTIONAL,
    st.sampled_from(Numbers),
    st.booleans(),
    HELD,
    CASH,
    rows(ORDERS),
    rows(FILLS),
    rows(MOVEMENTS),
    st.none()
    | st.builds(
        Opening,
        st.none() | TIMES,
        HELD.map(lambda given: given or ()),
        CASH.map(lambda given: given or ()),
    ),
    rows(st.builds(Snapshot, TIMES, HELD, CASH)),
    st.dictionaries(st.sampled_from(["fills", "orders"]), st.integers(0, 9)),
)


@given(st.none() | SIDES, st.none() | SIDES)
def test_whatever_a_session_says_survives(
    tmp_path_factory: pytest.TempPathFactory,
    internal: SideRecord | None,
    external: SideRecord | None,
) -> None:
    """Any text, any amount, absent and empty sections: read again it is equal."""
    symbol = Instrument("A/B", InstrumentKind.INVERSE, "A", "B", "A", Decimal("0.5"), Decimal(1))
    recorded = RecordedSession(
        session_id="s",
        anchor=Path("s.recon.json"),
        strategy_id="t",
        mode=SessionMode.LIVE,
        instruments={"A/B": symbol},
        currencies={"B": Currency("B", 0)},
        internal=internal,
        external=external,
    )
    again = converted(recorded, tmp_path_factory.mktemp("converted"))
    assert_same(recorded, again)


@pytest.mark.parametrize("complete", [True, False])
def test_a_recording_that_was_cut_off_stays_so(tmp_path: Path, complete: bool) -> None:  # noqa: FBT001
    """The converted session says, as its source does, that rows are lost."""
    one = replace(builders.side({"A": "1"}), complete=complete)
    again = converted(builders.recorded(one, one), tmp_path)
    assert again.internal is not None
    assert again.internal.complete is complete


def test_every_field_of_the_format_is_written() -> None:
    """A field that the format gains is written too: the models are the one source."""
    sections = {name for name in schema.SideTable.model_fields if name in ROW_TYPES}
    assert sections == set(ROW_TYPES) == {"positions", "cash", "orders", "fills", "movements"}


def test_what_a_session_does_not_say_is_not_written() -> None:
    """No table without entries is in its place."""
    one = builders.side({"A": "1"})
    document_of = json.loads(session_text(builders.recorded(one, one)))
    assert set(document_of) == {"schema", "session_id", "internal", "external"}
    assert set(document_of["internal"]) == {"as_of", "positions"}


def test_a_row_has_a_line_of_its_own(tmp_path: Path) -> None:
    """Two versions of a file differ in the lines of rows that differ; an empty list has none."""
    rows = [{"currency": name, "total": "1"} for name in ("EUR", "USD")]
    side = {"as_of": builders.AS_OF_TEXT, "positions": [], "cash": rows}
    path = write_session(tmp_path, document(internal=side, external={"mirror": "internal"}))
    shown = [line.strip().rstrip(",") for line in session_text(read_session(path)).splitlines()]
    assert '"positions": []' in shown
    assert [json.loads(line) for line in shown if line.startswith('{"currency')] == rows


def test_a_mirror_stays_a_mirror(tmp_path: Path) -> None:
    """The copy is written as what it is."""
    path = write_session(tmp_path, document(external={"mirror": "internal"}), "m.recon.json")
    text = session_text(read_session(path))
    assert json.loads(text)["external"] == {"mirror": "internal"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"quantity": Decimal(0)}, "fill f: quantity 0 has no place in recon.session/1"),
        ({"price": Decimal("1e-30"), "fee": Decimal("1e-30")}, None),
    ],
)
def test_what_the_format_does_not_hold_is_refused(
    change: dict[str, Any], expected: str | None
) -> None:
    """By name, instead of leaving it out."""
    fields: dict[str, Any] = {"fee_currency": "B", "quantity": Decimal(1), "price": Decimal(1)}
    fill = Fill("f", "A/B", OrderSide.BUY, time=AS_OF, **fields | change)
    recorded = builders.recorded(builders.side(fills=(fill,)), None)
    if expected is None:
        assert "0.000000000000000000000000000001" in session_text(recorded)
        return
    with pytest.raises(SessionError, match=expected):
        session_text(recorded)


@pytest.mark.parametrize(
    ("amount", "is_refused"),
    [("9" * 30, False), ("1" + "0" * 30, True), ("-1e-30", False), ("1e-31", True)],
)
def test_an_amount_that_nobody_could_read_again_is_refused(
    amount: str, *, is_refused: bool
) -> None:
    """A sum of rows may have more digits than the format allows."""
    recorded = builders.recorded(builders.side(cash={"EUR": amount}), None)
    if is_refused:
        with pytest.raises(SessionError, match="is longer than an amount of "):
            session_text(recorded)
    else:
        assert f'"{Decimal(amount):f}"' in session_text(recorded)


def recon(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [warm_python(), "-m", "recon_core.cli", *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


def called(directory: Path, *arguments: str) -> tuple[int, list[str]]:
    """Call the command in this process; its status, and the lines of its errors."""
    errors = io.StringIO()
    with (
        contextlib.chdir(directory),
        contextlib.redirect_stderr(errors),
        contextlib.redirect_stdout(io.StringIO()),
        pytest.raises(SystemExit) as ending,
    ):
        main([*arguments])
    assert isinstance(ending.value.code, int)
    return ending.value.code, errors.getvalue().splitlines()


def test_the_command_writes_once_and_agrees_with_itself(tmp_path: Path) -> None:
    """A second run changes nothing; `recon check` says the same of both."""
    source = str(SOURCES["freqtrade bot"])
    first = recon(tmp_path, "convert", source, "-o", "bot.recon.json")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == (
        "bot.recon.json: dry_spot_dca-tradesv3.dryrun, internal 180 orders, 72 fills; "
        "external 1 positions, 2 cash\n"
    )
    before = (tmp_path / "bot.recon.json").stat()
    assert recon(tmp_path, "convert", source, "-o", "bot.recon.json").returncode == 0
    after = (tmp_path / "bot.recon.json").stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    checked = [recon(tmp_path, "check", name).stdout for name in (source, "bot.recon.json")]
    assert [text.splitlines()[-1] for text in checked] == [
        "RECON: CLEAR (1 session, 11 comparisons)"
    ] * 2


COMMANDS = {
    "no output": (["convert", "a.recon.json"], 64, "Missing option '-o'"),
    "another suffix": (["convert", "a.recon.json", "-o", "b.json"], 64, "expected a file called"),
    "a directory": (
        ["convert", "a.recon.json", "-o", "d.recon.json"],
        64,
        "expected a file called",
    ),
    "nothing there": (["convert", "x", "-o", "b.recon.json"], 64, "'x' matches no recorded"),
    "several": (["convert", ".", "-o", "b.recon.json"], 64, "'.' matches 3 sessions; expected one"),
    "itself": (["convert", "a.recon.json", "-o", "a.recon.json"], 64, "-o: names the source"),
    "another session": (
        ["convert", "a.recon.json", "-o", "c.recon.json"],
        1,
        "c.recon.json: holds something else; expected --force",
    ),
    "unreadable": (["convert", "e.recon.json", "-o", "b.recon.json"], 1, "cannot be converted: e."),
    "no directory": (["convert", "a.recon.json", "-o", "x/b.recon.json"], 1, "cannot be written"),
}


@pytest.mark.parametrize(("arguments", "status", "expected"), COMMANDS.values(), ids=COMMANDS)
def test_the_command_refuses_in_one_line(
    tmp_path: Path, arguments: list[str], status: int, expected: str
) -> None:
    """Nothing is written, and no session is replaced unasked."""
    write_session(tmp_path, document(), "a.recon.json")
    write_session(tmp_path, document(session_id="c"), "c.recon.json")
    (tmp_path / "e.recon.json").write_text("{")
    (tmp_path / "d.recon.json").mkdir()
    before = {path.name: path.is_file() and path.read_bytes() for path in tmp_path.iterdir()}
    code, (line,) = called(tmp_path, *arguments)
    assert code == status
    assert expected in line
    after = {path.name: path.is_file() and path.read_bytes() for path in tmp_path.iterdir()}
    assert before == after


def test_force_replaces_a_file(tmp_path: Path) -> None:
    """Where that is what was meant."""
    write_session(tmp_path, document(), "a.recon.json")
    (tmp_path / "b.recon.json").write_text("old")
    words = ("convert", "a.recon.json", "-o", "b.recon.json", "--force")
    assert called(tmp_path, *words) == (0, [])
    assert json.loads((tmp_path / "b.recon.json").read_text())["session_id"]


def test_a_session_of_sources_becomes_one_file(tmp_path: Path) -> None:
    """Tables and sides from elsewhere are written into it; it needs nothing beside it."""
    recorded = read_session(SOURCES["backtrader"])
    assert recorded.internal is not None
    later = replace(recorded.internal, as_of=AS_OF + timedelta(days=1))
    again = converted(replace(recorded, internal=later), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["converted.recon.json"]
    assert stripped(again.internal) == stripped(later)
    assert AS_OF_TEXT.replace("01-01", "01-02") in (tmp_path / "converted.recon.json").read_text()
