"""The writer of nautilus_trader recordings, on a small engine of our own and on the real one."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.recorders import nautilus
from recon_core.sessions.formats import nautilus_writer
from recon_core.sessions.formats.nautilus_writer import write_nautilus_recording
from recon_core.values.errors import ReconError

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "nautilus" / "record_backtest.py"
RECORDING = EXAMPLE.with_name("recording")
PAPER = EXAMPLE.with_name("record_paper.py")
FILLS = "client_order_id,last_qty,last_px\nO-1,0.100000,42000.10\n"
ALWAYS = {"fills.csv", "account_BINANCE.csv", "instruments.json", "meta.json"}


@dataclass(frozen=True)
class Frame:
    """A report as the engine gives it; no text is the engine's empty frame."""

    text: str = ""

    @property
    def empty(self) -> bool:
        return not self.text

    def to_csv(self) -> str:
        return self.text or '""\n'


@dataclass(frozen=True)
class Event:
    ts_event: int


@dataclass(frozen=True)
class Account:
    opening: dict[str, str]
    events: list[Event]

    def starting_balances(self) -> dict[str, str]:
        return dict(self.opening)


@dataclass(frozen=True)
class Instrument:
    id: str

    @staticmethod
    def to_dict(one: "Instrument") -> dict[str, object]:
        return {"id": one.id, "price_increment": Decimal("0.01")}


@dataclass
class Cache:
    accounts: dict[str, Account | None]

    def instruments(self) -> list[Instrument]:
        return [Instrument("BTCUSDT.BINANCE")]

    def account_for_venue(self, venue: str) -> Account | None:
        return self.accounts[venue]


@dataclass
class Trader:
    fills: Frame = Frame(FILLS)
    orders: Frame = Frame("client_order_id,side\nO-1,BUY\n")
    positions: Frame = Frame("position_id,side,quantity\nP-1,LONG,0.100000\n")
    account: Frame = Frame(",total,currency\n2024-01-01,95799.57998580,USDT\n")
    crash: Exception | None = None

    def generate_fills_report(self) -> Frame:
        return self.fills

    def generate_orders_report(self) -> Frame:
        return self.orders

    def generate_positions_report(self) -> Frame:
        if self.crash is not None:
            raise self.crash
        return self.positions

    def generate_account_report(self, venue: str) -> Frame:
        assert venue
        return self.account


def account(*balances: str, times: tuple[int, ...] = (1, 1, 2)) -> Account:
    return Account({text.split()[1]: text for text in balances}, [Event(time) for time in times])


@dataclass
class Engine:
    trader: Trader = field(default_factory=Trader)
    cache: Cache = field(
        default_factory=lambda: Cache(
            {"BINANCE": account("100000.00000000 USDT", "1.00000000 BTC")}
        )
    )

    run_finished: str | None = "2024-01-01"

    def list_venues(self) -> list[str]:
        return list(self.cache.accounts)


@dataclass(frozen=True)
class Identifier:
    """An id of the engine: of an account, with its venue, or of an instrument."""

    venue: str

    def get_issuer(self) -> str:
        return self.venue


@dataclass(frozen=True)
class Named:
    id: Identifier

    @staticmethod
    def to_dict(one: "Named") -> dict[str, object]:
        return {"id": one.id.venue}


@dataclass
class NodeCache:
    """The cache of a node: accounts name their venues."""

    opening: dict[str, Account]
    listed: bool = True

    def accounts(self) -> list[Named]:
        return [Named(Identifier(venue)) for venue in self.opening]

    def instruments(self) -> list[Named]:
        return [Named(Identifier("BINANCE"))] if self.listed else []

    def account_for_venue(self, venue: str) -> Account | None:
        return self.opening.get(venue)


