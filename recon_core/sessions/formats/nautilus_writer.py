"""Write a recording from a finished nautilus_trader backtest.

The recording is a directory of the engine's own reports, nothing renamed and
nothing computed. nautilus_trader is not imported: the engine that is handed in
brings everything, so this module loads where nautilus_trader is not installed.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
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


class FinishedEngine(Protocol):
    """The part of a `BacktestEngine` that the writer uses."""

    run_finished: Any  # None before the first run and after a reset
    trader: Any
    cache: Any

    def list_venues(self) -> list[Any]:
        """Return every venue that was added."""


def write_nautilus_recording(
    engine: FinishedEngine,
    directory: str | Path,
    *,
    session_id: str | None = None,
    starting_balances: Mapping[Any, Iterable[Any]] | None = None,
) -> Path:
    """Write the reports of a finished `BacktestEngine` and return the path of meta.json.

    Call it after `engine.run()` and before `engine.reset()` or `engine.dispose()`.
    It writes fills.csv, orders.csv, positions.csv, an account_<VENUE>.csv for every
    venue, instruments.json and meta.json. An empty report of fills becomes a
    fills.csv that is only a header; an empty report of orders or positions becomes
    a `.json` holding `[]`. `directory` appears complete or not at all.

    `session_id` is the name of the directory unless given. The opening balances are
    what `engine.add_venue` was given, as the account remembers them;
    `starting_balances`, `{venue: ["100000.00 USDT", ...]}` with texts or `Money`,
    replaces them for the venues it names.

    Raises `ReconError` for a directory that is not empty, an engine without a
    finished run, a venue whose opening or account is not known, account states out
    of order, an override that cannot be read, and a directory that cannot be written;
    nothing is written then.
    """
    target = Path(directory).resolve()
    _require_free(target)
    _require_finished(engine)
    venues = sorted(engine.list_venues(), key=str)
    opening = _opening(engine, venues, starting_balances or {})
    files = _trader_files(engine.trader)
    files |= {f"account_{venue}.csv": _account_report(engine, venue) for venue in venues}
    # to_dict is static on nautilus instruments: it wants the object as its argument.
    instruments = [type(one).to_dict(one) for one in engine.cache.instruments()]
    files["instruments.json"] = _json(instruments)
    files["meta.json"] = _json(
        {
            "engine": "nautilus_trader",
            "version": _engine_version(),
            "session": session_id or target.name,
            "venues": [str(venue) for venue in venues],
            "configured_starting_balances": opening,
        }
    )
    with refusing(target.name):
        _publish(files, target)
    return Path(directory) / "meta.json"


def _require_free(target: Path) -> None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    raise ReconError(f"{printable(target)}: already exists; expected a new or an empty directory")


def _require_finished(engine: FinishedEngine) -> None:
    if engine.run_finished is None:
        raise ReconError(
            "the engine has no finished run; expected a call after engine.run(), or after "
            "engine.end() of a streamed run, and before engine.reset()"
        )


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


def _account_report(engine: FinishedEngine, venue: Any) -> str:
    report = engine.trader.generate_account_report(venue)
    if report.empty:
        raise ReconError(
            f"venue {printable(venue)}: no account report; expected an engine that was not disposed"
        )
    _require_order_in_time(engine, venue)
    text: str = report.to_csv()
    return text


def _require_order_in_time(engine: FinishedEngine, venue: Any) -> None:
    # The report sorts its rows by time with an unstable sort, which leaves them alone
    # only if they are in order; after a reset the last row may be the reset itself.
    times = [event.ts_event for event in engine.cache.account_for_venue(venue).events]
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ReconError(
            f"venue {printable(venue)}: account states run backwards in time; "
            "expected an engine that was not reset between two runs"
        )


def _opening(
    engine: FinishedEngine, venues: list[Any], given: Mapping[Any, Iterable[Any]]
) -> dict[str, list[str]]:
    names = [str(venue) for venue in venues]
    override = {str(venue): [_balance(one) for one in given[venue]] for venue in given}
    for unknown in sorted(override.keys() - set(names)):
        raise ReconError(
            f"starting_balances: the engine has no venue {quoted(unknown, 200)}; "
            f"expected one of {printable(', '.join(names))}"
        )
    opening = {
        name: override[name] if name in override else _configured(engine, venue)
        for name, venue in zip(names, venues, strict=True)
    }
    for unknown in (printable(name) for name in names if not opening[name]):
        raise ReconError(
            f"venue {unknown}: opening balances are not known; expected an engine that was "
            f"not disposed, or starting_balances={{{unknown!r}: ['100000.00 USDT']}}"
        )
    return opening


def _configured(engine: FinishedEngine, venue: Any) -> list[str]:
    # Not the first row of the account report: the engine books the first commission into
    # the first state of a margin account, so that row can already lack it.
    account = engine.cache.account_for_venue(venue)
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
    try:
        return version("nautilus_trader")
    except PackageNotFoundError:
        return "unknown"


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
