"""Write a recording of nautilus_trader: a finished backtest, or a node that traded.

The recording is a directory of the engine's own reports, nothing renamed and
nothing computed. nautilus_trader is not imported: the engine or node that is handed in
brings everything, so this module loads where nautilus_trader is not installed.
"""

import csv
import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

from recon_core.values.amounts import parse_amount
from recon_core.values.errors import AmountError, ReconError
from recon_core.values.files import refusing
from recon_core.values.printable import printable, quoted

_FILL_COLUMNS: Final = (
    "client_order_id,trader_id,strategy_id,instrument_id,venue_order_id,account_id,trade_id,"
    "position_id,order_side,order_type,last_qty,last_px,currency,commission,liquidity_side,"
    "event_id,ts_event,ts_init,info,reconciliation"
)
_FILL_TIMES: Final = ("ts_event", "ts_init")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

SUPPORTED: Final = ((1, 221), (2, 0))
"""Version from which the reports are as the reader has them, and the first one beyond."""


class FinishedEngine(Protocol):
    """The part of a `BacktestEngine` that the writer uses."""

    run_finished: Any  # None before the first run and after a reset
    trader: Any
    cache: Any

    def list_venues(self) -> list[Any]:
        """Return every venue that was added."""


class StoppedNode(Protocol):
    """The part of a `TradingNode` that the writer uses."""

    @property
    def trader(self) -> Any:
        """The trader of the node."""

    @property
    def cache(self) -> Any:
        """The cache of the node, which has the accounts."""

    def is_running(self) -> bool:
        """True if the node trades."""


@dataclass(frozen=True, slots=True)
class _Source:
    """The parts of an engine or a node that write the reports."""

    trader: Any
    cache: Any
    venues: list[Any]


def write_nautilus_recording(
    engine: FinishedEngine | StoppedNode,
    directory: str | Path,
    *,
    session_id: str | None = None,
    starting_balances: Mapping[Any, Iterable[Any]] | None = None,
    heard: Sequence[Mapping[str, Any]] | None = None,
) -> Path:
    """Write the reports of a `BacktestEngine` or a `TradingNode`; returns the path of meta.json.

    Call it after `engine.run()` and before `engine.reset()` or `engine.dispose()`, or after
    `node.run()`, which returns when the node was stopped, and before `node.dispose()`.

    It writes fills.csv, orders.csv, positions.csv, an account_<VENUE>.csv for every venue,
    instruments.json and meta.json. An empty report of fills becomes a fills.csv that is only a
    header; an empty report of orders or positions becomes a `.json` holding `[]`. `directory`
    appears complete or not at all.

    `session_id` is the name of the directory unless given. The opening balances are
    what `engine.add_venue` was given, or the first state of a node's account, as the
    account remembers them; `starting_balances`, `{venue: ["100000.00 USDT", ...]}` with
    texts or `Money`, replaces them for the venues it names. `heard` are the fills that somebody
    else knows of, as `OrderFilled.to_dict` gives them, in place of the engine's own report.

    Raises `ReconError` for a version of nautilus_trader that is not supported, a directory
    that is not empty, an engine without a finished run, a node that runs or never ran, a
    venue whose opening or account is not known, account states out of order, an override that
    cannot be read, and a directory that cannot be written; nothing is written then.
    """
    engine_version = _engine_version()
    target = Path(directory).resolve()
    require_free(target)
    source = _source(engine)
    opening = _opening(source, starting_balances or {})
    files = _trader_files(source.trader)
    if heard is not None:
        files["fills.csv"] = _heard_fills(heard)
    files |= {f"account_{venue}.csv": _account_report(source, venue) for venue in source.venues}
    # to_dict is static on nautilus instruments: it wants the object as its argument.
    instruments = [type(one).to_dict(one) for one in source.cache.instruments()]
    files["instruments.json"] = _json(instruments)
    files["meta.json"] = _json(
        {
            "engine": "nautilus_trader",
            "version": engine_version,
            "session": session_id or target.name,
            "venues": [str(venue) for venue in source.venues],
            "configured_starting_balances": opening,
        }
    )
    with refusing(target.name):
        _publish(files, target)
    return Path(directory) / "meta.json"