@dataclass
class Node:
    """A trading node: no list of venues, and no end of a run."""

    trader: Trader = field(default_factory=Trader)
    cache: NodeCache = field(
        default_factory=lambda: NodeCache(
            {"OKX": account("5.00 USDT"), "BINANCE": account("9.00 USDT")}
        )
    )
    running: bool = False

    def is_running(self) -> bool:
        return self.running


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def meta(directory: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((directory / "meta.json").read_text("utf-8"))
    return content


def test_writes_the_reports_as_the_engine_gives_them(tmp_path: Path) -> None:
    """Every report is a file of its own, and the path of meta.json comes back."""
    target = tmp_path / "deeper" / "session"
    assert write_nautilus_recording(Engine(), target) == target / "meta.json"
    assert names(target) == ALWAYS | {"orders.csv", "positions.csv"}
    assert (target / "fills.csv").read_bytes() == FILLS.encode()
    instruments = json.loads((target / "instruments.json").read_text("utf-8"))
    assert instruments == [{"id": "BTCUSDT.BINANCE", "price_increment": "0.01"}]
    assert names(target.parent) == {"session"}


def test_meta_names_the_engine_and_the_configured_opening(tmp_path: Path) -> None:
    """The opening is what the venue was configured with, not the first account row."""
    write_nautilus_recording(Engine(), tmp_path / "session")
    content = meta(tmp_path / "session")
    assert isinstance(content.pop("version"), str)
    assert content == {
        "engine": "nautilus_trader",
        "session": "session",
        "venues": ["BINANCE"],
        "configured_starting_balances": {"BINANCE": ["100000.00000000 USDT", "1.00000000 BTC"]},
    }


def test_fills_that_were_heard_take_the_place_of_the_report(tmp_path: Path) -> None:
    """They have its columns; a time is text, its digits beyond the microsecond are cut."""
    heard = {"client_order_id": "O-1", "type": "OrderFilled", "last_qty": "0.1", "ts_init": 0}
    moment = 1_704_067_200_000_001_999
    write_nautilus_recording(Engine(), tmp_path / "session", heard=[{**heard, "ts_event": moment}])
    with (tmp_path / "session" / "fills.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["client_order_id"], row["last_qty"], row["last_px"]) == ("O-1", "0.1", "")
    assert row["ts_event"] == "2024-01-01 00:00:00.000001+00:00"
    assert "type" not in row


def test_the_session_can_be_named(tmp_path: Path) -> None:
    """A given session id replaces the name of the directory."""
    write_nautilus_recording(Engine(), tmp_path / "session", session_id="monday")
    assert meta(tmp_path / "session")["session"] == "monday"


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    """A directory that exists and is empty is filled."""
    write_nautilus_recording(Engine(), tmp_path)
    assert names(tmp_path) == ALWAYS | {"orders.csv", "positions.csv"}


def test_a_venue_without_override_keeps_its_configured_opening(tmp_path: Path) -> None:
    """An override speaks for the venues it names and for no other."""
    engine = Engine(cache=Cache({"KRAKEN": account("5.00 USD"), "BINANCE": account("7.00 USDT")}))
    write_nautilus_recording(engine, tmp_path, starting_balances={"KRAKEN": ["9.00 EUR"]})
    assert {"account_KRAKEN.csv", "account_BINANCE.csv"} <= names(tmp_path)
    assert meta(tmp_path)["venues"] == ["BINANCE", "KRAKEN"]
    opening = {"BINANCE": ["7.00 USDT"], "KRAKEN": ["9.00 EUR"]}
    assert meta(tmp_path)["configured_starting_balances"] == opening


def test_an_override_stands_in_for_an_opening_nobody_remembers(tmp_path: Path) -> None:
    """Where the account remembers no opening, the override is enough."""
    engine = Engine(cache=Cache({"BINANCE": account()}))
    write_nautilus_recording(engine, tmp_path, starting_balances={"BINANCE": ["1.50 USDT"]})
    assert meta(tmp_path)["configured_starting_balances"] == {"BINANCE": ["1.50 USDT"]}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"KRAKEN": ["1.00 USD"]}, "no venue 'KRAKEN'; expected one of BINANCE"),
        ({"BINANCE": []}, "opening balances are not known"),
        ({"BINANCE": ["1.00"]}, "'1.00' has no currency; expected '100.00 USDT'"),
        ({"BINANCE": ["1.00 USDT BTC"]}, "'1.00 USDT BTC' has no currency"),
        ({"BINANCE": ["much USDT"]}, "'much' is not an amount"),
        ({"BINANCE": ["1e5 USDT"]}, "'1e5' is not an amount"),
    ],
)
def test_an_unreadable_override_is_refused(
    tmp_path: Path, override: dict[str, list[str]], message: str
) -> None:
    """The error says what is wrong with the override, and nothing is written."""
    with pytest.raises(ReconError) as caught:
        write_nautilus_recording(Engine(), tmp_path / "session", starting_balances=override)
    assert message in str(caught.value)
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        (Engine(cache=Cache({"BINANCE": None})), "opening balances are not known"),
        (Engine(cache=Cache({"BINANCE": account()})), "starting_balances={'BINANCE': ["),
        (Engine(trader=Trader(account=Frame())), "no account report; expected an engine"),
        (
            Engine(cache=Cache({"BINANCE": account("1.00 USDT", times=(9, 1, 2))})),
            "account states run backwards in time",
        ),
    ],
    ids=["no account", "opening forgotten", "no account report", "reset between runs"],
)
def test_an_engine_that_cannot_be_recorded_is_refused(
    tmp_path: Path, engine: Engine, message: str
) -> None:
    """One line names the venue and what would be accepted; nothing is left behind."""
    with pytest.raises(ReconError) as caught:
        write_nautilus_recording(engine, tmp_path / "session")
    assert message in str(caught.value)
    assert str(caught.value).startswith("venue BINANCE: ")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == set()


def test_an_engine_without_a_finished_run_is_refused(tmp_path: Path) -> None:
    """After a reset some engines report a fresh account: that would pass as a quiet session."""
    with pytest.raises(ReconError, match=r"no finished run; expected a call after engine\.run\(\)"):
        write_nautilus_recording(Engine(run_finished=None), tmp_path / "session")
    assert names(tmp_path) == set()


def test_a_node_is_recorded_as_an_engine_is(tmp_path: Path) -> None:
    """Its venues are those of its accounts, each with the opening that it remembers."""
    write_nautilus_recording(Node(), tmp_path / "session")
    reports = {"account_OKX.csv", "orders.csv", "positions.csv"}
    assert names(tmp_path / "session") == ALWAYS | reports
    content = meta(tmp_path / "session")
    assert content["venues"] == ["BINANCE", "OKX"]
    assert content["configured_starting_balances"] == {
        "BINANCE": ["9.00 USDT"],
        "OKX": ["5.00 USDT"],
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Node(running=True), "the node runs, and its reports change; expected a call after node"),
        (Node(cache=NodeCache({})), "the node has no account; expected a call after node.run()"),
        (
            Node(cache=NodeCache({"OKX": account("5.00 USDT")}, listed=False)),
            "the node has no instrument; expected a call after node.run()",
        ),
        (object(), "object has no reports; expected a BacktestEngine or a TradingNode"),
    ],
    ids=["runs", "never ran", "no instrument", "something else"],
)
def test_a_node_that_cannot_be_recorded_is_refused(
    tmp_path: Path, source: Node, message: str
) -> None:
    """One line says when to call, and nothing is left behind."""
    with pytest.raises(ReconError) as caught:
        write_nautilus_recording(source, tmp_path / "session")
    assert message in str(caught.value)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("found", ["1.220.9", "1.218.0", "0.9", "2.0.0", "2.1.0rc1", "", "one"])
def test_a_version_that_is_not_supported_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    """The line says which are; the reports of others are not what the reader reads."""
    monkeypatch.setattr(nautilus_writer, "version", lambda _name: found)
    with pytest.raises(ReconError) as caught:
        write_nautilus_recording(Engine(), tmp_path / "session")
    expected = "is not supported; expected 1.221 or newer, and below 2.0"
    assert str(caught.value) == f"nautilus_trader {found} {expected}"
    assert names(tmp_path) == set()


@pytest.mark.parametrize("found", ["1.221.0", "1.231.0", "1.999.0a3"])
def test_a_version_that_is_supported_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    """It is in meta.json, as the engine names it."""
    monkeypatch.setattr(nautilus_writer, "version", lambda _name: found)
    write_nautilus_recording(Engine(), tmp_path / "session")
    assert meta(tmp_path / "session")["version"] == found


def test_a_directory_with_content_is_refused(tmp_path: Path) -> None:
    """An earlier recording is never mixed with a new one."""
    (tmp_path / "fills.csv").write_text("precious")
    with pytest.raises(ReconError, match="expected a new or an empty directory"):
        write_nautilus_recording(Engine(), tmp_path)
    assert names(tmp_path) == {"fills.csv"}
    assert (tmp_path / "fills.csv").read_text() == "precious"


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    """The target must not be a file."""
    (tmp_path / "session").write_text("precious")
    with pytest.raises(ReconError, match="already exists"):
        write_nautilus_recording(Engine(), tmp_path / "session")
    assert (tmp_path / "session").read_text() == "precious"


def test_a_crash_in_a_report_leaves_nothing(tmp_path: Path) -> None:
    """The engine's own error comes through, and no file or directory remains."""
    engine = Engine(trader=Trader(crash=RuntimeError("report failed")))
    with pytest.raises(RuntimeError, match="report failed"):
        write_nautilus_recording(engine, tmp_path / "session")
    assert names(tmp_path) == set()