def require_free(target: Path) -> None:
    """Refuse a directory that exists and is not empty."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    raise ReconError(f"{printable(target)}: already exists; expected a new or an empty directory")


def _source(engine: Any) -> _Source:
    if hasattr(engine, "run_finished"):
        return _finished(engine)
    if hasattr(engine, "is_running"):
        return _stopped(engine)
    found = printable(type(engine).__name__, 60)
    raise ReconError(f"{found} has no reports; expected a BacktestEngine or a TradingNode")


def _finished(engine: FinishedEngine) -> _Source:
    if engine.run_finished is None:
        raise ReconError(
            "the engine has no finished run; expected a call after engine.run(), or after "
            "engine.end() of a streamed run, and before engine.reset()"
        )
    return _Source(engine.trader, engine.cache, sorted(engine.list_venues(), key=str))


def _stopped(node: StoppedNode) -> _Source:
    expected = "expected a call after node.run(), and before node.dispose()"
    if node.is_running():
        raise ReconError(f"the node runs, and its reports change; {expected}")
    accounts, instruments = node.cache.accounts(), node.cache.instruments()
    if not accounts or not instruments:
        what = "account" if instruments else "instrument"
        raise ReconError(f"the node has no {what}; {expected}")
    # An account names its venue as text, and reports are asked for with the engine's own type.
    venue_type = type(instruments[0].id.venue)
    names = sorted({str(account.id.get_issuer()) for account in accounts})
    return _Source(node.trader, node.cache, [venue_type(name) for name in names])


def _trader_files(trader: Any) -> dict[str, str]:
    fills = trader.generate_fills_report()
    files = {"fills.csv": f"{_FILL_COLUMNS}\n" if fills.empty else fills.to_csv()}
    for name, report in (
        ("orders", trader.generate_orders_report()),
        ("positions", trader.generate_positions_report()),
    ):
        suffix, text = ("json", "[]\n") if report.empty else ("csv", report.to_csv())
        files[f"{name}.{suffix}"] = text
    return files


def _heard_fills(heard: Iterable[Mapping[str, Any]]) -> str:
    """Return fills as a report has them: in its columns, times as text."""
    text = StringIO()
    rows = csv.DictWriter(
        text, _FILL_COLUMNS.split(","), extrasaction="ignore", lineterminator="\n"
    )
    rows.writeheader()
    for one in heard:
        rows.writerow({**one, **{name: _time_text(one[name]) for name in _FILL_TIMES}})
    return text.getvalue()


def _time_text(nanoseconds: int) -> str:
    """Return a time of the engine, without the digits beyond the microsecond."""
    return str(_EPOCH + timedelta(microseconds=int(nanoseconds) // 1000))


def _account_report(source: _Source, venue: Any) -> str:
    report = source.trader.generate_account_report(venue)
    if report.empty:
        raise ReconError(
            f"venue {printable(venue)}: no account report; expected an engine that was not disposed"
        )
    _require_order_in_time(source, venue)
    text: str = report.to_csv()
    return text


def _require_order_in_time(source: _Source, venue: Any) -> None:
    # The report sorts its rows by time with an unstable sort, which leaves them alone
    # only if they are in order; after a reset the last row may be the reset itself.
    times = [event.ts_event for event in source.cache.account_for_venue(venue).events]
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ReconError(
            f"venue {printable(venue)}: account states run backwards in time; "
            "expected an engine that was not reset between two runs"
        )


def _opening(source: _Source, given: Mapping[Any, Iterable[Any]]) -> dict[str, list[str]]:
    names = [str(venue) for venue in source.venues]
    override = {str(venue): [_balance(one) for one in given[venue]] for venue in given}
    for unknown in sorted(override.keys() - set(names)):
        raise ReconError(
            f"starting_balances: the engine has no venue {quoted(unknown, 200)}; "
            f"expected one of {printable(', '.join(names))}"
        )
    opening = {
        name: override[name] if name in override else _configured(source, venue)
        for name, venue in zip(names, source.venues, strict=True)
    }
    for unknown in (printable(name) for name in names if not opening[name]):
        raise ReconError(
            f"venue {unknown}: opening balances are not known; expected an engine that was "
            f"not disposed, or starting_balances={{{unknown!r}: ['100000.00 USDT']}}"
        )
    return opening


def _configured(source: _Source, venue: Any) -> list[str]:
    # Not the first row of the account report: the engine books the first commission into
    # the first state of a margin account, so that row can already lack it.
    account = source.cache.account_for_venue(venue)
    remembered = getattr(account, "starting_balances", dict)
    return [str(money) for money in remembered().values()]


def _balance(given: Any) -> str:
    amount, _, currency = str(given).partition(" ")
    try:
        parse_amount(amount)
    except AmountError as error:
        raise ReconError(f"starting_balances: {error}") from error
    if not currency or currency.split() != [currency]:
        shown = quoted(given)
        raise ReconError(f"starting_balances: {shown} has no currency; expected '100.00 USDT'")
    return f"{amount} {currency}"


def _engine_version() -> str:
    """The installed version; raises `ReconError` where it is known not to be supported."""
    try:
        found = version("nautilus_trader")
    except PackageNotFoundError:
        return "unknown"
    first, beyond = SUPPORTED
    numbers = tuple(int(part) for part in re.findall(r"[0-9]+", found)[:2])
    if not first <= numbers < beyond:
        lowest, highest = (".".join(map(str, one)) for one in SUPPORTED)
        raise ReconError(
            f"nautilus_trader {printable(found, 40)} is not supported; "
            f"expected {lowest} or newer, and below {highest}"
        )
    return found


def _json(value: object) -> str:
    return json.dumps(value, indent=2, default=str) + "\n"


def _publish(files: Mapping[str, str], target: Path) -> None:
    partial = target.with_name(f".{target.name}.{uuid4().hex}.partial")
    partial.mkdir(parents=True)
    try:
        for name, text in files.items():
            (partial / name).write_text(text, encoding="utf-8", newline="")
        if target.exists():
            target.rmdir()  # windows does not rename onto a directory, not even an empty one
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