def test_a_crash_while_writing_leaves_nothing(tmp_path: Path) -> None:
    """Text that no file can hold stops the recording before the directory appears."""
    engine = Engine(trader=Trader(positions=Frame("\ud800\n")))
    with pytest.raises(UnicodeEncodeError):
        write_nautilus_recording(engine, tmp_path / "session")
    assert names(tmp_path) == set()


def test_meta_is_the_last_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that finds meta.json finds everything else too."""
    order: list[str] = []
    write_text = Path.write_text

    def noted(path: Path, text: str, **options: str) -> int:
        order.append(path.name)
        return write_text(path, text, **options)

    monkeypatch.setattr(Path, "write_text", noted)
    write_nautilus_recording(Engine(), tmp_path / "session")
    assert order[-1] == "meta.json"
    assert set(order) == names(tmp_path / "session")


def test_no_fills_is_a_header_and_no_rows(tmp_path: Path) -> None:
    """No fills is told apart from no file: the header has the columns of the real report."""
    write_nautilus_recording(Engine(trader=Trader(fills=Frame())), tmp_path)
    with (RECORDING / "fills.csv").open(newline="") as recorded:
        columns = next(csv.reader(recorded))
    assert (tmp_path / "fills.csv").read_text() == ",".join(columns) + "\n"


@pytest.mark.parametrize("report", ["orders", "positions"])
def test_an_empty_report_is_an_empty_list(tmp_path: Path, report: str) -> None:
    """Reported, and there is nothing: a JSON list in place of the table."""
    trader = Trader()
    setattr(trader, report, Frame())
    write_nautilus_recording(Engine(trader=trader), tmp_path)
    assert json.loads((tmp_path / f"{report}.json").read_text()) == []
    assert f"{report}.csv" not in names(tmp_path)


def test_the_example_records_a_real_backtest(tmp_path: Path) -> None:
    """The engine's last balances are the configured opening plus every fill, exactly."""
    pytest.importorskip("nautilus_trader")
    target = tmp_path / "recording"
    command = [sys.executable, str(EXAMPLE), str(target)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"pytest --recon-session={target}" in done.stdout
    assert names(target) == names(RECORDING)
    assert meta(target)["configured_starting_balances"] == {
        "BINANCE": ["100000.00000000 USDT", "1.00000000 BTC"]
    }
    assert replayed(target) == last_balances(target) == last_balances(RECORDING)


def test_the_example_records_a_node_that_traded_on_paper(tmp_path: Path) -> None:
    """Offline, on the engine's own simulated exchange; the gate is clear."""
    pytest.importorskip("nautilus_trader")
    target = tmp_path / "paper"
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, str(PAPER), str(target)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    reconciliation = reconcile_session(target)
    assert {str(one.verdict) for one in reconciliation.judgements} == {"match"}
    assert len(rows(target / "fills.csv")) > 10


def test_the_recording_beside_the_example_adds_up() -> None:
    """The recording in the repository is a true one."""
    assert replayed(RECORDING) == last_balances(RECORDING)


def test_a_run_on_the_bus_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """At its end; without a start, and after a reset, there is nothing to write."""
    written: list[list[object]] = []
    monkeypatch.setattr(
        nautilus, "write_nautilus_recording", lambda *_, heard, **__: written.append([*heard])
    )
    run = nautilus.BusRun(object(), "run", {})
    run.write()
    run.start()
    run.hear(Instrument("late"))
    run.write()
    run.write()
    assert written == [[Instrument.to_dict(Instrument("late"))]]
    run.start()
    run.forget()
    run.write()
    assert len(written) == 1


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as table:
        return list(csv.DictReader(table))


def replayed(directory: Path) -> dict[str, Decimal]:
    """Book the fills of the example on its opening, each rounded half-even."""
    held = {"USDT": Decimal(100_000), "BTC": Decimal(1)}
    for fill in rows(directory / "fills.csv"):
        sign = 1 if fill["order_side"] == "BUY" else -1
        quantity = sign * Decimal(fill["last_qty"])
        held["BTC"] += quantity
        held["USDT"] -= round(quantity * Decimal(fill["last_px"]), 8)
        fee, currency = fill["commission"].split()
        held[currency] -= Decimal(fee)
    return held


def last_balances(directory: Path) -> dict[str, Decimal]:
    table = rows(directory / "account_BINANCE.csv")
    return {row["currency"]: Decimal(row["total"]) for row in table}
